"""Tombstones: what a picture is known by, and what stands against it."""

from pathlib import Path

import pytest

from photojury.datasets import tombstones
from photojury.datasets.store import create_study

FLICKR_PAGE = "https://www.flickr.com/photos/9@N01/123/"


@pytest.mark.parametrize(
    "url",
    [
        FLICKR_PAGE,
        "http://flickr.com/photos/9@N01/123",
        "https://www.flickr.com/photos/9@N01/123/in/photostream/",
        "https://m.flickr.com/photos/9@N01/123",
        "https://live.staticflickr.com/65535/123_0a1b2c3d4e_b.jpg",
        "https://farm66.staticflickr.com/65535/123_0a1b2c3d4e.jpg",
        "http://farm4.static.flickr.com/3456/123_0a1b2c3d4e_o.jpg",
    ],
)
def test_a_flickr_photo_is_known_wherever_it_is_found(url: str) -> None:
    """Openverse, a search engine and a list of addresses lead to the same photo."""
    assert "flickr:123" in tombstones.keys("openverse", "uuid", urls=[None, url])


@pytest.mark.parametrize(
    "url",
    [
        "https://www.flickr.com/photos/9@N01/",
        "https://www.flickr.com/photos/9@N01/sets/123",
        "https://example.org/?u=https://www.flickr.com/photos/9@N01/123/",
        "https://evilstaticflickr.com/65535/123_0a1b2c3d4e_b.jpg",
        "https://live.staticflickr.com/65535/buddyicons/123.jpg",
    ],
)
def test_other_addresses_are_no_photo(url: str) -> None:
    """A person's page, a set, another site and an icon name no photo."""
    assert tombstones.keys("urls", "x", urls=[url]) == ["urls:x"]


def test_keys_name_picture_person_and_bytes_once() -> None:
    """Source and id, author and sha256; a Flickr photo's own page repeats nothing."""
    found = tombstones.keys("flickr", "123", "9@N01", "ab", [FLICKR_PAGE])
    assert found == ["flickr:123", "flickr:author:9@N01", "sha256:ab"]


def test_reasons_are_those_of_the_rows(tmp_path: Path) -> None:
    """Of many rows, those with a key that stands get its reason; a second tombstone changes nothing."""
    study = create_study(tmp_path / "s", "x")
    rows = [
        {"source": "flickr", "source_id": str(number), "author_id": f"a{number % 3}"} for number in range(9)
    ]
    with study.writing() as connection:
        assert tombstones.bury(connection, ["flickr:4", "flickr:author:a0"], "asked us to") == 2
        assert tombstones.bury(connection, ["flickr:4"], "later") == 0
        found = tombstones.reasons_against(connection, rows)
    assert [number for number, reason in enumerate(found) if reason == "asked us to"] == [0, 3, 4, 6]
    assert set(found) == {"asked us to", None}


def test_ten_thousands_of_keys_are_asked_for_at_once(tmp_path: Path) -> None:
    """More keys than a statement may have parameters."""
    study = create_study(tmp_path / "s", "x")
    names = [f"sha256:{number:064x}" for number in range(20_001)]
    with study.writing() as connection:
        assert tombstones.bury(connection, names[1::2], "blocklist") == 10_000
        assert sorted(tombstones.standing(connection, names)) == sorted(names[1::2])
