"""Asking again: when, how often, and how long it waits."""

import pytest

from photojury.collect.courtesy.retrying import Transient, retry_after, retrying
from photojury.errors import ServiceError


class Service:
    """Fails as told, then answers 7; keeps the pauses that were made."""

    def __init__(self, *failures: Transient) -> None:
        self.failures = list(failures)
        self.calls = 0
        self.pauses: list[float] = []

    def __call__(self) -> int:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return 7


def test_what_fails_for_a_moment_is_tried_again() -> None:
    """Two failures and an answer: three calls, with pauses that grow and are at least half their length."""
    service = Service(Transient("busy"), Transient("busy"))
    assert retrying(service, first=2.0, sleep=service.pauses.append) == 7
    assert service.calls == 3
    assert 1 <= service.pauses[0] <= 2 <= service.pauses[1] <= 4


def test_the_service_s_own_pause_is_kept() -> None:
    """Retry-After is the least that is waited."""
    service = Service(Transient("busy", after=33.0))
    retrying(service, sleep=service.pauses.append)
    assert service.pauses == [33.0]


def test_the_last_failure_is_said() -> None:
    """After the last try the sentence names the cause and the number of tries."""
    service = Service(*[Transient("the service is busy")] * 9)
    with pytest.raises(ServiceError, match="the service is busy; tried 3 times"):
        retrying(service, tries=3, sleep=service.pauses.append)
    assert service.calls == 3


def test_a_pause_that_is_too_long_is_a_failure() -> None:
    """Who is told to come back in an hour does not sleep for it."""
    service = Service(Transient("busy", after=3600.0))
    with pytest.raises(ServiceError):
        retrying(service, longest=60, sleep=service.pauses.append)
    assert service.pauses == []


def test_other_errors_pass() -> None:
    """What no other try can help is raised at once."""

    def broken() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        retrying(broken)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37.0),  # RFC 9110's example; 784111777 seconds
        ("Sun, 06 Nov 1994 08:48:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        (None, None),
        ("", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """A number of seconds or a date; a date in the past means now; anything else means nothing."""
    assert retry_after(header, now=784111740.0) == seconds
