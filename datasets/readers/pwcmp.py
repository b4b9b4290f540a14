"""pwcmp's examples: comparisons of distorted pictures by single observers, for scaling and screening.

Perez-Ortiz, Mantiuk, "A practical guide and software for analysing pairwise comparison experiments", 2017. Takes in
lf_quality_pwcmps.csv (trial, observer, session, scene, dist_type1, dist_level1, dist_type2, dist_level2, selected: 26,580
answers of 29 observers about light fields) or ex3_tmo_cmp_data.csv (observer, session_id, scene, condition_A, condition_B,
is_A_selected, criterion: 1,213 of 18 about tone mapping). An image is a scene under a condition; pairs are of one scene.

    >>> pwcmp = read(Path("pwcmp/examples"), table="tone-mapping")           # doctest: +SKIP
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from photojury.datasets.readers.label_files import Sieve, open_labels
from photojury.datasets.readers.published import Published

NAME = "pwcmp"

Which = Literal["light-fields", "tone-mapping"]

_FILES: dict[Which, str] = {"light-fields": "lf_quality_pwcmps.csv", "tone-mapping": "ex3_tmo_cmp_data.csv"}
_LIGHT_FIELDS = [
    "trial", "observer", "session", "scene", "dist_type1", "dist_level1", "dist_type2", "dist_level2", "selected",
]  # fmt: skip
_TONE_MAPPING = ["observer", "session_id", "scene", "condition_A", "condition_B", "is_A_selected"]


def read(root: Path, *, table: Which = "light-fields") -> Published:
    """Read comparisons.

    Args:
        root: the folder with the files, or one of them.
        table: light-fields or tone-mapping.

    Raises:
        InputError: the file is not there, or is no such file.
    """
    sieve = _light_fields(root) if table == "light-fields" else _tone_mapping(root)
    sieve.keep(
        (sieve.rows["first"] != sieve.rows["second"]).to_numpy(), "comparisons of a picture with itself"
    )
    rows = sieve.rows.reset_index(drop=True)
    comparisons = pd.DataFrame(
        {
            "first_id": f"{NAME}:" + rows["scene"] + " " + rows["first"],
            "second_id": f"{NAME}:" + rows["scene"] + " " + rows["second"],
            "value": np.where(rows["first_won"], 1.0, -1.0),
            "rater_id": rows["observer"],
            "task": "forced_choice",
            "unit_id": rows["trial"] if "trial" in rows else (rows.index + 1).astype("str"),
            "series_id": f"{NAME}:" + rows["scene"],
        }
    )
    sides = [
        comparisons[["series_id", side]].set_axis(["series_id", "image_id"], axis=1)
        for side in ("first_id", "second_id")
    ]
    members = pd.concat(sides).drop_duplicates().sort_values(["series_id", "image_id"], ignore_index=True)
    ids = members["image_id"]
    images = pd.DataFrame(
        {"image_id": ids, "source": NAME, "source_id": ids.str.removeprefix(f"{NAME}:"), "file": None}
    )
    observers = comparisons["rater_id"].nunique()
    return Published(
        NAME,
        images,
        {
            "comparisons": comparisons.drop(columns="series_id"),
            "series": members.assign(position=members.groupby("series_id").cumcount()),
        },
        notes=(
            f"{len(comparisons):,} comparisons of {observers} observers within {members['series_id'].nunique()} scenes",
            "on which side a picture was shown is not said",
        ),
        left_out=sieve.left_out,
    )


def _light_fields(root: Path) -> Sieve:
    sieve = open_labels(root, [_FILES["light-fields"]], what="comparisons", columns=_LIGHT_FIELDS)
    sieve.text("observer", "scene", "dist_type1", "dist_level1", "dist_type2", "dist_level2")
    sieve.number("selected", low=1, high=2, whole=True)
    rows = sieve.rows
    sieve.rows = rows.assign(
        first=rows["dist_type1"] + " " + rows["dist_level1"],
        second=rows["dist_type2"] + " " + rows["dist_level2"],
        first_won=rows["selected"] == 1,
    )
    return sieve


def _tone_mapping(root: Path) -> Sieve:
    sieve = open_labels(root, [_FILES["tone-mapping"]], what="comparisons", columns=_TONE_MAPPING)
    sieve.text("observer", "scene", "condition_A", "condition_B")
    sieve.number("is_A_selected", low=0, high=1, whole=True)
    rows = sieve.rows
    sieve.rows = rows.assign(
        first=rows["condition_A"], second=rows["condition_B"], first_won=rows["is_A_selected"] == 1
    )
    return sieve
