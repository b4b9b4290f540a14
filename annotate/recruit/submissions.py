"""Submissions: people whom Prolific has sent come into the store, and are paid when their answers are there.

Takes in a study and a client; writes submissions, workers, payments. A submission is approved when its person
has handed in an assignment of the batch here and the right completion code there. Nobody is ever rejected, and
nobody is paid who timed out, returned or was screened out; whoever has answers all the same is named, with
what to do.

A payment is written as "due" before Prolific is asked, and becomes "paid" when Prolific shows the submission
as approved, be it by us, by hand, or by itself after 21 days.

    >>> settle(study, client)                                           # doctest: +SKIP
    Settled(approved=29, waiting=0, rewards=5800, fees=2482, currency='USD', unpaid={'TIMED-OUT': 1}, reports=[...])
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from photojury.annotate.batches import study_id
from photojury.annotate.recruit.completion import completion_code, fits
from photojury.annotate.recruit.price import currency_of
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.studies import PROVIDER, recruitments
from photojury.annotate.recruit.wire import Json, ProlificRefusal, text_of
from photojury.datasets import tables
from photojury.datasets.prolific import worker_id_of
from photojury.datasets.raters import rater_id, read_salt
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError

log = logging.getLogger(__name__)

Row = Mapping[str, Any]

_SUBMISSIONS, _PAYMENTS, _HITS, _ASSIGNMENTS = (
    tables.submissions,
    tables.payments,
    tables.hits,
    tables.assignments,
)

BULK = 20
"""From so many submissions on they are approved together; Prolific takes up to 1000 at once."""

_BULK_MOST = 1000
_UNPAID = ("TIMED-OUT", "RETURNED", "SCREENED OUT", "REJECTED")
_KEYS = ("prolific", "prolific-fee")
_DAYS = 21  # after which Prolific approves by itself


@dataclass
class Polled:
    """Submissions by status, and (submission id, sentence) of what could not be taken in."""

    statuses: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Settled:
    """What settling did.

    Attributes:
        approved: submissions whose payment is certain now.
        waiting: approvals that Prolific has not shown yet; the next run looks again.
        rewards: for those approved now, in minor units of the currency.
        fees: on top, fees and taxes.
        currency: of the account.
        unpaid: submissions that ended without payment, by status.
        reports: (submission id, sentence) of those that somebody should look at.
    """

    approved: int
    waiting: int
    rewards: int
    fees: int
    currency: str
    unpaid: dict[str, int]
    reports: list[tuple[str, str]]


@dataclass(frozen=True)
class Ready:
    """A submission to be paid: its row, its assignment here (None: only known at Prolific), and the reward."""

    submission: Row
    assignment: Row | None
    reward: int


def poll(study: Study, client: Client) -> Polled:
    """Bring in the submissions of every study at Prolific, as they stand now.

    Raises:
        InputError: nobody was asked for at Prolific yet.
    """
    rows = [row for row in recruitments(study) if row["provider_id"]]
    if not rows:
        raise InputError("this study has none at Prolific; first: photojury annotate prolific create")
    polled, salt = Polled(), read_salt()
    for row in rows:
        marketplace = _marketplace(study, row["batch"])
        for answer in client.submissions(row["provider_id"]):
            _take(study, row, marketplace, answer, salt, polled)
    return polled


def ready(study: Study, also: Sequence[str] = ()) -> tuple[list[Ready], list[tuple[str, str]]]:
    """The submissions that are to be paid, or were by Prolific, and reports on the others; asks nobody.

    Each assignment stands for one submission, so that a person who came twice is paid for what was done.

    Args:
        study: the open study, polled a moment ago.
        also: submissions with answers that are to be paid whatever code they handed in.
    """
    code, answers, rewards = completion_code(study_id(study)), _answers(study), _rewards(study)
    paid, thanked = _paid(study)
    rows = study.rows(sa.select(_SUBMISSIONS).where(_SUBMISSIONS.c.provider == PROVIDER))
    right = {row["submission_id"] for row in rows if row["submission_id"] in also or fits(row["code"], code)}
    found: list[Ready] = []
    reports: list[tuple[str, str]] = []
    for row in sorted(rows, key=lambda row: _rank(row, paid, right)):
        name, mine = row["submission_id"], answers.get((row["recruitment_id"], row["rater_id"]), [])
        first = mine.pop(0) if mine else None
        if name in paid:
            continue
        if row["status"] == "APPROVED" or (row["status"] == "AWAITING REVIEW" and first and name in right):
            found.append(Ready(row, first, rewards[row["recruitment_id"]]))
        elif name not in thanked:
            sentence = _report(row, has_answers=first is not None)
            reports += [(name, sentence)] if sentence else []
    for one in found:
        left = answers.get((one.submission["recruitment_id"], one.submission["rater_id"]), [])
        if left:
            name = one.submission["submission_id"]
            reports.append(
                (name, f"did {len(left)} more HITs than it is paid for; pay them: {_by_bonus(name)}")
            )
    return found, reports


def settle(
    study: Study,
    client: Client,
    also: Sequence[str] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Settled:
    """Approve everyone whose answers are in, and enter the payments.

    Raises:
        InputError: nobody was asked for at Prolific, or `also` names no submission of this study.
        ServiceError: Prolific does not answer; run again, it goes on.
    """
    polled = poll(study, client)
    _check_known(study, also)
    todo, reports = ready(study, also)
    currency = currency_of(client)
    _write_due(study, client, todo, currency)
    refused = _approve(client, [one for one in todo if one.submission["status"] != "APPROVED"], progress)
    if any(one.submission["status"] != "APPROVED" for one in todo):
        polled = poll(study, client)
    done, rewards, fees = _mark_paid(study, [one.submission["submission_id"] for one in todo])
    unpaid = {status: count for status, count in polled.statuses.items() if status in _UNPAID}
    return Settled(
        done, len(todo) - done, rewards, fees, currency, unpaid, [*polled.problems, *reports, *refused]
    )


def _take(study: Study, recruited: Row, marketplace: str, answer: Json, salt: str, polled: Polled) -> None:
    """Enter one submission, or bring what is known of it up to date."""
    name, status = text_of(answer, "id"), text_of(answer, "status")
    polled.statuses[status] = polled.statuses.get(status, 0) + 1
    try:
        worker = worker_id_of(text_of(answer, "participant_id"))
    except InputError:
        polled.problems.append((name, "its participant has no id of 24 hexadecimal digits; it was skipped"))
        return
    rater = rater_id(worker, salt)
    key = {"provider": PROVIDER, "submission_id": name}
    values = {"status": status, "code": (answer.get("study_code") or "")[:64] or None, "seen_at": time.time()}
    person = {"rater_id": rater, "marketplace": marketplace, "worker_id": worker}
    with study.writing() as connection:
        row = {**key, **values, "recruitment_id": recruited["recruitment_id"], "rater_id": rater}
        if not add_rows(connection, _SUBMISSIONS, [row]):
            this = (_SUBMISSIONS.c.provider == PROVIDER) & (_SUBMISSIONS.c.submission_id == name)
            connection.execute(sa.update(_SUBMISSIONS).where(this).values(**values))
        add_rows(connection, tables.workers, [person])


def _paid(study: Study) -> tuple[set[str], set[str]]:
    """The submissions whose reward was paid, and those that were paid a bonus."""
    rewards, bonuses = set(), set()
    for row in study.rows(sa.select(_PAYMENTS.c.payment_key).where(_PAYMENTS.c.state == "paid")):
        kind, name = (*row["payment_key"].split(":"), "")[:2]
        if kind == "prolific":
            rewards.add(name)
        elif kind == "prolific-bonus":
            bonuses.add(name)
    return rewards, bonuses


def _rank(row: Row, paid: set[str], right: set[str]) -> tuple[int, str]:
    """Who is first to be matched with a person's assignments: what is paid, then what should be."""
    name, waiting = row["submission_id"], row["status"] == "AWAITING REVIEW"
    order = (name in paid, row["status"] == "APPROVED", waiting and name in right, waiting, True)
    return order.index(True), name


def _report(row: Row, *, has_answers: bool) -> str:
    """What somebody should know about a submission that is not paid; nothing for most."""
    name, status = row["submission_id"], row["status"]
    if status == "AWAITING REVIEW" and has_answers:
        given = f"the code {row['code']!r}" if row["code"] else "no code"
        return (
            f"its answers are in, but it handed in {given} instead of the study's; if they are honest: "
            f"photojury annotate prolific settle --also {name} --yes"
        )
    if status == "AWAITING REVIEW":
        return (
            "is finished at Prolific, but none of its answers are here: photojury annotate fetch, then settle again; "
            f"else write to the participant at Prolific's site, which pays by itself after {_DAYS} days"
        )
    if status in _UNPAID and has_answers:
        return f"is {status} at Prolific and is not paid, but its answers are in; if they are honest: {_by_bonus(name)}"
    if status not in ("RESERVED", "ACTIVE", "APPROVED", *_UNPAID):
        return f"is {status}, which photojury does not settle; see to it at Prolific's site"
    return ""


def _by_bonus(name: str) -> str:
    return f"photojury annotate prolific bonus {name} --cents N --reason TEXT --yes"


def _write_due(study: Study, client: Client, todo: Sequence[Ready], currency: str) -> None:
    """Write the payments that are about to be made; Prolific's fees are shared out among them."""
    known = {row["payment_key"] for row in study.rows(sa.select(_PAYMENTS.c.payment_key))}
    rows: list[Json] = []
    for reward in sorted({one.reward for one in todo}):
        new = [one for one in todo if one.reward == reward and _key(one) not in known]
        fees = client.cost(reward, len(new)) - reward * len(new) if new else 0
        for number, one in enumerate(new):
            share = fees * (number + 1) // len(new) - fees * number // len(new)
            rows += [_payment(one, "reward", reward, currency), _payment(one, "fee", share, currency)]
    study.add("payments", rows)


def _key(one: Ready) -> str:
    return f"prolific:{one.submission['submission_id']}"


def _payment(one: Ready, kind: str, amount: int, currency: str) -> Json:
    name = one.submission["submission_id"]
    return {
        "payment_key": _key(one) if kind == "reward" else f"prolific-fee:{name}",
        "kind": kind,
        # A submission that Prolific paid by itself may have no assignment here.
        "assignment_id": one.assignment["assignment_id"] if one.assignment else name,
        "rater_id": one.submission["rater_id"],
        "amount": amount,
        "currency": currency,
        "state": "due",
        "made_at": time.time(),
        "simulated": bool(one.assignment and one.assignment["simulated"]),
    }


def _approve(client: Client, todo: Sequence[Ready], progress: Callable[[int], None]) -> list[tuple[str, str]]:
    """Ask Prolific to approve; what it refuses is named, and the rest goes on."""
    names = [one.submission["submission_id"] for one in todo]
    if len(names) >= BULK:
        try:
            for start in range(0, len(names), _BULK_MOST):
                client.approve_many(names[start : start + _BULK_MOST])
                progress(min(len(names), start + _BULK_MOST))
            return []
        except ProlificRefusal as refusal:
            log.info("%s; they are approved one by one", refusal)
    refused = []
    for number, name in enumerate(names, 1):
        try:
            client.approve(name)
        except ProlificRefusal as refusal:
            refused.append((name, str(refusal)))
        progress(number)
    return refused


def _mark_paid(study: Study, names: Sequence[str]) -> tuple[int, int, int]:
    """Enter as paid what Prolific shows as approved; returns how many, and their rewards and fees."""
    query = sa.select(_SUBMISSIONS).where(
        _SUBMISSIONS.c.provider == PROVIDER, _SUBMISSIONS.c.status == "APPROVED"
    )
    approved = {row["submission_id"] for row in study.rows(query)} & set(names)
    count = {"reward": 0, "fee": 0}
    with study.writing() as connection:
        _forget_unpaid(connection)
        for name in sorted(approved):
            due = _PAYMENTS.c.payment_key.in_((f"prolific:{name}", f"prolific-fee:{name}"))
            for row in connection.execute(
                sa.select(_PAYMENTS).where(due, _PAYMENTS.c.state == "due")
            ).mappings():
                count[row["kind"]] += row["amount"]
            connection.execute(sa.update(_PAYMENTS).where(due).values(state="paid"))
    return len(approved), count["reward"], count["fee"]


def _forget_unpaid(connection: sa.Connection) -> None:
    """Take back what was due for submissions that have ended without payment since."""
    ended = sa.select(_SUBMISSIONS.c.submission_id).where(
        _SUBMISSIONS.c.provider == PROVIDER, _SUBMISSIONS.c.status.in_(_UNPAID)
    )
    keys = [f"{kind}:{name}" for name in connection.execute(ended).scalars() for kind in _KEYS]
    for start in range(0, len(keys), 500):
        some = _PAYMENTS.c.payment_key.in_(keys[start : start + 500])
        connection.execute(sa.delete(_PAYMENTS).where(some, _PAYMENTS.c.state == "due"))


def _answers(study: Study) -> dict[tuple[str, str], list[Row]]:
    """Assignments that were handed in here, by recruitment and rater, oldest first."""
    query = (
        sa.select(_ASSIGNMENTS, tables.recruitments.c.recruitment_id)
        .join(_HITS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key)
        .join(tables.recruitments, tables.recruitments.c.batch == _HITS.c.batch)
        .where(_ASSIGNMENTS.c.status != "Rejected", tables.recruitments.c.provider == PROVIDER)
        .order_by(_ASSIGNMENTS.c.submitted_at)
    )
    found: dict[tuple[str, str], list[Row]] = {}
    for row in study.rows(query):
        found.setdefault((row["recruitment_id"], row["rater_id"]), []).append(row)
    return found


def _rewards(study: Study) -> dict[str, int]:
    """What a place pays, by recruitment."""
    query = (
        sa.select(tables.recruitments.c.recruitment_id, sa.func.max(_HITS.c.reward).label("reward"))
        .join(_HITS, tables.recruitments.c.batch == _HITS.c.batch)
        .group_by(tables.recruitments.c.recruitment_id)
    )
    return {row["recruitment_id"]: row["reward"] for row in study.rows(query)}


def _marketplace(study: Study, batch: str) -> str:
    """The name under which the store knows the marketplace of a batch."""
    query = sa.select(_HITS.c.marketplace).where(_HITS.c.batch == batch, _HITS.c.marketplace.is_not(None))
    found = study.rows(query.limit(1))
    return found[0]["marketplace"] if found else "local"


def _check_known(study: Study, names: Sequence[str]) -> None:
    known = {row["submission_id"] for row in study.rows(sa.select(_SUBMISSIONS.c.submission_id))}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"{', '.join(unknown)}: no submission of this study has this id; `status` lists them"
        )
