"""Times in MTurk's batch results, both ways.

>>> mturk_time(1435170586.0)
'Wed Jun 24 18:29:46 UTC 2015'
>>> parse_time("Wed Jun 24 11:29:46 PDT 2015")
1435170586.0
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from photojury.errors import InputError

# English whatever the locale, as MTurk wrote them.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONES = {"PDT": -7, "PST": -8, "UTC": 0, "GMT": 0}
_TIME = re.compile(
    rf"(?:{'|'.join(_DAYS)}) ({'|'.join(_MONTHS)}) (\d\d?) (\d\d):(\d\d):(\d\d) ({'|'.join(_ZONES)}) (\d{{4}})"
)


def mturk_time(seconds: float) -> str:
    """A time as MTurk wrote it, to the second, in UTC."""
    at = datetime.fromtimestamp(int(seconds // 1), UTC)
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at:%d %H:%M:%S} UTC {at:%Y}"


def parse_time(text: str) -> float:
    """Seconds since 1970 of a time as MTurk wrote it (PDT, PST, UTC, GMT), or in ISO 8601 (UTC without a zone).

    Raises:
        InputError: it is neither.
    """
    found = _TIME.fullmatch(text.strip())
    try:
        if not found:
            at = datetime.fromisoformat(text.strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        month, day, hour, minute, second, zone, year = found.groups()
        clock = (int(hour), int(minute), int(second))
        at = datetime(int(year), _MONTHS.index(month) + 1, int(day), *clock)
        return at.replace(tzinfo=timezone(timedelta(hours=_ZONES[zone]))).timestamp()
    except (ValueError, OverflowError):
        raise InputError(
            f'{text!r} is no time; write it like "Wed Jun 24 11:29:46 PDT 2015" or "2015-06-24T18:29:46Z"'
        ) from None
