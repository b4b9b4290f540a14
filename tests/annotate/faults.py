"""Faults on the way to a marketplace, and processes that are killed: what the tests of exactly-once need.

A `Proxy` stands in front of a marketplace, on loopback. By a seeded chance it answers ThrottlingException or
ServiceFault instead of asking the marketplace, or it asks and then cuts the connection, so that the requester
does not learn what was done. A `Trap` kills the process that sent a request of a given number: before the marketplace hears of it, after it
has done it, or after the answer has left.

`started` runs a command line of photojury in a process of its own, forked from one that has everything
imported, so that fifty of them are not fifty times Python's start.
"""

import contextlib
import http.client
import json
import multiprocessing
import os
import random
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import urlsplit

THROTTLED = (400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
FAULT = (500, {"__type": "ServiceFault", "Message": "Something failed.", "TurkErrorCode": "AWS.ServiceFault"})

_IMPORTED = ["pytest", "pandas", "photojury.progress", "photojury.runs", "tests.annotate.faults"] + [
    f"photojury.annotate.{name}" for name in ("commands", "publish", "quote", "fetch", "review", "extend")
]

MOMENTS = ("before", "done", "answered")
"""When a trap strikes: before the marketplace hears of the request, once it is done, once it is answered."""


@dataclass(frozen=True)
class Rates:
    """Chances of each fault, for one request."""

    throttled: float = 0.0
    failed: float = 0.0
    cut: float = 0.0


@dataclass
class Trap:
    """Kills a process, once, at the request of a given number (the next one is 1).

    `delay` is how long it has, after an answer, to write down what it learnt.
    """

    number: int
    moment: str
    delay: float = 0.0
    victim: int | None = None

    def strike(self) -> None:
        """kill -9."""
        assert self.victim is not None
        if self.moment == "answered":
            time.sleep(self.delay)
        os.kill(self.victim, signal.SIGKILL)


@dataclass
class Proxy:
    """A marketplace's address with faults before it.

    `seen` counts (operation, what became of the request), `struck` counts (operation, moment) of traps.
    """

    marketplace: str
    rates: Rates
    chance: random.Random
    url: str = ""
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    trap: Trap | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def counted(self, fate: str) -> int:
        """How many requests met a fate: throttled, failed, cut or passed."""
        return sum(count for (_, what), count in self.seen.items() if what == fate)

    def draw(self, operation: str) -> tuple[str, Trap | None]:
        """The fate of the next request, and the trap where it is the one that springs it."""
        with self.lock:
            point, rates = self.chance.random(), self.rates
            fate = "passed"
            for name in ("throttled", "failed", "cut"):
                if 0 <= point < getattr(rates, name):
                    fate = name
                point -= getattr(rates, name)
            self.seen[operation, fate] += 1
            sprung = None
            if self.trap is not None:
                self.trap.number -= 1
                if self.trap.number == 0:
                    sprung, self.trap = self.trap, None
                    self.struck[operation, sprung.moment] += 1
            return fate, sprung


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fate, trap = self.proxy.draw(self.headers.get("X-Amz-Target", "").rsplit(".", 1)[-1])
        if trap and trap.moment == "before":
            trap.strike()
            return self._hang_up()
        if fate in ("throttled", "failed"):
            status, error = THROTTLED if fate == "throttled" else FAULT
            self._answer(status, json.dumps(error).encode())
        else:
            status, answer = self._ask(body)
            if trap and trap.moment == "done":
                trap.strike()
            if fate == "cut" or (trap and trap.moment == "done"):
                return self._hang_up()
            self._answer(status, answer)
        if trap and trap.moment == "answered":
            trap.strike()
        return None

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        address = urlsplit(self.proxy.marketplace)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            # With the headers as they came: the signature covers them.
            connection.request("POST", self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes) -> None:
        # The process that asked may be dead by now.
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A requester that was killed resets its connection; anything else is worth seeing."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def faults(marketplace: str, rates: Rates = Rates(), *, seed: int) -> Iterator[Proxy]:
    """A proxy before a marketplace."""
    proxy = Proxy(marketplace, rates, random.Random(seed))
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def started(arguments: Sequence[str], environment: dict[str, str], log: Path) -> BaseProcess:
    """Run `photojury ARGUMENTS` in a process of its own; what it says goes to `log`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    process = context.Process(target=_run, args=(list(arguments), environment, log))
    process.start()
    return process


def _run(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    from photojury.cli import run

    os.environ.update(environment)
    with log.open("a") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        sys.exit(run(arguments))
