"""Two requesters: neither sees or touches what is the other's; ids of the other's are like ids of nothing."""

from typing import Any

import pytest

from tests.conformance.place import Place, html_question, new, walked
from tests.conformance.wire import refusal


@pytest.fixture(scope="module")
def theirs(place: Place) -> dict[str, str]:
    """A HIT, its type, an answer, a qualification type, its holder and a request, of the first requester."""
    hit = place.hit(3)
    [assignment_id] = place.answered(hit)
    type_id = place.qualification_type()
    worker = place.worker()
    worker.ask_for(type_id)
    [request] = place.client.list_qualification_requests(QualificationTypeId=type_id)["QualificationRequests"]
    place.client.associate_qualification_with_worker(
        QualificationTypeId=type_id, WorkerId=worker.worker_id, SendNotification=False
    )
    place.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    place.client.create_worker_block(WorkerId=worker.worker_id, Reason="ours")
    return {
        "HITId": hit["HITId"],
        "HITTypeId": hit["HITTypeId"],
        "AssignmentId": assignment_id,
        "QualificationTypeId": type_id,
        "QualificationRequestId": request["QualificationRequestId"],
        "WorkerId": worker.worker_id,
    }


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("get_hit", "HITId", {}),
    ("delete_hit", "HITId", {}),
    ("update_expiration_for_hit", "HITId", {"ExpireAt": 0}),
    ("update_hit_review_status", "HITId", {}),
    ("create_additional_assignments_for_hit", "HITId", {"NumberOfAdditionalAssignments": 1}),
    ("list_assignments_for_hit", "HITId", {}),
    ("list_bonus_payments", "HITId", {}),
    ("list_review_policy_results_for_hit", "HITId", {}),
    ("create_hit_with_hit_type", "HITTypeId", {"LifetimeInSeconds": 60, "Question": html_question()}),
    ("update_notification_settings", "HITTypeId", {"Active": False}),
    ("get_assignment", "AssignmentId", {}),
    ("approve_assignment", "AssignmentId", {}),
    ("reject_assignment", "AssignmentId", {"RequesterFeedback": "no"}),
    ("list_bonus_payments", "AssignmentId", {}),
    ("get_file_upload_url", "AssignmentId", {"QuestionIdentifier": "photo"}),
    ("send_bonus", "AssignmentId", {"WorkerId": "A9NONE", "BonusAmount": "1", "Reason": "r"}),
    ("update_qualification_type", "QualificationTypeId", {"Description": "mine"}),
    ("delete_qualification_type", "QualificationTypeId", {}),
    ("list_qualification_requests", "QualificationTypeId", {}),
    ("list_workers_with_qualification_type", "QualificationTypeId", {}),
    ("get_qualification_score", "QualificationTypeId", {"WorkerId": ""}),
    ("associate_qualification_with_worker", "QualificationTypeId", {"WorkerId": ""}),
    ("disassociate_qualification_from_worker", "QualificationTypeId", {"WorkerId": ""}),
    ("accept_qualification_request", "QualificationRequestId", {}),
    ("reject_qualification_request", "QualificationRequestId", {}),
]


@pytest.mark.parametrize(("operation", "name", "more"), CALLS)
def test_what_is_anothers_is_as_nothing(
    place: Place, second: Any, theirs: dict[str, str], operation: str, name: str, more: dict[str, Any]
) -> None:
    """The other requester gets the same error for this id as for one that nobody has."""
    given = {key: theirs[key] if value == "" else value for key, value in more.items()}
    code, message = refusal(getattr(second, operation), **given, **{name: theirs[name]})
    nothing, words = refusal(getattr(second, operation), **given, **{name: "3NONE"})
    assert code == nothing
    assert message.split(" (")[0].replace(theirs[name], "3NONE") == words.split(" (")[0]


def test_lists_show_ones_own_alone(second: Any, theirs: dict[str, str]) -> None:
    """HITs, reviewable HITs, requests, blocks and own qualification types of the other are not listed."""
    mine = {"MustBeRequestable": False, "MustBeOwnedByCaller": True}
    for call, key, name, given in (
        (second.list_hits, "HITs", "HITId", {}),
        (second.list_reviewable_hits, "HITs", "HITId", {"HITTypeId": theirs["HITTypeId"]}),
        (second.list_qualification_requests, "QualificationRequests", "QualificationRequestId", {}),
        (second.list_worker_blocks, "WorkerBlocks", "WorkerId", {}),
        (second.list_qualification_types, "QualificationTypes", "QualificationTypeId", mine),
    ):
        assert theirs[name] not in {row[name] for row in walked(call, key, 100, **given)}


def test_a_balance_is_ones_own(place: Place, second: Any) -> None:
    """What one spends, the other keeps; and a HIT of the one does not change to a type of the other."""
    before = second.get_account_balance()
    hit = place.hit()
    assert second.get_account_balance() | {"ResponseMetadata": 0} == before | {"ResponseMetadata": 0}
    type_id = second.create_hit_type(**place.hit_type())["HITTypeId"]
    given = {"HITId": hit["HITId"], "HITTypeId": type_id}
    assert refusal(place.client.update_hit_type_of_hit, **given)[0] == "HITTypeDoesNotExist"
    assert refusal(second.update_hit_type_of_hit, **given)[0] == "HITDoesNotExist"


def test_a_message_reaches_only_ones_own_workers(place: Place, second: Any) -> None:
    """Whose work the other has approved is a stranger here."""
    worker = place.worker()
    place.client.approve_assignment(AssignmentId=place.answer(worker, place.hit()))
    answer = second.notify_workers(Subject="S", MessageText="from another", WorkerIds=[worker.worker_id])
    assert [one["WorkerId"] for one in answer["NotifyWorkersFailureStatuses"]] == [worker.worker_id]
    assert "from another" not in worker.messages()


def test_a_token_is_ones_own(place: Place, second: Any) -> None:
    """Two requesters may use the same UniqueRequestToken."""
    token = new("token")
    mine = place.hit(UniqueRequestToken=token)
    theirs = second.create_hit(**place.parameters(), UniqueRequestToken=token)["HIT"]
    assert mine["HITId"] != theirs["HITId"]
