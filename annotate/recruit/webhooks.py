"""Webhooks: what Prolific sends to an address of ours, believed only if it signed it.

Takes in the raw body and the headers of a request, and the workspace's secret (PROLIFIC_WEBHOOK_SECRET); gives
out the event, once. The signature is base64 of HMAC-SHA256 over X-Prolific-Request-Timestamp followed by the
raw body (docs.prolific.com, webhooks, verifying). An event may come again under the same X-Event-ID, at a later
time and newly signed: the id is kept in the store for a month, and a second delivery is answered and passed over.

    >>> signature(b"secret", "1700000000", b"{}")
    'RM6OD3UEVWrrFT2bdZ2X/EyvymK1UHHNZgnc1eHXdHk='
    >>> receive(study, request.headers, body, secret=secret_from_environment())      # doctest: +SKIP
    {'event_type': 'submission.status.change', 'resource_id': '60d9aadeb86739de712faee0', ...}
"""

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping

import sqlalchemy as sa

from photojury.annotate.recruit.wire import Json
from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError, ServiceError

WINDOW = 300.0
"""Seconds by which a request's timestamp may differ from our clock; an older one is a replay."""

_KEPT = 30 * 86_400.0  # seconds
_PREFIX = "prolific-event:"


class NotFromProlificError(InputError):
    """The request's signature, timestamp or event id is missing or wrong; answer it with 403."""


def secret_from_environment() -> bytes:
    """The workspace's webhook secret.

    Raises:
        ServiceError: PROLIFIC_WEBHOOK_SECRET is not set.
    """
    secret = os.environ.get("PROLIFIC_WEBHOOK_SECRET", "").strip()
    if not secret:
        raise ServiceError(
            "PROLIFIC_WEBHOOK_SECRET is not set; Prolific gives it out when webhooks are set up"
        )
    return secret.encode()


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """What X-Prolific-Request-Signature must say."""
    return base64.b64encode(hmac.new(secret, timestamp.encode() + body, hashlib.sha256).digest()).decode(
        "ascii"
    )


def verify(headers: Mapping[str, str], body: bytes, *, secret: bytes, now: float | None = None) -> str:
    """Check that Prolific sent a request, and just now; returns its event id.

    Args:
        headers: of the request; names in any case.
        body: as it came, byte for byte.
        secret: the workspace's.
        now: seconds since 1970; the clock when None.

    Raises:
        NotFromProlificError: it did not, or it was recorded and sent again.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp = given.get("x-prolific-request-timestamp", "")
    expected = signature(secret, timestamp, body)
    if not hmac.compare_digest(given.get("x-prolific-request-signature", "").encode(), expected.encode()):
        raise NotFromProlificError(
            "the webhook's signature does not fit its body and timestamp; nothing was done"
        )
    try:
        age = (time.time() if now is None else now) - float(timestamp)
    except ValueError:
        raise NotFromProlificError(
            f"the webhook's timestamp is {timestamp[:40]!r}, not seconds since 1970"
        ) from None
    if not abs(age) <= WINDOW:
        raise NotFromProlificError(
            f"the webhook was signed {age:.0f} s ago, which is not within {WINDOW:.0f} s; is the clock right?"
        )
    event = given.get("x-event-id", "")
    if not event:
        raise NotFromProlificError("the webhook has no X-Event-ID")
    return event


def receive(
    study: Study, headers: Mapping[str, str], body: bytes, *, secret: bytes, now: float | None = None
) -> Json | None:
    """The event of a request, or None for one that came before: both are to be answered with 200.

    Raises:
        NotFromProlificError: see `verify`; answer with 403.
        InputError: it is signed, but is no JSON object.
    """
    event_id = verify(headers, body, secret=secret, now=now)
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise InputError("the webhook's body is no JSON object")
    return event if _is_new(study, event_id, time.time() if now is None else now) else None


def _is_new(study: Study, event_id: str, now: float) -> bool:
    """Note an event; False if it was noted before."""
    key = _PREFIX + hashlib.sha256(event_id.encode()).hexdigest()[:40]
    table = tables.meta
    with study.writing() as connection:
        # Ten digits until the year 2286, so that texts compare as numbers do.
        old = table.c.key.startswith(_PREFIX) & (table.c.value < f"{now - _KEPT:010.0f}")
        connection.execute(sa.delete(table).where(old))
        return bool(add_rows(connection, table, [{"key": key, "value": f"{now:010.0f}"}]))
