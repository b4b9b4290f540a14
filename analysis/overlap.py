"""Overlap: whether raters share images, without which nothing can tell a mild rater from good images.

Takes in integer codes of raters and images, one for each rating; gives out how many groups fall apart and who gave one
rating only.

    >>> import numpy as np
    >>> found = overlap(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]))
    >>> found.groups, found.single
    (2, 2)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """The graph of raters and the images that they rated.

    Attributes:
        raters, images: how many there are.
        groups: of raters and images that no rating joins; 1 is one whole.
        single: raters of one rating, whose bias is not known apart from the image.
    """

    raters: int
    images: int
    groups: int
    single: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """What follows for scores that take raters' biases off."""
        said = []
        if self.groups > 1:
            said.append(
                f"the raters fall into {self.groups} groups that share no image: a group's bias cannot be told from its "
                "images, so scores of different groups cannot be compared"
            )
        if self.single:
            said.append(
                f"{self.single} of {self.raters} raters gave one rating, whose bias cannot be told from the image"
            )
        return tuple(said)


def overlap(raters: IntArray, images: IntArray) -> Overlap:
    """Look at the graph of at least one rating; codes count from 0 without a gap."""
    n_raters, n_images = int(raters.max()) + 1, int(images.max()) + 1
    ends = (raters, n_raters + images)
    size = n_raters + n_images
    graph = sparse.coo_array((np.ones(raters.size, dtype=np.int8), ends), shape=(size, size))
    groups, _ = connected_components(graph, directed=False)
    single = int((np.bincount(raters, minlength=n_raters) == 1).sum())
    return Overlap(n_raters, n_images, int(groups), single)
