"""Screening: which assignments the analysis leaves out, and why, by rules that are written down beforehand.

Takes in ratings and comparisons; gives out a reason for each assignment that is not to be used.
A rule needs enough answers of a rater to speak; all answers of a task by that rater are then left out.

The rules, after a forced-choice study of image attractiveness (Neon) and ITU-T P.910's crowd tool:

- too fast: more than 10 % of a rater's answers came within 400 ms of the picture being visible;
- one answer to everything: all answers of a rater to a task are the same (P.910's tool sees a variance
  under 0.15 on five points as straight-lining; three levels leave room for honest small variances, so only
  none at all counts here);
- one side: a rater's preference for the left or the right picture is too strong for chance (two-sided
  binomial test, p < 0.003, Neon's threshold; sides are drawn by lot, so taste cannot cause it).

    >>> screen(ratings, comparisons)       # doctest: +SKIP
    {'3ABC…': 'too fast: 74 of 90 answers in under 400 ms'}
"""

from collections.abc import Iterator

import pandas as pd
from scipy import stats

from photojury.errors import require_columns

FAST_MS = 400
FAST_SHARE = 0.10
SIDE_P = 0.003
LEAST_ANSWERS = 20
"""A rater with fewer answers to a task is not judged by any rule."""


def screen(ratings: pd.DataFrame, comparisons: pd.DataFrame) -> dict[str, str]:
    """Reasons by assignment id.

    Args:
        ratings: assignment_id, rater_id, value, milliseconds.
        comparisons: the same and task, first_shown_left.

    Raises:
        InputError: a column is missing.
    """
    found: dict[str, str] = {}
    for answers in _by_rater(ratings, comparisons):
        reason = _reason(answers)
        if reason:
            found.update(dict.fromkeys(answers["assignment_id"], reason))
    return found


def _by_rater(ratings: pd.DataFrame, comparisons: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """One table for each rater and task, with `towards_left` (-, 0, +) where there are sides."""
    needed = ("assignment_id", "rater_id", "value", "milliseconds")
    require_columns(ratings.columns, needed, "ratings")
    require_columns(comparisons.columns, (*needed, "task", "first_shown_left"), "comparisons")
    if len(ratings):
        for _, answers in ratings.groupby("rater_id"):
            yield answers
    if len(comparisons):
        shown_left = comparisons["first_shown_left"].astype(bool)
        sided = comparisons.assign(towards_left=comparisons["value"].where(shown_left, -comparisons["value"]))
        for _, answers in sided.groupby(["task", "rater_id"]):
            yield answers


def _reason(answers: pd.DataFrame) -> str | None:
    n = len(answers)
    if n < LEAST_ANSWERS:
        return None
    fast = int((answers["milliseconds"] < FAST_MS).sum())
    if fast > FAST_SHARE * n:
        return f"too fast: {fast} of {n} answers in under {FAST_MS} ms"
    # On sides, what repeats is the button: the value that counts from the left picture.
    buttons = answers["towards_left"] if "towards_left" in answers else answers["value"]
    if buttons.nunique() == 1:
        return f"one answer to everything: {n} times the same"
    if "towards_left" in answers:
        left, right = int((buttons > 0).sum()), int((buttons < 0).sum())
        if left + right and stats.binomtest(left, left + right).pvalue < SIDE_P:
            return f"one side: the left picture {left} times, the right one {right} times"
    return None
