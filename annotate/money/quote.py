"""A quote: what publishing will cost and what it pays an hour, said before anything is spent.

Takes in a study and rows of its hits table; gives out a `Quote`. The hourly wage comes from the active times
that the pages of earlier assignments of the same task measured; where nobody was timed yet, no wage is told,
but the time within which the reward pays what budget.hourly_wage_cents promises.

    >>> pay = Pay("stars", reward_cents=20, seconds=67.0, timed=12, simulated=False, promised_cents=1200)
    >>> str(pay)
    'stars: about $10.75 an hour, at 67 s for a HIT as 12 timed assignments took'
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.money import Cost, committed, cost_of_hits, dollars
from photojury.datasets.store import Study

log = logging.getLogger(__name__)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Pay:
    """What one task pays.

    Attributes:
        task: stars, five_level, ...
        reward_cents: for one HIT, the mean over those that are quoted.
        seconds: expected for one HIT, from measured times; None where nobody was timed.
        timed: how many assignments were measured.
        simulated: they were those of simulated raters, for want of people's.
        promised_cents: an hour, by budget.hourly_wage_cents; 0 where nothing is promised.
    """

    task: str
    reward_cents: float
    seconds: float | None
    timed: int
    simulated: bool
    promised_cents: int

    @property
    def hourly_cents(self) -> float | None:
        """The expected wage; None where nobody was timed."""
        return None if not self.seconds else self.reward_cents * 3600 / self.seconds

    @property
    def low(self) -> bool:
        """Whether the expected wage is under the promised one."""
        return self.hourly_cents is not None and self.hourly_cents < self.promised_cents

    def __str__(self) -> str:
        if self.hourly_cents is not None and self.seconds is not None:
            who = "simulated" if self.simulated else "timed"
            return (
                f"{self.task}: about {dollars(round(self.hourly_cents))} an hour, "
                f"at {self.seconds:.0f} s for a HIT as {self.timed} {who} assignments took"
            )
        text = f"{self.task}: nobody was timed yet, so what it pays an hour is not known"
        if self.promised_cents:
            seconds = self.reward_cents * 3600 / self.promised_cents
            text += f"; the promised {dollars(self.promised_cents)} if a HIT takes at most {seconds:.0f} s"
        return text


@dataclass(frozen=True)
class Quote:
    """What HITs will cost: `raters` is how many different people a HIT wants, of the one that wants most."""

    hits: int
    raters: int
    assignments: int
    cost: Cost
    committed: Cost
    pay: list[Pay]

    def lines(self) -> list[str]:
        """The quote as people read it."""
        raters = "1 rater" if self.raters == 1 else f"{self.raters} raters"
        first = (
            f"{self.hits} HITs for {raters} each: {self.assignments} assignments, up to {self.cost}; "
            f"committed before: {dollars(self.committed.total)}"
        )
        return [first, *map(str, self.pay)]

    def facts(self) -> dict[str, object]:
        """The quote as JSON."""
        return {
            "hits": self.hits,
            "raters": self.raters,
            "assignments": self.assignments,
            "reward_cents": self.cost.rewards,
            "fee_cents": self.cost.fees,
            "committed_cents": self.committed.total,
            "pay": [
                {
                    "task": pay.task,
                    "seconds": pay.seconds,
                    "hourly_cents": pay.hourly_cents and round(pay.hourly_cents),
                    "timed": pay.timed,
                    "simulated": pay.simulated,
                }
                for pay in self.pay
            ],
        }

    def warn(self) -> None:
        """Log a warning for each task that is expected to pay less than was promised."""
        for pay in self.pay:
            if pay.low and pay.seconds is not None:
                reward = -(-pay.promised_cents * pay.seconds // 3600)
                log.warning(
                    "%s, under the promised %s (budget.hourly_wage_cents): plan with %s.reward_cents = %d, or make up "
                    "for it with a bonus",
                    pay,
                    dollars(pay.promised_cents),
                    pay.task,
                    reward,
                )


def quote(study: Study, hits: Sequence[Row], more: int | None = None) -> Quote:
    """What the given HITs cost, or `more` assignments of each of them."""
    raters = max((hit["max_assignments"] if more is None else more for hit in hits), default=0)
    count = sum(hit["max_assignments"] for hit in hits) if more is None else more * len(hits)
    cost = cost_of_hits(hits, study.settings.market.fee_percent, more)
    tasks = sorted({hit["task"] for hit in hits})
    pay = [_pay(study, task, [hit for hit in hits if hit["task"] == task]) for task in tasks]
    return Quote(len(hits), raters, count, cost, committed(study), pay)


def _pay(study: Study, task: str, hits: Sequence[Row]) -> Pay:
    times, simulated = _seconds_per_question(study, task)
    questions = mean(_questions(hit) for hit in hits)
    return Pay(
        task=task,
        reward_cents=mean(hit["reward"] for hit in hits),
        seconds=median(times) * questions if times else None,
        timed=len(times),
        simulated=simulated,
        promised_cents=study.settings.budget.hourly_wage_cents,
    )


def _seconds_per_question(study: Study, task: str) -> tuple[list[float], bool]:
    """Active seconds for each question of a task, one value for each assignment; people's, else simulated ones'.

    By question, since a HIT may now have another size than those that were timed.
    """
    query = (
        sa.select(tables.assignments.c.active_seconds, tables.assignments.c.simulated, tables.hits.c.unit_ids)
        .join(tables.hits, tables.assignments.c.hit_key == tables.hits.c.hit_key)
        .where(tables.hits.c.task == task, tables.assignments.c.active_seconds > 0)
        .where(tables.assignments.c.use.is_(True))  # who did not look was quick
    )
    rows = study.rows(query)
    people = [row for row in rows if not row["simulated"]]
    return [row["active_seconds"] / _questions(row) for row in people or rows], not people


def _questions(hit: Row) -> int:
    return max(1, len(json.loads(hit["unit_ids"])))
