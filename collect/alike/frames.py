"""Frames: the images that may belong to a series, with what tells so.

Takes in the study's tables; gives out `Frame`s, and what makes frames of images that are in series already.

    >>> natural("IMG_10.jpg") > natural("IMG_9.jpg")
    True
"""

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import sqlalchemy as sa

from photojury.collect.checks.rules import NEAR_DUPLICATE
from photojury.datasets import tables

FOLDER = "folder"
"""The source whose pictures lie in folders, and have these in place of an author."""

Natural = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Frame:
    """An image that may belong to a series.

    Attributes:
        author: whose pictures are compared with each other: the source with its author, or with the folder.
        folder: the full path of the folder that it was read from; null for other sources.
        taken_at: seconds since 1970, as far as its camera's clock went right; null where unknown.
        order: its number or file name at the source, which tells the order of pictures of one second.
        phash: its perceptual hash; null where it has none.
    """

    image_id: str
    author: str
    folder: str | None
    taken_at: float | None
    order: Natural
    phash: int | None


def read_frames(connection: sa.Connection) -> list[Frame]:
    """Images that are kept, and near duplicates that have the size of what they are like: frames, not copies."""
    image = tables.images
    folder_of = _folders(connection)
    alike = _alike(connection)
    query = sa.select(
        image.c.image_id,
        image.c.source,
        image.c.source_id,
        image.c.author,
        image.c.author_id,
        image.c.taken_at,
        image.c.phash,
        image.c.status,
        image.c.rule,
    ).where(image.c.status != "tombstoned")
    return [
        _frame(row, folder_of.get(row.image_id))
        for row in connection.execute(query)
        if row.status == "kept" or (row.rule == NEAR_DUPLICATE and row.image_id in alike)
    ]


def kinships(connection: sa.Connection) -> dict[str, frozenset[str]]:
    """What each image that is in series has in common with others that are alike on purpose: series and author.

    A long burst is cut into several series of one author, and these are alike, too.
    """
    table, image = tables.series, tables.images
    query = sa.select(
        table.c.series_id, table.c.image_id, image.c.source, image.c.author_id, image.c.author
    ).join(image, image.c.image_id == table.c.image_id)
    rows = connection.execute(query).all()
    folder_of = _folders(connection) if rows else {}
    found: dict[str, set[str]] = {}
    for row in rows:
        names = found.setdefault(row.image_id, {_author(row, folder_of.get(row.image_id))})
        names.add(row.series_id)
    return {image: frozenset(names) for image, names in found.items()}


def natural(name: str) -> Natural:
    """A key that sorts names as people count: IMG_9 before IMG_10."""
    parts = re.split(r"(\d+)", name)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def _frame(row: Any, folder: str | None) -> Frame:
    return Frame(
        image_id=row.image_id,
        author=_author(row, folder),
        folder=folder,
        taken_at=row.taken_at,
        order=natural(row.source_id),
        phash=int(row.phash, 16) if row.phash else None,
    )


def _author(row: Any, folder: str | None) -> str:
    return f"{row.source}\n{row.author_id or row.author or folder or ''}"


def _folders(connection: sa.Connection) -> dict[str, str]:
    """The folder of each image that was read from one; candidates know its full path."""
    table = tables.candidates
    query = sa.select(table.c.image_id, table.c.source_id).where(
        (table.c.source == FOLDER) & (table.c.state == "stored")
    )
    return {image: PurePath(path).parent.as_posix() for image, path in connection.execute(query)}


def _alike(connection: sa.Connection) -> set[str]:
    """Near duplicates of the same width and height as the image that they are like."""
    check, own = tables.checks, tables.images
    other = own.alias("other")
    query = (
        sa.select(check.c.image_id)
        .join(own, own.c.image_id == check.c.image_id)
        .join(other, other.c.image_id == check.c.other_id)
        .where((check.c.check == NEAR_DUPLICATE) & (check.c.verdict == "fail"))
        .where((own.c.width == other.c.width) & (own.c.height == other.c.height))
    )
    return set(connection.scalars(query))
