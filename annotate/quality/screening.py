"""Screening: whose answers the analysis leaves out, and why, by rules that are written down beforehand.

Takes in ratings and comparisons with the questions that they answer, and the thresholds of study.toml; gives
out a `Verdict` for each rater, task and rule that speaks. All answers of that rater to that task are then
paid and not used. Nothing here touches pay.

The rules, each with the key of study.toml's [screening] that sets its threshold; 0 switches a rule off:

- fast (fast_share): more than 10 % of the answers came within 400 ms of the picture being visible. From a
  forced-choice study of image attractiveness on MTurk (Neon), which fails raters by the same two figures.
- straight (straight): one button gave nearly all answers, more than the others use it, and the rest does not follow
  the others either. ITU-T P.910's crowd tool fails a variance under 0.15 on five points; a share says the same
  on any scale, and on pairs.
- side (side_p): a preference for the left or the right picture that is too strong for chance (two-sided binomial
  test, p < 0.003, Neon's threshold; sides are drawn by lot, so taste cannot cause it).
- gold (gold_share, gold_tolerance): too few gold questions answered rightly; a rating may be as far off as one
  level of five (P.910: +/- 1), a comparison must name the right side.
- contradiction (contradiction): too many repeats with another answer: the other picture, or a rating more than a
  level away (and more than gold_tolerance).
- consensus (consensus): too little correlation (Pearson's) with the mean of the other raters, without those whom
  another rule has named. P.910's tool asks for 0.75; matters of taste agree less.

The last three measure a share or a correlation on few answers, so they speak only where a rater who just met
the threshold would do so badly with a probability under `chance` (one-sided exact binomial test; Fisher's z).
docs/screening.md shows what the rules find and miss in simulated crowds.

    >>> screen(ratings, comparisons, units, study.settings)       # doctest: +SKIP
    [Verdict(rater_id='5f0c…', task='stars', rule='fast', reason='too fast: 74 of 90 answers …', ...)]
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from photojury.annotate.tasks.kind import kind
from photojury.errors import require_columns
from photojury.sections import ScreeningSection
from photojury.settings import Settings

LABELS: Mapping[str, str] = {
    "fast": "too fast",
    "straight": "one answer to everything",
    "side": "one side",
    "gold": "gold questions missed",
    "contradiction": "contradicts itself",
    "consensus": "far from the others",
}
"""Each rule with the words that begin its reasons."""

# Fewer common questions say nothing: Fisher's z needs more than three.
_LEAST_COMMON = 4


@dataclass(frozen=True)
class Verdict:
    """Why a rater's answers to a task are not used: a row of the table `verdicts`, without its time."""

    rater_id: str
    task: str
    rule: str
    reason: str
    value: float
    threshold: float


@dataclass(frozen=True)
class _Finding:
    """What one rule says of one rater's answers."""

    sentence: str
    value: float
    threshold: float


@dataclass(frozen=True)
class _Work:
    """One rater's answers to one task.

    Attributes:
        answers: assignment_id, unit_id, question (the unit, for a repeat the one that it repeats), control
            ("" for an ordinary question), gold, value (of a pair: from the question's first picture), button
            (of a pair: from the left one), milliseconds.
        pairs: whether two pictures were compared.
        span: best rating minus worst; 0 for pairs.
    """

    answers: pd.DataFrame
    pairs: bool
    span: float

    def of(self, *controls: str) -> pd.DataFrame:
        """The answers to questions of these kinds; "" is a question like any other."""
        return self.answers[self.answers["control"].isin(controls)]


def screen(
    ratings: pd.DataFrame, comparisons: pd.DataFrame, units: pd.DataFrame, settings: Settings
) -> list[Verdict]:
    """Judge every rater in every task.

    Args:
        ratings: assignment_id, unit_id, attribute, rater_id, value, milliseconds; "overall" is judged.
        comparisons: assignment_id, unit_id, rater_id, value, milliseconds, first_shown_left.
        units: unit_id, task, control, gold, repeat_of.
        settings: the thresholds, and the scales of the tasks.

    Returns:
        Verdicts by task, rater and rule.

    Raises:
        InputError: a column is missing.
    """
    limits = settings.screening
    found: list[Verdict] = []
    for task, answers, pairs in _tasks(ratings, comparisons, units):
        span = 0.0 if pairs else _span(task, settings)
        works = {str(rater): _Work(mine, pairs, span) for rater, mine in answers.groupby("rater_id")}
        findings = {rater: _alone(work, limits) for rater, work in works.items()}
        for rater, finding in _straight(works, answers, limits).items():
            findings[rater]["straight"] = finding
        trusted = answers[~answers["rater_id"].isin([rater for rater, said in findings.items() if said])]
        for rater, finding in _consensus(works, trusted, limits).items():
            findings[rater]["consensus"] = finding
        found += [
            Verdict(rater, task, rule, f"{LABELS[rule]}: {one.sentence}", one.value, one.threshold)
            for rater, said in findings.items()
            for rule, one in said.items()
        ]
    return found


def _tasks(
    ratings: pd.DataFrame, comparisons: pd.DataFrame, units: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame, bool]]:
    """The answers of each task with what is known of their questions, and whether they compare two pictures."""
    common = ("assignment_id", "unit_id", "rater_id", "value", "milliseconds")
    require_columns(ratings.columns, (*common, "attribute"), "ratings")
    require_columns(comparisons.columns, (*common, "first_shown_left"), "comparisons")
    require_columns(units.columns, ("unit_id", "task", "control", "gold", "repeat_of"), "units")
    questions = units[["unit_id", "task", "control", "gold", "repeat_of"]]
    for table, pairs in ((ratings[ratings["attribute"] == "overall"], False), (comparisons, True)):
        known = table.drop(columns="task", errors="ignore").merge(questions, on="unit_id")
        known["control"] = known["control"].astype(object).where(known["control"].notna(), "")
        known = known[known["control"] != "training"]
        if known.empty:
            continue
        again = known["control"] == "repeat"
        known["question"] = known["repeat_of"].where(again, known["unit_id"])
        known["value"] = known["value"].astype(float)
        known["milliseconds"] = pd.to_numeric(known["milliseconds"])
        known["button"] = known["value"]
        if pairs:
            on_left = known["first_shown_left"].astype(bool)
            known["button"] = known["value"].where(on_left, -known["value"])
            # A repeat names the two pictures the other way round.
            known["value"] = known["value"].where(~again, -known["value"])
        for task, answers in known.groupby("task"):
            yield str(task), answers, pairs


def _span(task: str, settings: Settings) -> float:
    values = [choice.value for choice in kind(task).choices(settings)]
    return float(max(values) - min(values))


def _alone(work: _Work, limits: ScreeningSection) -> dict[str, _Finding]:
    """What the rules say that need no other rater."""
    rules: dict[str, Callable[[_Work, ScreeningSection], _Finding | None]] = {
        "gold": _gold,
        "contradiction": _contradiction,
    }
    if len(work.of("")) >= limits.least_answers:
        rules |= {"fast": _fast, "side": _side}
    said = {rule: judge(work, limits) for rule, judge in rules.items()}
    return {rule: finding for rule, finding in said.items() if finding is not None}


def _fast(work: _Work, limits: ScreeningSection) -> _Finding | None:
    n, fast = len(work.answers), int((work.answers["milliseconds"] < limits.fast_ms).sum())
    if not limits.fast_share or fast <= limits.fast_share * n:
        return None
    return _Finding(f"{fast} of {n} answers in under {limits.fast_ms} ms", fast / n, limits.fast_share)


def _side(work: _Work, limits: ScreeningSection) -> _Finding | None:
    if not work.pairs:
        return None
    left, right = int((work.answers["button"] > 0).sum()), int((work.answers["button"] < 0).sum())
    p = stats.binomtest(left, left + right).pvalue if left + right else 1.0
    if p >= limits.side_p:
        return None
    sentence = f"the left picture {left} times, the right one {right} times"
    return _Finding(sentence, float(p), limits.side_p)


def _gold(work: _Work, limits: ScreeningSection) -> _Finding | None:
    golds = work.of("gold")
    if work.pairs:
        right = np.sign(golds["value"]) == np.sign(golds["gold"])
    else:
        right = (golds["value"] - golds["gold"]).abs() <= limits.gold_tolerance * work.span
    n, good = len(golds), int(right.sum())
    if not n or not _too_few(good, n, limits.gold_share, limits.chance):
        return None
    return _Finding(f"{good} of {n} right", good / n, limits.gold_share)


def _contradiction(work: _Work, limits: ScreeningSection) -> _Finding | None:
    asked = work.of("", "gold").set_index(["assignment_id", "unit_id"])["value"]
    again = work.of("repeat")
    keys = pd.MultiIndex.from_frame(again[["assignment_id", "question"]])
    before, after = asked.reindex(keys).to_numpy(dtype=float), again["value"].to_numpy(dtype=float)
    before, after = before[~np.isnan(before)], after[~np.isnan(before)]
    if work.pairs:
        other = before * after < 0
    else:
        other = np.abs(before - after) > max(1.0, limits.gold_tolerance * work.span)
    n, wrong = len(before), int(other.sum())
    limit = limits.contradiction
    if not n or not limit or not _too_few(n - wrong, n, 1 - limit, limits.chance):
        return None
    return _Finding(f"{wrong} of {n} repeats with another answer", wrong / n, limit)


def _straight(
    works: Mapping[str, _Work], answers: pd.DataFrame, limits: ScreeningSection
) -> dict[str, _Finding]:
    """Who presses one button nearly always, unless the few other answers are clearly those of the others.

    Where most pictures are poor, nearly all answers may be 1, and honestly so: the threshold then lies half way
    between the crowd's share of that answer and 1.
    """
    if not limits.straight:
        return {}
    usual = answers["button"].value_counts(normalize=True)
    found: dict[str, _Finding] = {}
    for rater, (r, n) in _correlations(works, answers, limits).items():
        counts = works[rater].answers["button"].value_counts()
        most, all_of_them = int(counts.iloc[0]), int(counts.sum())
        limit = max(limits.straight, (1 + float(usual[counts.index[0]])) / 2)
        looked = 1 - _p_of_so_little(r, n, 0.0) < limits.chance
        if most > limit * all_of_them and not looked:
            found[rater] = _Finding(f"{most} of {all_of_them} times the same", most / all_of_them, limit)
    return found


def _consensus(
    works: Mapping[str, _Work], trusted: pd.DataFrame, limits: ScreeningSection
) -> dict[str, _Finding]:
    """Who agrees too little with the others.

    Where the whole crowd agrees little, as it may on matters of taste, the threshold is half of the median
    rater's correlation, so that the rule never throws out the crowd.
    """
    measured = _correlations(works, trusted, limits)
    known = {rater: (r, n) for rater, (r, n) in measured.items() if n >= _LEAST_COMMON}
    if not known:
        return {}
    limit = min(limits.consensus, float(np.median([r for r, _ in known.values()])) / 2)
    return {
        rater: _Finding(f"correlation {r:.2f} with the mean of the others on {n} questions", r, limit)
        for rater, (r, n) in known.items()
        if limit > 0 and _p_of_so_little(r, n, limit) < limits.chance
    }


def _correlations(
    works: Mapping[str, _Work], crowd: pd.DataFrame, limits: ScreeningSection
) -> dict[str, tuple[float, int]]:
    """Of each rater with enough answers: r with the mean of the others in the crowd, on how many questions."""
    votes = crowd[crowd["control"] == ""]
    others = votes.groupby("question")["value"].agg(["sum", "count"])
    among = set(votes["rater_id"])
    return {
        rater: _correlation(work, others, among_them=rater in among)
        for rater, work in works.items()
        if len(work.of("")) >= limits.least_answers
    }


def _correlation(work: _Work, others: pd.DataFrame, *, among_them: bool) -> tuple[float, int]:
    """Pearson's r of a rater's ordinary answers with the mean of the others', and the number of questions.

    Where either does not vary, nothing is known: 0 questions.
    """
    mine = work.of("")
    values = mine["value"].to_numpy(dtype=float)
    there = others.reindex(mine["question"])
    total, count = there["sum"].to_numpy(dtype=float), there["count"].to_numpy(dtype=float)
    if among_them:
        total, count = total - values, count - 1
    common = count > 0  # false where nobody else answered (nan)
    values, means = values[common], total[common] / count[common]
    if len(values) < _LEAST_COMMON or np.ptp(values) == 0 or np.ptp(means) == 0:
        return 0.0, 0
    return float(np.corrcoef(values, means)[0, 1]), len(values)


def _p_of_so_little(r: float, n: int, limit: float) -> float:
    """Fisher's z: atanh(r) is about normal around atanh(limit) with standard deviation 1 / sqrt(n - 3)."""
    if n < _LEAST_COMMON:
        return 0.5
    z = math.atanh(min(max(r, -0.999999), 0.999999))
    return float(stats.norm.cdf((z - math.atanh(limit)) * math.sqrt(n - 3)))


def _too_few(successes: int, n: int, share: float, chance: float) -> bool:
    """Whether so few successes are too unlikely for someone whose true share is `share`."""
    return bool(stats.binom.cdf(successes, n, share) < chance)
