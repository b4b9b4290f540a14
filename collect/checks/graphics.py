"""Graphics: how much a picture looks drawn rather than photographed.

Takes in luminance at the working size, without its frame; gives out 0 to 1. What is drawn is even, with hard edges: most neighbours
are alike, and what difference there is lies in large steps. The measure is the product of both shares, and photos
(a night sky, a white wall) have at most one of them.

Counting colours, as is common, takes night photos and black-and-white photos for graphics: its area under the ROC
curve is 0.97 in colour and 0.93 in grey, where that of this measure is 1.00 (benchmarks/checks.py).

    >>> drawn(np.full((267, 400), 128, np.uint8))
    0.0
"""

import numpy as np
from PIL import Image

from photojury.collect.checks.scales import Luma

ALIKE = 2
"""Levels: neighbours that differ by no more are alike; JPEG at quality 75 leaves as much in even areas."""

HARD = 32
"""Levels: a step between neighbours that is as large is an edge."""

_LEVELS = np.arange(256)


def drawn(work: Luma) -> float:
    """The share of neighbours that are alike, times the share of the whole climb, up and down, that is done in edges."""
    if min(work.shape) < 2:
        return 0.0
    counts = np.zeros(256)
    for here, there in ((work[:, 1:], work[:, :-1]), (work[1:], work[:-1])):
        steps = np.maximum(here, there) - np.minimum(here, there)
        counts += Image.fromarray(steps).histogram()
    climbed = counts * _LEVELS
    if not climbed.any():
        return 0.0
    return float(counts[: ALIKE + 1].sum() / counts.sum() * climbed[HARD:].sum() / climbed.sum())
