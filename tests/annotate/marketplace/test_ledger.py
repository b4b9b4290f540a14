"""The requester's money: every cent that is held, freed or paid has its row, and none is paid twice."""

from collections import Counter
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from photojury.annotate.marketplace import ledger
from photojury.annotate.marketplace import tables as books
from photojury.datasets.money import fee_of
from tests.annotate.marketplace.live import Live, refusal


def rows_add_up(live: Live) -> bool:
    """Whether the sum of all transactions is what the account says."""
    of = books.transactions.c
    with live.engine.connect() as connection:
        total = connection.execute(sa.select(sa.func.sum(of.available), sa.func.sum(of.held))).one()
        balances = ledger.balances(connection, "requester")
    return tuple(int(value) for value in total) == balances


@pytest.mark.parametrize(
    ("reward", "assignments", "fee"),
    [(20, 1, 4), (20, 9, 4), (20, 10, 8), (1, 1, 1), (3, 9, 1), (0, 1, 1), (100, 50, 40), (25, 10, 10), (7, 1, 1)],
)  # fmt: skip
def test_fees_are_those_of_the_price_list(reward: int, assignments: int, fee: int) -> None:
    """20 %, 40 % from ten assignments on, never under one cent (mturk.com/pricing)."""
    assert fee_of(reward, assignments, 20.0) == fee


@given(st.integers(min_value=0, max_value=10**9))
def test_amounts_survive_their_text(amount: int) -> None:
    """Cents written as MTurk writes them are read back as the same cents."""
    assert ledger.cents(ledger.dollars(amount)) == amount
    assert Decimal(ledger.dollars(amount)) * 100 == amount


@pytest.mark.parametrize(("text", "cents"), [("3", 300), ("3.", 300), ("0.5", 50), ("00.05", 5), ("0", 0)])
def test_every_form_of_an_amount_is_read(text: str, cents: int) -> None:
    """The API's pattern allows a missing fraction, a bare point and one decimal."""
    assert ledger.cents(text) == cents


def test_money_is_held_paid_and_freed(live: Live) -> None:
    """Four assignments of 0.20 + 0.04: one approved, one rejected, one overridden, one expired."""
    assert live.balance() == ("10000.00", "0.00")
    hit = live.hit(4)
    assert live.balance() == ("9999.04", "0.96")
    approved, rejected, overridden = live.answered(hit, 3)
    live.client.approve_assignment(AssignmentId=approved)
    assert live.balance() == ("9999.04", "0.72")
    for assignment in (rejected, overridden):
        live.client.reject_assignment(AssignmentId=assignment, RequesterFeedback="no")
    assert live.balance() == ("9999.52", "0.24")
    live.client.approve_assignment(AssignmentId=overridden, OverrideRejection=True)
    assert live.balance() == ("9999.28", "0.24")
    live.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    assert live.balance() == ("9999.52", "0.00")
    assert rows_add_up(live)
    with live.engine.connect() as connection:
        kinds = Counter(connection.execute(sa.select(books.transactions.c.kind)).scalars())
    assert (kinds["deposit"], kinds["reward"], kinds["fee"]) == (1, 2, 2)


def test_expiry_keeps_the_money_of_what_is_in_hand(live: Live) -> None:
    """What was accepted before the expiry can still be paid; abandoned, it is free."""
    hit = live.hit(3, LifetimeInSeconds=60)
    live.worker().accept(hit["HITGroupId"])
    live.clock.move(60)
    assert live.balance() == ("9999.76", "0.24")
    live.clock.move(600)
    assert live.balance() == ("10000.00", "0.00")
    assert rows_add_up(live)


def test_what_cannot_be_paid_is_not_offered(live: Live) -> None:
    """A HIT dearer than the balance is refused whole; so is the extension that would be."""
    text = refusal(live.hit, maximum=9, Reward="1000")[1]
    assert "This Requester has insufficient funds in their account to complete this transaction." in text
    assert live.client.list_hits()["NumResults"] == 0
    hit = live.hit(8, Reward="1000.00")
    assert live.balance() == ("400.00", "9600.00")
    extend = {"HITId": hit["HITId"], "NumberOfAdditionalAssignments": 1}
    code, _ = refusal(live.client.create_additional_assignments_for_hit, **extend)
    assert code == "InsufficientFunds"
    assert live.get(hit)["MaxAssignments"] == 8
    assert rows_add_up(live)


def test_a_bonus_is_paid_once(live: Live) -> None:
    """Its amount and fee leave the account; the same token again pays nothing and says why."""
    hit = live.hit(10)
    worker = live.worker()
    assignment = worker.answer(hit["HITGroupId"])
    worker_id = live.client.get_assignment(AssignmentId=assignment)["Assignment"]["WorkerId"]
    before = live.balance()[0]
    bonus = {
        "WorkerId": worker_id, "AssignmentId": assignment, "BonusAmount": "0.50", "Reason": "careful",
        "UniqueRequestToken": "bonus-1",
    }  # fmt: skip
    live.client.send_bonus(**bonus)
    assert Decimal(before) - Decimal(live.balance()[0]) == Decimal("0.60")
    assert 'token "bonus-1" has already been processed' in refusal(live.client.send_bonus, **bonus)[1]
    assert Decimal(before) - Decimal(live.balance()[0]) == Decimal("0.60")
    for about in ({"HITId": hit["HITId"]}, {"AssignmentId": assignment}):
        [paid] = live.client.list_bonus_payments(**about)["BonusPayments"]
        assert (paid["WorkerId"], paid["BonusAmount"], paid["Reason"]) == (worker_id, "0.50", "careful")
    assert "$0.50" in worker.get("/earnings").text
    assert rows_add_up(live)


def test_a_bonus_goes_to_the_one_who_did_the_work(live: Live) -> None:
    """Another worker's id, no work handed in, or no money in it: refused, and nothing is paid."""
    [assignment] = live.answered(live.hit())
    good = {"AssignmentId": assignment, "BonusAmount": "0.10", "Reason": "thanks"}
    before = live.balance()
    assert "has not handed in" in refusal(live.client.send_bonus, **good, WorkerId="A2OTHER")[1]
    worker_id = live.client.get_assignment(AssignmentId=assignment)["Assignment"]["WorkerId"]
    nothing = {**good, "BonusAmount": "0.00", "WorkerId": worker_id}
    assert "at least 0.01" in refusal(live.client.send_bonus, **nothing)[1]
    assert live.balance() == before
