"""What the fake services share: a real HTTP server on loopback, a log of every call, and faults on demand.

with FakeGoogle(...) as google:
    google.faults += ["429 html", "503"]        # what the next calls meet, in their order
    ...
    assert [call.params["start"] for call in google.calls] == ["1", "11"]
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Call:
    """One call as it came."""

    method: str
    path: str
    params: dict[str, str]
    headers: Mapping[str, str]


def in_json(status: int, body: object, **headers: str) -> Answer:
    """A JSON answer."""
    return status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode()


def in_html(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """What a proxy in front of a service answers."""
    return status, {"Content-Type": "text/html", **(headers or {})}, f"<html><h1>{text}</h1></html>".encode()


FAULTS: dict[str, Answer | None] = {
    "429 html": in_html(429, "Too Many Requests", {"Retry-After": "1"}),
    "429 bare": in_html(429, "Too Many Requests"),
    "429 for an hour": in_html(429, "Too Many Requests", {"Retry-After": "3600"}),
    "503": in_html(503, "Unavailable"),
    "500 json": in_json(500, {"error": {"code": 500, "message": "Internal error"}}),
    "html": in_html(200, "Sorry"),
    "list": in_json(200, []),
    "empty": in_json(200, {}),
    "cut json": (200, {"Content-Type": "application/json"}, b'{"items": ['),
    "redirect": in_html(302, "Elsewhere", {"Location": "http://127.0.0.1:9/elsewhere"}),
    "closed": None,
}


@dataclass
class FakeService:
    """The server; a context manager. What it is may be changed while it runs."""

    faults: list[str | Answer] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def answer(self, call: Call) -> Answer:
        """What a call meets that no fault was ordered for."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def respond(self, call: Call) -> Answer | None:
        """Note a call and answer it; None closes the connection."""
        with self._lock:
            self.calls.append(call)
            if self.faults:
                fault = self.faults.pop(0)
                return FAULTS[fault] if isinstance(fault, str) else fault
            return self.answer(call)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client may leave in the middle of an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: FakeService

    def do_GET(self) -> None:
        self._respond({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._respond(dict(parse_qsl(self.rfile.read(length).decode())))

    def _respond(self, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        params = {**dict(parse_qsl(parts.query)), **form}
        answer = self.service.respond(Call(self.command, parts.path, params, dict(self.headers)))
        if answer is None:
            self.close_connection = True
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: the calls are kept in the log above."""
