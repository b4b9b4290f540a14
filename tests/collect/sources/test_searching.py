"""The commands `collect google | openverse | commons | urls`, from the command line to the store."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from photojury.collect.commands import searching
from photojury.collect.sources import google as google_module
from photojury.datasets.store import create_study, open_study
from photojury.errors import InputError, PhotojuryError, Refused, ServiceError, Unfinished
from tests.collect.sources.fake_commons import FakeCommons
from tests.collect.sources.fake_google import KEY, FakeGoogle
from tests.collect.sources.fake_openverse import FakeOpenverse


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OPENVERSE_CLIENT_ID", "OPENVERSE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    keywords = {
        ("google", "subjects"): ("Messi", "Kobe"),
        ("google", "actions"): ("shot",),
        ("google", "names"): ("action shot",),
        ("study", "contact"): "me@example.org",
    }
    return create_study(tmp_path / "study", "test", keywords).folder


def run(name: str, folder: Path, *arguments: str) -> Result:
    command = getattr(searching, name)
    return CliRunner().invoke(command, [*arguments, "--study", str(folder)])


def failed(result: Result, kind: type[PhotojuryError]) -> str:
    assert isinstance(result.exception, kind), result.output
    return str(result.exception)


def point(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_google_asks_the_planner_s_keywords(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every keyword by itself, with what came, what is left of the day, and what to do next; again, nothing is asked."""
    with FakeGoogle(has={"Messi shot": 12, "Kobe shot": 9, "action shot": 0}) as google:
        point(monkeypatch, google.environment)
        result = run("google", folder)
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines() == [
            "  12 new of 12: Messi shot",
            "  6 new of 9: Kobe shot",  # every third is the other's, too
            "  0 new of 0: action shot",
            "google: 21 found, 21 different, 18 new here, in 4 calls; 96 of today's 100 calls are left",
            "next: photojury collect download",
        ]
        assert "Google ends this API in" in result.stderr
        facts = json.loads(run("google", folder, "--json").stdout)
        assert (facts["calls"], facts["new"], facts["finished"], len(google.calls)) == (0, 0, True, 4)
        assert len(facts["searches"]) == 3
        again = run("google", folder, "--again", "--query", "Kobe shot")
        assert "google: 9 found, 9 different, 0 new here" in again.stdout
        assert len(google.calls) == 5


def test_google_s_dry_run_asks_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keywords, calls, days and dollars, without keys and without a call."""
    for name in ("GOOGLE_API_KEY", "GOOGLE_CSE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PHOTOJURY_GOOGLE_CALLS_PER_DAY", "25")
    result = run("google", folder, "--dry-run", "--json")
    facts = json.loads(result.stdout)
    assert facts["keywords"] == ["Messi shot", "Kobe shot", "action shot"]
    assert (facts["calls"], facts["days"], facts["dollars"]) == (30, 2, 0.0)
    text = run("google", folder, "--dry-run").stdout
    assert "  Kobe shot\n" in text
    assert "3 keywords; at most 30 calls are left, which take 2 days and cost $0.00" in text
    assert open_study(folder).count("searches") == 0


def test_google_costs_are_confirmed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past a hundred calls a day each costs; nothing is asked before --yes."""
    monkeypatch.setenv("PHOTOJURY_GOOGLE_CALLS_PER_DAY", "1000")
    many = [part for number in range(30) for part in ("--query", f"w{number}")]
    with FakeGoogle(has={f"w{number}": 1 for number in range(30)}) as google:
        point(monkeypatch, google.environment)
        sentence = failed(run("google", folder, *many), Refused)
        assert sentence.startswith("this may cost $1.00: 300 calls, 1000 a day, of which 100 are free")
        assert google.calls == []
        assert run("google", folder, *many, "--yes").exit_code == 0
        assert len(google.calls) == 30


def test_a_used_up_day_tells_what_came(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 3; what was found is kept and printed, also as JSON, and the run is recorded."""
    monkeypatch.setenv("PHOTOJURY_GOOGLE_CALLS_PER_DAY", "3")
    with FakeGoogle() as google:
        point(monkeypatch, google.environment)
        result = run("google", folder, "--json")
        assert "gives no more calls until" in failed(result, Unfinished)
        facts = json.loads(result.stdout)
        assert (facts["new"], facts["calls"], facts["finished"]) == (30, 3, False)
        assert facts["left"] == "0 of today's 3 calls are left"
        record = next((folder / "runs").glob("*-collect-google")) / "run.json"
        written = record.read_text()
        assert json.loads(written)["notes"]["new"] == 30
        assert KEY not in written + result.output


def test_google_after_its_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a dry run says that there is nothing to plan any more."""
    monkeypatch.setattr(google_module, "END", datetime(2020, 1, 1, tzinfo=UTC))
    for arguments in ((), ("--dry-run",)):
        sentence = failed(run("google", folder, *arguments), ServiceError)
        assert (
            "ended on 2020-01-01; use photojury collect openverse, commons, flickr or urls instead"
            in sentence
        )


def test_google_without_keywords_or_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says where to put what is missing."""
    empty = create_study(tmp_path / "empty", "test").folder
    assert "under [google] in" in failed(run("google", empty), InputError)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    assert "GOOGLE_API_KEY" in failed(run("google", empty, "--query", "x"), ServiceError)


def test_openverse(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit over all queries; what Openverse says is left; a query without words is refused."""
    monkeypatch.setattr("photojury.collect.courtesy.pace.Pace.take", lambda pace: None)
    with FakeOpenverse(per_hour=50, has=30) as openverse:
        point(monkeypatch, openverse.environment)
        arguments = (
            "--query",
            "tree",
            "--query",
            "river",
            "--query",
            "sea",
            "--license",
            "by",
            "--limit",
            "45",
        )
        result = run("openverse", folder, *arguments)
        assert result.exit_code == 0, result.output
        assert "openverse: 50 found, 50 different, 50 new here, in 3 calls; 47 calls left (anon_burst)" in (
            result.stdout
        )
        assert {call.params["license"] for call in openverse.calls} == {"by"}
        assert "terms forbid" in failed(run("openverse", folder), InputError)


def test_commons(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches and categories in one command; a film is counted among the rejected; neither given is a mistake."""
    with FakeCommons(has=60, changes={7: {"mediatype": "VIDEO"}}) as commons:
        point(monkeypatch, commons.environment)
        result = run("commons", folder, "--query", "lone tree", "--category", "Lone trees", "--json")
        facts = json.loads(result.stdout)
        assert (facts["rows"], facts["unique"], facts["new"], facts["calls"]) == (120, 120, 60, 4)
        assert facts["rejected_by_rule"] == {"not_a_photo": 1}  # found by both searches
        assert "rejected: Commons calls it VIDEO, not BITMAP" in result.stderr
        assert "(--query) or a category (--category)" in failed(run("commons", folder), InputError)


def test_urls(folder: Path, tmp_path: Path) -> None:
    """Counts and reasons of what cannot be used; the rest waits for the download; exit status 0."""
    path = tmp_path / "list.csv"
    path.write_text("link;faves\nhttp://h.org/1.jpg;3\nfile:///etc/hostname;4\n;5\nhttp://h.org/1.jpg;3\n")
    result = run("urls", folder, str(path), "--url-column", "link")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "urls: 4 found, 3 different, 3 new here; 2 rejected (1 bad_row, 1 bad_url)",
        "next: photojury collect download",
    ]
    assert "rejected: list.csv, row 2: its address begins with file:" in result.stderr
    assert "it has link, faves" in failed(run("urls", folder, str(path)), InputError)
    assert "cannot be read" in failed(run("urls", folder, str(tmp_path / "nowhere.csv")), InputError)
    named = run("urls", folder, str(path), "--columns", "url,favs", "--json")
    assert json.loads(named.stdout)["rejected_by_rule"] == {
        "bad_row": 1,
        "bad_url": 2,
    }  # the first line is a row now
