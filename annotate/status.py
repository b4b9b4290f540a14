"""Status: how far each batch is, what was spent, and what to do next."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.money.budget import Cost, cost_of_hits, spent, to_come
from photojury.annotate.money.review import cost_of_unreviewed
from photojury.annotate.money.wages import wages
from photojury.annotate.quality.exclusions import excluded
from photojury.datasets import tables
from photojury.datasets.store import Study


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
