"""The life of HITs and assignments: what state each is in, and what the clock changes by itself.

HIT: Assignable -> Unassignable (all taken) -> Reviewable (all handed in, or expired and none in hand)
<-> Reviewing -> Disposed; back to Assignable when an assignment is returned or abandoned or the HIT is extended.
Assignment: Accepted -> Submitted -> Approved | Rejected, or Returned, or Abandoned at its deadline.

Takes in an open write transaction and a locked HIT; gives out rows that agree with each other. Counts and
status stand in the HIT's row, made anew from its assignments after every change, and `due_at` says when the
clock will change something next, so that `settle` looks at nothing else.

    >>> status(maximum=2, pending=0, done=2, expired=False, before="Unassignable")
    'Reviewable'
"""

from dataclasses import dataclass

import sqlalchemy as sa

from photojury.annotate.marketplace import decisions, events, ledger, reviewing
from photojury.annotate.marketplace.books import Market
from photojury.annotate.marketplace.requesters.protocol import RequestError
from photojury.annotate.marketplace.tables import assignments, hit_types, hits

DAY = 24 * 3600.0

DISPOSED_AFTER = 120 * DAY
"""A HIT that has been reviewable so long is disposed of (DeleteHIT, API reference)."""

OVERRIDE_WITHIN = 30 * DAY
"""A rejection can be taken back so long after the submission (ApproveAssignment, API reference)."""

REVIEWED = ("Approved", "Rejected")
HANDED_IN = ("Submitted", *REVIEWED)


@dataclass(frozen=True)
class _Counts:
    pending: int
    submitted: int
    completed: int
    next_due: list[float]


def with_type() -> "sa.Select[tuple[object, ...]]":
    """The query of HITs with the columns of their HIT type; a clash of names is settled for the HIT."""
    of_type = [column for column in hit_types.c if column.name not in ("hit_type_id", "created_at")]
    return sa.select(hits, *of_type).join(hit_types)


def lock(connection: sa.Connection, hit_id: str, account: str | None = None) -> sa.RowMapping:
    """A HIT with its type, locked until the transaction ends.

    Args:
        connection: of a write transaction.
        hit_id: which.
        account: whose it must be; None where no requester asks.

    Raises:
        RequestError: HITDoesNotExist; so it is, too, for a HIT of another account.
    """
    query = with_type().where(hits.c.hit_id == hit_id).with_for_update(of=hits)
    row = connection.execute(query).mappings().one_or_none()
    if row is None or account not in (None, row["account"]):
        raise RequestError("HITDoesNotExist", f"Hit {hit_id} does not exist.")
    return row


def status(*, maximum: int, pending: int, done: int, expired: bool, before: str) -> str:
    """The status that counts and expiry give; Reviewing stays only where Reviewable would stand."""
    if before == "Disposed":
        return before
    if pending == 0 and (expired or done >= maximum):
        return "Reviewing" if before == "Reviewing" else "Reviewable"
    if expired or pending + done >= maximum:
        return "Unassignable"
    return "Assignable"


def settle(market: Market) -> None:
    """Do what the clock has brought about since the last look: one indexed query where nothing is due."""
    now = market.clock()
    due = sa.select(hits.c.hit_id).where(hits.c.due_at <= now).order_by(hits.c.due_at)
    for row in market.rows(due):
        # One transaction for each HIT, so that locks are never taken in two orders.
        with market.writing() as connection:
            refresh(connection, row["hit_id"], now)


def refresh(connection: sa.Connection, hit_id: str, now: float) -> str:
    """Bring a HIT up to the clock: abandon, approve, count, hold or release money; returns its status."""
    hit = lock(connection, hit_id)
    _abandon(connection, hit, now)
    _approve_unreviewed(connection, hit, now)
    hit = lock(connection, hit_id)
    counts = _count(connection, hit_id)
    expired = hit["expires_at"] <= now
    done = counts.submitted + counts.completed
    available = max(0, hit["max_assignments"] - counts.pending - done)
    new = status(
        maximum=hit["max_assignments"],
        pending=counts.pending,
        done=done,
        expired=expired,
        before=hit["status"],
    )
    reviewable_at = (hit["reviewable_at"] or now) if new in ("Reviewable", "Reviewing") else None
    if reviewable_at is not None and reviewable_at + DISPOSED_AFTER <= now and not counts.submitted:
        new = "Disposed"
    offered = 0 if expired or new == "Disposed" else available
    want = counts.pending + counts.submitted + offered
    ledger.cover(connection, now, hit, want)
    _write(connection, hit, counts, new, available, reviewable_at, now)
    _tell(connection, hit, new, now)
    became = new == "Reviewable" and hit["status"] in ("Assignable", "Unassignable")
    if became and reviewing.review(connection, hit, now):
        # A review policy may have paid, refused or extended. Reviewed it is not again: now it is Reviewable.
        return refresh(connection, hit_id, now)
    return new


def _write(
    connection: sa.Connection,
    hit: sa.RowMapping,
    counts: _Counts,
    new: str,
    available: int,
    reviewable_at: float | None,
    now: float,
) -> None:
    due = list(counts.next_due)
    if hit["expires_at"] > now:
        due.append(hit["expires_at"])
    if reviewable_at is not None:
        due.append(reviewable_at + DISPOSED_AFTER)
    connection.execute(
        sa.update(hits)
        .where(hits.c.hit_id == hit["hit_id"])
        .values(
            status=new,
            pending=counts.pending,
            submitted=counts.submitted,
            completed=counts.completed,
            available=available,
            reviewable_at=reviewable_at,
            expired=hit["expires_at"] <= now,
            due_at=min(due) if due and new != "Disposed" else None,
        )
    )


def _tell(connection: sa.Connection, hit: sa.RowMapping, new: str, now: float) -> None:
    """Notify of what has changed since the HIT was looked at last."""
    if hit["expires_at"] <= now and not hit["expired"]:
        events.emit(connection, hit, "HITExpired", now)
    if new == "Reviewable" and hit["status"] in ("Assignable", "Unassignable"):
        events.emit(connection, hit, "HITReviewable", now)
    if new == "Disposed" and hit["status"] != "Disposed":
        events.emit(connection, hit, "HITDisposed", now)


def _abandon(connection: sa.Connection, hit: sa.RowMapping, now: float) -> None:
    gone = (
        sa.update(assignments)
        .where(assignments.c.hit_id == hit["hit_id"], assignments.c.status == "Accepted")
        .where(assignments.c.deadline <= now)
        .values(status="Abandoned")
        .returning(assignments.c.assignment_id)
    )
    for assignment_id in connection.execute(gone).scalars().all():
        events.emit(connection, hit, "AssignmentAbandoned", now, assignment_id)


def _approve_unreviewed(connection: sa.Connection, hit: sa.RowMapping, now: float) -> None:
    overdue = (
        sa.select(assignments)
        .where(assignments.c.hit_id == hit["hit_id"], assignments.c.status == "Submitted")
        .where(assignments.c.auto_approval_at <= now)
    )
    for row in connection.execute(overdue).mappings().all():
        # It counts from its due time, whenever the marketplace came to look.
        decisions.approve(connection, hit, row, at=row["auto_approval_at"], feedback=None)


def _count(connection: sa.Connection, hit_id: str) -> _Counts:
    query = (
        sa.select(
            assignments.c.status,
            sa.func.count().label("number"),
            sa.func.min(assignments.c.deadline).label("deadline"),
            sa.func.min(assignments.c.auto_approval_at).label("approval"),
        )
        .where(assignments.c.hit_id == hit_id)
        .group_by(assignments.c.status)
    )
    found = {row["status"]: row for row in connection.execute(query).mappings()}
    number = {name: row["number"] for name, row in found.items()}
    due = [found["Accepted"]["deadline"]] if "Accepted" in found else []
    if "Submitted" in found:
        due.append(found["Submitted"]["approval"])
    completed = sum(number.get(name, 0) for name in REVIEWED)
    return _Counts(number.get("Accepted", 0), number.get("Submitted", 0), completed, due)
