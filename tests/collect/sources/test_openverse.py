"""Openverse, against a fake that speaks HTTP."""

import json
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from photojury.collect.sources.crawl import crawl
from photojury.collect.sources.openverse import Openverse, finding, query
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, ServiceError, Unfinished
from tests.collect.sources.fake_openverse import CLIENT, SECRET, FakeOpenverse
from tests.collect.sources.fake_service import in_json


@pytest.fixture
def openverse(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenverse]:
    # Politeness between calls is the pace's, which has its own tests.
    monkeypatch.setattr("photojury.collect.courtesy.pace.Pace.take", lambda pace: None)
    with FakeOpenverse() as openverse:
        for name, value in openverse.environment.items():
            monkeypatch.setenv(name, value)
        for name in ("OPENVERSE_CLIENT_ID", "OPENVERSE_CLIENT_SECRET"):
            monkeypatch.delenv(name, raising=False)
        yield openverse


@pytest.fixture
def study(tmp_path: Path, openverse: FakeOpenverse) -> Study:
    return create_study(tmp_path / "study", "test")


def source(study: Study) -> Openverse:
    return Openverse(study, sleep=lambda seconds: None)


def with_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENVERSE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("OPENVERSE_CLIENT_SECRET", SECRET)


def test_a_query_gives_its_best_240(study: Study, openverse: FakeOpenverse) -> None:
    """Twelve calls of twenty, and none past the depth; the slice says that there is more."""
    crawled = crawl(study, source(study), query("tree"))
    assert (crawled.unique, crawled.calls, crawled.reported, crawled.finished) == (240, 12, 1000, True)
    assert study.read("slices").state.tolist() == ["full"]
    assert {call.params["page_size"] for call in openverse.calls} == {"20"}
    assert [call.params["page"] for call in openverse.calls] == [str(page) for page in range(1, 13)]
    assert {call.params["category"] + call.params["mature"] for call in openverse.calls} == {
        "photographfalse"
    }


@pytest.mark.parametrize(
    ("has", "calls", "state"), [(0, 1, "done"), (20, 1, "done"), (45, 3, "done"), (240, 12, "done")]
)
def test_a_small_query_ends_early(
    study: Study, openverse: FakeOpenverse, has: int, calls: int, state: str
) -> None:
    """No page is asked for that is not there."""
    openverse.has = has
    crawled = crawl(study, source(study), query("tree"))
    assert (crawled.unique, crawled.calls, study.read("slices").state.tolist()) == (has, calls, [state])


def test_a_client_takes_three_calls(
    study: Study, openverse: FakeOpenverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a token pages hold eighty, and the depth is the same."""
    with_client(monkeypatch)
    crawled = crawl(study, source(study), query("tree"))
    assert (crawled.unique, crawled.calls, openverse.tokens) == (240, 4, 1)  # one of them for the token
    assert openverse.calls[0].params["grant_type"] == "client_credentials"
    assert openverse.calls[1].headers["Authorization"] == "Bearer token-1"


def test_a_token_that_ends_is_replaced(
    study: Study, openverse: FakeOpenverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens end after hours; the page is asked again with a new one."""
    with_client(monkeypatch)
    used = source(study)
    crawl(study, used, query("tree"), limit=80)
    openverse.tokens = 7
    assert crawl(study, used, query("tree")).unique == 240
    assert openverse.tokens == 8


def test_a_client_may_come_between_two_runs(
    study: Study, openverse: FakeOpenverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked in twenties goes on in eighties, and nothing is left out."""
    openverse.has = 170
    crawl(study, source(study), query("tree"), limit=100)
    with_client(monkeypatch)
    crawled = crawl(study, source(study), query("tree"))
    assert (crawled.unique, crawled.finished) == (170, True)


def test_a_wrong_client_is_said_without_its_secret(
    study: Study, openverse: FakeOpenverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, nothing asked but the token; one variable alone is a mistake, too."""
    with_client(monkeypatch)
    monkeypatch.setenv("OPENVERSE_CLIENT_SECRET", wrong := "wr0ng/secret")
    with pytest.raises(
        ServiceError, match="does not take OPENVERSE_CLIENT_ID and OPENVERSE_CLIENT_SECRET"
    ) as caught:
        crawl(study, source(study), query("tree"))
    assert wrong not in "".join(traceback.format_exception(caught.value))
    assert len(openverse.calls) == 1
    monkeypatch.delenv("OPENVERSE_CLIENT_SECRET")
    with pytest.raises(ServiceError, match="set both"):
        source(study)


def test_everything_attribution_needs_is_kept(shared: Path) -> None:
    """The fixture's tree."""
    answer = json.loads((shared / "fixtures/image_search/openverse_image_search.json").read_text())
    found = finding(answer["results"][0])
    assert found is not None
    assert found.source_id == "4bc43a04-ef46-4544-a0c1-63c63f56e276"
    assert found.file_url == "https://cdn.stocksnap.io/img-thumbs/960w/XNVBVXO3B7.jpg"
    assert found.page_url == "https://stocksnap.io/photo/XNVBVXO3B7"
    assert (found.title, found.author) == ("Tree Bark Photo", "Tim Sullivan")
    assert found.author_url == "https://www.secretagencygroup.com"
    assert found.license_id == "cc0-1.0"
    assert found.license_url == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert found.attribution is not None
    assert found.attribution.startswith('"Tree Bark Photo" by Tim Sullivan is marked with CC0 1.0.')
    assert (found.width, found.height, found.tags) == (6016, 4016, ("tree",))
    assert found.extra["provider"] == "stocksnap"
    assert found.extra["foreign_landing_url"] == "https://stocksnap.io/photo/XNVBVXO3B7"
    assert (found.views, found.favs) == (None, None)


def test_the_fake_is_like_the_fixture(shared: Path) -> None:
    """The fake's answers have the parts of the real one."""
    real = json.loads((shared / "fixtures/image_search/openverse_image_search.json").read_text())
    fake = FakeOpenverse()._found({"q": "tree"}, 1, 20)
    assert fake.keys() == real.keys()
    assert fake["results"][0].keys() == real["results"][0].keys()


def test_drifting_types_and_missing_parts(study: Study, openverse: FakeOpenverse) -> None:
    """Text is read as numbers, what is missing is null, what is sensitive or has no file is rejected."""
    openverse.drift, openverse.has = True, 20
    crawled = crawl(study, source(study), query("tree"))
    assert (crawled.unique, crawled.reported) == (20, 20)
    rows = study.read("candidates")
    assert rows.rule.value_counts().to_dict() == {"no_file": 4, "sensitive": 4}
    assert (rows.state == "found").sum() == 12
    assert rows.height.tolist() == [4016] * 20
    assert rows.width.isna().all()
    # A licence without its address is known by its word and version.
    assert "cc-by-2.0" in set(rows[rows.license_url.isna()].license_id)


def test_licences_are_asked_by_our_names(study: Study, openverse: FakeOpenverse) -> None:
    """Names become Openverse's slugs, and what comes has names of ours with versions."""
    openverse.has = 10
    crawl(
        study,
        source(study),
        query("tree", licenses=["public-domain", "by-sa"], sources=["flickr"], size="large"),
    )
    asked = openverse.calls[0].params
    assert (asked["license"], asked["source"], asked["size"]) == ("by-sa,cc0,pdm", "flickr", "large")
    assert set(study.read("candidates").license_id) == {"cc-by-sa-2.0", "cc0-1.0", "pdm-1.0"}


def test_what_cannot_be_asked() -> None:
    """No keyword is a copy of the catalogue; unknown names are answered with those there are."""
    with pytest.raises(InputError, match="terms forbid"):
        query(" ")
    with pytest.raises(InputError, match=r"unknown licence of Openverse 'cc-by-4\.0'"):
        query("tree", licenses=["cc-by-4.0"])
    with pytest.raises(InputError, match="Did you mean commercial"):
        query("tree", license_type="comercial")
    with pytest.raises(InputError, match="unknown size"):
        query("tree", size="huge")


def test_the_anonymous_hour(study: Study, openverse: FakeOpenverse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five calls an hour are made, the sixth is not, whoever asks; what came is kept and told."""
    monkeypatch.setenv("PHOTOJURY_OPENVERSE_CALLS_PER_HOUR", "5")
    limited = create_study(study.folder / "limited", "test")
    with pytest.raises(Unfinished, match="Openverse without a client this hour gives no more calls until"):
        crawl(limited, source(limited), query("tree"))
    with pytest.raises(Unfinished):
        crawl(limited, source(limited), query("river"))
    assert (len(openverse.calls), limited.count("candidates")) == (5, 100)


def test_openverse_s_own_limits_are_respected(study: Study, openverse: FakeOpenverse) -> None:
    """Where its headers say that nothing is left, nothing is asked, though our settings would allow it."""
    openverse.per_hour = 3
    used = source(study)
    with pytest.raises(Unfinished, match="no more calls until"):
        crawl(study, used, query("tree"))
    assert used.left() == "0 calls left (anon_burst)"
    assert (len(openverse.calls), study.count("candidates")) == (3, 60)


def test_a_429_says_when_to_come_again(study: Study, openverse: FakeOpenverse) -> None:
    """Somebody else behind the same address has used the hour up: no second try, and the time is told."""
    openverse.per_hour = 0
    with pytest.raises(Unfinished, match="Openverse asks to come again at"):
        crawl(study, source(study), query("tree"))
    assert len(openverse.calls) == 1


def test_a_429_with_html_is_asked_again(study: Study, openverse: FakeOpenverse) -> None:
    """A proxy's page with a short Retry-After."""
    openverse.has, openverse.faults = 30, ["429 html", "503"]
    crawled = crawl(study, source(study), query("tree"))
    assert (crawled.unique, crawled.calls) == (30, 4)


def test_a_failure_in_the_middle_costs_nothing(study: Study, openverse: FakeOpenverse) -> None:
    """Two pages are kept, and the next run goes on with the third."""
    page = [in_json(200, openverse._found({"q": "tree"}, number, 20)) for number in (1, 2)]
    openverse.faults = [*page, in_json(403, {"detail": "Forbidden for now."})]
    with pytest.raises(ServiceError, match="HTTP 403: Forbidden for now"):
        crawl(study, source(study), query("tree"))
    assert study.count("candidates") == 40
    assert crawl(study, source(study), query("tree")).unique == 240
    assert [call.params["page"] for call in openverse.calls[:5]] == ["1", "2", "3", "3", "4"]


def test_a_refused_question_is_the_user_s(study: Study, openverse: FakeOpenverse) -> None:
    """A 400 with what Openverse says about it."""
    openverse.faults = [in_json(400, {"detail": {"source": ["Invalid source 'flick'"]}})]
    with pytest.raises(InputError, match="Invalid source 'flick'"):
        crawl(study, source(study), query("tree", sources=["flick"]))


def test_a_page_past_the_last_is_the_end(study: Study, openverse: FakeOpenverse) -> None:
    """Results may become fewer between two pages."""
    openverse.faults = [in_json(200, openverse._found({"q": "tree"}, 1, 20))]
    openverse.has = 20
    crawled = crawl(study, source(study), query("tree"))
    assert (crawled.unique, crawled.calls, crawled.finished) == (20, 2, True)


def test_a_second_between_calls(
    study: Study, openverse: FakeOpenverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pace that the other tests switch off is asked before every call."""
    taken: list[float] = []
    monkeypatch.setattr("photojury.collect.courtesy.pace.Pace.take", lambda pace: taken.append(time.time()))
    openverse.has = 60
    assert crawl(study, source(study), query("tree")).calls == len(taken) == 3
