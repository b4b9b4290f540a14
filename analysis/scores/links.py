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
    >>> parts = link.evaluate(np.array([1]), np.array([0.0]), link.start())
    >>> float(np.exp(parts.log_p[0]))
    0.5
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Log probabilities of n answers with their derivatives, for q parameters of the link.

    Attributes:
        log_p: (n,)
        by_d: (n,) first derivative by d.
        by_dd: (n,) second; never above 0, since both families are log-concave in d.
        by_g: (n, q) by the parameters.
        by_dg: (n, q) mixed.
        by_gg: (n, q, q) second by the parameters.
    """

    log_p: FloatArray
    by_d: FloatArray
    by_dd: FloatArray
    by_g: FloatArray
    by_dg: FloatArray
    by_gg: FloatArray


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

    def evaluate(self, codes: IntArray, d: FloatArray, parameters: FloatArray) -> Parts:
        """Everything about answers `codes` (n,) at differences `d` (n,)."""
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

    def cuts(self, parameters: FloatArray) -> FloatArray:
        """(levels + 1,) cut points, with the infinite ones at both ends."""
        middle = np.zeros(1 if self.levels % 2 == 0 else 0)
        return np.concatenate([[-np.inf], -parameters[::-1], middle, parameters, [np.inf]])

    def evaluate(self, codes: IntArray, d: FloatArray, parameters: FloatArray) -> Parts:
        if self.levels == 2 and not self.probit:
            return _bradley_terry(codes, d)
        cuts = self.cuts(parameters)
        low, high = cuts[codes] - d, cuts[codes + 1] - d
        # The upper tail is turned over: there the difference of two numbers near 1 would lose its digits.
        over = low > 0
        p = np.where(over, self._f(-low) - self._f(-high), self._f(high) - self._f(low))
        p = np.maximum(p, 1e-300)
        density_low, density_high = self._density(low) / p, self._density(high) / p
        slope_low, slope_high = self._slope(low) / p, self._slope(high) / p
        by_d = density_low - density_high
        by_dd = slope_high - slope_low - by_d**2
        # low = s_low a_low - d: which parameter each end belongs to, and with which sign.
        design_low, design_high = self._design(codes), self._design(codes + 1)
        by_low, by_high = -density_low, density_high
        low_low = -slope_low - by_low**2
        high_high = slope_high - by_high**2
        low_high = -by_low * by_high
        by_g = by_low[:, None] * design_low + by_high[:, None] * design_high
        by_dg = -((low_low + low_high)[:, None] * design_low + (high_high + low_high)[:, None] * design_high)
        by_gg = (
            low_low[:, None, None] * design_low[:, :, None] * design_low[:, None, :]
            + high_high[:, None, None] * design_high[:, :, None] * design_high[:, None, :]
            + low_high[:, None, None]
            * (
                design_low[:, :, None] * design_high[:, None, :]
                + design_high[:, :, None] * design_low[:, None, :]
            )
        )
        return Parts(np.log(p), by_d, by_dd, by_g, by_dg, by_gg)

    def _design(self, ends: IntArray) -> FloatArray:
        q = (self.levels - 1) // 2
        table = np.zeros((self.levels + 1, q))
        for number in range(q):
            table[q - number, number] = -1.0
            table[self.levels - q + number, number] = 1.0
        return table[ends]

    def _f(self, x: FloatArray) -> FloatArray:
        value: FloatArray = special.ndtr(x) if self.probit else special.expit(x)
        return value

    def _density(self, x: FloatArray) -> FloatArray:
        if self.probit:
            return np.asarray(np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), dtype=np.float64)
        value: FloatArray = special.expit(x) * special.expit(-x)
        return value

    def _slope(self, x: FloatArray) -> FloatArray:
        """The density's derivative; 0 at both infinities."""
        finite = np.where(np.isfinite(x), x, 0.0)
        if self.probit:
            return -finite * self._density(x)
        slope: FloatArray = self._density(x) * (special.expit(-x) - special.expit(x))
        return slope


def _bradley_terry(codes: IntArray, d: FloatArray) -> Parts:
    """Two logistic levels, in a fifth of the general form's time."""
    sign = 2.0 * codes - 1
    unlikely = special.expit(-sign * d)
    none = np.zeros((codes.size, 0))
    return Parts(
        special.log_expit(sign * d),
        sign * unlikely,
        -unlikely * (1 - unlikely),
        none,
        none,
        np.zeros((codes.size, 0, 0)),
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

    def evaluate(self, codes: IntArray, d: FloatArray, parameters: FloatArray) -> Parts:
        s, design = self.scores(), self._design()
        weights = d[:, None] * s + design @ parameters
        log_z = special.logsumexp(weights, axis=1)
        p = np.exp(weights - log_z[:, None])
        mean_s, mean_g = p @ s, p @ design
        spread = p[:, :, None] * design[None]
        by_gg = -(np.einsum("nli,lj->nij", spread, design) - mean_g[:, :, None] * mean_g[:, None, :])
        return Parts(
            weights[np.arange(codes.size), codes] - log_z,
            s[codes] - mean_s,
            -(p @ s**2 - mean_s**2),
            design[codes] - mean_g,
            -((p * s) @ design - mean_s[:, None] * mean_g),
            by_gg,
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
