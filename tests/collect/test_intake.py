"""Intake: the one way in for bytes of every source."""

import calendar
import io
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import ExifTags, Image

from photojury.collect.intake import Outcome, examine, record
from photojury.datasets.store import Study, create_study
from tests.collect.download import pictures


@pytest.fixture
def study(tmp_path: Path, database: str) -> Iterator[Study]:
    """An empty study, on both databases."""
    study = create_study(tmp_path / "study", "test", {("study", "store"): database})
    yield study
    study.close()


def row(number: int, **more: object) -> dict[str, Any]:
    return {"source": "urls", "source_id": str(number), "seen_at": 1.0, **more}


def written(study: Study, results: list[tuple[dict[str, Any], Outcome]]) -> list[str]:
    with study.writing() as connection:
        return record(connection, results)


def test_candidates_are_added_and_updated(study: Study) -> None:
    """Those that are there keep the columns that they are not given; rows need not have the same columns."""
    study.add("candidates", [row(1, state="found", title="kept", tries=1, claimed_by="somebody")])
    failed = Outcome("failed", "http_503", "the server says 503")
    assert (
        written(study, [(row(1, tries=2), failed), (row(2, title="new", retry_at=7.0), failed)])
        == ["failed"] * 2
    )
    one, two = study.read("candidates").astype(object).to_dict("records")
    assert (one["title"], one["tries"], one["rule"], one["claimed_by"]) == ("kept", 2, "http_503", None)
    assert (two["title"], two["retry_at"], two["reason"]) == ("new", 7.0, "the server says 503")


def test_the_first_of_a_batch_is_stored(study: Study) -> None:
    """Others with the same bytes are its duplicates, in the same batch and in a later one."""
    seen = examine(study, pictures.jpeg(1))
    other = examine(study, pictures.jpeg(2))
    results = [(row(1, license_id="cc0-1.0"), seen), (row(2), seen), (row(3), other)]
    assert written(study, results) == ["stored", "duplicate", "stored"]
    assert written(study, [(row(4), other)]) == ["duplicate"]
    images = study.read("images").set_index("source_id")
    assert set(images.index) == {"1", "3"} and images.license_id["1"] == "cc0-1.0"
    assert seen.look is not None and study.count("checks") == 2 * len(seen.look.measures)
    rules = study.read("candidates").set_index("source_id").rule
    assert rules["2"] == rules["4"] == "exact_duplicate"


def test_an_image_may_have_another_source_id(study: Study) -> None:
    """As the folder source wants it, whose candidates have full paths."""
    written(study, [(row(1, image_source_id="a/b.jpg"), examine(study, pictures.jpeg(1)))])
    assert study.read("images").source_id.tolist() == ["a/b.jpg"]


def test_tombstones_win_at_the_last_moment(study: Study) -> None:
    """Also over what was examined before its tombstone was made."""
    seen = examine(study, pictures.jpeg(1))
    study.add("tombstones", [{"key": "urls:1", "reason": "deleted by its author", "made_at": 2.0}])
    assert written(study, [(row(1), seen)]) == ["barred"]
    assert study.count("images") == 0
    assert study.read("candidates").reason.tolist() == ["deleted by its author"]


def test_two_at_once_store_an_image_once(study: Study) -> None:
    """Writers with the same images in opposite orders neither wait for each other for ever nor store any twice."""
    outcomes = [examine(study, pictures.jpeg(number)) for number in range(20)]
    results = [(row(number), outcome) for number, outcome in enumerate(outcomes)]
    mirrored = [(row(100 + number), outcome) for number, outcome in enumerate(outcomes)]
    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(lambda part: written(study, part), [results, mirrored[::-1]]))
    assert sorted(states[0] + states[1]) == ["duplicate"] * 20 + ["stored"] * 20
    assert study.count("images") == 20


def test_what_cannot_be_shown_is_not_stored(study: Study) -> None:
    """The rule and the sentence are the looker's."""
    outcome = examine(study, b"<html>")
    assert (outcome.state, outcome.rule) == ("rejected", "not_an_image")
    assert written(study, [(row(1), outcome)]) == ["rejected"]
    assert not study.images_folder.exists()


def taken(moment: str | None) -> bytes:
    """A JPEG that says so in its EXIF."""
    picture = Image.frombytes("RGB", (96, 64), random.Random(repr(moment)).randbytes(96 * 64 * 3))
    exif = Image.Exif()
    if moment is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = moment
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize(
    ("exif", "told", "stored"),
    [
        ("2024:05:01 10:00:00", None, calendar.timegm((2024, 5, 1, 10, 0, 0))),
        ("2024:05:01 10:00:00", 1e9, 1e9),
        ("0000:00:00 00:00:00", None, None),
        (None, None, None),
    ],
)
def test_the_capture_time(study: Study, exif: str | None, told: float | None, stored: float | None) -> None:
    """The source's word stands; without one it is the camera's, and what cannot be read is unknown."""
    assert written(study, [(row(1, taken_at=told), examine(study, taken(exif)))]) == ["stored"]
    found = study.read("images")["taken_at"].iloc[0]
    assert found == stored if stored is not None else pd.isna(found)
