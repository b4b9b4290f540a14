"""Rows of a CSV file with a header, each with the line that it begins on, so that an error can name it.

Takes in a file as spreadsheets and MTurk write them: UTF-8 with or without a byte order mark, cells quoted or
not, line ends in quoted cells; gives out its columns and its rows.

    >>> read_rows(Path("photos.csv"))           # doctest: +SKIP
    (['image_url', 'title'], [(2, {'image_url': 'https://…', 'title': 'Dunes'})])
"""

import csv
import io
from pathlib import Path

from photojury.errors import InputError

# Answers may be as large as a worker site takes; Python's own limit for a cell is 131,072 characters.
_LARGEST_CELL = 4_000_000

Rows = list[tuple[int, dict[str, str]]]


def read_rows(path: Path) -> tuple[list[str], Rows]:
    """Read a CSV file.

    Returns:
        The columns, and for each row the line it begins on with its cells by column.

    Raises:
        InputError: the file cannot be read, is not UTF-8 or no CSV, has no rows, a column without a name or
            with another's name, or a row with more or fewer cells than columns.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8; save it as CSV UTF-8") from None
    lines = _lines(path, text)
    if not lines:
        raise InputError(f"{path} is empty; its first line must name the columns")
    (_, columns), *rows = lines
    _check_columns(path, columns)
    if not rows:
        raise InputError(f"{path} has no rows below its column names")
    for line, cells in rows:
        if len(cells) != len(columns):
            raise InputError(f"{path}, line {line}: {len(cells)} cells for {len(columns)} columns")
    return columns, [(line, dict(zip(columns, cells, strict=True))) for line, cells in rows]


def _lines(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Every row that is not empty, with the line that it begins on."""
    # The limit is the process's; nothing else in photojury wants a smaller one.
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for cells in reader:
            if cells:
                found.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}, line {begins}: not CSV ({error})") from None
    return found


def _check_columns(path: Path, columns: list[str]) -> None:
    for number, name in enumerate(columns, 1):
        if not name.strip():
            raise InputError(f"{path}: column {number} has no name")
        if columns.index(name) != number - 1:
            raise InputError(f"{path}: two columns are called {name}")
