"""What tests of duplicates and series show: pictures like photographs, taken in as any source's are."""

import io
import time

import numpy as np
import sqlalchemy as sa
from PIL import Image

from photojury.collect.intake import examine, record
from photojury.datasets import tables
from photojury.datasets.store import Study


def scene(number: int, size: tuple[int, int] = (480, 320)) -> Image.Image:
    """Large shapes with finer and finer detail, as photographs have; another number is another picture."""
    rng = np.random.default_rng(number)
    picture = np.zeros((size[1], size[0], 3), np.float32)
    for cells in (4, 8, 16, 32, 64):
        noise = rng.uniform(-1, 1, (cells * 2 // 3 + 1, cells, 3)).astype(np.float32)
        layers = [
            Image.fromarray(noise[..., band]).resize(size, Image.Resampling.BICUBIC) for band in range(3)
        ]
        picture += np.dstack([np.asarray(layer) for layer in layers]) / cells**0.8
    scaled = 128 + 110 * picture / np.abs(picture).max()
    return Image.fromarray(scaled.astype(np.uint8))


def coded(picture: Image.Image, format: str = "JPEG", quality: int = 92) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    picture.save(buffer, format, quality=quality)
    return buffer.getvalue()


def take(study: Study, name: str, data: bytes, source: str = "urls", **told: object) -> str:
    """Take a file in as a candidate of that source and name; returns its image's id."""
    outcome = examine(study, data)
    assert outcome.look is not None, outcome.reason
    row = {"source": source, "source_id": name, "seen_at": time.time(), "state": "found", **told}
    with study.writing() as connection:
        assert record(connection, [(row, outcome)]) == ["stored"]
    return outcome.look.facts.image_id


def set_image(study: Study, image: str, **values: object) -> None:
    """Give an image other facts than intake did."""
    table = tables.images
    with study.writing() as connection:
        connection.execute(sa.update(table).where(table.c.image_id == image).values(**values))


def decide(study: Study, image: str, status: str, at: float = 1.0) -> None:
    """What a person decided on the curation page."""
    study.add("decisions", [{"image_id": image, "decided_at": at, "status": status}])


def kept(study: Study) -> set[str]:
    """The images that are kept."""
    return set(study.read("images", {"status": "kept"})["image_id"])
