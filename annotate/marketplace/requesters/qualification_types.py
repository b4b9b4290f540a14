"""The requester's operations on qualification types.

Takes in a Market and checked parameters; gives out the JSON of MTurk's answer. Each function is the operation
of the same name in MTurk's API reference, 2017-01-17. A requester sees their own types and the system's; a
deleted type is gone for everybody, but what was granted of it still counts where a HIT asks for it.

    >>> create_qualification_type(market, {"Name": "Sees colours", "Description": "A short test",
    ...                                    "QualificationTypeStatus": "Active"})        # doctest: +SKIP
    {'QualificationType': {'QualificationTypeId': '3ABC...', ...}}
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace import requirements, states
from photojury.annotate.marketplace.books import Market, lock_account, new_id
from photojury.annotate.marketplace.questions import answer_key, question_form
from photojury.annotate.marketplace.requesters import hits
from photojury.annotate.marketplace.requesters.protocol import RequestError, page
from photojury.annotate.marketplace.tables import (
    hit_types,
    qualification_requests,
    qualification_types,
)
from photojury.annotate.marketplace.tables import (
    hits as hits_table,
)

Request = Mapping[str, Any]
Answer = dict[str, Any]

NAME_FREE_AFTER = 48 * 3600.0
"""Seconds until the name of a deleted type can be used again (DeleteQualificationType, API reference)."""

_SYSTEM = {
    requirements.APPROVED_HITS: "How many assignments of the worker have been approved.",
    requirements.LOCALE: "Where the worker lives, as they say.",
    requirements.ADULT: "Whether the worker is 18 or older, as they say: 1 or 0.",
    requirements.APPROVED_PERCENT: "The percentage of the worker's assignments that have been approved.",
    requirements.MASTERS: "Amazon's choice of workers; nobody here is a Master.",
    requirements.MASTERS_SANDBOX: "Amazon's choice of workers, in its sandbox; nobody here is a Master.",
}


def create_qualification_type(market: Market, request: Request) -> Answer:
    """Make a type; its name must be new among the requester's own."""
    auto = request.get("AutoGranted", False)
    _check_test(request, auto_granted=auto)
    now, name = market.clock(), request["Name"]
    row: dict[str, Any] = {
        **dict.fromkeys(column.name for column in qualification_types.c),
        "qualification_type_id": new_id(),
        "account": market.account,
        "name": name,
        "keywords": request.get("Keywords"),
        "description": request["Description"],
        "status": request["QualificationTypeStatus"],
        "retry_delay": request.get("RetryDelayInSeconds"),
        "auto_granted": auto,
        "auto_granted_value": request.get("AutoGrantedValue", 1) if auto else None,
        "created_at": now,
        **_test_of(request),
    }
    with market.writing() as connection:
        lock_account(connection, market.account)
        taken = sa.select(qualification_types.c.name).where(
            qualification_types.c.account == market.account,
            qualification_types.c.name == name,
            sa.func.coalesce(qualification_types.c.deleted_at, now) > now - NAME_FREE_AFTER,
        )
        if connection.execute(taken).first():
            # MTurk's words (Dallinger/Dallinger issue 3331).
            raise RequestError(
                "QualificationTypeAlreadyExists",
                "You have already created a QualificationType with this name. A QualificationType's name must be "
                "unique among all of the QualificationTypes created by the same user.",
            )
        connection.execute(sa.insert(qualification_types).values(**row))
    return {"QualificationType": type_json(row)}


def update_qualification_type(market: Market, request: Request) -> Answer:
    """Change a type. A Test can be put in the place of another one, never taken away."""
    with market.writing() as connection:
        row = lock(connection, request["QualificationTypeId"], market.account)
        auto = request.get("AutoGranted", row["auto_granted"])
        _check_test(request, auto_granted=auto)
        if auto and row["test"] is not None:
            raise _invalid("A QualificationType that has a Test cannot be AutoGranted")
        changes: dict[str, Any] = {
            "description": request.get("Description", row["description"]),
            "status": request.get("QualificationTypeStatus", row["status"]),
            "retry_delay": request.get("RetryDelayInSeconds", row["retry_delay"]),
            "auto_granted": auto,
            "auto_granted_value": (
                request.get("AutoGrantedValue", row["auto_granted_value"] or 1) if auto else None
            ),
            **(_test_of(request) if "Test" in request else {}),
        }
        this = qualification_types.c.qualification_type_id == row["qualification_type_id"]
        connection.execute(sa.update(qualification_types).where(this).values(**changes))
    return {"QualificationType": type_json({**row, **changes})}


def get_qualification_type(market: Market, request: Request) -> Answer:
    """One of the requester's own types, or of the system's."""
    return {"QualificationType": type_json(_visible(market, request["QualificationTypeId"]))}


def list_qualification_types(market: Market, request: Request) -> Answer:
    """The types in the order of their making, the system's first; each word of Query must be found in a type."""
    own = sa.select(qualification_types).where(
        qualification_types.c.account == market.account, qualification_types.c.deleted_at.is_(None)
    )
    with_system = not request["MustBeRequestable"] and not request.get("MustBeOwnedByCaller")
    found = (sa.union_all(own, *_system_queries()) if with_system else own).subquery()
    query = sa.select(found)
    if request["MustBeRequestable"]:
        query = query.where(found.c.status == "Active")
    for word in request.get("Query", "").split():
        texts = (found.c.name, sa.func.coalesce(found.c.keywords, ""), found.c.description)
        query = query.where(sa.or_(*(text.icontains(word, autoescape=True) for text in texts)))
    rows, answer = page(market.rows, query, (found.c.created_at, found.c.qualification_type_id), request)
    return {**answer, "QualificationTypes": [type_json(row) for row in rows]}


def delete_qualification_type(market: Market, request: Request) -> Answer:
    """Take a type away with the HIT types that ask for it; requests that wait are rejected, HITs stay."""
    now, type_id = market.clock(), request["QualificationTypeId"]
    with market.writing() as connection:
        row = _locked(connection, type_id, market.account)
        if row is None or (row["deleted_at"] or now) <= now - NAME_FREE_AFTER:
            raise no_type(type_id)
        if row["deleted_at"] is not None:
            raise RequestError(
                "InvalidQualificationTypeState",
                "This operation can be called with a status of: Active,Inactive",
            )
        this = qualification_types.c.qualification_type_id == type_id
        connection.execute(sa.update(qualification_types).where(this).values(deleted_at=now))
        waiting = (qualification_requests.c.qualification_type_id == type_id) & (
            qualification_requests.c.state.in_(("Testing", "Submitted"))
        )
        rejected = {"state": "Rejected", "reason": "The qualification is no longer given."}
        connection.execute(sa.update(qualification_requests).where(waiting).values(**rejected))
    return {}


def list_hits_for_qualification_type(market: Market, request: Request) -> Answer:
    """The requester's HITs that ask for a type, in any state but the disposed ones."""
    _visible(market, request["QualificationTypeId"])
    # As requirements.check writes it; an id holds nothing but letters and digits.
    named = f'"QualificationTypeId": "{request["QualificationTypeId"]}"'
    query = states.with_type().where(
        hit_types.c.account == market.account,
        hits_table.c.status != "Disposed",
        hit_types.c.requirements.contains(named),
    )
    return hits.hit_list(market, query, request)


def lock(connection: sa.Connection, type_id: str, account: str | None = None) -> sa.RowMapping:
    """A type that is not deleted, locked until the transaction ends: what is done with a type takes turns.

    Args:
        connection: of a write transaction.
        type_id: which.
        account: whose it must be; None where a worker asks.

    Raises:
        RequestError: QualificationTypeDoesNotExist.
    """
    row = _locked(connection, type_id, account)
    if row is None or row["deleted_at"] is not None:
        raise no_type(type_id)
    return row


def own_type(market: Market, type_id: str) -> sa.RowMapping:
    """A type of the account that is not deleted.

    Raises:
        RequestError: QualificationTypeDoesNotExist.
    """
    row = find(market, type_id)
    if row is None or row["account"] != market.account:
        raise no_type(type_id)
    return row


def find(market: Market, type_id: str) -> sa.RowMapping | None:
    """A type of any requester that is not deleted; None where there is none."""
    this = qualification_types.c.qualification_type_id == type_id
    return market.row(sa.select(qualification_types).where(this, qualification_types.c.deleted_at.is_(None)))


def no_type(type_id: str) -> RequestError:
    """The error for a type that is not there, is deleted, or is another requester's."""
    return RequestError("QualificationTypeDoesNotExist", f"QualificationType {type_id} does not exist.")


def type_json(row: "sa.RowMapping | dict[str, Any]") -> Answer:
    """A type as MTurk's QualificationType data structure."""
    own = row["account"] != ""
    answer = {
        "QualificationTypeId": row["qualification_type_id"],
        "CreationTime": row["created_at"] if own else None,
        "Name": row["name"],
        "Description": row["description"],
        "Keywords": row["keywords"],
        "QualificationTypeStatus": row["status"],
        "Test": row["test"],
        "TestDurationInSeconds": row["test_duration"],
        "AnswerKey": row["answer_key"],
        "RetryDelayInSeconds": row["retry_delay"],
        "IsRequestable": own and row["status"] == "Active",
        "AutoGranted": row["auto_granted"],
        "AutoGrantedValue": row["auto_granted_value"],
    }
    return {name: value for name, value in answer.items() if value is not None}


def _visible(market: Market, type_id: str) -> "sa.RowMapping | dict[str, Any]":
    if type_id in _SYSTEM:
        return _system_row(type_id)
    return own_type(market, type_id)


def _locked(connection: sa.Connection, type_id: str, account: str | None) -> sa.RowMapping | None:
    query = sa.select(qualification_types).where(qualification_types.c.qualification_type_id == type_id)
    row = connection.execute(query.with_for_update()).mappings().one_or_none()
    return row if row is not None and account in (None, row["account"]) else None


def _system_row(type_id: str) -> dict[str, Any]:
    return {
        **dict.fromkeys(column.name for column in qualification_types.c),
        "qualification_type_id": type_id,
        "account": "",
        "name": requirements.SYSTEM[type_id],
        "description": _SYSTEM[type_id],
        "status": "Active",
        "auto_granted": False,
        "created_at": 0.0,
    }


def _system_queries() -> "list[sa.Select[Any]]":
    """The system's types as queries, so that they are searched and paged like all others."""
    rows = [_system_row(type_id) for type_id in _SYSTEM]
    return [
        sa.select(*(sa.literal(row[column.name], column.type) for column in qualification_types.c))
        for row in rows
    ]


def _check_test(request: Request, *, auto_granted: bool) -> None:
    """Check that Test, its duration, its key and automatic granting go together.

    Raises:
        RequestError: InvalidParameterValue, or what question_form.check and answer_key.check raise.
    """
    if "Test" not in request:
        for name in ("AnswerKey", "TestDurationInSeconds"):
            if name in request:
                raise _invalid(f"{name} belongs to a Test, which is missing")
        return
    if auto_granted:
        raise _invalid("A QualificationType that has a Test cannot be AutoGranted")
    if "TestDurationInSeconds" not in request:
        raise _invalid("A Test needs TestDurationInSeconds")
    question_form.check(request["Test"])
    if "AnswerKey" in request:
        answer_key.check(request["AnswerKey"])


def _test_of(request: Request) -> dict[str, Any]:
    return {
        "test": request.get("Test"),
        "test_duration": request.get("TestDurationInSeconds"),
        "answer_key": request.get("AnswerKey"),
    }


def _invalid(sentence: str) -> RequestError:
    return RequestError("InvalidParameterValue", f"{sentence}.")
