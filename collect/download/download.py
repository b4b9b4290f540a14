"""Downloading: candidates become images, politely, and everything that goes wrong becomes a row with a reason.

Takes in a study with candidates; gives out how many of them came to what. Any number of processes and machines may
do this for one study at once; killed at any moment, the same call goes on.

    download(study, source="openverse")
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from photojury.collect.claims import working
from photojury.collect.courtesy.identity import user_agent
from photojury.collect.download import placeholders
from photojury.collect.download.connections import Limits, Resolve
from photojury.collect.download.fetching import Fetcher, Moved
from photojury.collect.download.hosts import Host, Hosts, Job
from photojury.collect.download.optouts import Robots
from photojury.collect.download.queue import Queue
from photojury.collect.download.recording import Recorder
from photojury.collect.download.safety import allow_loopback, url_problem
from photojury.collect.download.troubles import NotNow
from photojury.collect.download.workers import Result, Workers, disk_full
from photojury.collect.intake import Outcome
from photojury.datasets.store import Study

MOST_REDIRECTS = 5

# Candidates claimed at once, by how many threads there are; never fewer than the second.
_HAND_PER_THREAD = 16
_LEAST_HAND = 256
# Seconds until the next look for candidates, when there were fewer than wanted.
_CLAIM_AGAIN = 2.0
# Seconds between looks for candidates of other hosts while one host has all those in hand.
_LOOK_ELSEWHERE = 60.0


@dataclass
class Downloaded:
    """What a run did, and what it left.

    Attributes:
        outcomes: how many candidates came to each state (stored, duplicate, rejected, gone, barred) by which rule;
            the rule is "" where there is none.
        waiting: failed, and to be tried again from `again_at` (seconds since 1970) on.
        given_up: failed at every try that they had.
        found: never tried: over the limit of this run, or their host rests.
        held: being downloaded by other processes.
        resting: hosts that are left alone for longer than this run was ready to wait.
    """

    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    waiting: int = 0
    given_up: int = 0
    found: int = 0
    held: int = 0
    resting: list[str] = field(default_factory=list)
    again_at: float | None = None


def download(
    study: Study,
    *,
    source: str | None = None,
    limit: int | None = None,
    retry_now: bool = False,
    progress: Callable[[int], None] = lambda done: None,
    resolve: Resolve = socket.getaddrinfo,
) -> Downloaded:
    """Download the candidates that have not been, and those whose time for another try has come.

    Args:
        source: only of this source.
        limit: at most so many.
        retry_now: try again at once what failed, also what was given up.
        progress: called with the number of candidates done.
        resolve: as socket.getaddrinfo, for tests.

    Raises:
        StoreError: the disk is full; candidates whose bytes were not kept stay found.
    """
    fetcher = Fetcher(limits_of(study), user_agent(study.settings), resolve)
    try:
        with working(study) as process:
            queue = Queue(study, process, source)
            if retry_now:
                queue.retry_now()
            with Recorder(study, progress) as recorder, Workers(study, fetcher) as workers:
                run = _Run(study, queue, workers, recorder, limit)
                run.all()
            left = queue.left()
    except Exception as error:
        full = disk_full(error)
        if full:
            raise full from error
        raise
    resting = run.passed_over() if left.found else []
    moments = [host.rest_until for host in resting] + ([left.next_at] if left.next_at else [])
    return Downloaded(
        outcomes=recorder.outcomes,
        waiting=left.waiting,
        given_up=left.given_up,
        found=left.found,
        held=left.held,
        resting=[host.origin for host in resting],
        again_at=min(moments, default=None),
    )


def limits_of(study: Study) -> Limits:
    """What one request may take, by study.toml."""
    section = study.settings.download
    return Limits(
        total=section.total_seconds,
        slowest=section.least_bytes_per_second,
        largest=int(study.settings.collect.max_megabytes * 1e6),
        at_once=section.per_host_at_once,
        allow_loopback=allow_loopback(),
    )


class _Run:
    """The main thread's part: it claims candidates, hands out jobs in their hosts' time, and has results written."""

    def __init__(
        self, study: Study, queue: Queue, workers: Workers, recorder: Recorder, limit: int | None
    ) -> None:
        self._section = study.settings.download
        self._allow_loopback = allow_loopback()
        self._queue, self._workers, self._recorder = queue, workers, recorder
        self._hosts = Hosts(study.engine, self._section)
        self._hand = max(_LEAST_HAND, _HAND_PER_THREAD * self._section.threads)
        self._allowed = limit
        self._active = 0
        self._claim_at = self._look_at = self._claimed_at = 0.0

    def all(self) -> None:
        """Do everything that can be done within download.patience_seconds of waiting."""
        try:
            while self._step():
                pass
        except BaseException:
            self._workers.stop()
            while (result := self._workers.next(0.0)) is not None:
                if result.job.row is not None and isinstance(result.what, Outcome):
                    self._recorder.settle(result.job.row, result.what)
            raise

    def _step(self) -> bool:
        """Hand out what can be done now, and take in what is done; False once nothing is left."""
        self._claim()
        self._put_off_resting()
        for job in self._hosts.ready(self._workers.idle):
            self._active += 1
            self._workers.begin(job)
        if self._active or self._hosts.waiting():
            self._receive()
            return True
        return self._wait_for_more()

    def passed_over(self) -> list[Host]:
        """Hosts that rest for longer than this run is ready to wait."""
        return self._hosts.resting(self._section.patience_seconds)

    def _claim(self) -> None:
        """Take new candidates in hand, where there is room for them and something could be done with them."""
        have = self._hosts.waiting()
        now = time.monotonic()
        # With idle workers and enough in hand, it is all of hosts that are busy: others are looked for.
        elsewhere = have >= self._hand // 2
        if elsewhere and (self._workers.idle == 0 or have >= self._hand or now < self._look_at):
            return
        most = self._hand - have if self._allowed is None else min(self._hand - have, self._allowed)
        if most <= 0 or (now < self._claim_at and (have or self._active)):
            return
        busy = self._hosts.crowded(self._hand // 8) if elsewhere else []
        self._claimed_at = time.time()
        rows = self._queue.claim(most, {host.origin for host in [*self.passed_over(), *busy]})
        if len(rows) < most:
            self._claim_at = now + _CLAIM_AGAIN
        if elsewhere and not rows:
            self._look_at = now + _LOOK_ELSEWHERE
        if self._allowed is not None:
            self._allowed -= len(rows)
        for row in rows:
            self._add(Job(row["file_url"], row))

    def _add(self, job: Job) -> None:
        """Queue a job at its host, unless something is known against it."""
        assert job.row is not None
        problem = url_problem(job.url, allow_loopback=self._allow_loopback)
        deleted = placeholders.by_address(job.url, self._section)
        if problem:
            self._recorder.settle(job.row, Outcome("rejected", "bad_url", problem))
        elif deleted:
            self._recorder.settle(job.row, Outcome("gone", placeholders.RULE, deleted))
        elif not self._hosts.add(job):
            self._recorder.settle(job.row, _FORBIDDEN)

    def _receive(self) -> None:
        """Wait for a result until something else can be done, and take in all that there are."""
        until = min(self._hosts.next_at() if self._workers.idle else float("inf"), time.time() + 1.0)
        if not self._active:
            time.sleep(max(0.0, until - time.time()))
        result = self._workers.next(until - time.time()) if self._active else None
        while result is not None:
            self._active -= 1
            self._take(result)
            result = self._workers.next(0.0) if self._active else None
        self._recorder.write_if_due()

    def _take(self, result: Result) -> None:
        job, what = result.job, result.what
        if result.crash is not None:
            raise result.crash
        self._hosts.done(job, what if isinstance(what, NotNow) else None)
        if job.row is None:
            self._take_robots(job, what)
        elif isinstance(what, Moved):
            self._follow(job, job.row, what.url)
        elif isinstance(what, NotNow):
            self._recorder.fail(job.row, what, not_before=self._hosts.of(job.url).rest_until)
        elif isinstance(what, Outcome):
            self._recorder.settle(job.row, what)

    def _take_robots(self, job: Job, what: object) -> None:
        """A host's robots.txt, or why it cannot be had: then none of its files can."""
        host = self._hosts.of(job.url)
        if isinstance(what, Robots):
            for forbidden in self._hosts.learn(job.url, what):
                assert forbidden.row is not None
                self._recorder.settle(forbidden.row, _FORBIDDEN)
            return
        for waiting in self._hosts.take_back(host):
            assert waiting.row is not None
            if isinstance(what, NotNow):
                self._recorder.fail(waiting.row, what, not_before=host.rest_until)
            elif isinstance(what, Outcome):
                self._recorder.settle(waiting.row, what)

    def _follow(self, job: Job, row: dict[str, object], url: str) -> None:
        if job.hops >= MOST_REDIRECTS:
            reason = f"its server sends from one address to the next, more than {MOST_REDIRECTS} times"
            self._recorder.settle(row, Outcome("rejected", "redirects", reason))
        else:
            self._add(Job(url, job.row, job.hops + 1))

    def _put_off_resting(self) -> None:
        """Let go of candidates whose hosts rest for longer than this run is ready to wait."""
        for host in self.passed_over():
            for job in self._hosts.take_back(host):
                assert job.row is not None
                self._recorder.put_off(job.row, host.origin, host.rest_until)

    def _wait_for_more(self) -> bool:
        """With nothing in hand, sleep until a failed candidate is due; False if none is soon enough."""
        self._recorder.write()
        next_at = None if self._allowed == 0 else self._queue.next_due(self._claimed_at)
        if next_at is None or next_at - time.time() > self._section.patience_seconds:
            return False
        time.sleep(max(0.0, next_at - time.time()))
        return True


_FORBIDDEN = Outcome("barred", "robots", "its host's robots.txt forbids it")
