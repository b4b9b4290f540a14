"""What HITs cost, with the marketplace's fee."""

import pytest

from photojury.datasets.money import Cost, cost_of, fee_of


@pytest.mark.parametrize(
    ("reward", "raters", "fee"),
    [(20, 9, 4), (20, 10, 8), (1, 1, 1), (2, 1, 1), (0, 5, 1), (25, 5, 5), (13, 1, 3), (12, 1, 2)],
)
def test_fees_are_mturks(reward: int, raters: int, fee: int) -> None:
    """20 %, 40 % from ten assignments, at least one cent, half a cent up."""
    assert fee_of(reward, raters, 20.0) == fee


def test_a_batch_costs_what_its_assignments_cost() -> None:
    """8 HITs of 10 assignments at 20 cents: $16.00 and 40 % of it."""
    assert cost_of(8, 10, 20, 20.0) == Cost(1600, 640)
    assert str(Cost(1600, 640)) == "$22.40 ($16.00 to raters, $6.40 fees)"
