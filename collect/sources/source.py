"""What a source is: something that is asked for pictures page by page, and gives rows about them.

A search is asked in slices, each finished one by one: Flickr's are ranges of upload dates, Google's are keywords.
A source says which slices a query begins with, fetches one page of one slice, and says how that slice goes on.
It keeps no state and writes nothing: `crawl` does, so that every source can be stopped and resumed.

A new source is one file with a class like these, and one line in SOURCES:

    class Everywhere:
        name = "everywhere"
        def slices(self, query, now): return ["all"]
        def fetch(self, query, part): return Page(findings=[...], cursor="2")
        def onward(self, query, part, page, new): return go_on(page, new)
"""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from photojury.datasets.store import Study
from photojury.errors import unknown_name

Query = Mapping[str, object]
"""What is asked of a source; plain JSON values."""

SOURCES = {
    "flickr": "photojury.collect.sources.flickr:Flickr",
    "google": "photojury.collect.sources.google:Google",
    "openverse": "photojury.collect.sources.openverse:Openverse",
    "commons": "photojury.collect.sources.commons:Commons",
    "urls": "photojury.collect.sources.urls:UrlList",
}
"""Every source that is crawled, as an import string; `folder` reads files and is no search."""


@dataclass(frozen=True)
class Finding:
    """One picture that a source offers. What the source does not say is None, never 0 or "".

    Times are seconds since 1970 in UTC; width and height are pixels of file_url; license_id is a name of
    photojury.datasets.licenses where the source's word could be understood, else the source's word.
    `opt_out` is a sentence where the source's metadata ask not to be used (Flickr's tag no_cv). `problem` is a rule
    and a sentence where it can be told before any download that this is no picture to use: bad_url, not_a_photo.
    """

    source_id: str
    file_url: str | None
    page_url: str | None = None
    title: str | None = None
    description: str | None = None
    author: str | None = None
    author_id: str | None = None
    author_url: str | None = None
    license_id: str | None = None
    license_url: str | None = None
    attribution: str | None = None
    tags: tuple[str, ...] = ()
    taken_at: float | None = None
    uploaded_at: float | None = None
    width: int | None = None
    height: int | None = None
    views: int | None = None
    favs: int | None = None
    comments: int | None = None
    opt_out: str | None = None
    problem: tuple[str, str] | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Slice:
    """How far a slice of a search is; the counts hold all pages so far."""

    key: str
    cursor: str | None = None
    reported: int | None = None
    rows: int = 0
    unique: int = 0
    new: int = 0
    own: int = 0
    calls: int = 0


@dataclass(frozen=True)
class Page:
    """What one call brought.

    Attributes:
        findings: the rows, repeats included.
        cursor: what to ask next within the slice; None: the source says that this was the last page.
        reported: how many pictures the source says that the slice has.
        calls: how many calls the page took.
    """

    findings: list[Finding]
    cursor: str | None = None
    reported: int | None = None
    calls: int = 1


@dataclass(frozen=True)
class Onward:
    """How a slice goes on: `state` open (ask `cursor` next), done, cut (`slices` stand for it) or full (the source
    gives no more of it, although there is more)."""

    state: str
    cursor: str | None = None
    slices: tuple[str, ...] = ()


class Source(Protocol):
    """Something that is asked for pictures. Made by `open_source`, for one study."""

    @property
    def name(self) -> str:
        """The source's name in every table."""
        ...

    def slices(self, query: Query, now: float) -> list[str]:
        """The slices that the query begins with; raises InputError for a query that cannot be asked."""
        ...

    def fetch(self, query: Query, part: Slice) -> Page:
        """The next page of a slice.

        Raises:
            ServiceError: a wrong key, or a service that does not answer.
            Unfinished: a quota is used up; says when to come again.
        """
        ...

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        """How the slice goes on after a page that brought `new` pictures to it; `part` counts the page."""
        ...


def go_on(page: Page, new: int) -> Onward:
    """The plain way on: the next page while there is one and pages bring something new."""
    if page.cursor is None or new == 0:
        return Onward("done")
    return Onward("open", page.cursor)


def open_source(name: str, study: Study) -> Source:
    """The source of a name, for one study; its class takes the study."""
    if name not in SOURCES:
        raise unknown_name("source", name, SOURCES)
    module, kind = SOURCES[name].split(":")
    source: Source = getattr(importlib.import_module(module), kind)(study)
    return source


def candidate_row(finding: Finding) -> dict[str, object]:
    """The columns of `candidates` that a finding fills."""
    # vars is the first level only: dataclasses.asdict, which copies every tag, takes ten times as long.
    row: dict[str, object] = dict(vars(finding))
    for name in ("views", "favs", "comments", "opt_out", "problem"):
        del row[name]
    row["tags"] = json.dumps(list(finding.tags), ensure_ascii=False)
    row["extra"] = json.dumps(dict(finding.extra), ensure_ascii=False, default=str) if finding.extra else None
    return {name: clean(value) if isinstance(value, str) else value for name, value in row.items()}


def clean(text: str) -> str:
    """Text that every database and file can hold: without NUL and without halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()
