"""Workers: threads that make requests and look at what comes, while the main thread plans and writes.

Takes in jobs; gives out what became of each. Nothing here writes to the database.

    with Workers(study, fetcher) as workers:
        workers.begin(Job(url, row))
        result = workers.next(timeout=1.0)
"""

import errno
import hashlib
import queue
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from photojury.collect import intake
from photojury.collect.download import placeholders
from photojury.collect.download.fetching import Fetcher, Moved
from photojury.collect.download.hosts import Job
from photojury.collect.download.optouts import Robots
from photojury.collect.download.troubles import NoPicture, NotNow
from photojury.collect.intake import Outcome
from photojury.datasets.store import Study
from photojury.errors import StoreError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
# Seconds that a stop waits for requests under way.
_PATIENCE = 3.0


@dataclass(frozen=True)
class Result:
    """What became of a job; `crash` is an error that no other job would escape."""

    job: Job
    what: Outcome | Moved | NotNow | Robots | None
    crash: BaseException | None = None


class Workers:
    """A fixed number of threads."""

    def __init__(self, study: Study, fetcher: Fetcher) -> None:
        self._study = study
        self._fetcher = fetcher
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        number = study.settings.download.threads
        # Daemons: a server that is silent must not hold up the end of the program.
        self._threads = [
            threading.Thread(target=self._work, name=f"download {index}", daemon=True)
            for index in range(number)
        ]
        self.idle = number

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._fetcher.close()

    def stop(self) -> None:
        """Have requests under way come to an end; what they brought can still be asked for with `next`."""
        if not self._fetcher.stopped.is_set():
            self._fetcher.stopped.set()
            for _ in self._threads:
                self._jobs.put(None)
            until = time.monotonic() + _PATIENCE
            for thread in self._threads:
                thread.join(max(0.0, until - time.monotonic()))

    def begin(self, job: Job) -> None:
        """Have a job done."""
        self.idle -= 1
        self._jobs.put(job)

    def next(self, timeout: float) -> Result | None:
        """The next result, or None where none comes in so many seconds."""
        try:
            result = self._results.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        self.idle += 1
        return result

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                result = Result(job, self._do(job))
            except BaseException as crash:  # noqa: BLE001 (the main thread raises it)
                result = Result(job, None, crash)
            self._results.put(result)

    def _do(self, job: Job) -> Outcome | Moved | NotNow | Robots:
        if self._fetcher.stopped.is_set():
            return NotNow("stopped", "the download was stopped", busy=True)
        try:
            if job.row is None:
                return self._fetcher.robots(job.url)
            return self._fetcher.get(job.url, self._take_in)
        except NoPicture as error:
            return Outcome(error.state, error.rule, error.reason)
        except NotNow as error:
            return error

    def _take_in(self, data: bytes) -> Outcome:
        section = self._study.settings.download
        if section.placeholder_hashes:
            known = placeholders.by_hash(hashlib.sha256(data).hexdigest(), section)
            if known:
                return Outcome("gone", placeholders.RULE, known)
        return intake.examine(self._study, data)


def disk_full(error: BaseException) -> StoreError | None:
    """The sentence for a full disk, if that is what an error means, or an error that led to it; else None."""
    cause: BaseException | None = error
    while cause is not None:
        full = isinstance(cause, OSError) and cause.errno in DISK_FULL
        # SQLite's and PostgreSQL's own words; their errors carry no errno.
        if full or "disk is full" in str(cause) or "No space left on device" in str(cause):
            return StoreError(
                "the disk is full; what was downloaded is kept, and nothing is lost: make room, then run the same "
                "command again"
            )
        cause = cause.__cause__ or cause.__context__
    return None
