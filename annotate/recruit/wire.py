"""The wire to Prolific: one call at a time, repeated where that is safe, page by page, its errors as sentences.

Takes in a token and a base URL; gives out `Wire`, which photojury.annotate.recruit.prolific speaks through.

Asking is repeated, with growing pauses, when Prolific is busy or fails; a call that makes or pays something is
never repeated unless Prolific itself said that it did nothing (429). The token appears in no message and no
log, and goes to no other host: of the link to a next page only the query is used.

    >>> is_safe("https://api.prolific.com/api/v1"), is_safe("http://example.org")
    (True, False)
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from photojury.errors import ServiceError

log = logging.getLogger(__name__)

Json = dict[str, Any]

_ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds
_CONNECT_TIMEOUT, _READ_TIMEOUT = 10.0, 60.0  # seconds

LONGEST_CALL = 120.0
"""Seconds after which a call that was made once is certainly not on its way any more."""


class ProlificRefusal(ServiceError):
    """Prolific answered, and said no: nothing was done. `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def is_safe(url: str) -> bool:
    """Whether a URL is https, or of this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    local = host in ("localhost", "::1") or host.startswith("127.")
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and local))


class Wire:
    """A session with Prolific's API.

    Args:
        token: of the researcher's account.
        base_url: up to and with /api/v1.
        pause: waits so many seconds between attempts.
    """

    def __init__(self, token: str, base_url: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._token = token
        self._base = base_url.rstrip("/")
        self._pause = pause
        self._session = requests.Session()
        self._session.auth = self._sign  # set as auth, so that no entry of ~/.netrc takes its place

    def __repr__(self) -> str:
        return f"Wire({self._base})"

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        repeat: bool = True,
    ) -> Any:
        """The JSON that a call answers with; see `send`."""
        return body_of(self.send(method, path, params=params, json=json, repeat=repeat))

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        repeat: bool = True,
    ) -> requests.Response:
        """The answer to one call, after as many attempts as it may have.

        Args:
            method: GET, POST, ...
            path: below the base URL, with a slash before it.
            params: the query.
            json: the body.
            repeat: whether the call may be made again although an earlier attempt may have been heard.

        Raises:
            ProlificRefusal: Prolific said no.
            ServiceError: no answer, or not the due one; the call may have been heard.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                answer = self._session.request(
                    method,
                    self._base + path,
                    params=params,
                    json=json,
                    timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT),
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                if last or not repeat:
                    raise self._lost(method, path, type(error).__name__) from None
                wait = _backoff(attempt)
            else:
                busy = answer.status_code == 429 or (answer.status_code >= 500 and repeat)
                if last or not busy:
                    return self._checked(answer, method, path)
                wait = _retry_after(answer) or _backoff(attempt)
            log.info("Prolific is busy at %s %s; asking again in %.1f s", method, path, wait)
            self._pause(wait)
        raise AssertionError("the last attempt returns or raises")

    def pages(self, path: str, params: Mapping[str, str], page_size: int = 0) -> Iterator[Json]:
        """The `results` of all pages; a page past the last one, which Prolific answers with 404, is the end.

        Args:
            path: below the base URL.
            params: the query.
            page_size: ask for so many at once; 0 leaves that to Prolific.
        """
        query = dict(params) | ({"page_size": str(page_size)} if page_size else {})
        page, asked = 1, set[str]()
        while True:
            try:
                answer = object_of(self.ask("GET", path, params=query))
            except ProlificRefusal as refusal:
                if refusal.status == 404 and page > 1:
                    return
                raise
            results = list_of(answer, "results")
            yield from results
            page += 1
            following = ((answer.get("_links") or {}).get("next") or {}).get("href")
            if following and following not in asked:
                asked.add(following)
                query = dict(parse_qsl(urlsplit(following).query))
            elif "_links" not in answer and page_size and len(results) >= page_size:
                query["page"] = str(page)  # the reference shows no links, so a full page may not be all
            else:
                return

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Token {self._token}"
        return request

    def _checked(self, answer: requests.Response, method: str, path: str) -> requests.Response:
        status = answer.status_code
        if status < 300:
            return answer
        said = _sentence(answer)
        if not 400 <= status < 500:
            raise self._lost(method, path, said)
        hint = "; check PROLIFIC_TOKEN, and what its owner may do" if status in (401, 403) else ""
        raise ProlificRefusal(self._hidden(f"Prolific refused {method} {path}: {said}{hint}"), status)

    def _lost(self, method: str, path: str, reason: str) -> ServiceError:
        host = urlsplit(self._base).netloc
        sentence = f"Prolific at {host} did not answer {method} {path} as it should: {reason}; run this again"
        return ServiceError(self._hidden(sentence))

    def _hidden(self, text: str) -> str:
        return text.replace(self._token, "***")


def body_of(answer: requests.Response) -> Any:
    """The JSON of an answer; {} where it has none."""
    if not answer.content:
        return {}
    try:
        return answer.json()
    except ValueError:
        raise ServiceError(
            f"Prolific answered {answer.status_code} with something that is not JSON; is PHOTOJURY_PROLIFIC_URL right?"
        ) from None


def object_of(answer: Any) -> Json:
    """An answer that must be an object."""
    if not isinstance(answer, dict):
        raise ServiceError(f"Prolific answered {str(answer)[:80]!r} where an object was due")
    return answer


def list_of(answer: Json, name: str) -> list[Json]:
    """A list in an answer."""
    value = answer.get(name)
    if not isinstance(value, list):
        raise ServiceError(f"Prolific's answer has no list {name!r}")
    return value


def text_of(answer: Json, name: str) -> str:
    """A text in an answer that must not be empty."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise ServiceError(f"Prolific's answer has no {name!r}")
    return value


def number_of(answer: Json, name: str) -> float:
    """A number in an answer."""
    value = answer.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ServiceError(f"Prolific's answer has no number {name!r}")
    return float(value)


def _backoff(attempt: int) -> float:
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (attempt - 1))


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds that Retry-After asks for (a number, or a date: RFC 9110, 10.2.3), at most a minute."""
    text = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text) if text.isdecimal() else _until(text)
    except ValueError:
        return None
    return min(_LONGEST_PAUSE, max(0.0, seconds))


def _until(date: str) -> float:
    when = parsedate_to_datetime(date)
    return (when - datetime.now(UTC)).total_seconds()


def _sentence(answer: requests.Response) -> str:
    """What Prolific says was wrong: `detail` is a text, a list, or a list for each field."""
    try:
        said = answer.json()
    except ValueError:
        return f"HTTP status {answer.status_code}"
    error = said.get("error", said) if isinstance(said, dict) else said
    if not isinstance(error, dict):
        return f"{error} (HTTP status {answer.status_code})"
    parts = [error.get("title"), _flat(error.get("detail")), error.get("additional_information")]
    text = ": ".join(str(part).rstrip(".") for part in parts if part)
    return f"{text or 'no reason given'} (HTTP status {answer.status_code})"


def _flat(detail: object) -> str:
    if isinstance(detail, dict):
        return "; ".join(f"{name}: {_flat(value)}" for name, value in detail.items())
    if isinstance(detail, list):
        return ", ".join(map(_flat, detail))
    return "" if detail is None else str(detail)
