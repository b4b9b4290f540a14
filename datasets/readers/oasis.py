"""OASIS, rated for beauty: 900 pictures, each by 104 to 368 of 757 people, on 1 to 7, with the raters' ids.

Brielmann, Pelli, "Intense Beauty Requires Intense Pleasure", Frontiers in Psychology 10, 2019 (the ratings), of pictures
by Kurdi, Lozano, Banaji, "Introducing the Open Affective Standardized Image Set (OASIS)", Behavior Research Methods 49,
2017. Takes in ratings_long.csv (subjID, item, beauty), items.csv (item, theme, category, valence_mean, arousal_mean) and,
where it is asked for, repeated_measures_long.csv (subjID, repetition, item, beauty), in which 59 other people rated 45
pictures each a second time.

    >>> oasis = read(Path("oasis_beauty"), repeated=True)            # doctest: +SKIP
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from photojury.datasets.readers.label_files import Sieve, open_labels, together
from photojury.datasets.readers.published import Published

NAME = "oasis"
LOW, HIGH = 1.0, 7.0

_UNRATED = -99.0
"""What repeated_measures_long.csv holds, beside nothing, where no rating was given."""


def read(root: Path, *, repeated: bool = False) -> Published:
    """Read OASIS's beauty ratings.

    Args:
        root: the folder with the files.
        repeated: whether to read the repeated measures too; second ratings are marked as repeats, which analyses of
            images leave out and those of raters use.

    Raises:
        InputError: a file is not there, or is no such file.
    """
    items = _items(root)
    first = _sifted(
        open_labels(root, ["ratings_long.csv"], what="the ratings", columns=["subjID", "item", "beauty"]),
        items,
    )
    tables = [_ratings(first.rows, "")]
    sieves = [items, first]
    if repeated:
        second = _sifted(_repeated(root), items)
        tables.append(_ratings(second.rows, "again-"))
        sieves.append(second)
    return Published(
        NAME,
        _images(items.rows),
        {"ratings": pd.concat(tables, ignore_index=True), "scores": _scores(items.rows)},
        scale=(LOW, HIGH),
        notes=(
            "the pictures' file names are OASIS's own as far as items.csv tells them: theme and number, as Acorns 1.jpg",
        ),
        left_out=together(*sieves),
    )


def _items(root: Path) -> Sieve:
    needed = ["item", "theme", "category", "valence_mean", "arousal_mean"]
    sieve = open_labels(root, ["items.csv"], what="the pictures", columns=needed)
    sieve.number("item", low=1, whole=True)
    sieve.text("theme")
    sieve.number("valence_mean", "arousal_mean", kept=True)
    sieve.once(["item"])
    return sieve


def _repeated(root: Path) -> Sieve:
    """The repeated measures, without the pictures that a person was not asked about."""
    sieve = open_labels(
        root,
        ["repeated_measures_long.csv"],
        what="the repeated measures",
        columns=["subjID", "repetition", "item", "beauty"],
    )
    sieve.number("repetition", low=1, whole=True)
    beauty = pd.to_numeric(sieve.rows["beauty"], errors="coerce")
    unasked = sieve.rows["beauty"].isna() | sieve.rows["beauty"].eq("NaN")
    sieve.rows = sieve.rows[~unasked]
    sieve.keep(beauty[~unasked].ne(_UNRATED).to_numpy(dtype=bool), "ratings of -99, which were not given")
    return sieve


def _sifted(sieve: Sieve, items: Sieve) -> Sieve:
    sieve.text("subjID")
    sieve.number("item", low=1, whole=True)
    sieve.number("beauty", low=LOW, high=HIGH, whole=True)
    sieve.keep(
        sieve.rows["item"].isin(items.rows["item"]).to_numpy(dtype=bool),
        "pictures that items.csv does not name",
    )
    sieve.once([name for name in ("subjID", "repetition", "item") if name in sieve.rows])
    return sieve


def _ratings(rows: pd.DataFrame, people: str) -> pd.DataFrame:
    """Rows of `ratings`; `repeat` counts the earlier ratings by the same person of the same picture."""
    return pd.DataFrame(
        {
            "image_id": _key(rows["item"]),
            "rater_id": f"{NAME}:{people}" + rows["subjID"],
            "value": rows["beauty"],
            "attribute": "overall",
            "task": "stars",
            "repeat": rows["repetition"].astype("int64") - 1 if "repetition" in rows else 0,
        }
    )


def _images(items: pd.DataFrame) -> pd.DataFrame:
    # OASIS numbers the pictures of a theme in the order of their items.
    number = items.sort_values("item").groupby("theme").cumcount() + 1
    return pd.DataFrame(
        {
            "image_id": _key(items["item"]),
            "source": NAME,
            "source_id": items["item"].astype("int64").astype("str"),
            "file": items["theme"] + " " + number.reindex(items.index).astype("str") + ".jpg",
            "title": items["theme"],
            "tags": [json.dumps([word]) for word in items["category"].fillna("")],
        }
    ).reset_index(drop=True)


def _scores(items: pd.DataFrame) -> pd.DataFrame:
    """The mean valence and arousal of Kurdi et al., on 1 to 7."""
    table = items.assign(image_id=_key(items["item"]))
    table = table.rename(columns={"valence_mean": "oasis-valence", "arousal_mean": "oasis-arousal"})
    long = table.melt("image_id", ["oasis-valence", "oasis-arousal"], var_name="method", value_name="score")
    return long.dropna(subset="score", ignore_index=True).assign(standard_error=np.nan)


def _key(items: "pd.Series[float]") -> "pd.Series[str]":
    return f"{NAME}:" + items.astype("int64").astype("str")
