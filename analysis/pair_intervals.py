"""Intervals of figures over pairs of images: pairs that share an image are not independent, and neither are votes on
one pair.

Takes in one number for each pair (its votes, its part in an estimate) and the codes of its two images; gives out
variances and 95 % intervals. An image that was rated too high lets all its pairs err together: in simulation, with ten
pairs an image, Wilson's interval of independent pairs covers 88 % to 90 % (docs/calibration.md).

    >>> import numpy as np
    >>> share(np.array([4, 3, 5, 1]), np.array([5, 5, 5, 5]), np.array([0, 2, 4, 6]), np.array([1, 3, 5, 7])).value
    0.65
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """A figure over pairs with its 95 % interval; NaN ends where no width can be given."""

    value: float
    low: float
    high: float


def variance(parts: FloatArray, first: IntArray, second: IntArray) -> float:
    """Variance of an estimate, robust to pairs that share an image (Fafchamps and Gubert 2007; Aronow, Samii and
    Assenova 2015): the sum of the products of the parts of all couples of pairs with an image in common.

    Args:
        parts: (pairs,) each pair's part in the estimate's error; they sum to 0.
        first, second: (pairs,) codes of its images; no two pairs are of the same two images.

    Returns:
        Never less than for independent pairs; NaN for a single pair.
    """
    if parts.size < 2:
        return float("nan")
    of_image = np.bincount(first, parts, int(max(first.max(), second.max())) + 1)
    of_image += np.bincount(second, parts, of_image.size)
    own = float(parts @ parts)
    # A pair stands with itself in the sums of both its images.
    return max(own, float(of_image @ of_image) - own) * parts.size / (parts.size - 1)


def around(value: float, parts: FloatArray, first: IntArray, second: IntArray) -> Interval:
    """Value +- Student's t times its standard error, with the degrees of freedom of pairs or images, if fewer."""
    spread = variance(parts, first, second)
    if not spread > 1e-18:  # no width would claim certainty
        return Interval(value, np.nan, np.nan)
    reach = _t(first, second) * float(np.sqrt(spread))
    return Interval(value, value - reach, value + reach)


def share(
    counted: NDArray[np.number], votes: NDArray[np.number], first: IntArray, second: IntArray
) -> Interval:
    """A share of votes over pairs, with Wilson's interval of as many independent votes as would vary as these do.

    Where all votes say the same there is no variance to go by: the interval is that of one vote for each pair, or for
    every two images if these are fewer.

    Args:
        counted: (pairs,) votes that count; votes: (pairs,) all votes, 1 or more.
        first, second: (pairs,) codes of the pair's images.
    """
    total = float(votes.sum())
    value = float(counted.sum()) / total
    parts = np.asarray((counted - value * votes) / total, dtype=np.float64)
    spread = variance(parts, first, second)
    if 0 < value < 1 and np.isfinite(spread):
        # Pairs may vary less than votes by chance; as few pairs as that do not prove it.
        independent = value * (1 - value) / max(spread, value * (1 - value) / total)
        return Interval(value, *_wilson(value, independent, _t(first, second)))
    return Interval(
        value, *_wilson(value, min(votes.size, _images(first, second) / 2), stats.norm.ppf(0.975))
    )


def _images(first: IntArray, second: IntArray) -> int:
    images = int(max(first.max(), second.max())) + 1
    return int(np.count_nonzero(np.bincount(first, minlength=images) + np.bincount(second, minlength=images)))


def _t(first: IntArray, second: IntArray) -> float:
    return float(stats.t.ppf(0.975, min(first.size, _images(first, second)) - 1))


def _wilson(value: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's interval (1927), for an n that need not be whole."""
    centre = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(value * (1 - value) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))
