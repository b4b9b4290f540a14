"""Measuring what was stored without measures: pictures of older studies, or of an older version of the measures.

Takes in a study; gives out the missing rows of `checks` and perceptual hashes. Stopped at any moment, it goes on
where it was.

    >>> measure_missing(study)                      # doctest: +SKIP
    Measured(measured=12, unusable=0)
"""

import dataclasses
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from photojury.collect.checks.looking import VERSION, Look, look
from photojury.collect.checks.measures import ALWAYS, MEASURED
from photojury.datasets import tables
from photojury.datasets.images import Unusable
from photojury.datasets.store import Study, add_rows
from photojury.sections import CollectSection

UNUSABLE = "unusable"
"""The check of stored pictures that cannot be measured: a damaged or a lost file."""

# Pictures in one transaction, and the number from which other processes are worth their start of half a second.
_AT_ONCE = 200
_MANY = 500


@dataclass
class Measured:
    """How many pictures were measured, and how many could not be."""

    measured: int = 0
    unusable: int = 0


def missing(study: Study) -> list[tuple[str, Path]]:
    """The images without measures of this version, with their files; what was unusable may have been mended."""
    table = tables.checks
    known = sa.select(table.c.image_id).where((table.c.check == ALWAYS) & (table.c.version == VERSION))
    images = tables.images
    query = sa.select(images.c.image_id, images.c.format).where(
        images.c.status.not_in(("tombstoned", "absent")) & images.c.image_id.not_in(known)
    )
    rows = study.rows(query.order_by(images.c.image_id))
    return [(row["image_id"], study.image_path(row["image_id"], row["format"])) for row in rows]


def measure_missing(study: Study, progress: Callable[[int], None] = lambda done: None) -> Measured:
    """Measure every picture that lacks measures, on all cores where there are many.

    Args:
        progress: called with the number of pictures done.
    """
    result = Measured()
    images = missing(study)
    with _looking(len(images)) as look_at_all:
        for start in range(0, len(images), _AT_ONCE):
            part = images[start : start + _AT_ONCE]
            seen = look_at_all([file for _, file in part], study.settings.collect)
            with study.writing() as connection:
                for (image, _), found in zip(part, seen, strict=True):
                    _record(connection, image, found)
            unusable = sum(isinstance(found, str) for found in seen)
            result.unusable += unusable
            result.measured += len(part) - unusable
            progress(start + len(part))
    return result


@contextmanager
def _looking(pictures: int) -> Iterator[Callable[[Sequence[Path], CollectSection], list[Look | str]]]:
    """A function that looks at files: in this process, or on all cores."""
    if pictures < _MANY:
        yield lambda files, limits: [_look_at(file, limits) for file in files]
        return
    # Threads would wait for each other: the decoders hold Python's lock.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=os.cpu_count(), mp_context=spawn) as pool:
        yield lambda files, limits: list(pool.map(_look_at, files, [limits] * len(files), chunksize=25))


def _look_at(file: Path, limits: CollectSection) -> Look | str:
    """What is seen of a file, or the sentence why nothing is."""
    try:
        # What was stored once is not refused for its size today; the check `resolution` judges that.
        return look(file.read_bytes(), dataclasses.replace(limits, min_side=1))
    except Unusable as error:
        return str(error)
    except OSError as error:
        return f"its file {file.name} cannot be read: {error.strerror}"


def _record(connection: sa.Connection, image: str, found: Look | str) -> None:
    """Put new measures in the place of old ones."""
    table = tables.checks
    old = (table.c.image_id == image) & table.c.check.in_([*MEASURED, UNUSABLE])
    connection.execute(sa.delete(table).where(old))
    row: dict[str, Any] = {"image_id": image, "version": VERSION}
    if isinstance(found, str):
        add_rows(connection, table, [row | {"check": UNUSABLE, "verdict": "fail", "reason": found}])
        return
    measures = [
        row | {"check": name, "value": value, "verdict": "unjudged"} for name, value in found.measures.items()
    ]
    add_rows(connection, table, measures)
    images = tables.images
    connection.execute(sa.update(images).where(images.c.image_id == image).values(phash=found.phash))
