"""Lists of pictures in files: CSV with any separator, one address a line, or Parquet; read piece by piece.

Takes in a path; gives out rows with their numbers and, for each piece, where the next one begins. A million rows
take no more memory than one piece. A row that cannot be read is a row with a problem, and the next one is read.

    with_names = open_list(Path("arod.csv"))          # first line: url;faves;views
    rows, cursor = with_names.read(None, 5000)
    rows, cursor = with_names.read(cursor, 5000)      # cursor None: that was all
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from photojury.errors import InputError

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

# Longer lines, and longer quoted fields, are taken for damage: a quotation mark that is opened and never closed.
_LONGEST_LINE = 1_000_000
_MOST_LINES = 50
_SEPARATORS = ",;\t|"
_ADDRESS = re.compile(r"\s*\"?[A-Za-z][A-Za-z0-9+.-]*:(//|[^\s,;|]+/)")


@dataclass(frozen=True)
class Row:
    """One row of a list: its number in the file (1 for the first with pictures), its cells, or what is wrong with it."""

    number: int
    values: Mapping[str, object] = field(default_factory=dict)
    problem: str | None = None


class PictureList(Protocol):
    """A list that is read piece by piece."""

    @property
    def names(self) -> list[str]:
        """The columns."""
        ...

    def read(self, cursor: str | None, count: int) -> tuple[list[Row], str | None]:
        """The next rows, and where to go on; None at the end."""
        ...


def open_list(path: Path, columns: Sequence[str] = ()) -> PictureList:
    """A list's reader, by the file's name: .parquet, else text.

    Args:
        columns: the names of the columns, where the file's first line does not have them.

    Raises:
        InputError: the file cannot be read, or it cannot be told what its columns are.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(4)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if not beginning:
        raise InputError(f"{path} is empty; it should hold one picture's address in each line")
    if beginning[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path} is in UTF-16; save it as UTF-8")
    if path.suffix.lower() == ".parquet" or beginning == b"PAR1":
        return ParquetList(path)
    return TextList(path, columns)


class TextList:
    """A list in a text file. A cursor is `byte:row`, so that reading goes on at once wherever it stopped."""

    names: list[str]

    def __init__(self, path: Path, columns: Sequence[str] = ()) -> None:
        self._path = path
        self._separator: str | None
        with path.open("rb") as file:
            first = self._first_line(file)
            if columns:
                self.names = list(columns)
                self._separator = _separator_for(path, first, len(columns))
            elif _ADDRESS.match(first):
                _check_addresses_only(path, first)
                self.names, self._separator = ["url"], None
            else:
                self._separator, self.names = _header(path, first)
                self._start = file.tell()
        _check_names(path, self.names)

    def read(self, cursor: str | None, count: int) -> tuple[list[Row], str | None]:
        """The next rows, and where to go on; None at the end. Empty lines are no rows."""
        offset, number = map(int, cursor.split(":")) if cursor else (self._start, 0)
        found: list[Row] = []
        with self._path.open("rb") as file:
            file.seek(offset)
            while len(found) < count:
                row = self._next(file, number + 1)
                if row is None:
                    return found, None
                number += 1
                found.append(row)
            return found, f"{file.tell()}:{number}"

    def _first_line(self, file: BinaryIO) -> str:
        if file.read(3) != b"\xef\xbb\xbf":  # the mark that Excel puts before UTF-8
            file.seek(0)
        self._start = file.tell()
        line = file.readline(_LONGEST_LINE)
        try:
            return line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise InputError(f"{self._path}: its first line is not UTF-8; save the file as UTF-8") from None

    def _next(self, file: BinaryIO, number: int) -> Row | None:
        """The next row; of one with line breaks in quotes, all its lines."""
        lines = [_line(file)]
        while lines[0] and not lines[0].strip():
            lines = [_line(file)]
        if not lines[0]:
            return None
        if self._separator is None:
            return self._parsed(lines, number)
        second = file.tell()
        # In a whole row the number of quotation marks is even: those within a field are doubled (RFC 4180, 2.7).
        while sum(line.count(b'"') for line in lines) % 2 and len(lines) < _MOST_LINES:
            line = _line(file)
            if not line:
                break
            lines.append(line)
        row = self._parsed(lines, number)
        if len(lines) > 1 and row.problem is not None:
            # A stray quotation mark: only its own line is lost, if that.
            file.seek(second)
            row = self._parsed(lines[:1], number)
        return row

    def _parsed(self, lines: list[bytes], number: int) -> Row:
        try:
            text = b"".join(lines).decode("utf-8")
        except UnicodeDecodeError:
            return Row(number, problem="it is not UTF-8")
        if "\0" in text:
            return Row(number, problem="it holds a NUL character")
        if len(lines[0]) >= _LONGEST_LINE:
            return Row(number, problem=f"it is longer than {_LONGEST_LINE} bytes")
        if self._separator is None:
            return Row(number, {self.names[0]: _unquoted(text.strip())})
        try:
            # StringIO parts lines at line feeds only, not at the other marks that str.splitlines knows.
            rows = list(csv.reader(io.StringIO(text, newline="\n"), delimiter=self._separator, strict=True))
        except csv.Error:
            return Row(number, problem="a quotation mark in it is not closed, or stands where none may")
        if len(rows) != 1 or len(rows[0]) != len(self.names):
            fields = len(rows[0]) if rows else 0
            return Row(number, problem=f"it has {fields} fields; the list has {len(self.names)} columns")
        return Row(number, dict(zip(self.names, rows[0], strict=True)))


class ParquetList:
    """A list in a Parquet file. A cursor is the number of rows before it."""

    names: list[str]

    def __init__(self, path: Path) -> None:
        self._path = path
        self.names = list(self._file.schema_arrow.names)
        self._at = 0
        self._pieces: Iterator[pyarrow.RecordBatch] = iter(())
        _check_names(path, self.names)

    def read(self, cursor: str | None, count: int) -> tuple[list[Row], str | None]:
        """The next rows, and where to go on; None at the end."""
        import pyarrow

        begin = int(cursor or 0)
        if begin != self._at or begin == 0:
            self._pieces = self._from(begin, count)
        try:
            piece = next(self._pieces, None)
        except (OSError, pyarrow.ArrowException) as error:
            what = str(error).splitlines()[0]
            raise InputError(f"{self._path} cannot be read after row {begin}: {what}") from None
        if piece is None:
            return [], None
        self._at = begin + piece.num_rows
        more = self._at < self._file.metadata.num_rows
        return _rows_of(piece, begin), str(self._at) if more else None

    @cached_property
    def _file(self) -> "pyarrow.parquet.ParquetFile":
        import pyarrow
        import pyarrow.parquet

        try:
            return pyarrow.parquet.ParquetFile(self._path)
        except (OSError, pyarrow.ArrowException) as error:
            raise InputError(
                f"{self._path} cannot be read as Parquet: {str(error).splitlines()[0]}"
            ) from None

    def _from(self, begin: int, count: int) -> "Iterator[pyarrow.RecordBatch]":
        """Pieces of `count` rows from a row on; whole row groups before it are not read."""
        groups = self._file.metadata.num_row_groups
        first = 0
        while first < groups and self._file.metadata.row_group(first).num_rows <= begin:
            begin -= self._file.metadata.row_group(first).num_rows
            first += 1
        for piece in self._file.iter_batches(batch_size=count, row_groups=list(range(first, groups))):
            if begin >= piece.num_rows:
                begin -= piece.num_rows
                continue
            yield piece.slice(begin)
            begin = 0


def _rows_of(piece: "pyarrow.RecordBatch", before: int) -> list[Row]:
    columns = {name: _cells(piece.column(at)) for at, name in enumerate(piece.schema.names)}
    found = []
    for at in range(piece.num_rows):
        values = {name: cells[at] for name, cells in columns.items()}
        number = before + at + 1
        if any(isinstance(value, UnicodeDecodeError) for value in values.values()):
            found.append(Row(number, problem="it is not UTF-8"))
        elif any(isinstance(value, str) and "\0" in value for value in values.values()):
            found.append(Row(number, problem="it holds a NUL character"))
        else:
            found.append(Row(number, values))
    return found


def _cells(column: "pyarrow.Array[Any]") -> list[object]:
    """A column's values; in the place of a text that is no UTF-8, the error."""
    import pyarrow

    try:
        values: list[object] = column.to_pylist()
    except UnicodeDecodeError:
        values = [_decoded(data) for data in column.cast(pyarrow.binary()).to_pylist()]
    return [_decoded(value) if isinstance(value, bytes) else value for value in values]


def _decoded(data: bytes | None) -> object:
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error


def _line(file: BinaryIO) -> bytes:
    """A line; of one that is too long, its beginning, the rest being passed over."""
    line = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
        while (rest := file.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
    return line


def _header(path: Path, first: str) -> tuple[str | None, list[str]]:
    """The separator and the names of a first line that holds names; no separator where it is one name."""
    separator = max(_SEPARATORS, key=first.count)
    if separator not in first:
        return None, [_unquoted(first.strip())]
    try:
        return separator, [name.strip() for name in next(csv.reader([first], delimiter=separator))]
    except csv.Error:
        raise InputError(
            f"{path}: its first line cannot be read as names of columns; end its lines with a line feed"
        ) from None


def _unquoted(cell: str) -> str:
    """A cell that is alone in its line, without the quotation marks around it."""
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"') if quoted else cell


def _separator_for(path: Path, first: str, columns: int) -> str | None:
    """What parts a line into so many columns; None for one."""
    if columns == 1:
        return None
    fitting = [sign for sign in _SEPARATORS if len(next(csv.reader([first], delimiter=sign))) == columns]
    if not fitting:
        raise InputError(
            f"{path}: no comma, semicolon, tab or bar parts its first line into {columns} columns as --columns says"
        )
    return fitting[0]


def _check_addresses_only(path: Path, first: str) -> None:
    """Check that a list without column names is one of addresses only; commas are part of many addresses."""
    marks = ";\t|" if path.suffix.lower() == ".txt" else _SEPARATORS
    if any(mark in first for mark in marks):
        raise InputError(
            f"{path}: its first line has no column names but several columns; name them, like --columns url,favs,views"
        )


def _check_names(path: Path, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path} has the column {twice[0]!r} more than once; rename one of them")
