"""How often a forced choice follows the order of a score, by the distance of the two scores (paper 2, Table 2).

Takes in forced choices and one score per image, gives out one row per bin of distance, cumulative (the
paper's: all pairs further apart than x) and disjoint. Votes on one pair are not independent, nor are pairs that
share an image; the interval allows for both (see pair_intervals). A bootstrap over pairs allows for the first only:
with ten pairs an image it covers 84 % instead of 95 % (docs/calibration.md).

    >>> import pandas as pd
    >>> choices = pd.DataFrame(
    ...     {"first_id": ["a"] * 4, "second_id": ["b"] * 4, "value": [1.0, 1.0, 1.0, -1.0]}
    ... )
    >>> scores = pd.DataFrame({"image_id": ["a", "b"], "score": [0.5, 0.3]})
    >>> table = agreement_by_distance(choices, scores, seed=1).table
    >>> table[["kind", "low", "n_pairs", "n_votes", "mean", "vote_variance"]].iloc[:1].values.tolist()
    [['cumulative', 0.1, 1, 4, 0.75, 0.1875]]
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from photojury.analysis import bootstrap, pair_intervals
from photojury.analysis import votes as votes_module
from photojury.errors import InputError, require_columns

IntervalKind = Literal["wilson", "bootstrap"]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DISTANCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""The distances of paper 2, Table 2."""


@dataclass(frozen=True)
class Agreement:
    """Agreement by distance.

    Attributes:
        table: one row per bin: kind (cumulative or disjoint), low, high (distance in (low, high]; high is
            inf where open), n_pairs, n_votes, mean (share m of votes for the higher score),
            vote_variance (m (1 - m), what the paper prints as "var"), between_pair_variance (of the
            pairs' own shares, dividing by pairs - 1; it holds the sampling noise of few votes), low_95, high_95;
            NaN in an empty bin.
        tied_pairs: pairs left out because both scores are the same.
        unscored_pairs: pairs left out because an image has no score.
        interval: wilson or bootstrap.
        seed, repeats: of the bootstrap.
    """

    table: pd.DataFrame
    tied_pairs: int
    unscored_pairs: int
    interval: IntervalKind
    seed: int
    repeats: int


def agreement_by_distance(
    comparisons: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    seed: int,
    distances: Sequence[float] = DISTANCES,
    interval: IntervalKind = "wilson",
    repeats: int = bootstrap.REPEATS,
) -> Agreement:
    """Agreement of forced choices with the order of a score.

    Distances are rounded to 12 decimals first, so that 0.4 - 0.3 is not "more than 0.1".

    Args:
        comparisons: columns first_id, second_id, value in {-1, 1} (and task; forced_choice is read).
        scores: columns image_id and score, one row per image.
        seed: of the bootstrap; without it nothing is drawn.
        distances: rising, at least 0; a bin starts just above each.
        interval: wilson, with as many independent votes as would vary as these do; or bootstrap, over pairs, whose
            interval is Wilson's of one vote a pair where all votes agree.
        repeats: bootstrap samples.

    Raises:
        InputError: a missing column, a broken value, two scores for one image, or no pair with two scores.
    """
    limits = np.asarray(distances, dtype=np.float64)
    if not limits.size or (limits < 0).any() or (np.diff(limits) <= 0).any():
        raise InputError("distances must be rising numbers of at least 0")
    pairs = votes_module.of_comparisons(comparisons, task="forced_choice", levels=(-1, 1))
    gap = _gaps(pairs.items, scores)
    known = np.isfinite(gap)
    if not known.any():
        raise InputError("forced choice: no compared pair has a score for both its images")
    agrees = pairs.values * np.sign(np.nan_to_num(gap))[pairs.codes] > 0
    followed = np.bincount(pairs.codes, agrees, gap.size).astype(np.float64)
    counted = known & (gap != 0)
    images = pd.factorize(pd.concat([pairs.items["first_id"], pairs.items["second_id"]]))[0]
    ends = np.split(images.astype(np.int64), 2)

    def limits_of(agreeing: FloatArray, votes: IntArray, inside: NDArray[np.bool_]) -> tuple[float, float]:
        if interval == "bootstrap":
            return _bootstrapped(agreeing, votes, seed, repeats)
        found = pair_intervals.share(agreeing, votes, ends[0][inside], ends[1][inside])
        return found.low, found.high

    rows = [
        _bin(kind, low, high, np.abs(gap), followed, pairs.counts(), limits_of)
        for kind, low, high in _bins(limits)
    ]
    tied, unscored = int((known & ~counted).sum()), int((~known).sum())
    return Agreement(pd.DataFrame(rows), tied, unscored, interval, seed, repeats)


def _bins(limits: NDArray[np.float64]) -> list[tuple[str, float, float]]:
    cumulative = [("cumulative", float(low), np.inf) for low in limits]
    starts = limits if limits[0] == 0 else np.concatenate([[0.0], limits])
    ends = [*starts[1:], np.inf]
    return cumulative + [
        ("disjoint", float(low), float(high)) for low, high in zip(starts, ends, strict=True)
    ]


def _bin(
    kind: str,
    low: float,
    high: float,
    distance: FloatArray,
    followed: FloatArray,
    sizes: IntArray,
    limits_of: Callable[[FloatArray, IntArray, NDArray[np.bool_]], tuple[float, float]],
) -> dict[str, object]:
    inside = (distance > low) & (distance <= high)
    agreeing, votes = followed[inside], sizes[inside]
    row: dict[str, object] = {
        "kind": kind,
        "low": low,
        "high": high,
        "n_pairs": int(inside.sum()),
        "n_votes": int(votes.sum()),
    }
    empty = dict.fromkeys(("mean", "vote_variance", "between_pair_variance", "low_95", "high_95"), np.nan)
    if not inside.any():
        return row | empty
    mean, shares = _ratio(agreeing, votes), agreeing / votes
    low_95, high_95 = limits_of(agreeing, votes, inside)
    return row | {
        "mean": mean,
        "vote_variance": mean * (1 - mean),
        "between_pair_variance": float(shares.var(ddof=1)) if shares.size > 1 else np.nan,
        "low_95": low_95,
        "high_95": high_95,
    }


def _bootstrapped(agreeing: FloatArray, votes: IntArray, seed: int, repeats: int) -> tuple[float, float]:
    """The percentile interval over pairs; NaN for a single pair whose votes differ."""
    estimate = bootstrap.interval(_ratio, agreeing, votes, seed=seed, repeats=repeats)
    if estimate.value not in (0, 1):
        return estimate.low, estimate.high
    # All votes alike: every bootstrap sample is too, and an interval of no width would claim certainty.
    # One vote a pair, since votes on one pair may be copies of each other.
    pairs = agreeing.size
    low, high = proportion_confint(round(estimate.value) * pairs, pairs, method="wilson")
    return float(low), float(high)


def _ratio(agreeing: FloatArray, votes: IntArray) -> float:
    return float(agreeing.sum() / votes.sum())


def _gaps(pairs: pd.DataFrame, scores: pd.DataFrame) -> NDArray[np.float64]:
    """Score of the first minus score of the second image, NaN where one is missing."""
    require_columns(scores.columns, ["image_id", "score"], "scores")
    if scores["image_id"].duplicated().any():
        raise InputError("scores: an image has more than one score; hand in the rows of one method only")
    by_image = scores.set_index("image_id")["score"]
    first = by_image.reindex(pairs["first_id"]).to_numpy(dtype=np.float64)
    second = by_image.reindex(pairs["second_id"]).to_numpy(dtype=np.float64)
    # An infinite score (log 0 of paper 2's S) has no distance to another.
    finite = np.isfinite(first) & np.isfinite(second)
    return np.where(finite, np.round(np.where(finite, first, 0) - np.where(finite, second, 0), 12), np.nan)
