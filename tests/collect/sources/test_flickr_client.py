"""The client of Flickr over real HTTP: what is tried again, what is not, and how it is said."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from photojury.collect.sources.flickr_client import Client, NotFound, TooDeep, connect, endpoint
from photojury.datasets.store import Study, create_study, open_study
from photojury.errors import InputError, ServiceError, SettingsError, Unfinished
from tests.collect.sources.fake_flickr import FakeFlickr
from tests.collect.sources.flickr_photos import plant

SEARCH = {"tags": "tree", "per_page": 5}


@pytest.fixture
def flickr(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFlickr]:
    with FakeFlickr(plant(20)) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def study(tmp_path: Path, flickr: FakeFlickr) -> Study:
    return create_study(tmp_path / "study", "test", {("study", "contact"): "me@example.org"})


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(study: Study, slept: list[float]) -> Client:
    client = connect(study)
    client.sleep = slept.append
    return client


def test_an_answer(client: Client, flickr: FakeFlickr) -> None:
    """A signed call is answered; it says who asks, and asks nobody to write a token to the disk."""
    block = client.call("photos.search", SEARCH, "photos")
    assert len(block["photo"]) == 5
    assert flickr.calls[0].agent.startswith("photojury/") and "me@example.org" in flickr.calls[0].agent
    assert flickr.calls[0].parameters["format"] == "json"


@pytest.mark.parametrize(
    "fault",
    [
        "429",
        "500",
        "503",
        "html",
        "no utf-8",
        "empty",
        "list",
        "no photos",
        "flaky",
        "flaky 0",
        "search down",
        "down",
        "closed",
    ],
)
def test_what_may_pass_is_asked_again(
    client: Client, flickr: FakeFlickr, slept: list[float], fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Two failures and an answer; nothing of the bodies is logged."""
    flickr.faults += [fault, fault]
    assert client.call("photos.search", SEARCH, "photos")["photo"]
    assert (len(flickr.calls), client.calls, len(slept)) == (3, 3, 2)
    assert "h1" not in caplog.text


def test_a_service_that_stays_ill(client: Client, flickr: FakeFlickr) -> None:
    """After five tries the error says so, and that nothing is lost."""
    flickr.faults += ["500"] * 9
    with pytest.raises(ServiceError, match=r"HTTP 500.*tried 5 times.*kept; the same command goes on"):
        client.call("photos.search", SEARCH, "photos")
    assert len(flickr.calls) == 5


def test_flickr_is_left_alone_as_long_as_it_asks(
    client: Client, flickr: FakeFlickr, slept: list[float], study: Study
) -> None:
    """A second is waited for, by every process; an hour ends the command, and others' calls wait, too."""
    flickr.faults += ["429 for 1 s"]
    client.call("photos.search", SEARCH, "photos")
    assert slept[0] >= 1
    flickr.faults += ["429 for an hour"]
    with pytest.raises(Unfinished, match=r"asks not to be called before 20.*the same command goes on"):
        client.call("photos.search", SEARCH, "photos")
    with pytest.raises(Unfinished, match="flickr may be asked again at"):
        connect(open_study(study.folder)).call("photos.search", SEARCH, "photos")
    assert len(flickr.calls) == 3


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (
            "expired",
            ServiceError,
            "FLICKR_API_KEY has expired.*kept; with a key that works, the same command goes on",
        ),
        ("illogical", InputError, "contradictory.*Illogical arguments"),
        ("unknown user", InputError, "knows no such user; give --user"),
        ("too deep", TooDeep, "Excessive photo offset"),
        ("no message", ServiceError, "may not do this.*no reason given"),
        ("404", ServiceError, "HTTP 404"),
    ],
)
def test_what_stays_is_not_asked_again(
    client: Client, flickr: FakeFlickr, fault: str, error: type[Exception], message: str
) -> None:
    """One call, and a sentence that says whose turn it is."""
    flickr.faults += [fault]
    with pytest.raises(error, match=message):
        client.call("photos.search", SEARCH, "photos")
    assert len(flickr.calls) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("FLICKR_API_KEY", "FLICKR_API_KEY is not a key that Flickr knows"),
        ("FLICKR_API_SECRET", "FLICKR_API_SECRET does not belong to FLICKR_API_KEY"),
    ],
)
def test_a_wrong_key_or_secret(
    study: Study, flickr: FakeFlickr, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    """Told apart, asked once, and the value is not in the message."""
    monkeypatch.setenv(name, "wrong-value")
    with pytest.raises(ServiceError, match=message) as error:
        connect(study).call("photos.search", SEARCH, "photos")
    assert "wrong-value" not in str(error.value)
    assert len(flickr.calls) == 1


def test_no_key(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, and that new keys cost a membership; the client does not show its own."""
    assert "key-of-tests" not in repr(connect(study)) and "secret-of-tests" not in repr(connect(study))
    monkeypatch.delenv("FLICKR_API_SECRET")
    with pytest.raises(ServiceError, match=r"FLICKR_API_SECRET is not set.*paying members"):
        connect(study)


def test_where_calls_go(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's address is enough; Flickr itself is never asked faster than it allows."""
    assert endpoint("") == "https://api.flickr.com/services/rest/"
    assert endpoint("http://localhost:8080/") == endpoint("http://localhost:8080/services/rest")
    for wrong in ("localhost:8080", "file:///etc/passwd"):
        with pytest.raises(SettingsError, match="PHOTOJURY_FLICKR_URL"):
            endpoint(wrong)
    monkeypatch.delenv("PHOTOJURY_FLICKR_URL")
    with pytest.raises(SettingsError, match="calls_per_hour is 1000000, and Flickr allows 3600"):
        connect(open_study(study.folder))


def test_no_server(client: Client, monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    """A server that is not there is asked five times, and named."""
    client._api.REST_URL = client.url = "http://127.0.0.1:1/services/rest/"
    with pytest.raises(ServiceError, match=r"cannot be reached at 127\.0\.0\.1:1"):
        client.call("photos.search", SEARCH, "photos")
    assert len(slept) == 4


@pytest.mark.parametrize("per_hour", [1, 59, 600])
def test_no_hour_holds_more_calls_than_allowed(
    study: Study, monkeypatch: pytest.MonkeyPatch, per_hour: int
) -> None:
    """A rested key's burst and the calls after it stay within the hour's number."""
    monkeypatch.setenv("PHOTOJURY_FLICKR_CALLS_PER_HOUR", str(per_hour))
    pace = connect(open_study(study.folder)).pace
    now = [1e9]
    pace.clock, pace.sleep, pace.longest = (
        lambda: now[0],
        lambda seconds: now.append(now.pop() + seconds),
        1e9,
    )
    calls = 0
    while now[0] < 1e9 + 3600 - 1e-6:
        calls += 1
        pace.take()
    assert calls - 1 <= per_hour
    assert calls - 1 >= per_hour * 0.95 - 1


def test_photo_info_and_favourites(client: Client, flickr: FakeFlickr) -> None:
    """A photo's licence, visibility and counts; a photo that is gone, private or its owner's, is not found."""
    photo = flickr.photos[3]
    photo.license, photo.tags, photo.favs, photo.views = 12, ["no_cv"], 73, 900
    info = client.photo_info(photo.photo_id)
    assert (info.license_id, info.public, info.views) == ("cc-by-sa-4.0", True, 900)
    assert info.opt_out is not None
    assert client.favourites(photo.photo_id) == 73
    for code in (1, 2, 5):
        photo.gone = code
        with pytest.raises(NotFound):
            client.photo_info(photo.photo_id)
        with pytest.raises(NotFound):
            client.favourites(photo.photo_id)
