"""Study, release, study: the same tables, to the bit, whatever the form."""

import dataclasses
import hashlib
import hmac
import json
from pathlib import Path

import pandas as pd
import pytest

from photojury.datasets.counting import not_counted
from photojury.datasets.raters import read_salt
from photojury.datasets.releases.layout import FORMS, TABLES
from photojury.datasets.releases.read import open_release, read
from photojury.datasets.releases.restore import restore
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError
from tests.support import VALUES


def hashed(ids: "pd.Series[str]", name: str, version: str) -> list[str]:
    """The ids of a release, as docs/release.md says that they are made."""
    message = f"photojury release {json.dumps([name, version])}".encode()
    key = hmac.new(read_salt().encode(), message, hashlib.sha256).digest()
    return [hmac.new(key, one.encode(), hashlib.sha256).hexdigest()[:16] for one in ids]


def expected(study: Study, name: str) -> pd.DataFrame:
    """What a release must hold of a table of `full_study`, of which everything is released."""
    table = study.read(name)
    if name in ("ratings", "comparisons"):
        table["use"] = not_counted(table, study.read("assignments"), study.read("units")).isna()
    for column in ("assignment_id", "rater_id"):
        if column in table:
            table[column] = pd.Series(hashed(table[column], "tests", "1.0.0"), dtype="str")
    keys = [column for column in ("assignment_id", "unit_id", "attribute", "rater_id") if column in table]
    if "assignment_id" in table:
        table = table.sort_values(keys, ignore_index=True)
    return table[list(TABLES[name])]


@pytest.mark.parametrize("form", FORMS)
def test_a_release_holds_what_the_study_holds(full_study: Study, tmp_path: Path, form: str) -> None:
    """Every table but images comes back with the values and types of the study's; so do the pictures' bytes."""
    folder = release(full_study, tmp_path / "out", version="1.0.0", form=form)
    opened = open_release(folder)
    assert opened.tables() == [name for name in TABLES if name != "observations"]
    for name in opened.tables():
        if name != "images":
            pd.testing.assert_frame_equal(opened.read(name), expected(full_study, name))
    pictures = dict(opened.pictures())
    assert {image: hashlib.sha256(data).hexdigest() for image, data in pictures.items()} == {
        image: image for image in full_study.read("images")["image_id"]
    }


@pytest.mark.parametrize("form", FORMS)
def test_a_restored_study_releases_the_same(full_study: Study, tmp_path: Path, form: str) -> None:
    """A release restored into an empty study has the same tables there; once more brings nothing new."""
    folder = release(full_study, tmp_path / "out", version="1.0.0", form=form)
    study = create_study(tmp_path / "again", "tests", VALUES)
    new = restore(study, folder)
    opened = open_release(folder)
    assert new == {name: len(opened.read(name)) for name in opened.tables()}
    for name in opened.tables():
        table, released = study.read(name), opened.read(name)
        both = [column for column in TABLES[name] if column in table]
        if name == "images":
            assert table["source_id"].tolist() == table["image_id"].tolist()
            both.remove("source_id")
        pd.testing.assert_frame_equal(table[both], released[both])
    counted = not_counted(study.read("ratings"), study.read("assignments"), study.read("units")).isna()
    assert counted.tolist() == opened.read("ratings")["use"].tolist()
    assert all(path.is_file() for path in map(study.image_path, study.read("images")["image_id"]))
    assert sum(restore(study, folder).values()) == 0
    study.close()


def test_a_release_reads_as_a_published_dataset(full_study: Study, tmp_path: Path) -> None:
    """`read` gives tables, scale and the pictures' files below the folder."""
    folder = release(full_study, tmp_path / "out", version="1.0.0")
    published = read(folder)
    assert (published.name, published.scale) == ("tests", (1.0, 3.0))
    assert len(published.read("comparisons")) == 132
    assert all((folder / file).is_file() for file in published.images["file"])
    assert published.notes == ("92 of its answers were given by simulated raters.",)


def test_linked_pictures_come_back_absent(full_study: Study, tmp_path: Path) -> None:
    """Where no file may be copied, images come as labels with their answers, and are never taken for pictures."""
    rights = dataclasses.replace(full_study.settings.rights, folder_license="")
    settings = dataclasses.replace(full_study.settings, rights=rights)
    folder = release(dataclasses.replace(full_study, settings=settings), tmp_path / "out", version="1.0.0")
    study = create_study(tmp_path / "again", "tests", VALUES)
    restore(study, folder)
    assert set(study.read("images")["status"]) == {"absent"}
    assert study.count("ratings") == 144
    assert not study.images_folder.exists()
    study.close()


def test_tombstones_win_over_a_restore(full_study: Study, tmp_path: Path) -> None:
    """What the study has buried does not come back, nor an answer about it."""
    folder = release(full_study, tmp_path / "out", version="1.0.0")
    image = open_release(folder).read("units").set_index("unit_id")["first_id"]["s01"]
    study = create_study(tmp_path / "again", "tests", VALUES)
    study.add("tombstones", [{"key": f"sha256:{image}", "reason": "asked us to", "made_at": 0.0}])
    restore(study, folder)
    assert study.count("images") == 11
    assert not set(study.read("ratings")["image_id"]) & {image}
    assert not list(study.images_folder.rglob(f"{image}*"))
    study.close()


def test_scales_are_never_mixed(full_study: Study, tmp_path: Path) -> None:
    """Ratings of 1 to 3 do not enter a study of 1 to 5."""
    folder = release(full_study, tmp_path / "out", version="1.0.0")
    study = create_study(tmp_path / "again", "tests", {("stars", "levels"): 5})
    with pytest.raises(InputError, match=r"lie on 1 to 3, those of the study in .* on 1 to 5"):
        restore(study, folder)
    study.close()
