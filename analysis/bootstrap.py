"""Percentile bootstrap intervals: takes in arrays with one row per image (or pair), gives out an Estimate.

The percentiles are expanded (Hesterberg 2015, The American Statistician 69, 371): the plain ones are those
of a normal variable with the variance divided by n, too narrow for few rows; the expanded ones are those of Student's t
with n - 1. For a thousand rows they are the same.

>>> import numpy as np
>>> votes = np.array([1.0, 2.0, 3.0, 2.0, 1.0, 3.0, 2.0, 2.0])
>>> estimate = interval(lambda rows: float(rows.mean()), votes, seed=1)
>>> estimate.value, estimate.n, estimate.low < 2.0 < estimate.high
(2.0, 8, True)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from photojury.errors import InputError

REPEATS = 1000


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: the statistic of the whole sample; NaN where it is undefined.
        low, high: expanded percentile interval; NaN where no interval can be given.
        n: rows (images, pairs or clusters) that were drawn from.
        level: nominal coverage, 0.95 by default.
        repeats: bootstrap samples drawn.
        seed: seed of the draws.
        note: why a value or an interval is missing or weak; empty when all is well.
    """

    value: float
    low: float
    high: float
    n: int
    level: float
    repeats: int
    seed: int
    note: str = ""


def interval(
    statistic: Callable[..., float],
    *arrays: NDArray[np.generic],
    seed: int,
    repeats: int = REPEATS,
    level: float = 0.95,
) -> Estimate:
    """Percentile interval of a statistic, resampling the rows of all arrays together.

    Rows must be what was sampled (images, or pairs with all their votes): then votes on one image
    stay together, as a cluster bootstrap asks (Davison and Hinkley 1997, section 3.8).

    Args:
        statistic: of the arrays, in the order given; may answer NaN for an undefined value.
        arrays: at least one, all with the same number of rows n >= 1.
        seed: of numpy's default generator.
        repeats: bootstrap samples.
        level: coverage, in (0, 1).

    Raises:
        InputError: no rows, unequal lengths, or an impossible level or number of repeats.
    """
    rows = _rows(arrays, repeats, level)
    value = float(statistic(*arrays))
    if not np.isfinite(value) or rows < 2:
        note = "one row only, so no interval" if rows < 2 else "undefined for this sample, so no interval"
        return Estimate(value, np.nan, np.nan, rows, level, repeats, seed, note)
    generator = np.random.default_rng(seed)
    draws = np.empty(repeats)
    for repeat in range(repeats):
        drawn = generator.integers(0, rows, rows)
        draws[repeat] = statistic(*(array[drawn] for array in arrays))
    return _percentiles(value, draws, rows, level, seed)


def counted_interval(
    statistic: Callable[[NDArray[np.float64], NDArray[np.int64]], float],
    rows: NDArray[np.float64],
    *,
    seed: int,
    repeats: int = REPEATS,
    level: float = 0.95,
) -> Estimate:
    """`interval`, drawing the same samples, for a statistic that can be told how often each different row comes.

    Of 100,000 images few hundred have ratings that nobody else has: the statistic is taken of these.

    Args:
        statistic: of (different, columns) rows and (different,) how often each comes, which may be never.
        rows: (n, columns).
        seed, repeats, level: as in `interval`.

    Raises:
        InputError: as `interval`.
    """
    different, which = np.unique(rows, axis=0, return_inverse=True)

    def of_drawn(drawn: NDArray[np.int64]) -> float:
        return statistic(different, np.bincount(drawn, minlength=len(different)))

    return interval(of_drawn, which.ravel(), seed=seed, repeats=repeats, level=level)


def percentiles(rows: int, level: float = 0.95) -> tuple[float, float]:
    """The expanded percentiles of an interval from so many rows, 2 or more.

    >>> [round(end, 4) for end in percentiles(30)]
    [0.0188, 0.9812]
    """
    tail = float(special.ndtr(np.sqrt(rows / (rows - 1)) * special.stdtrit(rows - 1, (1 - level) / 2)))
    return tail, 1 - tail


def _rows(arrays: tuple[NDArray[np.generic], ...], repeats: int, level: float) -> int:
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1 or 0 in lengths:
        raise InputError(
            f"bootstrap: arrays must share one length of at least 1; they have {sorted(lengths)}"
        )
    if repeats < 1 or not 0 < level < 1:
        raise InputError(
            f"bootstrap: repeats must be at least 1 and level in (0, 1), not {repeats} and {level}"
        )
    return lengths.pop()


def _percentiles(value: float, draws: NDArray[np.float64], rows: int, level: float, seed: int) -> Estimate:
    defined = draws[np.isfinite(draws)]
    lost = draws.size - defined.size
    if 2 * lost > draws.size:
        note = f"undefined in {lost} of {draws.size} bootstrap samples, so no interval"
        return Estimate(value, np.nan, np.nan, rows, level, draws.size, seed, note)
    low, high = np.quantile(defined, percentiles(rows, level))
    note = f"undefined in {lost} of {draws.size} bootstrap samples" if lost else ""
    return Estimate(value, float(low), float(high), rows, level, draws.size, seed, note)
