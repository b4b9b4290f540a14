"""Near duplicates: what is a copy, which one stays, and what a person, a series or another check changes."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from PIL import Image, ImageEnhance, ImageOps

from photojury.collect.alike.duplicates import clusters, find_duplicates, mark_duplicates
from photojury.collect.alike.ranking import ranked
from photojury.collect.alike.thumbnails import thumbnail
from photojury.collect.commands.series import duplicates as duplicates_command
from photojury.datasets import tables
from photojury.datasets.store import Study, create_study, open_study
from tests.collect.scenes import coded, decide, kept, scene, set_image, take

SMALL = (240, 160)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "test")


def pair(study: Study, number: int = 1) -> tuple[str, str]:
    """A picture and a smaller copy of it."""
    picture = scene(number)
    large = take(study, f"large-{number}", coded(picture))
    return large, take(study, f"small-{number}", coded(picture.resize(SMALL)))


def near(study: Study) -> dict[str, tuple[str, str]]:
    """The rows of the check: image -> verdict, and the image that it was compared with."""
    rows = study.rows(sa.select(tables.checks).where(tables.checks.c.check == "near_duplicate"))
    return {row["image_id"]: (row["verdict"], row["other_id"]) for row in rows}


def test_edited_copies_are_marked_and_the_largest_stays(study: Study) -> None:
    """Smaller, recompressed, brighter, greyed, and in another format: each is a copy of the original."""
    picture = scene(1)
    others = [take(study, f"other-{number}", coded(scene(number))) for number in range(2, 12)]
    small = take(study, "small", coded(picture.resize(SMALL)))
    edited = {
        small,
        take(study, "quality", coded(picture, quality=30)),
        take(study, "bright", coded(ImageEnhance.Brightness(picture).enhance(1.15))),
        take(study, "grey", coded(picture.convert("L"))),
        take(study, "webp", coded(picture, "WEBP", 60)),
    }
    original = take(study, "original", coded(picture, "PNG"))
    found = mark_duplicates(study)
    assert {pair.image_id for pair in found.pairs} == edited
    assert near(study) == dict.fromkeys(edited, ("fail", original))
    assert kept(study) == {original, *others}
    assert (found.compared, found.groups, found.changed) == (16, 1, 5)
    row = study.read("images", {"image_id": small}).iloc[0]
    assert (row["status"], row["rule"]) == ("rejected", "near_duplicate")
    assert f"image {original[:12]} of 480 x 320 pixels" in row["reason"]


def test_sources_make_no_difference(study: Study) -> None:
    """A copy is one wherever it was found."""
    picture = scene(1)
    large = take(study, "7", coded(picture), "flickr", author_id="9@N01")
    small = take(study, "x", coded(picture.resize(SMALL)), "openverse")
    mark_duplicates(study)
    assert near(study) == {small: ("fail", large)}


def test_mirrored_and_squeezed_pictures_and_other_scenes_are_no_copies(study: Study) -> None:
    """Composition and shape are part of a picture; no hash, however near, makes one of two scenes."""
    picture = scene(1)
    original = take(study, "original", coded(picture, "PNG"))
    mirrored = take(study, "mirrored", coded(ImageOps.mirror(picture)))
    squeezed = take(study, "squeezed", coded(picture.resize((300, 320))))
    other = take(study, "other", coded(scene(2)))
    phash = int(study.read("images", {"image_id": original}).iloc[0]["phash"], 16)
    for image in (mirrored, other):
        set_image(study, image, phash=f"{phash ^ 0b101:016x}")
    found = mark_duplicates(study)
    assert kept(study) == {original, mirrored, squeezed, other}
    assert near(study) == dict.fromkeys((mirrored, squeezed, other), ("pass", original))
    assert {pair.image_id: pair.distance for pair in found.rejected if pair.image_id != squeezed} == {
        mirrored: 2,
        other: 2,
    }


def test_no_chain_joins_what_is_far_apart(study: Study) -> None:
    """Of three in a row, each 4 bits from the next, the second is a copy of the first and the third stays."""
    picture = scene(1)
    chain = [take(study, f"{size}", coded(picture.resize((size * 3, size * 2)))) for size in (160, 140, 120)]
    for image, phash in zip(chain, (0x00, 0x0F, 0xFF), strict=True):
        set_image(study, image, phash=f"{phash:016x}")
    mark_duplicates(study)
    assert near(study) == {chain[1]: ("fail", chain[0])}


def test_the_better_copy_is_kept(study: Study) -> None:
    """Asked about, then pixels, colours, bytes, upload, download, id: each decides only where those before do not."""
    base: dict[str, object] = {"source": "urls", "status": "kept", "phash": f"{7:016x}", "format": "jpeg"}
    base |= {"width": 30, "height": 20, "bytes": 900, "uploaded_at": 50.0, "retrieved_at": 70.0}
    order: list[dict[str, object]] = [
        {"width": 3, "height": 2},  # raters were asked about it
        {"width": 40, "bytes": 5, "format": "gif"},
        {"bytes": 901},
        {"uploaded_at": 49.0, "retrieved_at": 99.0},
        {"retrieved_at": 69.0},
        {},
        {},
        {"uploaded_at": None},
        {"format": "gif", "bytes": 9_000},
    ]
    names = [f"{number}" for number in (9, 1, 8, 2, 7, 3, 6, 4, 5)]
    names[5], names[6] = sorted(names[5:7])
    rows = [
        {**base, "image_id": name, "source_id": name, **facts}
        for name, facts in zip(names, order, strict=True)
    ]
    study.add("images", rows[::-1])
    study.add("units", [{"unit_id": "u", "batch": "b", "task": "stars", "first_id": "9"}])
    with study.engine.connect() as connection:
        assert ranked(connection).ids == names


def test_what_people_decided_stands(study: Study) -> None:
    """A copy that a person keeps stays beside the original, which does not give way to it; a rejected picture
    stands for no copy; a decision taken back is none."""
    for number, status in enumerate(("kept", "rejected", "auto")):
        large, small = pair(study, number)
        decide(study, small if status == "kept" else large, "rejected", 1.0)
        decide(study, small if status == "kept" else large, status, 2.0)
    mark_duplicates(study)
    names = study.read("images", {"status": "kept"})["source_id"]
    assert sorted(names) == ["large-0", "large-2", "small-0", "small-1"]


def test_a_person_keeps_what_fails_and_it_stands_for_its_copies(study: Study) -> None:
    """The decision counts, not the check that it overrules."""
    large, small = pair(study)
    study.add("checks", [{"image_id": large, "check": "x", "verdict": "fail", "version": 1}])
    decide(study, large, "kept")
    mark_duplicates(study)
    assert near(study) == {small: ("fail", large)}


def test_what_fails_another_check_stands_for_nothing(study: Study) -> None:
    """A large blurred picture does not take its sharp copy with it; nor does one that is buried."""
    blurred, sharp = pair(study, 1)
    buried, other = pair(study, 2)
    study.add("checks", [{"image_id": blurred, "check": "x", "verdict": "fail", "version": 1}])
    set_image(study, buried, status="tombstoned")
    assert mark_duplicates(study).pairs == ()
    assert kept(study) == {sharp, other}


def test_pictures_of_a_series_are_no_copies_of_each_other(study: Study) -> None:
    """Not within a series, nor between two series of one author; but between those of two authors they are."""
    picture = scene(1)
    told = [("ann", "s1"), ("ann", "s1"), ("ann", "s2"), ("bob", "s3")]
    images = [
        take(study, f"{number}", coded(picture, quality=90 - number), author=author)
        for number, (author, _) in enumerate(told)
    ]
    rows = [
        {"series_id": series, "image_id": image, "position": 0}
        for image, (_, series) in zip(images, told, strict=True)
    ]
    assert len(mark_duplicates(study).pairs) == 3
    study.add("series", rows)
    mark_duplicates(study)
    assert kept(study) == set(images[:3])


def test_flat_pictures_and_lost_files_are_not_compared(study: Study) -> None:
    """Two empty pictures have equal hashes and nothing in common; a file that is gone cannot speak."""
    grey = Image.new("L", (480, 320), 128)
    take(study, "grey", coded(grey, "PNG"))
    grey.putpixel((0, 0), 129)
    take(study, "greyer", coded(grey, "PNG"))
    _, small = pair(study)
    study.image_path(small).unlink()
    found = mark_duplicates(study)
    assert (found.flat, found.unreadable, found.pairs) == (2, 1, ())
    assert len(kept(study)) == 4


def test_pictures_without_a_hash_are_counted(study: Study) -> None:
    """Those of an older study are not compared, and not passed over in silence."""
    _, small = pair(study)
    set_image(study, small, phash=None)
    found = mark_duplicates(study)
    assert (found.compared, found.unhashed, found.pairs) == (1, 1, ())


@pytest.mark.parametrize("distance", [0, 4])
def test_a_changed_threshold_takes_marks_back(study: Study, distance: int) -> None:
    """What is no copy any more is kept again; distance 0 switches the check off."""
    pair(study)
    mark_duplicates(study)
    assert len(kept(study)) == 1
    path = study.folder / "study.toml"
    changed = {"near_duplicate_distance = 4": f"near_duplicate_distance = {distance}"}
    changed["near_duplicate_correlation = 0.95"] = "near_duplicate_correlation = 1.0"
    for old, new in changed.items():
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    mark_duplicates(open_study(study.folder))
    assert len(kept(study)) == 2
    assert {verdict for verdict, _ in near(study).values()} == ({"pass"} if distance else set())


def test_both_databases_give_the_same_again_and_again(tmp_path: Path, database: str) -> None:
    """A second run changes nothing; a new and better copy takes the place of the one kept, without a trace."""
    study = create_study(tmp_path / "study", "test", {("study", "store"): database})
    picture = scene(1)
    middle = take(study, "middle", coded(picture.resize(SMALL)))
    small = take(study, "small", coded(picture.resize((180, 120))))
    assert mark_duplicates(study).changed == 1
    assert mark_duplicates(study).changed == 0
    assert near(study) == {small: ("fail", middle)}
    large = take(study, "large", coded(picture))
    assert mark_duplicates(study).changed == 2
    assert near(study) == {middle: ("fail", large), small: ("fail", large)}
    study.close()


def test_finding_writes_nothing(study: Study) -> None:
    """A rehearsal tells what would be marked, and marks nothing."""
    large, small = pair(study)
    with study.engine.connect() as connection:
        found = find_duplicates(study, connection)
    assert [(pair.image_id, pair.other_id) for pair in found.pairs] == [(small, large)]
    assert near(study) == {}
    assert kept(study) == {large, small}


@pytest.mark.parametrize("distance", [0, 4])
def test_clusters_are_the_connected_components_that_networkx_finds(distance: int) -> None:
    """Whatever the order of the hashes, equal ones among them."""
    rng = np.random.default_rng(5)
    base = rng.integers(0, 2**64, 40, dtype=np.uint64)
    flips = np.uint64(1) << rng.integers(0, 64, (3, 40)).astype(np.uint64)
    hashes = np.concatenate([base, base ^ flips[0], base ^ flips[0] ^ flips[1], base[:9], flips[2]])
    rng.shuffle(hashes)
    graph = nx.Graph()
    for one in range(len(hashes)):
        for other in range(one):
            if (int(hashes[one]) ^ int(hashes[other])).bit_count() <= distance:
                graph.add_edge(one, other)
    expected = {frozenset(part) for part in nx.connected_components(graph)}
    found = list(clusters(hashes, distance))
    assert {frozenset(cluster.tolist()) for cluster in found} == expected
    assert all((np.diff(cluster) > 0).all() for cluster in found)


def test_thumbnails_multiply_to_the_correlation_of_numpy(tmp_path: Path) -> None:
    """Of two PNGs whose 15 x 10 pixel blocks are averaged by hand, after the turn that EXIF asks for."""
    turned = Image.Exif()
    turned[0x0112] = 3
    pictures = [scene(number).convert("L") for number in (1, 2)]
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / f"{number}.png", exif=turned)
    means = [
        np.asarray(picture, float).reshape(32, 10, 32, 15).mean((1, 3)).ravel()[::-1] for picture in pictures
    ]
    one, other = (thumbnail(tmp_path / f"{number}.png") for number in range(2))
    assert one is not None
    assert other is not None
    assert one @ other == pytest.approx(
        np.corrcoef(means)[0, 1], abs=2e-3
    )  # thumbnails are whole grey levels
    assert np.corrcoef(one, means[0])[0, 1] > 0.999


def test_the_command_lists_groups(study: Study) -> None:
    """Each kept picture with its copies, for people and as JSON."""
    large, small = pair(study)
    mark_duplicates(study)
    run = CliRunner().invoke(duplicates_command, ["--study", str(study.folder)])
    lines = run.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["kept", large[:12]], ["copy", small[:12]], ["1", "near"]]
    run = CliRunner().invoke(duplicates_command, ["--json", "--study", str(study.folder)])
    (group,) = json.loads(run.stdout)
    assert group["kept"]["source_id"] == "large-1"
    assert [copy["image_id"] for copy in group["copies"]] == [small]
