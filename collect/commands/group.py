"""`photojury collect`: pictures come in, are checked and looked at, and their rights are kept."""

import click

from photojury.collect.commands import check as checking
from photojury.collect.commands import curate as curating
from photojury.collect.commands import download as downloading
from photojury.collect.commands import flickr as flickr_searching
from photojury.collect.commands import folder as folder_reading
from photojury.collect.commands import report as reporting
from photojury.collect.commands import rights, searching
from photojury.collect.commands import series as series_making


class InOrder(click.Group):
    """A group that lists its commands in the order in which a study needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder)
def collect() -> None:
    """Bring pictures in, check them, keep their rights.

    Search a source (flickr, google, openverse, commons) or hand in a list (urls); then download, check, curate and
    report. The pictures of a folder are taken in at once.
    """


for command in (
    folder_reading.folder,
    flickr_searching.flickr,
    searching.google,
    searching.openverse,
    searching.commons,
    searching.urls,
    downloading.download,
    checking.check,
    curating.curate,
    series_making.duplicates,
    series_making.series,
    reporting.report,
    flickr_searching.counters,
    rights.refresh,
    rights.forget,
    rights.credits,
):
    collect.add_command(command)
