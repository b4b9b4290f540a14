"""Borders: frames and letterboxes, the even bars along opposite sides of a picture.

Takes in luminance at the working size; gives out the share of the picture's area that such bars take, and what they
frame, since a black bar is no underexposure. A bar is even
in itself, has a counterpart of the same luminance at the opposite side, and ends at once along most of its
length: a black sky, or a subject on white, does not.

    >>> bars = np.full((200, 400), 120, np.uint8) + np.arange(400, dtype=np.uint8) % 9 * 12
    >>> bars[:30] = bars[-30:] = 0
    >>> framed(bars).share, framed(bars).inner.shape
    (0.3, (140, 400))
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from photojury.collect.checks.scales import Luma

# Levels between the lightest and the darkest pixel of an even row; JPEG leaves less.
_EVEN = 12

# Levels by which pixels behind a bar differ from it, and the share of them that must.
_DIFFERENT = 8
_AT_ONCE = 0.5

# Pixels: less between bars is judged with them.
_LEAST = 16


class Framed(NamedTuple):
    """The share of the area that bars take, 0 to 1, and the luminance of what is between them."""

    share: float
    inner: Luma


def framed(work: Luma) -> Framed:
    """Looks for bars above and below, left and right, or both."""
    free = 1.0
    inner = work
    # A frame's left bar is even only between its upper and lower bars, so these are taken off first.
    for turned in (False, True):
        lines = inner.T if turned else inner
        first, last = _bars(lines)
        free *= 1 - (first + last) / len(lines)
        inner = lines[first : len(lines) - last]
        inner = inner.T if turned else inner
    # A line or two between bars are no picture to be looked at.
    return Framed(round(1 - free, 6), inner if min(inner.shape) >= _LEAST else work)


def _bars(lines: Luma) -> tuple[int, int]:
    """How many lines the first and the last bar have; 0, 0 where either is none."""
    edges = lines[[0, -1]]
    if edges.max() - edges.min() > _EVEN:
        return 0, 0
    even = lines.max(axis=1) - lines.min(axis=1) <= _EVEN
    if even.all():
        return 0, 0
    first, last = int(np.argmin(even)), int(np.argmin(even[::-1]))
    return (first, last) if _ends(lines, first) and _ends(lines[::-1], last) else (0, 0)


def _ends(lines: Luma, bar: int) -> bool:
    """Whether a bar ends at once: in the second line behind it, since the first may mix both."""
    behind: npt.NDArray[np.int16] = lines[min(bar + 1, len(lines) - 1)].astype(np.int16)
    different = np.abs(behind - int(np.median(lines[0]))) > _DIFFERENT
    return bool(different.mean() >= _AT_ONCE)
