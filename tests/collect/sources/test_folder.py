"""Collecting from a folder: what is stored, what is rejected, and the sentence that each rejection gets."""

import os
import random
import time
from pathlib import Path

import pytest
from PIL import Image

from photojury.collect.sources.folder import collect_folder
from photojury.datasets.images import decode
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "test")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three pictures, one of them twice and one below another folder."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    noise(1).save(folder / "a.jpg")
    (folder / "deep" / "copy of a.JPG").write_bytes((folder / "a.jpg").read_bytes())
    noise(2).save(folder / "deep" / "b.png")
    (folder / ".hidden.jpg").write_bytes(b"not looked at")
    return folder


def noise(seed: int, size: tuple[int, int] = (120, 80)) -> Image.Image:
    """A picture that compresses to something of its own."""
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))


def test_pictures_are_stored_once(study: Study, photos: Path) -> None:
    """Two names with the same bytes are one image; the bytes are kept to the bit."""
    result = collect_folder(study, photos)
    assert (result.stored, result.duplicates, result.rejected) == (2, 1, 0)
    images = study.read("images").set_index("source_id")
    stored = study.image_path(str(images.loc["a.jpg", "image_id"]))
    assert stored.read_bytes() == (photos / "a.jpg").read_bytes()
    assert sorted(study.read("candidates").state) == ["duplicate", "stored", "stored"]


def test_a_second_run_adds_nothing(study: Study, photos: Path) -> None:
    """Files that were read are not read again; a new file is."""
    collect_folder(study, photos)
    before = study.read("candidates")
    again = collect_folder(study, photos)
    assert (again.stored, again.duplicates, again.seen_before) == (0, 0, 3)
    assert study.read("candidates").equals(before)
    noise(3).save(photos / "c.webp")
    assert collect_folder(study, photos).stored == 1


def test_orientation_is_respected(study: Study, tmp_path: Path) -> None:
    """A picture that EXIF turns on its side is as wide as it is shown, in the table and when decoded."""
    folder = tmp_path / "turned"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(4, (120, 80)).save(folder / "turned.jpg", exif=exif)
    collect_folder(study, folder)
    row = study.read("images").iloc[0]
    assert (row.width, row.height) == (80, 120)
    assert decode(study.image_path(row.image_id)).size == (80, 120)


def test_bad_files_get_one_clear_sentence(study: Study, photos: Path) -> None:
    """Every bad file is a row with its reason, and the good ones are taken all the same."""
    whole = (photos / "a.jpg").read_bytes()
    (photos / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (photos / "text.jpg").write_text("this is no picture")
    (photos / "empty.jpg").write_bytes(b"")
    Image.new("L", (10_000, 6_000)).save(photos / "sixty.png")
    frames = [noise(seed) for seed in (5, 6, 7)]
    frames[0].save(photos / "animated.gif", save_all=True, append_images=frames[1:])
    noise(8).save(photos / "scan.tif")
    noise(9, (40, 40)).save(photos / "tiny.png")
    reasons = {
        "truncated.jpg": "damaged",
        "text.jpg": "not an image that can be read",
        "empty.jpg": "the file is empty",
        "sixty.png": "60.0 megapixels; the limit is 50",
        "animated.gif": "animated (3 frames)",
        "scan.tif": "not shown by browsers",
        "tiny.png": "shorter side is 40 pixels",
    }
    result = collect_folder(study, photos)
    assert result.stored == 2
    assert {path for path, _ in result.reasons} == set(reasons)
    for path, reason in result.reasons:
        assert reasons[path] in reason
        assert "\n" not in reason
    rows = study.read("candidates", {"state": "rejected"})
    assert dict(result.reasons) == {Path(str(row.source_id)).name: row.reason for row in rows.itertuples()}


def test_odd_but_good_files_are_taken(study: Study, tmp_path: Path) -> None:
    """A CMYK JPEG, and a name with newline, quotes and bytes that are no UTF-8, are pictures like others."""
    folder = tmp_path / "odd"
    folder.mkdir()
    noise(10).convert("CMYK").save(folder / "cmyk.jpg")
    noise(11).save(folder / "new\nline \"and\" 'quotes'.png")
    (folder / "not utf8 \udcff.png").write_bytes(
        (folder / "new\nline \"and\" 'quotes'.png").read_bytes() + b"\0"
    )
    result = collect_folder(study, folder)
    assert (result.stored, result.rejected) == (3, 0)
    assert "new\nline \"and\" 'quotes'.png" in set(study.read("images").source_id)


def test_a_changed_file_is_read_again(study: Study, photos: Path) -> None:
    """A file that was rejected and then mended is read by the next run."""
    (photos / "a.jpg").write_bytes(b"")
    assert collect_folder(study, photos).rejected == 1
    noise(1).save(photos / "a.jpg")
    os.utime(photos / "a.jpg", (time.time() + 5, time.time() + 5))
    assert collect_folder(study, photos).duplicates == 1  # deep/copy of a.JPG has the same bytes
    assert study.read("candidates", {"state": "rejected"}).empty


def test_no_such_folder(study: Study, tmp_path: Path) -> None:
    """A missing folder is the user's mistake, said with its name."""
    with pytest.raises(InputError, match="nowhere is not a folder"):
        collect_folder(study, tmp_path / "nowhere")
