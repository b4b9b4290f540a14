"""Strata: parts of a split that are alike in their scores.

Takes in groups of pictures, the pictures' scores and the parts' shares; gives out the part of each group, so that each
part holds its share of each stratum as closely as whole groups allow.

    >>> part_of = fill_evenly(["a", "b"], groups, strata(scores), {"test": 0.5})     # doctest: +SKIP
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

STRATA = 10


def strata(scores: "pd.Series[float]") -> "pd.Series[int]":
    """The tenth of the scores that each lies in, 0 for the lowest; equal scores in one, missing ones in the last."""
    ranks = scores.rank(method="average", pct=True)
    tenth = (ranks * STRATA).to_numpy(dtype=np.float64)
    found = np.where(np.isnan(tenth), STRATA, np.ceil(tenth).clip(1, STRATA) - 1).astype(np.int64)
    return pd.Series(found.tolist(), index=scores.index, dtype="int64")


def fill_evenly(
    order: Sequence[str],
    group_of: "pd.Series[str]",
    stratum_of: "pd.Series[int]",
    shares: Mapping[str, float],
) -> dict[str, str]:
    """The part of each group.

    The largest groups are placed first, each where it adds least to the sum over parts and strata of (pictures less
    goal)^2 / goal, to which the same sum over the parts as wholes is added. For single pictures of one stratum this is
    the method of Sainte-Lague, by which parliaments share out their seats.

    Args:
        order: the groups at random; equal ones are placed in this order.
        group_of: the group of each picture, indexed by image_id.
        stratum_of: its stratum, with the same index.
        shares: of each part but train, all positive.
    """
    parts = [*shares, "train"]
    share = np.array([*shares.values(), 1 - sum(shares.values())])
    counts = _counts(order, group_of, stratum_of)
    goal = share[:, np.newaxis] * counts.sum(axis=0)
    short = -goal
    weight = 1 / np.maximum(goal, 1e-9)
    # Of single pictures one stratum after another, so that the method sees each in one go.
    sizes = counts.sum(axis=1)
    single = np.where(sizes == 1, counts.argmax(axis=1), -1)
    chosen = np.empty(len(order), np.int64)
    for row in np.lexsort((np.arange(len(order)), single, -sizes)):
        added = counts[row]
        cost = ((2 * short + added) * added * weight).sum(axis=1)
        whole = (2 * short.sum(axis=1) + sizes[row]) * sizes[row] / goal.sum(axis=1)
        chosen[row] = int((cost + whole).argmin())
        short[chosen[row]] += added
    _none_empty(chosen, sizes, len(parts))
    return {name: parts[part] for name, part in zip(order, chosen, strict=True)}


def _counts(
    order: Sequence[str], group_of: "pd.Series[str]", stratum_of: "pd.Series[int]"
) -> NDArray[np.float64]:
    """(groups, strata) how many pictures each group has in each stratum."""
    row = pd.Index(order).get_indexer(pd.Index(group_of))
    width = STRATA + 1
    cells = row * width + stratum_of.to_numpy(dtype=np.int64)
    return np.bincount(cells, minlength=len(order) * width).reshape(-1, width).astype(np.float64)


def _none_empty(chosen: NDArray[np.int64], sizes: NDArray[np.float64], parts: int) -> None:
    """A part without a group gets the smallest group of the part that has most groups."""
    for part in range(parts):
        if not (chosen == part).any():
            rows = np.flatnonzero(chosen == np.bincount(chosen, minlength=parts).argmax())
            chosen[rows[sizes[rows].argmin()]] = part
