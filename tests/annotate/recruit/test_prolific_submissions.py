"""Submissions, bonuses and exclusions: who is paid, who is not, and each once."""

import time

import pytest
import sqlalchemy as sa

from photojury.annotate.batches import study_id
from photojury.annotate.recruit.bonuses import bonus
from photojury.annotate.recruit.completion import completion_code
from photojury.annotate.recruit.exclusions import exclude
from photojury.annotate.recruit.offers import offer_of
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.studies import create, publish
from photojury.annotate.recruit.submissions import poll, settle
from photojury.annotate.recruit.wire import ProlificRefusal
from photojury.datasets import tables
from photojury.datasets.money import spent
from photojury.datasets.prolific import worker_id_of
from photojury.datasets.raters import rater_id, read_salt
from photojury.datasets.store import Study
from photojury.errors import InputError, Refused, ServiceError
from tests.annotate.recruit.fake_prolific import FakeProlific


def pid(number: int) -> str:
    """A participant's id."""
    return f"5f{number:022x}"


def rater(number: int) -> str:
    """The rater id of a participant."""
    return rater_id(worker_id_of(pid(number)), read_salt())


def answer(study: Study, number: int, hit: int = 0) -> str:
    """A participant's assignment, as `annotate fetch` brings it in; returns its id."""
    name = f"3ASSIGNMENT{number}{hit}"
    row = {"assignment_id": name, "rater_id": rater(number), "hit_key": study.read("hits")["hit_key"][hit]}
    times = {"accepted_at": 1.0, "submitted_at": 60.0 + hit}
    study.add("assignments", [{**row, **times, "status": "Submitted", "answers": "<xml/>"}])
    return name


@pytest.fixture
def there(study: Study, client: Client) -> str:
    """The id of the study at Prolific, published."""
    create(study, client, offer_of(study))
    return publish(study, client, "stars-1").provider_id


@pytest.fixture
def code(study: Study) -> str:
    return completion_code(study_id(study))


def states(study: Study) -> dict[str, str]:
    """Payments' states by key."""
    payments = study.read("payments")
    return dict(zip(payments["payment_key"], payments["state"], strict=True))


def test_polling_takes_everyone_in(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str
) -> None:
    """Ten people on four pages, each under a salted hash; a second poll brings them up to date, not in again."""
    names = [fake.join(there, pid(number), "ACTIVE") for number in range(10)]
    assert poll(study, client).statuses == {"ACTIVE": 10}
    fake.submissions[names[9]].update(status="AWAITING REVIEW", study_code=code)
    assert poll(study, client).statuses == {"ACTIVE": 9, "AWAITING REVIEW": 1}
    rows = {row["submission_id"]: row for row in study.rows(sa.select(tables.submissions))}
    assert sorted(rows) == sorted(names)
    last = rows[names[9]]
    assert (last["status"], last["code"], last["rater_id"]) == ("AWAITING REVIEW", code, rater(9))
    assert pid(3) not in str(rows), "Prolific's ids are in workers only"
    workers = {row["rater_id"]: row for row in study.rows(sa.select(tables.workers))}
    assert workers[rater(3)]["worker_id"] == worker_id_of(pid(3))
    assert workers[rater(3)]["marketplace"] == "local"


def test_a_strange_participant_does_not_stop_the_rest(
    study: Study, fake: FakeProlific, client: Client, there: str
) -> None:
    """An id of another form is named and passed over."""
    strange = fake.join(there, "test-participant")
    fake.join(there, pid(1))
    polled = poll(study, client)
    assert [name for name, _ in polled.problems] == [strange]
    assert study.count("submissions") == 1


def test_only_the_right_ones_are_approved(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str
) -> None:
    """Answers here and the right code there: paid. Any other: not paid, and named with what to do."""
    right = fake.join(there, pid(1), code=code.lower())
    no_answers = fake.join(there, pid(2), code=code)
    wrong_code = fake.join(there, pid(3), code="NOCODE")
    no_code = fake.join(there, pid(4))
    at_work = fake.join(there, pid(5), "ACTIVE")
    for number in (1, 3, 4, 5):
        answer(study, number)
    done = settle(study, client)
    assert (done.approved, done.waiting, done.rewards, done.fees, done.currency) == (1, 0, 40, 18, "USD")
    assert fake.paid_by_approval == {right: 1}
    reports = dict(done.reports)
    assert set(reports) == {no_answers, wrong_code, no_code}
    assert "photojury annotate fetch" in reports[no_answers]
    assert "handed in the code 'NOCODE' instead of the study" in reports[wrong_code]
    assert f"settle --also {no_code} --yes" in reports[no_code]
    assert fake.submissions[at_work]["status"] == "ACTIVE"
    assert states(study) == {f"prolific:{right}": "paid", f"prolific-fee:{right}": "paid"}
    # 40 cents and 42.8 % of it, 17.12, rounded up by Prolific's total.
    assert (spent(study).rewards, spent(study).fees) == (40, 18)
    again = settle(study, client)
    assert (again.approved, again.rewards) == (0, 0)
    also = settle(study, client, also=[no_code])
    assert also.approved == 1
    assert fake.paid_by_approval == {right: 1, no_code: 1}


def test_also_needs_answers(study: Study, fake: FakeProlific, client: Client, there: str) -> None:
    """--also overrules the code, not the want of answers, and knows its submissions."""
    empty = fake.join(there, pid(1))
    assert settle(study, client, also=[empty]).approved == 0
    with pytest.raises(InputError, match="no submission of this study"):
        settle(study, client, also=["f" * 24])


@pytest.mark.parametrize("status", ["TIMED-OUT", "RETURNED", "SCREENED OUT", "REJECTED"])
def test_ended_submissions_are_noticed_and_not_paid(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str, status: str
) -> None:
    """Nobody who timed out, returned or was screened out is approved; with answers, a bonus is proposed."""
    with_answers = fake.join(there, pid(1), status, code)
    fake.join(there, pid(2), status)
    answer(study, 1)
    done = settle(study, client)
    assert (done.approved, done.unpaid) == (0, {status: 2})
    ((name, sentence),) = done.reports
    assert name == with_answers
    assert f"is {status} at Prolific and is not paid" in sentence
    assert f"photojury annotate prolific bonus {name} --cents N" in sentence
    assert not any("transition" in call and "/submissions/" in call for call in fake.calls)
    bonus(study, client, [name], cents=40, reason="timed out after the work")
    assert settle(study, client).reports == []


def test_one_assignment_pays_one_submission(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str
) -> None:
    """Who timed out and came again has done the HIT once: one is paid, and no bonus is proposed for the other."""
    fake.join(there, pid(1), "TIMED-OUT")
    second = fake.join(there, pid(1), code=code)
    answer(study, 1)
    done = settle(study, client)
    assert (done.approved, done.reports) == (1, [])
    assert fake.paid_by_approval == {second: 1}
    assert settle(study, client).reports == []


def test_more_work_than_pay_is_named(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str
) -> None:
    """One submission and two HITs: the second is proposed for a bonus."""
    name = fake.join(there, pid(1), code=code)
    answer(study, 1, hit=0)
    answer(study, 1, hit=1)
    ((named, sentence),) = settle(study, client).reports
    assert named == name
    assert "did 1 more HITs than it is paid for" in sentence


def test_what_prolific_approved_is_entered(
    study: Study, fake: FakeProlific, client: Client, there: str
) -> None:
    """Paid by hand or after 21 days, with answers or without: a payment, and no call to approve."""
    names = {fake.join(there, pid(number), "APPROVED") for number in (1, 2)}
    answer(study, 1)
    done = settle(study, client)
    assert (done.approved, done.rewards) == (2, 80)
    assert set(states(study)) == {f"{kind}:{name}" for name in names for kind in ("prolific", "prolific-fee")}
    assert not fake.paid_by_approval
    assert settle(study, client).approved == 0


@pytest.mark.parametrize("fault", ["cut", "broken"])
def test_a_lost_approval_is_paid_once(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str, fault: str
) -> None:
    """Approving is safe to repeat, and is repeated; Prolific and the books agree."""
    name = fake.join(there, pid(1), code=code)
    answer(study, 1)
    fake.fail(f"POST /submissions/{name}/transition/", fault)
    assert settle(study, client).approved == 1
    assert fake.paid_by_approval == {name: 1}
    assert spent(study).rewards == 40


def test_an_interrupted_settling_goes_on(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after Prolific approved: due in the books; the next run sees it and pays nobody twice."""
    name = fake.join(there, pid(1), code=code)
    answer(study, 1)
    approve = client.approve

    def stopped(submission: str) -> None:
        approve(submission)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client, "approve", stopped)
        with pytest.raises(KeyboardInterrupt):
            settle(study, client)
    assert set(states(study).values()) == {"due"}
    done = settle(study, client)
    assert (done.approved, done.rewards) == (1, 40)
    assert fake.paid_by_approval == {name: 1}
    assert set(states(study).values()) == {"paid"}


def test_a_refused_approval_does_not_stop_the_others(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Returned between the list and the approval: named; what was due for it is taken back."""
    gone, stays = (fake.join(there, pid(number), code=code) for number in (1, 2))
    answer(study, 1)
    answer(study, 2)
    approve = client.approve

    def returned_before(submission: str) -> object:
        fake.submissions[gone]["status"] = "RETURNED"
        return approve(submission)

    monkeypatch.setattr(client, "approve", returned_before)
    done = settle(study, client)
    assert done.approved == 1
    assert any(name == gone and "Submission is RETURNED" in sentence for name, sentence in done.reports)
    assert set(states(study)) == {f"prolific:{stays}", f"prolific-fee:{stays}"}


def test_many_are_approved_together(
    study: Study, fake: FakeProlific, client: Client, there: str, code: str
) -> None:
    """25 in one call, which Prolific carries out later: they wait as due, and are paid when they show."""
    fake.page_size, fake.later = 100, True
    names = [fake.join(there, pid(number), code=code) for number in range(25)]
    for number in range(25):
        answer(study, number)
    done = settle(study, client)
    assert (done.approved, done.waiting, done.rewards) == (0, 25, 0)
    assert fake.count("POST /submissions/bulk-approve/") == 1
    fake.catch_up()
    done = settle(study, client)
    # 25 times 40 cents and 42.8 %: 428 cents of fees, shared out to the cent.
    assert (done.approved, done.waiting, done.rewards, done.fees) == (25, 0, 1000, 428)
    assert fake.paid_by_approval == dict.fromkeys(names, 1)
    assert fake.count("POST /submissions/bulk-approve/") == 1


def test_a_bonus_is_two_calls_once(study: Study, fake: FakeProlific, client: Client, there: str) -> None:
    """Set up and paid, each once, however often it is asked for; another reason is another bonus."""
    names = [fake.join(there, pid(number), "APPROVED") for number in (1, 2)]
    poll(study, client)
    done = bonus(study, client, [*names, names[0]], cents=105, reason="thanks")
    assert (done.paid, done.amount, done.fees, done.before) == (2, 210, 90, 0)
    assert bonus(study, client, names, cents=105, reason=" thanks ").before == 2
    (bulk,) = fake.bulk.values()
    assert (bulk["amounts"], bulk["paid"]) == (dict.fromkeys(names, 105), 1)
    body = next(body for call, body in fake.bodies if call == "POST /submissions/bonus-payments/")
    assert body == {"study_id": there, "csv_bonuses": f"{names[0]},1.05\n{names[1]},1.05"}
    assert (spent(study).rewards, spent(study).fees) == (210, 90)
    bonus(study, client, names[:1], cents=105, reason="thanks again")
    assert fake.submissions[names[0]]["bonus_payments"] == [105, 105]


def test_a_bonus_that_was_set_up_only_is_paid_next_time(
    study: Study, fake: FakeProlific, client: Client, there: str
) -> None:
    """A lost answer of the set-up: nothing was paid, so the next run sets up anew and pays once."""
    name = fake.join(there, pid(1), "APPROVED")
    poll(study, client)
    fake.fail("POST /submissions/bonus-payments/", "cut")
    with pytest.raises(ServiceError, match="run this again"):
        bonus(study, client, [name], cents=50, reason="thanks")
    assert bonus(study, client, [name], cents=50, reason="thanks").paid == 1
    assert fake.submissions[name]["bonus_payments"] == [50]


def test_a_lost_answer_of_paying_pays_once(
    study: Study, fake: FakeProlific, client: Client, there: str
) -> None:
    """Prolific pays each time it is asked, so the next run looks at the submission instead of asking."""
    name = fake.join(there, pid(1), "APPROVED")
    poll(study, client)
    bonus(study, client, [name], cents=50, reason="an earlier one of the same amount")
    fake.fail(f"POST /bulk-bonus-payments/{next_id(fake, 1)}/pay/", "cut")
    with pytest.raises(ServiceError):
        bonus(study, client, [name], cents=50, reason="thanks")
    done = bonus(study, client, [name], cents=50, reason="thanks")
    assert (done.paid, done.before, done.unsure) == (0, 1, [])
    assert fake.submissions[name]["bonus_payments"] == [50, 50]
    assert spent(study).rewards == 100


def test_what_cannot_be_seen_is_not_paid_again(
    study: Study, fake: FakeProlific, client: Client, there: str
) -> None:
    """Asked to pay, no answer, and no bonus to be seen: somebody must look, and say --again."""
    name = fake.join(there, pid(1), "APPROVED")
    poll(study, client)
    bonus(study, client, [name], cents=50, reason="an earlier one of the same amount")
    fake.fail(f"POST /bulk-bonus-payments/{next_id(fake, 1)}/pay/", "broken")
    with pytest.raises(ServiceError):
        bonus(study, client, [name], cents=50, reason="thanks")
    for _ in range(2):
        done = bonus(study, client, [name], cents=50, reason="thanks")
        assert (done.paid, done.unsure) == (0, [name])
    assert fake.submissions[name]["bonus_payments"] == [50]
    assert bonus(study, client, [name], cents=50, reason="thanks", again=True).paid == 1
    assert fake.submissions[name]["bonus_payments"] == [50, 50]
    assert set(states(study).values()) == {"paid"}


def next_id(fake: FakeProlific, ahead: int) -> str:
    """The id that the fake will give out after so many more."""
    return f"{int(fake.new_id(), 16) + ahead:024x}"


def test_a_refused_bonus_leaves_nothing_due(
    study: Study, fake: FakeProlific, client: Client, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom Prolific does not know in the study cannot be paid a bonus, and does not stay in the books."""
    name = fake.join(there, pid(1), "APPROVED")
    poll(study, client)
    del fake.submissions[name]
    with pytest.raises(ProlificRefusal, match="has not taken part"):
        bonus(study, client, [name], cents=50, reason="thanks")
    assert states(study) == {}
    with pytest.raises(InputError, match="no submission of this study"):
        bonus(study, client, ["f" * 24], cents=50, reason="thanks")
    with pytest.raises(InputError, match="at least one cent"):
        bonus(study, client, [name], cents=0, reason="thanks")


def test_a_bonus_misunderstood_is_not_paid(
    study: Study, fake: FakeProlific, client: Client, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A total a hundred times what was meant stops everything before the payment."""
    name = fake.join(there, pid(1), "APPROVED")
    poll(study, client)
    wrong = {"id": "b" * 24, "total_amount": 7140.0}
    monkeypatch.setattr(client, "set_up_bonuses", lambda *_: wrong)
    with pytest.raises(ServiceError, match="would take 7140 for bonuses of 50 in all; nothing was paid"):
        bonus(study, client, [name], cents=50, reason="thanks")
    assert not fake.count(f"POST /bulk-bonus-payments/{wrong['id']}/pay/")


def test_bonuses_keep_to_the_budget(
    study: Study, fake: FakeProlific, client: Client, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two HITs are in the budget with 288 cents; 50 and a fee of 22 fit under 360, not under 359."""
    from photojury.datasets.store import open_study

    name = fake.join(there, pid(1), "AWAITING REVIEW")
    poll(study, client)
    for cap, paid in ((359, False), (360, True)):
        monkeypatch.setenv("PHOTOJURY_BUDGET_HARD_CENTS", str(cap))
        capped = open_study(study.folder)
        if paid:
            assert bonus(capped, client, [name], cents=50, reason="thanks").paid == 1
        else:
            with pytest.raises(Refused, match=r"budget\.hard_cents"):
                bonus(capped, client, [name], cents=50, reason="thanks")
            assert not fake.bulk
        capped.close()


def test_excluded_raters_see_no_study(study: Study, fake: FakeProlific, client: Client, there: str) -> None:
    """The group holds who is excluded now, and nobody else; it is made once, and a soft ban ends."""
    for number in range(3):
        fake.join(there, pid(number))
    poll(study, client)
    study.add("workers", [{"rater_id": "by-link", "marketplace": "local", "worker_id": "A1LINK"}])
    ban = {"reason": "gold", "made_at": 1.0}
    study.add(
        "exclusions",
        [
            {"rater_id": rater(0), "until": None, **ban},
            {"rater_id": rater(1), "until": time.time() + 600, **ban},
            {"rater_id": rater(2), "until": time.time() - 600, **ban},
            {"rater_id": "by-link", "until": None, **ban},
        ],
    )
    done = exclude(study, client)
    assert (done.added, done.removed, done.elsewhere) == (2, 0, 1)
    assert sorted(fake.groups[done.group]["members"]) == [pid(0), pid(1)]
    with study.writing() as connection:
        over = sa.update(tables.exclusions).where(tables.exclusions.c.rater_id == rater(1))
        connection.execute(over.values(until=1.0))
    again = exclude(study, client)
    assert (again.group, again.added, again.removed) == (done.group, 0, 1)
    assert fake.groups[done.group]["members"] == [pid(0)]
    assert len(fake.groups) == 1
