"""Judging: thresholds become verdicts, and verdicts, decisions and tombstones one standing for each image."""

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from photojury.collect.checks import judging, rules
from photojury.collect.checks.measures import MEASURED
from photojury.datasets import tables, tombstones
from photojury.datasets.store import Study, create_study, create_tables, open_engine
from photojury.sections import ChecksSection


@pytest.fixture
def study(tmp_path: Path, database: str) -> Iterator[Study]:
    """A study on each kind of database."""
    study = create_study(tmp_path / "study", "tests", {("study", "store"): database})
    yield study
    study.close()


def add_images(study: Study, *names: str) -> None:
    row: dict[str, Any] = {"source": "flickr", "retrieved_at": 0.0, "width": 800, "height": 600}
    row |= {"format": "jpeg", "bytes": 1, "author_id": "9@N01"}
    study.add("images", [{**row, "image_id": name, "source_id": f"id-{name}"} for name in names])


def add_check(study: Study, image: str, check: str, value: float | None, verdict: str = "unjudged") -> None:
    row = {"image_id": image, "check": check, "value": value, "verdict": verdict, "version": 1}
    study.add("checks", [row])


def decide(study: Study, image: str, status: str, at: float, reason: str | None = None) -> None:
    study.add("decisions", [{"image_id": image, "decided_at": at, "status": status, "reason": reason}])


def standing(study: Study, image: str) -> tuple[str, str | None, str | None]:
    table = tables.images
    query = sa.select(table.c.status, table.c.rule, table.c.reason).where(table.c.image_id == image)
    row = study.rows(query)[0]
    return row["status"], row["rule"], row["reason"]


def with_checks(study: Study, **changes: Any) -> Study:
    """The same study with other thresholds."""
    section = dataclasses.replace(study.settings.checks, **changes)
    return dataclasses.replace(study, settings=dataclasses.replace(study.settings, checks=section))


def test_every_rule_has_a_key_and_every_measure_a_rule() -> None:
    """What can be measured can be judged, and what can be set is judged."""
    keys = {
        key.name for key in dataclasses.fields(ChecksSection) if not key.name.startswith("near_duplicate")
    }
    assert keys == set(rules.RULES) == {*MEASURED, "category"}


def test_a_threshold_judges_and_is_taken_back(study: Study) -> None:
    """A picture under the threshold is rejected with a sentence and its figures; a lower threshold takes it back."""
    add_images(study, "sharp", "soft")
    add_check(study, "sharp", "blur", 0.71)
    add_check(study, "soft", "blur", 0.123)
    judging.judge(study)
    assert judging.settle(study) == judging.Settled(kept=1, rejected=1, changed=1)
    assert standing(study, "soft") == (
        "rejected",
        "blur",
        "its sharpness is 0.12, less than 0.2 (checks.blur)",
    )
    assert standing(study, "sharp") == ("kept", None, None)
    judging.judge(with_checks(study, blur=0.1))
    assert judging.settle(study) == judging.Settled(kept=2, changed=1)
    assert standing(study, "soft") == ("kept", None, None)
    assert set(study.read("checks").verdict) == {"pass"}


def test_a_threshold_of_nothing_switches_a_check_off(study: Study) -> None:
    """0, or false, leaves measures unjudged; a null measure never is judged."""
    add_images(study, "a", "b")
    add_check(study, "a", "noise", 30.0)
    add_check(study, "a", "category", 1.0)
    add_check(study, "b", "noise", None)
    judging.judge(study)
    assert judging.settle(study).rejected == 1
    judging.judge(with_checks(study, noise=0.0, category=False))
    assert judging.settle(study).rejected == 0
    assert set(study.read("checks").verdict) == {"unjudged"}
    assert study.read("checks").reason.isna().all()


@pytest.mark.parametrize(
    ("check", "good", "bad"), [("blur", 0.2, 0.19), ("noise", 7.0, 7.1), ("aspect", 3.0, 3.01)]
)
def test_the_threshold_itself_passes(tmp_path: Path, check: str, good: float, bad: float) -> None:
    """What is exactly at the threshold is good enough."""
    study = create_study(tmp_path / "study", "tests")
    add_images(study, "good", "bad")
    add_check(study, "good", check, good)
    add_check(study, "bad", check, bad)
    judging.judge(study)
    judging.settle(study)
    assert (standing(study, "good")[0], standing(study, "bad")[:2]) == ("kept", ("rejected", check))


def test_the_first_rule_speaks(tmp_path: Path) -> None:
    """Of several failed checks the image names the first in the rules' order, near duplicates last of all."""
    study = create_study(tmp_path / "study", "tests")
    order = ["resolution", "graphic", "blur", "of_another_module", rules.NEAR_DUPLICATE]
    for number, pair in enumerate(itertools.combinations(order, 2)):
        name = f"image {number}"
        add_images(study, name)
        for check in reversed(pair):
            add_check(study, name, check, 1.0, "fail")
        judging.settle(study)
        assert standing(study, name)[1] == pair[0]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("decided", [None, "kept", "rejected", "auto"])
@pytest.mark.parametrize("buried", [False, True])
def test_tombstones_then_people_then_checks(
    tmp_path: Path, fails: bool, decided: str | None, buried: bool
) -> None:
    """A tombstone wins over everything, a person's newest decision over checks, `auto` over nothing."""
    study = create_study(tmp_path / "study", "tests")
    add_images(study, "a")
    if fails:
        add_check(study, "a", "graphic", 0.9, "fail")
    if decided:
        decide(study, "a", "rejected" if decided == "kept" else "kept", at=1.0)
        decide(study, "a", decided, at=2.0)
    if buried:
        with study.writing() as connection:
            tombstones.bury(connection, ["flickr:id-a"], "asked us to")
    judging.settle(study)
    by_checks = "rejected" if fails else "kept"
    by_people = by_checks if decided in (None, "auto") else decided
    assert standing(study, "a")[0] == ("tombstoned" if buried else by_people)
    before = standing(study, "a")
    assert judging.settle(study).changed == 0
    assert standing(study, "a") == before


def test_reasons_of_people_and_tombstones_are_kept(study: Study) -> None:
    """The sentence is the person's or the tombstone's own; a tombstone of the author, or of the bytes, counts, too."""
    add_images(study, "a", "b", "c")
    decide(study, "a", "rejected", at=1.0, reason="a watermark")
    decide(study, "b", "rejected", at=1.0)
    judging.settle(study)
    assert standing(study, "a") == ("rejected", rules.CURATION, "a watermark")
    assert standing(study, "b") == ("rejected", rules.CURATION, "rejected by hand")
    with study.writing() as connection:
        tombstones.bury(connection, ["sha256:c"], "wrote to us")
    judging.settle(study)
    assert standing(study, "c") == ("tombstoned", "tombstone", "wrote to us")
    with study.writing() as connection:
        tombstones.bury(connection, ["flickr:author:9@N01"], "left")
    assert judging.settle(study).tombstoned == 3


def test_a_tombstoned_image_stays_so(study: Study) -> None:
    """Status tombstoned is never taken back here, whatever people or checks say."""
    add_images(study, "a")
    with study.writing() as connection:
        connection.execute(sa.update(tables.images).values(status="tombstoned", reason="gone"))
    decide(study, "a", "kept", at=1.0)
    assert judging.settle(study) == judging.Settled(tombstoned=1)
    assert standing(study, "a") == ("tombstoned", None, "gone")


def test_only_the_named_images_are_settled(study: Study) -> None:
    """The curation page settles one picture; the others stay as they were."""
    add_images(study, "a", "b")
    for name in ("a", "b"):
        add_check(study, name, "blur", 0.0, "fail")
    assert judging.settle(study, ["a"]) == judging.Settled(rejected=1, changed=1)
    assert standing(study, "b")[0] == "kept"
    assert judging.settle(study, []) == judging.Settled()


def test_failures_are_counted_in_the_rules_order(study: Study) -> None:
    """Every failed check of an image counts."""
    add_images(study, "a", "b")
    add_check(study, "a", "blur", 0.1)
    add_check(study, "a", "graphic", 0.9)
    add_check(study, "b", "blur", 0.1)
    add_check(study, "b", rules.NEAR_DUPLICATE, 2.0, "fail")
    judging.judge(study)
    with study.engine.connect() as connection:
        found = judging.failures(connection)
    assert list(found.items()) == [("graphic", 1), ("blur", 2), ("near_duplicate", 1)]


def test_a_store_of_the_first_schema_can_be_judged(tmp_path: Path) -> None:
    """The column of reasons is added to a table of checks that was made without it."""
    study = create_study(tmp_path / "study", "tests")
    with study.writing() as connection:
        connection.execute(sa.text('ALTER TABLE checks DROP COLUMN "reason"'))
        connection.execute(sa.text("UPDATE meta SET value = '2' WHERE key = 'schema_version'"))
    study.close()
    create_tables(open_engine(f"sqlite:///{tmp_path / 'study' / 'study.db'}"))
    add_images(study, "a")
    add_check(study, "a", "blur", 0.0)
    judging.judge(study)
    assert judging.settle(study).rejected == 1
