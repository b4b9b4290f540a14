"""Paying one assignment: due, then the call, then paid.

Takes in a row of the assignments table with its HIT's reward and max_assignments; writes the payments. They are
written as "due" before the marketplace is asked, under keys that say what they are for, so that nothing is
lost or paid twice, wherever a run is killed.

    >>> payment_keys("3ABC")
    ('reward:3ABC', 'fee:3ABC')
"""

import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.annotate.requester import Requester, service_errors
from photojury.datasets import tables
from photojury.datasets.money import price
from photojury.datasets.store import Study, add_rows

Row = Mapping[str, Any]

_ASSIGNMENTS, _HITS, _PAYMENTS = tables.assignments, tables.hits, tables.payments


def payment_keys(assignment_id: str) -> tuple[str, str]:
    """The keys of an assignment's reward and its fee."""
    return f"reward:{assignment_id}", f"fee:{assignment_id}"


def pay(study: Study, requester: Requester, row: Row, *, override: bool = False) -> None:
    """Approve and pay one assignment; one that is approved already is only entered.

    Args:
        study: the open study.
        requester: its marketplace.
        row: of `with_terms`.
        override: also if it was rejected.

    Raises:
        ServiceError: the marketplace refused or does not answer; run again, it goes on.
    """
    name, cost, keys = row["assignment_id"], price(study, row), payment_keys(row["assignment_id"])
    payments = [
        {
            "payment_key": key,
            "kind": kind,
            "assignment_id": name,
            "rater_id": row["rater_id"],
            "amount": amount,
            "state": "due",
            "made_at": time.time(),
            "simulated": row["simulated"],
        }
        for key, kind, amount in zip(keys, ("reward", "fee"), (cost.rewards, cost.fees), strict=True)
    ]
    with study.writing() as connection:
        add_rows(connection, _PAYMENTS, payments)
    if row["status"] != "Approved":
        _approve(requester, name, override=override)
    with study.writing() as connection:
        paid = sa.update(_PAYMENTS).where(_PAYMENTS.c.payment_key.in_(keys))
        connection.execute(paid.values(state="paid"))
        mark(connection, row, status="Approved")


def mark(connection: sa.Connection, row: Row, **columns: object) -> None:
    """Change the row of one assignment."""
    this = (_ASSIGNMENTS.c.assignment_id == row["assignment_id"]) & (
        _ASSIGNMENTS.c.rater_id == row["rater_id"]
    )
    connection.execute(sa.update(_ASSIGNMENTS).where(this).values(**columns))


def status_there(requester: Requester, assignment_id: str) -> str:
    """What the marketplace says of an assignment: Submitted, Approved or Rejected."""
    answer = requester.client.get_assignment(AssignmentId=assignment_id)
    return str(answer["Assignment"].get("AssignmentStatus"))


def _approve(requester: Requester, assignment_id: str, *, override: bool) -> None:
    """Approve an assignment; one that is approved already (by a run that was killed, or by time) is fine."""
    with service_errors(requester.endpoint):
        try:
            requester.client.approve_assignment(AssignmentId=assignment_id, OverrideRejection=override)
        except ClientError:
            if status_there(requester, assignment_id) != "Approved":
                raise
