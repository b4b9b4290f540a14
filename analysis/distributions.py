"""What people answered: counts of each level, centre and spread, per image or per pair.

Takes in ratings (or comparisons), gives out one row per image (or pair); from that, the tables behind
paper 1's Figure 2 (deviation by mean, rating histograms by bin of the mean).

    >>> import pandas as pd
    >>> ratings = pd.DataFrame({"image_id": ["a"] * 10, "value": [1.0] * 9 + [2.0]})
    >>> table = image_distributions(ratings, levels=(1, 2, 3))
    >>> table[["count_1", "count_2", "count_3"]].iloc[0].tolist()
    [9, 1, 0]
    >>> table[["mean", "sd", "mad"]].iloc[0].round(2).tolist()
    [1.1, 0.3, 0.18]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photojury.analysis import votes as votes_module
from photojury.analysis.votes import MOST_LEVELS, Votes
from photojury.errors import InputError, require_columns

Deviation = Literal["sd", "sd1", "mad"]
DEVIATIONS: dict[Deviation, str] = {
    "sd": "standard deviation, dividing by n",
    "sd1": "standard deviation, dividing by n - 1",
    "mad": "mean absolute deviation from the mean",
}
"""Paper 1 does not say which its "deviation" is; its two scales' ratio of 2 rules the variance out."""


@dataclass(frozen=True)
class Spread:
    """The mean deviation over images or pairs, as paper 1 (section 3.2) prints it.

    Attributes:
        deviation: sd, sd1 or mad.
        mean: mean deviation; NaN where no item has one.
        standard_error: of that mean, over items; NaN below two items.
        n: items that have a deviation (for sd1, those with two answers or more).
    """

    deviation: str
    mean: float
    standard_error: float
    n: int


def image_distributions(
    ratings: pd.DataFrame, *, levels: Sequence[float] | None = None, attribute: str = "overall"
) -> pd.DataFrame:
    """One row per image.

    Args:
        ratings: columns image_id and value (and attribute, where there are several).
        levels: the scale, worst first; None takes the whole numbers from the smallest to the largest
            value, or the values themselves where one is not whole.
        attribute: the attribute that is read.

    Returns:
        image_id, n, `count_<level>` for each level, mean, median, sd (divides by n), sd1 (by n - 1; NaN
        for n = 1), mad (mean absolute deviation from the mean), entropy (nats).

    Raises:
        InputError: a missing column, an empty table, a value that is missing or no level.
    """
    votes = votes_module.of_ratings(ratings, attribute=attribute)
    scale = _levels(votes.values) if levels is None else np.unique(np.asarray(levels, dtype=np.float64))
    return _summarise(votes, scale, "ratings")


def counted_distributions(counts: pd.DataFrame, levels: Mapping[str, float]) -> pd.DataFrame:
    """One row per image, from a table that already counts each level, as AVA and KonIQ-10k are published.

    Args:
        counts: image_id, and a column of whole numbers for each level.
        levels: the level that each column counts: {"n1": 1, "n2": 2, ...}.

    Returns:
        as `image_distributions`; sorted by image_id.

    Raises:
        InputError: a missing column, an image that stands there twice or has no rating, a count that is negative or
            not whole.
    """
    require_columns(counts.columns, ["image_id", *levels], "the table of counts")
    columns = sorted(levels, key=lambda name: levels[name])
    table = counts.sort_values("image_id", ignore_index=True)
    if table["image_id"].duplicated().any():
        twice = table["image_id"][table["image_id"].duplicated()].iloc[0]
        raise InputError(f"the table of counts: image {twice} stands in it twice; drop one row")
    number = table[columns].to_numpy(dtype=np.float64, na_value=np.nan)
    broken = ~((number >= 0) & (number < 2**53) & (number == np.floor(number))).all(axis=1) | (
        number.sum(axis=1) == 0
    )
    if broken.any():
        image = table["image_id"][broken].iloc[0]
        raise InputError(
            f"the table of counts: image {image} has a count that is missing, negative or not whole, or no rating "
            f"at all ({int(broken.sum())} such rows); correct or drop it"
        )
    return _counted(
        table[["image_id"]],
        number.astype(np.int64),
        np.array([levels[name] for name in columns], dtype=np.float64),
    )


def pair_distributions(
    comparisons: pd.DataFrame, *, task: str = "five_level", levels: Sequence[float] = (-2, -1, 0, 1, 2)
) -> pd.DataFrame:
    """One row per pair, unordered; columns as in `image_distributions`, with first_id and second_id.

    Positive values mean that `first_id` is better. A pair that was asked in both orders is one row.
    """
    votes = votes_module.of_comparisons(comparisons, task=task, levels=levels)
    return _summarise(votes, np.unique(np.asarray(levels, dtype=np.float64)), task)


def mean_deviation(table: pd.DataFrame, *, deviation: Deviation = "sd") -> Spread:
    """Mean deviation over the rows of a distribution table (paper 1: 0.457 global, 0.776 pairwise)."""
    values = _deviations(table, deviation).dropna().to_numpy(dtype=np.float64)
    if not values.size:
        return Spread(deviation, np.nan, np.nan, 0)
    error = float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("nan")
    return Spread(deviation, float(values.mean()), error, values.size)


def deviation_by_mean(
    table: pd.DataFrame, edges: Sequence[float], *, deviation: Deviation = "sd", below: float = 0.2
) -> pd.DataFrame:
    """The deviations in bins of the mean (paper 1, Figure 2).

    Args:
        table: from `image_distributions` or `pair_distributions`.
        edges: rising bin limits; a bin holds low <= mean < high, the last one its high as well.
        deviation: sd, sd1 or mad.
        below: the paper says that over 30 % of images with a mean under 1.5 have a deviation below 0.2.

    Returns:
        low, high, n (items with a deviation), mean_deviation, median_deviation, share_below; NaN in
        an empty bin. Means outside all bins are not counted.
    """
    values = _deviations(table, deviation)
    known = values.notna().to_numpy()
    deviations = values.to_numpy(dtype=np.float64)[known]
    bins, limits = _bins(table["mean"].to_numpy(dtype=np.float64)[known], edges)
    rows = []
    for number in range(len(limits) - 1):
        inside = deviations[bins == number]
        rows.append(
            {
                "low": limits[number],
                "high": limits[number + 1],
                "n": inside.size,
                "mean_deviation": inside.mean() if inside.size else np.nan,
                "median_deviation": np.median(inside) if inside.size else np.nan,
                "share_below": (inside < below).mean() if inside.size else np.nan,
            }
        )
    return pd.DataFrame(rows)


def histograms_by_mean(table: pd.DataFrame, edges: Sequence[float]) -> pd.DataFrame:
    """How the answers spread over the levels, in bins of the mean.

    Returns:
        low, high, n (items), answers, and `share_<level>` (of the answers; NaN in an empty bin).
    """
    counts = [column for column in table.columns if column.startswith("count_")]
    require_columns(table.columns, ["mean"], "the distribution table")
    bins, limits = _bins(table["mean"].to_numpy(dtype=np.float64), edges)
    inside = bins >= 0
    sizes = len(limits) - 1
    result = pd.DataFrame(
        {"low": limits[:-1], "high": limits[1:], "n": np.bincount(bins[inside], minlength=sizes)}
    )
    totals = np.stack(
        [np.bincount(bins[inside], table[column].to_numpy()[inside], sizes) for column in counts], axis=1
    )
    answers = totals.sum(axis=1)
    result["answers"] = answers.astype(np.int64)
    shares = totals / np.where(answers > 0, answers, np.nan)[:, None]
    for column, share in zip(counts, shares.T, strict=True):
        result[column.replace("count_", "share_", 1)] = share
    return result


def mean_edges(low: float, high: float, bins: int) -> list[float]:
    """Equal bins of the mean from low to high, with limits as one would write them (0.2, not 0.2000...01)."""
    return [round(float(edge), 9) for edge in np.linspace(low, high, bins + 1)]


def level_name(level: float) -> str:
    """A level as it stands in a column's name: count_1, count_-2, count_2.5."""
    return f"{level:g}"


def _levels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if (values == np.floor(values)).all() and np.ptp(values) < MOST_LEVELS:
        return np.arange(values.min(), values.max() + 1)
    levels: NDArray[np.float64] = np.unique(values)
    if levels.size > MOST_LEVELS:
        raise InputError(f"{levels.size} different values are no rating scale; round them to its levels")
    return levels


def _summarise(votes: Votes, levels: NDArray[np.float64], name: str) -> pd.DataFrame:
    at = np.searchsorted(levels, votes.values).clip(0, levels.size - 1)
    off = levels[at] != votes.values
    if off.any():
        row = int(np.argmax(off))
        raise InputError(
            f"{name}: value {votes.values[row]:g} in row {votes.frame.index[row]} is none of the levels "
            f"{', '.join(map(level_name, levels))}; correct or drop it"
        )
    size = len(votes.items)
    counts = np.bincount(votes.codes * levels.size + at, minlength=size * levels.size).reshape(
        size, levels.size
    )
    return _counted(votes.items, counts.astype(np.int64), levels)


def _counted(items: pd.DataFrame, counts: NDArray[np.int64], levels: NDArray[np.float64]) -> pd.DataFrame:
    result = items.copy()
    n = counts.sum(axis=1)
    result["n"] = n
    for number, level in enumerate(levels):
        result[f"count_{level_name(level)}"] = counts[:, number]
    return _add_statistics(result, counts, levels, n)


def _add_statistics(
    result: pd.DataFrame, counts: NDArray[np.int64], levels: NDArray[np.float64], n: NDArray[np.int64]
) -> pd.DataFrame:
    mean = counts @ levels / n
    apart = levels - mean[:, None]
    squares = (counts * apart**2).sum(axis=1)
    shares = counts / n[:, None]
    result["mean"] = mean
    result["median"] = _medians(counts, levels, n)
    result["sd"] = np.sqrt(squares / n)
    result["sd1"] = np.sqrt(squares / np.where(n > 1, n - 1, np.nan))
    result["mad"] = (counts * np.abs(apart)).sum(axis=1) / n
    result["entropy"] = -(shares * np.log(np.where(counts > 0, shares, 1.0))).sum(axis=1) + 0.0
    return result


def _medians(
    counts: NDArray[np.int64], levels: NDArray[np.float64], n: NDArray[np.int64]
) -> NDArray[np.float64]:
    passed = counts.cumsum(axis=1)
    lower = (passed < ((n + 1) // 2)[:, None]).sum(axis=1)
    upper = (passed < (n // 2 + 1)[:, None]).sum(axis=1)
    medians: NDArray[np.float64] = (levels[lower] + levels[upper]) / 2
    return medians


def _deviations(table: pd.DataFrame, deviation: Deviation) -> "pd.Series[float]":
    if deviation not in DEVIATIONS:
        raise InputError(f"deviation must be one of {', '.join(DEVIATIONS)}, not {deviation!r}")
    require_columns(table.columns, ["mean", deviation], "the distribution table")
    return table[deviation]


def _bins(
    means: NDArray[np.float64], edges: Sequence[float]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Bin number of each mean, -1 outside."""
    limits = np.asarray(edges, dtype=np.float64)
    if limits.size < 2 or (np.diff(limits) <= 0).any():
        raise InputError("edges must be at least two rising numbers")
    bins = np.searchsorted(limits, means, side="right") - 1
    bins[means == limits[-1]] = limits.size - 2
    bins[(means < limits[0]) | (means > limits[-1])] = -1
    return bins.astype(np.int64), limits
