"""Asking a source several queries, one after another, and telling what they brought even where one fails.

Takes in a source and its queries; gives out what each brought, and the error that ended it, if one did.

    asked = ask(study, Commons(study), [query(search="surfer"), query(category="Surfing")])
    asked.new, asked.error
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from photojury.collect.sources.crawl import Crawled, begin, crawl
from photojury.collect.sources.source import Query, Source
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import PhotojuryError


@dataclass
class Asked:
    """What queries brought: `searches` in their order, and the `error` that ended the last of them."""

    queries: list[Query] = field(default_factory=list)
    searches: list[Crawled] = field(default_factory=list)
    error: PhotojuryError | None = None

    def total(self, name: str) -> int:
        """A count of Crawled, over all queries."""
        return sum(getattr(search, name) for search in self.searches)

    def facts(self) -> dict[str, Any]:
        """Everything as plain values."""
        counts = {name: self.total(name) for name in ("rows", "unique", "new", "calls")}
        searches = [
            {"query": dict(query), **dataclasses.asdict(search)}
            for query, search in zip(self.queries, self.searches, strict=True)
        ]
        finished = self.error is None and all(search.finished for search in self.searches)
        return {**counts, "finished": finished, "searches": searches}


def ask(
    study: Study,
    source: Source,
    queries: Sequence[Query],
    *,
    limit: int | None = None,
    again: bool = False,
    progress: Callable[[int], None] = lambda found: None,
) -> Asked:
    """Ask all queries, or go on with them.

    Args:
        limit: stop once they have found so many pictures between them.
        again: ask anew what was finished by an earlier run.
        progress: called with the number of pictures found.

    Raises:
        PhotojuryError: before anything was asked. A later one is in the result, with what was found until then.
    """
    asked = Asked()
    for query in queries:
        before = asked.total("unique")
        if limit is not None and before >= limit:
            break
        search_id = begin(study, source, query, again=again)
        made, known = _calls(study, search_id), _candidates(study, source.name)
        try:
            done = crawl(
                study,
                source,
                query,
                limit=None if limit is None else limit - before,
                # `begin` has made the new search where one was asked for; an open one is gone on with.
                again=again,
                progress=lambda found, before=before: progress(before + found),  # type: ignore[misc]
            )
        except PhotojuryError as error:
            asked.error = error
            # With nothing more to find, this only counts what is kept.
            done = crawl(study, source, query, limit=0, again=again)
            done = dataclasses.replace(
                done,
                new=_candidates(study, source.name) - known,
                calls=_calls(study, search_id) - made,
            )
        asked.queries.append(query)
        asked.searches.append(done)
        if asked.error is not None:
            break
    return asked


def refused(study: Study, source: str, asked: Asked, most: int) -> tuple[dict[str, int], list[str]]:
    """What queries found that can be no picture: how many by each rule, and the reasons of the first ones."""
    candidates, finds = tables.candidates, tables.finds
    searches = [search.search_id for search in asked.searches]
    mine = sa.select(finds.c.source_id).where(finds.c.search_id.in_(searches))
    where = (
        (candidates.c.source == source)
        & (candidates.c.state == "rejected")
        & candidates.c.source_id.in_(mine)
    )
    counted = sa.select(candidates.c.rule, sa.func.count()).where(where).group_by(candidates.c.rule)
    first = sa.select(candidates.c.reason).where(where).order_by(candidates.c.source_id).limit(most)
    with study.engine.connect() as connection:
        counts = {str(rule): number for rule, number in connection.execute(counted)}
        return counts, [reason for (reason,) in connection.execute(first)]


def _calls(study: Study, search_id: str) -> int:
    table = tables.slices
    query = sa.select(sa.func.coalesce(sa.func.sum(table.c.calls), 0)).where(table.c.search_id == search_id)
    with study.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def _candidates(study: Study, source: str) -> int:
    table = tables.candidates
    query = sa.select(sa.func.count()).where(table.c.source == source)
    with study.engine.connect() as connection:
        return connection.execute(query).scalar_one()
