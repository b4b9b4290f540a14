"""Money: what a batch costs, in cents, with the marketplace's fee.

>>> cost_of(hits=8, raters=10, reward_cents=20, fee_percent=20.0)
Cost(rewards=1600, fees=640)
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

MANY_ASSIGNMENTS = 10
"""From so many assignments on, a HIT costs the higher fee."""

_MANY_PERCENT = 20


@dataclass(frozen=True)
class Cost:
    """Cents."""

    rewards: int
    fees: int

    @property
    def total(self) -> int:
        """Rewards and fees."""
        return self.rewards + self.fees

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


def dollars(cents: int) -> str:
    """Cents as people read them: $1,234.50."""
    return f"${cents / 100:,.2f}"
