"""Qualifications: given, read, listed, taken away, requested, granted and rejected."""

from typing import Any

import pytest

from tests.conformance.conftest import Clock
from tests.conformance.place import SCHEMAS, Place, paginated, question_form, walked
from tests.conformance.wire import refusal

NOT_HELD = "You requested a Qualification that does not exist."
NOT_GRANTED = "This operation can be called with a status of: Granted"
ADULT = "00000000000000000060"


def give(place: Place, type_id: str, worker_id: str, value: int | None = None) -> None:
    given = {} if value is None else {"IntegerValue": value}
    place.client.associate_qualification_with_worker(
        QualificationTypeId=type_id, WorkerId=worker_id, SendNotification=False, **given
    )


def score(place: Place, type_id: str, worker_id: str) -> Any:
    found = place.client.get_qualification_score(QualificationTypeId=type_id, WorkerId=worker_id)
    return found["Qualification"]


def waiting(place: Place, type_id: str) -> list[Any]:
    found = place.client.list_qualification_requests(QualificationTypeId=type_id)
    rows: list[Any] = found["QualificationRequests"]
    return rows


def test_a_qualification_is_given_and_read(place: Place) -> None:
    """AssociateQualificationWithWorker; again, it gives another value (UpdateQualificationScore's heir)."""
    type_id, worker_id = place.qualification_type(), place.worker().worker_id
    for value in (7, -3):
        give(place, type_id, worker_id, value)
        found = score(place, type_id, worker_id)
        assert (found["QualificationTypeId"], found["WorkerId"]) == (type_id, worker_id)
        assert (found["IntegerValue"], found["Status"]) == (value, "Granted")


def test_a_worker_is_told_unless_told_not_to(place: Place) -> None:
    """SendNotification is true by default; a worker without it hears nothing."""
    worker, quiet = place.worker(), place.worker()
    name = "Sees colours as they are"
    type_id = place.client.create_qualification_type(
        Name=f"{name} {worker.worker_id}", Description="D", QualificationTypeStatus="Active"
    )["QualificationType"]["QualificationTypeId"]
    place.client.associate_qualification_with_worker(QualificationTypeId=type_id, WorkerId=worker.worker_id)
    give(place, type_id, quiet.worker_id)
    assert name in worker.messages()
    assert name not in quiet.messages()


def test_what_is_not_held_cannot_be_read(place: Place) -> None:
    """QualificationDoesNotExist, in MTurk's words (Dallinger issue 3331); so, too, to take it away."""
    given = {"QualificationTypeId": place.qualification_type(), "WorkerId": place.worker().worker_id}
    for call in (place.client.get_qualification_score, place.client.disassociate_qualification_from_worker):
        code, message = refusal(call, **given)
        assert (code, NOT_HELD in message) == ("QualificationDoesNotExist", True)


def test_a_qualification_is_taken_away(place: Place) -> None:
    """Afterwards its score is refused (Dallinger pull request 1048), the HIT too, and the worker knows why."""
    type_id, worker = place.qualification_type(), place.worker()
    give(place, type_id, worker.worker_id, 5)
    given = {"QualificationTypeId": type_id, "WorkerId": worker.worker_id}
    place.client.disassociate_qualification_from_worker(**given, Reason="It was given by mistake")
    code, message = refusal(place.client.get_qualification_score, **given)
    assert (code, NOT_GRANTED in message) == ("InvalidQualificationState", True)
    refusal(place.client.disassociate_qualification_from_worker, **given)
    needed = [{"QualificationTypeId": type_id, "Comparator": "Exists"}]
    assert worker.accept(place.hit(QualificationRequirements=needed)["HITGroupId"]) is None
    assert "It was given by mistake" in worker.messages()
    give(place, type_id, worker.worker_id, 6)
    assert score(place, type_id, worker.worker_id)["IntegerValue"] == 6


def test_only_ones_own_qualifications_are_given(place: Place) -> None:
    """The system's are neither given, nor taken, nor read, nor listed by worker."""
    worker = {"WorkerId": place.worker().worker_id}
    calls: list[tuple[Any, dict[str, Any]]] = [
        (place.client.associate_qualification_with_worker, {**worker, "IntegerValue": 1}),
        (place.client.disassociate_qualification_from_worker, worker),
        (place.client.get_qualification_score, worker),
        (place.client.list_workers_with_qualification_type, {}),
    ]
    for call, given in calls:
        refusal(call, QualificationTypeId=ADULT, **given)


def test_who_has_a_qualification_is_listed(place: Place) -> None:
    """ListWorkersWithQualificationType, by status, page by page."""
    type_id = place.qualification_type()
    workers = [place.worker().worker_id for _ in range(5)]
    for value, worker_id in enumerate(workers):
        give(place, type_id, worker_id, value)
    place.client.disassociate_qualification_from_worker(QualificationTypeId=type_id, WorkerId=workers[4])
    call = place.client.list_workers_with_qualification_type
    for size in (1, 2):
        rows = walked(call, "Qualifications", size, QualificationTypeId=type_id, Status="Granted")
        assert sorted(row["WorkerId"] for row in rows) == sorted(workers[:4])
        assert {row["WorkerId"]: row["IntegerValue"] for row in rows} == dict(
            zip(workers[:4], range(4), strict=True)
        )
    pages = paginated(
        place.client, "list_workers_with_qualification_type", QualificationTypeId=type_id, Status="Revoked"
    )
    assert [row["WorkerId"] for page in pages for row in page["Qualifications"]] == [workers[4]]


def test_a_request_is_granted(place: Place) -> None:
    """It waits in the list; accepted with a value, the worker has the qualification and may accept."""
    type_id, worker = place.qualification_type(), place.worker()
    assert worker.ask_for(type_id)
    [request] = waiting(place, type_id)
    assert (request["WorkerId"], request["QualificationTypeId"]) == (worker.worker_id, type_id)
    place.client.accept_qualification_request(
        QualificationRequestId=request["QualificationRequestId"], IntegerValue=42
    )
    assert score(place, type_id, worker.worker_id)["IntegerValue"] == 42
    assert waiting(place, type_id) == []
    needed = [{"QualificationTypeId": type_id, "Comparator": "EqualTo", "IntegerValues": [42]}]
    assert worker.accept(place.hit(QualificationRequirements=needed)["HITGroupId"]) is not None


def test_a_request_is_granted_without_a_value(place: Place) -> None:
    """IntegerValue may be left out where having it is all that counts."""
    type_id, worker = place.qualification_type(), place.worker()
    worker.ask_for(type_id)
    [request] = waiting(place, type_id)
    place.client.accept_qualification_request(QualificationRequestId=request["QualificationRequestId"])
    assert score(place, type_id, worker.worker_id)["Status"] == "Granted"


def test_a_request_is_rejected(place: Place) -> None:
    """The worker has nothing, and sees the reason."""
    type_id, worker = place.qualification_type(), place.worker()
    worker.ask_for(type_id)
    [request] = waiting(place, type_id)
    place.client.reject_qualification_request(
        QualificationRequestId=request["QualificationRequestId"], Reason="Too few photos so far"
    )
    assert waiting(place, type_id) == []
    given = {"QualificationTypeId": type_id, "WorkerId": worker.worker_id}
    assert refusal(place.client.get_qualification_score, **given)[0] == "QualificationDoesNotExist"
    assert "Too few photos so far" in worker.messages()


def test_a_request_is_decided_once(place: Place) -> None:
    """Neither accepted nor rejected again; one that is not there is named."""
    type_id, worker = place.qualification_type(), place.worker()
    worker.ask_for(type_id)
    [request] = waiting(place, type_id)
    accept, reject = place.client.accept_qualification_request, place.client.reject_qualification_request
    accept(QualificationRequestId=request["QualificationRequestId"])
    for call in (accept, reject):
        code, _ = refusal(call, QualificationRequestId=request["QualificationRequestId"])
        assert code in ("InvalidQualificationRequestState", "QualificationRequestDoesNotExist")
        assert refusal(call, QualificationRequestId="3NONE")[0] == "QualificationRequestDoesNotExist"


def test_requests_are_listed_page_by_page(place: Place) -> None:
    """Of one type, and without QualificationTypeId of all; by one, by two, by boto3's paginator."""
    one, two = place.qualification_type(), place.qualification_type()
    for _ in range(3):
        assert place.worker().ask_for(one)
    assert place.worker().ask_for(two)
    call = place.client.list_qualification_requests
    for size in (1, 2):
        rows = walked(call, "QualificationRequests", size, QualificationTypeId=one)
        assert len({row["QualificationRequestId"] for row in rows}) == len(rows) == 3
    every = [
        row["QualificationRequestId"]
        for page in paginated(place.client, "list_qualification_requests")
        for row in page["QualificationRequests"]
    ]
    assert {row["QualificationRequestId"] for row in rows + waiting(place, two)} <= set(every)
    assert len(every) == len(set(every))


def test_a_waiting_request_does_not_keep_from_giving(place: Place) -> None:
    """AssociateQualificationWithWorker leaves a pending request; granting that changes the value."""
    type_id, worker = place.qualification_type(), place.worker()
    worker.ask_for(type_id)
    give(place, type_id, worker.worker_id, 1)
    [request] = waiting(place, type_id)
    place.client.accept_qualification_request(
        QualificationRequestId=request["QualificationRequestId"], IntegerValue=2
    )
    assert score(place, type_id, worker.worker_id)["IntegerValue"] == 2


def test_an_automatic_grant_needs_nobody(place: Place) -> None:
    """AutoGranted: whoever asks has it at once, with AutoGrantedValue."""
    type_id, worker = place.qualification_type(AutoGranted=True, AutoGrantedValue=3), place.worker()
    assert worker.ask_for(type_id)
    assert waiting(place, type_id) == []
    assert score(place, type_id, worker.worker_id)["IntegerValue"] == 3


def test_a_test_is_answered_and_read(place: Place) -> None:
    """Without a key the requester gets the test and the answer, and decides."""
    test = question_form()
    type_id, worker = place.qualification_type(Test=test, TestDurationInSeconds=600), place.worker()
    assert worker.ask_for(type_id, animals="seven <7>")
    [request] = waiting(place, type_id)
    assert request["Test"] == test
    assert "<QuestionIdentifier>animals</QuestionIdentifier>" in request["Answer"]
    assert "seven &lt;7&gt;" in request["Answer"]


def test_a_key_scores_by_itself(place: Place) -> None:
    """The right selection earns its AnswerScore, another one nothing; nobody has to decide."""
    selections = "".join(
        f"<Selection><SelectionIdentifier>{name}</SelectionIdentifier><Text>{name}</Text></Selection>"
        for name in ("one", "two")
    )
    test = question_form().replace(
        "<FreeTextAnswer/>", f"<SelectionAnswer><Selections>{selections}</Selections></SelectionAnswer>"
    )
    key = (
        f'<AnswerKey xmlns="{SCHEMAS}/2005-10-01/AnswerKey.xsd"><Question>'
        "<QuestionIdentifier>animals</QuestionIdentifier><AnswerOption>"
        "<SelectionIdentifier>two</SelectionIdentifier><AnswerScore>10</AnswerScore>"
        "</AnswerOption></Question></AnswerKey>"
    )
    type_id = place.qualification_type(Test=test, TestDurationInSeconds=600, AnswerKey=key)
    for answer, value in (("two", 10), ("one", 0)):
        worker = place.worker()
        assert worker.ask_for(type_id, animals=answer)
        assert score(place, type_id, worker.worker_id)["IntegerValue"] == value
    assert waiting(place, type_id) == []


@pytest.mark.parametrize("delay", [None, 3600])
def test_a_second_try_waits_for_the_delay(place: Place, clock: Clock, delay: int | None) -> None:
    """Without RetryDelayInSeconds a worker asks once; with it, again when it is over."""
    given = {} if delay is None else {"RetryDelayInSeconds": delay}
    type_id, worker = place.qualification_type(**given), place.worker()
    assert worker.ask_for(type_id)
    [request] = waiting(place, type_id)
    place.client.reject_qualification_request(QualificationRequestId=request["QualificationRequestId"])
    assert not worker.ask_for(type_id)
    clock(3600)
    assert worker.ask_for(type_id) is (delay is not None)
