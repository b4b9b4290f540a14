"""The rater panel: everything that a study leader should see of each rater, with its n, and no verdict.

Takes in one task's ratings or comparisons in the order they were given; gives out one row per rater (`panel`), the
side bias of comparisons (`side_bias`), and control charts (`drift`). Which of these speak against a rater is for
`annotate`'s screening to say, by rules that stand in study.toml; straight lines and variability within a person alone
did no better than chance in five experiments (Goldammer et al. 2024), times and agreement did.

    >>> import pandas as pd
    >>> rows = [("x", "a", 1.0, 900), ("x", "b", 1.0, 800), ("y", "a", 2.0, 4000), ("y", "b", 3.0, 6000)]
    >>> ratings = pd.DataFrame(rows, columns=["rater_id", "image_id", "value", "milliseconds"])
    >>> panel(ratings)[["rater_id", "n", "median_seconds", "share_fast", "modal_share"]].values.tolist()
    [['x', 2, 0.85, 1.0, 1.0], ['y', 2, 5.0, 0.0, 0.5]]
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from photojury.analysis import rater_agreement
from photojury.analysis import votes as votes_module
from photojury.analysis.consistency import adjusted
from photojury.analysis.scores import recovery
from photojury.analysis.votes import Votes
from photojury.errors import InputError, require_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FAST_SECONDS = 1.0
"""Below a second an item consistency collapses (Wood et al. 2017)."""
EWMA = 0.2
"""Weight of the newest residual in the drift chart; limits are at 3 standard deviations (Roberts 1959)."""
_MIN_FOR_MODEL = 2


def panel(ratings: pd.DataFrame, *, attribute: str = "overall") -> pd.DataFrame:
    """Figures of each rater over his ratings of one task.

    Args:
        ratings: columns rater_id, image_id, value, in the order given; milliseconds and hit_key where they are known.

    Returns:
        rater_id, n (ratings), hits, median_seconds, share_fast (under a second), share_rushed (under half of the
        task's median), entropy (nats, of his answers), modal_share, extreme_share, middle_share (of
        his answers at the lowest and highest, and halfway between these, of all that anybody gave), longest_run (equal
        answers in a row), flat_hits (share of his HITs of 3 or more with one answer only), with_own, without_own (Spearman with the mean,
        see rater_agreement), bias, inconsistency, inconsistency_low, inconsistency_high (P.910, see
        scores.recovery); sorted by rater_id. What cannot be known is NaN.

    Raises:
        InputError: a missing column or a broken value.
    """
    require_columns(ratings.columns, ["rater_id", "image_id", "value"], "ratings")
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    codes, ids = pd.factorize(votes.frame["rater_id"], sort=True)
    raters = codes.astype(np.int64)
    table = pd.DataFrame({"rater_id": ids, "n": np.bincount(raters, minlength=len(ids))})
    hits, flat_hits = _hits(votes, raters, len(ids))
    table["hits"] = hits
    table = table.join(_times(votes.frame, raters, len(ids)))
    table = table.join(_answers(raters, votes.values, len(ids)))
    table["flat_hits"] = flat_hits
    return table.join(_agreement(votes, raters, len(ids)))


def repeats(ratings: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """How often a rater gives the same answer when a question comes again in one HIT.

    Args:
        ratings: assignment_id, unit_id, rater_id, value, repeats included.
        units: unit_id, repeat_of.

    Returns:
        rater_id, repeats, same (share with the equal answer), mean_change (absolute); only raters with repeats.
    """
    require_columns(ratings.columns, ["assignment_id", "unit_id", "rater_id", "value"], "ratings")
    require_columns(units.columns, ["unit_id", "repeat_of"], "units")
    again = ratings.merge(units.loc[units["repeat_of"].notna(), ["unit_id", "repeat_of"]], on="unit_id")
    first = ratings[["assignment_id", "rater_id", "unit_id", "value"]].rename(
        columns={"unit_id": "repeat_of", "value": "before"}
    )
    both = again.merge(first, on=["assignment_id", "rater_id", "repeat_of"])
    change = (both["value"].astype(float) - both["before"].astype(float)).abs()
    grouped = both.assign(change=change, same=change == 0).groupby("rater_id")
    return grouped.agg(
        repeats=("same", "size"), same=("same", "mean"), mean_change=("change", "mean")
    ).reset_index()


def gold(ratings: pd.DataFrame, units: pd.DataFrame, *, tolerance: float = 0.0) -> pd.DataFrame:
    """How often a rater is right where the answer is known.

    Args:
        ratings: unit_id, rater_id, value, answers to gold questions included.
        units: unit_id, gold (the right answer or null).
        tolerance: how far from the right answer still counts as right.

    Returns:
        rater_id, golds, right (share), low, high (Wilson, 95 %); only raters who met one.
    """
    require_columns(ratings.columns, ["unit_id", "rater_id", "value"], "ratings")
    require_columns(units.columns, ["unit_id", "gold"], "units")
    known = ratings.merge(units.loc[units["gold"].notna(), ["unit_id", "gold"]], on="unit_id")
    known["right"] = (known["value"].astype(float) - known["gold"].astype(float)).abs() <= tolerance + 1e-9
    table = known.groupby("rater_id").agg(golds=("right", "size"), right=("right", "mean")).reset_index()
    low, high = proportion_confint(table["golds"] * table["right"], table["golds"], method="wilson")
    return table.assign(low=low, high=high)


def side_bias(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Whether a rater prefers a side, whatever stands there.

    Args:
        comparisons: rater_id, value (positive: first is better), first_shown_left.

    Returns:
        rater_id, n (answers that chose a side), left (share), p (exact binomial, two-sided), p_adjusted
        (Benjamini-Hochberg over raters); sorted by rater_id.

    Raises:
        InputError: a missing column, or nobody chose a side.
    """
    require_columns(comparisons.columns, ["rater_id", "value", "first_shown_left"], "comparisons")
    chosen = comparisons[comparisons["value"] != 0]
    if chosen.empty:
        raise InputError("comparisons: nobody chose a side")
    left = (chosen["value"] > 0) == chosen["first_shown_left"].astype(bool)
    table = left.groupby(chosen["rater_id"]).agg(["size", "sum"]).reset_index()
    table.columns = pd.Index(["rater_id", "n", "lefts"])
    lefts = table.pop("lefts")
    # With a share of 1/2 both tails are alike, and the exact two-sided p is twice the smaller one.
    p = np.minimum(1.0, 2 * stats.binom.cdf(np.minimum(lefts, table["n"] - lefts), table["n"], 0.5))
    return table.assign(left=lefts / table["n"], p=p, p_adjusted=adjusted(p, "bh"))


def drift(ratings: pd.DataFrame, *, attribute: str = "overall") -> pd.DataFrame:
    """Control charts: does a rater become stricter or milder than the others in the course of the study?

    The exponentially weighted mean of his residuals (rating less the mean of the others' ratings of that image, less
    his own mean residual) leaves limits of 3 s sqrt(lambda / (2 - lambda) (1 - (1 - lambda)^(2 t))). s is taken from
    successive differences (von Neumann 1941), which a slow drift does not widen.

    Args:
        ratings: rater_id, image_id, value; in the order given, or with submitted_at and position_in_hit to sort by.

    Returns:
        rater_id, order (1 for a rater's first), residual, ewma, limit, out (beyond the limit); only ratings of
        images that others rated, and raters with 2 of them or more.

    Raises:
        InputError: a missing column or a broken value.
    """
    require_columns(ratings.columns, ["rater_id", "image_id", "value"], "ratings")
    keys = [name for name in ("submitted_at", "position_in_hit") if name in ratings]
    ratings = ratings[
        [name for name in ("rater_id", "image_id", "value", "attribute", *keys) if name in ratings]
    ]
    votes = votes_module.of_ratings(
        ratings.sort_values(keys, kind="stable") if keys else ratings, attribute=attribute
    )
    n = votes.counts()[votes.codes]
    total = np.bincount(votes.codes, votes.values)[votes.codes]
    codes, ids = pd.factorize(votes.frame["rater_id"], sort=True)
    used = n > 1
    used &= (np.bincount(codes[used], minlength=len(ids)) >= _MIN_FOR_MODEL)[codes]
    order = np.flatnonzero(used)[np.argsort(codes[used], kind="stable")]
    residual = votes.values[order] - (total[order] - votes.values[order]) / (n[order] - 1)
    return _charts(codes[order], ids, residual)


def _charts(raters: NDArray[np.intp], ids: "pd.Index[str]", residual: FloatArray) -> pd.DataFrame:
    """The control charts of residuals that are sorted by rater, each with two or more."""
    sizes = np.bincount(raters, minlength=len(ids))
    first = (np.cumsum(sizes) - sizes)[raters]
    residual = residual - (np.bincount(raters, residual, len(ids)) / np.maximum(sizes, 1))[raters]
    number = np.arange(raters.size) - first + 1
    started = pd.Series(residual).groupby(raters).ewm(alpha=EWMA, adjust=False).mean().to_numpy()
    # It starts at the first residual; a chart starts at its target, 0.
    ewma = started - (1 - EWMA) ** number * residual[first]
    steps = np.diff(residual, prepend=0.0) ** 2 * (number > 1)
    spread = np.sqrt(np.bincount(raters, steps, len(ids)) / np.maximum(sizes - 1, 1) / 2)[raters]
    limit = 3 * spread * np.sqrt(EWMA / (2 - EWMA) * (1 - (1 - EWMA) ** (2 * number)))
    table = pd.DataFrame({"rater_id": ids[raters], "order": number, "residual": residual})
    return table.assign(ewma=ewma, limit=limit, out=np.abs(ewma) > limit)


def _times(frame: pd.DataFrame, raters: IntArray, count: int) -> pd.DataFrame:
    names = ("median_seconds", "share_fast", "share_rushed")
    if "milliseconds" not in frame:
        return pd.DataFrame(dict.fromkeys(names, np.full(count, np.nan)))
    seconds = pd.to_numeric(frame["milliseconds"]).to_numpy(dtype=np.float64) / 1000
    known = pd.DataFrame({"rater": raters, "seconds": seconds}).dropna()
    median = known["seconds"].median()
    known = known.assign(fast=known["seconds"] < FAST_SECONDS, rushed=known["seconds"] < median / 2)
    grouped = known.groupby("rater").agg(
        median_seconds=("seconds", "median"), share_fast=("fast", "mean"), share_rushed=("rushed", "mean")
    )
    return grouped.reindex(range(count))


def _answers(raters: IntArray, values: FloatArray, count: int) -> pd.DataFrame:
    said, levels = pd.factorize(values, sort=True)
    table = np.bincount(raters * levels.size + said, minlength=count * levels.size).reshape(
        count, levels.size
    )
    shares = table / table.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(shares > 0, shares * np.log(shares), 0.0).sum(axis=1)
    return pd.DataFrame(
        {
            "entropy": entropy,
            "modal_share": shares.max(axis=1),
            "extreme_share": shares[:, [0, -1]].sum(axis=1) if levels.size > 1 else np.nan,
            "middle_share": shares[:, levels == (levels[0] + levels[-1]) / 2].sum(axis=1),
            "longest_run": _longest_runs(raters, said, count),
        }
    )


def _longest_runs(raters: IntArray, said: NDArray[np.intp], count: int) -> IntArray:
    order = np.argsort(raters, kind="stable")
    who, what = raters[order], said[order]
    new = np.r_[True, (np.diff(who) != 0) | (np.diff(what) != 0)]
    lengths = np.diff(np.r_[np.flatnonzero(new), who.size])
    longest = np.zeros(count, dtype=np.int64)
    np.maximum.at(longest, who[new], lengths)
    return longest


def _hits(votes: Votes, raters: IntArray, count: int) -> tuple[FloatArray, FloatArray]:
    """(count,) HITs of each rater, and the share of his HITs of 3 or more with one answer only."""
    if "hit_key" not in votes.frame:
        return np.full(count, np.nan), np.full(count, np.nan)
    hit, keys = pd.factorize(votes.frame["hit_key"])
    known = hit >= 0
    done, which = pd.factorize(raters[known] * len(keys) + hit[known])
    values, whose = votes.values[known], which // max(1, len(keys))
    first = np.empty(which.size)
    first[done[::-1]] = values[::-1]
    flat = np.bincount(done, values != first[done], which.size) == 0
    long = np.bincount(done, minlength=which.size) >= 3
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.bincount(whose[long], flat[long], count) / np.bincount(whose[long], minlength=count)
    return np.bincount(whose, minlength=count).astype(np.float64), share


def _agreement(votes: Votes, raters: IntArray, count: int) -> pd.DataFrame:
    """The figures that need other raters, in the order of the raters; NaN where there are none."""
    # Codes instead of ids: long ids would be told apart again and again.
    coded = pd.DataFrame({"rater_id": raters, "image_id": votes.codes, "value": votes.values})
    columns = ["bias", "inconsistency", "inconsistency_low", "inconsistency_high"]
    try:
        against = rater_agreement.against_mean(coded).raters[["with_own", "without_own"]]
        return against.join(recovery.recover(coded).raters[columns])
    except InputError:  # one rater, or raters who share no image
        return pd.DataFrame(np.nan, index=range(count), columns=["with_own", "without_own", *columns])
