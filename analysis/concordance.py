"""Agreement where every rater rated every item: Kendall's W, and the two-way intraclass correlations.

Takes in an (items, raters) table without gaps; gives out a coefficient with its tests, or with its intervals. Crowds
seldom give such tables; batches (photojury.analysis.consistency) and laboratory panels do.

    >>> found = concordance([[1, 1, 2], [2, 3, 1], [3, 2, 3], [4, 4, 4]])
    >>> round(found.w, 4), round(found.chi2, 4), round(found.chi2_p, 4)
    (0.7778, 7.0, 0.0719)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from photojury.errors import InputError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Concordance:
    """Kendall's coefficient of concordance of a complete table, with its two tests.

    Attributes:
        w: 0 where the raters have nothing in common, 1 where all order the items alike; corrected for ties. NaN where
            every rater gave all items the same value, and so are the tests.
        mean_rho: mean Spearman correlation over pairs of raters; (m w - 1) / (m - 1) where nobody has ties.
        chi2, chi2_df, chi2_p: Friedman's test (1937): m (n - 1) w with n - 1 degrees of freedom.
        f, f_df, f_p: Kendall and Babington Smith's (1939): (m - 1) w / (1 - w) with n - 1 - 2 / m and m - 1 times as
            many; the better of the two for few raters.
        items, raters: n and m.
    """

    w: float
    mean_rho: float
    chi2: float
    chi2_df: int
    chi2_p: float
    f: float
    f_df: tuple[float, float]
    f_p: float
    items: int
    raters: int


@dataclass(frozen=True)
class TwoWay:
    """Intraclass correlations of a complete table (Shrout and Fleiss 1979): each one with a 95 % interval.

    Attributes:
        agreement: ICC(2, 1), of one rating, raters drawn from many; how strict a rater is counts as disagreement.
        agreement_average: ICC(2, k), of the mean of these raters.
        consistency: ICC(3, 1), these raters and no others; only the order and the distances count.
        consistency_average: ICC(3, k), which is Cronbach's alpha.
        agreement_interval .. consistency_average_interval: (low, high); of agreement approximate, by Satterthwaite's
            degrees of freedom, of consistency exact.
        items, raters: n and k.
    """

    agreement: float
    agreement_interval: tuple[float, float]
    agreement_average: float
    agreement_average_interval: tuple[float, float]
    consistency: float
    consistency_interval: tuple[float, float]
    consistency_average: float
    consistency_average_interval: tuple[float, float]
    items: int
    raters: int


def concordance(values: ArrayLike) -> Concordance:
    """Kendall's W of an (items, raters) table of ratings or ranks, every cell of it known.

    Raises:
        InputError: fewer than two raters or items, or a missing value.
    """
    table = _complete(values, "Kendall's W")
    n, m = table.shape
    centred = stats.rankdata(table, axis=0) - (n + 1) / 2
    own = (centred**2).sum(axis=0)
    # Rounding can carry full agreement past 1, where F would turn negative.
    w = min(1.0, float((centred.sum(axis=1) ** 2).sum() / (m * own.sum()))) if own.any() else float("nan")
    unit = centred / np.where(own > 0, np.sqrt(own), 1)
    mean_rho = float(((unit.sum(axis=1) ** 2).sum() - (own > 0).sum()) / (m * (m - 1)))
    f = (m - 1) * w / (1 - w) if w < 1 else w * np.inf
    df = (n - 1 - 2 / m, (m - 1) * (n - 1 - 2 / m))
    chi2 = m * (n - 1) * w
    return Concordance(
        w=w,
        mean_rho=mean_rho if own.any() else float("nan"),
        chi2=chi2,
        chi2_df=n - 1,
        chi2_p=float(stats.chi2.sf(chi2, n - 1)),
        f=f,
        f_df=df,
        f_p=float(stats.f.sf(f, *df)),
        items=n,
        raters=m,
    )


def icc_two_way(values: ArrayLike) -> TwoWay:
    """Two-way intraclass correlations of an (items, raters) table of ratings.

    Raises:
        InputError: fewer than two raters or items, a missing value, or ratings that are the sum of an item's and a
            rater's part to the last digit, which leaves nothing to compare with.
    """
    table = _complete(values, "an intraclass correlation")
    n, k = table.shape
    mean = table.mean()
    items, raters = table.mean(axis=1) - mean, table.mean(axis=0) - mean
    rest = table - mean - items[:, None] - raters
    between = k * float((items**2).sum()) / (n - 1)
    judges = n * float((raters**2).sum()) / (k - 1)
    error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    if error <= 1e-12 * (between + judges) or between + judges == 0:
        raise InputError("the ratings have no error part, so the intraclass correlation has no interval")
    consistency = (between - error) / (between + (k - 1) * error)
    agreement = (between - error) / (between + (k - 1) * error + k * (judges - error) / n)
    low, high = _consistency_ends(between / error, n, k)
    two = _agreement_ends(between, judges, error, agreement, n, k)
    return TwoWay(
        agreement=agreement,
        agreement_interval=two,
        agreement_average=(between - error) / (between + (judges - error) / n),
        agreement_average_interval=(_average(two[0], k), _average(two[1], k)),
        consistency=consistency,
        consistency_interval=((low - 1) / (low + k - 1), (high - 1) / (high + k - 1)),
        consistency_average=1 - error / between,
        consistency_average_interval=(1 - 1 / low, 1 - 1 / high),
        items=n,
        raters=k,
    )


def _consistency_ends(ratio: float, n: int, k: int) -> tuple[float, float]:
    """The interval of the ratio of mean squares between items and of the error."""
    one, other = n - 1, (n - 1) * (k - 1)
    return ratio / float(stats.f.ppf(0.975, one, other)), ratio * float(stats.f.ppf(0.975, other, one))


def _agreement_ends(
    between: float, judges: float, error: float, icc: float, n: int, k: int
) -> tuple[float, float]:
    """The interval of ICC(2, 1) (Shrout and Fleiss 1979, p. 425, after Fleiss and Shrout 1978)."""
    strict = judges / error
    part = n * (1 + (k - 1) * icc) - k * icc
    df = (k - 1) * (n - 1) * (k * icc * strict + part) ** 2 / ((n - 1) * (k * icc * strict) ** 2 + part**2)
    upper, lower = float(stats.f.ppf(0.975, n - 1, df)), float(stats.f.ppf(0.975, df, n - 1))
    rest = k * judges + (k * n - k - n) * error
    return (
        n * (between - upper * error) / (upper * rest + n * between),
        n * (lower * between - error) / (rest + n * lower * between),
    )


def _average(icc: float, k: int) -> float:
    """Spearman and Brown's step from one rating to the mean of k."""
    return k * icc / (1 + (k - 1) * icc)


def _complete(values: ArrayLike, name: str) -> FloatArray:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
        raise InputError(f"{name} needs two raters and two items or more, and every rating of each")
    return table
