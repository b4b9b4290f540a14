"""Intake: bytes become an image of the study, or a reason why not; the same way for every source.

Takes in a candidate and its file's bytes; gives out its row in `images`, its measures in `checks`, and in
`candidates` what became of it.

    outcome = examine(study, data)
    with study.writing() as connection:
        states = record(connection, [(candidate, outcome)])
"""

import calendar
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from photojury.collect.checks.looking import VERSION, Look, look
from photojury.datasets import tables, tombstones
from photojury.datasets.images import Unusable, store_image
from photojury.datasets.store import Study

Row = Mapping[str, Any]

# What an image knows from its candidate, and not from its bytes.
_TOLD = tuple(
    column.name
    for column in tables.images.columns
    if column.name in tables.candidates.columns
    and column.name not in ("image_id", "width", "height", "rule", "reason")
)

# A decoded picture is many times larger than its file: threads decode no more of them at once than can be worked on.
_LOOKING = threading.BoundedSemaphore(os.cpu_count() or 1)

_BURIED = sa.select(tables.tombstones.c.reason).where(tables.tombstones.c.key == sa.bindparam("of"))


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
        with _LOOKING:
            seen = look(data, study.settings.collect)
    except Unusable as error:
        return Outcome("rejected", error.rule, str(error))
    # `record` asks again, with all that the picture is known by; here it keeps the bytes off the disk.
    with study.engine.connect() as connection:
        buried = connection.execute(_BURIED, {"of": f"sha256:{seen.facts.image_id}"}).scalar()
    if buried:
        return Outcome("barred", "tombstone", buried)
    store_image(study.images_folder, data, seen.facts)
    return Outcome("stored", look=seen)


def record(connection: sa.Connection, results: Sequence[tuple[Row, Outcome]]) -> list[str]:
    """Write what became of candidates; returns each one's state: stored, or duplicate, barred, rejected, ...

    Args:
        results: rows of `candidates`, which are updated where they are there and added where not, with
            their outcomes. A row may carry `image_source_id`, the source_id that its image is to have.
    """
    finals = _barred(connection, results)
    new = _add_images(connection, finals)
    finals = [
        (candidate, outcome if outcome.look is None or number in new else _duplicate(outcome.look))
        for number, (candidate, outcome) in enumerate(finals)
    ]
    _note(connection, finals)
    return [outcome.state for _, outcome in finals]


def _barred(connection: sa.Connection, results: Sequence[tuple[Row, Outcome]]) -> list[tuple[Row, Outcome]]:
    """The results, those against which a tombstone stands turned into that, and without a word about them."""
    known = [
        {**candidate, "image_id": outcome.look.facts.image_id if outcome.look else None}
        for candidate, outcome in results
    ]
    buried = tombstones.reasons_against(connection, known)
    return [
        ({**candidate, **tombstones.WORDLESS}, Outcome("barred", "tombstone", reason))
        if reason
        else (candidate, outcome)
        for (candidate, outcome), reason in zip(results, buried, strict=True)
    ]


def _duplicate(seen: Look) -> Outcome:
    return Outcome("duplicate", "exact_duplicate", "the same bytes are stored already", seen)


def _add_images(connection: sa.Connection, results: Sequence[tuple[Row, Outcome]]) -> set[int]:
    """Add images and their measures; returns the numbers of the results whose images were not there before."""
    first: dict[str, int] = {}
    for number, (_, outcome) in enumerate(results):
        if outcome.look is not None:
            first.setdefault(outcome.look.facts.image_id, number)
    if not first:
        return set()
    table = tables.images
    # In the order of ids: two processes that add the same images must not wait for each other in a circle.
    rows = [_image_row(*results[first[image]]) for image in sorted(first)]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).on_conflict_do_nothing().returning(table.c.image_id)
    new = {image: first[image] for (image,) in connection.execute(statement, rows)}
    measures = [row for number in new.values() for row in _measures(results[number][1])]
    if measures:
        # A measure may be there of an image that was taken out of the study by hand.
        connection.execute(insert(tables.checks).on_conflict_do_nothing(), measures)
    return set(new.values())


def _image_row(candidate: Row, outcome: Outcome) -> dict[str, object]:
    assert outcome.look is not None
    facts = outcome.look.facts
    told = {name: candidate.get(name) for name in _TOLD}
    if told["taken_at"] is None:
        told["taken_at"] = _exif_time(facts.taken_at)
    return told | {
        "image_id": facts.image_id,
        "source_id": candidate.get("image_source_id", candidate["source_id"]),
        "retrieved_at": time.time(),
        "width": facts.width,
        "height": facts.height,
        "format": facts.format,
        "bytes": facts.bytes,
        "phash": outcome.look.phash,
        "status": "kept",
    }


def _measures(outcome: Outcome) -> list[dict[str, object]]:
    assert outcome.look is not None
    return [
        {
            "image_id": outcome.look.facts.image_id,
            "check": name,
            "value": value,
            "verdict": "unjudged",
            "version": VERSION,
        }
        for name, value in outcome.look.measures.items()
    ]


def _note(connection: sa.Connection, results: Sequence[tuple[Row, Outcome]]) -> None:
    """Update or add the candidates, those with the same columns in one statement."""
    table = tables.candidates
    groups: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for candidate, outcome in results:
        values = {name: value for name, value in candidate.items() if name in table.columns}
        values |= {
            "state": outcome.state,
            "rule": outcome.rule,
            "reason": outcome.reason,
            "image_id": outcome.look.facts.image_id if outcome.look else None,
            "claimed_by": None,
        }
        groups.setdefault(tuple(values), []).append(values)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for names, rows in groups.items():
        statement = insert(table)
        given = {name: statement.excluded[name] for name in names if name not in table.primary_key.columns}
        connection.execute(
            statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=given), rows
        )


def _exif_time(text: str | None) -> float | None:
    """Seconds since 1970 of EXIF's "2024:05:01 10:00:00", which has no time zone and is taken as UTC."""
    try:
        return float(calendar.timegm(time.strptime(text or "", "%Y:%m:%d %H:%M:%S")))
    except ValueError:
        return None
