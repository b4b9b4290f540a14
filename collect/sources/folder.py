"""Pictures from a folder on this machine.

Takes in a folder; stores its pictures, and gives out one `candidates` row for every file, whatever became of it.

    >>> collect_folder(study, Path("photos"))       # doctest: +SKIP
    Collected(stored=41, duplicates=2, rejected=3, seen_before=0, ...)
"""

import calendar
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.images import ImageFacts, inspect, store_image
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError

logger = logging.getLogger(__name__)

SOURCE = "folder"


@dataclass
class Collected:
    """What became of the files of one folder: counts, and (path, reason) of each rejected file."""

    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    seen_before: int = 0
    reasons: list[tuple[str, str]] = field(default_factory=list)


def collect_folder(
    study: Study, folder: Path, progress: Callable[[int], None] = lambda done: None
) -> Collected:
    """Store every picture below a folder, once; say of every other file why it is none.

    Files that an earlier run took in or rejected, and that have not changed since, are not read again.

    Args:
        study: where the pictures go.
        folder: searched with all folders below it; hidden files and folders are left out.
        progress: called with the number of files done.

    Raises:
        InputError: there is no such folder, or it cannot be listed.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the folder that holds the pictures")
    folder = folder.resolve()
    known = _known(study)
    result = Collected()
    for done, path in enumerate(_files(folder), 1):
        name = _text(path)
        if known.get(name, -1.0) >= _changed_at(path):
            result.seen_before += 1
        else:
            _take(study, folder, path, name, result)
        progress(done)
    return result


def _take(study: Study, folder: Path, path: Path, name: str, result: Collected) -> None:
    row: dict[str, object] = {"source": SOURCE, "source_id": name, "query": _text(folder), "file_url": None}
    row["seen_at"] = time.time()
    try:
        data = _read(path, study.settings.collect.max_megabytes)
        limits = study.settings.collect
        facts = inspect(data, max_megapixels=limits.max_megapixels, min_side=limits.min_side)
    except InputError as error:
        result.rejected += 1
        result.reasons.append((_text(path.relative_to(folder)), str(error)))
        _record(study, {**row, "state": "rejected", "reason": str(error), "image_id": None}, None)
        return
    store_image(study.images_folder, data, facts)
    image = _image_row(folder, path, facts)
    if _record(study, {**row, "state": "stored", "reason": None, "image_id": facts.image_id}, image):
        result.stored += 1
    else:
        result.duplicates += 1


def _record(study: Study, candidate: dict[str, object], image: dict[str, object] | None) -> bool:
    """Write a candidate and its image in one transaction; returns whether the image was new."""
    table = tables.candidates
    with study.writing() as connection:
        new = image is not None and add_rows(connection, tables.images, [image]) == 1
        if image is not None and not new:
            candidate["state"] = "duplicate"
            candidate["reason"] = "the same bytes are stored already"
        same = (table.c.source == candidate["source"]) & (table.c.source_id == candidate["source_id"])
        connection.execute(
            sa.delete(table).where(same)
        )  # a file that changed is a new offer under its old name
        add_rows(connection, table, [candidate])
    return new


def _image_row(folder: Path, path: Path, facts: ImageFacts) -> dict[str, object]:
    return {
        "image_id": facts.image_id,
        "source": SOURCE,
        "source_id": _text(path.relative_to(folder)),
        "title": _text(Path(path.stem)),
        "taken_at": _exif_time(facts.taken_at),
        "retrieved_at": time.time(),
        "width": facts.width,
        "height": facts.height,
        "format": facts.format,
        "bytes": facts.bytes,
        "status": "kept",
    }


def _known(study: Study) -> dict[str, float]:
    """When each file of an earlier run was read."""
    table = tables.candidates
    query = sa.select(table.c.source_id, table.c.seen_at).where(table.c.source == SOURCE)
    return {row["source_id"]: row["seen_at"] for row in study.rows(query)}


def _files(folder: Path) -> Iterator[Path]:
    """Every entry below a folder that is not a folder, in the same order every time; links are not followed."""

    def complain(error: OSError) -> None:
        logger.warning("%s cannot be listed: %s", error.filename, error.strerror)

    for place, folders, names in os.walk(folder, onerror=complain):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(place) / name


def _read(path: Path, max_megabytes: float) -> bytes:
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise InputError("it is not a plain file")  # reading a pipe would wait for ever
        if facts.st_size > max_megabytes * 1e6:
            size = facts.st_size / 1e6
            raise InputError(f"it has {size:.1f} MB; the limit is {max_megabytes:g} (collect.max_megabytes)")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}") from None


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _exif_time(text: str | None) -> float | None:
    """Seconds since 1970 of EXIF's "2024:05:01 10:00:00", which has no time zone and is taken as UTC."""
    try:
        return float(calendar.timegm(time.strptime(text or "", "%Y:%m:%d %H:%M:%S")))
    except ValueError:
        return None


def _text(path: Path) -> str:
    """A path as text that every database can hold, also where its bytes are no UTF-8."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
