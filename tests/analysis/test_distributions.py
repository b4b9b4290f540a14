"""Rating distributions and deviations."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from photojury.analysis.distributions import (
    counted_distributions,
    deviation_by_mean,
    histograms_by_mean,
    image_distributions,
    mean_deviation,
    mean_edges,
    pair_distributions,
)
from photojury.errors import InputError

# Nine raters say 1 and one says 2: the worked example of the facts page (SD 0.30, MAD 0.18).
NINE_AND_ONE = pd.DataFrame({"image_id": ["a"] * 10, "value": [1.0] * 9 + [2.0]})


def test_the_worked_example() -> None:
    """Nine 1s and one 2 have mean 1.1, SD 0.30 and mean absolute deviation 0.18."""
    row = image_distributions(NINE_AND_ONE, levels=(1, 2, 3)).iloc[0]
    assert (row["count_1"], row["count_2"], row["count_3"]) == (9, 1, 0)
    assert row["mean"] == pytest.approx(1.1)
    assert row["sd"] == pytest.approx(0.3)
    assert row["sd1"] == pytest.approx(0.1**0.5)
    assert row["mad"] == pytest.approx(0.18)


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 5)), min_size=1, max_size=60),
)
def test_every_statistic_equals_numpys(rows: list[tuple[str, int]]) -> None:
    """Mean, median, both SDs, mean absolute deviation and entropy agree with numpy and scipy on the raw values."""
    table = pd.DataFrame(rows, columns=["image_id", "value"]).astype({"value": float})
    for row in image_distributions(table, levels=range(1, 6)).to_dict("records"):
        values = np.array([value for image, value in rows if image == row["image_id"]], dtype=float)
        assert row["n"] == values.size
        assert row["mean"] == pytest.approx(values.mean())
        assert row["median"] == np.median(values)
        assert row["sd"] == pytest.approx(values.std(), abs=1e-7)
        assert row["mad"] == pytest.approx(np.abs(values - values.mean()).mean(), abs=1e-9)
        assert row["entropy"] == pytest.approx(stats.entropy(list(Counter(values).values())), abs=1e-12)
        if values.size > 1:
            assert row["sd1"] == pytest.approx(values.std(ddof=1), abs=1e-7)
        else:
            assert np.isnan(row["sd1"])


def test_counted_ratings_are_the_ratings() -> None:
    """A table of counts gives what the ratings behind it give, whatever the order of its rows and columns."""
    rows = [("b", 3.0), ("b", 1.0), ("a", 2.0), ("b", 3.0), ("a", 2.0)]
    ratings = pd.DataFrame(rows, columns=["image_id", "value"])
    counts = pd.DataFrame({"three": [2, 0], "image_id": ["b", "a"], "one": [1, 0], "two": [0, 2]})
    found = counted_distributions(counts, {"one": 1, "two": 2, "three": 3})
    pd.testing.assert_frame_equal(found, image_distributions(ratings, levels=(1, 2, 3)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"one": [-1, 1]}, "image a has a count that is missing, negative or not whole"),
        ({"one": [0.5, 1]}, "image a has a count"),
        ({"one": [0, 1], "two": [0, 1]}, "or no rating at all"),
        ({"image_id": ["b", "b"]}, "image b stands in it twice"),
    ],
)
def test_broken_counts_are_refused(change: dict[str, list[object]], sentence: str) -> None:
    """Each with the image's name."""
    counts = pd.DataFrame({"image_id": ["a", "b"], "one": [1, 1], "two": [1, 1], **change})
    with pytest.raises(InputError, match=sentence):
        counted_distributions(counts, {"one": 1, "two": 2})


def test_pairs_keep_the_sign_of_the_first() -> None:
    """Both orders of a pair are one row with the sign of the first row's order."""
    table = pd.DataFrame({"first_id": ["a", "b"], "second_id": ["b", "a"], "value": [2.0, -2.0]})
    found = pair_distributions(table)
    assert found[["first_id", "second_id", "mean", "count_2"]].values.tolist() == [["a", "b", 2.0, 2]]


def test_mean_deviation_has_its_standard_error() -> None:
    """Mean and standard error over images, by hand: deviations 0, 1 and 0.5."""
    table = pd.DataFrame({"mean": [1.0, 2.0, 2.0], "sd": [0.0, 1.0, 0.5]})
    found = mean_deviation(table)
    assert (found.mean, found.n) == (0.5, 3)
    assert found.standard_error == pytest.approx(0.5 / 3**0.5)


def test_bins_hold_their_lower_limit_and_the_last_both() -> None:
    """low <= mean < high, except that the last bin holds its upper limit too."""
    table = pd.DataFrame({"mean": [1.0, 1.5, 3.0, 3.5], "sd": [0.1, 0.3, 0.1, 9.0]})
    found = deviation_by_mean(table, [1, 1.5, 3])
    assert found["n"].tolist() == [1, 2]
    assert found["share_below"].tolist() == [1.0, 0.5]


def test_histograms_by_mean_share_out_the_answers() -> None:
    """Shares are of the answers in the bin and sum to one; an empty bin has none."""
    found = histograms_by_mean(image_distributions(NINE_AND_ONE, levels=(1, 2, 3)), mean_edges(1, 3, 2))
    assert found[["n", "answers"]].values.tolist() == [[1, 10], [0, 0]]
    assert list(found.loc[0, ["share_1", "share_2", "share_3"]]) == pytest.approx([0.9, 0.1, 0])
    assert np.isnan(found["share_1"].iloc[1])


def test_a_value_off_the_levels_is_refused() -> None:
    """The error names the value and the row."""
    with pytest.raises(InputError, match=r"value 2 in row 9 is none of the levels 1, 3"):
        image_distributions(NINE_AND_ONE, levels=(1, 3))
