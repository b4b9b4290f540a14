"""Importing: rows of a study that say no more than the dataset, twice safely, with pictures or without."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from PIL import Image

from photojury.analysis.answers import of_study
from photojury.analysis.findings import agreed, compared, rated, scored
from photojury.analysis.scores import paired
from photojury.annotate.batches import plan
from photojury.annotate.money.review import decide_use
from photojury.collect.checks.checking import check
from photojury.collect.checks.measuring import measure_missing
from photojury.datasets import tables, tombstones
from photojury.datasets.images import image_id
from photojury.datasets.importing.bring_in import bring_in
from photojury.datasets.readers.published import Published, read
from photojury.datasets.scales import scale_of, settings_for
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, SettingsError
from photojury.settings import Settings


def jpeg(shade: int, side: int = 96) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side + shade), (shade, 10, 200)).save(file, "JPEG")
    return file.getvalue()


def ratings(rows: list[tuple[str, str, float]], **more: Any) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["image_id", "rater_id", "value"])
    return table.assign(attribute="overall", task="stars", **more)


def images(*names: str) -> pd.DataFrame:
    ids = pd.Series(names)
    return pd.DataFrame({"image_id": "d:" + ids, "source": "d", "source_id": ids, "file": ids + ".jpg"})


RATED = ratings([("d:a", "r1", 1), ("d:a", "r2", 3), ("d:b", "r1", 2), ("d:b", "r2", 2)])
DATASET = Published("d", images("a", "b"), {"ratings": RATED}, scale=(1, 3))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "tests")


def test_labels_without_pictures(study: Study) -> None:
    """Absent images, one unit each, one assignment for each rater, no HIT and no time; the analysis reads them."""
    done = bring_in(study, DATASET)
    assert (done.images, done.pictures, done.absent) == (2, 0, 2)
    assert done.rows == {"units": 2, "assignments": 2, "ratings": 4}
    stored = study.read("images")
    assert stored["image_id"].tolist() == ["d:a", "d:b"] and set(stored["status"]) == {"absent"}
    assert stored[["width", "height", "format", "bytes"]].isna().all(axis=None)
    assignments = study.read("assignments")
    assert assignments[["hit_key", "accepted_at", "submitted_at"]].isna().all(axis=None)
    assert sorted(assignments["rater_id"]) == ["d:r1", "d:r2"]
    assert study.count("hits") == 0
    answers = of_study(study)
    assert len(answers.ratings) == 4 and answers.left_out == {}
    assert dict(scored.mos(answers).set_index("image_id")["score"]) == {"d:a": 2.0, "d:b": 2.0}
    with pytest.raises(InputError, match="do not say their batch"):
        agreed.batches(answers)


def test_twice_is_safe(study: Study) -> None:
    """The second time nothing is new, and what was there is counted."""
    bring_in(study, DATASET)
    before = {name: study.read(name) for name in ("images", "units", "assignments", "ratings")}
    done = bring_in(study, DATASET)
    assert (
        done.images == 0
        and not any(done.rows.values())
        and done.known == {"units": 2, "assignments": 2, "ratings": 4}
    )
    for name, table in before.items():
        pd.testing.assert_frame_equal(study.read(name), table)


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
def test_pictures_come_later(study: Study, tmp_path: Path, form: str) -> None:
    """Imported again with pictures, an absent image becomes its picture, and everything about it goes with it."""
    splits = pd.DataFrame({"image_id": ["d:a", "d:b"], "split": "official", "part": ["train", "test"]})
    dataset = Published("d", DATASET.images, {"ratings": RATED, "splits": splits}, scale=(1, 3))
    bring_in(study, dataset)
    content = {"deep/a.jpg": jpeg(7), "deep/other.jpg": jpeg(9), "deep/b.jpg": b"not a picture"}
    place = tmp_path / f"pictures.{form}"
    if form == "folder":
        place.mkdir()
        for name, data in content.items():
            (place / Path(name).name).write_bytes(data)
    elif form == "zip":
        with zipfile.ZipFile(place, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(place, "w") as tar:
            for name, data in content.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    done = bring_in(study, dataset, pictures=place)
    mine = image_id(jpeg(7))
    assert (done.images, done.pictures, done.absent) == (0, 1, 1)
    assert [
        reason for reason in done.left_out if reason.startswith("pictures that cannot be used, such as b.jpg")
    ]
    stored = study.read("images").set_index("image_id")
    assert list(stored[["source", "source_id", "status", "width", "height"]].loc[mine]) == [
        "d",
        "a",
        "kept",
        96,
        103,
    ]
    assert stored.loc["d:b", "status"] == "absent" and len(stored) == 2
    assert study.image_path(mine).read_bytes() == jpeg(7)
    assert sorted(study.read("ratings")["image_id"]) == sorted([mine, mine, "d:b", "d:b"])
    assert set(study.read("splits")["image_id"]) == {mine, "d:b"} == set(study.read("units")["first_id"])
    states = study.read("candidates").set_index("source_id")["state"]
    assert dict(states) == {"a": "stored", "b": "rejected"}
    again = bring_in(study, dataset)
    assert again.images == 0 and not any(again.rows.values()) and len(study.read("ratings")) == 4
    with pytest.raises(InputError, match="has no file in this study"):
        study.image_path("d:b")


def test_one_picture_under_two_names(study: Study, tmp_path: Path) -> None:
    """The same bytes twice: the first has the picture, the other keeps its labels; a collected picture is found again."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jpg").write_bytes(jpeg(5))
    row = {"image_id": image_id(jpeg(5)), "source": "folder", "source_id": "mine.jpg", "retrieved_at": 1.0, "width": 96,
           "height": 101, "format": "jpeg", "bytes": len(jpeg(5))}  # fmt: skip
    study.add("images", [row])
    done = bring_in(study, DATASET, pictures=tmp_path)
    assert (done.images, done.pictures, done.absent) == (1, 1, 1)
    assert done.left_out == {
        "pictures with the bytes of another one of the dataset; their labels stay without a file": 1
    }
    assert study.read("images").set_index("image_id")["source"].to_dict() == {
        row["image_id"]: "folder",
        "d:b": "d",
    }
    assert bring_in(study, DATASET).absent == 1


def test_pictures_out_of_the_folder_are_never_read(study: Study, tmp_path: Path) -> None:
    """A label that names ../secret.jpg finds nothing, and an archive with such a name is refused."""
    (tmp_path / "secret.jpg").write_bytes(jpeg(3))
    place = tmp_path / "pictures"
    place.mkdir()
    odd = Published(
        "d", DATASET.images.assign(file=["../secret.jpg", str(tmp_path / "secret.jpg")]), {"ratings": RATED}
    )
    assert bring_in(study, odd, pictures=place).pictures == 0
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("../a.jpg", jpeg(3))
    with pytest.raises(InputError, match=r"holds a file named '\.\./a\.jpg', which leads out of the archive"):
        bring_in(study, DATASET, pictures=tmp_path / "p.zip")
    with pytest.raises(InputError, match="neither a folder nor a zip or tar"):
        bring_in(study, DATASET, pictures=tmp_path / "secret.jpg")


def test_a_large_picture_is_told(tmp_path: Path) -> None:
    """A picture of more megabytes than the study takes is left without a file, as one of too many pixels is."""
    study = create_study(tmp_path / "study", "tests", {("collect", "max_megabytes"): 0.001})
    (tmp_path / "a.jpg").write_bytes(jpeg(5) + bytes(2000))
    done = bring_in(study, DATASET, pictures=tmp_path)
    assert done.absent == 2 and any("larger than 0.001 megabytes" in reason for reason in done.left_out)


def test_scales_are_never_mixed(tmp_path: Path, study: Study) -> None:
    """1 to 7 does not enter a study of 1 to 3; a new study fits; a scale from 0 stands in analysis.scale."""
    seven = Published("d", DATASET.images, {"ratings": RATED.assign(value=7.0)}, scale=(1, 7))
    with pytest.raises(InputError, match="two scales are never mixed") as caught:
        bring_in(study, seven)
    assert "stars.levels = 7" in str(caught.value) and study.count("images") == 0
    fits = create_study(tmp_path / "fits", "tests", settings_for((1, 7)))
    bring_in(fits, seven)
    assert of_study(fits).scale == (1.0, 7.0)
    zero = Published("d", DATASET.images, {"ratings": RATED.assign(value=[0.0, 10, 5, 5])}, scale=(0, 10))
    ten = create_study(tmp_path / "ten", "tests", settings_for((0, 10)))
    bring_in(ten, zero)
    answers = of_study(ten)
    assert answers.scale == (0.0, 10.0) and len(answers.ratings) == 4 and len(answers.levels) == 11
    with pytest.raises(SettingsError, match=r"analysis\.scale must be the worst and the best level"):
        scale_of(Settings(analysis=type(Settings().analysis)(scale="10 0")))


def test_known_batches_are_hits(study: Study) -> None:
    """A dataset that tells its batches has HITs: closed, of no marketplace that could be asked or paid."""
    rows = [(f"d:{image}", rater, value) for image in "abc" for rater, value in (("r1", 1.0), ("r2", 3.0))]
    table = ratings(rows, hit_key="H1", position_in_hit=[0, 0, 1, 1, 2, 2], milliseconds=[1.6] * 6)
    table = table.assign(value=[1, 1, 2, 2, 3, 3], submitted_at=[5.0, 6.0] * 3)
    bring_in(study, Published("d", images("a", "b", "c"), {"ratings": table}, scale=(1, 3)))
    hits = study.read("hits")
    assert hits[["hit_id", "state", "marketplace", "max_assignments"]].to_numpy().tolist() == [
        ["H1", "closed", tables.IMPORTED, 2]
    ]
    assert sorted(study.read("assignments")["submitted_at"]) == [5.0, 6.0]
    assert set(study.read("ratings")["milliseconds"]) == {2}
    assert len(agreed.batches(of_study(study))) == 1


def test_nobody_judges_what_came_with_a_dataset(study: Study, tmp_path: Path) -> None:
    """Somebody who gave one answer to everything is left in by screening: the dataset's makers have judged. And its
    pictures can be asked about anew."""
    names = [f"p{number:02d}" for number in range(30)]
    for number, name in enumerate(names):
        (tmp_path / f"{name}.jpg").write_bytes(jpeg(number))
    rows = [(f"d:{name}", "r1", 3.0) for name in names] + [
        (f"d:{name}", "r2", 1.0 + len(name) % 3) for name in names
    ]
    table = ratings(rows, hit_key="H1", milliseconds=50.0)
    bring_in(study, Published("d", images(*names), {"ratings": table}, scale=(1, 3)), pictures=tmp_path)
    assert decide_use(study) == (0, {})
    assert study.read("assignments")["use"].all() and study.count("verdicts") == 0
    assert plan(study, "stars").units == 30


def test_comparisons_come_in(study: Study) -> None:
    """Answers on pairs with their side where it is told; aggregates and rows of nobody are counted, not made up."""
    rows = [
        ("d:a", "d:b", "r1", 1.0, True),
        ("d:a", "d:b", "r1", -1.0, None),
        ("d:a", "d:b", None, 1.0, True),
    ]
    table = pd.DataFrame(rows, columns=["first_id", "second_id", "rater_id", "value", "first_shown_left"])
    table = pd.concat(
        [table.assign(task="forced_choice"), table.iloc[:1].assign(task="preference", value=0.7)]
    )
    done = bring_in(study, Published("d", images("a", "b"), {"comparisons": table}))
    stored = study.read("comparisons")
    assert sorted(stored["value"]) == [-1.0, 1.0] and stored["unit_id"].nunique() == 2
    assert stored["first_shown_left"].isna().sum() == 1
    assert sorted(done.left_out.values()) == [1, 1]
    assert len(of_study(study).of_task("forced_choice")) == 2
    assert compared.sides(of_study(study))["n"].tolist() == [1]
    with pytest.raises(InputError, match="not every comparison says which image stood left"):
        paired.fit(of_study(study).comparisons, "bradley-terry", task="forced_choice", side_effect=True)


def test_repeats_are_marked(study: Study) -> None:
    """A second rating by the same person is a repeat of the first question: for raters' figures, not for images'."""
    table = ratings([("d:a", "r1", 1), ("d:a", "r1", 3), ("d:b", "r1", 2)], repeat=[0, 1, 0])
    bring_in(study, Published("d", images("a", "b"), {"ratings": table}, scale=(1, 3)))
    units = study.read("units")
    assert units["control"].notna().sum() == 1 and set(units["repeat_of"].dropna()) < set(units["unit_id"])
    answers = of_study(study)
    assert answers.ratings["value"].tolist().count(3.0) == 0
    assert answers.left_out == {"answers to control questions and repeats": 1}


def test_histograms_stand_for_ratings(study: Study) -> None:
    """Counts of levels give the distribution and the score that the single ratings give, intervals included."""
    singles = ratings([("d:a", f"r{n}", value) for n, value in enumerate([1, 1, 2, 3, 3, 3])])
    counted = pd.DataFrame(
        {"image_id": "d:b", "attribute": "overall", "value": [1.0, 2, 3], "count": [2, 1, 3]}
    )
    bring_in(
        study, Published("d", images("a", "b"), {"ratings": singles, "histograms": counted}, scale=(1, 3))
    )
    answers = of_study(study)
    for table in (
        rated.distributions(answers),
        scored.scores(answers, "mos"),
        scored.scores(answers, "mos-t"),
    ):
        rows = table.sort_values("image_id", ignore_index=True).drop(columns="image_id")
        assert len(rows) == 2
        pd.testing.assert_frame_equal(rows.iloc[:1], rows.iloc[1:].reset_index(drop=True))
    alone = Published("d", images("b"), {"histograms": counted}, scale=(1, 3))
    other = create_study(study.folder.parent / "other", "tests")
    bring_in(other, alone)
    assert rated.images(of_study(other))["n"].tolist() == [6]
    with pytest.raises(InputError, match="not who gave which"):
        agreed.coefficients(of_study(other))


def test_rival_splits_never_meet(shared: Path, tmp_path: Path) -> None:
    """AVA's random split does not enter a study that has the official one, unless both are asked for."""
    root = shared / "data" / "ava"
    study = create_study(tmp_path / "study", "tests", settings_for((1, 10)))
    few = [f"ava:{number}" for number in (66, 69, 75, 231893)]

    def part(**options: object) -> Published:
        whole = read("ava", root, **options)
        small = {name: table[table["image_id"].isin(few)] for name, table in whole.tables.items()}
        return Published(
            "ava", whole.images[whole.images["image_id"].isin(few)], small, whole.scale, rivals=whole.rivals
        )

    bring_in(study, part())
    with pytest.raises(InputError, match=r"ava's split official already.*--set splits=both"):
        bring_in(study, part(splits="random-90-10"))
    bring_in(study, part(splits="both"))
    assert {"official", "random-90-10-idealo"} <= set(study.read("splits")["split"])


def test_tombstones_win(study: Study, tmp_path: Path) -> None:
    """What was taken out of the study never comes back, neither as a label nor as a picture."""
    with study.writing() as connection:
        tombstones.bury(connection, ["d:a", f"sha256:{image_id(jpeg(4))}"], "asked for")
    (tmp_path / "b.jpg").write_bytes(jpeg(4))
    done = bring_in(study, DATASET, pictures=tmp_path)
    assert study.read("images")["image_id"].tolist() == ["d:b"]
    assert done.left_out["images against which a tombstone of the study stands"] == 1
    assert done.left_out["ratings about images that are not taken"] == 2


def test_absent_images_are_left_alone(study: Study, tmp_path: Path) -> None:
    """Checks neither measure nor judge what is not there; it is not kept, and stays absent."""
    (tmp_path / "a.jpg").write_bytes(jpeg(20, side=300))
    bring_in(study, DATASET, pictures=tmp_path)
    measure_missing(study)
    check(study)
    statuses = study.read("images").set_index("source_id")["status"]
    assert statuses["b"] == "absent" and statuses["a"] in ("kept", "rejected")
    assert study.read("checks")["image_id"].nunique() == 1


def test_long_ids_fit_everywhere(database: str, tmp_path: Path) -> None:
    """Ids longer than the columns, on both databases: shortened the same way each time; a long method is an error."""
    study = create_study(tmp_path / "study", "tests", {("study", "store"): database})
    name = "http://example.org/" + "a" * 100
    table = ratings([(f"d:{name}", "somebody with a very long name indeed", 2.0)], assignment_id="A" * 80)
    dataset = Published("d", images(name), {"ratings": table}, scale=(1, 3))
    assert bring_in(study, dataset).rows == {"units": 1, "assignments": 1, "ratings": 1}
    assert bring_in(study, dataset).rows == {"units": 0, "assignments": 0, "ratings": 0}
    assert study.read("images")["source_id"].tolist() == [name]
    score = pd.DataFrame({"image_id": [f"d:{name}"], "method": "m" * 65, "score": 1.0})
    with pytest.raises(InputError, match="is longer than 64 characters"):
        bring_in(study, Published("d", images(name), {"scores": score}))
    with study.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.ratings)).scalar() == 1
    study.close()


def test_real_labels(shared: Path, tmp_path: Path) -> None:
    """OASIS: 170,325 ratings by 757 raters enter the analysis as they do from the reader, without HITs or times."""
    study = create_study(tmp_path / "study", "oasis", settings_for((1, 7)))
    done = bring_in(study, read("oasis", shared / "data" / "oasis_beauty"))
    assert done.rows == {"units": 900, "assignments": 757, "ratings": 170_325, "scores": 1_800}
    answers = of_study(study)
    assert len(answers.ratings) == 170_325 and answers.ratings["rater_id"].nunique() == 757
    assert answers.left_out == {} and answers.levels == [1, 2, 3, 4, 5, 6, 7]
    assert len(rated.images(answers)) == 900
