"""A rater against the mean of the raters: how well one person's ratings follow everybody's (paper 4, Table 6).

Takes in ratings, gives out one row per rater and one per workload tier. Paper 4 correlates a rater with a mean that
contains his own rating, which gives even pure noise a correlation; so every figure stands here twice, with the
rater's own vote in the mean and without, beside the floor that noise would reach.

With k raters an image whose ratings correlate at r (parallel raters):

- with the own vote: sqrt((1 + (k - 1) r) / k); without: sqrt(k - 1) r / sqrt(1 + (k - 2) r);
- noise among raters who agree at r: 1 / sqrt(k + (k - 1) (k - 2) r), which is 1 / sqrt(k) where nobody agrees.

    >>> round(noise_floor(5, 0.365), 3), round(expected_with_own(5, 0.365), 3)
    (0.327, 0.701)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import votes as votes_module
from photojury.errors import InputError, require_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TIERS = (0, 100, 200)
"""Batches done, above which paper 4's tiers begin; each contains the next."""
MIN_IMAGES = 4
"""Fewer images have no rank correlation worth a number."""


@dataclass(frozen=True)
class AgainstMean:
    """Raters against the mean rating.

    Attributes:
        raters: rater_id, n (images shared with others), batches, with_own, without_own (Spearman, ties by mean
            ranks; NaN for fewer than 4 images or a straight-liner), raters_an_image (mean), p (one-sided, of
            without_own, t approximation).
        tiers: more_than (batches), raters, with_own, without_own (unweighted means over raters, as paper 4's),
            with_own_low .. without_own_high (95 %; raters of the same images are not independent, and the interval
            allows for that), pair_correlation (implied by with_own),
            floor (what a rater of pure noise would have with his own vote in the mean), n (ratings).
    """

    raters: pd.DataFrame
    tiers: pd.DataFrame


def against_mean(
    ratings: pd.DataFrame, *, attribute: str = "overall", tiers: Sequence[int] = TIERS
) -> AgainstMean:
    """Correlate each rater with the mean of all and with the mean of the others, over the images that he rated.

    Args:
        ratings: columns image_id, rater_id, value; hit_key for the tiers (without it a rater has no batches).
        tiers: numbers of batches; a tier holds the raters with more.

    Raises:
        InputError: a missing column, a broken value, or nobody who shares images with others.
    """
    require_columns(ratings.columns, ["image_id", "rater_id", "value"], "ratings")
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    codes, ids = pd.factorize(votes.frame["rater_id"], sort=True)
    raters = codes.astype(np.int64)
    if len(ids) < 2:
        raise InputError("there is one rater only, so nobody can be held against the others")
    n = votes.counts()[votes.codes]
    shared = n > 1
    if not shared.any():
        raise InputError("no image has two raters, so nobody can be held against the others")
    if len(votes.items) < MIN_IMAGES:
        raise InputError(f"rank correlations need {MIN_IMAGES} images or more, not {len(votes.items)}")
    total = np.bincount(votes.codes, votes.values)[votes.codes]
    table = pd.DataFrame({"rater_id": ids})
    table["n"] = np.bincount(raters[shared], minlength=len(ids))
    table["batches"] = _batches(votes.frame, raters, len(ids))
    who, own = raters[shared], _ranks(raters[shared], votes.values[shared])
    means = {
        "with_own": _ranks(who, (total / n)[shared]),
        "without_own": _ranks(who, (total - votes.values)[shared] / (n - 1)[shared]),
    }
    for name, mean in means.items():
        table[name] = _correlations(who, own, mean, len(ids))
    if table["without_own"].isna().all():
        raise InputError(
            f"no rater gave two different ratings to {MIN_IMAGES} images or more that others rated, too"
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        table["raters_an_image"] = np.bincount(raters[shared], n[shared], len(ids)) / table["n"]
        t = table["without_own"] * np.sqrt((table["n"] - 2) / (1 - table["without_own"] ** 2))
    table["p"] = stats.t.sf(t, np.maximum(table["n"] - 2, 1))
    parts = {name: _parts(who, own, mean, table[name].to_numpy()) for name, mean in means.items()}
    rows = [_tier(table, more_than, votes.codes[shared], who, parts) for more_than in tiers]
    return AgainstMean(table, pd.DataFrame(rows))


def expected_with_own(k: float, r: float) -> float:
    """Correlation of a rating with the mean of k that contains it, where ratings correlate at r."""
    return float(np.sqrt((1 + (k - 1) * r) / k))


def expected_without_own(k: float, r: float) -> float:
    """Correlation of a rating with the mean of the k - 1 others, where ratings correlate at r."""
    return float(np.sqrt(k - 1) * r / np.sqrt(1 + (k - 2) * r))


def noise_floor(k: float, r: float) -> float:
    """Correlation of pure noise with the mean of k that contains it, beside k - 1 raters who correlate at r."""
    return float(1 / np.sqrt(k + (k - 1) * (k - 2) * max(r, 0.0)))


def pair_correlation(k: float, with_own: float) -> float:
    """The correlation of two raters that a correlation with a mean of k, own vote included, implies."""
    return (k * with_own**2 - 1) / (k - 1)


def _tier(
    table: pd.DataFrame, more_than: int, images: IntArray, who: IntArray, parts: dict[str, FloatArray]
) -> dict[str, object]:
    chosen = ((table["batches"] > more_than) & table["without_own"].notna()).to_numpy()
    inside = table[chosen]
    row: dict[str, object] = {"more_than": more_than, "raters": len(inside)}
    for name, errors in parts.items():
        values = inside[name].to_numpy(dtype=np.float64)
        mean = float(values.mean()) if values.size else float("nan")
        reach = float("nan")
        if values.size > 1:
            rows = chosen[who]
            variance = _variance(values, images[rows], who[rows], errors[rows])
            reach = float(stats.t.ppf(0.975, values.size - 1) * np.sqrt(variance))
        row |= {name: mean, f"{name}_low": mean - reach, f"{name}_high": mean + reach}
    if not len(inside):
        return {**row, "pair_correlation": float("nan"), "floor": float("nan"), "n": 0}
    k = float(np.average(inside["raters_an_image"], weights=inside["n"]))
    r = pair_correlation(k, float(inside["with_own"].mean()))
    return {**row, "pair_correlation": r, "floor": noise_floor(k, r), "n": int(inside["n"].sum())}


def _parts(groups: IntArray, a: FloatArray, b: FloatArray, rho: FloatArray) -> FloatArray:
    """Each rating's part in the error of its rater's correlation (the influence function of a correlation, over n)."""
    n = np.maximum(np.bincount(groups, minlength=rho.size), 1)
    a, b = (x - (np.bincount(groups, x, rho.size) / n)[groups] for x in (a, b))
    a, b = (x / np.sqrt(np.maximum(np.bincount(groups, x**2, rho.size) / n, 1e-300))[groups] for x in (a, b))
    found: FloatArray = np.nan_to_num((a * b - rho[groups] * (a**2 + b**2) / 2) / n[groups])
    return found


def _variance(values: FloatArray, images: IntArray, who: IntArray, errors: FloatArray) -> float:
    """Variance of the mean of raters' correlations: what the images bring, which all their raters share, and by how much
    more the raters differ than their own few images would let them."""
    of_image = np.bincount(images, errors) / values.size
    of_rater = np.bincount(who, errors**2) / values.size**2
    more = float(values.var(ddof=1)) / values.size - float(of_rater.sum())
    return float(of_image @ of_image) + max(0.0, more)


def _batches(frame: pd.DataFrame, raters: IntArray, count: int) -> IntArray:
    if "hit_key" not in frame:
        return np.zeros(count, dtype=np.int64) + 1
    hits = pd.factorize(frame["hit_key"])[0] + 1  # ratings without a HIT are a batch of their own
    both = pd.unique(raters * (int(hits.max(initial=0)) + 1) + hits)
    return np.bincount(both // (int(hits.max(initial=0)) + 1), minlength=count).astype(np.int64)


def _correlations(groups: IntArray, a: FloatArray, b: FloatArray, count: int) -> FloatArray:
    """(count,) correlation of two numbers within each group; NaN for fewer than 4, and where all are equal."""
    sizes = np.bincount(groups, minlength=count)
    a, b = (x - (np.bincount(groups, x, count) / np.maximum(sizes, 1))[groups] for x in (a, b))
    cross, aa, bb = (np.bincount(groups, x, count) for x in (a * b, a * a, b * b))
    known = (sizes >= MIN_IMAGES) & (aa > 0) & (bb > 0)
    return np.where(known, cross / np.sqrt(np.where(known, aa * bb, 1.0)), np.nan)


def _ranks(groups: IntArray, values: FloatArray) -> FloatArray:
    """Mean ranks of values within their groups, up to a number that each group has in common."""
    level, levels = pd.factorize(values, sort=True)
    tie, _ = pd.factorize(groups * len(levels) + level, sort=True)
    sizes = np.bincount(tie)
    ranks: FloatArray = (np.cumsum(sizes) - (sizes + 1) / 2)[tie]
    return ranks
