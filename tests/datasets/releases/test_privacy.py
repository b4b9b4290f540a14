"""Who raters are stays in the study: ids that join with nothing, small cells, texts that tell."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.releases.contents import Options
from photojury.datasets.releases.privacy import small_cells, telling_texts
from photojury.datasets.releases.read import open_release
from photojury.datasets.releases.verify import verify
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study
from photojury.errors import InputError, Refused


def raters(folder: Path) -> set[str]:
    return set(pd.read_parquet(folder / "tables" / "assignments.parquet")["rater_id"])


def with_cells(study: Study, least: int) -> Study:
    section = dataclasses.replace(study.settings.release, smallest_cell=least)
    return dataclasses.replace(study, settings=dataclasses.replace(study.settings, release=section))


def test_releases_cannot_be_joined_by_rater(
    full_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version, another name or another salt has no id of rater or assignment in common; forms have all."""
    first = release(full_study, tmp_path / "a", version="1.0.0")
    assert raters(release(full_study, tmp_path / "f", version="1.0.0", form="webdataset")) == raters(first)
    second = release(full_study, tmp_path / "b", version="1.0.1")
    named = dataclasses.replace(full_study.settings.study, name="other")
    renamed = dataclasses.replace(full_study, settings=dataclasses.replace(full_study.settings, study=named))
    third = release(renamed, tmp_path / "c", version="1.0.0")
    monkeypatch.setenv("PHOTOJURY_SALT", "another salt")
    fourth = release(full_study, tmp_path / "d", version="1.0.0")
    own = set(full_study.read("assignments")["rater_id"])
    everything = [own, *(raters(folder) for folder in (first, second, third, fourth))]
    assert len(set().union(*everything)) == sum(map(len, everything)) == 5 * 12
    ids = [set(open_release(folder).read("ratings")["assignment_id"]) for folder in (first, second)]
    assert len(ids[0] | ids[1]) == 24


def test_the_salt_is_written_nowhere(full_study: Study, tmp_path: Path) -> None:
    """Neither the user's salt nor a rater's or worker's id of the study is in any file of a release."""
    folder = release(full_study, tmp_path / "a", version="1.0.0", form="csv")
    secrets = ["salt of the tests", "A9WORKER", *full_study.read("assignments")["rater_id"],
               *full_study.read("assignments")["assignment_id"]]  # fmt: skip
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".png":
            text = path.read_text(encoding="utf-8")
            assert not [secret for secret in secrets if secret in text], path


def test_cells_are_counted() -> None:
    """By hand: a and b share two batches, c to e one; f gave two answers; with 3 asked for, a, b and f stand out."""
    batches = {"a": "xxxyyy", "b": "xxyy", "c": "xxx", "d": "xxxx", "e": "xxx", "f": "xx"}
    answers = pd.DataFrame([(rater, batch) for rater, all_ in batches.items() for batch in all_],
                           columns=["rater_id", "batch"])  # fmt: skip
    assert small_cells(answers, least=3).to_dict() == {
        "a": "one of 2 in x + y",
        "b": "one of 2 in x + y",
        "f": "2 answers in all",
    }
    assert small_cells(answers, least=1).empty


def test_a_rater_who_could_be_told_apart_stops_a_release(full_study: Study, tmp_path: Path) -> None:
    """Eight people with the same batches pass as 8 and not as 9; simulated raters are nobody."""
    folder = tmp_path / "out"
    release(with_cells(full_study, 8), tmp_path / "eight", version="1.0.0")
    with pytest.raises(
        Refused, match=r"8 raters could be told apart: abcdef0123450000 \(one of 8 in pairs-1 \+ stars-1\)"
    ):
        release(with_cells(full_study, 9), folder, version="1.0.0")
    assert not folder.exists()
    allowed = Options(allow=("small-cells",), smallest_cell=9)
    assert len(raters(release(full_study, folder, version="1.0.0", options=allowed))) == 12
    assert "could be told apart by that" in (folder / "README.md").read_text()
    dropped = Options(drop=("small-cells",), smallest_cell=9)
    folder = release(full_study, tmp_path / "dropped", version="1.0.0", options=dropped)
    assert open_release(folder).read("assignments")["simulated"].tolist() == [True] * 8
    assert len(open_release(folder).read("ratings")) == 4 * 12
    assert verify(folder) == []


def test_dropping_goes_on_until_nobody_stands_out(full_study: Study, tmp_path: Path) -> None:
    """One of eight left the pairs out: dropped as one of 1; where eight are asked for, the other seven follow."""
    options = Options(drop=("small-cells",), smallest_cell=8)
    study = dataclasses.replace(full_study)
    rater = "abcdef0123450000"
    with study.engine.connect() as connection, connection.begin() as transaction:
        kept = [dict(row) for row in connection.execute(
            sa.select(tables.comparisons).where(tables.comparisons.c.rater_id == rater)).mappings()]  # fmt: skip
        connection.execute(sa.delete(tables.comparisons).where(tables.comparisons.c.rater_id == rater))
        transaction.commit()
    folder = release(study, tmp_path / "out", version="1.0.0", options=options)
    study.add("comparisons", kept)
    assert open_release(folder).read("ratings")["simulated"].all()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("write to ann.lee+x@mail.example.org!", "an e-mail address"),
        ("call +49 170 1234567", "a telephone number"),
        ("tel (030) 123 45 67 89", "a telephone number"),
        ("415-555-2671", "a telephone number"),
        ("0044 20 7946 0958", "a telephone number"),
        ("by A2EXAMPLE1234X", "what looks like a worker id"),
        ("5f0a1b2c3d4e5f6071829304", "what looks like a worker id"),
        ("thanks, worker9", "somebody's id"),
        ("2019-05-04 12:30:22", ""),
        ("04/05/2019 0930", ""),
        ("20190504_123456", ""),
        ("DSC_0012345678, f/2.8 1/250 ISO 100", ""),
        ("48.8566, 2.3522", ""),
        ("https://www.flickr.com/photos/12345678@N01/0123456789012/", ""),
        ("ABSTRACTEXPRESSION 1900-1945", ""),
        ("workers9", ""),
    ],
)
def test_texts_that_tell(text: str, what: str) -> None:
    """Addresses, numbers and ids are found; dates, file names, exposures, coordinates and Flickr's pages are not."""
    table = pd.DataFrame({"image_id": ["x", "y"], "title": [None, text]})
    found = telling_texts(table, "images", ["title"], {"worker9"})
    assert found["what"].tolist() == ([what] if what else [])
    assert found["row"].tolist() == (["y"] if what else [])


@pytest.fixture
def telling(study: Study) -> Iterator[Study]:
    """The small study with a telephone number in a title, a rater's id in a tag and a worker's in a reason."""
    first, second = sorted(study.read("images")["image_id"])[:2]
    table = tables.images
    with study.writing() as connection:
        connection.execute(
            sa.update(table).where(table.c.image_id == first).values(title="ring 0170 1234567")
        )
        connection.execute(
            sa.update(table).where(table.c.image_id == second).values(tags='["tree", "raterone1"]')
        )
        connection.execute(sa.update(tables.assignments).where(tables.assignments.c.rater_id == "r1")
                           .values(rater_id="raterone1"))  # fmt: skip
        connection.execute(sa.update(tables.ratings).where(tables.ratings.c.rater_id == "r1")
                           .values(rater_id="raterone1"))  # fmt: skip
    study.add("presentations", [{"assignment_id": "1", "unit_id": "ux", "rater_id": "raterone1", "position_in_hit": 0,
                                 "reason": "I am A2REALWORKER"}])  # fmt: skip
    yield study
    study.close()


def test_texts_stop_a_release_until_something_is_said(telling: Study, tmp_path: Path) -> None:
    """Rows are named; --drop leaves the texts out, with what was made of them; --allow releases them, and verify knows."""
    first, second = sorted(telling.read("images")["image_id"])[:2]
    with pytest.raises(Refused) as error:
        release(telling, tmp_path / "out", version="1.0.0")
    for part in ("3 texts may tell who somebody is", f"{first[:16]} in images.title (a telephone number)",
                 f"{second[:16]} in images.tags (somebody's id)",
                 "1 in presentations.reason (somebody's id)", "--drop text", "--allow text"):  # fmt: skip
        assert part in str(error.value)
    folder = release(telling, tmp_path / "dropped", version="1.0.0", options=Options(drop=("text",)))
    images = open_release(folder).read("images").set_index("image_id")
    assert pd.isna(images.loc[first, "title"]) and "0170" not in images.loc[first, "attribution"]
    assert pd.isna(images.loc[second, "tags"])
    assert open_release(folder).read("presentations")["reason"].tolist() == [None]
    assert verify(folder) == []
    folder = release(telling, tmp_path / "allowed", version="1.0.0", options=Options(allow=("text",)))
    assert (
        open_release(folder).read("images").set_index("image_id").loc[first, "title"] == "ring 0170 1234567"
    )
    assert verify(folder) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (Options(allow=("texts",)), "unknown check of a release 'texts'. Did you mean text?"),
        (Options(drop=("cells",)), "unknown check of a release 'cells'"),
    ],
)
def test_a_check_that_is_none(study: Study, tmp_path: Path, options: Options, sentence: str) -> None:
    """A misspelt check is named, and nothing is written."""
    with pytest.raises(InputError, match=sentence):
        release(study, tmp_path / "out", version="1.0.0", options=options)
    assert not (tmp_path / "out").exists()
