"""Review: everyone who did the work is paid once, and unused answers are named."""

import pytest
import sqlalchemy as sa

from photojury.annotate.batches import plan
from photojury.annotate.budget import Cost
from photojury.annotate.fetch import fetch
from photojury.annotate.publish import publish
from photojury.annotate.requester import Requester
from photojury.annotate.review import cost_of_unreviewed, review, spent
from photojury.annotate.simulate import Rater, drawn_truth, panel, simulate
from photojury.annotate.status import status
from photojury.datasets import tables
from photojury.datasets.store import Study


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
        Rater(name, bias=0, noise=0.3, seconds=2.5, left=0, careless=name == "careless")
        for name in ("careful", "careless")
    )
    simulate(site, [careful, careless], drawn_truth(study), seed=1)
    fetch(study, requester)
    done = review(study, requester)
    assert (done.approved, done.unused) == (12, 6)
    assert [reason.split(":")[0] for reason in done.reasons] == ["too fast"]
    assignments = study.read("assignments")
    unused = assignments[~assignments["use"]]
    assert unused["rater_id"].nunique() == 1
    assert unused["reason"].str.startswith("not used: too fast: ").all()
    assert review(study, requester).unused == 6


def test_status_says_what_is_next(answered: Study, requester: Requester) -> None:
    """Counts, money and the next command, before and after the review."""
    now = status(answered)
    batch = now.batches[0]
    assert (batch.units, batch.hits, batch.published, batch.wanted, batch.submitted) == (24, 6, 6, 18, 12)
    assert now.next_step == "photojury annotate review --yes"
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
