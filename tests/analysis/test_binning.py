"""Cells and subsets for what is too much to draw or to compute."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from photojury.analysis import binning
from photojury.analysis.subsets import drawn

NUMBERS = arrays(np.float64, 30, elements=st.floats(-5, 5))


@given(NUMBERS, NUMBERS)
def test_every_point_is_in_one_cell(x: "np.ndarray[tuple[int], np.dtype[np.float64]]", y: object) -> None:
    """Points beyond the grid count at its edge; a missing coordinate counts nowhere; no cell is empty."""
    other = np.array(y)
    other[3] = np.nan
    edges = binning.grid(-1, 1, 4)
    cells = binning.cells(x, other, x_edges=edges, y_edges=edges)
    assert cells["n"].sum() == 29
    assert (cells["n"] > 0).all()
    assert set(cells["x_low"]) | set(cells["x_high"]) <= set(edges)


def test_counts_and_edges() -> None:
    """The last bin holds its upper end; a scale without width has a bin, too."""
    found = binning.counts([0.0, 0.49, 0.5, 1.0, 2.0, np.nan], low=0, high=1, bins=2)
    assert found.values.tolist() == [[0.0, 0.5, 2], [0.5, 1.0, 3]]
    assert binning.grid(0.1, 0.3, 2) == [0.1, 0.2, 0.3]
    assert binning.counts([3.0, 3.0], low=3, high=3, bins=1)["n"].tolist() == [2]


def test_subsets_are_whole_and_the_same_again() -> None:
    """All rows of each drawn image, other images with another seed, missing ids never."""
    table = pd.DataFrame({"image_id": [f"i{k % 50:02d}" for k in range(400)], "value": range(400)})
    table.loc[7, "image_id"] = None
    one, again, other = (drawn(table, "image_id", most=20, seed=seed) for seed in (1, 1, 2))
    assert one.equals(again) and not one.equals(other)
    assert one["image_id"].nunique() == 20
    sizes = table["image_id"].value_counts()
    assert (one["image_id"].value_counts() == sizes[one["image_id"].unique()]).all()
    assert drawn(table, "image_id", most=50, seed=1) is table
