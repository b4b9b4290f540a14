"""Money before it is spent: the quote with its hourly wage, and the caps of study.toml."""

import dataclasses
import json
import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from photojury.annotate.batches import plan
from photojury.annotate.commands.group import publish as publish_command
from photojury.annotate.money.budget import check_budget
from photojury.annotate.money.quote import quote
from photojury.annotate.publish import publish, waiting
from photojury.annotate.requester import Requester
from photojury.datasets import tables
from photojury.datasets.money import Cost, committed, spent, to_come
from photojury.datasets.store import Study
from photojury.errors import Refused
from photojury.settings import override
from tests.support import VALUES, make_study

# Six HITs for three raters at 20 cents, each with 20 % fee: 18 * (20 + 4).
ALL = 18 * 24


def capped(study: Study, **limits: int) -> Study:
    """The study with other limits."""
    environment = {f"PHOTOJURY_BUDGET_{name}".upper(): str(value) for name, value in limits.items()}
    return dataclasses.replace(study, settings=override(study.settings, environment))


def assigned(
    study: Study, seconds: list[float], *, status: str = "Submitted", simulated: bool = False
) -> None:
    """Put assignments into the store, one for each of these active times, over the HITs in turn."""
    keys = study.read("hits")["hit_key"]
    first = study.count("assignments")
    rows = [
        {
            "assignment_id": f"A{first + number}",
            "rater_id": "r",
            "hit_key": keys[number % len(keys)],
            "accepted_at": 0.0,
            "submitted_at": 1.0,
            "active_seconds": time,
            "status": status,
            "answers": "",
            "simulated": simulated,
        }
        for number, time in enumerate(seconds)
    ]
    study.add("assignments", rows)


def paid(study: Study, assignment: str, **more: object) -> None:
    """Enter the payment of a reward and its fee."""
    common = {"assignment_id": assignment, "rater_id": "r", "state": "paid", **more}
    rows = [
        {"payment_key": f"{kind}:{assignment}", "kind": kind, "amount": amount, **common}
        for kind, amount in (("reward", 20), ("fee", 4))
    ]
    study.add("payments", rows)


def state(study: Study, **columns: object) -> None:
    with study.writing() as connection:
        connection.execute(sa.update(tables.hits).values(**columns))


def test_what_is_committed(database: str, tmp_path: Path) -> None:
    """Planned: nothing. Out: all. Paid and rejected assignments and due bonuses count once; closed: what came in."""
    study = make_study(tmp_path, values={**VALUES, ("study", "store"): database})
    plan(study, "stars")
    assert committed(study) == Cost(0, 0)
    state(study, state="published")
    assert committed(study) == Cost(18 * 20, 18 * 4)
    assigned(study, [60.0, 60.0, 60.0])
    paid(study, "A0")
    assert (spent(study).total, to_come(study).total) == (24, ALL - 24)
    assigned(study, [60.0], status="Rejected")
    assert committed(study).total == ALL - 24
    bonus = {"payment_key": "bonus:x", "kind": "bonus", "amount": 50, "assignment_id": "A0", "rater_id": "r"}
    study.add("payments", [{**bonus, "state": "due"}])
    assert committed(study).total == ALL - 24 + 50
    state(study, extend_to=4)
    assert committed(study).total == ALL - 24 + 50 + 6 * 24
    state(study, extend_to=None, state="closed")
    # One paid, two to be paid, one rejected, and the bonus.
    assert committed(study).total == 3 * 24 + 50
    study.close()


def test_the_caps(study: Study, caplog: pytest.LogCaptureFixture) -> None:
    """At a cap is within it; one cent beyond the soft one warns, one beyond the hard one is refused."""
    plan(study, "stars")
    state(study, state="published")
    check_budget(capped(study, soft_cents=ALL + 100, hard_cents=ALL + 100), Cost(80, 20))
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        check_budget(capped(study, soft_cents=ALL + 99, hard_cents=ALL + 100), Cost(80, 20))
    assert "beyond budget.soft_cents, $5.31" in caplog.text
    with pytest.raises(Refused, match=r"makes \$5\.32; budget\.hard_cents in study\.toml allows \$5\.31"):
        check_budget(capped(study, hard_cents=ALL + 99), Cost(80, 20))
    # What is committed already may be finished under a cap that was lowered since.
    check_budget(capped(study, hard_cents=1), Cost(0, 0))


def test_wage(study: Study, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody timed: said so. The median of people's times over simulated ones', and a warning under the promise."""
    plan(study, "stars")
    first = quote(study, waiting(study))
    assert (first.hits, first.raters, first.assignments, first.cost) == (6, 3, 18, Cost(360, 72))
    assert first.pay[0].hourly_cents is None
    assert "nobody was timed yet" in first.lines()[1]
    assert "the promised $12.00 if a HIT takes at most 60 s" in first.lines()[1]
    assigned(study, [40.0, 40.0, 40.0], simulated=True)
    guess = quote(study, waiting(study)).pay[0]
    assert guess.hourly_cents == pytest.approx(1800)
    assert (guess.timed, guess.simulated) == (3, True)
    # Median 80 s for 20 cents: nine dollars an hour.
    assigned(study, [30.0, 80.0, 500.0])
    real = quote(study, waiting(study))
    assert real.pay[0].hourly_cents == pytest.approx(900)
    assert (real.pay[0].timed, real.pay[0].simulated) == (3, False)
    with caplog.at_level(logging.WARNING):
        real.warn()
    assert "under the promised $12.00" in caplog.text
    assert "stars.reward_cents = 27" in caplog.text


def test_wage_of_other_sizes(study: Study) -> None:
    """A HIT with half the questions of those that were timed is expected to take half the time."""
    plan(study, "stars")
    assigned(study, [80.0, 80.0, 80.0])
    hits = waiting(study)
    half = [{**hit, "unit_ids": json.dumps(json.loads(hit["unit_ids"])[:2])} for hit in hits]
    assert quote(study, half).pay[0].seconds == pytest.approx(40)


def test_publish_shows_and_refuses(
    study: Study, requester: Requester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run tells the whole quote; over the hard cap it, and publishing, are refused and change nothing."""
    plan(study, "stars")
    run = CliRunner().invoke
    told = run(publish_command, ["--dry-run", "--json", "--study", str(study.folder)])
    assert told.exit_code == 0
    facts = json.loads(told.stdout)
    assert {name: facts[name] for name in ("hits", "raters", "assignments", "reward_cents", "fee_cents")} == {
        "hits": 6,
        "raters": 3,
        "assignments": 18,
        "reward_cents": 360,
        "fee_cents": 72,
    }
    monkeypatch.setenv("PHOTOJURY_BUDGET_HARD_CENTS", str(ALL - 1))
    refused = run(publish_command, ["--dry-run", "--study", str(study.folder)])
    assert isinstance(refused.exception, Refused)
    assert "6 HITs for 3 raters each: 18 assignments" in refused.stdout
    with pytest.raises(Refused, match=r"budget\.hard_cents"):
        publish(capped(study, hard_cents=ALL - 1), requester)
    assert set(study.read("hits")["state"]) == {"planned"}
    assert requester.client.list_hits()["HITs"] == []
    assert publish(capped(study, hard_cents=ALL), requester).new == 6
