"""`photojury analyze`."""

import json

import pytest
from click.testing import CliRunner

from photojury.analysis.commands.group import TABLES, analyze
from photojury.analysis.findings.tables import TABLES as MADE
from photojury.cli import run
from photojury.datasets.store import Study


def test_the_commands_are_the_tables() -> None:
    """Every table has a command, and every help text ends with an example."""
    assert {*TABLES, "scores"} == set(MADE)
    for name in ["report", *TABLES]:
        help_text = CliRunner().invoke(analyze, [name, "--help"]).output
        assert (
            help_text.strip().splitlines()[-1].strip()
            == f"Example: photojury analyze {name} --study demo-study"
        )


def test_analyze_alone_writes_the_report(filled: Study) -> None:
    """Without a table the report is written, and the run is recorded with the file's hash."""
    result = CliRunner().invoke(analyze, ["--study", str(filled.folder), "--json"])
    assert result.exit_code == 0
    path = filled.folder / "reports" / "index.html"
    said = json.loads(result.stdout)
    assert said["report"] == str(path)
    assert str(path.parent / "tables" / "confusion.csv") in said["tables"]
    records = [
        json.loads(record.read_text()) for record in filled.folder.glob("runs/*-analyze-report/run.json")
    ]
    assert any(str(path) in record["wrote"] for record in records)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_comes_as_json(filled: Study, name: str) -> None:
    """The JSON says how many rows there are and which share is simulated; the study may be named before the table."""
    result = CliRunner().invoke(analyze, ["--study", str(filled.folder), name, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["table"] == name
    assert found["simulated_share"] == 1.0
    assert found["n"] == len(found["rows"])
    assert found["n"] > 0 or name in ("left-out", "odd-raters")


def test_a_table_as_text_says_that_it_is_simulated(filled: Study) -> None:
    """The last line of the text form gives the share."""
    result = CliRunner().invoke(analyze, ["confusion", "--study", str(filled.folder)])
    assert result.output.strip().splitlines()[-1] == "100.0% of the answers were given by simulated raters."


def test_no_answers_is_one_sentence(empty: Study, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that needs answers ends with exit status 2 and says how to get them."""
    assert run(["analyze", "consistency", "--study", str(empty.folder)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "photojury annotate fetch" in said


def test_scores_are_written_to_the_study(filled: Study) -> None:
    """`analyze scores` fills the scores table."""
    assert CliRunner().invoke(analyze, ["scores", "--study", str(filled.folder)]).exit_code == 0
    assert len(filled.read("scores", {"method": "mos"})) == 40
