"""The papers' numbers: every figure of every table, and some of the text by name, for reports, docs and tests.

Takes in papers.toml and paper_tables.csv; gives out numbers with their sources, and whole tables.

>>> number("action_shots.mean_deviation_stars").value
0.457
>>> number("action_shots.mean_deviation_stars").source
'paper 1, section 3.2'
>>> paper_table("apm", 1).loc["ResNet-AVA-dist-m", "rho"]
0.709
"""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from photojury.errors import InputError, unknown_name

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Number:
    """One number that a paper prints.

    Attributes:
        name: "<paper>.<number>", as in papers.toml.
        paper: the paper's number among the five (1 to 5).
        value: as printed; shares as fractions of 1.
        unit: stars, nats, share, ...; empty for a bare number.
        where: section or table.
        meaning: what it counts or measures.
        note: what is odd about it; empty when nothing is.
    """

    name: str
    paper: int
    value: float
    unit: str
    where: str
    meaning: str
    note: str

    @property
    def source(self) -> str:
        """Paper and place, as a table cites it."""
        return f"paper {self.paper}, {self.where}"


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        paper: its name, as in papers.toml.
        table: the table's number in the paper.
        row, column: as the table calls them, in ASCII.
        value: the figure; None for a word or a dash.
        unit: %, nats, share, ...; empty for a bare number.
        as_printed: what the cell holds, to the letter.
        note: what is odd about it; empty when nothing is.
        where: the section that speaks of the table.
    """

    paper: str
    table: int
    row: str
    column: str
    value: float | None
    unit: str
    as_printed: str
    note: str
    where: str


@dataclass(frozen=True)
class Table:
    """What a table is: its number, title (in our words) and what is odd about all of it."""

    number: int
    title: str
    note: str


@dataclass(frozen=True)
class Paper:
    """One of the five papers, as a reference list cites it, with its tables."""

    name: str
    number: int
    authors: str
    title: str
    year: int
    tables: tuple[Table, ...]


def number(name: str) -> Number:
    """One number by its name.

    Raises:
        InputError: there is no such number; says the nearest names.
    """
    known = numbers()
    if name not in known:
        raise unknown_name("number of a paper", name, known)
    return known[name]


@cache
def numbers() -> Mapping[str, Number]:
    """All numbers that have a name, by it."""
    found = {}
    for paper, table in _read().items():
        for key, row in table.get("numbers", {}).items():
            name = f"{paper}.{key}"
            found[name] = _number(name, table["number"], row)
    return MappingProxyType(found)


@cache
def papers() -> tuple[Paper, ...]:
    """The five papers, by their number."""
    return tuple(
        sorted((_paper(name, table) for name, table in _read().items()), key=lambda paper: paper.number)
    )


def paper(name: str) -> Paper:
    """A paper by its name in papers.toml, or by its number among the five.

    Raises:
        InputError: there is no such paper.
    """
    for found in papers():
        if name in (found.name, str(found.number)):
            return found
    raise unknown_name("paper", name, (found.name for found in papers()))


@cache
def cells() -> tuple[Cell, ...]:
    """Every cell of every table of the five papers, in their order."""
    with Path(__file__).with_name("paper_tables.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            Cell(
                row["paper"],
                int(row["table"]),
                row["row"],
                row["column"],
                float(row["value"]) if row["value"] else None,
                row["unit"],
                row["as_printed"],
                row["note"],
                row["where"],
            )
            for row in csv.DictReader(file)
        )


def cells_of(name: str, table: int) -> tuple[Cell, ...]:
    """The cells of one table.

    Args:
        name: of the paper, or its number.
        table: the table's number in the paper.

    Raises:
        InputError: there is no such paper or table.
    """
    found = paper(name)
    numbered = [one.number for one in found.tables]
    if table not in numbered:
        raise InputError(f"{found.name} has no table {table}; it has {', '.join(map(str, numbered))}")
    return tuple(cell for cell in cells() if (cell.paper, cell.table) == (found.name, table))


def paper_table(
    name: str, table: int, *, show: Literal["value", "as_printed", "note"] = "value"
) -> "pd.DataFrame":
    """A table as its paper prints it, rows and columns in its order.

    Args:
        name: of the paper, or its number.
        table: the table's number in the paper.
        show: value: numbers, NaN for words and dashes; as_printed: the text of each cell; note: what is odd about it.

    Raises:
        InputError: there is no such paper or table.
    """
    import pandas as pd

    found = cells_of(name, table)
    rows, columns = ([*dict.fromkeys(getattr(cell, side) for cell in found)] for side in ("row", "column"))
    values = pd.DataFrame(index=pd.Index(rows, name="row"), columns=pd.Index(columns), dtype=object)
    for cell in found:
        values.loc[cell.row, cell.column] = getattr(cell, show)
    return values.astype("float64") if show == "value" else values


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("papers.toml").read_text(encoding="utf-8"))


def _paper(name: str, table: Mapping[str, Any]) -> Paper:
    listed = tuple(Table(int(key), row["title"], row.get("note", "")) for key, row in table["tables"].items())
    return Paper(name, table["number"], table["authors"], table["title"], table["year"], listed)


def _number(name: str, paper: int, row: Mapping[str, Any]) -> Number:
    if "table" not in row:
        value, note = float(row["value"]), row.get("note", "")
        return Number(name, paper, value, row["unit"], row["where"], row["meaning"], note)
    cell = _cells_by_place()[name.partition(".")[0], row["table"], row["row"], row["column"]]
    if cell.value is None:
        raise InputError(f"papers.toml: {name} names a cell that holds no number")
    return Number(name, paper, cell.value, cell.unit, f"Table {cell.table}", row["meaning"], cell.note)


@cache
def _cells_by_place() -> Mapping[tuple[str, int, str, str], Cell]:
    return MappingProxyType({(cell.paper, cell.table, cell.row, cell.column): cell for cell in cells()})
