"""A Flickr that answers over real HTTP, for flickrapi or any other client that signs its calls with OAuth 1.

Takes in photos (tests.collect.sources.flickr_photos) and how it is to misbehave; gives out answers in the shapes of
../shared/fixtures/flickr, and a log of every call.

    with FakeFlickr(plant(10_000)) as flickr:
        for name, value in flickr.environment.items():
            monkeypatch.setenv(name, value)
        flickr.faults += ["429", "expired"]         # what the next calls meet, in their order
        ...
        assert flickr.searched == 22

It does what is known of Flickr: both ends of date ranges are included; pages past the first 4,000 results repeat;
with `repeats`, rows come again under 4,000, too; with `drift`, the total is wrong by up to so much; it is a number
or text from call to call; a wrong key is code 100, a wrong secret code 96, with HTTP status 200.
"""

import json
import random
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from oauthlib.oauth1.rfc5849 import signature, utils  # type: ignore[import-untyped]

from tests.collect.sources.flickr_photos import Photo, row

KEY, SECRET = "key-of-tests", "secret-of-tests"
DEEPEST = 4000

Answer = tuple[int, dict[str, str], bytes]
Parameters = dict[str, str]


@dataclass
class Call:
    """One call: its method without `flickr.`, its parameters, and what it met of FAULTS, else its `stat`."""

    method: str
    parameters: Parameters
    met: str
    agent: str


def fail(code: int | str, message: str | None) -> Answer:
    """An error as Flickr gives it: HTTP status 200."""
    found: dict[str, object] = {"stat": "fail", "code": code}
    return _json(found if message is None else {**found, "message": message})


def _json(answer: object) -> Answer:
    return 200, {"Content-Type": "application/json", "x-robots-tag": "noindex"}, json.dumps(answer).encode()


def _html(status: int, text: str, **headers: str) -> Answer:
    return status, {"Content-Type": "text/html", **headers}, f"<html><h1>{text}</h1></html>".encode()


FAULTS: dict[str, Answer] = {
    "429": _html(429, "429 Too Many Requests"),
    "429 for 1 s": _html(429, "429 Too Many Requests", **{"Retry-After": "1"}),
    "429 for an hour": _html(429, "429 Too Many Requests", **{"Retry-After": "3600"}),
    "500": _html(500, "Internal error"),
    "503": _html(503, "Unavailable"),
    "404": _html(404, "Not here"),
    "html": _html(200, "Sorry"),
    "no utf-8": (200, {}, b'{"stat": "\xff'),
    "empty": _json({}),
    "list": _json([]),
    "no photos": _json({"stat": "ok"}),
    "flaky": fail(201, "Sorry, the Flickr API service is not currently available."),
    "flaky 0": fail(0, "Sorry, the Flickr API service is not currently available."),
    "search down": fail(10, "Sorry, the Flickr search API is not currently available."),
    "down": fail("105", "Service currently unavailable"),
    "expired": fail(100, "Invalid API Key (Key has expired)"),
    "no message": fail(99, None),
    "illogical": fail(18, "Illogical arguments"),
    "unknown user": fail(2, "Unknown user"),
    "too deep": fail(20, "Excessive photo offset in search"),
    # Made in `_answer`: the connection closes, and a page that counts its rows and lacks them.
    "closed": (0, {}, b""),
    "no rows": (0, {}, b""),
}


@dataclass
class FakeFlickr:
    """The server; a context manager. What it is may be changed while it runs.

    Attributes:
        repeats: share of rows that come twice within their query.
        drift: how far off totals are, as a share.
        order: whether rows come in the order asked for; if not, in one that is mixed but always the same.
        faults: names of FAULTS that the next calls meet, one each; "ok" for none.
        expire_after: the key is expired after so many calls.
        delay: seconds that every answer takes.
        licenses: what photos.licenses.getInfo gives beyond id and URL of the ids 0 to 16.
    """

    photos: list[Photo]
    repeats: float = 0.0
    drift: float = 0.0
    order: bool = True
    faults: list[str] = field(default_factory=list)
    expire_after: int | None = None
    licenses: list[dict[str, str]] = field(default_factory=list)
    delay: float = 0.0
    calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"flickr": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """For PHOTOJURY_FLICKR_URL."""
        return f"http://127.0.0.1:{self._server.server_port}/services/rest/"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point photojury here, with a key that is right and no waiting between calls."""
        return {
            "PHOTOJURY_FLICKR_URL": self.url,
            "PHOTOJURY_FLICKR_CALLS_PER_HOUR": "1000000",
            "FLICKR_API_KEY": KEY,
            "FLICKR_API_SECRET": SECRET,
        }

    @property
    def searched(self) -> int:
        """How many searches were made, faults included."""
        return sum(call.method == "photos.search" for call in self.calls)

    def searches(self) -> list[Parameters]:
        """The parameters of the searches that were answered."""
        return [call.parameters for call in self.calls if call.method == "photos.search" and call.met == "ok"]

    def respond(self, parameters: Parameters, key: str, signed: bool, agent: str) -> Answer:
        """The answer to a call, which is logged first."""
        method = parameters.get("method", "").removeprefix("flickr.")
        with self._lock:
            fault = self.faults.pop(0) if self.faults else "ok"
            if fault == "ok":
                fault = self._key_fault(key, signed)
            self.calls.append(Call(method, parameters, fault, agent))
            number = len(self.calls)
        time.sleep(self.delay)
        if fault == "no rows":
            return self._search(parameters, number, rows=False)
        if fault != "ok":
            return _REFUSALS.get(fault) or FAULTS[fault]
        match method:
            case "photos.search":
                return self._search(parameters, number)
            case "photos.getInfo":
                return self._info(parameters)
            case "photos.getFavorites":
                return self._favorites(parameters)
            case "photos.licenses.getInfo":
                return self._licenses()
        return fail(112, f'Method "{method}" not found')

    def _key_fault(self, key: str, signed: bool) -> str:
        if key != KEY:
            return "wrong key"
        if self.expire_after is not None and len(self.calls) >= self.expire_after:
            return "expired"
        return "ok" if signed else "wrong secret"

    def _search(self, asked: Parameters, number: int, *, rows: bool = True) -> Answer:
        if not {"text", "tags", "user_id", "group_id", "license", "min_upload_date"} & set(asked):
            return fail(
                3, "Parameterless searches have been disabled. Please use flickr.photos.getRecent instead."
            )
        found = self._matches(asked)
        size = min(500, int(asked.get("per_page", 100)))
        page = max(1, int(asked.get("page", 1)))
        chance = random.Random(number)
        total = round(len(found) * (1 + self.drift * chance.uniform(-1, 1)))
        served = list(_again(found, self.repeats))
        # Beyond the first 4,000 results, the last page within them is given again and again.
        start = min((page - 1) * size, max(0, DEEPEST - size))
        block: dict[str, object] = {
            "page": page,
            "pages": -(-total // size),
            "perpage": size,
            "total": str(total) if number % 2 else total,
        }
        if rows:
            part = served[start : start + size]
            block["photo"] = [row(photo, asked.get("extras", "")) for photo in part]
        return _json({"photos": block, "stat": "ok"})

    def _matches(self, asked: Parameters) -> list[Photo]:
        tags = {tag for tag in asked.get("tags", "").split(",") if tag}
        fits = all if asked.get("tag_mode") == "all" else any
        licenses = {int(number) for number in asked.get("license", "").split(",") if number}
        uploaded = _bounds(asked, "upload")
        taken = _bounds(asked, "taken")
        found = [
            photo
            for photo in self.photos
            if photo.gone is None
            and uploaded[0] <= photo.uploaded <= uploaded[1]
            and taken[0] <= photo.taken <= taken[1]
            and (not tags or fits(tag in photo.tags for tag in tags))
            and asked.get("text", "") in photo.title
            and asked.get("user_id", photo.owner) == photo.owner
            and (not licenses or photo.license in licenses)
        ]
        if not self.order:
            return sorted(found, key=_mixed)
        up = asked.get("sort") == "date-posted-asc"
        return sorted(found, key=_by_upload, reverse=not up)

    def _photo(self, asked: Parameters) -> Photo | Answer:
        photo_id = asked.get("photo_id", "")
        photo = next((photo for photo in self.photos if photo.photo_id == photo_id), None)
        if photo is None:
            return fail(1, f'Photo "{photo_id}" not found (invalid ID)')
        said = {1: "Photo not found", 2: "Permission denied", 5: "User deleted"}
        return fail(photo.gone, said[photo.gone]) if photo.gone else photo

    def _info(self, asked: Parameters) -> Answer:
        photo = self._photo(asked)
        if not isinstance(photo, Photo):
            return photo
        tags = [{"id": f"1-{tag}", "raw": tag, "_content": tag.replace("_", "")} for tag in photo.tags]
        found = {
            "id": photo.photo_id,
            "dateuploaded": str(photo.uploaded),
            "license": str(photo.license),
            "owner": {"nsid": photo.owner, "username": f"owner {photo.owner[:4]}", "realname": ""},
            "title": {"_content": photo.title},
            "description": {"_content": ""},
            "visibility": {"ispublic": 1, "isfriend": 0, "isfamily": 0},
            "dates": {"posted": str(photo.uploaded), "takenunknown": "0", "lastupdate": str(photo.uploaded)},
            "views": str(photo.views),
            "comments": {"_content": str(photo.comments)},
            "tags": {"tag": tags},
            "media": "photo",
        }
        return _json({"photo": found, "stat": "ok"})

    def _favorites(self, asked: Parameters) -> Answer:
        photo = self._photo(asked)
        if not isinstance(photo, Photo):
            return photo
        size = min(50, int(asked.get("per_page", 10)))
        people = [{"nsid": f"{n}@N01", "favedate": "1291599546"} for n in range(min(size, photo.favs))]
        pages = -(-photo.favs // size)
        facts = {"id": photo.photo_id, "page": 1, "pages": pages, "perpage": size, "total": photo.favs}
        return _json({"photo": {"person": people, **facts}, "stat": "ok"})

    def _licenses(self) -> Answer:
        terms = {1: "by-nc-sa", 2: "by-nc", 3: "by-nc-nd", 4: "by", 5: "by-sa", 6: "by-nd"}
        newer = {11: "by", 12: "by-sa", 13: "by-nd", 14: "by-nc", 15: "by-nc-sa", 16: "by-nc-nd"}
        base = "https://creativecommons.org/"
        urls = {number: f"{base}licenses/{word}/2.0/" for number, word in terms.items()}
        urls |= {number: f"{base}licenses/{word}/4.0/" for number, word in newer.items()}
        urls |= {9: f"{base}publicdomain/zero/1.0/", 10: f"{base}publicdomain/mark/1.0/"}
        rows = [{"id": str(n), "name": f"licence {n}", "url": urls.get(n, "")} for n in range(17)]
        return _json({"licenses": {"license": rows + self.licenses}, "stat": "ok"})


_REFUSALS = {
    "wrong key": fail(100, "Invalid API Key (Key has invalid format)"),
    "wrong secret": fail(96, "Invalid signature"),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed, or a fault that closed the line, is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    flickr: FakeFlickr
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        oauth = dict(utils.parse_authorization_header(self.headers.get("Authorization") or 'OAuth x=""'))
        signed = self._signed(body, oauth)
        agent = self.headers.get("User-Agent", "")
        key = oauth.get("oauth_consumer_key", "")
        status, headers, answer = self.flickr.respond(dict(parse_qsl(body)), key, signed, agent)
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def _signed(self, body: str, oauth: dict[str, str]) -> bool:
        """Whether the call is signed with the secret (RFC 5849, 3.4)."""
        headers = {"Authorization": self.headers.get("Authorization") or ""}
        request = SimpleNamespace(
            uri=f"http://{self.headers['Host']}{self.path}",
            http_method="POST",
            params=signature.collect_parameters(body=body, headers=headers),
            signature=unquote(oauth.get("oauth_signature", "")),
        )
        return bool(signature.verify_hmac_sha1(request, client_secret=SECRET))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: FakeFlickr.calls is the log."""


def _again(photos: Iterable[Photo], share: float) -> Iterator[Photo]:
    """Photos, some of which come once more a little later."""
    chance = random.Random(3)
    held: Photo | None = None
    for photo in photos:
        yield photo
        if held is not None and chance.random() < 0.1:
            yield held
            held = None
        if held is None and chance.random() < share * 1.5:
            held = photo


def _bounds(asked: Parameters, what: str) -> tuple[float, float]:
    low, high = asked.get(f"min_{what}_date"), asked.get(f"max_{what}_date")
    return _seconds(low) if low else -1e12, _seconds(high) if high else 1e12


def _seconds(text: str) -> float:
    if text.isdecimal():
        return float(text)
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


def _by_upload(photo: Photo) -> tuple[int, str]:
    return photo.uploaded, photo.photo_id


def _mixed(photo: Photo) -> int:
    return int(photo.photo_id) * 2654435761 % 2**32
