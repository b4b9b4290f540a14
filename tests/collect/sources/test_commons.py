"""Wikimedia Commons, against a fake that speaks HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from photojury.collect.sources.commons import Commons, finding, query
from photojury.collect.sources.crawl import crawl
from photojury.datasets import tables
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, ServiceError, Unfinished
from tests.collect.sources.fake_commons import FakeCommons
from tests.collect.sources.fake_service import in_html, in_json


@pytest.fixture
def commons(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCommons]:
    with FakeCommons() as commons:
        for name, value in commons.environment.items():
            monkeypatch.setenv(name, value)
        yield commons


@pytest.fixture
def study(tmp_path: Path, commons: FakeCommons) -> Study:
    return create_study(tmp_path / "study", "test", {("study", "contact"): "me@example.org"})


def source(study: Study, slept: list[float] | None = None) -> Commons:
    return Commons(study, sleep=(slept if slept is not None else []).append)


@pytest.mark.parametrize("asked", [query(search="lone tree"), query(category="Lone trees")])
def test_every_file_is_found_once(study: Study, commons: FakeCommons, asked: dict[str, object]) -> None:
    """120 files in three calls, by words or by category, each page asked for by the token of the one before."""
    crawled = crawl(study, source(study), asked)
    assert (crawled.unique, crawled.calls, crawled.finished) == (120, 3, True)
    token = "gsroffset" if "search" in asked else "gcmcontinue"
    assert [call.params.get(token) for call in commons.calls] == [None, "50", "100"]
    assert {call.params["iiurlwidth"] for call in commons.calls} == {"1280"}


def test_files_that_come_in_two_answers(study: Study, commons: FakeCommons) -> None:
    """MediaWiki may give the parts of some files with the next answer; none is lost."""
    commons.split = True
    crawled = crawl(study, source(study), query(search="lone tree"))
    assert (crawled.unique, crawled.calls, crawled.finished) == (120, 6, True)
    assert study.read("candidates").file_url.notna().all()


def test_nothing_found_is_an_answer(study: Study, commons: FakeCommons) -> None:
    """An answer without `query` has no files."""
    commons.has = 0
    crawled = crawl(study, source(study), query(search="nothing like it"))
    assert (crawled.unique, crawled.calls, crawled.finished) == (0, 1, True)


def test_everything_a_page_states_is_kept(shared: Path) -> None:
    """The fixture's lone tree: author and link from HTML, licence, times, and the original's address."""
    answer = json.loads((shared / "fixtures/image_search/wikimedia_commons_query.json").read_text())
    found = finding(answer["query"]["pages"]["81754323"])
    assert found is not None
    original = "https://upload.wikimedia.org/wikipedia/commons/2/25/20120925_PlozevetBretagne_LoneTree_DSC07971_PtrQs.jpg"
    assert (found.source_id, found.file_url) == ("81754323", original)  # the fixture has no smaller copy
    assert (found.width, found.height) == (5514, 3102)
    assert found.page_url == (
        "https://commons.wikimedia.org/wiki/File:20120925_PlozevetBretagne_LoneTree_DSC07971_PtrQs.jpg"
    )
    assert found.title == "20120925 PlozevetBretagne LoneTree DSC07971 PtrQs.jpg"
    assert (found.author, found.author_id) == ("PtrQs", "PtrQs")
    assert found.author_url == "https://commons.wikimedia.org/wiki/User:PtrQs"
    assert (found.license_id, found.license_url) == (
        "cc-by-sa-4.0",
        "https://creativecommons.org/licenses/by-sa/4.0",
    )
    assert found.attribution == "Photo by PtrQs"
    assert found.description == "SONY DSC"
    assert found.taken_at == 1348590182.0  # date -u -d '2012-09-25 16:23:02' +%s
    assert found.tags == ("Coasts of Plozévet", "Self-published work", "Trees in Finistère")
    assert "restrictions" not in found.extra


def test_the_fake_is_like_the_fixture(shared: Path) -> None:
    """The fake's pages have the parts of the real one, and those that our parameters ask for besides."""
    real = json.loads((shared / "fixtures/image_search/wikimedia_commons_query.json").read_text())
    page = next(iter(real["query"]["pages"].values()))
    fake = FakeCommons().page(1, {"iiurlwidth": "1280"}, with_file=True)
    assert fake.keys() == page.keys()
    asked_for = {"thumburl", "thumbwidth", "thumbheight", "sha1", "timestamp"}
    assert fake["imageinfo"][0].keys() == page["imageinfo"][0].keys() | asked_for
    said = page["imageinfo"][0]["extmetadata"]
    assert fake["imageinfo"][0]["extmetadata"].keys() == said.keys()
    assert fake["imageinfo"][0]["extmetadata"]["Artist"]["value"] == said["Artist"]["value"]


def candidate(study: Study, number: int) -> dict[str, Any]:
    """The row of a file, with `extra` read."""
    table = tables.candidates
    (row,) = study.rows(sa.select(table).where(table.c.source_id == str(9000 + number)))
    return row | {"extra": json.loads(row["extra"])}


def test_the_smaller_copy_is_the_file(study: Study, commons: FakeCommons) -> None:
    """Its address and size are the candidate's; the original's address, size and sha1 stand beside."""
    commons.has = 2
    crawl(study, source(study), query(search="tree"))
    row = candidate(study, 1)
    assert row["file_url"] == "https://thumb.wikimedia.org/wikipedia/commons/2/25/x/1280px-1.jpg"
    assert (row["width"], row["height"]) == (1280, 720)
    assert (
        row["extra"]["original_url"] == "https://upload.wikimedia.org/wikipedia/commons/2/25/Lone_tree_1.jpg"
    )
    assert (row["extra"]["original_width"], row["extra"]["original_sha1"]) == (5514, f"{1:040x}")
    assert row["uploaded_at"] == 1567857600.0  # date -u -d 2019-09-07T12:00 +%s


@pytest.mark.parametrize(
    ("said", "license_id", "license_url"),
    [
        ({"LicenseUrl": None, "License": "cc-by-sa-3.0-migrated"}, "cc-by-sa-3.0", None),
        ({"LicenseUrl": None, "License": "pd", "LicenseShortName": "Public domain"}, "public-domain", None),
        ({"LicenseUrl": "https://creativecommons.org/publicdomain/zero/1.0/", "License": "cc0"}, "cc0-1.0",
         "https://creativecommons.org/publicdomain/zero/1.0/"),
        ({"LicenseUrl": "http://www.gnu.org/copyleft/fdl.html", "License": "gfdl", "LicenseShortName": "GFDL",
          "UsageTerms": "GNU Free Documentation License"}, "gfdl", "http://www.gnu.org/copyleft/fdl.html"),
        ({"LicenseUrl": None, "License": None, "LicenseShortName": "CC BY 2.5", "UsageTerms": None}, "cc-by-2.5", None),
        ({"LicenseUrl": None, "License": None, "LicenseShortName": None, "UsageTerms": None}, None, None),
    ],
)  # fmt: skip
def test_licences(
    study: Study,
    commons: FakeCommons,
    said: dict[str, str | None],
    license_id: str | None,
    license_url: str | None,
) -> None:
    """A name of ours wherever one of Commons' words is understood, else Commons' word, else null."""
    commons.has, commons.said = 1, {0: said}
    crawl(study, source(study), query(search="tree"))
    row = candidate(study, 0)
    assert (row["license_id"], row["license_url"]) == (license_id, license_url)


def test_restrictions_and_unknown_authors(study: Study, commons: FakeCommons) -> None:
    """Personality rights bind beside the licence; who uploaded is not who made it."""
    commons.has = 2
    commons.said = {
        0: {"Restrictions": "personality|trademarked", "Artist": None, "DateTimeOriginal": "circa 1900"},
        1: {"Artist": '<a href="https://www.flickr.com/people/9@N01">Ann</a>, Oslo'},
    }
    crawl(study, source(study), query(search="tree"))
    first, second = candidate(study, 0), candidate(study, 1)
    assert first["extra"]["restrictions"] == ["personality", "trademarked"]
    assert (first["author"], first["extra"]["uploader"]) == (None, "PtrQs")
    assert first["taken_at"] is None
    assert first["extra"]["date_taken"] == "circa 1900"
    assert (second["author"], second["author_id"]) == ("Ann, Oslo", "https://www.flickr.com/people/9@N01")


def test_drifting_types_and_missing_parts(study: Study, commons: FakeCommons) -> None:
    """PHP's empty lists, sizes as text, a file without an address, a page without a file, a film."""
    commons.has = 5
    commons.changes = {
        0: {"extmetadata": []},
        1: {"thumbwidth": "1280", "thumbheight": None},
        2: {"thumburl": None, "url": None},
        3: {"mediatype": "VIDEO"},
    }
    crawl(study, source(study), query(category="Trees"))
    rows = study.read("candidates")
    assert rows.rule.fillna("").tolist() == ["", "", "no_file", "not_a_photo", ""]
    assert rows.reason[3] == "Commons calls it VIDEO, not BITMAP"
    assert rows.license_id.isna().tolist() == [True, False, False, False, False]
    assert (rows.width[1], rows.height.isna()[1]) == (1280, True)


def test_a_contact_is_needed(tmp_path: Path, commons: FakeCommons) -> None:
    """Nothing is asked without one, and the sentence says where to write it."""
    nobody = create_study(tmp_path / "nobody", "test")
    with pytest.raises(InputError, match=r"set study\.contact in study\.toml"):
        crawl(nobody, source(nobody), query(search="tree"))
    assert commons.calls == []
    assert nobody.count("searches") == 0


def test_the_contact_is_in_the_user_agent(study: Study, commons: FakeCommons) -> None:
    """In the form of Wikimedia's policy: name/version (contact) library/version."""
    commons.has = 1
    crawl(study, source(study), query(search="tree"))
    agent = commons.calls[0].headers["User-Agent"]
    assert agent.startswith("photojury/")
    assert "(me@example.org) requests/" in agent


def test_lag_is_waited_for(study: Study, commons: FakeCommons) -> None:
    """Errors come with HTTP 200: maxlag is no result, and Retry-After is honoured."""
    commons.has, commons.lagging = 3, 2
    slept: list[float] = []
    assert crawl(study, source(study, slept), query(search="tree")).unique == 3
    assert [seconds >= 5 for seconds in slept] == [True, True]


@pytest.mark.parametrize("fault", ["429 html", "503", "html", "closed"])
def test_what_fails_for_a_moment(study: Study, commons: FakeCommons, fault: str) -> None:
    """The page is asked again."""
    commons.has, commons.faults = 60, [fault]
    crawled = crawl(study, source(study), query(search="tree"))
    assert (crawled.unique, crawled.calls) == (60, 3)


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (in_html(403, "Forbidden"), ServiceError, "HTTP 403.*study.contact"),
        (in_json(200, {"error": {"code": "gcminvalidcategory", "info": "The category is not valid."}}), InputError,
         "category is not valid"),
        (in_json(200, {"error": {"code": "badvalue", "info": "Unrecognized value"}}), InputError, "Unrecognized"),
        (in_json(200, {"error": {"code": "permissiondenied", "info": "No."}}), ServiceError, "permissiondenied: No"),
        (in_json(200, {"error": "odd"}), ServiceError, "no reason given"),
        (in_html(429, "Stop", {"Retry-After": "3600"}), Unfinished, "come again at"),
    ],
)  # fmt: skip
def test_refusals_are_one_sentence(
    study: Study, commons: FakeCommons, answer: Any, kind: type[Exception], sentence: str
) -> None:
    """Each of its own kind, and none asked again."""
    commons.faults = [answer]
    with pytest.raises(kind, match=sentence):
        crawl(study, source(study), query(category="Trees"))
    assert len(commons.calls) == 1


def test_a_failure_in_the_middle_costs_nothing(study: Study, commons: FakeCommons) -> None:
    """The next run sends the token that the last kept page gave."""
    first = in_json(200, commons._found({"gsrlimit": "50", "iiurlwidth": "1280"}, "gsr"))
    commons.faults = [first, in_html(403, "Forbidden")]
    with pytest.raises(ServiceError):
        crawl(study, source(study), query(search="tree"))
    assert study.count("candidates") == 50
    assert crawl(study, source(study), query(search="tree")).unique == 120
    assert [call.params.get("gsroffset") for call in commons.calls] == [None, "50", "50", "100"]


def test_a_token_that_comes_again_ends_the_search(study: Study, commons: FakeCommons) -> None:
    """No endless loop where an answer points to itself."""
    page = commons._found({"gsrlimit": "50", "iiurlwidth": "1280"}, "gsr")
    commons.faults = [in_json(200, page), in_json(200, page), in_json(200, page)]
    crawled = crawl(study, source(study), query(search="tree"))
    assert (crawled.unique, crawled.calls, crawled.finished) == (50, 2, True)


def test_what_can_be_asked() -> None:
    """Words or a category, however it is written; not both, not neither."""
    assert query(category="Category:Surfing_in_France") == {"category": "Surfing in France"}
    assert query(search="  lone   tree ") == {"search": "lone tree"}
    for wrong in ({}, {"search": "a", "category": "b"}, {"search": " "}):
        with pytest.raises(InputError, match="--query"):
            query(**wrong)
