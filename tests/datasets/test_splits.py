"""Splits: shares, groups, seeds, and pairs that are never cut."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photojury.datasets.groups import of_near_duplicates
from photojury.datasets.splits import assign_parts, crossing, read_parts, split
from photojury.datasets.store import Study, create_study
from photojury.datasets.strata import strata
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


@settings(deadline=None)  # scipy is loaded when it is first needed
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


def test_several_kinds_stay_together_at_once() -> None:
    """A series, an author and a pair that share pictures are one group; clusters of hashes are another."""
    table = images(30, ["ann", "ann", *[None] * 28])
    table["phash"] = (
        [None] * 20 + [f"{i * 0x0123456789ABCDEF % 2**64:016x}" for i in range(8)] + ["f" * 16] * 2
    )
    series = pd.DataFrame({"series_id": ["s", "s"], "image_id": ["001", "002"]})
    pairs = pd.DataFrame({"first_id": ["002"], "second_id": ["003"]})
    keys = ("series", "author", "pair", "near_duplicate")
    alike = of_near_duplicates(table)
    for seed in range(20):
        parts = assign_parts(
            table, by=keys, validation=0.2, test=0.2, seed=seed, series=series, pairs=pairs, duplicates=alike
        )
        part_of = parts.set_index("image_id")["part"]
        assert part_of[["000", "001", "002", "003"]].nunique() == 1
        assert part_of["028"] == part_of["029"]


def test_scores_are_spread_evenly() -> None:
    """Of single pictures every part holds its share of every tenth; by chance alone it would not."""
    table = images(400)
    scores = pd.Series(range(400), index=table["image_id"], dtype=float)
    tenth = strata(scores)
    parts = assign_parts(table, by="image", validation=0.1, test=0.2, seed=3, scores=scores)
    held = pd.crosstab(tenth.to_numpy(), parts.set_index("image_id")["part"].reindex(tenth.index).to_numpy())
    assert (held["test"] == 8).all() and (held["validation"] == 4).all() and (held["train"] == 28).all()


def test_strata_of_equal_and_missing_scores() -> None:
    """Equal scores are in one stratum; pictures without a score are in one by themselves."""
    found = strata(pd.Series([1.0, 2.0, 2.0, 3.0, float("nan")], index=list("abcde")))
    assert found["b"] == found["c"] and found["e"] == 10
    assert found["a"] < found["b"] < found["d"] == 9


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


def test_a_named_split_is_not_made_anew(study: Study) -> None:
    """Only the default one changes with the settings; official lists and one's own named splits stay."""
    first = split(study, name="mine")
    assert split(study, name="mine").equals(first)
    study.replace("splits", first.assign(split="official").head(15), {"split": "official"})
    with pytest.raises(InputError, match="has a split 'official' already"):
        split(study, name="official")
    with pytest.raises(InputError, match="nobody has rated the pictures yet"):
        split(study, stratify="ratings")
    with pytest.raises(InputError, match="bogus"):
        split(study, by=["bogus"])
