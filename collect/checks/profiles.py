"""Colour profiles: how much more colour than sRGB's a picture's profile can tell.

Takes in an ICC profile; gives out the area of its primaries' triangle in units of sRGB's: 1.0 for sRGB, about
1.3 for Display P3 and Adobe RGB, 2.9 for ProPhoto. Browsers show such pictures rightly; code that ignores
profiles takes them for paler than they are.

    >>> gamut(None)
    1.0
"""

import functools
import io
from collections.abc import Sequence

from PIL import ImageCms

# CIE 1931 chromaticities, adapted to D50 as ICC profiles have them (IEC 61966-2-1 with the Bradford matrix).
_SRGB = ((0.6484, 0.3309), (0.3212, 0.5979), (0.1559, 0.0660))


@functools.lru_cache(maxsize=64)
def gamut(icc: bytes | None) -> float:
    """The gamut's area over that of sRGB; 1.0 without a profile, or for one that has no primaries (grey, CMYK)."""
    if not icc:
        return 1.0
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
    except OSError:  # a profile that cannot be read is ignored by browsers, too
        return 1.0
    primaries = (profile.red_primary, profile.green_primary, profile.blue_primary)
    if any(primary is None for primary in primaries):
        return 1.0
    # Each primary is ((X, Y, Z), (x, y, Y)).
    return _area([primary[1][:2] for primary in primaries if primary]) / _area(_SRGB)


def _area(corners: Sequence[Sequence[float]]) -> float:
    (ax, ay), (bx, by), (cx, cy) = corners
    return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2
