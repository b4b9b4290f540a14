"""Workers: blocked, let in again, listed, written to."""

from tests.conformance.place import NOBODY, Place, new, paginated, walked
from tests.conformance.wire import invalid

NOT_KNOWN = "Cannot send a notification to a worker who has not done any work for you"


def test_a_blocked_worker_gets_nothing(place: Place) -> None:
    """CreateWorkerBlock keeps a worker from all of the requester's HITs, DeleteWorkerBlock lets them in again."""
    group = place.hit(2)["HITGroupId"]
    worker = place.worker()
    place.client.create_worker_block(WorkerId=worker.worker_id, Reason="a script")
    assert worker.accept(group) is None
    place.client.delete_worker_block(WorkerId=worker.worker_id, Reason="it was another")
    assert worker.accept(group) is not None


def test_blocks_are_listed_page_by_page(place: Place) -> None:
    """With their reasons; one who was let in again is not among them."""
    reason = new("reason")
    workers = [place.worker().worker_id for _ in range(5)]
    for worker_id in workers:
        place.client.create_worker_block(WorkerId=worker_id, Reason=reason)
    place.client.delete_worker_block(WorkerId=workers[4])
    for size in (1, 2):
        rows = walked(place.client.list_worker_blocks, "WorkerBlocks", size)
        found = [row["WorkerId"] for row in rows if row["Reason"] == reason]
        assert sorted(found) == sorted(workers[:4])
    pages = paginated(place.client, "list_worker_blocks")
    assert [row for page in pages for row in page["WorkerBlocks"]] == rows


def test_a_block_that_is_not_there_is_no_error(place: Place) -> None:
    """DeleteWorkerBlock of someone who is not blocked returns successfully; an id that is none does not."""
    place.client.delete_worker_block(WorkerId=place.worker().worker_id)
    assert "WorkerId" in invalid(place.client.delete_worker_block, WorkerId="nobody")


def test_a_reason_is_for_the_requester_alone(place: Place) -> None:
    """The worker does not see why they are blocked."""
    worker, reason = place.worker(), new("clicks like a machine")
    place.client.create_worker_block(WorkerId=worker.worker_id, Reason=reason)
    assert reason not in worker.messages() + worker.earnings()


def test_whose_work_was_reviewed_is_written_to(place: Place) -> None:
    """NotifyWorkers reaches a worker whose work was approved or rejected."""
    hit, text = place.hit(2), new("The results are out")
    approved, rejected = place.worker(), place.worker()
    place.client.approve_assignment(AssignmentId=place.answer(approved, hit))
    place.client.reject_assignment(AssignmentId=place.answer(rejected, hit), RequesterFeedback="no")
    ids = [approved.worker_id, rejected.worker_id]
    answer = place.client.notify_workers(Subject="Thank you", MessageText=text, WorkerIds=ids)
    assert answer["NotifyWorkersFailureStatuses"] == []
    assert text in approved.messages()
    assert text in rejected.messages()


def test_whose_work_was_not_reviewed_is_not(place: Place) -> None:
    """Each such worker is a failure in the answer, in MTurk's words (MTurkR issue 29), and no error."""
    text = new("Come back")
    waiting, known = place.worker(), place.worker()
    place.answer(waiting, place.hit())
    place.client.approve_assignment(AssignmentId=place.answer(known, place.hit()))
    ids = [waiting.worker_id, known.worker_id, NOBODY]
    answer = place.client.notify_workers(Subject="S", MessageText=text, WorkerIds=ids)
    failures = {one["WorkerId"]: one for one in answer["NotifyWorkersFailureStatuses"]}
    assert set(failures) == {waiting.worker_id, NOBODY}
    assert failures[NOBODY]["NotifyWorkersFailureCode"] == "HardFailure"
    assert failures[waiting.worker_id]["NotifyWorkersFailureMessage"] == NOT_KNOWN
    assert text not in waiting.messages()
    assert text in known.messages()


def test_a_message_has_its_bounds(place: Place) -> None:
    """200 characters of subject, 4,096 of text, 100 workers."""
    ids = [f"A9NOBODY{number}" for number in range(101)]
    good = {"Subject": "S" * 200, "MessageText": "T" * 4096, "WorkerIds": ids[:100]}
    answer = place.client.notify_workers(**good)
    assert len(answer["NotifyWorkersFailureStatuses"]) == 100
    for wrong in ({"Subject": "S" * 201}, {"MessageText": "T" * 4097}, {"WorkerIds": ids}):
        invalid(place.client.notify_workers, **{**good, **wrong})
