"""`photojury collect flickr` as people use it: typed, killed, started twice, and told what went wrong."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from photojury.collect.commands.flickr import flickr as command
from photojury.datasets.store import Study, create_study, open_study
from photojury.errors import InputError, PhotojuryError, ServiceError, Unfinished
from tests.collect.sources.fake_flickr import FakeFlickr, Parameters
from tests.collect.sources.flickr_photos import plant

DECADE = ["--tags", "tree", "--from", "2015-01-01", "--to", "2024-12-31"]


@pytest.fixture
def flickr(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFlickr]:
    with FakeFlickr([]) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_study(tmp_path / "study", "test").close()
    return tmp_path / "study"


def typed(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--study", str(folder)])


def start(folder: Path) -> "subprocess.Popen[str]":
    words = [
        sys.executable,
        "-m",
        "photojury",
        "collect",
        "flickr",
        *DECADE,
        "--study",
        str(folder),
        "--json",
    ]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def place(asked: Parameters) -> tuple[int, int, int]:
    return int(asked["min_upload_date"]), int(asked["max_upload_date"]), int(asked["page"])


def finished(study: Study) -> list[tuple[int, int]]:
    """The ranges of slices that are never to be asked again."""
    rows = study.read("slices")
    keys = rows.slice[rows.state.isin(["done", "full"])]
    return [(int(begin), int(end)) for begin, end in (key.split("-") for key in keys)]


def test_what_it_says(folder: Path, flickr: FakeFlickr) -> None:
    """What was found, what of it is new, what Flickr reports, and the calls, as text and as JSON."""
    flickr.photos = plant(700)
    result = typed(folder, *DECADE)
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "700 photos found, 700 of them new to the study; Flickr reports 700; 2 calls, 1 slices"
    )
    again = json.loads(typed(folder, *DECADE, "--json").stdout)
    assert (again["calls"], again["unique"], again["finished"]) == (0, 700, True)
    anew = json.loads(typed(folder, *DECADE, "--again", "--json").stdout)
    assert (anew["calls"], anew["new"]) == (2, 0)
    records = [json.loads(path.read_text()) for path in (folder / "runs").glob("*/run.json")]
    assert [record["notes"]["query"]["tags"] for record in records] == [["tree"]] * 3
    assert "secret-of-tests" not in json.dumps(records)


def test_a_limit_leaves_the_rest(folder: Path, flickr: FakeFlickr) -> None:
    """Status 3, with what was found on stdout."""
    flickr.photos = plant(1200)
    result = typed(folder, *DECADE, "--limit", "100")
    assert isinstance(result.exception, Unfinished) and result.exception.exit_code == 3
    assert "--limit 100; the same command with a higher limit" in str(result.exception)
    assert result.stdout.startswith("500 photos found")


def test_untold_favourites_are_pointed_out(folder: Path, flickr: FakeFlickr) -> None:
    """How many, how long it takes, and what to type."""
    flickr.photos = plant(20)
    for photo in flickr.photos[:6]:
        photo.favs_in_rows = False
    result = typed(folder, *DECADE)
    assert "did not tell the favourites of 6 photos" in result.stderr
    assert "photojury collect counters --older-than 1" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "kind", "message"),
    [
        (DECADE, {"FLICKR_API_KEY": ""}, ServiceError, "FLICKR_API_KEY is not set"),
        (DECADE, {"FLICKR_API_KEY": "x"}, ServiceError, "is not a key that Flickr knows"),
        (DECADE, {"FLICKR_API_SECRET": "x"}, ServiceError, "does not belong to FLICKR_API_KEY"),
        ([*DECADE, "--license", "cc,fre"], {}, InputError, "unknown Flickr licence 'fre'"),
        (["--tags", "a", "--from", "2015-02-31"], {}, InputError, "--from '2015-02-31' is no possible date"),
        (["--tags", "a", "--from", "2099-01-01"], {}, InputError, "lies in the future"),
        ([], {}, InputError, "say what to look for"),
    ],
)
def test_bad_input(
    folder: Path,
    flickr: FakeFlickr,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    kind: type[PhotojuryError],
    message: str,
) -> None:
    """One sentence, the right status, and no candidate."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = typed(folder, *arguments)
    assert isinstance(result.exception, kind) and result.exception.exit_code == kind.exit_code
    assert message in str(result.exception) and "\n" not in str(result.exception)
    assert open_study(folder).count("candidates") == 0
    # A mistake costs no call; a wrong key costs one.
    assert len(flickr.calls) == ("x" in environment.values())


def test_killed_at_ten_random_points(folder: Path, flickr: FakeFlickr) -> None:
    """kill -9, ten times: no finished slice is asked again, no page that was kept, and every photo is found once."""
    flickr.photos = plant(10_000, "growing")
    flickr.repeats, flickr.drift = 0.04, 0.05
    # Slow enough that no run keeps more than two of the twenty pages, which leaves something for the last.
    flickr.delay = 0.1
    chance = random.Random(11)
    study = open_study(folder)
    done: list[tuple[int, list[tuple[int, int]]]] = []
    for _ in range(10):
        process = start(folder)
        enough = flickr.searched + chance.randint(1, 2)
        deadline = time.monotonic() + 60
        while flickr.searched < enough and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.2)
        process.kill()
        process.communicate()
        assert process.returncode == -9
        done.append((len(flickr.searches()), finished(study)))
    process = start(folder)
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    assert json.loads(output)["unique"] == 10_000
    assert sorted(study.read("candidates").source_id) == sorted(photo.photo_id for photo in flickr.photos)
    places = [place(asked) for asked in flickr.searches()]
    for calls, ranges in done:
        for begin, end, _page in places[calls:]:
            assert not any(low <= begin and end <= high for low, high in ranges)
    # A killed process had at most one page in hand that was not kept.
    assert len(places) - len(set(places)) <= 10
    assert any(ranges for _, ranges in done)


def test_two_processes_share_a_search(tmp_path: Path, flickr: FakeFlickr, database: str) -> None:
    """Both end well, nothing is asked twice, and every photo is found once."""
    flickr.photos = plant(6000, "bursts")
    folder = tmp_path / "study"
    create_study(folder, "test", {("study", "store"): database}).close()
    processes = [start(folder), start(folder)]
    results = []
    for process in processes:
        output, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
        results.append(json.loads(output))
    assert [result["unique"] for result in results] == [6000, 6000]
    assert sum(result["calls"] for result in results) == flickr.searched <= 1.5 * 12
    assert max(Counter(place(asked) for asked in flickr.searches()).values()) == 1
    study = open_study(folder)
    assert study.count("candidates") == 6000
    study.close()
