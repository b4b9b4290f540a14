"""Counters over time: asked again with few calls, added and never overwritten."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from photojury.collect import counters
from photojury.collect.commands.flickr import counters as command
from photojury.collect.sources.crawl import crawl
from photojury.collect.sources.flickr_query import query
from photojury.collect.sources.source import open_source
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, Unfinished
from tests.collect.sources.fake_flickr import FakeFlickr
from tests.collect.sources.flickr_photos import plant

DECADE = query(tags="tree", uploaded_from="2015-01-01", uploaded_to="2024-12-31")


@pytest.fixture
def flickr(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFlickr]:
    with FakeFlickr(plant(600)) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def study(tmp_path: Path, flickr: FakeFlickr) -> Study:
    """A study that has found all photos; the log of calls begins after it."""
    study = create_study(tmp_path / "study", "test")
    crawl(study, open_source("flickr", study), DECADE)
    flickr.calls.clear()
    return study


def methods(flickr: FakeFlickr) -> list[str]:
    return [call.method for call in flickr.calls]


def newest(study: Study, column: str) -> dict[str, int]:
    """The last known value of every photo."""
    seen = study.read("observations").dropna(subset=[column]).sort_values("seen_at")
    return dict(seen.groupby("source_id")[column].last().astype(int))


def test_a_round_adds_and_keeps(study: Study, flickr: FakeFlickr) -> None:
    """Every photo has a second observation with its new counters; the first is as it was."""
    before = study.read("observations")
    for photo in flickr.photos:
        photo.views += 1000
        photo.favs += 7
    counted = counters.revisit(study)
    assert counted.added == 600
    after = study.read("observations")
    assert len(after) == 1200
    assert after.merge(before).shape == before.shape
    assert newest(study, "views") == {photo.photo_id: photo.views for photo in flickr.photos}
    assert newest(study, "favs") == {photo.photo_id: photo.favs for photo in flickr.photos}


def test_searches_are_asked_again_where_that_is_cheaper(study: Study, flickr: FakeFlickr) -> None:
    """600 photos take two pages, not 1,200 calls; only the counters are asked for, and new photos are not taken in."""
    flickr.photos += plant(610)[600:]
    planned = counters.plan(study)
    assert (planned.due, len(planned.searches), planned.calls_by_photo) == (600, 1, 0)
    counters.revisit(study)
    assert methods(flickr) == ["photos.search", "photos.search"]
    assert flickr.searches()[0]["extras"] == "date_upload,views,count_faves,count_comments"
    assert study.count("candidates") == 600


def test_few_photos_are_asked_one_by_one(study: Study, flickr: FakeFlickr) -> None:
    """Where one photo is due, its two calls are fewer than the search's; its row is whole."""
    with study.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE candidates SET state = 'rejected' WHERE source_id != '40000000000'"
        )
    flickr.photos[0].views = 12345
    assert counters.revisit(study) == counters.Counted(added=1, gone=0, calls=2)
    assert sorted(methods(flickr)) == ["photos.getFavorites", "photos.getInfo"]
    row = study.read("observations", {"source_id": "40000000000"}).iloc[-1]
    assert (row.views, row.favs, row.comments) == (12345, flickr.photos[0].favs, flickr.photos[0].comments)


def test_favourites_that_were_not_told_are_filled(tmp_path: Path, flickr: FakeFlickr) -> None:
    """One call each, however lately the photo was seen; a second round has nothing to do."""
    study = create_study(tmp_path / "untold", "test")
    for photo in flickr.photos[:9]:
        photo.favs_in_rows = False
    crawl(study, open_source("flickr", study), DECADE)
    flickr.calls.clear()
    assert counters.without_favourites(study) == 9
    assert counters.revisit(study, older_than=1).added == 9
    assert methods(flickr) == ["photos.getFavorites"] * 9
    assert newest(study, "favs") == {photo.photo_id: photo.favs for photo in flickr.photos}
    # Each has a row with all counters: its views are those of the search, a moment ago.
    whole = study.read("observations").dropna().groupby("source_id").views.last()
    assert whole.to_dict() == {photo.photo_id: photo.views for photo in flickr.photos}
    assert counters.without_favourites(study) == 0
    assert counters.revisit(study, older_than=1) == counters.Counted(added=0, gone=0, calls=0)


def test_a_round_that_was_stopped_goes_on(tmp_path: Path, flickr: FakeFlickr) -> None:
    """Stopped by its number of calls, again and again, it asks for every page and every photo once."""
    study = create_study(tmp_path / "stopped", "test")
    for photo in flickr.photos[:5]:
        photo.favs_in_rows = False
    crawl(study, open_source("flickr", study), DECADE)
    flickr.calls.clear()
    stops = 0
    while True:
        try:
            counters.revisit(study, most_calls=2)
            break
        except Unfinished as stop:
            assert "the 2 calls that were allowed are made; the same command goes on" in str(stop)
            stops += 1
    assert 3 <= stops <= 8
    assert methods(flickr).count("photos.search") == 2
    assert methods(flickr).count("photos.getFavorites") == 5
    assert "photos.getInfo" not in methods(flickr)
    # The next command begins a new round.
    assert counters.plan(study).due == 600


def test_photos_that_are_gone_are_counted(study: Study, flickr: FakeFlickr) -> None:
    """What Flickr does not show has no new row and stays a candidate; `collect refresh` is named."""
    for number, code in ((3, 1), (4, 2), (5, 5)):
        flickr.photos[number].gone = code
    result = CliRunner().invoke(command, ["--study", str(study.folder)])
    assert result.exit_code == 0
    assert "597 observations added" in result.stdout
    assert "does not show 3 photos any more: photojury collect refresh" in result.stdout
    assert set(study.read("candidates").state) == {"found"}


def test_what_was_seen_lately_is_left_alone(study: Study, flickr: FakeFlickr) -> None:
    """Younger counters than asked for are not due; a dry run asks nothing and says what it would."""
    assert counters.revisit(study, older_than=1).calls == 0
    assert flickr.calls == []
    result = CliRunner().invoke(command, ["--dry-run", "--study", str(study.folder)])
    assert result.stdout.startswith("600 photos are due: 2 calls for 1 searches and 0 for single photos")
    assert flickr.calls == []


def test_only_flickr_has_counters(study: Study) -> None:
    """Another source is refused with the list."""
    result = CliRunner().invoke(command, ["--source", "google", "--study", str(study.folder)])
    assert isinstance(result.exception, InputError)
    assert "unknown source with counters 'google'" in str(result.exception)
