"""Requesters' money: what is available, what is held for HITs that are out, and every movement of it.

Takes in an open write transaction; gives out changed balances, each change with its row in
market_transactions. At any moment the rows add up to the balances, and neither balance is below zero.

The fee on each reward and bonus is photojury.datasets.money.fee_of's.

    >>> cents("0.05"), dollars(5)
    (5, '0.05')
"""

from decimal import Decimal

import sqlalchemy as sa

from photojury.annotate.marketplace.books import new_id
from photojury.annotate.marketplace.requesters.protocol import RequestError
from photojury.annotate.marketplace.tables import accounts, hits, transactions


def move(
    connection: sa.Connection,
    account: str,
    now: float,
    kind: str,
    *,
    available: int = 0,
    held: int = 0,
    hit_id: str | None = None,
    assignment_id: str | None = None,
    worker_id: str | None = None,
) -> None:
    """Book one transaction: cents added to (or, negative, taken from) an account's two balances.

    Raises:
        RequestError: InsufficientFunds, and nothing is booked.
    """
    change = (
        sa.update(accounts)
        .where(accounts.c.name == account)
        .where(accounts.c.available + available >= 0, accounts.c.held + held >= 0)
        .values(available=accounts.c.available + available, held=accounts.c.held + held)
        .returning(accounts.c.name)
    )
    # The check and the change are one statement, so that two requests cannot spend the same cent.
    if connection.execute(change).first() is None:
        raise RequestError(
            "InsufficientFunds",
            "This Requester has insufficient funds in their account to complete this transaction.",
        )
    connection.execute(
        sa.insert(transactions).values(
            transaction_id=new_id(),
            account=account,
            at=now,
            kind=kind,
            available=available,
            held=held,
            hit_id=hit_id,
            assignment_id=assignment_id,
            worker_id=worker_id,
        )
    )


def cover(connection: sa.Connection, now: float, hit: sa.RowMapping, want: int) -> None:
    """Hold or release money so that `want` assignments of a HIT are covered: reward and fee of each.

    Raises:
        RequestError: InsufficientFunds.
    """
    if want == hit["held_assignments"]:
        return
    cents = (want - hit["held_assignments"]) * (hit["reward"] + hit["fee"])
    kind = "hold" if cents > 0 else "release"
    if cents:
        move(connection, hit["account"], now, kind, available=-cents, held=cents, hit_id=hit["hit_id"])
    change = sa.update(hits).where(hits.c.hit_id == hit["hit_id"])
    connection.execute(change.values(held_assignments=want))


def pay(connection: sa.Connection, now: float, hit: sa.RowMapping, assignment: sa.RowMapping) -> None:
    """Pay the reward and the fee of one assignment out of what its HIT holds."""
    about = {"hit_id": hit["hit_id"], "assignment_id": assignment["assignment_id"]}
    if hit["reward"]:
        worker_id = assignment["worker_id"]
        move(connection, hit["account"], now, "reward", held=-hit["reward"], worker_id=worker_id, **about)
    move(connection, hit["account"], now, "fee", held=-hit["fee"], **about)
    fewer = hits.c.held_assignments - 1
    connection.execute(sa.update(hits).where(hits.c.hit_id == hit["hit_id"]).values(held_assignments=fewer))


def balances(connection: sa.Connection, account: str) -> tuple[int, int]:
    """An account's available balance and its balance on hold, in cents."""
    query = sa.select(accounts.c.available, accounts.c.held).where(accounts.c.name == account)
    row = connection.execute(query).one()
    return row.available, row.held


def cents(text: str) -> int:
    """Cents of an MTurk amount, a text like 0.05, 2 or 3. (pattern ^[0-9]+(\\.)?[0-9]{0,2}$)."""
    return int((Decimal(text.rstrip(".")) * 100).to_integral_value())


def dollars(amount: int) -> str:
    """An MTurk amount of cents: 5 is 0.05."""
    return f"{amount // 100}.{amount % 100:02d}"
