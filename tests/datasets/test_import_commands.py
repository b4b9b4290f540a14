"""`photojury datasets import` and `list`: what is typed, what is said, and that the analysis then works."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from photojury.cli import run
from photojury.datasets.readers.published import READERS
from photojury.datasets.releases.write import release
from photojury.datasets.store import open_study
from tests.support import make_study

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_documented_mapping(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files and the command of docs/datasets.md: three ratings, two comparisons, one row off the scale; the report."""
    monkeypatch.chdir(tmp_path)
    votes, pairs = blocks("csv")
    (tmp_path / "votes.csv").write_text(votes)
    (tmp_path / "pairs.csv").write_text(pairs)
    (tmp_path / "map.toml").write_text(blocks("toml")[0])
    command = next(line for text in blocks("console") for line in text.splitlines() if "import csv" in line)
    arguments = command.removeprefix("$ photojury ").split()
    assert run([*arguments, "--json"]) == 0
    said = capsys.readouterr()
    done = json.loads(said.out)
    assert done["rows"]["ratings"] == 3 and done["rows"]["comparisons"] == 2 and done["absent"] == 2
    assert "left out: 1 votes.csv: stars (value) is off its scale of 1 to 5 (row 4)" in said.err
    study = open_study(tmp_path / "skies")
    assert study.settings.stars.levels == 5
    assert study.read("comparisons")[["value", "first_shown_left"]].sort_values(
        "value"
    ).to_numpy().tolist() == [
        [0.0, True],
        [1.0, True],
    ]
    assert study.read("splits")["part"].tolist() == ["train", "test"]
    assert run(["analyze", "--study", "skies"]) == 0
    assert (tmp_path / "skies" / "reports" / "index.html").is_file()
    assert run(arguments) == 0
    assert "no new rows" in capsys.readouterr().out


def test_the_documented_mturk_mapping_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of results with the columns that the documented mapping names: ten ratings and a comparison."""
    monkeypatch.setenv("PHOTOJURY_SALT", "salt")
    row = {"HITId": "H", "AssignmentId": "A", "WorkerId": "A1WORKER", "AssignmentStatus": "Approved",
           "AcceptTime": "2015-06-24T18:20:00Z", "SubmitTime": "2015-06-24T18:30:00Z"}  # fmt: skip
    row |= {f"Input.image{n}": f"http://example.org/{n}.jpg" for n in range(1, 11)}
    row |= {f"Answer.stars{n}": str(n % 3 + 1) for n in range(1, 11)}
    row |= {
        "Input.left": "http://example.org/1.jpg",
        "Input.right": "http://example.org/2.jpg",
        "Answer.better": "right",
    }
    pd.DataFrame([row]).to_csv(tmp_path / "results.csv", index=False)
    (tmp_path / "map.toml").write_text(blocks("toml")[1])
    (tmp_path / "photos").mkdir()
    for number in range(1, 11):
        Image.new("RGB", (80, 80 + number)).save(tmp_path / "photos" / f"{number}.jpg")
    arguments = [
        "datasets",
        "import",
        "mturk-csv",
        str(tmp_path / "results.csv"),
        "--map",
        str(tmp_path / "map.toml"),
    ]
    assert run([*arguments, "--images", str(tmp_path / "photos"), "--study", str(tmp_path / "s")]) == 0
    assert "10 pictures stored, 0 known by their labels only" in capsys.readouterr().out
    study = open_study(tmp_path / "s")
    assert len(study.read("ratings")) == 10 and study.read("comparisons")["value"].tolist() == [-1.0]
    assert study.read("hits")["hit_id"].tolist() == ["H"] and study.count("workers") == 0
    assert set(study.read("images")["status"]) == {"kept"}


def test_a_release_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """import release makes a study with the release's pictures; options that mean nothing there are refused."""
    study = make_study(tmp_path, 12)
    folder = release(study, tmp_path / "out", version="1.0.0")
    assert run(["datasets", "import", "release", str(folder), "--study", str(tmp_path / "copy")]) == 0
    copy = open_study(tmp_path / "copy")
    assert copy.read("images")["image_id"].tolist() == study.read("images")["image_id"].tolist()
    assert all(copy.image_path(image).is_file() for image in copy.read("images")["image_id"])
    pd.testing.assert_frame_equal(copy.read("splits"), study.read("splits"))
    capsys.readouterr()
    arguments = [
        "datasets",
        "import",
        "release",
        str(folder),
        "--set",
        "a=b",
        "--study",
        str(tmp_path / "copy"),
    ]
    assert run(arguments) == 2
    assert "leave --set, --images and --map" in capsys.readouterr().err


def test_every_dataset_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, options, files and source of every reader, as text and as JSON."""
    assert run(["datasets", "list"]) == 0
    said = capsys.readouterr().out
    for name in READERS:
        assert re.search(rf"^{name}\b", said, re.MULTILINE), name
    assert (
        "csv --map FILE" in said
        and "ava --set splits=..." in said
        and "koniq10k_distributions_sets.csv" in said
    )
    assert run(["datasets", "list", "--json"]) == 0
    assert {row["name"] for row in json.loads(capsys.readouterr().out)} == {*READERS, "release"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["konik", "."], "unknown dataset 'konik'. Did you mean koniq?"),
        (["koniq", "nowhere"], "nowhere is not there"),
        (["koniq", "."], "koniq10k_distributions_sets.csv"),
        (["oasis", ".", "--set", "repeat"], "must be written KEY=VALUE"),
        (["oasis", ".", "--set", "repeat=true"], "unknown option of oasis 'repeat'. Did you mean repeated?"),
        (["csv", "."], "name it with --map FILE"),
        (["koniq", ".", "--map", "m.toml"], "unknown option of koniq 'map'"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit status 2, one line on stderr, and no study is made."""
    monkeypatch.chdir(tmp_path)
    assert run(["datasets", "import", *arguments, "--study", "s"]) == 2
    output = capsys.readouterr()
    assert said in output.err and len(output.err.strip().splitlines()) == 1
    assert not (tmp_path / "s").exists()
