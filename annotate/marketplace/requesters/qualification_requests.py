"""Requests for a qualification: a worker makes one or takes a test, the requester or an answer key decides.

Takes in a Market with a worker's wish or a requester's checked parameters; gives out where the request stands.
Testing -> Submitted -> Granted | Rejected. A type without a test starts at Submitted; automatic granting and an
answer key end at Granted at once. A test that is not handed in by its deadline counts as a try.

    >>> request_id = apply(market, "A2XYZ", "3ABC...")["request_id"]        # doctest: +SKIP
    >>> hand_in(market, request_id, [("colour", "red")])        # doctest: +SKIP
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace.books import Market, new_id
from photojury.annotate.marketplace.questions import answer_key, form_answers
from photojury.annotate.marketplace.requesters import qualification_types, qualifications
from photojury.annotate.marketplace.requesters.protocol import RequestError, page
from photojury.annotate.marketplace.site import messages
from photojury.annotate.marketplace.tables import qualification_requests as requests
from photojury.annotate.marketplace.tables import qualification_types as types
from photojury.annotate.marketplace.tables import qualifications as granted

Request = Mapping[str, Any]
Answer = dict[str, Any]

FIRST = "Q"
"""How the ids of requests begin; those of assignments begin with a 3, so that an answer finds its way."""


class ApplyError(Exception):
    """A request that cannot be made or handed in; the message says why, to the worker."""


@dataclass(frozen=True)
class Standing:
    """Where a worker stands with a type.

    Attributes:
        kind: the type.
        qualification: what the worker has or had of it, or None.
        request: the worker's last request, or None.
        now: seconds since 1970.
    """

    kind: sa.RowMapping
    qualification: sa.RowMapping | None
    request: sa.RowMapping | None
    now: float

    @property
    def held(self) -> bool:
        """Whether the worker has the qualification."""
        return self.qualification is not None and self.qualification["status"] == "Granted"

    @property
    def in_test(self) -> bool:
        """Whether the worker is taking the test, and its time runs."""
        last = self.request
        return last is not None and last["state"] == "Testing" and last["deadline"] > self.now

    @property
    def waiting(self) -> bool:
        """Whether the requester has still to decide."""
        return self.request is not None and self.request["state"] == "Submitted"

    @property
    def again_at(self) -> float | None:
        """From when on the worker may ask (again); None: never. What is in hand or granted for good comes before."""
        if self.request is None:
            return 0.0
        if self.kind["retry_delay"] is None:
            return None
        return float(self.request["started_at"] + self.kind["retry_delay"])

    @property
    def why_not(self) -> str:
        """Why the worker cannot ask now; empty where they can."""
        again_at = self.again_at
        if self.kind["status"] != "Active":
            return "This qualification cannot be requested at the moment."
        if self.held and self.kind["auto_granted"]:
            return "You have this qualification."
        if self.waiting:
            return "Your request waits for the requester's decision."
        if again_at is None:
            return "This qualification can be requested only once."
        if again_at > self.now:
            return "It is too early to request this qualification again."
        return ""


def standing(connection: sa.Connection, kind: sa.RowMapping, worker_id: str, now: float) -> Standing:
    """Where a worker stands with a type, which is locked where something is to be changed."""
    type_id = kind["qualification_type_id"]
    mine = (granted.c.qualification_type_id == type_id) & (granted.c.worker_id == worker_id)
    qualification = connection.execute(sa.select(granted).where(mine)).mappings().one_or_none()
    last = (
        sa.select(requests)
        .where(requests.c.qualification_type_id == type_id, requests.c.worker_id == worker_id)
        .order_by(requests.c.started_at.desc(), requests.c.request_id)
        .limit(1)
    )
    return Standing(kind, qualification, connection.execute(last).mappings().one_or_none(), now)


def apply(market: Market, worker_id: str, type_id: str) -> sa.RowMapping:
    """Make a worker's request, or open its test; a test that is being taken comes back.

    Returns:
        The request.

    Raises:
        ApplyError: it cannot be made now.
        RequestError: there is no such type.
    """
    with market.writing() as connection:
        kind, now = qualification_types.lock(connection, type_id), market.clock()
        here = standing(connection, kind, worker_id, now)
        if here.in_test and here.request is not None:
            return here.request
        if here.why_not:
            raise ApplyError(here.why_not)
        request_id = FIRST + new_id()[1:]
        row = {"request_id": request_id, "qualification_type_id": type_id, "worker_id": worker_id}
        if kind["test"] is not None:
            end = {"state": "Testing", "test": kind["test"], "deadline": now + kind["test_duration"]}
        else:
            end = {"state": "Granted" if kind["auto_granted"] else "Submitted", "submitted_at": now}
        connection.execute(sa.insert(requests).values(**row, started_at=now, **end))
        if kind["auto_granted"]:
            qualifications.grant(connection, kind, worker_id, kind["auto_granted_value"], now)
        return _read(connection, request_id)


def hand_in(market: Market, request_id: str, fields: Sequence[tuple[str, str]]) -> None:
    """Take in the answers of a test. Handed in twice, the first ones stay.

    Raises:
        ApplyError: there is no such test, its time is over, an answer is missing or not as it must be, or its
            qualification was taken away.
    """
    row = find(market, request_id)
    if row is None:
        raise ApplyError("This test does not exist.")
    if row["state"] != "Testing":
        return
    try:
        answer = form_answers.to_xml(row["test"], fields)
    except form_answers.AnswerError as error:
        raise ApplyError(str(error)) from None
    with market.writing() as connection:
        try:
            kind = qualification_types.lock(connection, row["qualification_type_id"])
        except RequestError:
            raise ApplyError("This qualification is no longer given.") from None
        row, now = _read(connection, request_id), market.clock()
        if row["state"] != "Testing":
            return
        if row["deadline"] <= now:
            raise ApplyError("The time for this test was over before it was handed in.")
        values = {"submitted_at": now, "answer": answer, "state": "Submitted"}
        # A key for other questions than those that were shown decides nothing: the requester has to.
        if kind["answer_key"] is not None and kind["test"] == row["test"]:
            values["state"] = "Granted"
            score = answer_key.score(kind["answer_key"], answer)
            qualifications.grant(connection, kind, row["worker_id"], score, now)
        _mark(connection, request_id, **values)


def list_qualification_requests(market: Market, request: Request) -> Answer:
    """The requests that wait for the requester's decision, of one type or of all, in the order they came."""
    query = (
        sa.select(requests)
        .join(types, types.c.qualification_type_id == requests.c.qualification_type_id)
        .where(types.c.account == market.account, requests.c.state == "Submitted")
    )
    if "QualificationTypeId" in request:
        qualification_types.own_type(market, request["QualificationTypeId"])
        query = query.where(requests.c.qualification_type_id == request["QualificationTypeId"])
    rows, answer = page(market.rows, query, (requests.c.submitted_at, requests.c.request_id), request)
    return {**answer, "QualificationRequests": [_request_json(row) for row in rows]}


def accept_qualification_request(market: Market, request: Request) -> Answer:
    """Grant what a worker asks for, with the value that is given or with none."""
    now = market.clock()
    with market.writing() as connection:
        kind, row = _lock(connection, market, request["QualificationRequestId"])
        qualifications.grant(connection, kind, row["worker_id"], request.get("IntegerValue"), now)
        _mark(connection, row["request_id"], state="Granted")
        subject = f"You have the qualification “{kind['name']}”"
        text = "Your request was granted."
        messages.tell(connection, market.account, row["worker_id"], subject, text, now)
    return {}


def reject_qualification_request(market: Market, request: Request) -> Answer:
    """Turn a request down; the worker is told, with the reason where there is one."""
    now, reason = market.clock(), request.get("Reason")
    with market.writing() as connection:
        kind, row = _lock(connection, market, request["QualificationRequestId"])
        _mark(connection, row["request_id"], state="Rejected", reason=reason)
        subject = f"Your request for the qualification “{kind['name']}” was rejected"
        text = reason or "The requester gave no reason."
        messages.tell(connection, market.account, row["worker_id"], subject, text, now)
    return {}


def find(market: Market, request_id: str) -> sa.RowMapping | None:
    """A request, or None."""
    return market.row(sa.select(requests).where(requests.c.request_id == request_id))


def of_worker(market: Market, worker_id: str) -> list[Standing]:
    """Where a worker stands with each type that they have, had or asked for, by its name."""
    asked = sa.select(requests.c.qualification_type_id).where(requests.c.worker_id == worker_id)
    had = sa.select(granted.c.qualification_type_id).where(granted.c.worker_id == worker_id)
    touched = types.c.qualification_type_id.in_(asked) | types.c.qualification_type_id.in_(had)
    query = sa.select(types).where(touched, types.c.deleted_at.is_(None))
    now = market.clock()
    with market.engine.connect() as connection:
        kinds = connection.execute(query.order_by(types.c.name, types.c.qualification_type_id)).mappings()
        return [standing(connection, kind, worker_id, now) for kind in kinds.all()]


def _lock(connection: sa.Connection, market: Market, request_id: str) -> tuple[sa.RowMapping, sa.RowMapping]:
    """A request that waits and its type; the type is locked first, as everywhere, the request read under it."""
    query = sa.select(requests.c.qualification_type_id).where(requests.c.request_id == request_id)
    type_id = connection.execute(query).scalar_one_or_none()
    try:
        kind = qualification_types.lock(connection, type_id or "", market.account)
    except RequestError:
        raise RequestError(
            "QualificationRequestDoesNotExist", f"QualificationRequest {request_id} does not exist."
        ) from None
    row = _read(connection, request_id)
    if row["state"] != "Submitted":
        raise RequestError(
            "InvalidQualificationRequestState", "This operation can be called with a status of: Submitted"
        )
    return kind, row


def _read(connection: sa.Connection, request_id: str) -> sa.RowMapping:
    return connection.execute(sa.select(requests).where(requests.c.request_id == request_id)).mappings().one()


def _mark(connection: sa.Connection, request_id: str, **values: object) -> None:
    this = requests.c.request_id == request_id
    connection.execute(sa.update(requests).where(this).values(**values))


def _request_json(row: sa.RowMapping) -> Answer:
    answer = {
        "QualificationRequestId": row["request_id"],
        "QualificationTypeId": row["qualification_type_id"],
        "WorkerId": row["worker_id"],
        "Test": row["test"],
        "Answer": row["answer"],
        "SubmitTime": row["submitted_at"],
    }
    return {name: value for name, value in answer.items() if value is not None}
