"""Progress: how far each batch is, what an hour of its work pays, what was spent, and what to do next.

Takes in an open study; gives out a `Status`, from the store alone: the marketplace is not asked.

    >>> status(open_study(Path("demo-study"))).next_step        # doctest: +SKIP
    'photojury analyze'
"""

import json
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.money import Cost, cost_of_hits, cost_of_unreviewed, spent, to_come
from photojury.datasets.store import Study

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
    hits = study.rows(sa.select(tables.hits).order_by(tables.hits.c.batch))
    came = study.rows(
        sa.select(
            tables.assignments.c.hit_key,
            tables.assignments.c.rater_id,
            tables.assignments.c.status,
            tables.assignments.c.active_seconds,
        )
    )
    wage_of = {wage.batch: wage for wage in wages(study)}
    batch_of = {hit["hit_key"]: hit["batch"] for hit in hits}
    batches: list[BatchStatus] = []
    for name in sorted(set(batch_of.values())):
        mine = [hit for hit in hits if hit["batch"] == name]
        answers = [row for row in came if batch_of[row["hit_key"]] == name]
        times = sorted(row["active_seconds"] for row in answers if row["active_seconds"] is not None)
        batches.append(
            BatchStatus(
                batch=name,
                task=mine[0]["task"],
                units=sum(max(1, len(json.loads(hit["unit_ids"]))) for hit in mine),  # a custom HIT is one
                hits=len(mine),
                published=sum(hit["state"] not in ("planned", "publishing") for hit in mine),
                paused=sum(hit["state"] == "paused" for hit in mine),
                wanted=sum(_wanted(hit, answers) for hit in mine),
                submitted=len(answers),
                approved=sum(row["status"] == "Approved" for row in answers),
                rejected=sum(row["status"] == "Rejected" for row in answers),
                median_active_seconds=times[len(times) // 2] if times else None,
                hourly_cents=wage_of[name].hourly_cents,
            )
        )
    planned = [hit for hit in hits if hit["state"] == "planned"]
    still = to_come(study) + cost_of_hits(planned, study.settings.market.fee_percent)
    judged = study.rows(sa.select(tables.verdicts.c.rater_id).distinct())
    return Status(
        batches,
        raters=len({row["rater_id"] for row in came}),
        judged=len(judged),
        excluded=len(excluded(study)),
        promised_cents=study.settings.budget.hourly_wage_cents,
        spent=spent(study),
        to_come=still,
        next_step=_next_step(batches, unreviewed=cost_of_unreviewed(study)[0]),
    )


def wages(study: Study) -> list[Wage]:
    """The measured wage of every batch.

    Times come from assignments whose answers are used: those who did not look were quick.
    """
    times: dict[str, list[float]] = {}
    query = sa.select(_HITS.c.batch, _ASSIGNMENTS.c.active_seconds).join(
        _ASSIGNMENTS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key
    )
    known = _ASSIGNMENTS.c.use.is_(True), _ASSIGNMENTS.c.active_seconds > 0
    for row in study.rows(query.where(*known)):
        times.setdefault(row["batch"], []).append(row["active_seconds"])
    batches = sa.select(_HITS.c.batch, sa.func.max(_HITS.c.reward).label("reward")).group_by(_HITS.c.batch)
    return [
        Wage(
            row["batch"],
            int(row["reward"]),
            len(times.get(row["batch"], [])),
            statistics.median(times[row["batch"]]) if row["batch"] in times else None,
        )
        for row in study.rows(batches.order_by(_HITS.c.batch))
    ]


def excluded(study: Study) -> list[str]:
    """Raters who are excluded now."""
    query = sa.select(_EXCLUSIONS.c.rater_id, _EXCLUSIONS.c.until).order_by(_EXCLUSIONS.c.rater_id)
    now = time.time()
    return [row["rater_id"] for row in study.rows(query) if row["until"] is None or row["until"] > now]


def _wanted(hit: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> int:
    if hit["state"] != "closed":
        return int(hit["max_assignments"])
    return sum(row["hit_key"] == hit["hit_key"] for row in answers)


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
