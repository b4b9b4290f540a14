"""Flickr's API through flickrapi, which stands behind this one file and can be replaced here.

Takes in a method's name and its parameters; gives out Flickr's answer as a dictionary, paced, tried again where
that may help, and with every failure as one sentence.

    client = connect(study)
    client.call("photos.search", {"tags": "tree", "per_page": 500}, "photos")

flickrapi 2.4.0 is the last release and signs every call (OAuth 1), so both the key and its secret are needed. It
is asked for unparsed JSON only: its own parser takes `{}` for an answer and fails on an error without a message.
A status other than 200 is met in a hook of the session, before flickrapi drops its Retry-After and logs its body.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import flickrapi
import requests

from photojury.collect.courtesy.identity import user_agent
from photojury.collect.courtesy.pace import Pace
from photojury.collect.courtesy.retrying import Transient, retry_after, retrying
from photojury.collect.sources.flickr_rows import PhotoInfo, number, photo_info
from photojury.datasets.store import Study
from photojury.errors import InputError, PhotojuryError, ServiceError, SettingsError, Unfinished

logger = logging.getLogger(__name__)

ENDPOINT = "https://api.flickr.com/services/rest/"
PACE = "flickr"

# "Under 3600 queries per hour across the whole key ... you'll be fine" (Flickr's developer guide).
PER_HOUR = 3600
# Seconds, as in the Flickr Foundation's own client.
TIMEOUT = 15.0
# Seconds that a service may ask us to wait while we do; beyond, the command ends and is run again later.
_PATIENCE = 120.0

# 10 search is not available now, 105 service is not available now (flickr.reflection's list of errors).
_PASSING = {10, 105}
# Also sent with the codes 201 and 0, which mean nothing else.
_PASSING_WORDS = "not currently available"
_KEPT = "What was found so far is kept; with a key that works, the same command goes on"


class NotFound(PhotojuryError):
    """Flickr does not show the photo: it was deleted, made private, or its owner has left."""


class BadKey(ServiceError):
    """Flickr does not take the key, or not its secret."""


class TooDeep(PhotojuryError):
    """A page so far into the results that Flickr refuses it (code 20)."""


def connect(study: Study) -> "Client":
    """The client of a study, with the key and secret of the environment.

    Raises:
        ServiceError: there is no key or no secret.
        SettingsError: flickr.calls_per_hour is more than Flickr allows.
    """
    missing = [
        name for name in ("FLICKR_API_KEY", "FLICKR_API_SECRET") if not os.environ.get(name, "").strip()
    ]
    if missing:
        raise ServiceError(
            f"Flickr needs a key and its secret: {' and '.join(missing)} is not set in the environment; "
            "Flickr gives new keys to paying members (Flickr Pro) only, older keys still work"
        )
    url = endpoint(os.environ.get("PHOTOJURY_FLICKR_URL", ""))
    per_hour = study.settings.flickr.calls_per_hour
    if url == ENDPOINT and per_hour > PER_HOUR:
        raise SettingsError(
            f"flickr.calls_per_hour is {per_hour}, and Flickr allows {PER_HOUR}; more is for stand-ins only"
        )
    # A rested key may make a minute's calls at once; with them, no hour holds more than per_hour.
    burst = max(1, per_hour // 60)
    pace = Pace(study.engine, PACE, per_second=((per_hour - burst) or per_hour) / 3600, burst=burst)
    key, secret = (os.environ[name].strip() for name in ("FLICKR_API_KEY", "FLICKR_API_SECRET"))
    return Client(key, secret, url, pace, user_agent(study.settings))


def endpoint(text: str) -> str:
    """The address that calls go to, of PHOTOJURY_FLICKR_URL: a server's address, with or without the API's path.

    >>> endpoint("http://127.0.0.1:8080")
    'http://127.0.0.1:8080/services/rest/'
    """
    if not text:
        return ENDPOINT
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise SettingsError(
            f"PHOTOJURY_FLICKR_URL is {text!r}; it must be an address: https://HOST/services/rest/"
        )
    path = parts.path.rstrip("/")
    if not path.endswith("/services/rest"):
        path += "/services/rest"
    return f"{parts.scheme}://{parts.netloc}{path}/"


@dataclass
class Client:
    """Calls to Flickr; `calls` counts those that were made, repeated tries included."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    url: str
    pace: Pace
    agent: str
    calls: int = 0
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        session = requests.Session()
        # No proxy, .netrc or certificate bundle of the environment comes between.
        session.trust_env = False
        session.headers["User-Agent"] = self.agent
        session.hooks["response"] = [_only_200]
        self._api = flickrapi.FlickrAPI(
            self.key, self.secret, format="json", store_token=False, timeout=TIMEOUT
        )
        self._api.REST_URL = self.url
        # The class has one session for all; this one is ours.
        self._api.flickr_oauth.session = session

    def call(self, method: str, parameters: Mapping[str, object], part: str) -> dict[str, Any]:
        """What `flickr.<method>` answers under the name `part`; tried again while the failure may pass.

        Raises:
            ServiceError: the key, the secret or the service is at fault.
            InputError: Flickr cannot answer this question.
            BadKey, NotFound, TooDeep: as they say.
            Unfinished: Flickr asks to be left alone for longer than two minutes.
        """

        def once() -> dict[str, Any]:
            self.pace.take()
            self.calls += 1
            try:
                return self._ask(method, parameters, part)
            except _Busy as error:
                self._rest(error)
                raise

        try:
            return retrying(once, sleep=self.sleep)
        except ServiceError as error:
            if not isinstance(error.__cause__, Transient):
                raise
            raise ServiceError(f"{error}. What was found so far is kept; the same command goes on") from error

    def photo_info(self, photo_id: str) -> PhotoInfo:
        """Licence, visibility, tags, views and comments of a photo (flickr.photos.getInfo).

        Raises:
            NotFound: it was deleted, made private, or its owner has left.
        """
        return photo_info(self.call("photos.getInfo", {"photo_id": photo_id}, "photo"))

    def favourites(self, photo_id: str) -> int | None:
        """How many people have made the photo a favourite (flickr.photos.getFavorites, one row asked).

        Raises:
            NotFound: as photo_info.
        """
        asked = {"photo_id": photo_id, "per_page": 1}
        return number(self.call("photos.getFavorites", asked, "photo").get("total"))

    def _ask(self, method: str, parameters: Mapping[str, object], part: str) -> dict[str, Any]:
        try:
            body = self._api.do_flickr_call(f"flickr.{method}", **{k: str(v) for k, v in parameters.items()})
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            raise Transient(f"Flickr cannot be reached at {self._host} ({type(error).__name__})") from error
        except requests.RequestException as error:
            raise ServiceError(f"Flickr cannot be asked at {self._host}: {type(error).__name__}") from error
        try:
            answer = json.loads(body)
        except ValueError:  # also of bytes that are no UTF-8
            raise Transient(f"Flickr's answer to {method} is no JSON") from None
        if isinstance(answer, dict) and answer.get("stat") == "fail":
            raise refusal(method, number(answer.get("code")), str(answer.get("message") or "no reason given"))
        found = answer.get(part) if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise Transient(f"Flickr's answer to {method} is empty")
        return found

    def _rest(self, busy: "_Busy") -> None:
        """Let no process ask while Flickr wants to rest; give up where that is long."""
        if busy.after is None:
            return
        self.pace.pause(busy.after)
        if busy.after > _PATIENCE:
            when = datetime.fromtimestamp(time.time() + busy.after).astimezone().strftime("%Y-%m-%d %H:%M")
            raise Unfinished(f"Flickr asks not to be called before {when}; then the same command goes on")

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc


class _Busy(Transient):
    """HTTP 429 or 503, which may say for how long."""


def _only_200(response: requests.Response, **_: object) -> None:
    """Turn every HTTP error into ours before flickrapi sees it."""
    status = response.status_code
    if status == 200 or response.is_redirect:
        return
    after = retry_after(response.headers.get("Retry-After"), time.time())
    response.close()
    if status in (429, 503):
        raise _Busy(f"Flickr is asked too often or busy (HTTP {status})", after)
    if status >= 500 or status == 408:
        raise Transient(f"Flickr fails (HTTP {status})", after)
    raise ServiceError(f"Flickr refuses to answer (HTTP {status})")


def refusal(method: str, code: int | None, message: str) -> Exception:
    """The error for an answer with stat=fail, by its code and message.

    The codes are those of flickr.reflection for photos.search, getInfo and getFavorites; 1, 2 and 5 mean one thing
    in a search and another for a photo.
    """
    said = f'Flickr says "{message}" (code {code})'
    if code in _PASSING or _PASSING_WORDS in message:
        return Transient(said)
    if code == 100:
        return BadKey(f"{_key_trouble(message)}; {said}. {_KEPT}")
    if code in (96, 97):
        return BadKey(f"FLICKR_API_SECRET does not belong to FLICKR_API_KEY; {said}. {_KEPT}")
    if code in (98, 99):
        return BadKey(f"the Flickr key may not do this; {said}. {_KEPT}")
    if method != "photos.search":
        return NotFound(said) if code in (1, 2, 5) else ServiceError(said)
    if code == 20:
        return TooDeep(said)
    return InputError(f"{_QUESTIONS[code]}; {said}") if code in _QUESTIONS else ServiceError(said)


_QUESTIONS: dict[int | None, str] = {
    1: "Flickr takes at most 20 tags in one search; give fewer with --tags",
    2: "Flickr knows no such user; give --user as an id like 12345678@N00",
    3: "Flickr wants to know what to look for; give --text, --tags, --group, --user or --license",
    4: "the group's photos are for its members only; give another --group",
    5: "Flickr knows the user no more; give another --user",
    11: "Flickr does not take these machine tags; correct --tags",
    12: "Flickr takes fewer machine tags in one search; give fewer with --tags",
    18: "Flickr finds the question contradictory; look at the dates and at --group together with --user",
}


def _key_trouble(message: str) -> str:
    if "expired" in message.lower():
        return (
            "FLICKR_API_KEY has expired: Flickr has switched it off, for overuse or at its owner's wish; "
            "look at it in Flickr's App Garden"
        )
    return "FLICKR_API_KEY is not a key that Flickr knows; copy it again from Flickr's App Garden"
