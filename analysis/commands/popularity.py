"""`photojury analyze popularity`: S(i) of the study's pictures."""

from pathlib import Path

import click

from photojury.options import json_option, study_option


@click.command(epilog="Example: photojury analyze popularity --study demo-study")
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
