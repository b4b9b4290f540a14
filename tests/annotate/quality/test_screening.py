"""Screening: each rule fires on what it is for, and not on honest answers."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photojury.annotate.quality.screening import Verdict, screen
from photojury.sections import ScreeningSection, StarsSection
from photojury.settings import Settings

FIVE = Settings(stars=StarsSection(levels=5))
NO_RATINGS = pd.DataFrame(
    columns=["assignment_id", "unit_id", "attribute", "rater_id", "value", "milliseconds"]
)
NO_PAIRS = pd.DataFrame(
    columns=["assignment_id", "unit_id", "rater_id", "value", "milliseconds", "first_shown_left"]
)


def units(n: int, task: str = "stars") -> pd.DataFrame:
    """Ordinary questions u0, u1, ..."""
    return pd.DataFrame(
        {
            "unit_id": [f"u{i}" for i in range(n)],
            "task": task,
            "control": None,
            "gold": None,
            "repeat_of": None,
        }
    )


def control(task: str, kind: str, golds: Sequence[float] = (), repeat_of: Sequence[str] = ()) -> pd.DataFrame:
    """Control questions g0, g1, ... or r0, r1, ..."""
    n = max(len(golds), len(repeat_of))
    return pd.DataFrame(
        {"unit_id": [f"{kind[0]}{i}" for i in range(n)], "task": task, "control": kind,
         "gold": list(golds) or None, "repeat_of": list(repeat_of) or None}
    )  # fmt: skip


def ratings(
    values: Sequence[float], ms: int | Sequence[int] = 1500, rater: str = "r", unit: str = "u"
) -> pd.DataFrame:
    n = len(values)
    return pd.DataFrame(
        {"assignment_id": rater, "unit_id": [f"{unit}{i}" for i in range(n)], "attribute": "overall",
         "rater_id": rater, "value": values, "milliseconds": ms}
    )  # fmt: skip


def pairs(
    values: Sequence[float], left: Sequence[bool] | bool = True, rater: str = "r", unit: str = "u"
) -> pd.DataFrame:
    return ratings(values, 2000, rater, unit).drop(columns="attribute").assign(first_shown_left=left)


def rules(found: Sequence[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.rater_id, verdict.rule) for verdict in found]


def judged_pairs(table: pd.DataFrame, questions: pd.DataFrame) -> list[str]:
    return [verdict.rule for verdict in screen(NO_RATINGS, table, questions, Settings())]


def test_honest_answers_are_used() -> None:
    """Varied answers at the pace of seeing are left alone."""
    assert screen(ratings([1, 2, 3, 2] * 10), NO_PAIRS, units(40), Settings()) == []
    choices = [1] * 22 + [-1] * 18
    assert judged_pairs(pairs(choices), units(40, "forced_choice")) == []


def test_too_fast_is_more_than_a_tenth() -> None:
    """Four of forty answers in under 400 ms are forgiven, five are not; 400 ms itself is not too fast."""
    values = [1, 2, 3, 2] * 10
    assert screen(ratings(values, [399] * 4 + [400] * 36), NO_PAIRS, units(40), Settings()) == []
    found = screen(ratings(values, [399] * 5 + [400] * 35), NO_PAIRS, units(40), Settings())
    reason = "too fast: 5 of 40 answers in under 400 ms"
    assert found == [Verdict("r", "stars", "fast", reason, 0.125, 0.1)]


def test_a_missing_time_is_not_fast() -> None:
    """Answers without a time are judged by the other rules only."""
    table = ratings([1, 2, 3, 2] * 10).assign(milliseconds=None)
    assert screen(table, NO_PAIRS, units(40), Settings()) == []


def crowd(rater: Sequence[float], others: Sequence[Sequence[float]]) -> pd.DataFrame:
    tables = [ratings(rater), *(ratings(values, rater=f"o{i}") for i, values in enumerate(others))]
    return pd.concat(tables, ignore_index=True)


def test_one_answer_to_everything() -> None:
    """More than 80 % of one button is too much, unless the rest follows the others; few answers say nothing."""
    honest = [[1, 2, 3, 1, 2, 3, 1, 2, 3, 2] * 2] * 4
    found = screen(crowd([2] * 20, honest), NO_PAIRS, units(20), Settings())
    assert found == [
        Verdict("r", "stars", "straight", "one answer to everything: 20 of 20 times the same", 1.0, 0.8)
    ]
    assert screen(crowd([2] * 19, honest), NO_PAIRS, units(20), Settings()) == []
    # 17 of 20; the other three are just where the others say 3, or just where they say 1.
    follows = [3 if i in (2, 5, 8) else 2 for i in range(20)]
    against = [3 if i in (0, 3, 6) else 2 for i in range(20)]
    assert screen(crowd(follows, honest), NO_PAIRS, units(20), Settings()) == []
    assert ("r", "straight") in rules(screen(crowd(against, honest), NO_PAIRS, units(20), Settings()))


def test_poor_pictures_are_no_fault_of_the_raters() -> None:
    """Where all give one star to 18 of 20 pictures, 18 times one star is as everyone does."""
    everyone = [1] * 18 + [2, 3]
    other = [1, 2] + [1] * 16 + [3, 1]
    found = screen(crowd(other, [everyone] * 5), NO_PAIRS, units(20), Settings())
    assert "straight" not in [verdict.rule for verdict in found]


@pytest.mark.parametrize("left", range(20, 41))
def test_one_side(left: int) -> None:
    """The side rule speaks exactly where the binomial test says p < 0.001, whichever picture is on that side."""
    first_left = np.arange(40) % 2 == 0
    pressed_left = np.arange(40) < left
    table = pairs(np.where(pressed_left == first_left, 1.0, -1.0).tolist(), first_left.tolist())
    expected = stats.binomtest(left, 40).pvalue < 0.001
    assert ("side" in judged_pairs(table, units(40, "forced_choice"))) == expected


def test_the_side_is_what_counts_not_the_image() -> None:
    """A rater who always prefers the first image, on whichever side, has taste and no side."""
    first_left = (np.arange(40) % 2 == 0).tolist()
    assert judged_pairs(pairs([1.0] * 40, first_left), units(40, "forced_choice")) == []


@pytest.mark.parametrize(("good", "n", "named"), [(0, 1, False), (0, 2, True), (1, 3, False), (1, 4, True)])
def test_gold_needs_more_than_bad_luck(good: int, n: int, named: bool) -> None:
    """A rater who truly gets 80 % right fails so with probability 0.2, 0.04, 0.104, 0.0272: named under 0.05."""
    answers = ratings([3.0] * good + [1.0] * (n - good), unit="g")
    questions = control("stars", "gold", golds=[3.0] * n)
    assert (stats.binom.cdf(good, n, 0.8) < 0.05) == named
    assert (rules(screen(answers, NO_PAIRS, questions, Settings())) == [("r", "gold")]) == named


@pytest.mark.parametrize(("levels", "value", "right"), [(5, 4.0, True), (5, 3.0, False), (3, 2.0, False)])
def test_gold_bears_one_level_of_five(levels: int, value: float, right: bool) -> None:
    """P.910's tolerance of one level on five points is none at all on three; the best is right there and here."""
    questions = control("stars", "gold", golds=[float(levels)] * 6)
    settings = Settings(stars=StarsSection(levels=levels))
    assert (screen(ratings([value] * 6, unit="g"), NO_PAIRS, questions, settings) == []) == right


def test_gold_pairs_ask_for_the_side() -> None:
    """Of a pair, better and much better are both right; a tie and the other picture are wrong."""
    questions = control("five_level", "gold", golds=[2, -2, 1, -1, 2, -2])
    assert judged_pairs(pairs([1, -1, 2, -2, 1, -1], unit="g"), questions) == []
    assert judged_pairs(pairs([0, 0, 0, 0, 0, 0], unit="g"), questions) == ["gold"]
    assert judged_pairs(pairs([-1, 1, -2, 2, -1, 1], unit="g"), questions) == ["gold"]


def test_training_measures_nobody() -> None:
    """Wrong answers to training questions are what training is for."""
    questions = control("stars", "training", golds=[3.0] * 6)
    assert screen(ratings([1.0] * 6, unit="t"), NO_PAIRS, questions, Settings()) == []


def test_contradictions_on_ratings() -> None:
    """Two levels away is a contradiction, one is none: 5 of 5 are too many (0.35^5 < 0.05), 2 of 5 are not."""
    questions = pd.concat([units(5), control("stars", "repeat", repeat_of=[f"u{i}" for i in range(5)])])
    first = ratings([1, 1, 1, 5, 5])
    for again, named in (([3, 4, 5, 2, 1], True), ([2, 2, 2, 4, 4], False), ([3, 3, 1, 5, 5], False)):
        table = pd.concat([first, ratings(again, unit="r")])
        assert (rules(screen(table, NO_PAIRS, questions, FIVE)) == [("r", "contradiction")]) == named


def test_contradictions_on_pairs_come_turned() -> None:
    """A repeat names the two pictures the other way round: the opposite number is the same answer."""
    questions = pd.concat(
        [units(6, "five_level"), control("five_level", "repeat", repeat_of=[f"u{i}" for i in range(6)])]
    )
    first = pairs([1, -1, 2, -2, 1, 2])
    same = pairs([-1, 1, -1, 2, -2, -2], unit="r")
    other = pairs([1, -1, 1, -2, 2, 2], unit="r")
    assert judged_pairs(pd.concat([first, same]), questions) == []
    assert judged_pairs(pd.concat([first, other]), questions) == ["contradiction"]


def test_consensus_is_the_correlation_with_the_others() -> None:
    """Its value is Pearson's r with the mean of the others, one's own answers left out."""
    random = np.random.default_rng(5)
    truth = random.normal(size=60)
    honest = [np.clip(np.round(3 + truth + random.normal(0, 0.5, 60)), 1, 5).tolist() for _ in range(6)]
    blind = random.integers(1, 6, 60).tolist()
    found = screen(crowd(blind, honest), NO_PAIRS, units(60), FIVE)
    assert rules(found) == [("r", "consensus")]
    expected = stats.pearsonr(blind, np.mean(honest, axis=0)).statistic
    assert found[0].value == pytest.approx(expected)
    everyone = np.array([blind, *honest])
    each = [
        stats.pearsonr(mine, np.delete(everyone, i, 0).mean(0)).statistic for i, mine in enumerate(everyone)
    ]
    assert found[0].threshold == pytest.approx(min(0.4, float(np.median(each)) / 2))


def test_consensus_leaves_out_whom_another_rule_named() -> None:
    """Raters who are too fast are no yardstick, however many they are and whatever they agree on."""
    random = np.random.default_rng(5)
    truth = random.normal(size=60)
    honest = [np.clip(np.round(3 + truth + random.normal(0, 0.5, 60)), 1, 5).tolist() for _ in range(3)]
    backwards = np.clip(np.round(3 - truth), 1, 5).tolist()
    fast = [ratings(backwards, 200, rater=f"fast{i}") for i in range(5)]
    table = pd.concat([*(ratings(values, rater=f"o{i}") for i, values in enumerate(honest)), *fast])
    named = rules(screen(table, NO_PAIRS, units(60), FIVE))
    assert {rater for rater, _ in named} == {f"fast{i}" for i in range(5)}


def test_where_all_disagree_nobody_is_named() -> None:
    """A crowd without any agreement is not thrown out: the threshold is at most half the median correlation."""
    random = np.random.default_rng(7)
    tables = [ratings(random.integers(1, 6, 60).tolist(), rater=f"r{i}") for i in range(20)]
    named = rules(screen(pd.concat(tables), NO_PAIRS, units(60), FIVE))
    assert len([rule for _, rule in named if rule == "consensus"]) <= 2


@pytest.mark.parametrize(
    "rule", ["fast_share", "straight", "side_p", "gold_share", "contradiction", "consensus"]
)
def test_zero_switches_a_rule_off(rule: str) -> None:
    """A rater who breaks every rule: with one key at 0, exactly that rule is silent."""
    n = 40
    truth = np.tile([1, -1, 1, 1, -1], 8)
    questions = pd.concat(
        [units(n, "forced_choice"), control("forced_choice", "gold", golds=[1.0] * 4),
         control("forced_choice", "repeat", repeat_of=[f"u{i}" for i in range(10)])]
    )  # fmt: skip
    others = [pairs(truth.tolist(), (np.arange(n) % 2 == i % 2).tolist(), rater=f"o{i}") for i in range(4)]
    # Always the button on the left, where the worse picture is.
    bad = pd.concat(
        [pairs((-truth).tolist(), (truth < 0).tolist()), pairs([-1.0] * 4, False, unit="g"),
         pairs((-truth[:10]).tolist(), (truth[:10] < 0).tolist(), unit="r")]
    ).assign(milliseconds=100)  # fmt: skip
    table = pd.concat([*others, bad])
    key = {"fast_share": "fast", "side_p": "side", "gold_share": "gold"}
    every = {"fast", "straight", "side", "gold", "contradiction", "consensus"}
    assert set(judged_pairs(table, questions)) == every
    limits = dataclasses.replace(ScreeningSection(), **{rule: 0})
    found = screen(NO_RATINGS, table, questions, Settings(screening=limits))
    assert {verdict.rule for verdict in found} == every - {key.get(rule, rule)}
    assert {verdict.rater_id for verdict in found} == {"r"}
