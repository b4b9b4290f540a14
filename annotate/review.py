"""Review: every honest assignment is paid; whether its answers are used is decided apart from that.

Takes in a study and a requester; approves what is submitted, writes the payments, and marks with `use` and
`reason` what the analysis leaves out. Nothing is ever rejected here: a wrong rejection costs a worker about a
hundred approvals, and an unused answer costs the study a few cents.

A payment is written as "due" before the marketplace is asked to pay it, under a key that says what it is for,
so that it is neither lost nor made twice, wherever a run is killed.

    >>> review(study, connect(study.settings))      # doctest: +SKIP
    Reviewed(approved=72, paid=Cost(rewards=1440, fees=576), unused=6, ...)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.annotate.budget import Cost, fee_of
from photojury.annotate.budget import spent  # noqa: F401  (its old place)
from photojury.annotate.requester import Requester, service_errors
from photojury.annotate.screening import screen
from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows

Row = Mapping[str, Any]

_ASSIGNMENTS, _HITS, _PAYMENTS = tables.assignments, tables.hits, tables.payments


@dataclass(frozen=True)
class Reviewed:
    """What a review did.

    Attributes:
        approved: assignments approved now, with those that were approved without us and are entered now.
        paid: what was paid for them, fees included.
        unused: assignments in the study whose answers the analysis leaves out.
        reasons: how many assignments each reason leaves out.
    """

    approved: int
    paid: Cost
    unused: int
    reasons: dict[str, int]


def review(
    study: Study, requester: Requester, progress: Callable[[int], None] = lambda done: None
) -> Reviewed:
    """Approve and pay every submitted assignment, then decide which answers are used.

    Raises:
        ServiceError: the marketplace refused or does not answer; run again, it goes on.
    """
    rows = _unsettled(study)
    for done, row in enumerate(rows, 1):
        _settle(study, requester, row, _fee(study, row))
        progress(done)
    reasons = _decide_use(study)
    return Reviewed(len(rows), _cost(study, rows), sum(reasons.values()), reasons)


def cost_of_unreviewed(study: Study) -> tuple[int, Cost]:
    """How many assignments the next review will pay, and what it will pay for them."""
    rows = _unsettled(study)
    return len(rows), _cost(study, rows)


def _unsettled(study: Study) -> Sequence[Row]:
    """Assignments to be approved, and approved ones (by us or by the marketplace) without a settled payment."""
    paid = sa.select(_PAYMENTS.c.assignment_id).where(
        _PAYMENTS.c.kind == "reward", _PAYMENTS.c.state == "paid"
    )
    query = (
        sa.select(_ASSIGNMENTS, _HITS.c.reward, _HITS.c.max_assignments)
        .join(_HITS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key)
        .where(_ASSIGNMENTS.c.status != "Rejected", _ASSIGNMENTS.c.assignment_id.not_in(paid))
    )
    return study.rows(query.order_by(_ASSIGNMENTS.c.submitted_at))


def _fee(study: Study, row: Row) -> int:
    return fee_of(row["reward"], row["max_assignments"], study.settings.market.fee_percent)


def _cost(study: Study, rows: Sequence[Row]) -> Cost:
    return Cost(sum(row["reward"] for row in rows), sum(_fee(study, row) for row in rows))


def _settle(study: Study, requester: Requester, row: Row, fee: int) -> None:
    """Pay one assignment: due, then the call, then paid."""
    payments = [
        {
            "payment_key": f"{kind}:{row['assignment_id']}",
            "kind": kind,
            "assignment_id": row["assignment_id"],
            "rater_id": row["rater_id"],
            "amount": amount,
            "state": "due",
            "simulated": row["simulated"],
        }
        for kind, amount in (("reward", row["reward"]), ("fee", fee))
    ]
    with study.writing() as connection:
        add_rows(connection, _PAYMENTS, payments)
    if row["status"] == "Submitted":
        _approve(requester, row["assignment_id"])
    with study.writing() as connection:
        mine = _PAYMENTS.c.assignment_id == row["assignment_id"]
        connection.execute(
            sa.update(_PAYMENTS).where(mine, _PAYMENTS.c.kind.in_(("reward", "fee"))).values(state="paid")
        )
        connection.execute(
            sa.update(_ASSIGNMENTS)
            .where(
                _ASSIGNMENTS.c.assignment_id == row["assignment_id"],
                _ASSIGNMENTS.c.rater_id == row["rater_id"],
            )
            .values(status="Approved")
        )


def _approve(requester: Requester, assignment_id: str) -> None:
    """Approve an assignment; one that is approved already (by a run that was killed, or by time) is fine."""
    with service_errors(requester.endpoint):
        try:
            requester.client.approve_assignment(AssignmentId=assignment_id)
        except ClientError:
            answer = requester.client.get_assignment(AssignmentId=assignment_id)
            if answer["Assignment"].get("AssignmentStatus") != "Approved":
                raise


def _decide_use(study: Study) -> dict[str, int]:
    """Mark what screening finds; what could not be read at all stays unused whatever screening says."""
    assignments = study.rows(sa.select(_ASSIGNMENTS))
    ratings, comparisons = study.read("ratings"), study.read("comparisons")
    found = screen(ratings, comparisons)
    answered = {*ratings["assignment_id"], *comparisons["assignment_id"]}
    counts: dict[str, int] = {}
    with study.writing() as connection:
        for row in assignments:
            reason = found.get(row["assignment_id"])
            use = row["assignment_id"] in answered and reason is None
            if not use:
                label = reason or "no answer could be read"
                counts[label] = counts.get(label, 0) + 1
            text = _with_reason(row["reason"], reason)
            if (use, text) != (row["use"], row["reason"]):
                this = (_ASSIGNMENTS.c.assignment_id == row["assignment_id"]) & (
                    _ASSIGNMENTS.c.rater_id == row["rater_id"]
                )
                connection.execute(sa.update(_ASSIGNMENTS).where(this).values(use=use, reason=text))
    return counts


_MARK = "not used: "


def _with_reason(problems: str | None, reason: str | None) -> str | None:
    """The reasons that fetching gave, and screening's, which a later review may take back."""
    parts = [part for part in (problems or "").split("; ") if part and not part.startswith(_MARK)]
    if reason:
        parts.append(_MARK + reason)
    return "; ".join(parts) or None
