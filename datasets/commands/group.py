"""`photojury datasets`: datasets in, splits, releases out."""

from pathlib import Path

import click

from photojury.datasets.commands.bring_in import bring_in, readers
from photojury.datasets.commands.paper import paper
from photojury.datasets.commands.release import diff, release, verify
from photojury.options import json_option, study_option


@click.group()
def datasets() -> None:
    """Bring published datasets in, split a study, release it as a dataset."""


datasets.add_command(bring_in)
datasets.add_command(readers)
datasets.add_command(paper)
datasets.add_command(release)
datasets.add_command(verify)
datasets.add_command(diff)


@datasets.command(epilog="Example: photojury datasets split --study demo-study")
@click.option("--by", help="image, series or author: what stays together. [default: splits.by]")
@study_option
@json_option
def split(by: str | None, folder: Path, as_json: bool) -> None:
    """Part the pictures into train, validation and test, by the study's seed; do this before planning pairs."""
    from photojury.datasets.splits import PARTS
    from photojury.datasets.splits import split as make_split
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "datasets-split") as run:
        counts = make_split(study, by=by)["part"].value_counts()
        sizes = {part: int(counts.get(part, 0)) for part in PARTS}
        run.note("sizes", sizes)
    if as_json:
        import json

        click.echo(json.dumps(sizes))
        return
    click.echo(", ".join(f"{part} {size}" for part, size in sizes.items()))
