"""Blur: how sharp the sharpest parts of a picture are.

Takes in luminance at the working size; gives out one number, the energy of its finest steps over that of steps
twice as wide: about 0.06 (1/16) where all is smooth, 0.3 to 1.5 in photographs. Because it is a ratio, it does
not depend on contrast; because only the sharpest tiles count, a blurred background (bokeh) does no harm; and
because it is taken across and down, and the lesser counts, it also sees a camera that moved.

The variance of the Laplacian, which is in common use (Pech-Pacheco et al. 2000, "Diatom autofocusing in
brightfield microscopy"), grows with contrast and with texture: over the same tiles, its area under the ROC curve
is 0.90 and 0.99 at a blur of 1.0 and 1.5 pixels, where that of this measure is 0.96 and 1.00 (benchmarks/checks.py).
Comparing a picture with a smoothed self is the idea of Crete et al. 2007 ("The blur effect"); the tiles are ours.

    >>> sharpness(np.zeros((267, 400), np.uint8), noise=0.0)
    0.0
"""

import numpy as np

from photojury.collect.checks.scales import Luma, Steps, half, tile_energies

SHARPEST = 10
"""Of the 64 tiles: a sixth of the picture may carry the subject."""

# Squared levels, added below the line: what JPEG and rounding leave in smooth pictures is no sharpness.
_NOTHING = 50.0

# The variance that noise of variance 1 has in second differences, 1^2 + 2^2 + 1^2.
_NOISE_GAIN = 6.0


def sharpness(work: Luma, noise: float) -> float:
    """Energy of fine second differences over that of coarse ones, in the sharpest tiles.

    Args:
        work: (height, width), at least 40 pixels both.
        noise: its standard deviation at this size, in levels; noise is not taken for sharpness.
    """
    fine = work.astype(np.int16)
    coarse = half(fine)
    least = np.inf
    for axis in (0, 1):
        here = max(0.0, _energy(fine, axis) - _NOISE_GAIN * noise**2)
        # Halving averages four pixels: a quarter of the variance is left. `coarse` holds sums, 4 times the mean.
        there = max(0.0, _energy(coarse, axis) / 16 - _NOISE_GAIN * noise**2 / 4)
        least = min(least, here / (there + _NOTHING))
    return float(least)


def _energy(steps: Steps, axis: int) -> float:
    """The mean square of second differences along an axis, in the tiles where it is largest."""
    if axis:
        bends, middle = steps[:, 2:] + steps[:, :-2], steps[:, 1:-1]
    else:
        bends, middle = steps[2:] + steps[:-2], steps[1:-1]
    # In place, twice: half of the time goes into new arrays.
    bends -= middle
    bends -= middle
    return float(np.sort(tile_energies(bends))[-SHARPEST:].mean())
