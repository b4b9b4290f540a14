"""Reporting: what was last heard of every stored picture, and what of that takes its rights away.

Takes in a study, whose `standings` were written by photojury.collect.rights.refresh; gives out a `Report`.

    >>> report(study).findings                          # doctest: +SKIP
    {'same': 970, 'gone': 21, 'licence': 9}
"""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from photojury.collect.rights.standing import RIGHTS, Row
from photojury.datasets import tables
from photojury.datasets.licenses import LICENSES
from photojury.datasets.store import Study
from photojury.errors import PhotojuryError, unknown_name


@dataclass(frozen=True)
class Change:
    """A picture that is not as it was, or of which nobody can tell; `prune` says whether it is to be forgotten."""

    image_id: str
    source: str
    source_id: str
    finding: str
    note: str
    prune: bool


@dataclass(frozen=True)
class Report:
    """How the study's pictures stand at their sources, by what was last heard of each.

    Attributes:
        pictures: that are stored and not tombstoned, from sources that can be asked.
        own: from folders and sources that cannot.
        checked: looked up in this run.
        findings: how many pictures of each finding: same, licence, gone, opt_out, unknown, and never: not yet
            looked up.
        changes: every picture whose finding is another one than "same" and "never".
        problems: what kept a source from being asked to the end, by source; nothing was judged by it.
    """

    pictures: int
    own: int
    checked: int
    findings: dict[str, int]
    changes: list[Change]
    problems: dict[str, PhotojuryError] = field(default_factory=dict)


def report(
    study: Study,
    *,
    source: str | None = None,
    checked: int = 0,
    problems: dict[str, PhotojuryError] | None = None,
) -> Report:
    """What is known of the study's pictures, without asking anybody."""
    names = names_of(source)
    findings: dict[str, int] = {}
    changes = []
    pictures = own = 0
    for row in _heard(study):
        if row["source"] not in RIGHTS:
            own += 1
        elif row["source"] in names:
            pictures += 1
            finding = row["finding"] or "never"
            findings[finding] = findings.get(finding, 0) + 1
            if finding not in ("same", "never"):
                changes.append(_change(row))
    return Report(pictures, own, checked, findings, changes, problems or {})


def withdrawn(old: str | None, new: str | None) -> bool:
    """Whether a change of licence takes away that files, or changed files, may be handed on.

    A word that is not in our table takes nothing away: what it allows is not known.

    >>> withdrawn("cc-by-2.0", "cc-by-nd-2.0"), withdrawn("cc-by-2.0", "cc-by-nc-2.0")
    (True, False)
    """
    before, now = LICENSES.get(old or ""), LICENSES.get(new or "")
    if before is None or now is None:
        return False
    return (before.copies and not now.copies) or (before.derivatives and not now.derivatives)


def names_of(source: str | None) -> list[str]:
    """The source, or all that can be asked; raises InputError for another one."""
    if source is None:
        return list(RIGHTS)
    if source not in RIGHTS:
        raise unknown_name("source that can be asked again", source, RIGHTS)
    return [source]


def newest_standings() -> "sa.Subquery":
    """When each picture, by source and source_id, was last looked up."""
    table = tables.standings
    return (
        sa.select(table.c.source, table.c.source_id, sa.func.max(table.c.checked_at).label("checked_at"))
        .group_by(table.c.source, table.c.source_id)
        .subquery()
    )


def _heard(study: Study) -> list[dict[str, Any]]:
    """Every stored picture that is not tombstoned, with what was last heard of it."""
    images, newest, standings = tables.images, newest_standings(), tables.standings
    same = (images.c.source == newest.c.source) & (images.c.source_id == newest.c.source_id)
    this = (standings.c.source == newest.c.source) & (standings.c.source_id == newest.c.source_id)
    columns = (images.c.image_id, images.c.source, images.c.source_id, images.c.license_id.label("had"))
    query = (
        sa.select(*columns, standings.c.finding, standings.c.license_id, standings.c.note)
        .outerjoin(newest, same)
        .outerjoin(standings, this & (standings.c.checked_at == newest.c.checked_at))
        .where(images.c.status != "tombstoned")
        .order_by(images.c.source, images.c.source_id)
    )
    return study.rows(query)


def _change(row: Row) -> Change:
    finding = row["finding"]
    lost = finding in ("gone", "opt_out") or (
        finding == "licence" and withdrawn(row["had"], row["license_id"])
    )
    return Change(row["image_id"], row["source"], row["source_id"], finding, row["note"] or "", lost)
