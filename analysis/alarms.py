"""Alarms: what a study leader should look at now, each with the command to type.

Takes in an open study with its `Status` and `Pace`; gives out `Alarm`s, the worst first. Nothing is asked of the
marketplace.

    >>> alarms(study, status(study), pace(study, status(study), time.time()))      # doctest: +SKIP
    [Alarm(level='warning', text='Work pays $8.94 an hour in five_level-1, under the promised $12.00.', ...)]
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from scipy import stats

from photojury.analysis.progress import Pace, Status
from photojury.analysis.wording import plural
from photojury.datasets import tables
from photojury.datasets.money import TOP_UP, cost_of_unreviewed, dollars
from photojury.datasets.store import Study

Level = Literal["danger", "warning", "note"]
LEVELS: tuple[Level, ...] = ("danger", "warning", "note")

QUIET_HOURS = 3.0
"""Nobody handed anything in for so long, while HITs are out."""
UNUSED = 0.15
"""Share of assignments paid and not used that is worth a look."""
LEFT_P = 0.001
_NEAR = 0.9


@dataclass(frozen=True)
class Alarm:
    """One thing to look at.

    Attributes:
        level: danger (money or data are being lost), warning, note.
        text: one sentence with figures.
        command: what to type, to be run in the study's folder; empty where there is nothing to type.
    """

    level: Level
    text: str
    command: str = ""


def alarms(study: Study, now: Status, speed: Pace, at: float) -> list[Alarm]:
    """All alarms of a study.

    Args:
        study: the open study.
        now, speed: its status and pace.
        at: the time that "for hours" is counted to.
    """
    found = [
        *_budget(study, now),
        *_wages(study, now),
        *_waiting(study),
        *_quiet(now, speed, at),
        *_raters(study, now),
        *_sides(study),
        *_unfinished(study),
    ]
    return sorted(found, key=lambda alarm: LEVELS.index(alarm.level))


def _budget(study: Study, now: Status) -> Iterator[Alarm]:
    limits, total = study.settings.budget, now.spent.total + now.to_come.total
    if limits.hard_cents and total > limits.hard_cents:
        yield Alarm(
            "danger",
            f"What is planned makes {dollars(total)}, beyond budget.hard_cents, {dollars(limits.hard_cents)}: "
            "publishing will be refused.",
            "photojury annotate close",
        )
    elif limits.soft_cents and total > limits.soft_cents:
        yield Alarm(
            "warning",
            f"What was spent and is to come, {dollars(total)}, is beyond budget.soft_cents, "
            f"{dollars(limits.soft_cents)}.",
            "photojury annotate pause",
        )
    elif limits.hard_cents and total > _NEAR * limits.hard_cents:
        yield Alarm("note", f"{dollars(total)} of {dollars(limits.hard_cents)} are spent or to come.")


def _wages(study: Study, now: Status) -> Iterator[Alarm]:
    for batch in now.batches:
        if batch.hourly_cents is None or batch.hourly_cents >= now.promised_cents:
            continue
        if batch.approved == 0 or _topped_up(study, batch.batch) < batch.approved:
            yield Alarm(
                "warning",
                f"Work pays {dollars(batch.hourly_cents)} an hour in {batch.batch}, under the promised "
                f"{dollars(now.promised_cents)}.",
                f"photojury annotate top-up --batch {batch.batch} --yes",
            )


def _topped_up(study: Study, batch: str) -> int:
    """How many assignments of a batch were lifted to the promised wage."""
    payments, assignments, hits = tables.payments, tables.assignments, tables.hits
    query = (
        sa.select(sa.func.count().label("n"))
        .select_from(payments)
        .join(assignments, assignments.c.assignment_id == payments.c.assignment_id)
        .join(hits, hits.c.hit_key == assignments.c.hit_key)
        .where(hits.c.batch == batch, payments.c.kind == "bonus", payments.c.state == "paid")
        .where(payments.c.payment_key.like(f"%:{TOP_UP}"))
    )
    return int(_one(study, query)["n"])


def _waiting(study: Study) -> Iterator[Alarm]:
    waiting, cost = cost_of_unreviewed(study)
    if waiting:
        yield Alarm(
            "note",
            f"Waiting for review: {plural(waiting, 'assignment')}, {dollars(cost.total)} with fees.",
            "photojury annotate review --yes",
        )


def _quiet(now: Status, speed: Pace, at: float) -> Iterator[Alarm]:
    if speed.left and all(batch.paused for batch in now.batches if batch.submitted < batch.wanted):
        yield Alarm("note", "All HITs with open places are paused.", "photojury annotate resume")
    elif speed.left and speed.last_at is not None and at - speed.last_at > QUIET_HOURS * 3600:
        hours = (at - speed.last_at) / 3600
        yield Alarm(
            "warning",
            f"Nothing was handed in for {hours:.0f} hours, and {plural(speed.left, 'assignment')} are open; what "
            "was handed in since the last fetch is not counted.",
            "photojury annotate fetch",
        )


def _raters(study: Study, now: Status) -> Iterator[Alarm]:
    table = tables.assignments
    row = _one(
        study,
        sa.select(
            sa.func.count().label("n"),
            sa.func.sum(sa.case((table.c.use.is_(True), 0), else_=1)).label("unused"),
        ),
    )
    n, unused = int(row["n"]), int(row["unused"] or 0)
    if n and unused / n > UNUSED:
        yield Alarm(
            "warning",
            f"{100 * unused / n:.0f} % of the assignments ({unused:,} of {n:,}) are paid and not used.",
            "photojury annotate exclude --failed",
        )
    elif now.judged > now.excluded:
        yield Alarm(
            "note",
            f"Raters with a verdict against them: {now.judged:,}; excluded: {now.excluded:,}.",
            "photojury annotate exclude --failed",
        )


def _sides(study: Study) -> Iterator[Alarm]:
    """More answers for one side than lots allow; one rater's may explain it, a page that favours a side, too."""
    table = tables.comparisons
    left = (table.c.value > 0) == table.c.first_shown_left
    query = sa.select(sa.func.count().label("n"), sa.func.sum(sa.case((left, 1), else_=0)).label("left"))
    row = _one(study, query.where(table.c.value != 0, table.c.first_shown_left.is_not(None)))
    n, lefts = int(row["n"]), int(row["left"] or 0)
    if n and stats.binomtest(lefts, n).pvalue < LEFT_P and abs(lefts / n - 0.5) > 0.02:
        yield Alarm(
            "warning",
            f"{100 * lefts / n:.1f} % of {n:,} decided pairs went to the left picture; sides are drawn by lot, so "
            "half is right.",
            "photojury analyze sides",
        )


def _unfinished(study: Study) -> Iterator[Alarm]:
    due = _one(study, sa.select(sa.func.count().label("n")).where(tables.payments.c.state == "due"))
    if due["n"]:
        yield Alarm(
            "warning",
            f"Payments that were begun and not finished: {due['n']:,}.",
            "photojury annotate review --yes",
        )
    begun = _one(study, sa.select(sa.func.count().label("n")).where(tables.hits.c.state == "publishing"))
    if begun["n"]:
        yield Alarm(
            "warning",
            f"HITs at which publishing was cut off: {begun['n']:,}; the same command goes on.",
            "photojury annotate publish --yes",
        )
    failed = _one(study, sa.select(sa.func.count().label("n")).where(tables.candidates.c.state == "failed"))
    if failed["n"]:
        yield Alarm(
            "note",
            f"Downloads that failed and can be tried again: {failed['n']:,}.",
            "photojury collect download",
        )


def _one(study: Study, query: Any) -> dict[str, Any]:
    return study.rows(query)[0]
