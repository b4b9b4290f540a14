"""Assignments: listed, read, approved, rejected, approved by the clock, abandoned; and uploaded files."""

import datetime
import xml.etree.ElementTree as ET
from typing import Any

from tests.conformance.conftest import Clock
from tests.conformance.place import DAY, SCHEMAS, Place, paginated, question_form, walked
from tests.conformance.wire import refusal

SUBMITTED = "This operation can be called with a status of: Submitted"
READABLE = "This operation can be called with a status of: Reviewable,Approved,Rejected"
ANSWERS = f"{{{SCHEMAS}/2005-10-01/QuestionFormAnswers.xsd}}"


def test_what_was_handed_in_comes_back(place: Place) -> None:
    """GetAssignment: times, worker, answers as QuestionFormAnswers, and the HIT beside it."""
    hit = place.hit()
    worker = place.worker()
    given = {"stars": "3", "why": "<light> & \u00e9"}
    assignment_id = place.answer(worker, hit, **given)
    answer = place.client.get_assignment(AssignmentId=assignment_id)
    assert answer["HIT"]["HITId"] == hit["HITId"]
    found = answer["Assignment"]
    assert (found["WorkerId"], found["AssignmentStatus"]) == (worker.worker_id, "Submitted")
    assert found["AutoApprovalTime"] - found["SubmitTime"] == datetime.timedelta(days=3)
    assert found["Deadline"] - found["AcceptTime"] == datetime.timedelta(seconds=600)
    fields = {
        one.findtext(f"{ANSWERS}QuestionIdentifier"): one.findtext(f"{ANSWERS}FreeText")
        for one in ET.fromstring(found["Answer"].encode())
    }
    assert fields == given


def test_a_forms_answers_come_back_by_kind(place: Place) -> None:
    """Of a QuestionForm a text is FreeText, a choice SelectionIdentifier; without a needed one nothing is taken."""
    choices = "".join(
        f"<Selection><SelectionIdentifier>{name}</SelectionIdentifier><Text>{name}</Text></Selection>"
        for name in ("few", "many")
    )
    chosen = question_form("herd").replace(
        "<FreeTextAnswer/>", f"<SelectionAnswer><Selections>{choices}</Selections></SelectionAnswer>"
    )
    both = question_form().replace("</QuestionForm>", chosen[chosen.index("<Question>") :])
    hit, worker = place.hit(Question=both), place.worker()
    assignment_id = str(worker.accept(hit["HITGroupId"]))
    assert not worker.fill_in(assignment_id, animals="7")
    assert not worker.fill_in(assignment_id, animals="7", herd="none of them")
    assert worker.fill_in(assignment_id, animals="7", herd="many")
    answers = ET.fromstring(place.assignment(assignment_id)["Answer"].encode())
    assert [(one[0].text, one[1].tag.removeprefix(ANSWERS), one[1].text) for one in answers] == [
        ("animals", "FreeText", "7"), ("herd", "SelectionIdentifier", "many"),
    ]  # fmt: skip


def test_partial_results_are_listed_page_by_page(place: Place) -> None:
    """ListAssignmentsForHIT before the HIT is full, by one, by two, by boto3's paginator."""
    hit = place.hit(5)
    made = place.answered(hit, 4)
    listed = place.client.list_assignments_for_hit
    for size in (1, 2):
        rows = walked(listed, "Assignments", size, HITId=hit["HITId"])
        assert sorted(row["AssignmentId"] for row in rows) == sorted(made)
    pages = paginated(place.client, "list_assignments_for_hit", HITId=hit["HITId"])
    assert sorted(row["AssignmentId"] for page in pages for row in page["Assignments"]) == sorted(made)


def test_a_list_is_narrowed_by_status(place: Place) -> None:
    """AssignmentStatuses: one of the three or several; what is in hand is never listed."""
    hit = place.hit(4)
    approved, rejected, waiting = place.answered(hit, 3)
    assert place.worker().accept(hit["HITGroupId"])
    place.client.approve_assignment(AssignmentId=approved)
    place.client.reject_assignment(AssignmentId=rejected, RequesterFeedback="no")
    wanted: dict[str, set[str]] = {
        "Submitted": {waiting}, "Approved": {approved}, "Rejected": {rejected},
        "Approved,Rejected": {approved, rejected}, "": {approved, rejected, waiting},
    }  # fmt: skip
    for statuses, ids in wanted.items():
        given = {"AssignmentStatuses": statuses.split(",")} if statuses else {}
        answer = place.client.list_assignments_for_hit(HITId=hit["HITId"], **given)
        assert {row["AssignmentId"] for row in answer["Assignments"]} == ids


def test_an_assignment_that_is_not_there_is_named_everywhere(place: Place) -> None:
    """AssignmentDoesNotExist and MTurk's sentence from each operation that takes an AssignmentId."""
    calls: list[tuple[Any, dict[str, Any]]] = [
        (place.client.get_assignment, {}),
        (place.client.approve_assignment, {}),
        (place.client.approve_assignment, {"OverrideRejection": True}),
        (place.client.reject_assignment, {"RequesterFeedback": "no"}),
        (place.client.send_bonus, {"WorkerId": "A9NONE", "BonusAmount": "1", "Reason": "thanks"}),
        (place.client.list_bonus_payments, {}),
        (place.client.get_file_upload_url, {"QuestionIdentifier": "photo"}),
    ]
    for call, given in calls:
        code, message = refusal(call, AssignmentId="3NONE", **given)
        assert (code, "Assignment 3NONE does not exist." in message) == ("AssignmentDoesNotExist", True), call


def test_what_is_in_hand_cannot_be_read_or_reviewed(place: Place) -> None:
    """Before it is submitted, with MTurk's words (psiTurk issue 360)."""
    assignment_id = place.worker().accept(place.hit()["HITGroupId"])
    code, message = refusal(place.client.get_assignment, AssignmentId=assignment_id)
    assert (code, READABLE in message) == ("InvalidAssignmentState", True)
    for call, given in (
        (place.client.approve_assignment, {}),
        (place.client.reject_assignment, {"RequesterFeedback": "no"}),
    ):
        assert refusal(call, AssignmentId=assignment_id, **given)[0] == "InvalidAssignmentState"


def test_review_goes_one_way(place: Place) -> None:
    """Approved and rejected stay, with MTurk's words (Dallinger issue 3072); the feedback comes back."""
    approved, rejected = place.answered(place.hit(2), 2)
    approve, reject = place.client.approve_assignment, place.client.reject_assignment
    approve(AssignmentId=approved, RequesterFeedback="well seen")
    reject(AssignmentId=rejected, RequesterFeedback="empty")
    one, two = place.assignment(approved), place.assignment(rejected)
    assert (one["AssignmentStatus"], one["RequesterFeedback"]) == ("Approved", "well seen")
    assert (two["AssignmentStatus"], two["RequesterFeedback"]) == ("Rejected", "empty")
    assert one["ApprovalTime"] >= one["SubmitTime"]
    assert two["RejectionTime"] >= two["SubmitTime"]
    for call, given in (
        (approve, {"AssignmentId": approved}),
        (approve, {"AssignmentId": rejected}),
        (reject, {"AssignmentId": approved, "RequesterFeedback": "no"}),
        (reject, {"AssignmentId": rejected, "RequesterFeedback": "no"}),
    ):
        code, message = refusal(call, **given)
        assert (code, SUBMITTED in message) == ("InvalidAssignmentState", True)


def test_the_worker_reads_the_feedback(place: Place) -> None:
    """What is said with an approval or a rejection is on the worker's page."""
    hit = place.hit()
    worker = place.worker()
    place.client.reject_assignment(
        AssignmentId=place.answer(worker, hit), RequesterFeedback="The second page is empty"
    )
    assert "The second page is empty" in worker.earnings()


def test_a_rejection_can_be_overridden(place: Place) -> None:
    """With OverrideRejection a rejected assignment is approved."""
    [rejected] = place.answered(place.hit())
    place.client.reject_assignment(AssignmentId=rejected, RequesterFeedback="no")
    place.client.approve_assignment(AssignmentId=rejected, OverrideRejection=True)
    assert place.assignment(rejected)["AssignmentStatus"] == "Approved"


def test_an_override_comes_within_30_days(place: Place, clock: Clock) -> None:
    """Counted from the submission: on the thirtieth day it can be made, a second later not."""
    early, late = place.answered(place.hit(2), 2)
    for assignment_id in (early, late):
        place.client.reject_assignment(AssignmentId=assignment_id, RequesterFeedback="no")
    clock(30 * DAY)
    place.client.approve_assignment(AssignmentId=early, OverrideRejection=True)
    clock(1)
    override = {"AssignmentId": late, "OverrideRejection": True}
    assert refusal(place.client.approve_assignment, **override)[0] == "InvalidAssignmentState"


def test_a_deleted_hit_ends_overriding(place: Place) -> None:
    """After DeleteHIT its rejected assignments cannot be approved any more."""
    hit = place.hit()
    [rejected] = place.answered(hit)
    place.client.reject_assignment(AssignmentId=rejected, RequesterFeedback="no")
    place.client.delete_hit(HITId=hit["HITId"])
    code, _ = refusal(place.client.approve_assignment, AssignmentId=rejected, OverrideRejection=True)
    assert code in ("InvalidHITState", "InvalidAssignmentState", "HITDoesNotExist")


def test_what_is_not_reviewed_is_approved_when_its_time_comes(place: Place, clock: Clock) -> None:
    """AutoApprovalDelayInSeconds after the submission, not a second earlier; 0 means at once."""
    [waiting] = place.answered(place.hit())
    [instant] = place.answered(place.hit(AutoApprovalDelayInSeconds=0))
    clock(0)
    assert place.assignment(instant)["AssignmentStatus"] == "Approved"
    clock(3 * DAY - 1)
    assert place.assignment(waiting)["AssignmentStatus"] == "Submitted"
    clock(1)
    found = place.assignment(waiting)
    assert (found["AssignmentStatus"], found["ApprovalTime"]) == ("Approved", found["AutoApprovalTime"])


def test_an_assignment_is_abandoned_at_its_deadline(place: Place, clock: Clock) -> None:
    """A second before it, it can be handed in; from the deadline on others may have it."""
    hit = place.hit(2)
    early, late = place.worker(), place.worker()
    in_time, too_late = str(early.accept(hit["HITGroupId"])), str(late.accept(hit["HITGroupId"]))
    clock(599)
    assert early.submit(in_time)
    clock(1)
    assert not late.submit(too_late)
    assert place.counts(hit) == ("Assignable", 0, 1, 0)
    assert place.worker().accept(hit["HITGroupId"]) not in (None, too_late)


def test_a_file_that_nobody_uploaded_has_no_url(place: Place) -> None:
    """GetFileUploadURL: no question can ask for a file since December 2017, so it is refused by name."""
    [answered] = place.answered(place.hit())
    given = {"AssignmentId": answered, "QuestionIdentifier": "photo"}
    assert "photo" in refusal(place.client.get_file_upload_url, **given)[1]
