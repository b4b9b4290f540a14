"""Batches: the questions of one task, put into HITs; nothing leaves the study yet.

Takes in a task's name; writes units and hits (state "planned") and gives out a `Batch` with its cost. All is
derived from the study's seed: the same study plans the same HITs.

    >>> hit_sizes(72, 10)
    [9, 9, 9, 9, 9, 9, 9, 9]
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from photojury.annotate.budget import Cost, cost_of
from photojury.annotate.tasks.kind import Kind, Unit, kind
from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows
from photojury.datasets.streams import stream
from photojury.errors import InputError


@dataclass(frozen=True)
class Batch:
    """A planned batch: what it asks, and what it will cost."""

    name: str
    task: str
    units: int
    hits: int
    assignments: int
    cost: Cost


def plan(study: Study, task: str, *, again: bool = False, keep: bool = True) -> Batch:
    """Plan a batch of a task.

    Stars are planned for the pictures that no stars unit asks about yet; pairs once for the whole study.

    Args:
        study: the open study.
        task: stars, five_level or forced_choice.
        again: plan a further batch although all has been planned.
        keep: write it to the store; False only tells what it would be.

    Raises:
        InputError: an unknown task, no pictures, or everything planned already.
    """
    task_kind = kind(task)
    with study.engine.connect() as connection:
        name = _next_name(connection, task_kind)
        asked = set() if again else _asked(connection, task_kind)
    units = [unit for unit in task_kind.plan(study, name) if unit.first_id not in asked]
    if asked and (task_kind.pictures == 2 or not units):
        raise InputError(
            f"the {task_kind.noun}s of {task_kind.name} are planned already; plan a further batch with --again"
        )
    if not units:
        raise InputError("the study has no pictures to ask about; first: photojury collect folder DIR")
    unit_rows = _unit_rows(task_kind, name, units)
    unit_ids = [str(row["unit_id"]) for row in unit_rows]
    hit_rows = _hit_rows(study, task_kind, name, unit_ids, mark=study_id(study) if keep else "")
    if keep:
        with study.writing() as connection:
            if _next_name(connection, task_kind) != name:
                raise InputError(f"{name} was planned by another process just now; look at: annotate status")
            add_rows(connection, tables.units, unit_rows)
            add_rows(connection, tables.hits, hit_rows)
    terms = task_kind.terms(study.settings)
    cost = cost_of(len(hit_rows), terms.raters, terms.reward_cents, study.settings.market.fee_percent)
    return Batch(name, task_kind.name, len(unit_rows), len(hit_rows), len(hit_rows) * terms.raters, cost)


def study_id(study: Study) -> str:
    """A random id of the study, made at first need: it marks the study's HITs at a marketplace."""
    query = sa.select(tables.meta.c.value).where(tables.meta.c.key == "study_id")
    if not study.rows(query):
        # Of two processes that get here at once, the first one's id stays.
        study.add("meta", [{"key": "study_id", "value": uuid.uuid4().hex[:12]}])
    found: str = study.rows(query)[0]["value"]
    return found


def hit_sizes(units: int, per_hit: int) -> list[int]:
    """Sizes of as few HITs as possible, as equal as possible: each is paid the same, so should be the work."""
    hits = -(-units // per_hit)
    return [units // hits + (i < units % hits) for i in range(hits)]


def _next_name(connection: sa.Connection, task_kind: Kind) -> str:
    table = tables.hits
    query = sa.select(sa.func.count(sa.distinct(table.c.batch))).where(table.c.task == task_kind.name)
    return f"{task_kind.name}-{connection.execute(query).scalar_one() + 1}"


def _asked(connection: sa.Connection, task_kind: Kind) -> set[str]:
    table = tables.units
    query = sa.select(table.c.first_id).where(table.c.task == task_kind.name)
    return set(connection.execute(query).scalars())


def _unit_rows(task_kind: Kind, batch: str, units: Sequence[Unit]) -> list[dict[str, object]]:
    return [
        {
            "unit_id": _key(batch, unit.first_id, unit.second_id or ""),
            "batch": batch,
            "task": task_kind.name,
            "first_id": unit.first_id,
            "second_id": unit.second_id,
            "part": unit.part,
            "draw": unit.draw,
            "similarity": unit.similarity,
        }
        for unit in units
    ]


def _hit_rows(
    study: Study, task_kind: Kind, batch: str, unit_ids: list[str], *, mark: str
) -> list[dict[str, object]]:
    terms = task_kind.terms(study.settings)
    order = stream(study.settings.study.seed, "hits", batch).permutation(len(unit_ids))
    rows: list[dict[str, object]] = []
    start = 0
    for number, size in enumerate(hit_sizes(len(unit_ids), terms.units_per_hit)):
        hit_key = _key(batch, str(number))
        rows.append(
            {
                "hit_key": hit_key,
                "batch": batch,
                "task": task_kind.name,
                "unit_ids": json.dumps([unit_ids[i] for i in order[start : start + size]]),
                # The marketplace refuses a second HIT with the same token: see annotate/publish.py.
                "request_token": _key(mark, hit_key),
                "state": "planned",
                "reward": terms.reward_cents,
                "max_assignments": terms.raters,
            }
        )
        start += size
    return rows


def _key(*names: str) -> str:
    """A 20-digit hexadecimal key that depends on the names, on nothing else."""
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()[:20]
