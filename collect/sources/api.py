"""A client of JSON over HTTP: polite, patient, and silent about keys.

Takes in a service's address and a path with parameters; gives out the status and the JSON object that it answers
with. What fails for a moment (429, 5xx, a lost connection, a body that is no JSON) is asked again, slower each time.

    api = Api("Openverse", "https://api.openverse.org", user_agent(settings), before=pace.take, pause=pace.pause)
    api.get("/v1/images/", {"q": "tree"}).body["results"]

A key that travels in the address never reaches a message: errors of requests, which quote the address, are not kept,
and records of urllib3's log that hold a key are dropped.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import requests

from photojury.collect.courtesy.retrying import Transient, retry_after, retrying
from photojury.errors import InputError, ServiceError, Unfinished

_TIMEOUT = (10.0, 60.0)  # seconds: to connect, and between two pieces of an answer
_PATIENCE = 120.0  # seconds; a service that asks for more is asked again by the next run
_LARGEST = (
    32_000_000  # bytes; the largest answers (50 files of Commons with metadata) have well under one million
)


@dataclass(frozen=True)
class Answer:
    """What a service answered; `body` is empty where that was no JSON object."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


@dataclass
class Api:
    """One service.

    Attributes:
        title: its name in messages.
        base: its address, without the path.
        agent: the User-Agent.
        before: called before every call; it waits, or raises Unfinished.
        pause: called with the seconds for which a 429 asks nobody to call.
        judge: called with every answer; raises what it knows better than the rules here.
        secrets: keys that may be part of addresses.
        calls: how many were made.
    """

    title: str
    base: str
    agent: str
    before: Callable[[], None]
    pause: Callable[[float], object] = lambda seconds: None
    judge: Callable[[Answer], None] = lambda answer: None
    secrets: tuple[str, ...] = ()
    sleep: Callable[[float], None] = time.sleep
    calls: int = 0
    _session: requests.Session = field(default_factory=requests.Session, repr=False)

    def __post_init__(self) -> None:
        # No proxy, .netrc or certificate bundle of the environment: requests.Session.trust_env.
        self._session.trust_env = False
        self._session.headers["User-Agent"] = self.agent
        _hide(self.secrets)

    def get(self, path: str, params: Mapping[str, str], token: str | None = None) -> Answer:
        """Ask for a path.

        Returns:
            A success, or an error 4xx other than 429, which the caller understands.

        Raises:
            ServiceError: no answer, or not the due one, after five tries.
            Unfinished: the service, or the quota, says to come again later.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return retrying(lambda: self._once("GET", path, params, None, headers), sleep=self.sleep)

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Send a form; as `get`."""
        return retrying(lambda: self._once("POST", path, {}, form, {}), sleep=self.sleep)

    def redact(self, message: str) -> str:
        """A message of the service's without our keys in it."""
        for secret in filter(None, self.secrets):
            message = message.replace(secret, "(key)")
        return " ".join(message.split())[:300]

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        self.before()
        self.calls += 1
        try:
            with self._session.request(
                method,
                address(self.base, path),
                params=dict(params),
                data=form,
                headers=dict(headers),
                timeout=_TIMEOUT,
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = Answer(response.status_code, _json(response), response.headers)
            lost = None
        except requests.RequestException as error:
            lost = type(error).__name__
        # Outside of the handler, so that no traceback shows the error with the address in it.
        if lost:
            raise Transient(f"{self.title} does not answer ({lost})")
        return self._checked(answer)

    def _checked(self, answer: Answer) -> Answer:
        self.judge(answer)
        if answer.status == 429 or answer.status >= 500:
            after = retry_after(answer.headers.get("Retry-After"), time.time())
            self._make_way(answer.status, after)
            raise Transient(f"{self.title} answers with HTTP {answer.status}", after)
        if 300 <= answer.status < 400:
            raise ServiceError(
                f"{self.title} sends us elsewhere (HTTP {answer.status}); its address has changed"
            )
        if answer.status < 300 and not answer.body:
            kind = answer.headers.get("Content-Type", "no type")
            raise Transient(f"{self.title} sends {kind} where JSON is due")
        return answer

    def _make_way(self, status: int, after: float | None) -> None:
        """Hold all processes back as long as a service asks; for a long time, end this run."""
        if after is None:
            return
        if status == 429:
            self.pause(after)
        if after > _PATIENCE:
            when = f"{datetime.fromtimestamp(time.time() + after).astimezone():%Y-%m-%d %H:%M}"
            raise Unfinished(f"{self.title} asks to come again at {when}; then run the same command again")


def base_url(service: str, default: str) -> str:
    """A service's address: that of PHOTOJURY_<SERVICE>_URL, or its own.

    Raises:
        InputError: the variable holds no address, or one that would send keys unencrypted over a network.
    """
    name = f"PHOTOJURY_{service.upper()}_URL"
    url = os.environ.get(name) or default
    parts = urlsplit(url)
    host = parts.hostname or ""
    local = host in ("localhost", "::1") or host.startswith("127.")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise InputError(f"{name} must be an address like https://host, or http:// of this machine")
    return url


def address(base: str, path: str) -> str:
    """A base and a path in one; a base that already holds the path's beginning is as good.

    >>> address("http://h:1/v1/", "/v1/images/"), address("http://h:1", "/v1/images/")
    ('http://h:1/v1/images/', 'http://h:1/v1/images/')
    """
    have, want = base.rstrip("/").split("/"), path.strip("/").split("/")
    shared = next((size for size in range(len(want), 0, -1) if have[-size:] == want[:size]), 0)
    return "/".join(have[: len(have) - shared]) + path


def _json(response: requests.Response) -> dict[str, Any]:
    data = b""
    for piece in response.iter_content(65536):
        data += piece
        if len(data) > _LARGEST:
            return {}
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class _Silence(logging.Filter):
    """Drops records that hold a key: urllib3 warns of odd headers with the whole address."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not any(secret in message for secret in self.secrets)


_silence = _Silence()


def _hide(secrets: tuple[str, ...]) -> None:
    for secret in filter(None, secrets):
        _silence.secrets |= {secret, quote(secret), quote_plus(secret)}
    # A filter that is there already is not added twice.
    logging.getLogger("urllib3.connectionpool").addFilter(_silence)
