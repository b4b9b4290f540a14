"""Money: balance, what a HIT and a bonus cost, and the list of bonuses."""

import uuid
from decimal import Decimal

from tests.conformance.conftest import Clock
from tests.conformance.place import DAY, NOBODY, Place, paginated, walked
from tests.conformance.wire import invalid, refusal


def available(place: Place) -> Decimal:
    return Decimal(place.client.get_account_balance()["AvailableBalance"])


def bonus(place: Place, assignment_id: str, amount: str = "0.10", **more: str) -> None:
    worker_id = place.assignment(assignment_id)["WorkerId"]
    given = {"AssignmentId": assignment_id, "WorkerId": worker_id, "BonusAmount": amount, "Reason": "thanks"}
    place.client.send_bonus(**{**given, **more})


def test_an_approval_costs_the_reward_and_a_fifth(place: Place) -> None:
    """20 % on rewards, at least a cent (mturk.com/pricing); a rejection costs nothing."""
    for reward, cost in (("0.20", "0.24"), ("0.01", "0.02"), ("1.01", "1.21")):
        before = available(place)
        approved, rejected = place.answered(place.hit(2, Reward=reward), 2)
        place.client.approve_assignment(AssignmentId=approved)
        place.client.reject_assignment(AssignmentId=rejected, RequesterFeedback="no")
        assert before - available(place) == Decimal(cost)


def test_from_ten_assignments_on_the_fee_is_doubled(place: Place) -> None:
    """40 % where a HIT was made with ten or more."""
    before = available(place)
    hit = place.hit(10, Reward="1.00")
    [approved] = place.answered(hit)
    place.client.approve_assignment(AssignmentId=approved)
    place.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    assert before - available(place) == Decimal("1.40")


def test_an_overridden_rejection_is_paid(place: Place) -> None:
    """Approving what was rejected costs what an approval costs."""
    before = available(place)
    [rejected] = place.answered(place.hit(Reward="0.50"))
    place.client.reject_assignment(AssignmentId=rejected, RequesterFeedback="no")
    place.client.approve_assignment(AssignmentId=rejected, OverrideRejection=True)
    assert before - available(place) == Decimal("0.60")


def test_a_bonus_is_paid_and_listed(place: Place) -> None:
    """SendBonus takes the amount and a fifth; ListBonusPayments shows who, how much, why and when."""
    [assignment_id] = place.answered(place.hit())
    before = available(place)
    bonus(place, assignment_id, "0.50", Reason="well seen")
    assert before - available(place) == Decimal("0.60")
    [paid] = place.client.list_bonus_payments(AssignmentId=assignment_id)["BonusPayments"]
    assert (Decimal(paid["BonusAmount"]), paid["Reason"]) == (Decimal("0.50"), "well seen")
    assert paid["WorkerId"] == place.assignment(assignment_id)["WorkerId"]
    assert paid["AssignmentId"] == assignment_id


def test_bonuses_are_listed_page_by_page(place: Place) -> None:
    """Of a HIT all, of an assignment its own; by one, by two, by boto3's paginator."""
    hit = place.hit(2)
    one, two = place.answered(hit, 2)
    for number in range(4):
        bonus(place, one, f"0.1{number}")
    bonus(place, two, "0.20")
    call = place.client.list_bonus_payments
    for size in (1, 2):
        of_hit = walked(call, "BonusPayments", size, HITId=hit["HITId"])
        amounts = ["0.10", "0.11", "0.12", "0.13", "0.20"]
        assert sorted(row["BonusAmount"] for row in of_hit) == amounts
        of_one = walked(call, "BonusPayments", size, AssignmentId=one)
        assert sorted(row["BonusAmount"] for row in of_one) == amounts[:4]
    pages = paginated(place.client, "list_bonus_payments", HITId=hit["HITId"])
    assert sorted(row["BonusAmount"] for page in pages for row in page["BonusPayments"]) == amounts


def test_bonuses_are_of_a_hit_or_of_an_assignment(place: Place) -> None:
    """One of the two ids must be given."""
    invalid(place.client.list_bonus_payments)


def test_a_token_pays_once(place: Place) -> None:
    """Again: an error with the token in its message, and nothing is paid."""
    [assignment_id] = place.answered(place.hit())
    token = uuid.uuid4().hex
    bonus(place, assignment_id, UniqueRequestToken=token)
    before = available(place)
    worker_id = place.assignment(assignment_id)["WorkerId"]
    given = {"AssignmentId": assignment_id, "WorkerId": worker_id, "BonusAmount": "0.10", "Reason": "thanks"}
    assert token in refusal(place.client.send_bonus, **given, UniqueRequestToken=token)[1]
    assert available(place) == before
    assert place.client.list_bonus_payments(AssignmentId=assignment_id)["NumResults"] == 1


def test_a_tokens_bonus_is_forgotten_after_a_day(place: Place, clock: Clock) -> None:
    """After 24 hours the same token pays again."""
    [assignment_id] = place.answered(place.hit())
    token = uuid.uuid4().hex
    bonus(place, assignment_id, UniqueRequestToken=token)
    clock(DAY + 1)
    bonus(place, assignment_id, UniqueRequestToken=token)
    assert place.client.list_bonus_payments(AssignmentId=assignment_id)["NumResults"] == 2


def test_a_bonus_that_cannot_be_paid_is_refused(place: Place) -> None:
    """Funds must cover the bonus and the fee; nothing is listed afterwards."""
    [assignment_id] = place.answered(place.hit())
    worker_id = place.assignment(assignment_id)["WorkerId"]
    given = {"AssignmentId": assignment_id, "WorkerId": worker_id, "Reason": "thanks"}
    code, message = refusal(place.client.send_bonus, **given, BonusAmount="9999999.00")
    assert code == "InsufficientFunds"
    assert "insufficient funds" in message
    assert place.client.list_bonus_payments(AssignmentId=assignment_id)["NumResults"] == 0


def test_a_bonus_is_for_who_did_the_work(place: Place) -> None:
    """Another worker's id, no amount, and an assignment that is only in hand are refused."""
    hit = place.hit(2)
    [done] = place.answered(hit)
    worker = place.worker()
    in_hand = worker.accept(hit["HITGroupId"])
    send = place.client.send_bonus
    for worker_id in (NOBODY, worker.worker_id):
        refusal(send, AssignmentId=done, WorkerId=worker_id, BonusAmount="0.10", Reason="thanks")
    refusal(send, AssignmentId=in_hand, WorkerId=worker.worker_id, BonusAmount="0.10", Reason="thanks")
    owner = place.assignment(done)["WorkerId"]
    invalid(send, AssignmentId=done, WorkerId=owner, BonusAmount="0.00", Reason="thanks")
    assert place.client.list_bonus_payments(HITId=hit["HITId"])["NumResults"] == 0
