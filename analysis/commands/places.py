"""Where a command of analyze finds its answers: a study, a release, or files, by the same options everywhere.

@place_options
def command(place: Place) -> None:
    answers = place.open()
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast

import click

from photojury.errors import InputError
from photojury.options import study_option

if TYPE_CHECKING:
    from photojury.analysis.answers import Answers

P = ParamSpec("P")


@dataclass(frozen=True)
class Place:
    """What was named: a study's folder, or data beside any study.

    Attributes:
        folder: the study's.
        data: a release folder, or files of answers; empty: the study.
        scale: worst and best level of ratings in files.
        columns: our name of a column to the files'.
    """

    folder: Path
    data: tuple[Path, ...] = ()
    scale: tuple[float, float] | None = None
    columns: Mapping[str, str] | None = None

    def open(self) -> "Answers":
        """The answers there."""
        from photojury.analysis.answers import of_study, open_answers
        from photojury.datasets.store import open_study

        if not self.data:
            return of_study(open_study(self.folder))
        return open_answers(self.data[0], *self.data[1:], scale=self.scale, columns=self.columns)


def place_options(command: Callable[Concatenate[Place, P], None]) -> Callable[P, None]:
    """`--study`, `--data`, `--scale` and `--column`, handed on as one Place."""

    @study_option
    @click.option(
        "--data",
        multiple=True,
        type=click.Path(path_type=Path),
        help="A release folder, or a CSV or Parquet file of ratings or comparisons, in the place of a study; may be repeated.",
    )
    @click.option("--scale", nargs=2, type=float, help="Worst and best level of the ratings in files.")
    @click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="OURS=THEIRS",
        help="What a file calls a column: value=score; may be repeated.",
    )
    @functools.wraps(command)
    def with_place(*args: P.args, **options: P.kwargs) -> None:
        given: dict[str, Any] = {name: options.pop(name) for name in ("folder", "data", "scale", "columns")}
        given["columns"] = dict(map(_renaming, given["columns"]))
        command(Place(**given), *args, **options)

    return cast("Callable[P, None]", with_place)


def _renaming(text: str) -> tuple[str, str]:
    ours, _, theirs = text.partition("=")
    if not ours or not theirs:
        raise InputError(f"--column {text!r} must be written OURS=THEIRS, such as value=score")
    return ours, theirs
