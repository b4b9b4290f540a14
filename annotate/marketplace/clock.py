"""The marketplace's clock: the real one, and one that tests can move days ahead.

Takes in nothing; gives out seconds since 1970 (UTC), as float.

    >>> clock = MovableClock(start=1000.0)
    >>> clock.move(24 * 3600)
    >>> clock()
    87400.0
"""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Anything that, when called, tells the time in seconds since 1970 (UTC)."""

system_clock: Clock = time.time


class MovableClock:
    """A clock that stands still until it is moved; starts now, or where it is told."""

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start

    def __call__(self) -> float:
        return self._now

    def move(self, seconds: float) -> None:
        """Put the clock ahead."""
        self._now += seconds
