"""Pace: how often a service or host may be asked, by all processes of a study together.

Takes in a name and a rate; `take` sleeps until the next call is allowed. The moment of the next call stands in
the study's database (a token bucket kept as one time, known as the generic cell rate algorithm), so that two
commands, or two machines, keep to the limit between them.

    Pace(study.engine, "flickr", per_second=1.0).take()
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import add_rows, writing
from photojury.errors import Unfinished


@dataclass
class Pace:
    """The pace of calls to one service.

    Attributes:
        engine: of the study's store.
        name: what is asked: the row in `allowances`.
        per_second: calls a second; 0 for no limit.
        burst: calls that may be made at once after a time without any.
        longest: seconds that `take` is ready to sleep.
    """

    engine: sa.Engine
    name: str
    per_second: float
    burst: int = 1
    longest: float = 600.0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _local: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _in_hand: list[float] = field(default_factory=list, repr=False)
    _paused_until: float = field(default=0.0, repr=False)
    _looked_at: float = field(default=-math.inf, repr=False)

    def take(self) -> None:
        """Wait for the next permitted moment.

        Raises:
            Unfinished: it is more than `longest` seconds away.
        """
        wait = self.moment() - self.clock()
        if wait > 0:
            self.sleep(wait)

    def moment(self) -> float:
        """When the next call is permitted, which this reserves: for those who have something else to do till then.

        Raises:
            Unfinished: it is more than `longest` seconds away.
        """
        with self._local:
            if self.per_second <= 0:
                return self._end_of_pause()
            # Fast hosts: a second's worth of moments is fetched at once, so that not every file costs a write.
            if not self._in_hand:
                self._in_hand = self._reserve(max(1, int(self.per_second)))
            return self._in_hand.pop(0)

    def pause(self, seconds: float) -> None:
        """Let nobody call for so long: the service asked for it."""
        with self._local, writing(self.engine) as connection:
            self._in_hand = []
            self._looked_at = -math.inf
            until = self.clock() + seconds
            self._move(connection, max(until, self._next(connection)))

    def _end_of_pause(self) -> float:
        """Without a rate there are only pauses; other processes' are looked for once a second."""
        now = self.clock()
        if now - self._looked_at >= 1:
            table = tables.allowances
            query = sa.select(table.c.next_at).where(table.c.name == self.name)
            with self.engine.connect() as connection:
                self._paused_until = connection.execute(query).scalar() or 0.0
            self._looked_at = now
        if self._paused_until - now > self.longest:
            raise self._too_long(self._paused_until)
        return max(now, self._paused_until)

    def _too_long(self, moment: float) -> Unfinished:
        when = datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")
        return Unfinished(f"{self.name} may be asked again at {when}; then run the same command again")

    def _reserve(self, count: int) -> list[float]:
        step = 1 / self.per_second
        with writing(self.engine) as connection:
            now = self.clock()
            # A rested bucket has `burst` calls in it, which is a next moment that lies in the past.
            first = max(self._next(connection), now - (self.burst - 1) * step)
            if first - now > self.longest:
                raise self._too_long(first)
            self._move(connection, first + count * step)
        return [first + number * step for number in range(count)]

    def _next(self, connection: sa.Connection) -> float:
        table = tables.allowances
        add_rows(connection, table, [{"name": self.name, "next_at": 0.0}])
        query = sa.select(table.c.next_at).where(table.c.name == self.name).with_for_update()
        moment: float = connection.execute(query).scalar_one()
        return moment

    def _move(self, connection: sa.Connection, moment: float) -> None:
        table = tables.allowances
        connection.execute(sa.update(table).where(table.c.name == self.name).values(next_at=moment))
