"""Noise: its standard deviation, told apart from texture.

Takes in luminance at the size that raters see; gives out levels of 255. Noise is measured there, not at the
working size, because every halving takes half of it away, and not in a camera's full resolution, because nobody
sees it there.

Immerkaer's mask (1996, "Fast noise variance estimation", CVIU 64(2)) answers to noise and to fine texture alike: pebbles
and foliage measure 10 to 14. But halving a picture halves white noise, while texture stays. With a at full and
b at half size, a^2 = noise^2 + texture^2 and b^2 = noise^2 / 4 + texture^2, so noise^2 = 4/3 (a^2 - b^2).

    >>> noise(np.full((533, 800), 90, np.uint8))
    0.0
"""

import numpy as np

from photojury.collect.checks.scales import TILES, Luma, Steps, half

QUARTER = TILES * TILES // 4
"""The tile that speaks, of all tiles in the order of their noise: in most pictures a quarter has little texture."""

# Rows that are looked at in the middle of each row of tiles: a quarter of the picture tells what all of it would.
_ROWS = 18

# Immerkaer's equation 3: the mean of |picture * mask| over white noise of deviation 1 is 6 / sqrt(pi / 2).
_PER_LEVEL = np.sqrt(np.pi / 2) / 6


def noise(luma: Luma) -> float:
    """The standard deviation of noise, in levels.

    Args:
        luma: (height, width), at least 160 pixels both.
    """
    strips = _strips(luma)
    fine = _level(strips)
    coarse = _level(half(strips)) / 4  # of sums over four pixels
    return float(np.sqrt(max(0.0, fine**2 - coarse**2) * 4 / 3))


def _strips(luma: Luma) -> Steps:
    """The middle rows of each row of tiles, (TILES, rows, width)."""
    height = len(luma) // TILES
    rows = min(_ROWS, height & ~1)
    start = (height - rows) // 2
    return luma[: height * TILES].reshape(TILES, height, -1)[:, start : start + rows].astype(np.int16)


def _level(strips: Steps) -> float:
    """Immerkaer's estimate in the tile that QUARTER of the tiles stay under."""
    across = strips[..., 2:] + strips[..., :-2]
    across -= strips[..., 1:-1]
    across -= strips[..., 1:-1]
    masked = across[:, 2:] + across[:, :-2]
    masked -= across[:, 1:-1]
    masked -= across[:, 1:-1]
    width = masked.shape[2] // TILES
    # At most 2,040 at each of 16 rows, or 8,160 at 7: the sums fit 16 bits, which is what makes them fast.
    sums = np.abs(masked).view(np.uint16)[..., : width * TILES].sum(axis=1, dtype=np.uint16)
    means = sums.reshape(TILES * TILES, width).sum(axis=1) / (masked.shape[1] * width)
    return float(np.sort(means)[QUARTER] * _PER_LEVEL)
