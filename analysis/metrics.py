"""How well predictions match what people said: rank correlations, ROC, pair accuracy, cross entropy.

Takes in array-likes (NumPy, no torch), gives out floats; `bootstrap.interval` puts an interval around any
of them. A value that the sample does not define (a constant vector, one class only) is NaN, never a guess;
`photojury.analysis.bootstrap.Estimate.note` then says so. Votes are whole numbers and thresholds decimal
fractions, so that "more than 20 %" of ten votes is decided exactly (2 of 10 is not more than 0.2).

    >>> round(srcc([1, 2, 3, 4], [10, 20, 40, 30]), 4)
    0.8
    >>> positive = share_above([2, 3, 5], [10, 10, 10], p_a="0.2")
    >>> roc_auc([0.1, 0.7, 0.9], positive)
    1.0
    >>> pairwise_accuracy(pair_truth([[0, 0, 1, 2, 2], [3, 1, 1, 0, 0]], p_b="0.3"), [1, 1])
    0.5
"""

import math
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from photojury.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SUM_TOLERANCE = 1e-4  # float32 softmax rows are off by 1e-7 each; a row off by more is not a distribution


def srcc(x: ArrayLike, y: ArrayLike, *, ties: Literal["corrected", "ignored"] = "corrected") -> float:
    """Spearman's rank correlation: Pearson's of the average ranks, right under ties.

    Paper 4 (section 5.2) prints 1 - 6 sum(d^2) / (N^3 - N), which is wrong as soon as two values tie.

    Args:
        x, y: (n,) numbers, finite.
        ties: ignored gives paper 4's formula to the letter, d being differences of average ranks.

    Returns:
        The correlation; NaN for n < 2 or a constant vector.

    Raises:
        InputError: unequal lengths, or a value that is missing or infinite.
    """
    first, second = _two("srcc", x, y)
    if first.size < 2:
        return float("nan")
    ranks, others = stats.rankdata(first), stats.rankdata(second)
    if ties == "ignored":
        return float(1 - 6 * np.square(ranks - others).sum() / (first.size**3 - first.size))
    return _pearson(ranks, others)


def srcc_interval(rho: float, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of a Spearman correlation of n pairs: Fisher's z with Bonett and Wright's (2000) standard error,
    sqrt((1 + rho^2 / 2) / (n - 3)); NaN for fewer than 4 pairs or a correlation of -1 or 1.

    Made for x and y that are normal after some rising transformation; `bootstrap.interval` needs no such thing.
    """
    if n < 4 or not abs(rho) < 1:
        return float("nan"), float("nan")
    reach = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return math.tanh(math.atanh(rho) - reach), math.tanh(math.atanh(rho) + reach)


def plcc(x: ArrayLike, y: ArrayLike) -> float:
    """Pearson's linear correlation, with no fit before it; NaN and errors as in `srcc`."""
    first, second = _two("plcc", x, y)
    return _pearson(first, second) if first.size >= 2 else float("nan")


def krcc(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's tau-b, which corrects for ties; NaN and errors as in `srcc`."""
    first, second = _two("krcc", x, y)
    if first.size < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(stats.kendalltau(first, second).statistic)


def rmse(x: ArrayLike, y: ArrayLike) -> float:
    """Root mean square difference, with no fit before it, in the unit of x and y; NaN for n = 0, errors as in `srcc`."""
    first, second = _two("rmse", x, y)
    return float(np.sqrt(np.square(first - second).mean())) if first.size else float("nan")


def roc_auc(score: ArrayLike, positive: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Args:
        score: (n,) finite numbers, higher meaning more positive.
        positive: (n,) booleans.

    Returns:
        The area in [0, 1]; NaN when all rows are of one class.
    """
    values, flags = _score_and_class("roc_auc", score, positive)
    n_positive = int(flags.sum())
    n_negative = flags.size - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    rank_sum = float(stats.rankdata(values)[flags].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def roc_curve(score: ArrayLike, positive: ArrayLike) -> pd.DataFrame:
    """The ROC curve (paper 1, section 5.1.1): one row for each distinct threshold, strictest first.

    Returns:
        Columns threshold (positive means score >= threshold; inf in the first row),
        false_positive_rate and true_positive_rate; the rates are NaN when a class is empty.
    """
    values, flags = _score_and_class("roc_curve", score, positive)
    thresholds, codes = np.unique(-values, return_inverse=True)
    hits = np.cumsum(np.bincount(codes, weights=flags, minlength=thresholds.size))
    alarms = np.cumsum(np.bincount(codes, weights=~flags, minlength=thresholds.size))
    n_positive, n_negative = flags.sum(), (~flags).sum()
    return pd.DataFrame(
        {
            "threshold": np.concatenate([[np.inf], -thresholds]),
            "false_positive_rate": np.concatenate([[0.0], alarms]) / (n_negative or np.nan),
            "true_positive_rate": np.concatenate([[0.0], hits]) / (n_positive or np.nan),
        }
    )


def share_above(
    votes: ArrayLike, total: ArrayLike, *, p_a: str | float | Fraction = "0.2"
) -> NDArray[np.bool_]:
    """Whether strictly more than the share p_a voted for it, decided in whole numbers.

    Paper 1, section 5.1.1: an image is attractive if more than p_a = 0.2 of its raters gave 3 stars.

    Args:
        votes: (n,) whole numbers of votes for.
        total: (n,) whole numbers of votes in all, each at least 1.
        p_a: the share as a decimal fraction; a float is read as it prints (0.2 means 1/5).
    """
    share = exact(p_a, "p_a")
    for_it, out_of = _whole("votes", votes), _whole("total", total)
    if for_it.shape != out_of.shape or (out_of < 1).any() or (for_it < 0).any() or (for_it > out_of).any():
        raise InputError("share_above: every row needs 0 <= votes <= total and total >= 1")
    return for_it * share.denominator > out_of * share.numerator


def pair_truth(votes: ArrayLike, *, p_b: str | float | Fraction) -> IntArray:
    """Which image of each pair the raters prefer (paper 1, section 5.1.2), decided in whole numbers.

    Args:
        votes: (n, k) whole numbers of votes per level, from "first much worse" to "first much better"
            (k = 5: -2..2; k = 2: -1, 1); positive levels mean that the first image is better.
        p_b: the first is better iff p_more - p_less > p_b (the paper uses 0.3, 0.4, 0.5, 0.6).

    Returns:
        (n,) 1 where the first is better, -1 where the second is, 0 where neither is.
    """
    margin = exact(p_b, "p_b")
    counts = _whole("votes", votes)
    if counts.ndim != 2 or counts.shape[1] < 2 or (counts < 0).any() or (counts.sum(axis=1) < 1).any():
        raise InputError(
            "pair_truth: votes must be (pairs, levels) counts with at least one vote in each row"
        )
    half = counts.shape[1] // 2
    lead = counts[:, -half:].sum(axis=1) - counts[:, :half].sum(axis=1)
    decided = np.abs(lead) * margin.denominator > counts.sum(axis=1) * margin.numerator
    return np.where(decided, np.sign(lead), 0).astype(np.int64)


def pair_prediction(difference: ArrayLike, *, tau: float = 0.0) -> IntArray:
    """The order that scores predict: 0 where |s_first - s_second| < tau, else the sign of the difference.

    Args:
        difference: (n,) score of the first image minus score of the second.
        tau: width of "equal", at least 0; paper 1 picks the best one, which must be done on validation pairs.
    """
    values = _vector("pair_prediction: difference", difference)
    return np.where(np.abs(values) < tau, 0, np.sign(values)).astype(np.int64)


def levels_prediction(probabilities: ArrayLike) -> IntArray:
    """The order that a predicted distribution over levels says: its heaviest part of worse, equal, better.

    The rule is ours (the paper gives none); a tie goes to equal first, then to better.

    Args:
        probabilities: (n, k) with k odd; level 0 in the middle, positive (first better) on the right.
    """
    table = np.asarray(probabilities, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] % 2 == 0 or table.shape[1] < 3 or not np.isfinite(table).all():
        raise InputError("levels_prediction: probabilities must be (pairs, odd number of levels), all finite")
    half = table.shape[1] // 2
    parts = np.stack([table[:, half], table[:, half + 1 :].sum(axis=1), table[:, :half].sum(axis=1)], axis=1)
    order: IntArray = np.array([0, 1, -1])[parts.argmax(axis=1)]
    return order


def pairwise_accuracy(truth: ArrayLike, predicted: ArrayLike, *, decided_only: bool = False) -> float:
    """Share of pairs whose order is predicted (paper 1, section 5.1.2; which form it used is not said).

    Args:
        truth: (n,) of -1, 0, 1, from `pair_truth`.
        predicted: (n,) of -1, 0, 1, from `pair_prediction` or `levels_prediction`.
        decided_only: False: three classes over all pairs, "equal" being one. True: only pairs that the
            raters decided; a prediction of 0 there counts half, as a coin would, so that a constant
            predictor gets 0.5.

    Returns:
        The accuracy in [0, 1]; NaN when no pair counts.
    """
    said, guess = _two("pairwise_accuracy", truth, predicted)
    if not (np.isin(said, (-1, 0, 1)).all() and np.isin(guess, (-1, 0, 1)).all()):
        raise InputError("pairwise_accuracy: truth and predicted hold only -1, 0 and 1")
    right = (said == guess).astype(np.float64)
    if decided_only:
        right = np.where(guess == 0, 0.5, right)[said != 0]
    return float(right.mean()) if right.size else float("nan")


def choose_tau(truth: ArrayLike, difference: ArrayLike) -> float:
    """The tau of `pair_prediction` with the best three-class accuracy; the smallest one among equals.

    Choose it on validation pairs: paper 1's "best chosen" on test pairs leaks.
    """
    said, gaps = _two("choose_tau", truth, difference)
    if not said.size:
        raise InputError("choose_tau: there are no pairs to choose tau on")
    order = np.argsort(np.abs(gaps), kind="stable")
    sizes, said, signs = np.abs(gaps)[order], said[order], np.sign(gaps[order])
    equal_right = np.concatenate([[0], np.cumsum(said == 0)])
    signs_right = np.concatenate([[0], np.cumsum(said == signs)])
    right = equal_right + (signs_right[-1] - signs_right)  # the k smallest gaps are called equal
    possible = np.concatenate([[True], sizes[1:] > sizes[:-1], [True]])
    best = int(np.argmax(np.where(possible, right, -1)))
    if best == 0:
        return 0.0
    return (
        float(sizes[best] + sizes[best - 1]) / 2
        if best < sizes.size
        else float(np.nextafter(sizes[-1], np.inf))
    )


def cross_entropy(target: ArrayLike, predicted: ArrayLike) -> float:
    """Mean over rows of -sum_i t_i log p_i, natural logarithm (paper 1, eq. 4 and 7, whose minus is missing).

    Args:
        target: (n, k) distributions of the raters' votes, each row summing to 1.
        predicted: (n, k) predicted distributions; one (k,) row stands for all (a constant predictor).

    Returns:
        Nats; never below `entropy(target)`; inf where a level that people chose has probability 0;
        NaN for n = 0.

    Raises:
        InputError: shapes that do not match, negative values, or rows that do not sum to 1.
    """
    wanted = _distributions("target", target)
    given = _distributions("predicted", predicted)
    if wanted.shape[1] != given.shape[1] or given.shape[0] not in (1, wanted.shape[0]):
        raise InputError(
            f"cross_entropy: target is {wanted.shape} and predicted {given.shape}; they must match"
        )
    if not wanted.shape[0]:
        return float("nan")
    given = np.broadcast_to(given, wanted.shape)
    used = wanted > 0
    if (given[used] == 0).any():
        return float("inf")
    return float(-(wanted[used] * np.log(given[used])).sum() / wanted.shape[0])


def entropy(target: ArrayLike) -> float:
    """Mean entropy of target distributions in nats: the floor without which a cross entropy cannot be read."""
    return cross_entropy(target, target)


def exact(number: str | float | Fraction, name: str) -> Fraction:
    """A threshold as the decimal fraction that it prints as, at least 0.

    >>> exact(0.3, "c_g") == exact("0.3", "c_g") == Fraction(3, 10)
    True
    """
    try:
        value = number if isinstance(number, Fraction) else Fraction(str(number))
    except ValueError:
        raise InputError(f"{name} must be a decimal fraction like 0.3, not {number!r}") from None
    if value < 0:
        raise InputError(f"{name} must be at least 0, not {number}")
    return value


def _pearson(x: FloatArray, y: FloatArray) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    x, y = x / np.abs(x).max(), y / np.abs(y).max()  # squares of huge or tiny scores stay in range
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def _two(what: str, x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    first, second = _vector(what, x), _vector(what, y)
    if first.size != second.size:
        raise InputError(
            f"{what}: the two inputs have {first.size} and {second.size} values; they must match"
        )
    return first, second


def _vector(what: str, x: ArrayLike) -> FloatArray:
    try:
        values = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{what}: needs numbers") from None
    if values.ndim != 1:
        raise InputError(f"{what}: needs one value per row, not an array of shape {values.shape}")
    broken = ~np.isfinite(values)
    if broken.any():
        raise InputError(
            f"{what}: {broken.sum()} of {values.size} values are missing or infinite; drop those rows"
        )
    return values


def _score_and_class(
    what: str, score: ArrayLike, positive: ArrayLike
) -> tuple[FloatArray, NDArray[np.bool_]]:
    values, flags = _two(what, score, positive)
    if not np.isin(flags, (0, 1)).all():
        raise InputError(f"{what}: positive must hold only true and false")
    return values, flags.astype(bool)


def _whole(what: str, votes: ArrayLike) -> IntArray:
    values = np.asarray(votes)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all() or (values != np.floor(values)).any():
        raise InputError(
            f"{what}: votes must be whole numbers (counts, not shares), so that thresholds are exact"
        )
    return values.astype(np.int64)


def _distributions(what: str, table: ArrayLike) -> FloatArray:
    rows = np.atleast_2d(np.asarray(table, dtype=np.float64))
    if rows.ndim != 2 or not np.isfinite(rows).all() or (rows < 0).any():
        raise InputError(f"cross_entropy: {what} must be (rows, levels) of finite numbers, none below 0")
    off = np.abs(rows.sum(axis=1) - 1)
    if (off > SUM_TOLERANCE).any():
        raise InputError(
            f"cross_entropy: row {int(off.argmax())} of {what} sums to {rows[off.argmax()].sum():.6g}, not 1"
        )
    return rows
