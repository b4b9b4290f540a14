"""Other tests of a batch's agreement, beside the one of `consistency`; and which of its raters is the odd one.

Takes in the tables and arrays that `consistency` makes of its batches; gives out a p for each batch and variant, or for
each rater of a batch. The variants are here to be compared with, since papers use them and name none of their flaws:

| variant | what | size at .05, .01, .001 of 5 raters and 10 images |
| --- | --- | --- |
| permutation | the default of `consistency` | as nominal |
| kendall_f | Kendall's W, F with n - 1 - 2 / m and (m - 1) times as many degrees of freedom | .050 .010 .0012 |
| iman_davenport | the same F with n - 1 and (m - 1)(n - 1) (Iman and Davenport 1980) | .053 .012 .0011 |
| friedman | m (n - 1) W against chi-square | .033 .003 .00004: too cautious where it matters |
| normal | mean correlation over its exact null deviation | .065 .021 .0045 |
| fisher | -2 sum log p of the pairs (Fisher 1932), as if pairs were independent | .057 .016 .003 |
| stouffer | sum of the pairs' z over sqrt(pairs) (Stouffer et al. 1949), likewise | .065 .021 .005 |
| min_p_bonferroni | the smallest p of a pair, times the pairs: whether some pair agrees | .05 .012 .002 |
| min_p | the smallest p of a pair as it stands | .41 .10 .013: no test |
| mean_p | the mean p of the pairs | 0 0 0: no power |
| twice_mean_p | twice that, which is a p (Rueger 1978) | 0 0 0: no power |

    >>> import pandas as pd
    >>> batch = pd.DataFrame({"hit_key": ["h"], "raters": [3], "images": [10], "straight_liners": [0], "w": [0.7]})
    >>> batch = batch.assign(mean_rho=0.5, p=0.01, p_kendall_f=0.01, p_friedman=0.02)
    >>> pairs = pd.DataFrame({"hit_key": ["h"] * 3, "rho": [0.6, 0.5, 0.4], "images": [10] * 3})
    >>> variants(batch, pairs)[["fisher", "stouffer", "mean_p"]].round(4).values.tolist()
    [[0.0125, 0.0051, 0.0766]]
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]

VARIANTS: dict[str, str] = {
    "kendall_f": "Kendall's W, F",
    "iman_davenport": "the same W, F by Iman and Davenport",
    "friedman": "chi-square: too cautious",
    "normal": "mean correlation as normal: too bold",
    "fisher": "Fisher's sum over pairs as if independent: too bold",
    "stouffer": "Stouffer's sum over pairs as if independent: too bold",
    "min_p_bonferroni": "best pair, Bonferroni: whether some pair agrees",
    "min_p": "best pair as it stands: no test, half of all noise passes",
    "mean_p": "mean p of the pairs: no power",
    "twice_mean_p": "twice the mean p of the pairs, which is a p: no power",
}
"""Each variant with what to know of it."""

OWN_PERMUTATIONS = 999
TOLERANCE = 1e-9
"""Statistics this near to each other count as equal, since sums in another order differ in their last digits."""


def variants(batches: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The p of each batch by every variant.

    Args:
        batches: of `consistency`: hit_key, raters, images, straight_liners, w, mean_rho, p, p_kendall_f, p_friedman.
        pairs: of `consistency`: hit_key, rho, images.

    Returns:
        hit_key, permutation, and a column for each of VARIANTS; NaN where there is no test, and for those that
        need complete batches.
    """
    table = pd.DataFrame({"hit_key": batches["hit_key"], "permutation": batches["p"]})
    table = table.assign(kendall_f=batches["p_kendall_f"], iman_davenport=_iman_davenport(batches))
    table = table.assign(friedman=batches["p_friedman"], normal=_normal(batches))
    tested = batches["p"].notna().to_numpy()
    return table.assign(**{name: p.where(tested) for name, p in _of_pairs(batches, pairs).items()})


def pair_p(pairs: pd.DataFrame) -> "pd.Series[float]":
    """One-sided p of each pair's correlation by Student's t with n - 2 degrees of freedom."""
    rho = pairs["rho"].clip(-1 + 1e-12, 1 - 1e-12)
    degrees = pairs["images"] - 2
    return pd.Series(
        stats.t.sf(rho * np.sqrt(degrees / (1 - rho**2)), degrees), pairs.index, dtype=np.float64
    )


def null_variance(batches: pd.DataFrame) -> "pd.Series[float]":
    """Variance of a complete batch's mean correlation if nobody agreed, exact under ties; NaN with gaps.

    Of C(m, 2) pairs those of straight-liners are 0 for certain; the others vary by 1 / (n - 1) and are uncorrelated.
    """
    free = batches["raters"] - batches["straight_liners"]
    every = batches["raters"] * (batches["raters"] - 1) / 2
    variance = free * (free - 1) / 2 / (batches["images"] - 1) / every**2
    return variance.where(batches["w"].notna() & (variance > 0))


def own_p(values: FloatArray, seed: int) -> FloatArray:
    """(batches, m) p of each rater's agreement with the others, his own answers permuted (after Legendre 2005).

    Args:
        values: (batches, m, n) ratings, none missing.
        seed: of the permutations, of which there are 999.
    """
    n = values.shape[2]
    z = unit_ranks(values)
    others = z.sum(axis=1, keepdims=True) - z
    observed = (z * others).sum(axis=2) - TOLERANCE
    generator = np.random.default_rng([seed, n, OWN_PERMUTATIONS])
    as_large = np.zeros(observed.shape, dtype=np.int64)
    for _ in range(OWN_PERMUTATIONS):
        as_large += np.einsum("bmn,bmn->bm", z[:, :, generator.permutation(n)], others) >= observed
    return np.asarray((1 + as_large) / (OWN_PERMUTATIONS + 1), dtype=np.float64)


def own_p_with_gaps(values: FloatArray, least: int, seed: int) -> FloatArray:
    """(m,) the same for one batch with gaps: (m, n) ratings, NaN where unrated.

    The statistic is the mean correlation with the others over the images in common, of which there must be `least`.
    """
    rated = np.isfinite(values)
    generator = np.random.default_rng([seed, *values.shape, OWN_PERMUTATIONS])
    found = np.full(len(values), np.nan)
    for rater in range(len(values)):
        rows = np.tile(values[rater], (OWN_PERMUTATIONS + 1, 1))  # as it was in the first row, then shuffled
        rows[1:, rated[rater]] = generator.permuted(rows[1:, rated[rater]], axis=1)
        partners = [other for other in range(len(values)) if other != rater]
        common = [(other, rated[rater] & rated[other]) for other in partners]
        rho = [
            unit_ranks(rows[:, both]) @ unit_ranks(values[other, both])
            for other, both in common
            if both.sum() >= least
        ]
        if rho:
            total = np.sum(rho, axis=0)
            found[rater] = (total >= total[0] - TOLERANCE).mean()
    return found


def rest_p(values: FloatArray) -> FloatArray:
    """(batches, m) p of the others' agreement among themselves without each rater, by Kendall's W and F.

    Args:
        values: (batches, m, n) ratings, none missing; for m = 2 nobody is left to agree, and all is NaN.
    """
    batches, m, n = values.shape
    if m < 3:
        return np.full((batches, m), np.nan)
    u = stats.rankdata(values, axis=2) - (n + 1) / 2
    own = np.square(u).sum(axis=2)
    left = np.square(u.sum(axis=1, keepdims=True) - u).sum(axis=2)
    spread = (m - 1) * (own.sum(axis=1, keepdims=True) - own)
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.minimum(left / spread, 1.0)
        df = n - 1 - 2 / (m - 1)
        return np.asarray(stats.f.sf((m - 2) * w / (1 - w), df, (m - 2) * df), dtype=np.float64)


def unit_ranks(values: FloatArray) -> FloatArray:
    """Midranks along the last axis, centred, of length 1; zeros where all values are the same."""
    centred = stats.rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return np.asarray(centred / np.where(length > 0, length, 1.0), dtype=np.float64)


def _iman_davenport(batches: pd.DataFrame) -> FloatArray:
    m, n, w = (batches[name].to_numpy(dtype=np.float64) for name in ("raters", "images", "w"))
    with np.errstate(divide="ignore"):
        return np.asarray(stats.f.sf((m - 1) * w / (1 - w), n - 1, (m - 1) * (n - 1)), dtype=np.float64)


def _normal(batches: pd.DataFrame) -> FloatArray:
    return np.asarray(stats.norm.sf(batches["mean_rho"] / np.sqrt(null_variance(batches))), dtype=np.float64)


def _of_pairs(batches: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, "pd.Series[float]"]:
    p = pair_p(pairs)
    z = pd.Series(stats.norm.isf(p), p.index)
    sums = pd.DataFrame({"log": np.log(p), "z": z, "p": p}).groupby(pairs["hit_key"]).sum()
    count = pairs.groupby("hit_key").size()
    smallest = p.groupby(pairs["hit_key"]).min()
    found = {
        "fisher": pd.Series(stats.chi2.sf(-2 * sums["log"], 2 * count), count.index),
        "stouffer": pd.Series(stats.norm.sf(sums["z"] / np.sqrt(count)), count.index),
        "min_p_bonferroni": (smallest * count).clip(upper=1.0),
        "min_p": smallest,
        "mean_p": sums["p"] / count,
        "twice_mean_p": (2 * sums["p"] / count).clip(upper=1.0),
    }
    return {
        name: column.reindex(batches["hit_key"]).set_axis(batches.index) for name, column in found.items()
    }
