"""The JSON client: what it asks again, what it gives up, and that no key gets out."""

import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from photojury.collect.sources.api import Answer, Api, base_url
from photojury.errors import InputError, PhotojuryError, ServiceError, Unfinished
from tests.collect.sources.fake_service import Answer as Sent
from tests.collect.sources.fake_service import Call, FakeService, in_json

SECRET = "s3cret/key+"


@dataclass
class Plain(FakeService):
    """A service that answers with what it was asked."""

    def answer(self, call: Call) -> Sent:
        return in_json(200, {"asked": call.params})


@pytest.fixture
def service() -> Iterator[Plain]:
    with Plain() as service:
        yield service


@dataclass
class Client:
    """An Api with a log of its pauses."""

    api: Api
    slept: list[float]
    held: list[float]


def client(service: FakeService, base: str | None = None) -> Client:
    slept: list[float] = []
    held: list[float] = []
    api = Api(
        "Service",
        base or service.url,
        "photojury/test (me@example.org)",
        before=lambda: None,
        pause=held.append,
        secrets=(SECRET,),
        sleep=slept.append,
    )
    return Client(api, slept, held)


@pytest.mark.parametrize(
    "fault", ["429 html", "429 bare", "503", "500 json", "html", "list", "empty", "cut json", "closed"]
)
def test_what_fails_for_a_moment_is_asked_again(service: Plain, fault: str) -> None:
    """Twice bad, then good: the answer comes, after two pauses and three calls."""
    service.faults += [fault, fault]
    used = client(service)
    assert used.api.get("/v1/", {"q": "x"}).body == {"asked": {"q": "x"}}
    assert (len(used.slept), used.api.calls, len(service.calls)) == (2, 3, 3)


def test_what_keeps_failing_is_given_up(service: Plain) -> None:
    """After five tries, with the status and without the key."""
    service.faults += ["503"] * 9
    with pytest.raises(ServiceError, match="Service answers with HTTP 503; tried 5 times"):
        client(service).api.get("/v1/", {"key": SECRET})
    assert len(service.calls) == 5


def test_retry_after_is_honoured(service: Plain) -> None:
    """A short wait is waited for and told to the other processes; a long one ends the run at once."""
    service.faults += ["429 html"]
    used = client(service)
    used.api.get("/v1/", {})
    assert used.slept[0] >= 1.0
    assert used.held == [1.0]
    service.faults += ["429 for an hour"]
    with pytest.raises(Unfinished, match="Service asks to come again at 20"):
        used.api.get("/v1/", {})
    assert used.held == [1.0, 3600.0]
    assert len(service.calls) == 3


def test_other_refusals_are_for_the_caller(service: Plain) -> None:
    """A 400 with JSON is given back, a 404 without it likewise; neither is asked again."""
    service.faults += [in_json(400, {"error": "no"}), (404, {}, b"gone")]
    api = client(service).api
    assert api.get("/v1/", {}).body == {"error": "no"}
    answer = api.get("/v1/", {})
    assert (answer.status, answer.body, len(service.calls)) == (404, {}, 2)


def test_a_redirect_is_not_followed(service: Plain) -> None:
    """A key must not travel to another host."""
    service.faults += ["redirect"]
    with pytest.raises(ServiceError, match="sends us elsewhere"):
        client(service).api.get("/v1/", {"key": SECRET})


def test_an_answer_of_hundreds_of_megabytes_is_not_kept(
    service: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the limit it counts as no answer."""
    monkeypatch.setattr("photojury.collect.sources.api._LARGEST", 100_000)
    service.faults += [in_json(200, {"much": "x" * 200_000})]
    used = client(service)
    assert "asked" in used.api.get("/v1/", {}).body
    assert len(used.slept) == 1


@pytest.mark.parametrize("trouble", ["nobody there", "closed", "echo", "503"])
def test_no_key_in_any_error(
    service: Plain, trouble: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in messages, tracebacks, causes or logs, at any level of logging, though the key is in every address."""
    caplog.set_level(logging.DEBUG)
    used = client(service, "http://127.0.0.1:9" if trouble == "nobody there" else None)
    echo = in_json(500, {"error": {"message": f"bad key {SECRET}"}})
    service.faults += [echo if trouble == "echo" else trouble if trouble != "nobody there" else "503"] * 9
    with pytest.raises(PhotojuryError) as caught:
        used.api.get("/v1/", {"key": SECRET})
    seen = "".join(traceback.format_exception(caught.value)) + str(caught.value) + caplog.text
    error: BaseException | None = caught.value
    while error is not None:
        seen += repr(error)
        error = error.__cause__ or error.__context__
    for secret in (SECRET, "s3cret%2Fkey%2B", "s3cret/key%2B"):
        assert secret not in seen + "".join(capfd.readouterr())
    assert used.api.redact(f"your key {SECRET} is bad") == "your key (key) is bad"


def test_a_warning_about_odd_headers_hides_the_key(service: Plain, caplog: pytest.LogCaptureFixture) -> None:
    """urllib3 quotes the whole address where a header cannot be parsed; such records are dropped, others stay."""
    client(service)
    logger = logging.getLogger("urllib3.connectionpool")
    logger.warning("Failed to parse headers (url=%s)", "http://h/?key=s3cret%2Fkey%2B")
    logger.warning("something else")
    assert caplog.messages == ["something else"]


def test_what_the_caller_knows_better_comes_first(service: Plain) -> None:
    """A judge may end what would be asked again."""

    def judge(answer: Answer) -> None:
        if answer.status == 429:
            raise Unfinished("the day is used up")

    service.faults += ["429 html"]
    api = Api("Service", service.url, "agent", before=lambda: None, judge=judge)
    with pytest.raises(Unfinished, match="used up"):
        api.get("/", {})
    assert len(service.calls) == 1


def test_who_asks_is_said(service: Plain) -> None:
    """The User-Agent is ours; the environment's proxies and passwords are not used."""
    used = client(service)
    used.api.get("/v1/", {})
    used.api.post("/v1/", {"a": "b"})
    assert {call.headers["User-Agent"] for call in service.calls} == {"photojury/test (me@example.org)"}
    assert [call.method for call in service.calls] == ["GET", "POST"]


def test_a_stand_in_is_of_this_machine_or_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys do not go over a network in the clear."""
    monkeypatch.delenv("PHOTOJURY_GOOGLE_URL", raising=False)
    assert base_url("google", "https://www.googleapis.com") == "https://www.googleapis.com"
    for good in ("http://127.0.0.1:8000", "http://localhost:1/customsearch/v1", "https://proxy.example.org"):
        monkeypatch.setenv("PHOTOJURY_GOOGLE_URL", good)
        assert base_url("google", "x") == good
    for bad in ("http://proxy.example.org", "ftp://127.0.0.1", "127.0.0.1:8000", "https://"):
        monkeypatch.setenv("PHOTOJURY_GOOGLE_URL", bad)
        with pytest.raises(InputError, match="PHOTOJURY_GOOGLE_URL"):
            base_url("google", "x")


@pytest.mark.parametrize("beginning", ["", "/", "/v1", "/v1/", "/v1/images", "/v1/images/"])
def test_a_base_may_hold_the_beginning_of_the_path(service: Plain, beginning: str) -> None:
    """However the variable is written, the right path is asked."""
    client(service, service.url + beginning).api.get("/v1/images/", {})
    assert service.calls[-1].path == "/v1/images/"
