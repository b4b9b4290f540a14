"""Flickr's rows, queries and licences: what is cast, asked and named, against real answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from photojury.collect.sources import flickr_licenses
from photojury.collect.sources.flickr_query import bounds, parameters, query
from photojury.collect.sources.flickr_rows import finding, number, photo_info, taken, text
from photojury.datasets.licenses import LICENSES, from_url
from photojury.errors import InputError
from tests.collect.sources.flickr_photos import plant, row

EXTRAS = "license,description,date_upload,date_taken,owner_name,tags,path_alias,last_update,o_dims,views,count_faves,url_l"


def fixture(shared: Path, name: str) -> Any:
    return json.loads((shared / "fixtures" / "flickr" / name).read_text())


def test_a_real_row_of_2020(shared: Path) -> None:
    """Every column of a row that Flickr gave, with text for numbers and an object for the description."""
    rows = fixture(shared, "photos_search_2020_extras.json")["photos"]["photo"]
    found = finding(rows[0], "l")
    assert found is not None
    assert (found.source_id, found.author_id, found.author) == ("49514337848", "7478087@N06", "markustrois")
    assert found.page_url == "https://www.flickr.com/photos/7478087@N06/49514337848/"
    assert found.file_url == "https://live.staticflickr.com/65535/49514337848_bbdbb5f761_b.jpg"
    assert (found.width, found.height, found.views, found.favs, found.comments) == (660, 1024, 9, None, None)
    assert (found.license_id, found.uploaded_at, found.taken_at) == (
        "cc-by-nc-sa-2.0",
        1581319011,
        1320508477,
    )
    assert found.description is not None and found.description.startswith("Warsy (Somme, France)")
    assert found.extra["original_width"] == 3178
    # The second says that its date is made up of the upload, and has neither the large size nor the original.
    second = finding(rows[1], "l")
    assert second is not None
    assert (second.taken_at, second.width, second.tags[0]) == (None, 500, "paraurti")


def test_real_rows_of_2014_and_2018(shared: Path) -> None:
    """Counts as text, and whether a photo has its favourites; an alias that is null."""
    old = finding(fixture(shared, "photo_in_list_2014_all_extras.json"), "l")
    assert old is not None
    assert (old.favs, old.comments, old.width, old.height, old.views) == (14, 1, 700, 470, None)
    assert old.license_id == "all-rights-reserved"
    newer = finding(fixture(shared, "photos_search_2018_count_faves.json")["photos"]["photo"][0], "o")
    assert newer is not None
    assert (newer.favs, newer.width, newer.height, newer.license_id) == (0, 5184, 3456, None)


def test_a_real_photo_info(shared: Path) -> None:
    """What getInfo of 2019 said; a name in Japanese is kept as it is."""
    info = photo_info(fixture(shared, "photos_getInfo_2019.json")["photo"])
    assert (info.photo_id, info.license_id, info.public, info.views) == (
        "24379963431",
        "all-rights-reserved",
        True,
        15,
    )
    assert (info.comments, info.author_id, info.opt_out) == (0, "139259445@N07", None)
    assert info.tags[0] == "風景・スナップ"


def test_the_table_of_licences_is_flickrs(shared: Path) -> None:
    """Every id of Flickr's own list has the name that its URL stands for, and no other id is in the table."""
    rows = fixture(shared, "photos_licenses_getInfo_2025.json")["licenses"]["license"]
    assert {int(one["id"]) for one in rows} == set(flickr_licenses.NAMES)
    for one in rows[1:]:
        assert from_url(one["url"]) == flickr_licenses.NAMES[int(one["id"])]
    assert flickr_licenses.compare({"license": rows}) == []
    assert set(flickr_licenses.NAMES.values()) <= set(LICENSES)


def test_planted_rows_are_shaped_like_real_ones(shared: Path) -> None:
    """The fake's rows have no key that real ones lack."""
    real: set[str] = set()
    for one in fixture(shared, "photos_search_2020_extras.json")["photos"]["photo"]:
        real |= set(one)
    real |= set(fixture(shared, "photo_in_list_2014_all_extras.json"))
    drifted = [row(photo, EXTRAS) for photo in plant(50)]
    assert set().union(*drifted) - real <= {"lastupdate"}
    assert {type(one.get("count_faves")) for one in drifted} == {str, int}


def test_licences_by_name() -> None:
    """cc is every Creative Commons licence with its 4.0 versions; one name is one number; unknown ones are told."""
    assert flickr_licenses.numbers(["cc"]) == [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]
    assert flickr_licenses.numbers(["by"]) == flickr_licenses.numbers(["cc-by"]) == [4, 11]
    assert flickr_licenses.numbers(["CC-BY-NC-ND-4.0", "cc0"]) == [9, 16]
    assert flickr_licenses.numbers(["public-domain"]) == [7, 8, 9, 10]
    assert flickr_licenses.numbers([]) == []
    with pytest.raises(InputError, match=r"unknown Flickr licence 'cc-bye'\. Did you mean cc-by"):
        flickr_licenses.numbers(["cc-bye"])


def test_new_licences_of_flickr_are_told() -> None:
    """An id that the table lacks, and one that has come to mean another licence."""
    rows = [
        {"id": "17", "name": "CC BY 5.0", "url": "https://creativecommons.org/licenses/by/5.0/"},
        {"id": "4", "name": "CC0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
    ]
    new, other = flickr_licenses.compare({"license": rows})
    assert "does not know: 17, CC BY 5.0" in new
    assert "licence 4 is now CC0" in other
    assert flickr_licenses.described(17) == ("flickr-17", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", 12),
        (12, 12),
        (0, 0),
        ("", None),
        (None, None),
        (True, None),
        ("-3", None),
        ("1e3", None),
        ("²", None),
    ],
)
def test_counts(value: object, expected: int | None) -> None:
    """Numbers and text of digits are counts; unknown is None and never 0."""
    assert number(value) == expected


def test_texts() -> None:
    """Text, an object around it, or nothing."""
    assert [text(v) for v in ("a", {"_content": "b"}, {"_content": ""}, " ", None, 7)] == [
        "a",
        "b",
        None,
        None,
        None,
        "7",
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"datetaken": "2011-11-05 15:54:37"}, 1320508477.0),
        (
            {"datetaken": "2011-11-05 15:54:37", "datetakengranularity": 0, "datetakenunknown": 0},
            1320508477.0,
        ),
        ({"datetaken": "2011-11-05 15:54:37", "datetakenunknown": 1}, None),
        ({"datetaken": "2011-11-01 00:00:00", "datetakengranularity": "4"}, None),
        ({"datetaken": "0000-00-00 00:00:00"}, None),
        ({}, None),
    ],
)
def test_time_taken(row: dict[str, object], expected: float | None) -> None:
    """A time that Flickr made up, or that is a month or a year, is no time."""
    assert taken(row) == expected


@pytest.mark.parametrize(
    ("sizes", "size", "expected"),
    [
        ({"c": 800, "l": 1024, "o": 4000}, "l", "l"),
        ({"c": 800, "l": 1024, "o": 4000}, "c", "c"),
        ({"c": 800, "l": 1024, "o": 4000}, "o", "o"),
        ({"c": 800, "l": 1024}, "o", "l"),  # its owner bars the original
        ({"z": 640, "c": 800, "o": 900}, "l", "o"),  # smaller than 1024: the original is nearest
        ({"m": 500, "z": 640, "c": 800}, "l", "c"),
        ({"o": 2000}, "l", "o"),
    ],
)
def test_the_file_nearest_the_size(sizes: dict[str, int], size: str, expected: str) -> None:
    """The largest file within the size asked for; the only one where none is."""
    row = {"id": "1"} | {
        key: value
        for name, side in sizes.items()
        for key, value in ((f"url_{name}", name), (f"width_{name}", str(side)), (f"height_{name}", side // 2))
    }
    found = finding(row, size)
    assert found is not None
    assert (found.file_url, found.width) == (expected, sizes[expected])


def test_a_row_without_files_or_id() -> None:
    """Without any size, there is always one of 500 pixels; what would lead elsewhere, or has no id, is no file."""
    bare = finding({"id": "7", "server": "65535", "secret": "abc"}, "l")
    assert bare is not None and bare.file_url == "https://live.staticflickr.com/65535/7_abc.jpg"
    odd = finding({"id": "7", "server": "65535", "secret": "../x"}, "l")
    assert odd is not None and odd.file_url is None
    assert finding({"server": "1"}, "l") is None
    assert finding({"id": "../7"}, "l") is None


@pytest.mark.parametrize(
    ("row", "barred"),
    [
        ({"tags": "tree nocv"}, True),
        ({"tags": "tree no_cv"}, True),
        ({"tags": "tree", "machine_tags": "optout:use=no_cv"}, True),
        ({"tags": "tree", "machine_tags": "ai:nocv=true"}, True),
        ({"tags": "novocv nocvs"}, False),
        ({}, False),
    ],
)
def test_no_cv(row: dict[str, object], barred: bool) -> None:
    """The tag no_cv, as Flickr normalises it or inside a machine tag, is an opt-out; a word like it is none."""
    found = finding({"id": "1", **row}, "l")
    assert found is not None
    assert (found.opt_out is not None) == barred


def test_a_query_is_the_same_however_it_is_typed() -> None:
    """Order of tags and spelling of licences and days do not make another search."""
    first = query(tags="b, a", licenses=["by"], uploaded_from="2015-01-01", uploaded_to="2015-01-31")
    second = query(
        tags="a,b",
        licenses=["cc-by-4.0", "cc-by-2.0"],
        uploaded_from="2015-01-01T01:00:00+01:00",
        uploaded_to="2015-01-31T23:59:59",
    )
    assert first == second
    assert bounds(first, now=2e9) == (1420070400, 1422748799)
    assert bounds(query(tags="a"), now=1.5e9) == (1041379200, 1500000000)


def test_what_flickr_is_asked() -> None:
    """Every option is a parameter; photos only, in the order of their upload; no place is asked for."""
    asked = query(
        text="a b",
        tags="x,-y",
        all_tags=True,
        group="1@N1",
        user="2@N2",
        licenses=["cc0"],
        taken_from="2011-02-03",
    )
    assert parameters(asked) == {
        "text": "a b",
        "tags": "-y,x",
        "tag_mode": "all",
        "group_id": "1@N1",
        "user_id": "2@N2",
        "license": "9",
        "min_taken_date": "2011-02-03 00:00:00",
        "content_types": 0,
        "media": "photos",
        "sort": "date-posted-asc",
        "per_page": 500,
    }
    assert "geo" not in EXTRAS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "say what to look for"),
        ({"tags": " , "}, "say what to look for"),
        (
            {"tags": "a", "uploaded_from": "2015-02-30"},
            "--from '2015-02-30' is no possible date .day is out of range",
        ),
        ({"tags": "a", "taken_to": "tomorrow"}, "--taken-to 'tomorrow' is no possible date"),
        ({"tags": "a", "taken_to": "1066-10-14"}, "before the first photograph"),
        (
            {"tags": "a", "uploaded_from": "2016-01-01", "uploaded_to": "2015-01-01"},
            "lies after --to 2015-01-01; swap",
        ),
        ({"tags": ",".join(map(str, range(21)))}, "--tags has 21 tags; Flickr takes at most 20"),
        ({"tags": "a", "licenses": ["free"]}, "unknown Flickr licence 'free'"),
        ({"tags": "a", "size": "xl"}, "unknown size 'xl'"),
    ],
)
def test_questions_that_cannot_be_asked(options: dict[str, Any], message: str) -> None:
    """One sentence each, before anything is asked."""
    with pytest.raises(InputError, match=message):
        query(**options)


def test_uploads_of_the_future() -> None:
    """A range that begins after now finds nothing; that is a mistake and no search."""
    with pytest.raises(InputError, match="lies in the future"):
        bounds(query(tags="a", uploaded_from="2100-01-01"), now=1.7e9)
