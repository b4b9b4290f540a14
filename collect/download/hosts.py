"""Hosts: whom to ask next. Each has its pace, its number of connections, its robots.txt, and rests when it is ill.

Takes in jobs (candidates with an address); gives out those that may be asked for now, and learns from what became
of them. Pace and rests stand in the study's database, so that all processes keep to them together.

    hosts = Hosts(study.engine, study.settings.download)
    hosts.add(Job(row, row["file_url"]))
    for job in hosts.ready(most=4): ...
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from photojury.collect.courtesy.pace import Pace
from photojury.collect.download.optouts import Robots
from photojury.collect.download.troubles import NotNow
from photojury.sections import DownloadSection

# Failures in a row after which a host is left alone, and how long at first and at most (seconds).
BREAK_AFTER = 5
_FIRST_REST = 60.0
_LONGEST_REST = 3600.0
# A Retry-After of more is a mistake of the server's.
_LONGEST_ASKED = 86_400.0
# Seconds that the next moment may be away because many processes share a pace.
_SHARED_PACE = 30.0
# Hosts known at once; a list of a million addresses may have a hundred thousand.
_MOST_HOSTS = 4096
# RFC 9309, 2.4: robots.txt is asked for again after a day.
_ROBOTS_LIVE = 86_400.0


@dataclass
class Job:
    """One request to make: for a candidate's file at `url`, after `hops` redirects; without a row for robots.txt."""

    url: str
    row: dict[str, Any] | None
    hops: int = 0
    began: float = 0.0


@dataclass
class Host:
    """One origin (scheme, name and port), as far as this process knows it."""

    origin: str
    pace: Pace
    waiting: deque[Job] = field(default_factory=deque)
    active: int = 0
    robots: Robots | None = None
    robots_at: float = 0.0
    asking_robots: bool = False
    failures: int = 0
    rests: int = 0
    ill_at: float = 0.0
    rest_until: float = 0.0
    _moment: float | None = None

    def free_at(self, at_once: int) -> float:
        """When the next request may be made; infinity while too many are under way."""
        # A host that was ill is asked for one file before it is asked for many.
        if self.active >= (1 if self.failures >= BREAK_AFTER else at_once) or self.asking_robots:
            return float("inf")
        if self._moment is None:
            self._moment = self.pace.moment()
        return max(self._moment, self.rest_until)

    def take(self, now: float) -> Job:
        """The next job, to be done now; robots.txt comes first."""
        self._moment = None
        self.active += 1
        if self.robots is None or now - self.robots_at > _ROBOTS_LIVE:
            self.asking_robots = True
            return Job(self.origin, None, began=now)
        job = self.waiting.popleft()
        job.began = now
        return job

    def rest(self, seconds: float, now: float) -> None:
        """Let all processes leave it alone for so long."""
        self.rests += 1
        self.ill_at = now
        self.rest_until = now + seconds
        self.pace.pause(seconds)
        self._moment = None


class Hosts:
    """All hosts that this process has jobs for, or has had."""

    def __init__(
        self, engine: sa.Engine, section: DownloadSection, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._section = section
        self._clock = clock
        self._hosts: dict[str, Host] = {}
        self._with_jobs: dict[str, Host] = {}
        self._resting: dict[str, Host] = {}

    def add(self, job: Job) -> bool:
        """Take a job in; False where the host's robots.txt is known, and forbids it."""
        host = self.of(job.url)
        if host.robots is not None and not host.robots.allows(job.url):
            return False
        host.waiting.append(job)
        self._with_jobs[host.origin] = host
        return True

    def of(self, url: str) -> Host:
        """The host of a URL."""
        origin = origin_of(url)
        if origin not in self._hosts:
            if len(self._hosts) >= _MOST_HOSTS:
                self._forget_idle()
            name = urlsplit(origin).netloc
            pace = Pace(
                self._engine,
                f"host:{name}",
                self._section.per_host_per_second,
                longest=float("inf"),
                clock=self._clock,
            )
            self._hosts[origin] = Host(origin, pace)
        return self._hosts[origin]

    def ready(self, most: int) -> Iterator[Job]:
        """Up to so many jobs that may be done now, one of each host in turn."""
        now = self._clock()
        given = 0
        for origin, host in list(self._with_jobs.items()):
            if given >= most:
                return
            if host.free_at(self._section.per_host_at_once) <= now:
                # Behind all others, for the next turn.
                del self._with_jobs[origin]
                job = host.take(now)
                if host.waiting:
                    self._with_jobs[origin] = host
                given += 1
                yield job

    def next_at(self) -> float:
        """When the next job may be done, as far as it does not wait for one under way; infinity if none."""
        moments = [host.free_at(self._section.per_host_at_once) for host in self._with_jobs.values()]
        return min(moments, default=float("inf"))

    def waiting(self) -> int:
        """How many jobs wait."""
        return sum(len(host.waiting) for host in self._with_jobs.values())

    def resting(self, seconds: float) -> list[Host]:
        """Hosts that rest for longer than that from now, by this process's or another's experience."""
        until = self._clock() + seconds
        rate = self._section.per_host_per_second
        # A pause that another process was asked for shows in the pace; a slow pace is none.
        paused = self._clock() + (max(seconds, _SHARED_PACE, 2 / rate) if rate else seconds)
        for host in self._with_jobs.values():
            moment = host.free_at(self._section.per_host_at_once)
            if paused < moment < float("inf"):
                host.rest_until = moment
                self._resting[host.origin] = host
        self._resting = {
            origin: host for origin, host in self._resting.items() if host.rest_until > self._clock()
        }
        return [host for host in self._resting.values() if host.rest_until > until]

    def crowded(self, share: int) -> list[Host]:
        """Hosts with at least so many waiting jobs."""
        return [host for host in self._with_jobs.values() if len(host.waiting) >= share]

    def take_back(self, host: Host) -> list[Job]:
        """All waiting jobs of a host, which it has no more."""
        jobs = list(host.waiting)
        host.waiting.clear()
        self._with_jobs.pop(host.origin, None)
        return jobs

    def done(self, job: Job, trouble: NotNow | None) -> None:
        """A job of this host ended: with an answer, or with trouble that may be the host's."""
        host = self.of(job.url)
        host.active -= 1
        if job.row is None:
            host.asking_robots = False
        if trouble is None:
            host.failures = host.rests = 0
        # What was asked before the host was found ill says nothing new.
        elif trouble.of_host and job.began >= host.ill_at:
            host.failures += 1
            if trouble.busy or trouble.after is not None or job.row is None or host.failures >= BREAK_AFTER:
                host.rest(self._rest(host, trouble), self._clock())
                self._resting[host.origin] = host

    def learn(self, url: str, robots: Robots) -> list[Job]:
        """What a host's robots.txt says; gives back the waiting jobs that it forbids."""
        host = self.of(url)
        host.robots, host.robots_at = robots, self._clock()
        jobs = self.take_back(host)
        return [job for job in jobs if not self.add(job)]

    def _forget_idle(self) -> None:
        """Forget hosts that nothing is to be remembered of but robots.txt, which can be asked for again."""
        self._hosts = {
            origin: host
            for origin, host in self._hosts.items()
            if host.waiting or host.active or host.failures or host.rest_until > self._clock()
        }

    def _rest(self, host: Host, trouble: NotNow) -> float:
        if trouble.after is not None:
            return min(max(trouble.after, 1.0), _LONGEST_ASKED)
        return min(_LONGEST_REST, _FIRST_REST * 2.0 ** min(host.rests, 10)) * random.uniform(0.5, 1)


def origin_of(url: str) -> str:
    """Scheme, name and port of a URL, in one spelling.

    >>> origin_of("HTTP://Example.org:80/a.jpg")
    'http://example.org'
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    name = f"[{host}]" if ":" in host else host
    plain = parts.port is None or parts.port == {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{name}" if plain else f"{parts.scheme}://{name}:{parts.port}"
