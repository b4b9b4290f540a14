"""`photojury annotate pilot`: what a task would cost and how well it would do, without people."""

from pathlib import Path

import click

from photojury.options import json_option, study_option


@click.command(epilog="Example: photojury annotate pilot stars --runs 2 --study demo-study")
@click.argument("task", metavar="TASK")
@click.option(
    "--raters",
    default="3,5,10,15,20",
    show_default=True,
    help="Numbers of different people a question, separated by commas.",
)
@click.option(
    "--careless", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share who do not look."
)
@click.option("--runs", type=click.IntRange(1, 100), default=5, show_default=True, help="Repetitions.")
@study_option
@json_option
def pilot(task: str, raters: str, careless: float, runs: int, folder: Path, as_json: bool) -> None:
    """Simulate TASK with several numbers of raters and pairs: cost, time, expected precision of the scores.

    Prints a table and writes it, with a plot, below reports/.
    """
    from photojury.annotate.simulation.pilot import SHARES, write_page
    from photojury.annotate.simulation.pilot import pilot as run_pilot
    from photojury.annotate.tasks.kind import kind
    from photojury.datasets.images import write_atomically
    from photojury.datasets.store import open_study
    from photojury.errors import InputError
    from photojury.progress import counter
    from photojury.runs import recording

    try:
        numbers = sorted({int(part) for part in raters.split(",")})
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 1:
        raise InputError(f"--raters {raters!r} must be whole numbers from 1 on, like 3,5,10")
    study = open_study(folder)
    combinations = len(numbers) * (len(SHARES) if kind(task).pictures == 2 else 1)
    with recording(study, "annotate-pilot") as run:
        with counter("combinations simulated", combinations) as progress:
            table = run_pilot(study, task, raters=numbers, careless=careless, runs=runs, progress=progress)
        name = kind(task).name
        target = study.folder / "reports" / f"pilot-{name}.csv"
        target.parent.mkdir(exist_ok=True)
        table.to_csv(target, index=False)
        page = target.with_suffix(".html")
        write_atomically(page, write_page(table, study.settings, careless=careless, runs=runs).encode())
        run.wrote(target)
        run.wrote(page)
    if as_json:
        click.echo(table.to_json(orient="records"))
        return
    click.echo(
        f"{'raters':>6} {'questions':>9} {'cost':>10} {'work':>8} {'a HIT':>8} {'wage':>9} {'Spearman':>16}"
    )
    for row in table.to_dict("records"):
        click.echo(
            f"{row['raters']:6} {row['questions']:9} ${row['cost_cents'] / 100:9,.2f} {row['work_hours']:6.1f} h "
            f"{row['minutes_per_hit']:4.1f} min ${row['wage_cents'] / 100:6.2f}/h "
            f"{row['spearman']:8.3f} ± {row['spearman_sd']:.3f}"
        )
    click.echo(f"{target}\n{page}")
