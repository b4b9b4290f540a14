"""Notifications: what is set, what is sent when, and the document that arrives.

The Destination is a web address on this machine, as photojury's marketplace takes it where MTurk took an SQS
queue or an SNS topic; against a marketplace elsewhere, what arrives cannot be looked at and is skipped.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.conftest import Clock
from tests.conformance.place import Place
from tests.conformance.wire import invalid, refusal

HIT_EVENTS = ("HITCreated", "HITExpired", "HITReviewable", "HITExtended", "HITDisposed")
ASSIGNMENT_EVENTS = (
    "AssignmentAccepted", "AssignmentAbandoned", "AssignmentReturned", "AssignmentSubmitted",
    "AssignmentRejected", "AssignmentApproved",
)  # fmt: skip
EVENTS = [*HIT_EVENTS, *ASSIGNMENT_EVENTS]


@pytest.fixture
def hook(place: Place) -> Iterator[str]:
    """The address of a receiver; `arrived` reads what it got."""
    if urlsplit(place.url).hostname not in ("127.0.0.1", "localhost", "::1"):
        pytest.skip("a marketplace elsewhere cannot send to this machine; start one on 127.0.0.1")

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            DOCUMENTS.setdefault(self.path, []).append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    thread.join()
    server.server_close()
    DOCUMENTS.clear()


DOCUMENTS: dict[str, list[dict[str, Any]]] = {}


def specification(hook: str, *events: str, **changes: Any) -> dict[str, Any]:
    return {
        "Destination": hook,
        "Transport": "SNS",
        "Version": "2006-05-05",
        "EventTypes": list(events),
        **changes,
    }


def arrived(place: Place, number: int) -> list[dict[str, Any]]:
    """The events that came, once there are so many, in the order of their times."""
    deadline = time.monotonic() + 5
    while True:
        place.deliver()
        documents = {one["EventDocId"]: one for one in DOCUMENTS.get("/hook", [])}
        events = [event for one in documents.values() for event in one["Events"]]
        if len(events) >= number or time.monotonic() > deadline:
            return events
        time.sleep(0.05)


def test_a_test_event_is_sent_at_once(place: Place, hook: str) -> None:
    """SendTestEventNotification sends any event, also one that the specification leaves out, and Ping."""
    for event in ("Ping", "AssignmentSubmitted"):
        place.client.send_test_event_notification(
            Notification=specification(hook, "HITExpired"), TestEventType=event
        )
    assert {event["EventType"] for event in arrived(place, 2)} == {"Ping", "AssignmentSubmitted"}


def test_a_document_is_made_as_documented(place: Place, hook: str) -> None:
    """EventDocVersion, an id of its own, CustomerId, and Events with type, time and ids."""
    hit = place.hit()
    place.client.update_notification_settings(
        HITTypeId=hit["HITTypeId"], Notification=specification(hook, "AssignmentSubmitted")
    )
    [assignment_id] = place.answered(hit)
    [event] = arrived(place, 1)
    [document] = DOCUMENTS["/hook"]
    assert set(document) == {"EventDocVersion", "EventDocId", "CustomerId", "Events"}
    assert document["EventDocVersion"] in ("2014-08-15", "2006-05-05")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("EventTimestamp"))
    assert event == {
        "EventType": "AssignmentSubmitted",
        "HITTypeId": hit["HITTypeId"],
        "HITId": hit["HITId"],
        "AssignmentId": assignment_id,
    }


def test_every_event_is_sent_when_it_happens(place: Place, hook: str, clock: Clock) -> None:
    """From HITCreated to HITDisposed, each once for each time that it happens, with an assignment's id where due."""
    kind = place.hit_type()
    type_id = place.client.create_hit_type(**kind)["HITTypeId"]
    place.client.update_notification_settings(HITTypeId=type_id, Notification=specification(hook, *EVENTS))
    hit = place.hit(1, **kind)
    one = place.worker()
    one.give_back(str(one.accept(hit["HITGroupId"])))
    assert one.accept(hit["HITGroupId"])
    clock(600)
    place.get(hit)
    approved = place.answer(place.worker(), hit)
    place.client.approve_assignment(AssignmentId=approved)
    place.client.create_additional_assignments_for_hit(HITId=hit["HITId"], NumberOfAdditionalAssignments=2)
    [rejected] = place.answered(hit)
    place.client.reject_assignment(AssignmentId=rejected, RequesterFeedback="no")
    place.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    place.client.delete_hit(HITId=hit["HITId"])
    happened = {
        "HITCreated": 1, "AssignmentAccepted": 4, "AssignmentReturned": 1, "AssignmentAbandoned": 1,
        "AssignmentSubmitted": 2, "HITReviewable": 2, "AssignmentApproved": 1, "HITExtended": 1,
        "AssignmentRejected": 1, "HITExpired": 1, "HITDisposed": 1,
    }  # fmt: skip
    events = arrived(place, sum(happened.values()))
    kinds = [event["EventType"] for event in events]
    assert {name: kinds.count(name) for name in kinds} == happened
    assert all(("AssignmentId" in event) is event["EventType"].startswith("Assignment") for event in events)
    assert {event["HITId"] for event in events} == {hit["HITId"]}


def test_only_what_is_asked_for_is_sent(place: Place, hook: str) -> None:
    """EventTypes; a second specification takes the first one's place; Active switches all off and on."""
    hit = place.hit(9)
    update = place.client.update_notification_settings
    type_id = hit["HITTypeId"]
    update(HITTypeId=type_id, Notification=specification(hook, "AssignmentSubmitted"))
    update(HITTypeId=type_id, Notification=specification(hook, "AssignmentAccepted"))
    place.answered(hit)
    update(HITTypeId=type_id, Active=False)
    place.answered(hit)
    update(HITTypeId=type_id, Active=True)
    place.answered(hit)
    update(HITTypeId=type_id, Notification=specification(hook, "AssignmentReturned"), Active=False)
    worker = place.worker()
    worker.give_back(str(worker.accept(hit["HITGroupId"])))
    assert [event["EventType"] for event in arrived(place, 2)] == ["AssignmentAccepted"] * 2


def test_settings_that_set_nothing_are_refused(place: Place, hook: str) -> None:
    """Neither a specification nor Active; Active without there ever being a specification; a type that is not there."""
    update, type_id = place.client.update_notification_settings, place.hit()["HITTypeId"]
    invalid(update, HITTypeId=type_id)
    refusal(update, HITTypeId=type_id, Active=True)
    given = {"Notification": specification(hook, "HITExpired")}
    assert refusal(update, HITTypeId="3NONE", **given)[0] == "HITTypeDoesNotExist"
    assert refusal(update, HITTypeId="3NONE", Active=True)[0] == "HITTypeDoesNotExist"


@pytest.mark.parametrize(
    ("change", "member"),
    [({"Transport": "Pigeon"}, "Transport"), ({"EventTypes": ["HITForgotten"]}, "EventTypes")],
)
def test_a_specification_is_checked(place: Place, hook: str, change: dict[str, Any], member: str) -> None:
    """Transport and EventTypes are the model's, in both operations; Ping is for tests alone."""
    type_id = place.hit()["HITTypeId"]
    wrong = specification(hook, "HITExpired", **change)
    calls: list[Callable[[], str]] = [
        lambda: invalid(place.client.update_notification_settings, HITTypeId=type_id, Notification=wrong),
        lambda: invalid(place.client.send_test_event_notification, TestEventType="Ping", Notification=wrong),
    ]
    for call in calls:
        assert member in call()
    ping = specification(hook, "Ping")
    invalid(place.client.update_notification_settings, HITTypeId=type_id, Notification=ping)


def test_a_destination_that_cannot_be_reached_is_refused(place: Place) -> None:
    """InvalidTransportEndpoint."""
    type_id = place.hit()["HITTypeId"]
    for destination in ("nowhere", "ftp://example.org/x", "http://169.254.169.254/latest/meta-data"):
        wrong = specification(destination, "HITExpired")
        code, _ = refusal(place.client.update_notification_settings, HITTypeId=type_id, Notification=wrong)
        assert code == "InvalidTransportEndpoint"
        code, _ = refusal(place.client.send_test_event_notification, TestEventType="Ping", Notification=wrong)
        assert code == "InvalidTransportEndpoint"
