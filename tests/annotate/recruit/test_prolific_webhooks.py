"""Webhooks and completion codes: only what Prolific signed, only once; codes that nobody guesses."""

import base64
import hashlib
import hmac
import json
import re

import pytest

from photojury.annotate.recruit.completion import code, completion_code, fits
from photojury.annotate.recruit.webhooks import NotFromProlificError, receive, secret_from_environment
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError
from tests.annotate.recruit.fake_prolific import FakeProlific

NOW = 1_790_000_000
SECRET = b"hook-secret"
BODY = json.dumps(
    {"event_type": "submission.status.change", "resource_id": "6" * 24, "status": "APPROVED"}
).encode()


def headers(body: bytes = BODY, at: int = NOW, event: str = "01JEVENT") -> dict[str, str]:
    """What Prolific sends with a body, by the fake, which knows nothing of the code under test."""
    return FakeProlific().event(body, at, event)


def test_a_signed_event_is_believed_once(study: Study) -> None:
    """The second delivery of an event, signed anew, is answered and passed over; another event is not."""
    assert receive(study, headers(), BODY, secret=SECRET, now=NOW) == json.loads(BODY)
    assert receive(study, headers(at=NOW + 900), BODY, secret=SECRET, now=NOW + 901) is None
    assert receive(study, headers(event="01JOTHER"), BODY, secret=SECRET, now=NOW) is not None


def test_events_are_forgotten_after_a_month(study: Study) -> None:
    """What is kept of events does not grow for ever."""
    for day in range(60):
        at = NOW + day * 86_400
        assert receive(study, headers(at=at, event=f"E{day}"), BODY, secret=SECRET, now=at) is not None
    kept = study.read("meta")["key"].str.startswith("prolific-event:").sum()
    assert kept == 31
    assert {"schema_version", "study_id"} <= set(study.read("meta")["key"])


@pytest.mark.parametrize(
    "name", ["X-Prolific-Request-Signature", "X-Prolific-Request-Timestamp", "X-Event-ID"]
)
def test_every_header_is_needed(study: Study, name: str) -> None:
    """Without its signature, timestamp or id a request is nobody's."""
    given = {key.lower(): value for key, value in headers().items() if key != name}
    with pytest.raises(NotFromProlificError):
        receive(study, given, BODY, secret=SECRET, now=NOW)


def test_a_tampered_body_is_refused(study: Study) -> None:
    """One byte changed, another secret, another timestamp: none is believed."""
    for given, body, secret in (
        (headers(), BODY.replace(b"APPROVED", b"REJECTED"), SECRET),
        (headers(), BODY, b"another"),
        ({**headers(), "X-Prolific-Request-Timestamp": str(NOW + 1)}, BODY, SECRET),
    ):
        with pytest.raises(NotFromProlificError, match="does not fit"):
            receive(study, given, body, secret=secret, now=NOW)
    assert receive(study, headers(), BODY, secret=SECRET, now=NOW) is not None


@pytest.mark.parametrize("seconds", [301, -301])
def test_a_replay_is_refused(study: Study, seconds: int) -> None:
    """A recorded request is no use five minutes later, nor one from the future."""
    with pytest.raises(NotFromProlificError, match="signed"):
        receive(study, headers(), BODY, secret=SECRET, now=NOW + seconds)


def test_a_signed_timestamp_must_be_a_number(study: Study) -> None:
    """Also what is signed is read with care."""
    for text in ("soon", "nan"):
        mac = hmac.new(SECRET, text.encode() + BODY, hashlib.sha256).digest()
        given = {
            "X-Prolific-Request-Signature": base64.b64encode(mac).decode(),
            "X-Prolific-Request-Timestamp": text,
            "X-Event-ID": "E",
        }
        with pytest.raises(NotFromProlificError):
            receive(study, given, BODY, secret=SECRET, now=NOW)


def test_a_signed_body_must_be_an_object(study: Study) -> None:
    """Signed nonsense is an error, and does not count as an event."""
    for body in (b"[]", b"{", b"\xff"):
        with pytest.raises(InputError, match="no JSON object"):
            receive(study, headers(body), body, secret=SECRET, now=NOW)
    assert receive(study, headers(), BODY, secret=SECRET, now=NOW) is not None


def test_the_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it no request can be believed."""
    monkeypatch.delenv("PROLIFIC_WEBHOOK_SECRET", raising=False)
    with pytest.raises(ServiceError, match="PROLIFIC_WEBHOOK_SECRET"):
        secret_from_environment()


def test_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code is short, the same each time, another one for each study, outcome and salt."""
    first = completion_code("0123456789ab")
    assert re.fullmatch(r"[A-Z2-7]{12}", first)
    assert completion_code("0123456789ab") == first
    assert completion_code("0123456789ac") != first
    monkeypatch.setenv("PHOTOJURY_SALT", "another salt")
    assert completion_code("0123456789ab") != first
    assert code(b"s", "m", "completed") != code(b"s", "m", "screened out")


def test_a_code_is_hmac_sha256() -> None:
    """By the shell: printf 'm\\037completed' | openssl dgst -sha256 -hmac s -binary | base32 | cut -c 1-12."""
    assert code(b"s", "m") == "VB63YTW3EER5"


def test_which_codes_fit() -> None:
    """Case and blanks do not matter; anything else does."""
    assert fits(" abcd2345 ", "ABCD2345")
    for given in (None, "", "ABCD2346", "ABCD2345A", "ÀBCD2345"):
        assert not fits(given, "ABCD2345")
