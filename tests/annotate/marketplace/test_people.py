"""Blocks and messages: whom a requester keeps away, whom they can write to, and what workers see of it."""

from typing import Any

import pytest

from tests.annotate.marketplace.live import Live, hidden, refusal
from tests.annotate.marketplace.test_race import at_once


def test_a_blocked_worker_gets_none_of_the_requesters_tasks(live: Live) -> None:
    """Neither in the list nor by the address nor by a form kept from before; unblocked, all as before."""
    group = live.hit(3)["HITGroupId"]
    worker = live.worker()
    csrf = hidden(worker.get(f"/projects/{group}/tasks").text)
    live.client.create_worker_block(WorkerId=worker.worker_id, Reason="a script")
    assert group not in worker.get("/").text
    page = worker.get(f"/projects/{group}/tasks").text
    assert 'id="accept"' not in page
    assert "a script" not in page
    assert worker.post(f"/projects/{group}/accept", csrf=csrf).status_code == 403
    live.client.delete_worker_block(WorkerId=worker.worker_id)
    assert worker.accept(group) is not None


def test_a_block_is_one_requesters_own(live: Live) -> None:
    """Another requester's tasks stay open, and their list of blocks stays empty."""
    other = live.requester("other")
    worker = live.worker()
    live.client.create_worker_block(WorkerId=worker.worker_id, Reason="ours")
    other.delete_worker_block(WorkerId=worker.worker_id)
    assert other.list_worker_blocks()["WorkerBlocks"] == []
    assert live.client.list_worker_blocks()["NumResults"] == 1
    hit = live.hit(1)
    assert worker.accept(hit["HITGroupId"]) is None


def test_blocks_are_listed_in_order_and_replaced_not_doubled(live: Live) -> None:
    """Paged without gaps; blocked again, the new reason stands; unblocked twice is no error."""
    ids = [f"A{number:02d}" for number in range(12)]
    for worker_id in ids:
        live.clock.move(1)
        live.client.create_worker_block(WorkerId=worker_id, Reason=f"reason {worker_id}")
    pages = live.client.get_paginator("list_worker_blocks").paginate(PaginationConfig={"PageSize": 5})
    listed = [block for page in pages for block in page["WorkerBlocks"]]
    assert listed == [{"WorkerId": each, "Reason": f"reason {each}"} for each in ids]
    live.client.create_worker_block(WorkerId="A00", Reason="new")
    for _ in range(2):
        live.client.delete_worker_block(WorkerId="A01")
    blocks = live.client.list_worker_blocks(MaxResults=100)["WorkerBlocks"]
    assert {"WorkerId": "A00", "Reason": "new"} in blocks
    assert len(blocks) == 11


def test_blocks_at_once_are_one(both: Live) -> None:
    """Six equal requests at the same moment all succeed, and one block stands."""
    block = {"WorkerId": "A1", "Reason": "once"}
    at_once([lambda: both.client.create_worker_block(**block)] * 6)
    assert both.client.list_worker_blocks()["WorkerBlocks"] == [block]


@pytest.mark.parametrize(
    ("operation", "parameters", "name"),
    [
        ("create_worker_block", {"WorkerId": "lower", "Reason": "r"}, "WorkerId"),
        ("create_worker_block", {"WorkerId": "A1", "Reason": ""}, "Reason"),
        ("delete_worker_block", {"WorkerId": "X1"}, "WorkerId"),
        ("notify_workers", {"Subject": "x" * 201, "MessageText": "t", "WorkerIds": ["A1"]}, "Subject"),
        ("notify_workers", {"Subject": "s", "MessageText": "x" * 4097, "WorkerIds": ["A1"]}, "MessageText"),
        ("notify_workers", {"Subject": "s", "MessageText": "t", "WorkerIds": []}, "WorkerIds"),
        ("notify_workers", {"Subject": "s", "MessageText": "t", "WorkerIds": ["nobody"]}, "WorkerIds"),
        (
            "notify_workers",
            {"Subject": "s", "MessageText": "t", "WorkerIds": [f"A{n}" for n in range(101)]},
            "100 WorkerIds",
        ),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(
    live: Live, operation: str, parameters: dict[str, Any], name: str
) -> None:
    """Limits of the API reference: 200 and 4,096 characters, 100 workers; ids of workers begin with an A."""
    code, message = refusal(getattr(live.client, operation), **parameters)
    assert code == "InvalidParameterValue"
    assert name in message


def test_only_reviewed_workers_are_reached(live: Live) -> None:
    """Approved and rejected ones get the message; the others come back as HardFailure, in MTurk's words."""
    hit = live.hit(4)
    workers = [live.worker() for _ in range(4)]
    approved, rejected, submitted, stranger = workers
    ids = [worker.answer(hit["HITGroupId"]) for worker in (approved, rejected, submitted)]
    live.client.approve_assignment(AssignmentId=ids[0])
    live.client.reject_assignment(AssignmentId=ids[1], RequesterFeedback="no answers")
    wanted = [worker.worker_id for worker in workers]
    answer = live.client.notify_workers(Subject="Second round", MessageText="It is open.", WorkerIds=wanted)
    failed = answer["NotifyWorkersFailureStatuses"]
    assert [each["WorkerId"] for each in failed] == [submitted.worker_id, stranger.worker_id]
    assert {each["NotifyWorkersFailureCode"] for each in failed} == {"HardFailure"}
    assert "has not done any work for you" in failed[0]["NotifyWorkersFailureMessage"]
    got = ["It is open." in worker.get("/messages").text for worker in workers]
    assert got == [True, True, False, False]
    other = live.requester("other")
    answer = other.notify_workers(Subject="s", MessageText="t", WorkerIds=[approved.worker_id])
    assert len(answer["NotifyWorkersFailureStatuses"]) == 1


def test_a_message_is_new_once_and_only_text(live: Live) -> None:
    """The header counts what was not shown yet; markup of requesters is inert; a doubled id is one message."""
    hit = live.hit(1)
    worker = live.worker()
    live.client.approve_assignment(AssignmentId=worker.answer(hit["HITGroupId"]))
    evil = "<script>alert(1)</script>"
    again = [worker.worker_id] * 2
    live.client.notify_workers(Subject=evil, MessageText=f"one\ntwo {evil}", WorkerIds=again)
    assert '<span class="count">1<span class="sr"> new</span></span>' in worker.get("/").text
    page = worker.get("/messages").text
    assert evil not in page
    assert page.count("one\ntwo &lt;script&gt;alert(1)") == 1
    assert 'class="count"' not in worker.get("/").text
    assert "&lt;script&gt;" in worker.get("/messages").text
    assert live.visitor().get("/messages").status_code == 403


def test_there_are_no_uploaded_files(live: Live) -> None:
    """As on MTurk since December 2017; a foreign assignment is not even known."""
    [assignment] = live.answered(live.hit(1))
    asked = {"AssignmentId": assignment, "QuestionIdentifier": "photo"}
    code, message = refusal(live.client.get_file_upload_url, **asked)
    assert code == "InvalidParameterValue"
    assert "FileUploadAnswer" in message
    for client, wrong in ((live.requester("other"), asked), (live.client, {**asked, "AssignmentId": "3X"})):
        assert refusal(client.get_file_upload_url, **wrong)[0] == "AssignmentDoesNotExist"
