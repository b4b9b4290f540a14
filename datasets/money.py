"""Money, in cents: what HITs cost with the marketplace's fee, what a study has spent, and what is to come.

The fee's one rule stands here; the marketplace charges by it, too. What may be spent stands in
photojury.annotate.money.budget.

    >>> cost_of(hits=8, raters=10, reward_cents=20, fee_percent=20.0)
    Cost(rewards=1600, fees=640)
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.prolific import pid_of
from photojury.datasets.store import Study

Row = Mapping[str, Any]

_ASSIGNMENTS, _HITS, _PAYMENTS = tables.assignments, tables.hits, tables.payments

MANY_ASSIGNMENTS = 10
"""From so many assignments on, a HIT costs the higher fee."""

_MANY_PERCENT = 20

TOP_UP = "top-up"
"""The label of bonuses that lift work to the promised wage; the last part of their payment_key."""


@dataclass(frozen=True)
class Cost:
    """Cents."""

    rewards: int
    fees: int

    @property
    def total(self) -> int:
        """Rewards and fees."""
        return self.rewards + self.fees

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.rewards + other.rewards, self.fees + other.fees)

    def __str__(self) -> str:
        return f"{dollars(self.total)} ({dollars(self.rewards)} to raters, {dollars(self.fees)} fees)"


def fee_of(amount: int, max_assignments: int, fee_percent: float) -> int:
    """The marketplace's fee in cents on one reward or bonus of `amount` cents, rounded half up.

    MTurk's (mturk.com/pricing, 2026): 20 %, at least one cent; another 20 % where the HIT has ten or more
    assignments.
    """
    many = _MANY_PERCENT if max_assignments >= MANY_ASSIGNMENTS else 0
    share = Decimal(amount) * (Decimal(str(fee_percent)) + many) / 100
    return max(1, int(share.quantize(Decimal(1), ROUND_HALF_UP)))


def cost_of(hits: int, raters: int, reward_cents: int, fee_percent: float) -> Cost:
    """What HITs cost when every assignment is approved."""
    assignments = hits * raters
    return Cost(assignments * reward_cents, assignments * fee_of(reward_cents, raters, fee_percent))


def cost_of_hits(hits: Iterable[Row], fee_percent: float, more: int | None = None) -> Cost:
    """What rows of the hits table cost when every assignment is approved, or `more` assignments of each."""
    cost = Cost(0, 0)
    for hit in hits:
        count = hit["max_assignments"] if more is None else more
        fee = fee_of(hit["reward"], hit["max_assignments"], fee_percent)
        cost += Cost(count * hit["reward"], count * fee)
    return cost


def spent(study: Study) -> Cost:
    """What was paid so far: rewards (with bonuses) and fees."""
    query = sa.select(_PAYMENTS.c.kind, sa.func.sum(_PAYMENTS.c.amount).label("amount"))
    rows = study.rows(query.where(_PAYMENTS.c.state == "paid").group_by(_PAYMENTS.c.kind))
    sums = {row["kind"]: int(row["amount"]) for row in rows}
    fees = sum(amount for kind, amount in sums.items() if kind.endswith("fee"))
    return Cost(sum(sums.values()) - fees, fees)


def to_come(study: Study) -> Cost:
    """What is still to be paid, at most, for HITs that have left the study, and for bonuses that are due.

    A closed HIT costs what was handed in; any other one what all its assignments cost that are neither paid
    nor rejected.
    """
    cost = _due_bonuses(study)
    counts = _unpaid_and_settled(study)
    names = ("hit_key", "state", "reward", "max_assignments", "extend_to")
    unpaid_by_price: Counter[tuple[int, int]] = Counter()
    for hit in study.rows(sa.select(*(_HITS.c[name] for name in names)).where(_HITS.c.state != "planned")):
        unpaid, settled = counts.get(hit["hit_key"], (0, 0))
        if hit["state"] != "closed":
            unpaid = max(0, max(hit["max_assignments"], hit["extend_to"] or 0) - settled)
        unpaid_by_price[hit["reward"], hit["max_assignments"]] += unpaid
    for (reward, most), unpaid in unpaid_by_price.items():
        fee = fee_of(reward, most, study.settings.market.fee_percent)
        cost += Cost(unpaid * reward, unpaid * fee)
    return cost


def committed(study: Study) -> Cost:
    """What cannot be taken back any more: what was spent, and what is to come for HITs that are out."""
    return spent(study) + to_come(study)


def with_terms() -> "sa.Select[Any]":
    """Assignments with the reward and max_assignments of their HITs."""
    return sa.select(_ASSIGNMENTS, _HITS.c.reward, _HITS.c.max_assignments, _HITS.c.batch).join(
        _HITS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key
    )


def price(study: Study, row: Row) -> Cost:
    """What approving one assignment pays."""
    fee = fee_of(row["reward"], row["max_assignments"], study.settings.market.fee_percent)
    return Cost(row["reward"], fee)


def unsettled(study: Study) -> Sequence[Row]:
    """Assignments to be approved, and approved ones (by us or by the marketplace) without a settled payment."""
    return study.rows(with_terms().where(*_unsettled(study)).order_by(_ASSIGNMENTS.c.submitted_at))


def cost_of_rows(study: Study, rows: Sequence[Row]) -> Cost:
    """What approving these assignments, rows of `with_terms`, pays."""
    return sum((price(study, row) for row in rows), Cost(0, 0))


def cost_of_unreviewed(study: Study) -> tuple[int, Cost]:
    """How many assignments the next review will pay, and what it will pay for them."""
    terms = (_HITS.c.reward, _HITS.c.max_assignments)
    query = sa.select(*terms, sa.func.count().label("n")).join(
        _ASSIGNMENTS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key
    )
    waiting, cost = 0, Cost(0, 0)
    for row in study.rows(query.where(*_unsettled(study)).group_by(*terms)):
        one, n = price(study, row), int(row["n"])
        waiting += n
        cost += Cost(n * one.rewards, n * one.fees)
    return waiting, cost


def dollars(cents: int) -> str:
    """Cents as people read them: $1,234.50."""
    return f"${cents / 100:,.2f}"


def _unsettled(study: Study) -> tuple["sa.ColumnElement[bool]", ...]:
    paid = sa.select(_PAYMENTS.c.assignment_id).where(
        _PAYMENTS.c.kind == "reward", _PAYMENTS.c.state == "paid"
    )
    return (
        _ASSIGNMENTS.c.status.in_(("Submitted", "Approved")),
        _ASSIGNMENTS.c.assignment_id.not_in(paid),
        _HITS.c.marketplace != tables.IMPORTED,
        # Whom Prolific has sent is paid there: see photojury.annotate.recruit.
        _ASSIGNMENTS.c.rater_id.not_in(_from_prolific(study)),
    )


def _unpaid_and_settled(study: Study) -> dict[str, tuple[int, int]]:
    """By hit key: assignments in the store that are still to be paid, and those that are paid or rejected."""
    paid = sa.select(_PAYMENTS.c.assignment_id).where(
        _PAYMENTS.c.kind == "reward", _PAYMENTS.c.state == "paid"
    )
    settled = (_ASSIGNMENTS.c.status == "Rejected") | _ASSIGNMENTS.c.assignment_id.in_(paid)
    query = sa.select(
        _ASSIGNMENTS.c.hit_key,
        sa.func.sum(sa.case((settled, 0), else_=1)).label("unpaid"),
        sa.func.sum(sa.case((settled, 1), else_=0)).label("settled"),
    ).group_by(_ASSIGNMENTS.c.hit_key)
    return {row["hit_key"]: (int(row["unpaid"]), int(row["settled"])) for row in study.rows(query)}


def _due_bonuses(study: Study) -> Cost:
    """Bonuses, with their fees, that are written down and not paid yet."""
    cost = Cost(0, 0)
    for row in study.rows(sa.select(_PAYMENTS).where(_PAYMENTS.c.state == "due")):
        if row["payment_key"] in (f"reward:{row['assignment_id']}", f"fee:{row['assignment_id']}"):
            continue  # counted with its HIT
        cost += Cost(0, row["amount"]) if row["kind"].endswith("fee") else Cost(row["amount"], 0)
    return cost


def _from_prolific(study: Study) -> list[str]:
    of_worker = sa.select(tables.workers.c.rater_id, tables.workers.c.worker_id)
    of_worker = of_worker.where(tables.workers.c.worker_id.like("AP%"))
    return [row["rater_id"] for row in study.rows(of_worker) if pid_of(row["worker_id"])]
