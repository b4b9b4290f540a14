"""Opt-outs: headers and robots.txt, against the examples of their specifications."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photojury.collect.download.optouts import Robots, in_headers

HEADERS: list[tuple[list[str], bool]] = [
    (["noai"], True),
    (["noimageai"], True),
    (["noindex"], True),
    (["NoImageIndex"], True),
    (["none"], True),
    (["nofollow, noai"], True),
    (["nofollow", "noai"], True),
    (["otherbot: noindex, noai"], False),
    (["otherbot: noindex", "noai"], True),
    (["photojury: noai"], True),
    (["Photojury:noai"], True),
    (["*: noai"], True),
    (["otherbot: nofollow, photojury: noindex"], True),
    (["unavailable_after: 25 Jun 2010 15:00:00 PST, noindex"], True),
    (["unavailable_after: Wed, 25 Jun 2010 15:00:00 GMT, noindex"], True),
    (["max-snippet:20, noai"], True),
    (["all"], False),
    (["nofollow, noarchive"], False),
    (["noindexing"], False),
    ([""], False),
    ([], False),
]


@pytest.mark.parametrize(("values", "reserved"), HEADERS, ids=[str(values) for values, _ in HEADERS])
def test_robots_tags(values: list[str], reserved: bool) -> None:
    """Four words and `none` keep a picture out, unless they speak to another robot."""
    assert (in_headers(values) is not None) is reserved


def test_tdm_reservation() -> None:
    """The TDM Reservation Protocol: 1 reserves, 0 does not."""
    assert in_headers([], "1") and not in_headers([], "0") and not in_headers([], None)


# RFC 9309, 2.2.2 and 2.2.3, and the examples of section 5; Google's table of precedence.
RULES = [
    ("user-agent: *\ndisallow: /", "/a.jpg", False),
    ("user-agent: *\ndisallow:", "/a.jpg", True),
    ("", "/a.jpg", True),
    ("user-agent: *\ndisallow: *.gif$\nallow: /publications/", "/pictures/a.gif", False),
    ("user-agent: *\ndisallow: *.gif$\nallow: /publications/", "/publications/a.gif", True),
    ("user-agent: *\ndisallow: *.gif$", "/a.gif?x", True),
    ("user-agent: *\nallow: /example/page/\ndisallow: /example/page/disallowed.gif",
     "/example/page/disallowed.gif", False),
    ("user-agent: *\nallow: /example/page/\ndisallow: /example/page/disallowed.gif", "/example/page/a.gif", True),
    ("user-agent: *\nallow: /p\ndisallow: /", "/page", True),
    ("user-agent: *\nallow: /folder\ndisallow: /folder", "/folder/page", True),
    ("user-agent: *\nallow: /page\ndisallow: /*.htm", "/page.htm", False),
    ("user-agent: *\nallow: /$\ndisallow: /", "/", True),
    ("user-agent: *\nallow: /$\ndisallow: /", "/page.htm", False),
    ("user-agent: *\ndisallow: /fish*.php", "/fishheads/catfish.php?parameters", False),
    ("user-agent: *\ndisallow: /fish*.php", "/Fish.PHP", True),
    ("user-agent: *\ndisallow: /a%3cd.html", "/a%3Cd.html", False),
    ("user-agent: *\ndisallow: /a%2fb.html", "/a/b.html", True),
    ("user-agent: *\ndisallow: /~joe/", "/%7Ejoe/index.html", False),
    ("user-agent: *\ndisallow: /foo/bar?baz=ツ", "/foo/bar?baz=%E3%83%84", False),
    ("user-agent: *\ndisallow: /\n\nuser-agent: photojury\nallow: /", "/a.jpg", True),
    ("User-Agent: PhotoJury/2.0\nDisallow: /x\n\nuser-agent: *\ndisallow: /y", "/x/1", False),
    ("User-Agent: PhotoJury/2.0\nDisallow: /x\n\nuser-agent: *\ndisallow: /y", "/y/1", True),
    ("user-agent: photojury\ndisallow: /a\n\nuser-agent: photojury\ndisallow: /b", "/b", False),
    ("user-agent: otherbot\nuser-agent: photojury\ndisallow: /a", "/a", False),
    ("user-agent: photojuryx\ndisallow: /\n", "/a", True),
    ("user-agent: otherbot\ndisallow: /", "/a", True),
    ("disallow: /", "/a", True),
    ("user-agent: * # all\ndisallow: /a # here\nsitemap: https://example.org/s.xml\ndisallow: /b", "/b", False),
    ("\ufeffuser-agent: *\r\ndisallow: /", "/a", False),
    ("user-agent: *\ndisallow: /", "/robots.txt", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "allowed"), RULES)
def test_robots(text: str, path: str, allowed: bool) -> None:
    """RFC 9309's groups, longest match, wildcards and encodings."""
    assert Robots.parse(text.encode()).allows(f"https://example.org{path}") is allowed


@given(st.binary(max_size=300), st.text(max_size=30))
def test_any_file_is_read(data: bytes, path: str) -> None:
    """Whatever a host has there, there is an answer."""
    Robots.parse(b"user-agent: *\ndisallow: " + data).allows(f"https://example.org/{path}")


def test_no_pattern_takes_long() -> None:
    """A pattern of thousands of stars is looked through once."""
    robots = Robots.parse(b"user-agent: *\ndisallow: /" + b"*a" * 5000 + b"b")
    assert robots.allows("https://example.org/" + "a" * 8000)
