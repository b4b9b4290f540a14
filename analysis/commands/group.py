"""`photojury analyze`: what the answers are worth, as a report or one table at a time."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.analysis.commands.places import Place, place_options
from photojury.analysis.commands.planning import plan
from photojury.analysis.commands.popularity import popularity
from photojury.options import json_option

if TYPE_CHECKING:
    import pandas as pd

    from photojury.analysis.answers import Answers

TABLES = {
    "counts": "What was asked and answered, task by task.",
    "payments": "What was paid and is due.",
    "left-out": "Which answers do not enter the analysis, and why.",
    "distributions": "Ratings of each image: counts, mean, deviation, who divides people.",
    "deviations": "Mean deviation of both kinds of rating, beside paper 1's.",
    "bins": "Deviations and histograms by bins of the mean (paper 1, Figure 2).",
    "shapes": "Spread by the SOS hypothesis, normality of the means, divided images.",
    "confusion": "Stars against pairwise ratings (paper 1, Table 1).",
    "sweep": "Their agreement over a grid of thresholds.",
    "forced-choice": "Forced choices against scores (paper 2, Table 2).",
    "design": "Whether the graph of comparisons can carry a scale.",
    "sides": "Who prefers the left or the right picture.",
    "consistency": "Agreement of the raters within each HIT.",
    "odd-raters": "The odd rater of each HIT that fails, and whether he is to blame.",
    "variants": "The share of consistent HITs by the test and its variants (paper 4).",
    "power": "What share of HITs such a test would find.",
    "tiers": "Raters against the mean by workload (paper 4, Table 6).",
    "agreement": "Krippendorff's alpha, Fleiss' kappa, ICC, split halves.",
    "raters": "Each rater: time, answers, agreement, bias, gold, repeats, sides.",
    "workload": "How the ratings spread over images, raters and levels.",
    "majorities": "How often each rater sides with the majority of the others.",
    "changes": "Who suddenly became stricter or milder, and when.",
    "learning": "Whether raters get more exact and faster with practice.",
    "drift": "Control charts: who slowly becomes stricter or milder.",
}
"""The tables without options of their own, with their help."""


@click.group(invoke_without_command=True, epilog="Example: photojury analyze --study demo-study")
@place_options
@json_option
@click.pass_context
def analyze(ctx: click.Context, place: Place, as_json: bool) -> None:
    """Report what the answers are worth: the whole report, or one TABLE.

    Without a command, the report is written to reports/index.html in the study, with every table as CSV and JSON
    beside it. With --data it is made of a release or of anybody's CSV instead of a study.
    """
    # `analyze --study X TABLE` means the same as `analyze TABLE --study X`.
    ctx.default_map = {name: ctx.params for name in analyze.commands}
    if ctx.invoked_subcommand is None:
        given = {name: value for name, value in ctx.params.items() if name != "as_json"}
        ctx.invoke(report, **given, out=None, thumbnails=True, as_json=as_json)


@analyze.command(epilog="Example: photojury analyze report --study demo-study")
@place_options
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The HTML file to write.")
@click.option(
    "--thumbnails/--no-thumbnails", default=True, help="Show the best, worst and most divisive images."
)
@json_option
def report(place: Place, out: Path | None, thumbnails: bool, as_json: bool) -> None:
    """Write the report: one HTML file that needs no server, and its tables as CSV and JSON."""
    from photojury.analysis import report as report_module

    answers = place.open()
    if answers.study is None:
        written = report_module.write(answers, out=out, thumbnails=thumbnails)
    else:
        from photojury.runs import recording

        with recording(answers.study, "analyze-report") as run:
            written = report_module.write(answers, out=out, thumbnails=thumbnails)
            for path in written:
                run.wrote(path)
    if as_json:
        import json

        click.echo(json.dumps({"report": str(written[0]), "tables": [str(path) for path in written[1:]]}))
        return
    click.echo(f"wrote {written[0]}")
    click.echo(
        f"and {len(written) - 1} tables, as CSV and JSON, into {written[0].parent / report_module.TABLES}"
    )


@analyze.command(epilog="Example: photojury analyze scores --method p910 --study demo-study")
@place_options
@click.option(
    "--method",
    default="mos",
    show_default=True,
    help="mos, p910, p910-standard, p913, bt500, z-score, dawid-skene, bradley-terry, thurstone, davidson, rao-kupper, "
    "cumulative, cumulative-probit, adjacent or joint.",
)
@json_option
def scores(place: Place, method: str, as_json: bool) -> None:
    """Score the images, best first, with standard errors and 95 % intervals; into the study, where there is one."""
    from photojury.analysis.findings import scored

    answers = place.open()
    table = scored.scores(answers, method)
    if answers.study is not None:
        from photojury.runs import recording

        with recording(answers.study, "analyze-scores") as run:
            scored.save(answers.study, table)
            run.note("method", method)
            run.note("images", len(table))
    _show("scores", table, answers, as_json)


def _table_command(name: str, line: str) -> click.Command:
    @click.command(name, help=line, epilog=f"Example: photojury analyze {name} --study demo-study")
    @place_options
    @json_option
    def command(place: Place, as_json: bool) -> None:
        from photojury.analysis.findings import tables

        answers = place.open()
        _show(name, tables.table(name, answers), answers, as_json)

    return command


def _show(name: str, table: "pd.DataFrame", answers: "Answers", as_json: bool) -> None:
    share = answers.simulated_share()
    if as_json:
        import json
        import math

        rows = json.loads(table.to_json(orient="records", double_precision=12))
        known = None if math.isnan(share) else share
        facts = {
            "table": name,
            "simulated_share": known,
            "left_out": answers.left_out,
            "n": len(rows),
            "rows": rows,
        }
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(
        table.to_string(index=False, float_format=lambda value: f"{value:.4g}", na_rep="-")
        if len(table)
        else "none"
    )
    for reason, count in answers.left_out.items():
        click.echo(f"left out: {count:,} {reason}", err=True)
    if share > 0:
        click.echo(f"\n{share:.1%} of the answers were given by simulated raters.")


analyze.add_command(plan)
analyze.add_command(popularity)
for _name, _line in TABLES.items():
    analyze.add_command(_table_command(_name, _line))
