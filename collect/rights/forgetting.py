"""Forgetting: pictures, or all pictures of a person, leave the study for good, and no later crawl brings them back.

Takes in keys of photojury.datasets.tombstones with a reason each; gives out what was done: tombstones written,
candidates barred, images tombstoned, files removed. What people answered about a picture stays, with the picture's
sha256 as its only name; its file, its author, title and address go.

    forget(study, {"flickr:author:9@N01": "the author asked us to"})

Tombstones are written first, in one transaction with the status of pictures and offers; then files are removed, and
last the words. Killed in between, the same call goes on with what is left.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from photojury.collect.checks.judging import settle_within
from photojury.datasets import tables, tombstones
from photojury.datasets.releases.read import copied
from photojury.datasets.store import Study

Row = Mapping[str, Any]

_KNOWN_BY = ("source", "source_id", "author_id", "image_id", "page_url", "file_url")

_OUT = ("publishing", "published", "paused")

# SQLite takes 32,766 parameters in a statement.
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Found:
    """What keys mean in a study, each with the reason of its key.

    Attributes:
        tombstones: every key that is to stand: those given, and the other names of the same pictures.
        images: image_id of the stored pictures.
        candidates: (source, source_id) of the offers, stored or not.
    """

    tombstones: Mapping[str, str]
    images: Mapping[str, str]
    candidates: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Forgotten:
    """What was done.

    Attributes:
        tombstones: new ones.
        images: stored pictures that are tombstoned now.
        candidates: offers that are barred now.
        files: files removed now.
        hits: HITs that are out and show one of the pictures.
        exports: releases in the study's folder that hold one.
    """

    tombstones: int
    images: int
    candidates: int
    files: int
    hits: int
    exports: list[str] = field(default_factory=list)


def forget(study: Study, wanted: Mapping[str, str], *, keep_files: bool = False) -> Forgotten:
    """Forget what the keys name.

    Args:
        wanted: reasons by tombstone key; keys that name nothing in the study bar what may come.
        keep_files: leave files, and what is said about them, where they are; both stay out of every
            release. Without it, a later call removes them.
    """
    with study.writing() as connection:
        found = find(connection, wanted)
        new = _bury(connection, found.tombstones)
        _bar(connection, found.candidates)
        settle_within(connection, sorted(found.images))
        hits = _hits_out(connection, found.images)
    files = 0
    if not keep_files:
        files = _remove_files(study, {key[7:] for key in found.tombstones if key.startswith("sha256:")})
        # Last, since it is by these words that the same call finds what a killed one left.
        with study.writing() as connection:
            _blank(connection, found)
    exports = _holding(study, found.images)
    return Forgotten(new, len(found.images), len(found.candidates), files, hits, exports)


def find(connection: sa.Connection, wanted: Mapping[str, str]) -> Found:
    """What is known under the keys: offers and stored pictures, and every other offer of the same bytes."""
    images = {key[7:]: reason for key, reason in wanted.items() if key.startswith("sha256:")}
    candidates: dict[tuple[str, str], str] = {}
    for table in (tables.candidates, tables.images):
        for row in _rows(connection, sa.select(*(table.c[name] for name in _KNOWN_BY))):
            reason = next((wanted[key] for key in tombstones.keys_of(row) if key in wanted), None)
            if reason and row["image_id"]:
                images.setdefault(row["image_id"], reason)
            elif reason:
                candidates[row["source"], row["source_id"]] = reason
    stand = dict(wanted)
    for row in _offers(connection, images, candidates):
        own = (row["source"], row["source_id"])
        reason = candidates[own] = images.get(row["image_id"]) or candidates[own]
        stand.update({key: reason for key in _names(row) if key not in stand})
    for image, reason in images.items():
        stand.setdefault(f"sha256:{image}", reason)
    stored = _among(connection, sa.select(tables.images.c.image_id), tables.images.c.image_id, images)
    return Found(stand, {row["image_id"]: images[row["image_id"]] for row in stored}, candidates)


def _offers(
    connection: sa.Connection, images: Mapping[str, str], candidates: Mapping[tuple[str, str], str]
) -> list[Row]:
    """The candidates that are meant themselves, and every one that gave the bytes of an image."""
    table = tables.candidates
    query = sa.select(*(table.c[name] for name in _KNOWN_BY))
    found = _among(connection, query, table.c.image_id, images)
    by_source: dict[str, list[str]] = {}
    for source, name in candidates:
        by_source.setdefault(source, []).append(name)
    for source, names in by_source.items():
        found += _among(connection, query.where(table.c.source == source), table.c.source_id, names)
    return found


def _among(
    connection: sa.Connection, query: "sa.Select[Any]", column: "sa.Column[Any]", values: Iterable[str]
) -> list[Row]:
    """The rows of a query whose column has one of the values."""
    wanted = list(values)
    parts = (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))
    return [row for part in parts for row in _rows(connection, query.where(column.in_(part)))]


def _rows(connection: sa.Connection, query: "sa.Select[Any]") -> Iterator[Row]:
    """The rows, some at a time: a study has hundreds of thousands of candidates."""
    for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)).mappings():
        yield dict(row)


def _names(row: Row) -> list[str]:
    """The keys of this one picture. A file's path names whatever lies there, so it is none."""
    return [
        key
        for key in tombstones.keys_of(row)
        if ":author:" not in key and not (row["source"] == "folder" and key.startswith("folder:"))
    ]


def _bury(connection: sa.Connection, stand: Mapping[str, str]) -> int:
    by_reason: dict[str, list[str]] = {}
    for key, reason in stand.items():
        by_reason.setdefault(reason, []).append(key)
    return sum(tombstones.bury(connection, keys, reason) for reason, keys in by_reason.items())


def _bar(connection: sa.Connection, candidates: Mapping[tuple[str, str], str]) -> None:
    if not candidates:
        return
    table = tables.candidates
    same = (table.c.source == sa.bindparam("of")) & (table.c.source_id == sa.bindparam("the"))
    rows = [{"of": source, "the": name, "why": reason} for (source, name), reason in candidates.items()]
    barred = sa.update(table).where(same)
    connection.execute(barred.values(state="barred", rule="tombstone", reason=sa.bindparam("why")), rows)


def _blank(connection: sa.Connection, found: Found) -> None:
    """Clear what is said about the pictures; whose and where they were is nobody's business any more."""
    offers, stored = tables.candidates, tables.images
    same = (offers.c.source == sa.bindparam("of")) & (offers.c.source_id == sa.bindparam("the"))
    if rows := [{"of": source, "the": name} for source, name in found.candidates]:
        connection.execute(sa.update(offers).where(same).values(**tombstones.WORDLESS), rows)
    if rows := [{"the": image} for image in found.images]:
        this = stored.c.image_id == sa.bindparam("the")
        nothing = {name: None for name in tombstones.WORDLESS if name in stored.columns}
        connection.execute(sa.update(stored).where(this).values(**nothing), rows)


def _hits_out(connection: sa.Connection, images: Iterable[str]) -> int:
    """How many HITs that people can take now show one of the pictures."""
    units, hits = tables.units, tables.hits
    ids = sa.select(units.c.unit_id)
    shown = [
        row
        for column in (units.c.first_id, units.c.second_id)
        for row in _among(connection, ids, column, images)
    ]
    asked = {row["unit_id"] for row in shown}
    if not asked:
        return 0
    columns = (hits.c.unit_ids, hits.c.gold_ids, hits.c.training_ids)
    rows = connection.execute(sa.select(*columns).where(hits.c.state.in_(_OUT)))
    return sum(any(asked.intersection(json.loads(ids or "[]")) for ids in row) for row in rows)


def _remove_files(study: Study, images: set[str]) -> int:
    """Remove pictures' files, of whatever format; returns how many there were."""
    removed = 0
    for folder in {study.images_folder / image[:2] for image in images}:
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.stem in images:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def _holding(study: Study, images: Mapping[str, str]) -> list[str]:
    """The releases below the study's folder that hold a copy of a picture."""
    folders = sorted(path for path in (study.folder / "exports").glob("*") if path.is_dir())
    return [folder.name for folder in folders if images.keys() & copied(folder)]
