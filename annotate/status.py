"""Status: how far each batch is, what was spent, and what to do next."""

import json
from dataclasses import dataclass

import sqlalchemy as sa

from photojury.annotate.budget import Cost, cost_of
from photojury.annotate.review import spent
from photojury.datasets import tables
from photojury.datasets.store import Study


@dataclass(frozen=True)
class BatchStatus:
    """One batch: planned units and HITs, HITs at the marketplace, assignments wanted, in, and approved."""

    batch: str
    task: str
    units: int
    hits: int
    published: int
    wanted: int
    submitted: int
    approved: int
    median_active_seconds: float | None


@dataclass(frozen=True)
class Status:
    """All batches, the money, and the next command to type."""

    batches: list[BatchStatus]
    spent: Cost
    to_come: Cost
    next_step: str


def status(study: Study) -> Status:
    """How far the study is, from its store alone: the marketplace is not asked."""
    hits = study.rows(sa.select(tables.hits).order_by(tables.hits.c.batch))
    came = study.rows(
        sa.select(
            tables.assignments.c.hit_key, tables.assignments.c.status, tables.assignments.c.active_seconds
        )
    )
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
                units=sum(len(json.loads(hit["unit_ids"])) for hit in mine),
                hits=len(mine),
                published=sum(hit["state"] in ("published", "closed") for hit in mine),
                wanted=sum(hit["max_assignments"] for hit in mine),
                submitted=len(answers),
                approved=sum(row["status"] == "Approved" for row in answers),
                median_active_seconds=times[len(times) // 2] if times else None,
            )
        )
    percent = study.settings.market.fee_percent
    parts = [cost_of(1, hit["max_assignments"], hit["reward"], percent) for hit in hits]
    paid = spent(study)
    rewards, fees = sum(part.rewards for part in parts), sum(part.fees for part in parts)
    to_come = Cost(max(0, rewards - paid.rewards), max(0, fees - paid.fees))
    return Status(batches, paid, to_come, _next_step(batches))


def _next_step(batches: list[BatchStatus]) -> str:
    if not batches:
        return "photojury annotate plan stars"
    if any(batch.published < batch.hits for batch in batches):
        return "photojury annotate publish --yes"
    if any(batch.approved < batch.submitted for batch in batches):
        return "photojury annotate review --yes"
    if any(batch.submitted < batch.wanted for batch in batches):
        return "photojury annotate fetch"
    return "photojury analyze"
