"""What changed from one release to the next, counted by hand."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from photojury.cli import run
from photojury.datasets import tables
from photojury.datasets.releases.contents import Options
from photojury.datasets.releases.diff import diff
from photojury.datasets.releases.layout import FORMS
from photojury.datasets.releases.read import open_release
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study


@pytest.fixture
def changed(study: Study, tmp_path: Path) -> Iterator[tuple[Path, Path, list[str]]]:
    """Releases of the small study before and after: x and z renamed, y gone, r1 not used, r4 new, a score moved by 0.25."""
    names = sorted(study.read("images")["image_id"])
    score = {"method": "mos", "standard_error": None}
    study.add("scores", [{**score, "image_id": image, "score": 2.0} for image in names[:3]])
    first = release(study, tmp_path / "a", version="1.0.0")
    images, assignments, scores = tables.images, tables.assignments, tables.scores
    with study.writing() as connection:
        connection.execute(
            sa.update(images).where(images.c.image_id.in_([names[0], names[2]])).values(title="Tree")
        )
        connection.execute(
            sa.update(images).where(images.c.image_id == names[2]).values(license_id="cc0-1.0")
        )
        connection.execute(sa.update(images).where(images.c.image_id == names[1]).values(status="rejected"))
        connection.execute(sa.update(assignments).where(assignments.c.assignment_id == "1").values(use=False))
        connection.execute(sa.update(scores).where(scores.c.image_id == names[2]).values(score=2.25))
    row = {"assignment_id": "4", "rater_id": "r4"}
    study.add("assignments", [{**row, "hit_key": "h", "status": "Approved", "answers": ""}])
    study.add("ratings", [{**row, "unit_id": "ux", "image_id": names[0], "attribute": "overall", "value": 2}])
    yield first, release(study, tmp_path / "b", version="1.1.0"), names
    study.close()


def test_every_change_is_counted(changed: tuple[Path, Path, list[str]]) -> None:
    """Raters have other ids in both; answers are matched all the same, and nothing else is said to have changed."""
    first, second, names = changed
    found = diff(open_release(first), open_release(second))
    assert (found.first, found.second) == ("tests 1.0.0", "tests 1.1.0")
    assert (found.added, found.removed) == ([], [names[1]])
    assert found.changed == {
        names[0]: ["title", "attribution"],
        names[2]: ["title", "license_id", "attribution"],
    }
    ratings = found.tables["ratings"]
    assert (ratings.same, ratings.added, ratings.removed, ratings.changed) == (3, 1, 1, {"use": 1})
    assert found.tables["images"].changed == {"title": 2, "license_id": 1, "attribution": 2}
    assert found.tables["scores"].changed == {"score": 1} and found.scores == {"mos": 0.25}
    assert (found.tables["splits"].removed, found.tables["hits"].changed) == (1, {})


def test_nothing_changed_says_so(full_study: Study, tmp_path: Path) -> None:
    """The same study in any two forms and versions has no difference; one that leaves raters out has."""
    made = [
        open_release(release(full_study, tmp_path / form, version=f"1.0.{n}", form=form))
        for n, form in enumerate(FORMS)
    ]
    for other in made[1:]:
        assert diff(made[0], other).lines()[1:] == ["no differences in the tables"]
    options = Options(drop=("small-cells",), smallest_cell=9)
    fewer = open_release(release(full_study, tmp_path / "fewer", version="2.0.0", options=options))
    lines = diff(made[0], fewer).lines()
    assert "ratings: 48 in both, 0 added, 96 removed" in lines


def test_the_commands(
    full_study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """release, verify and diff as one types them: folders, sentences, JSON, exit statuses 0, 1, 2 and 4."""
    at = ["--study", str(full_study.folder), "--json"]
    made = []
    for arguments in (
        ["--version", "3.0.0"],
        ["--version", "3.0.0", "--form", "csv", "--published", "2026-11-05"],
    ):
        assert run(["datasets", "release", *arguments, *at]) == 0
        made.append(Path(json.loads(capsys.readouterr().out)["folder"]))
    assert [folder.name for folder in made] == ["tests-3.0.0", "tests-3.0.0-csv"]
    assert 'date-released: "2026-11-05"' in (made[1] / "CITATION.cff").read_text()
    assert run(["datasets", "verify", str(made[0])]) == 0
    assert capsys.readouterr().out == f"{made[0]} is as it was released\n"
    assert run(["datasets", "diff", str(made[0]), str(made[1])]) == 0
    assert capsys.readouterr().out == "tests 3.0.0 -> tests 3.0.0\nno differences in the tables\n"
    assert run(["datasets", "diff", str(made[0]), str(made[1]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tables"]["ratings"]["same"] == 144
    (made[0] / "LICENSE").unlink()
    assert run(["datasets", "verify", str(made[0])]) == 1
    assert capsys.readouterr().out == "LICENSE is missing\n"
    for arguments, status, sentence in (
        (["verify", str(tmp_path / "none")], 2, "none is no folder; name a release"),
        (["diff", str(made[0]), str(tmp_path)], 2, "has no release.json; it is no release of photojury"),
        (["release", "--smallest-cell", "9", "--version", "4", *at], 4, "8 raters could be told apart"),
        (["release", "--published", "soon", *at], 2, "soon is no day; write it like 2026-11-05"),
        (
            ["release", "--version", "3.0.0", *at],
            2,
            "tests-3.0.0 exists already, and a release is never changed",
        ),
    ):
        assert run(["datasets", *arguments]) == status
        assert sentence in capsys.readouterr().err
