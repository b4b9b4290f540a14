"""`photojury collect curate`: the curation page."""

from pathlib import Path

import click

from photojury.options import study_option


@click.command(epilog="Example: photojury collect curate --study demo-study")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8710,
    show_default=True,
    help="Of the page, on this machine only; 0 takes any that is free.",
)
@click.option(
    "--by", default="", help="Who decides, as noted with every decision; the login name if left out."
)
@study_option
def curate(port: int, by: str, folder: Path) -> None:
    """Look at the pictures, and keep or reject them by hand.

    Serves a page with the kept and the rejected pictures, why they were rejected, and all measures, until Ctrl-C.
    Arrow keys move, K keeps, R rejects, A leaves it to the checks, U takes back, Enter shows a picture large.
    Decisions hold at once, stand above the checks, and can all be taken back.
    """
    from photojury.collect.curation.server import serve
    from photojury.datasets.store import open_study

    study = open_study(folder)
    # Flushed at once: whoever started it reads the address from a pipe.
    serve(
        study,
        port=port,
        by=by or _login_name(),
        ready=lambda url: click.echo(f"Curation page ready: {url}"),
    )


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
