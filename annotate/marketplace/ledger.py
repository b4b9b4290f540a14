"""The requester's money: what is available, what is held for HITs that are out, and every movement of it.

Takes in an open write transaction; gives out changed balances, each change with its row in
market_transactions. At any moment the rows add up to the balances, and neither balance is below zero.

The fee on each reward and bonus is photojury.annotate.budget.fee_of's.

    >>> cents("0.05"), dollars(5)
    (5, '0.05')
"""

from decimal import Decimal

import sqlalchemy as sa

from photojury.annotate.marketplace.books import ACCOUNT, account, hits, new_id, transactions
from photojury.annotate.marketplace.protocol import RequestError


def move(
    connection: sa.Connection,
    now: float,
    kind: str,
    *,
    available: int = 0,
    held: int = 0,
    hit_id: str | None = None,
    assignment_id: str | None = None,
    worker_id: str | None = None,
) -> None:
    """Book one transaction: cents added to (or, negative, taken from) the two balances.

    Raises:
        RequestError: InsufficientFunds, and nothing is booked.
    """
    change = (
        sa.update(account)
        .where(account.c.name == ACCOUNT)
        .where(account.c.available + available >= 0, account.c.held + held >= 0)
        .values(available=account.c.available + available, held=account.c.held + held)
        .returning(account.c.name)
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
            at=now,
            kind=kind,
            available=available,
            held=held,
            hit_id=hit_id,
            assignment_id=assignment_id,
            worker_id=worker_id,
        )
    )


def cover(connection: sa.Connection, now: float, hit_id: str, *, price: int, have: int, want: int) -> None:
    """Hold or release money so that `want` assignments of a HIT are covered, where `have` are now.

    Args:
        price: reward and fee of one assignment, in cents.

    Raises:
        RequestError: InsufficientFunds.
    """
    if want == have:
        return
    cents = (want - have) * price
    kind = "hold" if cents > 0 else "release"
    if cents:
        move(connection, now, kind, available=-cents, held=cents, hit_id=hit_id)
    connection.execute(sa.update(hits).where(hits.c.hit_id == hit_id).values(held_assignments=want))


def pay(connection: sa.Connection, now: float, hit: sa.RowMapping, assignment: sa.RowMapping) -> None:
    """Pay the reward and the fee of one assignment out of what its HIT holds."""
    about = {"hit_id": hit["hit_id"], "assignment_id": assignment["assignment_id"]}
    if hit["reward"]:
        move(connection, now, "reward", held=-hit["reward"], worker_id=assignment["worker_id"], **about)
    move(connection, now, "fee", held=-hit["fee"], **about)
    fewer = hits.c.held_assignments - 1
    connection.execute(sa.update(hits).where(hits.c.hit_id == hit["hit_id"]).values(held_assignments=fewer))


def balances(connection: sa.Connection) -> tuple[int, int]:
    """The available balance and the balance on hold, in cents."""
    row = connection.execute(sa.select(account.c.available, account.c.held)).one()
    return row.available, row.held


def cents(text: str) -> int:
    """Cents of an MTurk amount, a text like 0.05, 2 or 3. (pattern ^[0-9]+(\\.)?[0-9]{0,2}$)."""
    return int((Decimal(text.rstrip(".")) * 100).to_integral_value())


def dollars(amount: int) -> str:
    """An MTurk amount of cents: 5 is 0.05."""
    return f"{amount // 100}.{amount % 100:02d}"
