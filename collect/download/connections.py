"""Connections: requests' transport, made safe for addresses that strangers wrote.

Takes in limits; gives out a requests adapter whose connections resolve a name once, look at every address that
it stands for, and connect to one that was looked at (so a name cannot be public when it is checked and private
when it is used, known as DNS rebinding), and whose reads end at a deadline, however slowly a server drips.

    session = requests.Session()
    session.mount("https://", GuardedAdapter(Limits()))
"""

import http.client
import io
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import requests.adapters
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions
from urllib3.util.timeout import Timeout

from photojury.collect.download.safety import address_problem

Resolve = Callable[..., list[Any]]
"""As socket.getaddrinfo; tests put a stub in its place."""


class UnsafeAddress(Exception):
    """A name stands for an address that must not be connected to."""


@dataclass(frozen=True)
class Limits:
    """How long and how much one request may take; times in seconds.

    Attributes:
        connect: to wait for a connection.
        silence: to wait for the next byte.
        total: for the whole answer, headers included.
        slowest: bytes a second that the body must bring on average after `grace`.
        largest: bytes of the body, after decompression.
        at_once: connections kept open to one host.
    """

    connect: float = 10.0
    silence: float = 20.0
    total: float = 120.0
    slowest: float = 1000.0
    grace: float = 10.0
    largest: int = 64_000_000
    at_once: int = 4
    allow_loopback: bool = False
    verify: bool | str = True


class GuardedAdapter(requests.adapters.HTTPAdapter):
    """A transport adapter for requests.Session.mount; shared by threads, so that they share connections."""

    def __init__(self, limits: Limits, resolve: Resolve = socket.getaddrinfo) -> None:
        self._limits = limits
        self._resolve = resolve
        # Pools are kept for the last so many hosts.
        super().__init__(pool_connections=128, pool_maxsize=limits.at_once)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Called by HTTPAdapter: give the pools guarded connections."""
        super().init_poolmanager(connections, maxsize, block, **options)
        guard = {"limits": self._limits, "resolve": staticmethod(self._resolve)}
        plain = type("_PlainConnection", (_Guard, urllib3.connection.HTTPConnection), guard)
        secure = type("_SecureConnection", (_Guard, urllib3.connection.HTTPSConnection), guard)
        plain_pool = urllib3.connectionpool.HTTPConnectionPool
        secure_pool = urllib3.connectionpool.HTTPSConnectionPool
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_PlainPool", (plain_pool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (secure_pool,), {"ConnectionCls": secure}),
        }


class _Guard:
    """Put before a connection class of urllib3: says where it connects to, and how long it may read."""

    limits: Limits
    resolve: Resolve
    _deadline = 0.0

    def _new_conn(self) -> socket.socket:
        """Called by urllib3 for the socket below HTTP and TLS."""
        connection = cast("urllib3.connection.HTTPConnection", self)
        try:
            found = self.resolve(connection._dns_host, connection.port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            problem = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise urllib3.exceptions.NameResolutionError(connection.host, connection, problem) from error
        addresses = [(family, place) for family, _, _, _, place in found]
        # One bad address condemns the name: whoever mixes them has nothing good in mind.
        for _, place in addresses:
            self._check(place[0])
        try:
            made = _connect(addresses, _seconds(connection.timeout, self.limits.connect))
        except TimeoutError as error:
            raise urllib3.exceptions.ConnectTimeoutError(
                connection, f"no connection to {connection.host} in {self.limits.connect:g} s"
            ) from error
        except OSError as error:
            raise urllib3.exceptions.NewConnectionError(connection, str(error)) from error
        try:
            self._check(made.getpeername()[0])
        except BaseException:
            made.close()
            raise
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sys.audit("http.client.connect", self, connection.host, connection.port)
        return made

    def _check(self, ip: str) -> None:
        problem = address_problem(ip, allow_loopback=self.limits.allow_loopback)
        if problem:
            raise UnsafeAddress(problem)

    def putrequest(self, *args: Any, **options: Any) -> None:
        """Called when a request begins, on a new connection or a kept one: here its time begins."""
        self._deadline = time.monotonic() + self.limits.total
        super().putrequest(*args, **options)  # type: ignore[misc]

    def response_class(self, sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        """Called by http.client for the answer on a socket."""
        timed = _TimedSocket(sock, self._deadline, self.limits.silence)
        return http.client.HTTPResponse(cast("socket.socket", timed), *args, **options)


class _TimedSocket:
    """All that http.client.HTTPResponse uses of a socket."""

    def __init__(self, sock: socket.socket, deadline: float, silence: float) -> None:
        self._sock, self._deadline, self._silence = sock, deadline, silence

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._deadline, self._silence))


class _TimedReader(io.RawIOBase):
    """A socket's file whose every read ends after a silence or at the deadline, whichever comes first.

    A timeout of a socket alone begins anew with every byte.
    """

    def __init__(self, sock: socket.socket, deadline: float, silence: float) -> None:
        self._sock, self._deadline, self._silence = sock, deadline, silence
        # Keeps the socket open when http.client lets go of it, as it does where the answer ends the connection.
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long in all")
        self._sock.settimeout(min(left, self._silence))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _connect(addresses: list[tuple[int, Any]], timeout: float) -> socket.socket:
    """A socket to the first of the addresses that answers; nothing is resolved here."""
    failed: OSError = OSError("the name stands for no address")
    for family, place in addresses:
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.settimeout(timeout)
            made.connect(place)
        except OSError as error:
            made.close()
            failed = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise failed


def _seconds(timeout: object, default: float) -> float:
    """A connection's timeout, which urllib3 gives in one of several ways."""
    if isinstance(timeout, Timeout):
        timeout = timeout.connect_timeout
    return float(timeout) if isinstance(timeout, int | float) else default
