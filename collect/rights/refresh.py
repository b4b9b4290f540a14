"""Refreshing: every stored picture is looked up at its source again: is it still there, and under which licence?

Takes in a study; gives out a row of `standings` for every picture that was looked up, and the `Report` of
photojury.collect.rights.reporting. Nothing is taken out here: see photojury.collect.rights.pruning.

    refresh(study, older_than=1.0)

Every answer is kept as it comes, so that the same command goes on where it was. A service that is down, or a key that
has expired, ends the questions to it and judges nothing.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from photojury.collect.rights.reporting import Report, names_of, newest_standings, report
from photojury.collect.rights.standing import RightsOf, Row, Standing, open_rights
from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows
from photojury.errors import PhotojuryError

DAY = 86_400.0
"""Seconds."""


def refresh(
    study: Study,
    *,
    source: str | None = None,
    older_than: float = 1.0,
    progress: Callable[[int], None] = lambda done: None,
    opened: Callable[[str, Study], RightsOf] = open_rights,
) -> Report:
    """Look up every picture, kept or not, that was not looked up within so many days.

    Args:
        source: only this source's pictures.
        older_than: days; 0 looks all up again.
        progress: called with the number of pictures done.
        opened: who tells the standing of a source's pictures.

    Raises:
        InputError: nobody can be asked about that source.
    """
    before = time.time() - older_than * DAY
    checked = 0
    problems: dict[str, PhotojuryError] = {}
    for name in names_of(source):
        waiting = _due(study, name, before)
        if not waiting:
            continue  # a source without pictures needs no key
        try:
            rights = opened(name, study)
            for images in _batches(waiting, rights.at_once):
                _keep(study, images, rights.look_up(images))
                checked += len(images)
                progress(checked)
        except PhotojuryError as error:
            problems[name] = error
    return report(study, source=source, checked=checked, problems=problems)


def due(study: Study, *, source: str | None = None, older_than: float = 1.0) -> int:
    """How many pictures `refresh` would look up now."""
    before = time.time() - older_than * DAY
    return sum(len(_due(study, name, before)) for name in names_of(source))


def _judge(image: Row, standing: Standing | None) -> tuple[str, str | None]:
    """The finding, and the sentence that says it."""
    if standing is None:
        return "unknown", f"{image['source']} said nothing of it"
    if standing.state == "gone":
        return "gone", standing.note or f"it is gone from {image['source']}"
    if standing.opt_out:
        return "opt_out", standing.opt_out
    if standing.state == "unknown":
        return "unknown", standing.note
    if standing.license_id and image["license_id"] and standing.license_id != image["license_id"]:
        return "licence", f"its licence was {image['license_id']} and is {standing.license_id} now"
    return "same", standing.note


def _keep(study: Study, images: Sequence[Row], standings: Mapping[str, Standing]) -> None:
    now = time.time()
    rows = []
    for image in images:
        standing = standings.get(image["source_id"])
        finding, note = _judge(image, standing)
        rows.append(
            {
                "source": image["source"],
                "source_id": image["source_id"],
                "checked_at": now,
                "finding": finding,
                "license_id": standing.license_id if standing else None,
                "note": note,
            }
        )
    with study.writing() as connection:
        add_rows(connection, tables.standings, rows)


def _batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _due(study: Study, source: str, before: float) -> list[dict[str, Any]]:
    """A source's stored pictures that were not looked up since, those of longest ago first."""
    images, newest = tables.images, newest_standings()
    columns = [images.c[name] for name in ("source", "source_id", "page_url", "file_url", "license_id")]
    same = (images.c.source == newest.c.source) & (images.c.source_id == newest.c.source_id)
    waiting = newest.c.checked_at.is_(None) | (newest.c.checked_at <= before)
    query = (
        sa.select(*columns)
        .outerjoin(newest, same)
        .where(images.c.source == source, images.c.status != "tombstoned", waiting)
        .order_by(sa.func.coalesce(newest.c.checked_at, 0.0), images.c.source_id)
    )
    return study.rows(query)
