"""Answers of a study, of its release, and of its tables as files: the same rows, whatever they come from."""

from pathlib import Path

import pandas as pd
import pytest

from photojury.analysis.answers import Answers, of_files, of_study, open_answers
from photojury.analysis.findings import compared, scored
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study
from photojury.errors import InputError


@pytest.fixture(scope="module")
def released(filled: Study, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return open_answers(release(filled, tmp_path_factory.mktemp("r") / "skies-1.0.0", version="1.0.0"))


@pytest.fixture
def filed(filled: Study, tmp_path: Path) -> Answers:
    for name, columns in (
        ("ratings", ["image_id", "rater_id", "value"]),
        ("comparisons", ["first_id", "second_id", "rater_id", "value", "task"]),
    ):
        filled.read(name)[columns].to_csv(tmp_path / f"{name}.csv", index=False)
    return of_files([tmp_path / "ratings.csv", tmp_path / "comparisons.csv"])


def test_a_release_scores_as_its_study_does(filled: Study, released: Answers) -> None:
    """Mean opinion scores and confusion are equal; the scale is told from the ratings; all is simulated."""
    study = of_study(filled)
    assert released.scale == study.scale == (1.0, 3.0)
    pd.testing.assert_frame_equal(scored.scores(released), scored.scores(study))
    pd.testing.assert_frame_equal(compared.confusion(released).counts, compared.confusion(study).counts)
    assert released.simulated_share() == 1.0
    assert released.left_out == {}


def test_a_release_knows_its_pictures_and_batches(filled: Study, released: Answers) -> None:
    """Files are found in the parts of the split; HITs come with the assignments."""
    first = released.images.iloc[0]
    path = released.picture(first["image_id"], first["format"])
    assert path is not None and path.read_bytes() == filled.image_path(first["image_id"]).read_bytes()
    assert released.picture("0" * 64, "jpeg") is None
    assert released.ratings["hit_key"].nunique() == 4


def test_files_score_as_the_study_does(filled: Study, filed: Answers) -> None:
    """Ratings and comparisons in two files; images are those that occur in them."""
    columns = ["image_id", "score", "standard_error", "n"]
    study = scored.scores(of_study(filled))[columns]
    pd.testing.assert_frame_equal(scored.scores(filed)[columns], study)
    assert len(filed.images) == 40
    assert filed.payments.empty and filed.simulated_share() == 0.0


def test_the_kind_of_pairs_is_told_from_their_values(tmp_path: Path) -> None:
    """-1 and 1 only are forced choices; anything between is five levels."""
    pairs = pd.DataFrame({"first_id": ["a", "b"], "second_id": ["b", "c"], "rater_id": "r", "value": [1, -1]})
    pairs.to_parquet(tmp_path / "choices.parquet")
    pairs.assign(value=[2, 0]).to_parquet(tmp_path / "levels.parquet")
    assert set(open_answers(tmp_path / "choices.parquet").comparisons["task"]) == {"forced_choice"}
    assert set(open_answers(tmp_path / "levels.parquet").comparisons["task"]) == {"five_level"}


def test_separators_and_marks_of_other_programs(tmp_path: Path) -> None:
    """Semicolons and a byte order mark are read; identifiers stay text, with their zeros."""
    text = "\ufeffimage_id;rater_id;value\n001;07;2\n002;07;3\n"
    (tmp_path / "r.csv").write_text(text, encoding="utf-8")
    found = open_answers(tmp_path / "r.csv").ratings
    assert found["image_id"].tolist() == ["001", "002"]
    assert found["rater_id"].tolist() == ["07", "07"]


def test_cells_that_are_no_text_cost_their_row(tmp_path: Path) -> None:
    """A rater's name in another encoding is a missing one."""
    (tmp_path / "r.csv").write_bytes(b"image_id,rater_id,value\na,Jos\xe9,2\nb,x,3\n")
    found = open_answers(tmp_path / "r.csv")
    assert found.left_out == {"ratings without rater_id (row 1)": 1}
    assert found.ratings["image_id"].tolist() == ["b"]


def test_without_some_raters(filled: Study) -> None:
    """What the scores would be without a rater: his answers are gone, the scale stays."""
    study = of_study(filled)
    rater = study.ratings["rater_id"].iloc[0]
    rest = study.without([rater])
    assert rater not in set(rest.ratings["rater_id"]) | set(rest.comparisons["rater_id"])
    assert len(rest.ratings) == len(study.ratings) - int(study.ratings["rater_id"].eq(rater).sum())
    assert rest.scale == study.scale


def test_tables_are_read_when_needed(filled: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening reads nothing; ratings need no comparisons."""
    read: list[str] = []
    real = Study.read

    def noted(self: Study, table: str, *args: object, **options: object) -> pd.DataFrame:
        read.append(table)
        return real(self, table, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Study, "read", noted)
    answers = of_study(filled)
    assert read == []
    assert len(answers.ratings) == 400
    assert set(read) == {"ratings", "assignments", "units"}


def test_a_scale_that_nobody_knows(tmp_path: Path) -> None:
    """Without ratings there is no scale to tell."""
    (tmp_path / "c.csv").write_text("first_id,second_id,rater_id,value\na,b,r,1\n")
    with pytest.raises(InputError, match="their scale is not known"):
        _ = open_answers(tmp_path / "c.csv").scale
