"""Votes: the checked, integer-coded form of a ratings or comparisons table that every analysis starts from.

Takes in DataFrames with the columns of `photojury.datasets.tables` (extra columns are ignored), gives out
`Votes`: one row per answer, with codes instead of ids. A broken value is an InputError that names its row.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"image_id": ["b", "a", "b"], "value": [1.0, 3.0, 2.0]})
    >>> votes = of_ratings(table)
    >>> votes.items["image_id"].tolist(), votes.codes.tolist(), votes.values.tolist()
    (['a', 'b'], [1, 0, 1], [1.0, 3.0, 2.0])
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photojury.errors import InputError, require_columns

MOST_LEVELS = 1001
"""A scale with more different values than this is no rating scale (a 0..1000 slider still is)."""


@dataclass(frozen=True)
class Votes:
    """Answers about items (images or pairs), in long form.

    Attributes:
        items: one row per item, in code order: image_id, or first_id and second_id.
        codes: (answers,) int64, row of `items` that each answer is about.
        values: (answers,) float64; for pairs, positive means that `first_id` of the item is better.
        frame: (answers,) the rows of the table that these are, in the same order.
    """

    items: pd.DataFrame
    codes: NDArray[np.int64]
    values: NDArray[np.float64]
    frame: pd.DataFrame

    def counts(self) -> NDArray[np.int64]:
        """(items,) how many answers each item has."""
        return np.bincount(self.codes, minlength=len(self.items)).astype(np.int64)

    def means(self) -> NDArray[np.float64]:
        """(items,) the mean answer."""
        means: NDArray[np.float64] = np.bincount(self.codes, self.values, len(self.items)) / self.counts()
        return means

    def whole_sums(self) -> tuple[NDArray[np.int64], int]:
        """(items,) exact sums as whole numbers of 1/step, and that step.

        Raises:
            InputError: the values lie on no decimal grid of at most six digits.
        """
        which, levels = pd.factorize(self.values, sort=True)
        fractions = [Fraction(str(float(level))) for level in levels]
        step = math.lcm(*(fraction.denominator for fraction in fractions))
        if step > 10**6:
            raise InputError(
                "values have more than six decimals, so thresholds cannot be met exactly; round them"
            )
        whole = np.array([int(fraction * step) for fraction in fractions], dtype=np.int64)
        sums = np.zeros(len(self.items), dtype=np.int64)
        np.add.at(sums, self.codes, whole[which])
        return sums, step


@dataclass(frozen=True)
class Choices:
    """Answers about pairs, checked and with codes for images, but each for itself.

    Attributes:
        images: (images,) the ids, sorted.
        first, second: (answers,) int64, rows of `images`, in the order in which the pair was asked.
        values: (answers,) float64; positive means that `first` is better.
        frame: (answers,) the rows of the table that these are, in the same order.
    """

    images: "pd.Index[str]"
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    values: NDArray[np.float64]
    frame: pd.DataFrame


@dataclass(frozen=True)
class PairVotes(Votes):
    """Answers about pairs, with the images of each as codes.

    Attributes:
        images: (images,) their ids, sorted.
        first, second: (answers,) int64, rows of `images`, in the order in which the pair was asked.
        ends: (items, 2) rows of `images`, in the order of the item's first_id and second_id.
    """

    images: "pd.Index[str]"
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    ends: NDArray[np.int64]


def of_ratings(
    ratings: pd.DataFrame, *, attribute: str = "overall", scale: tuple[float, float] | None = None
) -> Votes:
    """The votes of a ratings table: columns image_id and value, and attribute where there is one.

    Args:
        ratings: the table.
        attribute: the only attribute that is read, where the table has that column.
        scale: worst and best value allowed; None allows all.

    Raises:
        InputError: a column is missing, no row is left, or a value is missing, infinite or off the scale.
    """
    require_columns(ratings.columns, ["image_id", "value"], "ratings")
    if "attribute" in ratings:
        wanted = ratings["attribute"].eq(attribute).to_numpy(dtype=bool, na_value=False)
        if not wanted.all():  # a copy of a million rows takes its time
            ratings = ratings[wanted]
    values = _checked(ratings, "ratings", ["image_id"], scale)
    codes, ids = pd.factorize(ratings["image_id"], sort=True)
    return Votes(pd.DataFrame({"image_id": ids}), codes.astype(np.int64), values, ratings)


def choices(
    comparisons: pd.DataFrame, *, task: str = "five_level", levels: Sequence[float] = (-2, -1, 0, 1, 2)
) -> Choices:
    """The answers of a comparisons table: columns first_id, second_id, value, and task where there is one.

    Raises:
        InputError: as in `of_ratings`; also an image compared with itself, or a value that is no level.
    """
    require_columns(comparisons.columns, ["first_id", "second_id", "value"], "comparisons")
    if "task" in comparisons:
        wanted = comparisons["task"].eq(task).to_numpy(dtype=bool, na_value=False)
        if not wanted.all():
            comparisons = comparisons[wanted]
    values = _checked(comparisons, f"{task} comparisons", ["first_id", "second_id"], None)
    off = ~np.isin(values, levels)
    if off.any():
        _refuse(
            f"{task} comparisons",
            comparisons,
            off,
            values,
            f"is none of {', '.join(f'{v:g}' for v in levels)}",
        )
    ids, first, second = _images(comparisons["first_id"], comparisons["second_id"])
    if (first == second).any():
        row = comparisons.index[int(np.argmax(first == second))]
        raise InputError(f"comparisons: row {row} compares an image with itself; drop it")
    return Choices(ids, first, second, values, comparisons)


def of_comparisons(
    comparisons: pd.DataFrame, *, task: str = "five_level", levels: Sequence[float] = (-2, -1, 0, 1, 2)
) -> PairVotes:
    """The votes of a comparisons table on pairs: columns as in `choices`.

    A pair that was asked in both orders is one item, in the order of its first row; the other answers are
    turned round, so that positive always means that the item's `first_id` is better.

    Raises:
        InputError: as in `choices`.
    """
    given = choices(comparisons, task=task, levels=levels)
    first, second = given.first, given.second
    keys = np.minimum(first, second) * len(given.images) + np.maximum(first, second)
    _, at, codes = np.unique(keys, return_index=True, return_inverse=True)
    turned = first != first[at][codes]
    return PairVotes(
        items=given.frame[["first_id", "second_id"]].iloc[at].reset_index(drop=True),
        codes=codes.astype(np.int64),
        values=np.where(turned, -given.values, given.values),
        frame=given.frame,
        images=given.images,
        first=first,
        second=second,
        ends=np.stack([first[at], second[at]], axis=1),
    )


def _images(
    one: "pd.Series[str]", other: "pd.Series[str]"
) -> tuple["pd.Index[str]", NDArray[np.int64], NDArray[np.int64]]:
    """The ids in either column, sorted, and the rows of these as codes."""
    # Column by column: both on end would be a copy of all ids, which are long.
    (first, of_first), (second, of_second) = pd.factorize(one), pd.factorize(other)
    codes, ids = pd.factorize(of_first.append(of_second), sort=True)
    codes = codes.astype(np.int64)
    return ids, codes[: len(of_first)][first], codes[len(of_first) :][second]


def _checked(
    table: pd.DataFrame, name: str, ids: Sequence[str], scale: tuple[float, float] | None
) -> NDArray[np.float64]:
    if table.empty:
        raise InputError(f"{name}: there is no row to analyse")
    for column in ids:
        if table[column].isna().any():
            raise InputError(
                f"{name}: {column} is missing in {table[column].isna().sum()} rows; drop or fill them"
            )
    try:
        values = table["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError(f"{name}: the column value must hold numbers") from None
    if not np.isfinite(values).all():
        _refuse(name, table, ~np.isfinite(values), values, "is missing or infinite")
    if scale is not None and ((values < scale[0]) | (values > scale[1])).any():
        off = (values < scale[0]) | (values > scale[1])
        _refuse(name, table, off, values, f"is off the scale of {scale[0]:g} to {scale[1]:g}")
    return values


def _refuse(
    name: str, table: pd.DataFrame, bad: NDArray[np.bool_], values: NDArray[np.float64], why: str
) -> None:
    at = int(np.argmax(bad))
    more = f" (and {bad.sum() - 1} more rows)" if bad.sum() > 1 else ""
    raise InputError(f"{name}: value {values[at]:g} in row {table.index[at]} {why}{more}; correct or drop it")
