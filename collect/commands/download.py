"""`photojury collect download`: candidates become images."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.options import json_option, study_option

if TYPE_CHECKING:
    from photojury.collect.download.download import Downloaded


@click.command(epilog="Example: photojury collect download --limit 100 --study demo-study")
@click.option("--source", help="Only what this source found: flickr, openverse, urls, ...")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many candidates.")
@click.option("--retry-now", is_flag=True, help="Try at once what failed, also what was given up.")
@study_option
@json_option
def download(source: str | None, limit: int | None, retry_now: bool, folder: Path, as_json: bool) -> None:
    """Download what was found.

    Hosts are asked slowly (see [download] in study.toml) and left alone when they ask for it. What fails is
    noted with its reason and tried again later: while the exit status is 3, run the same command again, when
    it says. Ctrl-C loses nothing. Several machines may work on one study.
    """
    from photojury.collect.download.download import download as run_download
    from photojury.collect.download.queue import waiting
    from photojury.datasets.store import open_study
    from photojury.options import tell
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    _check_source(source)
    with recording(study, "collect-download") as run:
        with counter(
            "downloading", total=None if retry_now else _least(waiting(study, source), limit)
        ) as progress:
            result = run_download(study, source=source, limit=limit, retry_now=retry_now, progress=progress)
        run.note("outcomes", result.outcomes)
    tell(as_json, result, _text(result))
    _say_what_is_left(result)


def _check_source(source: str | None) -> None:
    from photojury.collect.sources.source import SOURCES
    from photojury.errors import unknown_name

    if source is not None and source not in SOURCES:
        raise unknown_name("source", source, SOURCES)


def _least(number: int, limit: int | None) -> int:
    return number if limit is None else min(number, limit)


def _text(result: "Downloaded") -> str:
    """A line for every state and rule."""
    lines = []
    for state, rules in sorted(result.outcomes.items()):
        lines.append(f"{sum(rules.values()):>8,} {state}")
        lines += [f"{count:>12,} {rule}" for rule, count in sorted(rules.items()) if rule]
    for count, words in (
        (result.waiting, "failed, to be tried again"),
        (result.given_up, "failed at every try; --retry-now tries them once more"),
        (result.found, "not tried yet"),
        (result.held, "being downloaded by other processes"),
    ):
        if count:
            lines.append(f"{count:>8,} {words}")
    return "\n".join(lines) or "nothing to download"


def _say_what_is_left(result: "Downloaded") -> None:
    """Leave with exit status 3 where a later run would bring more, and say when."""
    from datetime import datetime

    from photojury.errors import Unfinished

    if result.again_at is not None:
        when = datetime.fromtimestamp(result.again_at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        left = result.waiting + (result.found if result.resting else 0)
        raise Unfinished(f"{left} wait for another try; run the same command again after {when}")
