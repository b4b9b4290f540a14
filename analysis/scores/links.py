"""Links: the probability of each answer to "which of the two, and by how much", given the difference of their scores.

Takes in differences d = theta_first - theta_second and answers as level codes (0 for the worst of first); gives out
log probabilities with their first and second derivatives by d and by the link's own parameters, which is all that
Newton's method needs. Two families hold every model that photojury fits:

- `Cumulative`: P(level <= k) = F(c_k - d), cut points symmetric about 0 (Agresti 1992). Two levels: Bradley-Terry
  (logit), Thurstone case V (probit). Three: Rao and Kupper's ties (c = log kappa). Five: the graded model.
- `Adjacent`: P(level) proportional to exp(s d + g), with the score s of the level and one g for each |s|.
  Two levels: Bradley-Terry. Three: Davidson's ties (nu = exp(g)). Five: paper 1's equations 5 and 6 are this with
  s = t and g = -t^2 of the normalised answer.

    >>> import numpy as np
    >>> link = Cumulative(levels=2, probit=False)
    >>> parts = link.evaluate(np.array([1]), np.array([0.0]), link.start(), counts=np.array([1.0]))
    >>> float(np.exp(parts.log_p[0]))
    0.5
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_BLOCK = 2**14
_SUMMED = ("by_g", "by_gg", "by_cut", "by_cuts")


@dataclass(frozen=True)
class Parts:
    """Log probabilities of n answers with their derivatives, for q parameters of the link.

    Attributes:
        log_p: (n,)
        by_d: (n,) first derivative by d.
        by_dd: (n,) second; never above 0, since both families are log-concave in d.
        by_dg: (n, q) mixed, by d and the parameters.
        by_g: (q,) by the parameters, summed over the answers.
        by_gg: (q, q) second by the parameters, summed likewise.
    """

    log_p: FloatArray
    by_d: FloatArray
    by_dd: FloatArray
    by_dg: FloatArray
    by_g: FloatArray
    by_gg: FloatArray


P = TypeVar("P", bound="Parts | Between")


def in_blocks(evaluate: "Callable[[slice], P]", answers: int) -> "P":
    """What `evaluate` says of all answers, asked for a few thousand at a time, whose numbers fit into the cache.

    Args:
        evaluate: `Parts` or `Between` of a slice of the answers.
        answers: how many there are.
    """
    first = evaluate(slice(0, _BLOCK))
    if answers <= _BLOCK:
        return first
    whole: dict[str, Any] = {
        name: np.zeros(part.shape if name in _SUMMED else (answers, *part.shape[1:]))
        for name, part in vars(first).items()
    }
    for start in range(0, answers, _BLOCK):
        at = slice(start, start + _BLOCK)
        for name, part in vars(evaluate(at) if start else first).items():
            if name in _SUMMED:
                whole[name] += part
            else:
                whole[name][at] = part
    return replace(first, **whole)


class Link(Protocol):
    """One family with a number of levels."""

    @property
    def levels(self) -> int: ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        ...

    def start(self) -> FloatArray:
        """(q,) parameters to begin with."""
        ...

    def allowed(self, parameters: FloatArray) -> bool:
        """Whether the parameters give probabilities at all."""
        ...

    def evaluate(self, codes: IntArray, d: FloatArray, parameters: FloatArray, counts: FloatArray) -> Parts:
        """Everything about answers `codes` (n,) at differences `d` (n,), each given `counts` (n,) times."""
        ...


@dataclass(frozen=True)
class Cumulative:
    """P(level <= k) = F(c_k - d) with F logistic, or normal with `probit`; cuts (-a_h, ..., a_h), with 0 for an even
    number of levels. The parameters are a_1 < a_2 < ... above 0."""

    levels: int
    probit: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"cut_{number + 1}" for number in range((self.levels - 1) // 2))

    def start(self) -> FloatArray:
        return 0.5 + np.arange((self.levels - 1) // 2, dtype=np.float64)

    def allowed(self, parameters: FloatArray) -> bool:
        return bool(np.all(np.diff(parameters, prepend=0.0) > 1e-9))

    def evaluate(self, codes: IntArray, d: FloatArray, parameters: FloatArray, counts: FloatArray) -> Parts:
        if self.levels == 2 and not self.probit:
            return _bradley_terry(codes, d)
        signs = self._signs()
        found = between(codes, d, signs @ parameters, counts, probit=self.probit)
        below, above = np.vstack([0 * signs[:1], signs]), np.vstack([signs, 0 * signs[:1]])
        by_dg = [
            found.by_d_low * low[codes] + found.by_d_high * high[codes]
            for low, high in zip(below.T, above.T, strict=True)
        ]
        return Parts(
            found.log_p,
            found.by_d,
            found.by_dd,
            np.stack(by_dg).T if by_dg else np.zeros((codes.size, 0)),
            signs.T @ found.by_cut,
            signs.T @ found.by_cuts @ signs,
        )

    def _signs(self) -> FloatArray:
        """(levels - 1, q): each cut point as a combination of the parameters, -a_h to a_h."""
        q = (self.levels - 1) // 2
        signs = np.zeros((self.levels - 1, q))
        for number in range(q):
            signs[q - 1 - number, number] = -1.0
            signs[self.levels - 1 - q + number, number] = 1.0
        return signs


@dataclass(frozen=True)
class Between:
    """Log probabilities of n answers that each lie between two cut points, with derivatives.

    Attributes:
        log_p, by_d, by_dd: (n,) as in `Parts`.
        by_d_low, by_d_high: (n,) mixed, by d and the cut point below, and above; 0 where there is none.
        by_cut: (levels - 1,) by the cut points, summed over the answers.
        by_cuts: (levels - 1, levels - 1) second, summed likewise.
    """

    log_p: FloatArray
    by_d: FloatArray
    by_dd: FloatArray
    by_d_low: FloatArray
    by_d_high: FloatArray
    by_cut: FloatArray
    by_cuts: FloatArray


def between(
    codes: IntArray, d: FloatArray, cuts: FloatArray, counts: FloatArray, *, probit: bool = False
) -> Between:
    """P(level) = F(cut above - d) - F(cut below - d), for any rising cut points.

    Args:
        codes: (n,) levels from 0.
        d: (n,) where the distribution's middle lies.
        cuts: (levels - 1,) rising.
        counts: (n,) how often each answer was given.
        probit: F is the normal distribution instead of the logistic one.
    """
    bounds = np.concatenate([[-np.inf], cuts, [np.inf]])
    low, high = bounds[codes] - d, bounds[codes + 1] - d
    # Always the smaller tail: a difference of two numbers near 1 would lose its digits.
    low_tail, low_density, low_slope = _normal(low) if probit else _logistic(low)
    high_tail, high_density, high_slope = _normal(high) if probit else _logistic(high)
    p = np.where(
        low > 0, low_tail - high_tail, np.where(high < 0, high_tail - low_tail, 1 - low_tail - high_tail)
    )
    p = np.maximum(p, 1e-300)
    by_low, by_high = -low_density / p, high_density / p
    low_low, high_high = -low_slope / p - by_low**2, high_slope / p - by_high**2
    low_high = -by_low * by_high
    low_sum, high_sum, low_low_sum, high_high_sum, low_high_sum = (
        np.bincount(codes, counts * part, cuts.size + 1).astype(np.float64)
        for part in (by_low, by_high, low_low, high_high, low_high)
    )
    # Cut k is above level k and below level k + 1.
    beside = low_high_sum[1:-1]
    return Between(
        log_p=np.log(p),
        by_d=-(by_low + by_high),
        by_dd=low_low + high_high + 2 * low_high,
        by_d_low=-(low_low + low_high),
        by_d_high=-(high_high + low_high),
        by_cut=low_sum[1:] + high_sum[:-1],
        by_cuts=np.diag(low_low_sum[1:] + high_high_sum[:-1]) + np.diag(beside, 1) + np.diag(beside, -1),
    )


def _logistic(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The smaller tail at x, the density and its derivative."""
    tail = special.expit(-np.abs(x))
    density = tail * (1 - tail)
    return tail, density, -np.sign(x) * density * (1 - 2 * tail)


def _normal(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return special.ndtr(-np.abs(x)), density, -np.where(np.isfinite(x), x, 0.0) * density


def _bradley_terry(codes: IntArray, d: FloatArray) -> Parts:
    """Two logistic levels, in a fifth of the general form's time."""
    sign = 2.0 * codes - 1
    unlikely = special.expit(-sign * d)
    return Parts(
        special.log_expit(sign * d),
        sign * unlikely,
        -unlikely * (1 - unlikely),
        np.zeros((codes.size, 0)),
        np.zeros(0),
        np.zeros((0, 0)),
    )


@dataclass(frozen=True)
class Adjacent:
    """P(level) proportional to exp(s d + g_|s|): `step` is how much s rises from one level to the next, and the g of
    the outermost levels is 0."""

    levels: int
    step: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"weight_{number}" for number in range((self.levels - 1) // 2))

    def start(self) -> FloatArray:
        return np.zeros((self.levels - 1) // 2)

    def allowed(self, parameters: FloatArray) -> bool:
        return bool(np.all(np.abs(parameters) < 50))

    def scores(self) -> FloatArray:
        """(levels,) s of each level, symmetric about 0."""
        return self.step * (np.arange(self.levels, dtype=np.float64) - (self.levels - 1) / 2)

    def evaluate(self, codes: IntArray, d: FloatArray, parameters: FloatArray, counts: FloatArray) -> Parts:
        s, design = self.scores(), self._design()
        weights = s[:, None] * d + (design @ parameters)[:, None]
        top = weights.max(axis=0)
        p = np.exp(weights - top)
        z = p.sum(axis=0)
        p /= z
        mean_s, mean_g = s @ p, design.T @ p
        return Parts(
            s[codes] * d + (design @ parameters)[codes] - top - np.log(z),
            s[codes] - mean_s,
            mean_s**2 - s**2 @ p,
            (mean_s * mean_g - (design.T * s) @ p).T,
            design.T @ np.bincount(codes, counts, self.levels) - mean_g @ counts,
            (mean_g * counts) @ mean_g.T - (design.T * (p @ counts)) @ design,
        )

    def _design(self) -> FloatArray:
        """(levels, q): which weight each level has; the outermost levels have none, so that two levels are plain."""
        q = (self.levels - 1) // 2
        distance = np.abs(np.arange(self.levels) - (self.levels - 1) / 2)
        ranks = np.unique(distance)
        table = np.zeros((self.levels, q))
        for number in range(q):
            table[distance == ranks[number], number] = 1.0
        return table
