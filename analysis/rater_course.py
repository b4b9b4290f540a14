"""How a rater changes in the course of a study: a sudden change of how high he rates, and what practice does to all.

Takes in ratings in the order they were given; gives out one row per rater (`changes`) and two slopes (`learning`). The
control charts that show the same while it happens are in photojury.analysis.raters.

    >>> import pandas as pd
    >>> rows = [("x", f"i{k:02d}", 2.0 + (k >= 20) + k % 3 / 10) for k in range(40)]
    >>> rows += [("y", f"i{k:02d}", 2.0 + k % 2 / 10) for k in range(40)]
    >>> found = changes(pd.DataFrame(rows, columns=["rater_id", "image_id", "value"]))
    >>> found.loc[found["rater_id"] == "x", ["after", "before_mean", "after_mean"]].round(1).values.tolist()
    [[20.0, 0.0, 1.1]]
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import votes as votes_module
from photojury.analysis.consistency import adjusted
from photojury.errors import InputError, require_columns

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEAST = 20
"""Ratings that a rater needs for a test of change; the test's distribution is that of many."""


@dataclass(frozen=True)
class Slope:
    """What the ratings do on log(order), within raters.

    Attributes:
        slope: change for each unit of the natural logarithm of the rating's number (0.69 for twice as many).
        standard_error, low, high (95 %, t over raters): robust to ratings of one rater, and of one image, hanging
            together.
        p: two-sided; n: ratings; raters: with two of them or more.
    """

    slope: float
    standard_error: float
    low: float
    high: float
    p: float
    n: int
    raters: int


@dataclass(frozen=True)
class Learning:
    """What practice does.

    Attributes:
        error: of the absolute residual (rating less the mean of the others' of that image): below 0 they get better.
        time: of the logarithm of the seconds: below 0 they get faster; None where no times are known.
    """

    error: Slope
    time: Slope | None


def changes(ratings: pd.DataFrame, *, attribute: str = "overall") -> pd.DataFrame:
    """Whether a rater suddenly became stricter or milder, and when: the CUSUM test of Ploberger and Kraemer (1992).

    The largest absolute cumulative sum of his residuals (rating less the mean of the others' of that image, less his
    own mean residual) over s sqrt(n) is that of a Brownian bridge if nothing changed; Kolmogorov's distribution.

    Args:
        ratings: rater_id, image_id, value; in the order given, or with submitted_at and position_in_hit to sort by.

    Returns:
        rater_id, n, after (how many ratings came before the change, if there was one), before_mean, after_mean (of
        the residuals), p, p_adjusted (Benjamini-Hochberg over raters); only raters with 20 ratings of images that
        others rated; p is NaN where all his residuals are equal.

    Raises:
        InputError: a missing column or a broken value.
    """
    raters, _, residual, ids, _ = _residuals(ratings, attribute)
    n = np.bincount(raters, minlength=len(ids))
    order = np.argsort(raters, kind="stable")
    raters, residual = raters[order], residual[order]
    total = np.bincount(raters, residual, len(ids))
    centred = residual - (total / np.maximum(n, 1))[raters]
    starts = np.cumsum(n) - n
    path = np.cumsum(centred)
    path -= np.concatenate([[0.0], path])[starts][raters]
    spread = np.sqrt(np.bincount(raters, centred**2, len(ids)) / np.maximum(n - 1, 1))
    table = pd.DataFrame(
        {"rater": raters, "far": np.abs(path), "place": np.arange(path.size) - starts[raters] + 1}
    )
    widest = table.loc[table.groupby("rater")["far"].idxmax()].set_index("rater").reindex(range(len(ids)))
    after = widest["place"].to_numpy(dtype=np.float64)
    before = np.bincount(raters, residual * (table["place"] <= after[raters]), len(ids))
    with np.errstate(invalid="ignore", divide="ignore"):
        p = stats.kstwobign.sf(widest["far"].to_numpy(dtype=np.float64) / (spread * np.sqrt(n)))
        found = pd.DataFrame({"rater_id": ids, "n": n, "after": after, "before_mean": before / after})
        found["after_mean"] = (total - before) / (n - after)
    found["p"] = np.where(spread > 1e-9, p, np.nan)
    found = found[found["n"] >= LEAST].reset_index(drop=True)
    return found.assign(p_adjusted=adjusted(found["p"].to_numpy(dtype=np.float64), "bh"))


def learning(ratings: pd.DataFrame, *, attribute: str = "overall") -> Learning:
    """Whether raters get more exact and faster with practice: slopes on log(order), each rater at his own level.

    Args:
        ratings: rater_id, image_id, value; milliseconds where they are known; order as in `changes`.

    Raises:
        InputError: a missing column, a broken value, or fewer than two raters with two ratings of images that others
            rated.
    """
    raters, images, residual, ids, frame = _residuals(ratings, attribute)
    error = _slope(raters, images, np.abs(residual), len(ids))
    if "milliseconds" not in frame:
        return Learning(error, None)
    time = pd.to_numeric(frame["milliseconds"]).to_numpy(dtype=np.float64)
    known = time > 0
    if len(np.unique(raters[known])) < 2:
        return Learning(error, None)
    return Learning(error, _slope(raters[known], images[known], np.log(time[known]), len(ids)))


def _residuals(
    ratings: pd.DataFrame, attribute: str
) -> tuple[IntArray, IntArray, FloatArray, "pd.Index[str]", pd.DataFrame]:
    """Rater codes, image codes, residuals, rater ids and rows, of ratings whose images others rated, in order."""
    require_columns(ratings.columns, ["rater_id", "image_id", "value"], "ratings")
    keys = [name for name in ("submitted_at", "position_in_hit") if name in ratings]
    in_order = ratings.sort_values(keys, kind="stable") if keys else ratings
    votes = votes_module.of_ratings(in_order, attribute=attribute)
    n = votes.counts()[votes.codes]
    shared = n > 1
    others = (votes.means()[votes.codes] * n - votes.values)[shared] / (n[shared] - 1)
    codes, ids = pd.factorize(votes.frame["rater_id"][shared], sort=True)
    residual = votes.values[shared] - others
    return codes.astype(np.int64), votes.codes[shared], residual, ids, votes.frame[shared]


def _slope(raters: IntArray, images: IntArray, y: FloatArray, count: int) -> Slope:
    """Least squares on log(order) within raters, with the sandwich of clusters (Arellano 1987): raters and images, less
    single ratings, which are in both (Cameron, Gelbach and Miller 2011).

    An image that divides people makes the residuals of all its raters large, and they meet it at about the same time.
    """
    x = np.log(pd.Series(raters).groupby(raters).cumcount().to_numpy() + 1.0)
    n = np.bincount(raters, minlength=count)
    x, y = (values - (np.bincount(raters, values, count) / np.maximum(n, 1))[raters] for values in (x, y))
    clusters, square = int((n > 1).sum()), float(x @ x)
    if clusters < 2:
        raise InputError(
            "ratings: learning shows only where two raters or more have two ratings of shared images"
        )
    slope = float(x @ y) / square
    pulls = x * (y - slope * x)
    pull, of_image = np.bincount(raters, pulls, count), np.bincount(images, pulls)
    shared = max(0.0, float(of_image @ of_image) - float(pulls @ pulls))
    error = float(np.sqrt((pull @ pull) * clusters / (clusters - 1) + shared)) / square
    reach = float(stats.t.ppf(0.975, clusters - 1)) * error
    p = float(2 * stats.t.sf(abs(slope) / error, clusters - 1)) if error > 0 else float("nan")
    return Slope(slope, error, slope - reach, slope + reach, p, int(n.sum()), clusters)
