"""The report of collecting: what was offered, what was thrown away and why, as HTML, and as JSON for programs.

Takes in a study; gives out reports/collect.html, one file that needs no server, no network and no script, and
reports/collect.json with the same numbers.

    >>> write(study)                                    # doctest: +SKIP
    Written(html=PosixPath('.../reports/collect.html'), json=..., facts={...})
"""

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import sqlalchemy as sa
from markupsafe import Markup

import photojury
from photojury import analysis
from photojury.analysis import observed, wording
from photojury.analysis.observed import Observed
from photojury.analysis.sections import popular
from photojury.analysis.sections.source import Context
from photojury.collect.funnel import funnel as funnel_module
from photojury.collect.funnel.asked import in_words, parsed
from photojury.collect.funnel.funnel import Funnel
from photojury.collect.funnel.sheets import Sheet, sheets
from photojury.collect.funnel.tally import FATES, Tally
from photojury.datasets import tables
from photojury.datasets.images import write_atomically
from photojury.datasets.papers import papers
from photojury.datasets.store import Study
from photojury.errors import InputError
from photojury.runs import versions

NAME = "collect"

MOST_QUERIES = 100
"""Queries in the page; the JSON file has all."""

Facts = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """The files that were written, and what the JSON file says."""

    html: Path
    json: Path
    facts: Facts


@dataclass(frozen=True)
class Seen:
    """What the report is made of; `popularity` is None where there are no counters."""

    funnel: Funnel
    unjudged: int
    popularity: Observed | None


@dataclass(frozen=True)
class Step:
    """One step of the way down: how many pictures are left, of how many before it, and what the step took."""

    label: str
    count: int
    before: int
    took: str


def write(study: Study, *, thumbnails: bool = True) -> Written:
    """Write both files.

    Args:
        study: the open study.
        thumbnails: show contact sheets of kept and rejected pictures (about 1 MB at most, inside the file).
    """
    folder = study.folder / "reports"
    seen = look(study)
    html, data = folder / f"{NAME}.html", folder / f"{NAME}.json"
    write_atomically(html, render(study, seen, sheets(study) if thumbnails else []).encode())
    found = facts(study, seen)
    write_atomically(data, (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode())
    return Written(html, data, found)


def look(study: Study) -> Seen:
    """Count a study's candidates, score its pictures where there are counters, and see what is left to judge."""
    try:
        popularity = observed.observe(study)
    except InputError:
        popularity = None
    return Seen(funnel_module.count(study), unjudged(study), popularity)


def facts(study: Study, seen: Seen) -> Facts:
    """The numbers as plain values: `total` and `sources` by fate, `queries`, `losses`, `licenses`, `popularity`."""
    funnel = seen.funnel
    return {
        "study": study.settings.study.name,
        "photojury": photojury.__version__,
        "total": _plain(funnel.total),
        "images_kept": funnel.kept,
        "unjudged": seen.unjudged,
        "retry_at": funnel.retry_at,
        "sources": {name: _plain(tally) for name, tally in funnel.sources.items()},
        "queries": [
            {**dataclasses.asdict(line), "query": parsed(line.query), "tally": _plain(line.tally)}
            for line in funnel.queries
        ],
        "losses": [dataclasses.asdict(line) for line in funnel.losses],
        "licenses": [dataclasses.asdict(line) for line in funnel.licenses],
        "popularity": observed.facts(seen.popularity) if seen.popularity else None,
    }


def render(study: Study, seen: Seen, contact: list[Sheet]) -> str:
    """The page. The same store gives the same text: no clock is read."""
    funnel = seen.funnel
    folders = (Path(__file__).parents[1] / "templates", Path(str(analysis.__file__)).parent / "templates")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"svg": Markup, "whole": wording.whole, "words": in_words, "rule": _rule}
    return environment.get_template("collect_report.html").render(
        name=study.settings.study.name,
        period=_period(study),
        photojury=photojury.__version__,
        versions=versions(),
        settings=study.settings,
        funnel=funnel,
        fates=FATES,
        steps=steps(funnel.total),
        next=_next(seen),
        queries=funnel.queries[:MOST_QUERIES],
        popularity=_popularity(seen.popularity),
        losses=[(fate, [line for line in funnel.losses if line.fate == fate]) for fate in FATES],
        sheets=contact,
        share=lambda part, whole: wording.share(part / whole if whole else None),
        papers=[paper for paper in papers() if paper.number == 2],
    )


def steps(total: Tally) -> list[Step]:
    """The way down from what sources offered to what is kept; each begins with what the one before left."""
    fates = total.fates
    looked_at = total.downloaded
    usable = looked_at - (fates["unusable"] - total.without_file)
    not_here = {name: fates[name] for name in ("waiting", "failed", "given_up", "gone", "barred")}
    not_here["without a file to download"] = total.without_file
    return [
        Step("offered", total.rows, total.rows, ""),
        Step("different pictures", total.unique, total.rows, _took({"repeats": total.rows - total.unique})),
        Step("downloaded", looked_at, total.unique, _took(not_here)),
        Step("fit to be shown", usable, looked_at, _took({"unusable": looked_at - usable})),
        Step("stored", total.stored, usable, _took({"duplicate": fates["duplicate"]})),
        Step(
            "kept",
            fates["kept"],
            total.stored,
            _took({name: fates[name] for name in ("rejected", "tombstoned")}),
        ),
    ]


def unjudged(study: Study) -> int:
    """Kept images that no check has judged yet."""
    images, checks = tables.images, tables.checks
    judged = sa.exists().where(checks.c.image_id == images.c.image_id, checks.c.verdict != "unjudged")
    query = sa.select(sa.func.count().label("count")).where(images.c.status == "kept", ~judged)
    return int(study.rows(query)[0]["count"])


def _plain(tally: Tally) -> Facts:
    return {
        "rows": tally.rows,
        "unique": tally.unique,
        "downloaded": tally.downloaded,
        "stored": tally.stored,
        **tally.fates,
    }


def _popularity(found: Observed | None) -> Context | None:
    try:
        return popular.popularity(found) if found else None
    except InputError:  # counters there are, but of no picture that is kept
        return None


def _next(seen: Seen) -> list[tuple[str, str]]:
    """What is left to do: a sentence, and the command to type."""
    funnel, fates = seen.funnel, seen.funnel.total.fates
    left = []
    if slices := sum(line.slices.get("open", 0) for line in funnel.queries):
        text = f"{wording.plural(slices, 'slice')} of a search not asked to the end"
        left.append((text, "the same search again"))
    if fates["waiting"]:
        text = f"{wording.plural(fates['waiting'], 'picture')} not downloaded yet"
        left.append((text, "photojury collect download"))
    if fates["failed"] and funnel.retry_at:
        when = datetime.fromtimestamp(funnel.retry_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        text = f"{wording.plural(fates['failed'], 'download')} failed, the first to be tried again at {when}"
        left.append((text, "photojury collect download"))
    if seen.unjudged:
        text = f"{wording.plural(seen.unjudged, 'kept picture')} not judged by any check"
        left.append((text, "photojury collect check"))
    return left


def _took(losses: dict[str, int]) -> str:
    return "; ".join(f"{number:,} {FATES.get(name, name)}" for name, number in losses.items() if number)


def _rule(name: str) -> str:
    return name.replace("_", " ") or "no rule noted"


def _period(study: Study) -> str:
    """First to last day (UTC) on which something was offered."""
    seen = tables.candidates.c.seen_at
    row = study.rows(sa.select(sa.func.min(seen).label("first"), sa.func.max(seen).label("last")))[0]
    if row["first"] is None:
        return ""
    first, last = (datetime.fromtimestamp(row[name], UTC).date().isoformat() for name in ("first", "last"))
    return first if first == last else f"{first} to {last}"
