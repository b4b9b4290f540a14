"""The requester's operations on the qualifications that workers have.

Takes in a Market and checked parameters; gives out the JSON of MTurk's answer. Each function is the operation
of the same name in MTurk's API reference, 2017-01-17. A worker need not have come here yet: whoever took part
in another study can be excluded from this one before they arrive.

    >>> associate_qualification_with_worker(market, {"QualificationTypeId": "3ABC...", "WorkerId": "A2XYZ",
    ...                                              "SendNotification": False})        # doctest: +SKIP
    {}
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace.books import Market
from photojury.annotate.marketplace.requesters import qualification_types
from photojury.annotate.marketplace.requesters.protocol import RequestError, page
from photojury.annotate.marketplace.requirements import SYSTEM
from photojury.annotate.marketplace.site import messages
from photojury.annotate.marketplace.tables import qualifications

Request = Mapping[str, Any]
Answer = dict[str, Any]

DEFAULT_VALUE = 1
"""Of a qualification that is given without IntegerValue (AssignQualification, API reference 2014-08-15)."""


def associate_qualification_with_worker(market: Market, request: Request) -> Answer:
    """Give a worker a qualification, or another value of the one that they have."""
    now, worker_id = market.clock(), request["WorkerId"]
    with market.writing() as connection:
        kind = qualification_types.lock(connection, request["QualificationTypeId"], market.account)
        grant(connection, kind, worker_id, request.get("IntegerValue", DEFAULT_VALUE), now)
        if request.get("SendNotification", True):
            subject = f"You have the qualification “{kind['name']}”"
            messages.tell(connection, market.account, worker_id, subject, kind["description"], now)
    return {}


def disassociate_qualification_from_worker(market: Market, request: Request) -> Answer:
    """Revoke a qualification; the worker is told the reason, where one is given."""
    now, worker_id = market.clock(), request["WorkerId"]
    with market.writing() as connection:
        kind = qualification_types.lock(connection, request["QualificationTypeId"], market.account)
        this = _this(kind["qualification_type_id"], worker_id)
        _granted(connection.execute(sa.select(qualifications).where(this)).mappings().one_or_none())
        connection.execute(sa.update(qualifications).where(this).values(status="Revoked"))
        if request.get("Reason"):
            subject = f"You no longer have the qualification “{kind['name']}”"
            messages.tell(connection, market.account, worker_id, subject, request["Reason"], now)
    return {}


def get_qualification_score(market: Market, request: Request) -> Answer:
    """A worker's qualification, as long as it is granted."""
    type_id = request["QualificationTypeId"]
    if type_id not in SYSTEM:
        qualification_types.own_type(market, type_id)
    # The system's are never told: as on MTurk, nobody has them as far as this operation knows.
    row = market.row(sa.select(qualifications).where(_this(type_id, request["WorkerId"])))
    return {"Qualification": _qualification_json(_granted(row))}


def list_workers_with_qualification_type(market: Market, request: Request) -> Answer:
    """Who has a qualification of a type, or had it; Status keeps one of both."""
    qualification_types.own_type(market, request["QualificationTypeId"])
    this = qualifications.c.qualification_type_id == request["QualificationTypeId"]
    query = sa.select(qualifications).where(this)
    if "Status" in request:
        query = query.where(qualifications.c.status == request["Status"])
    rows, answer = page(
        market.rows, query, (qualifications.c.granted_at, qualifications.c.worker_id), request
    )
    return {**answer, "Qualifications": [_qualification_json(row) for row in rows]}


def grant(
    connection: sa.Connection, kind: sa.RowMapping, worker_id: str, value: int | None, now: float
) -> None:
    """Give a worker a qualification; one that they have gets the value and keeps the time it was granted.

    Args:
        connection: of a write transaction.
        kind: the type, locked (qualification_types.lock).
        worker_id: who.
        value: None where nothing but having it counts.
        now: seconds since 1970.
    """
    type_id = kind["qualification_type_id"]
    held = qualifications.c.status == "Granted"
    since = sa.case((held, qualifications.c.granted_at), else_=now)
    change = sa.update(qualifications).where(_this(type_id, worker_id))
    if connection.execute(change.values(value=value, status="Granted", granted_at=since)).rowcount:
        return
    row = {"qualification_type_id": type_id, "worker_id": worker_id, "value": value}
    connection.execute(sa.insert(qualifications).values(**row, status="Granted", granted_at=now))


def _this(type_id: str, worker_id: str) -> "sa.ColumnElement[bool]":
    return (qualifications.c.qualification_type_id == type_id) & (qualifications.c.worker_id == worker_id)


def _granted(row: sa.RowMapping | None) -> sa.RowMapping:
    # MTurk's words (Dallinger/Dallinger issue 3331 and pull request 1048).
    if row is None:
        raise RequestError("QualificationDoesNotExist", "You requested a Qualification that does not exist.")
    if row["status"] != "Granted":
        raise RequestError(
            "InvalidQualificationState", "This operation can be called with a status of: Granted"
        )
    return row


def _qualification_json(row: sa.RowMapping) -> Answer:
    answer = {
        "QualificationTypeId": row["qualification_type_id"],
        "WorkerId": row["worker_id"],
        "GrantTime": row["granted_at"],
        "IntegerValue": row["value"],
        "Status": row["status"],
    }
    return {name: value for name, value in answer.items() if value is not None}
