"""Sound rows: what of a table can be analysed, with every other row counted under a reason.

Takes in ratings or comparisons as they came (of a store, a release, anybody's CSV); gives out the rows that an analysis
may use and what was left out. The functions of `photojury.analysis` refuse a broken row by its number; here one broken
row of a million costs one row.

    >>> import pandas as pd
    >>> rows = [("a", "x", 3), ("a", "y", 9), ("b", "x", None)]
    >>> found = sound_ratings(pd.DataFrame(rows, columns=["image_id", "rater_id", "value"]), scale=(1, 5))
    >>> len(found.rows), list(found.left_out)
    (1, ['ratings without a number (row 2)', 'ratings off the scale of 1 to 5 (row 1)'])
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from photojury.errors import InputError, require_columns

FIVE_LEVELS = (-2.0, -1.0, 0.0, 1.0, 2.0)
TWO_LEVELS = (-1.0, 1.0)
LEVELS: Mapping[str, Sequence[float]] = {
    "five_level": FIVE_LEVELS,
    "forced_choice": TWO_LEVELS,
    "series": TWO_LEVELS,
}
"""The answers of each task on pairs; positive means that the first image is better."""

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Sound:
    """The rows of a table that can be analysed.

    Attributes:
        rows: with `value` as numbers; in their order, with their index.
        left_out: how many rows are not among them, by reason; the reason names the first of them by its index.
    """

    rows: pd.DataFrame
    left_out: dict[str, int]


def sound_ratings(ratings: pd.DataFrame, *, scale: tuple[float, float] | None = None) -> Sound:
    """The sound rows of a ratings table.

    Args:
        ratings: columns image_id, rater_id and value; attribute where there are several (only `overall` is held
            against the scale).
        scale: worst and best level; None allows every number.

    Raises:
        InputError: a column is missing.
    """
    require_columns(ratings.columns, ["image_id", "rater_id", "value"], "ratings")
    values, checks = _common(ratings, ["image_id", "rater_id"], "ratings")
    if scale is not None:
        off = (values < scale[0]) | (values > scale[1])
        if "attribute" in ratings:
            off &= ratings["attribute"].eq("overall").to_numpy(dtype=bool)
        checks.append((f"ratings off the scale of {scale[0]:g} to {scale[1]:g}", off))
    return _kept(ratings, values, checks)


def sound_comparisons(comparisons: pd.DataFrame) -> Sound:
    """The sound rows of a comparisons table: columns first_id, second_id, rater_id, value and task.

    Raises:
        InputError: a column is missing.
    """
    require_columns(
        comparisons.columns, ["first_id", "second_id", "rater_id", "value", "task"], "comparisons"
    )
    values, checks = _common(comparisons, ["first_id", "second_id", "rater_id"], "comparisons")
    same = comparisons["first_id"].eq(comparisons["second_id"]).to_numpy(dtype=bool, na_value=False)
    checks.append(("comparisons of an image with itself", same))
    tasks = comparisons["task"]
    for task, levels in LEVELS.items():
        off = tasks.eq(task).to_numpy(dtype=bool, na_value=False) & ~np.isin(values, levels)
        checks.append(
            (f"{task} comparisons whose value is none of {', '.join(f'{v:g}' for v in levels)}", off)
        )
    return _kept(comparisons, values, checks)


def sound_histograms(histograms: pd.DataFrame, *, scale: tuple[float, float] | None = None) -> Sound:
    """The sound rows of a histograms table: columns image_id, value (a level) and count.

    Raises:
        InputError: a column is missing.
    """
    require_columns(histograms.columns, ["image_id", "value", "count"], "histograms")
    values, checks = _common(histograms, ["image_id"], "rows of histograms")
    count = numbers(histograms["count"])
    checks.append(("rows of histograms without a whole count", ~((count >= 1) & (count == np.floor(count)))))
    if scale is not None:
        off = (values < scale[0]) | (values > scale[1])
        checks.append((f"rows of histograms off the scale of {scale[0]:g} to {scale[1]:g}", off))
    return _kept(histograms, values, checks)


def numbers(column: "pd.Series[Any]") -> NDArray[np.float64]:
    """A column as numbers; NaN where a cell is none."""
    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


def together(*parts: Mapping[str, int]) -> dict[str, int]:
    """Counts by reason of several tables as one."""
    found: dict[str, int] = {}
    for part in parts:
        for reason, count in part.items():
            found[reason] = found.get(reason, 0) + count
    return found


def nothing_left(name: str, left_out: Mapping[str, int]) -> InputError:
    """The error where every row of a table was left out."""
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in left_out.items())
    return InputError(f"no row of the {name} can be analysed: {reasons or 'there is none'}")


def _common(
    table: pd.DataFrame, ids: Sequence[str], name: str
) -> tuple[NDArray[np.float64], list[tuple[str, BoolArray]]]:
    values = numbers(table["value"])
    checks = []
    for column in ids:
        cells = table[column]
        missing = cells.isna().to_numpy(dtype=bool) | cells.eq("").to_numpy(dtype=bool, na_value=False)
        checks.append((f"{name} without {column}", missing))
    return values, [*checks, (f"{name} without a number", ~np.isfinite(values))]


def _kept(table: pd.DataFrame, values: NDArray[np.float64], checks: Sequence[tuple[str, BoolArray]]) -> Sound:
    """Rows that pass every check; one that fails several counts under the first."""
    keep = np.ones(len(table), dtype=bool)
    left_out = {}
    for reason, bad in checks:
        new = bad & keep
        if new.any():
            left_out[f"{reason} (row {table.index[int(np.argmax(new))]})"] = int(new.sum())
            keep &= ~bad
    rows = table.assign(value=values)
    return Sound(rows if keep.all() else rows[keep], left_out)
