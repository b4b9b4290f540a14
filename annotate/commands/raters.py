"""`photojury annotate reject | unreject | exclude | include | exclusions`: what is done about single raters."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.errors import InputError, Refused
from photojury.options import json_option, study_option, tell, yes_option

if TYPE_CHECKING:
    from photojury.annotate.money.rejecting import Sample

_RATERS = click.option("--rater", "raters", multiple=True, help="A rater's id; may be given again.")
_ASSIGNMENTS = click.option("--assignment", "names", multiple=True, help="An assignment; may be given again.")


@click.command(
    epilog="Example: photojury annotate reject --rater 5f0c2d91ab34ef56 --feedback 'A script gave these "
    "answers.' --study demo-study"
)
@_ASSIGNMENTS
@click.option("--rater", help="All work of this rater that is not paid yet.")
@click.option("--feedback", required=True, help="What the rater is told.")
@click.option("--reason", default="fraud", show_default=True, help="For the study's own books.")
@yes_option
@study_option
@json_option
def reject(
    names: tuple[str, ...],
    rater: str | None,
    feedback: str,
    reason: str,
    yes: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Refuse to pay for proven fraud; it can be undone for 30 days.

    Bad work is no fraud: `annotate review` pays it and leaves it out. A rejection costs a worker about a hundred
    approvals, so the answers are shown first, and no more than budget.max_rejected of a batch can ever be
    rejected.
    """
    from photojury.annotate.money import rejecting
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    rejecting.settle_open(study, connect(study.settings))
    found = rejecting.find(study, names, rater)
    for sample in rejecting.samples(study, found):
        click.echo(_described(sample), err=True)
    with recording(study, "annotate-reject") as run:
        done = rejecting.reject(
            study, connect(study.settings), found, reason=reason, feedback=feedback, confirmed=yes
        )
        run.note("rejected", done.rejected)
    parts = ", ".join(f"{count} of {batch} by now" for batch, count in done.batches.items())
    tell(as_json, dataclasses.asdict(done), f"rejected {done.rejected} assignments ({parts})")


@click.command(epilog="Example: photojury annotate unreject --assignment 3ABC --yes --study demo-study")
@_ASSIGNMENTS
@yes_option
@study_option
@json_option
def unreject(names: tuple[str, ...], yes: bool, folder: Path, as_json: bool) -> None:
    """Approve and pay rejected assignments after all, within 30 days of their coming in."""
    from photojury.annotate.money.rejecting import unreject as undo
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    if not names:
        raise InputError("name what to pay after all: --assignment ID")
    if not yes:
        raise Refused(f"this approves and pays {len(names)} assignments; say so with --yes")
    study = open_study(folder)
    with recording(study, "annotate-unreject") as run:
        done = undo(study, connect(study.settings), names)
        run.note("approved", done)
    tell(as_json, {"approved": done}, f"approved and paid {done} assignments after all")


@click.command(epilog="Example: photojury annotate exclude --failed --days 7 --study demo-study")
@_RATERS
@click.option("--failed", is_flag=True, help="All raters with a verdict of the last review.")
@click.option("--expired", is_flag=True, help="Only end the exclusions whose time is over.")
@click.option("--days", type=click.FloatRange(0, min_open=True), help="For so long; for good if left out.")
@click.option("--reason", default="screening", show_default=True, help="For the study's own books.")
@study_option
@json_option
def exclude(
    raters: tuple[str, ...],
    failed: bool,
    expired: bool,
    days: float | None,
    reason: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Offer some raters no more HITs of this study, by a qualification at the marketplace.

    What they did stays paid, nobody is told, and no account is blocked. A term given with --days ends by itself,
    at the next review.
    """
    from photojury.annotate.quality import exclusions
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    chosen = sorted({*raters, *(exclusions.failed(study) if failed else [])})
    if not chosen and not expired and not failed:
        raise InputError("name whom to exclude: --rater ID, --failed, or --expired to end what is over")
    with recording(study, "annotate-exclude") as run:
        if chosen:
            exclusions.exclude(study, chosen, reason=reason, days=days)
        done = exclusions.enforce(study, connect(study.settings))
        run.note("excluded", len(chosen))
    text = f"excluded {len(chosen)} raters; at the marketplace {done.excluded} were shut out and {done.released} let in again"
    if done.unguarded:
        text += f"; {done.unguarded} HITs that are out stay open to them, since the marketplace would not change them"
    tell(as_json, {"raters": chosen, **dataclasses.asdict(done)}, text)


@click.command(epilog="Example: photojury annotate include --rater 5f0c2d91ab34ef56 --study demo-study")
@_RATERS
@study_option
@json_option
def include(raters: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """End exclusions before their time."""
    from photojury.annotate.quality import exclusions
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    if not raters:
        raise InputError("name whom to include again: --rater ID")
    study = open_study(folder)
    with recording(study, "annotate-include") as run:
        exclusions.include(study, raters)
        done = exclusions.enforce(study, connect(study.settings))
        run.note("included", len(raters))
    tell(
        as_json, {"raters": list(raters), **dataclasses.asdict(done)}, f"included {len(raters)} raters again"
    )


@click.command(epilog="Example: photojury annotate exclusions --study demo-study")
@study_option
@json_option
def exclusions(folder: Path, as_json: bool) -> None:
    """Show who is excluded, why and until when."""
    import time

    from photojury.annotate.quality.exclusions import listed
    from photojury.datasets.store import open_study

    rows = listed(open_study(folder))
    lines = []
    for row in rows:
        day = (
            "for good"
            if row["until"] is None
            else time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(row["until"]))
        )
        term = day if row["until"] is None else (f"until {day}" if row["active"] else f"ended {day}")
        lines.append(f"{row['rater_id']}  {term:28}  {row['reason']}")
    tell(as_json, rows, "\n".join(lines) or "nobody is excluded")


def _described(sample: "Sample") -> str:
    values = " ".join(f"{value:g}" for value in sample.values) or "none that could be read"
    time = "" if sample.milliseconds is None else f", {sample.milliseconds / 1000:.1f} s for one"
    page = "" if sample.seconds is None else f", {sample.seconds:.0f} s in all"
    lines = [
        f"{sample.assignment_id} of {sample.batch}, rater {sample.rater_id}, {sample.status}{page}{time}",
        f"  answers: {values}",
    ]
    return "\n".join(lines + [f"  {verdict}" for verdict in sample.verdicts])
