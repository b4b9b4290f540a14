"""Pause, resume, extend, close: what raters are offered afterwards, and what the store says."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from photojury.analysis.progress import status
from photojury.annotate.batches import plan
from photojury.annotate.control import close, pause, resume
from photojury.annotate.extend import extend
from photojury.annotate.fetch import fetch
from photojury.annotate.money.review import review
from photojury.annotate.publish import publish
from photojury.annotate.requester import Requester
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.annotate.simulation.visitor import Visitor
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def out(study: Study, requester: Requester) -> Study:
    """Six HITs of stars for three raters each are published."""
    plan(study, "stars")
    publish(study, requester)
    return study


def states(study: Study) -> Counter[str]:
    return Counter(study.read("hits")["state"])


def work(study: Study, site: str, raters: int, seed: int = 1) -> int:
    """Let new simulated raters do all that they are offered; returns how many assignments that was."""
    return simulate(site, panel(raters, seed=seed, careless=0), drawn_truth(study), seed=seed).assignments


def test_pause_and_resume(out: Study, site: str, requester: Requester) -> None:
    """While paused nobody is offered a HIT, who has one in hand hands it in, and it is fetched; then all is open again."""
    with Visitor(site) as visitor:
        task = visitor.next_task()
        assert task is not None
        done = pause(out, requester)
        assert (done.hits, done.in_hand) == (6, 1)
        assert states(out) == {"paused": 6}
        assert work(out, site, 2) == 0
        units = [
            {"unit": unit["unit"], "shown": [unit["pictures"][0].rsplit("/", 1)[-1][:64]], "value": 2}
            | {"position": number, "ms": 900}
            for number, unit in enumerate(task.data["units"])
        ]
        visitor.submit(task, {"answers": json.dumps(units)})
    assert fetch(out, requester).assignments == 1
    assert status(out).next_step == "photojury annotate review --yes"
    review(out, requester)
    assert status(out).next_step == "photojury annotate resume"
    assert pause(out, requester).hits == 0
    assert resume(out, requester).hits == 6
    assert states(out) == {"published": 6}
    assert work(out, site, 3) == 17


def test_resume_renews_what_is_over(out: Study, site: str, requester: Requester) -> None:
    """A published HIT whose time is over is offered again; one that still runs is left alone."""
    hits = out.read("hits")["hit_id"].tolist()
    requester.client.update_expiration_for_hit(HITId=hits[0], ExpireAt=0)  # type: ignore[arg-type]
    before = requester.client.get_hit(HITId=hits[1])["HIT"]["Expiration"]
    assert work(out, site, 1) == 5
    assert resume(out, requester).hits == 1
    assert requester.client.get_hit(HITId=hits[1])["HIT"]["Expiration"] == before
    assert work(out, site, 3, seed=2) == 13


def test_close(out: Study, site: str, requester: Requester) -> None:
    """Closing says how many are in hand; a HIT is closed, and asked no more, once its last answer is in the store."""
    assert work(out, site, 1) == 6
    with Visitor(site) as visitor:
        task = visitor.next_task()
        assert task is not None
        done = close(out, requester, wait=0.1)
        assert (done.hits, done.in_hand) == (6, 1)
        came = fetch(out, requester)
        assert (came.assignments, came.open_assignments) == (6, 1)
        assert states(out) == {"closed": 5, "closing": 1}
        visitor.submit(task, {"answers": "[]"})
    assert fetch(out, requester).assignments == 1
    assert states(out) == {"closed": 6}
    assert fetch(out, requester).assignments == 0
    assert work(out, site, 2) == 0
    batch = status(out).batches[0]
    assert (batch.submitted, batch.wanted) == (7, 7)
    # What was never handed in costs nothing any more: seven assignments at 20 cents and 4 cents fee.
    assert status(out).to_come.total == 7 * 24
    with pytest.raises(InputError, match="no HIT is published or paused"):
        resume(out, requester)


def test_extend(out: Study, site: str, requester: Requester, photojury: Run) -> None:
    """One more rater for each HIT, after the cost was shown; twice run, twice extended."""
    assert work(out, site, 3) == 18
    assert work(out, site, 2, seed=2) == 0
    shown = photojury("annotate", "extend", "--by", "1")
    assert (shown.returncode, shown.stdout) == (4, "")
    assert "extending 6 HITs by 1 will cost up to $1.44 ($1.20 to raters, $0.24 fees)" in shown.stderr
    assert photojury("annotate", "extend", "--by", "1", "--yes").stdout == "extended 6 HITs by 1\n"
    assert work(out, site, 2, seed=2) == 6
    assert extend(out, requester, by=2).hits == 6
    assert out.read("hits")["max_assignments"].tolist() == [6] * 6
    maxima = [
        requester.client.get_hit(HITId=hit)["HIT"]["MaxAssignments"] for hit in out.read("hits")["hit_id"]
    ]
    assert maxima == [6] * 6


def test_never_to_ten(out: Study, requester: Requester) -> None:
    """A HIT made with fewer than ten assignments cannot reach ten: said before any call, with the way out."""
    with pytest.raises(
        InputError, match=r"Extend by at most 6, or plan a further batch: .* plan stars --again"
    ):
        extend(out, requester, by=7)
    assert out.read("hits")["extend_to"].isna().all()
    assert extend(out, requester, by=6).hits == 6


def test_an_expired_hit_is_offered_again_by_extending(out: Study, site: str, requester: Requester) -> None:
    """What is added to a HIT whose time is over would be seen by nobody, so its time begins anew."""
    hit = out.read("hits")["hit_id"][0]
    requester.client.update_expiration_for_hit(HITId=hit, ExpireAt=0)  # type: ignore[arg-type]
    extend(out, requester, by=1)
    assert work(out, site, 4) == 24


def test_only_where_the_hits_are(out: Study, requester: Requester) -> None:
    """An unknown batch, one that is planned only, and HITs at another marketplace are named."""
    with pytest.raises(InputError, match="there is no batch pairs; there are stars-1"):
        pause(out, requester, "pairs")
    plan(out, "forced_choice")
    with pytest.raises(InputError, match="not all of forced_choice-1 is published"):
        extend(out, requester, by=1)
    assert extend(out, requester, by=1, batch="stars-1").hits == 6
    with out.writing() as connection:
        connection.execute(sa.update(tables.hits).values(marketplace="https://elsewhere"))
    with pytest.raises(InputError, match="HITs of stars-1 are at https://elsewhere, not at local"):
        close(out, requester)
