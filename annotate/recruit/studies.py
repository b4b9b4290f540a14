"""One Prolific study for a published batch: made once, published once, extended, closed.

Takes in a study whose HITs are at the marketplace, and a client; writes the table recruitments. The Prolific
study is a Taskflow: one address for each HIT, with as many places as the HIT has assignments.

A study is made exactly once. Its row is written (state "creating") before the call, and carries the name by
which Prolific knows it (internal_name); every run first asks Prolific for that name. A run that was killed
before the answer came is so found out by the next one.

    >>> offer = offer_of(study, "stars-1")                              # doctest: +SKIP
    >>> create(study, client, offer)                                    # doctest: +SKIP
    Recruited(recruitment_id='photojury-1f0c…-stars-1', provider_id='64a…', state='draft', places=720, found=False)
"""

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.batches import study_id
from photojury.annotate.recruit.completion import completion_code
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.wire import LONGEST_CALL, Json, ProlificRefusal, is_safe, list_of, text_of
from photojury.annotate.tasks.kind import kind
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError, SettingsError

Row = Mapping[str, Any]

PROVIDER = "prolific"

_HITS, _RECRUITMENTS = tables.hits, tables.recruitments

_DEVICES: dict[str, list[str]] = {"any": [], "desktop": ["desktop"], "mobile": ["mobile"]}
_STATES = {"UNPUBLISHED": "draft", "SCHEDULED": "draft", "COMPLETED": "closed"}
_LONGEST_MINUTES = 24 * 60 - 1  # a submission lasts less than 24 hours (api-reference, submission object)
_ENTRY = re.compile(r"/enter/prolific/([A-Z0-9]+)(?:\?|$)")


@dataclass(frozen=True)
class Offer:
    """What Prolific is asked for.

    Attributes:
        recruitment_id: ours, and Prolific's internal_name.
        batch: whose HITs.
        hits: rows of the hits table.
        reward: for one HIT, in minor units of the account's currency.
        places: assignments of all HITs.
    """

    recruitment_id: str
    batch: str
    hits: list[Row]
    reward: int
    places: int


@dataclass(frozen=True)
class Recruited:
    """A study at Prolific; `found` says that it was there already."""

    recruitment_id: str
    provider_id: str
    state: str
    places: int
    found: bool


def offer_of(study: Study, batch: str | None = None) -> Offer:
    """What a batch asks of Prolific; without a name, the only batch that is published.

    Raises:
        InputError: no such batch, or its HITs are not all at the marketplace, or they pay differently.
    """
    name = batch or _only_batch(study)
    hits = study.rows(sa.select(_HITS).where(_HITS.c.batch == name).order_by(_HITS.c.hit_key))
    if not hits:
        raise InputError(f"there is no batch {name}; photojury annotate status names those there are")
    waiting = [hit for hit in hits if hit["hit_id"] is None or hit["state"] in ("planned", "publishing")]
    if waiting:
        raise InputError(
            f"{len(waiting)} of {len(hits)} HITs of {name} are not at the marketplace yet, so nobody could do them; "
            f"first: photojury annotate publish --batch {name} --yes"
        )
    rewards = {hit["reward"] for hit in hits}
    if len(rewards) > 1:
        raise InputError(
            f"the HITs of {name} pay {', '.join(map(str, sorted(rewards)))} cents, but a study at Prolific pays "
            "everyone the same; plan batches of one reward each"
        )
    places = sum(hit["max_assignments"] for hit in hits)
    return Offer(f"photojury-{study_id(study)}-{name}", name, [*hits], rewards.pop(), places)


def body_of_study(study: Study, offer: Offer, group_id: str | None = None) -> Json:
    """The draft as Prolific's API takes it.

    Args:
        study: the open study.
        offer: what is asked for.
        group_id: the participant group whose members do not see the study.

    Raises:
        SettingsError: prolific.site is not an address that Prolific can send people to.
    """
    ours = study.settings.prolific
    terms = kind(offer.hits[0]["task"]).terms(study.settings)
    blocklist = {"filter_id": "participant_group_blocklist", "selected_values": [group_id]}
    body: Json = {
        "name": terms.title,
        "internal_name": offer.recruitment_id,
        "description": terms.description,
        "prolific_id_option": "url_parameters",
        "access_details": access_details(study, offer.hits),
        "total_available_places": offer.places,
        "reward": offer.reward,
        "estimated_completion_time": ours.minutes,
        "maximum_allowed_time": allowed_minutes(ours.minutes, terms.assignment_minutes),
        "completion_codes": [
            {
                "code": completion_code(study_id(study)),
                "code_type": "COMPLETED",
                "actions": [{"action": "MANUALLY_REVIEW"}],
            }
        ],
        "device_compatibility": _DEVICES[ours.device],
        "filters": [blocklist] if group_id else [],
        "submissions_config": {"max_submissions_per_participant": 1},
        "study_labels": ["annotation"],
    }
    if ours.project:
        body["project"] = ours.project
    return body


def access_details(study: Study, hits: Sequence[Row]) -> list[Json]:
    """One address for each HIT, with as many places as it has assignments; Prolific fills in the {{%...%}}."""
    site = study.settings.prolific.site.rstrip("/")
    if not is_safe(site):
        raise SettingsError(
            f"prolific.site is {site!r}; write the worker site's public address, https://..., to which Prolific "
            "sends people"
        )
    query = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    return [
        {
            "external_url": f"{site}/enter/prolific/{hit['hit_id']}?{query}",
            "total_allocation": hit["max_assignments"],
        }
        for hit in hits
    ]


def allowed_minutes(estimated: int, hit_minutes: int) -> int:
    """When a submission times out: as late as the HIT itself does, but not before Prolific's least.

    That is 2 + 2 t + 2 sqrt(t) minutes for an estimated t (api-reference, create study, maximum_allowed_time).
    """
    least = math.ceil(2 + 2 * estimated + 2 * math.sqrt(estimated))
    return min(_LONGEST_MINUTES, max(least, hit_minutes))


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
    row = _made(study, offer.batch)
    have = {
        _hit_of(one): one["total_allocation"]
        for one in list_of(client.study(row["provider_id"]), "access_details")
    }
    more = []
    for one in access_details(study, offer.hits):
        lacking = one["total_allocation"] - int(have.get(_hit_of(one), 0))
        if lacking > 0:
            more.append({**one, "total_allocation": lacking})
    return more


def extend(study: Study, client: Client, offer: Offer) -> Recruited:
    """Give the study at Prolific as many places as its HITs have assignments now.

    What is missing is asked of Prolific each time, so that running it again adds nothing twice.

    Raises:
        InputError: it is still a draft: delete that at Prolific's site and make it anew.
    """
    row = _made(study, offer.batch)
    more = missing_places(study, client, offer)
    if more:
        now = client.study(row["provider_id"])
        if now.get("status") == "UNPUBLISHED":
            raise InputError(f"the Prolific study of {offer.batch} is a draft; publish it, then extend it")
        have = sum(int(one["total_allocation"]) for one in list_of(now, "access_details"))
        client.add_places(row["provider_id"], more, have + sum(one["total_allocation"] for one in more))
    return _enter(study, row, state="published", places=offer.places)


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


def _only_batch(study: Study) -> str:
    query = sa.select(_HITS.c.batch).where(_HITS.c.hit_id.is_not(None)).distinct()
    names = sorted(row["batch"] for row in study.rows(query))
    if not names:
        raise InputError("no HIT is at the marketplace yet; first: photojury annotate publish --yes")
    if len(names) > 1:
        raise InputError(f"which batch? name one of {', '.join(names)} with --batch")
    return names[0]


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


def _recruited(row: Row, *, found: bool) -> Recruited:
    return Recruited(row["recruitment_id"], row["provider_id"], row["state"], row["places"], found)


def _mine(recruitment_id: str) -> "sa.ColumnElement[bool]":
    return _RECRUITMENTS.c.recruitment_id == recruitment_id


def _hit_of(detail: Json) -> str:
    """The HIT that an address leads to, whatever site it was made for."""
    found = _ENTRY.search(text_of(detail, "external_url"))
    return found.group(1) if found else ""
