"""Google's image search and its keyword planner, against a fake that speaks HTTP."""

import dataclasses
import doctest
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from photojury.collect.sources import keywords as planner
from photojury.collect.sources.crawl import crawl
from photojury.collect.sources.google import Google, days_left, finding, query
from photojury.datasets import tables
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, ServiceError, Unfinished
from photojury.sections import GoogleSection
from tests.collect.sources import fake_google
from tests.collect.sources.fake_google import ENGINE, KEY, FakeGoogle
from tests.collect.sources.fake_service import in_json

NOON = datetime(2026, 11, 24, 20, tzinfo=UTC).timestamp()  # noon in California


class Clock:
    """A clock that stands, or is moved by who sleeps."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    with FakeGoogle() as google:
        for name, value in google.environment.items():
            monkeypatch.setenv(name, value)
        yield google


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "test")


def source(study: Study, clock: Clock | None = None) -> Google:
    clock = clock or Clock()
    return Google(study, clock=clock, sleep=clock.sleep)


def test_a_keyword_gives_a_hundred(study: Study, google: FakeGoogle) -> None:
    """Ten calls of ten; the eleventh, which Google refuses, is not made; the slice says that there may be more."""
    crawled = crawl(study, source(study), query("Messi shot"))
    assert (crawled.unique, crawled.calls, crawled.finished) == (100, 10, True)
    assert [call.params["start"] for call in google.calls] == [str(n) for n in range(1, 100, 10)]
    assert study.read("slices").state.tolist() == ["full"]
    assert {call.params["searchType"] + call.params["imgType"] for call in google.calls} == {"imagephoto"}


@pytest.mark.parametrize(("has", "calls"), [(0, 1), (7, 1), (10, 1), (23, 3)])
def test_a_rare_keyword_ends_early(study: Study, google: FakeGoogle, has: int, calls: int) -> None:
    """Where there is no next page, none is asked for."""
    google.has["rare"] = has
    crawled = crawl(study, source(study), query("rare"))
    assert (crawled.unique, crawled.calls, crawled.finished) == (has, calls, True)
    assert study.read("slices").state.tolist() == ["done"]


def test_a_promised_page_that_is_none_ends_the_keyword(study: Study, google: FakeGoogle) -> None:
    """Google promises next pages that it then calls an invalid value; that is an end, not a failure."""
    google.faults += [in_json(200, google._found("x", 1, 10)), in_json(400, fake_google.INVALID)]
    crawled = crawl(study, source(study), query("x"))
    assert (crawled.unique, crawled.calls, crawled.finished) == (10, 2, True)


def test_everything_an_item_says_is_kept(study: Study, shared: Path) -> None:
    """The fixture's cat: address, page, title, snippet and size; no licence, as Google tells none."""
    answer = json.loads((shared / "fixtures/image_search/google_cse_image_2020.json").read_text())
    found = finding(answer["items"][0], "cc_attribute")
    assert found is not None
    url = "https://media.wired.com/photos/5e1e646743940d0008009167/4:3/w_2043,h_1532,c_limit/Science_Cats-84873657.jpg"
    assert (found.source_id, found.file_url) == (url, url)
    assert found.page_url == "https://www.wired.com/story/cats-australia-bushfires/"
    assert (found.width, found.height) == (2043, 1532)
    assert found.title == "Cats Are Making Australia's Bushfire Tragedy Even Worse | WIRED"
    assert (found.license_id, found.license_url, found.author, found.problem) == (None, None, None, None)
    assert found.extra == {
        "mime": "image/jpeg",
        "bytes": 1063166,
        "site": "www.wired.com",
        "rights_filter": "cc_attribute",
    }


def test_the_fake_is_like_the_fixtures(shared: Path) -> None:
    """The fake's items and errors have the parts of the real ones."""
    folder = shared / "fixtures/image_search"
    real = json.loads((folder / "google_cse_image_2020.json").read_text())
    fake = FakeGoogle()._found("cats", 1, 10)
    assert real.keys() <= fake.keys()
    assert fake["items"][0].keys() == real["items"][0].keys()
    assert fake["items"][0]["image"].keys() == real["items"][0]["image"].keys()
    assert fake["queries"]["nextPage"][0]["startIndex"] == real["queries"]["nextPage"][0]["startIndex"]
    errors = json.loads((folder / "google_cse_errors.json").read_text())
    assert errors == {"closed_to_new_customers": fake_google.CLOSED, "quota_day": fake_google.QUOTA_DAY}


def test_drifting_types_and_missing_parts(study: Study, google: FakeGoogle) -> None:
    """Numbers as text are read, absent parts are null, and what is no web address is rejected with the reason."""
    google.drift, google.has["x"] = True, 20
    crawled = crawl(study, source(study), query("x"))
    assert (crawled.rows, crawled.unique) == (20, 19)  # the raw image's address comes twice
    rows = study.read("candidates").set_index("source_id")
    raw = rows.loc["x-raw-image:///0123abc"]
    assert (raw.state, raw.rule) == ("rejected", "bad_url")
    assert (rows.state == "found").sum() == 18
    assert rows.height.dropna().unique().tolist() == [1532]
    assert rows.width.isna().all()
    assert rows.title.isna().sum() == 5  # every fourth of twenty
    assert rows.license_id.isna().all()


def test_a_rights_filter_is_sent_and_noted(study: Study, google: FakeGoogle) -> None:
    """It is asked for in one order, and stands beside every picture, but is no licence."""
    google.has["x"] = 3
    crawl(study, source(study), query("x", ["cc_sharealike", "cc_attribute"]))
    assert google.calls[0].params["rights"] == "cc_attribute|cc_sharealike"
    rows = study.read("candidates")
    assert {json.loads(text)["rights_filter"] for text in rows.extra} == {"cc_attribute|cc_sharealike"}
    assert rows.license_id.isna().all()
    with pytest.raises(InputError, match="unknown rights filter 'cc_by'"):
        query("x", ["cc_by"])
    with pytest.raises(InputError, match="keyword for Google is empty"):
        query("  ")


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (403, fake_google.CLOSED, "closed this API to new customers.*openverse"),
        (400, fake_google.BAD_KEY, "does not take the key in GOOGLE_API_KEY"),
        (400, {"error": {"code": 400, "message": "API key expired. Please renew the API key."}}, "GOOGLE_API_KEY"),
        (403, {"error": {"code": 403, "errors": [{"reason": "keyInvalid"}], "message": "Bad"}}, "GOOGLE_API_KEY"),
        (400, {"error": {"code": 400, "message": "Request contains an invalid argument."}}, "GOOGLE_CSE_ID"),
        (404, {"error": "odd"}, "HTTP 404: no reason given"),
        (403, {"error": {"message": f"key {KEY} of engine {ENGINE} is bad"}}, r"key \(key\) of engine \(key\) is bad"),
    ],
)  # fmt: skip
def test_refusals_are_one_sentence(
    study: Study, google: FakeGoogle, status: int, body: dict[str, object], sentence: str
) -> None:
    """Each says what to do, none is asked again, and none holds a key."""
    google.faults += [in_json(status, body)]
    with pytest.raises(ServiceError, match=sentence) as caught:
        crawl(study, source(study), query("x"))
    assert KEY not in str(caught.value)
    assert len(google.calls) == 1


def test_a_key_that_expires_on_the_way(study: Study, google: FakeGoogle) -> None:
    """What was found is kept; with a new key the same command goes on with the next page."""
    first = in_json(200, google._found("x", 1, 10))
    google.faults += [first, in_json(400, fake_google.BAD_KEY)]
    with pytest.raises(ServiceError, match="GOOGLE_API_KEY"):
        crawl(study, source(study), query("x"))
    assert study.count("candidates") == 10
    assert crawl(study, source(study), query("x")).unique == 100
    assert [call.params["start"] for call in google.calls][:4] == ["1", "11", "11", "21"]


def test_missing_keys_are_named(study: Study, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked."""
    monkeypatch.delenv("GOOGLE_CSE_ID")
    with pytest.raises(ServiceError, match="set GOOGLE_CSE_ID in the environment"):
        crawl(study, source(study), query("x"))
    monkeypatch.delenv("GOOGLE_API_KEY")
    with pytest.raises(ServiceError, match="set GOOGLE_API_KEY and GOOGLE_CSE_ID"):
        crawl(study, source(study), query("x"))
    assert google.calls == []


def limited(study: Study, per_day: int) -> Study:
    section = dataclasses.replace(study.settings.google, calls_per_day=per_day)
    return dataclasses.replace(study, settings=dataclasses.replace(study.settings, google=section))


def test_the_day_s_calls_are_counted(study: Study, google: FakeGoogle) -> None:
    """Of twelve calls a day, ten go to one keyword and two to the next, which goes on the day after, in California."""
    clock, study = Clock(), limited(study, 12)
    crawl(study, source(study, clock), query("a"))
    with pytest.raises(Unfinished, match="google gives no more calls until 2026-11-2"):
        crawl(study, source(study, clock), query("b"))
    assert (len(google.calls), source(study, clock).left()) == (12, "0 of today's 12 calls are left")
    clock.now += 11.9 * 3600
    with pytest.raises(Unfinished):
        crawl(study, source(study, clock), query("b"))
    clock.now += 0.1 * 3600
    assert crawl(study, source(study, clock), query("b")).calls == 8
    assert len(google.calls) == 20


def test_google_s_own_count_has_the_last_word(study: Study, google: FakeGoogle) -> None:
    """A 429 for the day ends the run without another try, and no process asks before the day is over."""
    google.per_day = 3
    clock = Clock()
    with pytest.raises(Unfinished, match="no more calls until"):
        crawl(study, source(study, clock), query("a"))
    with pytest.raises(Unfinished, match="no more calls until"):
        crawl(study, source(study, clock), query("b"))
    assert (len(google.calls), study.count("candidates")) == (4, 30)


def test_a_used_up_minute_is_waited_for(study: Study, google: FakeGoogle) -> None:
    """A limit per minute is asked again a minute later."""
    google.has["a"] = 5
    google.faults += [
        in_json(403, {"error": {"message": "Rate", "errors": [{"reason": "rateLimitExceeded"}]}})
    ]
    clock = Clock()
    assert crawl(study, source(study, clock), query("a")).unique == 5
    assert clock.now >= NOON + 60


def test_no_key_enters_the_store(study: Study, google: FakeGoogle) -> None:
    """Not a byte of either key in the database, after finds, failures and retries."""
    google.has["x"] = 15
    google.faults += [
        "503",
        "html",
        in_json(200, google._found("x", 1, 10)),
        in_json(403, fake_google.CLOSED),
    ]
    with pytest.raises(ServiceError):
        crawl(study, source(study), query("x"))
    crawl(study, source(study), query("x"))
    study.close()
    with sqlite3.connect(study.folder / "study.db") as database:
        dump = "\n".join(database.iterdump())
    assert "shared-3" in dump
    assert KEY not in dump
    assert ENGINE not in dump


@pytest.mark.parametrize(
    ("date", "days"),
    [("2026-11-24T12:00", 38), ("2026-12-31T23:59", 1), ("2027-01-01T00:00", 0), ("2030-06-01", 0)],
)
def test_days_until_the_end(date: str, days: int) -> None:
    """Counted to the first moment of 2027."""
    assert days_left(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()) == days


def test_from_2027_on_nothing_is_asked(study: Study, google: FakeGoogle) -> None:
    """A new search and one that was begun both say that the API has ended, and what to use instead."""
    google.faults += [in_json(200, google._found("x", 1, 10)), in_json(403, fake_google.CLOSED)]
    with pytest.raises(ServiceError):
        crawl(study, source(study), query("x"))
    asked = len(google.calls)
    for keyword in ("x", "y"):
        with pytest.raises(
            ServiceError, match="ended on 2027-01-01; use photojury collect openverse"
        ) as caught:
            crawl(study, source(study, Clock(datetime(2027, 1, 1, tzinfo=UTC).timestamp())), query(keyword))
        assert caught.value.exit_code == 5
    assert len(google.calls) == asked


# ---- the planner ----


def test_the_planner_s_examples_hold() -> None:
    """Paper 1's own examples, and the facts' 1,200 calls: twelve days free, or about six dollars."""
    assert doctest.testmod(planner).failed == 0


def test_keywords_are_asked_once() -> None:
    """Spaces and case make no other keyword; subjects or actions alone are asked as they are; empty words are none."""
    section = GoogleSection(
        subjects=("Messi", "messi ", ""), actions=("shot  on goal",), names=("Messi SHOT on goal",)
    )
    assert planner.keywords(section) == ["Messi shot on goal"]
    assert planner.keywords(GoogleSection(subjects=("a", "b"))) == ["a", "b"]
    assert planner.keywords(GoogleSection(actions=("jump",), names=("c",))) == ["jump", "c"]
    assert planner.keywords(GoogleSection()) == []


def test_a_plan_counts_what_is_left(study: Study, google: FakeGoogle) -> None:
    """Of three keywords one is finished and one half asked: ten calls and seven are left."""
    google.has["a"] = 20
    crawl(study, source(study), query("a"))
    crawl(study, source(study), query("b"), limit=25)
    plan = planner.plan(study, [query("a"), query("b"), query("c")])
    assert plan == planner.Plan(("a", "b", "c"), calls=17, days=1, dollars=0.0)


def test_a_new_keyword_costs_only_its_own_calls(study: Study, google: FakeGoogle) -> None:
    """What was asked before is not asked again when study.toml grows."""
    for keyword in ("a", "b"):
        crawl(study, source(study), query(keyword))
    with study.engine.connect() as connection:
        names = connection.execute(sa.select(tables.searches.c.query)).scalars().all()
    assert {json.loads(name)["q"] for name in names} == {"a", "b"}
    assert len(google.calls) == 20
    for keyword in ("a", "b"):
        crawl(study, source(study), query(keyword))
    assert len(google.calls) == 20
