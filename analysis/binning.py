"""Binning: a hundred thousand points as some hundred cells, for charts that a browser can draw.

>>> import numpy as np
>>> cells(np.array([0.1, 0.2, 0.9]), np.array([1.0, 1.0, 2.0]), x_edges=(0, 0.5, 1), y_edges=(0, 1.5, 3)).values.tolist()
[[0.0, 0.5, 0.0, 1.5, 2.0], [0.5, 1.0, 1.5, 3.0, 1.0]]
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def counts(values: ArrayLike, *, low: float, high: float, bins: int) -> pd.DataFrame:
    """How many values lie in each of equal bins: low, high, n; values beyond the ends count in the last bins."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)].clip(low, high)
    edges = _edges(low, high, bins)
    n, _ = np.histogram(known, bins=edges)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": n.astype(np.int64)})


def cells(x: ArrayLike, y: ArrayLike, *, x_edges: Sequence[float], y_edges: Sequence[float]) -> pd.DataFrame:
    """How many points lie in each cell of a grid: x_low, x_high, y_low, y_high, n; only cells that are not empty.

    Points beyond the grid count in its outermost cells; those with a missing coordinate in none.
    """
    one, other = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    known = np.isfinite(one) & np.isfinite(other)
    grid = [np.asarray(edges, dtype=np.float64) for edges in (x_edges, y_edges)]
    points = [
        values[known].clip(edges[0], edges[-1]) for values, edges in zip((one, other), grid, strict=True)
    ]
    n, _, _ = np.histogram2d(points[0], points[1], bins=grid)
    column, row = np.nonzero(n)
    return pd.DataFrame(
        {
            "x_low": grid[0][column],
            "x_high": grid[0][column + 1],
            "y_low": grid[1][row],
            "y_high": grid[1][row + 1],
            "n": n[column, row].astype(np.int64),
        }
    )


def grid(low: float, high: float, bins: int) -> list[float]:
    """Equal edges from low to high."""
    return [float(edge) for edge in _edges(low, high, bins)]


def _edges(low: float, high: float, bins: int) -> FloatArray:
    # All values alike still have a bin.
    return np.linspace(low, high if high > low else low + 1, bins + 1).round(9)
