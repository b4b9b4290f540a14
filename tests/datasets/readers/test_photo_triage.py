"""Photo triage: the official lists and both tables of votes, against what plain pandas counts in the files."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from photojury.datasets.readers.published import Published, read
from photojury.errors import InputError

COLUMNS = ["series", "i", "j", "preference", "rank_i", "rank_j"]


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data/photo_triage"


@pytest.fixture(scope="module")
def matched(folder: Path) -> Published:
    return read("photo-triage", folder, votes="matched")


def test_the_official_lists(folder: Path) -> None:
    """12,075 + 483 pairs of 4,560 + 195 series and 12,522 photographs, 91 + 1 ties."""
    published = read("photo-triage", folder)
    pairs, splits = published.tables["comparisons"], published.tables["splits"]
    part = pairs["first_id"].map(splits.set_index("image_id")["part"])
    assert part.value_counts().to_dict() == {"train": 12_075, "validation": 483}
    assert pairs[pairs["value"] == 0].groupby(part).size().to_dict() == {"train": 91, "validation": 1}
    assert splits["part"].value_counts().to_dict() == {"train": 12_019, "validation": 503}
    series = published.tables["series"]
    assert series["series_id"].nunique() == 4_560 + 195 and len(published.images) == 12_522
    parted = series.merge(splits, on="image_id").groupby("series_id")["part"].nunique()
    assert parted.max() == 1  # whole series
    assert published.left_out == {} and pairs["rater_id"].isna().all()
    assert any(
        "91 pairs of the train list and 1 pairs of the validation list" in note for note in published.notes
    )
    assert any("2,585" in note for note in published.notes)


def test_preferences_and_ranks_are_the_files(folder: Path) -> None:
    """Positive values prefer the first; the sign follows the ranks, and the scores are the ranks, best highest."""
    published = read("photo-triage", folder, ties="drop")
    pairs = published.tables["comparisons"]
    assert len(pairs) == 12_075 + 483 - 92
    assert (np.sign(pairs["value"]) == np.sign(pairs["second_rank"] - pairs["first_rank"])).all()
    source = pd.read_csv(folder / "val_pairlist.txt", sep=" ", names=COLUMNS)
    row = source.iloc[0]
    found = pairs[pairs["first_id"] == f"photo-triage:{row['series']:.0f}-{row['i']:.0f}"].iloc[0]
    assert (found["preference"], found["first_rank"]) == (row["preference"], row["rank_i"])
    score = published.tables["scores"].set_index("image_id")["score"]
    assert (pairs["first_id"].map(score) == -pairs["first_rank"]).all()


def test_matched_votes(matched: Published, folder: Path) -> None:
    """64,488 votes of 4,505 series; the left one wins 51.2 %, 5.95 standard errors from half (5.9, cut off)."""
    votes = matched.tables["comparisons"]
    series = votes["first_id"].str.split("-").str[1].str.removeprefix("triage:")
    assert (len(votes), series.nunique()) == (64_488, 4_505)
    left = (votes["value"] > 0) == votes["first_shown_left"]
    assert round(float(left.mean()), 3) == 0.512
    assert (left.sum() - len(votes) / 2) / np.sqrt(len(votes) / 4) == pytest.approx(5.954, abs=1e-3)
    assert votes["rater_id"].is_unique and set(votes["task"]) == {"series"}
    assert matched.notes[0].endswith("51.2% of them (z = 5.95)")
    source = pd.read_csv(folder / "votes_matched_to_pairlist.csv.gz")
    expected = (source["i_left_i_wins"] + source["j_left_i_wins"]).sum()
    assert (votes["value"] == 1).sum() == expected
    # The votes agree with the released preferences, whose numbers they share.
    share = (
        votes.assign(won=votes["value"] > 0)
        .groupby(["first_id", "second_id"])
        .agg(won=("won", "mean"), preference=("preference", "first"))
    )
    assert share["won"].corr(share["preference"]) > 0.9


def test_the_other_order_cannot_be_joined(matched: Published, folder: Path) -> None:
    """74,655 votes of 4,986 series have ids that no official photograph has; by number they agree in nothing."""
    published = read("photo-triage", folder, votes="ordered")
    votes = published.tables["comparisons"]
    assert (len(votes), published.tables["series"]["series_id"].nunique()) == (74_655, 4_986)
    assert set(published.images["image_id"]).isdisjoint(matched.images["image_id"])
    assert votes["first_shown_left"].all() and round(float((votes["value"] > 0).mean()), 3) == 0.511
    shares = votes.assign(won=votes["value"] > 0).groupby(["first_id", "second_id"])["won"].mean()
    pairs = (
        read("photo-triage", folder).tables["comparisons"].set_index(["first_id", "second_id"])["preference"]
    )
    pairs.index = pairs.index.map(lambda ids: (ids[0] + ".JPG", ids[1] + ".JPG"))
    both = pd.concat([shares, pairs], axis=1, join="inner").set_axis(["share", "preference"], axis=1)
    assert len(both) > 10_000 and abs(both["share"].corr(both["preference"])) < 0.03
    splits = published.tables["splits"]
    assert splits["image_id"].nunique() < len(published.images)  # 231 series are in no official list


def test_broken_lists(tmp_path: Path, folder: Path) -> None:
    """Preferences off 0 to 1, words, a photograph against itself, a pair that is told twice: each costs itself."""
    rows = [
        "1 1 2 0.9 1 2",
        "1 1 3 1.9 1 3",
        "1 2 3 many 2 3",
        "2 1 1 0.5 1 1",
        "3 1 2 0.2 2 1",
        "3 1 2 0.8 1 2",
    ]
    (tmp_path / "train_pairlist.txt").write_text("\n".join([*rows, "4 1 2 0.5", "5 1 2 0.3 2 1", ""]))
    published = read("photo-triage", tmp_path)
    assert published.tables["comparisons"]["first_id"].tolist() == ["photo-triage:1-1", "photo-triage:5-1"]
    assert {text.partition(": ")[2]: count for text, count in published.left_out.items()} == {
        "rows with more or fewer cells than 6 (row 7)": 1,
        "preference is no number (row 3)": 1,
        "preference is off its scale of 0 to 1 (row 2)": 1,
        "pairs of a photograph with itself (row 4)": 1,
        "rows with the same series and photo_i and photo_j say different things (row 5)": 2,
    }
    with pytest.raises(InputError, match="votes matched to the lists"):
        read("photo-triage", tmp_path, votes="matched")
    shutil.copy(folder / "val_pairlist.txt", tmp_path)
    (tmp_path / "train_pairlist.txt").write_text("a b c d e f\n")
    with pytest.raises(
        InputError, match=r"no row of .*train_pairlist\.txt can be used: 1 .*series is no number"
    ):
        read("photo-triage", tmp_path)
