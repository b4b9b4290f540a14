"""Qualification types: made, changed, searched and deleted, each by its own requester."""

from typing import Any

import pytest

from tests.annotate.marketplace.live import HIT_TYPE, Live, hidden, html_question, refusal
from tests.annotate.marketplace.qualified import (
    ADULT,
    HOUR,
    KEY,
    TEST,
    TESTED,
    asking,
    can_request,
    give,
    make,
    request,
    score,
)
from tests.annotate.marketplace.test_race import at_once

PERCENT = "000000000000000000L0"


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
