"""One Prolific study for a published batch: made once, published once, extended, closed.

Takes in an `Offer` (photojury.annotate.recruit.offers) and a client; writes the table recruitments.

A study is made exactly once. Its row is written (state "creating") before the call, and carries the name by
which Prolific knows it (internal_name); every run first asks Prolific for that name. A run that was killed
before the answer came is so found out by the next one.

    >>> offer = offer_of(study, "stars-1")                              # doctest: +SKIP
    >>> create(study, client, offer)                                    # doctest: +SKIP
    Recruited(recruitment_id='photojury-1f0c…-stars-1', provider_id='64a…', state='draft', places=720, found=False)
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.recruit.offers import Offer, access_details, body_of_study, hit_of
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.wire import LONGEST_CALL, Json, ProlificRefusal, list_of, text_of
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError

Row = Mapping[str, Any]

PROVIDER = "prolific"

_RECRUITMENTS = tables.recruitments

_STATES = {"UNPUBLISHED": "draft", "SCHEDULED": "draft", "COMPLETED": "closed"}


@dataclass(frozen=True)
class Recruited:
    """A study at Prolific; `found` says that it was there already."""

    recruitment_id: str
    provider_id: str
    state: str
    places: int
    found: bool


def create(study: Study, client: Client, offer: Offer, group_id: str | None = None) -> Recruited:
    """Make the draft at Prolific, or find the one that an earlier run has made; a draft costs nothing.

    Raises:
        ServiceError: Prolific refused, or it is not known yet whether a call of another run was heard.
    """
    body = body_of_study(study, offer, group_id)
    claimed = _claim(study, offer)
    row = recruitment(study, offer.batch)
    if row["provider_id"]:
        return _recruited(row, found=True)
    made = client.find_studies(offer.recruitment_id)
    if len(made) > 1:
        names = ", ".join(text_of(one, "id") for one in made)
        raise ServiceError(
            f"Prolific has several studies of {offer.batch}, {names}: delete all drafts but one"
        )
    if made:
        return _adopt(study, offer, made[0], found=True)
    if not claimed:
        _take_over(study, row)
    try:
        answer = client.create_study(body)
    except ProlificRefusal:
        with study.writing() as connection:  # nothing was made, so nothing need be found again
            connection.execute(sa.delete(_RECRUITMENTS).where(_mine(offer.recruitment_id)))
        raise
    return _adopt(study, offer, answer, found=False)


def publish(study: Study, client: Client, batch: str) -> Recruited:
    """Let people in: from here on Prolific takes the money. A study that is out already stays as it is."""
    row = _made(study, batch)
    status = text_of(client.study(row["provider_id"]), "status")
    if status == "UNPUBLISHED":
        client.move_study(row["provider_id"], "PUBLISH")
        status = "ACTIVE"
    return _enter(study, row, state=_STATES.get(status, "published"))


def move(study: Study, client: Client, batch: str, action: str) -> Recruited:
    """PAUSE, START or STOP the study of a batch; one that is there already stays so.

    Raises:
        InputError: the study is not published, or is closed and was to be started again.
    """
    row = _made(study, batch)
    status = text_of(client.study(row["provider_id"]), "status")
    allowed, after = {
        "PAUSE": (("ACTIVE",), "PAUSED"),
        "START": (("PAUSED",), "ACTIVE"),
        "STOP": (("ACTIVE", "PAUSED"), "COMPLETED"),
    }[action]
    if status in allowed:
        client.move_study(row["provider_id"], action)
    elif status not in (after, "AWAITING REVIEW"):
        raise InputError(f"the Prolific study of {batch} is {status}; that cannot be changed by {action}")
    state = "closed" if action == "STOP" else _STATES.get(status, "published")
    return _enter(study, row, state=state)


def missing_places(study: Study, client: Client, offer: Offer) -> list[Json]:
    """The access_details that the study at Prolific lacks, since HITs were extended."""
    have = {hit_of(one): int(one["total_allocation"]) for one in _details(study, client, offer.batch)}
    more = []
    for one in access_details(study, offer):
        lacking = one["total_allocation"] - have.get(hit_of(one), 0)
        if lacking > 0:
            more.append({**one, "total_allocation": lacking})
    return more


def extend(study: Study, client: Client, offer: Offer) -> Recruited:
    """Give the study at Prolific as many places as its HITs want people now.

    What is missing is asked of Prolific each time, so that running it again adds nothing twice.

    Raises:
        InputError: it is still a draft.
    """
    row = _made(study, offer.batch)
    more = missing_places(study, client, offer)
    places = sum(int(one["total_allocation"]) for one in _details(study, client, offer.batch))
    if more:
        if row["state"] == "draft":
            raise InputError(
                f"the Prolific study of {offer.batch} is a draft; publish it first: photojury annotate prolific publish"
            )
        places += sum(one["total_allocation"] for one in more)
        client.add_places(row["provider_id"], more, places)
    return _enter(study, row, places=places)


def recruitments(study: Study) -> list[Row]:
    """All rows of this provider, oldest first."""
    query = sa.select(_RECRUITMENTS).where(_RECRUITMENTS.c.provider == PROVIDER)
    return [*study.rows(query.order_by(_RECRUITMENTS.c.made_at))]


def recruitment(study: Study, batch: str) -> Row:
    """The row of a batch.

    Raises:
        InputError: nobody was asked for at Prolific for this batch.
    """
    found = [row for row in recruitments(study) if row["batch"] == batch]
    if not found:
        raise InputError(f"{batch} has no study at Prolific; first: photojury annotate prolific create")
    return found[0]


def _claim(study: Study, offer: Offer) -> bool:
    """Write down that a study is being made; False if that was written before."""
    row = {
        "recruitment_id": offer.recruitment_id,
        "provider": PROVIDER,
        "batch": offer.batch,
        "state": "creating",
        "places": offer.places,
        "made_at": time.time(),
    }
    return bool(study.add("recruitments", [row]))


def _take_over(study: Study, row: Row) -> None:
    """Go on for a run that ended before it was answered; not while its call may still be on its way."""
    wait = row["made_at"] + LONGEST_CALL - time.time()
    if wait <= 0:
        unchanged = _mine(row["recruitment_id"]) & (_RECRUITMENTS.c.made_at == row["made_at"])
        with study.writing() as connection:
            done = connection.execute(sa.update(_RECRUITMENTS).where(unchanged).values(made_at=time.time()))
        if done.rowcount:
            return
        wait = LONGEST_CALL
    raise ServiceError(
        f"another run has begun to make the Prolific study of {row['batch']}, and Prolific does not show it (yet); "
        f"run this again in {wait:.0f} s"
    )


def _adopt(study: Study, offer: Offer, answer: Json, *, found: bool) -> Recruited:
    """Enter a study that Prolific has."""
    with study.writing() as connection:
        values = {
            "provider_id": text_of(answer, "id"),
            "state": _STATES.get(str(answer.get("status", "UNPUBLISHED")), "published"),
            "places": int(answer.get("total_available_places") or offer.places),
        }
        connection.execute(sa.update(_RECRUITMENTS).where(_mine(offer.recruitment_id)).values(**values))
    return _recruited(recruitment(study, offer.batch), found=found)


def _enter(study: Study, row: Row, **values: object) -> Recruited:
    with study.writing() as connection:
        connection.execute(sa.update(_RECRUITMENTS).where(_mine(row["recruitment_id"])).values(**values))
    return _recruited(recruitment(study, row["batch"]), found=True)


def _made(study: Study, batch: str) -> Row:
    row = recruitment(study, batch)
    if not row["provider_id"]:
        raise InputError(
            f"making the Prolific study of {batch} was interrupted; first: photojury annotate prolific create"
        )
    return row


def _details(study: Study, client: Client, batch: str) -> list[Json]:
    """The access_details of the study at Prolific, as they are now."""
    return list_of(client.study(_made(study, batch)["provider_id"]), "access_details")


def _recruited(row: Row, *, found: bool) -> Recruited:
    return Recruited(row["recruitment_id"], row["provider_id"], row["state"], row["places"], found)


def _mine(recruitment_id: str) -> "sa.ColumnElement[bool]":
    return _RECRUITMENTS.c.recruitment_id == recruitment_id
