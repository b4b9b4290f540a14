"""Crawling: a query is put to a source, slice by slice, and every page is kept before the next is asked for.

Takes in a source and a query; gives out rows of `candidates`, `finds` and `observations`, and in `slices` how far
it came. A page's rows and the slice's new cursor are written in one transaction: killed at any moment, the same
command goes on with the page that was not kept, and never asks for a finished slice again. Several processes may
run it at once; each claims a slice.

    crawl(study, open_source("openverse", study), {"q": "tree"})
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from photojury.collect.claims import claim, held_by_others, working
from photojury.collect.sources.source import Finding, Onward, Page, Query, Slice, Source, candidate_row
from photojury.datasets import tables, tombstones
from photojury.datasets.store import Study, add_rows

Keep = Callable[[sa.Connection, str, list[Finding], str], int]
"""Writes a page's findings, of a source and a query; returns how many are new to the study."""


@dataclass(frozen=True)
class Crawled:
    """What a search has brought: in this run (`new`, `calls`), and in all.

    `new` counts candidates that the study did not have; `unique` the search's different pictures; `rows` what the
    source gave, repeats included; `reported` what it said there were; `finished` whether nothing is left to ask.
    """

    search_id: str
    new: int
    calls: int
    unique: int
    rows: int
    reported: int | None
    slices: int
    finished: bool


def crawl(
    study: Study,
    source: Source,
    query: Query,
    *,
    limit: int | None = None,
    again: bool = False,
    keep: Keep | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Crawled:
    """Ask a source for all that a query finds, or go on with it.

    Args:
        query: plain JSON values; the same query is the same search.
        limit: stop once the search has found so many different pictures.
        again: ask anew although an earlier search with this query is finished.
        keep: what to do with the findings of a page, in its transaction, instead of offering them to the study.
        progress: called with the number of different pictures found.

    Raises:
        InputError: the query cannot be asked.
        ServiceError, Unfinished: from the source; what was found is kept.
    """
    search_id = begin(study, source, query, again=again)
    calls = new = 0
    with working(study) as process:
        while limit is None or _found(study, search_id) < limit:
            part = _next_slice(study, process, search_id)
            if part is None:
                break
            page = source.fetch(query, part)
            new += _keep(study, source, query, search_id, part, page, keep or _offer)
            calls += page.calls
            progress(_found(study, search_id))
    return _summary(study, search_id, new, calls)


def begin(study: Study, source: Source, query: Query, *, again: bool = False) -> str:
    """Write a search and its first slices down, if they are not yet; returns its id."""
    text = json.dumps(dict(query), sort_keys=True, ensure_ascii=False)
    number = 0
    while True:
        search_id = _search_id(source.name, text, number)
        found = study.rows(sa.select(tables.searches).where(tables.searches.c.search_id == search_id))
        if not found:
            break
        if not again or _open_slices(study, search_id):
            return search_id
        number += 1
    now = time.time()
    first = [{"search_id": search_id, "slice": key, "state": "open"} for key in source.slices(query, now)]
    with study.writing() as connection:
        row = {"search_id": search_id, "source": source.name, "query": text, "made_at": now}
        if add_rows(connection, tables.searches, [row]):
            add_rows(connection, tables.slices, first)
    return search_id


def _next_slice(study: Study, process: str, search_id: str) -> Slice | None:
    """Claim an open slice, waiting while others hold all that are left."""
    table = tables.slices
    is_open = (table.c.search_id == search_id) & (table.c.state == "open")
    while True:
        rows = claim(study, process, table, is_open, 1)
        if rows:
            fields = ("cursor", "reported", "rows", "unique", "new", "calls")
            known = {name: rows[0][name] for name in fields}
            return Slice(key=rows[0]["slice"], own=rows[0]["own"] or 0, **known)
        if not held_by_others(study, process, table, is_open):
            return None
        time.sleep(0.5)


def _keep(
    study: Study, source: Source, query: Query, search_id: str, part: Slice, page: Page, keep: Keep
) -> int:
    """Write a page and where its slice goes on, all or nothing; returns how many candidates are new."""
    findings = list({finding.source_id: finding for finding in page.findings}.values())
    with study.writing() as connection:
        finds = [
            {"search_id": search_id, "slice": part.key, "source_id": finding.source_id}
            for finding in findings
        ]
        before = _found_before(connection, search_id, findings)
        # What the search has given before was counted then; a row that comes twice is no second observation.
        own = [finding for finding in findings if finding.source_id not in before]
        to_slice = add_rows(connection, tables.finds, finds)
        to_study = keep(connection, source.name, own, json.dumps(dict(query), ensure_ascii=False))
        counted = Slice(
            key=part.key,
            cursor=part.cursor,
            reported=page.reported if part.reported is None else part.reported,
            rows=part.rows + len(page.findings),
            unique=part.unique + to_slice,
            new=part.new + to_study,
            own=part.own + len(own),
            calls=part.calls + page.calls,
        )
        _move_on(connection, search_id, counted, source.onward(query, counted, page, to_slice))
    return to_study


def _offer(connection: sa.Connection, source: str, findings: list[Finding], query: str) -> int:
    """Add what is new to `candidates`, barred where a tombstone or an opt-out says so, and every counter."""
    now = time.time()
    rows = [
        {**candidate_row(finding), "source": source, "query": query, "seen_at": now, "state": "found"}
        for finding in findings
    ]
    buried = tombstones.reasons_against(connection, rows)
    for row, finding, reason in zip(rows, findings, buried, strict=True):
        if reason:
            row |= {**tombstones.WORDLESS, "state": "barred", "rule": "tombstone", "reason": reason}
        elif finding.opt_out:
            row |= {"state": "barred", "rule": "opt_out", "reason": finding.opt_out}
        elif finding.problem:
            rule, sentence = finding.problem
            row |= {"state": "rejected", "rule": rule, "reason": sentence}
        elif not finding.file_url:
            row |= {"state": "rejected", "rule": "no_file", "reason": "the source gives no file to download"}
    counters = [
        {
            "source": source,
            "source_id": finding.source_id,
            "seen_at": now,
            "views": finding.views,
            "favs": finding.favs,
            "comments": finding.comments,
        }
        for finding in findings
        if (finding.views, finding.favs, finding.comments) != (None, None, None)
    ]
    new = add_rows(connection, tables.candidates, rows)
    add_rows(connection, tables.observations, counters)
    return new


def _move_on(connection: sa.Connection, search_id: str, part: Slice, onward: Onward) -> None:
    table = tables.slices
    values = {
        "state": onward.state,
        "cursor": onward.cursor,
        "reported": part.reported,
        "rows": part.rows,
        "unique": part.unique,
        "new": part.new,
        "own": part.own,
        "calls": part.calls,
        "claimed_by": None,
    }
    where = (table.c.search_id == search_id) & (table.c.slice == part.key)
    connection.execute(sa.update(table).where(where).values(**values))
    more = [
        {"search_id": search_id, "slice": key, "state": "open", "part_of": part.key} for key in onward.slices
    ]
    add_rows(connection, table, more)


def _summary(study: Study, search_id: str, new: int, calls: int) -> Crawled:
    slices = study.read("slices", {"search_id": search_id})
    # What a slice was cut into is in its count already.
    reported = slices.loc[slices["part_of"].isna(), "reported"].dropna()
    return Crawled(
        search_id=search_id,
        new=new,
        calls=calls,
        unique=_found(study, search_id),
        rows=int(slices["rows"].sum()),
        reported=int(reported.sum()) if len(reported) else None,
        slices=len(slices),
        finished=not _open_slices(study, search_id),
    )


def _found_before(connection: sa.Connection, search_id: str, findings: list[Finding]) -> set[str]:
    """Which of these pictures the search has already, from whichever slice."""
    table = tables.finds
    names = [finding.source_id for finding in findings]
    query = sa.select(table.c.source_id).where(table.c.search_id == search_id, table.c.source_id.in_(names))
    return set(connection.execute(query).scalars())


def _found(study: Study, search_id: str) -> int:
    table = tables.finds
    query = sa.select(sa.func.count(table.c.source_id.distinct())).where(table.c.search_id == search_id)
    with study.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def _open_slices(study: Study, search_id: str) -> int:
    table = tables.slices
    query = sa.select(sa.func.count()).where(table.c.search_id == search_id, table.c.state == "open")
    with study.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def _search_id(source: str, query: str, number: int) -> str:
    return hashlib.sha256(f"{source}\n{query}\n{number}".encode()).hexdigest()[:16]
