"""`photojury dashboard`: what a study is doing and what its answers are worth, live in a browser."""

from pathlib import Path

import click


@click.command(epilog="Example: photojury dashboard demo-study")
@click.argument("place", type=click.Path(path_type=Path), default=Path())
@click.option("--port", default=8501, show_default=True, help="Of this machine.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at; 127.0.0.1: this machine only.",
)
@click.option("--browser/--no-browser", default=True, help="Open a browser.")
def dashboard(place: Path, port: int, host: str, browser: bool) -> None:
    """Show PLACE, live: a study's folder, a release, or a CSV or Parquet file of ratings or comparisons.

    It only reads: nothing in PLACE is changed, and it needs no right to. Anybody who can reach the address can look;
    --host 0.0.0.0 lets other machines do so. Ctrl-C ends it.
    """
    from photojury.analysis.dashboard.serving import address, serve

    click.echo(f"{place.resolve().name}: {address(host, port)} (Ctrl-C ends it)", err=True)
    serve(place.resolve(), host=host, port=port, browser=browser)
