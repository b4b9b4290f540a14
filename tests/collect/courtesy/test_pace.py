"""The pace of calls, kept by all processes together."""

from pathlib import Path
from threading import Thread

import pytest

from photojury.collect.courtesy.pace import Pace
from photojury.datasets.store import Study, create_study, open_engine
from photojury.errors import Unfinished


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "test")


def pace(study: Study, clock: Clock, per_second: float, burst: int = 1, longest: float = 600.0) -> Pace:
    return Pace(study.engine, "service", per_second, burst, longest, clock, clock.sleep)


def test_calls_keep_their_distance(study: Study) -> None:
    """Ten calls at one in two seconds take eighteen: the first is free."""
    clock = Clock()
    slow = pace(study, clock, per_second=0.5)
    for _ in range(10):
        slow.take()
    assert clock.now - 1e9 == pytest.approx(18)


def test_a_rested_bucket_allows_a_burst(study: Study) -> None:
    """Five calls at once, then the rate."""
    clock = Clock()
    slow = pace(study, clock, per_second=0.5, burst=5)
    for _ in range(5):
        slow.take()
    assert clock.now == 1e9
    slow.take()
    assert clock.now - 1e9 == pytest.approx(2)


def test_two_processes_share_one_pace(study: Study) -> None:
    """Another connection to the study counts from where the first stopped."""
    clock = Clock()
    first = pace(study, clock, per_second=0.5)
    second = Pace(open_engine(str(study.engine.url)), "service", 0.5, clock=clock, sleep=clock.sleep)
    first.take()
    second.take()
    first.take()
    assert clock.now - 1e9 == pytest.approx(4)


def test_a_pause_holds_for_all(study: Study) -> None:
    """A service that asks for half a minute gets it from every process."""
    clock = Clock()
    pace(study, clock, per_second=10.0).pause(30)
    pace(study, clock, per_second=10.0).take()
    assert clock.now - 1e9 == pytest.approx(30)


def test_who_would_wait_too_long_is_told_when(study: Study) -> None:
    """A quota of a day is not slept for: the error says when to come again, and the calls are not used up."""
    clock = Clock()
    daily = pace(study, clock, per_second=1 / 86400, burst=2, longest=60.0)
    daily.take()
    daily.take()
    for _ in range(3):
        with pytest.raises(Unfinished, match="service may be asked again at"):
            daily.take()
    clock.now += 86400
    daily.take()


def test_no_limit_is_no_wait(study: Study) -> None:
    """A rate of 0 neither waits nor writes."""
    clock = Clock()
    pace(study, clock, per_second=0.0).take()
    assert clock.now == 1e9
    assert study.count("allowances") == 0


def test_threads_get_a_moment_each(database: str) -> None:
    """Forty calls of four threads, on both databases, have forty different moments."""
    from photojury.datasets.store import create_tables

    engine = open_engine(database)
    create_tables(engine)
    waits: list[float] = []
    shared = Pace(engine, "host", per_second=5.0, clock=lambda: 1000.0, sleep=waits.append)

    def call_ten_times() -> None:
        for _ in range(10):
            shared.take()

    threads = [Thread(target=call_ten_times) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == pytest.approx([number / 5 for number in range(1, 40)])
    engine.dispose()
