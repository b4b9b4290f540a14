"""Tables outside of a study: those of a release, and anybody's CSV or Parquet of ratings or comparisons.

Takes in a folder or paths; gives out tables with the columns of `photojury.datasets.tables`, missing ones filled where
that says nothing (nobody is simulated, every row is a question of its own).

    ReleaseTables(Path("exports/skies-1.0.0")).read("ratings")
    FileTables([Path("ratings.csv")], {"value": "score"}).read("ratings")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from photojury.analysis import sound
from photojury.datasets import delimited, tables
from photojury.datasets.releases.layout import FACTS
from photojury.datasets.releases.read import Release, open_release
from photojury.errors import InputError

Kind = Literal["ratings", "comparisons"]

NEEDED: Mapping[Kind, tuple[str, ...]] = {
    "comparisons": ("first_id", "second_id", "rater_id", "value"),
    "ratings": ("image_id", "rater_id", "value"),
}
"""What a file must have to hold ratings or comparisons."""

_FILLED: Mapping[str, object] = {
    "simulated": False,
    "attribute": "overall",
    "milliseconds": np.nan,
}


@dataclass(frozen=True)
class ReleaseTables:
    """The tables of a release folder, whatever its form."""

    folder: Path

    def broken(self, name: str) -> dict[str, int]:
        """None: a release was written by a program."""
        return {}

    def picture(self, image_id: str, format: str) -> Path | None:
        """The file, where the release has a copy of it."""
        return self._opened.picture(image_id, format)

    def read(self, name: str) -> pd.DataFrame:
        """A table of the release, or an empty one.

        Raises:
            InputError: the folder is no release, or the file is damaged.
        """
        if name not in self._opened.tables():
            return empty(name)
        table = self._opened.read(name)
        if name == "images":  # only kept pictures are released; those of folders without their path there
            source_id = table["source_id"].where(table["source_id"].notna(), table["page_url"])
            table = table.assign(status="kept", source_id=source_id)
        if name == "hits":  # what was answered was out
            table = table.assign(hit_id=table["hit_key"])
        return table

    @cached_property
    def _opened(self) -> Release:
        return open_release(self.folder)


@dataclass(frozen=True)
class FileTables:
    """Tables made of files; every file holds ratings or comparisons.

    Attributes:
        paths: the files.
        columns: our name of a column to theirs.
    """

    paths: Sequence[Path]
    columns: Mapping[str, str] = field(default_factory=dict)

    def read(self, name: str) -> pd.DataFrame:
        """The ratings, the comparisons or the images of all files; an empty table for every other name."""
        if name == "images":
            return self._images
        found = [table for kind, table, _ in self._found if kind == name]
        return pd.concat(found) if found else empty(name)

    def broken(self, name: str) -> dict[str, int]:
        """Rows of such files that could not be read at all, by reason."""
        return sound.together(*(lost for kind, _, lost in self._found if kind == name))

    def picture(self, image_id: str, format: str) -> None:
        """None: a file of answers holds no pictures."""
        return

    @cached_property
    def _found(self) -> list[tuple[Kind, pd.DataFrame, dict[str, int]]]:
        return [_read_file(path, self.columns) for path in self.paths]

    @cached_property
    def _images(self) -> pd.DataFrame:
        ids = [
            table[name]
            for _, table, _ in self._found
            for name in ("image_id", "first_id", "second_id")
            if name in table
        ]
        unique = pd.Series(pd.concat(ids).dropna().unique()).sort_values(ignore_index=True)
        return (
            empty("images")
            .reindex(range(len(unique)))
            .assign(image_id=unique, source="file", source_id=unique, status="kept")
        )


def is_release(folder: Path) -> bool:
    """Whether a folder looks like a release of photojury."""
    return (folder / FACTS).is_file()


def empty(name: str) -> pd.DataFrame:
    """A table without rows, with its columns."""
    return pd.DataFrame({column.name: pd.Series(dtype=object) for column in tables.metadata.tables[name].c})


def _read_file(path: Path, columns: Mapping[str, str]) -> tuple[Kind, pd.DataFrame, dict[str, int]]:
    if not path.is_file():
        raise InputError(f"{path} is not there; name a study folder, a release folder, or a file of answers")
    if path.suffix.lower() in (".parquet", ".pq"):
        table, lost = _parquet(path), {}
        table.index = pd.RangeIndex(1, len(table) + 1)
    else:
        rows = delimited.read(path)
        table, lost = rows.table, rows.left_out
    for ours, theirs in columns.items():
        if theirs not in table:
            raise InputError(f"{path} has no column {theirs}; it has {', '.join(map(str, table.columns))}")
        table = table.drop(columns=[ours], errors="ignore") if ours != theirs else table
        table = table.rename(columns={theirs: ours})
    for kind, needed in NEEDED.items():
        if set(needed) <= set(table.columns):
            return kind, _filled(table, kind), lost
    raise InputError(
        f"{path} holds neither ratings (columns {', '.join(NEEDED['ratings'])}) nor comparisons "
        f"({', '.join(NEEDED['comparisons'])}); it has {', '.join(map(str, table.columns[:12]))}. Say which is which with "
        "--column image_id=THEIRS"
    )


def _filled(table: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """What a file need not say."""
    made: dict[str, Any] = {name: value for name, value in _FILLED.items() if name not in table}
    if kind == "comparisons":
        made.pop("attribute", None)
    table = table.assign(**made)
    if "task" not in table:
        table["task"] = "stars" if kind == "ratings" else _task_of(sound.numbers(table["value"]))
    for name in ("milliseconds", "position_in_hit", "submitted_at"):
        if name in table:
            table[name] = sound.numbers(table[name])
    for name in ("simulated", "first_shown_left"):
        if name in table:
            table[name] = _truths(table[name])
    return table


def _task_of(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> str:
    known = values[np.isfinite(values)]
    return "forced_choice" if known.size and np.isin(known, sound.TWO_LEVELS).all() else "five_level"


def _truths(column: "pd.Series[Any]") -> "pd.Series[bool]":
    """A column of yes and no, however it is written; what cannot be read is no."""
    words = column.astype("str").str.strip().str.lower()
    return words.isin(["true", "1", "1.0", "yes", "t", "y"])


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow

    try:
        return pd.read_parquet(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(
            f"{path} is no Parquet file that can be read: {str(error).splitlines()[0]}"
        ) from None
