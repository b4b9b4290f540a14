"""`photojury annotate export-csv`, `import-csv` and `review-csv`: MTurk's batch results files."""

from pathlib import Path

import click

from photojury.errors import Refused
from photojury.options import json_option, study_option, tell, yes_option

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command(
    "export-csv", epilog="Example: photojury annotate export-csv --batch stars-1 --study demo-study"
)
@click.option("--batch", help="The batch, as `annotate status` names it; may be left out where there is one.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; exports/BATCH.csv if left out."
)
@study_option
@json_option
def export_csv(batch: str | None, out: Path | None, folder: Path, as_json: bool) -> None:
    """Write a batch's answers as MTurk's batch results CSV, a line for each assignment.

    WorkerId holds photojury's rater ids: worker ids leave no export. Cells hold exactly what was answered; a
    spreadsheet program may take one that begins with = for a formula.
    """
    from photojury.annotate.mturk.export import write_results
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "annotate-export-csv") as run:
        path, count = write_results(study, batch, out)
        run.wrote(path)
    tell(as_json, {"file": str(path), "assignments": count}, f"{path}: {count} assignments")


@click.command(
    "import-csv",
    epilog="Example: photojury annotate import-csv Batch_123_batch_results.csv --study demo-study",
)
@_FILE
@click.option(
    "--task",
    default="custom",
    show_default=True,
    help="What its HITs are: custom, or a task that is planned here.",
)
@study_option
@json_option
def import_csv(file: Path, task: str, folder: Path, as_json: bool) -> None:
    """Take MTurk's batch results FILE into the study, as HITs that are done; nothing is taken in twice.

    Answers are kept as they came. With another --task, FILE holds HITs that photojury published elsewhere and
    that this study has planned in the same way; their answers become ratings.
    """
    import dataclasses

    from photojury.annotate.mturk.intake_csv import import_results
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "annotate-import-csv") as run:
        with counter("taking in assignments") as progress:
            came = import_results(study, file, task, progress)
        run.read(file)
        for key, value in dataclasses.asdict(came).items():
            run.note(key, value)
    text = f"{came.assignments} new assignments"
    if came.batch:
        text += f", {came.hits} new HITs ({came.batch})"
    if came.known:
        text += f"; {came.known} were in the study"
    _end(as_json, dataclasses.asdict(came), text, came.problems)


@click.command(
    "review-csv", epilog="Example: photojury annotate review-csv marked.csv --yes --study demo-study"
)
@_FILE
@yes_option
@study_option
@json_option
def review_csv(file: Path, yes: bool, folder: Path, as_json: bool) -> None:
    """Approve and pay the assignments that FILE marks with X in its Approve column.

    FILE is one of export-csv, marked by hand. Rejections are only listed: see photojury annotate reject.
    """
    from photojury.annotate.mturk import marks as reviewing
    from photojury.annotate.requester import connect
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    marks = reviewing.read_marks(file)
    rows, problems = reviewing.payable(study, marks)
    cost = reviewing.cost_of(study, rows)
    if rows and not yes:
        raise Refused(f"approving {len(rows)} assignments will pay {cost}; say so with --yes")
    if rows:
        with recording(study, "annotate-review-csv") as run:
            with counter("approving", len(rows)) as progress:
                reviewing.approve(study, connect(study.settings), rows, progress)
            run.read(file)
            run.note("approved", len(rows))
    for name in marks.reject:
        click.echo(
            f"not rejected: {name}; look at it with: photojury annotate reject --assignment {name}", err=True
        )
    facts = {
        "approved": len(rows),
        "reward_cents": cost.rewards,
        "fee_cents": cost.fees,
        "reject": marks.reject,
        "problems": [*marks.problems, *problems],
    }
    text = f"approved {len(rows)} assignments, paid {cost}"
    if marks.reject:
        text += f"; {len(marks.reject)} are marked for rejection, which no file does"
    _end(as_json, facts, text, [*marks.problems, *problems])


def _end(as_json: bool, facts: object, text: str, problems: list[str]) -> None:
    """Say what was done, what was not, and leave with 3 where something was not."""
    for problem in problems:
        click.echo(problem, err=True)
    tell(as_json, facts, text + (f"; {len(problems)} things could not be used" if problems else ""))
    if problems:
        click.get_current_context().exit(3)
