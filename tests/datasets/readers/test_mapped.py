"""Anybody's CSV and MTurk's batch results, read by mapping files."""

from pathlib import Path

import pandas as pd
import pytest

from photojury.datasets.raters import rater_id
from photojury.datasets.readers.published import Published, options_of, read
from photojury.errors import InputError

VOTES = """photo,worker,stars,file,part
a,w1,5,x/a.jpg,train
a,w2,4,x/a.jpg,train
b,w1,9,x/b.jpg,test
b,w2,2,x/b.jpg,test
c,w1,3,x/c.jpg,somewhere
,w1,3,x/d.jpg,train
"""
MAP = """name = "skies"
scale = [1, 5]

[[file]]
path = "votes.csv"
columns = { image = "photo", rater = "worker", value = "stars", picture = "file" }
"""
PAIRS = """a,b,who,better,shown
p,q,w1,left,p
q,r,w1,right,q
p,r,w2,same,r
p,p,w2,left,p
p,q,w3,perhaps,p
"""


def mapped(folder: Path, files: dict[str, str], mapping: str, name: str = "csv") -> Published:
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    (folder / "map.toml").write_text(mapping, encoding="utf-8")
    return read(name, folder, map=folder / "map.toml")


def test_ratings_by_a_mapping(tmp_path: Path) -> None:
    """Columns by their meaning; a value off the scale and a row without its image cost themselves."""
    found = mapped(tmp_path, {"votes.csv": VOTES}, MAP)
    ratings = found.tables["ratings"]
    assert ratings[["image_id", "rater_id", "value"]].to_numpy().tolist() == [
        ["skies:a", "skies:w1", 5.0],
        ["skies:a", "skies:w2", 4.0],
        ["skies:b", "skies:w2", 2.0],
        ["skies:c", "skies:w1", 3.0],
    ]
    assert found.images["file"].tolist() == ["x/a.jpg", "x/b.jpg", "x/c.jpg"]
    assert list(found.left_out) == [
        "votes.csv: photo (image) is missing or unreadable (row 6)",
        "votes.csv: stars (value) is off its scale of 1 to 5 (row 3)",
    ]
    assert found.scale == (1.0, 5.0)


@pytest.mark.parametrize("sign", ["first", "second"])
def test_comparisons_by_a_mapping(tmp_path: Path, sign: str) -> None:
    """Words are numbers as the mapping says; positive_means = second turns every answer round; sides are kept."""
    mapping = f"""name = "skies"
positive_means = "{sign}"
[[file]]
path = "pairs.csv"
columns = {{ first = "a", second = "b", rater = "who", value = "better", left = "shown" }}
values = {{ left = 1, right = -1, same = 0 }}
"""
    found = mapped(tmp_path, {"pairs.csv": PAIRS}, mapping)
    pairs = found.tables["comparisons"]
    turned = 1 if sign == "first" else -1
    assert pairs["value"].tolist() == [1.0 * turned, -1.0 * turned, 0.0]
    assert pairs["first_shown_left"].tolist() == [True, True, False]
    assert set(pairs["task"]) == {"five_level"}
    assert list(found.left_out.values()) == [1, 1]


def test_counts_scores_and_splits_by_a_mapping(tmp_path: Path) -> None:
    """A wide table of counts, a score and a part in one file; an image whose two scores differ has none."""
    table = "id,n1,n2,n3,mos,set\na,0,3,1,2.25,Training\nb,4,0,0,1,dev\nc,0,0,0,2,test\nd,1,-1,0,2,test\n"
    more = "id,mos\na,2.25\nb,3\nb,4\n"
    mapping = """name = "skies"
method = "skies-mos"
[[file]]
path = "table.csv"
columns = { image = "id", score = "mos", split = "set" }
counts = { n1 = 1, n2 = 2, n3 = 3 }
"""
    found = mapped(tmp_path, {"table.csv": table}, mapping)
    histograms = found.tables["histograms"].sort_values(["image_id", "value"])
    assert histograms[["image_id", "value", "count"]].to_numpy().tolist() == [
        ["skies:a", 2.0, 3.0],
        ["skies:a", 3.0, 1.0],
        ["skies:b", 1.0, 4.0],
    ]
    assert found.tables["splits"]["part"].tolist() == ["train", "validation"]
    assert found.tables["scores"]["method"].unique().tolist() == ["skies-mos"]
    other = mapping.replace("table.csv", "more.csv").replace(', split = "set"', "").split("counts")[0]
    found = mapped(tmp_path, {"more.csv": more}, other)
    assert found.tables["scores"]["image_id"].tolist() == ["skies:a"]
    assert list(found.left_out) == ["more.csv: scores that differ for one image (row 2)"]


def test_parquet_by_a_mapping(tmp_path: Path) -> None:
    """Numbers of a Parquet file are read as the text of a CSV is; a truncated file is one sentence."""
    frame = pd.DataFrame(
        {"photo": [1, 2], "worker": ["a", "b"], "stars": [1.0, 5.0], "file": ["1.jpg", "2.jpg"]}
    )
    frame.to_parquet(tmp_path / "votes.parquet")
    found = mapped(tmp_path, {}, MAP.replace("votes.csv", "votes.parquet"))
    assert found.tables["ratings"]["image_id"].tolist() == ["skies:1", "skies:2"]
    whole = (tmp_path / "votes.parquet").read_bytes()
    (tmp_path / "votes.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"votes\.parquet is no Parquet file that can be read") as caught:
        mapped(tmp_path, {}, MAP.replace("votes.csv", "votes.parquet"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("name = ", "is not valid TOML"),
        ('name = "skies"', r"there is no \[\[file\]\]"),
        (MAP.replace("scale = [1, 5]", "scale = [5, 1]"), "scale must be the worst and the best level"),
        (MAP.replace("scale", "scales"), r"unknown key of map\.toml 'scales'\. Did you mean scale"),
        (MAP.replace('image = "photo"', 'photo = "photo"'), r"unknown meaning of a column in map\.toml 'photo'"),
        (MAP.replace('"photo"', '"picture_id"'), r"votes\.csv lacks the column picture_id"),
        (MAP.replace('value = "stars", ', ""), "has columns that are ratings"),
        (MAP.replace("votes.csv", "other.csv"), r"other\.csv is not there"),
        (MAP.replace('"skies"', "7"), "name must be a text in quotes, not 7"),
    ],
)  # fmt: skip
def test_wrong_mappings(tmp_path: Path, mapping: str, said: str) -> None:
    """A mapping that does not fit says which key is wrong, in one sentence."""
    with pytest.raises(InputError, match=said) as caught:
        mapped(tmp_path, {"votes.csv": VOTES}, mapping)
    assert "\n" not in str(caught.value)


BATCH = (
    '"HITId","AssignmentId","WorkerId","AssignmentStatus","AcceptTime","SubmitTime","Input.image1","Input.image2",'
    '"Answer.stars1","Answer.stars2","Answer.better"\n'
    '"H1","A1","A1WORKER","Approved","Wed Jun 24 11:20:00 PDT 2015","Wed Jun 24 11:29:46 PDT 2015",'
    '"http://example.org/one%20day.jpg","http://example.org/2.jpg","3","1","left"\n'
    '"H1","A2","A2WORKER","Submitted","Wed Jun 24 11:20:00 PDT 2015","Wed Jun 24 11:21:00 PDT 2015",'
    '"http://example.org/one%20day.jpg","http://example.org/2.jpg","2","","right"\n'
    '"H1","A3","A3WORKER","Rejected","Wed Jun 24 11:20:00 PDT 2015","Wed Jun 24 11:20:01 PDT 2015",'
    '"http://example.org/one%20day.jpg","http://example.org/2.jpg","3","3","left"\n'
    '"H1","A4","A1WORKER","Approved","yesterday","Wed Jun 24 11:21:00 PDT 2015",'
    '"http://example.org/one%20day.jpg","http://example.org/2.jpg","3","3","left"\n'
    '"H2","A5","A2WORKER","Approved","2015-06-24T18:20:00Z","2015-06-24T18:30:00Z",'
    '"http://example.org/3.jpg","http://example.org/2.jpg","7","many","left"\n'
)
MTURK = """name = "gymnasts"
scale = [1, 3]

[[rating]]
image = "Input.image{1..2}"
answer = "Answer.stars{1..2}"

[[comparison]]
first = "Input.image1"
second = "Input.image2"
answer = "Answer.better"
values = { left = 1, right = -1 }
"""


def test_batch_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers find their inputs, workers are hashed, times are read; rejected and broken lines are counted."""
    monkeypatch.setenv("PHOTOJURY_SALT", "salt")
    found = mapped(tmp_path, {"batch.csv": BATCH}, MTURK, "mturk-csv")
    ratings = found.tables["ratings"]
    assert ratings[["assignment_id", "value", "position_in_hit"]].to_numpy().tolist() == [
        ["A1", 3.0, 0],
        ["A2", 2.0, 0],
        ["A1", 1.0, 1],
    ]
    assert ratings["rater_id"].tolist()[:2] == [rater_id("A1WORKER", "salt"), rater_id("A2WORKER", "salt")]
    assert ratings["submitted_at"].iloc[0] == 1435170586.0
    pairs = found.tables["comparisons"]
    assert pairs["value"].tolist() == [1.0, -1.0, 1.0] and set(pairs["task"]) == {"forced_choice"}
    assert pairs["first_shown_left"].all() and pairs["hit_key"].tolist() == ["H1", "H1", "H2"]
    assert "WORKER" not in "".join(table.to_csv() for table in found.tables.values())
    assert found.images["file"].tolist() == ["2.jpg", "3.jpg", "one day.jpg"]
    assert found.images["file_url"].iloc[2] == "http://example.org/one%20day.jpg"
    assert found.left_out == {
        "batch.csv: assignments that were rejected (row 3)": 1,
        "batch.csv: AcceptTime is no time (row 4)": 1,
        "batch.csv: Answer.stars1 off the scale of 1 to 3": 1,
        "batch.csv: Answer.stars2 without an answer": 1,
        "batch.csv: Answer.stars2 that are no number ('many')": 1,
    }


def test_wrong_batch_results(tmp_path: Path) -> None:
    """A mapping that names no question, a column that is not there, a file of something else."""
    with pytest.raises(InputError, match=r"neither a \[\[rating\]\] nor a \[\[comparison\]\]"):
        mapped(tmp_path, {"batch.csv": BATCH}, 'name = "x"\n', "mturk-csv")
    with pytest.raises(InputError, match=r"batch\.csv lacks the column Input\.photo1"):
        mapped(tmp_path, {"batch.csv": BATCH}, MTURK.replace("Input.image{", "Input.photo{"), "mturk-csv")
    with pytest.raises(InputError, match=r"must be the same"):
        mapped(tmp_path, {"batch.csv": BATCH}, MTURK.replace("stars{1..2}", "stars{1..3}"), "mturk-csv")
    with pytest.raises(InputError, match=r"lacks the columns HITId"):
        mapped(tmp_path, {"batch.csv": VOTES}, MTURK, "mturk-csv")


def test_options_from_texts() -> None:
    """Texts of the command line become values of the option's kind; a wrong one is told with what is possible."""
    assert options_of("oasis", {"repeated": "true"}) == {"repeated": True}
    assert options_of("ava", {"splits": "both"}) == {"splits": "both"}
    assert options_of("csv", {"map": "a/b.toml"}) == {"map": Path("a/b.toml")}
    assert options_of("iqa-table", {"table": "SPAQ"}) == {"table": "SPAQ"}
    with pytest.raises(InputError, match=r"unknown value of ava: splits 'offical'\. Did you mean official"):
        options_of("ava", {"splits": "offical"})
    with pytest.raises(InputError, match=r"oasis: repeated must be true or false, not 'perhaps'"):
        options_of("oasis", {"repeated": "perhaps"})
    with pytest.raises(InputError, match="which is no number"):
        options_of("flickr-counters", {"seen_at": "yesterday"})
