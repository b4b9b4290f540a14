"""EVA: 4,070 of AVA's photographs with 30 votes or more each: beauty from 0 to 10, four attributes, difficulty, time.

Kang, Valenzise, Dufaux, "EVA: An Explainable Visual Aesthetics Dataset", ATQAM/MAST 2020 (CC0). Takes in
votes_filtered.csv, the votes that the paper uses, or votes.csv, all of them; cells lie between "=" signs: image_id,
user_id, score, difficulty, visual, composition, quality, semantic, vote_time. Gives out the votes with the raters' ids.

    >>> eva = read(Path("eva-dataset-master"))           # doctest: +SKIP
"""

import json
from pathlib import Path

import pandas as pd

from photojury.datasets.readers.label_files import Sieve, look, open_labels, together
from photojury.datasets.readers.published import Published

NAME = "eva"
ATTRIBUTES = ("visual", "composition", "quality", "semantic", "difficulty")
"""Each from 1 (very bad, or very difficult) to 4; visual is light and colour."""

CATEGORIES = {
    "1": "animals",
    "2": "architecture and city scenes",
    "3": "human",
    "4": "natural and rural scenes",
    "5": "still life",
    "6": "other",
}


def read(root: Path, *, filtered: bool = True) -> Published:
    """Read EVA's votes.

    Args:
        root: the folder with the file (or with the folder data/ that has it).
        filtered: whether to read the votes that the paper uses, or all of them.

    Raises:
        InputError: the file is not there, or is no such file.
    """
    name = "votes_filtered.csv" if filtered else "votes.csv"
    sieve = open_labels(
        root,
        [name, f"data/{name}"],
        what="EVA's votes",
        columns=["image_id", "user_id", "score"],
        separator="=",
    )
    sieve.text("image_id", "user_id")
    sieve.number("score", low=0, high=10, whole=True)
    given = [attribute for attribute in ATTRIBUTES if attribute in sieve.rows]
    sieve.number(*given, low=1, high=4, whole=True, kept=True)
    if "vote_time" in sieve.rows:
        sieve.number("vote_time", low=0, kept=True)
    sieve.once(["image_id", "user_id"])
    images, categories = _images(root, sieve.rows["image_id"])
    return Published(
        NAME,
        images,
        {"ratings": _ratings(sieve.rows, given)},
        scale=(0.0, 10.0),
        notes=("users.csv, which tells people's age, region and gender, is not read",),
        left_out=together(sieve, *categories),
    )


def _ratings(rows: pd.DataFrame, attributes: list[str]) -> pd.DataFrame:
    names = {"score": "overall"}
    long = rows.rename(columns=names).melt(
        ["image_id", "user_id", *(name for name in ("vote_time",) if name in rows)],
        ["overall", *attributes],
        var_name="attribute",
        value_name="value",
    )
    long = long[long["value"].notna()]
    seconds = long["vote_time"] if "vote_time" in long else pd.Series(float("nan"), index=long.index)
    return pd.DataFrame(
        {
            "image_id": f"{NAME}:" + long["image_id"],
            "rater_id": f"{NAME}:" + long["user_id"],
            "value": long["value"].astype("float64"),
            "attribute": long["attribute"],
            "task": long["attribute"].eq("overall").map({True: "stars", False: "attributes"}),
            "milliseconds": (seconds * 1000).round(),
        }
    ).reset_index(drop=True)


def _images(root: Path, ids: "pd.Series[str]") -> tuple[pd.DataFrame, list[Sieve]]:
    """The pictures with their category, where image_content_category.csv tells it."""
    name = "image_content_category.csv"
    path = look(root, [name, f"data/{name}"]) if root.is_dir() else None
    unique = pd.Series(ids.unique()).sort_values(ignore_index=True)
    tags: pd.Series[str] = pd.Series(dtype="str")
    sieves = []
    if path is not None:
        sieve = open_labels(path, [], what="the categories", columns=["image_id", "sort"])
        sieve.among("sort", list(CATEGORIES))
        sieve.once(["image_id"])
        tags = sieve.rows.set_index("image_id")["sort"].map(CATEGORIES)
        sieves.append(sieve)
    known = [tags.get(image) for image in unique]
    return pd.DataFrame(
        {
            "image_id": f"{NAME}:" + unique,
            "source": NAME,
            "source_id": unique,
            "file": unique + ".jpg",
            "page_url": "http://www.dpchallenge.com/image.php?IMAGE_ID=" + unique,
            "tags": [None if word is None else json.dumps([word]) for word in known],
        }
    ), sieves
