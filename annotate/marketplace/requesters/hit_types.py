"""The requester's operations on HIT types: made, given to a HIT, told where to send notifications.

Takes in a Market and checked parameters; gives out the JSON of MTurk's answer. Each function is the operation
of the same name in MTurk's API reference, 2017-01-17.

    >>> create_hit_type(market, {"Title": "Rate", "Description": "Stars", "Reward": "0.20",
    ...                          "AssignmentDurationInSeconds": 600})        # doctest: +SKIP
    {'HITTypeId': '3V6W...'}
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace import events, ledger, requirements, states
from photojury.annotate.marketplace.books import Market, new_id
from photojury.annotate.marketplace.requesters.protocol import RequestError
from photojury.annotate.marketplace.tables import hit_types, hits
from photojury.datasets.money import fee_of
from photojury.datasets.store import add_rows

Request = Mapping[str, Any]
Answer = dict[str, Any]

DEFAULT_AUTO_APPROVAL = 2_592_000
"""Seconds, 30 days (CreateHIT, API reference)."""


def create_hit_type(market: Market, request: Request) -> Answer:
    """Register a HIT type; the same values give the type that is there."""
    needed = requirements.check(market, request.get("QualificationRequirements", []))
    with market.writing() as connection:
        return {"HITTypeId": register(connection, market, request, needed)}


def register(connection: sa.Connection, market: Market, request: Request, needed: str) -> str:
    """The id of the HIT type of these values, made where it is not there yet.

    Args:
        connection: of a write transaction.
        market: with the account that asks.
        request: of CreateHITType or CreateHIT.
        needed: what requirements.check gave.
    """
    facts = {
        "account": market.account,
        "title": request["Title"],
        "description": request["Description"],
        "keywords": request.get("Keywords", ""),
        "reward": ledger.cents(request["Reward"]),
        "assignment_duration": request["AssignmentDurationInSeconds"],
        "auto_approval_delay": request.get("AutoApprovalDelayInSeconds", DEFAULT_AUTO_APPROVAL),
        "requirements": needed,
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    ids = {"hit_type_id": new_id(), "hit_group_id": new_id()}
    made = {"created_at": market.clock(), "notifying": False}
    # The unique digest decides, so that two equal requests at the same moment give one type.
    add_rows(connection, hit_types, [{**ids, **facts, **made, "digest": digest}])
    query = sa.select(hit_types.c.hit_type_id).where(hit_types.c.digest == digest)
    found: str = connection.execute(query).scalar_one()
    return found


def update_hit_type_of_hit(market: Market, request: Request) -> Answer:
    """Give a HIT another type of the same requester; the reward changes only before anyone has accepted it."""
    now = market.clock()
    new = own_type(market, request["HITTypeId"])
    with market.writing() as connection:
        hit = states.lock(connection, request["HITId"], market.account)
        begun = hit["pending"] or hit["submitted"] or hit["completed"]
        if hit["status"] == "Disposed" or (begun and new["reward"] != hit["reward"]):
            # What somebody has begun or handed in was agreed on at the old reward.
            raise RequestError(
                "InvalidHITState",
                f"The HIT {hit['hit_id']} cannot change its type: it is disposed of, or somebody has accepted it "
                "at another reward.",
            )
        ledger.cover(connection, now, hit, 0)
        change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
        fee = fee_of(new["reward"], hit["max_assignments"], market.fee_percent)
        connection.execute(change.values(hit_type_id=new["hit_type_id"], fee=fee))
        states.refresh(connection, hit["hit_id"], now)
    return {}


def update_notification_settings(market: Market, request: Request) -> Answer:
    """Set where a HIT type's events are sent, or switch that on and off."""
    own = own_type(market, request["HITTypeId"])
    values: dict[str, Any] = {}
    if "Notification" not in request and "Active" not in request:
        raise RequestError("InvalidParameterValue", "Give Notification, Active, or both.")
    if "Notification" not in request and not own["notification"]:
        raise RequestError(
            "InvalidParameterValue",
            "To be made active or inactive, a HIT type must already have a notification specification.",
        )
    if "Notification" in request:
        if "Ping" in request["Notification"]["EventTypes"]:
            raise RequestError(
                "InvalidParameterValue", "The event type Ping is for SendTestEventNotification only."
            )
        events.check(market, request["Notification"])
        values = {"notification": json.dumps(request["Notification"]), "notifying": True}
    if "Active" in request:
        values["notifying"] = request["Active"]
    with market.writing() as connection:
        this = hit_types.c.hit_type_id == request["HITTypeId"]
        connection.execute(sa.update(hit_types).where(this).values(**values))
    return {}


def send_test_event_notification(market: Market, request: Request) -> Answer:
    """Send one made-up event to a destination."""
    events.check(market, request["Notification"])
    events.send_test(market, request["Notification"], request["TestEventType"])
    return {}


def own_type(market: Market, hit_type_id: str) -> sa.RowMapping:
    """A HIT type of the account.

    Raises:
        RequestError: HITTypeDoesNotExist; so it is, too, after a qualification type that it asks for was deleted.
    """
    query = sa.select(hit_types).where(hit_types.c.account == market.account)
    row = market.row(query.where(hit_types.c.hit_type_id == hit_type_id))
    if row is None or requirements.outlived(market, row["requirements"]):
        raise RequestError("HITTypeDoesNotExist", f"HITType {hit_type_id} does not exist.")
    return row
