"""Importing: a published dataset becomes rows of a study, with its pictures where they are at hand.

Takes in what a reader gave out, a study, and perhaps a folder (or zip, or tar) of pictures. Pictures are stored as
collected ones are, by the sha256 of their bytes; an image of which there is only a label keeps the id NAME:ID and the
status `absent`, and becomes a picture when the dataset is imported again with its pictures. Whatever is there already
stays as it is, so importing twice, or after a kill, is safe.

    >>> done = bring_in(study, read("oasis", Path("OASIS-beauty")), pictures=Path("Images"))          # doctest: +SKIP
    >>> done.rows["ratings"]             # doctest: +SKIP
    170325
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from photojury.datasets import tables, tombstones
from photojury.datasets.images import ImageFacts, Unusable, inspect, store_image
from photojury.datasets.importing.answers import answers_of, short
from photojury.datasets.importing.pictures import found
from photojury.datasets.readers.published import Published
from photojury.datasets.scales import check_scale
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError

_IMAGES, _CANDIDATES = tables.images, tables.candidates

# Rows in one transaction; other writers get their turn in between.
_AT_ONCE = 50_000
_PICTURES_AT_ONCE = 100

# In the order in which rows refer to each other.
_WRITTEN = (
    "units", "hits", "assignments", "ratings", "comparisons", "histograms", "scores", "splits", "series", "observations",
)  # fmt: skip

# The lengths that PostgreSQL holds these columns to.
_LONGEST = {
    (table, column.name): column.type.length
    for table in ("ratings", "histograms", "scores", "splits")
    for column in tables.metadata.tables[table].c
    if column.name in ("attribute", "method", "split", "part")
    and isinstance(column.type, sa.String)
    and column.type.length
}


@dataclass
class BroughtIn:
    """What an import did.

    Attributes:
        images: images that the study had not.
        pictures: pictures that were stored, or were stored before under another name.
        absent: images of the dataset of which the study has labels only.
        rows: new rows, by table.
        known: rows that were there already, by table.
        left_out: what was not taken, by reason.
        notes: what a user must know of the dataset.
    """

    images: int = 0
    pictures: int = 0
    absent: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def bring_in(
    study: Study,
    published: Published,
    *,
    pictures: Path | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> BroughtIn:
    """Write a dataset into a study.

    Args:
        study: the open study.
        published: of `photojury.datasets.readers.published.read`.
        pictures: a folder, zip or tar with the dataset's pictures; None imports labels only.
        progress: called with the number of pictures looked at, then with that of rows written.

    Raises:
        InputError: the ratings' scale is not the study's, the study has a split that these must not stand beside, a name
            is longer than its column takes, or the pictures cannot be read.
    """
    check_scale(study, published)
    _check_rivals(study, published)
    _check_names(published)
    done = BroughtIn(left_out=dict(published.left_out), notes=published.notes)
    images = _images(published)
    images = _without_buried(study, images, done)
    ids = _Ids(study, published.name, images)
    if pictures is not None:
        _take_pictures(study, images, ids, pictures, done, progress)
    _add_absent(study, images, ids, done)
    _add_tables(study, published, ids, done, progress)
    return done


class _Ids:
    """Under which id the study has each image of the dataset.

    Attributes:
        of: that id, by the one that the dataset's tables have.
        present: ids of all images of the study.
        taken: ids of pictures that belong to an image of the dataset.
    """

    def __init__(self, study: Study, name: str, images: pd.DataFrame) -> None:
        query = sa.select(_CANDIDATES.c.source_id, _CANDIDATES.c.image_id).where(
            _CANDIDATES.c.source == name, _CANDIDATES.c.image_id.is_not(None)
        )
        stored = {row["source_id"]: row["image_id"] for row in study.rows(query)}
        self.present = set(study.read("images", columns=["image_id"])["image_id"])
        self.taken = set(stored.values())
        self.of = {
            theirs: stored.get(source_id, own)
            for theirs, own, source_id in zip(
                images["their_id"], images["image_id"], images["source_id"], strict=True
            )
        }


def _images(published: Published) -> pd.DataFrame:
    """The dataset's images with our columns; their_id is the id that its other tables have."""
    name = published.name
    table = published.images.drop_duplicates("image_id", ignore_index=True)
    theirs = table["image_id"].astype("str")
    defaults = {"source": name, "source_id": theirs.str.removeprefix(f"{name}:"), "file": None}
    table = table.assign(**{key: value for key, value in defaults.items() if key not in table})
    return table.assign(
        their_id=theirs,
        image_id=[short(name, one, 64) for one in theirs],
        source=table["source"].fillna(name),
        source_id=table["source_id"].astype("str"),
    )


def _without_buried(study: Study, images: pd.DataFrame, done: BroughtIn) -> pd.DataFrame:
    """The images less those against which a tombstone stands, whatever dataset they come in."""
    names = [name for name in ("source", "source_id", "author_id", "page_url", "file_url") if name in images]
    with study.engine.connect() as connection:
        reasons = tombstones.reasons_against(connection, _records(images[names]))
    buried = [reason is not None for reason in reasons]
    if any(buried):
        done.left_out["images against which a tombstone of the study stands"] = sum(buried)
    return images[[not one for one in buried]].reset_index(drop=True)


def _take_pictures(
    study: Study,
    images: pd.DataFrame,
    ids: _Ids,
    place: Path,
    done: BroughtIn,
    progress: Callable[[int], None],
) -> None:
    """Store the pictures that are there and not yet stored; some at a time, so that a kill costs little."""
    absent = images[images["file"].notna() & images["their_id"].map(ids.of).eq(images["image_id"])]
    rows = {row["file"]: row for row in _records(absent)}
    section = study.settings.collect
    batch: list[tuple[dict[str, Any], ImageFacts | Unusable]] = []
    seen = 0
    for name, data in found(place, list(rows), limit=int(section.max_megabytes * 1e6)):
        seen += 1
        batch.append((rows[name], _looked_at(study, data)))
        if len(batch) == _PICTURES_AT_ONCE:
            _write_pictures(study, batch, ids, done)
            batch = []
            progress(seen)
    _write_pictures(study, batch, ids, done)
    missing = len(rows) - seen
    if missing:
        done.left_out[f"pictures that {place} has not; their labels came without them"] = missing


def _looked_at(study: Study, data: bytes | None) -> ImageFacts | Unusable:
    """A picture's facts, its bytes stored; or why it cannot be used."""
    section = study.settings.collect
    if data is None:
        return Unusable(
            "too_large", f"it is larger than {section.max_megabytes:g} megabytes (collect.max_megabytes)"
        )
    try:
        facts = inspect(data, max_megapixels=section.max_megapixels, min_side=section.min_side)
    except Unusable as error:
        return error
    with study.engine.connect() as connection:
        if tombstones.standing(connection, [f"sha256:{facts.image_id}"]):
            return Unusable("tombstone", "a tombstone of the study stands against it")
    store_image(study.images_folder, data, facts)
    return facts


def _write_pictures(
    study: Study, batch: Sequence[tuple[dict[str, Any], ImageFacts | Unusable]], ids: _Ids, done: BroughtIn
) -> None:
    """Enter pictures that were looked at; whatever the study had of their labels then belongs to them."""
    candidates = []
    with study.writing() as connection:
        for row, seen in batch:
            candidate = {"source": row["source"], "source_id": row["source_id"], "seen_at": time.time()}
            if isinstance(seen, Unusable):
                reason = f"pictures that cannot be used, such as {row['file']}: {seen}"
                first = next(
                    (one for one in done.left_out if one.startswith("pictures that cannot be used")), reason
                )
                done.left_out[first] = done.left_out.get(first, 0) + 1
                candidates.append({**candidate, "state": "rejected", "rule": seen.rule, "reason": str(seen)})
                continue
            if seen.image_id in ids.taken:
                reason = (
                    "pictures with the bytes of another one of the dataset; their labels stay without a file"
                )
                done.left_out[reason] = done.left_out.get(reason, 0) + 1
                continue
            new = add_rows(connection, _IMAGES, [_image_row(row, seen)])
            done.images += new and row["image_id"] not in ids.present
            done.pictures += 1
            candidates.append(
                {**candidate, "state": "stored" if new else "duplicate", "image_id": seen.image_id}
            )
            if row["image_id"] in ids.present:
                _rename(connection, row["image_id"], seen.image_id)
                ids.present.discard(row["image_id"])
            ids.of[row["their_id"]] = seen.image_id
            ids.present.add(seen.image_id)
            ids.taken.add(seen.image_id)
        for candidate in candidates:
            _note(connection, candidate)


def _image_row(row: Mapping[str, Any], facts: ImageFacts) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name in _IMAGES.columns}
    return told | {
        "image_id": facts.image_id,
        "retrieved_at": time.time(),
        "width": facts.width,
        "height": facts.height,
        "format": facts.format,
        "bytes": facts.bytes,
        "status": "kept",
    }


def _rename(connection: sa.Connection, old: str, new: str) -> None:
    """Give everything of an absent image to its picture; what the picture has already stays."""
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            if not any(key.column is _IMAGES.c.image_id for key in column.foreign_keys):
                continue
            if column.primary_key:
                others = [one for one in table.primary_key if one is not column]
                twin = table.alias()
                same = sa.and_(twin.c[column.name] == new, *(twin.c[one.name] == one for one in others))
                connection.execute(sa.delete(table).where(column == old, sa.exists().where(same)))
            connection.execute(sa.update(table).where(column == old).values({column.name: new}))
    connection.execute(sa.delete(_IMAGES).where(_IMAGES.c.image_id == old))


def _note(connection: sa.Connection, candidate: Mapping[str, Any]) -> None:
    """A row of `candidates`, in the place of an earlier one of the same picture."""
    key = (_CANDIDATES.c.source == candidate["source"]) & (_CANDIDATES.c.source_id == candidate["source_id"])
    connection.execute(sa.delete(_CANDIDATES).where(key))
    connection.execute(sa.insert(_CANDIDATES), dict(candidate))


def _add_absent(study: Study, images: pd.DataFrame, ids: _Ids, done: BroughtIn) -> None:
    """Images of which the study has no picture: known by their labels."""
    ours = images["their_id"].map(ids.of)
    columns = [column.name for column in _IMAGES.c if column.name in images]
    unknown = images[ours.eq(images["image_id"]) & ~ours.isin(ids.present)][columns]
    rows = unknown.assign(status="absent", retrieved_at=time.time())
    for part in _parts(rows):
        with study.writing() as connection:
            done.images += add_rows(connection, _IMAGES, part)
    done.absent = int(ours.eq(images["image_id"]).sum())


def _add_tables(
    study: Study, published: Published, ids: _Ids, done: BroughtIn, progress: Callable[[int], None]
) -> None:
    answers = answers_of(published)
    done.left_out |= answers.left_out
    made = {
        **{name: published.tables[name] for name in _WRITTEN if name in published.tables},
        **answers.tables,
    }
    written = 0
    for name in _WRITTEN:
        if name not in made or (name in ("ratings", "comparisons") and name not in answers.tables):
            continue
        frame = _ours(made[name], name, published, ids, done)
        new = 0
        for part in _parts(frame):
            with study.writing() as connection:
                new += add_rows(connection, tables.metadata.tables[name], part)
            written += len(part)
            progress(written)
        done.rows[name] = new
        if len(frame) > new:
            done.known[name] = len(frame) - new


def _ours(table: pd.DataFrame, name: str, published: Published, ids: _Ids, done: BroughtIn) -> pd.DataFrame:
    """A table's rows about images of the study, with our columns and ids."""
    table = table[[column.name for column in tables.metadata.tables[name].c if column.name in table]]
    for column in ("image_id", "first_id", "second_id"):
        if column not in table:
            continue
        ours = table[column].map(ids.of)
        lost = table[column].notna() & ours.isna()
        if lost.any() and name != "units":
            reason = f"{name} about images that are not taken"
            done.left_out[reason] = done.left_out.get(reason, 0) + int(lost.sum())
        table = table.assign(**{column: ours})[~lost]
    if name == "series":
        of = {one: short(published.name, str(one), 64) for one in table["series_id"].unique()}
        table = table.assign(series_id=table["series_id"].map(of))
    if name == "histograms":
        table = table[table["count"] > 0]
    if name == "observations":
        unknown = table["seen_at"].isna()
        if unknown.any():
            reason = "counters of nobody knows when; say it with --set seen_at=SECONDS since 1970"
            done.left_out[reason] = int(unknown.sum())
        table = table[~unknown]
    whole = {
        column.name: table[column.name].round().astype("Int64")
        for column in tables.metadata.tables[name].c
        if isinstance(column.type, sa.Integer) and column.name in table and table[column.name].notna().any()
    }
    return table.assign(**whole)


def _check_rivals(study: Study, published: Published) -> None:
    """Two splits of one dataset, each of which trains on what the other tests on, must not meet by chance."""
    if not published.rivals:
        return
    query = sa.select(tables.splits.c.split).distinct()
    query = query.join(_IMAGES, _IMAGES.c.image_id == tables.splits.c.image_id)
    query = query.where(_IMAGES.c.source == published.name)
    there = [row["split"] for row in study.rows(query)]
    clash = sorted(split for split in there if split.startswith(published.rivals))
    if clash:
        mine = sorted(set(published.read("splits")["split"]))
        raise InputError(
            f"the study has {published.name}'s split {clash[0]} already, and must not get {mine[0]} beside it: whoever "
            "trains on one has seen what the other tests on. Import into another study, or say that you want both "
            "with --set splits=both"
        )


def _check_names(published: Published) -> None:
    for (name, column), most in _LONGEST.items():
        if name not in published.tables or column not in published.tables[name]:
            continue
        for word in published.tables[name][column].dropna().unique():
            if len(str(word)) > most:
                raise InputError(
                    f"{published.name}: the {column} {str(word)[:60]!r} is longer than {most} characters; give it a "
                    "shorter name"
                )


def _parts(frame: pd.DataFrame) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(frame), _AT_ONCE):
        yield _records(frame.iloc[start : start + _AT_ONCE])


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as a database takes them: missing values as None, numbers of Python's kinds."""
    columns: dict[str, list[Any]] = {
        str(name): frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
