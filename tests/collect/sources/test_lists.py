"""Lists of pictures in files, whole and damaged."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photojury.collect.sources.lists import PictureList, Row, open_list
from photojury.errors import InputError


def written(folder: Path, data: str | bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def all_of(pictures: PictureList, piece: int = 2) -> list[Row]:
    found: list[Row] = []
    cursor: str | None = None
    while True:
        rows, cursor = pictures.read(cursor, piece)
        found += rows
        if cursor is None:
            return found


def values(path: Path, columns: tuple[str, ...] = ()) -> list[dict[str, object]]:
    return [dict(row.values) for row in all_of(open_list(path, columns))]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_separator(tmp_path: Path, separator: str, end: str) -> None:
    """AROD's form and its relatives: the separator is the one that the first line has most of."""
    lines = [["url", "faves", "views"], ["http://h/1.jpg", "3", "70"], ["http://h/2.jpg", "0", ""]]
    path = written(tmp_path, end.join(separator.join(line) for line in lines))
    assert values(path) == [
        {"url": "http://h/1.jpg", "faves": "3", "views": "70"},
        {"url": "http://h/2.jpg", "faves": "0", "views": ""},
    ]


def test_plain_lines(tmp_path: Path) -> None:
    """A file of addresses has no first line with names; commas and colons are part of addresses; empty lines are none."""
    lines = "https://h/4:3/w_2043,h_1532,c_limit/a.jpg\n\nfile:///etc/hostname\n  http://h/b.jpg  \n"
    path = written(tmp_path, lines, "list.txt")
    assert [row["url"] for row in values(path)] == [
        "https://h/4:3/w_2043,h_1532,c_limit/a.jpg",
        "file:///etc/hostname",
        "http://h/b.jpg",
    ]
    named = written(tmp_path, 'url\nhttp://h/a,b.jpg\n"http://h/c,d.jpg"\n')
    assert [row["url"] for row in values(named)] == ["http://h/a,b.jpg", "http://h/c,d.jpg"]


def test_names_for_a_list_without(tmp_path: Path) -> None:
    """Columns without names are asked for; once named, all lines are rows."""
    path = written(tmp_path, "http://h/1.jpg;3;70\nhttp://h/2.jpg;4;80\n", "arod.txt")
    with pytest.raises(
        InputError, match=r"arod\.txt: its first line has no column names .* --columns url,favs,views"
    ):
        open_list(path)
    assert values(path, ("url", "favs", "views"))[1] == {"url": "http://h/2.jpg", "favs": "4", "views": "80"}
    with pytest.raises(InputError, match="into 4 columns"):
        open_list(path, ("url", "favs", "views", "comments"))


def test_marks_of_other_programs(tmp_path: Path) -> None:
    """Excel's mark before UTF-8 is no part of the first name; UTF-16 and Latin-1 are said to be wrong."""
    assert values(written(tmp_path, "\ufeffurl;a\nhttp://h/1;2\n"))[0] == {"url": "http://h/1", "a": "2"}
    for data, sentence in (
        ("url\n".encode("utf-16"), "is in UTF-16; save it as UTF-8"),
        ("url;Größe\n".encode("latin-1"), "first line is not UTF-8"),
        (b"", "is empty"),
        (b"url,url\nhttp://h/1,2\n", "column 'url' more than once"),
        (b"url,a\rhttp://h/1,2\r", "end its lines with a line feed"),
    ):
        with pytest.raises(InputError, match=sentence):
            open_list(written(tmp_path, data))
    with pytest.raises(InputError, match="cannot be read: No such file"):
        open_list(tmp_path / "nowhere.csv")


def test_bad_rows_are_told_and_passed_over(tmp_path: Path) -> None:
    """Each damage costs its own line; the numbers are those of the rows in the file."""
    lines = [
        b"url,title",
        b"http://h/1,good",
        b"http://h/2,\xff\xfe",
        b"http://h/3,a\x00b",
        b"http://h/4,too,many",
        b"http://h/5",
        b'http://h/6,"never closed',
        b'http://h/7,a 5" pipe',
        b'http://h/8,"two\nlines, one row"',
        b"http://h/9," + b"x" * 1_000_001,
        b"http://h/10,\xe2\x80\xa8 odd \x0b\x1c breaks",
        b"http://h/11,good",
    ]
    rows = all_of(open_list(written(tmp_path, b"\n".join(lines))))
    assert [row.number for row in rows] == list(range(1, 12))
    problems = {row.number: row.problem for row in rows if row.problem}
    assert problems == {
        2: "it is not UTF-8",
        3: "it holds a NUL character",
        4: "it has 3 fields; the list has 2 columns",
        5: "it has 1 fields; the list has 2 columns",
        6: "a quotation mark in it is not closed, or stands where none may",
        9: "it is longer than 1000000 bytes",
    }
    good = {row.number: row.values["title"] for row in rows if not row.problem}
    assert good == {
        1: "good",
        7: 'a 5" pipe',
        8: "two\nlines, one row",
        10: "\u2028 odd \x0b\x1c breaks",
        11: "good",
    }


_cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    table=st.lists(st.tuples(_cell, _cell, _cell), min_size=1, max_size=8),
    piece=st.integers(1, 5),
    separator=st.sampled_from(",;\t|"),
)
def test_what_csv_writes_is_read(
    tmp_path: Path, table: list[tuple[str, str, str]], piece: int, separator: str
) -> None:
    """Whatever Python's csv writes comes back the same, whatever the size of the pieces; each read is a new start."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *table])
    path = written(tmp_path, out.getvalue())
    found, cursor = [], None
    while True:
        rows, cursor = open_list(path).read(cursor, piece)
        found += [tuple(row.values.values()) for row in rows]
        if cursor is None:
            break
    assert found == table


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    """Random bytes give rows, rows with problems, or one sentence; never an endless loop or another error."""
    try:
        rows = all_of(open_list(written(tmp_path, data)))
    except InputError:
        return
    assert len(rows) <= data.count(b"\n") + 1


def test_parquet_in_pieces(tmp_path: Path) -> None:
    """Any cursor is a start, in whatever row group it lies; types stay what they are."""
    path = tmp_path / "list.parquet"
    when = datetime(2012, 9, 25, 16, 23, 2, tzinfo=UTC)
    table = pa.table(
        {
            "url": [f"http://h/{n}.jpg" for n in range(10)],
            "views": pa.array([None if n == 4 else n for n in range(10)], pa.int64()),
            "tags": [["a", "b"]] * 10,
            "taken_at": [when] * 10,
        }
    )
    pq.write_table(table, path, row_group_size=4)
    rows = all_of(open_list(path), piece=3)
    assert [row.values["url"] for row in rows] == [f"http://h/{n}.jpg" for n in range(10)]
    assert [row.number for row in rows] == list(range(1, 11))
    assert rows[4].values == {"url": "http://h/4.jpg", "views": None, "tags": ["a", "b"], "taken_at": when}
    for begin in range(10):
        found, _ = open_list(path).read(str(begin), 3)
        assert found[0].values["url"] == f"http://h/{begin}.jpg"


def test_damaged_parquet(tmp_path: Path) -> None:
    """A text cell that is no UTF-8 costs its row; a file that is no Parquet, or is cut, is one sentence."""
    path = tmp_path / "list.parquet"
    names = pa.array([b"http://h/1", b"\xff", b"http://h/3\x00"], pa.binary())
    pq.write_table(pa.table({"url": names.view(pa.string())}), path)
    assert [row.problem for row in all_of(open_list(path), piece=10)] == [
        None,
        "it is not UTF-8",
        "it holds a NUL character",
    ]
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        open_list(written(tmp_path, path.read_bytes()[:-20], "cut.parquet"))
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        open_list(written(tmp_path, "url\nhttp://h/1\n", "text.parquet"))
