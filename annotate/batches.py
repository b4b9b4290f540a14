"""Batches: the questions of one task, put into HITs; nothing leaves the study yet.

Takes in a task's name; writes units and hits (state "planned") and gives out a `Batch` with its cost. Some of a
HIT's questions come again in it, and gold and training questions go with it (annotate/quality/control_questions.py); a HIT is
paid the same. All is derived from the study's seed: the same study plans the same HITs.

    >>> hit_sizes(72, 10)
    [9, 9, 9, 9, 9, 9, 9, 9]
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.quality.control_questions import control_units, repeats, unit_key, with_controls
from photojury.annotate.tasks.kind import Kind, Unit, kind
from photojury.datasets import tables
from photojury.datasets.money import Cost, cost_of
from photojury.datasets.store import Study, add_rows
from photojury.datasets.streams import stream
from photojury.errors import InputError

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Batch:
    """A planned batch: what it asks, and what it will cost.

    Attributes:
        units: ordinary questions.
        repeats: questions that come again.
        golds, trainings: control questions of the task that HITs draw from.
    """

    name: str
    task: str
    units: int
    hits: int
    assignments: int
    cost: Cost
    repeats: int = 0
    golds: int = 0
    trainings: int = 0


def plan(study: Study, task: str, *, again: bool = False, keep: bool = True) -> Batch:
    """Plan a batch of a task.

    Stars are planned for the pictures that no stars unit asks about yet; pairs once for the whole study; a
    requester's own page for the rows of its CSV that have no HIT yet.

    Args:
        study: the open study.
        task: stars, five_level, forced_choice, custom, ...
        again: plan a further batch although all has been planned.
        keep: write it to the store; False only tells what it would be.

    Raises:
        InputError: an unknown task, no pictures, or everything planned already.
    """
    task_kind = kind(task)
    if task_kind.inputs:
        return _plan_rows(study, task_kind, task_kind.inputs(study), again=again, keep=keep)
    with study.engine.connect() as connection:
        name = next_name(connection, task_kind)
        asked = set() if again else _asked(connection, task_kind)
    units = [unit for unit in task_kind.plan(study, name) if unit.first_id not in asked]
    if asked and (task_kind.pictures == 2 or not units):
        raise InputError(
            f"the {task_kind.noun}s of {task_kind.name} are planned already; plan a further batch with --again"
        )
    if not units:
        raise InputError("the study has no pictures to ask about; first: photojury collect folder DIR")
    unit_rows = _unit_rows(task_kind, name, units)
    controls = [row for row in control_units(study) if row["task"] == task_kind.name]
    hit_rows, again_rows = _hit_rows(
        study, task_kind, name, unit_rows, controls, mark=study_id(study) if keep else ""
    )
    if keep:
        with study.writing() as connection:
            if next_name(connection, task_kind) != name:
                raise InputError(f"{name} was planned by another process just now; look at: annotate status")
            add_rows(connection, tables.units, [*unit_rows, *again_rows])
            add_rows(connection, tables.hits, hit_rows)
    terms = task_kind.terms(study.settings)
    cost = cost_of(len(hit_rows), terms.raters, terms.reward_cents, study.settings.market.fee_percent)
    return Batch(
        name,
        task_kind.name,
        len(unit_rows),
        len(hit_rows),
        len(hit_rows) * terms.raters,
        cost,
        repeats=len(again_rows),
        golds=sum(row["control"] == "gold" for row in controls),
        trainings=sum(row["control"] == "training" for row in controls),
    )


def _plan_rows(
    study: Study, task_kind: Kind, inputs: Sequence[Mapping[str, str]], *, again: bool, keep: bool
) -> Batch:
    """Plan a HIT for each row that none was planned for yet."""
    table, terms = tables.hits, task_kind.terms(study.settings)
    with study.engine.connect() as connection:
        name = next_name(connection, task_kind)
        query = sa.select(table.c.inputs).where(table.c.task == task_kind.name)
        planned = connection.execute(query).scalars()
        asked = set() if again else {frozenset(json.loads(text).items()) for text in planned}
    new = [dict(row) for row in inputs if frozenset(row.items()) not in asked]
    if not new:
        raise InputError(
            f"all {len(inputs)} {task_kind.noun}s of {task_kind.name} are planned already; plan a further batch "
            "with --again"
        )
    mark = study_id(study) if keep else ""
    rows = [
        {
            "hit_key": unit_key(name, str(number)),
            "batch": name,
            "task": task_kind.name,
            "unit_ids": "[]",
            "inputs": json.dumps(row, ensure_ascii=False),
            "request_token": unit_key(mark, unit_key(name, str(number))),
            "state": "planned",
            "reward": terms.reward_cents,
            "max_assignments": terms.raters,
        }
        for number, row in enumerate(new)
    ]
    if keep:
        with study.writing() as connection:
            if next_name(connection, task_kind) != name:
                raise InputError(f"{name} was planned by another process just now; look at: annotate status")
            add_rows(connection, table, rows)
    cost = cost_of(len(rows), terms.raters, terms.reward_cents, study.settings.market.fee_percent)
    return Batch(name, task_kind.name, len(rows), len(rows), len(rows) * terms.raters, cost)


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


def next_name(connection: sa.Connection, task_kind: Kind) -> str:
    """The name of a task's next batch: stars-1, stars-2, ..."""
    table = tables.hits
    query = sa.select(sa.func.count(sa.distinct(table.c.batch))).where(table.c.task == task_kind.name)
    return f"{task_kind.name}-{connection.execute(query).scalar_one() + 1}"


def _asked(connection: sa.Connection, task_kind: Kind) -> set[str]:
    """The pictures that questions of a task were planned about here; what a dataset's makers asked is another matter."""
    table, hits = tables.units, tables.hits
    own = sa.select(hits.c.batch).where(hits.c.marketplace.is_distinct_from(tables.IMPORTED))
    query = sa.select(table.c.first_id).where(table.c.task == task_kind.name, table.c.control.is_(None))
    return set(connection.execute(query.where(table.c.batch.in_(own))).scalars())


def _unit_rows(task_kind: Kind, batch: str, units: Sequence[Unit]) -> list[dict[str, object]]:
    return [
        {
            "unit_id": unit_key(batch, unit.first_id, unit.second_id or ""),
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
    study: Study,
    task_kind: Kind,
    batch: str,
    units: Sequence[Row],
    controls: Sequence[Row],
    *,
    mark: str,
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Rows of hits, and rows of units for the questions that come again in them."""
    terms, quality, seed = task_kind.terms(study.settings), study.settings.quality, study.settings.study.seed
    order = stream(seed, "hits", batch).permutation(len(units))
    rows: list[dict[str, object]] = []
    all_again: list[dict[str, object]] = []
    start = 0
    for number, size in enumerate(hit_sizes(len(units), terms.units_per_hit)):
        hit_key = unit_key(batch, str(number))
        mine = [units[i] for i in order[start : start + size]]
        again = repeats(mine, quality.repeats, seed, hit_key)
        row = {
            "hit_key": hit_key,
            "batch": batch,
            "task": task_kind.name,
            "unit_ids": json.dumps([unit["unit_id"] for unit in [*mine, *again]]),
            # The marketplace refuses a second HIT with the same token: see annotate/publish.py.
            "request_token": unit_key(mark, hit_key),
            "state": "planned",
            "reward": terms.reward_cents,
            "max_assignments": terms.raters,
        }
        rows.append(with_controls(row, mine, controls, quality.training, seed))
        all_again += again
        start += size
    return rows, all_again
