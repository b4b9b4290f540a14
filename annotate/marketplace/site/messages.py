"""Messages to workers, which the worker site shows: where MTurk sent an e-mail, nobody here has an address.

Takes in an open transaction and a text; gives out the worker's messages, and how many of them are new.

    >>> tell(connection, "requester", "A2XYZ", "Thanks", "Your ratings helped.", now)        # doctest: +SKIP
    >>> unread(market, "A2XYZ")        # doctest: +SKIP
    1
"""

import sqlalchemy as sa

from photojury.annotate.marketplace.books import Market, new_id
from photojury.annotate.marketplace.tables import messages

MOST = 100
"""How many messages a page shows."""


def tell(
    connection: sa.Connection, account: str, worker_id: str, subject: str, text: str, now: float
) -> None:
    """Send a worker a message from a requester account."""
    row = {"message_id": new_id(), "account": account, "worker_id": worker_id}
    connection.execute(sa.insert(messages).values(**row, subject=subject, text=text, sent_at=now))


def unread(market: Market, worker_id: str) -> int:
    """How many messages a worker has not been shown yet."""
    new = (messages.c.worker_id == worker_id) & messages.c.read_at.is_(None)
    row = market.row(sa.select(sa.func.count().label("number")).where(new))
    return int(row["number"]) if row else 0


def show(market: Market, worker_id: str) -> list[sa.RowMapping]:
    """A worker's messages, the newest first; from now on they are read.

    Returns:
        At most `MOST` rows, whose read_at is null where the message is new.
    """
    mine = messages.c.worker_id == worker_id
    query = sa.select(messages).where(mine).order_by(messages.c.sent_at.desc(), messages.c.message_id)
    rows = market.rows(query.limit(MOST))
    if any(row["read_at"] is None for row in rows):
        with market.writing() as connection:
            change = sa.update(messages).where(mine, messages.c.read_at.is_(None))
            connection.execute(change.values(read_at=market.clock()))
    return rows
