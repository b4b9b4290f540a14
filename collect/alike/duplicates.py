"""Near duplicates: pictures that show what a better one of the study shows, whatever source they came from.

Takes in the images that pass all other checks; gives out the check near_duplicate of those that are like another.
Exact duplicates never come so far: intake stores the same bytes once.

Two pictures are copies of each other if their hashes are near, their shapes are the same and their thumbnails
correlate (thresholds and what they are worth: docs/duplicates.md). Mirrored copies are none: composition is what
raters judge. Pictures in series are alike on purpose: those of one author are never copies of each other.

The best picture of a cluster is kept first, then each next best one that is no copy of one kept already. So every
picture that is marked was itself found to be a copy of the one that stays, and no chain of small changes joins two
different pictures.

    >>> mark_duplicates(study)                          # doctest: +SKIP
    Duplicates(compared=72, unhashed=0, flat=0, unreadable=0, pairs=(Pair(image_id='3f…', ...),), changed=1)
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from photojury.collect.alike.likeness import Likeness, Pair
from photojury.collect.alike.ranking import Pictures, ranked
from photojury.collect.checks import judging
from photojury.collect.checks.rules import NEAR_DUPLICATE
from photojury.datasets import tables
from photojury.datasets.hamming import near_pairs
from photojury.datasets.store import Study, add_rows

VERSION = 1
"""Of the comparison; written beside every value."""

# Held by whoever writes this check, so that of two at once on PostgreSQL the later replaces what the earlier wrote.
_LOCK = sa.text("SELECT pg_advisory_xact_lock(7066)")


@dataclass(frozen=True)
class Duplicates:
    """What was compared, and what was found.

    Attributes:
        compared: pictures that took part.
        unhashed: pictures that could not, as they have no hash.
        flat: pictures whose hash is near another's, and that show nothing to compare.
        unreadable: those whose file is missing or damaged.
        pairs: the copies, each with the picture kept in its place.
        rejected: pictures that are near a kept one by their hash, and are no copies of any.
        changed: pictures that are kept now and were not, or the other way round, once it is written.
    """

    compared: int = 0
    unhashed: int = 0
    flat: int = 0
    unreadable: int = 0
    pairs: tuple[Pair, ...] = ()
    rejected: tuple[Pair, ...] = field(default=(), repr=False)
    changed: int = 0

    @property
    def groups(self) -> int:
        """How many kept pictures have copies."""
        return len({pair.other_id for pair in self.pairs})


def mark_duplicates(study: Study, progress: Callable[[int], None] = lambda done: None) -> Duplicates:
    """Find near duplicates, write what was found into `checks`, and settle which images are kept.

    Rows of the check near_duplicate that an earlier run wrote are replaced. Call it after `judge`: pictures that
    fail another check neither are copies nor stand for any.

    Args:
        study: whose images.
        progress: called with the number of thumbnails made.
    """
    with study.engine.connect() as connection:
        found = find_duplicates(study, connection, progress)
    with study.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(_LOCK)
        connection.execute(sa.delete(tables.checks).where(tables.checks.c.check == NEAR_DUPLICATE))
        add_rows(connection, tables.checks, list(_rows(found)))
        settled = judging.settle_within(connection)
    return replace(found, changed=settled.changed)


def find_duplicates(
    study: Study, connection: sa.Connection, progress: Callable[[int], None] = lambda done: None
) -> Duplicates:
    """What `mark_duplicates` would mark, by what `connection` reads; nothing is written."""
    section = study.settings.checks
    pictures = ranked(connection)
    if not section.near_duplicate_distance:
        return Duplicates(unhashed=pictures.unhashed)
    likeness = Likeness(study, pictures, progress)
    pairs: list[Pair] = []
    rejected: list[Pair] = []
    for cluster in clusters(pictures.hashes, section.near_duplicate_distance):
        for pair in _compare(cluster, pictures, likeness):
            (pairs if pair.copy else rejected).append(pair)
    return Duplicates(
        compared=len(pictures.ids),
        unhashed=pictures.unhashed,
        flat=likeness.flat,
        unreadable=likeness.unreadable,
        pairs=tuple(pairs),
        rejected=tuple(rejected),
    )


def clusters(hashes: npt.NDArray[np.uint64], distance: int) -> Iterator[npt.NDArray[np.int64]]:
    """Row numbers, rising, of the hashes that near pairs connect; those that are near no other are left out."""
    if not len(hashes):
        return
    values, value_of = np.unique(hashes, return_inverse=True)
    label_of = _connected(values, distance)[value_of]
    order = np.argsort(label_of, kind="stable")
    cuts = np.flatnonzero(np.diff(label_of[order])) + 1
    for cluster in np.split(order, cuts):
        if len(cluster) > 1:
            yield cluster


def _connected(values: npt.NDArray[np.uint64], distance: int) -> npt.NDArray[np.int64]:
    """A label for each hash; two have the same if near pairs connect them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    label = np.arange(len(values))
    for near in near_pairs(values, distance):
        one, other = label[near.left], label[near.right]
        apart = one != other
        if not apart.any():
            continue
        links = coo_array((np.ones(apart.sum(), bool), (one[apart], other[apart])), shape=(len(values),) * 2)
        label = connected_components(links, directed=False)[1][label].astype(np.int64)
    return label


def _compare(cluster: npt.NDArray[np.int64], pictures: Pictures, likeness: Likeness) -> Iterator[Pair]:
    """Of each picture of a cluster, best first, that is near a kept one: whether it is its copy."""
    kept = np.empty(len(cluster), np.int64)
    count = 0
    likeness.look_at(cluster)
    for row in cluster:
        if not likeness.seen(row):
            continue
        pair = likeness.nearest(row, kept[:count])
        if pair:
            yield pair
        if pair is None or not pair.copy:
            kept[count] = row
            count += 1


def was_checked(study: Study) -> bool:
    """Whether near duplicates were looked for, and found, before."""
    table = tables.checks
    return bool(study.rows(sa.select(table.c.image_id).where(table.c.check == NEAR_DUPLICATE).limit(1)))


def groups(study: Study) -> list[dict[str, Any]]:
    """What the last run marked: for each picture that has copies its facts (`kept`) and theirs (`copies`)."""
    check, image = tables.checks, tables.images
    facts = (image.c.image_id, image.c.source, image.c.source_id, image.c.width, image.c.height)
    marked = (check.c.check == NEAR_DUPLICATE) & (check.c.verdict == "fail")
    copies = (
        sa.select(check.c.other_id, check.c.value.label("distance"), *facts)
        .join(image, image.c.image_id == check.c.image_id)
        .where(marked)
        .order_by(check.c.other_id, check.c.value, image.c.image_id)
    )
    kept = sa.select(*facts).where(image.c.image_id.in_(sa.select(check.c.other_id).where(marked)))
    found: dict[str, dict[str, Any]] = {
        row["image_id"]: {"kept": row, "copies": []} for row in study.rows(kept)
    }
    for row in study.rows(copies):
        found[row.pop("other_id")]["copies"].append(row)
    return list(found.values())


def _rows(found: Duplicates) -> Iterator[Mapping[str, object]]:
    for pair in (*found.pairs, *found.rejected):
        yield {
            "image_id": pair.image_id,
            "check": NEAR_DUPLICATE,
            "value": float(pair.distance),
            "verdict": "fail" if pair.copy else "pass",
            "version": VERSION,
            "reason": pair.reason if pair.copy else None,
            "other_id": pair.other_id,
        }
