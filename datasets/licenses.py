"""Licences: the names that photojury knows, what each allows, and every other spelling of them.

Takes in a licence's URL, or the word that a source or a list has for it; gives out one name for it everywhere:
cc-by-sa-4.0, cc0-1.0, all-rights-reserved, ... Jurisdiction ports share the name of their version.

    >>> licence_name("http://creativecommons.org/licenses/by-nc/2.0/uk/")
    'cc-by-nc-2.0'
    >>> licence_name("CC BY-SA 3.0 DE"), licence_name("by-nd", version="4.0")
    ('cc-by-sa-3.0', 'cc-by-nd-4.0')
    >>> LICENSES["cc-by-nd-4.0"].derivatives, group("cc-by-nd-4.0")
    (False, 'by-nd')
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


GROUPS = ("public-domain", "by", "by-sa", "by-nc", "by-nc-sa", "by-nd", "by-nc-nd", "all-rights-reserved")
"""Licences that allow the same: names for rights.redistribute in study.toml."""

# Version 1.0 also had licences without BY, and wrote by-nd-nc for by-nc-nd (creativecommons.org/retiredlicenses).
_TERMS = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
_WITHOUT_BY = ("sa", "nd", "nc", "nc-sa", "nc-nd")
_VERSIONS = ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")


def _creative_commons(terms: str, version: str) -> License:
    in_url = {"by-nc-nd": "by-nd-nc", "nc-nd": "nd-nc"}.get(terms, terms) if version == "1.0" else terms
    return License(
        f"cc-{terms}-{version}",
        f"CC {terms.upper()} {version}",
        f"https://creativecommons.org/licenses/{in_url}/{version}/",
        derivatives="nd" not in terms,
        commercial="nc" not in terms,
        share_alike="sa" in terms,
        attribution="by" in terms,
    )


def _public_domain(license_id: str, name: str, url: str) -> License:
    return License(license_id, name, url, attribution=False)


_ALL = [
    *(_creative_commons(terms, version) for version in _VERSIONS for terms in _TERMS),
    *(_creative_commons(terms, "1.0") for terms in _WITHOUT_BY),
    _public_domain("cc0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    _public_domain("pdm-1.0", "Public Domain Mark 1.0", "https://creativecommons.org/publicdomain/mark/1.0/"),
    _public_domain(
        "no-known-copyright", "No known copyright restrictions", "https://www.flickr.com/commons/usage/"
    ),
    _public_domain(
        "us-government", "United States Government Work", "https://www.usa.gov/government-copyright"
    ),
    _public_domain("public-domain", "Public domain", ""),
    License(
        "all-rights-reserved", "All rights reserved", "", copies=False, derivatives=False, commercial=False
    ),
]

LICENSES = {license.license_id: license for license in _ALL}
"""Every licence by its name; what is not here allows nothing, as far as photojury knows."""


def group(license_id: str | None) -> str:
    """The name in GROUPS of the licences that allow the same; "unknown" for what is not in LICENSES."""
    license = LICENSES.get(license_id or "")
    if license is None:
        return "unknown"
    if not license.copies:
        return "all-rights-reserved"
    limits = (
        "-nc" * (not license.commercial),
        "-sa" * license.share_alike,
        "-nd" * (not license.derivatives),
    )
    if any(limits) or license.attribution:
        return "by" + "".join(limits)
    return "public-domain"


def licence_name(text_or_url: str | None, version: str | None = None) -> str | None:
    """The name of a licence, from its URL or from any usual spelling; None where it cannot be told.

    Understood are this table's names and Creative Commons' own (CC BY-SA 4.0, Attribution-ShareAlike 2.0 Generic),
    Flickr's names, Openverse's pairs (by-nc and 2.0) and Commons' extmetadata (cc-by-sa-3.0-migrated, pd,
    cc-by-sa-4.0,3.0,2.5: of several versions the newest, as the user may choose). CC BY without a version is None:
    it does not say which licence it is.

    Args:
        text_or_url: in any case.
        version: where the source has it apart; a version in the text comes before it.
    """
    text = " ".join((text_or_url or "").lower().split())
    if re.match(r"(https?:)?//|[a-z0-9.-]+\.(org|gov|com)/", text):
        return from_url(text)
    return _NAMES.get(text) or _from_words(text, version)


# ---- spellings ----

_WORDS = {
    "creative commons": "cc",
    "attribution": "by",
    "noncommercial": "nc",
    "non commercial": "nc",
    "noderivatives": "nd",
    "noderivs": "nd",
    "no derivatives": "nd",
    "no derivs": "nd",
    "no derivative works": "nd",
    "sharealike": "sa",
    "share alike": "sa",
}
_NAMES = {
    **{name: name for name in LICENSES},
    **{license.name.lower(): license.license_id for license in _ALL},
    **dict.fromkeys(("cc0", "cc-zero", "cc zero", "public domain dedication (cc0)", "cc0 1.0 universal",
                     "cc0 1.0 universal public domain dedication", "cc0 public domain dedication"), "cc0-1.0"),
    **dict.fromkeys(("pdm", "public domain mark", "cc-pdm-1.0", "cc pdm 1.0", "pdm 1.0"), "pdm-1.0"),
    **dict.fromkeys(("pd", "public domain", "publicdomain", "cc-pd", "public domain work"), "public-domain"),
    **dict.fromkeys(("no known copyright", "no restrictions", "no known restrictions", "nkcr",
                     "flickr-no known copyright restrictions"), "no-known-copyright"),
    **dict.fromkeys(("us government work", "u.s. government work", "us government", "usgov"), "us-government"),
    **dict.fromkeys(("arr", "all rights reserved", "in copyright", "copyright", "copyrighted", "©"),
                    "all-rights-reserved"),
}  # fmt: skip

# Words that change nothing: the ports' jurisdictions (of CC 1.0 to 3.0) and what stands around a version.
_PORTS = frozenset((
    "am", "ar", "at", "au", "az", "be", "bg", "br", "ca", "ch", "cl", "cn", "co", "cr", "cy", "cz", "de",
    "dk", "ec", "ee", "eg", "es", "fi", "fr", "ge", "gr", "gt", "hk", "hr", "hu", "ie", "igo", "il", "in",
    "it", "jp", "kr", "lu", "mk", "mt", "mx", "my", "ng", "nl", "no", "nz", "pe", "ph", "pl", "pr", "pt",
    "ro", "rs", "scotland", "se", "sg", "si", "th", "tw", "ug", "uk", "us", "ve", "vn", "za",
))  # fmt: skip
_AROUND = frozenset((
    "cc", "license", "licence", "unported", "international", "generic", "port", "migrated", "with",
    "disclaimers", "public", "deed",
))  # fmt: skip


def _from_words(text: str, version: str | None) -> str | None:
    if text.startswith("pd-"):  # Commons' templates: pd-old-70, pd-us-expired, pd-usgov-nasa
        return "us-government" if text.startswith("pd-usgov") else "public-domain"
    if re.fullmatch(r"cc0[ -]1\.0.*|cc0-[a-z]{2}", text):
        return "cc0-1.0"
    plain = re.sub(r"[^a-z0-9.]+", " ", text)
    plain = re.sub(r"\bv?([1-4])(?![.\d])(?<!\.\d)", r"\1.0", plain)  # CC BY 4, v4
    for words, short in _WORDS.items():
        plain = re.sub(rf"\b{words}\b", short, plain)
    tokens = set(plain.split())
    terms = tokens & {"by", "nc", "nd", "sa"}
    versions = sorted(tokens & set(_VERSIONS)) or [version or ""]
    if not terms or tokens - terms - set(_VERSIONS) - _PORTS - _AROUND:
        return None
    return _known(terms, versions[-1])


def _known(terms: set[str], version: str) -> str | None:
    name = f"cc-{'-'.join(term for term in ('by', 'nc', 'sa', 'nd') if term in terms)}-{version}"
    return name if name in LICENSES else None


# ---- URLs ----

_CC = re.compile(
    r"(?:https?:)?(?://)?(?:www\.)?creativecommons\.org/"
    r"(?:licenses/(?P<terms>[a-z-]+)/(?P<version>\d\.\d)|publicdomain/(?P<tool>zero|mark)/1\.0|"
    r"licenses/(?P<old>publicdomain|zero))(?=[/?#]|$)",
    re.IGNORECASE,
)
# Without scheme, www. and the last slash. Rights statements: rightsstatements.org/page/1.0, Europeana's and DPLA's.
_PAGES = {
    "flickr.com/commons/usage": "no-known-copyright",
    "usa.gov/government-copyright": "us-government",
    "usa.gov/government-works": "us-government",
    "usa.gov/copyright.shtml": "us-government",
    "rightsstatements.org/vocab/nkc/1.0": "no-known-copyright",
    "rightsstatements.org/page/nkc/1.0": "no-known-copyright",
    "rightsstatements.org/vocab/inc/1.0": "all-rights-reserved",
    "rightsstatements.org/page/inc/1.0": "all-rights-reserved",
    # What flickr.photos.licenses.getInfo gives for licence 0 (2025).
    "flickrhelp.com/hc/en-us/articles/10710266545556-using-flickr-images-shared-by-other-members": (
        "all-rights-reserved"
    ),
}


def from_url(url: str | None) -> str | None:
    """The name of the licence at a URL, of whatever jurisdiction and language; None where it is not known."""
    text = (url or "").strip()
    found = _CC.match(text)
    if found is None:
        page = re.sub(r"^(https?:)?//", "", text.lower()).removeprefix("www.")
        return _PAGES.get(re.split(r"[?#]", page)[0].rstrip("/"))
    if found["terms"]:
        terms = found["terms"].lower().split("-")
        return _known(set(terms), found["version"]) if set(terms) <= {"by", "nc", "nd", "sa"} else None
    if found["old"]:
        return {"publicdomain": "public-domain", "zero": "cc0-1.0"}[found["old"].lower()]
    return {"zero": "cc0-1.0", "mark": "pdm-1.0"}[found["tool"].lower()]
