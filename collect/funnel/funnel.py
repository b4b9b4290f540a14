"""The funnel: what every source offered, what became of each picture, and which rules took how many away.

Takes in a study; gives out a `Funnel` of counts. All of them are sums of one and the same count of candidates, so
that the fates of any line add up to its pictures.

    >>> funnel = count(open_study(Path("demo-study")))      # doctest: +SKIP
    >>> funnel.total.unique == sum(funnel.total.fates.values())     # doctest: +SKIP
    True
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from photojury.collect.funnel.asked import Asked, canonical, searched
from photojury.collect.funnel.tally import FATES, STORED, Tally
from photojury.datasets import tables
from photojury.datasets.licenses import LICENSES
from photojury.datasets.releases.rights import OWN, ruled
from photojury.datasets.store import Study

NO_FILE = ("no_file", "bad_url", "private_address", "http_")
"""How the rules begin of unusable candidates whose file never came: none to ask for, or none was given."""

_STATES = {
    "found": "waiting",
    "failed": "failed",
    "gone": "gone",
    "barred": "barred",
    "rejected": "unusable",
    "duplicate": "duplicate",
}


@dataclass(frozen=True)
class Lost:
    """How many pictures one rule took away, with one of its sentences."""

    fate: str
    rule: str
    count: int
    example: str


@dataclass(frozen=True)
class Licensed:
    """Pictures under one licence; `left_out` says why a release does not copy them, None where it does."""

    license_id: str | None
    name: str
    unique: int
    kept: int
    left_out: str | None


@dataclass(frozen=True)
class Funnel:
    """The funnel of a study; `other_kept` are kept images that no candidate stands for."""

    total: Tally
    sources: dict[str, Tally]
    queries: list[Asked]
    losses: list[Lost]
    licenses: list[Licensed]
    retry_at: float | None
    kept: int

    @property
    def other_kept(self) -> int:
        """Kept images that no candidate stands for: of files that changed, or of studies older than candidates."""
        return self.kept - self.total.fates["kept"]


def count(study: Study) -> Funnel:
    """Count a study's candidates, all at one moment, whoever is downloading meanwhile."""
    with _one_moment(study.engine) as connection:
        cells = _cells(connection)
        examples = _examples(connection)
        asked = searched(connection)
        retry_at = connection.execute(sa.select(sa.func.min(_CANDIDATES.c.retry_at)).where(_FAILED)).scalar()
        kept = sa.select(sa.func.count()).where(_IMAGES.c.status == "kept")
        kept_images = connection.execute(kept).scalar_one()
    queries = _queries(cells, asked)
    sources: dict[str, Tally] = {}
    for line in queries:
        sources.setdefault(line.source, Tally()).add(line.tally)
    total = Tally()
    for tally in sources.values():
        total.add(tally)
    return Funnel(
        total=total,
        sources=dict(sorted(sources.items(), key=lambda item: (-item[1].unique, item[0]))),
        queries=queries,
        losses=_losses(cells, examples),
        licenses=_licenses(study, cells),
        retry_at=retry_at,
        kept=kept_images,
    )


_CANDIDATES, _IMAGES = tables.candidates, tables.images
_FAILED = _CANDIDATES.c.state == "failed"

Cell = Mapping[str, Any]


@contextmanager
def _one_moment(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection whose queries all see the store as it is now."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
        connection.rollback()


def _cells(connection: sa.Connection) -> list[Cell]:
    """How many candidates are alike in everything that is counted: some thousand rows, whatever the crawl."""
    candidates, images = _CANDIDATES, _IMAGES
    stored = (candidates.c.state == "stored") & (candidates.c.image_id == images.c.image_id)
    columns = (
        candidates.c.source,
        candidates.c.query,
        candidates.c.state,
        candidates.c.rule,
        candidates.c.retry_at.is_(None).label("for_good"),
        sa.case((images.c.image_id.is_(None), candidates.c.license_id), else_=images.c.license_id).label(
            "license_id"
        ),
        images.c.status.label("image_status"),
        images.c.rule.label("image_rule"),
    )
    query = sa.select(*columns, sa.func.count().label("count"))
    query = query.select_from(candidates.outerjoin(images, stored)).group_by(*columns)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [{**row, "fate": _fate(row)} for row in rows]


def _fate(row: Cell) -> str:
    if row["state"] == "stored":
        # A stored candidate without its image cannot be by the store's keys; if it is, it is taken out.
        return row["image_status"] if row["image_status"] in STORED else "tombstoned"
    if row["state"] == "failed" and row["for_good"]:
        return "given_up"
    return _STATES[row["state"]]


def _rule(cell: Cell) -> str | None:
    rule: str | None = cell["image_rule"] if cell["state"] == "stored" else cell["rule"]
    return rule


def _queries(cells: Iterable[Cell], asked: dict[tuple[str, str], Asked]) -> list[Asked]:
    """Each query with its tally; rows are the searches', and of sources that know no search the pictures."""
    found = dict(asked)
    for cell in cells:
        key = (cell["source"], canonical(cell["query"]))
        line = found.setdefault(key, Asked(*key))
        line.tally.unique += cell["count"]
        line.tally.fates[cell["fate"]] += cell["count"]
        if cell["fate"] == "unusable" and (cell["rule"] or "").startswith(NO_FILE):
            line.tally.without_file += cell["count"]
    for key, line in found.items():
        if key not in asked:
            line.tally.rows = line.unique = line.tally.unique
    return sorted(found.values(), key=lambda line: (-line.tally.unique, line.source, line.query))


def _losses(cells: Iterable[Cell], examples: Mapping[tuple[str, str | None], str]) -> list[Lost]:
    """Rules by how many they took, within each fate; what was never looked at has no rule."""
    counts: dict[tuple[str, str | None], int] = {}
    for cell in cells:
        if cell["fate"] not in ("kept", "waiting"):
            key = (cell["fate"], _rule(cell))
            counts[key] = counts.get(key, 0) + cell["count"]
    order = list(FATES)
    lost = [
        Lost(fate, rule or "", count, examples.get((fate, rule)) or "")
        for (fate, rule), count in counts.items()
    ]
    return sorted(lost, key=lambda line: (order.index(line.fate), -line.count, line.rule))


def _examples(connection: sa.Connection) -> dict[tuple[str, str | None], str]:
    """One sentence for each fate and rule."""
    found: dict[tuple[str, str | None], str] = {}
    candidates, images = _CANDIDATES, _IMAGES
    alike = (candidates.c.state, candidates.c.rule, candidates.c.retry_at.is_(None).label("for_good"))
    lost = candidates.c.state.not_in(("stored", "found"))
    query = sa.select(*alike, sa.func.min(candidates.c.reason).label("reason")).where(lost).group_by(*alike)
    for row in connection.execute(query).mappings():
        found[_fate(dict(row)), row["rule"]] = row["reason"]
    query = sa.select(images.c.status, images.c.rule, sa.func.min(images.c.reason))
    query = query.where(images.c.status != "kept").group_by(images.c.status, images.c.rule)
    for status, rule, sentence in connection.execute(query):
        found[status, rule] = sentence
    return found


def _licenses(study: Study, cells: Iterable[Cell]) -> list[Licensed]:
    table = pd.DataFrame(
        [dict(cell) for cell in cells], columns=["source", "license_id", "count", "fate"]
    ).assign(license_url=None)
    table["kept"] = table["count"].where(table["fate"].eq("kept"), 0)
    # A release states "own" for the makers' own pictures.
    table = ruled(table, study.settings.rights)
    grouped = table.groupby(["license_id", "left_out"], dropna=False, as_index=False)[["count", "kept"]].sum()
    found = [
        Licensed(
            _text(row["license_id"]),
            _license_name(_text(row["license_id"])),
            int(row["count"]),
            int(row["kept"]),
            _text(row["left_out"]),
        )
        for row in grouped.to_dict("records")
    ]
    return sorted(found, key=lambda line: (-line.unique, line.name))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _license_name(license_id: str | None) -> str:
    license = LICENSES.get(license_id or "")
    if license_id == OWN:
        return "your own pictures"
    return license.name if license else license_id or "not stated"
