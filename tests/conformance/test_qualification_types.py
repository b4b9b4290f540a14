"""Qualification types: made, changed, found, deleted, and the HITs that ask for them."""

from typing import Any

import pytest

from tests.conformance.conftest import Clock
from tests.conformance.place import DAY, SCHEMAS, Place, new, paginated, question_form, walked
from tests.conformance.wire import invalid, refusal

KEY = (
    f'<AnswerKey xmlns="{SCHEMAS}/2005-10-01/AnswerKey.xsd"><Question><QuestionIdentifier>animals'
    "</QuestionIdentifier><AnswerOption><SelectionIdentifier>two</SelectionIdentifier>"
    "<AnswerScore>10</AnswerScore></AnswerOption></Question></AnswerKey>"
)
TEST = {"Test": question_form(), "TestDurationInSeconds": 600}
ALREADY = "You have already created a QualificationType with this name."


def given(**changes: Any) -> dict[str, Any]:
    return {"Name": new("Taste"), "Description": "Has taste", "QualificationTypeStatus": "Active", **changes}


def test_a_type_comes_back_as_it_was_made(place: Place) -> None:
    """GetQualificationType gives what CreateQualificationType was given, with and without a test."""
    for more in ({"Keywords": "eye, colour"}, {**TEST, "AnswerKey": KEY, "RetryDelayInSeconds": 60}):
        asked = given(**more)
        made = place.client.create_qualification_type(**asked)["QualificationType"]
        assert asked.items() <= made.items()
        assert made["IsRequestable"] is True
        type_id = made["QualificationTypeId"]
        assert place.client.get_qualification_type(QualificationTypeId=type_id)["QualificationType"] == made


def test_an_automatic_grant_is_worth_one(place: Place) -> None:
    """AutoGrantedValue is 1 by default."""
    made = place.client.create_qualification_type(**given(AutoGranted=True))["QualificationType"]
    assert (made["AutoGranted"], made["AutoGrantedValue"]) == (True, 1)


def test_a_name_is_given_once(place: Place) -> None:
    """QualificationTypeAlreadyExists, in MTurk's words."""
    asked = given()
    place.client.create_qualification_type(**asked)
    code, message = refusal(place.client.create_qualification_type, **asked)
    assert code == "QualificationTypeAlreadyExists"
    assert ALREADY in message


@pytest.mark.parametrize(
    "wrong",
    [
        {"Test": question_form()},
        {**TEST, "AutoGranted": True},
        {"AnswerKey": KEY},
        {**TEST, "Test": question_form("x" * 65_000)},
        {**TEST, "AnswerKey": KEY.replace("Score>", f"{'x' * 33_000}>")},
    ],
    ids=["no duration", "automatic", "no test", "long test", "long key"],
)
def test_what_does_not_go_together_is_refused(place: Place, wrong: dict[str, Any]) -> None:
    """A test needs its duration, excludes automatic granting, and has 65,535 bytes at most, as its key."""
    code, _ = refusal(place.client.create_qualification_type, **given(**wrong))
    assert code in ("InvalidParameterValue", "ParameterValidationError", "XMLParseError")


@pytest.mark.parametrize(
    "wrong",
    [
        {**TEST, "Test": "What is your name?"},
        {**TEST, "Test": question_form().replace("QuestionForm", "HTMLQuestion")},
        {**TEST, "AnswerKey": KEY.replace("</AnswerKey>", "")},
    ],
    ids=["no XML", "no QuestionForm", "broken key"],
)
def test_a_test_that_cannot_be_read_is_refused(place: Place, wrong: dict[str, Any]) -> None:
    """XMLParseError for a test and for a key."""
    assert refusal(place.client.create_qualification_type, **given(**wrong))[0] == "XMLParseError"


def test_a_type_is_changed(place: Place) -> None:
    """UpdateQualificationType changes what is given, and leaves the rest."""
    type_id = place.qualification_type(Keywords="eye")
    update = place.client.update_qualification_type
    changed = update(QualificationTypeId=type_id, Description="Sees", RetryDelayInSeconds=9)[
        "QualificationType"
    ]
    assert (changed["Description"], changed["Keywords"], changed["RetryDelayInSeconds"]) == ("Sees", "eye", 9)
    changed = update(QualificationTypeId=type_id, AutoGranted=True, AutoGrantedValue=7)["QualificationType"]
    assert (changed["AutoGranted"], changed["AutoGrantedValue"], changed["Description"]) == (True, 7, "Sees")
    changed = update(QualificationTypeId=type_id, QualificationTypeStatus="Inactive")["QualificationType"]
    assert changed["QualificationTypeStatus"] == "Inactive"
    assert place.client.get_qualification_type(QualificationTypeId=type_id)["QualificationType"] == changed


def test_a_test_is_replaced_with_its_key(place: Place) -> None:
    """A new Test without a key has none; one that is there is kept, and excludes automatic granting."""
    type_id = place.qualification_type(**TEST, AnswerKey=KEY)
    update = place.client.update_qualification_type
    same = update(QualificationTypeId=type_id, Description="D")["QualificationType"]
    assert (same["Test"], same["AnswerKey"]) == (TEST["Test"], KEY)
    refusal(update, QualificationTypeId=type_id, AutoGranted=True)
    refusal(update, QualificationTypeId=type_id, Test=question_form("other"))
    newer = {**TEST, "Test": question_form("other")}
    changed = update(QualificationTypeId=type_id, **newer)["QualificationType"]
    assert changed["Test"] == newer["Test"]
    assert "AnswerKey" not in changed


def test_a_type_that_is_not_there_is_named_everywhere(place: Place) -> None:
    """QualificationTypeDoesNotExist from each operation that takes a QualificationTypeId."""
    worker = {"WorkerId": place.worker().worker_id}
    calls: list[tuple[Any, dict[str, Any]]] = [
        (place.client.get_qualification_type, {}),
        (place.client.update_qualification_type, {"Description": "D"}),
        (place.client.delete_qualification_type, {}),
        (place.client.list_hits_for_qualification_type, {}),
        (place.client.list_workers_with_qualification_type, {}),
        (place.client.list_qualification_requests, {}),
        (place.client.get_qualification_score, worker),
        (place.client.associate_qualification_with_worker, {**worker, "IntegerValue": 1}),
        (place.client.disassociate_qualification_from_worker, worker),
    ]
    for call, given in calls:
        code, message = refusal(call, QualificationTypeId="3NONE", **given)
        assert (code, "3NONE" in message) == ("QualificationTypeDoesNotExist", True), call


def test_types_are_found_page_by_page(place: Place) -> None:
    """Query searches name, keywords and description; by one, by two, by boto3's paginator."""
    mark = new("mark").split()[1]
    made = [
        place.qualification_type(Name=f"{mark} one"),
        place.qualification_type(Description=f"with {mark}"),
        place.qualification_type(Keywords=f"{mark}, other"),
    ]
    other = place.qualification_type()
    search = {"Query": mark, "MustBeRequestable": False, "MustBeOwnedByCaller": True}
    for size in (1, 2):
        rows = walked(place.client.list_qualification_types, "QualificationTypes", size, **search)
        assert sorted(row["QualificationTypeId"] for row in rows) == sorted(made)
    pages = list(
        paginated(place.client, "list_qualification_types", MustBeRequestable=True, MustBeOwnedByCaller=True)
    )
    ids = [row["QualificationTypeId"] for page in pages for row in page["QualificationTypes"]]
    assert {*made, other} <= set(ids)
    assert len(ids) == len(set(ids))


def test_the_systems_types_are_there(place: Place) -> None:
    """They are listed where they are not excluded, can be read, and nobody can request or change them."""
    listed = walked(place.client.list_qualification_types, "QualificationTypes", 100, MustBeRequestable=False)
    system = {row["QualificationTypeId"]: row for row in listed}["00000000000000000040"]
    assert (system["Name"], system["IsRequestable"]) == ("Worker_NumberHITsApproved", False)
    read = place.client.get_qualification_type(QualificationTypeId=system["QualificationTypeId"])
    assert read["QualificationType"] == system
    for given in ({"MustBeRequestable": True}, {"MustBeRequestable": False, "MustBeOwnedByCaller": True}):
        rows = walked(place.client.list_qualification_types, "QualificationTypes", 100, **given)
        assert system["QualificationTypeId"] not in {row["QualificationTypeId"] for row in rows}
    refusal(place.client.delete_qualification_type, QualificationTypeId=system["QualificationTypeId"])


def test_the_hits_that_ask_for_a_type_are_listed(place: Place) -> None:
    """ListHITsForQualificationType: those alone, page by page, disposed ones left out."""
    type_id = place.qualification_type()
    needed = [{"QualificationTypeId": type_id, "Comparator": "DoesNotExist"}]
    hits = [place.hit(QualificationRequirements=needed)["HITId"] for _ in range(4)]
    place.hit()
    place.client.update_expiration_for_hit(HITId=hits[0], ExpireAt=0)
    place.client.delete_hit(HITId=hits[0])
    given = {"QualificationTypeId": type_id}
    for size in (1, 2):
        rows = walked(place.client.list_hits_for_qualification_type, "HITs", size, **given)
        assert sorted(row["HITId"] for row in rows) == sorted(hits[1:])
    pages = paginated(place.client, "list_hits_for_qualification_type", **given)
    assert sorted(row["HITId"] for page in pages for row in page["HITs"]) == sorted(hits[1:])


def test_a_deleted_type_makes_no_hits_and_asks_nobody(place: Place) -> None:
    """DeleteQualificationType: no new HIT with it, requests rejected, not listed; what was granted still counts."""
    type_id = place.qualification_type()
    needed = [{"QualificationTypeId": type_id, "Comparator": "Exists"}]
    hit = place.hit(QualificationRequirements=needed)
    holder, asking = place.worker(), place.worker()
    place.client.associate_qualification_with_worker(
        QualificationTypeId=type_id, WorkerId=holder.worker_id, SendNotification=False
    )
    assert asking.ask_for(type_id)
    [request] = place.client.list_qualification_requests(QualificationTypeId=type_id)["QualificationRequests"]
    place.client.delete_qualification_type(QualificationTypeId=type_id)
    with_type = {"LifetimeInSeconds": DAY, "Question": hit["Question"]}
    with_it = place.parameters(QualificationRequirements=needed)
    for call, given in (
        (place.client.create_hit, with_it),
        (place.client.create_hit_type, place.hit_type(QualificationRequirements=needed)),
        (place.client.create_hit_with_hit_type, {"HITTypeId": hit["HITTypeId"], **with_type}),
        (place.client.delete_qualification_type, {"QualificationTypeId": type_id}),
        (
            place.client.accept_qualification_request,
            {"QualificationRequestId": request["QualificationRequestId"]},
        ),
    ):
        refusal(call, **given)
    waiting = walked(place.client.list_qualification_requests, "QualificationRequests", 100)
    assert request["QualificationRequestId"] not in {row["QualificationRequestId"] for row in waiting}
    mine = {"MustBeRequestable": False, "MustBeOwnedByCaller": True}
    rows = walked(place.client.list_qualification_types, "QualificationTypes", 100, **mine)
    assert type_id not in {row["QualificationTypeId"] for row in rows}
    assert holder.accept(hit["HITGroupId"]) is not None


def test_a_deleted_name_is_free_after_48_hours(place: Place, clock: Clock) -> None:
    """At the latest: it may be so before."""
    asked = given()
    made = place.client.create_qualification_type(**asked)["QualificationType"]
    place.client.delete_qualification_type(QualificationTypeId=made["QualificationTypeId"])
    clock(2 * DAY + 1)
    again = place.client.create_qualification_type(**asked)["QualificationType"]
    assert again["QualificationTypeId"] != made["QualificationTypeId"]


def test_an_inactive_type_makes_no_hits_and_is_not_requested(place: Place) -> None:
    """The status says whether users can apply, and whether HITs can be made with it (QualificationType page)."""
    type_id = place.qualification_type(QualificationTypeStatus="Inactive")
    needed = [{"QualificationTypeId": type_id, "Comparator": "Exists"}]
    assert not place.worker().ask_for(type_id)
    code, _ = refusal(place.client.create_hit, **place.parameters(QualificationRequirements=needed))
    assert code in ("InvalidQualificationTypeState", "InvalidParameterValue", "QualificationTypeDoesNotExist")


def test_a_duration_is_not_negative(place: Place) -> None:
    """A test's time and the delay before another try are whole numbers of seconds."""
    create = place.client.create_qualification_type
    assert "TestDurationInSeconds" in invalid(create, **given(**{**TEST, "TestDurationInSeconds": -1}))
    assert "RetryDelayInSeconds" in invalid(create, **given(RetryDelayInSeconds=-1))
