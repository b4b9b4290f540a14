"""The requester's operations on HITs.

Takes in a Market and checked parameters (photojury.annotate.marketplace.requesters.protocol.read); gives out the JSON
of MTurk's answer. Each function is the operation of the same name in MTurk's API reference, 2017-01-17.

    >>> get_hit(market, {"HITId": "3V6W..."})["HIT"]["HITStatus"]        # doctest: +SKIP
    'Assignable'
"""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace import events, ledger, requirements, review_policies, states
from photojury.annotate.marketplace.books import Market, new_id
from photojury.annotate.marketplace.questions import questions
from photojury.annotate.marketplace.requesters.hit_types import own_type, register
from photojury.annotate.marketplace.requesters.protocol import RequestError, page, timestamp
from photojury.annotate.marketplace.requesters.tokens import use_token
from photojury.annotate.marketplace.tables import hit_types, hits
from photojury.datasets.money import MANY_ASSIGNMENTS, fee_of
from photojury.datasets.store import add_rows

Request = Mapping[str, Any]
Answer = dict[str, Any]


def create_hit(market: Market, request: Request) -> Answer:
    """Create a HIT and, where its values are new, its HIT type."""
    needed = requirements.check(market, request.get("QualificationRequirements", []))
    with market.writing() as connection:
        hit_type_id = register(connection, market, request, needed)
        reward = ledger.cents(request["Reward"])
        hit_id = _create(connection, market, request, hit_type_id, reward)
    return get_hit(market, {"HITId": hit_id})


def create_hit_with_hit_type(market: Market, request: Request) -> Answer:
    """Create a HIT of a type that is there."""
    hit_type = own_type(market, request["HITTypeId"])
    with market.writing() as connection:
        hit_id = _create(connection, market, request, hit_type["hit_type_id"], hit_type["reward"])
    return get_hit(market, {"HITId": hit_id})


def get_hit(market: Market, request: Request) -> Answer:
    """One HIT, in any state."""
    row = market.row(_own(market).where(hits.c.hit_id == request["HITId"]))
    if row is None:
        raise RequestError("HITDoesNotExist", f"Hit {request['HITId']} does not exist.")
    return {"HIT": hit_json(row)}


def list_hits(market: Market, request: Request) -> Answer:
    """All HITs but the disposed ones, the newest first."""
    query = _own(market).where(hits.c.status != "Disposed")
    return hit_list(market, query, request)


def list_reviewable_hits(market: Market, request: Request) -> Answer:
    """The HITs that are Reviewable, or Reviewing where Status says so."""
    query = _own(market).where(hits.c.status == request.get("Status", "Reviewable"))
    if "HITTypeId" in request:
        query = query.where(hits.c.hit_type_id == request["HITTypeId"])
    return hit_list(market, query, request)


def update_expiration_for_hit(market: Market, request: Request) -> Answer:
    """Set when a HIT expires; a time in the past expires it at once and frees the money for what is not taken."""
    now, expires_at = market.clock(), timestamp(request["ExpireAt"])
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"], market.account)
        if hit["status"] == "Disposed":
            raise wrong_state("InvalidHITState", "Assignable, Unassignable, Reviewable, Reviewing", hit)
        change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
        connection.execute(change.values(expires_at=max(expires_at, hit["created_at"])))
        states.refresh(connection, hit["hit_id"], now)
    return {}


def delete_hit(market: Market, request: Request) -> Answer:
    """Dispose of a HIT that is reviewable and has no assignment waiting for review."""
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"], market.account)
        if hit["status"] not in ("Reviewable", "Reviewing") or hit["submitted"]:
            raise wrong_state("InvalidHITState", "Reviewing, Reviewable", hit)
        change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
        connection.execute(change.values(status="Disposed"))
        events.emit(connection, hit, "HITDisposed", market.clock())
        states.refresh(connection, hit["hit_id"], market.clock())
    return {}


def update_hit_review_status(market: Market, request: Request) -> Answer:
    """Move a HIT from Reviewable to Reviewing, or back with Revert."""
    before, after = ("Reviewing", "Reviewable") if request.get("Revert") else ("Reviewable", "Reviewing")
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"], market.account)
        if hit["status"] not in (before, after):
            raise wrong_state("InvalidHITState", before, hit)
        change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
        connection.execute(change.values(status=after))
    return {}


def create_additional_assignments_for_hit(market: Market, request: Request) -> Answer:
    """Offer a HIT to more workers; not across the border of ten, where the fee changes."""
    now, more = market.clock(), request["NumberOfAdditionalAssignments"]
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"], market.account)
        if hit["status"] == "Disposed":
            raise wrong_state("InvalidHITState", "Assignable, Unassignable, Reviewable, Reviewing", hit)
        use_token(connection, market.account, "extend", request, hit["hit_id"], now)
        total = hit["max_assignments"] + more
        if hit["max_assignments"] < MANY_ASSIGNMENTS <= total:
            raise RequestError(
                "InvalidMaximumAssignmentsIncrease",
                "HITs created with fewer than 10 assignments cannot be extended to have 10 or more assignments.",
            )
        if total > 1_000_000_000:
            raise RequestError("InvalidParameterValue", "A HIT has at most 1000000000 assignments.")
        change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
        connection.execute(change.values(max_assignments=total))
        events.emit(connection, hit, "HITExtended", now)
        states.refresh(connection, hit["hit_id"], now)
    return {}


def wrong_state(code: str, allowed: str, hit: sa.RowMapping) -> RequestError:
    """MTurk's words for an operation that a HIT's state does not allow (boto/boto3 issue 2107)."""
    return RequestError(
        code,
        f"This HIT is currently in the state '{hit['status']}'.  "
        f"This operation can be called with a status of: {allowed}",
    )


def hit_json(row: sa.RowMapping) -> Answer:
    """A HIT as MTurk's HIT data structure."""
    answer = {
        "HITId": row["hit_id"],
        "HITTypeId": row["hit_type_id"],
        "HITGroupId": row["hit_group_id"],
        "CreationTime": row["created_at"],
        "Title": row["title"],
        "Description": row["description"],
        "Question": row["question"],
        "Keywords": row["keywords"],
        "HITStatus": row["status"],
        "MaxAssignments": row["max_assignments"],
        "Reward": ledger.dollars(row["reward"]),
        "AutoApprovalDelayInSeconds": row["auto_approval_delay"],
        "Expiration": row["expires_at"],
        "AssignmentDurationInSeconds": row["assignment_duration"],
        "QualificationRequirements": json.loads(row["requirements"]),
        "HITReviewStatus": row["review_status"],
        "NumberOfAssignmentsPending": row["pending"],
        "NumberOfAssignmentsAvailable": row["available"],
        "NumberOfAssignmentsCompleted": row["completed"],
    }
    if row["annotation"] is not None:
        answer["RequesterAnnotation"] = row["annotation"]
    return answer


def _own(market: Market) -> "sa.Select[Any]":
    return states.with_type().where(hit_types.c.account == market.account)


def hit_list(market: Market, query: "sa.Select[Any]", request: Request) -> Answer:
    """One page of a list of HITs, the newest first."""
    order = (hits.c.created_at, hits.c.hit_id)
    rows, answer = page(market.rows, query, order, request, newest_first=True)
    return {**answer, "HITs": [hit_json(row) for row in rows]}


def _create(
    connection: sa.Connection, market: Market, request: Request, hit_type_id: str, reward: int
) -> str:
    now = market.clock()
    if request.get("HITLayoutId"):
        raise RequestError(
            "HITLayoutDoesNotExist",
            f"HITLayout {request['HITLayoutId']} does not exist: layouts were made on MTurk's requester site. "
            "Send the page as an HTMLQuestion.",
        )
    if "Question" not in request:
        raise RequestError("InvalidParameterValue", "The parameter Question is missing.")
    questions.check(request["Question"])
    policies = review_policies.check(request)
    hit_id = new_id()
    use_token(connection, market.account, "hit", request, hit_id, now)
    maximum = request.get("MaxAssignments", 1)
    row = {
        "hit_id": hit_id,
        "hit_type_id": hit_type_id,
        "question": request["Question"],
        "annotation": request.get("RequesterAnnotation"),
        "created_at": now,
        "expires_at": now + request["LifetimeInSeconds"],
        "max_assignments": maximum,
        "fee": fee_of(reward, maximum, market.fee_percent),
        "status": "Assignable",
        "review_status": "NotReviewed",
        "review_policies": policies,
        "expired": False,
    }
    nothing_yet = dict.fromkeys(("held_assignments", "pending", "submitted", "completed", "available"), 0)
    add_rows(connection, hits, [{**row, **nothing_yet}])
    states.refresh(connection, hit_id, now)
    events.emit(connection, states.lock(connection, hit_id), "HITCreated", now)
    return hit_id
