"""Casting: what services and lists send, as text or number or not at all, made into one type each.

Takes in any JSON value or table cell; gives out int, float, str or None, and never raises.

    >>> whole("1,024"), whole("7"), whole(7.0), whole(""), whole(-1), whole(True)
    (None, 7, 7, None, None, None)
    >>> moment("2012-09-25 16:23:02"), moment("2012-09-25"), moment("circa 1900")
    (1348590182.0, None, None)
    >>> plain('<a href="//example.org/u" title="x">Ann &amp; Bob</a>')
    ('Ann & Bob', 'https://example.org/u')
"""

import hashlib
import math
import re
from datetime import UTC, date, datetime, time
from html.parser import HTMLParser
from typing import Any

from photojury.collect.sources.source import clean

# What PostgreSQL's integer columns hold.
_LARGEST = 2**31 - 1

_LONGEST_KEY = 2000  # bytes


def whole(value: object) -> int | None:
    """A count or a size in pixels: a number or text, not negative; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.strip().isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _LARGEST else None


def text(value: object) -> str | None:
    """A text that is not empty; numbers are written out; None for anything else.

    >>> text(" a "), text(7), text(7.0), text(float("nan")), text([])
    ('a', '7', '7', None, None)
    """
    if isinstance(value, float):
        # A column of whole numbers with gaps is one of floats in pandas.
        value = int(value) if value.is_integer() else str(value) if math.isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return value.strip() or None


def key(name: str) -> str:
    """A name as a source_id: as it is, or its hash where it is too long for PostgreSQL's indexes (2,704 bytes)."""
    name = clean(name)
    data = name.encode()
    return name if len(data) <= _LONGEST_KEY else f"sha256:{hashlib.sha256(data).hexdigest()}"


def table(value: object) -> dict[str, Any]:
    """A JSON object; an empty one for anything else (PHP writes an empty object as a list)."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[dict[str, Any]]:
    """The objects in a JSON list; none for anything else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def moment(value: object) -> float | None:
    """Seconds since 1970 of a time: a number (seconds, or milliseconds past 10**11), ISO 8601, EXIF's form, a datetime.

    Times without a zone are taken as UTC. A date without a time of day is None: it is no moment, and pictures
    grouped by it would look like one burst.
    """
    if isinstance(value, datetime):
        return _seconds(value)
    if isinstance(value, date | time | bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _of_number(float(value))
    written = str(value).strip()
    if re.fullmatch(r"\d{9,13}(\.\d+)?", written):
        return _of_number(float(written))
    written = re.sub(r"^(\d{4}):(\d\d):(\d\d) ", r"\1-\2-\3 ", written)
    if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", written):
        return None
    try:
        return _seconds(datetime.fromisoformat(written))
    except ValueError:
        return None


def plain(html: object) -> tuple[str | None, str | None]:
    """The text of a piece of HTML, and the address of the first link in it."""
    written = text(html)
    if written is None:
        return None, None
    reader = _Reader()
    reader.feed(written)
    reader.close()
    link = reader.link
    if link is not None and link.startswith("//"):
        link = f"https:{link}"
    return text(" ".join("".join(reader.parts).split())), link if link and link.startswith("http") else None


def _of_number(value: float) -> float | None:
    value = value / 1000 if value > 1e11 else value
    # Up to the year 9999, as far as datetime goes.
    return value if math.isfinite(value) and 0 < value < 253402300800 else None


def _seconds(when: datetime) -> float | None:
    try:
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return None


class _Reader(HTMLParser):
    """Collects text and the first link; styles and scripts are no text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.link: str | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and self.link is None:
            self.link = dict(attrs).get("href")
        self._silent += tag in ("style", "script")
        if tag in ("br", "p", "div", "li", "td"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in ("style", "script")))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)
