"""Forgetting: what goes, what stays, and that nothing brings it back."""

import hashlib
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from PIL import Image

from photojury.collect import intake
from photojury.collect.commands.rights import forget as forget_command
from photojury.collect.rights.forgetting import forget
from photojury.collect.rights.naming import listed, named
from photojury.collect.sources.crawl import crawl
from photojury.collect.sources.folder import collect_folder
from photojury.collect.sources.source import Finding, Onward, Page, Query, Slice, go_on
from photojury.datasets import tables, tombstones
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study, create_study, open_engine
from photojury.errors import InputError, Refused


def picture(number: int) -> bytes:
    """A PNG of noise; every number another one."""
    stream = io.BytesIO()
    Image.frombytes("RGB", (96, 64), random.Random(number).randbytes(96 * 64 * 3)).save(stream, "png")
    return stream.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Wall:
    """A source that shows six photos, two of each of three people; every search is the same."""

    name = "flickr"

    def slices(self, query: Query, now: float) -> list[str]:
        return ["all"]

    def fetch(self, query: Query, part: Slice) -> Page:
        return Page([photo(number) for number in range(6)])

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        return go_on(page, new)


def photo(number: int) -> Finding:
    who = f"{number // 2}@N01"
    return Finding(
        str(100 + number),
        f"https://live.staticflickr.com/1/{100 + number}_ab_b.jpg",
        page_url=f"https://www.flickr.com/photos/{who}/{100 + number}/",
        title=f"Tree {number}",
        author=f"Ann {number // 2}",
        author_id=who,
        author_url=f"https://www.flickr.com/people/{who}/",
        license_id="cc-by-2.0",
        tags=("tree",),
        extra={"path_alias": "ann"},
    )


def take_in(study: Study, source: str, source_id: str, data: bytes, **known: object) -> str:
    """What a download does with a candidate's bytes; returns its state."""
    table = tables.candidates
    same = (table.c.source == source) & (table.c.source_id == source_id)
    found = study.rows(sa.select(table).where(same))
    row: dict[str, Any] = (
        found[0] if found else {"source": source, "source_id": source_id, "seen_at": 1.0, **known}
    )
    outcome = intake.examine(study, data)
    with study.writing() as connection:
        return intake.record(connection, [(row, outcome)])[0]


def photos_of(folder: Path) -> Study:
    """A study with the six photos, crawled and stored."""
    study = create_study(folder / "study", "test")
    crawl(study, Wall(), {"q": "tree"})
    for number in range(6):
        assert take_in(study, "flickr", str(100 + number), picture(number)) == "stored"
    return study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return photos_of(tmp_path)


def state(study: Study, source_id: str, source: str = "flickr") -> str:
    rows = study.read("candidates", {"source": source, "source_id": source_id})
    return str(rows["state"].item())


def test_a_picture_goes_and_its_answers_stay(study: Study) -> None:
    """File, words and address go; sha256, status, sizes and ratings stay; the others are as they were."""
    image = sha256(picture(0))
    study.add("units", [{"unit_id": "u", "batch": "b", "task": "stars", "first_id": image}])
    study.add("ratings", [{"assignment_id": "a", "unit_id": "u", "attribute": "overall", "image_id": image,
                           "rater_id": "r", "value": 2, "position_in_hit": 0}])  # fmt: skip
    done = forget(study, {"flickr:100": "asked us to"})
    assert (done.images, done.candidates, done.files, done.tombstones) == (1, 1, 1, 2)
    assert sorted(study.read("tombstones")["key"]) == ["flickr:100", f"sha256:{image}"]
    row = study.rows(sa.select(tables.images).where(tables.images.c.image_id == image))[0]
    assert (row["status"], row["rule"], row["reason"]) == ("tombstoned", "tombstone", "asked us to")
    assert (row["width"], row["height"]) == (96, 64)
    words = [
        row[name] for name in ("title", "author", "author_id", "author_url", "page_url", "file_url", "tags")
    ]
    assert words == [None] * 7
    offer = study.rows(sa.select(tables.candidates).where(tables.candidates.c.source_id == "100"))[0]
    assert (offer["state"], offer["title"], offer["author"], offer["extra"]) == ("barred", None, None, None)
    assert study.count("ratings") == 1
    files = {path.stem for path in study.images_folder.glob("*/*.png")}
    assert files == {sha256(picture(number)) for number in range(1, 6)}
    assert study.read("images", {"status": "kept"})["title"].tolist().count("Tree 1") == 1


def test_a_person_goes_whole(study: Study) -> None:
    """Both pictures of the author, and what comes from them later; nobody else's."""
    done = forget(study, {"flickr:author:1@N01": "asked us to"})
    assert done.images == 2
    assert [state(study, str(100 + number)) for number in range(6)].count("barred") == 2
    assert "1@N01" not in json.dumps(study.rows(sa.select(tables.candidates))) + json.dumps(
        study.rows(sa.select(tables.images))
    )
    assert not [
        path for path in study.images_folder.glob("*/*") if path.stem in map(sha256, map(picture, (2, 3)))
    ]


@pytest.mark.parametrize("way", ["crawl", "openverse", "urls", "folder", "in flight"])
def test_no_way_back(study: Study, tmp_path: Path, way: str) -> None:
    """A new search, Openverse's copy of the photo, the same bytes from a list or a folder, a download under way."""
    if way == "in flight":
        row = study.rows(sa.select(tables.candidates).where(tables.candidates.c.source_id == "100"))[0]
        outcome = intake.examine(study, picture(7))
        forget(study, {"flickr:author:0@N01": "asked us to"})
        with study.writing() as connection:
            assert intake.record(connection, [(row, outcome)]) == ["barred"]
        return
    forget(study, {"flickr:100": "asked us to"})
    if way == "crawl":
        crawl(study, Wall(), {"q": "tree"}, again=True)
        assert state(study, "100") == "barred"
        assert take_in(study, "flickr", "100", picture(0)) == "barred"
        with study.writing() as connection:  # and a study that has lost its candidates
            connection.execute(sa.delete(tables.finds))
            connection.execute(sa.delete(tables.candidates))
        crawl(study, Wall(), {"q": "another"})
        assert study.read("candidates", {"source_id": "100"})["author"].isna().all()
        assert (state(study, "100"), state(study, "101")) == ("barred", "found")
    elif way == "openverse":
        page = "https://www.flickr.com/photos/0@N01/100"
        smaller = picture(8)  # other bytes of the same photo
        assert take_in(study, "openverse", "uuid", smaller, page_url=page) == "barred"
    elif way == "urls":
        assert take_in(study, "urls", "7f", picture(0)) == "barred"
    else:
        (tmp_path / "photos").mkdir()
        for number in (0, 9):
            (tmp_path / "photos" / f"{number}.png").write_bytes(picture(number))
        collect_folder(study, tmp_path / "photos")
        assert study.count("images") == 7
    assert study.rows(sa.select(tables.images).where(tables.images.c.image_id == sha256(picture(0))))[0][
        "status"
    ] == ("tombstoned")
    assert not list(study.images_folder.rglob(f"{sha256(picture(0))}*"))


def test_the_same_bytes_from_elsewhere_go_with_it(study: Study) -> None:
    """A duplicate offer of the bytes is barred under its own name, so that its source cannot bring it again."""
    assert take_in(study, "urls", "7f", picture(0)) == "duplicate"
    forget(study, {"flickr:100": "asked us to"})
    assert state(study, "7f", "urls") == "barred"
    assert "urls:7f" in set(study.read("tombstones")["key"])


def test_a_folders_path_is_no_tombstone(tmp_path: Path) -> None:
    """Forgetting a folder's picture bars its bytes; another picture in a file of that name comes in."""
    study = create_study(tmp_path / "study", "test")
    path = tmp_path / "photos" / "a.png"
    path.parent.mkdir()
    path.write_bytes(picture(0))
    collect_folder(study, path.parent)
    forget(study, {f"sha256:{sha256(picture(0))}": "not mine"})
    path.write_bytes(picture(1))
    collect_folder(study, path.parent)
    assert study.read("images", {"status": "kept"})["image_id"].tolist() == [sha256(picture(1))]


def test_killed_between_store_and_files_it_goes_on(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files could not be removed, nothing is released, and the same call removes the rest."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _killed)
        with pytest.raises(KeyboardInterrupt):
            forget(study, {"flickr:author:0@N01": "asked us to"})
    assert study.read("images", {"status": "tombstoned"}).shape[0] == 2
    assert len(list(study.images_folder.glob("*/*.png"))) == 6
    done = forget(study, {"flickr:author:0@N01": "asked us to"})
    assert (done.files, done.tombstones) == (2, 0)
    assert len(list(study.images_folder.glob("*/*.png"))) == 4


def _killed(path: Path, missing_ok: bool = False) -> None:
    raise KeyboardInterrupt


def test_kept_files_stay_out_all_the_same(study: Study, tmp_path: Path) -> None:
    """keep_files leaves bytes and words, bars both; without it, a later call removes them."""
    image = sha256(picture(0))
    assert forget(study, {"flickr:100": "a dispute"}, keep_files=True).files == 0
    assert study.image_path(image).is_file()
    assert study.read("images", {"image_id": image})["title"].item() == "Tree 0"
    folder = release(study, tmp_path / "out", version="1.0.0")
    assert not list(folder.rglob(f"{image}*"))
    assert forget(study, {"flickr:100": "a dispute"}).files == 1


def test_a_blocklist_bars_what_was_never_seen(study: Study, tmp_path: Path) -> None:
    """Another project's list of sha256: what is here goes, what is not here never comes."""
    path = tmp_path / "list.txt"
    path.write_text(f"# theirs\n\n{sha256(picture(3)).upper()}  IMG_3.jpg\n{sha256(picture(9))}\n")
    done = forget(study, dict.fromkeys(listed(path), "blocklist"))
    assert (done.images, done.tombstones) == (1, 3)
    assert take_in(study, "urls", "9", picture(9)) == "barred"
    assert not list(study.images_folder.rglob(f"{sha256(picture(9))}*"))


def test_what_still_shows_it_is_told(study: Study, tmp_path: Path) -> None:
    """HITs that are out and releases that were made are counted and named."""
    image = sha256(picture(0))
    study.add("units", [{"unit_id": "u", "batch": "b", "task": "five_level", "first_id": sha256(picture(5)),
                         "second_id": image}])  # fmt: skip
    hit = {
        "batch": "b",
        "task": "stars",
        "unit_ids": '["u"]',
        "request_token": "t",
        "reward": 1,
        "max_assignments": 1,
    }
    study.add(
        "hits",
        [{**hit, "hit_key": "out", "state": "published"}, {**hit, "hit_key": "done", "state": "closed"}],
    )
    for name, form in (("test-1.0.0", "folder"), ("test-1.0.0-tar", "webdataset")):
        release(study, study.folder / "exports" / name, version="1.0.0", form=form)
    done = forget(study, {"flickr:100": "asked us to"})
    assert (done.hits, done.exports) == (1, ["test-1.0.0", "test-1.0.0-tar"])
    assert forget(study, {"flickr:102": "asked us to"}).hits == 0


def test_both_databases(database: str, tmp_path: Path) -> None:
    """The same on SQLite and PostgreSQL."""
    create_study(tmp_path / "other", "test", {("study", "store"): database}).close()
    study = photos_of_store(tmp_path / "other")
    done = forget(study, {"flickr:author:0@N01": "asked us to", f"sha256:{'0' * 64}": "blocklist"})
    assert (done.images, done.candidates, done.files, done.tombstones) == (2, 2, 2, 6)
    assert study.read("images")["status"].value_counts().to_dict() == {"kept": 4, "tombstoned": 2}
    study.close()


def photos_of_store(folder: Path) -> Study:
    from photojury.datasets.store import open_study

    study = open_study(folder)
    crawl(study, Wall(), {"q": "tree"})
    for number in range(6):
        take_in(study, "flickr", str(100 + number), picture(number))
    return study


@pytest.mark.parametrize(
    ("word", "keys"),
    [
        ("AB" * 32, [f"sha256:{'ab' * 32}"]),
        (f"sha256:{'ab' * 32}", [f"sha256:{'ab' * 32}"]),
        ("flickr:123", ["flickr:123"]),
        ("flickr:author:9@N01", ["flickr:author:9@N01"]),
        ("folder:/a b/c.jpg", ["folder:/a b/c.jpg"]),
        ("https://www.flickr.com/photos/9@N01/123/", ["flickr:123"]),
        ("https://live.staticflickr.com/1/123_ab_b.jpg", ["flickr:123"]),
    ],
)
def test_words(word: str, keys: list[str]) -> None:
    """Ids in any case, sources, people and Flickr's addresses; a page names its photo, and not its owner."""
    assert named(word) == keys


@pytest.mark.parametrize(
    "word", ["", "123", "ab" * 31, "flikr:123", "flickr:", "flickr:author:", "https://example.org/x"]
)
def test_words_that_name_nothing(word: str) -> None:
    """One sentence, with what to write."""
    with pytest.raises(InputError, match=r"names no picture|unknown source|no picture of this study"):
        named(word)


def test_an_address_of_the_study_names_its_picture(study: Study) -> None:
    """A page that a candidate of any source has."""
    study.add("candidates", [{"source": "urls", "source_id": "7f", "state": "found", "seen_at": 1.0,
                              "page_url": "https://example.org/tree"}])  # fmt: skip
    assert named("https://example.org/tree", study) == ["urls:7f"]


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    """File, line and what is wrong; a file that is not there, too."""
    path = tmp_path / "list.txt"
    path.write_text(f"image_id\n{'ab' * 32}\n\nnonsense\n")
    with pytest.raises(InputError, match=r"list\.txt, line 4: 'nonsense' names no picture"):
        listed(path)
    with pytest.raises(InputError, match="cannot be read as a list"):
        listed(tmp_path / "nowhere.txt")


def test_the_command_asks_first_and_then_tells(study: Study) -> None:
    """Without --yes it is refused with what would go, and nothing has gone; with it, JSON has the counts."""
    words = ["flickr:author:0@N01", "--reason", "asked us to", "--study", str(study.folder)]
    refused = CliRunner().invoke(forget_command, words)
    assert isinstance(refused.exception, Refused)
    assert "this forgets 2 pictures of this study, for good" in str(refused.exception)
    assert study.count("tombstones") == 0
    done = CliRunner().invoke(forget_command, [*words, "--yes", "--json"])
    assert json.loads(done.stdout)["images"] == 2
    nothing = CliRunner().invoke(forget_command, ["--reason", "x", "--study", str(study.folder)])
    assert isinstance(nothing.exception, InputError)


def test_ten_thousands_at_once(tmp_path: Path) -> None:
    """More keys than a statement may have parameters, on a study that has none of them."""
    study = create_study(tmp_path / "study", "test")
    assert (
        forget(study, {f"sha256:{number:064x}": "blocklist" for number in range(20_001)}).tombstones == 20_001
    )
    with open_engine(f"sqlite:///{study.folder / 'study.db'}").connect() as connection:
        assert tombstones.standing(connection, [f"sha256:{7:064x}"])
