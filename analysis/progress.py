"""Progress: how far each batch is, what an hour of its work pays, what was spent, when it is done, what to do next.

Takes in an open study; gives out a `Status`, from the store alone: the marketplace is not asked.

    >>> status(open_study(Path("demo-study"))).next_step        # doctest: +SKIP
    'photojury analyze'
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.money import Cost, cost_of_hits, cost_of_unreviewed, spent, to_come
from photojury.datasets.store import Study

RECENT = 3.0
"""Hours that the rate of answers is taken over."""
SHOWN_HOURS = 48
_HOUR = 3600.0
# Of a study that has just begun, the rate of five minutes at least.
_LEAST = 1 / 12

_ASSIGNMENTS, _EXCLUSIONS, _HITS = tables.assignments, tables.exclusions, tables.hits


@dataclass(frozen=True)
class Wage:
    """A batch as its raters met it.

    Attributes:
        reward: cents for one assignment.
        measured: assignments whose answers are used and whose active time is known.
        seconds: their median active time; None where there are none.
    """

    batch: str
    reward: int
    measured: int
    seconds: float | None

    @property
    def hourly_cents(self) -> int | None:
        """What an hour of this work pays at the median; None where no time is known."""
        return None if not self.seconds else hourly(self.reward, self.seconds)


def hourly(reward: int, seconds: float) -> int:
    """Cents for an hour of work of which `seconds` pay `reward` cents, rounded down."""
    return math.floor(reward * 3600 / seconds)


@dataclass(frozen=True)
class BatchStatus:
    """One batch: planned units and HITs, those at the marketplace, assignments wanted, in, approved and rejected.

    Of a closed HIT, what is in the store is all that is wanted.

    Attributes:
        hourly_cents: what an hour of this work pays at the median time of those whose answers are used.
    """

    batch: str
    task: str
    units: int
    hits: int
    published: int
    paused: int
    wanted: int
    submitted: int
    approved: int
    rejected: int
    median_active_seconds: float | None
    hourly_cents: int | None


@dataclass(frozen=True)
class Status:
    """All batches, the raters, the money, and the next command to type.

    Attributes:
        raters: people who handed something in.
        judged: raters with a verdict of the last review: paid, and not used.
        excluded: raters who are offered no more HITs.
        promised_cents: the hourly wage of study.toml.
    """

    batches: list[BatchStatus]
    raters: int
    judged: int
    excluded: int
    promised_cents: int
    spent: Cost
    to_come: Cost
    next_step: str


def status(study: Study) -> Status:
    """How far the study is, from its store alone: the marketplace is not asked."""
    times = _active_times(study)
    wage_of = {wage.batch: wage for wage in _wages(study, times)}
    came = {row["batch"]: row for row in study.rows(_answers_by_batch())}
    batches = [_batch_status(row, came, times, wage_of) for row in study.rows(_hits_by_batch())]
    terms = (_HITS.c.reward, _HITS.c.max_assignments)
    planned = sa.select(*terms).where(_HITS.c.state == "planned")
    still = to_come(study) + cost_of_hits(study.rows(planned), study.settings.market.fee_percent)
    return Status(
        batches,
        raters=_count(study, _ASSIGNMENTS.c.rater_id),
        judged=_count(study, tables.verdicts.c.rater_id),
        excluded=len(excluded(study)),
        promised_cents=study.settings.budget.hourly_wage_cents,
        spent=spent(study),
        to_come=still,
        next_step=_next_step(batches, unreviewed=cost_of_unreviewed(study)[0]),
    )


@dataclass(frozen=True)
class Pace:
    """How fast answers come in.

    Attributes:
        by_hour: hour (start, seconds since 1970), assignments; the last 48 hours up to the asked time, empty ones too.
        hours: the time that the rate is taken over: RECENT, or less where the first answer is younger.
        came: assignments handed in during it.
        last_at: when the newest was handed in; None where there is none.
        left: assignments that are wanted and not in.
    """

    by_hour: pd.DataFrame
    hours: float
    came: int
    last_at: float | None
    left: int

    @property
    def per_hour(self) -> float:
        """Assignments an hour."""
        return self.came / self.hours

    @property
    def hours_left(self) -> float | None:
        """Until all are in, at this rate; None where nothing comes in."""
        return self.left / self.per_hour if self.came else None


def pace(study: Study, now: Status, at: float) -> Pace:
    """The rate of the last hours before `at`, and how long the rest takes at it.

    Only HITs that raters can find count as left: planned and paused ones wait for somebody else.
    """
    ends = sa.select(sa.func.min(_ASSIGNMENTS.c.submitted_at), sa.func.max(_ASSIGNMENTS.c.submitted_at))
    with study.engine.connect() as connection:
        first, last = connection.execute(ends).one()
    start = (math.floor(at / _HOUR) - SHOWN_HOURS + 1) * _HOUR
    query = sa.select(_ASSIGNMENTS.c.submitted_at).where(_ASSIGNMENTS.c.submitted_at >= start)
    times = study.frame(query.where(_ASSIGNMENTS.c.submitted_at <= at))["submitted_at"].to_numpy(np.float64)
    counts = np.bincount(((times - start) // _HOUR).astype(np.int64), minlength=SHOWN_HOURS)
    by_hour = pd.DataFrame({"hour": start + _HOUR * np.arange(SHOWN_HOURS), "assignments": counts})
    hours = RECENT if first is None else min(RECENT, max((at - first) / _HOUR, _LEAST))
    left = sum(max(0, batch.wanted - batch.submitted) for batch in now.batches if batch.published)
    return Pace(by_hour, hours, int((times > at - hours * _HOUR).sum()), last, left)


def wages(study: Study) -> list[Wage]:
    """The measured wage of every batch.

    Times come from assignments whose answers are used: those who did not look were quick.
    """
    return _wages(study, _active_times(study))


def excluded(study: Study) -> list[str]:
    """Raters who are excluded now."""
    query = sa.select(_EXCLUSIONS.c.rater_id, _EXCLUSIONS.c.until).order_by(_EXCLUSIONS.c.rater_id)
    now = time.time()
    return [row["rater_id"] for row in study.rows(query) if row["until"] is None or row["until"] > now]


def _hits_by_batch() -> "sa.Select[Any]":
    """One row a batch, of its HITs; a unit id has no comma, so commas count the questions."""
    questions = sa.func.length(_HITS.c.unit_ids) - sa.func.length(sa.func.replace(_HITS.c.unit_ids, ",", ""))
    columns = {
        "task": sa.func.min(_HITS.c.task),
        "units": sa.func.sum(questions + 1),  # a custom HIT is one
        "hits": sa.func.count(),
        "published": sa.func.sum(sa.case((_HITS.c.state.in_(("planned", "publishing")), 0), else_=1)),
        "paused": sa.func.sum(sa.case((_HITS.c.state == "paused", 1), else_=0)),
        "open_for": sa.func.sum(sa.case((_HITS.c.state == "closed", 0), else_=_HITS.c.max_assignments)),
    }
    query = sa.select(_HITS.c.batch, *(column.label(name) for name, column in columns.items()))
    return query.group_by(_HITS.c.batch).order_by(_HITS.c.batch)


def _answers_by_batch() -> "sa.Select[Any]":
    """One row a batch, of its assignments."""
    columns = {
        "submitted": sa.func.count(),
        "approved": sa.func.sum(sa.case((_ASSIGNMENTS.c.status == "Approved", 1), else_=0)),
        "rejected": sa.func.sum(sa.case((_ASSIGNMENTS.c.status == "Rejected", 1), else_=0)),
        "of_closed": sa.func.sum(sa.case((_HITS.c.state == "closed", 1), else_=0)),
    }
    query = sa.select(_HITS.c.batch, *(column.label(name) for name, column in columns.items()))
    return query.join(_ASSIGNMENTS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key).group_by(_HITS.c.batch)


def _batch_status(
    hits: Mapping[str, Any],
    came: Mapping[str, Mapping[str, Any]],
    times: pd.DataFrame,
    wage_of: Mapping[str, Wage],
) -> BatchStatus:
    name = hits["batch"]
    answers = came.get(name, {"submitted": 0, "approved": 0, "rejected": 0, "of_closed": 0})
    known = np.sort(times.loc[times["batch"] == name, "seconds"].to_numpy())
    return BatchStatus(
        batch=name,
        task=hits["task"],
        units=int(hits["units"]),
        hits=int(hits["hits"]),
        published=int(hits["published"]),
        paused=int(hits["paused"]),
        wanted=int(hits["open_for"]) + int(answers["of_closed"]),
        submitted=int(answers["submitted"]),
        approved=int(answers["approved"]),
        rejected=int(answers["rejected"]),
        median_active_seconds=float(known[len(known) // 2]) if len(known) else None,
        hourly_cents=wage_of[name].hourly_cents,
    )


def _active_times(study: Study) -> pd.DataFrame:
    """batch, seconds, use: one row for each assignment whose active time is known."""
    query = sa.select(_HITS.c.batch, _ASSIGNMENTS.c.active_seconds.label("seconds"), _ASSIGNMENTS.c.use)
    query = query.join(_ASSIGNMENTS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key)
    return study.frame(query.where(_ASSIGNMENTS.c.active_seconds.is_not(None)))


def _wages(study: Study, times: pd.DataFrame) -> list[Wage]:
    used = times[times["use"].eq(True) & (times["seconds"] > 0)].groupby("batch")["seconds"]
    measured, medians = used.size(), used.median()
    batches = sa.select(_HITS.c.batch, sa.func.max(_HITS.c.reward).label("reward")).group_by(_HITS.c.batch)
    return [
        Wage(
            row["batch"],
            int(row["reward"]),
            int(measured.get(row["batch"], 0)),
            float(medians[row["batch"]]) if row["batch"] in medians.index else None,
        )
        for row in study.rows(batches.order_by(_HITS.c.batch))
    ]


def _count(study: Study, column: "sa.Column[Any]") -> int:
    """How many different values a column has."""
    return int(study.rows(sa.select(sa.func.count(column.distinct()).label("n")))[0]["n"])


def _next_step(batches: list[BatchStatus], *, unreviewed: int) -> str:
    if not batches:
        return "photojury annotate plan stars"
    if any(batch.published < batch.hits for batch in batches):
        return "photojury annotate publish --yes"
    if unreviewed:
        return "photojury annotate review --yes"
    if any(batch.submitted < batch.wanted for batch in batches):
        resting = all(batch.paused for batch in batches if batch.submitted < batch.wanted)
        return "photojury annotate resume" if resting else "photojury annotate fetch"
    return "photojury analyze"
