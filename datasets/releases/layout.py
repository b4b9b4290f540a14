"""The layout of a release: which columns of which tables leave a study, and how a table becomes a file.

Takes in tables as DataFrames; gives out Parquet or CSV with fixed types, and the same tables back, to the bit (in CSV
an empty text comes back as a missing one).

    write_table(ratings, Path("tables/ratings.parquet"), "ratings")
    read_table(Path("tables/ratings.parquet"), "ratings")

Parquet is written without pandas, so that a column of nothing but nulls keeps its type.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from photojury.datasets import tables
from photojury.errors import InputError, require_columns

if TYPE_CHECKING:
    import pyarrow

LAYOUT = 1
"""The version of this layout, which release.json names."""

FACTS = "release.json"
SUMS = "SHA256SUMS"

FORMS: Mapping[str, str] = {
    "folder": "pictures as files with metadata.parquet: Hugging Face's imagefolder",
    "webdataset": "pictures in tar shards, each with a Parquet file of its rows",
    "parquet": "pictures inside Parquet files",
    "csv": "as folder, with every table as CSV",
}

TABLES: Mapping[str, tuple[str, ...]] = {
    "images": (
        "image_id", "source", "source_id", "page_url", "file_url", "title", "description", "author", "author_id",
        "author_url", "license_id", "license_url", "attribution", "changes", "tags", "taken_at", "uploaded_at",
        "retrieved_at", "width", "height", "format", "bytes", "phash", "left_out",
    ),
    "ratings": (
        "assignment_id", "unit_id", "attribute", "task", "image_id", "rater_id", "value", "position_in_hit",
        "milliseconds", "use", "simulated",
    ),
    "comparisons": (
        "assignment_id", "unit_id", "task", "first_id", "second_id", "rater_id", "value", "first_shown_left",
        "position_in_hit", "milliseconds", "use", "simulated",
    ),
    "presentations": (
        "assignment_id", "unit_id", "rater_id", "position_in_hit", "visits", "load_ms", "visible_ms", "failed", "reason",
        "simulated",
    ),
    "assignments": ("assignment_id", "rater_id", "hit_key", "active_seconds", "use", "simulated"),
    "hits": ("hit_key", "batch", "task", "reward", "max_assignments"),
    "units": (
        "unit_id", "batch", "task", "control", "first_id", "second_id", "part", "gold", "repeat_of", "draw",
        "similarity",
    ),
    "histograms": ("image_id", "attribute", "value", "count"),
    "scores": ("image_id", "method", "score", "standard_error", "simulated"),
    "splits": ("image_id", "split", "part"),
    "series": ("series_id", "image_id", "position", "made_by"),
    "observations": ("source", "source_id", "seen_at", "views", "favs", "comments"),
}  # fmt: skip
"""The columns that are released. Worker ids, raw answers, times of day, devices and payments are not among them."""

_OWN: Mapping[str, tuple[sa.types.TypeEngine[Any], str]] = {
    "use": (sa.Boolean(), "whether it enters the analysis"),
    "changes": (sa.Text(), "what was changed in the file since it was fetched"),
    "left_out": (sa.Text(), "why no copy of the file is in this release; null: there is one"),
    "file_name": (sa.Text(), "the picture's file"),
    "part": (sa.Text(), "train, validation or test"),
    "rating_mean": (sa.Float(), "of the ratings that are used"),
    "rating_sd": (sa.Float(), "their standard deviation, n - 1"),
    "ratings": (sa.Integer(), "their number"),
    "simulated": (sa.Boolean(), "whether simulated raters had a hand in it"),
}


REFERENCES: Mapping[str, tuple[str, str]] = {
    "image_id": ("images", "image_id"),
    "first_id": ("images", "image_id"),
    "second_id": ("images", "image_id"),
    "unit_id": ("units", "unit_id"),
    "repeat_of": ("units", "unit_id"),
    "hit_key": ("hits", "hit_key"),
    "assignment_id": ("assignments", "assignment_id"),
}
"""Columns that name a row of another table: of which one, and by which column."""


def file_name(name: str, version: str) -> str:
    """Name and version as a part of file names.

    >>> file_name("Skies & seas", "1.0.0")
    'Skies-seas-1.0.0'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{name}-{version}").strip("-.")


def keys(name: str) -> list[str]:
    """The columns that tell the rows of a table apart."""
    return [column.name for column in tables.metadata.tables[name].primary_key]


def meaning(name: str, column: str) -> str:
    """What a column means, in one phrase; empty where its name says it."""
    known = tables.metadata.tables[name].c.get(column) if name in tables.metadata.tables else None
    if known is not None and known.comment:
        return str(known.comment)
    if column in _OWN:
        return _OWN[column][1]
    target = REFERENCES.get(column, ("", ""))
    return f"a {target[1]} of {target[0]}" if target[0] not in ("", name) else ""


def kind(name: str, column: str) -> sa.types.TypeEngine[Any]:
    """The type of a column: a text, a whole number, a number or a truth value."""
    if column.startswith("votes_"):
        return sa.Integer()
    known = tables.metadata.tables[name].c.get(column)
    return _OWN[column][0] if known is None else known.type


def to_arrow(frame: pd.DataFrame, name: str) -> "pyarrow.Table":
    """A DataFrame with our types.

    Args:
        frame: any columns of `layout`.
        name: of the table of photojury.datasets.tables that they belong to.
    """
    import pyarrow

    kinds = {"Boolean": "bool", "Integer": "int64", "Float": "float64"}
    made = {}
    for column in frame.columns:
        wanted = kinds.get(type(kind(name, column)).__name__, "string")
        made[column] = pyarrow.array(frame[column], type=wanted, from_pandas=True)
    return pyarrow.table(made)


def write_table(frame: pd.DataFrame, path: Path, name: str) -> None:
    """Write a table as what the file's name says: .parquet or .csv."""
    from pyarrow import parquet

    table = to_arrow(frame, name)
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
        return
    # Whole numbers with gaps stay whole numbers.
    whole = {column: "Int64" for column in frame.columns if isinstance(kind(name, column), sa.Integer)}
    table.to_pandas().astype(whole).to_csv(path, index=False, lineterminator="\n")


def read_table(path: Path, name: str) -> pd.DataFrame:
    """A table of a release, as `Study.read` gives it: with the same types, a column of nothing but nulls as None.

    Raises:
        InputError: the file is damaged, or lacks columns.
    """
    table = _parquet(path) if path.suffix == ".parquet" else _csv(path, name)
    require_columns(table.column_names, TABLES[name], str(path))
    frame = {}
    for column in TABLES[name]:
        found = table.column(column)
        frame[column] = [None] * len(found) if found.null_count == len(found) else found.to_pandas()
    return pd.DataFrame(frame)


def empty(name: str) -> pd.DataFrame:
    """A table without rows, with its columns."""
    return pd.DataFrame({column: pd.Series(dtype=object) for column in TABLES[name]})


def _parquet(path: Path) -> "pyarrow.Table":
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path} is damaged: {' '.join(str(error).split())[:200]}") from None


def _csv(path: Path, name: str) -> "pyarrow.Table":
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
        truths = {"True": True, "False": False}
        for column in set(frame.columns) & set(TABLES[name]):
            own = kind(name, column)
            if isinstance(own, sa.Boolean):
                frame[column] = frame[column].map(truths)
            elif isinstance(own, sa.Float | sa.Integer):
                frame[column] = frame[column].astype("Int64" if isinstance(own, sa.Integer) else "float64")
        return to_arrow(frame[[column for column in TABLES[name] if column in frame]], name)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is damaged: {' '.join(str(error).split())[:200]}") from None
