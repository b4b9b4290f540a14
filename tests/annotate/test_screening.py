"""Screening: each rule fires on what it is for, and not on honest answers."""

import numpy as np
import pandas as pd
from scipy import stats

from photojury.annotate.screening import LEAST_ANSWERS, SIDE_P, screen

NO_RATINGS = pd.DataFrame(columns=["assignment_id", "rater_id", "value", "milliseconds"])
NO_PAIRS = pd.DataFrame(columns=[*NO_RATINGS.columns, "task", "first_shown_left"])


def ratings(values: list[int], milliseconds: list[int], rater: str = "r") -> pd.DataFrame:
    n = len(values)
    return pd.DataFrame(
        {"assignment_id": [f"{rater}{i // 10}" for i in range(n)], "rater_id": rater, "value": values,
         "milliseconds": milliseconds}
    )  # fmt: skip


def pairs(left_wins: int, right_wins: int, rater: str = "r") -> pd.DataFrame:
    """Choices of the left and the right picture, with the first image on either side in turn."""
    left = np.array([True] * left_wins + [False] * right_wins)
    first_left = np.arange(len(left)) % 2 == 0
    return pd.DataFrame(
        {"assignment_id": "a", "rater_id": rater, "value": np.where(left == first_left, 1, -1),
         "milliseconds": 2000, "task": "forced_choice", "first_shown_left": first_left}
    )  # fmt: skip


def test_honest_answers_are_used() -> None:
    """Varied answers at the pace of seeing are left alone."""
    honest = ratings([1, 2, 3, 2] * 10, [1500] * 40)
    assert screen(honest, NO_PAIRS) == {}
    assert screen(NO_RATINGS, pairs(22, 18)) == {}


def test_too_fast_is_more_than_a_tenth() -> None:
    """Four of forty answers in under 400 ms are forgiven, five are not; 400 ms itself is not too fast."""
    values = [1, 2, 3, 2] * 10
    assert screen(ratings(values, [399] * 4 + [400] * 36), NO_PAIRS) == {}
    found = screen(ratings(values, [399] * 5 + [400] * 35), NO_PAIRS)
    assert set(found) == {"r0", "r1", "r2", "r3"}
    assert found["r0"] == "too fast: 5 of 40 answers in under 400 ms"


def test_one_answer_to_everything() -> None:
    """Twenty equal answers are too many, nineteen say nothing yet; other raters are not touched."""
    assert LEAST_ANSWERS == 20
    lazy = ratings([2] * 20, [1500] * 20)
    found = screen(pd.concat([lazy, ratings([1, 2] * 10, [1500] * 20, "s")]), NO_PAIRS)
    assert found == {"r0": "one answer to everything: 20 times the same", "r1": found["r0"]}
    assert screen(lazy[:19], NO_PAIRS) == {}


def test_one_side() -> None:
    """The side rule speaks exactly where the binomial test says p < 0.003."""
    for left in range(20, 40):
        expected = stats.binomtest(left, 40).pvalue < SIDE_P
        assert bool(screen(NO_RATINGS, pairs(left, 40 - left))) == expected


def test_the_side_is_what_counts_not_the_image() -> None:
    """A rater who always prefers the first image, on whichever side, has taste and no side."""
    table = pairs(40, 0)
    first_better = table.assign(value=1)
    assert screen(NO_RATINGS, first_better) == {}
    assert screen(NO_RATINGS, table)["a"].startswith("one answer to everything")


def test_a_missing_time_is_not_fast() -> None:
    """Answers without a time are judged by the other rules only."""
    table = ratings([1, 2, 3, 2] * 10, [1500] * 40)
    table["milliseconds"] = None
    assert screen(table, NO_PAIRS) == {}
