"""Bonuses: something on top for an assignment, each paid exactly once, whatever happens on the way.

Takes in a list of bonuses, or a batch whose work took longer than its reward is worth; writes payments. A bonus
is written as "due" before the call, under the key `bonus:<assignment>:<label>`: a label names what it is for, and
no assignment gets two bonuses of one label. Its UniqueRequestToken derives from that key, which keeps the
marketplace from paying twice for 24 hours; later a run asks ListBonusPayments first, and finds the bonus by the
mark that its reason ends with.

    >>> pay_bonuses(study, requester, read_bonuses(study, Path("thanks.csv"), label="thanks"))    # doctest: +SKIP
    Paid(new=3, known=0, cost=Cost(rewards=150, fees=30))
"""

import csv
import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.annotate.batches import study_id
from photojury.annotate.money.budget import check_budget
from photojury.annotate.requester import Requester, service_errors
from photojury.datasets import tables
from photojury.datasets.money import Cost, fee_of
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError

Row = Mapping[str, Any]

_ASSIGNMENTS, _PAYMENTS, _WORKERS = tables.assignments, tables.payments, tables.workers

COLUMNS = ("assignment_id", "rater_id", "amount_cents", "reason")

# With an assignment's id of at most 64 characters, the keys fit into their column.
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")

_MOST_CENTS = 100_000
"""$1,000: a larger bonus is taken for a slip of the pen."""


@dataclass(frozen=True)
class Bonus:
    """One bonus: for which assignment, what for (a short name), how much, and what the rater is told."""

    assignment_id: str
    label: str
    cents: int
    reason: str

    @property
    def key(self) -> str:
        """The payment's key."""
        return f"bonus:{self.assignment_id}:{self.label}"


@dataclass(frozen=True)
class Paid:
    """Bonuses that were paid now (or are, in a dry run), those paid earlier, and what the new ones cost."""

    new: int
    known: int
    cost: Cost


def read_bonuses(study: Study, path: Path, label: str) -> list[Bonus]:
    """Bonuses from a CSV with assignment_id or rater_id, amount_cents, reason.

    A row that names a rater stands for the first assignment that they handed in.

    Raises:
        InputError: the label or the file is wrong; wrong rows are named with their lines.
    """
    check_label(label)
    query = sa.select(_ASSIGNMENTS.c.assignment_id, _ASSIGNMENTS.c.rater_id)
    rows = study.rows(query.order_by(_ASSIGNMENTS.c.submitted_at, _ASSIGNMENTS.c.assignment_id))
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["rater_id"], row["assignment_id"])
    known = {row["assignment_id"] for row in rows}
    found: dict[str, Bonus] = {}
    wrong: list[str] = []
    for line, given in _lines(path):
        try:
            bonus = _bonus(given, label, known, first)
            if bonus.assignment_id in found:
                raise InputError(f"a second bonus for assignment {bonus.assignment_id}; add the two up")
        except InputError as error:
            wrong.append(f"  line {line}: {error}")
        else:
            found[bonus.assignment_id] = bonus
    if wrong:
        raise InputError(f"{path}: nothing was paid, {len(wrong)} rows are wrong\n" + "\n".join(wrong))
    return list(found.values())


def check_label(label: str) -> None:
    """Raises InputError for a label that cannot be part of a payment's key."""
    if not _LABEL.fullmatch(label):
        raise InputError(
            f"the label {label!r} names what the bonuses are for; write up to 20 small letters, digits and hyphens"
        )


def cost_of_bonuses(study: Study, bonuses: Sequence[Bonus]) -> Paid:
    """What `pay_bonuses` would pay now; it writes nothing.

    Raises:
        InputError: a bonus of the same label was written down with another amount.
    """
    states = _states(study, bonuses)
    new = [bonus for bonus in bonuses if states.get(bonus.key) != "paid"]
    return Paid(len(new), len(bonuses) - len(new), _cost(study, new))


def pay_bonuses(
    study: Study,
    requester: Requester,
    bonuses: Sequence[Bonus],
    progress: Callable[[int], None] = lambda done: None,
) -> Paid:
    """Pay each bonus that was not paid yet.

    Raises:
        InputError: an assignment or its worker is unknown, or a bonus was written down with another amount.
        Refused: the study's budget does not allow it; nothing is paid.
        ServiceError: the marketplace refused or does not answer; run again, it goes on.
    """
    states = _states(study, bonuses)
    people = _people(study, [bonus.assignment_id for bonus in bonuses])
    to_pay = [bonus for bonus in bonuses if states.get(bonus.key) != "paid"]
    # Those that are due already are part of what the study has committed.
    check_budget(study, _cost(study, [bonus for bonus in to_pay if bonus.key not in states]))
    for done, bonus in enumerate(to_pay, 1):
        _pay(study, requester, bonus, people[bonus.assignment_id], begun=bonus.key in states)
        progress(done)
    return Paid(len(to_pay), len(bonuses) - len(to_pay), _cost(study, to_pay))


def token(study: Study, key: str) -> str:
    """The UniqueRequestToken of a bonus: it depends on the study and on what the bonus is for."""
    return hashlib.sha256(f"{study_id(study)}\x1f{key}".encode()).hexdigest()[:32]


def _pay(study: Study, requester: Requester, bonus: Bonus, person: Row, *, begun: bool) -> None:
    """Pay one bonus: due, then the call, then paid."""
    request_token = token(study, bonus.key)
    mark = f"[{request_token[:12]}]"
    fee = fee_of(bonus.cents, 1, study.settings.market.fee_percent)
    common = {
        "assignment_id": bonus.assignment_id,
        "rater_id": person["rater_id"],
        "state": "due",
        "made_at": time.time(),
        "simulated": person["simulated"],
    }
    rows = [
        {**common, "payment_key": bonus.key, "kind": "bonus", "amount": bonus.cents},
        {**common, "payment_key": f"fee:{bonus.key}", "kind": "fee", "amount": fee},
    ]
    rows[0] |= {"request_token": request_token, "reason": bonus.reason}
    with study.writing() as connection:
        # Another process may have written it down since we looked.
        begun = not add_rows(connection, _PAYMENTS, rows) or begun
    with service_errors(requester.endpoint):
        if not (begun and _is_paid(requester, bonus.assignment_id, mark)):
            _send(requester, bonus, person["worker_id"], request_token, mark)
    with study.writing() as connection:
        keys = [row["payment_key"] for row in rows]
        paid = sa.update(_PAYMENTS).where(_PAYMENTS.c.payment_key.in_(keys))
        connection.execute(paid.values(state="paid"))


def _send(requester: Requester, bonus: Bonus, worker_id: str, request_token: str, mark: str) -> None:
    try:
        requester.client.send_bonus(
            WorkerId=worker_id,
            BonusAmount=f"{bonus.cents // 100}.{bonus.cents % 100:02d}",
            AssignmentId=bonus.assignment_id,
            Reason=f"{bonus.reason} {mark}",
            UniqueRequestToken=request_token,
        )
    except ClientError:
        # The same token within 24 hours is refused: then it was paid, by us a moment ago or by another process.
        if not _is_paid(requester, bonus.assignment_id, mark):
            raise


def _is_paid(requester: Requester, assignment_id: str, mark: str) -> bool:
    """Whether the marketplace has a bonus for this assignment whose reason ends with our mark."""
    pages = requester.client.get_paginator("list_bonus_payments")
    return any(
        payment.get("Reason", "").endswith(mark)
        for page in pages.paginate(AssignmentId=assignment_id, PaginationConfig={"PageSize": 100})
        for payment in page["BonusPayments"]
    )


def _states(study: Study, bonuses: Sequence[Bonus]) -> dict[str, str]:
    """The state of those bonuses that are written down, by key."""
    rows = {
        row["payment_key"]: row for row in study.rows(sa.select(_PAYMENTS).where(_PAYMENTS.c.kind == "bonus"))
    }
    for bonus in bonuses:
        row = rows.get(bonus.key)
        if row is not None and row["amount"] != bonus.cents:
            raise InputError(
                f"assignment {bonus.assignment_id} has a bonus {bonus.label!r} of {row['amount']} cents already; "
                f"for another {bonus.cents} cents give another --label"
            )
    return {bonus.key: rows[bonus.key]["state"] for bonus in bonuses if bonus.key in rows}


def _people(study: Study, assignments: Sequence[str]) -> dict[str, Row]:
    """Rater, worker id and mark of simulation by assignment."""
    query = sa.select(
        _ASSIGNMENTS.c.assignment_id, _ASSIGNMENTS.c.rater_id, _ASSIGNMENTS.c.simulated, _WORKERS.c.worker_id
    ).join(_WORKERS, _WORKERS.c.rater_id == _ASSIGNMENTS.c.rater_id)
    found: dict[str, Row] = {row["assignment_id"]: row for row in study.rows(query)}
    missing = [name for name in assignments if name not in found]
    if missing:
        raise InputError(
            f"the study does not know assignment {missing[0]}, or who handed it in; first: photojury annotate fetch"
        )
    return found


def _cost(study: Study, bonuses: Sequence[Bonus]) -> Cost:
    # A bonus costs the lower fee, however many assignments its HIT has (mturk.com/pricing).
    percent = study.settings.market.fee_percent
    return Cost(sum(b.cents for b in bonuses), sum(fee_of(b.cents, 1, percent) for b in bonuses))


def _lines(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or ()
            if not {"amount_cents", "reason"} <= set(names) or not {"assignment_id", "rater_id"} & set(names):
                raise InputError(
                    f"{path} must have the columns assignment_id or rater_id, amount_cents and reason; "
                    f"it has {', '.join(names) or 'none'}"
                )
            return [
                (reader.line_num, {name: (row.get(name) or "").strip() for name in COLUMNS}) for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV in UTF-8: {error}") from None


def _bonus(given: Mapping[str, str], label: str, known: set[str], first: Mapping[str, str]) -> Bonus:
    assignment, rater = given["assignment_id"], given["rater_id"]
    if assignment:
        if assignment not in known:
            raise InputError(f"assignment {assignment} is not in this study")
    elif rater not in first:
        raise InputError(
            f"rater {rater} is not in this study" if rater else "names no assignment and no rater"
        )
    amount = given["amount_cents"]
    if not (amount.isascii() and amount.isdigit() and 1 <= int(amount) <= _MOST_CENTS):
        raise InputError(f"amount_cents is {amount or 'missing'}; write whole cents, 1 to {_MOST_CENTS}")
    if not 1 <= len(given["reason"]) <= 1000:
        raise InputError("the reason tells the rater what the bonus is for, in 1 to 1000 characters")
    return Bonus(assignment or first[rater], label, int(amount), given["reason"])
