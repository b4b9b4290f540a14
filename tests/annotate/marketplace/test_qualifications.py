"""Qualifications: types, requests and tests, who has what, and what a worker may do with it."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa

from photojury.annotate.marketplace.tables import assignments, hits
from tests.annotate.marketplace.live import (
    HIT_TYPE,
    Live,
    Worker,
    frame_source,
    hidden,
    html_question,
    refusal,
)
from tests.annotate.marketplace.test_race import at_once

APPROVED, PERCENT = "00000000000000000040", "000000000000000000L0"
LOCALE, ADULT = "00000000000000000071", "00000000000000000060"
MASTERS = "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH"
HOUR = 3600
SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
CHOICES = "".join(
    f"<Selection><SelectionIdentifier>{name}</SelectionIdentifier><Text>{name}</Text></Selection>"
    for name in ("red", "green")
)
TEST = (
    f'<QuestionForm xmlns="{SCHEMAS}/2017-11-06/QuestionForm.xsd"><Question>'
    "<QuestionIdentifier>colour</QuestionIdentifier><DisplayName>Colour</DisplayName>"
    "<IsRequired>true</IsRequired><QuestionContent><Text>Which colour has blood?</Text></QuestionContent>"
    "<AnswerSpecification><SelectionAnswer><StyleSuggestion>radiobutton</StyleSuggestion>"
    f"<Selections>{CHOICES}</Selections></SelectionAnswer></AnswerSpecification></Question></QuestionForm>"
)
KEY = (
    f'<AnswerKey xmlns="{SCHEMAS}/2005-10-01/AnswerKey.xsd"><Question>'
    "<QuestionIdentifier>colour</QuestionIdentifier><AnswerOption>"
    "<SelectionIdentifier>red</SelectionIdentifier><AnswerScore>7</AnswerScore></AnswerOption>"
    "</Question></AnswerKey>"
)
TESTED = {"Test": TEST, "TestDurationInSeconds": 600}


def make(client: Any, name: str = "Colours", **changes: Any) -> str:
    """Make a qualification type; its id."""
    given = {"Name": name, "Description": f"About {name}", "QualificationTypeStatus": "Active", **changes}
    made: str = client.create_qualification_type(**given)["QualificationType"]["QualificationTypeId"]
    return made


def asking(type_id: str, comparator: str = "Exists", **more: Any) -> dict[str, Any]:
    """Parameters of create_hit that ask for a qualification."""
    return {"QualificationRequirements": [{"QualificationTypeId": type_id, "Comparator": comparator, **more}]}


def request(worker: Worker, type_id: str) -> requests.Response:
    """Send the form on the qualification's page."""
    page = worker.get(f"/qualifications/{type_id}?next=/projects/3G/tasks").text
    assert 'id="request"' in page, page
    return worker.post(f"/qualifications/{type_id}", csrf=hidden(page), next="/projects/3G/tasks")


def can_request(worker: Worker, type_id: str) -> bool:
    return 'id="request"' in worker.get(f"/qualifications/{type_id}").text


def sees(worker: Worker, group: str) -> tuple[bool, bool, bool]:
    """Whether a worker is listed a group, is shown its task, and is offered to accept it."""
    page = worker.get(f"/projects/{group}/tasks").text
    return group in worker.get("/").text, 'id="task"' in page, 'id="accept"' in page


def score(live: Live, worker: Worker, type_id: str) -> int | None:
    found = live.client.get_qualification_score(QualificationTypeId=type_id, WorkerId=worker.worker_id)
    value: int | None = found["Qualification"].get("IntegerValue")
    return value


def give(live: Live, type_id: str, worker_id: str, value: int = 1) -> None:
    live.client.associate_qualification_with_worker(
        QualificationTypeId=type_id, WorkerId=worker_id, IntegerValue=value, SendNotification=False
    )


# Types


def test_a_type_comes_back_as_it_was_made(live: Live) -> None:
    """Every member that was given is read back; a value for automatic granting is 1 unless given."""
    type_id = make(live.client, Keywords="eyes, test", RetryDelayInSeconds=60, AutoGranted=True)
    got = live.client.get_qualification_type(QualificationTypeId=type_id)["QualificationType"]
    assert got.pop("CreationTime").timestamp() == pytest.approx(live.clock(), abs=1e-3)
    assert got == {
        "QualificationTypeId": type_id, "Name": "Colours", "Description": "About Colours",
        "Keywords": "eyes, test", "QualificationTypeStatus": "Active", "RetryDelayInSeconds": 60,
        "IsRequestable": True, "AutoGranted": True, "AutoGrantedValue": 1,
    }  # fmt: skip
    system = live.client.get_qualification_type(QualificationTypeId=PERCENT)["QualificationType"]
    assert (system["Name"], system["IsRequestable"]) == ("Worker_PercentAssignmentsApproved", False)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"AutoGranted": True, **TESTED}, "AutoGranted"),
        ({"Test": TEST}, "TestDurationInSeconds"),
        ({"TestDurationInSeconds": 600}, "Test"),
        ({"AnswerKey": KEY}, "Test"),
        ({**TESTED, "Test": "x" * 65_536}, "65535"),
        ({**TESTED, "AnswerKey": "x" * 65_536}, "65535"),
        ({**TESTED, "TestDurationInSeconds": 0}, "TestDurationInSeconds"),
        ({**TESTED, "Test": html_question()}, "QuestionForm"),
        ({**TESTED, "AnswerKey": TEST}, "AnswerKey"),
        ({"RetryDelayInSeconds": -1}, "RetryDelayInSeconds"),
        ({"AutoGranted": True, "AutoGrantedValue": 2**31}, "AutoGrantedValue"),
        ({"QualificationTypeStatus": "Sleeping"}, "QualificationTypeStatus"),
        ({"Name": ""}, "Name"),
        ({"Name": "x" * 201}, "Name"),
        ({"Description": "x" * 2001}, "Description"),
        ({"Keywords": "x" * 1001}, "Keywords"),
    ],
)
def test_a_type_that_makes_no_sense_is_refused(live: Live, changes: dict[str, Any], text: str) -> None:
    """Rules of CreateQualificationType; the member is named, and nothing is made."""
    given = {"Name": "n", "Description": "d", "QualificationTypeStatus": "Active", **changes}
    code, message = refusal(live.client.create_qualification_type, **given)
    assert code in ("InvalidParameterValue", "XMLParseError")
    assert text in message
    listed = live.client.list_qualification_types(MustBeRequestable=False, MustBeOwnedByCaller=True)
    assert listed["NumResults"] == 0


def test_a_name_is_taken_until_two_days_after_its_end(live: Live) -> None:
    """Within one account; the deleted type itself can no longer be deleted, read or asked for."""
    type_id = make(live.client)
    make(live.requester("other"))
    again = {"Name": "Colours", "Description": "d", "QualificationTypeStatus": "Active"}
    taken = "You have already created a QualificationType with this name."
    code, message = refusal(live.client.create_qualification_type, **again)
    assert (code, taken in message) == ("QualificationTypeAlreadyExists", True)
    live.client.delete_qualification_type(QualificationTypeId=type_id)
    live.clock.move(48 * HOUR - 1)
    assert taken in refusal(live.client.create_qualification_type, **again)[1]
    delete = live.client.delete_qualification_type
    code, message = refusal(delete, QualificationTypeId=type_id)
    assert code == "InvalidQualificationTypeState"
    assert "This operation can be called with a status of: Active,Inactive" in message
    live.clock.move(2)
    assert make(live.client) != type_id
    assert refusal(delete, QualificationTypeId=type_id)[0] == "QualificationTypeDoesNotExist"


def test_a_name_that_is_wanted_at_once_is_given_once(both: Live) -> None:
    """Six equal requests at the same moment: one type, five refusals."""

    def create() -> bool:
        try:
            refusal(
                both.client.create_qualification_type,
                Name="n", Description="d", QualificationTypeStatus="Active",
            )  # fmt: skip
        except AssertionError:
            return True
        return False

    assert sum(at_once([create] * 6)) == 1
    listed = both.client.list_qualification_types(MustBeRequestable=False, MaxResults=100)
    assert [each["Name"] for each in listed["QualificationTypes"]].count("n") == 1


def test_updates_keep_to_their_rules(live: Live) -> None:
    """A test is replaced whole and never taken away, nor joined with automatic granting."""
    update = live.client.update_qualification_type
    type_id = make(live.client, AutoGranted=True)
    changed = update(
        QualificationTypeId=type_id, Description="new", AutoGrantedValue=9, RetryDelayInSeconds=5
    )
    got = changed["QualificationType"]
    assert (got["Description"], got["AutoGrantedValue"], got["RetryDelayInSeconds"]) == ("new", 9, 5)
    assert "AutoGranted" in refusal(update, QualificationTypeId=type_id, **TESTED)[1]
    changed = update(QualificationTypeId=type_id, AutoGranted=False, AnswerKey=KEY, **TESTED)
    assert changed["QualificationType"]["AnswerKey"] == KEY
    assert "AutoGrantedValue" not in changed["QualificationType"]
    assert "AutoGranted" in refusal(update, QualificationTypeId=type_id, AutoGranted=True)[1]
    assert "Test" in refusal(update, QualificationTypeId=type_id, AnswerKey=KEY)[1]
    update(
        QualificationTypeId=type_id, Test=TEST, TestDurationInSeconds=60, QualificationTypeStatus="Inactive"
    )
    got = live.client.get_qualification_type(QualificationTypeId=type_id)["QualificationType"]
    assert (got["TestDurationInSeconds"], got["IsRequestable"], "AnswerKey" in got) == (60, False, False)
    assert (got["Name"], got["RetryDelayInSeconds"], got["Test"]) == ("Colours", 5, TEST)


def test_types_are_searched_and_paged(both: Live) -> None:
    """Words of Query in name, keywords or description; the system's types only where they are asked for."""
    names = [f"Eyes {number}" for number in range(7)]
    for name in names:
        both.clock.move(1)
        make(both.client, name, Keywords="100% sight")
    both.clock.move(1)
    make(both.client, "Sleeper", QualificationTypeStatus="Inactive")
    make(both.requester("other"), "Eyes of others")

    def listed(*, requestable: bool, **more: Any) -> list[str]:
        pages = both.client.get_paginator("list_qualification_types").paginate(
            MustBeRequestable=requestable, PaginationConfig={"PageSize": 3}, **more
        )
        return [each["Name"] for page in pages for each in page["QualificationTypes"]]

    assert listed(requestable=True) == names
    assert listed(requestable=False, MustBeOwnedByCaller=True) == [*names, "Sleeper"]
    everything = listed(requestable=False)
    assert everything[6:] == [*names, "Sleeper"]
    assert sorted(set(everything[:6])) == sorted([
        "Masters", "Worker_Adult", "Worker_Locale", "Worker_NumberHITsApproved", "Worker_PercentAssignmentsApproved",
    ])  # fmt: skip
    assert listed(requestable=False, Query="eyes 3") == ["Eyes 3"]
    assert listed(requestable=False, Query="100% SIGHT") == names
    assert listed(requestable=False, Query="0%0") == []
    assert listed(requestable=False, Query="worker_adult") == ["Worker_Adult"]


def test_a_deleted_type_takes_its_requests_and_hit_types_along(live: Live) -> None:
    """Who has it keeps it for the HITs that are out; no new HIT can be made of such a HIT type."""
    type_id = make(live.client)
    hit = live.hit(3, **asking(type_id))
    holder, asker = live.worker(), live.worker()
    give(live, type_id, holder.worker_id)
    request(asker, type_id)
    live.client.delete_qualification_type(QualificationTypeId=type_id)
    assert live.client.list_qualification_requests()["NumResults"] == 0
    assert "no longer given" in asker.get(f"/projects/{hit['HITGroupId']}/tasks").text
    assert asker.get(f"/qualifications/{type_id}").status_code == 404
    assert holder.accept(hit["HITGroupId"]) is not None
    more = {"HITTypeId": hit["HITTypeId"], "LifetimeInSeconds": 60, "Question": html_question()}
    assert refusal(live.client.create_hit_with_hit_type, **more)[0] == "HITTypeDoesNotExist"
    code, _ = refusal(live.client.create_hit_type, **HIT_TYPE, **asking(type_id))
    assert code == "QualificationTypeDoesNotExist"


def test_the_hits_of_a_type_are_found(live: Live) -> None:
    """Those that ask for it, also beside others, and not the disposed ones."""
    type_id, another = make(live.client), make(live.client, "Another")
    two = [*asking(type_id)["QualificationRequirements"], *asking(another)["QualificationRequirements"]]
    first = live.hit(**asking(type_id))
    live.clock.move(1)
    second = live.hit(QualificationRequirements=two)
    live.hit()
    found = live.client.list_hits_for_qualification_type(QualificationTypeId=type_id)
    assert [hit["HITId"] for hit in found["HITs"]] == [second["HITId"], first["HITId"]]
    live.client.update_expiration_for_hit(HITId=first["HITId"], ExpireAt=0)
    live.client.delete_hit(HITId=first["HITId"])
    pages = live.client.get_paginator("list_hits_for_qualification_type").paginate(
        QualificationTypeId=type_id, PaginationConfig={"PageSize": 1}
    )
    assert [hit["HITId"] for page in pages for hit in page["HITs"]] == [second["HITId"]]
    assert live.client.list_hits_for_qualification_type(QualificationTypeId=ADULT)["NumResults"] == 0


def test_an_inactive_type_is_not_given_out(live: Live) -> None:
    """No HIT can ask for it and no worker request it; who has it keeps it."""
    type_id = make(live.client, QualificationTypeStatus="Inactive")
    code, message = refusal(live.client.create_hit_type, **HIT_TYPE, **asking(type_id))
    assert (code, "status of: Active" in message) == ("InvalidQualificationTypeState", True)
    worker = live.worker()
    assert not can_request(worker, type_id)
    csrf = hidden(worker.get("/earnings").text)
    assert worker.post(f"/qualifications/{type_id}", csrf=csrf).status_code == 403
    give(live, type_id, worker.worker_id)
    assert score(live, worker, type_id) == 1


# Who has what


def test_a_qualification_is_given_valued_and_revoked(live: Live) -> None:
    """Without a value it is 1; a new value keeps the time, a new grant does not; errors have MTurk's words."""
    type_id = make(live.client)
    this = {"QualificationTypeId": type_id, "WorkerId": "A1NOTHERE"}
    code, message = refusal(live.client.get_qualification_score, **this)
    assert (code, "does not exist" in message) == ("QualificationDoesNotExist", True)
    assert (
        refusal(live.client.disassociate_qualification_from_worker, **this)[0] == "QualificationDoesNotExist"
    )
    live.client.associate_qualification_with_worker(**this)
    first = live.client.get_qualification_score(**this)["Qualification"]
    assert (first["IntegerValue"], first["Status"]) == (1, "Granted")
    live.clock.move(60)
    live.client.associate_qualification_with_worker(**this, IntegerValue=-4)
    second = live.client.get_qualification_score(**this)["Qualification"]
    assert (second["IntegerValue"], second["GrantTime"]) == (-4, first["GrantTime"])
    live.client.disassociate_qualification_from_worker(**this, Reason="expired")
    for call in (live.client.get_qualification_score, live.client.disassociate_qualification_from_worker):
        code, message = refusal(call, **this)
        assert code == "InvalidQualificationState"
        assert "This operation can be called with a status of: Granted" in message
    live.client.associate_qualification_with_worker(**this)
    third = live.client.get_qualification_score(**this)["Qualification"]
    assert (third["GrantTime"] - first["GrantTime"]).total_seconds() == pytest.approx(60)


def test_the_holders_are_listed_by_status(live: Live) -> None:
    """In the order of their grants, paged; Revoked ones apart."""
    type_id = make(live.client)
    ids = [f"A{number}" for number in range(6)]
    for worker_id in ids:
        live.clock.move(1)
        give(live, type_id, worker_id, 3)
    live.client.disassociate_qualification_from_worker(QualificationTypeId=type_id, WorkerId="A2")

    def listed(**more: str) -> list[str]:
        pages = live.client.get_paginator("list_workers_with_qualification_type").paginate(
            QualificationTypeId=type_id, PaginationConfig={"PageSize": 4}, **more
        )
        return [each["WorkerId"] for page in pages for each in page["Qualifications"]]

    assert listed() == ids
    assert listed(Status="Granted") == ["A0", "A1", "A3", "A4", "A5"]
    assert listed(Status="Revoked") == ["A2"]


def test_a_worker_is_told_unless_it_is_not_wanted(live: Live) -> None:
    """SendNotification is true by default; a reason for taking it back is shown; neither reaches others."""
    type_id, worker, other = make(live.client, "<b>Eyes</b>"), live.worker(), live.worker()
    give(live, type_id, worker.worker_id)
    assert "Eyes" not in worker.get("/messages").text
    this = {"QualificationTypeId": type_id, "WorkerId": worker.worker_id}
    live.client.associate_qualification_with_worker(**this)
    live.client.disassociate_qualification_from_worker(**this, Reason="a year is over")
    page = worker.get("/messages").text
    assert "You have the qualification “&lt;b&gt;Eyes&lt;/b&gt;”" in page
    assert "a year is over" in page
    assert "Eyes" not in other.get("/messages").text


def test_types_and_requests_are_one_requesters_own(live: Live) -> None:
    """For another account a foreign type is as unknown as one that never was, in every operation."""
    type_id, other, worker = make(live.client), live.requester("other"), live.worker()
    give(live, type_id, "A1")
    request(worker, type_id)
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    of_type = {"QualificationTypeId": type_id}
    with_worker = {**of_type, "WorkerId": "A1"}
    calls: list[tuple[Any, dict[str, Any]]] = [
        (other.get_qualification_type, of_type),
        (other.update_qualification_type, {**of_type, "Description": "mine"}),
        (other.delete_qualification_type, of_type),
        (other.list_hits_for_qualification_type, of_type),
        (other.list_workers_with_qualification_type, of_type),
        (other.list_qualification_requests, of_type),
        (other.associate_qualification_with_worker, with_worker),
        (other.disassociate_qualification_from_worker, with_worker),
        (other.get_qualification_score, with_worker),
        (other.create_hit_type, {**HIT_TYPE, **asking(type_id)}),
    ]
    for call, parameters in calls:
        assert refusal(call, **parameters)[0] == "QualificationTypeDoesNotExist", call
    assert other.list_qualification_requests()["NumResults"] == 0
    assert other.list_qualification_types(MustBeRequestable=True)["NumResults"] == 0
    decide = {"QualificationRequestId": waiting["QualificationRequestId"]}
    for call in (other.accept_qualification_request, other.reject_qualification_request):
        assert refusal(call, **decide)[0] == "QualificationRequestDoesNotExist"
    system = {**with_worker, "QualificationTypeId": ADULT}
    for call in (
        live.client.associate_qualification_with_worker,
        live.client.disassociate_qualification_from_worker,
    ):
        assert refusal(call, **system)[0] == "QualificationTypeDoesNotExist"
    assert refusal(live.client.get_qualification_score, **system)[0] == "QualificationDoesNotExist"


# Requests


def test_a_request_waits_for_the_requester(live: Live) -> None:
    """Seen by both sides until it is accepted; then the task opens, and a second decision is an error."""
    type_id = make(live.client)
    hit = live.hit(**asking(type_id, "GreaterThan", IntegerValues=[4]))
    worker = live.worker()
    preview = worker.get(f"/projects/{hit['HITGroupId']}/tasks").text
    assert "Colours: more than 4" in preview
    assert f'href="/qualifications/{type_id}?next=/projects/{hit["HITGroupId"]}/tasks"' in preview
    page = request(worker, type_id).text
    assert "waits for the requester" in page
    assert not can_request(worker, type_id)
    assert "waits for the requester" in worker.get("/qualifications").text
    [waiting] = live.client.list_qualification_requests(QualificationTypeId=type_id)["QualificationRequests"]
    assert waiting["WorkerId"] == worker.worker_id
    assert waiting["SubmitTime"].timestamp() == pytest.approx(live.clock(), abs=1e-3)
    assert "Test" not in waiting
    decide = {"QualificationRequestId": waiting["QualificationRequestId"]}
    live.client.accept_qualification_request(**decide, IntegerValue=5)
    assert live.client.list_qualification_requests()["NumResults"] == 0
    assert worker.accept(hit["HITGroupId"]) is not None
    assert "with the value 5" in worker.get(f"/qualifications/{type_id}").text
    for call in (live.client.accept_qualification_request, live.client.reject_qualification_request):
        code, message = refusal(call, **decide)
        assert (code, "status of: Submitted" in message) == ("InvalidQualificationRequestState", True)
    for wrong in ("", "Q", "3NONE", "'; --"):
        call = live.client.accept_qualification_request
        assert refusal(call, QualificationRequestId=wrong)[0] == "QualificationRequestDoesNotExist"


def test_a_value_may_be_left_out(live: Live) -> None:
    """Accepted without one, the qualification only exists: no comparison with a number holds."""
    type_id, worker = make(live.client), live.worker()
    request(worker, type_id)
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    decide = {"QualificationRequestId": waiting["QualificationRequestId"]}
    live.client.accept_qualification_request(**decide)
    assert score(live, worker, type_id) is None
    compared = live.hit(**asking(type_id, "GreaterThanOrEqualTo", IntegerValues=[0]))
    existing = live.hit(**asking(type_id))
    assert worker.accept(compared["HITGroupId"]) is None
    assert worker.accept(existing["HITGroupId"]) is not None


def test_a_rejected_request_shows_its_reason(live: Live) -> None:
    """On the page and as a message; without a retry delay there is no second request."""
    type_id, worker = make(live.client), live.worker()
    request(worker, type_id)
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    decide = {"QualificationRequestId": waiting["QualificationRequestId"], "Reason": "too <i>new</i>"}
    live.client.reject_qualification_request(**decide)
    for path in (f"/qualifications/{type_id}", "/messages"):
        assert "too &lt;i&gt;new&lt;/i&gt;" in worker.get(path).text
    live.clock.move(365 * 24 * HOUR)
    assert "can be requested only once" in worker.get(f"/qualifications/{type_id}").text
    assert not can_request(worker, type_id)


def test_a_retry_waits_for_its_delay(live: Live) -> None:
    """Counted from the request, not from the decision."""
    type_id, worker = make(live.client, RetryDelayInSeconds=HOUR), live.worker()
    request(worker, type_id)
    live.clock.move(HOUR - 10)
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    live.client.reject_qualification_request(QualificationRequestId=waiting["QualificationRequestId"])
    page = worker.get(f"/qualifications/{type_id}").text
    assert "You can try again in 10 seconds" in page
    csrf = hidden(worker.get("/earnings").text)
    early = worker.post(f"/qualifications/{type_id}", csrf=csrf)
    assert (early.status_code, "too early" in early.text) == (403, True)
    live.clock.move(10)
    request(worker, type_id)
    assert live.client.list_qualification_requests()["NumResults"] == 1


def test_automatic_granting_opens_the_task_at_once(live: Live) -> None:
    """With its value; whoever was given another value by hand cannot overwrite it."""
    type_id = make(live.client, AutoGranted=True, AutoGrantedValue=3)
    hit = live.hit(2, **asking(type_id, "EqualTo", IntegerValues=[3]))
    worker, chosen = live.worker(), live.worker()
    assert "You have this qualification, with the value 3" in request(worker, type_id).text
    assert worker.accept(hit["HITGroupId"]) is not None
    assert live.client.list_qualification_requests()["NumResults"] == 0
    give(live, type_id, chosen.worker_id, 9)
    assert not can_request(chosen, type_id)
    assert chosen.accept(hit["HITGroupId"]) is None


def test_a_request_that_is_sent_at_once_is_one(both: Live) -> None:
    """Eight clicks at the same moment: one request waits, on either database."""
    type_id, worker = make(both.client, RetryDelayInSeconds=HOUR), both.worker()
    csrf = hidden(worker.get(f"/qualifications/{type_id}").text)
    at_once([lambda: worker.post(f"/qualifications/{type_id}", csrf=csrf)] * 8)
    assert both.client.list_qualification_requests()["NumResults"] == 1


def test_a_request_needs_a_worker_and_their_own_form(live: Live) -> None:
    """A visitor is led to join; a forged form is refused; the system's types cannot be requested."""
    type_id = make(live.client)
    visitor, worker = live.visitor(), live.worker()
    page = visitor.get(f"/qualifications/{type_id}").text
    assert f'href="/join?next=/qualifications/{type_id}' in page
    assert visitor.get("/qualifications").status_code == 403
    for who in (visitor, worker):
        assert who.post(f"/qualifications/{type_id}", csrf="0" * 32).status_code == 403
    for unknown in (ADULT, MASTERS, "3NONE", "lower", "Q" * 70):
        assert worker.get(f"/qualifications/{unknown}").status_code == 404
    assert live.client.list_qualification_requests()["NumResults"] == 0


# Tests


def open_test(worker: Worker, type_id: str) -> str:
    """Open a test by the form; the request's id."""
    opened = request(worker, type_id)
    assert 'id="task"' in opened.text
    return urlsplit(opened.url).path.rsplit("/", 1)[1]


def hand_in(live: Live, request_id: str, colour: str) -> requests.Response:
    """From the frame, which has no cookie."""
    fields = {"assignmentId": request_id, "answer.colour": colour}
    return requests.post(f"{live.url}/mturk/externalSubmit", fields, timeout=30)


def test_a_test_with_a_key_is_scored_at_once(live: Live) -> None:
    """Shown in a sealed frame, counted down, handed in like a task; its score is the qualification's value."""
    type_id = make(live.client, AnswerKey=KEY, **TESTED)
    hit = live.hit(2, **asking(type_id, "GreaterThanOrEqualTo", IntegerValues=[7]))
    knows, guesses = live.worker(), live.worker()
    request_id = open_test(knows, type_id)
    page = knows.get(f"/qualifications/requests/{request_id}?next=/projects/{hit['HITGroupId']}/tasks").text
    assert 'sandbox="allow-scripts allow-forms"' in page
    assert 'data-seconds="600"' in page
    assert f'data-submitted="/qualifications/{type_id}?next=/projects/{hit["HITGroupId"]}/tasks"' in page
    frame = requests.get(live.url + frame_source(page), timeout=30)
    assert frame.headers["content-security-policy"].startswith("sandbox allow-scripts allow-forms;")
    assert "Which colour has blood?" in frame.text
    assert KEY not in frame.text
    sent = hand_in(live, request_id, "red")
    assert (sent.ok, 'id="submitted"' in sent.text) == (True, True)
    hand_in(live, open_test(guesses, type_id), "green")
    assert (score(live, knows, type_id), score(live, guesses, type_id)) == (7, 0)
    assert knows.accept(hit["HITGroupId"]) is not None
    assert guesses.accept(hit["HITGroupId"]) is None
    assert live.client.list_qualification_requests()["NumResults"] == 0


def test_a_test_without_a_key_waits_with_its_answers(live: Live) -> None:
    """The requester gets the questions as they were shown and what was answered first."""
    type_id, worker = make(live.client, **TESTED), live.worker()
    request_id = open_test(worker, type_id)
    assert live.client.list_qualification_requests()["NumResults"] == 0
    live.clock.move(30)
    for colour in ("green", "red"):
        assert hand_in(live, request_id, colour).ok
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    assert waiting["QualificationRequestId"] == request_id
    assert waiting["Test"] == TEST
    assert "<QuestionIdentifier>colour</QuestionIdentifier>" in waiting["Answer"]
    assert "green" in waiting["Answer"]
    assert "red" not in waiting["Answer"]
    assert waiting["SubmitTime"].timestamp() == pytest.approx(live.clock(), abs=1e-3)


def test_a_test_ends_at_its_deadline(live: Live) -> None:
    """Opened again it goes on, with less time; too late, it is lost, and counts as the one try."""
    type_id, worker = make(live.client, AnswerKey=KEY, **TESTED), live.worker()
    request_id = open_test(worker, type_id)
    live.clock.move(540)
    page = worker.get(f"/qualifications/{type_id}").text
    assert "Go on with the test" in page
    csrf = hidden(worker.get("/earnings").text)
    again = worker.post(f"/qualifications/{type_id}", csrf=csrf)
    assert request_id in again.url
    assert 'data-seconds="60"' in again.text
    live.clock.move(60)
    late = hand_in(live, request_id, "red")
    assert (late.status_code, "time for this test was over" in late.text) == (400, True)
    assert worker.get(f"/qualifications/requests/{request_id}").status_code == 410
    assert not can_request(worker, type_id)
    this = {"QualificationTypeId": type_id, "WorkerId": worker.worker_id}
    assert refusal(live.client.get_qualification_score, **this)[0] == "QualificationDoesNotExist"


def test_a_test_that_was_changed_meanwhile_is_not_scored(live: Live) -> None:
    """A key for other questions decides nothing: the requester has to."""
    type_id, worker = make(live.client, AnswerKey=KEY, **TESTED), live.worker()
    request_id = open_test(worker, type_id)
    changed = {**TESTED, "Test": TEST.replace("blood", "grass"), "AnswerKey": KEY.replace("red", "green")}
    live.client.update_qualification_type(QualificationTypeId=type_id, **changed)
    hand_in(live, request_id, "red")
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    assert waiting["Test"] == TEST


def test_a_test_is_its_workers_own(live: Live) -> None:
    """Others cannot open it, and ids that are none are refused, never a failure."""
    type_id, owner, other = make(live.client, **TESTED), live.worker(), live.worker()
    request_id = open_test(owner, type_id)
    assert other.get(f"/qualifications/requests/{request_id}").status_code == 404
    assert live.visitor().get(f"/qualifications/requests/{request_id}").status_code == 404
    for unknown in ("QNONE", "3NONE", "lower", "%00"):
        assert other.get(f"/qualifications/requests/{unknown}").status_code == 404
        assert other.get(f"/qualifications/requests/{unknown}/test").status_code == 404
    assert hand_in(live, "QNONE", "red").status_code == 400


# What a worker may do

GUARDED = [
    ("Accept", (True, True, False)),
    ("PreviewAndAccept", (True, False, False)),
    ("DiscoverPreviewAndAccept", (False, False, False)),
]


def test_guards_are_kept_from_list_preview_and_accept(live: Live) -> None:
    """Without the qualification each guard closes its doors, also to a form of one's own; with it all are open."""
    type_id, worker = make(live.client, "Secret handshake"), live.worker()
    groups = []
    for number, (guard, expected) in enumerate(GUARDED):
        hit = live.hit(Title=f"Guard {number}", **asking(type_id, ActionsGuarded=guard))
        groups.append(hit["HITGroupId"])
        assert sees(worker, groups[-1]) == expected
        page = worker.get(f"/projects/{groups[-1]}/tasks").text
        assert ("Secret handshake" in page) is (guard != "DiscoverPreviewAndAccept")
        forced = worker.post(f"/projects/{groups[-1]}/accept", csrf=hidden(worker.get("/earnings").text))
        assert forced.status_code == 403
    give(live, type_id, worker.worker_id)
    assert [sees(worker, group) for group in groups] == [(True, True, True)] * 3


# (comparator, values, met by 5, met by no qualification), from the QualificationRequirement page.
COMPARED: list[tuple[str, list[int], bool, bool]] = [
    ("LessThan", [6], True, False), ("LessThan", [5], False, False),
    ("LessThanOrEqualTo", [5], True, False), ("LessThanOrEqualTo", [4], False, False),
    ("GreaterThan", [4], True, False), ("GreaterThan", [5], False, False),
    ("GreaterThanOrEqualTo", [5], True, False), ("GreaterThanOrEqualTo", [6], False, False),
    ("EqualTo", [5], True, False), ("EqualTo", [6], False, False),
    ("NotEqualTo", [6], True, False), ("NotEqualTo", [5], False, False),
    ("In", [1, 5], True, False), ("In", [1, 2], False, False),
    ("NotIn", [1, 2], True, False), ("NotIn", [1, 5], False, False),
    ("Exists", [], True, False), ("DoesNotExist", [], False, True),
]  # fmt: skip


def test_comparators_decide_who_may_accept(live: Live) -> None:
    """A worker with the value 5, one without and one whose qualification was revoked, against each comparator."""
    type_id = make(live.client)
    five, none, revoked = (live.worker() for _ in range(3))
    give(live, type_id, five.worker_id, 5)
    give(live, type_id, revoked.worker_id, 5)
    live.client.disassociate_qualification_from_worker(
        QualificationTypeId=type_id, WorkerId=revoked.worker_id
    )
    for number, (comparator, values, by_five, by_none) in enumerate(COMPARED):
        more = {"IntegerValues": values} if values else {}
        hit = live.hit(Title=f"T{number}", **asking(type_id, comparator, **more))
        path = f"/projects/{hit['HITGroupId']}/tasks"
        open_to = ['id="accept"' in worker.get(path).text for worker in (five, none, revoked)]
        assert open_to == [by_five, by_none, by_none], (comparator, values)


def test_places_and_age_are_what_a_worker_says(live: Live) -> None:
    """A country stands for its subdivisions; who has said nothing meets neither, nor their opposites."""
    places: list[tuple[str, list[dict[str, str]], bool]] = [
        ("EqualTo", [{"Country": "US"}], True),
        ("EqualTo", [{"Country": "US", "Subdivision": "CA"}], True),
        ("EqualTo", [{"Country": "US", "Subdivision": "NY"}], False),
        ("NotEqualTo", [{"Country": "US"}], False),
        ("In", [{"Country": "DE"}, {"Country": "US", "Subdivision": "CA"}], True),
        ("NotIn", [{"Country": "DE"}, {"Country": "FR"}], True),
    ]
    said, silent = live.worker(), live.worker()
    csrf = hidden(said.get("/earnings").text)
    said.post("/you", csrf=csrf, country="us", subdivision="ca", adult="1")
    for number, (comparator, values, expected) in enumerate(places):
        hit = live.hit(Title=f"T{number}", **asking(LOCALE, comparator, LocaleValues=values))
        path = f"/projects/{hit['HITGroupId']}/tasks"
        assert ['id="accept"' in worker.get(path).text for worker in (said, silent)] == [expected, False]
    assert 'href="/earnings#you"' in silent.get(path).text
    adults = live.hit(**asking(ADULT, "EqualTo", IntegerValues=[1]))
    path = f"/projects/{adults['HITGroupId']}/tasks"
    assert ['id="accept"' in worker.get(path).text for worker in (said, silent)] == [True, False]


def test_the_record_counts_from_what_was_reviewed(live: Live) -> None:
    """Approved tasks are counted; the percentage reads 100 until 100 have been submitted, then what it is."""
    worker = live.worker()
    worker_id = worker.worker_id
    pattern = live.hit(1)
    with live.engine.begin() as connection:
        row = dict(connection.execute(sa.select(hits)).mappings().one())
        for number in range(99):
            hit_id, status = f"3H{number}", "Approved" if number < 60 else "Rejected"
            connection.execute(sa.insert(hits).values({**row, "hit_id": hit_id, "status": "Disposed"}))
            done = {
                "assignment_id": f"3A{number}",
                "hit_id": hit_id,
                "worker_id": worker_id,
                "status": status,
            }
            connection.execute(sa.insert(assignments).values(**done, accepted_at=0.0, deadline=1.0))

    def met(type_id: str, comparator: str, value: int) -> bool:
        hit = live.hit(Title=f"{comparator} {value}", **asking(type_id, comparator, IntegerValues=[value]))
        return 'id="accept"' in worker.get(f"/projects/{hit['HITGroupId']}/tasks").text

    assert met(APPROVED, "GreaterThan", 59)
    assert not met(APPROVED, "GreaterThan", 60)
    assert met(PERCENT, "EqualTo", 100)
    live.client.approve_assignment(AssignmentId=worker.answer(pattern["HITGroupId"]))
    assert met(APPROVED, "GreaterThan", 60)
    # 61 approved of 100 reviewed.
    assert met(PERCENT, "EqualTo", 61)
    assert not met(PERCENT, "GreaterThanOrEqualTo", 62)
    assert not met(MASTERS, "NotEqualTo", 0)


def test_exclusion_keeps_out_who_has_taken_part(live: Live) -> None:
    """DoesNotExist with all doors closed: the excluded see nothing of it, all others everything, visitors too."""
    type_id = make(live.client, "took part")
    out, new = live.worker(), live.worker()
    give(live, type_id, out.worker_id)
    hit = live.hit(2, **asking(type_id, "DoesNotExist", ActionsGuarded="DiscoverPreviewAndAccept"))
    group = hit["HITGroupId"]
    assert sees(out, group) == (False, False, False)
    assert "took part" not in out.get(f"/projects/{group}/tasks").text
    assert sees(new, group) == (True, True, True)
    assert sees(live.visitor(), group) == (True, True, False)
    soft = live.hit(2, Title="soft", **asking(type_id, "DoesNotExist"))
    page = out.get(f"/projects/{soft['HITGroupId']}/tasks").text
    assert "Not to have: took part" in page
    assert not re.search(r'href="/qualifications/3\w+', page)
    live.client.disassociate_qualification_from_worker(QualificationTypeId=type_id, WorkerId=out.worker_id)
    assert sees(out, group) == (True, True, True)
