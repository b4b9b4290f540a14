"""Leaks: what crosses a split is found, counted and shown; what is known of AVA and AADB is said."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from photojury.datasets.commands.group import datasets
from photojury.datasets.leaks import check
from photojury.datasets.rated_sets import of_published, of_study
from photojury.datasets.readers.published import read
from photojury.datasets.splits import split
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Twenty pictures: two by one author, two in a series, two that are near duplicates, two that were compared."""
    study = create_study(tmp_path / "study", "test")
    row = {"source": "folder", "retrieved_at": 0.0, "width": 9, "height": 9, "format": "png", "bytes": 1}
    hashes = [f"{(i + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}" for i in range(20)]
    hashes[5] = f"{int(hashes[4], 16) ^ 1:016x}"
    study.add(
        "images",
        [
            {
                **row,
                "image_id": f"{i:02d}",
                "source_id": str(i),
                "phash": hashes[i],
                "author": "ann" if i < 2 else None,
            }
            for i in range(20)
        ],
    )
    study.add(
        "series",
        [{"series_id": "s", "image_id": image, "position": k} for k, image in enumerate(("02", "03"))],
    )
    return study


def part(study: Study, test: set[str]) -> None:
    parts = [("test" if f"{i:02d}" in test else "train") for i in range(20)]
    table = pd.DataFrame({"image_id": [f"{i:02d}" for i in range(20)], "part": parts, "split": "default"})
    study.replace("splits", table, {"split": "default"})


def test_each_kind_is_found(study: Study) -> None:
    """One cut of each kind, counted in the test part, with the pictures that show it."""
    part(study, {"01", "03", "05", "07", "19"})
    study.add(
        "units", [{"batch": "b", "task": "five_level", "unit_id": "u", "first_id": "06", "second_id": "07"}]
    )
    found = {leak.kind: leak for leak in check(of_study(study)).leaks}
    assert {kind: leak.crossing for kind, leak in found.items()} == {
        "image": 0, "near_duplicate": 1, "series": 1, "author": 1, "comparison": 1,
    }  # fmt: skip
    assert all(leak.part == "test" and leak.pictures == 5 for leak in found.values())
    assert found["series"].seen == 1 and set(found["series"].examples[0]) == {"02", "03"}
    assert set(found["near_duplicate"].examples[0]) == {"04", "05"}


def test_our_splits_are_free_of_what_they_keep_together(study: Study) -> None:
    """A split by everything leaks nothing."""
    split(study, by=("series", "author", "near_duplicate", "pair"))
    assert check(of_study(study)).crossing() == []


def test_the_command(study: Study) -> None:
    """Exit status 1 where something crosses, 0 where it may; JSON; a study without a split is a sentence."""
    where = ["check", "--study", str(study.folder)]
    answer = CliRunner().invoke(datasets, where)
    assert isinstance(answer.exception, InputError) and "no split yet" in str(answer.exception)
    part(study, {"01", "19"})
    answer = CliRunner().invoke(datasets, where)
    assert answer.exit_code == 1 and "1 of 1 CROSS; 1 of 2 test pictures are touched" in answer.output
    assert CliRunner().invoke(datasets, [*where, "--allow", "author"]).exit_code == 0
    leaks = json.loads(CliRunner().invoke(datasets, [*where, "--json"]).output)["leaks"]
    assert {leak["kind"]: leak["crossing"] for leak in leaks}["author"] == 1
    answer = CliRunner().invoke(datasets, [*where, "--allow", "bogus"])
    assert "bogus" in str(answer.exception)


def test_the_split_command(study: Study) -> None:
    """Several kinds at once, under a name of its own."""
    arguments = [
        "split",
        "--by",
        "series",
        "--by",
        "author",
        "--name",
        "careful",
        "--study",
        str(study.folder),
    ]
    answer = CliRunner().invoke(datasets, [*arguments, "--json"])
    assert answer.exit_code == 0, answer.output
    assert sum(json.loads(answer.output).values()) == 20
    assert not {"series", "author"} & {leak.kind for leak in check(of_study(study), "careful").crossing()}


def test_aadb_shares_127_images(shared: Path) -> None:
    """The official lists: 127 images of validation are in test, which the reader drops unless told otherwise."""
    for options, shared_images in (({}, "none of 373"), ({"overlap": "keep"}, "127 of 500")):
        found = check(of_published(read("aadb", shared / "data" / "aadb", **options)))
        assert any(shared_images in note for note in found.notes), found.notes


def test_ava_mixed_splits_are_told(shared: Path) -> None:
    """A network trained on a random split has seen most of the official test images."""
    found = check(of_published(read("ava", shared / "data" / "ava", splits="both")))
    assert (
        any(one.split == "official" and one.seen / one.pictures > 0.5 for one in found.across)
        or not found.across
    )
    seen = {(one.trained_on, one.split): (one.seen, one.pictures) for one in found.across}
    assert seen["random-90-10-idealo", "official"] == (3_372, 5_317)
    assert "must not be mixed" in found.notes[0] and "idealo holds 3,372 of 5,317" in found.notes[0]
    assert found.crossing() == []
