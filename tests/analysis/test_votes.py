"""Checked, coded votes."""

from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photojury.analysis.votes import of_comparisons, of_ratings
from photojury.errors import InputError


def test_only_the_named_attribute_is_read() -> None:
    """Ratings of other attributes do not count."""
    table = pd.DataFrame({"image_id": ["a", "a"], "value": [1.0, 3.0], "attribute": ["overall", "colour"]})
    assert of_ratings(table).means().tolist() == [1.0]
    assert of_ratings(table, attribute="colour").means().tolist() == [3.0]


def test_a_pair_asked_in_both_orders_is_one_item() -> None:
    """The second order's answers are turned round: positive always means that the item's first is better."""
    table = pd.DataFrame({"first_id": ["a", "b"], "second_id": ["b", "a"], "value": [2.0, -1.0]})
    votes = of_comparisons(table)
    assert len(votes.items) == 1
    assert votes.means().tolist() == [1.5]


def test_images_of_pairs_are_codes() -> None:
    """Each answer's images as it was asked, and each item's as it was asked first."""
    table = pd.DataFrame(
        {"first_id": ["c", "a", "b"], "second_id": ["b", "b", "c"], "value": [1.0, 0.0, -1.0]},
        index=[7, 8, 9],
    )
    votes = of_comparisons(table)
    assert votes.images.tolist() == ["a", "b", "c"]
    assert (votes.first.tolist(), votes.second.tolist()) == ([2, 0, 1], [1, 1, 2])
    assert (
        votes.images.to_numpy()[votes.ends].tolist()
        == votes.items[["first_id", "second_id"]].to_numpy().tolist()
    )
    assert votes.items.iloc[votes.codes[2]].tolist() == ["c", "b"]
    assert votes.values.tolist() == [1.0, 0.0, 1.0]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-30, 30)), min_size=1, max_size=30))
def test_whole_sums_are_exact(rows: list[tuple[str, int]]) -> None:
    """Sums over the step equal the sums of the decimals as fractions."""
    table = pd.DataFrame(
        {"image_id": [image for image, _ in rows], "value": [tenth / 10 for _, tenth in rows]}
    )
    votes = of_ratings(table)
    sums, step = votes.whole_sums()
    for image, total in zip(votes.items["image_id"], sums.tolist(), strict=True):
        assert Fraction(total, step) == sum(Fraction(tenth, 10) for name, tenth in rows if name == image)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"image_id": ["a"]}, "lacks the column value"),
        ({"image_id": [], "value": []}, "no row"),
        ({"image_id": ["a", None], "value": [1.0, 2.0]}, "image_id is missing in 1"),
        ({"image_id": ["a", "b"], "value": [1.0, None]}, "row 1 is missing or infinite"),
        ({"image_id": ["a", "b"], "value": [1.0, 7.0]}, "value 7 in row 1 is off the scale of 1 to 3"),
        ({"image_id": ["a"], "value": ["good"]}, "must hold numbers"),
    ],
)
def test_a_broken_table_is_named(table: dict[str, list[object]], said: str) -> None:
    """The error says which column or row is wrong."""
    with pytest.raises(InputError, match=said):
        of_ratings(pd.DataFrame(table), scale=(1, 3))


def test_broken_comparisons_are_named() -> None:
    """No image is compared with itself, and only known levels count."""
    with pytest.raises(InputError, match="compares an image with itself"):
        of_comparisons(pd.DataFrame({"first_id": ["a"], "second_id": ["a"], "value": [1.0]}))
    with pytest.raises(InputError, match="none of -2, -1, 0, 1, 2"):
        of_comparisons(pd.DataFrame({"first_id": ["a"], "second_id": ["b"], "value": [0.5]}))
