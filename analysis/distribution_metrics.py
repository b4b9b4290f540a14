"""How well predicted distributions of votes match what people gave: KL, CDLoss, EMD, means, the class of an image.

Takes in counts of votes and predicted shares, (images, levels); gives out one number per image, so that its mean is the
metric and rows can be resampled for an interval (`photojury.analysis.metric_tables`). Whatever a paper leaves open has a
name here: the direction of KL, the r of EMD, and what an image is whose mean lies on the threshold.

    >>> votes, said = [[0, 1, 3], [2, 2, 0]], [[0.0, 0.5, 0.5], [0.25, 0.5, 0.25]]
    >>> cd_loss(shares(votes), said).tolist()
    [0.0625, 0.125]
    >>> emd(shares(votes), said, r=1).round(4).tolist()
    [0.0833, 0.1667]
    >>> is_high(votes, [1, 2, 3], threshold=2, ties="low").tolist()
    [True, False]
"""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from photojury.errors import InputError, unknown_name

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

Direction = Literal["truth||predicted", "predicted||truth"]
Ties = Literal["low", "high"]
Bins = Literal["mean", "sum"]

_OFF = 1e-4  # float32 softmax rows are off by 1e-7 each; a row off by more is not a distribution


def shares(counts: ArrayLike) -> FloatArray:
    """Each image's votes as shares.

    Args:
        counts: (images, levels) of votes, whole numbers or not (a network's outputs), none below 0.

    Raises:
        InputError: another shape, a negative or missing value, or an image without votes.
    """
    table = _table("counts", counts)
    sums = table.sum(axis=1, keepdims=True)
    if (sums == 0).any():
        raise InputError(f"image {int(np.argmin(sums))} has no votes, so it has no distribution")
    return np.asarray(table / sums, dtype=np.float64)


def kl_divergence(
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    direction: Direction = "truth||predicted",
    floor: float = 0.0,
) -> FloatArray:
    """Kullback and Leibler's divergence of each image, in nats.

    Args:
        truth: (images, levels) shares.
        predicted: likewise, or one (levels,) row for all images.
        direction: truth||predicted is sum_k t_k log(t_k / p_k), what a prediction loses of the truth; predicted||truth
            is the other one. Paper 5 does not say which it prints.
        floor: added to every level of both before they are made shares again, so that a level that was said to be
            impossible costs something finite; 0 lets it cost infinity.

    Returns:
        (images,), at least 0; inf where the second of the two has no share at a level where the first has some.
    """
    if direction not in ("truth||predicted", "predicted||truth"):
        raise unknown_name("direction", direction, ("truth||predicted", "predicted||truth"))
    one, other = _pair(truth, predicted)
    if floor:
        one, other = shares(one + floor), shares(other + floor)
    if direction == "predicted||truth":
        one, other = other, one
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(one > 0, one * np.log(one / other), 0.0)
    return np.asarray(np.maximum(parts.sum(axis=1), 0.0), dtype=np.float64)


def cd_loss(truth: ArrayLike, predicted: ArrayLike) -> FloatArray:
    """Sum over levels of the squared difference of the cumulative shares, of each image.

    Wu, Hu and Gao (ICCV 2011); paper 5, equation (3).
    """
    return np.asarray(np.square(_apart(truth, predicted)).sum(axis=1), dtype=np.float64)


def emd(truth: ArrayLike, predicted: ArrayLike, *, r: float, over: Bins = "mean") -> FloatArray:
    """Earth mover's distance of each image, between levels one step apart: (mean_k |difference of cumulative shares|^r)^(1/r).

    Args:
        truth, predicted: as in `kl_divergence`.
        r: at least 1; NIMA (Talebi, Milanfar 2018) trains with 2 and prints 1. Papers that do not say mean one of them.
        over: mean or sum over the levels k; with r = 1 the sum is the mean number of levels that votes must be moved.
    """
    if not r >= 1:
        raise InputError(f"emd: r must be at least 1, not {r}")
    if over not in ("mean", "sum"):
        raise unknown_name("way to add up levels", over, ("mean", "sum"))
    moved = np.abs(_apart(truth, predicted)) ** r
    total = moved.mean(axis=1) if over == "mean" else moved.sum(axis=1)
    return np.asarray(total ** (1 / r), dtype=np.float64)


def means(distributions: ArrayLike, levels: Sequence[float]) -> FloatArray:
    """Each image's mean score (paper 5, equation (2)).

    Of whole counts, means that are equal are equal to the last bit, so that ranks know of their ties.

    Args:
        distributions: (images, levels) counts or shares; each row is made shares.
        levels: what each column stands for, such as range(1, 11).
    """
    table = _table("distributions", distributions)
    _check_levels(table, levels)
    values = np.asarray(levels, dtype=np.float64)
    if (table == np.floor(table)).all() and (values == np.floor(values)).all():
        shares(table)  # refuses an image without votes
        return np.asarray((table * values).sum(axis=1) / table.sum(axis=1), dtype=np.float64)
    # Row by row the same additions: a matrix product gives equal rows unequal means.
    return np.asarray((shares(table) * values).sum(axis=1), dtype=np.float64)


def is_high(
    counts: ArrayLike, levels: Sequence[float], *, threshold: str | float | Fraction, ties: Ties = "low"
) -> BoolArray:
    """Whether each image's mean vote is above a threshold, decided in whole numbers.

    In floats the mean of 100 votes may be 5.000000000000001; of AVA's images 1 in 400 lies on 5 exactly.

    Args:
        counts: (images, levels) whole numbers of votes.
        levels: what each column stands for, as decimal fractions.
        threshold: as a decimal fraction; 5 for AVA.
        ties: what an image on the threshold is: low (above it is high) or high (at least that is high).
    """
    if ties not in ("low", "high"):
        raise unknown_name("rule for ties", ties, ("low", "high"))
    side = _side(counts, levels, threshold)
    return np.asarray(side > 0 if ties == "low" else side >= 0, dtype=np.bool_)


def on_threshold(
    counts: ArrayLike, levels: Sequence[float], *, threshold: str | float | Fraction
) -> BoolArray:
    """Whether each image's mean vote is the threshold exactly; arguments as in `is_high`."""
    return np.asarray(_side(counts, levels, threshold) == 0, dtype=np.bool_)


def split_halves(counts: ArrayLike, *, seed: int) -> tuple[IntArray, IntArray]:
    """Each image's votes in two halves at random, the second with one more where the number is odd.

    How well one half predicts the other is what a perfect predictor of people would reach with half of the votes.

    Args:
        counts: (images, levels) whole numbers of votes, at least two in each row.
        seed: of numpy's default generator.

    Returns:
        Two tables like counts, which add up to it.
    """
    table = _whole(counts)
    total = table.sum(axis=1)
    if (total < 2).any():
        raise InputError(f"image {int(np.argmin(total))} has fewer than two votes, so it has no halves")
    generator = np.random.default_rng(seed)
    half = np.zeros_like(table)
    wanted, rest = total // 2, total.copy()
    for level in range(table.shape[1]):  # a level of all images at a time: a multivariate hypergeometric draw
        rest -= table[:, level]
        half[:, level] = generator.hypergeometric(table[:, level], rest, wanted)
        wanted -= half[:, level]
    return half, table - half


def _apart(truth: ArrayLike, predicted: ArrayLike) -> FloatArray:
    one, other = _pair(truth, predicted)
    return np.asarray(np.cumsum(one, axis=1) - np.cumsum(other, axis=1), dtype=np.float64)


def _pair(truth: ArrayLike, predicted: ArrayLike) -> tuple[FloatArray, FloatArray]:
    one, other = _distributions("truth", truth), _distributions("predicted", predicted)
    if one.shape[1] != other.shape[1] or other.shape[0] not in (1, one.shape[0]):
        raise InputError(f"truth is {one.shape} and predicted {other.shape}; they must match")
    return one, np.broadcast_to(other, one.shape)


def _distributions(what: str, values: ArrayLike) -> FloatArray:
    table = _table(what, values)
    sums = table.sum(axis=1)
    off = np.abs(sums - 1) > _OFF
    if off.any():
        row = int(off.argmax())
        raise InputError(f"row {row} of {what} sums to {sums[row]:.6g}, not 1; `shares` makes counts shares")
    return table


def _table(what: str, values: ArrayLike) -> FloatArray:
    try:
        table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise InputError(f"{what} must be (images, levels) of numbers") from None
    if table.ndim != 2 or table.shape[1] < 2:
        raise InputError(f"{what} must be (images, levels) with two levels or more, not {table.shape}")
    if not np.isfinite(table).all() or (table < 0).any():
        raise InputError(f"{what} must hold finite numbers, none below 0")
    return table


def _whole(counts: ArrayLike) -> IntArray:
    table = _table("counts", counts)
    if (table != np.floor(table)).any():
        raise InputError("counts must be whole numbers of votes, not shares, so that thresholds are exact")
    return table.astype(np.int64)


def _check_levels(table: NDArray[np.generic], levels: Sequence[float]) -> None:
    if table.shape[1] != len(levels):
        raise InputError(f"there are {table.shape[1]} columns and {len(levels)} levels; they must match")


def _side(counts: ArrayLike, levels: Sequence[float], threshold: str | float | Fraction) -> IntArray:
    """The sign of each mean less the threshold."""
    table = _whole(counts)
    _check_levels(table, levels)
    if (table.sum(axis=1) == 0).any():
        raise InputError("an image without votes has no mean")
    try:
        gaps = [Fraction(str(level)) - Fraction(str(threshold)) for level in levels]
    except ValueError:
        raise InputError(
            f"levels and threshold must be decimal fractions like 5 or 5.5, not {threshold!r}"
        ) from None
    unit = lcm(*(gap.denominator for gap in gaps))
    return np.asarray(np.sign(table @ np.array([int(gap * unit) for gap in gaps])), dtype=np.int64)
