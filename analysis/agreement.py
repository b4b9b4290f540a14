"""Agreement of raters: how much of what they say is about the images, and not about themselves or chance.

Takes in ratings in long form, however many each image has; gives out coefficients with their n, and intervals by
bootstrap over images.

| coefficient | for | source |
| --- | --- | --- |
| Krippendorff's alpha | any number of ratings an image, four kinds of scale | Krippendorff 2011, Computing alpha-reliability |
| Fleiss' kappa | categories, the same number of ratings for every image | Fleiss 1971 |
| Cohen's kappa, weighted | two raters, or two ways of asking | Cohen 1960, 1968 |
| ICC(1), ICC(1, k) | numbers, raters exchangeable and different for every image | Shrout and Fleiss 1979; unbalanced: Searle 1971 |
| Kendall's W, ICC(2), ICC(3) | every rater rated every image | see photojury.analysis.concordance |
| split-half | any: the means of two halves of each image's raters, stepped up | Spearman 1910, Brown 1910 |

    >>> import pandas as pd
    >>> votes = pd.DataFrame({"image_id": list("aabb"), "value": [1.0, 1.0, 2.0, 3.0]})
    >>> table, levels = counts(votes)
    >>> round(alpha_of_counts(table, levels, "interval"), 4)
    0.7273
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from photojury.analysis import votes as votes_module
from photojury.analysis.bootstrap import REPEATS, Estimate, counted_interval, interval, percentiles
from photojury.analysis.votes import Votes
from photojury.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Scale = Literal["nominal", "ordinal", "interval", "ratio"]
Weights = Literal["none", "linear", "quadratic"]

SCALES: tuple[Scale, ...] = ("nominal", "ordinal", "interval", "ratio")

LEAST_SPLITS, MOST_HALVES = 10, 10**6
"""Halvings that are drawn in any case; images times halvings beyond which no more are: the more images, the less two
halvings differ."""


@dataclass(frozen=True)
class Icc:
    """Intraclass correlation of one rating, and of the mean of k.

    Attributes:
        single: ICC(1): correlation of two ratings of one image.
        average: ICC(1, k): reliability of an image's mean rating.
        low, high: 95 % interval of `single` by the F distribution (exact where every image has k ratings).
        k: ratings an image; their harmonic-like mean where they differ.
        images: with two ratings or more; ratings: of these.
        between, within: variance components, of images and of ratings within one.
    """

    single: float
    average: float
    low: float
    high: float
    k: float
    images: int
    ratings: int
    between: float
    within: float


def counts(ratings: pd.DataFrame, *, attribute: str = "overall") -> tuple[IntArray, FloatArray]:
    """The table that most coefficients need: (images, levels) how often each level was given, and the levels."""
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    said, levels = pd.factorize(votes.values, sort=True)
    if levels.size > votes_module.MOST_LEVELS:
        raise InputError(f"ratings: {levels.size} different values are no rating scale; round them")
    n = len(votes.items)
    table = np.bincount(votes.codes * levels.size + said, minlength=n * levels.size)
    return table.reshape(n, levels.size).astype(np.int64), levels


def alpha(
    ratings: pd.DataFrame, scale: Scale = "ordinal", *, seed: int, attribute: str = "overall"
) -> Estimate:
    """Krippendorff's alpha; images with a single rating do not count.

    Args:
        ratings: columns image_id and value.
        scale: how far two values are apart: nominal, ordinal, interval or ratio.
        seed: of the bootstrap over images.

    Raises:
        InputError: nothing to compare: no image with two ratings, or an unknown scale.
    """
    table, levels = counts(ratings, attribute=attribute)
    return _estimate(lambda rows, times: alpha_of_counts(rows, levels, scale, times=times), table, seed)


def alpha_of_counts(
    table: ArrayLike, levels: ArrayLike, scale: Scale, *, times: ArrayLike | None = None
) -> float:
    """Krippendorff's alpha of an (images, levels) table of counts; NaN where all ratings are equal.

    `times` says how often each row comes; None: once. Observed disagreement: sum over images of sum_{c,k} n_c n_k d(c, k) / (m - 1); expected: the same with the
    pooled counts, over n - 1. alpha = 1 - observed / expected.
    """
    if scale not in SCALES:
        raise InputError(f"unknown scale {scale!r}; known are {', '.join(SCALES)}")
    number = np.asarray(table, dtype=np.float64)
    weights = np.ones(len(number)) if times is None else np.asarray(times, dtype=np.float64)
    ratings = number.sum(axis=1)
    enough = ratings > 1
    number, ratings, weights = number[enough], ratings[enough], weights[enough]
    if not len(number):
        raise InputError("no image has two ratings, so there is no agreement to measure")
    pooled = weights @ number
    apart = _distances(np.asarray(levels, dtype=np.float64), pooled, scale)
    observed = (weights / (ratings - 1)) @ ((number @ apart) * number).sum(axis=1)
    expected = pooled @ apart @ pooled / (pooled.sum() - 1)
    return float(1 - observed / expected) if expected > 0 else float("nan")


def fleiss_kappa(ratings: pd.DataFrame, *, seed: int, attribute: str = "overall") -> Estimate:
    """Fleiss' kappa; every image must have the same number of ratings.

    Raises:
        InputError: images have different numbers of ratings: use alpha, which allows it.
    """
    table, _ = counts(ratings, attribute=attribute)
    each = table.sum(axis=1)
    if len(set(each.tolist())) > 1 or each[0] < 2:
        raise InputError(
            f"Fleiss' kappa needs the same number of ratings, 2 or more, for every image, not {each.min()} to "
            f"{each.max()}; use Krippendorff's alpha"
        )
    return _estimate(lambda rows, times: fleiss_of_counts(rows, times=times), table, seed)


def fleiss_of_counts(table: ArrayLike, *, times: ArrayLike | None = None) -> float:
    """Fleiss' kappa of an (images, levels) table of counts with equal sums; NaN where all ratings are equal.

    `times` says how often each row comes; None: once.
    """
    number = np.asarray(table, dtype=np.float64)
    weights = np.ones(len(number)) if times is None else np.asarray(times, dtype=np.float64)
    m = number[0].sum()
    agreeing = weights @ ((number**2).sum(axis=1) - m) / (m * (m - 1)) / weights.sum()
    chance = float(((weights @ number / (m * weights.sum())) ** 2).sum())
    return float((agreeing - chance) / (1 - chance)) if chance < 1 else float("nan")


def cohen_kappa(one: ArrayLike, other: ArrayLike, weights: Weights = "none", *, seed: int) -> Estimate:
    """Cohen's kappa of two equally long lists of levels, with weights for how far two levels are apart.

    Args:
        one, other: what two raters, or two ways of asking, said of the same images.
        weights: none, linear or quadratic, in steps from level to level.
        seed: of the bootstrap over images.

    Raises:
        InputError: lists of different length, or empty.
    """
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape or a.size == 0:
        raise InputError(f"Cohen's kappa needs two lists of one length, not {a.size} and {b.size}")
    levels, both = np.unique(np.concatenate([a, b]), return_inverse=True)
    k = levels.size
    cells = both[: a.size] * k + both[a.size :]
    return interval(
        lambda drawn: cohen_of_table(np.bincount(drawn, minlength=k * k).reshape(k, k), weights),
        cells,
        seed=seed,
    )


def cohen_of_table(table: ArrayLike, weights: Weights = "none") -> float:
    """Cohen's kappa of a square table of counts; NaN where both said one and the same of everything."""
    number = np.asarray(table, dtype=np.float64)
    shares = number / number.sum()
    place = np.arange(len(number))
    steps = np.abs(place[:, None] - place)
    apart = {"none": (steps > 0) * 1.0, "linear": steps * 1.0, "quadratic": steps**2.0}[weights]
    expected = float((apart * np.outer(shares.sum(axis=1), shares.sum(axis=0))).sum())
    return 1 - float((apart * shares).sum()) / expected if expected > 0 else float("nan")


def icc(ratings: pd.DataFrame, *, attribute: str = "overall") -> Icc:
    """One-way intraclass correlation, for raters who differ from image to image.

    With unequal numbers n_i of ratings, k is (N - sum n_i^2 / N) / (images - 1) (Searle 1971).

    Raises:
        InputError: fewer than two images, or no image with two ratings.
    """
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    n = votes.counts().astype(np.float64)
    images, total = n.size, n.sum()
    if images < 2 or total == images:
        raise InputError(
            "an intraclass correlation needs two images or more, and one with two ratings or more"
        )
    means = votes.means()
    within = float(((votes.values - means[votes.codes]) ** 2).sum() / (total - images))
    between = float((n * (means - votes.values.mean()) ** 2).sum() / (images - 1))
    k = float((total - (n**2).sum() / total) / (images - 1))
    if within == 0 and between == 0:
        raise InputError("all ratings are equal: there is nothing that images could differ in")
    ratio = between / within if within > 0 else np.inf
    tails = [float(stats.f.ppf(tail, images - 1, total - images)) for tail in (0.975, 0.025)]
    low, high = ((ratio / tail - 1) / (ratio / tail - 1 + k) if np.isfinite(ratio) else 1.0 for tail in tails)
    single = (between - within) / (between + (k - 1) * within)
    return Icc(
        single=single,
        average=(between - within) / between if between > 0 else float("nan"),
        low=float(low),
        high=float(high),
        k=k,
        images=images,
        ratings=int(total),
        between=max(0.0, (between - within) / k),
        within=within,
    )


def split_half(
    ratings: pd.DataFrame, *, seed: int, attribute: str = "overall", splits: int = 100
) -> Estimate:
    """Reliability of the mean ratings: correlation of the means of two random halves of each image's raters, stepped
    up to all of them by Spearman and Brown's formula, r_full = 2 r / (1 + r); averaged over random halves.

    The interval is a bootstrap over images, with the halves as they were drawn.

    Args:
        ratings: columns image_id, value; images with one rating do not count.
        seed: of the halves and of the bootstrap.
        attribute: the attribute that is read.
        splits: random halvings; fewer, but 10, where images times splits would be more than a million.

    Raises:
        InputError: fewer than three images with two ratings.
    """
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    alike = _of_equal_number(votes)
    images = sum(len(values) for values in alike)
    if images < 3:
        raise InputError(f"split halves need three images with two ratings or more, not {images}")
    rng = np.random.default_rng(seed)
    splits = min(splits, max(LEAST_SPLITS, MOST_HALVES // images))
    halves = np.stack([np.hstack([_halves(values, rng) for values in alike]) for _ in range(splits)])
    if (np.ptp(halves, axis=2) == 0).any():
        raise InputError("all images have the same mean rating: there is nothing to be reliable about")
    one, other = (halves[:, number] - halves.mean() for number in (0, 1))
    moments = (one, other, one**2, other**2, one * other)
    value = float(_stepped_up(moments, np.ones((1, images)))[0])
    drawn = np.concatenate(
        [_stepped_up(moments, _weights(images, block, rng)) for block in _blocks(REPEATS, images)]
    )
    low, high = np.nanquantile(drawn, percentiles(images))
    return Estimate(value, float(low), float(high), images, 0.95, REPEATS, seed)


def stepped(reliability: float, *, times: float) -> float:
    """Spearman and Brown: the reliability of the mean of `times` as many raters.

    >>> round(stepped(0.318, times=5), 3)       # paper 4's Table 6, raters of more than 0 batches
    0.7
    """
    return times * reliability / (1 + (times - 1) * reliability)


def _distances(levels: FloatArray, pooled: FloatArray, scale: Scale) -> FloatArray:
    if scale == "nominal":
        return 1 - np.eye(levels.size)
    if scale == "ordinal":
        # (n_c / 2 + everything between + n_k / 2)^2: the middle ranks of both levels.
        middle = np.cumsum(pooled) - pooled / 2
        return np.asarray((middle[:, None] - middle) ** 2, dtype=np.float64)
    apart = (levels[:, None] - levels) ** 2
    if scale == "ratio":
        if (levels < 0).any():
            raise InputError("a ratio scale has no value below 0")
        total = (levels[:, None] + levels) ** 2
        return np.divide(apart, total, out=np.zeros_like(apart), where=total > 0)
    return np.asarray(apart, dtype=np.float64)


def _of_equal_number(votes: Votes) -> list[FloatArray]:
    """(images, k) ratings of the images with k ratings each, for each k of 2 and more."""
    values = votes.values[np.argsort(votes.codes, kind="stable")]
    n = votes.counts()
    ends = np.cumsum(n)
    return [values[(ends[n == k] - k)[:, None] + np.arange(k)] for k in np.unique(n[n > 1])]


def _halves(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(2, images): the means of two halves of each image's ratings, drawn at random."""
    mixed = rng.permuted(values, axis=1)
    middle = (values.shape[1] + 1) // 2
    return np.stack([mixed[:, :middle].mean(axis=1), mixed[:, middle:].mean(axis=1)])


def _stepped_up(moments: tuple[FloatArray, ...], weights: FloatArray) -> FloatArray:
    """(draws,) the stepped-up correlation of two halves, of their (splits, images) values, squares and product, images
    weighted by (draws, images)."""
    a, b, aa, bb, ab = (x @ weights.T / weights.sum(axis=1) for x in moments)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (ab - a * b) / np.sqrt((aa - a**2) * (bb - b**2))
        stepped_up: FloatArray = (2 * r / (1 + r)).mean(axis=0)
    return stepped_up


def _blocks(repeats: int, images: int) -> list[int]:
    """Sizes of blocks of draws that keep a table of weights at five million numbers."""
    most = max(1, 5 * 10**6 // images)
    return [min(most, repeats - start) for start in range(0, repeats, most)]


def _weights(images: int, draws: int, rng: np.random.Generator) -> FloatArray:
    """(draws, images): how often a bootstrap sample holds each image."""
    drawn = [np.bincount(rng.integers(0, images, images), minlength=images) for _ in range(draws)]
    return np.array(drawn, dtype=np.float64)


def _estimate(statistic: Callable[[FloatArray, IntArray], float], table: IntArray, seed: int) -> Estimate:
    rows = table[table.sum(axis=1) > 1].astype(np.float64)
    if not len(rows):
        raise InputError("no image has two ratings, so there is no agreement to measure")
    return counted_interval(statistic, rows, seed=seed)
