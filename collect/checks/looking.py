"""Looking at a picture once: its facts, its measures and its perceptual hash from one decode.

Takes in a file's bytes; gives out a `Look`, or raises `Unusable` for what raters cannot be shown.

    >>> look(data, limits).measures["blur"]         # doctest: +SKIP
    0.71
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from photojury.collect.checks.decoding import decode
from photojury.collect.checks.hashing import phash
from photojury.collect.checks.measures import measure
from photojury.collect.checks.scales import work as at_working_size
from photojury.datasets.images import ImageFacts
from photojury.sections import CollectSection

VERSION = 1
"""Of the measures; written beside every value."""

# The C library gives freed blocks back to the system beyond twice the largest that was ever freed (mallopt(3),
# M_MMAP_THRESHOLD). Without this line, every array here is paged in anew: a fifth of the time.
np.empty(2 << 20, np.uint8)


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
    decoded = decode(data, limits)
    work = at_working_size(decoded.luma)
    return Look(decoded.facts, measure(decoded, work), phash(work, decoded.orientation))
