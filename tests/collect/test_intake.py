"""Intake: what an image knows from its file where its source said nothing."""

import calendar
import io
import random
from pathlib import Path

import pandas as pd
import pytest
from PIL import ExifTags, Image

from photojury.collect.intake import examine, record
from photojury.datasets.store import create_study


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
def test_the_capture_time(tmp_path: Path, exif: str | None, told: float | None, stored: float | None) -> None:
    """The source's word stands; without one it is the camera's, and what cannot be read is unknown."""
    study = create_study(tmp_path / "study", "test")
    candidate = {"source": "urls", "source_id": "1", "state": "found", "seen_at": 0.0, "taken_at": told}
    with study.writing() as connection:
        assert record(connection, [(candidate, examine(study, taken(exif)))]) == ["stored"]
    found = study.read("images")["taken_at"].iloc[0]
    assert found == stored if stored is not None else pd.isna(found)
    study.close()
