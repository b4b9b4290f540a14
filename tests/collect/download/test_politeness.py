"""Politeness: pace, connections at once, Retry-After, rests and robots.txt, over real HTTP."""

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from photojury.collect.download.download import download
from photojury.collect.download.hosts import origin_of
from photojury.datasets import tables
from tests.collect.download.fault_server import SKEW, FaultServer
from tests.collect.download.harness import candidate, states, study_of

ONE: dict[tuple[str, str], object] = {("download", "per_host_at_once"): 1}


def good(server: FaultServer, count: int) -> list[str]:
    return [server.url(f"/good/{number}.jpg") for number in range(count)]


def test_a_host_is_asked_at_its_pace(server: FaultServer, tmp_path: Path) -> None:
    """Ten files and robots.txt at twenty a second take half a second, however many threads there are."""
    study = study_of(tmp_path / "study", good(server, 10), {("download", "per_host_per_second"): 20.0})
    began = time.monotonic()
    download(study)
    assert time.monotonic() - began >= 0.5
    assert len(server.files) == 10


def test_a_host_has_its_number_of_connections(server: FaultServer, tmp_path: Path) -> None:
    """Of eight threads three are at one host at a time, and three there are."""
    server.delay = 0.05
    study = study_of(tmp_path / "study", good(server, 12), {("download", "per_host_at_once"): 3})
    download(study)
    assert server.most_at_once == 3


def test_a_slow_host_does_not_hold_up_another(server: FaultServer, tmp_path: Path) -> None:
    """Its files are in hand first, in number, and those of the other come through all the same."""
    with FaultServer() as slow:
        slow.delay = 0.5
        urls = good(slow, 400) + good(server, 20)
        values = {**ONE, ("download", "threads"): 2}
        study = study_of(tmp_path / "study", urls, values)
        with study.writing() as connection:  # so that the slow host's are the first
            connection.execute(sa.text("UPDATE candidates SET source_id = printf('%04d', source_id)"))
        with pytest.raises(KeyboardInterrupt):
            download(study, progress=lambda done: interrupt(len(server.files) == 20))
        assert len(server.files) == 20 and len(slow.files) < 40


def interrupt(now: bool) -> None:
    if now:
        raise KeyboardInterrupt


@pytest.mark.parametrize("path", ["/429", "/429-date", "/429-skewed", "/503-later"])
def test_retry_after_is_honoured(server: FaultServer, tmp_path: Path, path: str) -> None:
    """As seconds, as a date, and as the date of a clock that is two hours ahead: five minutes for all of the host."""
    assert SKEW == 7200
    study = study_of(tmp_path / "study", [server.url(path), *good(server, 3)], ONE)
    began = time.time()
    result = download(study)
    assert server.files == [path]
    assert [state for state, _ in states(study)] == ["failed"] * 4
    for number in range(4):
        assert 298 <= candidate(study, number)["retry_at"] - began <= 305
    assert result.waiting == 4 and result.again_at
    # A host that asks for less is no failed try.
    assert [candidate(study, number)["tries"] or 0 for number in range(4)] == [0, 0, 0, 0]
    # The pause stands in the study: another process keeps to it, whatever it is told.
    download(study, retry_now=True)
    assert server.files == [path]


def test_a_busy_host_without_a_word_rests_too(server: FaultServer, tmp_path: Path) -> None:
    """429 without Retry-After: half a minute to a minute at first."""
    study = study_of(tmp_path / "study", [server.url("/429-plain"), *good(server, 3)], ONE)
    began = time.time()
    download(study)
    assert server.files == ["/429-plain"]
    assert 29 <= candidate(study, 1)["retry_at"] - began <= 62


def test_a_short_pause_is_waited_for(server: FaultServer, tmp_path: Path) -> None:
    """Within download.patience_seconds the run goes on by itself."""
    study = study_of(tmp_path / "study", good(server, 3), {("download", "patience_seconds"): 5.0})
    name = f"host:127.0.0.1:{server.port}"
    until = time.time() + 1.0
    study.add("allowances", [{"name": name, "next_at": until}])
    download(study)
    assert time.time() >= until
    assert states(study) == [("stored", None)] * 3


def test_an_ill_host_is_left_alone(server: FaultServer, tmp_path: Path) -> None:
    """After five failures in a row the rest of its files is put off; those of another host are not."""
    with FaultServer() as other:
        urls = [server.url(f"/500?{number}") for number in range(9)] + good(other, 3)
        study = study_of(tmp_path / "study", urls, ONE)
        result = download(study)
        assert len(server.files) == 5 and len(other.files) == 3
    outcomes = states(study)
    assert outcomes.count(("failed", "http_500")) == 5
    assert outcomes.count(("failed", "host_rests")) == 4
    assert outcomes[9:] == [("stored", None)] * 3
    assert result.waiting == 9


def test_tries_are_counted_and_capped(server: FaultServer, tmp_path: Path) -> None:
    """Two tries, in one run since they are near; then it is given up, until somebody wants it tried once more."""
    values: dict[tuple[str, str], object] = {
        ("download", "tries"): 2,
        ("download", "retry_seconds"): 0.1,
        ("download", "patience_seconds"): 5.0,
    }
    study = study_of(tmp_path / "study", [server.url("/503")], values)
    result = download(study)
    assert server.files == ["/503", "/503"]
    row = candidate(study)
    assert (row["state"], row["tries"], row["retry_at"]) == ("failed", 2, None)
    assert "given up after 2 tries" in row["reason"]
    assert (result.given_up, result.waiting, result.again_at) == (1, 0, None)
    download(study)
    assert len(server.files) == 2
    download(study, retry_now=True)
    assert len(server.files) == 3


def test_pauses_grow(server: FaultServer, tmp_path: Path) -> None:
    """The third pause is four times the first, half of it random."""
    study = study_of(tmp_path / "study", [server.url("/403")])
    for most in (60, 120, 240):
        began = time.time()
        download(study, retry_now=True)
        assert most / 2 <= candidate(study)["retry_at"] - began <= most + 1


def test_what_is_settled_is_never_asked_for_again(server: FaultServer, tmp_path: Path) -> None:
    """Gone, rejected, barred and stored: one request each, also with --retry-now."""
    paths = ["/404", "/410", "/page", "/noai", "/good/1.jpg"]
    study = study_of(tmp_path / "study", [server.url(path) for path in paths])
    for _ in range(2):
        download(study, retry_now=True)
    assert sorted(server.files) == sorted(paths)


def test_opt_outs_of_sources_are_never_asked_for(server: FaultServer, tmp_path: Path) -> None:
    """What a crawl barred (a tombstone, the tag no_cv) stays so."""
    study = study_of(tmp_path / "study", good(server, 2))
    with study.writing() as connection:
        connection.execute(
            sa.update(tables.candidates)
            .where(tables.candidates.c.source_id == "0")
            .values(state="barred", rule="opt_out", reason="its owner tagged it no_cv")
        )
    download(study, retry_now=True)
    assert server.files == ["/good/1.jpg"]
    assert states(study) == [("barred", "opt_out"), ("stored", None)]


def test_robots_txt_is_asked_first_and_once(server: FaultServer, tmp_path: Path) -> None:
    """What it forbids is barred without being asked for."""
    server.robots = (200, b"User-agent: *\nDisallow: /good/*3.jpg$\n")
    study = study_of(tmp_path / "study", good(server, 5))
    result = download(study)
    assert server.asked[0] == "/robots.txt" and server.asked.count("/robots.txt") == 1
    assert "/good/3.jpg" not in server.asked
    assert states(study)[3] == ("barred", "robots")
    assert result.outcomes == {"stored": {"": 4}, "barred": {"robots": 1}}


def test_robots_txt_that_cannot_be_had_forbids_all_for_now(server: FaultServer, tmp_path: Path) -> None:
    """RFC 9309, 2.3.1.4: a server error is a complete disallow."""
    server.robots = (503, b"")
    study = study_of(tmp_path / "study", good(server, 3))
    result = download(study)
    assert server.asked == ["/robots.txt"]
    assert states(study) == [("failed", "http_503")] * 3
    assert result.waiting == 3


def test_a_missing_robots_txt_allows_all(server: FaultServer, tmp_path: Path) -> None:
    """RFC 9309, 2.3.1.3: also where it may not be read."""
    server.robots = (403, b"User-agent: *\nDisallow: /")
    study = study_of(tmp_path / "study", good(server, 1))
    download(study)
    assert states(study) == [("stored", None)]


def test_where_a_redirect_leads_to_has_its_own_robots_txt(server: FaultServer, tmp_path: Path) -> None:
    """And its own pace: the file is queued there like any other."""
    with FaultServer() as other:
        other.robots = (200, b"User-agent: photojury\nDisallow: /good/")
        server.redirect = other.url("/good/1.jpg")
        study = study_of(tmp_path / "study", [server.url("/elsewhere")])
        download(study)
        assert other.asked == ["/robots.txt"]
    assert states(study) == [("barred", "robots")]


def test_one_spelling_of_an_origin() -> None:
    """Case, default port and a last dot make no other host; scheme and port do."""
    same = ["http://a.org/x", "HTTP://A.ORG:80/y", "http://a.org./z"]
    assert {origin_of(url) for url in same} == {"http://a.org"}
    assert origin_of("https://a.org:8443/x") == "https://a.org:8443"
    assert origin_of("http://[2606:4700::1]:8080/") == "http://[2606:4700::1]:8080"
