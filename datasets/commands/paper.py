"""`photojury datasets paper`: the tables that the five papers print."""

from typing import TYPE_CHECKING

import click

from photojury.options import json_option, tell

if TYPE_CHECKING:
    from photojury.datasets.papers import Cell


@click.command(epilog="Example: photojury datasets paper apm 1")
@click.argument("name", metavar="NAME")
@click.argument("table", metavar="[TABLE]", type=int, required=False)
@json_option
def paper(name: str, table: int | None, as_json: bool) -> None:
    """Print a paper's tables, or one of them, with what is odd about their figures.

    NAME is action_shots, like_image, series_photos, aadb or apm, or the paper's number from 1 to 5.
    """
    import dataclasses

    from photojury.datasets.papers import cells_of, paper

    found = paper(name)
    wanted = [one.number for one in found.tables] if table is None else [table]
    cells = [cell for number in wanted for cell in cells_of(found.name, number)]
    texts = [_text(found.name, number) for number in wanted] if not as_json else []
    head = f"Paper {found.number} ({found.name}): {found.authors} ({found.year}). {found.title}"
    tell(as_json, [dataclasses.asdict(cell) for cell in cells], "\n\n".join([head, *texts]))


def _text(name: str, number: int) -> str:
    """A table for people, its cells as printed, then its notes."""
    from photojury.datasets.papers import cells_of, paper, paper_table

    table = next(one for one in paper(name).tables if one.number == number)
    printed = paper_table(name, number, show="as_printed").rename_axis(None)
    lines = [
        f"Table {number}. {table.title}",
        printed.to_string(),
        *([f"- {table.note}"] if table.note else []),
    ]
    return "\n".join([*lines, *_notes(cells_of(name, number))])


def _notes(cells: "tuple[Cell, ...]") -> list[str]:
    """What is odd, once for all cells of which it is said; a column's name stands for all its figures."""
    said: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.note:
            said.setdefault(cell.note, []).append(cell)
    return [f"- {'; '.join(_places(noted, cells))}: {note}" for note, noted in said.items()]


def _places(noted: "list[Cell]", cells: "tuple[Cell, ...]") -> list[str]:
    """Where the noted cells are: a column's or a row's name stands for all its figures."""
    left, places = list(noted), []
    for side in ("column", "row"):
        for name in dict.fromkeys(getattr(cell, side) for cell in left):
            figures = [cell for cell in cells if getattr(cell, side) == name and cell.value is not None]
            if len(figures) > 1 and all(cell in left for cell in figures):
                places.append(name)
                left = [cell for cell in left if getattr(cell, side) != name]
    return places + [f"{cell.row}, {cell.column}" for cell in left]
