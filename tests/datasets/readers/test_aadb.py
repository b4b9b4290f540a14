"""AADB: its four public forms agree; the leak between validation and test; raw answers in the columns of the authors' script."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from photojury.datasets.readers.published import read
from photojury.errors import InputError

URL = "https://farm1.staticflickr.com/286/20013434330_d99ab6b9a0_b.jpg"
NAME = "aadb:farm1_286_20013434330_d99ab6b9a0_b.jpg"
QUESTIONS = (
    "VisualBalance", "ColorHarmony", "Content", "DoF", "choiceLight", "MotionBlur", "ObjectEmphasis", "Repetition",
    "RuleOfThirds", "Symmetry", "StrongColor",
)  # fmt: skip


def answers(workers: dict[str, int], said: str = "Neutral") -> pd.DataFrame:
    """Raw answers of some workers about ten images, the first of which is URL; their stars for it are given."""
    urls = [URL, *(f"https://farm9.staticflickr.com/1/{number}_abc_b.jpg" for number in range(2, 11))]
    rows = []
    for worker, stars in workers.items():
        row = {"HITId": "H1", "Title": "rate", "AssignmentId": f"A-{worker}", "WorkerId": worker}
        row |= {f"Input.image_url{at}": url for at, url in enumerate(urls, 1)}
        row |= {f"Answer.{word}{at}": said for word in QUESTIONS for at in range(1, 11)}
        row |= {f"Answer.overallScore{at}": str(stars if at == 1 else 3) for at in range(1, 11)}
        rows.append(row)
    return pd.DataFrame(rows)


def test_counts(shared: Path) -> None:
    """8,458 / 500 / 1,000 rows, 127 of them shared by validation and test, 9,831 images with twelve scores each."""
    published = read("aadb", shared / "data/aadb", overlap="keep")
    splits = published.tables["splits"]
    assert splits["part"].value_counts().to_dict() == {"train": 8_458, "test": 1_000, "validation": 500}
    assert splits["image_id"].duplicated().sum() == 127
    assert len(published.images) == splits["image_id"].nunique() == 9_831
    assert published.tables["scores"]["method"].value_counts().unique().tolist() == [9_831]
    assert published.tables["scores"]["method"].nunique() == 12
    assert published.left_out == {}
    assert any("127 official validation images" in note for note in published.notes)


def test_the_leak_is_taken_out(shared: Path) -> None:
    """By default the 127 are test images only, and a note says so; no image lies in two parts."""
    published = read("aadb", shared / "data/aadb")
    splits = published.tables["splits"]
    assert splits["part"].value_counts().to_dict() == {"train": 8_458, "test": 1_000, "validation": 373}
    assert not splits["image_id"].duplicated().any()
    assert any("127" in note and "left out" in note for note in published.notes)


def test_scores_are_means_of_five(shared: Path) -> None:
    """96.2 % of the images' scores (96.3 % of the rows of the lists) are multiples of 1/20; attributes lie in -1..1, and
    two of them never below 0."""
    scores = read("aadb", shared / "data/aadb").tables["scores"]
    wide = scores.pivot(index="image_id", columns="method", values="score")
    on = (wide["aadb"] * 20 - (wide["aadb"] * 20).round()).abs() < 1e-6
    assert round(float(on.mean()), 3) == 0.962
    both = read("aadb", shared / "data/aadb", overlap="keep").tables["splits"]
    rows = both["image_id"].map(on)
    assert round(float(rows.mean()), 3) == 0.963
    assert (wide["aadb:Repetition"].min(), wide["aadb:Symmetry"].min()) == (0, 0)
    assert (wide["aadb:Light"].min(), wide["aadb:Light"].max()) == (-1, 1)


def test_the_four_forms_agree(shared: Path, tmp_path: Path) -> None:
    """The MATLAB file, IQA-Dataset's table and the authors' lists have the scores that the CSV lists have."""
    folder = shared / "data/aadb"
    lists = read("aadb", folder).tables["scores"].set_index(["method", "image_id"])["score"]
    matlab = read("aadb", folder / "AADBinfo.mat")
    found = matlab.tables["scores"].set_index(["method", "image_id"])["score"]
    assert len(found) == 9_458 and (found - lists.reindex(found.index)).abs().max() < 1e-9
    assert matlab.tables["splits"]["part"].value_counts().to_dict() == {"train": 8_458, "test": 1_000}

    shutil.copy(folder / "AADB.txt.gz", tmp_path)
    table = read("aadb", tmp_path)
    found = table.tables["scores"].set_index(["method", "image_id"])["score"]
    assert len(found) == len(lists) and (found - lists.reindex(found.index)).abs().max() < 1e-9
    assert "splits" not in table.tables
    assert list(table.left_out.values()) == [127]  # the shared rows stand there twice

    labels = tmp_path / "new" / "imgListFiles_label"
    labels.mkdir(parents=True)
    for part in ("Train", "Validation", "TestNew"):
        csv = next(folder.glob(f"imgList{part}Regression_.csv*"))
        for name in ("score", "Light"):
            lines = pd.read_csv(csv)[["ImageFile", name]]
            lines.to_csv(labels / f"imgList{part}Regression_{name}.txt", sep=" ", header=False, index=False)
    own = read("aadb", tmp_path / "new").tables
    found = own["scores"].set_index(["method", "image_id"])["score"]
    assert set(own["scores"]["method"]) == {"aadb", "aadb:Light"}
    assert (found - lists.reindex(found.index)).abs().max() < 1e-9 and len(own["splits"]) == 9_831


@pytest.mark.parametrize("name", ["AllinAll.csv", "result_csv.csv"])
def test_raw_answers(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Ten images of each assignment, in their places, under the names of the lists; workers are hashed. Their means are
    held against the released scores: of the one image that is in the lists, five raters gave 0.65."""
    monkeypatch.setenv("PHOTOJURY_SALT", "salt")
    for path in (shared / "data/aadb").glob("*.csv*"):
        shutil.copy(path, tmp_path)
    table = answers({"A1WORKER": 4, "A2WORKER": 3, "A3WORKER": 4, "A4WORKER": 3, "A5WORKER": 4})
    table["Answer.choiceLight1"] = ["Positive", "Negative", "", "Neutral", "Positive"]
    text = table.to_csv(index=False, quoting=1)
    if name == "result_csv.csv":  # what the authors' script makes of every line but the first
        lines = text.splitlines()
        for at in range(1, len(lines)):
            line = lines[at].replace('"', "").replace(",", '","').replace('""', '"n"').replace("Neutral", "n")
            line = line.replace("Positive", '<font color="green">Pos</font>')
            lines[at] = line.replace("Negative", '<font color="red">Neg</font>')
        text = "\n".join(lines) + "\n"
    (tmp_path / name).write_text(text)
    published = read("aadb", tmp_path)
    ratings = published.tables["ratings"]
    stars = ratings[ratings["attribute"] == "overall"]
    assert len(stars) == 50 and len(ratings) == 600 and ratings["rater_id"].nunique() == 5
    assert stars[stars["image_id"] == NAME]["value"].tolist() == [4, 3, 4, 3, 4]
    assert sorted(set(stars["position_in_hit"])) == list(range(10)) and set(stars["hit_key"]) == {"H1"}
    light = ratings[(ratings["attribute"] == "Light") & (ratings["image_id"] == NAME)]
    assert light["value"].tolist() == [1, -1, 0, 0, 1] and set(light["task"]) == {"attributes"}
    assert "WORKER" not in ratings["rater_id"].str.cat()
    assert any("released score of 1 of 1 images" in note for note in published.notes)
    assert any("9 rated images are in no list" in note for note in published.notes)
    assert len(published.images) == 9_831 + 9 and published.scale == (1.0, 5.0)


def test_raw_answers_that_are_none(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0 stars is no rating, a strange word no answer; both are counted. Means that are not the scores are told."""
    monkeypatch.setenv("PHOTOJURY_SALT", "salt")
    shutil.copy(shared / "data/aadb/AADBinfo.mat", tmp_path)
    table = answers({"A1": 1, "A2": 0})
    table.loc[0, "Answer.DoF2"] = "perhaps"
    table.to_csv(tmp_path / "AllinAll.csv", index=False)
    published = read("aadb", tmp_path)
    assert len(published.tables["ratings"]) == 19 * 12 - 1
    assert published.left_out == {
        "AllinAll.csv: Answer.overallScore is off its scale of 1 to 5 (row 2)": 1,
        "AllinAll.csv: answers about an attribute that are not Positive, Neutral or Negative": 1,
    }
    assert any("takes them wrong" in note for note in published.notes)


def test_broken_lists(tmp_path: Path) -> None:
    """A row off the scale, a doubled image with two scores, a ragged row and one without a name cost themselves; a column
    that is missing, or two lists that disagree, are told."""
    header = (
        "ImageFile,BalacingElements,ColorHarmony,Content,DoF,Light,MotionBlur,Object,Repetition,RuleOfThirds,Symmetry,"
        "VividColor,score"
    )

    def row(name: str, score: float, symmetry: float = 0) -> str:
        return f"{name},0,0,0,0,0,0,0,0,0,{symmetry},0,{score}"

    train = [
        row("a.jpg", 0.5), row("b.jpg", 1.5), row("c.jpg", 0.2), row("c.jpg", 0.3), "d.jpg,0", row("", 0.5),
        row("e.jpg", 0.5, symmetry=-0.2), row("f.jpg", 0.25),
    ]  # fmt: skip
    for part, rows in (
        ("Train", train),
        ("Validation", [row("v.jpg", 0.5)]),
        ("TestNew", [row("f.jpg", 0.5)]),
    ):
        (tmp_path / f"imgList{part}Regression_.csv").write_text("\n".join([header, *rows]) + "\n")
    published = read("aadb", tmp_path)
    assert published.images["source_id"].tolist() == ["a.jpg", "v.jpg"]
    assert list(published.left_out.items()) == [
        ("imgListTrainRegression_.csv: rows with more or fewer cells than the first line (row 5)", 1),
        ("imgListTrainRegression_.csv: ImageFile is missing or unreadable (row 6)", 1),
        ("imgListTrainRegression_.csv: Symmetry is off its scale of 0 to 1 (row 7)", 1),
        ("imgListTrainRegression_.csv: score is off its scale of 0 to 1 (row 2)", 1),
        ("imgListTrainRegression_.csv: rows with the same ImageFile say different things (row 3)", 2),
        ("images that two lists label differently (f.jpg)", 1),
    ]
    (tmp_path / "imgListTestNewRegression_.csv").write_text("ImageFile,score\nx.jpg,0.5\n")
    with pytest.raises(
        InputError, match=r"imgListTestNewRegression_\.csv lacks the columns BalacingElements"
    ):
        read("aadb", tmp_path)
    (tmp_path / "imgListTestNewRegression_.csv").unlink()
    with pytest.raises(InputError, match=r"has no file imgListTestNewRegression_\.csv"):
        read("aadb", tmp_path)


def test_a_matlab_file_that_is_none(shared: Path, tmp_path: Path) -> None:
    """Text, a file that is cut off, and one of MATLAB with other names in it, are one sentence each."""
    path = tmp_path / "AADBinfo.mat"
    whole = (shared / "data/aadb/AADBinfo.mat").read_bytes()
    for content in (b"not MATLAB", b"long enough, but not MATLAB " * 20, whole[:100_000], whole[:130], b""):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"is no AADBinfo\.mat") as caught:
            read("aadb", path)
        assert "\n" not in str(caught.value)
    savemat(path, {"other": np.ones(3)})
    with pytest.raises(InputError, match=r"is no AADBinfo\.mat"):
        read("aadb", path)
