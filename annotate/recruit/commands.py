"""`photojury annotate prolific`: people from Prolific come to the study's HITs, and are paid there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from photojury.options import confirm, json_option, study_option, tell, yes_option

if TYPE_CHECKING:
    from photojury.annotate.recruit.prolific import Client
    from photojury.datasets.store import Study

_BATCH = click.option("--batch", help="Whose HITs; may be left out where only one batch is published.")


@click.group()
def prolific() -> None:
    """Bring raters from Prolific; needs PROLIFIC_TOKEN and prolific.site in study.toml."""


@prolific.command(epilog="Example: photojury annotate prolific create --study demo-study")
@_BATCH
@click.option("--dry-run", is_flag=True, help="Say what it would be and cost; make nothing.")
@study_option
@json_option
def create(batch: str | None, dry_run: bool, folder: Path, as_json: bool) -> None:
    """Make a draft at Prolific for a published batch, once; a draft costs nothing."""
    from photojury.annotate.recruit import studies
    from photojury.annotate.recruit.exclusions import group_of
    from photojury.annotate.recruit.offers import body_of_study, offer_of
    from photojury.annotate.recruit.price import price_of
    from photojury.runs import recording

    with _at_prolific(folder) as (study, client):
        offer = offer_of(study, batch)
        price = price_of(study, client, offer.reward, offer.places)
        facts = {
            "batch": offer.batch,
            "places": offer.places,
            "total": price.total,
            "currency": price.currency,
        }
        if dry_run:
            body = body_of_study(study, offer)
            text = f"would make a study of {len(offer.hits)} HITs: {price}; we reckon {price.estimate} in all"
            tell(as_json, {**facts, "estimate": price.estimate, "body": body}, text)
            return
        with recording(study, "annotate-prolific-create") as run:
            group = group_of(study, client) if study.settings.prolific.workspace else None
            made = studies.create(study, client, offer, group)
            run.note("provider_id", made.provider_id)
    if not group:
        click.echo("nobody is excluded: prolific.workspace is empty in study.toml", err=True)
    text = f"{'found' if made.found else 'made'} the study {made.provider_id}, {made.state}: {price}"
    tell(as_json, {**facts, "provider_id": made.provider_id, "state": made.state, "found": made.found}, text)


@prolific.command(epilog="Example: photojury annotate prolific publish --yes --study demo-study")
@_BATCH
@yes_option
@study_option
@json_option
def publish(batch: str | None, yes: bool, folder: Path, as_json: bool) -> None:
    """Let people in: Prolific takes the money for all places from the account."""
    from photojury.annotate.recruit import studies
    from photojury.annotate.recruit.offers import offer_of
    from photojury.annotate.recruit.price import check_offer, price_of
    from photojury.runs import recording

    with _at_prolific(folder) as (study, client):
        offer = offer_of(study, batch)
        before = studies.recruitment(study, offer.batch)
        if before["state"] in ("creating", "draft"):
            price = price_of(study, client, offer.reward, before["places"])
            check_offer(study, client, offer, price)
            confirm(yes, f"publishing {offer.batch} at Prolific will cost {price}")
        with recording(study, "annotate-prolific-publish"):
            done = studies.publish(study, client, offer.batch)
    facts = {
        "batch": offer.batch,
        "provider_id": done.provider_id,
        "state": done.state,
        "places": done.places,
    }
    tell(as_json, facts, f"{offer.batch} is {done.state} at Prolific with {done.places} places")


@prolific.command(
    epilog="Example: photojury annotate prolific extend --batch stars-1 --yes --study demo-study"
)
@_BATCH
@yes_option
@study_option
@json_option
def extend(batch: str | None, yes: bool, folder: Path, as_json: bool) -> None:
    """Add the places that HITs have gained at the marketplace since; places never become fewer."""
    from photojury.annotate.recruit import studies
    from photojury.annotate.recruit.offers import offer_of
    from photojury.annotate.recruit.price import check_offer, price_of
    from photojury.runs import recording

    with _at_prolific(folder) as (study, client):
        offer = offer_of(study, batch)
        places = sum(one["total_allocation"] for one in studies.missing_places(study, client, offer))
        if places:
            price = price_of(study, client, offer.reward, places)
            check_offer(study, client, offer, price)
            confirm(yes, f"adding places for {offer.batch} at Prolific will cost {price}")
        with recording(study, "annotate-prolific-extend"):
            done = studies.extend(study, client, offer)
    tell(
        as_json,
        {"batch": offer.batch, "added": places, "places": done.places},
        f"added {places} places for {offer.batch}, which now has {done.places}",
    )


@prolific.command(epilog="Example: photojury annotate prolific status --study demo-study")
@study_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """Bring in who has come, and say how far it is; pays nobody."""
    from photojury.annotate.recruit import studies
    from photojury.annotate.recruit.submissions import poll, ready

    with _at_prolific(folder) as (study, client):
        polled = poll(study, client)
        todo, reports = ready(study)
        rows = studies.recruitments(study)
    places = {row["batch"]: {"state": row["state"], "places": row["places"]} for row in rows}
    lines = [f"{name}: {one['state']} with {one['places']} places" for name, one in places.items()]
    lines += [f"{count} submissions are {name}" for name, count in sorted(polled.statuses.items())]
    lines.append(
        f"{len(todo)} are to be settled" + ("; next: photojury annotate prolific settle" if todo else "")
    )
    reports = [*polled.problems, *reports]
    _report(reports)
    facts = {"studies": places, "submissions": polled.statuses, "to_settle": len(todo), "reports": reports}
    tell(as_json, facts, "\n".join(lines))


@prolific.command(epilog="Example: photojury annotate prolific settle --yes --study demo-study")
@click.option(
    "--also", multiple=True, metavar="SUBMISSION", help="Approve this one with answers, whatever its code."
)
@yes_option
@study_option
@json_option
def settle(also: tuple[str, ...], yes: bool, folder: Path, as_json: bool) -> None:
    """Approve and pay those whose answers and code are there; run `annotate fetch` before it.

    Nobody is rejected. Whoever timed out, returned or handed in another code is named, with what to do.
    """
    from photojury.annotate.recruit import submissions
    from photojury.annotate.recruit.price import amount_in, currency_of
    from photojury.progress import counter
    from photojury.runs import recording

    with _at_prolific(folder) as (study, client):
        submissions.poll(study, client)
        todo, _ = submissions.ready(study, also)
        asked = [one for one in todo if one.submission["status"] != "APPROVED"]
        if asked:
            total = amount_in(currency_of(client), sum(one.reward for one in asked))
            confirm(yes, f"approving {len(asked)} submissions will pay {total} and Prolific's fees")
        with recording(study, "annotate-prolific-settle") as run:
            with counter("approving", len(asked)) as progress:
                done = submissions.settle(study, client, also, progress)
            run.note("approved", done.approved)
            run.note("unpaid", done.unpaid)
    _report(done.reports)
    paid = amount_in(done.currency, done.rewards)
    text = (
        f"settled {done.approved} submissions: {paid} to raters, {amount_in(done.currency, done.fees)} fees"
    )
    if done.waiting:
        text += f"; Prolific is still approving {done.waiting}: settle again in some minutes"
    facts = {
        "approved": done.approved,
        "waiting": done.waiting,
        "rewards": done.rewards,
        "fees": done.fees,
        "currency": done.currency,
        "unpaid": done.unpaid,
        "reports": done.reports,
    }
    tell(as_json, facts, text)


@prolific.command(
    epilog="Example: photojury annotate prolific bonus 60d9aadeb86739de712faee0 --cents 50 "
    '--reason "a second HIT" --yes --study demo-study'
)
@click.argument("submission", nargs=-1, required=True)
@click.option("--cents", type=click.IntRange(1), required=True, help="For each, in the account's currency.")
@click.option("--reason", required=True, help="For the books; another reason makes it another bonus.")
@click.option(
    "--again", is_flag=True, help="Pay also what an interrupted run may have paid: look at Prolific first."
)
@yes_option
@study_option
@json_option
def bonus(
    submission: tuple[str, ...], cents: int, reason: str, again: bool, yes: bool, folder: Path, as_json: bool
) -> None:
    """Pay a bonus on each SUBMISSION, once, however often the command is run."""
    import dataclasses

    from photojury.annotate.recruit import bonuses
    from photojury.annotate.recruit.price import amount_in
    from photojury.runs import recording

    with _at_prolific(folder) as (study, client):
        cost = bonuses.cost_of_bonuses(study, submission, cents, reason)
        if cost.total:
            confirm(yes, f"bonuses of {cost.rewards} cents will cost about {cost.total} cents with fees")
        with recording(study, "annotate-prolific-bonus") as run:
            done = bonuses.bonus(study, client, submission, cents=cents, reason=reason, again=again)
            run.note("paid", done.paid)
    for name in done.unsure:
        click.echo(
            f"{name}: an interrupted run may have paid this bonus, and Prolific does not show it (yet); look at the "
            "submission at Prolific's site in some minutes, and if it has none, add --again",
            err=True,
        )
    text = f"paid {done.paid} bonuses, {amount_in(done.currency, done.amount)} and {amount_in(done.currency, done.fees)} fees"
    if done.before:
        text += f"; {done.before} were paid before"
    tell(as_json, dataclasses.asdict(done), text)


@prolific.command(epilog="Example: photojury annotate prolific exclude --study demo-study")
@study_option
@json_option
def exclude(folder: Path, as_json: bool) -> None:
    """Keep the study's excluded raters out at Prolific, and let those in again whose soft ban has ended."""
    import dataclasses

    from photojury.annotate.recruit.exclusions import exclude as exclude_raters
    from photojury.runs import recording

    with _at_prolific(folder) as (study, client), recording(study, "annotate-prolific-exclude"):
        done = exclude_raters(study, client)
    text = f"excluded {done.added} more raters at Prolific, let {done.removed} in again"
    if done.elsewhere:
        text += f"; {done.elsewhere} excluded raters did not come from Prolific"
    tell(as_json, dataclasses.asdict(done), text)


@prolific.command(epilog="Example: photojury annotate prolific pause --study demo-study")
@_BATCH
@study_option
@json_option
def pause(batch: str | None, folder: Path, as_json: bool) -> None:
    """Let nobody new in for a while; those who are at work may finish."""
    _move(folder, batch, "PAUSE", "is paused", as_json=as_json)


@prolific.command(epilog="Example: photojury annotate prolific resume --study demo-study")
@_BATCH
@study_option
@json_option
def resume(batch: str | None, folder: Path, as_json: bool) -> None:
    """Let people in again after a pause."""
    _move(folder, batch, "START", "goes on", as_json=as_json)


@prolific.command(epilog="Example: photojury annotate prolific close --study demo-study")
@_BATCH
@study_option
@json_option
def close(batch: str | None, folder: Path, as_json: bool) -> None:
    """Stop the study at Prolific for good; who has finished can still be settled."""
    _move(folder, batch, "STOP", "is closed", as_json=as_json)


@prolific.command("test", epilog="Example: photojury annotate prolific test --study demo-study")
@_BATCH
@click.option(
    "--email", help="Make a test participant with this address first; Prolific must not know it yet."
)
@study_option
@json_option
def try_out(batch: str | None, email: str | None, folder: Path, as_json: bool) -> None:
    """Try the draft out as a test participant, at no cost; Prolific must have enabled this for the workspace."""
    from photojury.annotate.recruit import studies
    from photojury.annotate.recruit.offers import batch_of

    with _at_prolific(folder) as (study, client):
        row = studies.recruitment(study, batch_of(study, batch))
        participant = client.create_test_participant(email) if email else None
        made = client.create_test_study(row["provider_id"])
    facts = {"study_url": made.get("study_url"), "participant_id": participant}
    tell(as_json, facts, f"open {made.get('study_url')} as the test participant")


@prolific.command(
    "webhook-verify",
    epilog="Example: photojury annotate prolific webhook-verify body.json --header "
    '"X-Event-ID: 01J8" --study demo-study',
)
@click.argument("body", type=click.File("rb"))
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header of the request.")
@study_option
@json_option
def webhook_verify(body: BinaryIO, headers: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Say whether Prolific sent a webhook request, for a web server of your own; BODY is its raw body.

    The secret comes from PROLIFIC_WEBHOOK_SECRET. Exit status 2: it is not from Prolific.
    """
    from photojury.annotate.recruit.webhooks import receive, secret_from_environment
    from photojury.datasets.store import open_study

    given = {name.strip(): value.strip() for name, _, value in (one.partition(":") for one in headers)}
    study = open_study(folder)
    try:
        event = receive(study, given, body.read(), secret=secret_from_environment())
    finally:
        study.close()
    text = "it came before; there is nothing to do" if event is None else f"new: {event.get('event_type')}"
    tell(as_json, {"new": event is not None, "event": event}, text)


@contextmanager
def _at_prolific(folder: Path) -> "Iterator[tuple[Study, Client]]":
    from photojury.annotate.recruit.prolific import connect
    from photojury.datasets.store import open_study

    study = open_study(folder)
    try:
        with connect() as client:
            yield study, client
    finally:
        study.close()


def _move(folder: Path, batch: str | None, action: str, outcome: str, *, as_json: bool) -> None:
    from photojury.annotate.recruit import studies
    from photojury.annotate.recruit.offers import batch_of
    from photojury.runs import recording

    with _at_prolific(folder) as (study, client):
        name = batch_of(study, batch)
        with recording(study, f"annotate-prolific-{action.lower()}"):
            done = studies.move(study, client, name, action)
    tell(as_json, {"batch": name, "state": done.state}, f"the Prolific study of {name} {outcome}")


def _report(reports: list[tuple[str, str]]) -> None:
    for name, sentence in reports:
        click.echo(f"submission {name}: {sentence}", err=True)
