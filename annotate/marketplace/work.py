"""What a worker does with HITs: look, accept, keep a draft, return, hand in, and look at the earnings.

Takes in a Market and a worker's id; gives out rows and ids for the worker site. Two workers who reach for the
last assignment at the same moment are put in order by the lock on its HIT: one gets it, the other gets the
next HIT, or none.

    >>> assignment_id = accept(market, "A2XYZ", hit_group_id)        # doctest: +SKIP
    >>> submit(market, assignment_id, [("stars-1", "3")])            # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace import events, requirements, reviewing, states
from photojury.annotate.marketplace.books import Market, new_id
from photojury.annotate.marketplace.questions import questions
from photojury.annotate.marketplace.questions.form_answers import AnswerError
from photojury.annotate.marketplace.tables import (
    assignments,
    blocks,
    bonuses,
    hit_types,
    hits,
)

NOT_DONE = ("Returned", "Abandoned")


class SubmitError(Exception):
    """An answer that cannot be taken; the message says why, to the worker."""


@dataclass(frozen=True)
class Earnings:
    """A worker's money in cents, and the last assignments, newest first."""

    approved: int
    waiting: int
    bonuses: int
    recent: list[sa.RowMapping]


def groups(market: Market, worker_id: str | None) -> list[sa.RowMapping]:
    """The HIT groups with something to do for this worker: their type's columns and `number` of HITs.

    Groups that the worker may not discover, or whose requester has blocked them, are not among them.
    """
    query = (
        sa.select(hit_types, sa.func.count().label("number"))
        .join(hits)
        .where(*_open_to(worker_id))
        .group_by(hit_types.c.hit_type_id)
        .order_by(hit_types.c.created_at, hit_types.c.hit_type_id)
    )
    return [row for row in market.rows(query) if may(market, worker_id, "discover", row)]


def may(market: Market, worker_id: str | None, action: str, hit_type: sa.RowMapping) -> bool:
    """Whether a worker may discover, preview or accept the HITs of a type."""
    blocked = sa.select(blocks.c.reason).where(
        blocks.c.account == hit_type["account"], blocks.c.worker_id == worker_id
    )
    if worker_id is not None and market.row(blocked) is not None:
        return False
    return requirements.may(action, requirements.unmet(market, worker_id, hit_type["requirements"]))


def group(market: Market, group_id: str) -> sa.RowMapping | None:
    """The HIT type of a group, found by HITGroupId or HITTypeId."""
    same = (hit_types.c.hit_group_id == group_id) | (hit_types.c.hit_type_id == group_id)
    return market.row(sa.select(hit_types).where(same))


def next_hit(market: Market, worker_id: str | None, hit_type_id: str) -> sa.RowMapping | None:
    """The HIT that the worker would get now, and would be shown in the preview."""
    return market.row(_next(worker_id, hit_type_id))


def hit(market: Market, hit_id: str) -> sa.RowMapping | None:
    """A HIT with its type; None where there is none, or it was disposed of."""
    return market.row(states.with_type().where(hits.c.hit_id == hit_id, hits.c.status != "Disposed"))


def did(market: Market, worker_id: str, hit_id: str) -> bool:
    """Whether a worker has handed in this HIT."""
    mine = (assignments.c.hit_id == hit_id) & (assignments.c.worker_id == worker_id)
    query = sa.select(assignments.c.assignment_id).where(mine, assignments.c.status.in_(states.HANDED_IN))
    return market.row(query) is not None


def done_in_group(market: Market, worker_id: str, hit_type_id: str) -> int:
    """How many HITs of a type a worker has handed in."""
    query = sa.select(sa.func.count().label("number")).select_from(assignments).join(hits)
    row = market.row(
        query.where(
            hits.c.hit_type_id == hit_type_id,
            assignments.c.worker_id == worker_id,
            assignments.c.status.in_(states.HANDED_IN),
        )
    )
    return int(row["number"]) if row else 0


def in_hand(market: Market, worker_id: str, hit_type_id: str | None = None) -> list[sa.RowMapping]:
    """The assignments that a worker has accepted and not handed in, the most urgent first."""
    query = _assignments().where(assignments.c.worker_id == worker_id, assignments.c.status == "Accepted")
    if hit_type_id:
        query = query.where(hits.c.hit_type_id == hit_type_id)
    return market.rows(query.order_by(assignments.c.deadline))


def assignment(market: Market, assignment_id: str) -> sa.RowMapping | None:
    """An assignment with its HIT and HIT type; the HIT's own status is `hit_status`."""
    return market.row(_assignments().where(assignments.c.assignment_id == assignment_id))


def accept(market: Market, worker_id: str, hit_type_id: str, hit_id: str | None = None) -> str | None:
    """Give a worker the least filled HIT of a type that they have not done; what is in hand comes first.

    Args:
        market: the marketplace.
        worker_id: who wants it; whether they may is asked before (`may`).
        hit_type_id: of which type.
        hit_id: just this one, where the worker was sent to it.

    Returns:
        The assignment's id, or None where nothing is left for this worker.
    """
    while True:
        states.settle(market)
        held = _held(market, worker_id, hit_type_id, hit_id)
        if held:
            return held
        with market.writing() as connection:
            query = _next(worker_id, hit_type_id)
            if hit_id is not None:
                query = query.where(hits.c.hit_id == hit_id)
            choice = connection.execute(query).mappings().one_or_none()
            if choice:
                taken = _take(connection, choice["hit_id"], worker_id, market.clock())
                if taken:
                    return taken
        if choice is None:
            # Nothing is left, unless this worker's other window has taken it since the first look.
            return _held(market, worker_id, hit_type_id, hit_id)
        # Between the look and the lock somebody took the last one: look again.


def give_back(market: Market, assignment_id: str) -> None:
    """Return an assignment that is in hand, so that another worker can have it."""
    row = assignment(market, assignment_id)
    if row is None:
        return
    with market.writing() as connection:
        hit = states.lock(connection, row["hit_id"])
        change = (
            sa.update(assignments)
            .where(assignments.c.assignment_id == assignment_id, assignments.c.status == "Accepted")
            .values(status="Returned")
            .returning(assignments.c.assignment_id)
        )
        if connection.execute(change).first():
            events.emit(connection, hit, "AssignmentReturned", market.clock(), assignment_id)
        states.refresh(connection, row["hit_id"], market.clock())


def keep_draft(market: Market, assignment_id: str, draft: str) -> None:
    """Keep what the page of an assignment in hand has of unfinished answers, for after a reload."""
    with market.writing() as connection:
        this = (assignments.c.assignment_id == assignment_id) & (assignments.c.status == "Accepted")
        connection.execute(sa.update(assignments).where(this).values(draft=draft))


def submit(market: Market, assignment_id: str, fields: Sequence[tuple[str, str]]) -> None:
    """Take in an answer. Handed in twice, the first answer stays.

    Args:
        assignment_id: the key; whoever knows it may hand in.
        fields: the form's fields in order, without assignmentId.

    Raises:
        SubmitError: there is no such assignment, its time is over, it was returned, or it was not answered as
            the question asks.
    """
    row = assignment(market, assignment_id)
    if row is None:
        raise SubmitError("This assignment does not exist. Accept a task first, then answer it.")
    if row["status"] in states.HANDED_IN:
        return
    try:
        answer = questions.answers_to(row["question"], fields)
    except AnswerError as error:
        raise SubmitError(str(error)) from None
    with market.writing() as connection:
        hit, now = states.lock(connection, row["hit_id"]), market.clock()
        query = sa.select(assignments).where(assignments.c.assignment_id == assignment_id)
        locked = connection.execute(query).mappings().one()
        if locked["status"] in states.HANDED_IN:
            return
        if locked["status"] == "Returned":
            raise SubmitError("You returned this task, so it can no longer be handed in.")
        if locked["status"] == "Abandoned" or locked["deadline"] <= now:
            raise SubmitError("The time for this task was over before it was handed in.")
        connection.execute(
            sa.update(assignments)
            .where(assignments.c.assignment_id == assignment_id)
            .values(
                status="Submitted",
                submitted_at=now,
                auto_approval_at=now + hit["auto_approval_delay"],
                answer=answer,
                draft=None,
            )
        )
        events.emit(connection, hit, "AssignmentSubmitted", now, assignment_id)
        reviewing.assess(connection, hit, assignment_id, now)
        states.refresh(connection, row["hit_id"], now)


def earnings(market: Market, worker_id: str) -> Earnings:
    """What a worker has earned and what waits for review."""
    by_status = (
        sa.select(assignments.c.status, sa.func.sum(hit_types.c.reward).label("cents"))
        .join(hits, hits.c.hit_id == assignments.c.hit_id)
        .join(hit_types)
        .where(assignments.c.worker_id == worker_id)
        .group_by(assignments.c.status)
    )
    cents = {row["status"]: int(row["cents"]) for row in market.rows(by_status)}
    extra = market.row(
        sa.select(sa.func.coalesce(sa.func.sum(bonuses.c.amount), 0).label("cents")).where(
            bonuses.c.worker_id == worker_id
        )
    )
    recent = (
        _assignments()
        .where(assignments.c.worker_id == worker_id, assignments.c.status.in_(states.HANDED_IN))
        .order_by(assignments.c.submitted_at.desc(), assignments.c.assignment_id)
        .limit(100)
    )
    return Earnings(
        approved=cents.get("Approved", 0),
        waiting=cents.get("Submitted", 0),
        bonuses=int(extra["cents"]) if extra else 0,
        recent=market.rows(recent),
    )


def _held(market: Market, worker_id: str, hit_type_id: str, hit_id: str | None) -> str | None:
    held = [
        row for row in in_hand(market, worker_id, hit_type_id) if hit_id is None or row["hit_id"] == hit_id
    ]
    return held[0]["assignment_id"] if held else None


def _take(connection: sa.Connection, hit_id: str, worker_id: str, now: float) -> str | None:
    hit = states.lock(connection, hit_id)
    mine = sa.select(assignments.c.assignment_id).where(
        assignments.c.hit_id == hit_id,
        assignments.c.worker_id == worker_id,
        assignments.c.status.not_in(NOT_DONE),
    )
    gone = hit["status"] != "Assignable" or hit["expires_at"] <= now
    if gone or connection.execute(mine).first() is not None:
        return None
    assignment_id = new_id()
    connection.execute(
        sa.insert(assignments).values(
            assignment_id=assignment_id,
            hit_id=hit_id,
            worker_id=worker_id,
            status="Accepted",
            accepted_at=now,
            deadline=now + hit["assignment_duration"],
        )
    )
    states.refresh(connection, hit_id, now)
    events.emit(connection, hit, "AssignmentAccepted", now, assignment_id)
    return assignment_id


def _next(worker_id: str | None, hit_type_id: str) -> "sa.Select[Any]":
    filled = (hits.c.max_assignments - hits.c.available) * 1.0 / hits.c.max_assignments
    return (
        states.with_type()
        .where(hits.c.hit_type_id == hit_type_id, *_open_to(worker_id))
        .order_by(filled, hits.c.created_at, hits.c.hit_id)
        .limit(1)
    )


def _open_to(worker_id: str | None) -> "list[sa.ColumnElement[bool]]":
    assignable = hits.c.status == "Assignable"
    if worker_id is None:
        return [assignable]
    done = sa.exists().where(
        assignments.c.hit_id == hits.c.hit_id,
        assignments.c.worker_id == worker_id,
        assignments.c.status.not_in(NOT_DONE),
    )
    return [assignable, ~done]


def _assignments() -> "sa.Select[Any]":
    of_type = ("hit_group_id", "title", "reward", "assignment_duration", "account", "requirements")
    facts = [hit_types.c[name] for name in of_type]
    return (
        sa.select(assignments, hits.c.hit_type_id, hits.c.question, hits.c.status.label("hit_status"), *facts)
        .join(hits, hits.c.hit_id == assignments.c.hit_id)
        .join(hit_types)
    )
