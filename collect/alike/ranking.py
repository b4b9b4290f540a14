"""Which of several copies is kept: the images that take part, best first.

Takes in the study's tables; gives out `Pictures`, arrays in order of preference.

    >>> with study.engine.connect() as connection:      # doctest: +SKIP
    ...     ranked(connection).ids[0]
    '9b…'
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from photojury.collect.alike.frames import kinships
from photojury.collect.checks.rules import NEAR_DUPLICATE
from photojury.datasets import tables


@dataclass(frozen=True)
class Pictures:
    """Images that may be copies of each other, the best first.

    Attributes:
        ids: n image ids, and formats the format of each.
        hashes: (n,) their perceptual hashes.
        sizes: (n, 2) width and height in pixels, as shown.
        spared: (n,) a person decided that it is kept: it is no copy, whatever it is like.
        kin: of rows that are in series, by row: pictures with a common name here are alike on purpose.
        unhashed: how many images have no hash.
    """

    ids: list[str]
    formats: list[str]
    hashes: npt.NDArray[np.uint64]
    sizes: npt.NDArray[np.int64]
    spared: npt.NDArray[np.bool_]
    kin: Mapping[int, frozenset[str]]
    unhashed: int


def ranked(connection: sa.Connection) -> Pictures:
    """The images that nothing but a better copy could keep out of the study, best first.

    Left out: tombstones, what a person rejected, and what fails another check without a person's keeping it: none
    of these may stand for a picture that would be kept. Pictures that raters were asked about come first, as their
    answers are paid; then those with more pixels, more than 256 colours, more bytes (less compressed), the earlier
    upload and the earlier download; at last the id decides, so that the order is the same in every run.
    """
    image = tables.images
    decided = _decisions(connection)
    failed = _failed(connection)
    asked = _asked(connection)
    query = sa.select(
        image.c.image_id,
        image.c.phash,
        image.c.width,
        image.c.height,
        image.c.format,
        image.c.bytes,
        image.c.uploaded_at,
        image.c.retrieved_at,
    ).where(image.c.status.not_in(("tombstoned", "absent")))
    rows = [
        row
        for row in connection.execute(query)
        if decided.get(row.image_id, "auto" if row.image_id not in failed else "rejected") != "rejected"
    ]
    hashed = sorted((row for row in rows if row.phash), key=lambda row: _preference(row, asked))
    ids = [row.image_id for row in hashed]
    kin = kinships(connection)
    return Pictures(
        ids=ids,
        formats=[row.format for row in hashed],
        hashes=np.array([int(row.phash, 16) for row in hashed], np.uint64),
        sizes=np.array([(row.width, row.height) for row in hashed], np.int64).reshape(-1, 2),
        spared=np.array([decided.get(image) == "kept" for image in ids], bool),
        kin={row: kin[image] for row, image in enumerate(ids) if image in kin},
        unhashed=len(rows) - len(hashed),
    )


def _preference(row: Any, asked: set[str]) -> tuple[object, ...]:
    return (
        row.image_id not in asked,
        -row.width * row.height,
        row.format == "gif",  # 256 colours at most, whatever its bytes
        -row.bytes,
        math.inf if row.uploaded_at is None else row.uploaded_at,
        row.retrieved_at,
        row.image_id,
    )


def _decisions(connection: sa.Connection) -> dict[str, str]:
    """People's newest decisions; `auto` takes one back, and is none."""
    table = tables.decisions
    query = sa.select(table.c.image_id, table.c.status).order_by(table.c.decided_at)
    newest = {image: status for image, status in connection.execute(query)}
    return {image: status for image, status in newest.items() if status != "auto"}


def _failed(connection: sa.Connection) -> set[str]:
    table = tables.checks
    query = sa.select(table.c.image_id).where((table.c.verdict == "fail") & (table.c.check != NEAR_DUPLICATE))
    return set(connection.scalars(query))


def _asked(connection: sa.Connection) -> set[str]:
    table = tables.units
    both = sa.union(sa.select(table.c.first_id), sa.select(table.c.second_id))
    return {image for image in connection.scalars(both) if image}
