"""Decoding: the one decode that every measure of a picture is taken from.

Takes in a file's bytes; gives out its facts and its luminance at the size at which raters see it. Colours are not
decoded: no measure needs them, and they cost a third of the time.

    >>> decode(data, limits).luma.shape             # doctest: +SKIP
    (533, 800)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import ExifTags, Image, ImageFile

from photojury.collect.checks.containers import MAX_SCANS, scans, trailing
from photojury.collect.checks.profiles import gamut
from photojury.datasets.images import ImageFacts, Unusable, facts_of, opened, to_rgb
from photojury.sections import CollectSection

Luma = npt.NDArray[np.uint8]

SHOWN_SIDE = 800
"""Pixels: pictures are halved while their longer side stays at least this long. It is about what raters are shown,
and what the sources send (Flickr's sizes are 640, 800 and 1024)."""

# libjpeg halves while it decodes, three times at most.
_MOST_HALVING = 8

# Pixels that are converted at once.
_STRIP = 4_000_000


@dataclass(frozen=True)
class Decoded:
    """A picture's facts and luminance.

    Attributes:
        luma: (height, width), Rec. 601 luminance as stored: not turned by EXIF; transparency on white.
        orientation: EXIF's, 1 to 8; 1 is upright.
        alpha: share of the pixels that can be seen through, 0 to 1.
        gamut: of its colour profile, in areas of sRGB's.
        trailing: bytes after the picture's end.
    """

    facts: ImageFacts
    luma: Luma
    orientation: int
    alpha: float
    gamut: float
    cmyk: bool
    trailing: int


def decode(data: bytes, limits: CollectSection) -> Decoded:
    """Decode a picture once; all of its bytes are read, so that damage anywhere is found.

    Raises:
        Unusable: it is no picture that raters can be shown.
    """
    with opened(data, max_megapixels=limits.max_megapixels, min_side=limits.min_side) as picture:
        facts = facts_of(picture, data)
        jpeg = facts.format == "jpeg"
        luma, alpha = _from_jpeg(picture, data) if jpeg else _luma(picture)
        return Decoded(
            facts,
            luma,
            orientation=picture.getexif().get(ExifTags.Base.Orientation, 1),
            alpha=alpha,
            gamut=gamut(picture.info.get("icc_profile")),
            cmyk=picture.mode == "CMYK",
            # What follows the first picture of an MPO is its others.
            trailing=0 if picture.format == "MPO" else trailing(data, facts.format),
        )


def _from_jpeg(picture: ImageFile.ImageFile, data: bytes) -> tuple[Luma, float]:
    """As `_luma`, strictly decoded: Pillow, OpenCV and browsers accept bytes that were changed in mid-file in silence."""
    if "progressive" in picture.info and scans(data) > MAX_SCANS:
        raise Unusable("damaged", f"it has more than {MAX_SCANS} scans, which no camera or editor writes")
    whole = _halving(picture.size)
    factor = min(whole, _MOST_HALVING)
    size = {"min_height": -(-picture.height // factor), "min_width": -(-picture.width // factor)}
    if picture.mode == "CMYK":
        # Only Pillow knows Adobe's inverted CMYK; the strict decoder looks for damage.
        simplejpeg.decode_jpeg(data, "CMYK", strict=True, **size)
        return _luma(picture)
    luma: Luma = simplejpeg.decode_jpeg(data, "GRAY", strict=True, **size)[:, :, 0]
    if factor < whole:
        luma = _shrunk(Image.fromarray(luma), whole // factor)
    return luma, 0.0  # nothing of a JPEG can be seen through


def _luma(picture: Image.Image) -> tuple[Luma, float]:
    """Luminance on white, and the share of pixels that can be seen through.

    Taken in strips: conversions of a whole picture of 49 megapixels take 0.7 GB more.
    """
    picture.load()
    factor = _halving(picture.size)
    rows = max(1, _STRIP // picture.width // factor) * factor
    strips, clear = [], 0
    for top in range(0, picture.height, rows):
        part = picture.crop((0, top, picture.width, min(top + rows, picture.height)))
        if _transparent(part):
            clear += part.width * part.height - part.convert("RGBA").getchannel("A").histogram()[255]
        strips.append(_shrunk(to_rgb(part).convert("L"), factor))
    return np.concatenate(strips), clear / (picture.width * picture.height)


def _shrunk(grey: Image.Image, factor: int) -> Luma:
    return np.asarray(grey.reduce(factor) if factor > 1 else grey)


def _transparent(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _halving(size: tuple[int, int]) -> int:
    """1, 2, 4, ...: by how much a picture is made smaller."""
    return 1 << (max(size) // SHOWN_SIDE).bit_length() - 1 if max(size) >= SHOWN_SIDE else 1
