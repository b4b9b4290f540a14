"""`photojury collect report`: the funnel."""

from pathlib import Path

import click

from photojury.options import json_option, study_option


@click.command(epilog="Example: photojury collect report --study demo-study")
@click.option(
    "--thumbnails/--no-thumbnails", default=True, help="Show contact sheets of kept and rejected pictures."
)
@study_option
@json_option
def report(thumbnails: bool, folder: Path, as_json: bool) -> None:
    """Report what was found, what was thrown away and why.

    Writes reports/collect.html, which needs no server, and reports/collect.json; both give every number by source
    and by query.
    """
    from photojury.collect.funnel import report as report_module
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "collect-report") as run:
        written = report_module.write(study, thumbnails=thumbnails)
        run.wrote(written.html)
        run.wrote(written.json)
    if as_json:
        import json

        click.echo(json.dumps({"report": str(written.html), **written.facts}, indent=2))
        return
    total = written.facts["total"]
    click.echo(
        f"{total['rows']:,} offered, {total['unique']:,} different, {total['downloaded']:,} downloaded, "
        f"{total['stored']:,} stored, {total['kept']:,} kept"
    )
    for line in written.facts["losses"]:
        click.echo(f"  {line['count']:>9,}  {line['fate']:<10}  {line['rule'] or '-'}")
    click.echo(f"wrote {written.html}")
