"""Mean opinion score: the mean rating of each image, with its standard error and a 95 % interval.

Takes in ratings, gives out one row per image in the form of the `scores` table, plus interval and n.

The interval is what few ratings on few levels need. On a known scale it is the SOS-binomial one (Hossfeld et
al. 2018): the sum of n ratings above the worst level is read as successes in n (levels - 1) trials, and
Clopper and Pearson's interval of their share is put back on the scale. Measured coverage for 3, 5 and 10
ratings on 3 and 5 levels, skewed or not: 93 % to 99 %; Student's t covers 66 % to 95 % and leaves the scale;
the percentile bootstrap covers 63 % to 90 % and is not offered. Where raters are split between the two ends
of the scale, the binomial interval is too narrow by up to sqrt(levels - 1).

    >>> import pandas as pd
    >>> table = mos(pd.DataFrame({"image_id": ["a", "a", "a", "b"], "value": [1.0, 2.0, 3.0, 2.0]}), scale=(1, 3))
    >>> table[["image_id", "score", "n", "note"]].values.tolist()
    [['a', 2.0, 3, ''], ['b', 2.0, 1, 'one rating: no standard error']]
    >>> table[["low", "high"]].round(2).values.tolist()
    [[1.24, 2.76], [1.03, 2.97]]
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import votes as votes_module
from photojury.analysis.votes import Votes
from photojury.errors import InputError

FloatArray = NDArray[np.float64]

METHOD = "mos"
ONE_RATING = "one rating: no standard error"
NO_SPREAD = "all ratings equal: a standard error of 0 is no proof of certainty"


def mos(
    ratings: pd.DataFrame,
    *,
    scale: tuple[float, float] | None = None,
    attribute: str = "overall",
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean opinion scores.

    Args:
        ratings: columns image_id and value (attribute and simulated are used where they are there).
        scale: worst and best level, in steps of 1, for the binomial interval; None gives Student's t interval,
            mean +- t_{n-1} standard_error.
        attribute: the attribute that is read.
        level: coverage of the interval, in (0, 1).

    Returns:
        image_id, method ("mos"), score, standard_error (sd1 / sqrt(n)), low, high, n, note, simulated
        (whether any of the ratings was); sorted by image_id. standard_error is NaN for a single rating, and
        note says so.

    Raises:
        InputError: a missing column, an empty table, a value that is missing, infinite, off the scale or
            between its levels, an impossible level.
    """
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, not {level}")
    votes = votes_module.of_ratings(ratings, attribute=attribute, scale=scale)
    n, means = votes.counts(), votes.means()
    squares = np.bincount(votes.codes, (votes.values - means[votes.codes]) ** 2, n.size)
    error = np.sqrt(squares / np.where(n > 1, n - 1, np.nan) / n)
    if scale is None:
        reach = stats.t.ppf((1 + level) / 2, np.where(n > 1, n - 1, np.nan)) * error
        low, high = means - reach, means + reach
    else:
        low, high = _binomial(votes, scale, level)
    result = pd.DataFrame({"image_id": votes.items["image_id"], "method": METHOD, "score": means})
    result = result.assign(standard_error=error, low=low, high=high, n=n)
    result["note"] = np.select([n == 1, squares == 0], [ONE_RATING, NO_SPREAD], default="")
    result["simulated"] = _simulated(votes)
    return result


def _binomial(votes: Votes, scale: tuple[float, float], level: float) -> tuple[FloatArray, FloatArray]:
    worst, best = scale
    steps = votes.values - worst
    if (steps != np.floor(steps)).any() or best - worst != np.floor(best - worst):
        raise InputError(f"mos: ratings must lie on whole steps of the scale {worst:g} to {best:g}")
    trials = votes.counts() * (best - worst)
    successes = np.bincount(votes.codes, steps, trials.size)
    tail = (1 - level) / 2
    inside = (successes > 0, successes < trials)
    low = np.where(inside[0], stats.beta.ppf(tail, np.maximum(successes, 1), trials - successes + 1), 0)
    high = np.where(inside[1], stats.beta.ppf(1 - tail, successes + 1, np.maximum(trials - successes, 1)), 1)
    return worst + (best - worst) * low, worst + (best - worst) * high


def _simulated(votes: Votes) -> NDArray[np.bool_]:
    if "simulated" not in votes.frame:
        return np.zeros(len(votes.items), dtype=bool)
    marked = votes.frame["simulated"].to_numpy(dtype=bool)
    return np.bincount(votes.codes, marked, len(votes.items)) > 0
