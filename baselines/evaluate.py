"""How well a trained network foretells what raters say, beside a predictor that looks at no picture.

Takes in the votes of a part (photojury.datasets.loading) and predictions for it; gives out one row of paper 1's
measures (section 5.1) per predictor.

    >>> row = measure("mine", answers.parts["test"], predictions)                   # doctest: +SKIP
    >>> floor = measure("constant predictor", test, constant(answers.parts["train"], test))     # doctest: +SKIP
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photojury.analysis import metrics
from photojury.datasets.loading import Part, shares

FloatArray = NDArray[np.float64]
Row = dict[str, float | int | str | None]

P_A = "0.2"
"""A picture is attractive if more than this share of its raters gave it the best rating (section 5.1.1)."""

P_B = ("0.3", "0.4", "0.5", "0.6")
"""One picture of a pair is better if the shares for it and against it differ by more (section 5.1.2)."""

CONSTANT = "constant predictor"


@dataclass(frozen=True)
class Predictions:
    """What a predictor says of a part's n images and m pairs.

    Attributes:
        scores: (n,) higher meaning better.
        stars: (n, levels) probabilities of 1, 2, ... stars.
        levels: (m, 5) probabilities of -2 .. 2, positive meaning that the first is better.
    """

    scores: FloatArray
    stars: FloatArray
    levels: FloatArray


def constant(train: Part, part: Part) -> Predictions:
    """The predictor that answers every question with the mean shares of the training part."""
    n, m = len(part.images.image_ids), len(part.pairs.first_ids)
    return Predictions(
        np.zeros(n),
        np.tile(mean_shares(train.images.votes), (n, 1)),
        np.tile(mean_shares(train.pairs.votes), (m, 1)),
    )


def mean_shares(votes: NDArray[np.int64]) -> FloatArray:
    """(k,) mean of the rows' vote shares of (n, k) votes.

    Where a level has no vote at all, one vote spread over all levels is added, so that no cross entropy is
    infinite.
    """
    mean: FloatArray = shares(votes).astype(np.float64).mean(axis=0)
    mean /= mean.sum()
    if (mean > 0).all():
        return mean
    total = votes.sum()
    spread: FloatArray = (mean * total + 1 / mean.size) / (total + 1)
    return spread


def measure(name: str, part: Part, predictions: Predictions, *, p_a: str = P_A, p_b: str = P_B[0]) -> Row:
    """One predictor's row.

    Args:
        name: what the row is called.
        part: the votes.
        predictions: for that part, in its order.
        p_a, p_b: the thresholds of section 5.1, decimal fractions.

    Returns:
        name; Lg and Lr (mean cross entropy in nats, per image and per pair); auc (of the score, at p_a);
        pairwise_accuracy (three classes: better, equal, worse, at p_b) and pairwise_accuracy_decided (pairs that the
        raters decided; "equal" counts half), since the paper does not say which it used; srcc (of the score with the
        mean rating); n_images, n_pairs. A measure that the part does not define is None.
    """
    votes, pairs = part.images.votes, part.pairs.votes
    best = metrics.share_above(votes[:, -1], votes.sum(axis=1), p_a=p_a)
    means = votes @ np.arange(1, votes.shape[1] + 1) / votes.sum(axis=1)
    found = {
        "Lg": metrics.cross_entropy(shares(votes), predictions.stars) if len(votes) else math.nan,
        "Lr": metrics.cross_entropy(shares(pairs), predictions.levels) if len(pairs) else math.nan,
        "auc": metrics.roc_auc(predictions.scores, best),
        **_accuracies(pairs, predictions.levels, p_b),
        "srcc": metrics.srcc(predictions.scores, means),
    }
    numbers = {key: value if math.isfinite(value) else None for key, value in found.items()}
    return {"name": name, **numbers, "n_images": len(votes), "n_pairs": len(pairs)}


def accuracies_by_margin(part: Part, predictors: Mapping[str, Predictions]) -> list[Row]:
    """Both pairwise accuracies of each predictor at each of the paper's p_b (lower half of Figure 4)."""
    rows: list[Row] = []
    for p_b in P_B:
        for name, predictions in predictors.items():
            found = _accuracies(part.pairs.votes, predictions.levels, p_b)
            numbers = {key: value if math.isfinite(value) else None for key, value in found.items()}
            rows.append({"p_b": float(p_b), "name": name, **numbers})
    return rows


def target_entropy(part: Part) -> dict[str, float | None]:
    """The entropy of the raters' own votes: no predictor's Lg and Lr can be lower."""
    found = {"Lg": part.images.votes, "Lr": part.pairs.votes}
    return {key: metrics.entropy(shares(votes)) if len(votes) else None for key, votes in found.items()}


def _accuracies(pairs: NDArray[np.int64], levels: FloatArray, p_b: str) -> dict[str, float]:
    if not len(pairs):
        return {"pairwise_accuracy": math.nan, "pairwise_accuracy_decided": math.nan}
    truth, said = metrics.pair_truth(pairs, p_b=p_b), metrics.levels_prediction(levels)
    return {
        "pairwise_accuracy": metrics.pairwise_accuracy(truth, said),
        "pairwise_accuracy_decided": metrics.pairwise_accuracy(truth, said, decided_only=True),
    }
