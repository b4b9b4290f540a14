"""Exposure: how dark, how light and how flat a picture is.

Takes in luminance at the working size; gives out percentiles. Not means: a night photo with lights, or a subject on
a white ground, is dark or light as a whole and is well exposed.

    >>> exposure(np.full((267, 400), 128, np.uint8)).contrast
    0.0
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from photojury.collect.checks.scales import Luma

# Levels beside 0 and 255 that count as black and white: JPEG moves clipped pixels by as much.
_SLACK = 3


class Exposure(NamedTuple):
    """Luminance, 0 to 255.

    Attributes:
        dark: the 99th percentile: what the lightest part of the picture reaches (cleanvision's is_dark_issue).
        bright: the 5th percentile: what its darkest part stays under.
        clipped: the share of pixels that are black or white.
        contrast: from the 1st to the 99th percentile.
    """

    dark: float
    bright: float
    clipped: float
    contrast: float


def exposure(work: Luma) -> Exposure:
    """Percentiles of (height, width) luminance."""
    counts = Image.fromarray(work).histogram()
    sums = np.cumsum(counts)
    low, dark, light = np.searchsorted(sums, np.array([0.01, 0.05, 0.99]) * work.size)
    clipped = sum(counts[: _SLACK + 1]) + sum(counts[-_SLACK - 1 :])
    return Exposure(float(light), float(dark), clipped / work.size, float(light - low))
