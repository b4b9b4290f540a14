"""Exactly once, whatever fails: throttling, server faults, cut connections, kill -9, and a day's pause.

After each, the marketplace's own books are read (market_*, written by none of the code under test) and must
agree with the study: each planned HIT made once, each answer in the store once, each assignment paid once, and
the study's payments equal to the marketplace's transactions to the cent.
"""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from photojury.annotate.batches import plan
from photojury.annotate.extend import extend
from photojury.annotate.fetch import fetch
from photojury.annotate.money.bonuses import pay_bonuses, read_bonuses
from photojury.annotate.money.review import review
from photojury.annotate.publish import annotation, publish
from photojury.annotate.requester import Requester, connect
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.datasets.store import Study
from tests.annotate.faults import MOMENTS, Proxy, Rates, Trap, faults, started
from tests.annotate.marketplace.live import Live, running
from tests.support import make_study

# Ten times as many HITs: PHOTOJURY_FAULT_SCALE=10.
SCALE = int(os.environ.get("PHOTOJURY_FAULT_SCALE", "1"))
HITS = 24 * SCALE
# One at first; the HITs are then extended by another.
RATERS = 2
BAD_DAY = Rates(throttled=0.3, failed=0.1, cut=0.08)

ONE_A_HIT: dict[tuple[str, str], object] = {
    ("stars", "images_per_hit"): 1,
    ("stars", "raters_per_image"): 1,
    ("quality", "repeats"): 0.0,
}


@dataclass
class Place:
    """A study, its marketplace in this process, and the faults on the way there."""

    study: Study
    live: Live
    proxy: Proxy

    def requester(self) -> Requester:
        """Through the faults, as AWS_ENDPOINT_URL_MTURK says."""
        return connect(self.study.settings)

    def answered(self) -> None:
        """Two simulated raters do all HITs, by the worker site."""
        simulate(self.live.url, panel(RATERS, seed=1, careless=0), drawn_truth(self.study), seed=1)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    study = make_study(tmp_path, HITS, ONE_A_HIT)
    plan(study, "stars")
    database = study.engine.url.render_as_string()
    with running(database, study.images_folder) as live, faults(live.url, seed=7) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", proxy.url)
        yield Place(study, live, proxy)
    study.close()


def book(place: Place, query: str) -> list[tuple[Any, ...]]:
    """Rows of the marketplace's own tables."""
    with place.live.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def check_hits(place: Place) -> None:
    """Each planned HIT stands at the marketplace once, under the id that the store knows."""
    hits = place.study.read("hits")
    planned = {annotation(place.study, str(row.hit_key)): row.hit_id for row in hits.itertuples()}
    there = book(place, "SELECT annotation, hit_id FROM market_hits WHERE annotation LIKE 'photojury%'")
    assert sorted(there) == sorted(planned.items())
    assert set(hits["state"]) == {"published"}


MAXIMA = "SELECT max_assignments FROM market_hits"


def check_extended(place: Place) -> None:
    """Each HIT has one more assignment than was planned, at the marketplace and in the store."""
    assert book(place, MAXIMA) == [(RATERS,)] * HITS
    hits = place.study.read("hits")
    assert (hits["max_assignments"].tolist(), hits["extend_to"].dropna().tolist()) == ([RATERS] * HITS, [])


def check_answers(place: Place) -> None:
    """Each assignment that was handed in is in the store once, with its rating."""
    there = sorted(row[0] for row in book(place, "SELECT assignment_id FROM market_assignments"))
    assert len(there) == HITS * RATERS
    assert sorted(place.study.read("assignments")["assignment_id"]) == there
    assert sorted(place.study.read("ratings")["assignment_id"]) == there


def thanks(place: Place, folder: Path) -> Path:
    """A CSV that gives every assignment a bonus, of different amounts."""
    path = folder / "thanks.csv"
    names = sorted(place.study.read("assignments")["assignment_id"])
    rows = [f"{name},{1 + number % 30},Thank you" for number, name in enumerate(names)]
    path.write_text("\n".join(["assignment_id,amount_cents,reason", *rows]))
    return path


def check_money(place: Place) -> None:
    """What the study says it paid is what the marketplace took, for each assignment, to the cent."""
    payments = place.study.read("payments")
    assert set(payments["state"]) == {"paid"}
    ours = Counter((row.kind, row.assignment_id, row.amount) for row in payments.itertuples())
    theirs = Counter(
        (str(kind).removeprefix("bonus_"), assignment_id, amount)
        for kind, assignment_id, amount in book(
            place,
            "SELECT kind, assignment_id, -(available + held) FROM market_transactions "
            "WHERE kind IN ('reward', 'fee', 'bonus', 'bonus_fee')",
        )
    )
    assert ours == theirs
    assert len(payments) == HITS * RATERS * 4  # a reward and a bonus, each with its fee
    approved = book(place, "SELECT count(*) FROM market_assignments WHERE status = 'Approved'")
    assert approved == [(HITS * RATERS,)]


def test_a_bad_day(place: Place, tmp_path: Path) -> None:
    """30 % throttling, 10 % server faults and 8 % cut connections, from publishing to paying: all once."""
    place.proxy.rates = BAD_DAY
    requester = place.requester()
    assert publish(place.study, requester).new == HITS
    check_hits(place)
    assert extend(place.study, requester, by=1).hits == HITS
    check_extended(place)
    place.answered()
    fetch(place.study, requester)
    check_answers(place)
    assert review(place.study, requester).approved == HITS * RATERS
    bonuses = read_bonuses(place.study, thanks(place, tmp_path), "thanks")
    assert pay_bonuses(place.study, requester, bonuses).new == HITS * RATERS
    check_money(place)
    for fate, least in (("throttled", 30), ("failed", 10), ("cut", 5)):
        assert place.proxy.counted(fate) >= least, place.proxy.seen
    for operation in (
        "CreateHITWithHITType",
        "CreateAdditionalAssignmentsForHIT",
        "ApproveAssignment",
        "SendBonus",
    ):
        assert place.proxy.seen[operation, "cut"], "no answer was lost after it was done: nothing was tested"


def command(place: Place, arguments: list[str], log: Path, trap: Trap | None = None) -> int:
    """Run a command in a process of its own, which the trap's strike kills; returns its exit status."""
    process = started(
        ["annotate", *arguments, "--study", str(place.study.folder)],
        {"AWS_ENDPOINT_URL_MTURK": place.proxy.url},
        log,
    )
    if trap:
        trap.victim = process.pid
        place.proxy.trap = trap
    process.join(60)
    place.proxy.trap = None
    assert process.exitcode is not None
    return process.exitcode


def killed_often(place: Place, arguments: list[str], kills: int, requests: range, log: Path) -> None:
    """Kill -9 a command so many times, each time at one of its next requests; then let it finish.

    The moments take turns, so that the process dies as often before the marketplace hears of the request as
    after it has done it, and as after the answer has left.
    """
    chance = random.Random(f"{arguments[0]} {kills}")
    for number in range(kills):
        trap = Trap(chance.choice(requests), MOMENTS[number % len(MOMENTS)], delay=chance.uniform(0, 0.01))
        status = command(place, arguments, log, trap)
        assert status == -signal.SIGKILL, f"kill {number} came too late: {log.read_text()}"
    assert command(place, arguments, log) == 0, log.read_text()


def test_kill_minus_nine_at_fifty_points(place: Place, tmp_path: Path) -> None:
    """Killed at 50 requests of publishing, extending, fetching, approving and bonuses, at three moments: all once."""
    log = tmp_path / "log"
    killed_often(place, ["publish", "--yes"], 12, range(2, 5), log)
    check_hits(place)
    killed_often(place, ["extend", "--by", "1", "--yes"], 8, range(1, 5), log)
    check_extended(place)
    place.answered()
    killed_often(place, ["fetch"], 10, range(1, HITS + 1), log)
    check_answers(place)
    killed_often(place, ["review", "--yes"], 10, range(1, 4), log)
    killed_often(place, ["bonus", str(thanks(place, tmp_path)), "--yes"], 10, range(1, 4), log)
    check_money(place)
    struck = place.proxy.struck
    assert struck.total() == 50
    for operation in ("CreateHITWithHITType", "ListAssignmentsForHIT", "ApproveAssignment", "SendBonus"):
        assert min(struck[operation, moment] for moment in MOMENTS) >= 1, struck
        assert sum(struck[operation, moment] for moment in MOMENTS) >= 5, struck


A_DAY_LATER = 25 * 3600


def test_a_day_later_no_second_hit(place: Place, tmp_path: Path) -> None:
    """Killed once a HIT was made; 25 hours later its token is forgotten, and the HIT is found by its mark."""
    publishing, log = ["publish", "--yes"], tmp_path / "log"
    assert command(place, publishing, log, Trap(6, "done")) == -signal.SIGKILL
    states = Counter(place.study.read("hits")["state"])
    assert states == {"published": 3, "publishing": 1, "planned": HITS - 4}
    assert len(book(place, "SELECT hit_id FROM market_hits")) == 4
    place.live.clock.move(A_DAY_LATER)
    token = place.study.read("hits", {"state": "publishing"})["request_token"][0]
    place.live.hit(UniqueRequestToken=token)  # the token alone would not have kept a second one away
    assert command(place, publishing, log) == 0
    assert "found 1 of an earlier run" in log.read_text()
    check_hits(place)


def test_a_day_later_no_second_extension(place: Place, tmp_path: Path) -> None:
    """Killed once a HIT was extended; 25 hours later every HIT has one more assignment, none has two."""
    extending, log = ["extend", "--by", "1", "--yes"], tmp_path / "log"
    publish(place.study, place.requester())
    assert command(place, extending, log, Trap(6, "done")) == -signal.SIGKILL
    assert Counter(place.study.read("hits")["max_assignments"]) == {1: HITS - 2, 2: 2}
    assert sorted(book(place, MAXIMA)) == [(1,)] * (HITS - 3) + [(2,)] * 3
    place.live.clock.move(A_DAY_LATER)
    assert command(place, extending, log) == 0
    assert f"finished the extension of {HITS - 2} HITs that was interrupted" in log.read_text()
    check_extended(place)


def test_a_day_later_no_second_bonus(place: Place, tmp_path: Path) -> None:
    """Killed once a bonus was paid; 25 hours later its token is forgotten, and every bonus is paid once."""
    log, requester = tmp_path / "log", place.requester()
    publish(place.study, requester)
    extend(place.study, requester, by=1)
    place.answered()
    fetch(place.study, requester)
    review(place.study, requester)
    paying = ["bonus", str(thanks(place, tmp_path)), "--yes"]
    assert command(place, paying, log, Trap(3, "done")) == -signal.SIGKILL
    assert book(place, "SELECT count(*) FROM market_transactions WHERE kind = 'bonus'") == [(3,)]
    place.live.clock.move(A_DAY_LATER)
    assert command(place, paying, log) == 0
    check_money(place)
