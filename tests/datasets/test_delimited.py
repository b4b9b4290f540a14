"""Files of rows and cells: read whatever state they are in, against the standard library where it is sound."""

import csv
import gzip
from pathlib import Path

import pytest

from photojury.datasets import delimited
from photojury.errors import InputError


def test_a_sound_file_is_what_the_standard_library_reads(tmp_path: Path) -> None:
    """Quotes, separators and line ends inside cells, plain and gzipped under any name."""
    rows = [["id", "text"], ["1", 'said "yes"'], ["2", "a, b"], ["3", "two\nlines"], ["4", ""]]
    plain, packed = tmp_path / "a.csv", tmp_path / "b.csv"
    with plain.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with plain.open(newline="", encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    for path in (plain, packed):
        found = delimited.read(path)
        assert found.table.fillna("").to_dict("records") == expected
        assert found.table.index.tolist() == [1, 2, 3, 4] and found.left_out == {}


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
def test_the_separator_is_seen(tmp_path: Path, separator: str) -> None:
    """The first line tells it."""
    path = tmp_path / "a.txt"
    path.write_text(f"a{separator}b\n1{separator}2\n")
    assert delimited.read(path).table.to_dict("records") == [{"a": "1", "b": "2"}]


def test_a_file_without_names_and_with_quotes_that_mean_nothing(tmp_path: Path) -> None:
    """Names are given; a lone quote is a character."""
    path = tmp_path / "a.txt"
    path.write_text('6" lens\t1\nb\t2\n')
    found = delimited.read(path, names=["query", "n"], separator="\t", quote="").table
    assert found["query"].tolist() == ['6" lens', "b"] and found.index.tolist() == [1, 2]


def test_ragged_rows_and_foreign_bytes_cost_themselves(tmp_path: Path) -> None:
    """A row too long and one too short are counted by number; a Latin-1 cell is missing, its row stays."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n1,ok\n2,x,\xe9\n3\n4,Caf\xe9\n5,fine\n")
    found = delimited.read(path)
    assert found.table["id"].tolist() == ["1", "4", "5"] and found.table.index.tolist() == [1, 4, 5]
    assert found.table["name"].isna().tolist() == [False, True, False]
    assert found.left_out == {"a.csv: rows with more or fewer cells than the first line (row 2)": 2}
    path.write_text("1 2 3\n1 2\n1 2 3\n")
    bare = delimited.read(path, names=list("abc"), separator=" ")
    assert bare.left_out == {"a.csv: rows with more or fewer cells than 3 (row 2)": 1}
    assert bare.table.index.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16; save it as UTF-8"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-20], "is a broken gzip file"),
        (gzip.compress(b""), "is empty"),
        (b"a,b,a\n1,2,3\n", "has the column a twice"),
    ],
)
def test_no_such_file_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Empty, UTF-16, cut off."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as error:
        delimited.read(path)
    assert "\n" not in str(error.value)


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes than any table of labels has are not unpacked."""
    monkeypatch.setattr(delimited, "MOST_BYTES", 10_000)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"0" * 1_000_000))
    with pytest.raises(InputError, match="unpacks to more than 10,000 bytes"):
        delimited.read(path)


def test_a_missing_file(tmp_path: Path) -> None:
    """Says so."""
    with pytest.raises(InputError, match="is not there"):
        delimited.read(tmp_path / "none.csv")
