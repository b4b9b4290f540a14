"""Scales: the sizes at which measures are taken, and the tiles that pictures are parted in.

Takes in luminance as `decoding` gives it; gives out the working size, its half, and energies of tiles. All
pictures are measured at the same size because sharpness depends on it: the same sharp photo has a variance of the
Laplacian of 933 at 800 pixels, 2,086 at 256 and 5,790 at 64.

    >>> work(np.zeros((533, 800), np.uint8)).shape
    (267, 400)
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

Luma = npt.NDArray[np.uint8]
Steps = npt.NDArray[np.int16]

WORKING_SIDE = 400
"""Pixels: the longer side at which sharpness, exposure, frames and drawings are measured; smaller pictures stay as they
are. Half of the 800 pixels that raters are shown: a blur that they see there (sigma 1.5) is plain, and what they do
not see is gone. Most pictures come in twice this size, so that one halving makes it."""

TILES = 8
"""A picture is parted in TILES x TILES tiles."""


def work(luma: Luma) -> Luma:
    """At the working size: means over pixels (a box filter), the one filter whose result does not depend on the
    size that the picture came in."""
    height, width = luma.shape
    longest = max(height, width)
    if longest <= WORKING_SIDE:
        return luma
    grey = Image.fromarray(luma)
    if longest >= 2 * WORKING_SIDE:
        grey = grey.reduce(longest // WORKING_SIDE)
    share = WORKING_SIDE / longest
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(grey if max(grey.size) == WORKING_SIDE else grey.resize(size, Image.Resampling.BOX))


def half(steps: Steps) -> Steps:
    """Sums over 2 x 2 pixels, (..., height // 2, width // 2): four times the mean, so that nothing is rounded."""
    height, width = steps.shape[-2] & ~1, steps.shape[-1] & ~1
    rows = steps[..., 0:height:2, :width] + steps[..., 1:height:2, :width]
    sums: Steps = rows[..., 0::2] + rows[..., 1::2]
    return sums


def tile_energies(steps: Steps) -> npt.NDArray[np.float32]:
    """The mean square of each tile, (TILES * TILES,), of (height, width); what is left at its edges is left out."""
    height, width = (side // TILES for side in steps.shape)
    rows = steps[: height * TILES, : width * TILES].astype(np.float32).reshape(TILES, height, width * TILES)
    # Rows first: sums along whole rows are several times as fast as a mean over both axes.
    sums = np.einsum("thw,thw->tw", rows, rows).reshape(TILES, TILES, width).sum(axis=2)
    energies: npt.NDArray[np.float32] = sums.ravel() / np.float32(height * width)
    return energies
