"""A list of addresses as a source: any CSV, text or Parquet file, with whatever it knows about the pictures.

Takes in a query of `query`; gives out a finding for every row, bad ones included, which are rejected with the reason.

    crawl(study, UrlList(study), query(Path("arod.csv")))

Columns with names of COLUMNS go to their places, all others to `extra`. The query holds the file's sha256: a file that
has changed is another search, in which what is known already stays as it is.
"""

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from photojury.collect.download.safety import allow_loopback, url_problem
from photojury.collect.sources.casting import key, moment, text, whole
from photojury.collect.sources.lists import PictureList, Row, open_list
from photojury.collect.sources.source import Finding, Onward, Page, Query, Slice
from photojury.datasets.licenses import licence_name
from photojury.datasets.store import Study
from photojury.errors import InputError

PIECE = 5000
"""Rows that are read, and written to the store, at once."""

_OTHERS = {
    "favs": ("faves", "favorites", "favourites", "count_faves", "likes"),
    "comments": ("count_comments",),
    "views": ("count_views",),
    "license": ("licence", "license_id", "licence_id"),
    "license_url": ("licence_url",),
    "author": ("creator", "owner_name", "ownername", "photographer"),
    "author_id": ("owner", "creator_id"),
    "author_url": ("creator_url",),
    "page_url": ("landing_url", "foreign_landing_url", "original_landing_url"),
    "taken_at": ("date_taken", "datetaken"),
    "uploaded_at": ("date_upload", "dateupload"),
}
_TEXTS = (
    "page_url",
    "title",
    "description",
    "author",
    "author_id",
    "author_url",
    "license_url",
    "attribution",
)
_COUNTS = ("width", "height", "views", "favs", "comments")
_MOMENTS = ("taken_at", "uploaded_at")

COLUMNS = {
    **{name: name for name in (*_TEXTS, *_COUNTS, *_MOMENTS, "license", "tags")},
    **{other: name for name, others in _OTHERS.items() for other in others},
}
"""Column names that are understood, in any case, and the place that each goes to."""


def query(
    path: Path, *, url_column: str = "url", id_column: str | None = None, columns: Sequence[str] = ()
) -> dict[str, object]:
    """The query of a list.

    Args:
        path: the file.
        url_column: the column with the addresses of the files.
        id_column: the column with the pictures' names; the address if None.
        columns: names of the columns of a list whose first line has none.

    Raises:
        InputError: the file cannot be read, or lacks one of the columns.
    """
    if path.is_dir():
        raise InputError(
            f"{path} is a folder; give a list of addresses, or use: photojury collect folder {path}"
        )
    names = open_list(path, columns).names
    url_column = _named(path, names, url_column, "--url-column")
    id_column = _named(path, names, id_column, "--id-column") if id_column else None
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    asked = {"file": str(path.resolve()), "sha256": digest, "url_column": url_column, "id_column": id_column}
    return {
        **{name: value for name, value in asked.items() if value},
        **({"columns": list(columns)} if columns else {}),
    }


def _named(path: Path, names: Sequence[str], wanted: str, option: str) -> str:
    """A column as the list spells it."""
    found = [name for name in names if name.lower() == wanted.lower()]
    if not found:
        raise InputError(
            f"{path} has no column {wanted!r}; it has {', '.join(names)}. Name the right one with {option}"
        )
    return wanted if wanted in found else found[0]


class UrlList:
    """The source `urls` of a study."""

    name = "urls"

    def __init__(self, study: Study) -> None:
        self._lists: dict[str, PictureList] = {}
        # With names of their own, rows may offer one address twice: hashes of addresses and names, 0.1 GB a million.
        self._names: dict[int, int] = {}
        self._known_to: str | None = None

    def slices(self, query: Query, now: float) -> list[str]:
        """One: the file, from its first row to its last."""
        return ["rows"]

    def fetch(self, query: Query, part: Slice) -> Page:
        """The next rows; the cursor is the list's own."""
        rows, cursor = self._list(query).read(part.cursor, PIECE)
        found = [finding(row, query) for row in rows]
        if query.get("id_column"):
            self._catch_up(query, part.cursor)
            found = [self._once(one) for one in found]
            self._known_to = cursor
        return Page(found, cursor, calls=0)

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        """On to the end: a piece without anything new may stand before others."""
        return Onward("done") if page.cursor is None else Onward("open", page.cursor)

    def _catch_up(self, query: Query, cursor: str | None) -> None:
        """Know the addresses of all rows before a cursor, also where another run has read them."""
        if cursor == self._known_to:
            return
        self._names.clear()
        at: str | None = None
        while at != cursor:
            rows, at = self._list(query).read(at, PIECE)
            for row in rows:
                self._once(finding(row, query))

    def _once(self, one: Finding) -> Finding:
        """A finding as it is, or with the problem that another name has its address already."""
        if one.problem or one.file_url is None:
            return one
        name = hash(one.source_id)
        if self._names.setdefault(hash(one.file_url), name) == name:
            return one
        return dataclasses.replace(
            one, problem=("duplicate_url", "the list has its address under another name")
        )

    def _list(self, query: Query) -> PictureList:
        digest = str(query["sha256"])
        if digest not in self._lists:
            columns: Any = query.get("columns", ())
            self._lists[digest] = open_list(Path(str(query["file"])), columns)
        return self._lists[digest]


def finding(row: Row, query: Query) -> Finding:
    """A row as a finding; what is wrong with a row, or with its address, is the finding's problem."""
    place = f"{Path(str(query['file'])).name}, row {row.number}"
    url_column, id_column = str(query["url_column"]), query.get("id_column")
    url = text(row.values.get(url_column))
    name = text(row.values.get(str(id_column))) if id_column else url
    problem = _problem(row, url, name)
    if problem is not None:
        problem = (problem[0], f"{place}: {problem[1]}")
    # A row without a name is still one that was offered: it is called by its place.
    source_id = key(name) if name else f"{str(query['sha256'])[:16]} row {row.number}"
    values = {column: value for column, value in row.values.items() if column not in (url_column, id_column)}
    return Finding(source_id=source_id, file_url=url, problem=problem, **_known(values))


def _problem(row: Row, url: str | None, name: str | None) -> tuple[str, str] | None:
    if row.problem:
        return "bad_row", row.problem
    if url is None:
        return "bad_row", "it has no address"
    if name is None:
        return "bad_row", "it has no name"
    sentence = url_problem(url, allow_loopback=allow_loopback())
    return ("bad_url", sentence) if sentence else None


def _known(values: Mapping[str, object]) -> dict[str, Any]:
    """The fields of Finding that a row fills; what cannot be read as its column's type stays in `extra` as it is."""
    found: dict[str, Any] = {}
    extra: dict[str, object] = {}
    for column, value in values.items():
        name = COLUMNS.get(column.strip().lower())
        read = _read(name, value) if name else None
        if name and read is not None and name not in found:
            found[name] = read
        elif not (value is None or value == "" or (isinstance(value, float) and math.isnan(value))):
            extra[column] = value
    word, address = found.pop("license", None), found.get("license_url")
    if word or address:
        found["license_id"] = (address and licence_name(address)) or licence_name(word) or word
    return {**found, "extra": extra}


def _read(name: str, value: object) -> Any:
    if name in _COUNTS:
        return whole(value)
    if name in _MOMENTS:
        return moment(value)
    return _tags(value) if name == "tags" else text(value)


def _tags(value: object) -> tuple[str, ...] | None:
    """Tags from a list, a JSON list, or text with commas, semicolons or bars between them."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            pass
    if isinstance(value, str):
        value = re.split(r"[,;|]", value)
    if not isinstance(value, list):
        return None
    return tuple(dict.fromkeys(tag for one in value if (tag := text(one)))) or None
