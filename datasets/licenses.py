"""Licences: the names that photojury knows, and what each allows.

Takes in a licence's URL; gives out one name for it everywhere: cc-by-sa-4.0, cc0-1.0, all-rights-reserved, ...

    >>> from_url("http://creativecommons.org/licenses/by-nc/2.0/uk/")
    'cc-by-nc-2.0'
    >>> LICENSES["cc-by-nd-4.0"].derivatives
    False
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class License:
    """A licence and what it allows.

    Attributes:
        copies: whether files under it may be handed on at all.
        derivatives: whether changed files may be: a crop or a smaller size is a change.
        commercial: whether that may earn money.
        share_alike: whether what is made of it must have the same licence.
        attribution: whether the author must be named.
    """

    license_id: str
    name: str
    url: str
    copies: bool = True
    derivatives: bool = True
    commercial: bool = True
    share_alike: bool = False
    attribution: bool = True


def _creative_commons() -> list[License]:
    found = []
    for version in ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0"):
        for terms in ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"):
            found.append(
                License(
                    f"cc-{terms}-{version}",
                    f"CC {terms.upper()} {version}",
                    f"https://creativecommons.org/licenses/{terms}/{version}/",
                    derivatives="nd" not in terms,
                    commercial="nc" not in terms,
                    share_alike="sa" in terms,
                )
            )
    return found


_OTHERS = [
    License("cc0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", attribution=False),
    License(
        "pdm-1.0",
        "Public Domain Mark",
        "https://creativecommons.org/publicdomain/mark/1.0/",
        attribution=False,
    ),
    License(
        "no-known-copyright",
        "No known copyright restrictions",
        "https://www.flickr.com/commons/usage/",
        attribution=False,
    ),
    License(
        "us-government",
        "United States Government Work",
        "https://www.usa.gov/government-copyright",
        attribution=False,
    ),
    License("public-domain", "Public domain", "", attribution=False),
    License(
        "all-rights-reserved", "All rights reserved", "", copies=False, derivatives=False, commercial=False
    ),
]

LICENSES = {license.license_id: license for license in [*_creative_commons(), *_OTHERS]}
"""Every licence by its name; what is not here allows nothing, as far as photojury knows."""

_URL = re.compile(r"creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)|publicdomain/(zero|mark)/1\.0)", re.IGNORECASE)


def from_url(url: str | None) -> str | None:
    """The name of the licence at a URL, of whatever jurisdiction and language; None where it is not known."""
    found = _URL.search(url or "")
    if found is None:
        other = [name for name, license in LICENSES.items() if license.url and license.url == url]
        return other[0] if other else None
    if found[3]:
        return {"zero": "cc0-1.0", "mark": "pdm-1.0"}[found[3].lower()]
    name = f"cc-{found[1].lower()}-{found[2]}"
    return name if name in LICENSES else None
