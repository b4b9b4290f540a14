"""The requester's operations on assignments and bonuses.

Takes in a Market and checked parameters; gives out the JSON of MTurk's answer. Each function is the operation
of the same name in MTurk's API reference, 2017-01-17.

    >>> approve_assignment(market, {"AssignmentId": "3HMV..."})        # doctest: +SKIP
    {}
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace import decisions, ledger, states
from photojury.annotate.marketplace.books import Market, new_id
from photojury.annotate.marketplace.requesters.hits import hit_json, wrong_state
from photojury.annotate.marketplace.requesters.protocol import RequestError, page
from photojury.annotate.marketplace.requesters.tokens import use_token
from photojury.annotate.marketplace.tables import assignments, bonuses, hit_types, hits
from photojury.datasets.money import fee_of

Request = Mapping[str, Any]
Answer = dict[str, Any]


def list_assignments_for_hit(market: Market, request: Request) -> Answer:
    """What was handed in for a HIT, in the order of submission."""
    _hit_exists(market, request["HITId"])
    wanted = request.get("AssignmentStatuses") or states.HANDED_IN
    query = sa.select(assignments).where(
        assignments.c.hit_id == request["HITId"], assignments.c.status.in_(wanted)
    )
    order = (assignments.c.submitted_at, assignments.c.assignment_id)
    rows, answer = page(market.rows, query, order, request)
    return {**answer, "Assignments": [_assignment_json(row) for row in rows]}


def get_assignment(market: Market, request: Request) -> Answer:
    """One assignment that was handed in, with its HIT."""
    row = own_assignment(market, request["AssignmentId"])
    if row["status"] not in states.HANDED_IN:
        raise _wrong_status("Reviewable,Approved,Rejected")
    hit = market.row(states.with_type().where(hits.c.hit_id == row["hit_id"]))
    return {"Assignment": _assignment_json(row), **({"HIT": hit_json(hit)} if hit else {})}


def approve_assignment(market: Market, request: Request) -> Answer:
    """Pay for an assignment; with OverrideRejection also one that was rejected at most 30 days after it came."""
    now = market.clock()
    with market.writing() as connection:
        hit, row = _lock(connection, market, request["AssignmentId"])
        if row["status"] == "Rejected" and request.get("OverrideRejection"):
            _may_override(hit, row, now)
            # Its money was freed by the rejection and has to be held again; then it is paid like any other.
            ledger.cover(connection, now, hit, hit["held_assignments"] + 1)
        elif row["status"] != "Submitted":
            raise _wrong_status("Submitted")
        feedback = request.get("RequesterFeedback", row["feedback"])
        decisions.approve(connection, hit, row, at=now, feedback=feedback)
        states.refresh(connection, hit["hit_id"], now)
    return {}


def reject_assignment(market: Market, request: Request) -> Answer:
    """Refuse an assignment; the money that was held for it is free again."""
    now = market.clock()
    with market.writing() as connection:
        hit, row = _lock(connection, market, request["AssignmentId"])
        if row["status"] != "Submitted":
            raise _wrong_status("Submitted")
        decisions.reject(connection, hit, row, at=now, feedback=request["RequesterFeedback"])
        states.refresh(connection, hit["hit_id"], now)
    return {}


def send_bonus(market: Market, request: Request) -> Answer:
    """Pay a worker something on top, once for each UniqueRequestToken."""
    now, amount = market.clock(), ledger.cents(request["BonusAmount"])
    if amount < 1:
        raise RequestError("InvalidParameterValue", "The BonusAmount must be at least 0.01.")
    with market.writing() as connection:
        hit, row = _lock(connection, market, request["AssignmentId"])
        if row["worker_id"] != request["WorkerId"] or row["status"] not in states.HANDED_IN:
            raise RequestError(
                "InvalidParameterValue",
                f"Worker {request['WorkerId']} has not handed in assignment {row['assignment_id']}.",
            )
        bonus_id = new_id()
        use_token(connection, market.account, "bonus", request, bonus_id, now)
        about = {"hit_id": hit["hit_id"], "assignment_id": row["assignment_id"]}
        worker_id = row["worker_id"]
        # A bonus costs the lower fee, however many assignments the HIT has (mturk.com/pricing).
        fee = fee_of(amount, 1, market.fee_percent)
        ledger.move(connection, market.account, now, "bonus", available=-amount, worker_id=worker_id, **about)
        ledger.move(connection, market.account, now, "bonus_fee", available=-fee, **about)
        connection.execute(
            sa.insert(bonuses).values(
                bonus_id=bonus_id,
                assignment_id=row["assignment_id"],
                worker_id=worker_id,
                amount=amount,
                reason=request["Reason"],
                granted_at=now,
            )
        )
    return {}


def list_bonus_payments(market: Market, request: Request) -> Answer:
    """The bonuses of one HIT or of one assignment."""
    if ("HITId" in request) == ("AssignmentId" in request):
        raise RequestError("InvalidParameterValue", "Give either HITId or AssignmentId.")
    query = sa.select(bonuses)
    if "HITId" in request:
        _hit_exists(market, request["HITId"])
        of_hit = sa.select(assignments.c.assignment_id).where(assignments.c.hit_id == request["HITId"])
        query = query.where(bonuses.c.assignment_id.in_(of_hit))
    else:
        own_assignment(market, request["AssignmentId"])
        query = query.where(bonuses.c.assignment_id == request["AssignmentId"])
    rows, answer = page(market.rows, query, (bonuses.c.granted_at, bonuses.c.bonus_id), request)
    return {**answer, "BonusPayments": [_bonus_json(row) for row in rows]}


def get_account_balance(market: Market, request: Request) -> Answer:
    """What can still be spent, and what is held for HITs that are out."""
    with market.engine.connect() as connection:
        available, held = ledger.balances(connection, market.account)
    return {"AvailableBalance": ledger.dollars(available), "OnHoldBalance": ledger.dollars(held)}


def _assignment_json(row: sa.RowMapping) -> Answer:
    answer = {
        "AssignmentId": row["assignment_id"],
        "WorkerId": row["worker_id"],
        "HITId": row["hit_id"],
        "AssignmentStatus": row["status"],
        "AutoApprovalTime": row["auto_approval_at"],
        "AcceptTime": row["accepted_at"],
        "SubmitTime": row["submitted_at"],
        "ApprovalTime": row["approved_at"],
        "RejectionTime": row["rejected_at"],
        "Deadline": row["deadline"],
        "Answer": row["answer"],
        "RequesterFeedback": row["feedback"],
    }
    return {name: value for name, value in answer.items() if value is not None}


def _bonus_json(row: sa.RowMapping) -> Answer:
    return {
        "WorkerId": row["worker_id"],
        "BonusAmount": ledger.dollars(row["amount"]),
        "AssignmentId": row["assignment_id"],
        "Reason": row["reason"],
        "GrantTime": row["granted_at"],
    }


def own_assignment(market: Market, assignment_id: str) -> sa.RowMapping:
    """An assignment of one of the account's HITs.

    Raises:
        RequestError: AssignmentDoesNotExist.
    """
    query = sa.select(assignments).select_from(assignments.join(hits).join(hit_types))
    own = hit_types.c.account == market.account
    row = market.row(query.where(own, assignments.c.assignment_id == assignment_id))
    if row is None:
        raise _no_assignment(assignment_id)
    return row


def _lock(
    connection: sa.Connection, market: Market, assignment_id: str
) -> tuple[sa.RowMapping, sa.RowMapping]:
    """An assignment and its HIT; the HIT is locked first, as everywhere, and the assignment read under it."""
    query = sa.select(assignments).where(assignments.c.assignment_id == assignment_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise _no_assignment(assignment_id)
    hit = states.lock(connection, row["hit_id"])
    if hit["account"] != market.account:
        raise _no_assignment(assignment_id)
    return hit, connection.execute(query).mappings().one()


def _may_override(hit: sa.RowMapping, row: sa.RowMapping, now: float) -> None:
    if hit["status"] == "Disposed":
        raise wrong_state("InvalidHITState", "Assignable, Unassignable, Reviewable, Reviewing", hit)
    if now > row["submitted_at"] + states.OVERRIDE_WITHIN:
        raise RequestError(
            "InvalidAssignmentState",
            "A rejection can only be overridden within 30 days of the submission.",
        )


def _hit_exists(market: Market, hit_id: str) -> None:
    query = sa.select(hits.c.hit_id).select_from(hits.join(hit_types))
    if market.row(query.where(hit_types.c.account == market.account, hits.c.hit_id == hit_id)) is None:
        raise RequestError("HITDoesNotExist", f"Hit {hit_id} does not exist.")


def _no_assignment(assignment_id: str) -> RequestError:
    return RequestError("AssignmentDoesNotExist", f"Assignment {assignment_id} does not exist.")


def _wrong_status(allowed: str) -> RequestError:
    return RequestError("InvalidAssignmentState", f"This operation can be called with a status of: {allowed}")
