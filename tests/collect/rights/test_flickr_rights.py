"""The standing of Flickr's photos, over HTTP against a fake Flickr, from the command to the tombstone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from photojury.collect.commands.rights import refresh
from photojury.datasets.images import image_id, image_path, write_atomically
from photojury.datasets.store import Study, create_study
from photojury.errors import ServiceError
from tests.collect.sources.fake_flickr import KEY, SECRET, FakeFlickr
from tests.collect.sources.flickr_photos import Photo


def photo(number: int, **said: object) -> Photo:
    return Photo(str(number), "9@N01", 1_500_000_000, 1_500_000_000, "Tree", **said)  # type: ignore[arg-type]


@pytest.fixture
def flickr(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFlickr]:
    """Twelve photos under CC BY 2.0; what some of them have become since they were stored."""
    photos = [photo(number) for number in range(1, 13)]
    photos[0].gone, photos[1].gone, photos[2].gone = 1, 2, 5
    photos[3].license, photos[4].license, photos[5].license = 0, 6, 2
    photos[6].tags = ["tree", "no_cv"]
    photos[7].license = 17
    with FakeFlickr(photos) as server:
        monkeypatch.setenv("PHOTOJURY_FLICKR_URL", server.url)
        monkeypatch.setenv("FLICKR_API_KEY", KEY)
        monkeypatch.setenv("FLICKR_API_SECRET", SECRET)
        yield server


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """The twelve, and one that Flickr has never had, stored under CC BY 2.0."""
    study = create_study(tmp_path / "study", "test", {("flickr", "calls_per_hour"): 1_000_000})
    rows = []
    for name in map(str, range(1, 14)):
        image = image_id(name.encode())
        write_atomically(image_path(study.images_folder, image, "jpeg"), name.encode())
        rows.append({"image_id": image, "source": "flickr", "source_id": name, "license_id": "cc-by-2.0",
                     "retrieved_at": 1.0, "width": 9, "height": 9, "format": "jpeg", "bytes": 1,
                     "status": "kept"})  # fmt: skip
    study.add("images", rows)
    return study


def run(study: Study, *words: str) -> tuple[dict[str, object], BaseException | None]:
    result = CliRunner().invoke(refresh, [*words, "--json", "--study", str(study.folder)])
    return json.loads(result.stdout), result.exception


def test_every_change_is_found_with_one_call_each(study: Study, flickr: FakeFlickr) -> None:
    """Codes 1, 2 and 5 are gone, as is an unknown id; licences, tags and unknown licences are told apart."""
    facts, _ = run(study)
    assert facts["findings"] == {"gone": 4, "licence": 4, "opt_out": 1, "same": 4}
    changes = facts["changes"]
    assert isinstance(changes, list)
    assert {change["source_id"]: change["finding"] for change in changes if change["prune"]} == {
        "1": "gone", "2": "gone", "3": "gone", "13": "gone", "4": "licence", "5": "licence", "7": "opt_out",
    }  # fmt: skip
    assert [call.method for call in flickr.calls] == ["photos.getInfo"] * 13


def test_prune_takes_them_out_for_good(study: Study, flickr: FakeFlickr) -> None:
    """Rows, files and a tombstone for each id and sha256; the others stay."""
    facts, _ = run(study, "--prune")
    forgotten = facts["forgotten"]
    assert isinstance(forgotten, dict)
    assert (forgotten["images"], forgotten["files"], forgotten["tombstones"]) == (7, 7, 14)
    assert set(study.read("images", {"status": "kept"})["source_id"]) == {"6", "8", "9", "10", "11", "12"}
    assert len(list(study.images_folder.glob("*/*.jpg"))) == 6


def test_an_expired_key_marks_nothing(study: Study, flickr: FakeFlickr) -> None:
    """In mid-run: what was asked before is kept, nothing else is marked, and the same command goes on with the rest."""
    flickr.expire_after = 9
    facts, error = run(study, "--prune")
    assert isinstance(error, ServiceError) and "has expired" in str(error)
    findings = facts["findings"]
    assert isinstance(findings, dict) and findings["never"] == 4
    kept = set(study.read("images", {"status": "kept"})["source_id"])
    flickr.expire_after = None
    before = len(flickr.calls)
    facts, error = run(study)
    assert error is None and facts["checked"] == 4
    assert len(flickr.calls) - before == 4
    assert set(study.read("images", {"status": "kept"})["source_id"]) == kept


@pytest.mark.parametrize("fault", ["flaky", "500", "429 for 1 s", "html"])
def test_a_moment_of_weakness_is_waited_for(
    study: Study, flickr: FakeFlickr, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may pass is asked again, and is no finding."""
    monkeypatch.setattr("photojury.collect.courtesy.retrying.random.uniform", lambda low, high: 0.01)
    flickr.faults += [fault]
    facts, error = run(study)
    assert error is None
    assert facts["findings"] == {"gone": 4, "licence": 4, "opt_out": 1, "same": 4}


def test_no_key_is_one_sentence(study: Study, flickr: FakeFlickr, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked or marked, and the exit status is that of credentials."""
    monkeypatch.delenv("FLICKR_API_KEY")
    _, error = run(study, "--prune")
    assert isinstance(error, ServiceError) and error.exit_code == 5
    assert not flickr.calls and study.count("standings") == 0
