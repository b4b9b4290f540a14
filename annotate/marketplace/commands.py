"""`photojury market`: the MTurk-compatible marketplace of a study."""

from pathlib import Path

import click

from photojury.options import study_option


@click.group()
def market() -> None:
    """Run the MTurk-compatible marketplace."""


@market.command(epilog="Example: photojury market serve --study demo-study --port 8700")
@study_option
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Default: market.port of study.toml; 0: any that is free."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="This machine's own addresses only.")
def serve(folder: Path, port: int | None, host: str) -> None:
    """Serve the requester API (for boto3) and the worker site (for browsers) until Ctrl-C."""
    from photojury.annotate.marketplace.server import build_app
    from photojury.annotate.marketplace.server import serve as serve_app
    from photojury.datasets.store import open_study

    study = open_study(folder)
    settings = study.settings
    app = build_app(
        study.engine,
        study.images_folder,
        fee_percent=settings.market.fee_percent,
        requester=settings.study.name,
        contact=settings.study.contact,
    )
    try:
        serve_app(app, host, settings.market.port if port is None else port, ready=_say_ready)
    finally:
        study.close()


def _say_ready(url: str) -> None:
    # A parent process waits for this line; click.echo flushes.
    click.echo(f"Marketplace ready: {url} (workers: {url}/ ; requesters: AWS_ENDPOINT_URL_MTURK={url})")
