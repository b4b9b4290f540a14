"""Tables of views and favourites: AROD, the Flickr photos of paper 2, and UHD-IQA, photos of Pixabay.

Schwarz, Wieschollek, Lensch, "Will People Like Your Image?", WACV 2018: list.txt, "url;faves;views" a line, without a line
of names. Hosu and others, "UHD-IQA Benchmark Database", 2024: UHD-IQA.txt of IQA-Dataset, with views, likes,
favorites, downloads and comments beside the score. Which of the two a file is, is told by its first line. Gives out
observations, of which `photojury.analysis.popularity` makes S(i); when the counters were read, nobody has said.

    >>> from photojury.analysis.popularity import popularity
    >>> popularity(read(Path("arod/list.txt")).tables["observations"], form="paper")           # doctest: +SKIP
"""

from pathlib import Path

import numpy as np
import pandas as pd

from photojury.datasets import delimited
from photojury.datasets.readers.label_files import Sieve, find, open_labels
from photojury.datasets.readers.published import Published

AROD, UHD_IQA = "arod", "uhd-iqa"
FILES = ("list.txt", "arod/list.txt", "UHD-IQA.txt")

_UHD = ["dis_img_path", "score", "views", "likes", "favorites", "comments", "user_name", "page_url"]
_PARTS = {"training": "train", "validation": "validation", "test": "test"}


def read(root: Path, *, seen_at: float | None = None) -> Published:
    """Read a table of counters.

    Args:
        root: the folder with list.txt or UHD-IQA.txt, or the file itself.
        seen_at: when the counters were read, in seconds since 1970, if you know it; else it is unknown.

    Raises:
        InputError: no such table is there, or it is no such file.
    """
    path = find(root, FILES, what="views and favourites")
    first = delimited.read(path, names=["line"], separator="\x1f", quote="").table["line"].iloc[0]
    when = np.nan if seen_at is None else seen_at
    return _uhd_iqa(path, when) if "dis_img_path" in str(first) else _arod(path, when)


def _arod(path: Path, seen_at: float) -> Published:
    columns = ["url", "faves", "views"]
    sieve = open_labels(path, [], what="counters", columns=columns, header=False, separator=";", quote="")
    sieve.without_header("url", "url")
    sieve.text("url")
    _count(sieve, "faves", "views")
    # The photo's number at Flickr begins the name of its file: .../12345_0123abcd_b.jpg
    number = sieve.rows["url"].str.extract(r"/(\d+)_[^/]*$")[0]
    sieve.rows = sieve.rows.assign(photo=number.fillna(sieve.rows["url"]))
    sieve.once(["photo"])
    rows = sieve.rows.reset_index(drop=True)
    images = pd.DataFrame(
        {
            "image_id": f"{AROD}:" + rows["photo"],
            "source": AROD,
            "source_id": rows["photo"],
            "file": None,
            "file_url": rows["url"],
        }
    )
    seen = _observations(images, rows["views"], rows["faves"], pd.Series(np.nan, rows.index), seen_at)
    return Published(AROD, images, {"observations": seen}, notes=(_note(seen),), left_out=sieve.left_out)


def _uhd_iqa(path: Path, seen_at: float) -> Published:
    sieve = open_labels(path, [], what="counters", columns=_UHD, separator=",")
    sieve.text("dis_img_path")
    sieve.number("score", low=0, high=1)
    _count(sieve, "views", "likes", "favorites", "comments")
    sieve.once(["dis_img_path"])
    rows = sieve.rows.reset_index(drop=True)
    ids = rows["dis_img_path"].str.split("/", n=1).str[-1]
    images = pd.DataFrame(
        {
            "image_id": f"{UHD_IQA}:" + ids,
            "source": UHD_IQA,
            "source_id": ids,
            "file": ids,
            "page_url": rows["page_url"],
            "author": rows["user_name"],
        }
    )
    seen = _observations(images, rows["views"], rows["favorites"], rows["comments"], seen_at)
    scores = images[["image_id"]].assign(method=UHD_IQA, score=rows["score"], standard_error=np.nan)
    parts = images[["image_id"]].assign(split="official", part=ids.str.split("/").str[0].map(_PARTS))
    return Published(
        UHD_IQA,
        images,
        {
            "observations": seen.assign(likes=rows["likes"]),
            "scores": scores,
            "splits": parts.dropna(subset="part", ignore_index=True),
        },
        notes=(
            _note(seen),
            "favs are Pixabay's favorites; its likes are a column of their own. The score is of technical quality, 0 to 1",
        ),
        left_out=sieve.left_out,
    )


def _count(sieve: Sieve, *columns: str) -> None:
    """Counters: whole numbers of at least 0; one that is not there is unknown, which is not 0."""
    sieve.number(*columns, low=0, whole=True, kept=True)


def _observations(
    images: pd.DataFrame,
    views: "pd.Series[float]",
    favs: "pd.Series[float]",
    comments: "pd.Series[float]",
    seen_at: float,
) -> pd.DataFrame:
    table = images[["source", "source_id"]].assign(seen_at=seen_at)
    return table.assign(views=views, favs=favs, comments=comments)


def _note(seen: pd.DataFrame) -> str:
    none, odd = (seen["favs"] == 0).sum(), (seen["favs"] > seen["views"]).sum()
    unknown = seen[["views", "favs"]].isna().any(axis=1).sum()
    return (
        f"{len(seen):,} images: {none:,} without a favourite, {odd:,} with more favourites than views, {unknown:,} with an "
        "unknown counter"
    )
