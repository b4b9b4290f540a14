"""Measures: every number that a picture is judged by, from one decode.

Takes in a `Decoded` and its luminance at the working size; gives out rows of `checks` by name. What only few pictures have (alpha, cmyk, profile,
trailing) is left out where there is nothing of it.

    >>> measure(decoded, work(decoded.luma))["blur"]            # doctest: +SKIP
    0.71
"""

from photojury.collect.checks.blur import sharpness
from photojury.collect.checks.borders import framed
from photojury.collect.checks.decoding import Decoded
from photojury.collect.checks.exposure import exposure
from photojury.collect.checks.graphics import drawn
from photojury.collect.checks.noise import noise
from photojury.collect.checks.scales import Luma

ALWAYS = "resolution"
"""A check that every measured picture has."""

MEASURED = (
    *(ALWAYS, "aspect", "dark", "bright", "clipped", "contrast", "graphic", "borders", "noise", "blur"),
    *("alpha", "cmyk", "profile", "trailing"),
)
"""Every check that is a measure of the picture itself."""

# A wider gamut than this is another profile than sRGB: rounding in profiles makes less.
_SRGB = 1.02

# Pixels of the longer side: in smaller pictures, foliage is as fine as noise.
_LONGEST_FOR_NOISE = 640

# Pixels of the shorter side: in narrower pictures, a tile has too few to tell noise, or sharpness.
_LEAST_FOR_NOISE = 160
_LEAST = 40


def measure(decoded: Decoded, work: Luma) -> dict[str, float]:
    """Every measure of a picture, by the name of its check."""
    width, height = decoded.facts.width, decoded.facts.height
    found = {ALWAYS: float(min(width, height)), "aspect": max(width, height) / min(width, height)}
    found |= _seen(decoded.luma, work)
    rare = {
        "alpha": decoded.alpha,
        "cmyk": float(decoded.cmyk),
        "profile": decoded.gamut if decoded.gamut > _SRGB else 0.0,
        "trailing": float(decoded.trailing),
    }
    return found | {name: value for name, value in rare.items() if value}


def _seen(luma: Luma, work: Luma) -> dict[str, float]:
    """What the pixels tell; sharpness and noise not of pictures that are too small for it."""
    frame = framed(work)
    light = exposure(frame.inner)
    found = {
        "dark": light.dark,
        "bright": light.bright,
        "clipped": light.clipped,
        "contrast": light.contrast,
        "graphic": drawn(frame.inner),
        "borders": frame.share,
    }
    level = 0.0
    if max(luma.shape) >= _LONGEST_FOR_NOISE and min(luma.shape) >= _LEAST_FOR_NOISE:
        level = found["noise"] = noise(luma)
    if min(work.shape) >= _LEAST:
        # Means over pixels weaken white noise as much as they shorten the sides.
        found["blur"] = sharpness(work, level * work.shape[1] / luma.shape[1])
    return found
