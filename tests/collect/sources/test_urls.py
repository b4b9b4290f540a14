"""Lists of addresses as a source."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from photojury.collect.sources import urls
from photojury.collect.sources.crawl import crawl
from photojury.collect.sources.urls import UrlList, query
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "test")


def taken_in(study: Study, path: Path, **options: Any) -> Any:
    """The candidates of a list, as a DataFrame by source_id."""
    crawl(study, UrlList(study), query(path, **options))
    return study.read("candidates").set_index("source_id")


def test_arod_s_form(study: Study, tmp_path: Path) -> None:
    """`url;faves;views`: the address names the picture, the counters are observations."""
    path = tmp_path / "arod.csv"
    path.write_text(
        "url;faves;views\nhttp://h.org/1.jpg;3;70\nhttp://h.org/2.jpg;0;\nhttp://h.org/1.jpg;3;71\n"
    )
    crawled = crawl(study, UrlList(study), query(path))
    assert (crawled.rows, crawled.unique, crawled.new, crawled.finished) == (3, 2, 2, True)
    seen: Any = study.read("observations").set_index("source_id")
    assert seen.loc["http://h.org/1.jpg", ["favs", "views"]].tolist() == [3, 71]
    assert (seen.favs["http://h.org/2.jpg"], pd.isna(seen.views["http://h.org/2.jpg"])) == (0, True)


def test_every_column_has_its_place(study: Study, tmp_path: Path) -> None:
    """Known names, in any case and spelling, go to their columns; all others, and what cannot be read, to extra."""
    path = tmp_path / "list.csv"
    path.write_text(
        "URL,Title,photographer,licence,licence_url,tags,taken_at,width,height,count_faves,camera,rating\n"
        'http://h.org/1.jpg,"A, B",Ann,,http://creativecommons.org/licenses/by/2.0/,"tree; lone tree",'
        "2012-09-25 16:23:02,800,x,7,Nikon,5\n"
        "http://h.org/2.jpg,,,CC BY-SA 4.0,,,2012,,,,,\n"
        "http://h.org/3.jpg,,,ask me,,,,,,,,\n"
    )
    rows = taken_in(study, path)
    first = rows.loc["http://h.org/1.jpg"]
    assert (first.title, first.author, first.license_id) == ("A, B", "Ann", "cc-by-2.0")
    assert first.license_url == "http://creativecommons.org/licenses/by/2.0/"
    assert json.loads(first.tags) == ["tree", "lone tree"]
    assert (first.taken_at, first.width) == (1348590182.0, 800)
    assert pd.isna(first.height)
    assert json.loads(first.extra) == {"height": "x", "camera": "Nikon", "rating": "5"}
    assert rows.license_id.tolist()[1:] == ["cc-by-sa-4.0", "ask me"]
    assert json.loads(rows.extra.iloc[1]) == {"taken_at": "2012"}
    assert study.read("observations").favs.tolist() == [7]


def test_parquet_has_types(study: Study, tmp_path: Path) -> None:
    """Lists, times and gaps as pandas writes them."""
    path = tmp_path / "list.parquet"
    pd.DataFrame(
        {
            "url": ["http://h.org/1.jpg", "http://h.org/2.jpg", None],
            "tags": [["a", "b"], None, None],
            "taken_at": [pd.Timestamp("2012-09-25 16:23:02"), pd.NaT, pd.NaT],
            "views": [5.0, float("nan"), float("nan")],
            "owner": [9.0, float("nan"), float("nan")],
            "score": [0.5, float("nan"), float("nan")],
        }
    ).to_parquet(path)
    rows = taken_in(study, path)
    first, second = rows.loc["http://h.org/1.jpg"], rows.loc["http://h.org/2.jpg"]
    assert (json.loads(first.tags), first.taken_at, first.author_id) == (["a", "b"], 1348590182.0, "9")
    assert json.loads(first.extra) == {"score": 0.5}
    assert pd.isna(second.extra)
    assert pd.isna(second.author_id)
    assert study.read("observations").views.tolist() == [5]
    assert (rows.rule == "bad_row").sum() == 1


def test_bad_addresses_are_rejected_and_the_rest_goes_on(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """file:, ftp: and this network's inside are rows with a reason that names the row; loopback is for tests only."""
    monkeypatch.delenv("PHOTOJURY_ALLOW_LOOPBACK", raising=False)
    bad = [
        "file:///etc/hostname",
        "ftp://h.org/1.jpg",
        "http://localhost/1.jpg",
        "http://127.0.0.1/1.jpg",
        "http://[::1]/1.jpg",
        "http://10.0.0.7/1.jpg",
        "http://169.254.169.254/latest/meta-data",
        "http://192.168.1.1/1.jpg",
        "http://2130706433/1.jpg",
        "javascript:alert(1)",
        "no address at all",
    ]
    path = tmp_path / "list.txt"
    path.write_text("\n".join(["http://h.org/first.jpg", *bad, "http://h.org/last.jpg"]))
    rows = taken_in(study, path)
    assert (rows.state == "found").sum() == 2
    rejected = rows[rows.state == "rejected"]
    assert set(rejected.index) == set(bad)
    assert set(rejected.rule) == {"bad_url"}
    assert rejected.reason["file:///etc/hostname"] == (
        "list.txt, row 2: its address begins with file:, not with http: or https:"
    )
    monkeypatch.setenv("PHOTOJURY_ALLOW_LOOPBACK", "1")
    path.write_text("http://127.0.0.1/2.jpg\nhttp://10.0.0.8/2.jpg\n")
    rows = taken_in(study, path)
    assert (rows.state["http://127.0.0.1/2.jpg"], rows.state["http://10.0.0.8/2.jpg"]) == (
        "found",
        "rejected",
    )


def test_rows_that_are_none(study: Study, tmp_path: Path) -> None:
    """A row without an address, or damaged, is a candidate that is called by its place, rejected with the reason."""
    path = tmp_path / "list.csv"
    path.write_bytes(
        b"url,title\n,nothing\nhttp://h.org/1.jpg,a\x00b\nhttp://h.org/2.jpg,\xff\nhttp://h.org/3.jpg,x\n"
    )
    rows = taken_in(study, path)
    assert rows.state.value_counts().to_dict() == {"rejected": 3, "found": 1}
    assert sorted(rows.reason.dropna()) == [
        "list.csv, row 1: it has no address",
        "list.csv, row 2: it holds a NUL character",
        "list.csv, row 3: it is not UTF-8",
    ]


def test_names_of_one_s_own(study: Study, tmp_path: Path) -> None:
    """With --id-column the row's name is the picture's; the same address under another name is offered once."""
    path = tmp_path / "list.csv"
    lines = [
        "id,url",
        "a,http://h.org/1.jpg",
        "b,http://h.org/1.jpg",
        "a,http://h.org/1.jpg",
        ",http://h.org/2.jpg",
    ]
    path.write_text("\n".join(lines))
    rows = taken_in(study, path, id_column="id")
    assert rows.loc["a"].state == "found"
    assert (rows.loc["b"].state, rows.loc["b"].rule) == ("rejected", "duplicate_url")
    assert (rows.rule == "bad_row").sum() == 1


def test_addresses_are_known_after_a_stop(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that goes on knows what the stopped one has read."""
    monkeypatch.setattr(urls, "PIECE", 2)
    path = tmp_path / "list.csv"
    path.write_text("id,url\n" + "".join(f"{n},http://h.org/{n % 5}.jpg\n" for n in range(10)))
    asked = query(path, id_column="id")
    crawl(study, UrlList(study), asked, limit=4)
    assert study.count("candidates") == 4
    crawl(study, UrlList(study), asked)
    rows = study.read("candidates").set_index("source_id")
    assert rows.rule.fillna("").to_dict() == {str(n): "" if n < 5 else "duplicate_url" for n in range(10)}


def test_a_stopped_list_goes_on_where_it_was(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row is read twice, and none is left out, wherever it was stopped."""
    monkeypatch.setattr(urls, "PIECE", 3)
    path = tmp_path / "list.csv"
    path.write_text("url\n" + "".join(f"http://h.org/{n}.jpg\n" for n in range(10)))
    for limit in (1, 5, 7, None):
        crawled = crawl(study, UrlList(study), query(path), limit=limit)
    assert (crawled.rows, crawled.unique, crawled.finished) == (10, 10, True)


def test_a_changed_file_is_another_search(study: Study, tmp_path: Path) -> None:
    """What is known stays; what was added comes in; the same file again does nothing."""
    path = tmp_path / "list.csv"
    path.write_text("url\nhttp://h.org/1.jpg\n")
    taken_in(study, path)
    assert crawl(study, UrlList(study), query(path)).new == 0
    with path.open("a") as file:
        file.write("http://h.org/2.jpg\n")
    assert crawl(study, UrlList(study), query(path)).new == 1
    assert study.count("searches") == 2


def test_a_missing_column_is_named_with_those_there(tmp_path: Path) -> None:
    """And with the option that names another one."""
    path = tmp_path / "list.csv"
    path.write_text("link,title\nhttp://h.org/1.jpg,x\n")
    with pytest.raises(
        InputError, match=r"no column 'url'; it has link, title\. Name the right one with --url-column"
    ):
        query(path)
    with pytest.raises(InputError, match=r"no column 'name'.*--id-column"):
        query(path, url_column="link", id_column="name")
    with pytest.raises(InputError, match=r"is a folder; .*photojury collect folder"):
        query(tmp_path)


def test_very_long_addresses(database: str, tmp_path: Path) -> None:
    """Longer than PostgreSQL's index takes: kept under their hash, with the whole address beside."""
    study = create_study(tmp_path / "study", "test", {("study", "store"): database})
    path = tmp_path / "list.txt"
    long = "http://h.org/" + "x" * 5000
    path.write_text(f"{long}\nhttp://h.org/{'y' * 9000}\n")
    rows = taken_in(study, path)
    assert set(rows.index.str[:7]) == {"sha256:"}
    assert rows[rows.state == "found"].file_url.tolist() == [long]
    assert rows[rows.state == "rejected"].reason.str.contains("9013 characters").all()
    study.close()
