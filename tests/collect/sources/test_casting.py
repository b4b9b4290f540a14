"""Casting what services send."""

import doctest
import hashlib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photojury.collect.sources import casting
from photojury.collect.sources.casting import key, moment, plain, text, whole


def test_the_examples_hold() -> None:
    """The module's own examples."""
    assert doctest.testmod(casting).failed == 0


_NO_COUNTS: list[object] = [None, "", "many", "5.5", 5.5, -1, "-1", True, [], {}, "٥", 2**31, "9" * 5000]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((value, 5) for value in (5, "5", " 5 ", 5.0)),
        *((value, 0) for value in (0, "0")),
        *((value, None) for value in _NO_COUNTS),
    ],
)
def test_counts(value: object, number: int | None) -> None:
    """Numbers of either type; what is no count is unknown, and never 0."""
    assert whole(value) == number


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2012-09-25 16:23:02", "2012-09-25T16:23:02"),
        ("2012:09:25 16:23:02", "2012-09-25T16:23:02"),  # EXIF
        ("2012-09-25T16:23:02+02:00", "2012-09-25T14:23:02"),
        ("2019-09-07T12:00:00Z", "2019-09-07T12:00:00"),
        ("1348590182", "2012-09-25T16:23:02"),
        (1348590182000, "2012-09-25T16:23:02"),
        (datetime(2012, 9, 25, 16, 23, 2, tzinfo=UTC), "2012-09-25T16:23:02"),
    ],
)
def test_moments(value: object, iso: str) -> None:
    """Whatever the form, the same second."""
    assert moment(value) == datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "value",
    [None, "", "2012", "2012-09", "2012-09-25", "circa 1900", "2012-13-45 16:23:02", "0000-00-00 00:00:00",
     date(2012, 9, 25), True, float("nan"), 1e300],
)  # fmt: skip
def test_what_is_no_moment(value: object) -> None:
    """A date alone, an impossible date and a word are unknown."""
    assert moment(value) is None


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("PtrQs", ("PtrQs", None)),
        ('<a href="//commons.wikimedia.org/wiki/User:A">A</a>', ("A", "https://commons.wikimedia.org/wiki/User:A")),
        ('<p>A<br>B &amp; C</p><style>p {}</style>', ("A B & C", None)),
        ('<a href="javascript:alert(1)">A</a>', ("A", None)),
        ('<a href="http://a.org">A</a> and <a href="http://b.org">B</a>', ("A and B", "http://a.org")),
        ("<div><span>unclosed", ("unclosed", None)),
        ("", (None, None)),
        (None, (None, None)),
        ("<i></i>", (None, None)),
    ],
)  # fmt: skip
def test_html_becomes_text(html: object, expected: tuple[str | None, str | None]) -> None:
    """The words and the first link; broken HTML is read as far as it goes."""
    assert plain(html) == expected


def test_long_names_become_hashes() -> None:
    """PostgreSQL's index takes 2,704 bytes; the hash is sha256's, and odd characters are dropped first."""
    assert key("https://h/1.jpg") == "https://h/1.jpg"
    assert key("a\x00b\ud800") == "ab"
    assert key("é" * 1500) == "sha256:" + hashlib.sha256(("é" * 1500).encode()).hexdigest()


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.text())))
def test_nothing_raises(value: object) -> None:
    """Any value of JSON is cast or unknown."""
    for cast in (whole, text, moment, plain):
        cast(value)
