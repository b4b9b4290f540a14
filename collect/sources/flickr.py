"""Flickr as a source: a search is asked in ranges of upload dates, each small enough to be given whole.

Takes in a query of photojury.collect.sources.flickr_query; gives out findings, page by page.

    crawl(study, open_source("flickr", study), query(tags="tree", licenses=["cc"]))

Flickr gives at most the first 4,000 results of a search; further pages repeat while its total claims more. Its
totals are not exact, its rows repeat, and while photos are added and deleted, numbered pages shift (all known from
others' crawls; see docs/flickr.md). So:

1. Rows are asked for in the order of upload, and a page is followed by the first page of what was uploaded since
   its last row: nothing shifts, and no result is ever deep. Where rows come in another order, or a whole page was
   uploaded in one second, pages are numbered, at most eight of 500 rows.
2. A range that reports more than 4,000 is cut: into one of about so many rows and the rest, or into equal parts
   where the rows came in no order. No call is wasted by it: its rows are kept, and the ranges go on after them.
3. A finished range that has given clearly less than it reported is asked again in halves, and these likewise as
   long as they bring what no other range has given.
4. A page that brings nothing new ends its range.
"""

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from photojury.collect.sources import flickr_licenses, flickr_query
from photojury.collect.sources.flickr_client import BadKey, Client, NotFound, TooDeep, connect
from photojury.collect.sources.flickr_query import PER_PAGE
from photojury.collect.sources.flickr_rows import finding, number
from photojury.collect.sources.source import Finding, Onward, Page, Query, Slice
from photojury.datasets.store import Study
from photojury.errors import ServiceError

logger = logging.getLogger(__name__)

# "At most the first 4,000 results for any given search query" (flickr.reflection on photos.search).
DEEPEST = 4000
# Equal parts of a range whose rows have no order are aimed lower, as parts are never equally full.
_AIM = 3000
# A tenth less than reported is common (photos that a search counts and does not show) and not asked for again.
_MISSING = 0.1


@dataclass(frozen=True)
class Spot:
    """Where in a slice the next call asks: uploads from `begin` to `end`, both included, and which page of them."""

    begin: int
    end: int
    page: int = 1

    @classmethod
    def of(cls, part: Slice) -> "Spot":
        """The place of a slice's cursor, or its beginning: `1420070400-1735689599/2`."""
        dates, _, page = (part.cursor or part.key).partition("/")
        begin, end = map(int, dates.split("-"))
        return cls(begin, end, int(page or 1))

    def __str__(self) -> str:
        return f"{self.begin}-{self.end}/{self.page}"


class Flickr:
    """The source `flickr` of a study."""

    name = "flickr"

    def __init__(self, study: Study, extras: str = flickr_query.EXTRAS) -> None:
        self._study = study
        self._extras = extras

    @cached_property
    def client(self) -> Client:
        """Connected at the first call, so that a question is checked before a key is missed."""
        return connect(self._study)

    def slices(self, query: Query, now: float) -> list[str]:
        """One range: all that was uploaded until now, or within the query's dates.

        Asks for Flickr's list of licences first: without a key that works, no search is begun.
        """
        begin, end = flickr_query.bounds(query, now)
        self._look_at_licenses()
        return [f"{begin}-{end}"]

    def fetch(self, query: Query, part: Slice) -> Page:
        """The rows at the slice's place; the page's cursor is the place to ask next, None at the end."""
        spot = Spot.of(part)
        before = self.client.calls
        reported, rows = self._ask(query, spot)
        if not rows and reported and spot.page == 1:
            # A page may lack its rows although it counts them.
            reported, rows = self._ask(query, spot)
        found = [one for row in rows if (one := finding(row, str(query.get("size", "l")))) is not None]
        calls = self.client.calls - before
        return Page(found, _next(spot, reported, rows, found), reported=reported, calls=calls)

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        """Go on, cut, ask again in halves or be done, as the module's rules say."""
        whole = Spot.of(Slice(part.key))
        too_many = (page.reported or 0) > DEEPEST
        if part.cursor is None and too_many and whole.begin < whole.end:
            return _cut(whole, page)
        if new == 0 or page.cursor is None:
            return _settle(whole, part)
        spot = Spot.of(Slice(part.key, page.cursor))
        if spot.page * PER_PAGE <= DEEPEST:
            return Onward("open", page.cursor)
        return _too_deep(spot, page) if too_many else _settle(whole, part)

    def _ask(self, query: Query, spot: Spot) -> tuple[int | None, list[dict[str, Any]]]:
        """How many results Flickr reports for a place, and the rows there."""
        asked = {
            **flickr_query.parameters(query),
            "extras": self._extras,
            "min_upload_date": spot.begin,
            "max_upload_date": spot.end,
            "page": spot.page,
        }
        try:
            block = self.client.call("photos.search", asked, "photos")
        except TooDeep:
            return None, []
        rows = block.get("photo")
        return number(block.get("total")), [row for row in rows or [] if isinstance(row, dict)]

    def _look_at_licenses(self) -> None:
        """Warn, as a search begins, where Flickr's list of licences has outgrown photojury's."""
        client = self.client
        try:
            block = client.call("photos.licenses.getInfo", {}, "licenses")
        except BadKey:
            raise
        except (ServiceError, NotFound) as error:
            logger.warning("Flickr's list of licences cannot be read, and photojury's is used: %s", error)
            return
        for sentence in flickr_licenses.compare(block):
            logger.warning("%s", sentence)


def _next(spot: Spot, reported: int | None, rows: list[dict[str, Any]], found: list[Finding]) -> str | None:
    """The place after a page's; None where nothing is left."""
    if not found or (len(rows) < PER_PAGE and spot.page * PER_PAGE >= (reported or 0)):
        return None
    last = _last_of_ordered(found)
    if last is not None and spot.begin < last <= spot.end:
        # The last row's second is asked again: there may be more of it.
        return str(Spot(last, spot.end))
    return str(Spot(spot.begin, spot.end, spot.page + 1))


def _last_of_ordered(found: list[Finding]) -> int | None:
    """The latest upload of rows that came in ascending order, repeats left aside; None where they did not."""
    first_seen = {one.source_id: one.uploaded_at for one in reversed(found)}
    dates = [first_seen[name] for name in dict.fromkeys(one.source_id for one in found)]
    if any(moment is None for moment in dates):
        return None
    known = [int(moment) for moment in dates if moment is not None]
    return known[-1] if known == sorted(known) else None


def _cut(whole: Spot, page: Page) -> Onward:
    """Ranges of at most 4,000 rows, as far as one can tell, in place of a range of more."""
    reported = page.reported or 0
    last = _last_of_ordered(page.findings) if page.findings else None
    if last is None or not whole.begin <= last <= whole.end:
        return _parts(whole.begin, whole.end, -(-reported // _AIM))
    if last == whole.begin:
        return _cut_at([whole.begin, whole.begin + 1], whole.end)
    # Rows are seldom spread evenly: only the next range is measured out, and the rest when its first page is there.
    parts = _parts(last, whole.end, -(-(reported - len(page.findings)) // DEEPEST)).slices
    first_end = int(parts[0].split("-")[1])
    return _cut_at([last, first_end + 1][: len(parts)], whole.end)


def _too_deep(spot: Spot, page: Page) -> Onward:
    """What to do where eight pages of a place were not all of it."""
    if spot.begin == spot.end:
        logger.warning(
            "Flickr has more than %d photos of one second (%d) and gives no more of it", DEEPEST, spot.begin
        )
        return Onward("full")
    if _last_of_ordered(page.findings) == spot.begin:
        return _cut_at([spot.begin, spot.begin + 1], spot.end)
    return _parts(spot.begin, spot.end, 2)


def _parts(begin: int, end: int, count: int) -> Onward:
    """A range in so many equal parts, or in as many as it has seconds."""
    width = -(-(end - begin + 1) // max(1, count))
    return _cut_at(list(range(begin, end + 1, width)), end)


def _cut_at(begins: list[int], end: int) -> Onward:
    ends = [begin - 1 for begin in begins[1:]] + [end]
    return Onward("cut", slices=tuple(f"{begin}-{last}" for begin, last in zip(begins, ends, strict=True)))


def _settle(whole: Spot, part: Slice) -> Onward:
    """The end of a slice: done, or asked again in halves where too much of what was reported did not come."""
    missing = (part.reported or 0) - part.unique
    if missing <= max(2, _MISSING * (part.reported or 0)):
        return Onward("done")
    if part.own and whole.begin < whole.end:
        return _parts(whole.begin, whole.end, 2)
    logger.warning(
        "Flickr reports %d photos of slice %s and gives %d",
        part.reported,
        f"{whole.begin}-{whole.end}",
        part.unique,
    )
    return Onward("done")
