"""The papers' numbers: takes in papers.toml, gives out each number with its source, for reports and tests.

>>> number("action_shots.mean_deviation_stars").value
0.457
>>> number("action_shots.mean_deviation_stars").source
'paper 1, section 3.2'
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from photojury.errors import unknown_name


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
class Paper:
    """One of the five papers, as a reference list cites it."""

    number: int
    authors: str
    title: str
    year: int


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
    """All numbers by name."""
    found = {}
    for paper, table in _read().items():
        for key, row in table["numbers"].items():
            name = f"{paper}.{key}"
            found[name] = Number(
                name,
                table["number"],
                float(row["value"]),
                row["unit"],
                row["where"],
                row["meaning"],
                row.get("note", ""),
            )
    return MappingProxyType(found)


@cache
def papers() -> tuple[Paper, ...]:
    """The papers that numbers are taken from, by their number."""
    return tuple(
        sorted(
            (
                Paper(table["number"], table["authors"], table["title"], table["year"])
                for table in _read().values()
            ),
            key=lambda paper: paper.number,
        )
    )


def _read() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("papers.toml").read_text(encoding="utf-8"))
