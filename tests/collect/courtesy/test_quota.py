"""Quotas: calls counted by all processes together, until their period ends."""

from datetime import UTC, datetime
from threading import Thread

import pytest

from photojury.collect.courtesy.quota import Quota, after, pacific_midnight
from photojury.datasets.store import create_tables, open_engine
from photojury.errors import Unfinished


class Clock:
    """A clock that is moved by hand."""

    now = 1e9

    def __call__(self) -> float:
        return self.now


def test_calls_are_counted_until_the_period_ends(database: str) -> None:
    """Three calls of three are given, the fourth is told when to come again, and then the count begins anew."""
    engine, clock = open_engine(database), Clock()
    create_tables(engine)
    quota = Quota(engine, "service", 3, after(3600), clock)
    for left in (3, 2, 1):
        assert quota.left() == left
        quota.take()
        clock.now += 60
    when = datetime.fromtimestamp(1e9 + 3600).astimezone()
    with pytest.raises(Unfinished, match=f"service gives no more calls until {when:%Y-%m-%d %H:%M}"):
        quota.take()
    clock.now = 1e9 + 3600
    assert quota.left() == 3
    quota.take()
    engine.dispose()


def test_the_service_has_the_last_word(database: str) -> None:
    """Where it says that nothing is left, nothing is, for as long as it says or to the period's end."""
    engine, clock = open_engine(database), Clock()
    create_tables(engine)
    quota = Quota(engine, "service", 100, after(3600), clock)
    quota.take()
    assert quota.use_up() == 1e9 + 3600
    assert quota.left() == 0
    clock.now += 3600
    assert quota.use_up(500) == clock.now + 500
    with pytest.raises(Unfinished):
        quota.take()
    clock.now += 500
    quota.take()
    engine.dispose()


def test_many_processes_share_one_count(database: str) -> None:
    """Of forty calls that eight threads want at once, each with its own connections, exactly 25 are given."""
    first = open_engine(database)
    create_tables(first)
    given: list[int] = []

    def work() -> None:
        engine = open_engine(database)
        quota = Quota(engine, "service", 25, after(3600))
        for _ in range(5):
            try:
                quota.take()
            except Unfinished:
                continue
            given.append(1)
        engine.dispose()

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 25
    first.dispose()


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        ("2026-11-24T12:00", "2026-11-25T08:00"),  # winter: UTC-8
        ("2026-11-24T07:59", "2026-11-24T08:00"),
        ("2026-07-01T12:00", "2026-07-02T07:00"),  # summer: UTC-7
        ("2026-11-01T07:30", "2026-11-02T08:00"),  # the day of 25 hours
    ],
)
def test_google_s_day_ends_at_midnight_in_california(now: str, midnight: str) -> None:
    """In winter and summer, and on the day the clocks go back."""
    seconds = {text: datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (now, midnight)}
    assert pacific_midnight(seconds[now]) == seconds[midnight]
