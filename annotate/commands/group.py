"""`photojury annotate`: questions go out, answers come in."""

from pathlib import Path

import click

from photojury.annotate.commands import bonuses as bonus_commands
from photojury.annotate.commands import control as control_commands
from photojury.annotate.commands import gold as gold_commands
from photojury.annotate.commands import hosting as hosting_commands
from photojury.annotate.commands import mturk as mturk_csv_commands
from photojury.annotate.commands import pilot as pilot_commands
from photojury.annotate.commands import raters as rater_commands
from photojury.annotate.recruit.commands import prolific
from photojury.options import confirm, json_option, study_option, tell, yes_option

_TASK = click.argument("task", metavar="TASK")
_BATCH = click.option("--batch", help="Only this batch, as `annotate status` names it.")


@click.group()
def annotate() -> None:
    """Plan, publish, fetch, review and pay for ratings.

    TASK is stars (1 to n stars or points on one picture), attributes (an overall rating and eleven attributes),
    five_level (which of two is better, and by how much), forced_choice (one of two must be chosen), series (which
    photo of a series to keep) or custom (your own HTML page).
    """


@annotate.command(epilog="Example: photojury annotate plan stars --dry-run --study demo-study")
@_TASK
@click.option("--again", is_flag=True, help="Plan a further batch although all is planned.")
@click.option("--dry-run", is_flag=True, help="Say what it would be and cost; write nothing.")
@study_option
@json_option
def plan(task: str, again: bool, dry_run: bool, folder: Path, as_json: bool) -> None:
    """Put the study's pictures, or pairs of them, into HITs of TASK."""
    from photojury.annotate.batches import plan as plan_batch
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    if dry_run:
        batch = plan_batch(study, task, again=again, keep=False)
    else:
        with recording(study, "annotate-plan") as run:
            batch = plan_batch(study, task, again=again)
            run.note("batch", batch.name)
    facts = {"batch": batch.name, "units": batch.units, "hits": batch.hits, "assignments": batch.assignments}
    facts |= {"reward_cents": batch.cost.rewards, "fee_cents": batch.cost.fees, "repeats": batch.repeats}
    again_too = f", {batch.repeats} of them twice," if batch.repeats else ""
    tell(
        as_json,
        facts,
        f"{'would plan' if dry_run else 'planned'} {batch.name}: {batch.units} questions{again_too} in {batch.hits} HITs, "
        f"{batch.assignments} assignments, {batch.cost}",
    )


@annotate.command(epilog="Example: photojury annotate preview stars --study demo-study")
@_TASK
@study_option
def preview(task: str, folder: Path) -> None:
    """Write the page of TASK's first planned HIT, to be tried in a browser; nothing is sent."""
    from photojury.annotate.preview import write_preview
    from photojury.datasets.store import open_study

    click.echo(write_preview(open_study(folder), task))


@annotate.command(epilog="Example: photojury annotate publish --yes --study demo-study")
@_BATCH
@yes_option
@click.option("--dry-run", is_flag=True, help="Say what it would cost; publish nothing.")
@study_option
@json_option
def publish(batch: str | None, yes: bool, dry_run: bool, folder: Path, as_json: bool) -> None:
    """Make the planned HITs at the marketplace, each exactly once; after a crash, run it again."""
    from photojury.annotate import publish as publishing
    from photojury.annotate.money.budget import check_budget
    from photojury.annotate.money.quote import quote
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    hits = publishing.waiting(study, batch)
    offer = quote(study, hits)
    if dry_run:
        tell(as_json, offer.facts(), "\n".join(["would publish", *offer.lines()]))
        check_budget(study, publishing.cost_of_new(study, hits))
    offer.warn()
    if dry_run:
        return
    if hits and not yes:
        click.echo("\n".join(offer.lines()), err=True)
        confirm(yes, f"publishing {len(hits)} HITs will cost up to {offer.cost}")
    with recording(study, "annotate-publish") as run:
        with counter("publishing HITs", len(hits)) as progress:
            done = publishing.publish(study, connect(study.settings), batch, progress)
        run.note("new", done.new)
        run.note("found", done.found)
    text = f"published {done.new} HITs"
    if done.found:
        text += f", found {done.found} of an earlier run"
    tell(as_json, {"new": done.new, "found": done.found, "batches": done.batches}, text)


@annotate.command(epilog="Example: photojury annotate status --study demo-study")
@study_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """How far each batch is, what was spent, and what to do next."""
    import dataclasses

    from photojury.analysis.progress import status as read_status
    from photojury.datasets.store import open_study

    now = read_status(open_study(folder))
    lines = [
        f"{'batch':20} {'questions':>9} {'HITs':>6} {'published':>9} {'answers':>13} {'approved':>8} {'median':>7} {'wage':>9}"
    ]
    for row in now.batches:
        median = "-" if row.median_active_seconds is None else f"{row.median_active_seconds:.0f} s"
        wage = "-" if row.hourly_cents is None else f"${row.hourly_cents / 100:.2f}/h"
        lines.append(
            f"{row.batch:20} {row.units:9} {row.hits:6} {row.published:9} "
            f"{f'{row.submitted} of {row.wanted}':>13} {row.approved:8} {median:>7} {wage:>9}"
        )
    lines.append(
        f"{now.raters} raters, {now.judged} of them with a verdict, {now.excluded} excluded; "
        f"promised ${now.promised_cents / 100:.2f}/h"
    )
    lines += [f"spent {now.spent}; still to come, at most {now.to_come}", f"next: {now.next_step}"]
    tell(as_json, dataclasses.asdict(now), "\n".join(lines))


@annotate.command(epilog="Example: photojury annotate fetch --study demo-study")
@study_option
@json_option
def fetch(folder: Path, as_json: bool) -> None:
    """Bring in what raters submitted; run it as often as you like."""
    import dataclasses

    from photojury.annotate.fetch import fetch as fetch_answers
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "annotate-fetch") as run:
        with counter("asking for answers") as progress:
            came = fetch_answers(study, connect(study.settings), progress)
        facts = dataclasses.asdict(came)
        for key, value in facts.items():
            run.note(key, value)
    for name, problem in came.problems:
        click.echo(f"{name}: {problem}", err=True)
    text = (
        f"{came.assignments} new assignments: {came.ratings} ratings, {came.comparisons} comparisons; "
        f"{came.open_assignments} assignments are still open"
    )
    if came.problems:
        text += f"; {len(came.problems)} things could not be used"
    tell(as_json, facts, text)


@annotate.command(epilog="Example: photojury annotate review --yes --study demo-study")
@yes_option
@study_option
@json_option
def review(yes: bool, folder: Path, as_json: bool) -> None:
    """Approve and pay every submitted assignment, and mark the answers that are not to be used.

    Nobody is rejected: paying and using are two decisions, and this command says which answers it leaves out
    and why.
    """
    from photojury.annotate.money.review import review as review_assignments
    from photojury.annotate.requester import connect
    from photojury.datasets.money import cost_of_unreviewed
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    waiting, cost = cost_of_unreviewed(study)
    if waiting:
        confirm(yes, f"approving {waiting} assignments will pay {cost}")
    with recording(study, "annotate-review") as run:
        with counter("approving", waiting) as progress:
            done = review_assignments(study, connect(study.settings), progress)
        run.note("approved", done.approved)
        run.note("reasons", done.reasons)
    facts = {
        "approved": done.approved,
        "reward_cents": done.paid.rewards,
        "fee_cents": done.paid.fees,
        "unused": done.unused,
        "reasons": done.reasons,
    }
    for reason, count in done.reasons.items():
        click.echo(f"not used, {count} assignments: {reason}", err=True)
    text = f"approved {done.approved} assignments, paid {done.paid}"
    if done.unused:
        text += f"; the answers of {done.unused} assignments in the study are not used"
    tell(as_json, facts, text)


@annotate.command(epilog="Example: photojury annotate simulate --raters 12 --study demo-study")
@click.option(
    "--raters", type=click.IntRange(1, 1000), default=12, show_default=True, help="How many people."
)
@click.option(
    "--careless", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share who do not look."
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A CSV with image_id and quality (standard deviations); drawn from the seed if left out.",
)
@click.option("--url", help="The worker site; the study's local marketplace if left out.")
@study_option
@json_option
def simulate(
    raters: int, careless: float, truth: Path | None, url: str | None, folder: Path, as_json: bool
) -> None:
    """Let simulated raters do the open HITs, over HTTP, as a browser would; all they do is marked simulated."""
    import dataclasses

    from photojury.annotate.requester import connect
    from photojury.annotate.simulation import simulate as simulation
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    seed = study.settings.study.seed
    quality = simulation.read_truth(study, truth) if truth else simulation.drawn_truth(study)
    panel = simulation.panel(raters, seed=seed, careless=careless)
    with recording(study, "annotate-simulate") as run:
        site = url or connect(study.settings).endpoint
        with counter("assignments by simulated raters") as progress:
            done = simulation.simulate(site, panel, quality, seed=seed, progress=progress)
        run.note("assignments", done.assignments)
    tell(
        as_json,
        dataclasses.asdict(done),
        f"{done.raters} simulated raters submitted {done.assignments} assignments with {done.answers} answers",
    )


for command in (
    control_commands.pause,
    control_commands.resume,
    control_commands.extend,
    control_commands.close,
    bonus_commands.bonus,
    bonus_commands.top_up,
    hosting_commands.host,
    mturk_csv_commands.export_csv,
    mturk_csv_commands.import_csv,
    mturk_csv_commands.review_csv,
    gold_commands.gold,
    pilot_commands.pilot,
    prolific,
    rater_commands.reject,
    rater_commands.unreject,
    rater_commands.exclude,
    rater_commands.include,
    rater_commands.exclusions,
):
    annotate.add_command(command)
