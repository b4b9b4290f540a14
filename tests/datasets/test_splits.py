"""Splits: shares, groups, seeds, and pairs that are never cut."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photojury.datasets.splits import assign_parts, crossing, read_parts, split
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError


def images(n: int, authors: Sequence[str | None] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"image_id": [f"{i:03d}" for i in range(n)], "author": authors or [None] * n})


def test_shares_are_met_to_the_picture() -> None:
    """Single pictures fill each part to its share, and every picture has one part."""
    parts = assign_parts(images(200), by="image", validation=0.15, test=0.25, seed=7)
    assert parts["part"].value_counts().to_dict() == {"train": 120, "test": 50, "validation": 30}
    assert parts["image_id"].is_unique


def test_the_seed_decides() -> None:
    """The same seed gives the same parts, another seed others, whatever the order of the table."""
    table = images(40)
    first = assign_parts(table, by="image", validation=0.2, test=0.2, seed=1)
    again = assign_parts(table.sample(frac=1, random_state=3), by="image", validation=0.2, test=0.2, seed=1)
    other = assign_parts(table, by="image", validation=0.2, test=0.2, seed=2)
    assert first.equals(again)
    assert not first.equals(other)


@given(st.lists(st.sampled_from(["ann", "bob", "cy", "dee", "eve", None]), min_size=12, max_size=60))
def test_authors_stay_together(authors: list[str | None]) -> None:
    """No author has pictures in two parts; unknown authors are not one author."""
    groups = len(set(authors) - {None}) + authors.count(None)
    if groups < 3:
        return
    table = images(len(authors), authors)
    parts = assign_parts(table, by="author", validation=0.2, test=0.2, seed=5)
    known = table.merge(parts, on="image_id").dropna()
    assert known.empty or known.groupby("author")["part"].nunique().max() == 1
    assert set(parts["part"]) == {"train", "validation", "test"}


def test_series_that_share_a_picture_stay_together() -> None:
    """Series are groups, and a picture in two series joins them."""
    series = pd.DataFrame(
        {
            "series_id": ["s"] * 3 + ["t"] * 2 + ["u"] * 2,
            "image_id": ["000", "001", "002", "002", "003", "004", "005"],
        }
    )
    for seed in range(20):
        parts = assign_parts(images(12), by="series", validation=0.2, test=0.2, seed=seed, series=series)
        part_of = dict(zip(parts["image_id"], parts["part"], strict=True))
        assert len({part_of[f"{i:03d}"] for i in range(4)}) == 1
        assert part_of["004"] == part_of["005"]


def test_too_few_groups_is_a_sentence() -> None:
    """Two authors cannot fill three parts."""
    table = images(6, ["a"] * 3 + ["b"] * 3)
    with pytest.raises(InputError, match="2 groups by author cannot be parted into 3"):
        assign_parts(table, by="author", validation=0.2, test=0.2, seed=1)


def test_crossing_finds_the_cut_pairs() -> None:
    """Only pairs with both pictures in different parts are cut."""
    parts = pd.DataFrame({"image_id": ["a", "b", "c"], "part": ["train", "train", "test"]})
    pairs = pd.DataFrame({"first_id": ["a", "a", "b", "a"], "second_id": ["b", "c", "z", None]})
    assert crossing(pairs, parts).index.tolist() == [1]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    study = create_study(tmp_path / "study", "test")
    row = {"source": "folder", "retrieved_at": 0.0, "width": 9, "height": 9, "format": "png", "bytes": 1}
    study.add("images", [{**row, "image_id": f"{i:02d}", "source_id": str(i)} for i in range(20)])
    return study


def test_a_split_is_stored_and_stable(study: Study) -> None:
    """Splitting twice changes nothing; every kept picture has a part."""
    first = split(study)
    assert split(study).equals(first)
    assert read_parts(study).equals(first)
    assert len(first) == 20


def test_a_split_never_cuts_planned_pairs(study: Study) -> None:
    """A split that would part the pictures of a planned pair is refused, and the old one stays."""
    parts = split(study)
    test = parts[parts["part"] == "test"]["image_id"].tolist()
    train = parts[parts["part"] == "train"]["image_id"].tolist()
    unit = {"batch": "b", "task": "five_level"}
    study.add("units", [{**unit, "unit_id": "fits", "first_id": train[0], "second_id": train[1]}])
    assert split(study).equals(parts)
    study.add("units", [{**unit, "unit_id": "cut", "first_id": train[0], "second_id": test[0]}])
    with pytest.raises(InputError, match="1 pairs that were planned or compared already would lie across"):
        split(study)
    assert read_parts(study).equals(parts)
