"""Label files of published datasets: found under their names, and sieved so that a broken row costs one row.

Takes in a folder (or the file itself) and the names that its makers gave the file; gives out a `Sieve`: rows that can
be used, and how many cannot, each under its first reason, which names file and row.

    sieve = open_labels(root, ["labels.csv"], what="the scores", columns=["ImageFile", "score"])
    sieve.number("score", low=0, high=1)
    sieve.once(["ImageFile"])
    sieve.rows, sieve.left_out
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photojury.datasets import delimited
from photojury.errors import InputError, require_columns


class Sieve:
    """Rows of one label file, and why others were left out.

    Attributes:
        path: the file.
        rows: what is left; the index numbers the file's rows from 1.
        left_out: how many were left out, by reason.
    """

    def __init__(self, path: Path, rows: pd.DataFrame, left_out: Mapping[str, int]) -> None:
        self.path = path
        self.rows = rows
        self.left_out = dict(left_out)

    def keep(self, good: NDArray[np.bool_] | Sequence[bool], reason: str) -> None:
        """Leave out the rows that are not good.

        Args:
            good: one for each of `rows`.
            reason: what is wrong with the others, as "scores off the scale of 0 to 1".

        Raises:
            InputError: none is left.
        """
        flags = np.asarray(good, dtype=bool)
        if flags.all():
            return
        row = self.rows.index[int(np.argmin(flags))]
        self.left_out[f"{self.path.name}: {reason} (row {row})"] = int((~flags).sum())
        self.rows = self.rows[flags]
        if self.rows.empty:
            raise InputError(
                f"no row of {self.path} can be used: "
                + "; ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
            )

    def without_header(self, column: str, begins: str) -> None:
        """Leave out the first row if it names the columns, of a file that should not; rows are numbered from the next.

        Args:
            column: in which its name would stand.
            begins: how that cell then begins, in small letters.

        Raises:
            InputError: there is no other row.
        """
        if str(self.rows[column].iloc[0]).strip().lower().startswith(begins):
            self.rows = self.rows.iloc[1:].rename(index=lambda row: row - 1)
        if self.rows.empty:
            raise InputError(f"{self.path} has no row but the names of its columns")

    def text(self, *columns: str) -> None:
        """Columns that must say something."""
        for column in columns:
            cells = self.rows[column].str.strip()
            self.rows = self.rows.assign(**{column: cells})
            self.keep(
                (cells.notna() & cells.ne("")).to_numpy(dtype=bool), f"{column} is missing or unreadable"
            )

    def number(
        self,
        *columns: str,
        low: float = -np.inf,
        high: float = np.inf,
        whole: bool = False,
        kept: bool = False,
    ) -> None:
        """Columns that must be numbers between low and high, which they then are.

        Args:
            columns: their names.
            low, high: what is allowed, ends included.
            whole: whether they must be whole numbers.
            kept: whether a row without a number stays, with NaN: the number is unknown.
        """
        for column in columns:
            cells = self.rows[column]
            values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
            self.rows = self.rows.assign(**{column: values})
            absent = cells.isna().to_numpy(dtype=bool) & kept
            self.keep(np.isfinite(values) | absent, f"{column} is no number")
            values = self.rows[column].to_numpy(dtype=np.float64)
            inside = ~((values < low) | (values > high))
            self.keep(inside, f"{column} is off its scale of {low:g} to {high:g}")
            if whole:
                values = self.rows[column].to_numpy(dtype=np.float64)
                self.keep(np.isnan(values) | (values == np.floor(values)), f"{column} is no whole number")

    def among(self, column: str, known: Sequence[str]) -> None:
        """A column that must be one of the known words."""
        self.keep(
            self.rows[column].isin(list(known)).to_numpy(dtype=bool),
            f"{column} is none of {', '.join(known)}",
        )

    def once(self, keys: Sequence[str]) -> None:
        """Rows that must not say two things of one key: of equal rows the first stays, of unequal ones none.

        Nobody can tell which of two different labels is the right one.
        """
        rows = self.rows
        first = ~rows.duplicated().to_numpy(dtype=bool)
        self.keep(first, f"a row with this {' and '.join(keys)} stands there twice")
        differ = self.rows.duplicated(list(keys), keep=False).to_numpy(dtype=bool)
        self.keep(~differ, f"rows with the same {' and '.join(keys)} say different things")


def find(root: Path, names: Sequence[str], *, what: str) -> Path:
    """The file with labels: root itself where that is a file, else the first of the names below it, plain or gzipped.

    Args:
        root: a folder or a file.
        names: what the dataset's makers, or those who pass it on, call the file.
        what: what it holds, for the message.

    Raises:
        InputError: none is there.
    """
    found = look(root, names)
    if found is None:
        raise InputError(f"{root} has no file {' or '.join(names)} with {what}; name the folder that has it")
    return found


def look(root: Path, names: Sequence[str]) -> Path | None:
    """`find`, with None where there is no such file."""
    if root.is_file():
        return root
    paths = (root / f"{name}{end}" for name in names for end in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def open_labels(
    root: Path,
    names: Sequence[str],
    *,
    what: str,
    columns: Sequence[str],
    header: bool = True,
    separator: str | None = None,
    quote: str = '"',
) -> Sieve:
    """The rows of a label file, every cell as text.

    Args:
        root, names, what: as in `find`.
        columns: those that must be there; all of them, in their order, where the file has no header.
        header: whether the first line names the columns.
        separator, quote: as in `delimited.read`.

    Raises:
        InputError: no such file, or it lacks a column or every row.
    """
    path = find(root, names, what=what)
    read = delimited.read(path, names=None if header else columns, separator=separator, quote=quote)
    require_columns(read.table.columns, columns, str(path))
    sieve = Sieve(path, read.table, read.left_out)
    if sieve.rows.empty:
        raise InputError(f"{path} has no row with {what}")
    return sieve


def together(*sieves: Sieve) -> dict[str, int]:
    """What was left out of several files."""
    found: dict[str, int] = {}
    for sieve in sieves:
        for reason, count in sieve.left_out.items():
            found[reason] = found.get(reason, 0) + count
    return found
