"""Classes of images and confusion of raters: Dawid and Skene's model (1979), by expectation maximisation.

Takes in ratings on a few levels, with rater ids; gives out the probability of each level for every image, and each
rater's confusion matrix: how often he says l where the truth is k. It makes no use of the levels' order, so it suits
categories (is it sharp? does it show a person?) better than stars.

A rater may rate an image several times. `smoothing` is added to every cell of the confusion matrices; 0 is plain
maximum likelihood, whose cells may be 0 and whose maximum depends on where it starts: at the vote shares.

    >>> import pandas as pd
    >>> rows = [(i, r, float(v)) for i, votes in (("a", "112"), ("b", "222")) for r, v in zip("xyz", votes)]
    >>> found = fit(pd.DataFrame(rows, columns=["image_id", "rater_id", "value"]))
    >>> found.classes["level"].tolist()
    [1.0, 2.0]
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from photojury.analysis import votes as votes_module
from photojury.errors import InputError, require_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ITERATIONS = 1_000
TOLERANCE = 1e-10
MOST_LEVELS = 20


@dataclass(frozen=True)
class DawidSkene:
    """The fitted model, for n images, R raters and K levels.

    Attributes:
        classes: image_id, level (the most probable), probability (its), n (ratings); sorted by image_id.
        probabilities: (n, K) of each level, rows as in `classes`.
        raters: rater_id, n, accuracy (probability of saying the true level, over the levels' shares).
        confusion: (R, K, K) how often a rater (rows as in `raters`) says l, given k; NaN where the data know nothing.
        levels: the K levels, ascending; shares: (K,) how common each is.
        log_likelihood: of the data; converged, iterations.
    """

    classes: pd.DataFrame
    probabilities: FloatArray
    raters: pd.DataFrame
    confusion: FloatArray
    levels: tuple[float, ...]
    shares: FloatArray
    log_likelihood: float
    converged: bool
    iterations: int


def fit(
    ratings: pd.DataFrame,
    *,
    attribute: str = "overall",
    smoothing: float = 0.0,
    iterations: int = ITERATIONS,
) -> DawidSkene:
    """Fit the model.

    Args:
        ratings: columns image_id, rater_id, value (attribute where there are several).
        smoothing: pseudo-ratings in each cell of the confusion matrices.
        iterations: rounds at most.

    Raises:
        InputError: a missing column, a broken value, more than 20 levels, or one level only.
    """
    require_columns(ratings.columns, ["image_id", "rater_id", "value"], "ratings")
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    raters, rater_ids = pd.factorize(votes.frame["rater_id"], sort=True)
    said, levels = pd.factorize(votes.values, sort=True)
    if not 2 <= levels.size <= MOST_LEVELS:
        raise InputError(
            f"ratings: Dawid and Skene's model needs 2 to {MOST_LEVELS} different levels, not {levels.size}"
        )
    n_images, n_raters, k = len(votes.items), len(rater_ids), levels.size
    # How often which rater (said what) of which image: row r k + l belongs to a column of his confusion matrix.
    given = sparse.coo_array(
        (np.ones(said.size), (votes.codes, raters.astype(np.int64) * k + said)),
        shape=(n_images, n_raters * k),
    ).tocsr()
    by_rater = given.T.tocsr()
    probability = _shares_of_votes(votes.codes, said, n_images, k)
    before, number = -np.inf, 0
    while True:
        number += 1
        confusion = _confusion(by_rater @ probability, smoothing)
        shares = probability.mean(axis=0)
        joint = given @ _log_columns(confusion) + np.log(np.maximum(shares, 1e-300))
        top = joint.max(axis=1, keepdims=True)
        weights = np.exp(joint - top)
        total = weights.sum(axis=1, keepdims=True)
        likelihood = float((np.log(total) + top).sum())
        probability = weights / total
        if likelihood - before < TOLERANCE * abs(likelihood) or number == iterations:
            break
        before = likelihood
    best = probability.argmax(axis=1)
    of_rater = np.bincount(raters, minlength=n_raters)
    known = np.where(np.isnan(confusion), 0.0, confusion)
    return DawidSkene(
        classes=pd.DataFrame(
            {
                "image_id": votes.items["image_id"],
                "level": levels[best],
                "probability": probability[np.arange(n_images), best],
                "n": votes.counts(),
            }
        ),
        probabilities=probability,
        raters=pd.DataFrame(
            {"rater_id": rater_ids, "n": of_rater, "accuracy": np.einsum("rkk,k->r", known, shares)}
        ),
        confusion=confusion,
        levels=tuple(float(level) for level in levels),
        shares=shares,
        log_likelihood=likelihood,
        converged=number < iterations,
        iterations=number,
    )


def _shares_of_votes(images: IntArray, said: IntArray, n_images: int, k: int) -> FloatArray:
    table = np.bincount(images * k + said, minlength=n_images * k).reshape(n_images, k)
    shares: FloatArray = table / table.sum(axis=1, keepdims=True)
    return shares


def _confusion(said: FloatArray, smoothing: float) -> FloatArray:
    """(R, K true, K said) from (R K said, K true) expected counts; NaN where no image of the rater can belong to."""
    k = said.shape[1]
    table = said.reshape(-1, k, k).transpose(0, 2, 1) + smoothing
    total = table.sum(axis=2, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, table / np.where(total > 0, total, 1), np.nan)


def _log_columns(confusion: FloatArray) -> FloatArray:
    """(R K said, K true) logarithms of the confusion matrices."""
    # A cell that cannot be, or that nothing is known of, is next to impossible instead of minus infinity.
    floor = np.log(np.maximum(np.nan_to_num(confusion), 1e-300))
    return np.ascontiguousarray(floor.transpose(0, 2, 1).reshape(-1, confusion.shape[1]))
