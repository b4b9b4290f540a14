"""What was asked of sources: each query with its slices, as the crawl left them.

Takes in the tables searches, slices and finds; gives out an `Asked` for each query, still without the fates of its
pictures.

    >>> canonical('{"text": "dance", "license": ["by"]}')
    '{"license": ["by"], "text": "dance"}'
"""

import json
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from photojury.collect.funnel.tally import Tally
from photojury.datasets import tables

# What a search is about stands before what it is limited to.
_ASKED_FOR = ("text", "q", "tags", "group", "user", "keywords", "category", "file")


@dataclass
class Asked:
    """One query of one source, and the slices it was asked in; a query of the folder source is a folder.

    Attributes:
        tally: of the pictures that this query was the first to find; their sum over all queries is the total.
        unique: how many different pictures it gave, also those that another query had found before.
        slices: by state: open (not asked to the end), done, cut, full (the source gives no more of it).
    """

    source: str
    query: str
    tally: Tally = field(default_factory=Tally)
    unique: int = 0
    reported: int | None = None
    calls: int = 0
    slices: dict[str, int] = field(default_factory=dict)


def searched(connection: sa.Connection) -> dict[tuple[str, str], Asked]:
    """What was asked, with the counts of its slices; a search that was asked again is counted with the first."""
    slices, searches, finds = tables.slices, tables.searches, tables.finds
    sums = [sa.func.sum(slices.c[name]).label(name) for name in ("rows", "calls")]
    # What a slice was cut into is in its count already.
    whole = sa.func.sum(sa.case((slices.c.part_of.is_(None), slices.c.reported))).label("reported")
    by_state = (searches.c.search_id, searches.c.source, searches.c.query, slices.c.state)
    query = sa.select(*by_state, sa.func.count().label("slices"), *sums, whole)
    query = query.join(slices, slices.c.search_id == searches.c.search_id).group_by(*by_state)
    # Rounds of counters (collect/counters.py) find nothing; they look at what was found.
    query = query.where(searches.c.source.not_like("% counters"))
    distinct = sa.select(finds.c.search_id, sa.func.count(finds.c.source_id.distinct())).group_by(
        finds.c.search_id
    )
    unique = {search: number for search, number in connection.execute(distinct)}
    found: dict[tuple[str, str], Asked] = {}
    for row in connection.execute(query).mappings():
        key = (row["source"], canonical(row["query"]))
        line = found.setdefault(key, Asked(*key))
        line.slices[row["state"]] = line.slices.get(row["state"], 0) + row["slices"]
        line.tally.rows += row["rows"]
        line.calls += row["calls"]
        # Of two searches for the same, the one that gave more; which pictures both gave is not asked.
        line.unique = max(line.unique, unique.get(row["search_id"], 0))
        if row["reported"] is not None:
            line.reported = (line.reported or 0) + row["reported"]
    return found


def in_words(query: str) -> str:
    """A query as a line to read: its keys with their values, without quotation marks and brackets.

    >>> in_words('{"license": ["by", "by-sa"], "group": null, "text": "dance"}')
    'text: dance; license: by, by-sa'
    """
    asked = parsed(query)
    if not isinstance(asked, dict):
        return str(asked)
    words = []
    for key, value in sorted(asked.items(), key=lambda item: item[0] not in _ASKED_FOR):
        if value not in (None, "", [], {}):
            many = ", ".join(map(str, value)) if isinstance(value, list) else value
            words.append(f"{key.replace('_', ' ')}: {many}")
    return "; ".join(words) or "everything"


def parsed(query: str) -> Any:
    """What was asked, as it was asked: JSON values, or a folder's path."""
    try:
        return json.loads(query)
    except ValueError:
        return query


def canonical(query: str | None) -> str:
    """A query as one text, in whatever order its keys were written; a folder's path stays as it is."""
    try:
        return json.dumps(json.loads(query or ""), sort_keys=True, ensure_ascii=False)
    except ValueError:
        return query or ""
