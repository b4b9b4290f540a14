"""What the dashboard shows: a study, a release or files of answers, open for reading, and read again when it has changed.

Takes in a place; gives out an `Opened`, the same one to every session until the place has changed; and results of
functions of its answers, each computed once.

    opened = current(Path("demo-study"))
    made(opened, rated.images)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Literal, ParamSpec, TypeVar

import streamlit as st

from photojury.analysis.answers import Answers, of_files, of_release
from photojury.analysis.dashboard.reading import StudyTables
from photojury.analysis.files import is_release
from photojury.datasets.read_only import stamp
from photojury.datasets.store import Study, open_study
from photojury.errors import InputError
from photojury.settings import FILE_NAME

P = ParamSpec("P")
R = TypeVar("R")

Kind = Literal["study", "release", "file"]

PAUSE = 60.0
"""Seconds that a large study is not read again, however often it changes."""


@dataclass(frozen=True)
class Opened:
    """One state of a place.

    Attributes:
        place: as it was named.
        kind: study, release or file.
        answers: its tables, each read when a page needs it.
        stamp: of this state; another one says that the place has changed.
        read_at: when it was opened.
    """

    place: Path
    kind: Kind
    answers: Answers
    stamp: tuple[str, ...]
    read_at: float

    @property
    def study(self) -> Study:
        """The open study.

        Raises:
            InputError: this is none, so what a page wants to know of it is not there.
        """
        if self.answers.study is None:
            raise InputError(
                f"this is a {self.kind}, which has no batches, money or candidates; name a study's folder: "
                "photojury dashboard my-study"
            )
        return self.answers.study


_opened: dict[Path, Opened] = {}
_lock = Lock()


def kind_of(place: Path) -> Kind:
    """What a place is.

    Raises:
        InputError: nothing that can be shown.
    """
    if (place / FILE_NAME).is_file():
        return "study"
    if is_release(place):
        return "release"
    if place.is_file():
        return "file"
    if place.is_dir():
        raise InputError(
            f"{place} is neither a study (it has no {FILE_NAME}) nor a release (no release.json); name one, "
            "or a CSV or Parquet file of answers"
        )
    raise InputError(f"{place} is not there; name a study, a release, or a CSV or Parquet file of answers")


def current(place: Path) -> Opened:
    """The newest state of a place; a large study's may be a minute old.

    Raises:
        PhotojuryError: it cannot be opened.
    """
    with _lock:
        known = _opened.get(place)
        if known is None or (changed(known) and (known.kind != "study" or _may_read_again(known))):
            if known is not None:
                _made.clear()
            _opened[place] = known = _open(place)
        return known


def changed(opened: Opened) -> bool:
    """Whether the place is no longer as it was read."""
    return _stamp(opened.place, opened.answers.study) != opened.stamp


def made(opened: Opened, function: Callable[..., R], *arguments: Any) -> R:
    """`function(answers, *arguments)`, computed once for each state of the place.

    What comes out is shared by all sessions: nobody changes it.
    """
    result: R = _made(
        (str(opened.place), *opened.stamp),
        f"{function.__module__}.{function.__qualname__}",
        arguments,
        opened.answers,
        function,
    )
    return result


@st.cache_resource(max_entries=100, show_spinner=False)
def _made(
    state: tuple[str, ...],
    name: str,
    arguments: tuple[Any, ...],
    _answers: Answers,
    _function: Callable[..., Any],
) -> Any:
    return _function(_answers, *arguments)


def _open(place: Path) -> Opened:
    kind, now = kind_of(place), time.time()
    if kind == "release":
        return Opened(place, kind, of_release(place), _stamp(place, None), now)
    if kind == "file":
        return Opened(place, kind, of_files([place]), _stamp(place, None), now)
    study = open_study(place, read_only=True)
    before = _stamp(place, study)
    tables = StudyTables(study)
    tables.begin()
    return Opened(place, kind, Answers(tables, study.settings, study.settings.study.name, study), before, now)


def _may_read_again(known: Opened) -> bool:
    tables = known.answers.tables
    large = isinstance(tables, StudyTables) and tables.large
    return not large or time.time() - known.read_at > PAUSE


def _stamp(place: Path, study: Study | None) -> tuple[str, ...]:
    if study is not None:
        # Models and settings are files of their own.
        files = [place / FILE_NAME, *sorted((place / "models").glob("*/evaluation.json"))]
        return (*stamp(study.engine), *map(_modified, files))
    files = sorted((place / "tables").glob("*.parquet")) if place.is_dir() else [place]
    return tuple(map(_modified, files))


def _modified(file: Path) -> str:
    try:
        return f"{file.name} {file.stat().st_mtime_ns}"
    except OSError:
        return f"{file.name} is gone"
