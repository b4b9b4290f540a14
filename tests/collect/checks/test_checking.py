"""`photojury collect check`: what lacks measures is measured, everything is judged, nothing is lost."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from PIL import Image, ImageFilter

from photojury.collect.checks import measuring
from photojury.collect.checks.hints import no_photograph
from photojury.collect.checks.looking import VERSION
from photojury.collect.commands.check import check
from photojury.collect.sources.folder import collect_folder
from photojury.datasets import tables
from photojury.datasets.store import Study, create_study

NAMES = ("kodak_05.jpg", "mei_nikon_d40.jpg", "skimage_coffee.jpg")


@pytest.fixture
def study(tmp_path: Path, shared: Path) -> Study:
    """Three photos, a blurred copy of another one and a drawing, taken in from a folder."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes((shared / "data" / "photos" / name).read_bytes())
    blurred = Image.open(shared / "data" / "photos" / "kodak_07.jpg").filter(ImageFilter.GaussianBlur(4))
    blurred.save(folder / "soft.jpg")
    fields = (np.indices((400, 600)) // 50).sum(axis=0) % 2 * np.uint8(255)
    Image.fromarray(fields.astype(np.uint8)).save(folder / "board.png")
    study = create_study(tmp_path / "study", "tests")
    assert collect_folder(study, folder).stored == 5
    return study


def run(study: Study, *options: str) -> Result:
    return CliRunner().invoke(check, [*options, "--study", str(study.folder)], catch_exceptions=False)


def standings(study: Study) -> dict[str, tuple[str, str | None]]:
    rows = study.rows(sa.select(tables.images.c.source_id, tables.images.c.status, tables.images.c.rule))
    return {row["source_id"]: (row["status"], row["rule"]) for row in rows}


def forget_measures(study: Study) -> None:
    """The study as an older photojury left it."""
    with study.writing() as connection:
        connection.execute(sa.delete(tables.checks))
        connection.execute(sa.update(tables.images).values(phash=None))


def test_a_folder_is_measured_as_it_comes_in(study: Study) -> None:
    """Pictures of a folder have hash and measures like those of any source; nothing is left to measure."""
    assert study.read("images").phash.notna().all()
    assert set(study.read("checks").groupby("check").size()[["blur", "graphic", "resolution"]]) == {5}
    assert measuring.missing(study) == []


def test_what_fails_is_rejected_with_figures(study: Study) -> None:
    """The blurred photo and the drawing are rejected by their rules, the photos are kept, no file goes."""
    result = run(study)
    assert result.exit_code == 0
    assert "3 kept (before: 5), 2 rejected, 0 tombstoned" in result.stdout
    found = standings(study)
    assert found.pop("soft.jpg") == ("rejected", "blur")
    assert found.pop("board.png") == ("rejected", "graphic")
    assert set(found.values()) == {("kept", None)}
    reasons = study.read("images").set_index("source_id").reason
    assert "checks.blur" in reasons["soft.jpg"] and "less than 0.2" in reasons["soft.jpg"]
    assert len([path for path in study.images_folder.rglob("*") if path.is_file()]) == 5


def test_a_rehearsal_writes_nothing(study: Study) -> None:
    """--dry-run tells the same numbers, leaves no row, no status and no run."""
    before = {table: study.read(table) for table in ("images", "checks")}
    told = json.loads(run(study, "--dry-run", "--json").stdout)
    for table, rows in before.items():
        assert study.read(table).equals(rows)
    assert not list((study.folder / "runs").glob("*collect-check*"))
    assert told == json.loads(run(study, "--json").stdout)
    assert told["failed"]["blur"] == 1 and told["kept"] == 3


def test_a_threshold_in_study_toml_takes_back(study: Study) -> None:
    """A check switched off in study.toml gives its pictures back at the next run."""
    run(study)
    path = study.folder / "study.toml"
    path.write_text(path.read_text().replace("blur = 0.2", "blur = 0.0"))
    assert "4 kept (before: 3), 1 rejected" in run(study).stdout
    assert standings(study)["soft.jpg"] == ("kept", None)


@pytest.mark.parametrize("many", [500, 1])
def test_older_studies_are_measured(study: Study, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """Pictures without measures get the same ones and the same hash, in this process or in several."""
    before, hashes = study.read("checks"), study.read("images").phash
    forget_measures(study)
    assert json.loads(run(study, "--dry-run", "--json").stdout)["unmeasured"] == 5
    monkeypatch.setattr(measuring, "_MANY", many)
    assert measuring.measure_missing(study) == measuring.Measured(measured=5)
    assert study.read("checks").equals(before)
    assert study.read("images").phash.equals(hashes)


def test_measures_of_another_version_are_replaced(study: Study) -> None:
    """What an older version of the measures wrote is measured again; other checks' rows stay."""
    image = study.read("images").image_id[0]
    with study.writing() as connection:
        connection.execute(sa.update(tables.checks).values(version=VERSION - 1, value=-1.0))
    study.add(
        "checks", [{"image_id": image, "check": "of_another", "verdict": "pass", "version": 0, "value": 5.0}]
    )
    assert measuring.measure_missing(study).measured == 5
    rows = study.read("checks")
    assert set(rows[rows.check != "of_another"].version) == {VERSION} and (rows.value >= 0).all()
    assert len(rows[rows.check == "of_another"]) == 1


def test_a_lost_or_damaged_file_is_told_and_can_be_mended(study: Study) -> None:
    """A file that cannot be measured rejects its picture with the reason; back in its place, the picture is back."""
    forget_measures(study)
    ids = study.read("images").set_index("source_id").image_id
    lost, broken = (study.image_path(str(ids[name])) for name in NAMES[:2])
    whole = {path: path.read_bytes() for path in (lost, broken)}
    lost.unlink()
    broken.write_bytes(whole[broken][: len(whole[broken]) // 2])
    told = json.loads(run(study, "--json").stdout)
    assert told["failed"]["unusable"] == 2 and told["unmeasured"] == 2
    reasons = study.read("images").set_index("source_id").reason
    assert "cannot be read: No such file" in reasons[NAMES[0]]
    assert "damaged" in reasons[NAMES[1]]
    for path, data in whole.items():
        path.write_bytes(data)
    assert json.loads(run(study, "--json").stdout)["kept"] == 3


def test_a_stored_picture_is_not_refused_for_a_newer_limit(study: Study) -> None:
    """collect.min_side speaks when pictures come in; what is stored is judged by checks.resolution."""
    forget_measures(study)
    path = study.folder / "study.toml"
    path.write_text(path.read_text().replace("min_side = 64", "min_side = 5000"))
    told = json.loads(run(study, "--json").stdout)
    assert "unusable" not in told["failed"] and told["kept"] == 3


def test_the_sources_word_counts_against_a_picture(study: Study) -> None:
    """A picture that its source files under illustrations is rejected for that, whatever its pixels look like."""
    with study.writing() as connection:
        mine = tables.candidates.c.source_id.like("%kodak_05.jpg")
        connection.execute(
            sa.update(tables.candidates).where(mine).values(extra=json.dumps({"category": "illustration"}))
        )
    run(study)
    assert standings(study)["kodak_05.jpg"] == ("rejected", "category")


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"category": "photograph"}, False),
        ({"content_type": "0"}, False),
        ({"content_type": 1}, True),
        ({"mediatype": "BITMAP"}, False),
        ({"mediatype": "DRAWING"}, True),
        ({"category": None}, False),
        ({}, False),
    ],
)
def test_hints(extra: dict[str, object], expected: bool) -> None:
    """Only a word that speaks against a photograph counts."""
    assert no_photograph(extra) is expected


def test_near_duplicates_are_looked_for_last(study: Study, tmp_path: Path) -> None:
    """A smaller copy of a kept photo is rejected as its near duplicate; of a rejected one, for its own fault."""
    folder = tmp_path / "more"
    folder.mkdir()
    for name, source in (("small.jpg", NAMES[0]), ("soft too.jpg", "soft.jpg")):
        picture = Image.open(tmp_path / "pictures" / source)
        file = io.BytesIO()
        picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(file, "JPEG", quality=85)
        (folder / name).write_bytes(file.getvalue())
    collect_folder(study, folder)
    run(study)
    found = standings(study)
    assert found["small.jpg"] == ("rejected", "near_duplicate")
    assert found["soft too.jpg"] == ("rejected", "blur")
