"""A release that is not what it was: each fault is named in one sentence; reading stops at it."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from pyarrow import parquet

from photojury.datasets.releases.layout import FORMS, SUMS
from photojury.datasets.releases.read import open_release, read
from photojury.datasets.releases.sums import files, sha256
from photojury.datasets.releases.verify import verify
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study
from photojury.errors import InputError


@pytest.fixture(scope="module")
def intact(full_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(full_study, tmp_path_factory.mktemp("intact") / "tests-1.0.0", version="1.0.0")


@pytest.fixture
def folder(intact: Path, tmp_path: Path) -> Iterator[Path]:
    """A release of its own to spoil."""
    yield Path(shutil.copytree(intact, tmp_path / "tests-1.0.0"))


def resigned(folder: Path) -> None:
    """SHA256SUMS and croissant.json made to fit files that were changed: what an editor with good intentions does."""
    sums = {name: sha256(path) for name, path in files(folder).items()}
    facts = json.loads((folder / "croissant.json").read_text())
    for one in facts["distribution"]:
        if one["@id"] in sums:
            one["sha256"] = sums[one["@id"]]
    (folder / "croissant.json").write_text(json.dumps(facts))
    sums["croissant.json"] = sha256(folder / "croissant.json")
    (folder / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))


@pytest.mark.parametrize("form", FORMS)
def test_what_was_released_is_sound(full_study: Study, tmp_path: Path, form: str) -> None:
    """Nothing is found in a release as it was written."""
    assert verify(release(full_study, tmp_path / form, version="1.0.0", form=form)) == []


def truncated(folder: Path) -> None:
    path = folder / "tables" / "ratings.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def changed(folder: Path) -> None:
    with (folder / "README.md").open("a") as file:
        file.write("!")


def without_column(folder: Path) -> None:
    path = folder / "tables" / "ratings.parquet"
    parquet.write_table(parquet.read_table(path).drop_columns(["value"]), path)


def outside(folder: Path) -> None:
    with (folder / SUMS).open("a") as file:
        file.write(f"{'0' * 64}  ../../etc/passwd\n")


def linked_outside(folder: Path) -> None:
    (folder / "figures" / "ratings.svg").unlink()
    (folder / "figures" / "ratings.svg").symlink_to("/etc/hostname")


def no_line(folder: Path) -> None:
    with (folder / SUMS).open("a") as file:
        file.write("not a sum\n")


def added(folder: Path) -> None:
    (folder / "data" / "train" / "holiday.jpg").write_bytes(b"\xff\xd8\xff")


def lost(folder: Path) -> None:
    (folder / "LICENSE").unlink()


def no_facts(folder: Path) -> None:
    (folder / "release.json").unlink()


def broken_facts(folder: Path) -> None:
    (folder / "release.json").write_text('{"layout": 1}')


def newer(folder: Path) -> None:
    path = folder / "release.json"
    path.write_text(path.read_text().replace('"layout": 1', '"layout": 2'))


def no_sums(folder: Path) -> None:
    (folder / SUMS).unlink()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (truncated, "tables/ratings.parquet is not what was released: its sha256 differs from SHA256SUMS"),
        (truncated, "tables/ratings.parquet is damaged: "),
        (changed, "README.md is not what was released: its sha256 differs"),
        (without_column, "ratings.parquet lacks the column value; it has assignment_id"),
        (outside, "SHA256SUMS, line 35 names a path outside the folder: ../../etc/passwd"),
        (linked_outside, "names a path outside the folder: figures/ratings.svg"),
        (no_line, "SHA256SUMS, line 35 is no checksum with a path"),
        (added, "data/train/holiday.jpg is not listed in SHA256SUMS"),
        (lost, "LICENSE is missing"),
        (no_facts, "has no release.json; it is no release of photojury, or not all of one"),
        (broken_facts, "release.json is damaged: KeyError: 'form'"),
        (newer, "says layout 2 and form folder; this photojury reads layout 1"),
        (no_sums, "has no SHA256SUMS; it is no release of photojury, or not all of one"),
    ],
)
def test_a_file_that_is_not_as_it_was(folder: Path, spoil: Callable[[Path], None], sentence: str) -> None:
    """Files cut, changed, lost, added, leading out: named; and `read` gives nothing of such a release."""
    spoil(folder)
    assert [found for found in verify(folder) if sentence in found], verify(folder)
    with pytest.raises(InputError) as error:
        read(folder)
    assert "\n" not in str(error.value)


def edited(folder: Path, name: str, column: str, value: object) -> None:
    path = folder / "tables" / f"{name}.parquet"
    table = pd.read_parquet(path)
    table[column] = [*table[column][:4], value, *table[column][5:]]
    table.to_parquet(path, index=False)


@pytest.mark.parametrize(
    ("name", "column", "value", "sentence"),
    [
        ("ratings", "value", 7.0, "tables/ratings.parquet: 1 values are off the scale (row 5: 7.0 for stars)"),
        ("comparisons", "value", 3.0, "1 values are off the scale (row 5: 3.0 for five_level)"),
        ("ratings", "image_id", "f" * 64, "1 times image_id names nothing in images (row 5: ffff"),
        ("comparisons", "unit_id", "p77", "1 times unit_id names nothing in units (row 5: p77)"),
        ("ratings", "rater_id", "A2EXAMPLE12345", "1 times rater_id is no id of a release, and may be a worker's (row 5)"),
        ("images", "title", "me@example.org", "1 texts may tell who somebody is (row 5, title: an e-mail address)"),
        ("images", "image_id", "../../etc/passwd", "1 image ids are no sha256 (row 5)"),
        ("scores", "image_id", None, "tables/scores.parquet"),
        ("images", "left_out", "its licence is not known", "data/ holds 1 pictures that it must not"),
    ],
)  # fmt: skip
def test_tables_that_do_not_hold_together(
    folder: Path, name: str, column: str, value: object, sentence: str
) -> None:
    """With all sums right: values off the scale, ids of nothing, ids of workers, telling texts, pictures too many."""
    if (name, column) == ("scores", "image_id"):
        value = pd.read_parquet(folder / "tables" / "scores.parquet").loc[3, "image_id"]
        sentence = "tables/scores.parquet: 1 rows stand there twice (row 5)"
    edited(folder, name, column, value)
    resigned(folder)
    found = verify(folder)
    assert [one for one in found if sentence in one], found
    assert not [one for one in found if SUMS in one], found


def test_a_picture_under_another_name(folder: Path) -> None:
    """Two files that changed places have right sums and wrong names."""
    one, two = sorted((folder / "data" / "train").glob("*.png"))[:2]
    keep = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(keep)
    resigned(folder)
    assert verify(folder) == [
        f"data/train/{path.name} is listed with the sum of another picture" for path in (one, two)
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("croissant/1.1", "croissant/1.0", "croissant.json does not conform to http://mlcommons.org/croissant/1.1"),
        ('"@id": "tables/ratings.parquet"\n', '"@id": "tables/none.parquet"\n', "fields come from tables/none.parquet"),
        ("{", "", "croissant.json is damaged: "),
    ],
)  # fmt: skip
def test_a_croissant_file_that_is_wrong(folder: Path, old: str, new: str, sentence: str) -> None:
    """It must be read, conform, and name what is there."""
    path = folder / "croissant.json"
    text = path.read_text().replace(old, new)
    path.write_text(text)
    sums = (folder / SUMS).read_text().splitlines()
    kept = [line for line in sums if not line.endswith("  croissant.json")]
    (folder / SUMS).write_text("\n".join([*kept, f"{sha256(path)}  croissant.json\n"]))
    assert [one for one in verify(folder) if sentence in one], verify(folder)


def test_a_shard_with_other_bytes(full_study: Study, tmp_path: Path) -> None:
    """A truncated or an edited shard is named, by the sums and by what is in it."""
    folder = release(full_study, tmp_path / "out", version="1.0.0", form="webdataset")
    path = next(folder.glob("data/train/*.tar"))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"IHDR", b"IHDQ", 1))
    resigned(folder)
    (found,) = verify(folder)
    assert found.startswith("a shard in data/ holds other bytes under the id ")
    path.write_bytes(data[:3000])
    assert [one for one in verify(folder) if ".tar is damaged: unexpected end of data" in one]


def test_what_was_taken_back_stays_out(folder: Path) -> None:
    """A picture of removed.csv that is in the tables is named."""
    image = open_release(folder).read("images")["image_id"][0]
    (folder / "removed.csv").write_text(f"image_id\n{image}\n")
    resigned(folder)
    assert verify(folder) == [f"1 pictures that were taken back are in the release: {image}"]


def test_a_csv_that_is_no_table(full_study: Study, tmp_path: Path) -> None:
    """In the form csv, a word in the place of a number, and a missing column, are one sentence each."""
    folder = release(full_study, tmp_path / "out", version="1.0.0", form="csv")
    path = folder / "tables" / "scores.csv"
    text = path.read_text()
    path.write_text(text.replace(",0.1,", ",much,", 1))
    assert [
        one for one in verify(folder) if "scores.csv is damaged: could not convert string to float" in one
    ]
    path.write_text(text.replace("score,", "points,", 1))
    assert [one for one in verify(folder) if "scores.csv lacks the column score" in one]
