"""Text files of rows and cells (CSV, TSV and the like), plain or gzipped, in whatever state they are.

Takes in a path; gives out every cell as text, rows numbered from 1, and how many rows could not be taken. A ragged row
costs one row, a cell that is no UTF-8 one cell; a file that is no such file is one sentence.

    >>> _ = Path("scores.csv").write_text("name;score\\na.jpg;0.5\\nb.jpg;0.7;0.1\\nc.jpg;0.9\\n")
    >>> rows = read(Path("scores.csv"))
    >>> rows.table.index.tolist(), rows.table["score"].tolist()
    ([1, 3], ['0.5', '0.9'])
    >>> rows.left_out
    {'scores.csv: rows with more or fewer cells than the first line (row 2)': 1}
"""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from photojury.errors import InputError

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.csv import InvalidRow

SEPARATORS = ",;\t|"
"""What may stand between cells where nobody says it: whichever the first line has most of."""

MOST_BYTES = 2**31
"""A gzipped file that unpacks to more is refused: tables of labels are smaller, a decompression bomb is not."""

UNREADABLE = "\ufffd"
"""What stands for bytes that are no UTF-8."""


@dataclass(frozen=True)
class Rows:
    """The rows of a file.

    Attributes:
        table: every cell as text, missing where it is empty, a word for that (NA, null, ...) or no UTF-8; the index
            numbers rows from 1, a line that names the columns not counted.
        left_out: how many rows could not be taken, by reason; the reason names the first.
    """

    table: pd.DataFrame
    left_out: dict[str, int]


def read(
    path: Path, *, names: Sequence[str] | None = None, separator: str | None = None, quote: str = '"'
) -> Rows:
    """Read a file of rows and cells.

    Args:
        path: the file; one that is gzipped is unpacked, whatever its name is.
        names: of the columns, where the file's first line does not name them.
        separator: between cells; None takes the one of `SEPARATORS` that the first line has most of.
        quote: around cells that hold a separator; an empty text where quotes mean nothing.

    Raises:
        InputError: the file is missing, empty, UTF-16, broken gzip, or no such file; two columns share a name.
    """
    import pyarrow
    from pyarrow import csv

    source, first, mended = _opened(path)
    ragged: list[int] = []
    named = 0 if names else 1

    def skip(row: "InvalidRow") -> str:
        ragged.append(row.number - named)
        return "skip"

    parse = csv.ParseOptions(
        delimiter=separator or max(SEPARATORS, key=first.count),
        newlines_in_values=True,
        invalid_row_handler=skip,
        quote_char=quote or False,
    )
    # One thread, so that rows keep their numbers.
    reading = csv.ReadOptions(use_threads=False, column_names=list(names) if names else None)
    try:
        header = csv.open_csv(_again(source), parse_options=parse, read_options=reading).schema.names
        twice = [name for name in header if header.count(name) > 1]
        if twice:
            raise InputError(f"{path} has the column {twice[0]} twice; give every column a name of its own")
        ragged.clear()
        kinds = dict.fromkeys(header, pyarrow.binary())
        convert = csv.ConvertOptions(column_types=kinds, strings_can_be_null=True)
        table = csv.read_csv(
            _again(source), read_options=reading, parse_options=parse, convert_options=convert
        )
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path} is no CSV file that can be read: {str(error).splitlines()[0]}") from None
    frame = pd.DataFrame(
        {name.removeprefix("\ufeff").strip(): _text(table.column(name), mended=mended) for name in header}
    )
    numbers = np.arange(1, len(frame) + len(ragged) + 1)
    frame.index = pd.Index(numbers[~np.isin(numbers, ragged)])
    than = f"{len(header)}" if names else "the first line"
    reason = f"{path.name}: rows with more or fewer cells than {than} (row {min(ragged, default=0)})"
    return Rows(frame, {reason: len(ragged)} if ragged else {})


def _opened(path: Path) -> tuple[Path | bytes, str, bool]:
    """What pyarrow shall read, the first line, and whether what was no UTF-8 has become UNREADABLE in it."""
    if not path.is_file():
        raise InputError(f"{path} is not there, or is no file")
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    data = unpacked(path) if packed else path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path} is written in UTF-16; save it as UTF-8")
    line = data[:1_000_000].partition(b"\n")[0]
    first = next(iter(line.decode("utf-8-sig", errors="replace").splitlines()), "")
    if not first.strip():
        raise InputError(f"{path} is empty; its first line must name the columns")
    try:
        data.decode()
    except UnicodeDecodeError:
        # pyarrow hands a ragged row to its handler as text, which fails unseen where it is none.
        return data.decode(errors="replace").encode(), first, True
    return (data if packed else path), first, False


def unpacked(path: Path) -> bytes:
    """The bytes of a gzipped file.

    Raises:
        InputError: it is broken, or unpacks to more than MOST_BYTES.
    """
    try:
        with gzip.open(path) as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is a broken gzip file: {str(error).rstrip('.')}") from None
    if len(data) > MOST_BYTES:
        raise InputError(
            f"{path} unpacks to more than {MOST_BYTES:,} bytes; no table of labels is that large"
        )
    return data


def _again(source: Path | bytes) -> "Path | pyarrow.BufferReader":
    """A source from its beginning."""
    import pyarrow

    return pyarrow.BufferReader(source) if isinstance(source, bytes) else source


def _text(column: "pyarrow.ChunkedArray", *, mended: bool) -> "pd.Series[str]":
    """Cells as text; those that were no UTF-8 as missing."""
    import pyarrow

    found: pd.Series[str] = column.cast(pyarrow.string()).to_pandas()
    return found.mask(found.str.contains(UNREADABLE, regex=False, na=False)) if mended else found
