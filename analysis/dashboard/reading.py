"""Reading a study's answers fast, and while other things go on: only columns that pages use, in processes of their own.

Takes in a study that is open for reading; gives out `StudyTables`, the tables that `Answers` reads. A page that needs a
table waits for it; the server meanwhile answers others, since the reading has an interpreter to itself. A small study is
read here and now.

    StudyTables(open_study(Path("demo-study"), read_only=True)).read("ratings")

As a program it writes tables to its standard output, pickled one after the other:

    python -m photojury.analysis.dashboard.reading FOLDER ratings
"""

import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

import pandas as pd
import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.counting import assignment_of, not_counted
from photojury.datasets.store import Study, open_study
from photojury.errors import PhotojuryError, StoreError

SMALL = 100_000
"""Answers up to which starting a process takes longer than reading."""

PROCESSES: Sequence[Sequence[str]] = (("ratings",), ("comparisons", "images"))
"""Which tables each process reads, in this order."""

_ASSIGNMENTS, _UNITS = tables.assignments, tables.units


class StudyTables:
    """The tables of one state of a study, each read once, when it is first asked for or before."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._lock = Lock()
        self._found: dict[str, Future[pd.DataFrame]] = {}

    @cached_property
    def large(self) -> bool:
        """Whether reading takes longer than starting a process that does it."""
        return self.study.count("ratings") + self.study.count("comparisons") > SMALL

    def begin(self) -> None:
        """Begin to read the long tables of a large study."""
        if not self.large:
            return
        with self._lock:
            for names in PROCESSES:
                if self._found.keys().isdisjoint(names):
                    futures = {name: Future[pd.DataFrame]() for name in names}
                    self._found |= futures
                    Thread(target=_fetch, args=(self.study.folder, futures), daemon=True).start()

    def read(self, name: str) -> pd.DataFrame:
        """A table; waits for it where it is being read."""
        with self._lock:
            future = self._found.get(name)
            mine = future is None
            if future is None:
                future = self._found[name] = Future()
        if mine:
            _settle(future, lambda: read_table(self.study, name))
        return future.result()

    def broken(self, name: str) -> dict[str, int]:
        """None: a store has whole rows only."""
        return {}

    def picture(self, image_id: str, format: str) -> Path | None:
        """The file of an image; None where it is not there."""
        path = self.study.image_path(image_id, format)
        return path if path.is_file() else None


def read_table(study: Study, name: str) -> pd.DataFrame:
    """The rows of a table with the columns that pages use.

    Answers have `left_out`, the reason why one does not count (missing where it does), hit_key and submitted_at;
    unit_id only where the question is a control question, a repeat, or is repeated.
    """
    if name in ("ratings", "comparisons"):
        return _answers(study, tables.metadata.tables[name])
    if name == "images":
        names = ("image_id", "source", "source_id", "title", "format", "status", "rule", "width", "height")
        return study.read(name, columns=names)
    if name == "units":
        return study.frame(sa.select(_UNITS).where(_special()))
    if name == "assignments":
        columns = [column.name for column in _ASSIGNMENTS.c if column.name != "answers"]
        return study.read(name, columns=columns)
    return study.read(name)


def main(folder: str, *names: str) -> None:
    """Read tables of a study and write them to standard output, or the error in the place of one."""
    for name in names:
        try:
            study = open_study(Path(folder), read_only=True)
            found: object = packed(read_table(study, name))
        except PhotojuryError as error:
            found = StoreError(str(error))
        pickle.dump(found, sys.stdout.buffer, protocol=5)
        sys.stdout.buffer.flush()


def packed(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its texts as categories, which are a tenth of the size."""
    texts = {str(name): table[name].astype("category") for name in table if table[name].dtype == "str"}
    return table.assign(**texts)


def unpacked(table: pd.DataFrame) -> pd.DataFrame:
    """The inverse of `packed`."""
    texts = {}
    for name in table:
        if table[name].dtype == "category":
            words = table[name].cat.categories.array
            texts[str(name)] = words.take(table[name].cat.codes.to_numpy(), allow_fill=True)
    return table.assign(**texts)


def _fetch(folder: Path, futures: Mapping[str, "Future[pd.DataFrame]"]) -> None:
    """Let a process read, and hand its tables on as they come."""
    command = [sys.executable, "-m", "photojury.analysis.dashboard.reading", str(folder), *futures]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for name, future in futures.items():
            _settle(future, lambda stream=process.stdout, name=name: _next(stream, name))  # type: ignore[misc]


def _next(stream: IO[bytes], name: str) -> pd.DataFrame:
    try:
        found = pickle.load(stream)  # of our own process
    except (EOFError, pickle.UnpicklingError):
        raise StoreError(f"the table {name} could not be read: the process that reads it ended") from None
    if isinstance(found, Exception):
        raise found
    return unpacked(found)


def _settle(future: "Future[pd.DataFrame]", make: Callable[[], pd.DataFrame]) -> None:
    try:
        future.set_result(make())
    except Exception as error:  # noqa: BLE001 (whoever waits for the table gets it)
        future.set_exception(error)


def _answers(study: Study, table: sa.Table) -> pd.DataFrame:
    """All rows of ratings or comparisons. Long columns with one value in nearly every row are not fetched."""
    usual = {"attribute": "overall", "task": "stars"} if table.name == "ratings" else {}
    special = sa.select(_UNITS.c.unit_id).where(_special())
    columns: list[Any] = []
    for column in table.c:
        if column.name in usual:
            columns.append(sa.case((column != usual[column.name], column)).label(column.name))
        elif column.name == "unit_id":
            columns.append(sa.case((column.in_(special), column)).label("unit_id"))
        else:
            columns.append(column)
    rows = study.frame(sa.select(*columns))
    rows = rows.assign(**{name: rows[name].astype("str").fillna(value) for name, value in usual.items()})
    names = ("assignment_id", "rater_id", "hit_key", "submitted_at", "use")
    assignments = study.read("assignments", columns=names)
    rows["unit_id"] = rows["unit_id"].astype("str")
    at = assignment_of(rows, assignments)
    reasons = not_counted(rows, assignments, read_table(study, "units"), given_in=at)
    rows["left_out"] = reasons.astype("str")
    for name in ("hit_key", "submitted_at"):
        rows[name] = assignments[name].array.take(at, allow_fill=True)
    return rows


def _special() -> "sa.ColumnElement[bool]":
    """Units that are a control question or a repeat, or are asked again."""
    again = sa.select(_UNITS.c.repeat_of).where(_UNITS.c.repeat_of.is_not(None))
    control = [_UNITS.c[name].is_not(None) for name in ("control", "gold", "repeat_of")]
    return sa.or_(*control, _UNITS.c.unit_id.in_(again))


if __name__ == "__main__":
    main(*sys.argv[1:])
