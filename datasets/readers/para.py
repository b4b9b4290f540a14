"""PARA: 31,220 photographs, each rated by about 25 of 438 people for beauty and further attributes, on 1 to 5.

Yang, Xu, Li, Qie, Li, Zhang, Guo, "Personalized Image Aesthetics Assessment with Rich Attributes", CVPR 2022 (for
research only). Takes in annotation/PARA-Images.csv (a row for each person and picture) and, where they are there,
PARA-GiaaTrain.csv and PARA-GiaaTest.csv, whose pictures are the official split. Gives out the ratings; a session, whose
pictures the same people saw, is a batch. Scores are given in half steps.

    >>> para = read(Path("PARA"))            # doctest: +SKIP
"""

import json
from pathlib import Path

import pandas as pd

from photojury.datasets.readers.label_files import Sieve, look, open_labels, together
from photojury.datasets.readers.published import Published

NAME = "para"
OVERALL = "aestheticScore"
SCALES = {
    "qualityScore": (1, 5),
    "compositionScore": (1, 5),
    "colorScore": (1, 5),
    "dofScore": (1, 5),
    "contentScore": (1, 5),
    "lightScore": (1, 5),
    "contentPreference": (1, 5),
    "willingnessToShare": (1, 5),
    "isObjectEmphasis": (0, 1),
    "difficultyOfJudgment": (-1, 1),
}
"""The further attributes, each with its scale; those that a file has are read."""

_SPLIT = {"train": "PARA-GiaaTrain.csv", "test": "PARA-GiaaTest.csv"}


def read(root: Path, *, attributes: bool = True) -> Published:
    """Read PARA's ratings.

    Args:
        root: the folder with the files (or with the folder annotation/ that has them).
        attributes: whether to read the further attributes too, which are ten times as many ratings.

    Raises:
        InputError: a file is not there, or is no such file.
    """
    needed = ["sessionId", "imageName", "userId", OVERALL]
    sieve = open_labels(root, _places("PARA-Images.csv"), what="PARA's ratings", columns=needed)
    sieve.text("sessionId", "imageName", "userId")
    sieve.number(OVERALL, low=1, high=5)
    given = [name for name in SCALES if name in sieve.rows] if attributes else []
    for name in given:
        low, high = SCALES[name]
        sieve.number(name, low=low, high=high, kept=True)
    sieve.once(["imageName", "userId"])
    images = _images(sieve.rows)
    splits, lists = _splits(root, images)
    return Published(
        NAME,
        images,
        {"ratings": _ratings(sieve.rows, given), **({"splits": splits} if len(splits) else {})},
        scale=(1.0, 5.0),
        notes=(
            "PARA-UserInfo.csv, which tells people's age, gender, schooling and personality, is not read",
            "ratings are given in half steps, so they have nine levels",
        ),
        left_out=together(sieve, *lists),
    )


def _ratings(rows: pd.DataFrame, attributes: list[str]) -> pd.DataFrame:
    named = rows.rename(columns={OVERALL: "overall"})
    long = named.melt(
        ["sessionId", "imageName", "userId"],
        ["overall", *attributes],
        var_name="attribute",
        value_name="value",
    )
    long = long[long["value"].notna()]
    return pd.DataFrame(
        {
            "image_id": f"{NAME}:" + long["imageName"],
            "rater_id": f"{NAME}:" + long["userId"],
            "value": long["value"].astype("float64"),
            "attribute": long["attribute"],
            "task": long["attribute"].eq("overall").map({True: "stars", False: "attributes"}),
            "hit_key": long["sessionId"],
        }
    ).reset_index(drop=True)


def _images(rows: pd.DataFrame) -> pd.DataFrame:
    first = rows.drop_duplicates("imageName").sort_values("imageName", ignore_index=True)
    scenes = first["semantic"] if "semantic" in first else pd.Series(None, index=first.index, dtype="object")
    return pd.DataFrame(
        {
            "image_id": f"{NAME}:" + first["imageName"],
            "source": NAME,
            "source_id": first["imageName"],
            "file": first["sessionId"] + "/" + first["imageName"],
            "tags": [json.dumps([scene]) if isinstance(scene, str) else None for scene in scenes],
        }
    )


def _splits(root: Path, images: pd.DataFrame) -> tuple[pd.DataFrame, list[Sieve]]:
    """The official split, of the pictures that were rated."""
    parts: list[pd.DataFrame] = []
    sieves = []
    for part, name in _SPLIT.items():
        path = look(root, _places(name)) if root.is_dir() else None
        if path is not None:
            sieve = open_labels(path, [], what="the official split", columns=["imageName"])
            ids = f"{NAME}:" + sieve.rows["imageName"].drop_duplicates()
            parts.append(pd.DataFrame({"image_id": ids, "split": "official", "part": part}))
            sieves.append(sieve)
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"image_id": []})
    return table[table["image_id"].isin(images["image_id"])].drop_duplicates(
        "image_id", ignore_index=True
    ), sieves


def _places(name: str) -> list[str]:
    return [name, f"annotation/{name}"]
