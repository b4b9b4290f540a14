"""Features of the study's pictures, to draw similar pairs with (paper 1, section 3.2) and to look for likeness.

Takes in a study and a model's name; writes `features/<model>.parquet` (photojury.datasets.features).

    >>> embed(open_study(Path("demo-study")), "classical")                # doctest: +SKIP
    (72, 520)
"""

import importlib
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from photojury.datasets.features import write_features
from photojury.datasets.images import decode
from photojury.datasets.store import Study
from photojury.errors import InputError, StoreError, unknown_name
from photojury.progress import counter

FloatArray = NDArray[np.float32]
Describe = Callable[[Sequence[Image.Image]], FloatArray]

MODELS: Mapping[str, str] = types.MappingProxyType(
    {
        "classical": "photojury.baselines.embed:classical_model",
        "vgg16-fc7": "photojury.baselines.fc7:fc7_model",
    }
)
"""By name, the function that takes weights and device and gives the describing function."""

BATCH = 16

SIDE = 128
"""Pixels of a side that a picture is brought to before it is described."""

LAYOUT, CELLS, DIRECTIONS, SIGMAS = 8, 4, 8, (1.0, 2.5)
HUES, SATURATIONS, VALUES = 8, 3, 3


def embed(study: Study, model: str, *, weights: str = "imagenet", device: str = "auto") -> tuple[int, int]:
    """Describe every kept picture, ordered by id, and write the features.

    Args:
        study: with pictures.
        model: a name of MODELS.
        weights: of vgg16-fc7: imagenet (torch's cache) or a file.
        device: auto, cpu or cuda; for vgg16-fc7.

    Returns:
        How many pictures, and how many dimensions.

    Raises:
        InputError: an unknown model, no pictures, or weights that are not there.
        StoreError: a stored picture cannot be read.
    """
    if model not in MODELS:
        raise unknown_name("feature model", model, MODELS)
    images = study.read("images", {"status": "kept"})
    if images.empty:
        raise InputError("the study has no pictures yet; bring some in with: photojury collect folder DIR")
    module, name = MODELS[model].split(":")
    describe: Describe = getattr(importlib.import_module(module), name)(weights, device)
    ids = list(images["image_id"])
    paths = [study.image_path(a, b) for a, b in zip(ids, images["format"], strict=True)]
    rows = []
    with counter(f"describing pictures with {model}", len(ids)) as progress:
        for start in range(0, len(ids), BATCH):
            rows.append(describe([_decoded(path) for path in paths[start : start + BATCH]]))
            progress(min(start + BATCH, len(ids)))
    matrix = np.concatenate(rows)
    write_features(study.folder, model, ids, matrix)
    return len(ids), matrix.shape[1]


def classical_model(weights: str, device: str) -> Describe:
    """The descriptor below; it has no weights and runs on the CPU."""
    return lambda pictures: np.stack([classical(picture) for picture in pictures])


def classical(picture: Image.Image) -> FloatArray:
    """A descriptor of 520 numbers for machines without a network's weights.

    Three blocks, each centred on its own mean and of unit length, then all divided by sqrt(3), so that the dot
    product of two descriptors is the mean correlation of their blocks and lies in [-1, 1]:

    - layout (192): an 8 x 8 thumbnail in L*a*b*, its lightness without the picture's mean lightness, so that
      exposure changes little;
    - edges (256): as in Dalal and Triggs's HOG (2005), the square root of the gradient energy of lightness in 4 x 4
      cells and 8 directions, at two scales (Gaussian derivatives, sigma 1 and 2.5 pixels at 128 x 128);
    - colour (72): the square root of an HSV histogram of 8 hues x 3 saturations x 3 values.

    Args:
        picture: 8-bit RGB, of any size; it is warped to 128 x 128.

    Returns:
        (520,) float32 of length 1 (a block without any variation is 0).
    """
    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
    lab = np.asarray(small.convert("LAB"), dtype=np.float64)
    # Pillow stores a* and b* as signed bytes in unsigned ones.
    lab[..., 1:] = (lab[..., 1:] + 128) % 256 - 128
    blocks = (_layout(lab), _edges(lab[..., 0] / 255), _colours(np.asarray(small.convert("HSV"))))
    return np.concatenate([_unit(block) for block in blocks]).astype(np.float32) / np.float32(np.sqrt(3))


def _layout(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    step = SIDE // LAYOUT
    cells = lab.reshape(LAYOUT, step, LAYOUT, step, 3).mean(axis=(1, 3))
    cells[..., 0] -= cells[..., 0].mean()
    layout: NDArray[np.float64] = cells.ravel()
    return layout


def _edges(light: NDArray[np.float64]) -> NDArray[np.float64]:
    found = []
    for sigma in SIGMAS:
        across = ndimage.gaussian_filter(light, sigma, order=(0, 1), mode="nearest")
        down = ndimage.gaussian_filter(light, sigma, order=(1, 0), mode="nearest")
        direction = (
            np.floor(np.arctan2(down, across) % np.pi / np.pi * DIRECTIONS).astype(np.int64) % DIRECTIONS
        )
        cell = np.arange(SIDE) // (SIDE // CELLS)
        at = (cell[:, None] * CELLS + cell[None, :]) * DIRECTIONS + direction
        energy = np.bincount(at.ravel(), (across**2 + down**2).ravel(), CELLS * CELLS * DIRECTIONS)
        found.append(np.sqrt(energy))
    return np.concatenate([part / max(np.linalg.norm(part), 1e-12) for part in found])


def _colours(hsv: NDArray[np.uint8]) -> NDArray[np.float64]:
    hue, saturation, value = (hsv[..., n].astype(np.int64) for n in range(3))
    at = (hue * HUES // 256 * SATURATIONS + saturation * SATURATIONS // 256) * VALUES + value * VALUES // 256
    counts: NDArray[np.float64] = (
        np.bincount(at.ravel(), minlength=HUES * SATURATIONS * VALUES) / hsv[..., 0].size
    )
    return np.sqrt(counts)


def _unit(block: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = block - block.mean()
    length = float(np.linalg.norm(centred))
    return centred / length if length > 1e-9 else np.zeros_like(centred)


def _decoded(path: Path) -> Image.Image:
    try:
        return decode(path)
    except OSError as error:
        raise StoreError(
            f"the stored picture {path} cannot be read ({error}); restore the file, or collect it again"
        ) from None
