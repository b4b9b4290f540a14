"""Notifications: MTurk's document, for every event, posted until it is taken."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa

from photojury.annotate.marketplace import events, tables
from photojury.annotate.marketplace.books import Market, Terms
from tests.annotate.marketplace.live import HIT_TYPE, Live, refusal

KINDS = [
    "AssignmentAccepted", "AssignmentAbandoned", "AssignmentReturned", "AssignmentSubmitted",
    "AssignmentRejected", "AssignmentApproved", "HITCreated", "HITExpired", "HITReviewable", "HITExtended",
    "HITDisposed", "Ping",
]  # fmt: skip


class Receiver:
    """A webhook that keeps what it gets, and answers 500 as often as it is told."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.failures = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fail = receiver.failures > 0
                receiver.failures -= fail
                if not fail:
                    receiver.got.append(json.loads(body))
                self.send_response(500 if fail else 200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def kinds(self) -> list[str]:
        return [document["Events"][0]["EventType"] for document in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


def wanted(receiver: Receiver, kinds: list[str] | None = None) -> dict[str, Any]:
    return {
        "Destination": receiver.url,
        "Transport": "SNS",
        "Version": "2006-05-05",
        "EventTypes": kinds or KINDS[:-1],
    }


def deliver(live: Live) -> int:
    return events.deliver(Market(live.engine, live.images, live.clock))


def test_every_event_of_a_hits_life(live: Live, receiver: Receiver) -> None:
    """Made, extended, accepted, returned, abandoned, submitted, reviewed, expired, disposed: one document each."""
    hit_type = live.client.create_hit_type(**HIT_TYPE)["HITTypeId"]
    live.client.update_notification_settings(HITTypeId=hit_type, Notification=wanted(receiver))
    hit = live.hit(3, LifetimeInSeconds=3600)
    assert hit["HITTypeId"] == hit_type
    live.client.create_additional_assignments_for_hit(HITId=hit["HITId"], NumberOfAdditionalAssignments=1)
    group = hit["HITGroupId"]
    first = live.worker()
    taken = str(first.accept(group))
    page = first.get(f"/tasks/{taken}").text
    first.post(f"/tasks/{taken}/return", csrf=page.partition('name="csrf" value="')[2].partition('"')[0])
    live.worker().accept(group)
    live.clock.move(601)
    live.get(hit)
    good, bad = live.answered(hit, 2)
    live.client.approve_assignment(AssignmentId=good)
    live.client.reject_assignment(AssignmentId=bad, RequesterFeedback="no")
    live.clock.move(3600)
    live.get(hit)
    live.client.delete_hit(HITId=hit["HITId"])
    while deliver(live):
        pass
    mine = [document for document in receiver.got if document["Events"][0]["HITId"] == hit["HITId"]]
    kinds = [document["Events"][0]["EventType"] for document in mine]
    assert set(KINDS) - {"Ping"} - set(kinds) == set()
    assert kinds.count("AssignmentSubmitted") == 2
    document = next(found for found in mine if found["Events"][0]["EventType"] == "AssignmentApproved")
    assert document["CustomerId"] == "requester"
    assert {"EventDocVersion", "EventDocId", "CustomerId", "Events"} == set(document)
    entry = document["Events"][0]
    assert (entry["AssignmentId"], entry["HITTypeId"]) == (good, hit["HITTypeId"])
    assert entry["EventTimestamp"].endswith("Z") and len(entry["EventTimestamp"]) == 20
    assert len({found["EventDocId"] for found in receiver.got}) == len(receiver.got)


def test_only_what_was_asked_for(live: Live, receiver: Receiver) -> None:
    """Other kinds, other types and switched-off types are not told."""
    hit = live.hit(1)
    settings = {"HITTypeId": hit["HITTypeId"], "Notification": wanted(receiver, ["HITCreated"])}
    live.client.update_notification_settings(**settings)
    made = live.hit(1)
    live.answered(made)
    live.hit(1, Title="Another type")
    live.client.update_notification_settings(HITTypeId=hit["HITTypeId"], Active=False)
    live.hit(1)
    live.client.update_notification_settings(HITTypeId=hit["HITTypeId"], Active=True)
    live.hit(1)
    deliver(live)
    assert receiver.kinds() == ["HITCreated", "HITCreated"]


def test_a_document_is_posted_until_it_is_taken(live: Live, receiver: Receiver) -> None:
    """After an error it comes again with growing pauses, the same document; after the last attempt no more."""
    live.client.send_test_event_notification(Notification=wanted(receiver), TestEventType="Ping")
    receiver.failures = 2
    assert deliver(live) == 0
    assert deliver(live) == 0  # not before its time
    live.clock.move(6)
    assert deliver(live) == 0
    live.clock.move(31)
    assert deliver(live) == 1
    assert receiver.kinds() == ["Ping"]
    live.client.send_test_event_notification(Notification=wanted(receiver), TestEventType="HITReviewable")
    receiver.failures = 100
    for pause in (0.0, *events.PAUSES):
        live.clock.move(pause + 1)
        deliver(live)
    left = sa.select(sa.func.count()).where(tables.events.c.next_at.is_not(None))
    with live.engine.connect() as connection:
        assert connection.execute(left).scalar_one() == 0


def test_destinations_are_checked(live: Live) -> None:
    """No e-mail, no other machine but over https and by name: a marketplace must not post wherever it is told."""
    for destination, transport in (
        ("me@example.org", "Email"),
        ("http://10.0.0.1/hook", "SQS"),
        ("https://inside.example/hook", "SNS"),
        ("ftp://127.0.0.1/hook", "SNS"),
        ("arn:aws:sns:us-east-1:1:topic", "SNS"),
    ):
        given = {
            "Destination": destination,
            "Transport": transport,
            "Version": "2006-05-05",
            "EventTypes": ["Ping"],
        }
        call = live.client.send_test_event_notification
        assert refusal(call, Notification=given, TestEventType="Ping")[0] == "InvalidTransportEndpoint"
    named = Market(live.engine, live.images, terms=Terms(webhook_hosts=("hooks.example",)))
    events.check(named, {"Destination": "https://hooks.example/x", "Transport": "SNS"})


def test_two_couriers_post_a_document_once(both: Live, receiver: Receiver) -> None:
    """Several server processes look for due documents; each document is claimed by one of them."""
    for _ in range(10):
        both.client.send_test_event_notification(Notification=wanted(receiver), TestEventType="Ping")
    threads = [threading.Thread(target=deliver, args=(both,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.got) == len({document["EventDocId"] for document in receiver.got}) == 10
