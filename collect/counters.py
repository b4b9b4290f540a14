"""Counters over time: views, favourites and comments of known photos, asked again and added to what was seen before.

Takes in a study with candidates from Flickr; gives out rows of `observations`, never changing an older one.

    counted = revisit(study, older_than=30)

A round goes over every photo whose counters are older than asked, and over every photo whose favourites were never
told. Finished searches are asked again where that is cheaper, 500 photos a call, as far as they still find their
photos; the rest is asked photo by photo, with two calls each (getInfo has views and comments, getFavorites has
favourites), or one where only the favourites are missing of counters that are less than a day old. A round that was
stopped goes on where it was.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from photojury.collect.sources.crawl import begin, crawl
from photojury.collect.sources.flickr import Flickr
from photojury.collect.sources.flickr_client import Client, NotFound, connect
from photojury.collect.sources.flickr_query import COUNTERS
from photojury.collect.sources.source import Finding, Onward, Page, Query, Slice
from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows
from photojury.errors import Unfinished

SOURCE = "flickr"
_ROUNDS = "flickr counters"
_DAY = 86400.0

# States of candidates whose counters are of use: not what is gone, barred or was no picture.
_WANTED = ("found", "failed", "stored", "duplicate")


@dataclass(frozen=True)
class Plan:
    """What a round would ask: photos due, and the calls that they take about, by search and by photo."""

    due: int
    searches: tuple[str, ...]
    calls_by_search: int
    calls_by_photo: int


@dataclass(frozen=True)
class Counted:
    """What a run of a round has done: observations added, photos that Flickr shows no more, calls made."""

    added: int
    gone: int
    calls: int


def plan(study: Study, older_than: float = 0.0) -> Plan:
    """What `revisit` would ask now.

    Args:
        older_than: days since a photo's counters were last seen.
    """
    query = _open_round(study)
    before = float(query["before"]) if query else time.time() - older_than * _DAY
    return _plan(study, before)


def revisit(
    study: Study,
    older_than: float = 0.0,
    *,
    most_calls: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Counted:
    """Ask for the counters of photos again, or go on with a round that was stopped.

    Args:
        older_than: days since a photo's counters were last seen; of a round that goes on, what it began with.
        most_calls: stop after about so many calls to Flickr.
        progress: called with the number of observations added.

    Raises:
        Unfinished: most_calls are made, or Flickr asks for rest; the same call goes on.
        ServiceError: from Flickr.
    """
    seen = study.count("observations")
    query = _open_round(study) or {"before": time.time() - older_than * _DAY, "round": time.time()}
    allowance = _Allowance(connect(study), most_calls)
    searches, photos = BySearch(study, allowance), ByPhoto(study, allowance)
    # Both steps are written down first: stopped between them, the round still has open slices to go on with.
    begin(study, searches, {**query, "by": "search"})
    begin(study, photos, {**query, "by": "photo"})

    def show(_: int) -> None:
        progress(study.count("observations") - seen)

    crawl(study, searches, {**query, "by": "search"}, keep=_observe, progress=show)
    crawl(study, photos, {**query, "by": "photo"}, keep=_observe, progress=show)
    return Counted(study.count("observations") - seen, photos.gone, allowance.client.calls)


def without_favourites(study: Study) -> int:
    """How many photos have no favourites in any observation; the next round asks for them one by one."""
    query = sa.select(sa.func.count()).select_from(_wanted().where(_never_told()).subquery())
    with study.engine.connect() as connection:
        return connection.execute(query).scalar_one()


@dataclass
class _Allowance:
    client: Client
    most: int | None

    def check(self) -> None:
        if self.most is not None and self.client.calls >= self.most:
            raise Unfinished(f"the {self.most} calls that were allowed are made; the same command goes on")


class BySearch:
    """Finished searches asked again, slice by slice; what they find is looked at for its counters only."""

    name = _ROUNDS

    def __init__(self, study: Study, allowance: _Allowance) -> None:
        self._study = study
        self._allowance = allowance
        self._flickr = Flickr(study, extras=COUNTERS)
        self._flickr.client = allowance.client
        self._queries: dict[str, Query] = {}

    def slices(self, query: Query, now: float) -> list[str]:
        """The first ranges of every search that is cheaper than its photos one by one: `SEARCH:BEGIN-END`."""
        chosen = _plan(self._study, float(str(query["before"]))).searches
        table = tables.slices
        first = sa.select(table.c.search_id, table.c.slice).where(
            table.c.search_id.in_(chosen), table.c.part_of.is_(None)
        )
        return [f"{row['search_id']}:{row['slice']}" for row in self._study.rows(first)]

    def fetch(self, query: Query, part: Slice) -> Page:
        """As the source `flickr` does, of the search that the slice names."""
        self._allowance.check()
        search, _, key = part.key.partition(":")
        return self._flickr.fetch(self._query(search), replace(part, key=key))

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        """As the source `flickr` does."""
        search, _, key = part.key.partition(":")
        onward = self._flickr.onward(self._query(search), replace(part, key=key), page, new)
        return replace(onward, slices=tuple(f"{search}:{name}" for name in onward.slices))

    def _query(self, search: str) -> Query:
        if search not in self._queries:
            table = tables.searches
            found = self._study.rows(sa.select(table.c.query).where(table.c.search_id == search))
            self._queries[search] = json.loads(found[0]["query"])
        return self._queries[search]


class ByPhoto:
    """Photos one by one; a slice is the last digit of their ids, so that ten processes can share the work."""

    name = _ROUNDS

    def __init__(self, study: Study, allowance: _Allowance) -> None:
        self._study = study
        self._allowance = allowance
        self.gone = 0

    def slices(self, query: Query, now: float) -> list[str]:
        """The ten digits."""
        return [f"photos-{digit}" for digit in range(10)]

    def fetch(self, query: Query, part: Slice) -> Page:
        """The counters of the next photo that is due; none where Flickr does not show it any more."""
        self._allowance.check()
        before = float(str(query["before"]))
        table = tables.candidates
        ends = table.c.source_id.like(f"%{part.key[-1]}")
        after = table.c.source_id > (part.cursor or "")
        found = self._study.rows(_due_query(before).where(ends, after).order_by(table.c.source_id).limit(1))
        if not found:
            return Page([], calls=0)
        photo_id = found[0]["source_id"]
        client = self._allowance.client
        calls = client.calls
        try:
            finding = [self._look(photo_id, stale=bool(found[0]["stale"]))]
        except NotFound:
            self.gone += 1
            finding = []
        return Page(finding, cursor=photo_id, calls=client.calls - calls)

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        """The next photo, while there is one."""
        return Onward("open", page.cursor) if page.cursor else Onward("done")

    def _look(self, photo_id: str, *, stale: bool) -> Finding:
        client = self._allowance.client
        favs = client.favourites(photo_id)
        seen = None if stale else self._seen_today(photo_id)
        if seen is not None:
            return Finding(photo_id, None, views=seen["views"], favs=favs, comments=seen["comments"])
        info = client.photo_info(photo_id)
        return Finding(photo_id, None, views=info.views, favs=favs, comments=info.comments)

    def _seen_today(self, photo_id: str) -> dict[str, Any] | None:
        """Views and comments of the last day, which favourites asked for now may stand beside in one row."""
        table = tables.observations
        query = (
            sa.select(table.c.views, table.c.comments)
            .where(table.c.source == SOURCE, table.c.source_id == photo_id, table.c.views.is_not(None))
            .where(table.c.seen_at >= time.time() - _DAY)
            .order_by(table.c.seen_at.desc())
            .limit(1)
        )
        found = self._study.rows(query)
        return found[0] if found else None


def _plan(study: Study, before: float) -> Plan:
    due = _due(study, before)
    stale = {name for name, is_stale in due.items() if is_stale}
    holes = len(due) - len(stale)
    chosen, by_search = [], 0
    for search, calls in _finished_searches(study):
        mine = stale & _found_by(study, search)
        if calls < 2 * len(mine):
            chosen.append(search)
            by_search += calls
            stale -= mine
    return Plan(len(due), tuple(chosen), by_search, 2 * len(stale) + holes)


def _finished_searches(study: Study) -> list[tuple[str, int]]:
    """Searches of Flickr with nothing left to ask, with the calls that they took, the largest first."""
    slices, searches = tables.slices, tables.searches
    calls = sa.func.sum(slices.c.calls)
    query = (
        sa.select(slices.c.search_id, calls.label("calls"))
        .join(searches, searches.c.search_id == slices.c.search_id)
        .where(searches.c.source == SOURCE)
        .group_by(slices.c.search_id)
        .having(sa.func.sum(sa.case((slices.c.state == "open", 1), else_=0)) == 0)
        .order_by(calls.desc())
    )
    return [(row["search_id"], int(row["calls"])) for row in study.rows(query)]


def _found_by(study: Study, search: str) -> set[str]:
    table = tables.finds
    query = sa.select(table.c.source_id).where(table.c.search_id == search)
    return {row["source_id"] for row in study.rows(query)}


def _due(study: Study, before: float) -> dict[str, bool]:
    """The photos that a round has still to look at, and whether all their counters are old."""
    return {row["source_id"]: bool(row["stale"]) for row in study.rows(_due_query(before))}


def _due_query(before: float) -> "sa.Select[Any]":
    stale = ~sa.exists().where(_same_photo(), tables.observations.c.seen_at >= before)
    # Without favourites in any row of it, a photo is due however lately it was seen.
    return _wanted().add_columns(stale.label("stale")).where(stale | _never_told())


def _wanted() -> "sa.Select[Any]":
    table = tables.candidates
    return sa.select(table.c.source_id).where(table.c.source == SOURCE, table.c.state.in_(_WANTED))


def _never_told() -> "sa.ColumnElement[bool]":
    return ~sa.exists().where(_same_photo(), tables.observations.c.favs.is_not(None))


def _same_photo() -> "sa.ColumnElement[bool]":
    table, seen = tables.candidates, tables.observations
    return (seen.c.source == table.c.source) & (seen.c.source_id == table.c.source_id)


def _open_round(study: Study) -> dict[str, Any] | None:
    """The query of a round that was stopped, without its step; None where there is none."""
    slices, searches = tables.slices, tables.searches
    query = (
        sa.select(searches.c.query)
        .join(slices, slices.c.search_id == searches.c.search_id)
        .where(searches.c.source == _ROUNDS, slices.c.state == "open")
        .limit(1)
    )
    found = study.rows(query)
    if not found:
        return None
    values: dict[str, Any] = json.loads(found[0]["query"])
    return {name: value for name, value in values.items() if name != "by"}


def _observe(connection: sa.Connection, _source: str, findings: list[Finding], _query: str) -> int:
    """Add the counters of those findings that the study knows; returns how many rows were added."""
    table = tables.candidates
    names = [finding.source_id for finding in findings]
    known = sa.select(table.c.source_id).where(table.c.source == SOURCE, table.c.source_id.in_(names))
    wanted = set(connection.execute(known).scalars())
    now = time.time()
    rows: list[Mapping[str, object]] = [
        {
            "source": SOURCE,
            "source_id": finding.source_id,
            "seen_at": now,
            "views": finding.views,
            "favs": finding.favs,
            "comments": finding.comments,
        }
        for finding in findings
        if finding.source_id in wanted
        and (finding.views, finding.favs, finding.comments) != (None, None, None)
    ]
    return add_rows(connection, tables.observations, rows)
