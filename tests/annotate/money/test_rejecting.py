"""Rejecting: only what a person has seen, only a small share, and it can be undone."""

import dataclasses
import json
import time

import pytest
from click.testing import CliRunner

from photojury.analysis.progress import status
from photojury.annotate.batches import plan
from photojury.annotate.commands.raters import reject as reject_command
from photojury.annotate.commands.raters import unreject as unreject_command
from photojury.annotate.fetch import fetch
from photojury.annotate.money.rejecting import Rejected, find, reject, samples, settle_open, unreject
from photojury.annotate.money.review import review
from photojury.annotate.publish import publish
from photojury.annotate.requester import Requester
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.datasets.money import Cost, spent
from photojury.datasets.store import Study
from photojury.errors import InputError, Refused
from photojury.sections import BudgetSection

FRAUD = {"reason": "a script", "feedback": "A script gave these answers."}


def allowing(study: Study, share: float) -> Study:
    settings = dataclasses.replace(study.settings, budget=BudgetSection(max_rejected=share))
    return dataclasses.replace(study, settings=settings)


@pytest.fixture
def answered(study: Study, site: str, requester: Requester) -> Study:
    """Two raters have done all six HITs of stars: 12 assignments, of which a quarter may be rejected."""
    plan(study, "stars")
    publish(study, requester)
    simulate(site, panel(2, seed=1, careless=0), drawn_truth(study), seed=1)
    fetch(study, requester)
    return allowing(study, 0.25)


def names(study: Study) -> list[str]:
    return sorted(study.read("assignments")["assignment_id"])


def there(requester: Requester, assignment: str) -> str:
    return requester.client.get_assignment(AssignmentId=assignment)["Assignment"]["AssignmentStatus"]


def test_fraud_is_rejected_unpaid_and_unused(answered: Study, requester: Requester) -> None:
    """One of twelve: rejected there and here, never paid by a review, never used; everyone else is paid."""
    fraud = names(answered)[0]
    assert reject(answered, requester, [fraud], **FRAUD, confirmed=True) == Rejected(1, {"stars-1": 1})
    feedback = requester.client.get_assignment(AssignmentId=fraud)["Assignment"]["RequesterFeedback"]
    assert (there(requester, fraud), feedback) == ("Rejected", "A script gave these answers.")
    done = review(answered, requester)
    assert (done.approved, done.unused, done.reasons) == (11, 1, {"rejected": 1})
    assert spent(answered) == Cost(220, 44)
    row = answered.read("assignments", {"assignment_id": fraud}).iloc[0]
    assert (row["status"], bool(row["use"]), row["reason"]) == ("Rejected", False, "rejected: a script")
    assert (status(answered).batches[0].rejected, status(answered).next_step) == (
        1,
        "photojury annotate fetch",
    )
    with pytest.raises(InputError, match="settled already"):
        reject(answered, requester, [names(answered)[1]], **FRAUD, confirmed=True)


def test_a_share_is_the_limit_forever(answered: Study, requester: Requester) -> None:
    """Of twelve, a quarter is three: two and one may go, a fourth may not, however often one asks."""
    reject(answered, requester, names(answered)[:2], **FRAUD, confirmed=True)
    with pytest.raises(Refused, match=r"4 of 12 assignments of stars-1 would be rejected; .* allows 0.25"):
        reject(answered, requester, names(answered)[2:4], **FRAUD, confirmed=True)
    reject(answered, requester, names(answered)[2:3], **FRAUD, confirmed=True)
    with pytest.raises(Refused, match="4 of 12"):
        reject(answered, requester, names(answered)[3:4], **FRAUD, confirmed=True)
    assert there(requester, names(answered)[3]) == "Submitted"


def test_nothing_happens_unconfirmed(answered: Study, requester: Requester) -> None:
    """Without confirmation, without feedback, or about what is not there, nothing is rejected."""
    with pytest.raises(Refused, match="look at them"):
        reject(answered, requester, names(answered)[:1], **FRAUD, confirmed=False)
    with pytest.raises(InputError, match="feedback"):
        reject(answered, requester, names(answered)[:1], reason="x", feedback=" ", confirmed=True)
    with pytest.raises(InputError, match="3NOBODY is not in this study"):
        reject(answered, requester, ["3NOBODY"], **FRAUD, confirmed=True)
    with pytest.raises(InputError, match="no rater"):
        find(answered, rater="nobody")
    assert {there(requester, name) for name in names(answered)} == {"Submitted"}


class Breaks:
    """A client that is killed before or after the marketplace has rejected."""

    def __init__(self, client: object, *, sends: bool) -> None:
        self._client, self._sends = client, sends

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def reject_assignment(self, **request: object) -> None:
        if self._sends:
            self._client.reject_assignment(**request)  # type: ignore[attr-defined]
        raise KeyboardInterrupt


@pytest.mark.parametrize(("sends", "after"), [(True, "Rejected"), (False, "Submitted")])
def test_a_broken_run_is_found_out(answered: Study, requester: Requester, sends: bool, after: str) -> None:
    """The intention is written down before the call; the next review asks what became of it."""
    fraud = names(answered)[0]
    broken = Requester(Breaks(requester.client, sends=sends), requester.endpoint)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        reject(answered, broken, [fraud], **FRAUD, confirmed=True)
    assert answered.read("assignments", {"assignment_id": fraud})["status"].tolist() == ["Rejecting"]
    fetch(answered, requester)
    settle_open(answered, requester)
    assert answered.read("assignments", {"assignment_id": fraud})["status"].tolist() == [after]
    # What was never rejected is paid like all; whoever means it says so again.
    assert review(answered, requester).approved == (11 if sends else 12)


def test_a_rejection_can_be_undone(answered: Study, requester: Requester) -> None:
    """Undone, it is approved, paid and used as if nothing had been; a month later it cannot be."""
    a, b = names(answered)[:2]
    reject(answered, requester, [a, b], **FRAUD, confirmed=True)
    review(answered, requester)
    assert unreject(answered, requester, [a]) == 1
    assert there(requester, a) == "Approved"
    assert spent(answered) == Cost(220, 44)
    assert review(answered, requester).unused == 1
    row = answered.read("assignments", {"assignment_id": a}).iloc[0]
    assert (row["status"], bool(row["use"]), row["reason"]) == ("Approved", True, None)
    with pytest.raises(InputError, match="is not rejected"):
        unreject(answered, requester, [a])
    with answered.writing() as connection:
        connection.exec_driver_sql("UPDATE assignments SET submitted_at = ?", (time.time() - 31 * 86_400,))
    with pytest.raises(InputError, match="31 days ago"):
        unreject(answered, requester, [b])


def test_a_due_payment_goes_with_the_rejection(answered: Study, requester: Requester) -> None:
    """A review that was killed before it paid leaves a payment due; rejecting the work takes it away."""
    fraud = names(answered)[0]

    class Killed:
        def __getattr__(self, name: str) -> object:
            if name == "approve_assignment":
                raise KeyboardInterrupt
            return getattr(requester.client, name)

    with pytest.raises(KeyboardInterrupt):
        review(answered, Requester(Killed(), requester.endpoint))  # type: ignore[arg-type]
    due = answered.read("payments", {"state": "due"})["assignment_id"].unique().tolist()
    assert len(due) == 1
    reject(answered, requester, due, **FRAUD, confirmed=True)
    assert answered.count("payments") == 0
    assert fraud in names(answered)


def test_the_commands_show_what_they_would_do(study: Study, requester: Requester, answered: Study) -> None:
    """Without --yes the answers are shown and nothing is done; the study's own limit, 5 %, holds for the command."""
    rater = answered.read("assignments")["rater_id"].iloc[0]
    mine = find(answered, rater=rater)
    assert len(mine) == 6
    sample = samples(answered, mine[:1])[0]
    ratings = answered.read("ratings", {"assignment_id": mine[0]}).sort_values("position_in_hit")
    assert sample.values == ratings["value"].tolist()
    assert (sample.rater_id, sample.status, sample.verdicts) == (rater, "Submitted", [])
    place = ["--feedback", "A script.", "--study", str(study.folder)]
    refused = CliRunner().invoke(reject_command, ["--assignment", mine[0], "--yes", *place])
    assert isinstance(refused.exception, Refused)
    assert "1 of 12 assignments of stars-1 would be rejected" in str(refused.exception)
    values = " ".join(f"{value:g}" for value in sample.values)
    assert f"{mine[0]} of stars-1, rater {rater}, Submitted" in refused.stderr
    assert f"answers: {values}" in refused.stderr
    toml = study.folder / "study.toml"
    text = toml.read_text().replace("max_rejected = 0.05", "max_rejected = 0.5")
    toml.write_text(text)
    unsure = CliRunner().invoke(reject_command, ["--assignment", mine[0], *place])
    assert isinstance(unsure.exception, Refused)
    done = CliRunner().invoke(reject_command, ["--assignment", mine[0], "--yes", "--json", *place])
    assert json.loads(done.stdout) == {"rejected": 1, "batches": {"stars-1": 1}}
    undone = CliRunner().invoke(unreject_command, ["--assignment", mine[0], "--yes", *place[2:]])
    assert undone.stdout == "approved and paid 1 assignments after all\n"
