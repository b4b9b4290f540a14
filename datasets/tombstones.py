"""Tombstones: what must never be taken in or released again, whatever a later crawl finds.

Takes in what a picture is known by; gives out keys, and the reasons that stand against them. A Flickr photo has
its Flickr keys wherever it was found: Openverse and lists of addresses show most of Flickr's photos a second time.

    >>> keys("flickr", "123", author_id="9@N01")
    ['flickr:123', 'flickr:author:9@N01']
    >>> keys("urls", "7f", urls=["https://live.staticflickr.com/65535/123_ab_b.jpg"])
    ['urls:7f', 'flickr:123']
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows

# SQLite takes 32,766 parameters in a statement.
_AT_ONCE = 10_000

WORDLESS: Mapping[str, None] = dict.fromkeys((
    "page_url", "file_url", "title", "description", "author", "author_id", "author_url", "attribution", "tags",
    "extra",
))  # fmt: skip
"""The columns of `candidates` that say whose a picture is and where; null where a tombstone stands against it."""

# A photo's page and file at Flickr (fixtures of flickr.photos.search and getSizes); farm7.static.flickr.com is old.
_FLICKR_PAGE = re.compile(r"https?://(?:www\.|m\.)?flickr\.com/photos/([^/]+)/(\d+)", re.IGNORECASE)
_FLICKR_FILE = re.compile(
    r"https?://(?:live|farm\d+)\.static\.?flickr\.com/(?:\d+/)+(\d+)_[0-9a-f]+", re.IGNORECASE
)


def keys(
    source: str,
    source_id: str,
    author_id: str | None = None,
    image_id: str | None = None,
    urls: Iterable[str | None] = (),
) -> list[str]:
    """Everything that a tombstone for this picture can stand under; `urls` are those of its page and its file."""
    found = [f"{source}:{source_id}"]
    if author_id:
        found.append(f"{source}:author:{author_id}")
    for url in urls if source != "flickr" else ():
        if page := _FLICKR_PAGE.match(url or ""):
            found += [f"flickr:{page[2]}", f"flickr:author:{page[1]}"]
        elif file := _FLICKR_FILE.match(url or ""):
            found.append(f"flickr:{file[1]}")
    if image_id:
        found.append(f"sha256:{image_id}")
    return list(dict.fromkeys(found))


def keys_of(row: Mapping[str, Any]) -> list[str]:
    """The keys of a row of `candidates` or `images`."""
    urls = (row.get("page_url"), row.get("file_url"))
    return keys(row["source"], row["source_id"], row.get("author_id"), row.get("image_id"), urls)


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


def reasons_against(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """For each row of `candidates` or `images`, the reason of a tombstone that stands against it, or None."""
    of_row = [keys_of(row) for row in rows]
    buried = standing(connection, sorted({key for keys in of_row for key in keys}))
    return [next((buried[key] for key in keys if key in buried), None) for keys in of_row]


def buried_images(study: Study) -> set[str]:
    """The stored pictures against which a tombstone stands, whatever their status says."""
    table = tables.images
    columns = (table.c.image_id, table.c.source, table.c.source_id, table.c.author_id, table.c.page_url)
    with study.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(*columns, table.c.file_url)).mappings()]
        reasons = reasons_against(connection, rows)
    return {row["image_id"] for row, reason in zip(rows, reasons, strict=True) if reason}


def bury(connection: sa.Connection, wanted: Iterable[str], reason: str) -> int:
    """Write tombstones; returns how many are new."""
    now = time.time()
    rows = [{"key": key, "reason": reason, "made_at": now} for key in wanted]
    return add_rows(connection, tables.tombstones, rows)
