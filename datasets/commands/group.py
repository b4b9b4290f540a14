"""`photojury datasets`: datasets in, splits, releases out."""

import click

from photojury.datasets.commands.bring_in import bring_in, readers
from photojury.datasets.commands.paper import paper
from photojury.datasets.commands.release import diff, release, verify
from photojury.datasets.commands.splitting import check, split


@click.group()
def datasets() -> None:
    """Bring published datasets in, split a study and look for leaks, release it as a dataset."""


datasets.add_command(bring_in)
datasets.add_command(readers)
datasets.add_command(paper)
datasets.add_command(release)
datasets.add_command(verify)
datasets.add_command(diff)
datasets.add_command(split)
datasets.add_command(check)
