"""What if some raters were left out: the scores and how sure they are, with them and without.

Takes in ratings and rater ids; gives out two summaries and one row per image. Nothing is excluded by looking.

    >>> import pandas as pd
    >>> rows = [(image, rater, value) for image, values in {"a": (1, 1, 3), "b": (3, 3, 1)}.items()
    ...         for rater, value in zip("xyz", map(float, values))]
    >>> found = what_if(pd.DataFrame(rows, columns=["image_id", "rater_id", "value"]), ["z"], scale=(1, 3), seed=1)
    >>> found.images[["image_id", "before", "after"]].round(2).values.tolist()
    [['a', 1.67, 1.0], ['b', 2.33, 3.0]]
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from photojury.analysis import agreement
from photojury.analysis.metrics import srcc
from photojury.analysis.scores.mos import mos
from photojury.analysis.subsets import drawn
from photojury.errors import InputError

MOST = 10_000
"""Images on which reliability is estimated at most."""


@dataclass(frozen=True)
class Summary:
    """Ratings in figures.

    Attributes:
        ratings, raters, images: how many.
        standard_error: mean over images with two ratings or more; NaN without any.
        correlation: of two ratings of one image, ICC(1); NaN where it cannot be had.
        reliability: of the mean of an image's ratings, ICC(1, k).
    """

    ratings: int
    raters: int
    images: int
    standard_error: float
    correlation: float
    reliability: float


@dataclass(frozen=True)
class WhatIf:
    """With everybody, and without some.

    Attributes:
        before, after: the summaries.
        images: image_id, before, after, change (of the mean opinion score), n_before, n_after; by absolute change,
            the largest first; only images that are left.
        lost: images that nobody else rated.
        srcc: Spearman's correlation of the scores before and after.
    """

    before: Summary
    after: Summary
    images: pd.DataFrame
    lost: int
    srcc: float


def what_if(ratings: pd.DataFrame, raters: Sequence[str], *, scale: tuple[float, float], seed: int) -> WhatIf:
    """Compare the scores of all with those without some raters.

    Args:
        ratings: columns image_id, rater_id, value.
        raters: whose ratings to leave out.
        scale: worst and best level.
        seed: of the images drawn for the reliability, where there are more than 10,000.

    Raises:
        InputError: nobody is left.
    """
    rest = ratings[~ratings["rater_id"].isin(raters)]
    if rest.empty:
        raise InputError("without these raters no rating is left; choose fewer")
    before, after = mos(ratings, scale=scale), mos(rest, scale=scale)
    both = before[["image_id", "score", "n"]].merge(
        after[["image_id", "score", "n"]], on="image_id", suffixes=("_before", "_after")
    )
    images = pd.DataFrame(
        {
            "image_id": both["image_id"],
            "before": both["score_before"],
            "after": both["score_after"],
            "change": both["score_after"] - both["score_before"],
            "n_before": both["n_before"],
            "n_after": both["n_after"],
        }
    )
    order = np.argsort(-images["change"].abs().to_numpy(), kind="stable")
    return WhatIf(
        _summary(ratings, before, seed),
        _summary(rest, after, seed),
        images.iloc[order].reset_index(drop=True),
        len(before) - len(images),
        srcc(images["before"], images["after"]) if len(images) > 1 else float("nan"),
    )


def _summary(ratings: pd.DataFrame, scores: pd.DataFrame, seed: int) -> Summary:
    try:
        found = agreement.icc(drawn(ratings, "image_id", most=MOST, seed=seed))
        correlation, reliability = found.single, found.average
    except InputError:
        correlation = reliability = float("nan")
    return Summary(
        len(ratings),
        int(ratings["rater_id"].nunique()),
        len(scores),
        float(scores["standard_error"].mean()),
        correlation,
        reliability,
    )
