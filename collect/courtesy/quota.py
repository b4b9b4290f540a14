"""Quota: how many calls a service gives in an hour or a day, counted by all processes of a study together.

Takes in a name, a number of calls and when the count begins anew; `take` counts one call, or says when to come
again. Where Pace spreads calls evenly, a quota may be used up at once.

    Quota(study.engine, "google", 100, ends=pacific_midnight).take()
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import add_rows, writing
from photojury.errors import Unfinished

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True)
class Quota:
    """The calls that a service gives in a period.

    Attributes:
        engine: of the study's store.
        name: whose quota it is: the row in `allowances`, and what messages call it.
        calls: how many there are in one period.
        ends: when a period ends (seconds since 1970) whose first call is made at the given time.
    """

    engine: sa.Engine
    name: str
    calls: int
    ends: Callable[[float], float]
    clock: Callable[[], float] = time.time

    def take(self) -> None:
        """Count a call, before it is made.

        Raises:
            Unfinished: there is none left in this period.
        """
        with writing(self.engine) as connection:
            used, end = self._state(connection)
            if used >= self.calls:
                raise Unfinished(self.sentence(end))
            self._write(connection, used + 1, end)

    def left(self) -> int:
        """How many calls are left in this period."""
        with writing(self.engine) as connection:
            return max(0, self.calls - self._state(connection)[0])

    def use_up(self, seconds: float | None = None) -> float:
        """The service says that none is left, whatever our count: until the period's end, or for so many seconds.

        Returns:
            When calls are given again.
        """
        with writing(self.engine) as connection:
            used, end = self._state(connection)
            end = end if seconds is None else self.clock() + seconds
            self._write(connection, max(used, self.calls), end)
        return end

    def sentence(self, end: float) -> str:
        """What to tell who asks too much."""
        when = f"{datetime.fromtimestamp(end).astimezone():%Y-%m-%d %H:%M}"
        return f"{self.name} gives no more calls until {when}; then run the same command again"

    def _state(self, connection: sa.Connection) -> tuple[int, float]:
        """Calls made in this period, and its end; a period that is over is forgotten."""
        table = tables.allowances
        now = self.clock()
        add_rows(connection, table, [{"name": self.name, "next_at": 0.0, "used": 0}])
        query = sa.select(table.c.used, table.c.next_at).where(table.c.name == self.name).with_for_update()
        used, end = connection.execute(query).one()
        return (used or 0, end) if now < end else (0, self.ends(now))

    def _write(self, connection: sa.Connection, used: int, end: float) -> None:
        table = tables.allowances
        mine = table.c.name == self.name
        connection.execute(sa.update(table).where(mine).values(used=used, next_at=end))


def after(seconds: float) -> Callable[[float], float]:
    """Periods that begin with their first call and last so long."""
    return lambda now: now + seconds


def pacific_midnight(now: float) -> float:
    """The end of the day as Google counts it: "Daily quotas reset at midnight Pacific Time" (Google Cloud's docs)."""
    zone = ZoneInfo("America/Los_Angeles")
    tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).timestamp()
