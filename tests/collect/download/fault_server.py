"""A web server for pictures that fails in every way that the fault list knows, and counts who asked for what.

with FaultServer() as server:
    server.url("/good/1.jpg")       # a good picture, another for each path
    server.url("/marked/1.jpg")     # the server's `body`, with the path in a comment, at less work
    server.url("/drip")             # and so on: see FAULTS
    server.asked                    # the paths that were asked for, in order
"""

import gzip
import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from zlib import crc32

from tests.collect.download import pictures

SKEW = 7200.0
"""Seconds by which the clock of /429-skewed is ahead."""

Answer = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One connection's requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a small body waits 40 ms for the acknowledgement of its headers
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        with self.server.owner.lock:
            self.server.owner.connections += 1

    def do_GET(self) -> None:
        owner = self.server.owner
        path = self.path.split("?")[0]
        with owner.lock:
            owner.asked.append(self.path)
            owner.agents.add(self.headers.get("User-Agent", ""))
            owner.cookies += self.headers.get_all("Cookie", [])
            owner.under_way += 1
            owner.most_at_once = max(owner.most_at_once, owner.under_way)
        time.sleep(owner.delay)
        try:
            if path == "/robots.txt":
                status, body = owner.robots
                self.send(body, "text/plain", status=status)
            elif path.startswith("/good/"):
                self.send(owner.body or pictures.jpeg(crc32(self.path.encode())))
            elif path.startswith("/marked/"):
                self.send(pictures.marked(owner.body or b"", path))
            else:
                FAULTS[path](self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with owner.lock:
                owner.under_way -= 1

    def send(
        self,
        body: bytes,
        kind: str = "image/jpeg",
        status: int = 200,
        headers: dict[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        """An answer with a Content-Length (`length`, if it is to be a wrong one)."""
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def start(self, kind: str = "image/jpeg") -> None:
        """The headers of an answer that ends with its connection."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def move(self, where: str, status: int = 302) -> None:
        self.send(b"", "", status, {"Location": where})

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    owner: "FaultServer"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested."""


class FaultServer:
    """The server, in threads of this process; with a certificate it speaks TLS."""

    def __init__(
        self, certificate: Path | None = None, body: bytes | None = None, delay: float = 0.0
    ) -> None:
        self._server = _Server(("127.0.0.1", 0), Request)
        self._server.owner = self
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self.port = self._server.server_address[1]
        self.lock = threading.Lock()
        self.body, self.delay = body, delay
        self.redirect = ""
        self.robots: tuple[int, bytes] = (404, b"")
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.cookies: list[str] = []
        self.connections = self.under_way = self.most_at_once = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of a path."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    @property
    def files(self) -> list[str]:
        """The paths that were asked for, without robots.txt."""
        return [path for path in self.asked if path != "/robots.txt"]


def _endless(request: Request) -> None:
    request.start()
    request.wfile.write(pictures.jpeg())
    while True:
        request.wfile.write(bytes(65_536))


def _truncated(request: Request) -> None:
    request.start()
    request.wfile.write(pictures.jpeg(4)[:-3000])


def _drip(request: Request) -> None:
    request.start()
    for byte in itertools.cycle(pictures.jpeg(3)):
        request.wfile.write(bytes([byte]))
        request.wfile.flush()
        time.sleep(0.01)


def _drip_headers(request: Request) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.05)


def _silent(request: Request) -> None:
    time.sleep(30)


def _reset(request: Request) -> None:
    """End the connection with RST."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
    request.close_connection = True


def _chunked_cut(request: Request) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "image/jpeg")
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(b"1000\r\n" + pictures.jpeg()[:0x800])
    request.close_connection = True


def _chunked(request: Request) -> None:
    """As live.staticflickr.com answers: without Content-Length."""
    body = pictures.jpeg(61)
    request.send_response(200)
    request.send_header("Content-Type", "image/jpeg")
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    for at in range(0, len(body), 5000):
        part = body[at : at + 5000]
        request.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
    request.wfile.write(b"0\r\n\r\n")


def _later(seconds: float, clock: float = 0.0) -> Answer:
    """429 with a Retry-After date, of a server whose clock is ahead."""

    def answer(request: Request) -> None:
        now = time.time() + clock
        date = format_datetime(datetime.fromtimestamp(now + seconds, UTC), usegmt=True)
        request.send_response_only(429)
        request.send_header("Date", format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True))
        request.send_header("Retry-After", date)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def _page(kind: str) -> Answer:
    page = b"<!DOCTYPE html><html><body>Please log in" + b" " * 500 + b"</body></html>"
    return lambda request: request.send(page, kind)


def _picture(make: Callable[[], bytes], kind: str = "image/jpeg") -> Answer:
    return lambda request: request.send(make(), kind)


def _status(status: int, headers: dict[str, str] | None = None) -> Answer:
    return lambda request: request.send(b"sorry", "text/html", status, headers)


def _tagged(*tags: str) -> Answer:
    """A good picture under one or more X-Robots-Tag headers."""

    def answer(request: Request) -> None:
        body = pictures.jpeg(40)
        request.send_response(200)
        request.send_header("Content-Type", "image/jpeg")
        request.send_header("Content-Length", str(len(body)))
        for tag in tags:
            request.send_header("X-Robots-Tag", tag)
        request.end_headers()
        request.wfile.write(body)

    return answer


FAULTS: dict[str, Answer] = {
    "/bomb.png": _picture(pictures.bomb, "image/png"),
    "/endless": _endless,
    "/drip": _drip,
    "/drip-headers": _drip_headers,
    "/silent": _silent,
    "/reset": _reset,
    "/truncated": _truncated,
    "/corrupted": _picture(pictures.corrupted),
    "/short": lambda request: request.send(pictures.jpeg(6)[:2000], length=len(pictures.jpeg(6))),
    "/short-chunked": _chunked_cut,
    "/chunked": _chunked,
    "/empty": lambda request: request.send(b""),
    "/page": _page("text/html; charset=utf-8"),
    "/page.jpg": _page("image/jpeg"),
    "/png.jpg": _picture(lambda: pictures.png(10)),
    "/webp.jpg": _picture(lambda: pictures.saved(pictures.photo(10), "WEBP")),
    "/429": _status(429, {"Retry-After": "300"}),
    "/429-date": _later(300),
    "/429-skewed": _later(300, clock=SKEW),
    "/429-plain": _status(429),
    "/503": _status(503),
    "/503-later": _status(503, {"Retry-After": "300"}),
    "/500": _status(500),
    "/403": _status(403),
    "/401": _status(401),
    "/404": _status(404),
    "/410": _status(410),
    "/loop": lambda request: request.move("/loop"),
    "/far": lambda request: request.move("/far1"),
    **{f"/far{n}": lambda request, n=n: request.move(f"/far{n + 1}") for n in range(1, 4)},  # type: ignore[misc]
    "/far4": lambda request: request.move("/good/far.jpg", 307),
    "/elsewhere": lambda request: request.move(request.server.owner.redirect),
    "/deleted": lambda request: request.move("/pw/images/en-us/photo_unavailable_l.png"),
    "/pw/images/en-us/photo_unavailable_l.png": _picture(pictures.png, "image/png"),
    "/nowhere": lambda request: request.send(b"", "", 302),
    "/to-file": lambda request: request.move("file:///etc/hostname"),
    "/to-metadata": lambda request: request.move("http://169.254.169.254/latest/meta-data/"),
    "/to-private-name": lambda request: request.move("http://intranet.example/a.jpg"),
    "/..%2F..%2F..%2Fetc%2Fpasswd.jpg": lambda request: request.send(
        pictures.jpeg(19), headers={"Content-Disposition": 'attachment; filename="../../../evil.sh"'}
    ),
    "/rotated": _picture(pictures.rotated),
    "/cmyk": _picture(pictures.cmyk),
    "/wide-gamut": _picture(pictures.wide_gamut),
    "/deep.png": _picture(pictures.deep_png, "image/png"),
    "/transparent.png": _picture(pictures.transparent_png, "image/png"),
    "/animated.gif": _picture(lambda: pictures.animated("GIF"), "image/gif"),
    "/animated.webp": _picture(lambda: pictures.animated("WEBP"), "image/webp"),
    "/pixel.gif": _picture(pictures.pixel_gif, "image/gif"),
    "/drawing.svg": _picture(lambda: pictures.SVG, "image/svg+xml"),
    "/photo.heic": _picture(lambda: pictures.HEIC, "image/heic"),
    "/photo.avif": _picture(pictures.avif, "image/avif"),
    "/gzip": lambda request: request.send(
        gzip.compress(pictures.jpeg(28)), headers={"Content-Encoding": "gzip"}
    ),
    "/gzip-bomb": lambda request: request.send(pictures.gzip_bomb(), headers={"Content-Encoding": "gzip"}),
    "/gzip-broken": lambda request: request.send(b"no gzip" * 99, headers={"Content-Encoding": "gzip"}),
    "/polyglot": _picture(pictures.polyglot),
    "/noai": _tagged("noai"),
    "/noimageindex": _tagged("otherbot: index", "noimageindex, nofollow"),
    "/otherbot": _tagged("otherbot: noindex, noai"),
    "/photojury-noindex": _tagged("otherbot: all", "photojury: noindex"),
    "/tdm": lambda request: request.send(pictures.jpeg(41), headers={"TDM-Reservation": "1"}),
    "/cookie": lambda request: request.send(pictures.jpeg(44), headers={"Set-Cookie": "id=7; Path=/"}),
    "/octets": _picture(lambda: pictures.jpeg(42), "application/octet-stream"),
    "/untyped": _picture(lambda: pictures.jpeg(43), ""),
    "/same": _picture(lambda: pictures.png(99), "image/png"),
}
"""What is served at each path beside /good/... and /robots.txt."""
