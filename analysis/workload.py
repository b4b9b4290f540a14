"""Who did how much: how the ratings spread over images, raters and levels, before anything is made of them.

Takes in ratings with rater ids; gives out a `Workload`, and the Lorenz curve of the raters' shares.

    >>> import pandas as pd
    >>> ratings = pd.DataFrame({"image_id": list("abab"), "rater_id": list("xxxy"), "value": [1.0, 2.0, 1.0, 1.0]})
    >>> found = workload(ratings.drop_duplicates(["image_id", "rater_id"]))
    >>> found.images, found.raters, found.ratings_a_rater
    (2, 2, (1.0, 1.5, 2.0))
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import votes as votes_module
from photojury.analysis.overlap import overlap
from photojury.errors import require_columns

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Workload:
    """How the ratings of one task are spread.

    Attributes:
        ratings, images, raters: how many.
        ratings_an_image, ratings_a_rater: smallest, median and largest number.
        gini: of the raters' loads; 0 where all did the same, near 1 where one did all (Gini 1912).
        half: the fewest raters who together gave half of the ratings.
        repeated: ratings beyond the first that a rater gave the same image.
        missing: share of all pairs of an image and a rater without a rating; what a dense table would hold of nothing.
        groups: of raters and images that no rating joins.
        effective_levels: exp of the entropy of the answers: as many levels, used alike, would be as informative.
    """

    ratings: int
    images: int
    raters: int
    ratings_an_image: tuple[float, float, float]
    ratings_a_rater: tuple[float, float, float]
    gini: float
    half: int
    repeated: int
    missing: float
    groups: int
    effective_levels: float


def workload(ratings: pd.DataFrame, *, attribute: str = "overall") -> Workload:
    """Spread of the ratings over images, raters and levels.

    Args:
        ratings: image_id, rater_id, value (attribute where there are several).

    Raises:
        InputError: a missing column or a broken value.
    """
    require_columns(ratings.columns, ["image_id", "rater_id", "value"], "ratings")
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    raters, _ = pd.factorize(votes.frame["rater_id"])
    of_image, of_rater = votes.counts(), np.bincount(raters)
    cells = pd.unique(votes.codes * of_rater.size + raters).size
    curve = lorenz(of_rater)
    shared = overlap(raters.astype(np.int64), votes.codes)
    return Workload(
        ratings=votes.values.size,
        images=of_image.size,
        raters=of_rater.size,
        ratings_an_image=_three(of_image),
        ratings_a_rater=_three(of_rater),
        gini=float(1 - 2 * np.trapezoid(curve["share_of_ratings"], curve["share_of_raters"])),
        half=int((np.cumsum(np.sort(of_rater)[::-1]) < votes.values.size / 2).sum()) + 1,
        repeated=votes.values.size - cells,
        missing=1 - cells / (of_image.size * of_rater.size),
        groups=shared.groups,
        effective_levels=float(np.exp(stats.entropy(np.unique(votes.values, return_counts=True)[1]))),
    )


def lorenz(loads: IntArray) -> pd.DataFrame:
    """The Lorenz curve: share_of_raters, the least busy first, and share_of_ratings that they gave; from 0 to 1."""
    ordered = np.concatenate([[0], np.cumsum(np.sort(loads))])
    return pd.DataFrame(
        {
            "share_of_raters": np.arange(ordered.size) / (ordered.size - 1),
            "share_of_ratings": ordered / ordered[-1],
        }
    )


def _three(counts: IntArray) -> tuple[float, float, float]:
    return float(counts.min()), float(np.median(counts)), float(counts.max())
