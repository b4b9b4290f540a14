"""Forced choices against scores."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from photojury.analysis.forced_choice import IntervalKind, agreement_by_distance
from photojury.errors import InputError

SCORES = pd.DataFrame({"image_id": list("abcd"), "score": [0.1, 0.3, 0.4, 0.9]})


def choices(*rows: tuple[str, str, list[int]]) -> pd.DataFrame:
    flat = [(first, second, float(vote)) for first, second, votes in rows for vote in votes]
    return pd.DataFrame(flat, columns=["first_id", "second_id", "value"])


def test_agreement_by_hand() -> None:
    """Three pairs at distances .8, .3 and .1: cumulative bins hold all pairs beyond, disjoint ones their own."""
    table = choices(("d", "a", [1, 1, 1, 1, -1]), ("a", "c", [-1, -1, -1, 1, 1]), ("c", "b", [1, -1]))
    found = agreement_by_distance(table, SCORES, seed=1, repeats=50).table.set_index(["kind", "low"])
    assert list(found.loc[("cumulative", 0.1), ["n_pairs", "n_votes", "mean"]]) == [2, 10, 0.7]
    assert list(found.loc[("cumulative", 0.3), ["n_pairs", "mean"]]) == [1, 0.8]
    assert list(found.loc[("disjoint", 0.0), ["n_pairs", "mean"]]) == [1, 0.5]
    assert found.loc[("cumulative", 0.1), "vote_variance"] == pytest.approx(0.21)
    assert found.loc[("cumulative", 0.1), "between_pair_variance"] == pytest.approx(0.02)
    assert found.loc[("disjoint", 0.4), "n_pairs"] == 0


def test_a_distance_of_a_tenth_is_not_more_than_a_tenth() -> None:
    """0.4 - 0.3 is 0.10000000000000003 in floats, and still not beyond 0.1."""
    assert 0.4 - 0.3 > 0.1
    found = agreement_by_distance(choices(("c", "b", [1])), SCORES, seed=1).table
    assert found.loc[found["kind"] == "cumulative", "n_pairs"].tolist() == [0] * 6


@pytest.mark.parametrize("interval", ["wilson", "bootstrap"])
def test_the_interval_is_one_of_pairs(interval: IntervalKind) -> None:
    """Five identical votes a pair are no more evidence than one: the width is that of the pairs."""
    generator = np.random.default_rng(1)
    images = [f"i{number}" for number in range(400)]
    scores = pd.DataFrame({"image_id": images, "score": generator.permutation(np.arange(400.0))})
    follow = generator.random(200) < 0.8
    by_image = scores.set_index("image_id")["score"]
    rows = []
    for number in range(200):
        first, second = images[2 * number], images[2 * number + 1]
        sign = 1 if (by_image[first] > by_image[second]) == follow[number] else -1
        rows.append((first, second, [sign] * 5))
    table = agreement_by_distance(choices(*rows), scores, seed=1, distances=(0,), interval=interval).table
    found = table.iloc[0]
    low, high = proportion_confint(follow.sum(), 200, method="normal")
    assert found["mean"] == pytest.approx(follow.mean())
    assert (found["low_95"], found["high_95"]) == pytest.approx((low, high), abs=0.015)


@pytest.mark.parametrize("interval", ["wilson", "bootstrap"])
def test_unanimous_votes_claim_no_certainty(interval: IntervalKind) -> None:
    """Where all votes agree the interval is Wilson's of as many votes as there are pairs, not a point."""
    table = choices(("d", "a", [1] * 5), ("c", "b", [1] * 5))
    found = agreement_by_distance(table, SCORES, seed=1, distances=(0,), interval=interval).table.iloc[0]
    assert (found["low_95"], found["high_95"]) == pytest.approx(proportion_confint(2, 2, method="wilson"))


def test_pairs_of_one_image_count_for_less() -> None:
    """Thirty pairs around one image whose score is wrong err together: wider than the bootstrap over pairs knows."""
    ids = [f"i{number}" for number in range(30)]
    scores = pd.DataFrame({"image_id": [*ids, "hub"], "score": [*np.linspace(0, 1, 30), 2.0]})
    apart = choices(*((ids[k], ids[k + 1], [1 if k % 4 else -1]) for k in range(0, 30, 2)))
    star = choices(*(("hub", image, [-1 if k % 5 else 1]) for k, image in enumerate(ids)))
    table = pd.concat([star, apart])
    rows = [
        agreement_by_distance(table, scores, seed=1, distances=(0,), interval=interval).table.iloc[0]
        for interval in get_args(IntervalKind)
    ]
    wilson, resampled = (row["high_95"] - row["low_95"] for row in rows)
    assert wilson > 1.2 * resampled


def test_ties_and_unscored_pairs_are_counted() -> None:
    """Pairs with equal scores and with an image without a score are left out and counted."""
    scores = pd.DataFrame({"image_id": ["a", "b", "c"], "score": [1.0, 1.0, -np.inf]})
    table = choices(("a", "b", [1]), ("a", "c", [1]), ("a", "z", [1]))
    found = agreement_by_distance(table, scores, seed=1)
    assert (found.tied_pairs, found.unscored_pairs) == (1, 2)
    assert found.table["n_pairs"].sum() == 0


def test_bad_input_is_refused() -> None:
    """Two scores for one image, no scored pair, distances that do not rise."""
    table = choices(("a", "b", [1]))
    with pytest.raises(InputError, match="more than one score"):
        agreement_by_distance(table, pd.concat([SCORES, SCORES]), seed=1)
    with pytest.raises(InputError, match="no compared pair has a score"):
        agreement_by_distance(choices(("x", "y", [1])), SCORES, seed=1)
    with pytest.raises(InputError, match="rising"):
        agreement_by_distance(table, SCORES, seed=1, distances=(0.2, 0.1))
