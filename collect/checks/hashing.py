"""Perceptual hash: 64 bits that stay the same, or nearly, when a picture is made smaller or compressed anew.

Takes in luminance; gives out imagehash's phash (Krawetz, "Looks Like It") as 16 hexadecimal digits: bit for bit
that of `small`'s 32 x 32 pixels, and within 2 bits that of the file, in a fraction of the time. It is taken of the picture as shown, turned as EXIF says, so that a
copy whose pixels were turned has the same hash.

    >>> phash(work, orientation=1)                  # doctest: +SKIP
    'd7d39278b09c3c68'
"""

import numpy as np
import scipy.fft
from PIL import Image

from photojury.collect.checks.scales import Luma

_HASHED = 32
# How many times larger than that the picture may still be when it is resampled properly.
_GAP = 2.0
_KEPT = 8

# What EXIF's orientation asks for (CIPA DC-008, tag 0x0112), as Pillow's exif_transpose does it.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def phash(work: Luma, orientation: int) -> str:
    """The hash of (height, width) luminance that EXIF turns by `orientation`, 1 to 8."""
    grey = Image.fromarray(work)
    if orientation in _TURNS:
        grey = grey.transpose(_TURNS[orientation])
    pixels = np.asarray(small(grey))
    waves = scipy.fft.dct(scipy.fft.dct(pixels, axis=0), axis=1)[:_KEPT, :_KEPT].ravel()
    ordered = np.sort(waves)
    middle = (ordered[_KEPT * _KEPT // 2 - 1] + ordered[_KEPT * _KEPT // 2]) / 2
    return np.packbits(waves > middle).tobytes().hex()


def small(grey: Image.Image) -> Image.Image:
    """The 32 x 32 pixels that are hashed; resampled from the full size they cost five times as much."""
    return grey.resize((_HASHED, _HASHED), Image.Resampling.LANCZOS, reducing_gap=_GAP)
