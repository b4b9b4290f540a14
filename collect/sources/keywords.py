"""The keyword planner: what to ask Google for, and what that takes.

Takes in the [google] section of study.toml; gives out keywords, and how many calls, days and dollars are left to
ask for all of them. Paper 1 (section 3) asked with general words ("action shot"), with kinds of sport, and with
people and what they do ("Messi shot", "Kobe layup"): here every subject is put together with every action, and names
are asked as they are.

    >>> from photojury.sections import GoogleSection
    >>> section = GoogleSection(subjects=("Messi", "Kobe"), actions=("shot", "layup"), names=("action shot",))
    >>> keywords(section)
    ['Messi shot', 'Messi layup', 'Kobe shot', 'Kobe layup', 'action shot']
    >>> cost(1200, 100), cost(1200, 1200)
    ((12, 0.0), (1, 5.5))
"""

import itertools
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.sections import GoogleSection

PER_CALL, PER_KEYWORD = 10, 100
"""Pictures in one answer, and in all answers to one keyword (Custom Search JSON API, num and start)."""

FREE_PER_DAY, DOLLARS_PER_1000 = 100, 5.0
"""Calls a day that cost nothing, and the price of the others (Custom Search JSON API, pricing)."""


@dataclass(frozen=True)
class Plan:
    """What is left to ask.

    Attributes:
        keywords: all of them, asked or not.
        calls: left, at most; a keyword with few pictures takes fewer than ten.
        days: that they take at google.calls_per_day.
        dollars: that they cost.
    """

    keywords: tuple[str, ...]
    calls: int
    days: int
    dollars: float


def keywords(section: GoogleSection) -> list[str]:
    """Every subject with every action, and every name; each once, whatever its case."""
    subjects, actions = (_words(words) for words in (section.subjects, section.actions))
    together = [f"{subject} {action}" for subject, action in itertools.product(subjects, actions)]
    # Where there is only one of the two, it is asked by itself.
    found = (together or subjects or actions) + _words(section.names)
    return list({keyword.casefold(): keyword for keyword in reversed(found)}.values())[::-1]


def plan(study: Study, queries: Iterable[dict[str, object]]) -> Plan:
    """What is left to ask of the queries, given what the study has asked already."""
    wanted = list(queries)
    calls = sum(_calls_left(study, query) for query in wanted)
    days, dollars = cost(calls, study.settings.google.calls_per_day)
    return Plan(tuple(str(query["q"]) for query in wanted), calls, days, dollars)


def cost(calls: int, per_day: int) -> tuple[int, float]:
    """Days and dollars that a number of calls takes, at so many a day."""
    full, rest = divmod(calls, per_day)
    paid = full * max(0, per_day - FREE_PER_DAY) + max(0, rest - FREE_PER_DAY)
    return math.ceil(calls / per_day), paid * DOLLARS_PER_1000 / 1000


def _calls_left(study: Study, query: dict[str, object]) -> int:
    searches, slices = tables.searches, tables.slices
    text = json.dumps(query, sort_keys=True, ensure_ascii=False)
    asked = (
        sa.select(slices.c.state, slices.c.cursor)
        .join(searches, searches.c.search_id == slices.c.search_id)
        .where(searches.c.source == "google", searches.c.query == text)
    )
    rows = study.rows(asked)
    if any(row["state"] != "open" for row in rows):
        return 0
    first = max((int(row["cursor"] or 1) for row in rows), default=1)
    return math.ceil((PER_KEYWORD - first + 1) / PER_CALL)


def _words(words: Iterable[str]) -> list[str]:
    return [" ".join(word.split()) for word in words if word.strip()]
