"""Attribution: who made each picture, where it stands and under which licence, as the licences ask for it.

Takes in rows of `images`; gives out title, author, source and licence (TASL: wiki.creativecommons.org, "Recommended
practices for attribution"), when the file was fetched, what was changed, and one ready sentence.

    >>> credit({"title": "Tree", "author": "Ann", "license_id": "cc-by-2.0"})
    '"Tree" by Ann is licensed under CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)'
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from photojury.datasets.licenses import LICENSES, License, group

if TYPE_CHECKING:
    import pandas as pd

# pandas calls the keys of records Hashable.
Row = Mapping[Any, Any]

UNCHANGED = "none: the bytes as they were fetched"
"""What photojury changes in a picture: it stores and releases the original bytes."""

COLUMNS = (
    "image_id", "title", "author", "author_url", "page_url", "license_id", "license", "license_url",
    "retrieved_at", "changes", "attribution",
)  # fmt: skip
"""The columns of ATTRIBUTION.csv."""


def credit(row: Row) -> str:
    """One sentence that gives credit for a picture: the source's own where it made one, else composed."""
    if made := _text(row, "attribution"):
        return made
    title = _text(row, "title")
    page = _text(row, "page_url")
    name = f'"{title}"' if title else "Untitled picture"
    name += f" ({page})" if page else ""
    author = _text(row, "author")
    by = f"{name} by {author}" if author else name
    return f"{by} {_terms(row, author)}"


def attributions(images: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of ATTRIBUTION.csv, in the order of `images`; retrieved_at is ISO 8601 in UTC."""
    import pandas as pd

    rows = []
    for row in images.to_dict("records"):
        known = {name: _text(row, name) for name in COLUMNS}
        license = LICENSES.get(known["license_id"] or "")
        known |= {
            "license": license.name if license else known["license_id"],
            "license_url": known["license_url"] or (license.url if license else "") or None,
            "retrieved_at": datetime.fromtimestamp(row["retrieved_at"], UTC).isoformat(timespec="seconds"),
            "changes": UNCHANGED,
            "attribution": credit(row),
        }
        rows.append(known)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def unnamed(images: "pd.DataFrame") -> list[str]:
    """The pictures whose licence asks to name an author whom nobody has named, by image_id."""
    return [
        str(row["image_id"])
        for row in images.to_dict("records")
        if (license := LICENSES.get(_text(row, "license_id") or ""))
        and license.attribution
        and license.copies
        and not _text(row, "author")
    ]


def _terms(row: Row, author: str | None) -> str:
    word = _text(row, "license_id")
    license = LICENSES.get(word or "")
    if license is None:
        return "is the own picture of who made this dataset" if word == "own" else _unknown(word)
    url = _text(row, "license_url") or license.url
    at = f" ({url})" if url else ""
    if group(license.license_id) == "all-rights-reserved":
        return "is under copyright, all rights reserved"
    return f"{_verb(license)}{at}{'' if author or not license.attribution else '; its author is not named'}"


def _verb(license: License) -> str:
    """The words that Creative Commons uses: a licence is granted, a mark is put on what is free anyway."""
    if license.license_id == "public-domain":
        return "is in the public domain"
    if license.license_id == "no-known-copyright":
        return "has no known copyright restrictions"
    if license.license_id == "us-government":
        return "is a United States Government Work"
    return f"is {'licensed under' if license.attribution else 'marked with'} {license.name}"


def _unknown(word: str | None) -> str:
    return f"has a licence that is not known{f' (its source says: {word})' if word else ''}"


def _text(row: Row, name: str) -> str | None:
    """A column's text on one line; None where it is missing, whichever way pandas says so."""
    value = row.get(name)
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text or None
