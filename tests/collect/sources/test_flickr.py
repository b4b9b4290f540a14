"""Searches of Flickr: every photo is found once, with few calls, whatever Flickr does."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from photojury.collect.sources.crawl import Crawled, crawl
from photojury.collect.sources.flickr_query import query
from photojury.collect.sources.source import open_source
from photojury.datasets.store import Study, create_study
from photojury.errors import ServiceError
from tests.collect.sources.fake_flickr import FakeFlickr
from tests.collect.sources.flickr_photos import BEGIN, END, OWNERS, Photo, plant

DECADE = query(tags="tree", uploaded_from="2015-01-01", uploaded_to="2024-12-31")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "test")


@pytest.fixture
def flickr(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFlickr]:
    with FakeFlickr([]) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("photojury.collect.sources.flickr_client.time.sleep", lambda seconds: None)
        yield server


def search(study: Study, asked: dict[str, object] = DECADE, limit: int | None = None) -> Crawled:
    return crawl(study, open_source("flickr", study), asked, limit=limit)


def found(study: Study) -> list[str]:
    return sorted(study.read("candidates").source_id)


def ids(photos: list[Photo]) -> list[str]:
    return sorted(photo.photo_id for photo in photos)


def at(second: int, count: int, first: int = 1) -> list[Photo]:
    """So many photos uploaded in one second."""
    return [Photo(str(first + number), "1@N1", second, second, "t") for number in range(count)]


@pytest.mark.parametrize("spread", ["even", "growing", "bursts"])
@pytest.mark.parametrize("order", [True, False], ids=["in order", "mixed"])
def test_ten_thousand_photos_of_ten_years(
    study: Study,
    flickr: FakeFlickr,
    spread: str,
    order: bool,
) -> None:
    """Each is found once with at most 1.5 times the fewest calls, though rows repeat and totals are wrong.

    The fewest calls possible are 10,000 rows at 500 a call: 20.
    """
    flickr.photos = plant(10_000, spread)
    flickr.repeats, flickr.drift, flickr.order = 0.04, 0.05, order
    assert len({photo.owner for photo in flickr.photos}) == OWNERS
    crawled = search(study)
    assert found(study) == ids(flickr.photos)
    assert len(flickr.calls) <= 1.5 * 20
    assert (crawled.calls, crawled.unique, crawled.new) == (flickr.searched, 10_000, 10_000)
    assert crawled.finished and crawled.reported is not None and abs(crawled.reported - 10_000) <= 500


def test_a_fake_that_repeats_hides_photos_from_plain_paging(flickr: FakeFlickr) -> None:
    """Paging alone finds 4,000 of 10,000: the cut is needed, and this Flickr is as bad as the real one."""
    flickr.photos = plant(10_000)
    pages = [flickr._search({"tags": "tree", "per_page": "500", "page": str(n)}, n)[2] for n in range(1, 21)]
    rows = [row["id"] for page in pages for row in json.loads(page)["photos"]["photo"]]
    assert len(rows) == 10_000 and len(set(rows)) == 4000


def test_a_small_search_takes_one_call_a_page(study: Study, flickr: FakeFlickr) -> None:
    """Up to 4,000 photos are one slice; beside Flickr's list of licences, 30 photos take one call."""
    flickr.photos = plant(30)
    assert search(study).calls == flickr.searched == 1
    assert len(flickr.calls) == 2
    assert found(study) == ids(flickr.photos)


def test_nothing_found(study: Study, flickr: FakeFlickr) -> None:
    """No photo, no page, no error."""
    crawled = search(study)
    assert (crawled.unique, crawled.reported, crawled.finished) == (0, 0, True)
    assert flickr.searched == 1


def test_bounds_of_dates_are_included_and_not_passed(study: Study, flickr: FakeFlickr) -> None:
    """The first and the last second of a range are in it, their neighbours are not."""
    seconds = [BEGIN - 1, BEGIN, END, END + 1]
    flickr.photos = [at(second, 1, number)[0] for number, second in enumerate(seconds)]
    search(study)
    assert found(study) == ["1", "2"]


@pytest.mark.parametrize("count", [499, 500, 501, 1000, 4000, 4001])
def test_many_photos_of_one_second(study: Study, flickr: FakeFlickr, count: int) -> None:
    """A burst within one second is found between others, as far as Flickr gives it: 4,000."""
    flickr.photos = [*at(BEGIN + 1000, 3, 1), *at(BEGIN + 5000, count, 100), *at(BEGIN + 9000, 3, 90_000)]
    search(study)
    assert len(found(study)) == min(count, 4000) + 6
    states = study.read("slices").state.tolist()
    assert ("full" in states) == (count > 4000)
    assert len(flickr.calls) <= 1.5 * (count // 500 + 1) + 4


def test_more_than_flickr_gives_of_one_second_is_told(
    study: Study, flickr: FakeFlickr, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the second."""
    flickr.photos = at(BEGIN + 5, 4600)
    search(study)
    assert f"more than 4000 photos of one second ({BEGIN + 5})" in caplog.text


def test_a_slice_that_gives_less_than_it_reports_is_asked_in_halves(
    study: Study, flickr: FakeFlickr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a wide range shows only a part, its halves are asked, and theirs, until nothing new comes."""
    flickr.photos = plant(1200)
    whole = flickr._matches

    def part_of_wide(asked: dict[str, str]) -> list[Photo]:
        matching = whole(asked)
        wide = int(asked["max_upload_date"]) - int(asked["min_upload_date"]) > (END - BEGIN) * 0.6
        flickr.counted = len(matching)  # type: ignore[attr-defined]
        return [photo for photo in matching if int(photo.photo_id) % 2] if wide else matching

    monkeypatch.setattr(flickr, "_matches", part_of_wide)
    answer = flickr._search

    def honest_total(
        asked: dict[str, str], number: int, *, rows: bool = True
    ) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = answer(asked, number, rows=rows)
        block = json.loads(body)
        block["photos"]["total"] = flickr.counted  # type: ignore[attr-defined]
        return status, headers, json.dumps(block).encode()

    monkeypatch.setattr(flickr, "_search", honest_total)
    search(study)
    assert found(study) == ids(flickr.photos)
    assert flickr.searched < 20


def test_a_total_that_is_always_too_high_costs_at_most_twice(
    study: Study, flickr: FakeFlickr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photos that are counted and never shown are looked for once more, and not for ever."""
    flickr.photos = plant(2000)
    for photo in flickr.photos[::4]:
        photo.gone = 2
    shown = [photo for photo in flickr.photos if photo.gone is None]
    monkeypatch.setattr(
        "tests.collect.sources.fake_flickr.round", lambda value: int(value * 1.33), raising=False
    )
    search(study)
    assert found(study) == ids(shown)
    assert flickr.searched <= 2 * 4


def test_a_page_that_lacks_its_rows_is_asked_again(study: Study, flickr: FakeFlickr) -> None:
    """It counts 30 photos and has no `photo`; the second time, it has."""
    flickr.photos = plant(30)
    flickr.faults = ["ok", "no rows"]  # of the list of licences, and of the search
    search(study)
    assert len(found(study)) == 30
    assert flickr.searched == 2


def test_a_key_that_expires_in_mid_run(study: Study, flickr: FakeFlickr) -> None:
    """What came is kept and nothing is marked failed; with a new key no kept page is asked for again."""
    flickr.photos = plant(6000)
    flickr.expire_after = 6
    with pytest.raises(ServiceError, match=r"has expired.*the same command goes on"):
        search(study)
    # Six calls: the licences and five pages, each beginning in the second in which the one before ended.
    assert 2400 < study.count("candidates") <= 2500
    assert set(study.read("candidates").state) == {"found"}
    flickr.expire_after = None
    assert search(study).finished
    assert found(study) == ids(flickr.photos)
    places = Counter((call["min_upload_date"], call["max_upload_date"]) for call in flickr.searches())
    assert max(places.values()) == 1


def test_a_limit_stops_and_goes_on(study: Study, flickr: FakeFlickr) -> None:
    """The next page after the limit is asked only by a higher one."""
    flickr.photos = plant(2000)
    first = search(study, limit=600)
    assert 600 <= first.unique <= 1000 and not first.finished
    assert flickr.searched == 2
    assert search(study).unique == 2000
    assert flickr.searched <= 5


def test_licences_tags_and_opt_outs(study: Study, flickr: FakeFlickr) -> None:
    """Every Creative Commons licence is asked for by number; a photo tagged no_cv is noted and barred."""
    flickr.photos = plant(170)
    flickr.photos[0].tags, flickr.photos[0].license = ["tree", "nocv"], 4
    search(study, query(tags="tree", licenses=["cc"]))
    wanted = [photo for photo in flickr.photos if photo.license in (1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16)]
    rows = study.read("candidates").set_index("source_id")
    assert sorted(rows.index) == ids(wanted)
    assert rows.license_id.isin(["cc-by-4.0"]).any()
    assert rows.state[flickr.photos[0].photo_id] == "barred"
    assert (rows.state == "barred").sum() == 1


def test_counters_of_a_search(study: Study, flickr: FakeFlickr) -> None:
    """Views, favourites and comments come with the rows; favourites that are not told are null, not 0."""
    flickr.photos = plant(40)
    flickr.photos[5].favs_in_rows = False
    search(study)
    seen = study.read("observations").set_index("source_id")
    for photo in flickr.photos:
        assert seen.views[photo.photo_id] == photo.views
        assert seen.comments[photo.photo_id] == photo.comments
    assert seen.favs.isna().sum() == 1
    assert seen.favs.isna()[flickr.photos[5].photo_id]


def test_without_a_list_of_licences(
    study: Study, flickr: FakeFlickr, caplog: pytest.LogCaptureFixture
) -> None:
    """A Flickr that does not tell its licences is searched all the same."""
    flickr.photos = plant(30)
    flickr.faults = ["404"]
    assert search(study).unique == 30
    assert "list of licences cannot be read" in caplog.text


def test_a_new_licence_of_flickr_is_told_once(
    study: Study, flickr: FakeFlickr, caplog: pytest.LogCaptureFixture
) -> None:
    """The list is read as a search begins, and not again when it goes on."""
    flickr.photos = plant(1200)
    flickr.licenses = [
        {"id": "17", "name": "CC BY 5.0", "url": "https://creativecommons.org/licenses/by/5.0/"}
    ]
    search(study, limit=1)
    search(study)
    assert caplog.text.count("licence that photojury does not know: 17") == 1
