"""Shapes: how ratings spread around their means, how the means spread over the images, and which images divide people.

Takes in the table of `distributions.image_distributions`; gives out the SOS parameter of the scale, a normal fit of
the mean scores (paper 4 shows its scores beside one), and a bimodality coefficient for each image.

    >>> import pandas as pd
    >>> from photojury.analysis.distributions import image_distributions
    >>> votes = pd.DataFrame({"image_id": ["a"] * 4 + ["b"] * 4, "value": [1.0, 1, 3, 3, 2, 2, 2, 2]})
    >>> table = image_distributions(votes, levels=(1, 2, 3))
    >>> sos(table, scale=(1, 3)).a          # variances 1 and 0 at the middle, where (x - low)(high - x) = 1
    0.5
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats
from statsmodels.stats.diagnostic import lilliefors

from photojury.analysis.bootstrap import counted_interval
from photojury.errors import InputError, require_columns

FloatArray = NDArray[np.float64]

BIMODAL = 5 / 9
"""Sarle's coefficient of a uniform distribution: above it, two peaks are likelier than one (SAS 1990)."""
LARGE_SPREAD = 0.5
"""Ours: variance as a share of (mean - low) (high - mean), the largest there is at a mean. Sarle's coefficient is large
for a skew heap at an end of the scale too, where nobody disagrees; two neighbouring levels of three stay below this."""
MIN_FOR_SHAPE = 10
"""Ratings that an image needs before its shape is spoken of; with fewer a peak is two people."""


@dataclass(frozen=True)
class Sos:
    """The SOS hypothesis: variance = a (mean - low) (high - mean) (Hossfeld, Schatz and Egger 2011).

    Attributes:
        a: 0 where all raters agree, 1 where all vote for the ends; 0.1 to 0.3 is usual for pictures.
        low, high: 95 % interval, bootstrap over images.
        r_squared: share of the variances' sum of squares that the curve explains.
        n: images with two ratings or more.
        seed: of the bootstrap.
    """

    a: float
    low: float
    high: float
    r_squared: float
    n: int
    seed: int


@dataclass(frozen=True)
class NormalFit:
    """Mean scores against a normal distribution.

    Attributes:
        mean, sd: of the scores; n: images.
        skewness, excess_kurtosis: 0 for a normal distribution.
        distance: largest distance of the distribution functions (Kolmogorov and Smirnov).
        p: of that distance with estimated mean and sd: Lilliefors' (1967); or, where the scores are means of `n`
            whole ratings, of a normal distribution rounded to the same means, simulated. Without the rounding p
            is 0 for every crowd's scores, which lie on a lattice.
        rounded: whether p is of that kind.
        seed: of the simulation.
    """

    mean: float
    sd: float
    n: int
    skewness: float
    excess_kurtosis: float
    distance: float
    p: float
    rounded: bool
    seed: int


def sos(table: pd.DataFrame, *, scale: tuple[float, float], seed: int = 1) -> Sos:
    """Fit the SOS parameter by least squares on the unbiased variances (n - 1).

    Args:
        table: of `image_distributions`: mean, sd1, n.
        scale: worst and best level.

    Raises:
        InputError: a missing column, a mean off the scale, or no image with two ratings off the scale's ends.
    """
    require_columns(table.columns, ["mean", "sd1", "n"], "the distribution table")
    means = table["mean"].to_numpy(dtype=np.float64)
    low, high = scale
    if ((means < low) | (means > high)).any():
        raise InputError(f"means lie off the scale of {low:g} to {high:g}; give the scale that was asked on")
    known = (table["n"] > 1).to_numpy()
    curve = ((means - low) * (high - means))[known]
    variance = table["sd1"].to_numpy(dtype=np.float64)[known] ** 2
    if not known.any() or not (curve > 0).any():
        raise InputError(
            "no image has two ratings and a mean off the scale's ends, so there is no spread to fit"
        )

    def slope(images: FloatArray, times: NDArray[np.int64]) -> float:
        products, squares = times @ images
        return float(products / squares) if squares > 0 else float("nan")

    found = counted_interval(slope, np.column_stack([curve * variance, curve**2]), seed=seed)
    # Without an intercept the share is of the squares themselves, not of those about the mean.
    left = float(((variance - found.value * curve) ** 2).sum())
    whole = float((variance**2).sum())
    return Sos(
        found.value,
        found.low,
        found.high,
        1 - left / whole if whole > 0 else float("nan"),
        int(known.sum()),
        seed,
    )


def normal_fit(scores: pd.DataFrame, *, seed: int = 1) -> NormalFit:
    """Compare mean scores with the normal distribution of their own mean and standard deviation.

    Args:
        scores: a column mean, or score; and n, the ratings of each, where they are means.
        seed: of the simulation.

    Raises:
        InputError: neither column, fewer than four scores, or all equal.
    """
    name = "mean" if "mean" in scores else "score"
    require_columns(scores.columns, [name], "scores")
    known = scores[scores[name].notna()]
    values = known[name].to_numpy(dtype=np.float64)
    if values.size < 4 or values.std() == 0:
        raise InputError(f"a normal fit needs four different scores or more, not {np.unique(values).size}")
    distance, p = lilliefors(values, dist="norm", pvalmethod="table")
    each = known["n"].to_numpy(dtype=np.float64) if "n" in known else np.full(values.size, np.nan)
    rounded = bool(np.isclose(values * each, np.rint(values * each), atol=1e-6).all())
    if rounded:
        p = _p_of_rounded(values, each, float(distance), seed)
    return NormalFit(
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)),
        n=values.size,
        skewness=float(stats.skew(values, bias=False)),
        excess_kurtosis=float(stats.kurtosis(values, bias=False)),
        distance=float(distance),
        p=float(p),
        rounded=rounded,
        seed=seed,
    )


def _p_of_rounded(values: FloatArray, each: FloatArray, distance: float, seed: int) -> float:
    """Share of normal samples, rounded to multiples of 1 / each, that are as far from their own normal distribution."""
    generator = np.random.default_rng(seed)
    draws = int(np.clip(10**7 // values.size, 99, 999))
    mean, sd = values.mean(), values.std(ddof=1)
    as_far = 0
    for _ in range(draws):
        drawn = np.rint(generator.normal(mean, sd, values.size) * each) / each
        as_far += _distance(drawn) >= distance - 1e-12
    return (1 + as_far) / (draws + 1)


def _distance(values: FloatArray) -> float:
    """Kolmogorov and Smirnov's, from the normal distribution with the values' own mean and standard deviation."""
    ordered = np.sort(values)
    below = special.ndtr((ordered - ordered.mean()) / (ordered.std(ddof=1) or 1.0))
    place = np.arange(values.size + 1) / values.size
    return float(max((place[1:] - below).max(), (below - place[:-1]).max()))


def bimodality(table: pd.DataFrame) -> pd.DataFrame:
    """Which images divide people: Sarle's coefficient (g1^2 + 1) / (g2 + 3 (n - 1)^2 / ((n - 2) (n - 3))).

    g1 and g2 are the sample skewness and excess kurtosis. Only images with 10 ratings or more are flagged, and only
    where the ratings also spread over more than half of the variance that their mean allows.

    Args:
        table: of `image_distributions`, with its count_<level> columns; the outermost are the ends of the scale.

    Returns:
        the table's first columns (ids, n, mean), with bimodality (NaN below 4 ratings or without spread) and
        divided (above 5 / 9, and so widely spread, with 10 ratings or more).

    Raises:
        InputError: the table has no counts.
    """
    names = [name for name in table.columns if name.startswith("count_")]
    if not names:
        raise InputError("the distribution table has no count_ columns; make it with image_distributions")
    levels = np.array([float(name.removeprefix("count_")) for name in names])
    counts = table[names].to_numpy(dtype=np.float64)
    n = counts.sum(axis=1)
    mean = counts @ levels / n
    second, third, fourth = (
        (counts * (levels - mean[:, None]) ** power).sum(axis=1) / n for power in (2, 3, 4)
    )
    known = (n > 3) & (second > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        g1 = third / second**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
        g2 = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (fourth / second**2 - 3) + 6)
        value = (g1**2 + 1) / (g2 + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)))
    kept = [name for name in ("image_id", "first_id", "second_id", "n", "mean") if name in table]
    result = table[kept].copy()
    result["bimodality"] = np.where(known, value, np.nan)
    wide = second > LARGE_SPREAD * (mean - levels.min()) * (levels.max() - mean)
    result["divided"] = (result["bimodality"] > BIMODAL) & wide & (n >= MIN_FOR_SHAPE)
    return result
