"""What can be asked of Flickr: options checked, and made into the parameters of flickr.photos.search.

Takes in what a user typed; gives out a query, which is plain JSON and the same for the same question, and the
parameters that it stands for.

    >>> asked = query(tags="tree, oak", licenses=["cc0"], uploaded_from="2015-01-01")
    >>> asked["tags"], asked["licenses"]
    (['oak', 'tree'], ['cc0-1.0'])
    >>> parameters(asked)["license"]
    '9'
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from photojury.collect.sources import flickr_licenses
from photojury.collect.sources.flickr_rows import LONGEST
from photojury.collect.sources.source import Query
from photojury.errors import InputError, unknown_name

# Rows of one call, the most that Flickr gives.
PER_PAGE = 500
# What is asked of each row; count_faves and count_comments are undocumented and may be missing. Where a photo was
# taken is personal, and not asked.
EXTRAS = (
    "description,license,date_upload,date_taken,owner_name,original_format,last_update,tags,machine_tags,o_dims,views,media,"
    "path_alias,count_faves,count_comments,url_m,url_z,url_c,url_l,url_o"
)
COUNTERS = "date_upload,views,count_faves,count_comments"
# Flickr opened in February 2004; nothing was uploaded before this.
FIRST = datetime(2003, 1, 1, tzinfo=UTC)
_MOST_TAGS = 20


def query(
    *,
    text: str | None = None,
    tags: str | None = None,
    all_tags: bool = False,
    group: str | None = None,
    user: str | None = None,
    uploaded_from: str | None = None,
    uploaded_to: str | None = None,
    taken_from: str | None = None,
    taken_to: str | None = None,
    licenses: Sequence[str] = (),
    size: str = "l",
) -> dict[str, object]:
    """A query of the options of `photojury collect flickr`.

    Args:
        tags: with commas between them; `-x` leaves out what is tagged x.
        all_tags: whether a photo must have all of them, instead of any.
        uploaded_from: a day or a time, 2015-01-01 or 2015-01-01T12:00, in UTC; both ends are included.
        taken_from: the same by the camera's clock.
        licenses: names of photojury.datasets.licenses or short ones (cc, by, public-domain); none: any licence.
        size: which file is to be downloaded, a key of LONGEST.

    Raises:
        InputError: nothing to look for, a date that is none, ends the wrong way round, an unknown licence.
    """
    if size not in LONGEST:
        raise unknown_name("size", size, LONGEST)
    words = sorted({tag.strip() for tag in (tags or "").split(",") if tag.strip()})
    if len(words) > _MOST_TAGS:
        raise InputError(f"--tags has {len(words)} tags; Flickr takes at most {_MOST_TAGS} in one search")
    uploaded = _range("--from", uploaded_from, "--to", uploaded_to)
    taken = _range("--taken-from", taken_from, "--taken-to", taken_to)
    names = [flickr_licenses.NAMES[number] for number in flickr_licenses.numbers(licenses)]
    found: dict[str, object] = {
        "text": (text or "").strip(),
        "tags": words,
        "all_tags": all_tags and bool(words),
        "group": group,
        "user": user,
        "licenses": names,
    }
    if not any(found.values()):
        raise InputError("say what to look for: --text, --tags, --group, --user or --license")
    limits = {
        "from": uploaded[0],
        "to": uploaded[1],
        "taken_from": taken[0],
        "taken_to": taken[1],
        "size": size,
    }
    return {name: value for name, value in {**found, **limits}.items() if value}


def bounds(asked: Query, now: float) -> tuple[int, int]:
    """The first and last second of upload that a query asks for; open ends are Flickr's beginning and `now`.

    Raises:
        InputError: its beginning lies after now.
    """
    first = _seconds(str(asked["from"])) if "from" in asked else int(FIRST.timestamp())
    last = min(int(now), _seconds(str(asked["to"])) if "to" in asked else int(now))
    if first > now:
        raise InputError(f"--from {asked['from']} lies in the future")
    return min(first, last), last


def parameters(asked: Query) -> dict[str, object]:
    """The parameters of flickr.photos.search that are the same for every slice and page."""
    licenses = asked.get("licenses")
    tags = asked.get("tags")
    found = {
        "text": asked.get("text"),
        "tags": ",".join(map(str, tags)) if isinstance(tags, list) else None,
        "tag_mode": ("all" if asked.get("all_tags") else "any") if tags else None,
        "group_id": asked.get("group"),
        "user_id": asked.get("user"),
        "license": ",".join(map(str, flickr_licenses.numbers(licenses)))
        if isinstance(licenses, list)
        else None,
        "min_taken_date": asked.get("taken_from"),
        "max_taken_date": asked.get("taken_to"),
        # 0 is a photo, as against a screenshot, a drawing or a virtual photo.
        "content_types": 0,
        "media": "photos",
        "sort": "date-posted-asc",
        "per_page": PER_PAGE,
    }
    return {name: value for name, value in found.items() if value is not None}


def _range(
    from_name: str, first: str | None, to_name: str, last: str | None
) -> tuple[str | None, str | None]:
    begin, end = _moment(from_name, first, time.min), _moment(to_name, last, time.max)
    if begin and end and begin > end:
        raise InputError(f"{from_name} {first} lies after {to_name} {last}; swap them")
    return begin, end


def _moment(name: str, typed: str | None, of_day: time) -> str | None:
    """A day, or a time in UTC, as `YYYY-MM-DD HH:MM:SS`, which Flickr also takes; a day's end is its last second."""
    if typed is None:
        return None
    try:
        if len(typed.strip()) <= 10:
            moment = datetime.combine(date.fromisoformat(typed.strip()), of_day)
        else:
            moment = datetime.fromisoformat(typed.strip())
        if moment.tzinfo:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        if moment + timedelta(seconds=1) < datetime(1826, 1, 1):
            raise ValueError("before the first photograph")
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"{name} {typed!r} is no possible date ({error}); write a day as 2015-01-31, or a time as "
            "2015-01-31T18:30:00"
        ) from None
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _seconds(moment: str) -> int:
    return int(datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp())
