"""What the report's sections share: the answers they read, and lines that put a paper's number beside the study's.

measure("mean deviation", 0.41, (0.38, 0.44), 100, number("action_shots.mean_deviation_stars"))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from photojury.analysis import wording
from photojury.analysis.answers import Answers
from photojury.analysis.consistency import Consistency
from photojury.analysis.findings import agreed, rated, scored
from photojury.datasets.papers import Number
from photojury.datasets.store import Study
from photojury.errors import InputError

Context = dict[str, object]
"""What the template gets for one section."""


@dataclass(frozen=True)
class Source:
    """What sections are made from; tables that several sections read are made once."""

    answers: Answers
    thumbnails: bool

    @property
    def study(self) -> Study:
        """The study.

        Raises:
            InputError: the answers are of a release or a file.
        """
        if self.answers.study is None:
            raise InputError(f"{self.answers.place} is no study")
        return self.answers.study

    @cached_property
    def images(self) -> pd.DataFrame:
        """Distribution of each image."""
        return rated.distributions(self.answers)

    @cached_property
    def consistency(self) -> Consistency:
        """Agreement within each batch."""
        return agreed.consistency(self.answers)

    @cached_property
    def mos(self) -> pd.DataFrame:
        """Mean opinion scores, best first."""
        return scored.scores(self.answers)


@dataclass(frozen=True)
class Measure:
    """One line of a table that puts a paper's number beside the study's."""

    label: str
    ours: str
    interval: str = ""
    n: str = ""
    paper: str = ""
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of texts; the first column is the rows' heading."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def measure(label: str, value: float, limits: tuple[float, float], n: int, paper: Number | None) -> Measure:
    """A line with three decimals; `paper` None leaves the paper's columns empty."""
    return Measure(
        label,
        wording.decimal(value),
        wording.interval(*limits),
        wording.whole(n),
        wording.decimal(paper.value) if paper else "",
        paper.source if paper else "",
        paper.note if paper else "",
    )
