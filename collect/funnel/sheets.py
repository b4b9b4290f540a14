"""Contact sheets: some of the kept pictures, and some that each rule rejected, small enough for a page.

Takes in a study; gives out rows of small pictures with who made them and why they were rejected. Image ids are
hashes, so the first ones in their order are a random sample, and the same one every time.

    >>> [sheet.title for sheet in sheets(study)]        # doctest: +SKIP
    ['Kept', 'Rejected: blur', 'Rejected: graphic']
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from photojury.analysis.thumbnails import thumbnail
from photojury.datasets import tables
from photojury.datasets.licenses import LICENSES
from photojury.datasets.store import Study

KEPT, REJECTED, RULES = 24, 8, 12
"""Pictures of the kept ones, of each rule, and rules: at most 120 pictures, about 1 MB in the page."""

LONGEST, QUALITY = 200, 65


@dataclass(frozen=True)
class Picture:
    """One picture of a sheet: its data URI (empty where its file is missing), name, credit, reason, and page."""

    uri: str
    name: str
    credit: str
    reason: str
    page_url: str


@dataclass(frozen=True)
class Sheet:
    """Pictures with one fate, and how many there are in all."""

    title: str
    count: int
    pictures: list[Picture]


def sheets(study: Study) -> list[Sheet]:
    """The sheet of the kept pictures, and one for each rule that rejected some, those that rejected most first."""
    table = tables.images
    found = [_sheet(study, "Kept", table.c.status == "kept", KEPT)]
    number = sa.func.count().label("number")
    rejected = sa.select(table.c.rule, number).where(table.c.status == "rejected").group_by(table.c.rule)
    for row in study.rows(rejected.order_by(number.desc(), table.c.rule).limit(RULES)):
        rule = row["rule"]
        same = table.c.rule.is_(None) if rule is None else table.c.rule == rule
        title = f"Rejected: {(rule or 'no rule').replace('_', ' ')}"
        found.append(_sheet(study, title, (table.c.status == "rejected") & same, REJECTED))
    return [sheet for sheet in found if sheet.count]


def _sheet(study: Study, title: str, chosen: "sa.ColumnElement[bool]", most: int) -> Sheet:
    table = tables.images
    count = study.rows(sa.select(sa.func.count().label("count")).where(chosen))[0]["count"]
    names = (
        "image_id",
        "format",
        "source",
        "source_id",
        "title",
        "author",
        "license_id",
        "page_url",
        "reason",
    )
    query = sa.select(*(table.c[name] for name in names)).where(chosen)
    rows = study.rows(query.order_by(table.c.image_id).limit(most))
    return Sheet(title, count, [_picture(study, row) for row in rows])


def _picture(study: Study, row: Mapping[str, Any]) -> Picture:
    path = study.image_path(row["image_id"], row["format"])
    try:
        uri = thumbnail(path, longest=LONGEST, quality=QUALITY)
    except OSError:
        uri = ""
    license = LICENSES.get(row["license_id"] or "")
    credit = [row["author"], license.name if license else row["license_id"]]
    page = row["page_url"] or ""
    return Picture(
        uri,
        row["title"] or Path(row["source_id"]).name,
        ", ".join(word for word in credit if word),
        row["reason"] or "",
        # An address from a list may begin with javascript:.
        page if page.startswith(("https://", "http://")) else "",
    )
