"""A running study's figures for the page Now and the banner: asked of the store by sums, each time that it has changed.

look(opened, time.time()).status.next_step
"""

import math
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

import sqlalchemy as sa

from photojury.analysis.alarms import Alarm, alarms
from photojury.analysis.answers import Answers
from photojury.analysis.dashboard.opening import Opened, made
from photojury.analysis.progress import Pace, Status, pace, status
from photojury.analysis.wording import share
from photojury.datasets import tables
from photojury.datasets.read_only import stamp
from photojury.datasets.store import Study


@dataclass(frozen=True)
class Look:
    """What was to be seen at one moment.

    Attributes:
        at: the moment.
        mark: the store's stamp.
    """

    status: Status
    pace: Pace
    alarms: list[Alarm]
    at: float
    mark: tuple[str, ...]


_looks: dict[str, Look] = {}
_lock = Lock()

# The rate of the last hours changes without the store.
_STALE = 60.0


def look(study: Study) -> Look:
    """The newest figures of a study; computed again where the store has changed, or after a minute."""
    with _lock:
        known, mark, at = _looks.get(str(study.folder)), stamp(study.engine), time.time()
        if known is None or known.mark != mark or at - known.at > _STALE:
            now = status(study)
            speed = pace(study, now, at)
            known = _looks[str(study.folder)] = Look(now, speed, alarms(study, now, speed, at), at, mark)
        return known


def simulated(opened: Opened) -> str:
    """The sentence of the banner; empty where no answer is simulated."""
    part = _simulated_assignments(opened.study) if opened.kind == "study" else made(opened, _of_answers)
    if math.isnan(part) or part == 0:
        return ""
    if part == 1:
        return "All of these answers were given by simulated raters. They say nothing about people."
    return f"{share(part)} of these answers were given by simulated raters, who say nothing about people."


def _simulated_assignments(study: Study) -> float:
    table = tables.assignments
    query: Any = sa.select(
        sa.func.count().label("n"),
        sa.func.sum(sa.case((table.c.simulated.is_(True), 1), else_=0)).label("of"),
    )
    row = study.rows(query)[0]
    return int(row["of"]) / int(row["n"]) if row["n"] else math.nan


def _of_answers(answers: Answers) -> float:
    return answers.simulated_share()
