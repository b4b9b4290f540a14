"""Tombstones: what must never be taken in or released again, whatever a later crawl finds.

Takes in what a picture is known by; gives out keys, and the reasons that stand against them.

    >>> keys("flickr", "123", author_id="9@N01")
    ['flickr:123', 'flickr:author:9@N01']
"""

import time
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import add_rows

# SQLite takes 32,766 parameters in a statement.
_AT_ONCE = 10_000


def keys(source: str, source_id: str, author_id: str | None = None, image_id: str | None = None) -> list[str]:
    """Everything that a tombstone for this picture can stand under."""
    found = [f"{source}:{source_id}"]
    if author_id:
        found.append(f"{source}:author:{author_id}")
    if image_id:
        found.append(f"sha256:{image_id}")
    return found


def standing(connection: sa.Connection, wanted: Sequence[str]) -> dict[str, str]:
    """The reasons of those keys that have a tombstone."""
    table = tables.tombstones
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = table.c.key.in_(wanted[start : start + _AT_ONCE])
        found |= {
            key: reason
            for key, reason in connection.execute(sa.select(table.c.key, table.c.reason).where(part))
        }
    return found


def bury(connection: sa.Connection, wanted: Iterable[str], reason: str) -> int:
    """Write tombstones; returns how many are new."""
    now = time.time()
    rows = [{"key": key, "reason": reason, "made_at": now} for key in wanted]
    return add_rows(connection, tables.tombstones, rows)
