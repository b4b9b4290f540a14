"""Wages: what is missing to the promised wage at the time that was measured, and the bonuses that make up for it.

Whiting, Hugh & Bernstein ("Fair Work", HCOMP 2019) pay automatic bonuses to a promised hourly wage where a reward
was too low. What an hour pays, as measured: photojury.analysis.progress.

    >>> missing(reward=20, seconds=90, wage=1200)
    10
"""

import math

import sqlalchemy as sa

from photojury.analysis.progress import wages
from photojury.annotate.money.bonuses import Bonus
from photojury.datasets import tables
from photojury.datasets.money import TOP_UP, dollars
from photojury.datasets.store import Study
from photojury.errors import InputError

_ASSIGNMENTS, _HITS, _PAYMENTS = tables.assignments, tables.hits, tables.payments


def missing(reward: int, seconds: float, wage: int) -> int:
    """Cents that one assignment lacks to a wage of so many cents an hour, rounded up; 0 where none are."""
    return max(0, math.ceil(wage * seconds / 3600 - reward))


def top_ups(study: Study, batch: str | None = None) -> list[Bonus]:
    """The bonuses that lift approved work to the promised wage, for assignments that have none of these yet.

    An assignment gets at most one: what the median said when it was topped up stands.

    Raises:
        InputError: no wage is promised, or there is no such batch.
    """
    promised = study.settings.budget.hourly_wage_cents
    if not promised:
        raise InputError("budget.hourly_wage_cents in study.toml is 0: no wage is promised")
    found = wages(study)
    if batch is not None and batch not in {wage.batch for wage in found}:
        raise InputError(f"there is no batch {batch}; look at: photojury annotate status")
    bonuses: list[Bonus] = []
    for wage in found:
        cents = missing(wage.reward, wage.seconds, promised) if wage.seconds else 0
        if cents and batch in (None, wage.batch):
            reason = f"This work took longer than planned: a bonus to {dollars(promised)} an hour. Thank you!"
            bonuses += [
                Bonus(name, TOP_UP, written or cents, reason)
                for name, written in _without(study, wage.batch).items()
            ]
    return bonuses


def _without(study: Study, batch: str) -> dict[str, int | None]:
    """Approved assignments of a batch to which no top-up was paid, with the cents that a broken-off run wrote down."""
    bonuses = study.rows(sa.select(_PAYMENTS).where(_PAYMENTS.c.kind == "bonus"))
    written = {row["payment_key"]: row for row in bonuses}
    query = (
        sa.select(_ASSIGNMENTS.c.assignment_id)
        .join(_HITS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key)
        .where(_HITS.c.batch == batch, _HITS.c.marketplace != tables.IMPORTED)
        .where(_ASSIGNMENTS.c.status == "Approved")
        .order_by(_ASSIGNMENTS.c.assignment_id)
    )
    found: dict[str, int | None] = {}
    for row in study.rows(query):
        name = row["assignment_id"]
        payment = written.get(Bonus(name, TOP_UP, 0, "").key)
        if payment is None or payment["state"] != "paid":
            found[name] = payment["amount"] if payment else None
    return found
