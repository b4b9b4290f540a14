"""The queue: which candidates are to be downloaded, by this process and not by another.

Takes in a study and a process of `claims.working`; gives out rows of `candidates`: first those that were never
tried, then those whose time for another try has come.

    queue = Queue(study, process, source="flickr")
    rows = queue.claim(100)
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.collect.claims import claim, held_by_others
from photojury.datasets import tables
from photojury.datasets.store import Study

_TABLE = tables.candidates
# Hosts that one claim can pass over; the rows of more are claimed and put off one by one.
_PASSED_OVER = 50


@dataclass(frozen=True)
class Left:
    """What of a queue is left: never tried (`found`), to be tried again (`waiting`, from `next_at` on), given up
    after all tries, and held by other processes."""

    found: int
    waiting: int
    given_up: int
    held: int
    next_at: float | None


class Queue:
    """The candidates that have an address, of one source or of all."""

    def __init__(self, study: Study, process: str, source: str | None = None) -> None:
        self._study = study
        self._process = process
        of_source = sa.true() if source is None else _TABLE.c.source == source
        self._any = of_source & _TABLE.c.file_url.is_not(None)

    def claim(self, most: int, but: Collection[str] = ()) -> list[dict[str, Any]]:
        """Claim up to so many rows.

        Args:
            but: origins (https://example.org) whose files are left for later.
        """
        others = sa.and_(True, *(_not_of(origin) for origin in list(but)[:_PASSED_OVER]))
        rows = claim(self._study, self._process, _TABLE, self._found() & others, most)
        if len(rows) < most:
            due = self._failed() & (_TABLE.c.retry_at <= time.time()) & others
            rows += claim(self._study, self._process, _TABLE, due, most - len(rows))
        return rows

    def due(self) -> int:
        """How many could be claimed now, if nobody held any."""
        return self._count(sa.or_(self._found(), self._failed() & (_TABLE.c.retry_at <= time.time())))

    def next_due(self, after: float) -> float | None:
        """The first moment after that one at which a failed candidate is to be tried again."""
        query = sa.select(sa.func.min(_TABLE.c.retry_at)).where(self._failed(), _TABLE.c.retry_at > after)
        with self._study.engine.connect() as connection:
            return connection.execute(query).scalar()

    def retry_now(self) -> None:
        """Make all that failed due, also what was given up."""
        with self._study.writing() as connection:
            connection.execute(sa.update(_TABLE).where(self._failed()).values(retry_at=time.time()))

    def left(self) -> Left:
        """What is left to do."""
        return Left(
            found=self._count(self._found()),
            waiting=self._count(self._failed() & _TABLE.c.retry_at.is_not(None)),
            given_up=self._count(self._failed() & _TABLE.c.retry_at.is_(None)),
            held=held_by_others(self._study, self._process, _TABLE, self._found() | self._failed()),
            next_at=self.next_due(after=0.0),
        )

    def _found(self) -> "sa.ColumnElement[bool]":
        return (_TABLE.c.state == "found") & self._any

    def _failed(self) -> "sa.ColumnElement[bool]":
        return (_TABLE.c.state == "failed") & self._any

    def _count(self, where: "sa.ColumnElement[bool]") -> int:
        with self._study.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).where(where)).scalar_one()


def waiting(study: Study, source: str | None = None) -> int:
    """How many candidates could be downloaded now."""
    queue = Queue(study, "", source)
    return queue.due()


def _not_of(origin: str) -> "sa.ColumnElement[bool]":
    return sa.not_(sa.func.lower(_TABLE.c.file_url).startswith(f"{origin}/", autoescape=True))
