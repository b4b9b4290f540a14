"""Intake: bytes become an image of the study, or a reason why not; the same way for every source.

Takes in a candidate and its file's bytes; gives out its row in `images`, its measures in `checks`, and in
`candidates` what became of it.

    outcome = examine(study, data)
    with study.writing() as connection:
        states = record(connection, [(candidate, outcome)])
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.collect.checks.looking import VERSION, Look, look
from photojury.datasets import tables, tombstones
from photojury.datasets.images import Unusable, store_image
from photojury.datasets.store import Study, add_rows

Row = Mapping[str, Any]

# What an image knows from its candidate, and not from its bytes.
_TOLD = tuple(
    name
    for name in tables.images.columns.keys()
    if name in tables.candidates.columns and name not in ("image_id", "width", "height", "rule", "reason")
)


@dataclass(frozen=True)
class Outcome:
    """What became of a file: `state` as in `candidates`, the rule and sentence where it was not stored."""

    state: str
    rule: str | None = None
    reason: str | None = None
    look: Look | None = None


def examine(study: Study, data: bytes) -> Outcome:
    """Look at a file once, and put its bytes into the image store if raters can be shown it."""
    try:
        seen = look(data, study.settings.collect)
    except Unusable as error:
        return Outcome("rejected", error.rule, str(error))
    store_image(study.images_folder, data, seen.facts)
    return Outcome("stored", look=seen)


def record(connection: sa.Connection, results: Sequence[tuple[Row, Outcome]]) -> list[str]:
    """Write what became of candidates; returns each one's state: stored, or duplicate, barred, rejected, ...

    Args:
        results: rows of `candidates`, which are updated where they are there and added where not, with
            their outcomes. A row may carry `image_source_id`, the source_id that its image is to have.
    """
    seen = [outcome.look.facts.image_id for _, outcome in results if outcome.look is not None]
    buried = tombstones.standing(connection, [f"sha256:{image}" for image in seen])
    states = []
    for candidate, outcome in results:
        final = outcome
        if outcome.look is not None:
            image = outcome.look.facts.image_id
            if f"sha256:{image}" in buried:
                final = Outcome("barred", "tombstone", buried[f"sha256:{image}"])
            elif not _add_image(connection, candidate, outcome.look):
                final = Outcome(
                    "duplicate", "exact_duplicate", "the same bytes are stored already", outcome.look
                )
        _note(connection, candidate, final)
        states.append(final.state)
    return states


def _add_image(connection: sa.Connection, candidate: Row, seen: Look) -> bool:
    facts = seen.facts
    row = {name: candidate.get(name) for name in _TOLD}
    row |= {
        "image_id": facts.image_id,
        "source_id": candidate.get("image_source_id", candidate["source_id"]),
        "retrieved_at": time.time(),
        "width": facts.width,
        "height": facts.height,
        "format": facts.format,
        "bytes": facts.bytes,
        "phash": seen.phash,
        "status": "kept",
    }
    if not add_rows(connection, tables.images, [row]):
        return False
    measures = [
        {"image_id": facts.image_id, "check": name, "value": value, "verdict": "unjudged", "version": VERSION}
        for name, value in seen.measures.items()
    ]
    if measures:
        connection.execute(sa.insert(tables.checks), measures)
    return True


def _note(connection: sa.Connection, candidate: Row, outcome: Outcome) -> None:
    table = tables.candidates
    values = {name: value for name, value in candidate.items() if name in table.columns}
    values |= {
        "state": outcome.state,
        "rule": outcome.rule,
        "reason": outcome.reason,
        "image_id": outcome.look.facts.image_id if outcome.look else None,
        "claimed_by": None,
    }
    same = (table.c.source == candidate["source"]) & (table.c.source_id == candidate["source_id"])
    if connection.execute(sa.update(table).where(same).values(**values)).rowcount == 0:
        add_rows(connection, table, [values])
