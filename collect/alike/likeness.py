"""Whether two pictures whose hashes are near are copies: shape and thumbnails tell.

Takes in `Pictures` and rows of it; gives out a `Pair` for each picture that is near a kept one.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photojury.collect.alike.ranking import Pictures
from photojury.collect.alike.thumbnails import SIDE, Thumbnail, thumbnail
from photojury.datasets.store import Study

logger = logging.getLogger(__name__)

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """A picture, the kept one that it is near, and whether it is its copy.

    Attributes:
        distance: bits in which the hashes differ.
        correlation: of the thumbnails.
        copy: whether the picture is a copy and is not kept; else it was found to be another one.
        reason: why it is not kept, in one sentence.
    """

    image_id: str
    other_id: str
    distance: int
    correlation: float
    copy: bool
    reason: str


class Likeness:
    """Compares pictures; holds the thumbnails of one cluster at a time, 4 kB each.

    `progress` is called with the number of thumbnails made so far.

    Attributes:
        made: thumbnails made.
        flat: pictures that show nothing to compare.
        unreadable: pictures whose file is missing or damaged.
    """

    def __init__(self, study: Study, pictures: Pictures, progress: Callable[[int], None]) -> None:
        self._study = study
        self._pictures = pictures
        self._progress = progress
        self._section = study.settings.checks
        self._place: dict[int, int] = {}
        self._thumbnails: npt.NDArray[np.float32] = np.empty((0, 0), np.float32)
        self.made = self.flat = self.unreadable = 0

    def look_at(self, cluster: Rows) -> None:
        """Make the thumbnails of a cluster; those of the one before are let go."""
        self._place = {}
        self._thumbnails = np.empty((len(cluster), SIDE * SIDE), np.float32)
        for row in map(int, cluster):
            made = self._make(row)
            if made is not None:
                self._thumbnails[len(self._place)] = made
                self._place[row] = len(self._place)

    def seen(self, row: int) -> bool:
        """Whether a row of the cluster can be compared."""
        return int(row) in self._place

    def nearest(self, row: int, kept: Rows) -> Pair | None:
        """The best of the kept rows that this one is a copy of, else the one that it is most like, if any is near."""
        pictures = self._pictures
        bits = np.bitwise_count(pictures.hashes[kept] ^ pictures.hashes[row])
        near = bits <= self._section.near_duplicate_distance
        if not near.any():
            return None
        kept, bits = kept[near], bits[near]
        correlations = self._correlations(row, kept)
        alike = (correlations >= self._section.near_duplicate_correlation) & self._same_shape(row, kept)
        alike &= ~self._kin(row, kept)
        copy = bool(alike.any()) and not pictures.spared[row]
        which = int(alike.argmax() if alike.any() else correlations.argmax())
        return self._pair(row, int(kept[which]), int(bits[which]), float(correlations[which]), copy=copy)

    def _correlations(self, row: int, others: Rows) -> npt.NDArray[np.float32]:
        ours = self._thumbnails[self._place[int(row)]]
        theirs = self._thumbnails[[self._place[int(other)] for other in others]]
        correlations: npt.NDArray[np.float32] = theirs @ ours
        return correlations

    def _same_shape(self, row: int, others: Rows) -> npt.NDArray[np.bool_]:
        width, height = self._pictures.sizes[row]
        one = width * self._pictures.sizes[others, 1]
        other = height * self._pictures.sizes[others, 0]
        same: npt.NDArray[np.bool_] = np.minimum(one, other) >= (
            1 - self._section.near_duplicate_aspect
        ) * np.maximum(one, other)
        return same

    def _kin(self, row: int, others: Rows) -> npt.NDArray[np.bool_]:
        """Whether they are pictures of one moment, which series are made of."""
        none: frozenset[str] = frozenset()
        ours = self._pictures.kin.get(int(row), none)
        return np.array([bool(ours & self._pictures.kin.get(int(other), none)) for other in others], bool)

    def _pair(self, row: int, other: int, distance: int, correlation: float, *, copy: bool) -> Pair:
        pictures = self._pictures
        width, height = pictures.sizes[other]
        reason = (
            f"it shows the same as image {pictures.ids[other][:12]} of {width} x {height} pixels: "
            f"hashes {distance} of 64 bits apart, correlation {correlation:.3f}"
        )
        return Pair(pictures.ids[row], pictures.ids[other], distance, round(correlation, 4), copy, reason)

    def _make(self, row: int) -> Thumbnail | None:
        self.made += 1
        self._progress(self.made)
        image, format = self._pictures.ids[row], self._pictures.formats[row]
        try:
            made = thumbnail(self._study.image_path(image, format))
        except (OSError, ValueError, SyntaxError) as error:
            self.unreadable += 1
            logger.warning("image %s cannot be compared with others: %s", image, error)
            return None
        self.flat += made is None
        return made
