"""Flickr's licences: its numbers, and photojury's names for them.

Takes in names as a user writes them; gives out Flickr's numbers, and the other way round.

    >>> numbers(["cc-by-4.0", "public-domain"])
    [7, 8, 9, 10, 11]
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from photojury.datasets.licenses import LICENSES, from_url
from photojury.errors import unknown_name

logger = logging.getLogger(__name__)

# flickr.photos.licenses.getInfo as of 2025-06-19, a day after the 4.0 licences (11 to 16) had come.
NAMES: Mapping[int, str] = {
    0: "all-rights-reserved",
    1: "cc-by-nc-sa-2.0",
    2: "cc-by-nc-2.0",
    3: "cc-by-nc-nd-2.0",
    4: "cc-by-2.0",
    5: "cc-by-sa-2.0",
    6: "cc-by-nd-2.0",
    7: "no-known-copyright",
    8: "us-government",
    9: "cc0-1.0",
    10: "pdm-1.0",
    11: "cc-by-4.0",
    12: "cc-by-sa-4.0",
    13: "cc-by-nd-4.0",
    14: "cc-by-nc-4.0",
    15: "cc-by-nc-sa-4.0",
    16: "cc-by-nc-nd-4.0",
}

_FREE = (7, 8, 9, 10)


def _short() -> dict[str, tuple[int, ...]]:
    """Short names: `cc` for every Creative Commons licence, `by-nc` for both its versions, and a few words."""
    found: dict[str, tuple[int, ...]] = {
        "cc": tuple(number for number, name in NAMES.items() if name.startswith("cc-by")),
        "cc0": (9,),
        "pdm": (10,),
        "public-domain": _FREE,
        "any": tuple(NAMES),
    }
    for number, name in NAMES.items():
        if name.startswith("cc-by"):
            terms = name.removeprefix("cc-").rsplit("-", 1)[0]
            for word in (terms, f"cc-{terms}"):
                found[word] = (*found.get(word, ()), number)
    return found


SHORT: Mapping[str, tuple[int, ...]] = _short()


def numbers(names: Iterable[str]) -> list[int]:
    """Flickr's numbers of licences, ascending, each once; empty for no names, which asks for all.

    Args:
        names: of photojury.datasets.licenses, or short ones: cc, by, by-nc-nd, cc0, public-domain, any.

    Raises:
        InputError: Flickr has no licence of that name.
    """
    by_name = {**SHORT, **{name: (number,) for number, name in NAMES.items()}}
    found: set[int] = set()
    for name in names:
        key = name.strip().lower().replace("_", "-")
        if key not in by_name:
            raise unknown_name("Flickr licence", name, by_name)
        found.update(by_name[key])
    return sorted(found)


def described(number: int | None) -> tuple[str | None, str | None]:
    """A licence's name and URL; `flickr-17` and no URL for a number that photojury does not know yet."""
    if number is None:
        return None, None
    name = NAMES.get(number)
    if name is None:
        return f"flickr-{number}", None
    return name, LICENSES[name].url or None


def compare(block: Mapping[str, Any]) -> list[str]:
    """Sentences about the `licenses` of flickr.photos.licenses.getInfo that are not as the table above says."""
    found = []
    rows = block.get("license")
    for row in rows if isinstance(rows, list) else []:
        text, title, url = str(row.get("id")), row.get("name"), row.get("url")
        known = NAMES.get(int(text)) if text.isdecimal() else None
        if known is None:
            found.append(
                f"Flickr has a licence that photojury does not know: {text}, {title} ({url}); its photos are "
                f"found only without --license, and kept as flickr-{text}"
            )
        elif from_url(url) not in (None, known):
            found.append(
                f"Flickr's licence {text} is now {title} ({url}), and photojury takes it for {known}"
            )
    return found
