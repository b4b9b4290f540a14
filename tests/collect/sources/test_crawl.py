"""Crawling any source: what is kept, counted and asked again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from photojury.collect.sources.crawl import crawl
from photojury.collect.sources.source import (
    SOURCES,
    Finding,
    Onward,
    Page,
    Query,
    Slice,
    candidate_row,
    go_on,
    open_source,
)
from photojury.datasets import tombstones
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, ServiceError


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "test")


def found(*names: str) -> list[Finding]:
    return [Finding(name, f"http://example.org/{name}.jpg") for name in names]


@dataclass
class Shelf:
    """A source with the given pages, by slice; it keeps a log and fails where told."""

    pages: Mapping[str, list[list[Finding]]]
    fail_at: int | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    name: str = "shelf"

    def slices(self, query: Query, now: float) -> list[str]:
        return list(self.pages)

    def fetch(self, query: Query, part: Slice) -> Page:
        if self.fail_at == len(self.asked):
            raise ServiceError("the shelf fell down")
        self.asked.append((part.key, part.cursor))
        number = int(part.cursor or 0)
        pages = self.pages[part.key]
        more = str(number + 1) if number + 1 < len(pages) else None
        return Page(pages[number], more, reported=sum(map(len, pages)))

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        return go_on(page, new)


def test_everything_is_found_once(study: Study) -> None:
    """Repeats within a page, between pages and between slices are one candidate; the counts tell them."""
    shelf = Shelf({"a": [found("1", "2", "2"), found("2", "3")], "b": [found("3", "4")]})
    crawled = crawl(study, shelf, {"q": "x"})
    assert (crawled.new, crawled.unique, crawled.rows, crawled.calls, crawled.finished) == (4, 4, 7, 3, True)
    assert sorted(study.read("candidates").source_id) == ["1", "2", "3", "4"]
    slices = study.read("slices").set_index("slice")
    assert list(slices.loc["a", ["reported", "rows", "unique", "new", "calls"]]) == [5, 5, 3, 3, 2]
    assert list(slices.loc["b", ["reported", "rows", "unique", "new", "calls"]]) == [2, 2, 2, 1, 1]


def test_a_slice_stops_where_nothing_new_comes(study: Study) -> None:
    """A source that repeats its last page for ever is asked for it once."""
    shelf = Shelf({"a": [found("1"), found("1"), found("1"), found("1")]})
    assert crawl(study, shelf, {}).calls == 2


def test_a_failure_keeps_what_came_and_the_next_run_goes_on(study: Study) -> None:
    """No page is asked for twice, whether the source failed in the first slice or in the second."""
    shelf = Shelf({"a": [found("1"), found("2")], "b": [found("3")]}, fail_at=1)
    for fail_at in (1, 2, None):
        shelf.fail_at = fail_at
        if fail_at is None:
            assert crawl(study, shelf, {}).finished
        else:
            with pytest.raises(ServiceError, match="fell down"):
                crawl(study, shelf, {})
            assert study.count("candidates") == fail_at
    assert shelf.asked == [("a", None), ("a", "1"), ("b", None)]


def test_a_finished_search_is_not_asked_again_unless_told(study: Study) -> None:
    """The same query is the same search; `again` makes another, which knows what the study has."""
    shelf = Shelf({"a": [found("1")]})
    first = crawl(study, shelf, {"q": 1})
    assert crawl(study, shelf, {"q": 1}).calls == 0
    shelf.pages = {"a": [found("1", "2")]}
    second = crawl(study, shelf, {"q": 1}, again=True)
    assert second.search_id != first.search_id
    assert (second.new, second.unique) == (1, 2)


def test_a_limit_stops_and_a_higher_one_goes_on(study: Study) -> None:
    """The limit counts different pictures of the search."""
    shelf = Shelf({"a": [found("1", "2"), found("3", "4"), found("5")]})
    assert crawl(study, shelf, {}, limit=3).unique == 4
    assert crawl(study, shelf, {}, limit=3).calls == 0
    last = crawl(study, shelf, {}, limit=9)
    assert (last.unique, last.finished, len(shelf.asked)) == (5, True, 3)


def test_a_cut_slice_gives_way_to_its_parts(study: Study) -> None:
    """What a slice is cut into is asked for, and it is not asked again."""

    class Cutting(Shelf):
        def slices(self, query: Query, now: float) -> list[str]:
            return ["whole"]

        def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
            return Onward("cut", slices=("left", "right")) if part.key == "whole" else go_on(page, new)

    shelf = Cutting({"whole": [found("1"), found("9")], "left": [found("1")], "right": [found("2")]})
    crawled = crawl(study, shelf, {})
    assert (crawled.unique, crawled.reported) == (2, 2)  # as the whole said, not as its parts repeat
    assert [key for key, _ in shelf.asked] == ["whole", "left", "right"]


def test_tombstones_and_opt_outs_bar(study: Study) -> None:
    """A picture or an author with a tombstone, and whoever asks not to be used, is noted and never fetched."""
    with study.writing() as connection:
        tombstones.bury(connection, ["shelf:1", "shelf:author:eve"], "asked us to")
    page = [
        Finding("1", "http://example.org/1.jpg"),
        Finding("2", "http://example.org/2.jpg", author_id="eve"),
        Finding("3", "http://example.org/3.jpg", opt_out="it is tagged no_cv"),
        Finding("4", None),
        Finding("5", "http://example.org/5.jpg", author_id="adam"),
    ]
    crawl(study, Shelf({"a": [page]}), {})
    states = study.read("candidates").set_index("source_id")
    assert states.state.tolist() == ["barred", "barred", "barred", "rejected", "found"]
    assert states.rule.tolist()[:4] == ["tombstone", "tombstone", "opt_out", "no_file"]
    assert states.reason["2"] == "asked us to"


def test_counters_are_kept_where_they_are_known(study: Study) -> None:
    """Unknown is null and never 0; a picture without any counter has no observation."""
    page = [Finding("1", "u", views=7), Finding("2", "u", favs=0), Finding("3", "u")]
    crawl(study, Shelf({"a": [page]}), {})
    rows = study.read("observations").set_index("source_id")
    assert list(rows.index) == ["1", "2"]
    assert rows.views["1"] == 7
    assert rows.favs.isna().tolist() == [True, False]


def test_odd_text_can_be_stored(study: Study) -> None:
    """NUL and halves of surrogate pairs are dropped; everything else, of whatever script, is kept."""
    title = "naïve \u202eRTL\u202c 風景\x00 \ud800 &amp; <b>"
    row = candidate_row(Finding("1", "u", title=title, tags=("a b", "風"), extra={"n": 1}))
    assert row["title"] == "naïve \u202eRTL\u202c 風景  &amp; <b>"
    assert json.loads(str(row["tags"])) == ["a b", "風"]
    crawl(study, Shelf({"a": [[Finding("1", "u", title=title)]]}), {})


def test_sources_are_named() -> None:
    """An unknown source is answered with those there are."""
    with pytest.raises(InputError, match="unknown source 'flicker'") as error:
        open_source("flicker", None)  # type: ignore[arg-type]
    assert "Did you mean flickr?" in str(error.value)
    assert {"flickr", "google", "openverse", "commons", "urls"} <= set(SOURCES)
