"""Opt-outs: what a host says of machines that come for its pictures.

Takes in robots.txt, or the headers of an answer; gives out whether a URL may be asked for, or the sentence that
keeps a picture out. The product token is `photojury`.

    >>> Robots.parse(b"User-agent: *\\nDisallow: /private/*.jpg$").allows("https://a.org/private/x.jpg")
    False
    >>> in_headers(["otherbot: noindex", "noai, noimageai"])
    'its server says noai (X-Robots-Tag)'
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

PRODUCT = "photojury"

# RFC 9309, 2.5: parsers must read at least 500 KiB.
LONGEST_ROBOTS = 512_000

# DeviantArt's noai and noimageai, and the two of search engines that say: do not show this picture elsewhere.
_RESERVED = ("noai", "noimageai", "noindex", "noimageindex", "none")
# Directives with a value, whose colon does not make them a robot's name (Google's robots meta tag specification).
_WITH_VALUE = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_AGENT = re.compile(r"(\*|[a-z][a-z0-9._-]*)\s*:(.*)", re.DOTALL)
# RFC 9309, 2.2.2: characters that are compared as they are; all others percent-encoded.
_PLAIN = "/:?#[]@!$&'()*+,;=-._~"


def in_headers(robots_tags: Iterable[str], tdm_reservation: str | None = None) -> str | None:
    """A sentence where the headers of a picture's answer ask that it not be used; else None.

    Args:
        robots_tags: the values of every X-Robots-Tag; one may begin with the name of the robot that it speaks to.
        tdm_reservation: of W3C's TDM Reservation Protocol, 5.1; "1" reserves text and data mining.
    """
    for value in robots_tags:
        speaks_to_us = True
        for part in value.split(","):
            word = part.strip().lower()
            named = _AGENT.match(word)
            if named and named[1] not in _WITH_VALUE:
                speaks_to_us = named[1] in (PRODUCT, "*")
                word = named[2].strip()
            if speaks_to_us and word in _RESERVED:
                return f"its server says {word} (X-Robots-Tag)"
    if (tdm_reservation or "").strip() == "1":
        return "its server reserves text and data mining (TDM-Reservation)"
    return None


@dataclass(frozen=True)
class Robots:
    """The rules of one robots.txt that concern photojury: (allowed, pattern), in their order."""

    rules: tuple[tuple[bool, str], ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> "Robots":
        """Read a robots.txt: the groups that name photojury, all together, else those of * (RFC 9309, 2.2.1)."""
        groups: dict[str, list[tuple[bool, str]]] = {}
        names: list[str] = []
        in_rules = True
        for line in data[:LONGEST_ROBOTS].decode("utf-8", "replace").lstrip("\ufeff").splitlines():
            key, colon, value = line.split("#", 1)[0].partition(":")
            key, value = key.strip().lower(), value.strip()
            if not colon:
                continue
            if key == "user-agent":
                names = [value.lower()] if in_rules else [*names, value.lower()]
                in_rules = False
                groups.setdefault(_product(value), [])
            elif key in ("allow", "disallow"):
                in_rules = True
                if value:
                    for name in names:
                        groups[_product(name)].append((key == "allow", _normal(value)))
        return cls(tuple(groups.get(PRODUCT, groups.get("*", []))))

    def allows(self, url: str) -> bool:
        """Whether a URL of this host may be asked for: the longest matching pattern says, allow before disallow."""
        parts = urlsplit(url)
        path = _normal((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        matching = [(len(pattern), allowed) for allowed, pattern in self.rules if _matches(pattern, path)]
        return path == "/robots.txt" or not matching or max(matching)[1]


def _product(name: str) -> str:
    """The product token of a user-agent line; versions and remarks behind it are common, and not part of it."""
    found = re.match(r"\*|[a-z_-]+", name.strip().lower())
    return found[0] if found else ""


def _normal(path: str) -> str:
    """A path in one spelling: percent-encoding that means nothing undone, and what must be encoded encoded."""
    kept = re.split(r"(%2[fF]|%2[aA]|%24)", path)  # an encoded slash, star or dollar is not the plain one
    return "".join(
        part.upper() if number % 2 else quote(unquote_to_bytes(part), safe=_PLAIN)
        for number, part in enumerate(kept)
    )


def _matches(pattern: str, path: str) -> bool:
    """RFC 9309, 2.2.3: * stands for any characters, a last $ for the end; else the path begins so.

    Pieces are looked for one after another, so that no pattern takes more than linear time.
    """
    ends = pattern.endswith("$")
    pieces: Sequence[str] = pattern.removesuffix("$").split("*")
    if not path.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    if len(pieces) == 1:
        return not ends or at == len(path)
    for piece in pieces[1:-1]:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    last = pieces[-1]
    if ends:
        return len(path) - len(last) >= at and path.endswith(last)
    return path.find(last, at) >= 0
