"""The client of Prolific's API: faults, pages, and a token that nobody sees."""

import logging
import re
import traceback

import pytest

from photojury.annotate.recruit.prolific import Client, connect
from photojury.annotate.recruit.wire import ProlificRefusal, Wire
from photojury.errors import ServiceError, SettingsError
from tests.annotate.recruit.fake_prolific import FakeProlific

PID = "60ffe5c8371090c7041d43f8"


def test_asking_is_patient(fake: FakeProlific, client: Client, waits: list[float]) -> None:
    """A busy, a broken and a cut answer are asked for again, as late as Retry-After says or later each time."""
    fake.fail("GET /users/me/", "busy", "broken", "cut")
    assert client.me()["currency_code"] == "USD"
    assert fake.count("GET /users/me/") == 4
    assert waits == [7.0, 2.0, 4.0]


def test_patience_ends(fake: FakeProlific, client: Client, waits: list[float]) -> None:
    """After six attempts the failure is said, in one sentence."""
    fake.fail("GET /users/me/", *["broken"] * 6)
    with pytest.raises(ServiceError, match=r"did not answer GET /users/me/ as it should: HTTP status 502"):
        client.me()
    assert (fake.count("GET /users/me/"), len(waits)) == (6, 5)


@pytest.mark.parametrize("fault", ["broken", "cut"])
def test_making_is_not_repeated(fake: FakeProlific, client: Client, fault: str) -> None:
    """A call that makes or pays is made once, whatever becomes of the answer."""
    fake.fail("POST /researchers/participants/", fault)
    with pytest.raises(ServiceError, match="did not answer"):
        client.create_test_participant("someone@example.org")
    assert fake.count("POST /researchers/participants/") == 1


def test_a_call_that_was_put_off_is_made(fake: FakeProlific, client: Client, waits: list[float]) -> None:
    """429 says that nothing was done, so that even a call that makes something is made again."""
    fake.fail("POST /researchers/participants/", "busy")
    assert re.fullmatch(r"[0-9a-f]{24}", client.create_test_participant("someone@example.org"))
    assert waits == [7.0]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("people", [0, 1, 3, 7, 9])
def test_every_page_is_read(
    fake: FakeProlific, client: Client, monkeypatch: pytest.MonkeyPatch, people: int, links: bool
) -> None:
    """All submissions come, once, whether the last page is full or past the end, with links and without."""
    monkeypatch.setattr("photojury.annotate.recruit.prolific.PAGE", 3)
    fake.links = links
    names = [fake.join("s" * 24, f"{number:024x}") for number in range(people)]
    fake.join("t" * 24, PID)
    assert [one["id"] for one in client.submissions("s" * 24)] == names


def test_a_missing_first_page_is_an_error(fake: FakeProlific, client: Client) -> None:
    """404 ends the pages only after there was one."""
    with pytest.raises(ProlificRefusal, match="refused GET /nowhere/"):
        list(client._wire.pages("/nowhere/", {}))


def test_refusals_say_what_prolific_says(fake: FakeProlific, client: Client) -> None:
    """Title, fields and sentences of the service's own error come through; nothing is tried again."""
    with pytest.raises(ProlificRefusal) as refusal:
        client.create_study({"name": "x", "reward": 10})
    assert "Bad request: description: This field is required" in str(refusal.value)
    assert (refusal.value.status, refusal.value.exit_code, fake.count("POST /studies/")) == (400, 5, 1)


def test_the_token_is_never_shown(
    fake: FakeProlific, caplog: pytest.LogCaptureFixture, waits: list[float]
) -> None:
    """Not in a refusal that quotes it, not in a lost answer, not in a log, not in a traceback or a repr."""
    caplog.set_level(logging.DEBUG)
    wrong = "tok_wr0ng" + "x" * 20
    said = ""
    for token, fault in ((wrong, ""), (fake.token, "cut"), (fake.token, "broken")):
        with Client(Wire(token, fake.url, pause=waits.append)) as client:
            fake.fail("POST /studies/", *[fault] if fault else [])
            try:
                client.create_study({})
            except ServiceError as error:
                said += "".join(traceback.format_exception(error)) + repr(client) + repr(client._wire)
    assert "Invalid token Token ***" in said
    assert "check PROLIFIC_TOKEN" in said
    assert fake.token not in said + caplog.text
    assert wrong not in said + caplog.text


def test_the_token_stays_with_its_host(
    fake: FakeProlific, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next page's link names another host; it is the same one that is asked."""
    monkeypatch.setattr("photojury.annotate.recruit.prolific.PAGE", 3)
    for number in range(4):
        fake.join("s" * 24, f"{number:024x}")
    assert len(list(client.submissions("s" * 24))) == 4
    assert sum(call.startswith("GET /submissions/") for call in fake.calls) == 2


def test_what_the_environment_must_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token nothing is asked; over plain http a token goes to this machine only."""
    monkeypatch.delenv("PROLIFIC_TOKEN", raising=False)
    with pytest.raises(ServiceError, match="PROLIFIC_TOKEN is not set"):
        connect()
    monkeypatch.setenv("PROLIFIC_TOKEN", "tok")
    monkeypatch.setenv("PHOTOJURY_PROLIFIC_URL", "http://prolific.example.org/api/v1")
    with pytest.raises(SettingsError, match="must begin with https"):
        connect()


def test_webhooks_are_subscribed_and_confirmed(fake: FakeProlific, client: Client) -> None:
    """A subscription is confirmed with the proof that came in its answer's header, and only then enabled."""
    assert client.create_hook_secret("w" * 24) == fake.hook_secret
    name = client.subscribe("w" * 24, "submission.status.change", "https://rate.example.org/hook")
    assert [hook["id"] for hook in client.hooks("w" * 24)] == [name]
