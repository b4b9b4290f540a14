"""Alarms and the pace of a study, on rows written straight into its store."""

import dataclasses
import shlex
from collections.abc import Callable

import click
import pytest
import sqlalchemy as sa

from photojury.analysis.alarms import LEVELS, Alarm, alarms
from photojury.analysis.progress import Pace, pace, status
from photojury.cli import group
from photojury.datasets import tables
from photojury.datasets.money import TOP_UP
from photojury.datasets.store import Study
from photojury.settings import override

NOW = 1.75e9 + 7200
Make = Callable[[int], Study]


def seen(study: Study, at: float = NOW) -> list[Alarm]:
    """The study's alarms."""
    now = status(study)
    return alarms(study, now, pace(study, now, at), at)


def change(study: Study, table: sa.Table, **values: object) -> None:
    with study.writing() as connection:
        connection.execute(sa.update(table).values(**values))


def about(found: list[Alarm], text: str) -> Alarm:
    """The one alarm that says something."""
    (alarm,) = [alarm for alarm in found if text in alarm.text]
    return alarm


def test_a_healthy_study_is_quiet(make: Make) -> None:
    """All answered, paid and used, sides drawn by lot: no alarm."""
    study = make(20)
    change(study, tables.hits, max_assignments=10)
    with study.writing() as connection:
        connection.execute(
            sa.text("UPDATE comparisons SET first_shown_left = (rowid % 2 = 0), value = abs(value) + 0.5")
        )
        connection.execute(sa.text("UPDATE hits SET max_assignments = 5 WHERE task != 'stars'"))
    assert seen(study) == []


def test_money(make: Make) -> None:
    """Beyond the soft cap, beyond the hard one, and near it."""
    study = make(20)
    total = status(study).spent.total + status(study).to_come.total

    def capped(**limits: int) -> Study:
        named = {f"PHOTOJURY_BUDGET_{name}".upper(): str(value) for name, value in limits.items()}
        return dataclasses.replace(study, settings=override(study.settings, named))

    assert about(seen(capped(soft_cents=total - 1)), "soft_cents").level == "warning"
    first = seen(capped(soft_cents=1, hard_cents=total - 1))[0]
    assert first.level == "danger" and "hard_cents" in first.text
    assert about(seen(capped(hard_cents=total + 1)), "are spent or to come").level == "note"
    assert not [alarm for alarm in seen(capped(hard_cents=2 * total)) if "cents" in alarm.text]


def test_wages_until_they_are_topped_up(make: Make) -> None:
    """20 cents for two minutes are $6 an hour; with a top-up for each approved assignment the alarm is over."""
    study = make(20)
    change(study, tables.assignments, active_seconds=120.0)
    alarm = about(seen(study), "in stars-1")
    assert "$6.00 an hour" in alarm.text and "--batch stars-1" in alarm.command
    rows = [
        {
            "payment_key": f"bonus:{row['assignment_id']}:{TOP_UP}", "kind": "bonus", "amount": 20, "state": "paid",
            "assignment_id": row["assignment_id"], "rater_id": row["rater_id"],
        }
        for row in study.read("assignments").to_dict("records")
    ]  # fmt: skip
    study.add("payments", rows)
    assert not [alarm for alarm in seen(study) if "an hour" in alarm.text]


def test_people(make: Make) -> None:
    """One side preferred, a verdict without consequence, many assignments that are not used."""
    study = make(20)
    change(study, tables.comparisons, first_shown_left=True, value=1.0)
    assert about(seen(study), "100.0 % of").command == "photojury analyze sides"
    study.add(
        "verdicts",
        [{"rater_id": "rater01", "task": "stars", "rule": "fast", "reason": "-", "decided_at": 1.0}],
    )
    assert "excluded: 0" in about(seen(study), "verdict").text
    with study.writing() as connection:
        connection.execute(sa.text("UPDATE assignments SET use = 0 WHERE rowid % 4 = 0"))
    assert "25 % of the assignments" in about(seen(study), "not used").text


def test_work_that_waits(make: Make) -> None:
    """Unpaid work, due payments, cut-off publishing, failed downloads, silence, and HITs that are all paused."""
    study = make(20)
    study.add("candidates", [{"source": "urls", "source_id": "x", "state": "failed", "seen_at": 0.0}])
    change(study, tables.payments, state="due")
    found = seen(study)
    assert about(found, "failed").command == "photojury collect download"
    assert about(found, "not finished").command == "photojury annotate review --yes"
    change(study, tables.hits, max_assignments=12)
    assert about(seen(study, NOW + 4 * 3600), "handed in for 6 hours").command == "photojury annotate fetch"
    change(study, tables.hits, state="paused")
    assert about(seen(study), "paused").command == "photojury annotate resume"
    change(study, tables.hits, state="publishing")
    assert about(seen(study), "cut off").command == "photojury annotate publish --yes"
    assert [LEVELS.index(alarm.level) for alarm in seen(study)] == sorted(
        LEVELS.index(alarm.level) for alarm in seen(study)
    )


def test_every_command_can_be_typed(make: Make) -> None:
    """Each is one of photojury's, with options that it has."""
    study = make(20)
    study.add("candidates", [{"source": "urls", "source_id": "x", "state": "failed", "seen_at": 0.0}])
    study.add(
        "verdicts",
        [{"rater_id": "rater01", "task": "stars", "rule": "fast", "reason": "-", "decided_at": 1.0}],
    )
    change(study, tables.assignments, active_seconds=120.0)
    change(study, tables.hits, max_assignments=12)
    commands = {alarm.command for alarm in seen(study)} | {status(study).next_step}
    assert len(commands) >= 5
    for line in commands:
        command: click.Command = group
        rest = shlex.split(line)[1:]
        context = click.Context(command)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            found = command.get_command(context, rest.pop(0))
            assert found is not None, line
            command, context = found, click.Context(found, parent=context)
        command.make_parser(context).parse_args(rest)


def test_pace(make: Make) -> None:
    """Assignments of the last three hours over these; what is left at that rate; hours without any are there."""
    study = make(20)
    n = study.count("assignments")
    change(study, tables.hits, max_assignments=12)
    change(study, tables.assignments, submitted_at=NOW - 3600.0)
    with study.writing() as connection:
        connection.execute(
            sa.text(f"UPDATE assignments SET submitted_at = {NOW - 40 * 3600} WHERE rowid <= 10")
        )
    now = status(study)
    found: Pace = pace(study, now, NOW)
    assert (found.came, found.hours) == (n - 10, 3.0)
    left = sum(batch.wanted - batch.submitted for batch in now.batches)
    assert found.left == left and found.hours_left == pytest.approx(left / ((n - 10) / 3))
    hours = found.by_hour
    assert len(hours) == 48 and hours["assignments"].sum() == n
    assert (hours["assignments"] > 0).sum() == 2
    late = pace(study, now, NOW + 30 * 3600)
    assert late.hours_left is None and late.came == 0
