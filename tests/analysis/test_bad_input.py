"""Bad tables through the command: one clear sentence each, the sound rest analysed, what was left out counted."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from photojury.analysis.answers import open_answers
from photojury.analysis.findings import scored
from photojury.analysis.findings.tables import table
from photojury.cli import run
from photojury.errors import InputError


def ratings(images: int = 40, each: int = 5, raters: int = 12) -> pd.DataFrame:
    """Ratings of one to five by raters who agree somewhat."""
    draw = np.random.default_rng(3)
    quality = draw.normal(size=images)
    rows = [
        (f"i{image:02d}", f"r{rater:02d}", float(np.clip(round(3 + quality[image] + draw.normal()), 1, 5)))
        for image in range(images)
        for rater in draw.choice(raters, each, replace=False)
    ]
    return pd.DataFrame(rows, columns=["image_id", "rater_id", "value"])


def csv(folder: Path, frame: pd.DataFrame) -> Path:
    """A file of a table."""
    path = folder / "ratings.csv"
    frame.to_csv(path, index=False)
    return path


def report(path: Path, *options: str) -> tuple[int, Path]:
    """Exit status of a report on a file, and where it is."""
    out = path.parent / "out" / "index.html"
    return run(["analyze", "--data", str(path), "report", "--out", str(out), *options]), out


def test_a_missing_column_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence says what the file has, what it needs, and the option that helps."""
    status, _ = report(csv(tmp_path, ratings().rename(columns={"value": "score"})))
    said = capsys.readouterr().err
    assert status == 2 and said.count("\n") == 1
    assert "it has image_id, rater_id, score" in said and "--column" in said


def test_a_renamed_column_is_read(tmp_path: Path) -> None:
    """--column value=score does what the sentence promises."""
    status, out = report(
        csv(tmp_path, ratings().rename(columns={"value": "score"})), "--column", "value=score"
    )
    assert status == 0 and "200 ratings of" in out.read_text(encoding="utf-8")


def test_broken_rows_are_counted_and_the_rest_is_analysed(tmp_path: Path) -> None:
    """Off the scale, not a number, without a rater, ragged: four rows less, each named by its first row."""
    lines = csv(tmp_path, ratings()).read_text(encoding="utf-8").splitlines()
    lines[1], lines[2] = "i00,r00,9", "i00,r01,"
    lines[3], lines[4], lines[5] = "i00,,3", "i00,r02,2,extra", "i00,r03,good"
    (tmp_path / "ratings.csv").write_text("\n".join(lines), encoding="utf-8")
    found = open_answers(tmp_path / "ratings.csv", scale=(1, 5))
    assert found.left_out == {
        "ratings.csv: rows with more or fewer cells than the first line (row 4)": 1,
        "ratings without rater_id (row 3)": 1,
        "ratings without a number (row 2)": 2,
        "ratings off the scale of 1 to 5 (row 1)": 1,
    }
    assert len(found.ratings) == 195
    status, out = report(tmp_path / "ratings.csv", "--scale", "1", "5")
    assert status == 0 and "1 ratings off the scale of 1 to 5" in out.read_text(encoding="utf-8")
    assert len(pd.read_csv(out.parent / "tables" / "left-out.csv")) == 4


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        ({"rater_id": "r1"}, "agreement", "one rater only"),
        ({"rater_id": "r1"}, "tiers", "one rater only"),
        ({"image_id": "i1"}, "agreement", "one image only"),
        ({"image_id": "i1"}, "tiers", "need 4 images"),
        ({"value": 3.0}, "agreement", "all ratings are equal"),
        ({"value": 3.0}, "tiers", "two different ratings"),
    ],
)
def test_degenerate_ratings_are_named(change: dict[str, Any], name: str, said: str, tmp_path: Path) -> None:
    """One rater, one image, all equal: the table that cannot be had says so."""
    answers = open_answers(csv(tmp_path, ratings().assign(**change)), scale=(1, 5))
    with pytest.raises(InputError, match=said):
        table(name, answers)


@pytest.mark.parametrize("change", [{"rater_id": "r1"}, {"image_id": "i1"}, {"value": 3.0}])
def test_degenerate_ratings_still_have_a_report(change: dict[str, Any], tmp_path: Path) -> None:
    """What can be told of them is told: distributions and means."""
    status, out = report(csv(tmp_path, ratings().assign(**change)), "--scale", "1", "5")
    assert status == 0
    assert len(pd.read_csv(out.parent / "tables" / "scores.csv")) in (1, 40)


def test_raters_who_share_nothing_are_named(tmp_path: Path) -> None:
    """Each rater rated one image: no method that takes a rater's bias off gives scores in silence."""
    alone = ratings()
    alone["rater_id"] = [f"r{number}" for number in range(len(alone))]
    answers = open_answers(csv(tmp_path, alone), scale=(1, 5))
    for method in ("p910", "p910-standard", "p913", "z-score", "dawid-skene"):
        with pytest.raises(InputError, match="gave one rating"):
            scored.scores(answers, method)
    with pytest.raises(InputError, match="no rater gave two different ratings"):
        table("tiers", answers)


def test_groups_of_raters_are_told_apart(tmp_path: Path) -> None:
    """Two halves that share no image: every score's note says that the halves cannot be compared."""
    one, other = (
        ratings(),
        ratings().assign(image_id=lambda t: "j" + t["image_id"], rater_id=lambda t: "s" + t["rater_id"]),
    )
    answers = open_answers(csv(tmp_path, pd.concat([one, other])), scale=(1, 5))
    found = scored.scores(answers, "p910")
    assert found["note"].str.contains("2 groups that share no image").all()


def test_one_broken_row_of_a_million(tmp_path: Path) -> None:
    """999,999 rows are read and analysed, and the one is named."""
    draw = np.random.default_rng(5)
    n = 1_000_000
    images, raters = draw.integers(0, 50_000, n), draw.integers(0, 2_000, n)
    values = draw.integers(1, 6, n).astype(str).astype(object)
    values[500_000] = "oops"
    frame = pd.DataFrame({"image_id": images, "rater_id": raters, "value": values})
    answers = open_answers(csv(tmp_path, frame), scale=(1, 5))
    assert answers.left_out == {"ratings without a number (row 500001)": 1}
    assert int(table("distributions", answers)["n"].sum()) == n - 1


def test_files_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file, a file of something else, no file, a folder of nothing: a sentence each, status 2."""
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "no.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "folder").mkdir()
    for name, said in (
        ("empty.csv", "is empty; its first line must name the columns"),
        ("no.parquet", "no Parquet file that can be read"),
        ("nowhere.csv", "is not there"),
        ("folder", "neither a study"),
    ):
        assert run(["analyze", "counts", "--data", str(tmp_path / name)]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1


def test_no_rows_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with a header only has counts of zero, and a table of scores says that there is nothing."""
    path = csv(tmp_path, ratings().head(0))
    assert run(["analyze", "counts", "--json", "--data", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["answers"] == 0
    assert run(["analyze", "scores", "--data", str(path)]) == 2
    assert "there are no answers to the task stars" in capsys.readouterr().err
