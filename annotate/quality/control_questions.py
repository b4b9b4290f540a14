"""Control questions of a HIT: which of its questions come again, which gold and training questions go with it.

Takes in planned units; gives out units with `control` "repeat", and ids of gold and training units. All is
drawn from the study's seed and the HIT's key.

    >>> unit_key("stars-1", "abc")
    'fc81d45977051e9f5ee1'
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.datasets.streams import stream

Row = Mapping[str, Any]

BATCH = "gold"
"""The batch of gold and training questions, which belong to no plan."""

GOLDS_PER_HIT = 4
"""Gold questions that a HIT brings along; a rater meets as many of them as are due."""

# With fewer questions a repeat would stand right beside its original.
_LEAST_QUESTIONS = 3


def unit_key(*names: str) -> str:
    """A 20-digit hexadecimal key that depends on the names, on nothing else."""
    return hashlib.sha256("\x1f".join(names).encode()).hexdigest()[:20]


def control_units(study: Study) -> list[dict[str, Any]]:
    """The gold and training questions, in the order of their files."""
    units = tables.units
    query = sa.select(units).where(units.c.batch == BATCH)
    return study.rows(query.order_by(units.c.task, units.c.control, units.c.draw, units.c.unit_id))


def repeats(units: Sequence[Row], share: float, seed: int, hit_key: str) -> list[dict[str, Any]]:
    """The questions of a HIT that come again, as units of their own.

    share * len(units) of them, the fraction by lot, so that 10 % of many HITs of four questions are 10 %. Of a
    pair the two pictures change places, so that a rater sees each on the other side.
    """
    if len(units) < _LEAST_QUESTIONS:
        return []
    random = stream(seed, "repeats", hit_key)
    whole, fraction = divmod(share * len(units), 1)
    count = int(whole) + int(random.random() < fraction)
    return [_again(units[int(i)]) for i in random.choice(len(units), count, replace=False)]


def _again(unit: Row) -> dict[str, Any]:
    first, second = unit["first_id"], unit["second_id"]
    return {
        **unit,
        "unit_id": unit_key(unit["batch"], "repeat", unit["unit_id"]),
        "first_id": second or first,
        "second_id": first if second else None,
        "control": "repeat",
        "repeat_of": unit["unit_id"],
        "draw": None,
    }


def with_controls(
    hit: Row, units: Sequence[Row], controls: Sequence[Row], training: int, seed: int
) -> dict[str, Any]:
    """A row of the hits table with its gold and training questions.

    Gold questions about a picture that the HIT asks about anyway stay out: nobody should see it twice.

    Args:
        hit: the planned HIT.
        units: its own questions.
        controls: the gold and training questions of its task.
        training: how many training questions at most.
        seed: the study's.
    """
    asked = {unit[end] for unit in units for end in ("first_id", "second_id")} - {None}
    golds = [
        row["unit_id"]
        for row in controls
        if row["control"] == "gold" and not asked & {row["first_id"], row["second_id"]}
    ]
    order = stream(seed, "gold", hit["hit_key"]).permutation(len(golds))
    trainings = [row["unit_id"] for row in controls if row["control"] == "training"]
    return {
        **hit,
        "gold_ids": json.dumps([golds[int(i)] for i in order[:GOLDS_PER_HIT]]),
        "training_ids": json.dumps(trainings[:training]),
    }
