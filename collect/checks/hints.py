"""Hints: what a picture's source says of its kind, which is asked before its pixels are.

Takes in what sources wrote into candidates.extra; gives out rows of the check `category`. Only a word against counts:
Flickr and Openverse call everything a photograph that nobody called something else, so that word is worth nothing.

    >>> no_photograph({"category": "digitized_artwork"}), no_photograph({"category": "photograph"})
    (True, False)
"""

import json
from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from photojury.collect.checks.looking import VERSION
from photojury.datasets import tables
from photojury.datasets.store import add_rows

CATEGORY = "category"
"""The check's name."""

_AGAINST = {
    "category": {"illustration", "digitized_artwork"},  # Openverse's three, with photograph
    "content_type": {"1", "2", "3"},  # Flickr: screenshot, other, virtual photography; 0 is photo
    "mediatype": {"drawing"},  # Wikimedia Commons: vector graphics; BITMAP says nothing
}


def no_photograph(extra: Mapping[str, object]) -> bool:
    """Whether a source says that this is a drawing, a painting or a screenshot."""
    return any(str(extra.get(key, "")).lower() in words for key, words in _AGAINST.items())


def note_hints(connection: sa.Connection) -> int:
    """Write the check `category` of every image of which a source says so; returns how many there are.

    An image that several sources offered is judged by any of them.
    """
    images = sorted(set(_hinted(connection)))
    rows = [
        {"image_id": image, "check": CATEGORY, "value": 1.0, "verdict": "unjudged", "version": VERSION}
        for image in images
    ]
    add_rows(connection, tables.checks, rows)
    return len(images)


def _hinted(connection: sa.Connection) -> Iterator[str]:
    table = tables.candidates
    named = sa.or_(*(table.c.extra.contains(f'"{key}"') for key in _AGAINST))
    query = sa.select(table.c.image_id, table.c.extra).where(table.c.image_id.is_not(None) & named)
    for image, extra in connection.execute(query):
        if no_photograph(json.loads(extra)):
            yield image
