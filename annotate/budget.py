"""Money: what a batch costs, in cents, with the marketplace's fee.

>>> cost_of(hits=8, raters=10, reward_cents=20, fee_percent=20.0)
Cost(rewards=1600, fees=640)
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# "HITs with 10 or more assignments will be charged an additional 20% fee" (MTurk's pricing page).
_MANY = 10


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


def fee_of(reward_cents: int, raters: int, fee_percent: float) -> int:
    """The fee on one assignment, in cents: at least one, and twice the share from ten assignments a HIT.

    Nothing is paid on a reward of zero.
    """
    if reward_cents == 0:
        return 0
    share = Decimal(str(fee_percent)) / 100 * (2 if raters >= _MANY else 1)
    if not share:
        return 0
    return max(1, int((reward_cents * share).quantize(Decimal(1), ROUND_HALF_UP)))


def cost_of(hits: int, raters: int, reward_cents: int, fee_percent: float) -> Cost:
    """What HITs cost when every assignment is approved."""
    assignments = hits * raters
    return Cost(assignments * reward_cents, assignments * fee_of(reward_cents, raters, fee_percent))


def dollars(cents: int) -> str:
    """Cents as people read them: $1,234.50."""
    return f"${cents / 100:,.2f}"
