"""The demo's photographs: those that come with scikit-image and scikit-learn, or your own, in known edits.

Takes in a folder, or nothing; writes each photograph in six versions and gives out their planted quality, so
that there is something to prefer and a truth to find again.

    >>> [name for name, _, _ in EDITS]
    ['original', 'crop', 'dark', 'grey', 'noise', 'blur']
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from photojury.datasets.images import decode, inspect
from photojury.datasets.streams import stream
from photojury.errors import InputError

LONGEST_SIDE = 640
"""Pixels; larger photographs are scaled down."""

# Photographs among the test pictures of the two libraries (drawings, plots and microscope slides left out).
_BUILT_IN = {
    "skimage.data": (
        "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
        "gravel.png", "hubble_deep_field.jpg", "moon.png", "motorcycle_left.png", "rocket.jpg",
    ),
    "sklearn.datasets.images": ("china.jpg", "flower.jpg"),
}  # fmt: skip


@dataclass(frozen=True)
class Version:
    """One version of a photograph: where it was written, and its planted quality."""

    path: Path
    photo: str
    edit: str
    quality: float


def _crop(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """A corner of the picture: the subject is cut."""
    width, height = picture.size
    left, top = (int(random.integers(2)) * side * 2 // 5 for side in (width, height))
    return picture.crop((left, top, left + width * 3 // 5, top + height * 3 // 5))


def _dark(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Two stops under-exposed: a quarter of the light, in linear sRGB."""
    return picture.point([round(255 * (value / 255) * 0.25 ** (1 / 2.2)) for value in range(256)] * 3)


def _grey(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """A fifth of the contrast and most of the colour gone, as behind fog."""
    grey = picture.convert("L").convert("RGB")
    return Image.blend(Image.blend(picture, grey, 0.8), Image.new("RGB", picture.size, (170, 170, 170)), 0.45)


def _noise(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Gaussian noise with a standard deviation of 45 of 255 levels."""
    pixels = np.asarray(picture, np.float32)
    noisy = pixels + random.normal(0, 45, pixels.shape).astype(np.float32)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _blur(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Gaussian blur with a radius of 1 % of the longer side."""
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 100))


def _original(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return picture


Edit = Callable[[Image.Image, np.random.Generator], Image.Image]

EDITS: tuple[tuple[str, Edit, float], ...] = (
    ("original", _original, 1.2),
    ("crop", _crop, 0.5),
    ("dark", _dark, -0.2),
    ("grey", _grey, -0.5),
    ("noise", _noise, -0.9),
    ("blur", _blur, -1.2),
)
"""Name, edit, and what it does to the quality. Ours: the order is what most people would say; the simulated
raters believe it exactly."""

_PHOTO_SPREAD = 0.35
"""Standard deviation of the photographs' own quality, drawn from the seed."""


def write_versions(target: Path, photos: Path | None, *, limit: int, seed: int) -> list[Version]:
    """Write every photograph in every edit, as `target`/PHOTO/EDIT.jpg.

    Args:
        target: the folder to fill.
        photos: your own photographs; those that come with the libraries when None.
        limit: photographs taken, in order of their names.
        seed: of the edits' randomness and the photographs' own quality.

    Raises:
        InputError: the folder has fewer than six photographs that can be read.
    """
    written: list[tuple[Path, str, str, float]] = []
    for number, (name, picture) in enumerate(_photographs(photos, limit)):
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        own = float(stream(seed, "demo quality", name).normal(0, _PHOTO_SPREAD))
        folder = target / f"{number:02d}-{name}"
        folder.mkdir(parents=True)
        for edit, change, effect in EDITS:
            path = folder / f"{edit}.jpg"
            change(picture, stream(seed, "demo edit", name, edit)).save(path, quality=92)
            written.append((path, name, edit, own + effect))
    if len(written) < 6 * len(EDITS):
        raise InputError(
            f"{photos} has {len(written) // len(EDITS)} photographs that can be read; the demo needs at least 6"
        )
    # Standardised, since raters and cut points are told in standard deviations over the pictures.
    raw = np.array([quality for *_, quality in written])
    quality = (raw - raw.mean()) / raw.std()
    return [
        Version(path, name, edit, float(q)) for (path, name, edit, _), q in zip(written, quality, strict=True)
    ]


def _photographs(folder: Path | None, limit: int) -> Iterator[tuple[str, Image.Image]]:
    """Names and pictures, at most `limit` of them."""
    found = 0
    for path in _built_in() if folder is None else sorted(folder.rglob("*")):
        if found == limit:
            return
        if not path.is_file():
            continue
        try:
            inspect(path.read_bytes(), max_megapixels=50, min_side=128)
        except (InputError, OSError):
            continue
        found += 1
        yield path.stem.replace(" ", "-")[:40], decode(path)


def _built_in() -> Iterator[Path]:
    for package, names in _BUILT_IN.items():
        for name in names:
            path = Path(str(files(package) / name))
            if path.is_file():
                yield path
