"""What must stay together: pictures of one series, of one author, that are near duplicates, or that were compared.

Takes in tables of images, series, checks and comparisons; gives out memberships (group, image_id), and from several of
these at once the groups that a split keeps whole: two pictures are in one group if any chain of memberships joins
them.

    >>> images = pd.DataFrame({"image_id": list("abcd"), "author": ["x", "y", "x", None]})
    >>> series = pd.DataFrame({"series_id": [1, 1], "image_id": ["b", "c"]})
    >>> joined(images["image_id"], [of_authors(images), of_series(series)]).tolist()
    ['a', 'a', 'a', 'd']
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photojury.datasets.hamming import near_pairs
from photojury.errors import require_columns

NEAR_DUPLICATE = "near_duplicate"
"""The name of collect's check in the table `checks`."""

# What sources write where they do not know who made a picture.
_NOBODY = {"", "-", "?", "unknown", "unknown author", "unknown photographer", "anonymous", "n/a", "none"}


def of_series(series: pd.DataFrame) -> pd.DataFrame:
    """The series of each picture (series_id, image_id) as memberships."""
    if series.empty:
        return _memberships([], [])
    require_columns(series.columns, ("series_id", "image_id"), "series")
    return _memberships(series["series_id"], series["image_id"])


def of_authors(images: pd.DataFrame) -> pd.DataFrame:
    """The author of each picture whose author is known, as memberships.

    A picture is its author's by name, and by the source's own id where that is known: a person who changed the name
    is one author, and so are, to be on the safe side, two with one name.

    Args:
        images: image_id, author; and source and author_id where they are known.
    """
    require_columns(images.columns, ("image_id", "author"), "images")
    names = images["author"].astype("object")
    known = names.notna() & ~names.astype("str").str.strip().str.lower().isin(_NOBODY)
    parts = [_memberships("name " + names[known].astype("str"), images["image_id"][known])]
    if {"source", "author_id"} <= set(images.columns):
        ids = images["author_id"].astype("object")
        at = ids.notna()
        keys = images["source"][at].astype("str") + " id " + ids[at].astype("str")
        parts.append(_memberships(keys, images["image_id"][at]))
    return pd.concat(parts, ignore_index=True)


def of_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """The two pictures of each pair (first_id, second_id) as memberships; rows of one picture are left out."""
    require_columns(pairs.columns, ("first_id", "second_id"), "pairs")
    both = pairs[["first_id", "second_id"]].dropna().drop_duplicates()
    numbers = np.arange(len(both))
    return _memberships(
        np.concatenate([numbers, numbers]), [*both["first_id"].tolist(), *both["second_id"].tolist()]
    )


def of_near_duplicates(
    images: pd.DataFrame, checks: pd.DataFrame | None = None, *, distance: int = 4
) -> pd.DataFrame:
    """Clusters of near duplicates as memberships.

    What collect's check near_duplicate has compared is taken from its rows: a copy and the picture that it is a copy
    of are one cluster. Of pictures that it has not compared, those are taken whose hashes differ in few bits; so are
    some that show next to nothing, and are no copies of each other (docs/duplicates.md).

    Args:
        images: image_id, and phash where it is known.
        checks: image_id, check, verdict, other_id; None: nothing was compared.
        distance: bits of 64; 0: hashes are not looked at.
    """
    parts = []
    ids = images["image_id"]
    if checks is not None and len(checks):
        require_columns(checks.columns, ("image_id", "check", "verdict", "other_id"), "checks")
        rows = checks[(checks["check"] == NEAR_DUPLICATE) & checks["other_id"].notna()]
        copies = rows[rows["verdict"] == "fail"]
        parts.append(of_pairs(copies.rename(columns={"image_id": "first_id", "other_id": "second_id"})))
        images = images[~ids.isin(rows["image_id"]) & ~ids.isin(rows["other_id"])]
    if distance and "phash" in images:
        parts.append(_near_hashes(images[images["phash"].notna()], distance))
    if not parts:
        return _memberships([], [])
    together = pd.concat([part["image_id"] for part in parts]).drop_duplicates()
    names = joined(together, parts)
    return _memberships(names, names.index)


def joined(image_ids: "pd.Series[str]", memberships: Sequence[pd.DataFrame]) -> "pd.Series[str]":
    """The group of each picture: the smallest id of those that memberships join to it.

    Args:
        image_ids: n ids, each once.
        memberships: tables (group, image_id); pictures that are not among `image_ids` join nobody.

    Returns:
        n ids, indexed by image_id.
    """
    ids = pd.Index(image_ids)
    label = np.arange(len(ids))
    for table in memberships:
        rows = ids.get_indexer(pd.Index(table["image_id"]))
        groups = pd.factorize(table["group"])[0]
        here = (rows >= 0) & (groups >= 0)
        label = _connected(label, rows[here], groups[here])
    # The rows in order of their ids: the first of each label has the smallest.
    order = np.argsort(ids.to_numpy(dtype=object), kind="stable")
    labels, first = np.unique(label[order], return_index=True)
    smallest = ids.to_numpy(dtype=object)[order[first]]
    return pd.Series(smallest[np.searchsorted(labels, label)], index=ids)


def _connected(
    label: NDArray[np.int64], rows: NDArray[np.int64], groups: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Labels of the rows, of which those with a common group, or a common label before, have the same."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(rows):
        return label
    size = len(label) + int(groups.max()) + 1
    links = coo_array((np.ones(len(rows), bool), (label[rows], len(label) + groups)), shape=(size, size))
    found: NDArray[np.int64] = connected_components(links, directed=False)[1].astype(np.int64)
    return found[label]


def _near_hashes(images: pd.DataFrame, distance: int) -> pd.DataFrame:
    """Pairs of pictures whose hashes differ in at most `distance` bits, as memberships."""
    hashes = np.array([int(text, 16) for text in images["phash"]], np.uint64)
    values, value_of = np.unique(hashes, return_inverse=True)
    equal = _memberships([f"hash {number}" for number in value_of], images["image_id"])
    ids = images["image_id"].to_numpy(dtype=object)
    # One picture for each different hash: equal ones are in one group already.
    one_of = np.zeros(len(values), np.int64)
    one_of[value_of] = np.arange(len(hashes))
    pairs = [
        pd.DataFrame({"first_id": ids[one_of[near.left]], "second_id": ids[one_of[near.right]]})
        for near in near_pairs(values, distance)
    ]
    if not pairs:
        return equal
    return pd.concat([equal, of_pairs(pd.concat(pairs, ignore_index=True))], ignore_index=True)


def _memberships(groups: Iterable[object], image_ids: Iterable[object]) -> pd.DataFrame:
    made = {"group": list(groups), "image_id": list(image_ids)}
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in made.items()})
