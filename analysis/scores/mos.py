"""Mean opinion score: the mean rating of each image, with its standard error and a 95 % interval.

Takes in ratings, gives out one row per image in the form of the `scores` table, plus interval and n.

Four intervals can be had; docs/calibration.md measures how often each holds the true mean:

* `binomial`, the default on a known scale: the sum of n ratings above the worst level is read as successes in
  n (levels - 1) trials, or in fewer where the image's ratings vary more than a binomial's (Korn and Graubard 1998), and
  Clopper and Pearson's interval of their share is put back on the scale.
* `sos-binomial`: the same with all n (levels - 1) trials (Hossfeld et al. 2018); too narrow by up to
  sqrt(levels - 1) where raters are split between the two ends of the scale.
* `t`, the default without a scale: mean +- t_{n-1} standard errors; for 3 or 5 ratings often too narrow, and it leaves
  the scale.
* `bootstrap`: percentiles of 1,000 means of n ratings drawn from the n; far too narrow below some 20 ratings.

    >>> import pandas as pd
    >>> table = mos(pd.DataFrame({"image_id": ["a", "a", "a", "b"], "value": [1.0, 2.0, 3.0, 2.0]}), scale=(1, 3))
    >>> table[["image_id", "score", "n", "note"]].values.tolist()
    [['a', 2.0, 3, ''], ['b', 2.0, 1, 'one rating: no standard error']]
    >>> table[["low", "high"]].round(2).values.tolist()
    [[1.08, 2.92], [1.03, 2.97]]
"""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import votes as votes_module
from photojury.analysis.votes import Votes
from photojury.errors import InputError, require_columns, unknown_name

FloatArray = NDArray[np.float64]
IntervalKind = Literal["binomial", "sos-binomial", "t", "bootstrap"]

METHOD = "mos"
ONE_RATING = "one rating: no standard error"
REPEATS = 1000
"""Bootstrap samples of each image."""
NO_SPREAD = "all ratings equal: a standard error of 0 is no proof of certainty"


def mos(
    ratings: pd.DataFrame,
    *,
    scale: tuple[float, float] | None = None,
    interval: IntervalKind | None = None,
    attribute: str = "overall",
    level: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """Mean opinion scores.

    Args:
        ratings: columns image_id and value (attribute and simulated are used where they are there).
        scale: worst and best level, in steps of 1; the binomial intervals need it.
        interval: see above; None: binomial with a scale, t without.
        attribute: the attribute that is read.
        level: coverage of the interval, in (0, 1).
        seed: of the bootstrap.

    Returns:
        image_id, method ("mos"), score, standard_error (sd1 / sqrt(n)), low, high, n, note, simulated
        (whether any of the ratings was); sorted by image_id. standard_error is NaN for a single rating, and
        note says so.

    Raises:
        InputError: a missing column, an empty table, a value that is missing, infinite, off the scale or
            between its levels, an impossible level, an unknown interval, or a binomial one without a scale.
    """
    interval = _chosen(interval, scale, level)
    votes = votes_module.of_ratings(ratings, attribute=attribute, scale=scale)
    made = _scored(
        votes.items["image_id"], votes.codes, votes.values, np.ones(votes.values.size), interval, scale, level
    )
    if interval == "bootstrap":
        made["low"], made["high"] = _bootstrap(votes, level, seed)
    return made.assign(simulated=_simulated(votes))


def mos_of_counts(
    counts: pd.DataFrame,
    *,
    scale: tuple[float, float] | None = None,
    interval: IntervalKind | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean opinion scores of ratings of which only each level's count is known: the same as of the single ratings.

    Args:
        counts: image_id, value (a level) and count (a whole number, at least 1), a row for each image and level.
        scale, interval, level: as in `mos`; there is no bootstrap of counts.

    Returns:
        as `mos`; nothing is simulated.

    Raises:
        InputError: as `mos`; a count that is not positive and whole.
    """
    interval = _chosen(interval, scale, level)
    if interval == "bootstrap":
        raise InputError("mos: counts have no bootstrap interval; take binomial or t")
    require_columns(counts.columns, ["image_id", "value", "count"], "the counts")
    number = counts["count"].to_numpy(dtype=np.float64, na_value=np.nan)
    if not ((number >= 1) & (number == np.floor(number))).all():
        raise InputError("mos: every count must be a whole number, at least 1")
    codes, images = pd.factorize(counts["image_id"], sort=True)
    values = counts["value"].to_numpy(dtype=np.float64)
    if scale is not None and ((values < scale[0]) | (values > scale[1])).any():
        raise InputError(f"mos: a level lies off the scale of {scale[0]:g} to {scale[1]:g}")
    made = _scored(pd.Series(images), codes.astype(np.int64), values, number, interval, scale, level)
    return made.assign(simulated=False)


def _chosen(interval: IntervalKind | None, scale: tuple[float, float] | None, level: float) -> IntervalKind:
    interval = interval or ("t" if scale is None else "binomial")
    if interval not in get_args(IntervalKind):
        raise unknown_name("interval", interval, get_args(IntervalKind))
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, not {level}")
    if scale is None and interval in ("binomial", "sos-binomial"):
        raise InputError(f"mos: the {interval} interval needs the scale; give its worst and best level")
    return interval


def _scored(
    images: "pd.Series[str]",
    codes: NDArray[np.int64],
    values: FloatArray,
    number: FloatArray,
    interval: IntervalKind,
    scale: tuple[float, float] | None,
    level: float,
) -> pd.DataFrame:
    """Scores of ratings that stand for `number` equal ones each; without the bootstrap's interval."""
    n = np.bincount(codes, number, len(images)).astype(np.int64)
    means = np.bincount(codes, number * values, n.size) / n
    squares = np.bincount(codes, number * (values - means[codes]) ** 2, n.size)
    error = np.sqrt(squares / np.where(n > 1, n - 1, np.nan) / n)
    low = high = np.full(n.size, np.nan)
    if interval == "t":
        reach = stats.t.ppf((1 + level) / 2, np.where(n > 1, n - 1, np.nan)) * error
        low, high = means - reach, means + reach
    elif scale is not None and interval != "bootstrap":
        spread = np.zeros(n.size) if interval == "sos-binomial" else n * np.nan_to_num(error) ** 2
        steps = values - scale[0]
        if (steps != np.floor(steps)).any() or scale[1] - scale[0] != np.floor(scale[1] - scale[0]):
            raise InputError(
                f"mos: ratings must lie on whole steps of the scale {scale[0]:g} to {scale[1]:g}"
            )
        low, high = _binomial(
            n, np.bincount(codes, number * steps, n.size).astype(np.float64), scale, level, spread
        )
    result = pd.DataFrame({"image_id": images, "method": METHOD, "score": means})
    result = result.assign(standard_error=error, low=low, high=high, n=n)
    result["note"] = np.select([n == 1, squares == 0], [ONE_RATING, NO_SPREAD], default="")
    return result


def _binomial(
    n: NDArray[np.int64],
    successes: FloatArray,
    scale: tuple[float, float],
    level: float,
    spread: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Clopper and Pearson's interval; `spread` is the variance of each image's ratings, 0 to take it as binomial."""
    worst, best = scale
    trials = n * (best - worst)
    share = successes / trials
    expected = (best - worst) * share * (1 - share)
    more = np.maximum(1.0, np.divide(spread, expected, out=np.ones(trials.size), where=expected > 0))
    # Images with the same ratings share their interval, which takes its time.
    alike, which = np.unique(
        np.column_stack([trials, successes]) / more[:, None], axis=0, return_inverse=True
    )
    low, high = _clopper_pearson(alike[:, 1], alike[:, 0], level)
    return worst + (best - worst) * low[which.ravel()], worst + (best - worst) * high[which.ravel()]


def _clopper_pearson(
    successes: FloatArray, trials: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    tail = (1 - level) / 2
    inside = (successes > 0, successes < trials)
    low = stats.beta.ppf(tail, np.where(inside[0], successes, 1.0), trials - successes + 1)
    high = stats.beta.ppf(1 - tail, successes + 1, np.where(inside[1], trials - successes, 1.0))
    return np.where(inside[0], low, 0.0), np.where(inside[1], high, 1.0)


def _bootstrap(votes: Votes, level: float, seed: int) -> tuple[FloatArray, FloatArray]:
    """Percentiles of the means of samples, images with equally many ratings at once; NaN for a single rating."""
    n = votes.counts()
    ordered = votes.values[np.argsort(votes.codes, kind="stable")]
    starts = np.cumsum(n) - n
    ends = np.full((2, n.size), np.nan)
    generator = np.random.default_rng(seed)
    for size in np.unique(n[n > 1]):
        same = np.flatnonzero(n == size)
        step = max(1, 2**21 // (REPEATS * int(size)))
        for images in np.split(same, range(step, same.size, step)):
            drawn = generator.integers(0, size, (images.size, REPEATS, size))
            means = ordered[starts[images][:, None, None] + drawn].mean(axis=2)
            ends[:, images] = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return ends[0], ends[1]


def _simulated(votes: Votes) -> NDArray[np.bool_]:
    if "simulated" not in votes.frame:
        return np.zeros(len(votes.items), dtype=bool)
    marked = votes.frame["simulated"].to_numpy(dtype=bool)
    return np.bincount(votes.codes, marked, len(votes.items)) > 0
