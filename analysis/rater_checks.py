"""Two checks of raters: whether they side with the majority of the others, and whether they answer in runs.

Takes in comparisons, or ratings in the order they were given; gives out one row per rater, with n and an interval or p.

    >>> import pandas as pd
    >>> rows = [("x", 1.0), ("y", 1.0), ("z", -1.0)]
    >>> votes = pd.DataFrame(rows, columns=["rater_id", "value"]).assign(first_id="a", second_id="b")
    >>> majority(votes)[["rater_id", "n", "agrees"]].values.tolist()      # x and y leave one against one
    [['z', 1, 0.0]]
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from photojury.analysis import votes as votes_module
from photojury.analysis.consistency import adjusted
from photojury.analysis.scores.paired import LEVELS
from photojury.errors import InputError, require_columns, unknown_name

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PERMUTATIONS = 999


def majority(comparisons: pd.DataFrame, *, task: str = "forced_choice") -> pd.DataFrame:
    """How often a rater chooses the image that most of the others chose, with the limits of a p-chart.

    Args:
        comparisons: rater_id, first_id, second_id, value (its sign counts); task where there are several.
        task: forced_choice, series or five_level.

    Returns:
        rater_id, n (choices on pairs where the others have a majority), agrees (share), low, high (Wilson, 95 %),
        limit_low, limit_high (share of all +- 3 sqrt(p (1 - p) / n), Shewhart 1931), out (beyond the limits); sorted by
        rater_id, only raters with such choices.

    Raises:
        InputError: a missing column, a broken value, or no pair with a majority to compare with.
    """
    if task not in LEVELS:
        raise unknown_name("task", task, LEVELS)
    require_columns(comparisons.columns, ["rater_id", "first_id", "second_id", "value"], "comparisons")
    votes = votes_module.of_comparisons(comparisons, task=task, levels=LEVELS[task])
    sign = np.sign(votes.values)
    others = np.bincount(votes.codes, sign, len(votes.items))[votes.codes] - sign
    used = (sign != 0) & (others != 0)
    if not used.any():
        raise InputError(f"{task} comparisons: on no pair do the other raters have a majority to side with")
    agrees = (sign == np.sign(others))[used]
    table = pd.Series(agrees).groupby(votes.frame["rater_id"].to_numpy()[used]).agg(["size", "sum"])
    n, right = table["size"].to_numpy(), table["sum"].to_numpy(dtype=np.float64)
    low, high = proportion_confint(right, n, method="wilson")
    every = float(agrees.mean())
    reach = 3 * np.sqrt(every * (1 - every) / n)
    found = pd.DataFrame({"rater_id": table.index, "n": n, "agrees": right / n, "low": low, "high": high})
    found = found.assign(limit_low=np.maximum(0.0, every - reach), limit_high=np.minimum(1.0, every + reach))
    return found.assign(out=(found["agrees"] < found["limit_low"]) | (found["agrees"] > found["limit_high"]))


def runs(ratings: pd.DataFrame, *, seed: int, attribute: str = "overall") -> pd.DataFrame:
    """Whether a rater's longest run of equal answers is longer than his own answers in another order would have it.

    A rater who says 4 nine times in ten has long runs anyway; only the order speaks of straight-lining.

    Args:
        ratings: rater_id, image_id, value, in the order given.
        seed: of the 999 shuffles of each rater's answers.

    Returns:
        rater_id, n, longest_run, expected (mean of the shuffles), p (share of them with as long a run, one-sided),
        p_adjusted (Benjamini-Hochberg); sorted by rater_id. p is 1 for a rater of one answer only.

    Raises:
        InputError: a missing column or a broken value.
    """
    require_columns(ratings.columns, ["rater_id", "image_id", "value"], "ratings")
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    codes, ids = pd.factorize(votes.frame["rater_id"], sort=True)
    said, _ = pd.factorize(votes.values)
    ordered = said[np.argsort(codes, kind="stable")].astype(np.int32)
    ends = np.cumsum(np.bincount(codes, minlength=len(ids)))
    generator = np.random.default_rng(seed)
    found = [_run(own, generator) for own in np.split(ordered, ends[:-1])]
    table = pd.DataFrame(found, columns=["n", "longest_run", "expected", "p"])
    table.insert(0, "rater_id", ids)
    return table.assign(p_adjusted=adjusted(table["p"].to_numpy(dtype=np.float64), "bh"))


def _run(own: NDArray[np.int32], generator: np.random.Generator) -> tuple[int, int, float, float]:
    rows = np.tile(own, (PERMUTATIONS + 1, 1))
    rows[1:] = generator.permuted(rows[1:], axis=1)
    lengths = _longest(rows)
    return own.size, int(lengths[0]), float(lengths[1:].mean()), float((lengths >= lengths[0]).mean())


def _longest(rows: NDArray[np.int32]) -> IntArray:
    """(rows,) the longest run of equal neighbours in each row."""
    longest, current = np.ones((2, len(rows)), dtype=np.int64)
    for column in range(1, rows.shape[1]):
        current = np.where(rows[:, column] == rows[:, column - 1], current + 1, 1)
        np.maximum(longest, current, out=longest)
    return longest
