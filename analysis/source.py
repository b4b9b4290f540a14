"""What the report's sections share: the study they read, and a line that puts a paper's number beside its own.

measure("mean deviation", 0.41, (0.38, 0.44), 100, number("action_shots.mean_deviation_stars"))
"""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from photojury.analysis import findings, wording
from photojury.analysis.answers import Answers
from photojury.datasets.papers import Number
from photojury.datasets.store import Study

Context = dict[str, object]
"""What the template gets for one section."""


@dataclass(frozen=True)
class Source:
    """What sections are made from."""

    study: Study
    answers: Answers
    thumbnails: bool

    @cached_property
    def images(self) -> pd.DataFrame:
        """Distribution of each image; made once, since two sections read it."""
        return findings.images(self.answers, self.study.settings)


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
