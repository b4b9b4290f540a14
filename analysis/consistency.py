"""Batch rater consistency: do the raters of one batch order its images alike (paper 4, section 3)?

Takes in ratings with the batch of each (its HIT), gives out a `Consistency`: one row per batch, one per rater
in a batch, and a summary. Paper 4's text leaves its test open; this is one that holds its level:

1. Within a rater midranks R; u = R - (n+1)/2; z = u / ||u||, and z = 0 for a straight-liner (all images equal).
2. The batch's statistic is the mean over rater pairs of z_r . z_s, the tie-corrected Spearman correlation.
3. Null: the rankings are independent. Each rater's ranks are permuted over the images that he rated, which
   keeps his ties, so the test is exact; p = (1 + #{statistic* >= statistic - 1e-9}) / (permutations + 1),
   one-sided.
4. Benjamini-Hochberg over batches, Benjamini-Yekutieli beside it. Kendall's W = ||sum u||^2 / (m sum ||u||^2)
   gives a closed form: F = (m-1) W / (1-W) with n-1-2/m and (m-1)(n-1-2/m) degrees of freedom; Friedman's
   chi-square m (n-1) W is valid too, but far too cautious in the tail that Benjamini-Hochberg reads.

Paper 4 reports 98.45 % significant batches at a false discovery rate of 0.05. Agreement as in its own Table 6
predicts 71 % to 84 % under one homogeneous model, so that figure is no target.

    >>> import pandas as pd
    >>> rows = [("h", rater, str(image), image) for rater in "abc" for image in range(8)]
    >>> ratings = pd.DataFrame(rows, columns=["hit_key", "rater_id", "image_id", "value"])
    >>> consistency(ratings, seed=1).batches[["raters", "images", "mean_rho", "p"]].round(6).values.tolist()
    [[3.0, 8.0, 1.0, 1e-05]]
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import batch_variants, bootstrap
from photojury.analysis import votes as votes_module
from photojury.analysis.batch_permutations import permutation_p, permutation_p_with_gaps
from photojury.analysis.batch_variants import VARIANTS, null_variance, pair_p, unit_ranks
from photojury.analysis.votes import Votes
from photojury.errors import InputError, require_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Method = Literal["bh", "by"]

PERMUTATIONS = 9_999
MIN_COMMON = 4
"""Two raters are compared over at least this many images that both rated."""


@dataclass(frozen=True)
class Consistency:
    """Agreement of raters, batch by batch.

    Attributes:
        batches: hit_key, raters, images, straight_liners (raters who gave all images the same value), complete
            (every rater rated every image), mean_rho, w (Kendall's), p, p_kendall_f, p_friedman, p_adjusted
            (Benjamini-Hochberg), significant, reason (why there is no test, else ""). w, p_kendall_f and
            p_friedman are NaN for incomplete batches; all are NaN where there is no test.
        raters: hit_key, rater_id, images, straight_liner, mean_rho (with the others of the batch), rest_rho
            (of the others among themselves); of batches that are not significant also own_p (whether he agrees
            with the others: his own answers permuted, 999 times) and rest_p (whether they agree without him:
            Kendall's F; NaN with gaps): see odd_raters.
        pairs: hit_key, rho, images (in common): one row per pair of raters.
        alpha: false discovery rate.
        permutations, seed: of the permutation test; with 0 permutations p is p_kendall_f.
    """

    batches: pd.DataFrame
    raters: pd.DataFrame
    pairs: pd.DataFrame
    alpha: float
    permutations: int
    seed: int

    def share_significant(self) -> float:
        """Share of the tested batches that are significant after Benjamini-Hochberg; NaN without any."""
        tested = self.batches[self.batches["p"].notna()]
        return float(tested["significant"].mean()) if len(tested) else float("nan")

    def summary(self) -> pd.DataFrame:
        """The batches in one table, with the variants of the test.

        Returns:
            measure, value, low, high (95 %: Wilson's for shares, batch bootstrap for means and medians; else
            NaN), n (batches; pairs of raters for pair_share, raters for straight_liners), note. The measures
            significant_bh .. significant_twice_mean_p are shares of batches.
        """
        tested = self.batches[self.batches["p"].notna()]
        complete = tested[tested["w"].notna()]
        p = self.variants()
        return pd.DataFrame(
            [
                self._share("significant_bh", tested["p"], "bh", "permutation test, Benjamini-Hochberg"),
                self._share("significant_by", tested["p"], "by", "the same, Benjamini-Yekutieli"),
                *(
                    self._share(f"significant_{name}", p[name].dropna(), "bh", note)
                    for name, note in VARIANTS.items()
                ),
                self._share(
                    "pair_share", pair_p(self.pairs), "bh", "single pairs of raters, t approximation"
                ),
                self._centre(
                    "mean_rho", np.mean, tested["mean_rho"], "mean Spearman correlation of two raters"
                ),
                self._centre("median_rho", np.median, tested["mean_rho"], "the same, median batch"),
                self._centre("mean_w", np.mean, complete["w"], "Kendall's coefficient of concordance"),
                self._centre("median_w", np.median, complete["w"], "the same, median batch"),
                _row("pooled_z", _pooled_z(complete), len(complete), "of all mean correlations against none"),
                _row("null_share", _storey(tested["p"]), len(tested), "Storey's pi0 at 0.5: no agreement"),
                _row(
                    "straight_liners",
                    float(self.batches["straight_liners"].sum()),
                    int(self.batches["raters"].sum()),
                    "raters in batches who gave all images the same value",
                ),
            ]
        )

    def variants(self) -> pd.DataFrame:
        """The p of each batch by every variant of the test: see `batch_variants`."""
        return batch_variants.variants(self.batches, self.pairs)

    def odd_raters(self) -> pd.DataFrame:
        """The odd one in each batch that was tested and is not significant: whose own_p is the largest.

        Returns:
            hit_key, rater_id, mean_rho, rest_rho, own_p, rest_p, to_blame (he does not agree with the others at
            alpha, and without him they do, at alpha over the number of raters, since any could have been the
            odd one); where nobody is to blame the batch just has no order, or too few raters to show it.
        """
        table = self.raters[self.raters["own_p"].notna()]
        table = table.assign(order=-table["own_p"]).sort_values(["hit_key", "order", "mean_rho"])
        table = table.drop_duplicates("hit_key").reset_index(drop=True)
        names = ["hit_key", "rater_id", "mean_rho", "rest_rho", "own_p", "rest_p"]
        raters = self.batches.set_index("hit_key")["raters"].reindex(table["hit_key"]).to_numpy()
        to_blame = (table["own_p"] > self.alpha) & (raters * table["rest_p"] <= self.alpha)
        return table[names].assign(to_blame=to_blame)

    def _share(self, measure: str, p: "pd.Series[float]", method: Method, note: str) -> dict[str, object]:
        if p.empty:
            return _row(measure, np.nan, 0, note)
        found = int((adjusted(np.asarray(p, dtype=np.float64), method) <= self.alpha).sum())
        share = stats.binomtest(found, len(p)).proportion_ci(method="wilson")
        return _row(measure, found / len(p), len(p), note, float(share.low), float(share.high))

    def _centre(
        self, measure: str, centre: Callable[[FloatArray], float], values: "pd.Series[float]", note: str
    ) -> dict[str, object]:
        if values.empty:
            return _row(measure, np.nan, 0, note)
        estimate = bootstrap.interval(centre, values.to_numpy(), seed=self.seed)
        return _row(measure, estimate.value, len(values), note, estimate.low, estimate.high)


def consistency(
    ratings: pd.DataFrame,
    *,
    seed: int,
    attribute: str = "overall",
    alpha: float = 0.05,
    permutations: int = PERMUTATIONS,
) -> Consistency:
    """Test each batch for agreement among its raters.

    Args:
        ratings: columns hit_key, rater_id, image_id, value (and attribute, where there are several). A rater's
            several ratings of one image in one batch count as their mean.
        seed: of the permutations.
        attribute: the attribute that is read.
        alpha: false discovery rate, in (0, 1).
        permutations: per batch; batches with p below 10 / permutations get ten times as many (99,999), unless
            there are more than 1,000 of one size. 0 takes Kendall's F for p, in a tenth of the time: its size is 0.0502 at 0.05, 0.0104 at 0.01
            and 0.0012 at 0.001, batches in which somebody left an image out are not tested, and odd_raters is empty.

    Raises:
        InputError: a missing column, no row of a batch, a missing or infinite value, an impossible alpha.
    """
    require_columns(ratings.columns, ["hit_key", "rater_id", "image_id", "value"], "ratings")
    if not 0 < alpha < 1 or permutations < 0:
        raise InputError(f"alpha must lie in (0, 1) and permutations be 0 or more: {alpha}, {permutations}")
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    blocks = _blocks(votes)
    found = [_judge(block, seed, permutations) for block in blocks]
    batches, raters, pairs = (pd.concat([part[number] for part in found]) for number in range(3))
    p_adjusted = adjusted(np.asarray(batches["p"], dtype=np.float64), "bh")
    reason = batches.pop("reason")
    batches = batches.assign(p_adjusted=p_adjusted, significant=p_adjusted <= alpha, reason=reason)
    failed = batches["p"].notna().to_numpy() & ~(p_adjusted <= alpha)
    raters = raters.assign(**_odd(blocks, failed if permutations else np.zeros_like(failed), seed))
    # Within a batch the raters are in order already.
    numbers = np.concatenate([block.numbers for block in blocks])
    of_rater = np.concatenate([np.repeat(block.numbers, block.raters.shape[1]) for block in blocks])
    return Consistency(
        batches.iloc[np.argsort(numbers)].reset_index(drop=True),
        raters.iloc[np.argsort(of_rater, kind="stable")].reset_index(drop=True),
        pairs.reset_index(drop=True),
        alpha,
        permutations,
        seed,
    )


def adjusted(p: FloatArray, method: Method = "bh") -> FloatArray:
    """p values adjusted for a false discovery rate (bh: Benjamini and Hochberg 1995; by: and Yekutieli 2001).

    NaN stays NaN and counts as no test.
    """
    known = np.isfinite(p)
    result = np.full(p.shape, np.nan)
    if known.any():
        result[known] = stats.false_discovery_control(p[known], method=method)
    return result


@dataclass(frozen=True)
class _Block:
    """Batches of one size: their numbers, keys, raters (batches, m), and values (batches, m, n), NaN where unrated."""

    numbers: IntArray
    keys: "pd.Index[str]"
    raters: NDArray[np.object_]
    values: FloatArray


def _blocks(votes: Votes) -> list[_Block]:
    """The batches with the same numbers of raters and images, each together; rows without a batch or rater count not."""
    batch, keys = pd.factorize(votes.frame["hit_key"], sort=True)
    rater, names = pd.factorize(votes.frame["rater_id"], sort=True)
    known = (batch >= 0) & (rater >= 0)
    if not known.any():
        raise InputError("ratings: no row has both a hit_key and a rater_id, so there is no batch to test")
    batch, rater, image, values = batch[known], rater[known], votes.codes[known], votes.values[known]
    seat, who, n_raters = _within(batch * len(names) + rater, len(names), len(keys))
    place, _, n_images = _within(batch * len(votes.items) + image, len(votes.items), len(keys))
    starts = np.cumsum(n_raters) - n_raters
    ids = np.asarray(names, dtype=object)[who]
    blocks = []
    for m, n in sorted(set(zip(n_raters.tolist(), n_images.tolist(), strict=True)) - {(0, 0)}):
        chosen = np.flatnonzero((n_raters == m) & (n_images == n))
        row = np.full(len(keys), -1)
        row[chosen] = np.arange(chosen.size)
        inside = row[batch] >= 0
        cell = (row[batch[inside]] * m + seat[inside]) * n + place[inside]
        cells = chosen.size * m * n
        sums = np.bincount(cell, values[inside], cells).astype(np.float64)
        means = _ratio(sums, np.bincount(cell, minlength=cells))
        who_rated = ids[starts[chosen][:, None] + np.arange(m)]
        blocks.append(_Block(chosen, keys[chosen], who_rated, means.reshape(chosen.size, m, n)))
    return blocks


def _within(keys: IntArray, span: int, batches: int) -> tuple[IntArray, IntArray, IntArray]:
    """Number what a batch holds: for keys batch * span + code the number of each code within its batch, the codes in
    that order, and how many each batch has."""
    codes, distinct = pd.factorize(keys, sort=True)
    sizes = np.bincount(distinct // span, minlength=batches)
    return codes - (np.cumsum(sizes) - sizes)[keys // span], distinct % span, sizes


def _judge(block: _Block, seed: int, permutations: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The rows of one block for `batches`, `raters` and `pairs`."""
    values = block.values
    batches, m, n = values.shape
    rho, common = _correlations(values)
    upper = np.triu_indices(m, 1)
    pair_rho, pair_common = rho[:, *upper], common[:, *upper]
    compared = pair_common >= MIN_COMMON
    straight = np.nanmax(values, axis=2) == np.nanmin(values, axis=2)
    mean_rho = _ratio(np.where(compared, pair_rho, 0).sum(axis=1), compared.sum(axis=1))
    testable = (compared & ~straight[:, upper[0]] & ~straight[:, upper[1]]).any(axis=1)
    untold = f"no two raters with {MIN_COMMON} images in common and more than one value each"
    reason = np.where(testable, "", untold).astype(object)
    complete = np.asarray(np.isfinite(values).all(axis=(1, 2)))
    tests = {name: np.full(batches, np.nan) for name in ("w", "p", "p_kendall_f", "p_friedman")}
    whole = np.flatnonzero(testable & complete)
    gaps = np.flatnonzero(testable & ~complete)
    if whole.size:
        for name, column in _concordance(values[whole]).items():
            tests[name][whole] = column
    if not permutations:
        tests["p"] = tests["p_kendall_f"].copy()
        reason[gaps] = "not everybody rated every image, which only permutations test"
    elif whole.size:
        tests["p"][whole] = permutation_p(values[whole], seed, permutations)
    for row in gaps if permutations else gaps[:0]:
        tests["p"][row] = permutation_p_with_gaps(values[row], MIN_COMMON, seed, permutations)
    table = pd.DataFrame({"hit_key": block.keys, "raters": m, "images": n})
    table = table.assign(straight_liners=straight.sum(axis=1), complete=complete)
    table = table.assign(mean_rho=np.where(testable, mean_rho, np.nan), **tests, reason=reason)
    pairs = pd.DataFrame(
        {
            "hit_key": np.repeat(block.keys, len(upper[0])),
            "rho": pair_rho.ravel(),
            "images": pair_common.ravel(),
        }
    )
    return table, _raters(block, rho, common, straight), pairs[compared.ravel()]


def _raters(
    block: _Block, rho: FloatArray, common: NDArray[np.int64], straight: NDArray[np.bool_]
) -> pd.DataFrame:
    m = rho.shape[1]
    used = (common >= MIN_COMMON) & ~np.eye(m, dtype=bool)
    sums, counts = np.where(used, rho, 0).sum(axis=2), used.sum(axis=2)
    # All pairs less his own; each pair stands twice in the sums over raters.
    rest = sums.sum(axis=1, keepdims=True) / 2 - sums
    rest_counts = counts.sum(axis=1, keepdims=True) / 2 - counts
    return pd.DataFrame(
        {
            "hit_key": np.repeat(block.keys, m),
            "rater_id": block.raters.ravel(),
            "images": np.isfinite(block.values).sum(axis=2).ravel(),
            "straight_liner": straight.ravel(),
            "mean_rho": _ratio(sums, counts).ravel(),
            "rest_rho": _ratio(rest, rest_counts).ravel(),
        }
    )


def _odd(blocks: list[_Block], failed: NDArray[np.bool_], seed: int) -> dict[str, FloatArray]:
    """own_p and rest_p of each rater, in the order of the blocks; NaN but for the batches that failed."""
    found: dict[str, list[FloatArray]] = {"own_p": [], "rest_p": []}
    ends = np.cumsum([len(block.keys) for block in blocks])
    for block, of_block in zip(blocks, np.split(failed, ends[:-1]), strict=True):
        chosen = np.flatnonzero(of_block)
        whole = chosen[np.isfinite(block.values[chosen]).all(axis=(1, 2))]
        own, rest = np.full((2, *block.raters.shape), np.nan)
        if whole.size:
            own[whole] = batch_variants.own_p(block.values[whole], seed)
            rest[whole] = batch_variants.rest_p(block.values[whole])
        for batch in np.setdiff1d(chosen, whole):
            own[batch] = batch_variants.own_p_with_gaps(block.values[batch], MIN_COMMON, seed)
        found["own_p"].append(own.ravel())
        found["rest_p"].append(rest.ravel())
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _correlations(values: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """(batches, m, m) Spearman correlations over the images in common (0 for a straight-liner), and their number."""
    rated = np.isfinite(values)
    common = (rated.astype(np.float64) @ rated.transpose(0, 2, 1)).astype(np.int64)
    z = unit_ranks(np.nan_to_num(values))
    rho = z @ z.transpose(0, 2, 1)
    for batch in np.flatnonzero(~rated.all(axis=(1, 2))):
        for i, j in np.ndindex(rho.shape[1:]):
            both = rated[batch, i] & rated[batch, j]
            pair = unit_ranks(values[batch][[i, j]][:, both]) if both.any() else np.zeros((2, 1))
            rho[batch, i, j] = pair[0] @ pair[1]
    return rho, common


def _concordance(values: FloatArray) -> dict[str, FloatArray]:
    """Kendall's W of complete batches with its F test, and Friedman's chi-square test."""
    _, m, n = values.shape
    u = stats.rankdata(values, axis=2) - (n + 1) / 2
    w = np.minimum(np.square(u.sum(axis=1)).sum(axis=1) / (m * np.square(u).sum(axis=(1, 2))), 1.0)
    df = n - 1 - 2 / m
    f = np.where(w < 1, (m - 1) * w / np.where(w < 1, 1 - w, 1), np.inf)
    return {
        "w": w,
        "p_kendall_f": stats.f.sf(f, df, (m - 1) * df),
        "p_friedman": stats.chi2.sf(m * (n - 1) * w, n - 1),
    }


def _pooled_z(complete: pd.DataFrame) -> float:
    """Sum of the complete batches' mean correlations over its exact null standard deviation."""
    variance = null_variance(complete)
    return float(complete["mean_rho"].sum() / np.sqrt(variance.sum())) if len(complete) else float("nan")


def _storey(p: "pd.Series[float]") -> float:
    return min(1.0, float((p > 0.5).mean() / 0.5)) if len(p) else float("nan")


def _ratio(above: FloatArray, below: NDArray[np.number], *, empty: float = np.nan) -> FloatArray:
    return np.where(below > 0, above / np.where(below > 0, below, 1), empty)


def _row(
    measure: str, value: float, n: int, note: str, low: float = np.nan, high: float = np.nan
) -> dict[str, object]:
    return {"measure": measure, "value": value, "low": low, "high": high, "n": n, "note": note}
