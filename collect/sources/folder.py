"""Pictures from a folder on this machine.

Takes in a folder; stores its pictures, and gives out one `candidates` row for every file, whatever became of it.

    >>> collect_folder(study, Path("photos"))       # doctest: +SKIP
    Collected(stored=41, duplicates=2, rejected=3, seen_before=0, ...)
"""

import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from photojury.collect.intake import Outcome, examine, record
from photojury.datasets import tables
from photojury.datasets.images import Unusable
from photojury.datasets.store import Study
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
    row: dict[str, object] = {
        "source": SOURCE,
        "source_id": name,
        "image_source_id": _text(path.relative_to(folder)),
        "query": _text(folder),
        "file_url": None,
        "title": _text(Path(path.stem)),
        "seen_at": time.time(),
    }
    outcome = _examined(study, path)
    with study.writing() as connection:
        final = record(connection, [(row, outcome)])[0]
    if final == "stored":
        result.stored += 1
    elif final == "duplicate":
        result.duplicates += 1
    else:
        result.rejected += 1
        reason = outcome.reason or "it was taken out of this study for good"
        result.reasons.append((_text(path.relative_to(folder)), reason))


def _examined(study: Study, path: Path) -> Outcome:
    try:
        data = _read(path, study.settings.collect.max_megabytes)
    except Unusable as error:
        return Outcome("rejected", error.rule, str(error))
    return examine(study, data)


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
            raise Unusable("not_a_file", "it is not a plain file")  # reading a pipe would wait for ever
        if facts.st_size > max_megabytes * 1e6:
            size = facts.st_size / 1e6
            raise Unusable(
                "too_large",
                f"it has {size:.1f} MB; the limit is {max_megabytes:g} (collect.max_megabytes)",
            )
        return path.read_bytes()
    except OSError as error:
        raise Unusable("unreadable", f"it cannot be read: {error.strerror}") from None


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _text(path: Path) -> str:
    """A path as text that every database can hold, also where its bytes are no UTF-8."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
