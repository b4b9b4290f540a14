"""`photojury market`: the MTurk-compatible marketplace of a study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.options import json_option, study_option

if TYPE_CHECKING:
    from photojury.annotate.marketplace.books import Market, Terms
    from photojury.datasets.store import Study


@click.group()
def market() -> None:
    """Run the MTurk-compatible marketplace."""


@market.command(epilog="Example: photojury market serve --study demo-study --port 8700")
@study_option
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Default: market.port of study.toml; 0: any that is free."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Other than this machine's own only with market.public_url.",
)
def serve(folder: Path, port: int | None, host: str) -> None:
    """Serve the requester API (for boto3) and the worker site (for browsers) until Ctrl-C."""
    from photojury.annotate.marketplace.server import build_app
    from photojury.annotate.marketplace.server import serve as serve_app
    from photojury.datasets.store import open_study

    study = open_study(folder)
    app = build_app(study.engine, study.images_folder, terms=_terms(study))
    try:
        serve_app(app, host, study.settings.market.port if port is None else port, ready=_say_ready)
    finally:
        study.close()


@market.command(epilog="Example: photojury market accounts --add lab-two --study demo-study")
@click.option("--add", metavar="NAME", help="Make a requester account and print its keys.")
@click.option("--new-key", metavar="NAME", help="Give an account a new key; the old one ends.")
@study_option
@json_option
def accounts(add: str | None, new_key: str | None, folder: Path, as_json: bool) -> None:
    """List the requester accounts with their balances; or add one, or renew its key."""
    import json

    from photojury.annotate.marketplace.ledger import dollars
    from photojury.annotate.marketplace.requesters import accounts as keys

    here = _open(folder)
    if add or new_key:
        key_id, secret = keys.add_account(here, add) if add else keys.renew_key(here, new_key or "")
        facts = {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret}
        click.echo(json.dumps(facts) if as_json else "\n".join(f"{k}={v}" for k, v in facts.items()))
        return
    rows = keys.listed(here)
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        available, held = dollars(row["available"]), dollars(row["held"])
        click.echo(f"{row['name']:20} {row['key_id']:24} available ${available}, on hold ${held}")


@market.command(epilog="Example: photojury market invite --number 20 --study demo-study")
@click.option("--number", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many.")
@study_option
@json_option
def invite(number: int, folder: Path, as_json: bool) -> None:
    """Print invitation links, one a person; each is also that person's way back from another device."""
    import json

    from photojury.annotate.marketplace.workers import invite as make

    here = _open(folder)
    site = here.terms.public_url.rstrip("/") or f"http://127.0.0.1:{_port(folder)}"
    links = [f"{site}/join/{secret}" for secret in make(here, number)]
    click.echo(json.dumps(links) if as_json else "\n".join(links))


@market.command(epilog="Example: photojury market forget A2XYZ --study demo-study")
@click.argument("worker_id")
@study_option
def forget(worker_id: str, folder: Path) -> None:
    """Make the worker WORKER_ID unknown, here and in the study; their answers stay, without a name."""
    from photojury.annotate.marketplace.workers import forget as forget_worker
    from photojury.datasets.raters import rename
    from photojury.datasets.store import open_study
    from photojury.errors import InputError

    new = forget_worker(_open(folder), worker_id)
    if new is None:
        raise InputError(f"there is no worker {worker_id} in this study's marketplace")
    study = open_study(folder)
    rename(study, worker_id, new)
    study.close()
    click.echo(f"{worker_id} is forgotten; their answers stand under an id that leads to nobody")


def _open(folder: Path) -> "Market":
    from photojury.annotate.marketplace.books import open_market
    from photojury.annotate.marketplace.requesters.accounts import give_own_key
    from photojury.datasets.store import open_study

    study = open_study(folder)
    here = open_market(study.engine, study.images_folder, terms=_terms(study))
    give_own_key(here)
    return here


def _port(folder: Path) -> int:
    from photojury.settings import load

    return load(folder).market.port


def _terms(study: "Study") -> "Terms":
    from photojury.annotate.batches import study_id
    from photojury.annotate.marketplace.books import Terms
    from photojury.annotate.recruit.completion import completion_code

    settings = study.settings
    # Somebody from Prolific can only be sent here where the site has a public address.
    recruiting = bool(settings.prolific.site)
    return Terms(
        fee_percent=settings.market.fee_percent,
        requester=settings.study.name,
        contact=settings.study.contact,
        joining=settings.market.joining,
        consent_title=settings.consent.title,
        consent=settings.consent.text,
        agree=settings.consent.agree,
        public_url=settings.market.public_url,
        webhook_hosts=settings.market.webhook_hosts,
        completion_code=completion_code(study_id(study)) if recruiting else "",
    )


def _say_ready(url: str) -> None:
    # A parent process waits for this line; click.echo flushes.
    click.echo(f"Marketplace ready: {url} (workers: {url}/ ; requesters: AWS_ENDPOINT_URL_MTURK={url})")
