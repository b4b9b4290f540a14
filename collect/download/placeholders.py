"""Placeholders: the picture that a host sends in the place of one that was deleted.

Takes in an address, or the pictures that just came in; gives out whether they stand for nothing. What cannot be
known by its address or its hash gives itself away: the same bytes under many ids.

    >>> by_address("https://s.yimg.com/pw/images/en-us/photo_unavailable_l.png", DownloadSection())
    'it was deleted: its host sends photo_unavailable_l.png in its place'
"""

from collections.abc import Iterable

import sqlalchemy as sa

from photojury.collect.checks.judging import settle_within
from photojury.datasets import tables
from photojury.datasets.store import add_rows
from photojury.sections import DownloadSection

RULE = "placeholder"
VERSION = 1
"""Of the check; written beside every verdict."""


def by_address(url: str, section: DownloadSection) -> str | None:
    """A sentence where an address is that of a placeholder (download.placeholder_addresses)."""
    plain = url.split("?")[0].lower()
    if any(part.lower() in plain for part in section.placeholder_addresses):
        return f"it was deleted: its host sends {plain.rsplit('/', 1)[-1][:100]} in its place"
    return None


def by_hash(image_id: str, section: DownloadSection) -> str | None:
    """A sentence where a file is a placeholder that the study leader knows (download.placeholder_hashes)."""
    if image_id in section.placeholder_hashes:
        return "it was deleted: its host sends a known placeholder in its place"
    return None


def unmask(connection: sa.Connection, image_ids: Iterable[str], most: int) -> int:
    """Of pictures that just came in, find those that came under more than `most` ids; returns how many.

    Their candidates become `gone`, and they fail the check `placeholder`; a decision at the curation page can
    still keep them.

    Args:
        image_ids: of pictures that came in as duplicates.
    """
    table = tables.candidates
    counted = sa.func.count()
    query = (
        sa.select(table.c.image_id, counted)
        .where(table.c.image_id.in_(sorted(set(image_ids))), table.c.file_url.is_not(None))
        .group_by(table.c.image_id)
        .having(counted > most)
    )
    found = {image_id: count for image_id, count in connection.execute(query)}
    for image_id, count in found.items():
        _mark(connection, image_id, f"the same file came under {count} ids: a host's placeholder")
    if found:
        settle_within(connection, sorted(found))
    return len(found)


def _mark(connection: sa.Connection, image_id: str, reason: str) -> None:
    table = tables.candidates
    connection.execute(
        sa.update(table)
        .where(table.c.image_id == image_id, table.c.file_url.is_not(None))
        .values(state="gone", rule=RULE, reason=reason)
    )
    same = (tables.checks.c.image_id == image_id) & (tables.checks.c.check == RULE)
    row = {"image_id": image_id, "check": RULE, "verdict": "fail", "version": VERSION, "reason": reason}
    if not add_rows(connection, tables.checks, [row]):
        connection.execute(sa.update(tables.checks).where(same).values(verdict="fail", reason=reason))
