"""Siding with the majority, and answering in runs."""

from itertools import groupby, permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photojury.analysis.rater_checks import majority, runs
from photojury.errors import InputError


def panel(*, seed: int) -> pd.DataFrame:
    """Eight raters on 60 pairs, both orders mixed; r0 answers at random, the others are right nine times in ten."""
    rng = np.random.default_rng(seed)
    rows = []
    for pair in range(60):
        for rater in range(8):
            right = rng.random() < (0.5 if rater == 0 else 0.9)
            first, second = (f"a{pair}", f"b{pair}") if rng.random() < 0.5 else (f"b{pair}", f"a{pair}")
            rows.append((f"r{rater}", first, second, 1.0 if right == (first[0] == "a") else -1.0))
    return pd.DataFrame(rows, columns=["rater_id", "first_id", "second_id", "value"])


def test_majorities_are_counted_without_the_own_vote() -> None:
    """Each rater's share by plain loops over the others' votes, whatever order a pair stood in; Wilson's interval."""
    votes = panel(seed=1)
    found = majority(votes).set_index("rater_id")
    better = np.where(votes["value"] > 0, votes["first_id"], votes["second_id"])
    table = votes.assign(better=better, pair=votes["first_id"].str[1:])
    counts, shares = found["n"].to_dict(), found["agrees"].to_dict()
    for rater, own in table.groupby("rater_id"):
        right = n = 0
        for row in own.itertuples():
            others = table[(table["pair"] == row.pair) & (table["rater_id"] != rater)]["better"]
            for_his = int((others == row.better).sum())
            if 2 * for_his != len(others):
                n, right = n + 1, right + (2 * for_his > len(others))
        assert (counts[rater], shares[rater]) == pytest.approx((n, right / n))
        ends = stats.binomtest(right, n).proportion_ci(method="wilson")
        assert found["low"].to_dict()[rater] == pytest.approx(ends.low)
        assert found["high"].to_dict()[rater] == pytest.approx(ends.high)


def test_who_answers_at_random_leaves_the_chart() -> None:
    """The limits are those of a p-chart; only the random rater is out."""
    found = majority(panel(seed=2)).set_index("rater_id")
    every = (found["agrees"] * found["n"]).sum() / found["n"].sum()
    reach = 3 * np.sqrt(every * (1 - every) / found["n"])
    assert found["limit_low"].to_numpy() == pytest.approx((every - reach).to_numpy())
    assert found["limit_high"].to_numpy() == pytest.approx(np.minimum(1, every + reach).to_numpy())
    assert found.index[found["out"]].tolist() == ["r0"]


def test_ties_have_no_majority() -> None:
    """One against one leaves nobody to side with; five levels count by their sign, and 0 is no choice."""
    votes = pd.DataFrame({"rater_id": ["x", "y"], "first_id": "a", "second_id": "b", "value": [2.0, -1.0]})
    only = majority(votes, task="five_level")
    assert only["agrees"].tolist() == [0, 0]
    with pytest.raises(InputError, match="no pair do the other raters have a majority"):
        majority(votes.assign(value=[2.0, 0.0])[:1], task="five_level")
    with pytest.raises(InputError, match="unknown task"):
        majority(votes, task="stars")


def longest(values: tuple[float, ...]) -> int:
    return max(len(list(group)) for _, group in groupby(values))


def test_p_is_the_share_of_orders_with_as_long_a_run() -> None:
    """Against all orders of six answers; a rater of one answer has p 1."""
    own = (1.0, 1.0, 1.0, 2.0, 3.0, 2.0)
    table = pd.DataFrame({"rater_id": "x", "image_id": [f"i{k}" for k in range(6)], "value": own})
    flat = table.assign(rater_id="y", value=4.0)
    found = runs(pd.concat([table, flat]), seed=1).set_index("rater_id")
    every = [longest(order) for order in permutations(own)]
    assert found.loc["x", "longest_run"] == 3
    assert found.loc["x", "p"] == pytest.approx(np.mean(np.array(every) >= 3), abs=0.06)
    assert found.loc["x", "expected"] == pytest.approx(np.mean(every), abs=0.1)
    assert (found.loc["y", "longest_run"], found.loc["y", "p"]) == (6, 1)


def test_only_the_order_speaks() -> None:
    """Nine equal answers in ten at random are no straight line; the same answers sorted are."""
    rng = np.random.default_rng(2)
    answers = rng.permutation(np.r_[np.full(90, 4.0), np.full(10, 2.0)])
    rows = {"mixed": answers, "sorted": np.sort(answers)}
    table = pd.concat(
        pd.DataFrame({"rater_id": name, "image_id": [f"i{k}" for k in range(100)], "value": values})
        for name, values in rows.items()
    )
    found = runs(table, seed=1).set_index("rater_id")
    assert found["p"].to_dict()["mixed"] > 0.05
    assert found["p_adjusted"].to_dict()["sorted"] <= 0.01
