"""Downloading: what is downloaded, how far, and that an interruption loses nothing."""

import threading
from pathlib import Path

import pytest

from photojury.collect.download.download import download
from tests.collect.download.fault_server import FaultServer
from tests.collect.download.harness import candidate, states, study_of


def good(server: FaultServer, count: int) -> list[str]:
    return [server.url(f"/good/{number}.jpg") for number in range(count)]


def test_images_know_what_their_candidates_knew(server: FaultServer, tmp_path: Path) -> None:
    """Licence, author and address are the candidate's; sides, format and hash are the file's."""
    study = study_of(tmp_path / "study", [])
    told = {
        "source": "urls", "source_id": "7", "file_url": server.url("/good/7.jpg"), "title": "Seven",
        "page_url": "https://example.org/7", "author": "Ann", "author_id": "a1", "license_id": "cc-by-4.0",
        "license_url": "https://creativecommons.org/licenses/by/4.0/", "taken_at": 1e9,
    }  # fmt: skip
    study.add("candidates", [{**told, "state": "found", "seen_at": 0.0, "width": 9999, "height": 1}])
    download(study)
    image = study.read("images").iloc[0]
    assert {name: image[name] for name in told} == told
    assert (image["width"], image["height"], image["format"], image["status"]) == (320, 240, "jpeg", "kept")
    assert len(image["phash"]) == 16
    checks = study.read("checks")
    assert len(checks) > 3 and set(checks["verdict"]) == {"unjudged"}
    assert candidate(study, 7)["image_id"] == image["image_id"]


def test_limit_and_source(server: FaultServer, tmp_path: Path) -> None:
    """So many, of that source; the rest is left as found."""
    study = study_of(tmp_path / "study", good(server, 6))
    other = {"source": "commons", "source_id": "x", "state": "found", "seen_at": 0.0}
    study.add("candidates", [{**other, "file_url": server.url("/good/x.jpg")}])
    result = download(study, source="urls", limit=4)
    assert result.outcomes == {"stored": {"": 4}}
    assert (result.found, result.again_at) == (2, None)
    result = download(study, source="urls")
    assert result.outcomes == {"stored": {"": 2}}
    assert "/good/x.jpg" not in server.asked


def test_same_bytes_of_two_addresses_are_stored_once(server: FaultServer, tmp_path: Path) -> None:
    """The second is a duplicate of the first, and knows its image."""
    study = study_of(tmp_path / "study", [server.url("/same?1"), server.url("/same?2")])
    result = download(study)
    assert result.outcomes == {"stored": {"": 1}, "duplicate": {"exact_duplicate": 1}}
    assert study.count("images") == 1
    assert candidate(study, 0)["image_id"] == candidate(study, 1)["image_id"]


def test_nothing_to_do(tmp_path: Path) -> None:
    """Is done at once."""
    result = download(study_of(tmp_path / "study", []))
    assert (result.outcomes, result.waiting, result.again_at) == ({}, 0, None)


def test_ctrl_c_loses_nothing(server: FaultServer, tmp_path: Path) -> None:
    """What was done is kept, what was not is free, no thread is left, and the next run asks for nothing twice."""
    server.delay = 0.01
    study = study_of(tmp_path / "study", good(server, 60), {("download", "per_host_at_once"): 2})

    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(study, progress=interrupt)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("download ")]
    kept = sum(state == "stored" for state, _ in states(study))
    assert 0 < kept == study.count("images")
    assert study.count("processes") == 0  # so that nothing is claimed
    download(study)
    assert states(study) == [("stored", None)] * 60
    assert len(server.files) == 60


def test_progress_is_told(server: FaultServer, tmp_path: Path) -> None:
    """The number done so far, up to all of them."""
    told: list[int] = []
    download(study_of(tmp_path / "study", good(server, 5)), progress=told.append)
    assert told == sorted(told) and told[-1] == 5


def test_tombstones_win(server: FaultServer, tmp_path: Path) -> None:
    """A picture that was buried by its bytes is not stored again, wherever it turns up."""
    study = study_of(tmp_path / "study", good(server, 1))
    download(study)
    image = candidate(study)["image_id"]
    other = study_of(tmp_path / "other", good(server, 1))
    other.add("tombstones", [{"key": f"sha256:{image}", "reason": "its author asked for it", "made_at": 0.0}])
    download(other)
    assert states(other) == [("barred", "tombstone")]
    assert not list(other.images_folder.rglob("*.jpg"))
