"""`photojury annotate pause | resume | extend | close`: HITs that are out stay in the requester's hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.errors import Refused
from photojury.options import json_option, study_option, tell, yes_option

if TYPE_CHECKING:
    from photojury.annotate.control import Controlled
    from photojury.annotate.requester import Requester
    from photojury.datasets.store import Study
    from photojury.runs import Run

_BATCH = click.option("--batch", help="Only this batch, as `annotate status` names it.")


@click.command(epilog="Example: photojury annotate pause --batch stars-1 --study demo-study")
@_BATCH
@study_option
@json_option
def pause(batch: str | None, folder: Path, as_json: bool) -> None:
    """Let nobody new accept the published HITs; `annotate resume` offers them again."""
    from photojury.annotate.control import pause as pause_hits

    with _out(folder, "annotate-pause") as (run, study, requester, progress):
        done = pause_hits(study, requester, batch, progress)
        _note(run, done)
    tell(as_json, done, f"paused {done.hits} HITs{_still(done)}")


@click.command(epilog="Example: photojury annotate resume --batch stars-1 --study demo-study")
@_BATCH
@study_option
@json_option
def resume(batch: str | None, folder: Path, as_json: bool) -> None:
    """Offer paused HITs again, and those whose time is over, for another market.lifetime_hours."""
    from photojury.annotate.control import resume as resume_hits

    with _out(folder, "annotate-resume") as (run, study, requester, progress):
        done = resume_hits(study, requester, batch, progress)
        _note(run, done)
    tell(as_json, done, f"offered {done.hits} HITs again")


@click.command(epilog="Example: photojury annotate close --batch stars-1 --wait 10 --study demo-study")
@_BATCH
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=0.0,
    metavar="MINUTES",
    help="Wait so long, at most, for those who have a HIT in hand.",
)
@study_option
@json_option
def close(batch: str | None, wait: float, folder: Path, as_json: bool) -> None:
    """Let nobody accept the HITs ever again; a `fetch` then brings in the last answers."""
    from photojury.annotate.control import close as close_hits

    with _out(folder, "annotate-close") as (run, study, requester, progress):
        done = close_hits(study, requester, batch, wait=60 * wait, progress=progress)
        _note(run, done)
    then = "then" if done.in_hand else "for the last answers"
    tell(as_json, done, f"ended {done.hits} HITs{_still(done)}; {then}: photojury annotate fetch")


@click.command(epilog="Example: photojury annotate extend --by 2 --batch stars-1 --yes --study demo-study")
@click.option("--by", type=click.IntRange(1), required=True, help="How many more raters for each HIT.")
@_BATCH
@yes_option
@study_option
@json_option
def extend(by: int, batch: str | None, yes: bool, folder: Path, as_json: bool) -> None:
    """Offer the published HITs to more raters, exactly once; after a crash, run it again."""
    from photojury.annotate.extend import extend as extend_hits
    from photojury.annotate.extend import extendable
    from photojury.annotate.money.quote import quote
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study

    study = open_study(folder)
    hits = extendable(study, connect(study.settings), by, batch)
    if hits:
        offer = quote(study, hits, by)
        offer.warn()
        if not yes:
            click.echo("\n".join(offer.lines()), err=True)
            raise Refused(
                f"extending {len(hits)} HITs by {by} will cost up to {offer.cost}; say so with --yes"
            )
    study.close()
    with _out(folder, "annotate-extend") as (run, study, requester, progress):
        done = extend_hits(study, requester, by, batch, progress)
        run.note("hits", done.hits)
        run.note("begun_before", done.begun_before)
    text = f"extended {done.hits} HITs by {by}"
    if done.begun_before:
        text = (
            f"finished the extension of {done.hits} HITs that was interrupted; "
            "if more raters are wanted beyond that, run this again"
        )
    tell(as_json, done, text)


@contextmanager
def _out(folder: Path, command: str) -> "Iterator[tuple[Run, Study, Requester, Callable[[int], None]]]":
    """A recorded command on a study's HITs: the record, the study, its marketplace, and a counter of HITs."""
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, command) as run, counter("HITs") as progress:
        yield run, study, connect(study.settings), progress
    study.close()


def _note(run: "Run", done: "Controlled") -> None:
    run.note("hits", done.hits)
    run.note("in_hand", done.in_hand)


def _still(done: "Controlled") -> str:
    return f"; {done.in_hand} assignments are still in somebody's hand" if done.in_hand else ""
