"""Naming: what people write when they want a picture gone, as tombstone keys.

Takes in words: an image id, SOURCE:ID, SOURCE:author:ID, or the address of a picture or its page; or a list of them
in a file. Gives out keys of photojury.datasets.tombstones.

    >>> named("flickr:123")
    ['flickr:123']
    >>> named("https://www.flickr.com/photos/ann/123/")
    ['flickr:123']
"""

import re
from pathlib import Path

import sqlalchemy as sa

from photojury.collect.sources.source import SOURCES
from photojury.datasets import tables, tombstones
from photojury.datasets.store import Study
from photojury.errors import InputError, unknown_name

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.IGNORECASE)
_HOW = "write an image id (64 hexadecimal digits), SOURCE:ID, SOURCE:author:ID, or the picture's address"


def named(word: str, study: Study | None = None) -> list[str]:
    """The tombstone keys of what one word names; with a study, addresses of its candidates are known, too.

    Raises:
        InputError: it names nothing, with what to write instead.
    """
    if found := _SHA256.fullmatch(word):
        return [f"sha256:{found[1].lower()}"]
    if re.match(r"https?://", word, re.IGNORECASE):
        return _at(word, study)
    source, colon, rest = word.partition(":")
    if not colon or not rest.removeprefix("author:"):
        raise InputError(f"{word!r} names no picture; {_HOW}")
    if source not in (*SOURCES, "folder"):
        raise unknown_name("source", source, (*SOURCES, "folder", "sha256"))
    return [word]


def listed(path: Path, study: Study | None = None) -> list[str]:
    """The keys of a list: one a line; empty lines and lines that begin with # are left out.

    A sha256 may be followed by a space or comma and anything else, so that the output of sha256sum, a release's
    removed.csv and other projects' blocklists can be given as they are.

    Raises:
        InputError: the file cannot be read, or a line names nothing; with the line's number.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list of pictures: {error}") from None
    keys: list[str] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#") or (number == 1 and text.split(",")[0] in ("image_id", "sha256")):
            continue
        digest = re.match(rf"{_SHA256.pattern}(?=[\s,;]|$)", text, re.IGNORECASE)
        try:
            keys += named(digest[0] if digest else text, study)
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error}") from None
    return keys


def _at(address: str, study: Study | None) -> list[str]:
    """The pictures at an address: Flickr's by their number, others by what the study knows."""
    known = [key for key in tombstones.keys("urls", "", urls=[address]) if key.startswith("flickr:")]
    keys = [key for key in known if ":author:" not in key]
    if study is not None:
        table = tables.candidates
        here = (table.c.page_url == address) | (table.c.file_url == address)
        rows = study.rows(sa.select(table.c.source, table.c.source_id).where(here))
        keys += [key for row in rows for key in tombstones.keys(row["source"], row["source_id"])]
    if not keys:
        raise InputError(f"no picture of this study is at {address}; {_HOW}")
    return list(dict.fromkeys(keys))
