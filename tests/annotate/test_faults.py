"""Exactly once, whatever fails: throttling, server faults, cut connections, kill -9, and a day's pause.

After each, the marketplace's own books are read (market_*, written by none of the code under test) and must
agree with the study: each planned HIT made once, each answer in the store once, each assignment paid once, and
the study's payments equal to the marketplace's transactions to the cent.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.publish import annotation, publish
from photojury.annotate.requester import Requester, connect
from photojury.annotate.review import review
from photojury.annotate.simulate import drawn_truth, panel, simulate
from photojury.datasets.store import Study
from tests.annotate.faults import MOMENTS, Proxy, Rates, Trap, faults, started
from tests.annotate.marketplace.live import Live, running
from tests.support import make_study

# Ten times as many HITs: PHOTOJURY_FAULT_SCALE=10.
SCALE = int(os.environ.get("PHOTOJURY_FAULT_SCALE", "1"))
HITS, RATERS = 24 * SCALE, 2
BAD_DAY = Rates(throttled=0.3, failed=0.1, cut=0.08)

ONE_A_HIT: dict[tuple[str, str], object] = {
    ("stars", "images_per_hit"): 1,
    ("stars", "raters_per_image"): RATERS,
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


def book(place: Place, query: str) -> list[tuple[object, ...]]:
    """Rows of the marketplace's own tables."""
    with place.live.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def check_hits(place: Place) -> None:
    """Each planned HIT stands at the marketplace once, under the id that the store knows."""
    hits = place.study.read("hits")
    planned = {annotation(place.study, row.hit_key): row.hit_id for row in hits.itertuples()}
    there = book(place, "SELECT annotation, hit_id FROM market_hits")
    assert sorted(there) == sorted(planned.items())
    assert set(hits["state"]) == {"published"}


def check_answers(place: Place) -> None:
    """Each assignment that was handed in is in the store once, with its rating."""
    there = sorted(row[0] for row in book(place, "SELECT assignment_id FROM market_assignments"))
    assert len(there) == HITS * RATERS
    assert sorted(place.study.read("assignments")["assignment_id"]) == there
    assert sorted(place.study.read("ratings")["assignment_id"]) == there


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
    approved = book(place, "SELECT count(*) FROM market_assignments WHERE status = 'Approved'")
    assert approved == [(HITS * RATERS,)]


def test_a_bad_day(place: Place) -> None:
    """30 % throttling, 10 % server faults and 8 % cut connections over publish, fetch and review: all once."""
    place.proxy.rates = BAD_DAY
    requester = place.requester()
    assert publish(place.study, requester).new == HITS
    check_hits(place)
    place.answered()
    fetch(place.study, requester)
    check_answers(place)
    assert review(place.study, requester).approved == HITS * RATERS
    check_money(place)
    for fate, least in (("throttled", 30), ("failed", 10), ("cut", 5)):
        assert place.proxy.counted(fate) >= least, place.proxy.seen
    for operation in ("CreateHITWithHITType", "ApproveAssignment"):
        assert place.proxy.seen[operation, "cut"], "no answer was lost after it was done: nothing was tested"


def killed(place: Place, arguments: list[str], log: Path, chance: random.Random, most: int) -> str:
    """Run a command and kill -9 it at one of its next requests; returns the moment, or "finished"."""
    moment = chance.choice(MOMENTS)
    pids: list[int] = []

    def strike() -> None:
        # After an answer the command has some milliseconds in which to write down what it learnt.
        time.sleep(chance.uniform(0, 0.01) if moment == "answered" else 0)
        os.kill(pids[0], 9)

    command = ["annotate", *arguments, "--study", str(place.study.folder)]
    place.proxy.trap = Trap(chance.randint(1, most), moment, strike)
    process = started(command, {"AWS_ENDPOINT_URL_MTURK": place.proxy.url}, log)
    assert process.pid is not None
    pids.append(process.pid)
    process.join(60)
    place.proxy.trap = None
    if process.exitcode == -9:
        return moment
    assert process.exitcode == 0, log.read_text()
    return "finished"


def killed_often(place: Place, arguments: list[str], kills: int, most: int, log: Path) -> Counter[str]:
    """Run a command again and again, killed each time, until it was killed so often; then let it finish."""
    chance, moments = random.Random(f"{arguments} {kills}"), Counter[str]()
    while moments.total() < kills:
        moment = killed(place, arguments, log, chance, most)
        assert moment != "finished", f"finished after {moments.total()} kills: {kills} points do not fit"
        moments[moment] += 1
    process = started(
        ["annotate", *arguments, "--study", str(place.study.folder)],
        {"AWS_ENDPOINT_URL_MTURK": place.proxy.url},
        log,
    )
    process.join(60)
    assert process.exitcode == 0, log.read_text()
    return moments


def test_kill_minus_nine_at_fifty_points(place: Place, tmp_path: Path) -> None:
    """Killed at 18 requests of publishing, 12 of fetching and 20 of approving, of all three moments: all once."""
    log, moments = tmp_path / "log", Counter[str]()
    moments += killed_often(place, ["publish", "--yes"], 18, 2, log)
    check_hits(place)
    place.answered()
    moments += killed_often(place, ["fetch"], 12, HITS // 2, log)
    check_answers(place)
    moments += killed_often(place, ["review", "--yes"], 20, 2, log)
    check_money(place)
    assert moments.total() == 50
    assert min(moments[moment] for moment in MOMENTS) >= 10, moments
