"""Series: what belongs together by time, likeness, author and folder; where long ones are cut; what stays."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from photojury.collect.alike.duplicates import mark_duplicates
from photojury.collect.alike.frames import natural
from photojury.collect.alike.series import collect_series
from photojury.collect.commands.series import series as series_command
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError
from tests.collect.scenes import coded, kept, scene, set_image, take

NOON = 1_700_000_000.0


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return create_study(tmp_path / "study", "test")


def shoot(
    study: Study, *times: float | None, phash: int = 0, author: str = "ann", **facts: object
) -> list[str]:
    """Pictures taken at these seconds after noon, alike; their ids tell author and number."""
    begin = study.count("images")
    rows: list[dict[str, object]] = []
    for number, seconds in enumerate(times, begin):
        row: dict[str, object] = {"image_id": f"{author}{number:03d}", "source": "flickr", "author": author}
        row |= {"source_id": f"{number}", "retrieved_at": 0.0, "width": 9, "height": 9, "format": "jpeg"}
        row |= {"bytes": 9, "taken_at": None if seconds is None else NOON + seconds, "phash": f"{phash:016x}"}
        rows.append({**row, "status": "kept", **facts})
    study.add("images", rows)
    return [str(row["image_id"]) for row in rows]


def file(study: Study, images: list[str], folder: str) -> None:
    """Make them pictures of a folder, by nobody known, and named so that the later is sorted first."""
    rows = [
        {"source": "folder", "source_id": f"/photos/{folder}/{9 - n}.jpg", "state": "stored", "seen_at": 0.0}
        | {"image_id": image}
        for n, image in enumerate(images)
    ]
    study.add("candidates", rows)
    for image in images:
        set_image(study, image, author=None)


def members(study: Study) -> list[list[str]]:
    """The series, each in order of position, sorted."""
    frame = study.read("series").sort_values(["series_id", "position"])
    assert (
        frame.groupby("series_id")["position"].apply(list).map(lambda at: at == list(range(len(at))))
    ).all()
    return sorted(frame.groupby("series_id")["image_id"].apply(list))


def bits(count: int) -> int:
    """A hash that differs from 0 in so many bits."""
    return (1 << count) - 1


def test_pictures_within_the_pause_are_a_series(study: Study) -> None:
    """Up to 60 seconds after the one before; a single picture is none, and time runs on between neighbours."""
    one = shoot(study, 0, 60, 120)
    two = shoot(study, 181, 182)
    alone = shoot(study, 500)
    assert collect_series(study).sizes == {2: 1, 3: 1}
    assert members(study) == [one, two]
    assert alone[0] not in set(study.read("series")["image_id"])


def test_series_are_in_order_of_time_and_then_of_name(study: Study) -> None:
    """Also where clocks count whole seconds: picture 9 comes before picture 10."""
    late = shoot(study, 5)
    same = shoot(study, *[4] * 2, phash=1)
    first = shoot(study, 1)
    for image, name in zip(same, ("IMG_10", "IMG_9"), strict=True):
        set_image(study, image, source_id=name)
    collect_series(study)
    assert members(study) == [[*first, *same[::-1], *late]]


@pytest.mark.parametrize(("phash", "together"), [(bits(20), True), (bits(21), False)])
def test_neighbours_must_look_alike(study: Study, phash: int, together: bool) -> None:
    """Hashes at most 20 bits apart; the next picture is compared with the one before it, not with the first."""
    first = shoot(study, 0)
    second = shoot(study, 1, phash=phash)
    third = shoot(study, 2, phash=bits(40))
    collect_series(study)
    assert members(study) == ([[*first, *second, *third]] if together else [[*second, *third]])


def test_authors_and_sources_are_not_mixed(study: Study) -> None:
    """Two people at one place are two series; so is one name at two sources."""
    ann = shoot(study, 0, 4)
    bob = shoot(study, 1, 5, author="bob")
    shoot(study, 2, source="commons")
    collect_series(study)
    assert members(study) == [ann, bob]


def test_the_author_of_files_is_their_folder(study: Study) -> None:
    """Two cameras' folders are two series."""
    images = shoot(study, 0, 1, 2, 3, source="folder")
    file(study, images[::2], "canon")
    file(study, images[1::2], "nikon")
    collect_series(study)
    assert members(study) == [images[::2], images[1::2]]


def test_what_has_no_time_or_is_not_kept_is_in_no_series(study: Study) -> None:
    """Unknown times are counted; rejected and buried pictures are left out."""
    shoot(study, None, None)
    shoot(study, 0)
    shoot(study, 1, status="rejected", rule="blur")
    shoot(study, 2, status="tombstoned")
    grouped = collect_series(study)
    assert (grouped.series, grouped.untimed, grouped.alone) == (0, 2, 1)


def test_long_runs_are_cut_at_their_longest_pauses(study: Study) -> None:
    """Eleven pictures, with pauses of 1 s but one of 9 s and two of 5 s: no part is longer than 8."""
    images = shoot(study, 0, 1, 6, 7, 8, 9, 18, 19, 24, 25, 26)
    collect_series(study)
    assert members(study) == [images[:6], images[6:]]


def test_equal_pauses_are_cut_where_pictures_differ_most_and_then_in_the_middle(study: Study) -> None:
    """Sixteen in one second, another view from the sixth on; and ten alike."""
    views = shoot(study, *[0] * 5) + shoot(study, *[0] * 8, phash=bits(7))
    alike = shoot(study, *range(10), author="bob")
    collect_series(study)
    assert members(study) == [views[:5], views[5:], alike[:5], alike[5:]]


def test_a_cut_leaves_nobody_alone(study: Study) -> None:
    """The longest pause is after the first of nine; the cut is made elsewhere, so that all stay in series."""
    images = shoot(study, 0, 50, 51, 52, 53, 60, 61, 62, 63)
    collect_series(study)
    assert members(study) == [images[:5], images[5:]]


def test_a_long_time_lapse_is_cut_in_time(study: Study) -> None:
    """Three thousand pictures with ever longer pauses: the worst order of cuts is no deep recursion."""
    times = [0.0]
    while len(times) < 3000:
        times.append(times[-1] + 1 + len(times) / 100)
    images = shoot(study, *times)
    grouped = collect_series(study)
    assert grouped.images == len(images)
    assert set(grouped.sizes) <= set(range(2, 9))


def test_the_same_pictures_are_the_same_series(study: Study) -> None:
    """A second run changes nothing; a new picture makes another series of it."""
    shoot(study, 0, 1)
    collect_series(study)
    before = study.read("series")
    assert collect_series(study).gone == 0
    assert study.read("series").equals(before)
    shoot(study, 2)
    assert collect_series(study).gone == 1
    after = study.read("series")
    assert len(after) == 3
    assert set(after["series_id"]).isdisjoint(before["series_id"])


def test_series_that_raters_were_asked_about_stay(study: Study) -> None:
    """And so do those that were brought in; their pictures are in no other series."""
    asked = shoot(study, 0, 1)
    collect_series(study)
    unit = {"unit_id": "u", "batch": "b", "task": "series", "first_id": asked[1], "second_id": asked[0]}
    study.add("units", [unit])
    brought = shoot(study, 2, 100)
    study.add(
        "series", [{"series_id": "mine", "image_id": image, "position": n} for n, image in enumerate(brought)]
    )
    new = shoot(study, 3, 4)
    grouped = collect_series(study)
    assert (grouped.series, grouped.held, grouped.gone) == (1, 4, 0)
    assert members(study) == [asked, brought, new]


def test_pairs_of_other_tasks_hold_no_series(study: Study) -> None:
    """Only what was asked as a series is paid for as one."""
    images = shoot(study, 0, 1)
    collect_series(study)
    unit = {"unit_id": "u", "batch": "b", "task": "five_level", "first_id": images[0], "second_id": images[1]}
    study.add("units", [unit])
    shoot(study, 2)
    assert collect_series(study).gone == 1


def test_folders_are_series(study: Study) -> None:
    """Each as it is, without times and likeness; one of more than 8 goes by time; one picture is none."""
    two = shoot(study, None, None, source="folder")
    timed = shoot(study, 7, 3, source="folder", phash=bits(50))
    single = shoot(study, 0, source="folder")
    many = shoot(study, *range(0, 900, 100), 801, source="folder")
    for name, images in (("a", two), ("b", timed), ("c", single), ("d", many)):
        file(study, images, name)
    grouped = collect_series(study, "folders")
    assert sorted(map(set, members(study)), key=min) == sorted(
        (set(two), set(timed), set(many[-2:])), key=min
    )
    assert timed[::-1] in members(study)
    assert (grouped.series, grouped.alone) == (3, 9)
    assert collect_series(study, "time").gone == 1  # only the two without times; the others are the same


def test_frames_that_check_took_for_copies_are_kept_again(study: Study) -> None:
    """A burst from a tripod, checked first: all frames are in its series; the smaller copy is not."""
    picture = scene(1)
    frames = [
        take(study, f"{n}", coded(picture, quality=90 - n), author="ann", taken_at=NOON + n) for n in range(3)
    ]
    copy = take(study, "copy", coded(picture.resize((240, 160))), author="ann", taken_at=NOON)
    mark_duplicates(study)
    assert len(kept(study)) == 1
    run = CliRunner().invoke(series_command, ["--json", "--study", str(study.folder)])
    assert json.loads(run.stdout)["sizes"] == {"3": 1}
    assert members(study) == [frames]
    assert kept(study) == set(frames)
    assert copy not in kept(study)


def test_a_rehearsal_writes_nothing(study: Study) -> None:
    """--dry-run tells what there would be."""
    shoot(study, 0, 1, None)
    run = CliRunner().invoke(series_command, ["--dry-run", "--study", str(study.folder)])
    assert run.stdout.splitlines() == [
        "would make 1 series of 2 pictures: 1 of 2",
        "in no series: 0 pictures, and 1 that have no capture time",
    ]
    assert study.count("series") == 0


def test_bad_input_is_told(study: Study) -> None:
    """A study without pictures, and another way to group."""
    with pytest.raises(InputError, match="no pictures to group"):
        collect_series(study)
    with pytest.raises(InputError, match="time or folders"):
        collect_series(study, "colour")


@pytest.mark.parametrize("names", [["9", "10"], ["IMG_9.jpg", "IMG_10.jpg"], ["a/2/1", "a/10/0"], ["1", "a"]])
def test_names_are_sorted_as_people_count(names: list[str]) -> None:
    """Numbers by their size, wherever they are in a name."""
    assert natural(names[0]) < natural(names[1])


def test_both_databases_make_the_same_series(tmp_path: Path, database: str) -> None:
    """The same ids, whatever holds them: sha256sum of the lines ann000, ann001, ann002, cut to 20 digits."""
    study = create_study(tmp_path / "study", "test", {("study", "store"): database})
    shoot(study, 0, 1, 2)
    collect_series(study)
    collect_series(study)
    rows = study.read("series")
    assert set(rows["series_id"]) == {"series-0dd9278db08b728cd837"}
    assert list(rows["made_by"]) == ["time"] * 3
    study.close()
