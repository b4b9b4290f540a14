"""Fetching: one request for one file, with every limit counted on what really comes in.

Takes in a URL; gives out the file's bytes, or where it moved to, or raises why there is no picture (`NoPicture`)
or why another try may bring one (`NotNow`). Redirects are not followed here: each is a request of its own, to be
checked, paced and asked of robots.txt like the first.

    Fetcher(Limits(), "photojury/1.0 (me@example.org)").get("https://example.org/a.jpg", hashlib.sha256)
"""

import email.utils
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urljoin

import requests
import requests.adapters
import urllib3.exceptions

from photojury.collect.courtesy.retrying import retry_after
from photojury.collect.download import optouts, safety
from photojury.collect.download.connections import GuardedAdapter, Limits, Resolve, UnsafeAddress
from photojury.collect.download.troubles import NoPicture, NotNow, network_trouble

T = TypeVar("T")

logger = logging.getLogger(__name__)

_CHUNK = 262_144
# A body of more bytes waits for one of few permits, so that many large ones cannot fill the memory together.
_LARGE = 8_000_000
# Bytes that tell what a file is.
_HEAD = 32
# An answer's unread rest of fewer bytes is read, so that the connection can be used again.
_REST = 16_384

_MOVED = (301, 302, 303, 307, 308)
# 403 is what many hosts say to too many requests; the rest name their own end (RFC 9110, 15.5; RFC 8470; RFC 6585).
_MAY_CHANGE = (403, 408, 421, 425, 429)
# Hosts that know no better send pictures as these.
_UNTYPED = ("", "application/octet-stream", "binary/octet-stream", "application/binary", "unknown/unknown")

# How files begin that are pictures, whether raters can be shown them or not: what decodes them has the last word.
_MAGIC = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"\xff\x0a",
)


@dataclass(frozen=True)
class Moved:
    """The file is said to be elsewhere; the address has been looked at."""

    url: str


class Fetcher:
    """Makes requests, from any number of threads, over connections that are used again."""

    def __init__(
        self,
        limits: Limits,
        user_agent: str,
        resolve: Resolve = socket.getaddrinfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._adapter = GuardedAdapter(limits, resolve)
        # Compression gains nothing on pictures; a server that compresses all the same is understood.
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "image/*,*/*;q=0.1",
            "Accept-Encoding": "identity",
        }
        self._large = threading.BoundedSemaphore(2)
        self.stopped = threading.Event()

    def get(self, url: str, use: Callable[[bytes], T]) -> T | Moved:
        """Ask for a file.

        Args:
            use: called with the file's bytes as the server has them (decompressed, where it compressed them for the
                way); what it returns is returned. Of large files only two are in use at a time.

        Raises:
            NoPicture: it is gone, is no picture, must not be asked for, or does not want to be used.
            NotNow: the network or the server failed.
        """
        with ExitStack() as permit:
            with self._asked(url) as answer:
                if answer.status_code in _MOVED:
                    return self._moved(url, answer)
                self._check_status(answer)
                _check_headers(answer)
                data = self._body(answer, permit)
            return use(data)

    def probe(self, url: str, method: str = "HEAD") -> Moved | None:
        """Ask whether a file is there, by the status and the headers of the answer; None where it is.

        Raises:
            NoPicture, NotNow: as `get`, as far as headers tell.
        """
        with self._asked(url, method) as answer:
            if answer.status_code in _MOVED:
                return self._moved(url, answer)
            self._check_status(answer)
            _check_headers(answer)
        return None

    def robots(self, origin: str) -> optouts.Robots:
        """The rules of https://host/robots.txt (RFC 9309, 2.3.1): 4xx allows all, other trouble nothing for now.

        Raises:
            NotNow: it cannot be had.
            NoPicture: its address must not be connected to.
        """
        url = f"{origin}/robots.txt"
        for _ in range(6):
            with self._asked(url) as answer:
                status = answer.status_code
                if status in _MOVED and "Location" in answer.headers:
                    url = self._moved(url, answer).url
                elif 200 <= status < 300:
                    return optouts.Robots.parse(self._start(answer, optouts.LONGEST_ROBOTS))
                elif status >= 500 or status == 429:
                    raise self._unwell(answer, "its robots.txt")
                else:
                    break
        return optouts.Robots.parse(b"")

    def close(self) -> None:
        """Let go of all connections."""
        self._adapter.close()

    @contextmanager
    def _asked(self, url: str, method: str = "GET") -> Iterator[requests.Response]:
        """The answer to a request, its body not yet read; what fails within becomes NoPicture or NotNow."""
        limits = self._limits
        try:
            request = requests.Request(method, url, headers=self._headers).prepare()
            timeout = (limits.connect, limits.silence)
            answer = self._adapter.send(request, stream=True, timeout=timeout, verify=limits.verify)
            try:
                yield answer
            finally:
                _let_go(answer)
        except UnsafeAddress as error:
            raise NoPicture("rejected", "private_address", f"its host's address {error}") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, UnicodeError) as error:
            raise NoPicture("rejected", "bad_url", f"its address cannot be read: {error}") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise network_trouble(error, limits) from None

    def _moved(self, url: str, answer: requests.Response) -> Moved:
        # Headers are Latin-1 by the letter, and UTF-8 by habit.
        location = answer.headers.get("Location", "").encode("latin-1", "replace").decode("utf-8", "replace")
        if not location:
            raise NotNow(f"http_{answer.status_code}", "the server moved it, and does not say where to")
        try:
            target = urljoin(url, location.strip())
            problem = safety.url_problem(target, allow_loopback=self._limits.allow_loopback)
        except ValueError as error:
            target, problem = "", f"its address cannot be read: {error}"
        if problem:
            raise NoPicture("rejected", "bad_url", f"it was moved, and {problem}")
        return Moved(target.split("#")[0])

    def _check_status(self, answer: requests.Response) -> None:
        status = answer.status_code
        if status == 200:
            return
        if status in (404, 410, 451):
            raise NoPicture("gone", f"http_{status}", f"the server says {status} {answer.reason}".strip())
        if status >= 500 or status in _MAY_CHANGE:
            raise self._unwell(answer, "the server")
        raise NoPicture("rejected", f"http_{status}", f"the server says {status} {answer.reason}".strip())

    def _unwell(self, answer: requests.Response, who: str) -> NotNow:
        status = answer.status_code
        after = retry_after(answer.headers.get("Retry-After"), self._server_time(answer))
        return NotNow(
            f"http_{status}",
            f"{who} says {status} {answer.reason}".strip(),
            after=after,
            of_host=status >= 500 or status == 429,
            busy=status == 429 or (status == 503 and after is not None),
        )

    def _server_time(self, answer: requests.Response) -> float:
        """The server's clock by its Date header, so that a Retry-After date means the wait that it means there."""
        try:
            return email.utils.parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
        except ValueError:
            return self._clock()

    def _start(self, answer: requests.Response, most: int) -> bytes:
        """The first bytes of a body."""
        parts, size = [], 0
        for part in self._parts(answer):
            parts.append(part)
            size += len(part)
            if size >= most:
                break
        return b"".join(parts)[:most]

    def _body(self, answer: requests.Response, permit: ExitStack) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in self._parts(answer):
            size += len(part)
            if size > self._limits.largest:
                megabytes = self._limits.largest / 1e6
                raise NoPicture(
                    "rejected", "too_large", f"it has more than {megabytes:g} MB (collect.max_megabytes)"
                )
            if size > _LARGE >= size - len(part):
                self._wait_for_permit(permit)
            parts.append(part)
            if size >= _HEAD > size - len(part):
                _check_magic(b"".join(parts))
        data = b"".join(parts)
        if not data:
            raise NotNow("empty", "the server sent an empty file")
        if size < _HEAD:
            _check_magic(data)
        return data

    def _wait_for_permit(self, permit: ExitStack) -> None:
        if not self._large.acquire(timeout=self._limits.total):
            raise NotNow("too_slow", "other large files took all the time")
        permit.callback(self._large.release)

    def _parts(self, answer: requests.Response) -> Iterator[bytes]:
        """The body as it comes in, decompressed, watched for a host that drips."""
        limits = self._limits
        began = time.monotonic()
        size = 0
        while part := answer.raw.read1(_CHUNK, decode_content=True):
            yield part
            size += len(part)
            passed = time.monotonic() - began
            if passed > limits.grace and size < passed * limits.slowest:
                raise NotNow("too_slow", f"it came at {size / passed:.0f} bytes a second", of_host=True)
            if self.stopped.is_set():
                raise NotNow("stopped", "the download was stopped", busy=True)


def _let_go(answer: requests.Response) -> None:
    """Close an answer; a short one that nobody read is read first, so that its connection can be used again."""
    try:
        left = answer.raw.length_remaining
        if left is not None and left <= _REST and answer.raw.tell() == 0:
            answer.raw.read(decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        logger.debug("the rest of an answer was not readable: %s", error)
    answer.close()


def _check_headers(answer: requests.Response) -> None:
    """Opt-outs and the type, before a byte of the body is read."""
    headers = answer.raw.headers
    reserved = optouts.in_headers(headers.getlist("X-Robots-Tag"), headers.get("TDM-Reservation"))
    if reserved:
        raise NoPicture("barred", "opt_out", reserved)
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if not kind.startswith("image/") and kind not in _UNTYPED:
        raise NoPicture("rejected", "not_an_image", f"the server sent {kind[:60]}, no picture")


def _check_magic(start: bytes) -> None:
    """Whether a file begins like any picture."""
    head = start[:_HEAD]
    if head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:8] == b"ftyp":
        return
    if b"<svg" in start[:1024].lower():
        raise NoPicture("rejected", "format", "its format, svg, is a drawing that raters cannot be shown")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise NoPicture("rejected", "not_an_image", "the server sent a page of text under a picture's name")
    raise NoPicture("rejected", "not_an_image", "the file does not begin like any picture")
