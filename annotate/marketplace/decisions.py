"""Approving and rejecting an assignment: its mark, its money, its event.

Takes in an open write transaction with the HIT locked; gives out changed rows. Both are called by requesters
(assignments), by the clock (states) and by review policies (reviewing), and are the same for each.

    >>> approve(connection, hit, assignment, at=now, feedback=None)        # doctest: +SKIP
"""

import sqlalchemy as sa

from photojury.annotate.marketplace import events, ledger
from photojury.annotate.marketplace.tables import assignments


def approve(
    connection: sa.Connection,
    hit: sa.RowMapping,
    assignment: sa.RowMapping,
    *,
    at: float,
    feedback: str | None,
) -> None:
    """Pay an assignment out of what its HIT holds, and mark it; `states.refresh` the HIT afterwards."""
    ledger.pay(connection, at, hit, assignment)
    connection.execute(
        sa.update(assignments)
        .where(assignments.c.assignment_id == assignment["assignment_id"])
        .values(status="Approved", approved_at=at, feedback=feedback, rejected_at=None)
    )
    events.emit(connection, hit, "AssignmentApproved", at, assignment["assignment_id"])


def reject(
    connection: sa.Connection, hit: sa.RowMapping, assignment: sa.RowMapping, *, at: float, feedback: str
) -> None:
    """Mark an assignment as refused, and free the money that `hit`, as it stands now, holds for it."""
    ledger.cover(connection, at, hit, hit["held_assignments"] - 1)
    connection.execute(
        sa.update(assignments)
        .where(assignments.c.assignment_id == assignment["assignment_id"])
        .values(status="Rejected", rejected_at=at, feedback=feedback)
    )
    events.emit(connection, hit, "AssignmentRejected", at, assignment["assignment_id"])
