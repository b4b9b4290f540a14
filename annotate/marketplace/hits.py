"""The requester's operations on HIT types and HITs.

Takes in a Market and checked parameters (photojury.annotate.marketplace.protocol.read); gives out the JSON
of MTurk's answer. Each function is the operation of the same name in MTurk's API reference, 2017-01-17.

    >>> create_hit_type(market, {"Title": "Rate", "Description": "Stars", "Reward": "0.20",
    ...                          "AssignmentDurationInSeconds": 600})        # doctest: +SKIP
    {'HITTypeId': '3V6W...'}
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.annotate.budget import MANY_ASSIGNMENTS, fee_of
from photojury.annotate.marketplace import ledger, questions, states
from photojury.annotate.marketplace.books import Market, hit_types, hits, new_id, tokens
from photojury.annotate.marketplace.protocol import RequestError, page, timestamp
from photojury.datasets.store import add_rows

Request = Mapping[str, Any]
Answer = dict[str, Any]

DEFAULT_AUTO_APPROVAL = 2_592_000
"""Seconds, 30 days (CreateHIT, API reference)."""

TOKEN_HOURS = 24
"""A UniqueRequestToken is remembered so long (UseRequestTokens, API reference)."""

_NOT_ANSWERED = ("QualificationRequirements", "AssignmentReviewPolicy", "HITReviewPolicy", "HITLayoutId")


def create_hit_type(market: Market, request: Request) -> Answer:
    """Register a HIT type; the same values give the type that is there."""
    with market.writing() as connection:
        return {"HITTypeId": _hit_type(connection, request, market.clock())}


def create_hit(market: Market, request: Request) -> Answer:
    """Create a HIT and, where its values are new, its HIT type."""
    now = market.clock()
    with market.writing() as connection:
        hit_id = _create(connection, market, request, _hit_type(connection, request, now), now)
    return get_hit(market, {"HITId": hit_id})


def create_hit_with_hit_type(market: Market, request: Request) -> Answer:
    """Create a HIT of a type that is there."""
    with market.writing() as connection:
        hit_id = _create(connection, market, request, request["HITTypeId"], market.clock())
    return get_hit(market, {"HITId": hit_id})


def get_hit(market: Market, request: Request) -> Answer:
    """One HIT, in any state."""
    row = market.row(states.with_type().where(hits.c.hit_id == request["HITId"]))
    if row is None:
        raise RequestError("HITDoesNotExist", f"Hit {request['HITId']} does not exist.")
    return {"HIT": hit_json(row)}


def list_hits(market: Market, request: Request) -> Answer:
    """All HITs but the disposed ones, the newest first."""
    query = states.with_type().where(hits.c.status != "Disposed")
    return _hit_list(market, query, request)


def list_reviewable_hits(market: Market, request: Request) -> Answer:
    """The HITs that are Reviewable, or Reviewing where Status says so."""
    query = states.with_type().where(hits.c.status == request.get("Status", "Reviewable"))
    if "HITTypeId" in request:
        query = query.where(hits.c.hit_type_id == request["HITTypeId"])
    return _hit_list(market, query, request)


def update_expiration_for_hit(market: Market, request: Request) -> Answer:
    """Set when a HIT expires; a time in the past expires it at once and frees the money for what is not taken."""
    now, expires_at = market.clock(), timestamp(request["ExpireAt"])
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"])
        if hit["status"] == "Disposed":
            raise wrong_state("InvalidHITState", "Assignable, Unassignable, Reviewable, Reviewing", hit)
        change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
        connection.execute(change.values(expires_at=max(expires_at, hit["created_at"])))
        states.refresh(connection, hit["hit_id"], now)
    return {}


def delete_hit(market: Market, request: Request) -> Answer:
    """Dispose of a HIT that is reviewable and has no assignment waiting for review."""
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"])
        if hit["status"] not in ("Reviewable", "Reviewing") or hit["submitted"]:
            raise wrong_state("InvalidHITState", "Reviewing, Reviewable", hit)
        change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
        connection.execute(change.values(status="Disposed"))
        states.refresh(connection, hit["hit_id"], market.clock())
    return {}


def update_hit_review_status(market: Market, request: Request) -> Answer:
    """Move a HIT from Reviewable to Reviewing, or back with Revert."""
    before, after = ("Reviewing", "Reviewable") if request.get("Revert") else ("Reviewable", "Reviewing")
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"])
        if hit["status"] not in (before, after):
            raise wrong_state("InvalidHITState", before, hit)
        change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
        connection.execute(change.values(status=after))
    return {}


def create_additional_assignments_for_hit(market: Market, request: Request) -> Answer:
    """Offer a HIT to more workers; not across the border of ten, where the fee changes."""
    now, more = market.clock(), request["NumberOfAdditionalAssignments"]
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"])
        if hit["status"] == "Disposed":
            raise wrong_state("InvalidHITState", "Assignable, Unassignable, Reviewable, Reviewing", hit)
        use_token(connection, "extend", request, hit["hit_id"], now)
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
        states.refresh(connection, hit["hit_id"], now)
    return {}


def use_token(connection: sa.Connection, kind: str, request: Request, made: str, now: float) -> None:
    """Remember a UniqueRequestToken for 24 hours.

    Args:
        kind: hit, extend or bonus: what the token keeps from being made twice.
        made: the id of what this request makes.

    Raises:
        RequestError: the token was used within 24 hours; for a HIT the message holds the HITId.
    """
    token = request.get("UniqueRequestToken")
    if token is None:
        return
    key = (tokens.c.kind == kind) & (tokens.c.token == token)
    connection.execute(sa.delete(tokens).where(key, tokens.c.used_at <= now - TOKEN_HOURS * 3600))
    row = {"kind": kind, "token": token, "used_at": now, "made": made}
    if add_rows(connection, tokens, [row]):
        return
    first = connection.execute(sa.select(tokens.c.made).where(key)).scalar_one()
    if kind == "hit":
        raise RequestError(
            "HitAlreadyExists", f'The HIT {first} already exists for the UniqueRequestToken "{token}".'
        )
    raise RequestError("DuplicateRequest", f'The idempotency token "{token}" has already been processed.')


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
        "QualificationRequirements": [],
        "HITReviewStatus": "NotReviewed",
        "NumberOfAssignmentsPending": row["pending"],
        "NumberOfAssignmentsAvailable": row["available"],
        "NumberOfAssignmentsCompleted": row["completed"],
    }
    if row["annotation"] is not None:
        answer["RequesterAnnotation"] = row["annotation"]
    return answer


def _hit_list(market: Market, query: "sa.Select[Any]", request: Request) -> Answer:
    order = (hits.c.created_at, hits.c.hit_id)
    rows, answer = page(market.rows, query, order, request, newest_first=True)
    return {**answer, "HITs": [hit_json(row) for row in rows]}


def _hit_type(connection: sa.Connection, request: Request, now: float) -> str:
    _refuse_unanswered(request)
    facts = {
        "title": request["Title"],
        "description": request["Description"],
        "keywords": request.get("Keywords", ""),
        "reward": ledger.cents(request["Reward"]),
        "assignment_duration": request["AssignmentDurationInSeconds"],
        "auto_approval_delay": request.get("AutoApprovalDelayInSeconds", DEFAULT_AUTO_APPROVAL),
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    ids = {"hit_type_id": new_id(), "hit_group_id": new_id()}
    # The unique digest decides, so that two equal requests at the same moment give one type.
    add_rows(connection, hit_types, [{**ids, **facts, "digest": digest, "created_at": now}])
    query = sa.select(hit_types.c.hit_type_id).where(hit_types.c.digest == digest)
    found: str = connection.execute(query).scalar_one()
    return found


def _create(connection: sa.Connection, market: Market, request: Request, hit_type_id: str, now: float) -> str:
    _refuse_unanswered(request)
    if "Question" not in request:
        raise RequestError("InvalidParameterValue", "The parameter Question is missing.")
    questions.parse(request["Question"])
    query = sa.select(hit_types.c.reward).where(hit_types.c.hit_type_id == hit_type_id)
    reward = connection.execute(query).scalar_one_or_none()
    if reward is None:
        raise RequestError("HITTypeDoesNotExist", f"HITType {hit_type_id} does not exist.")
    hit_id = new_id()
    use_token(connection, "hit", request, hit_id, now)
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
    }
    nothing_yet = dict.fromkeys(("held_assignments", "pending", "submitted", "completed", "available"), 0)
    add_rows(connection, hits, [{**row, **nothing_yet}])
    states.refresh(connection, hit_id, now)
    return hit_id


def _refuse_unanswered(request: Request) -> None:
    for name in _NOT_ANSWERED:
        if request.get(name):
            # Leaving them out silently would show the HIT to workers that the requester has excluded.
            raise RequestError(
                "InvalidParameterValue", f"photojury does not answer the parameter {name} yet."
            )
