"""Thurstone's model of comparisons, with the uncertainty of every score: what the active sampler goes by.

An image has a score; a rater sees the difference of two scores with noise of standard deviation 1 and answers
by where it falls between cut points: at 0 for forced choice, at -a, a where ties are allowed, at -b, -a, a, b
for five levels (Thurstone 1927; Agresti 1992 for the levels). Scores have a normal prior around 0.

In: row numbers of compared images and answers. Out: a `Posterior`, by Laplace's method: the most probable
scores, and the inverse of the curvature there as their covariance. The prior's deviation is estimated by EM
(its square is the mean square of the scores, uncertainty included), the cut points by maximum likelihood at the
most probable scores, with a weak prior for studies of few answers. It holds a dense matrix, so it is for some thousands of images.

This is for choosing pairs, and knows nothing of raters; the scores of a study are photojury.analysis.scores'.

    >>> post = posterior([0, 1], [1, 2], [1.0, 1.0], images=3)
    >>> bool(post.mean[0] > post.mean[1] > post.mean[2])
    True
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr

from photojury.errors import InputError

Indices = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

LEVELS = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Answers that are understood: five levels, or -1 and 1."""

_PRIOR = 1.5  # deviation to begin with, in units of the noise of one answer
_PRIOR_RANGE = (0.3, 6.0)
_CUTS = (0.4, 1.6)  # to begin with, likewise
_ROUNDS = 12  # of EM and cut points; each is followed by a fit
_SETTLED = 0.01  # relative change of the prior and the cut points that ends the rounds
_LEAST = 1e-300  # of a probability, so that its logarithm is a number


@dataclass(frozen=True)
class Posterior:
    """Scores in units of the noise of one answer.

    Attributes:
        mean: (n,) most probable scores.
        covariance: (n, n).
        prior: standard deviation of the scores before any answer, as estimated.
        cuts: rising cut points between neighbouring answers, symmetric about 0.
    """

    mean: FloatArray
    covariance: FloatArray
    prior: float
    cuts: FloatArray


def posterior(
    first: npt.ArrayLike, second: npt.ArrayLike, values: npt.ArrayLike, *, images: int
) -> Posterior:
    """The posterior of scores, given answers.

    Args:
        first: (answers,) row numbers of images.
        second: (answers,) their partners.
        values: (answers,) in -2, -1, 0, 1, 2; positive means that the first is better. Cut points are those
            that the answers need: none but 0 where all are -1 or 1.
        images: how many images there are, compared or not.

    Raises:
        InputError: a value that is no answer (names its row), or no answer at all.
    """
    one, other = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    answers = np.asarray(values, dtype=np.float64)
    wrong = np.flatnonzero(~np.isin(answers, LEVELS))
    if len(wrong) or not len(answers):
        where = f"comparisons, row {wrong[0]}: value is {answers[wrong[0]]}" if len(wrong) else "no answer"
        raise InputError(f"{where}; five levels are -2, -1, 0, 1, 2, and a forced choice is -1 or 1")
    knots = _first_knots(answers)
    prior, mean = _PRIOR, np.zeros(images)
    for _ in range(_ROUNDS):
        low, high = _bounds(answers, knots)
        mean, covariance = _laplace(one, other, low, high, prior, mean)
        spread = float(np.sqrt((mean @ mean + np.trace(covariance)) / images))
        new_prior = float(np.clip(spread, *_PRIOR_RANGE))
        new_knots = _best_knots(mean[one] - mean[other], answers, knots)
        change = np.abs(np.log(np.append(new_knots, new_prior) / np.append(knots, prior)))
        prior, knots = new_prior, new_knots
        if change.max() < _SETTLED:
            break
    return Posterior(mean, covariance, prior, _cuts(knots))


def level_chances(
    difference: FloatArray, variance: FloatArray, cuts: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What one answer will be, for differences known as N(difference, variance), and how it bears on them.

    Args:
        difference: any shape.
        variance: the same shape.
        cuts: (levels - 1,) rising cut points.

    Returns:
        (levels, ...) chance of each answer, from the lowest, and (levels, ...) derivative of that chance by
        the difference.
    """
    spread = np.sqrt(1 + variance)
    edges = np.array([-np.inf, *cuts, np.inf])
    z = (edges.reshape(-1, *[1] * np.ndim(difference)) - difference) / spread
    density = _density(z)
    return _between(z[:-1], z[1:]), (density[:-1] - density[1:]) / spread


def information(difference: FloatArray, variance: FloatArray, cuts: FloatArray) -> FloatArray:
    """Share of the variance of a difference that one answer is expected to take away, divided by that variance.

    Exact for a difference that is N(m, v) and noise of deviation 1: given answer k the mean moves by
    v P_k' / P_k, with P_k the chance of k and P_k' its derivative by m, so by the law of total variance the
    variance falls by v^2 sum P_k'^2 / P_k on average. At v = 0 this is Fisher's information of an answer.
    """
    chance, slope = level_chances(difference, variance, cuts)
    total: FloatArray = (slope**2 / np.maximum(chance, _LEAST)).sum(axis=0)
    return total


def _laplace(
    one: Indices, other: Indices, low: FloatArray, high: FloatArray, prior: float, start: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Most probable scores by Newton's method with halved steps (the posterior is log-concave), and covariance."""
    n, mean = len(start), start
    value = _log_posterior(mean, one, other, low, high, prior)
    for _ in range(50):
        slope, curve = _derivatives(mean[one] - mean[other], low, high)
        gradient = np.bincount(one, slope, n) - np.bincount(other, slope, n) - mean / prior**2
        factor: Any = cho_factor(_precision(one, other, curve, n, prior), lower=True)
        step = cho_solve(factor, gradient)
        for _ in range(30):
            trial = mean + step
            new = _log_posterior(trial, one, other, low, high, prior)
            if new >= value:
                break
            step = step / 2
        mean, value = trial, new
        if np.abs(step).max() < 1e-5:
            break
    return mean, cho_solve(factor, np.eye(n))


def _precision(one: Indices, other: Indices, curve: FloatArray, n: int, prior: float) -> FloatArray:
    matrix: FloatArray = np.bincount(one * n + other, -curve, n * n).astype(np.float64).reshape(n, n)
    matrix += matrix.T
    matrix[np.diag_indices(n)] = np.bincount(one, curve, n) + np.bincount(other, curve, n) + 1 / prior**2
    return matrix


def _log_posterior(
    mean: FloatArray, one: Indices, other: Indices, low: FloatArray, high: FloatArray, prior: float
) -> float:
    difference = mean[one] - mean[other]
    chance = _between(low - difference, high - difference)
    return float(np.log(np.maximum(chance, _LEAST)).sum() - mean @ mean / prior**2 / 2)


def _derivatives(difference: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of log P(answer) by the difference: the first, and the second with its sign turned (never negative)."""
    below, above = low - difference, high - difference
    chance = np.maximum(_between(below, above), _LEAST)
    slope = (_density(below) - _density(above)) / chance
    return slope, np.maximum(slope**2 + (_moment(above) - _moment(below)) / chance, 0)


def _density(z: FloatArray) -> FloatArray:
    density: FloatArray = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return density


def _moment(z: FloatArray) -> FloatArray:
    """z times its density; 0 at infinity."""
    return np.where(np.isfinite(z), z, 0.0) * _density(z)


def _between(low: FloatArray, high: FloatArray) -> FloatArray:
    """Chance of a standard normal between two bounds; both are mirrored where the difference would cancel."""
    mirrored = low > 0
    chance: FloatArray = ndtr(np.where(mirrored, -low, high)) - ndtr(np.where(mirrored, -high, low))
    return chance


def _first_knots(answers: FloatArray) -> FloatArray:
    """The positive cut points that the answers need, to begin with: none, a, or a and b."""
    if (np.abs(answers) == 2).any():
        return np.array(_CUTS)
    return np.array(_CUTS[:1]) if (answers == 0).any() else np.empty(0)


def _cuts(knots: FloatArray) -> FloatArray:
    return np.concatenate([-knots[::-1], knots]) if len(knots) else np.zeros(1)


def _bounds(answers: FloatArray, knots: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(answers,) the cut points below and above each answer."""
    edges = np.array([-np.inf, *_cuts(knots), np.inf])
    middle = len(edges) // 2
    # Without ties -1 and 1 are neighbours: levels -1, 1 lie below and above the one cut.
    level = (answers > 0).astype(np.int64) if not len(knots) else answers.astype(np.int64) + middle - 1
    return edges[level], edges[level + 1]


def _best_knots(difference: FloatArray, answers: FloatArray, knots: FloatArray) -> FloatArray:
    """The positive cut points of the highest likelihood, given differences, drawn a little to the usual ones."""
    if not len(knots):
        return knots
    usual = np.log(np.diff(_CUTS[: len(knots)], prepend=0))

    def loss(logs: FloatArray) -> float:
        low, high = _bounds(answers, np.cumsum(np.exp(logs)))
        chance = _between(low - difference, high - difference)
        # A few answers without a tie would put the cut points on top of each other, or out of sight.
        return float((logs - usual) @ (logs - usual) / 2 - np.log(np.maximum(chance, _LEAST)).sum())

    start = np.log(np.diff(knots, prepend=0))
    found = optimize.minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4})
    return np.asarray(np.cumsum(np.exp(found.x)), dtype=np.float64)
