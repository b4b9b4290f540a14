"""Bonuses: each is paid once, whatever happens on the way; the wage that was promised is paid."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from photojury.analysis.progress import hourly, wages
from photojury.annotate.batches import plan
from photojury.annotate.commands.bonuses import bonus as bonus_command
from photojury.annotate.commands.bonuses import top_up as top_up_command
from photojury.annotate.fetch import fetch
from photojury.annotate.money.bonuses import Bonus, Paid, cost_of_bonuses, pay_bonuses, read_bonuses
from photojury.annotate.money.review import review
from photojury.annotate.money.wages import missing, top_ups
from photojury.annotate.publish import publish
from photojury.annotate.requester import Requester
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.datasets.money import Cost, spent
from photojury.datasets.store import Study
from photojury.errors import InputError, Refused, ServiceError
from tests.support import VALUES, make_study, marketplace


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two raters have done all six HITs of stars at 20 cents, and were paid; the marketplace is up."""
    study = make_study(tmp_path_factory.mktemp("bonuses"), values={**VALUES, ("budget", "hard_cents"): 2000})
    patch = pytest.MonkeyPatch()
    with marketplace(study) as url:
        patch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        from photojury.annotate.requester import connect

        requester = connect(study.settings)
        plan(study, "stars")
        publish(study, requester)
        simulate(url, panel(2, seed=1, careless=0), drawn_truth(study), seed=1)
        fetch(study, requester)
        review(study, requester)
        yield study, requester
    patch.undo()
    study.close()


@pytest.fixture
def study(reviewed: tuple[Study, Requester]) -> Study:
    return reviewed[0]


@pytest.fixture
def requester(reviewed: tuple[Study, Requester]) -> Requester:
    return reviewed[1]


def names(study: Study) -> list[str]:
    return sorted(study.read("assignments")["assignment_id"])


def there(requester: Requester, assignment: str) -> list[str]:
    """The bonuses of an assignment in the marketplace's own books."""
    found = requester.client.list_bonus_payments(AssignmentId=assignment)["BonusPayments"]
    return [payment["BonusAmount"] for payment in found]


def write(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_bonus_is_paid_once(study: Study, requester: Requester) -> None:
    """50 cents and 3 cents, with fees of 10 and 1; again pays nothing; another label pays again."""
    a, b = names(study)[:2]
    bonuses = [Bonus(a, "once", 50, "Thank you!"), Bonus(b, "once", 3, "Thank you!")]
    before = spent(study)
    assert cost_of_bonuses(study, bonuses) == Paid(2, 0, Cost(53, 11))
    assert pay_bonuses(study, requester, bonuses) == Paid(2, 0, Cost(53, 11))
    assert pay_bonuses(study, requester, bonuses) == Paid(0, 2, Cost(0, 0))
    assert (there(requester, a), there(requester, b)) == (["0.50"], ["0.03"])
    assert spent(study).total - before.total == 64
    pay_bonuses(study, requester, [Bonus(a, "twice", 50, "Thank you!")])
    assert there(requester, a) == ["0.50", "0.50"]
    payment = study.read("payments", {"payment_key": f"bonus:{a}:once"}).iloc[0]
    assert (payment["amount"], payment["state"], payment["reason"]) == (50, "paid", "Thank you!")
    with pytest.raises(InputError, match=r"has a bonus 'once' of 50 cents already; for another 60 cents"):
        pay_bonuses(study, requester, [Bonus(a, "once", 60, "Thank you!")])


class Breaks:
    """A client that loses the answer to send_bonus, or is killed before it is sent."""

    def __init__(self, client: object, *, sends: bool) -> None:
        self._client, self._sends = client, sends

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def send_bonus(self, **request: object) -> None:
        if self._sends:
            self._client.send_bonus(**request)  # type: ignore[attr-defined]
        raise KeyboardInterrupt


class ForgetsTokens:
    """A client for a marketplace that remembers no UniqueRequestToken, as after 24 hours."""

    def __init__(self, client: object) -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def send_bonus(self, **request: object) -> None:
        del request["UniqueRequestToken"]
        self._client.send_bonus(**request)  # type: ignore[attr-defined]


@pytest.mark.parametrize("sends", [True, False])
@pytest.mark.parametrize("forgets", [True, False])
def test_a_broken_run_pays_once(study: Study, requester: Requester, sends: bool, forgets: bool) -> None:
    """Killed before or after the marketplace paid, and gone on at once or after its tokens are forgotten."""
    label = f"broken-{sends}-{forgets}".lower()
    bonuses = [Bonus(names(study)[2], label, 7, "Thank you!")]
    count = len(there(requester, names(study)[2]))
    with pytest.raises(KeyboardInterrupt):
        pay_bonuses(study, Requester(Breaks(requester.client, sends=sends), requester.endpoint), bonuses)  # type: ignore[arg-type]
    payments = study.read("payments").set_index("payment_key")
    assert payments.loc[f"bonus:{names(study)[2]}:{label}", "state"] == "due"
    again = Requester(ForgetsTokens(requester.client), requester.endpoint) if forgets else requester  # type: ignore[arg-type]
    assert pay_bonuses(study, again, bonuses).new == 1
    assert there(requester, names(study)[2]) == ["0.07"] * (count + 1)
    assert set(study.read("payments")["state"]) == {"paid"}


def test_two_runs_at_once_pay_once(study: Study, requester: Requester) -> None:
    """Of two processes that both found nothing paid, the second is told so by the token."""
    bonus = Bonus(names(study)[3], "race", 9, "Thank you!")

    class Overtaken:
        """Another process pays after this one has asked what is paid, and before it pays."""

        def __getattr__(self, name: str) -> object:
            return getattr(requester.client, name)

        def send_bonus(self, **request: object) -> None:
            pay_bonuses(study, requester, [bonus])
            requester.client.send_bonus(**request)  # type: ignore[arg-type]

    pay_bonuses(study, Requester(Overtaken(), requester.endpoint), [bonus])  # type: ignore[arg-type]
    assert there(requester, names(study)[3]) == ["0.09"]
    assert (study.read("payments")["state"] == "paid").all()


def test_the_budget_holds(study: Study, requester: Requester) -> None:
    """Nothing is written down and nothing paid beyond budget.hard_cents."""
    before = study.count("payments")
    with pytest.raises(Refused, match="hard_cents"):
        pay_bonuses(study, requester, [Bonus(names(study)[0], "rich", 2000, "Thank you!")])
    assert study.count("payments") == before


def test_a_refusal_is_told(study: Study, requester: Requester) -> None:
    """What the marketplace refuses is an error, and stays due."""
    assignment = names(study)[4]
    with study.writing() as connection:
        connection.exec_driver_sql("UPDATE workers SET worker_id = 'A' || worker_id")
    try:
        with pytest.raises(ServiceError, match="refused"):
            pay_bonuses(study, requester, [Bonus(assignment, "wrong", 5, "Thank you!")])
    finally:
        with study.writing() as connection:
            connection.exec_driver_sql("UPDATE workers SET worker_id = substr(worker_id, 2)")
    assert there(requester, assignment) == []
    assert pay_bonuses(study, requester, [Bonus(assignment, "wrong", 5, "Thank you!")]).new == 1


def test_a_file_of_bonuses(study: Study, tmp_path: Path) -> None:
    """A rater stands for the first assignment they handed in; all wrong rows are named with their lines."""
    assignments = study.read("assignments").sort_values(["submitted_at", "assignment_id"])
    rater = assignments["rater_id"].iloc[0]
    path = tmp_path / "Thanks 2026.csv"
    head = ["rater_id", "assignment_id", "amount_cents", "reason"]
    good = [rater, "", 40, "Thank you!"]
    found = read_bonuses(study, write(path, [head, good]), "thanks")
    assert found == [Bonus(assignments["assignment_id"].iloc[0], "thanks", 40, "Thank you!")]
    wrong = [
        good,
        good,
        ["nobody", "", 40, "x"],
        ["", "", 40, "x"],
        [rater, "", "0.4", "x"],
        [rater, "", 4, ""],
    ]
    with pytest.raises(InputError) as caught:
        read_bonuses(study, write(path, [head, *wrong]), "thanks")
    message = str(caught.value)
    for part in ("5 rows are wrong", "line 3: a second bonus", "line 4: rater nobody is not in this study",
                 "line 5: names no assignment and no rater", "line 6: amount_cents is 0.4; write whole cents",
                 "line 7: the reason tells the rater"):  # fmt: skip
        assert part in message
    with pytest.raises(InputError, match="up to 20 small letters"):
        read_bonuses(study, path, "Thanks 2026")


def test_the_bonus_command(study: Study, requester: Requester, tmp_path: Path) -> None:
    """It says the cost and asks for --yes; the label comes from the file's name."""
    path = write(
        tmp_path / "Thanks 2026.csv",
        [["assignment_id", "amount_cents", "reason"], [names(study)[5], 10, "Hi"]],
    )
    place = ["--study", str(study.folder)]
    refused = CliRunner().invoke(bonus_command, [str(path), *place])
    assert isinstance(refused.exception, Refused)
    assert "$0.12 ($0.10 to raters, $0.02 fees)" in str(refused.exception)
    done = CliRunner().invoke(bonus_command, [str(path), "--yes", "--json", *place])
    assert json.loads(done.stdout) == {"new": 1, "known": 0, "bonus_cents": 10, "fee_cents": 2}
    assert f"bonus:{names(study)[5]}:thanks-2026" in set(study.read("payments")["payment_key"])
    again = CliRunner().invoke(bonus_command, [str(path), *place])
    assert again.stdout == "nothing is to be paid; 1 were paid earlier\n"


def test_wages_and_what_is_missing() -> None:
    """90 s for 20 cents is $8 an hour; $12 an hour asks for 30 cents; a second more asks for another cent."""
    assert hourly(20, 90) == 800
    assert missing(20, 90, 1200) == 10
    assert missing(20, 91, 1200) == 11
    assert missing(20, 60, 1200) == missing(20, 30, 1200) == 0


def test_work_is_lifted_to_the_promised_wage(study: Study, requester: Requester) -> None:
    """With a median of 90 s, each of the twelve approved assignments gets 10 cents, once."""
    times = [80.0, 90.0, 90.0, 100.0] * 3
    with study.writing() as connection:
        for name, seconds in zip(names(study), times, strict=True):
            connection.exec_driver_sql(
                "UPDATE assignments SET active_seconds = ? WHERE assignment_id = ?", (seconds, name)
            )
    assert [(wage.measured, wage.seconds, wage.hourly_cents) for wage in wages(study)] == [(12, 90.0, 800)]
    assert {(bonus.cents, bonus.label) for bonus in top_ups(study)} == {(10, "top-up")}
    place = ["--study", str(study.folder)]
    refused = CliRunner().invoke(top_up_command, place)
    assert isinstance(refused.exception, Refused)
    assert "paying 12 bonuses will cost $1.44 ($1.20 to raters, $0.24 fees)" in str(refused.exception)
    assert "stars-1: $8.00 an hour, measured on 12 assignments (median 90 s)" in refused.stderr
    paid = CliRunner().invoke(top_up_command, ["--yes", "--json", *place])
    assert json.loads(paid.stdout)["new"] == 12
    assert all("0.10" in there(requester, name) for name in names(study))
    # A later median changes nothing for work that was lifted.
    with study.writing() as connection:
        connection.exec_driver_sql("UPDATE assignments SET active_seconds = 200")
    assert top_ups(study) == []
    with pytest.raises(InputError, match="there is no batch stars-9"):
        top_ups(study, "stars-9")
