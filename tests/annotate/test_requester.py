"""Targets by name, and how long a client asks again."""

import logging

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from photojury.annotate.patience import Patience
from photojury.annotate.requester import connect, endpoint_of
from photojury.errors import SettingsError
from photojury.settings import parse


def test_targets_by_name(caplog: pytest.LogCaptureFixture) -> None:
    """local and URLs say nothing; MTurk's own names keep their endpoints and say that Amazon closed them."""
    assert endpoint_of("local", 8701) == "http://127.0.0.1:8701"
    assert endpoint_of("https://turk.example.org/", 1) == "https://turk.example.org/"
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        sandbox = endpoint_of("mturk-sandbox", 1)
        assert (endpoint_of("mturk", 1), sandbox) == (
            "https://mturk-requester.us-east-1.amazonaws.com",
            "https://mturk-requester-sandbox.us-east-1.amazonaws.com",
        )
    assert caplog.text.count("Amazon closed Mechanical Turk on 2026-09-30") == 2


def test_prolific_is_no_requester_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prolific as a target, and a name that is none, are refused with what to write instead."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_MTURK", raising=False)
    with pytest.raises(
        SettingsError, match='write target = "local", then recruit with: photojury annotate prolific'
    ):
        connect(parse({"market": {"target": "prolific"}}, source="test"))
    with pytest.raises(SettingsError, match="write local, mturk, mturk-sandbox, or a URL like https://host"):
        connect(parse({"market": {"target": "sandbox"}}, source="test"))


class Http:
    """As much of botocore's response as a retry looks at."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (400, "ThrottlingException", True),
        (500, "ServiceFault", True),
        (503, "", True),
        (200, "", False),
        (400, "RequestError", False),
    ],
)
def test_what_is_asked_again(status: int, code: str, again: bool) -> None:
    """Throttling and server faults are, a refusal and an answer are not."""
    patience = Patience(attempts=3, absent=2, first=0.5, longest=1.0)
    response = (Http(status), {"Error": {"Code": code}})
    assert (patience(1, response, None) is not None) == again
    assert patience(3, response, None) is None


def test_pauses_grow_up_to_a_bound() -> None:
    """Each pause lies between half and all of first * 2^(n - 1), which the longest bounds."""
    patience = Patience(attempts=10, absent=2, first=0.5, longest=3.0)
    for number, most in enumerate((0.5, 1.0, 2.0, 3.0, 3.0), 1):
        for _ in range(50):
            assert most / 2 <= patience.pause(number) <= most


def test_nobody_there_is_given_up_sooner_than_a_cut() -> None:
    """A connection that was cut is tried ten times, an address where nothing listens twice."""
    patience = Patience(attempts=10, absent=2, first=0.01, longest=1.0)
    cut = ConnectionClosedError(endpoint_url="http://127.0.0.1:9")
    absent = EndpointConnectionError(endpoint_url="http://127.0.0.1:9", error="refused")
    assert [patience(number, None, cut) is not None for number in (1, 9, 10)] == [True, True, False]
    assert [patience(number, None, absent) is not None for number in (1, 2)] == [True, False]
