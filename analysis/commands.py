"""`photojury analyze`: what the answers are worth, as a report or one table at a time."""

from pathlib import Path

import click

from photojury.options import json_option, study_option

TABLES = {
    "counts": "What was asked and answered, task by task.",
    "payments": "What was paid and is due.",
    "distributions": "Ratings of each image: counts, mean, deviation.",
    "deviations": "Mean deviation of both kinds of rating, beside paper 1's.",
    "confusion": "Stars against pairwise ratings (paper 1, Table 1).",
    "consistency": "Agreement of the raters within each HIT.",
    "forced-choice": "Forced choices against scores (paper 2, Table 2).",
    "scores": "Mean opinion scores, also written to the study.",
}


@click.group(invoke_without_command=True, epilog="Example: photojury analyze --study demo-study")
@study_option
@json_option
@click.pass_context
def analyze(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Report what the answers are worth: the whole report, or one TABLE.

    Without a command, the report is written to reports/index.html in the study.
    """
    # `analyze --study X TABLE` means the same as `analyze TABLE --study X`.
    ctx.default_map = {name: {"folder": folder, "as_json": as_json} for name in analyze.commands}
    if ctx.invoked_subcommand is None:
        ctx.invoke(report, folder=folder, out=None, thumbnails=True, as_json=as_json)


@analyze.command(epilog="Example: photojury analyze report --study demo-study")
@study_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option(
    "--thumbnails/--no-thumbnails", default=True, help="Show the best, worst and most divisive images."
)
@json_option
def report(folder: Path, out: Path | None, thumbnails: bool, as_json: bool) -> None:
    """Write the report: one HTML file that needs no server."""
    from photojury.analysis import report as report_module
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "analyze-report") as run:
        path = report_module.write(study, out=out, thumbnails=thumbnails)
        run.wrote(path)
    if as_json:
        import json

        click.echo(json.dumps({"report": str(path)}))
        return
    click.echo(f"wrote {path}")


@analyze.command(epilog="Example: photojury analyze popularity --study demo-study")
@study_option
@click.option(
    "--form",
    type=click.Choice(["smoothed", "paper", "age"]),
    default="smoothed",
    show_default=True,
    help="smoothed: log(F+1)/log(V+1); paper: log F/log V; age: smoothed, as if all were of one age.",
)
@click.option(
    "--of",
    type=click.Choice(["kept", "found"]),
    default="kept",
    show_default=True,
    help="The kept pictures, or all that the sources offered.",
)
@click.option("--keep", is_flag=True, help="Put the scores into the study, for pairs and triplets.")
@json_option
def popularity(folder: Path, form: str, of: str, keep: bool, as_json: bool) -> None:
    """Score pictures by views and favourites: S(i) of paper 2.

    Each picture counts with its newest counters. The text shows the highest and the lowest scores; --json has
    all of them.
    """
    from photojury.analysis import observed
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    found = observed.observe(study, form=form, of=of)
    facts = observed.facts(found)
    if keep:
        with recording(study, "analyze-popularity") as run:
            facts["saved"] = observed.keep(study, found)
            run.note("images", facts["saved"])
    if as_json:
        import json

        rows = json.loads(found.table.to_json(orient="records", double_precision=12))
        click.echo(json.dumps({**facts, "rows": rows}, indent=2))
        return
    click.echo(observed.text(found))
    if keep:
        click.echo(f"{facts['saved']} scores are in the study as {facts['method']}.")


def _table_command(name: str, line: str) -> click.Command:
    @click.command(name, help=line, epilog=f"Example: photojury analyze {name} --study demo-study")
    @study_option
    @json_option
    def command(folder: Path, as_json: bool) -> None:
        _show(name, folder, as_json)

    return command


def _show(name: str, folder: Path, as_json: bool) -> None:
    from photojury.analysis import findings
    from photojury.analysis.answers import of_study
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    answers = of_study(study)
    if name == "scores":
        with recording(study, "analyze-scores") as run:
            table = findings.save_scores(study)
            run.note("images", len(table))
    else:
        table = findings.table(name, answers, study.settings)
    share = answers.simulated_share()
    if as_json:
        import json
        import math

        rows = json.loads(table.to_json(orient="records", double_precision=12))
        known = None if math.isnan(share) else share
        click.echo(
            json.dumps({"table": name, "simulated_share": known, "n": len(rows), "rows": rows}, indent=2)
        )
        return
    click.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4g}", na_rep="-"))
    if share > 0:
        click.echo(f"\n{share:.1%} of the study's answers were given by simulated raters.")


for _name, _line in TABLES.items():
    analyze.add_command(_table_command(_name, _line))
