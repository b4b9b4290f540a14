"""Review: everyone who did the work is paid once, and unused answers are named."""

import dataclasses

import pytest
import sqlalchemy as sa

from photojury.analysis.progress import status
from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.money.review import review
from photojury.annotate.publish import publish
from photojury.annotate.requester import Requester
from photojury.annotate.simulation.simulate import Rater, drawn_truth, panel, simulate
from photojury.datasets import tables
from photojury.datasets.money import Cost, cost_of_unreviewed, spent
from photojury.datasets.store import Study
from photojury.sections import ScreeningSection


@pytest.fixture
def answered(study: Study, site: str, requester: Requester) -> Study:
    """Two raters have done all six HITs of stars: 12 assignments."""
    plan(study, "stars")
    publish(study, requester)
    simulate(site, panel(2, seed=1, careless=0), drawn_truth(study), seed=1)
    fetch(study, requester)
    return study


def test_everyone_is_paid_once(answered: Study, requester: Requester) -> None:
    """12 assignments at 20 cents and 4 cents fee; a second review pays nothing; the marketplace agrees."""
    before = float(requester.client.get_account_balance()["AvailableBalance"])
    assert cost_of_unreviewed(answered) == (12, Cost(240, 48))
    done = review(answered, requester)
    assert (done.approved, done.paid, done.unused) == (12, Cost(240, 48), 0)
    assert review(answered, requester).approved == 0
    assert spent(answered) == Cost(240, 48)
    assert set(answered.read("assignments")["status"]) == {"Approved"}
    payments = answered.read("payments")
    assert set(payments["state"]) == {"paid"}
    assert payments["simulated"].all()
    # The money was set aside when the HITs were made; approving moves none of the rest.
    assert float(requester.client.get_account_balance()["AvailableBalance"]) == before
    statuses = {
        assignment["AssignmentStatus"]
        for hit_id in answered.read("hits")["hit_id"]
        for assignment in requester.client.list_assignments_for_hit(HITId=hit_id)["Assignments"]
    }
    assert statuses == {"Approved"}


class LosesAnswers:
    """A client whose network breaks after the marketplace has approved the third assignment."""

    def __init__(self, client: object) -> None:
        self._client, self._calls = client, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def approve_assignment(self, **request: object) -> None:
        self._client.approve_assignment(**request)  # type: ignore[attr-defined]
        self._calls += 1
        if self._calls == 3:
            raise KeyboardInterrupt


def test_a_lost_answer_pays_once(answered: Study, requester: Requester) -> None:
    """A payment that was made although its answer was lost is found again, not made again."""
    with pytest.raises(KeyboardInterrupt):
        review(answered, Requester(LosesAnswers(requester.client), requester.endpoint))  # type: ignore[arg-type]
    assert sorted(answered.read("payments")["state"]) == ["due"] * 2 + ["paid"] * 4
    done = review(answered, requester)
    assert (done.approved, done.paid) == (10, Cost(200, 40))
    assert spent(answered) == Cost(240, 48)
    assert answered.read("payments")["payment_key"].is_unique


def test_what_the_marketplace_approved_is_entered(answered: Study, requester: Requester) -> None:
    """Work approved without us (auto-approval) becomes a payment with the next review."""
    for name in answered.read("assignments")["assignment_id"][:5]:
        requester.client.approve_assignment(AssignmentId=name)
    fetch(answered, requester)
    assert (answered.read("assignments")["status"] == "Approved").sum() == 5
    review(answered, requester)
    assert spent(answered) == Cost(240, 48)


def test_careless_raters_are_paid_and_not_used(study: Study, site: str, requester: Requester) -> None:
    """A rater who does not look is approved like all, and their answers are left out with the reason."""
    plan(study, "stars")
    publish(study, requester)
    careful, careless = (
        Rater(name, bias=0, noise=0.3, seconds=2.5, left=0, careless=kind)
        for name, kind in (("careful", ""), ("careless", "fast"))
    )
    simulate(site, [careful, careless], drawn_truth(study), seed=1)
    fetch(study, requester)
    done = review(study, requester)
    assert (done.approved, done.unused) == (12, 6)
    assert done.reasons == {"too fast": 6}
    assignments = study.read("assignments")
    unused = assignments[~assignments["use"]]
    assert unused["rater_id"].nunique() == 1
    assert unused["reason"].str.startswith("not used: too fast: ").all()
    verdict = study.read("verdicts").iloc[0]
    assert (verdict["rater_id"], verdict["task"], verdict["rule"]) == (
        unused["rater_id"].iloc[0],
        "stars",
        "fast",
    )
    assert verdict["value"] > verdict["threshold"] == 0.1
    assert review(study, requester).unused == 6
    assert status(study).judged == 1
    assert study.count("verdicts") == 1


def test_a_verdict_can_be_taken_back(study: Study, site: str, requester: Requester) -> None:
    """With the rule switched off in study.toml, the next review uses the answers again, and says nothing of them."""
    plan(study, "stars")
    publish(study, requester)
    fast = Rater("fast", bias=0, noise=0.3, seconds=2.5, left=0, careless="fast")
    simulate(site, [fast], drawn_truth(study), seed=1)
    fetch(study, requester)
    assert review(study, requester).unused == 6
    lenient = ScreeningSection(fast_share=0, straight=0)
    settings = dataclasses.replace(study.settings, screening=lenient)
    done = review(dataclasses.replace(study, settings=settings), requester)
    assert (done.approved, done.unused, study.count("verdicts")) == (0, 0, 0)
    assert study.read("assignments")["reason"].isna().all()


def test_status_says_what_is_next(answered: Study, requester: Requester) -> None:
    """Counts, money and the next command, before and after the review."""
    now = status(answered)
    batch = now.batches[0]
    assert (batch.units, batch.hits, batch.published, batch.wanted, batch.submitted) == (24, 6, 6, 18, 12)
    assert now.next_step == "photojury annotate review --yes"
    # 20 cents for the median of the two raters' times.
    times = answered.read("assignments")["active_seconds"]
    assert batch.hourly_cents == int(20 * 3600 / times.median())
    assert (now.raters, now.judged, now.excluded, now.promised_cents) == (2, 0, 0, 1200)
    review(answered, requester)
    now = status(answered)
    assert (now.spent, now.to_come) == (Cost(240, 48), Cost(120, 24))
    assert now.next_step == "photojury annotate fetch"


def test_workers_are_hidden(answered: Study) -> None:
    """The marketplace's worker ids stand in one table; everywhere else there is a hash that needs the salt."""
    workers = set(answered.read("workers")["worker_id"])
    assert all(worker.startswith("ASIMULATED") for worker in workers)
    for table in tables.metadata.tables:
        if table not in ("workers", "meta"):
            text = answered.read(table).to_csv()
            assert not any(worker in text for worker in workers), table
    with answered.engine.connect() as connection:
        assert connection.execute(sa.select(tables.assignments.c.simulated)).scalars().all() == [True] * 12
