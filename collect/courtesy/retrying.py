"""Asking again: what failed for a moment is tried again, slower each time; what failed for good is not.

Takes in a call that raises `Transient` where another try may help; gives out what the call returned.

    >>> retrying(lambda: 7)
    7
"""

import email.utils
import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from photojury.errors import ServiceError

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Transient(Exception):
    """Another try may help; `after` is how many seconds the service asked to wait, if it did."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


def retrying(
    call: Callable[[], T],
    *,
    tries: int = 5,
    first: float = 1.0,
    longest: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Make a call up to `tries` times, with pauses of twice the length each time, half of each random.

    Args:
        call: raises Transient where another try may help.
        first: seconds that the first pause has at most.
        longest: seconds; a service that asks for a longer pause has failed.

    Raises:
        ServiceError: the last try failed, too, or the pause asked for is longer than `longest`.
    """
    for number in range(1, tries + 1):
        try:
            return call()
        except Transient as error:
            pause = min(longest, first * 2.0 ** (number - 1)) * random.uniform(0.5, 1)
            if error.after is not None:
                pause = max(pause, error.after)
            if number == tries or pause > longest:
                raise ServiceError(f"{error}; tried {number} times") from error
            logger.info("%s; trying again in %.0f s", error, pause)
            sleep(pause)
    raise AssertionError("not reached: the last try returns or raises")


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds to wait, of a Retry-After header: a number, or a date (RFC 9110, 10.2.3); None where it is neither.

    >>> retry_after("120", now=0.0)
    120.0
    """
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None
