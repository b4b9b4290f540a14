"""Paper 1's measures of a predictor, and the constant predictor, against a calculation by hand."""

import math

import numpy as np
import pytest

from photojury.baselines import evaluate
from photojury.datasets.loading import Part, RatedImages, RatedPairs


def part(votes: list[list[int]], pairs: list[list[int]]) -> Part:
    ids = tuple(f"i{number}" for number in range(len(votes)))
    first, second = tuple("a" for _ in pairs), tuple("b" for _ in pairs)
    return Part(
        RatedImages(ids, np.array(votes, dtype=np.int64).reshape(-1, 3)),
        RatedPairs(first, second, np.array(pairs, dtype=np.int64).reshape(-1, 5)),
    )


# Shares (.5 .5 0), (0 .5 .5): mean (.25 .5 .25). Pair shares (.5 .5 0 0 0), (0 .25 .5 0 .25).
TRAIN = part([[1, 1, 0], [0, 2, 2]], [[2, 2, 0, 0, 0], [0, 1, 2, 0, 1]])


def test_the_constant_predictor_by_hand() -> None:
    """It says the training means everywhere: cross entropies are sums of three and five logarithms."""
    test = part([[10, 0, 0], [7, 0, 3], [8, 0, 2]], [[0, 0, 1, 0, 3], [1, 0, 4, 0, 0]])
    train = part([[1, 1, 0], [0, 2, 2]], [[2, 2, 0, 2, 2], [0, 1, 4, 2, 1]])
    row = evaluate.measure("constant predictor", test, evaluate.constant(train, test))
    assert row["Lg"] == pytest.approx(-math.log(0.25))  # both levels that were voted for have .25
    levels = [0.125, 0.1875, 0.25, 0.25, 0.1875]
    first = -(0.25 * math.log(levels[2]) + 0.75 * math.log(levels[4]))
    second = -(0.2 * math.log(levels[0]) + 0.8 * math.log(levels[2]))
    assert row["Lr"] == pytest.approx((first + second) / 2)
    assert row["auc"] == 0.5
    assert row["srcc"] is None
    # It says "better" (.4375 against .25 and .3125): right on the first pair, wrong on the second, which is "equal".
    assert row["pairwise_accuracy"] == 0.5
    assert row["pairwise_accuracy_decided"] == 1.0
    assert (row["n_images"], row["n_pairs"]) == (3, 2)


def test_a_level_without_votes_gets_one_vote_spread() -> None:
    """(1 0 0) over 4 votes becomes (4 + 1/3, 1/3, 1/3) / 5, so that no cross entropy is infinite."""
    found = evaluate.mean_shares(np.array([[2, 0, 0], [2, 0, 0]]))
    assert found == pytest.approx(np.array([13, 1, 1]) / 15)
    assert evaluate.mean_shares(TRAIN.images.votes) == pytest.approx([0.25, 0.5, 0.25])


def test_a_perfect_predictor_reaches_the_raters_entropy() -> None:
    """Its Lg and Lr are the entropies of the votes, computed here by hand; all order measures are 1."""
    stars, levels = (
        np.array([[0.5, 0.5, 0], [0, 0.5, 0.5]]),
        np.array([[0.5, 0.5, 0, 0, 0], [0, 0.25, 0.5, 0, 0.25]]),
    )
    row = evaluate.measure("perfect", TRAIN, evaluate.Predictions(np.array([0.1, 0.2]), stars, levels))
    assert row["Lg"] == pytest.approx(math.log(2))
    assert row["Lr"] == pytest.approx((math.log(2) + 1.5 * math.log(2)) / 2)
    assert evaluate.target_entropy(TRAIN) == pytest.approx({"Lg": row["Lg"], "Lr": row["Lr"]})
    assert (row["auc"], row["srcc"], row["pairwise_accuracy"], row["pairwise_accuracy_decided"]) == (
        1,
        1,
        1,
        1,
    )


def test_two_of_ten_is_not_more_than_a_fifth() -> None:
    """Section 5.1.1 is strict: at p_a = .2, 2 of 10 best votes are negative and 3 of 10 positive."""
    test = part([[8, 0, 2], [7, 0, 3]], [])
    row = evaluate.measure(
        "x", test, evaluate.Predictions(np.array([0.0, 1.0]), np.full((2, 3), 1 / 3), np.empty((0, 5)))
    )
    assert row["auc"] == 1
    assert row["Lr"] is None
    assert row["pairwise_accuracy"] is None


def test_accuracy_falls_into_equal_as_the_margin_grows() -> None:
    """A pair 4 to 1 for the first (margin .6) is "better" up to p_b = .5 and "equal" at .6."""
    test = part([[1, 0, 0]], [[0, 1, 0, 4, 0]])
    said = evaluate.Predictions(np.zeros(1), np.full((1, 3), 1 / 3), np.array([[0, 0, 0.4, 0.6, 0]]))
    rows = evaluate.accuracies_by_margin(test, {"x": said})
    assert [(row["p_b"], row["pairwise_accuracy"]) for row in rows] == [
        (0.3, 1),
        (0.4, 1),
        (0.5, 1),
        (0.6, 0),
    ]
    assert rows[-1]["pairwise_accuracy_decided"] is None
