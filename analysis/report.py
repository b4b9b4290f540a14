"""The report: takes in a study, gives out one HTML file that needs no server, no network and no script.

write(study)                         # my-study/reports/index.html
tables(study)["confusion"]           # the numbers behind it, as DataFrames
"""

from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

import photojury
from photojury.analysis import findings, sections
from photojury.analysis.answers import Answers, of_study
from photojury.analysis.source import Source
from photojury.datasets.images import write_atomically
from photojury.datasets.papers import papers
from photojury.datasets.store import Study
from photojury.runs import versions

NAME = "index.html"


def write(study: Study, *, out: Path | None = None, thumbnails: bool = True) -> Path:
    """Write the report.

    Args:
        study: the open study.
        out: the file; `reports/index.html` of the study when None.
        thumbnails: show the best, worst and most divisive images (about 15 kB each, inside the file).

    Returns:
        The file that was written.
    """
    path = out or study.folder / "reports" / NAME
    write_atomically(path, render(study, thumbnails=thumbnails).encode())
    return path


def render(study: Study, *, thumbnails: bool = True) -> str:
    """The report as HTML. The same store and seed give the same text: no clock is read."""
    answers = of_study(study)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["svg"] = Markup
    return environment.get_template("report.html").render(
        name=study.settings.study.name,
        settings=study.settings,
        simulated=sections.simulated(answers),
        period=_period(answers),
        papers=papers(),
        photojury=photojury.__version__,
        versions=versions(),
        **sections.all_sections(Source(study, answers, thumbnails)),
    )


def tables(study: Study) -> dict[str, pd.DataFrame]:
    """The tables behind the report, by the names of `photojury analyze TABLE`; those that can be made."""
    return findings.tables(of_study(study), study.settings)


def _period(answers: Answers) -> str:
    """First to last day (UTC) on which an answer came."""
    times = answers.assignments["submitted_at"].astype(float)
    if times.empty:
        return ""
    first, last = (
        datetime.fromtimestamp(time, UTC).date().isoformat() for time in (times.min(), times.max())
    )
    return first if first == last else f"{first} to {last}"
