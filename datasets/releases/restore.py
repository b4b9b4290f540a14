"""A release back into a study: its pictures, questions, assignments, answers and everything else that it holds.

Takes in an open study and a release's folder; writes rows, and gives out how many are new. Raters keep the ids of the
release. What a release does not tell stays unknown: times of day, raw answers, payments. Pictures that the release only
names come as `absent`. What is there already stays as it is, and a tombstone of the study wins, so that a restore may be
repeated after a kill.

    restore(study, Path("skies-1.0.0"))["ratings"]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from photojury.datasets import tables, tombstones
from photojury.datasets.images import Unusable, inspect, store_image
from photojury.datasets.releases.layout import REFERENCES, TABLES
from photojury.datasets.releases.read import open_release, read
from photojury.datasets.scales import check_scale
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError

# In the order in which rows refer to each other.
_ORDER = ("images", "units", "hits", "assignments", *(name for name in TABLES if name not in
          ("images", "units", "hits", "assignments")))  # fmt: skip

# What a store must have and a release does not tell.
_UNTOLD: Mapping[str, Mapping[str, str]] = {
    "hits": {"unit_ids": "[]", "marketplace": tables.IMPORTED, "state": "closed"},
    "assignments": {"answers": "", "status": "Approved"},
}
_AT_ONCE = 50_000


def restore(study: Study, folder: Path, *, check: bool = True) -> dict[str, int]:
    """Write a release into a study.

    Args:
        study: the open study.
        folder: the release's.
        check: first read every file and compare; False where `read` has done so already.

    Returns:
        How many rows are new, by table.

    Raises:
        InputError: the folder is no release or not what was released, its ratings lie on another scale than the study's, or
            a picture is none that raters can be shown.
    """
    published = read(folder, check=check)
    check_scale(study, published)
    opened = open_release(folder)
    images = _images(study, opened.read("images"))
    _store_pictures(study, folder, images)
    found = {name: opened.read(name) for name in opened.tables()} | {"images": images}
    keys, known = dict(REFERENCES.values()), dict[str, set[object]]()
    new = {}
    for name in _ORDER:
        if name in found:
            table = _resolved(found[name], known)
            if name in keys:
                known[name] = set(table[keys[name]])
            rows = _rows(table, name)
            new[name] = sum(
                _add(study, name, rows[at : at + _AT_ONCE]) for at in range(0, len(rows), _AT_ONCE)
            )
    return new


def _images(study: Study, images: pd.DataFrame) -> pd.DataFrame:
    """The images that the study may have, as it keeps them."""
    images["source_id"] = images["source_id"].where(images["source_id"].notna(), images["image_id"])
    images["status"] = ["kept" if reason is None else "absent" for reason in _plain(images["left_out"])]
    with study.engine.connect() as connection:
        against = tombstones.reasons_against(connection, _records(images))
    return images[[reason is None for reason in against]]


def _store_pictures(study: Study, folder: Path, images: pd.DataFrame) -> None:
    wanted = set(images.loc[images["status"] == "kept", "image_id"])
    section = study.settings.collect
    for image, data in open_release(folder).pictures():
        if image not in wanted:
            continue
        try:
            facts = inspect(data, max_megapixels=section.max_megapixels, min_side=section.min_side)
        except Unusable as error:
            raise InputError(f"{folder}: picture {image} cannot be taken in: {error}") from None
        store_image(study.images_folder, data, facts)


def _resolved(table: pd.DataFrame, known: Mapping[str, set[object]]) -> pd.DataFrame:
    """The rows that name nothing which was left out."""
    for column, (other, _) in REFERENCES.items():
        if column in table and other in known:
            table = table[table[column].isna() | table[column].isin(known[other])]
    return table


def _rows(table: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    """A table's rows as the store takes them."""
    if name == "units":  # a repeat comes after the question that it repeats
        table = table.sort_values(["repeat_of", "unit_id"], na_position="first")
    if name == "hits":
        table = table.assign(request_token=table["hit_key"])
    table = table.assign(**_UNTOLD.get(name, {}))
    own = [column for column in tables.metadata.tables[name].c if column.name in table]
    rows = _records(table[[column.name for column in own]])
    for column in (one.name for one in own if isinstance(one.type, sa.Integer)):
        for row in rows:  # with gaps, whole numbers are floats in a DataFrame
            row[column] = None if row[column] is None else int(row[column])
    return rows


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = {str(name): _plain(table[name]) for name in table}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _plain(column: "pd.Series[Any]") -> list[Any]:
    """Values as Python's own, missing ones as None."""
    return column.astype(object).where(column.notna(), None).tolist()


def _add(study: Study, name: str, rows: list[dict[str, Any]]) -> int:
    with study.writing() as connection:
        return add_rows(connection, tables.metadata.tables[name], rows)
