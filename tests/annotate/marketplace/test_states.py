"""The life of HITs and assignments, by the clock and by what people do."""

import datetime
from typing import Any

import pytest

from tests.annotate.marketplace.live import Live, refusal

DAY = 86_400


def test_from_assignable_to_disposed(live: Live) -> None:
    """A HIT of two: taken, handed in, reviewed, deleted; status and counts at every step."""
    hit = live.hit(2)
    assert live.counts(hit) == ("Assignable", 0, 2, 0)
    first, second = live.worker(), live.worker()
    a = first.accept(hit["HITGroupId"])
    assert live.counts(hit) == ("Assignable", 1, 1, 0)
    b = second.accept(hit["HITGroupId"])
    assert live.counts(hit) == ("Unassignable", 2, 0, 0)
    first.submit(str(a))
    assert live.counts(hit) == ("Unassignable", 1, 0, 0)
    second.submit(str(b))
    # Submitted and unreviewed = maximum - available - pending - completed, as psiTurk counts it.
    assert live.counts(hit) == ("Reviewable", 0, 0, 0)
    live.client.approve_assignment(AssignmentId=a)
    live.client.reject_assignment(AssignmentId=b, RequesterFeedback="empty")
    assert live.counts(hit) == ("Reviewable", 0, 0, 2)
    live.client.delete_hit(HITId=hit["HITId"])
    assert live.counts(hit)[0] == "Disposed"
    assert live.client.list_hits()["NumResults"] == 0


def test_a_returned_assignment_goes_to_somebody_else(live: Live) -> None:
    """After a return the HIT is assignable again, and the returned id hands in nothing."""
    hit = live.hit()
    worker = live.worker()
    assignment = str(worker.accept(hit["HITGroupId"]))
    page = worker.get(f"/tasks/{assignment}").text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    assert worker.post(f"/tasks/{assignment}/return", csrf=token).ok
    assert live.counts(hit) == ("Assignable", 0, 1, 0)
    assert worker.submit(assignment).status_code == 400
    assert live.worker().accept(hit["HITGroupId"]) not in (None, assignment)


def test_at_the_deadline_an_assignment_is_abandoned(live: Live) -> None:
    """A second before it, it can be handed in; from the deadline on it cannot, and others may have it."""
    hit = live.hit(2)
    early, late = live.worker(), live.worker()
    in_time, too_late = early.accept(hit["HITGroupId"]), late.accept(hit["HITGroupId"])
    live.clock.move(599)
    assert early.submit(str(in_time)).ok
    live.clock.move(1)
    assert live.counts(hit) == ("Assignable", 0, 1, 0)
    answer = late.submit(str(too_late))
    assert answer.status_code == 400
    assert "time for this task was over" in answer.text
    assert late.get(f"/tasks/{too_late}").status_code == 410
    assert late.accept(hit["HITGroupId"]) not in (None, too_late)


def test_an_expired_hit_waits_for_what_is_in_hand(live: Live) -> None:
    """Expiry takes a HIT off the list; who has accepted may finish, then it is reviewable."""
    hit = live.hit(2, AssignmentDurationInSeconds=7200)
    worker = live.worker()
    assignment = worker.accept(hit["HITGroupId"])
    live.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    assert live.counts(hit) == ("Unassignable", 1, 1, 0)
    assert live.worker().accept(hit["HITGroupId"]) is None
    assert worker.submit(str(assignment)).ok
    assert live.counts(hit) == ("Reviewable", 0, 1, 0)


def test_a_lifetime_ends_by_itself_and_can_be_prolonged(live: Live) -> None:
    """After LifetimeInSeconds a HIT is reviewable; a later ExpireAt offers it again."""
    hit = live.hit(LifetimeInSeconds=60)
    live.clock.move(60)
    assert live.counts(hit)[0] == "Reviewable"
    assert live.client.list_reviewable_hits()["NumResults"] == 1
    later = datetime.datetime.fromtimestamp(live.clock() + 60, datetime.UTC)
    live.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=later)
    assert live.counts(hit)[0] == "Assignable"


def test_unreviewed_work_is_approved_when_its_time_comes(live: Live) -> None:
    """AutoApprovalDelayInSeconds after the submission, not a second earlier; 0 means at once."""
    hit = live.hit()
    [waiting] = live.answered(hit)
    [instant] = live.answered(live.hit(Title="at once", AutoApprovalDelayInSeconds=0))
    live.clock.move(3 * DAY - 1)

    def status(assignment: str) -> Any:
        return live.client.get_assignment(AssignmentId=assignment)["Assignment"]

    assert status(instant)["AssignmentStatus"] == "Approved"
    assert status(waiting)["AssignmentStatus"] == "Submitted"
    live.clock.move(1 + DAY)
    found = status(waiting)
    assert found["AssignmentStatus"] == "Approved"
    assert found["ApprovalTime"] == found["AutoApprovalTime"]
    assert live.counts(hit) == ("Reviewable", 0, 0, 1)


def test_review_goes_one_way_but_for_the_override(live: Live) -> None:
    """Approved stays; rejected can be approved within 30 days of the submission with OverrideRejection."""
    hit = live.hit(3)
    approved, rejected, old = live.answered(hit, 3)
    approve, reject = live.client.approve_assignment, live.client.reject_assignment
    approve(AssignmentId=approved)
    for assignment in (rejected, old):
        reject(AssignmentId=assignment, RequesterFeedback="no")
    words = "This operation can be called with a status of: Submitted"
    assert words in refusal(approve, AssignmentId=approved)[1]
    assert words in refusal(approve, AssignmentId=rejected)[1]
    assert words in refusal(reject, AssignmentId=approved, RequesterFeedback="no")[1]
    live.clock.move(30 * DAY)
    approve(AssignmentId=rejected, OverrideRejection=True)
    found = live.client.get_assignment(AssignmentId=rejected)["Assignment"]
    assert found["AssignmentStatus"] == "Approved"
    assert "RejectionTime" not in found
    live.clock.move(1)
    assert refusal(approve, AssignmentId=old, OverrideRejection=True)[0] == "InvalidAssignmentState"


def test_what_is_not_handed_in_is_hidden_from_the_requester(live: Live) -> None:
    """An accepted assignment cannot be read, reviewed or given a bonus."""
    hit = live.hit()
    worker = live.worker()
    assignment = worker.accept(hit["HITGroupId"])
    text = refusal(live.client.get_assignment, AssignmentId=assignment)[1]
    assert "This operation can be called with a status of: Reviewable,Approved,Rejected" in text
    assert refusal(live.client.approve_assignment, AssignmentId=assignment)[0] == "InvalidAssignmentState"
    assert live.client.list_assignments_for_hit(HITId=hit["HITId"])["NumResults"] == 0


def test_only_a_reviewed_hit_is_deleted(live: Live) -> None:
    """Neither while it is offered, nor with an answer unreviewed, nor twice; then no override either."""
    hit = live.hit(2)
    [answer] = live.answered(hit)
    delete = live.client.delete_hit
    words = "This HIT is currently in the state '{}'.  This operation can be called with a status of"
    assert words.format("Assignable") in refusal(delete, HITId=hit["HITId"])[1]
    live.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    assert words.format("Reviewable") in refusal(delete, HITId=hit["HITId"])[1]
    live.client.reject_assignment(AssignmentId=answer, RequesterFeedback="no")
    delete(HITId=hit["HITId"])
    assert words.format("Disposed") in refusal(delete, HITId=hit["HITId"])[1]
    override = {"AssignmentId": answer, "OverrideRejection": True}
    assert refusal(live.client.approve_assignment, **override)[0] == "InvalidHITState"


def test_reviewing_and_back(live: Live) -> None:
    """UpdateHITReviewStatus moves a reviewable HIT to Reviewing and, with Revert, back."""
    hit = live.hit()
    update = live.client.update_hit_review_status
    assert refusal(update, HITId=hit["HITId"])[0] == "InvalidHITState"
    live.answered(hit)
    update(HITId=hit["HITId"])
    assert live.client.list_reviewable_hits()["NumResults"] == 0
    assert live.client.list_reviewable_hits(Status="Reviewing")["NumResults"] == 1
    update(HITId=hit["HITId"], Revert=True)
    assert live.counts(hit)[0] == "Reviewable"


@pytest.mark.parametrize("days", [119, 121])
def test_a_reviewable_hit_is_disposed_of_after_120_days(live: Live, days: int) -> None:
    """As in the API reference of DeleteHIT."""
    hit = live.hit(LifetimeInSeconds=30)
    live.clock.move(30)
    assert live.counts(hit)[0] == "Reviewable"
    live.clock.move(days * DAY)
    assert live.counts(hit)[0] == ("Disposed" if days > 120 else "Reviewable")
