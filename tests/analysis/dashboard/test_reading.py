"""The dashboard's own way of reading a study gives what everybody else reads, in this process or in another."""

from collections.abc import Callable

import pandas as pd
import pytest
import sqlalchemy as sa

from photojury.analysis.answers import Answers, of_study
from photojury.analysis.dashboard import charts, reading
from photojury.analysis.dashboard.reading import StudyTables, packed, unpacked
from photojury.analysis.findings import agreed
from photojury.datasets import tables
from photojury.datasets.store import Study, open_study


@pytest.fixture
def study(make: Callable[[int], Study]) -> Study:
    """Gold and repeated questions, unused assignments, another attribute."""
    made = make(20)
    with made.writing() as connection:
        connection.execute(sa.text("UPDATE assignments SET use = 0 WHERE rater_id IN ('rater03', 'rater07')"))
        connection.execute(
            sa.text("UPDATE units SET control = 'gold', gold = 2 WHERE unit_id = 'stars-0000-3'")
        )
        connection.execute(
            sa.text(
                "UPDATE units SET control = 'repeat', repeat_of = 'stars-0001-2' WHERE unit_id = 'stars-0001-5'"
            )
        )
        connection.execute(sa.text("UPDATE ratings SET attribute = 'light' WHERE unit_id = 'stars-0001-7'"))
        connection.execute(sa.text("UPDATE ratings SET task = 'stars' WHERE unit_id = 'stars-0001-8'"))
    return made


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_same_answers(study: Study, elsewhere: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, reasons and counts are those of `of_study`; so is the panel of raters with gold and repeats."""
    if elsewhere:
        monkeypatch.setattr(reading, "SMALL", 0)
    reader = open_study(study.folder, read_only=True)
    found = StudyTables(reader)
    assert found.large == elsewhere
    found.begin()
    ours, theirs = Answers(found, reader.settings, "here", reader), of_study(study)
    for name, columns in (("ratings", ["image_id", "attribute"]), ("comparisons", ["first_id", "second_id"])):
        names = [
            *columns,
            "assignment_id",
            "rater_id",
            "value",
            "hit_key",
            "submitted_at",
            "milliseconds",
            "simulated",
        ]
        one, other = (
            getattr(answers, name)[names].sort_values(names, ignore_index=True) for answers in (ours, theirs)
        )
        pd.testing.assert_frame_equal(one, other, check_dtype=False)
    assert ours.left_out == theirs.left_out and ours.left_out
    assert len(ours.of_task("stars")) == len(theirs.of_task("stars"))
    pd.testing.assert_frame_equal(agreed.panel(ours), agreed.panel(theirs), check_dtype=False)


def test_a_process_that_fails_says_so(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for its table gets a sentence, not a broken pipe."""
    monkeypatch.setattr(reading, "SMALL", 0)
    found = StudyTables(open_study(study.folder, read_only=True))
    with study.writing() as connection:
        connection.execute(sa.update(tables.meta).values(value="99"))
    found.begin()
    with pytest.raises(Exception, match="schema version 99"):
        found.read("ratings")


def test_the_trip_changes_nothing() -> None:
    """Texts with gaps, numbers and flags come back as they were sent."""
    table = pd.DataFrame(
        {"a": pd.Series(["x", None, "x"], dtype="str"), "b": [1.0, None, 2.0], "c": [True, False, True]}
    )
    assert packed(table)["a"].dtype == "category"
    pd.testing.assert_frame_equal(unpacked(packed(table)), table)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", " =1", '=HYPERLINK("http://e")'])
def test_a_spreadsheet_does_not_run_what_others_wrote(text: str) -> None:
    """Texts like formulas begin with an apostrophe; numbers below zero stay numbers."""
    lines = charts.csv(pd.DataFrame({"rater_id": [text], "bias": [-0.5]})).decode("utf-8-sig").splitlines()
    cell = lines[1].rsplit(",", 1)[0].strip('"').replace('""', '"')
    assert cell == f"'{text}"
    assert lines[1].endswith(",-0.5")
