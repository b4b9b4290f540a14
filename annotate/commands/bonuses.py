"""`photojury annotate bonus | top-up`: pay on top of the rewards."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.errors import Refused
from photojury.options import json_option, study_option, yes_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photojury.annotate.money.bonuses import Bonus
    from photojury.datasets.store import Study


@click.command(epilog="Example: photojury annotate bonus thanks.csv --yes --study demo-study")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--label", help="What these are for, in a word; the file's name if left out.")
@yes_option
@study_option
@json_option
def bonus(file: Path, label: str | None, yes: bool, folder: Path, as_json: bool) -> None:
    """Pay the bonuses of FILE, a CSV with assignment_id or rater_id, amount_cents and reason.

    The reason is what the rater reads. No assignment gets two bonuses of one label, so the same file may be
    paid again, as after a crash: what was paid is not paid twice.
    """
    import re

    from photojury.annotate.money.bonuses import read_bonuses
    from photojury.datasets.store import open_study

    study = open_study(folder)
    name = label or re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:20].strip("-")
    _pay(study, read_bonuses(study, file, name), yes=yes, as_json=as_json, command="annotate-bonus")


@click.command("top-up", epilog="Example: photojury annotate top-up --yes --study demo-study")
@click.option("--batch", help="Only this batch, as `annotate status` names it.")
@yes_option
@study_option
@json_option
def top_up(batch: str | None, yes: bool, folder: Path, as_json: bool) -> None:
    """Lift approved work to the promised wage (budget.hourly_wage_cents) where its reward was too low.

    What an hour pays is measured: the reward, by the median time with the page in front of those whose answers are
    used. Each approved assignment gets the difference, once.
    """
    from photojury.analysis.progress import wages
    from photojury.annotate.money.wages import top_ups
    from photojury.datasets.money import dollars
    from photojury.datasets.store import open_study

    study = open_study(folder)
    for wage in wages(study):
        if wage.hourly_cents is not None and batch in (None, wage.batch):
            click.echo(
                f"{wage.batch}: {dollars(wage.hourly_cents)} an hour, measured on {wage.measured} assignments "
                f"(median {wage.seconds:.0f} s)",
                err=True,
            )
    _pay(study, top_ups(study, batch), yes=yes, as_json=as_json, command="annotate-top-up")


def _pay(study: "Study", bonuses: "Sequence[Bonus]", *, yes: bool, as_json: bool, command: str) -> None:
    """Say what it costs, and pay it where --yes is given."""
    from photojury.annotate.money.bonuses import cost_of_bonuses, pay_bonuses
    from photojury.annotate.requester import connect
    from photojury.progress import counter
    from photojury.runs import recording

    planned = cost_of_bonuses(study, bonuses)
    if planned.new and not yes:
        raise Refused(f"paying {planned.new} bonuses will cost {planned.cost}; say so with --yes")
    with recording(study, command) as run:
        with counter("paying bonuses", planned.new) as progress:
            done = pay_bonuses(study, connect(study.settings), bonuses, progress) if planned.new else planned
        run.note("new", done.new)
    facts = {
        "new": done.new,
        "known": done.known,
        "bonus_cents": done.cost.rewards,
        "fee_cents": done.cost.fees,
    }
    known = f"; {done.known} were paid earlier" if done.known else ""
    text = f"paid {done.new} bonuses: {done.cost}{known}" if done.new else f"nothing is to be paid{known}"
    click.echo(json.dumps(facts) if as_json else text)
