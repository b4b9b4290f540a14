"""Flickr's JSON made into findings: the one place where its types are cast.

Takes in rows of flickr.photos.search and answers of flickr.photos.getInfo, whose numbers come as numbers or as
text, whose keys may be missing, and whose descriptions are objects; gives out Finding and PhotoInfo.

    >>> row = {"id": "7", "owner": "1@N0", "views": "9", "url_l": "http://h/7_b.jpg", "width_l": "683", "height_l": 1024}
    >>> found = finding(row, "l")
    >>> found.views, found.favs, found.width
    (9, None, 683)
"""

import calendar
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from photojury.collect.sources.flickr_licenses import described
from photojury.collect.sources.source import Finding
from photojury.datasets.store import Row

# Longest side in pixels of what each --size takes at most, and of each of Flickr's sizes where no width is told.
LONGEST = {"o": 10**9, "l": 1024, "c": 800}
_NOMINAL = {"l": 1024, "c": 800, "z": 640, "m": 500, "o": 10**8}
_NO_CV = "nocv"


@dataclass(frozen=True)
class PhotoInfo:
    """What flickr.photos.getInfo says that may have changed since a photo was found.

    Attributes:
        license_id: as in Finding; license_url with it.
        public: whether everybody may see it; None where Flickr does not say.
        opt_out: a sentence where it is tagged no_cv.
    """

    photo_id: str
    license_id: str | None
    license_url: str | None
    public: bool | None
    opt_out: str | None
    tags: tuple[str, ...]
    author_id: str | None
    author: str | None
    title: str | None
    views: int | None
    comments: int | None


def finding(row: Mapping[str, Any], size: str) -> Finding | None:
    """A row of a search as a finding; None for a row without an id, which is no photo.

    Args:
        size: which file to download: `l` up to 1024 pixels, `c` up to 800, `o` the original.
    """
    photo_id = text(row.get("id"))
    if photo_id is None or not photo_id.isdecimal():
        return None
    owner = text(row.get("owner"))
    license_id, license_url = described(number(row.get("license")))
    file_url, width, height = _file(row, photo_id, size)
    tags = tuple((text(row.get("tags")) or "").split())
    machine_tags = (text(row.get("machine_tags")) or "").split()
    return Finding(
        source_id=photo_id,
        file_url=file_url,
        # The owner's id stays; an alias can be changed, and taken by another.
        page_url=f"https://www.flickr.com/photos/{owner}/{photo_id}/" if owner else None,
        title=text(row.get("title")),
        description=text(row.get("description")),
        author=text(row.get("ownername")) or owner,
        author_id=owner,
        author_url=f"https://www.flickr.com/people/{owner}/" if owner else None,
        license_id=license_id,
        license_url=license_url,
        tags=tags,
        taken_at=taken(row),
        uploaded_at=number(row.get("dateupload")),
        width=width,
        height=height,
        views=number(row.get("views")),
        favs=number(row.get("count_faves")),
        comments=number(row.get("count_comments")),
        opt_out=_opt_out([*tags, *machine_tags]),
        extra=_extra(row, machine_tags),
    )


def photo_info(photo: Mapping[str, Any]) -> PhotoInfo:
    """The `photo` of flickr.photos.getInfo, with every part that is missing as None."""
    license_id, license_url = described(number(photo.get("license")))
    public = number(_object(photo.get("visibility")).get("ispublic"))
    owner = _object(photo.get("owner"))
    rows = [_object(tag) for tag in _list(_object(photo.get("tags")).get("tag"))]
    tags = tuple(name for tag in rows if (name := text(tag.get("_content")) or text(tag.get("raw"))))
    return PhotoInfo(
        photo_id=text(photo.get("id")) or "",
        license_id=license_id,
        license_url=license_url,
        public=None if public is None else public == 1,
        opt_out=_opt_out([*tags, *(text(tag.get("raw")) or "" for tag in rows)]),
        tags=tags,
        author_id=text(owner.get("nsid")),
        author=text(owner.get("username")),
        title=text(photo.get("title")),
        views=number(photo.get("views")),
        comments=number(_object(photo.get("comments")).get("_content")),
    )


def number(value: object) -> int | None:
    """A count, which Flickr sends as a number or as text; None for anything else.

    >>> number("12"), number(12), number(""), number(None), number(True)
    (12, 12, None, None, None)
    """
    if isinstance(value, str) and value.isascii() and value.strip().isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text(value: object) -> str | None:
    """A text, which Flickr sends as such, as an object around it, or as a number; None where it is empty."""
    if isinstance(value, dict):
        value = value.get("_content")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and value.strip() else None


def taken(row: Mapping[str, Any]) -> float | None:
    """When the photo was taken, by the camera's clock read as UTC; None where Flickr has made it up.

    `datetakenunknown` says that the time is that of the upload; a granularity other than 0 says that only the month
    (4), the year (6) or about the year (8) is known (Flickr's page on dates).
    """
    if number(row.get("datetakenunknown")) == 1 or number(row.get("datetakengranularity")) not in (0, None):
        return None
    try:
        return float(calendar.timegm(time.strptime(text(row.get("datetaken")) or "", "%Y-%m-%d %H:%M:%S")))
    except ValueError:
        return None


def _file(row: Mapping[str, Any], photo_id: str, size: str) -> tuple[str | None, int | None, int | None]:
    """The address, width and height of the largest file within a size.

    1024 pixels (url_l) are what raters' screens and networks need, at a tenth to a thirtieth of the original's bytes. Flickr
    leaves url_l out where the original is smaller; then the original itself is nearest, and after it the next
    smaller size. Where Flickr names no file at all, the one of 500 pixels is there for every photo.
    """
    found = []
    for name, nominal in _NOMINAL.items():
        url = text(row.get(f"url_{name}"))
        if url is None:
            continue
        width, height = number(row.get(f"width_{name}")), number(row.get(f"height_{name}"))
        if name == "o":
            width, height = width or number(row.get("o_width")), height or number(row.get("o_height"))
        longest = max(width or 0, height or 0) or nominal
        found.append((longest, url, width, height))
    fitting = [file for file in found if file[0] <= LONGEST[size]]
    if found:
        best = max(fitting, key=_longest) if fitting else min(found, key=_longest)
        return best[1:]
    server, secret = text(row.get("server")), text(row.get("secret"))
    if not server or not secret or not re.fullmatch(r"\w+/\w+", f"{server}/{secret}"):
        return None, None, None
    return f"https://live.staticflickr.com/{server}/{photo_id}_{secret}.jpg", None, None


def _longest(file: tuple[int, str, int | None, int | None]) -> int:
    return file[0]


def _opt_out(tags: Iterable[str]) -> str | None:
    """A sentence where a tag, or a machine tag's last part, is no_cv however Flickr has normalised it.

    FFHQ removes what is tagged no_cv (its README); a machine tag reads namespace:predicate=value.
    """
    for tag in tags:
        parts = [tag, *re.split("[:=]", tag)]
        if any(re.sub(r"[\W_]", "", part.lower()) == _NO_CV for part in parts):
            return f"it is tagged {tag}: its owner wants no computer vision on it"
    return None


def _extra(row: Mapping[str, Any], machine_tags: list[str]) -> dict[str, object]:
    values: dict[str, object] = {
        "path_alias": text(row.get("pathalias")),
        "date_taken": text(row.get("datetaken")),
        "date_taken_granularity": number(row.get("datetakengranularity")),
        "date_taken_unknown": number(row.get("datetakenunknown")),
        "last_update": number(row.get("lastupdate")),
        "original_width": number(row.get("o_width")) or number(row.get("width_o")),
        "original_height": number(row.get("o_height")) or number(row.get("height_o")),
        "original_format": text(row.get("originalformat")),
        "machine_tags": machine_tags or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _object(value: object) -> Row:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
