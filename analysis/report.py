"""The report: takes in answers, gives out one HTML file that needs no server, no network and no script, and its tables.

write(of_study(study))               # my-study/reports/index.html, and reports/tables/*.csv and *.json
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from markupsafe import Markup

import photojury
from photojury.analysis.answers import Answers
from photojury.analysis.findings.tables import tables
from photojury.analysis.sections import asked
from photojury.analysis.sections.all import all_sections
from photojury.analysis.sections.source import Source
from photojury.datasets.images import write_atomically
from photojury.datasets.papers import numbers, papers
from photojury.errors import InputError
from photojury.runs import versions

NAME = "index.html"
TABLES = "tables"
"""The folder of the tables, beside the report."""


def default_path(answers: Answers) -> Path:
    """Where a report goes that nobody has given a place: into the study, else into a folder here."""
    folder = answers.study.folder / "reports" if answers.study else Path("photojury-report")
    return folder / NAME


def write(answers: Answers, *, out: Path | None = None, thumbnails: bool = True) -> list[Path]:
    """Write the report and its tables.

    Args:
        answers: of a study, a release or files.
        out: the HTML file; `default_path` when None. Tables go into the folder `tables` beside it.
        thumbnails: show the best, worst and most divisive images (about 15 kB each, inside the file).

    Returns:
        The files that were written, the report first.
    """
    path = out or default_path(answers)
    write_atomically(path, render(answers, thumbnails=thumbnails).encode())
    return [path, *_write_tables(answers, path.parent / TABLES)]


def render(answers: Answers, *, thumbnails: bool = True) -> str:
    """The report as HTML. The same answers and seed give the same text: no clock is read."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["svg"] = Markup
    return environment.get_template("report.html").render(
        name=answers.place,
        settings=answers.settings,
        asked_here=answers.study is not None,
        scale=_scale(answers),
        simulated=asked.simulated(answers),
        period=_period(answers),
        papers=[paper for paper in papers() if any(one.paper == paper.number for one in numbers().values())],
        photojury=photojury.__version__,
        versions=versions(),
        **all_sections(Source(answers, thumbnails)),
    )


def _write_tables(answers: Answers, folder: Path) -> Iterator[Path]:
    for name, table in tables(answers):
        rows = json.loads(table.to_json(orient="records", double_precision=12))
        for path, text in (
            (folder / f"{name}.csv", table.to_csv(index=False)),
            (folder / f"{name}.json", json.dumps(rows, indent=1) + "\n"),
        ):
            write_atomically(path, text.encode())
            yield path


def _scale(answers: Answers) -> tuple[float, float] | None:
    try:
        return answers.scale
    except InputError:
        return None


def _period(answers: Answers) -> str:
    """First to last day (UTC) on which an answer came."""
    if "submitted_at" not in answers.assignments:
        return ""
    times = answers.assignments["submitted_at"].astype(float).dropna()
    if times.empty:
        return ""
    first, last = (
        datetime.fromtimestamp(time, UTC).date().isoformat() for time in (times.min(), times.max())
    )
    return first if first == last else f"{first} to {last}"
