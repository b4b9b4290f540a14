"""Broken label files: a broken row costs itself and is counted by file and row; a file that is none is one sentence."""

from pathlib import Path

import pytest

from photojury.datasets.readers.published import read
from photojury.errors import InputError

AVA = """1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396
2 953958 10 7 15 26 26 21 10 8 1 2 1 21 1396
3 954184 0 0 4 8 41 56 10 3 4 0 0 0 1396
4 954113 0 1 4 6 48 37 23 5 2 2 15 21
5 953980 0 3 6 15 -1 51 17 7 3 4 22 0 1396
6 954175 0 0 0 0 0 0 0 0 0 0 22 0 1396
7 953349 1.5 3 4 23 36 43 13 5 5 3 22 0 1396
8 953645 1 2 3 4 5 6 7 8 9 10 0 0 1396
9 953645 10 2 3 4 5 6 7 8 9 1 0 0 1396
10 953841 3 2 3 4 5 6 7 8 9 1 0 0 1396
11 953841 3 2 3 4 5 6 7 8 9 1 0 0 1396
12 many 3 2 3 4 5 6 7 8 9 1 0 0 1396
"""


def test_ava(tmp_path: Path) -> None:
    """Each kind of broken row is counted once, under its reason with its row; four images are left."""
    (tmp_path / "AVA.txt").write_text(AVA)
    (tmp_path / "tags.txt").write_text("22 Studio\n21 Still Life\n1 Abstract\n15 Nature\n")
    (tmp_path / "challenges.txt").write_text("1396 100_Meters\n")
    lists = tmp_path / "aesthetics_image_lists"
    lists.mkdir()
    (lists / "generic_test.jpgl").write_text("953619\n111\n222\nnone\n953619\n")
    found = read("ava", tmp_path)
    assert found.images["source_id"].tolist() == ["953619", "953841", "953958", "954184"]
    assert found.images["tags"].tolist()[:2] == [
        '["Abstract", "Studio", "challenge: 100 Meters"]',
        '["challenge: 100 Meters"]',
    ]
    assert dict(found.left_out) == {
        "AVA.txt: rows with more or fewer cells than 15 (row 4)": 1,
        "AVA.txt: image_id is no number (row 12)": 1,
        "AVA.txt: n5 is off its scale of 0 to inf (row 5)": 1,
        "AVA.txt: n1 is no whole number (row 7)": 1,
        "AVA.txt: images without any vote (row 6)": 1,
        "AVA.txt: a row with this image_id stands there twice (row 11)": 1,
        "AVA.txt: rows with the same image_id say different things (row 8)": 2,
    }
    histogram = found.tables["histograms"].query("image_id == 'ava:953619'")
    assert (
        histogram[["value", "count"]].to_numpy().tolist()[0] == [2.0, 1.0] and histogram["count"].sum() == 124
    )
    assert "1 of the 3 ids of the official test list have labels here" in found.notes
    splits = found.tables["splits"].query("split == 'official'").set_index("image_id")["part"]
    assert splits.to_dict() == {
        "ava:953619": "test",
        "ava:953841": "train",
        "ava:953958": "train",
        "ava:954184": "train",
    }


def test_ava_that_two_files_count_differently(tmp_path: Path) -> None:
    """An image of which two files say different things is left out; the same counts in two files are one image."""
    header = "image_id," + ",".join(f"n{level}" for level in range(1, 11))
    ones, twos = ",".join("1" * 10), ",".join("2" * 10)
    (tmp_path / "union_histograms.csv").write_text(f"{header}\n1,{ones}\n2,{ones}\n")
    others = "image_id," + ",".join(f"score{level}" for level in range(2, 12)) + ",tag1,tag2,tag3"
    (tmp_path / "tanet_test.csv").write_text(f"{others}\n1,{ones},5,0,9\n2,{twos},5,0,9\n")
    found = read("ava", tmp_path)
    assert found.images["source_id"].tolist() == ["1"]
    assert found.left_out == {"images that two files count differently (image 2)": 1}


def test_ava_without_the_list_that_was_asked_for(tmp_path: Path) -> None:
    """Asked for the official split, a folder of random parts is refused, with the reason; and the other way round."""
    (tmp_path / "AVA.txt").write_text(AVA)
    with pytest.raises(InputError, match=r"no aesthetics_image_lists/generic_test\.jpgl.*must not be mixed"):
        read("ava", tmp_path, splits="official")
    with pytest.raises(InputError, match="no list of a random split"):
        read("ava", tmp_path, splits="random-90-10")
    assert "splits" not in read("ava", tmp_path).tables


def test_idealo_and_mpada(tmp_path: Path) -> None:
    """idealo's JSON and MPADA's lists; rows without ten counts are counted, and what is no such JSON is one sentence."""
    ten = list(range(1, 11))
    (tmp_path / "ava_labels_test.json").write_text(
        f'[{{"image_id": "7", "label": {ten}}}, {{"image_id": "8", "label": [1, 2]}}]'
    )
    (tmp_path / "AVA_train.lst").write_text("1\n2\n")
    (tmp_path / "AVA_test.lst").write_text("7\n9\n")
    found = read("ava", tmp_path)
    assert found.tables["splits"][["split", "part"]].to_numpy().tolist() == [["random-90-10-idealo", "test"]]
    assert found.left_out == {"ava_labels_test.json: images without ten counts (row 2)": 1}
    (tmp_path / "ava_labels_test.json").write_text('{"7": 3}')
    with pytest.raises(InputError, match="is no list of image_id and label in JSON"):
        read("ava", tmp_path)


def test_koniq(tmp_path: Path) -> None:
    """Shares that are no counts, a total that does not fit, a strange set, a score off its scale: each costs its row."""
    rows = [
        "a.jpg,0.0,0.25,0.5,0.25,0.0,4,50,1,training",
        "b.jpg,0.1,0.2,0.3,0.2,0.2,4,50,1,training",
        "c.jpg,0.0,0.25,0.5,0.0,0.0,4,50,1,training",
        "d.jpg,0.0,0.25,0.5,0.25,0.0,4,500,1,training",
        "e.jpg,0.0,0.25,0.5,0.25,0.0,4,50,1,exam",
        "f.jpg,0.0,0.25,0.5,1.25,0.0,4,50,1,test",
        "g.jpg,0.0,0.25",
    ]
    path = tmp_path / "koniq10k_distributions_sets.csv"
    path.write_text("image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set\n" + "\n".join(rows) + "\n")
    found = read("koniq", tmp_path)
    assert found.images["source_id"].tolist() == ["a.jpg"]
    assert found.tables["histograms"]["count"].tolist() == [1, 2, 1]
    assert sum(found.left_out.values()) == 6
    assert f"{path.name}: shares that are no whole counts of c_total ratings (row 2)" in found.left_out


def test_oasis(tmp_path: Path) -> None:
    """A picture that items.csv does not name, a rating off 1 to 7, a person who rated a picture twice differently."""
    items = "item,theme,category,valence_mean,arousal_mean\n1,Acorns,Object,4.6,2.3\n2,Acorns,Object,,\n3,Dog,Animal,5,3\n"
    (tmp_path / "items.csv").write_text(items)
    (tmp_path / "ratings_long.csv").write_text(
        "subjID,item,beauty\n1,1,7\n1,2,8\n1,9,3\n2,1,3\n2,1,4\n3,3,2\n3,3,2\n"
    )
    (tmp_path / "repeated_measures_long.csv").write_text(
        "subjID,repetition,item,beauty\n1,1,1,4\n1,2,1,5\n1,1,2,NaN\n1,2,2,-99\n"
    )
    found = read("oasis", tmp_path, repeated=True)
    ratings = found.tables["ratings"]
    assert ratings[["image_id", "rater_id", "value", "repeat"]].to_numpy().tolist() == [
        ["oasis:1", "oasis:1", 7.0, 0],
        ["oasis:3", "oasis:3", 2.0, 0],
        ["oasis:1", "oasis:again-1", 4.0, 0],
        ["oasis:1", "oasis:again-1", 5.0, 1],
    ]
    assert found.images["file"].tolist() == ["Acorns 1.jpg", "Acorns 2.jpg", "Dog 1.jpg"]
    assert list(found.left_out.values()) == [1, 1, 1, 2, 1]


def test_para_and_eva(tmp_path: Path) -> None:
    """An unknown id in the split is no image; an attribute off its scale costs the row; sessions and splits are kept."""
    (tmp_path / "annotation").mkdir()
    table = "sessionId,imageName,userId,aestheticScore,lightScore,semantic\ns1,a.jpg,u1,3.5,2,night\ns1,b.jpg,u1,4,9,night\n"
    (tmp_path / "annotation" / "PARA-Images.csv").write_text(table)
    (tmp_path / "annotation" / "PARA-GiaaTest.csv").write_text("imageName,x\na.jpg,1\nz.jpg,1\n")
    found = read("para", tmp_path)
    assert found.images["file"].tolist() == ["s1/a.jpg"] and found.images["tags"].tolist() == ['["night"]']
    assert found.tables["splits"].to_numpy().tolist() == [["para:a.jpg", "official", "test"]]
    assert list(found.left_out) == ["PARA-Images.csv: lightScore is off its scale of 1 to 5 (row 2)"]
    votes = "image_id=user_id=score=difficulty=visual=vote_time\n12=u1=7=5=3=9\n13=u1=6=1=3=\n13=u1=6=1=4=\n"
    (tmp_path / "votes_filtered.csv").write_text(votes)
    with pytest.raises(InputError, match=r"no row of .*votes_filtered\.csv can be used"):
        read("eva", tmp_path)


@pytest.mark.parametrize(
    ("name", "file", "columns"),
    [
        ("koniq", "koniq10k_distributions_sets.csv", "image_name,c1"),
        ("oasis", "items.csv", "item,theme"),
        ("eva", "votes_filtered.csv", "image_id,user_id,score"),
        ("para", "PARA-Images.csv", "imageName,userId"),
        ("flickr-aes", "FLICKR-AES_image_labeled_by_each_worker.csv", "worker,score"),
        ("iqa-table", "SPAQ.txt", "dis_img_path,score"),
    ],
)
def test_files_of_something_else(tmp_path: Path, name: str, file: str, columns: str) -> None:
    """Missing columns, UTF-16, nothing at all, noise, a broken gzip: one sentence each that names the file."""
    path = tmp_path / file
    options = {"table": "SPAQ"} if name == "iqa-table" else {}
    for content, said in (
        (f"{columns}\n1,2,3\n".encode(), "lacks the column"),
        (f"{columns}\n".encode("utf-16"), "UTF-16"),
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "lacks the column|no CSV|can be used|is no text|no row"),
        (b"\x1f\x8b\x08\0broken", "broken gzip"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=said) as caught:
            read(name, tmp_path, **options)
        assert file in str(caught.value) and "\n" not in str(caught.value)


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    """A name in Latin-1 cannot be told apart from another: its row is left out, the others stay."""
    path = tmp_path / "SPAQ.txt"
    path.write_bytes("dis_img_path,dis_type,score\nSPAQ/caf\xe9.jpg,x,3\nSPAQ/b.jpg,x,4\n".encode("latin-1"))
    found = read("iqa-table", tmp_path, table="SPAQ")
    assert found.images["source_id"].tolist() == ["b.jpg"]
    assert found.left_out == {"SPAQ.txt: dis_img_path is missing or unreadable (row 1)": 1}
