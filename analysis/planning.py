"""Planning: how many raters a study needs, for what precision, at what cost.

Takes in a scale, a spread, a target; gives out numbers of ratings and what they cost. Everything here is a formula
with its source, so that a plan can be argued about before money is spent.

    >>> ratings_for_interval(scale=(1, 5), mean=3.0, half_width=0.5)        # SOS a = 0.15
    10
    >>> round(raters_for_reliability(0.8, single=0.318), 1)
    8.6
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from photojury.errors import InputError

SOS = 0.15
"""Spread of ratings where none are known: variance = SOS (x - low) (high - x); 0.10 to 0.25 (Hossfeld et al. 2011)."""


@dataclass(frozen=True)
class Fees:
    """What a marketplace takes: shares of the reward, and from how many assignments a HIT costs more.

    The defaults are Mechanical Turk's: 20 %, 20 % more from 10 assignments a HIT on, at least 1 cent.
    """

    share: float = 0.20
    more_from: int = 10
    more: float = 0.20
    least_cents: int = 1


def spread(scale: tuple[float, float], mean: float, *, sos: float = SOS) -> float:
    """Standard deviation of single ratings of an image with this mean, by the SOS hypothesis.

    Raises:
        InputError: the mean is off the scale.
    """
    low, high = scale
    if not low <= mean <= high:
        raise InputError(f"a mean of {mean:g} is off the scale of {low:g} to {high:g}")
    return math.sqrt(sos * (mean - low) * (high - mean))


def ratings_for_interval(
    *, scale: tuple[float, float], mean: float, half_width: float, sos: float = SOS, level: float = 0.95
) -> int:
    """Ratings an image so that the interval of its mean, normal, is at most +- half_width.

    Raises:
        InputError: an impossible mean, width or level.
    """
    if half_width <= 0 or not 0 < level < 1:
        raise InputError(f"half_width must be above 0 and level in (0, 1), not {half_width:g} and {level:g}")
    z = float(stats.norm.ppf((1 + level) / 2))
    return max(1, math.ceil((z * spread(scale, mean, sos=sos) / half_width) ** 2 - 1e-9))


def raters_for_reliability(target: float, *, single: float) -> float:
    """Ratings an image so that the means have this reliability (Spearman and Brown): R (1 - r) / (r (1 - R)).

    Args:
        target: R, of the mean; single: r, of one rating: the correlation of two raters.

    Raises:
        InputError: a reliability outside (0, 1).
    """
    if not (0 < target < 1 and 0 < single < 1):
        raise InputError(f"reliabilities must lie between 0 and 1, not {target:g} and {single:g}")
    return target * (1 - single) / (single * (1 - target))


def votes_for_preference(p: float, *, power: float = 0.8, alpha: float = 0.05, most: int = 5_000) -> int:
    """Votes on one pair after which an exact two-sided binomial test finds a preference p, whatever n follows.

    A binomial test's power goes up and down with n; this is the n from which it stays at `power` or above.

    Raises:
        InputError: p is 0.5 or impossible, or `most` votes are too few.
    """
    if not 0 < p < 1 or p == 0.5:
        raise InputError(f"a preference must lie between 0 and 1 and not be 0.5: {p:g}")
    p = max(p, 1 - p)
    last = 0
    for n in range(1, most + 1):
        if _power(n, p, alpha) < power:
            last = n
        elif n > 3 * last + 60:
            break
    else:
        raise InputError(f"{most} votes do not find a preference of {p:g}")
    return last + 1


def consistency_power(
    *, raters: int, images: int, correlation: float, batches: int = 1_000, alpha: float = 0.05, seed: int = 1
) -> float:
    """Share of batches that paper 4's test would call consistent (Kendall's F, Benjamini-Hochberg), simulated.

    Args:
        raters, images: of a batch; correlation: of two raters' latent ratings, cut into five levels.
    """
    from photojury.analysis.consistency import adjusted

    if not 0 <= correlation < 1 or raters < 2 or images < 3:
        raise InputError("a power needs two raters, three images and a correlation from 0 to under 1")
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(batches, 1, images)) * math.sqrt(correlation)
    latent = common + rng.normal(size=(batches, raters, images)) * math.sqrt(1 - correlation)
    levels = np.searchsorted(stats.norm.ppf([0.1, 0.3, 0.7, 0.9]), latent)
    centred = stats.rankdata(levels, axis=2) - (images + 1) / 2
    own = (centred**2).sum(axis=(1, 2))
    w = (centred.sum(axis=1) ** 2).sum(axis=1) / (raters * np.where(own > 0, own, 1))
    one = images - 1 - 2 / raters
    p = stats.f.sf((raters - 1) * w / np.maximum(1 - w, 1e-12), one, (raters - 1) * one)
    return float((adjusted(np.asarray(p, dtype=np.float64), "bh") <= alpha).mean())


def cost(
    assignments: int, *, reward_cents: int, assignments_a_hit: int = 1, fees: Fees | None = None
) -> tuple[int, int]:
    """Rewards and fees of so many assignments, in cents.

    The fee is counted for each assignment and rounded half up to the cent, as photojury.datasets.money does.
    """
    fees = fees or Fees()
    share = fees.share + (fees.more if assignments_a_hit >= fees.more_from else 0.0)
    fee = max(fees.least_cents, math.floor(reward_cents * share + 0.5 + 1e-9))
    return assignments * reward_cents, assignments * fee


def precision_table(
    *, scale: tuple[float, float], raters: tuple[int, ...] = (3, 5, 10, 15, 24, 40), sos: float = SOS
) -> pd.DataFrame:
    """What each number of ratings an image gives at the middle of the scale, where the spread is widest.

    Returns:
        raters, standard_error, half_width (95 %, t), half_width_normal.
    """
    sigma = spread(scale, sum(scale) / 2, sos=sos)
    n = np.asarray(raters, dtype=np.float64)
    error = sigma / np.sqrt(n)
    return pd.DataFrame(
        {
            "raters": raters,
            "standard_error": error,
            "half_width": stats.t.ppf(0.975, n - 1) * error,
            "half_width_normal": stats.norm.ppf(0.975) * error,
        }
    )


def _power(n: int, p: float, alpha: float) -> float:
    # Two-sided and symmetric: the largest tail that half of alpha allows.
    critical = int(stats.binom.isf(alpha / 2, n, 0.5)) + 1
    return float(stats.binom.sf(critical - 1, n, p) + stats.binom.cdf(n - critical, n, p))
