"""Bonuses at Prolific: set up, then paid, each once.

Takes in a study, a client, submissions and an amount; writes payments. Prolific pays a set-up bonus again each
time it is asked to, and lists none of them, so each step is written down before it is made: "due" before the
set-up, Prolific's id of the set-up (request_token) before the payment, "paid" after it. A run that ends before
the set-up has paid nothing. One that ends between the id and "paid" may have: the next run looks at the
submission, where Prolific shows bonuses some minutes after they were paid, and otherwise asks somebody to look.

A bonus is known by its submission, amount and reason: the same command pays it once, however often it is run.

    >>> bonus(study, client, ["60d9aadeb86739de712faee0"], cents=50, reason="for the second HIT")   # doctest: +SKIP
    Bonused(paid=1, amount=50, fees=17, currency='USD', before=0, unsure=[])
"""

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.money.budget import check_budget
from photojury.annotate.recruit.price import FEE_PERCENT, currency_of
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.studies import PROVIDER, recruitments
from photojury.annotate.recruit.wire import Json, ProlificRefusal, number_of, text_of
from photojury.datasets import tables
from photojury.datasets.money import Cost
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError, ServiceError

Row = Mapping[str, Any]

_PAYMENTS, _SUBMISSIONS = tables.payments, tables.submissions

_MOST = 200  # submissions in one set-up (api-reference, create bonus payments)


@dataclass(frozen=True)
class Bonused:
    """What was paid, in minor units of the currency; how many were paid before; submissions to look at."""

    paid: int
    amount: int
    fees: int
    currency: str
    before: int
    unsure: list[str]


def cost_of_bonuses(study: Study, names: Sequence[str], cents: int, reason: str) -> Cost:
    """What these bonuses will cost at most, by our own reckoning of the fee; those that are paid cost nothing."""
    paid = {row["payment_key"] for row in study.rows(sa.select(_PAYMENTS).where(_PAYMENTS.c.state == "paid"))}
    count = sum(_key(name, cents, reason) not in paid for name in dict.fromkeys(names))
    return Cost(count * cents, count * math.ceil(cents * FEE_PERCENT / 100))


def bonus(
    study: Study, client: Client, names: Sequence[str], *, cents: int, reason: str, again: bool = False
) -> Bonused:
    """Pay a bonus on each submission.

    Args:
        study: the open study.
        client: Prolific's.
        names: submission ids.
        cents: for each, in minor units of the account's currency.
        reason: for our books; Prolific tells people the amount only.
        again: pay also those that an interrupted run may have paid, since somebody has looked that it has not.

    Raises:
        InputError: a submission is not of this study, or the amount is not positive.
        Refused: the study's budget does not allow it.
        ServiceError: Prolific refused or does not answer; run again, it goes on.
    """
    if cents < 1 or not reason.strip():
        raise InputError("a bonus needs an amount of at least one cent, and a reason")
    groups = _by_study(study, names)
    currency = currency_of(client)
    paid = amount = fees = before = 0
    unsure: list[str] = []
    for provider_id, rows in groups.items():
        todo = []
        for row in rows:
            state = _state(study, client, row, cents, reason, again=again)
            before += state == "paid"
            if state == "unsure":
                unsure.append(row["submission_id"])
            elif state == "due":
                todo.append(row)
        for start in range(0, len(todo), _MOST):
            some = todo[start : start + _MOST]
            fees += _pay(study, client, provider_id, some, _Bonus(cents, reason, currency))
            paid, amount = paid + len(some), amount + cents * len(some)
    return Bonused(paid, amount, fees, currency, before, unsure)


@dataclass(frozen=True)
class _Bonus:
    cents: int
    reason: str
    currency: str


def _pay(study: Study, client: Client, provider_id: str, rows: Sequence[Row], what: _Bonus) -> int:
    """Pay one set-up; returns its fees."""
    keys = [_key(row["submission_id"], what.cents, what.reason) for row in rows]
    due = [_payment(row, key, what) for row, key in zip(rows, keys, strict=True)]
    _check_budget(study, keys, what.cents)
    study.add("payments", due)
    try:
        made = client.set_up_bonuses(provider_id, [(row["submission_id"], what.cents) for row in rows])
        fees = _fees(made, len(rows) * what.cents)
        shares = [fees * (i + 1) // len(rows) - fees * i // len(rows) for i in range(len(rows))]
        with study.writing() as connection:
            fee_rows = [
                {**row, "payment_key": _fee_key(str(row["payment_key"])), "kind": "fee", "amount": share}
                for row, share in zip(due, shares, strict=True)
            ]
            connection.execute(
                sa.delete(_PAYMENTS).where(_PAYMENTS.c.payment_key.in_([*map(_fee_key, keys)]))
            )
            add_rows(connection, _PAYMENTS, fee_rows)
            token = sa.update(_PAYMENTS).where(_PAYMENTS.c.payment_key.in_(keys))
            connection.execute(token.values(request_token=text_of(made, "id")))
        client.pay_bonuses(text_of(made, "id"))
    except ProlificRefusal:
        with study.writing() as connection:  # refused: nothing is paid, nothing is due
            both = [*keys, *map(_fee_key, keys)]
            connection.execute(sa.delete(_PAYMENTS).where(_PAYMENTS.c.payment_key.in_(both)))
        raise
    _note(study, keys, state="paid")
    return fees


def _check_budget(study: Study, keys: Sequence[str], cents: int) -> None:
    """Hold against the budget what an earlier run has not written down as due."""
    query = sa.select(_PAYMENTS.c.payment_key).where(_PAYMENTS.c.payment_key.in_(keys))
    new = len(keys) - len(study.rows(query))
    check_budget(study, Cost(new * cents, math.ceil(new * cents * FEE_PERCENT / 100)))


def _state(study: Study, client: Client, row: Row, cents: int, reason: str, *, again: bool) -> str:
    """Whether a bonus is "paid", is "due" to be set up, or is "unsure" after a run that was interrupted."""
    key = _key(row["submission_id"], cents, reason)
    found = study.rows(sa.select(_PAYMENTS).where(_PAYMENTS.c.payment_key == key))
    if not found or (found[0]["state"] == "due" and found[0]["request_token"] is None):
        return "due"
    if found[0]["state"] == "paid":
        return "paid"
    if _shown(study, client, row, cents):
        _note(study, [key], state="paid")
        return "paid"
    if not again:
        return "unsure"
    _note(study, [key], request_token=None)
    return "due"


def _shown(study: Study, client: Client, row: Row, cents: int) -> bool:
    """Whether Prolific shows one more bonus of this amount on a submission than our books do."""
    ours = sa.select(_PAYMENTS).where(
        _PAYMENTS.c.payment_key.startswith(f"prolific-bonus:{row['submission_id']}:"),
        _PAYMENTS.c.state == "paid",
        _PAYMENTS.c.amount == cents,
    )
    theirs = client.submission(row["submission_id"]).get("bonus_payments") or []
    return sum(round(float(amount)) == cents for amount in theirs) > len(study.rows(ours))


def _by_study(study: Study, names: Sequence[str]) -> dict[str, list[Row]]:
    """The submissions' rows by Prolific's study; each once, in the order given."""
    query = sa.select(_SUBMISSIONS).where(_SUBMISSIONS.c.provider == PROVIDER)
    known = {row["submission_id"]: row for row in study.rows(query)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"{', '.join(unknown)}: no submission of this study has this id; "
            "bring them in with: photojury annotate prolific status"
        )
    provider_ids = {row["recruitment_id"]: row["provider_id"] for row in recruitments(study)}
    groups: dict[str, list[Row]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(provider_ids[known[name]["recruitment_id"]], []).append(known[name])
    return groups


def _fees(made: Json, expected: int) -> int:
    """Prolific's fees on a set-up, which must be about what was meant: nothing was paid so far."""
    total = math.ceil(number_of(made, "total_amount"))
    if not expected <= total <= 3 * expected:
        raise ServiceError(
            f"Prolific would take {total} for bonuses of {expected} in all; nothing was paid: look at the account"
        )
    return total - expected


def _key(name: str, cents: int, reason: str) -> str:
    """What a bonus is known by, so that it cannot be entered twice."""
    what = hashlib.sha256(f"{cents} {reason.strip()}".encode()).hexdigest()[:12]
    return f"prolific-bonus:{name}:{what}"


def _fee_key(key: str) -> str:
    return key.replace("prolific-bonus:", "prolific-bonus-fee:")


def _payment(row: Row, key: str, what: _Bonus) -> Json:
    return {
        "payment_key": key,
        "kind": "bonus",
        "assignment_id": row["submission_id"],
        "rater_id": row["rater_id"],
        "amount": what.cents,
        "currency": what.currency,
        "state": "due",
        "reason": what.reason.strip(),
        "made_at": time.time(),
    }


def _note(study: Study, keys: Sequence[str], **values: object) -> None:
    """Change bonuses together with their fees."""
    both = [*keys, *map(_fee_key, keys)]
    with study.writing() as connection:
        connection.execute(sa.update(_PAYMENTS).where(_PAYMENTS.c.payment_key.in_(both)).values(**values))
