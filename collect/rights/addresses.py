"""The standing of pictures that are known by a web address only: is the file still there, and does it opt out now?

Takes in addresses of files; asks for their headers through the same guarded connections, and at the same pace, as the
download. Nobody at such an address says a licence, so a file that is there stands as it did.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from photojury.collect.courtesy.identity import user_agent
from photojury.collect.courtesy.pace import Pace
from photojury.collect.download import placeholders, safety
from photojury.collect.download.connections import Limits
from photojury.collect.download.fetching import Fetcher, Moved
from photojury.collect.download.hosts import BREAK_AFTER, origin_of
from photojury.collect.download.optouts import Robots
from photojury.collect.download.troubles import NoPicture, NotNow
from photojury.collect.rights.standing import Row, Standing
from photojury.datasets.store import Study
from photojury.errors import Unfinished

T = TypeVar("T")

_HOPS = 5
# Seconds that one file's headers, and the pause that a host asks for, are worth waiting for.
_TOTAL, _PATIENCE = 30.0, 60.0


@dataclass
class _Host:
    """One origin, as this run knows it; `failures` counts those in a row that were the host's."""

    pace: Pace
    permits: threading.BoundedSemaphore
    robots: Robots | None = None
    failures: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class AddressRights:
    """Tells how files stand at their addresses."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._section = study.settings.download
        self.at_once = self._section.threads
        limits = Limits(allow_loopback=safety.allow_loopback(), total=_TOTAL)
        self._fetcher = Fetcher(limits, user_agent(study.settings))
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def look_up(self, images: Sequence[Row]) -> Mapping[str, Standing]:
        """See RightsOf; a trouble of the network is no trouble of the picture, which is unknown then."""
        names = [image["source_id"] for image in images]
        with ThreadPoolExecutor(self.at_once) as pool:
            return dict(zip(names, pool.map(self._standing, images), strict=True))

    def _standing(self, image: Row) -> Standing:
        url = image["file_url"]
        if not url:
            return Standing("unknown", note="no address of its file is known")
        problem = safety.url_problem(url, allow_loopback=safety.allow_loopback())
        if problem:
            return Standing("unknown", note=problem)
        try:
            return self._follow(url)
        except NoPicture as error:
            # Only a deleted file is gone; what else a host sends in its place may be a bad day's.
            if error.state == "barred":
                return Standing("there", opt_out=error.reason)
            return Standing("gone" if error.state == "gone" else "unknown", note=error.reason)
        except (NotNow, Unfinished) as error:
            return Standing("unknown", note=str(error))

    def _follow(self, url: str) -> Standing:
        for _ in range(_HOPS + 1):
            moved = self._at(url)
            if moved is None:
                return Standing("there")
            url = moved.url
            if placeholder := placeholders.by_address(url, self._section):
                return Standing("gone", note=placeholder)
        return Standing("unknown", note=f"it was moved more than {_HOPS} times")

    def _at(self, url: str) -> Moved | None:
        """Where a file has moved to, None where it is there; at most so many are asked of a host at once."""
        origin = origin_of(url)
        host = self._host(origin)
        with host.permits:
            if not self._robots(host, origin).allows(url):
                raise NotNow("robots", "its host's robots.txt does not let us ask")
            try:
                return self._ask(host, lambda: self._fetcher.probe(url))
            except (NoPicture, NotNow) as error:
                # Some servers know GET only, so a refusal, by which a picture may be forgotten, is asked for twice.
                if not error.rule.startswith("http_") or error.rule in ("http_429", "http_503"):
                    raise
            return self._ask(host, lambda: self._fetcher.probe(url, "GET"))

    def _robots(self, host: _Host, origin: str) -> Robots:
        with host.lock:
            if host.robots is None:
                host.robots = self._ask(host, lambda: self._fetcher.robots(origin))
            return host.robots

    def _host(self, origin: str) -> _Host:
        with self._lock:
            if origin not in self._hosts:
                name, rate = f"host:{urlsplit(origin).netloc}", self._section.per_host_per_second
                pace = Pace(self._study.engine, name, rate, longest=_PATIENCE)
                self._hosts[origin] = _Host(pace, threading.BoundedSemaphore(self._section.per_host_at_once))
            return self._hosts[origin]

    def _ask(self, host: _Host, ask: Callable[[], T]) -> T:
        """Ask a host in its turn; one that failed several times in a row is left alone in this run."""
        if host.failures >= BREAK_AFTER:
            raise NotNow("ill", "its host does not answer; it is left alone in this run")
        host.pace.take()
        failures = 0
        try:
            return ask()
        except NotNow as error:
            failures = host.failures + error.of_host
            if error.of_host and error.after:
                host.pace.pause(error.after)
            raise
        finally:
            # Threads that write at once may lose a failure, never invent one.
            host.failures = failures
