"""The standing of Openverse's and Commons' pictures and of web addresses, over HTTP against servers on loopback."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from photojury.collect.rights.addresses import AddressRights
from photojury.collect.rights.commons import CommonsRights
from photojury.collect.rights.openverse import OpenverseRights
from photojury.collect.rights.refresh import refresh
from photojury.collect.rights.standing import Standing
from photojury.datasets.store import Study, create_study, open_study
from photojury.errors import ServiceError, SettingsError, Unfinished
from tests.collect.sources.fake_commons import FakeCommons
from tests.collect.sources.fake_openverse import CLIENT, SECRET, FakeOpenverse
from tests.collect.sources.fake_service import Answer, Call, in_json


@pytest.fixture
def study(tmp_path: Path) -> Study:
    values: dict[tuple[str, str], object] = {
        ("study", "contact"): "leader@example.org",
        ("download", "per_host_per_second"): 0.0,
    }
    return create_study(tmp_path / "study", "test", values)


def again(study: Study) -> Study:
    """The study with the settings of the environment as it is now."""
    return open_study(study.folder)


# ---- Openverse ----


@dataclass
class Openverse(FakeOpenverse):
    """The pictures tree-0 to tree-9 by id; some of them are gone."""

    gone: set[int] = field(default_factory=set)

    def answer(self, call: Call) -> Answer:
        name = call.path.removeprefix("/v1/images/").strip("/")
        token = call.headers.get("Authorization", "")
        if not name or call.path.startswith("/v1/auth"):
            return super().answer(call)
        if token and token != f"Bearer token-{self.tokens}":
            return in_json(401, {"detail": "Given token not valid"})
        number = int(name.rsplit("-", 1)[-1])
        if number in self.gone or number > 9:
            return in_json(404, {"detail": "No Image matches the given query."})
        return in_json(200, self.row("tree", number, ("by", "by-nd", "cc0")[number % 3]))


def ids(*numbers: int) -> list[dict[str, object]]:
    return [{"source_id": f"4bc43a04-tree-{number}"} for number in numbers]


@pytest.fixture
def openverse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Openverse]:
    monkeypatch.setattr("photojury.collect.sources.openverse.Pace.take", lambda pace: None)
    with Openverse() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def test_openverse_is_asked_by_id(study: Study, openverse: Openverse) -> None:
    """There with its licence by our names, or gone; one call each."""
    openverse.gone = {1}
    found = OpenverseRights(again(study)).look_up(ids(0, 1, 2, 10))
    assert {name.rsplit("-", 1)[-1]: standing for name, standing in found.items()} == {
        "0": Standing("there", "cc-by-2.0"),
        "1": Standing("gone", note="Openverse has it no more"),
        "2": Standing("there", "cc0-1.0"),
        "10": Standing("gone", note="Openverse has it no more"),
    }
    assert len(openverse.calls) == 4


def test_openverse_with_a_client(study: Study, openverse: Openverse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is fetched once, and a new one where it has ended."""
    monkeypatch.setenv("OPENVERSE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("OPENVERSE_CLIENT_SECRET", SECRET)
    rights = OpenverseRights(again(study))
    assert rights.look_up(ids(0))["4bc43a04-tree-0"].license_id == "cc-by-2.0"
    openverse.tokens += 1  # the old one has ended
    assert rights.look_up(ids(3))["4bc43a04-tree-3"].license_id == "cc-by-2.0"


def test_openverses_trouble_is_no_verdict(
    study: Study, openverse: Openverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is said of a picture by an outage or a used-up quota; what came before stays written."""
    monkeypatch.setattr("photojury.collect.courtesy.retrying.random.uniform", lambda low, high: 0.0)
    study.add("images", [stored("openverse", f"4bc43a04-tree-{number}") for number in (0, 3, 6)])
    openverse.faults += ["503"] * 5
    assert isinstance(refresh(again(study)).problems["openverse"], ServiceError)
    assert study.count("standings") == 0
    monkeypatch.setenv("PHOTOJURY_OPENVERSE_CALLS_PER_HOUR", "7")  # five of these are used
    found = refresh(again(study))
    assert isinstance(found.problems["openverse"], Unfinished)
    assert found.findings == {"same": 2, "never": 1}


def stored(source: str, name: str, file_url: str | None = None) -> dict[str, object]:
    """A row of `images`, under CC BY 2.0."""
    return {"image_id": f"{source} {name}"[-64:], "source": source, "source_id": name, "license_id": "cc-by-2.0",
            "file_url": file_url, "retrieved_at": 1.0, "width": 9, "height": 9, "format": "jpeg", "bytes": 1,
            "status": "kept"}  # fmt: skip


# ---- Commons ----


@dataclass
class Commons(FakeCommons):
    """Files by page id, 9000 and on; those past `has` were deleted."""

    def answer(self, call: Call) -> Answer:
        if "pageids" not in call.params:
            return super().answer(call)
        names = call.params["pageids"].split("|")
        if len(names) > 50:
            return in_json(200, {"error": {"code": "toomanyvalues", "info": "Too many values"}})
        pages: dict[str, object] = {}
        for name in names:
            there = int(name) - 9000 < self.has
            size = {"iiurlwidth": "1280"}
            pages[name] = (
                self.page(int(name) - 9000, size, True) if there else {"pageid": int(name), "missing": ""}
            )
        return in_json(200, {"batchcomplete": "", "query": {"pages": pages}})


@pytest.fixture
def commons(monkeypatch: pytest.MonkeyPatch) -> Iterator[Commons]:
    with Commons() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def test_commons_is_asked_fifty_at_once(study: Study, commons: Commons) -> None:
    """60 files are two calls; deleted pages are gone, corrected licences are told."""
    commons.has = 58
    nothing = dict.fromkeys(("License", "LicenseShortName", "LicenseUrl", "UsageTerms"))
    commons.said = {3: {**nothing, "License": "cc-by-sa-3.0-migrated"}, 4: {**nothing}}
    study.add("images", [{**stored("commons", str(9000 + number)), "license_id": "cc-by-sa-4.0"}
                         for number in range(60)])  # fmt: skip
    found = refresh(again(study))
    assert found.findings == {"same": 56, "gone": 2, "licence": 1, "unknown": 1}
    told = {change.source_id: change for change in found.changes}
    assert told["9003"].note == "its licence was cc-by-sa-4.0 and is cc-by-sa-3.0 now"
    assert told["9004"].note == "Commons' answer has no licence"
    assert told["9059"].prune
    assert [len(call.params["pageids"].split("|")) for call in commons.calls] == [50, 10]


def test_commons_trouble_is_no_verdict(
    study: Study, commons: Commons, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, an answer without pages and a missing contact say nothing of any file."""
    rights = CommonsRights(again(study))
    error = in_json(200, {"error": {"code": "readapidenied", "info": "You need read permission"}})
    commons.faults += [error, in_json(200, {"batchcomplete": ""}), in_json(403, {})]
    for _ in range(3):
        with pytest.raises(ServiceError, match="Wikimedia Commons"):
            rights.look_up([{"source_id": "9000"}])
    assert rights.look_up([{"source_id": "no number"}]) == {}
    monkeypatch.setenv("PHOTOJURY_STUDY_CONTACT", "")
    study.add("images", [stored("commons", "9000")])
    found = refresh(again(study))
    assert "contact" in str(found.problems["commons"])
    assert not isinstance(found.problems["commons"], SettingsError)
    assert study.count("standings") == 0


# ---- addresses ----


class Web:
    """A server whose answers are written down, by path: (status to HEAD, status to GET, headers)."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, int, dict[str, str]]] = {}
        self.robots = (404, b"")
        self.asked: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"web": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    web: Web
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            status, body = self.web.robots
            self._send(status, {"Content-Type": "text/plain"}, body)
            return
        self.web.asked.append(("GET", self.path))
        _, status, headers = self.web.answers[self.path]
        self._send(status, headers, b"\xff\xd8\xff" + b"x" * 100)

    def do_HEAD(self) -> None:
        self.web.asked.append(("HEAD", self.path))
        status, _, headers = self.web.answers[self.path]
        self._send(status, headers, b"")

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (
            {"Content-Type": "image/jpeg", "Content-Length": str(len(body))} | headers
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("PHOTOJURY_ALLOW_LOOPBACK", "1")
    with Web() as server:
        yield server


def look_up(study: Study, *urls: str | None) -> list[Standing]:
    rows = [{"source_id": str(number), "file_url": url} for number, url in enumerate(urls)]
    found = AddressRights(study).look_up(rows)
    return [found[str(number)] for number in range(len(urls))]


@pytest.mark.parametrize(
    ("head", "get", "headers", "state"),
    [
        (200, 200, {}, "there"),
        (404, 404, {}, "gone"),
        (410, 410, {}, "gone"),
        (404, 200, {}, "there"),  # it knows GET only
        (405, 200, {}, "there"),
        (501, 410, {}, "gone"),
        (403, 403, {}, "unknown"),
        (500, 500, {}, "unknown"),
        (503, 503, {"Retry-After": "1"}, "unknown"),
        (200, 200, {"Content-Type": "text/html"}, "unknown"),
        (302, 302, {"Location": "/photo_unavailable.png"}, "gone"),
        (302, 302, {"Location": "/here"}, "unknown"),
        (302, 302, {"Location": "file:///etc/hostname"}, "unknown"),
        (302, 302, {"Location": "http://169.254.169.254/"}, "unknown"),
    ],
)
def test_what_an_address_says(
    study: Study, web: Web, head: int, get: int, headers: dict[str, str], state: str
) -> None:
    """Only a deleted file is gone; a server's bad day, a loop and a forbidden place leave it unknown."""
    web.answers["/here"] = (head, get, headers)
    (found,) = look_up(study, f"{web.url}/here")
    assert (found.state, found.opt_out) == (state, None)


@pytest.mark.parametrize("headers", [{"X-Robots-Tag": "noai"}, {"TDM-Reservation": "1"}])
def test_an_opt_out_is_heard(study: Study, web: Web, headers: dict[str, str]) -> None:
    """Headers that ask not to use the file now."""
    web.answers["/here"] = (200, 200, headers)
    (found,) = look_up(study, f"{web.url}/here")
    assert found.opt_out


def test_robots_are_heard_before_anything_is_asked(study: Study, web: Web) -> None:
    """A path that robots.txt forbids is not asked for, and nothing is said of the file."""
    web.robots = (200, b"User-agent: *\nDisallow: /here")
    web.answers["/here"] = (404, 404, {})
    (found,) = look_up(study, f"{web.url}/here")
    assert found.state == "unknown" and "robots.txt" in str(found.note)
    assert web.asked == []


def test_a_dead_host_is_left_alone_after_five_failures(study: Study, web: Web) -> None:
    """Of a hundred files of a host that fails, few are asked for; all are unknown."""
    for number in range(100):
        web.answers[f"/{number}"] = (503, 503, {})
    found = look_up(study, *(f"{web.url}/{number}" for number in range(100)))
    assert {standing.state for standing in found} == {"unknown"}
    assert 5 <= len(web.asked) <= 5 + 2 * study.settings.download.per_host_at_once


def test_no_address_and_a_bad_one_are_unknown(study: Study) -> None:
    """What cannot be asked is never gone; nothing is asked of this machine without leave."""
    found = look_up(study, None, "file:///etc/hostname", "http://127.0.0.1:9/x.jpg")
    assert [standing.state for standing in found] == ["unknown"] * 3


def test_lists_and_google_go_by_their_addresses(study: Study, web: Web) -> None:
    """From the registry: a picture of either source whose file is deleted is found gone."""
    web.answers = {"/a": (404, 404, {}), "/b": (200, 200, {})}
    study.add("images", [stored("urls", "a", f"{web.url}/a"), stored("google", "b", f"{web.url}/b")])
    found = refresh(again(study))
    assert found.findings == {"gone": 1, "same": 1}
    assert [(change.source, change.prune) for change in found.changes] == [("urls", True)]
