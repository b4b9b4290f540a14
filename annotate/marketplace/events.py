"""Notifications: what happened to a HIT type's HITs, sent as MTurk's JSON document to a webhook.

Takes in a changed HIT inside its transaction; gives out rows of market_events, which `deliver` posts until
the receiver answers. A document may come twice (its sender was killed before it could note the answer), so
receivers drop an EventDocId that they have seen, as they had to with MTurk.

The document is the one of the API reference's SNS page. Where MTurk put it into an SNS topic or an SQS queue,
the marketplace posts it, with Content-Type application/json, to the Destination, which is a URL here.

    >>> document("requester", "3DOC", [event("HITExpired", 0.0, "3TYPE", "3HIT")])["Events"][0]["EventType"]
    'HITExpired'
"""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa

from photojury.annotate.marketplace.books import Market, new_id
from photojury.annotate.marketplace.requesters.protocol import RequestError
from photojury.annotate.marketplace.tables import events
from photojury.datasets.store import add_rows

log = logging.getLogger(__name__)

VERSION = "2014-08-15"
"""EventDocVersion of the payload page."""

PAUSES = (5.0, 30.0, 300.0, 1800.0, 7200.0, 21_600.0, 86_400.0)
"""Seconds before each further attempt; after the last one the document is given up."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIMEOUT = 10.0
_CLAIM = 60.0  # how long one process may take for one document before another one may try


def event(
    kind: str, at: float, hit_type_id: str, hit_id: str, assignment_id: str | None = None
) -> dict[str, str]:
    """One entry of a document's Events."""
    entry = {
        "EventType": kind,
        "EventTimestamp": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "HITTypeId": hit_type_id,
        "HITId": hit_id,
    }
    return {**entry, "AssignmentId": assignment_id} if assignment_id else entry


def document(customer: str, document_id: str, entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The notification's JSON."""
    return {
        "EventDocVersion": VERSION,
        "EventDocId": document_id,
        "CustomerId": customer,
        "Events": list(entries),
    }


def emit(
    connection: sa.Connection, hit: sa.RowMapping, kind: str, now: float, assignment_id: str | None = None
) -> None:
    """Note an event of a HIT for its HIT type's receiver, if there is one that wants this kind."""
    if not hit["notifying"] or not hit["notification"]:
        return
    wanted = json.loads(hit["notification"])
    if kind in wanted["EventTypes"]:
        entry = event(kind, now, hit["hit_type_id"], hit["hit_id"], assignment_id)
        _note(connection, wanted["Destination"], hit["account"], entry, now)


def send_test(market: Market, notification: Mapping[str, Any], kind: str) -> None:
    """Note a test event: of made-up ids, as MTurk sends it."""
    entry = event(kind, market.clock(), "3TESTHITTYPE", "3TESTHIT")
    if kind.startswith("Assignment"):
        entry["AssignmentId"] = "3TESTASSIGNMENT"
    with market.writing() as connection:
        _note(connection, notification["Destination"], market.account, entry, market.clock())


def check(market: Market, notification: Mapping[str, Any]) -> None:
    """Check that a notification can be sent.

    Raises:
        RequestError: InvalidTransportEndpoint; it is not a URL that this marketplace may post to.
    """
    parts = urlsplit(notification["Destination"])
    host = parts.hostname or ""
    if notification["Transport"] == "Email":
        raise RequestError(
            "InvalidTransportEndpoint", "This marketplace sends no e-mail; give the URL of a webhook."
        )
    here = not market.terms.public_url and host in LOOPBACK and parts.scheme in ("http", "https")
    if not here and not (parts.scheme == "https" and host in market.terms.webhook_hosts):
        # A marketplace that posts wherever it is told to would let requesters reach into its network.
        raise RequestError(
            "InvalidTransportEndpoint",
            f"The destination {notification['Destination'][:100]!r} must be an https URL of a host that "
            "market.webhook_hosts of study.toml names.",
        )


def deliver(market: Market) -> int:
    """Post the documents that are due; returns how many a receiver took."""
    taken = 0
    now = market.clock()
    due = sa.select(events.c.event_id).where(events.c.next_at <= now).order_by(events.c.next_at).limit(100)
    for row in market.rows(due):
        claimed = _claim(market, row["event_id"])
        if claimed:
            taken += _post(market, claimed)
    return taken


def deliver_until(market: Market, stopped: threading.Event) -> None:
    """Look once a second for documents to post, until told to stop: a server's background thread."""
    while not stopped.wait(1.0):
        try:
            deliver(market)
        except Exception:  # the thread must outlive a database that is away for a while
            log.exception("delivering notifications failed")


def _note(
    connection: sa.Connection, destination: str, account: str, entry: Mapping[str, str], now: float
) -> None:
    event_id = new_id()
    row = {
        "event_id": event_id,
        "destination": destination,
        "document": json.dumps(document(account, event_id, [entry])),
        "made_at": now,
        "attempts": 0,
        "next_at": now,
    }
    add_rows(connection, events, [row])


def _claim(market: Market, event_id: str) -> sa.RowMapping | None:
    """Take a document for this process: no other one posts it in the next minute."""
    now = market.clock()
    with market.writing() as connection:
        change = sa.update(events).where(events.c.event_id == event_id, events.c.next_at <= now)
        taken = change.values(next_at=now + _CLAIM, attempts=events.c.attempts + 1).returning(*events.c)
        return connection.execute(taken).mappings().one_or_none()


def _post(market: Market, row: sa.RowMapping) -> bool:
    try:
        answer = requests.post(
            row["destination"],
            row["document"].encode(),
            headers={"Content-Type": "application/json"},
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
        ok = answer.ok and answer.status_code < 300
    except requests.RequestException:
        ok = False
    again = PAUSES[row["attempts"] - 1] if row["attempts"] <= len(PAUSES) else None
    if not ok and again is None:
        log.warning(
            "a notification to %s was given up after %d attempts", row["destination"], row["attempts"]
        )
    now = market.clock()
    values = {"next_at": None, "delivered_at": now} if ok else {"next_at": again and now + again}
    with market.writing() as connection:
        connection.execute(sa.update(events).where(events.c.event_id == row["event_id"]).values(**values))
    return ok
