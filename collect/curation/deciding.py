"""Deciding: what a person says of a picture is written down, and holds at once.

Takes in an image and a decision; gives out how the image stands now, and what stood before, which undoes it when it
is decided again. Decisions are only ever added; the newest one holds.

    >>> decide(study, image_id, Decision("rejected", "a watermark"), by="ann")      # doctest: +SKIP
    Decided(status='rejected', rule='curation', reason='a watermark', by_hand=True, before=Decision('auto', None))
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from photojury.collect.checks.judging import settle_within
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError

STATUSES = ("kept", "rejected", "auto")
"""What can be decided; auto: as the checks say."""

LONGEST_REASON = 500

# Later than the newest by this much, where the clock says otherwise: doubles of this size tell 0.24 microseconds.
_LATER = 1e-5


@dataclass(frozen=True)
class Decision:
    """What a person decided: kept, rejected or auto, and why."""

    status: str
    reason: str | None = None


@dataclass(frozen=True)
class Decided:
    """How an image stands after a decision, and the decision that held before: auto where there was none."""

    status: str
    rule: str | None
    reason: str | None
    by_hand: bool
    before: Decision


def decide(study: Study, image_id: str, decision: Decision, *, by: str) -> Decided:
    """Write a decision down and settle the image.

    Raises:
        InputError: there is no such image, it was taken out for good, or there is no such decision.
    """
    if decision.status not in STATUSES:
        raise InputError(f"{decision.status!r} is no decision; known are {', '.join(STATUSES)}")
    reason = " ".join((decision.reason or "").split())[:LONGEST_REASON] or None
    images = tables.images
    with study.writing() as connection:
        query = sa.select(images.c.status).where(images.c.image_id == image_id)
        status = connection.execute(query).scalar()
        if status is None:
            raise InputError(f"there is no image {image_id} in this study")
        if status == "tombstoned":
            raise InputError("this picture was taken out for good; no decision brings it back")
        if status == "absent":
            raise InputError(
                "of this picture only labels are here, so there is nothing to look at and decide"
            )
        newest = connection.execute(_of([image_id]).order_by(_TABLE.c.decided_at.desc()).limit(1)).first()
        row = {
            "image_id": image_id,
            "decided_at": max(time.time(), newest.decided_at + _LATER if newest else 0.0),
            "status": decision.status,
            "reason": reason,
            "decided_by": by,
        }
        connection.execute(sa.insert(_TABLE), row)
        settle_within(connection, [image_id])
        columns = (images.c.status, images.c.rule, images.c.reason)
        now = connection.execute(sa.select(*columns).where(images.c.image_id == image_id)).one()
    before = Decision(newest.status, newest.reason) if newest else Decision("auto")
    return Decided(now.status, now.rule, now.reason, decision.status != "auto", before)


def decided_by_hand(connection: sa.Connection, image_ids: Sequence[str]) -> set[str]:
    """Those of the images that stand as a person decided."""
    rows = connection.execute(_of(image_ids).order_by(_TABLE.c.decided_at)).all()
    newest = {row.image_id: row.status for row in rows}
    return {image_id for image_id, status in newest.items() if status != "auto"}


_TABLE = tables.decisions


def _of(image_ids: Sequence[str]) -> "sa.Select[tuple[str, float, str, str | None]]":
    columns = (_TABLE.c.image_id, _TABLE.c.decided_at, _TABLE.c.status, _TABLE.c.reason)
    return sa.select(*columns).where(_TABLE.c.image_id.in_(image_ids))
