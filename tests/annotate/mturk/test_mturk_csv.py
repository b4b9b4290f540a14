"""MTurk's batch results files: written, read back, marked for review."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from hypothesis import example, given
from hypothesis import strategies as some

from photojury.annotate.answers_xml import answers_xml
from photojury.annotate.batches import plan
from photojury.annotate.commands import mturk as commands
from photojury.annotate.fetch import fetch
from photojury.annotate.money.review import decide_use
from photojury.annotate.mturk.export import (
    COLUMNS,
    answer_fields,
    to_csv,
    write_results,
)
from photojury.annotate.mturk.intake_csv import import_results, read_lines
from photojury.annotate.mturk.marks import marked
from photojury.annotate.mturk.rows import read_rows
from photojury.annotate.publish import publish
from photojury.annotate.requester import Requester
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.datasets import tables
from photojury.datasets.money import cost_of_unreviewed, spent, to_come
from photojury.datasets.mturk_times import mturk_time, parse_time
from photojury.datasets.raters import rater_id
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, Refused
from tests.support import make_study

# Four lines of a file as requester.mturk.com wrote it in 2015, shortened to the columns that are read.
OLD = """"HITId","HITTypeId","Title","Reward","CreationTime","MaxAssignments","RequesterAnnotation","AssignmentId","WorkerId","AssignmentStatus","AcceptTime","SubmitTime","RequesterFeedback","WorkTimeInSeconds","Input.image_url","Answer.rating","Answer.comment","Approve","Reject"
"3HIT1","3TYPE","Rate photos","$0.05","Wed Jun 24 11:00:00 PDT 2015","3","BatchId:2001;","3ASG1","A1WORKER","Approved","Wed Jun 24 11:20:00 PDT 2015","Wed Jun 24 11:29:46 PDT 2015","","586","http://example.org/1.jpg","4","sharp, ""warm""
and calm","",""
"3HIT1","3TYPE","Rate photos","$0.05","Wed Jun 24 11:00:00 PDT 2015","3","BatchId:2001;","3ASG2","A2WORKER","Rejected","Wed Jun 24 11:21:00 PDT 2015","Wed Jun 24 11:21:05 PDT 2015","no answers","5","http://example.org/1.jpg","1","","",""
"3HIT2","3TYPE","Rate photos","$0.05","Wed Jun 24 11:00:00 PDT 2015","3","BatchId:2001;","3ASG3","A1WORKER","Submitted","Tue Dec 01 10:00:00 PST 2015","Tue Dec 01 10:01:00 PST 2015","","60","http://example.org/2.jpg","2","=SUM(A1)","",""
"3HIT2","3TYPE","Rate photos","$0.05","Wed Jun 24 11:00:00 PDT 2015","3","BatchId:2001;","3ASG4","A3WORKER","Approved","Tue Dec 01 10:00:00 PST 2015","Tue Dec 01 10:02:00 PST 2015","","120","http://example.org/2.jpg","","","",""
"""

SALT = "a salt of the tests"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """A study without pictures."""
    monkeypatch.setenv("PHOTOJURY_SALT", SALT)
    study = create_study(tmp_path / "empty", "tests")
    yield study
    study.close()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file from the old days."""
    path = tmp_path / "Batch_2001_batch_results.csv"
    path.write_text(OLD, encoding="utf-8", newline="")
    return path


def test_old_results_come_in(empty: Study, old: Path) -> None:
    """HITs, inputs, answers, times, statuses and raters are those of the file."""
    came = import_results(empty, old)
    assert (came.batch, came.hits, came.assignments, came.known) == ("custom-1", 2, 4, 0)
    assert came.problems == ["line 6: it has no answers"]
    hits = {row["hit_id"]: row for row in empty.read("hits").to_dict("records")}
    assert json.loads(hits["3HIT1"]["inputs"]) == {"image_url": "http://example.org/1.jpg"}
    for hit in hits.values():
        assert (hit["state"], hit["reward"], hit["max_assignments"]) == ("closed", 5, 3)
    rows = {row["assignment_id"]: row for row in empty.read("assignments").to_dict("records")}
    assert answer_fields(rows["3ASG1"]["answers"]) == {"rating": "4", "comment": 'sharp, "warm"\nand calm'}
    assert answer_fields(rows["3ASG3"]["answers"]) == {"rating": "2", "comment": "=SUM(A1)"}
    assert rows["3ASG1"]["submitted_at"] == datetime(2015, 6, 24, 18, 29, 46, tzinfo=UTC).timestamp()
    assert rows["3ASG3"]["accepted_at"] == datetime(2015, 12, 1, 18, 0, tzinfo=UTC).timestamp()
    assert [row["status"] for row in rows.values()] == ["Approved", "Rejected", "Submitted", "Approved"]
    assert [row["use"] for row in rows.values()] == [True, False, True, False]
    assert rows["3ASG2"]["reason"] == "rejected: no answers"
    assert rows["3ASG1"]["rater_id"] == rows["3ASG3"]["rater_id"] == rater_id("A1WORKER", SALT)
    assert not any(row["simulated"] for row in rows.values())
    assert sorted(empty.read("workers")["worker_id"]) == ["A1WORKER", "A2WORKER", "A3WORKER"]


def test_worker_ids_stay_in_their_table(empty: Study, old: Path) -> None:
    """No other table, no export and no run record holds a worker id."""
    import_results(empty, old)
    assert run(commands.export_csv, empty).exit_code == 0
    for name in set(tables.metadata.tables) - {"workers"}:
        assert "WORKER" not in empty.read(name).to_csv(), name
    written = [*(empty.folder / "exports").glob("*"), *(empty.folder / "runs").glob("*/run.json")]
    assert len(written) == 2
    assert not any("WORKER" in path.read_text() for path in written)


def test_nothing_is_imported_twice(empty: Study, old: Path) -> None:
    """The same file again adds nothing; a later one with more lines adds those; a line twice counts once."""
    import_results(empty, old)
    before = {name: empty.read(name).to_csv() for name in tables.metadata.tables}
    again = import_results(empty, old)
    assert (again.batch, again.hits, again.assignments, again.known, again.problems) == (None, 0, 0, 4, [])
    assert {name: empty.read(name).to_csv() for name in tables.metadata.tables} == before
    more = OLD.splitlines(keepends=True)[-1].replace("3ASG4", "3ASG5").replace("A3W", "A4W")
    other = more.replace("3HIT2", "3HIT9").replace("3ASG5", "3ASG6")
    old.write_text(OLD + more + more + other, encoding="utf-8", newline="")
    later = import_results(empty, old)
    assert (later.batch, later.hits, later.assignments, later.known) == ("custom-2", 1, 2, 5)


def test_an_import_that_was_broken_off_goes_on(empty: Study, old: Path) -> None:
    """Stopped after one line, then after two more, and run again: every assignment and every payment once."""

    def stop_at(last: int) -> Callable[[int], None]:
        def progress(done: int) -> None:
            if done == last:
                raise KeyboardInterrupt

        return progress

    for expected in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            import_results(empty, old, progress=stop_at(min(expected, 2)))
        assert empty.count("assignments") == expected
    came = import_results(empty, old)
    assert (came.batch, came.assignments, came.known) == (None, 1, 3)
    assert (empty.count("hits"), empty.count("assignments")) == (2, 4)
    assert (spent(empty).rewards, spent(empty).fees) == (10, 2)


def test_what_was_paid_is_entered_and_nothing_is_paid_again(empty: Study, old: Path) -> None:
    """Approved lines count as spent, 5 cents and a fee of 1 each; no review will pay for lines of a file."""
    import_results(empty, old)
    assert (spent(empty).rewards, spent(empty).fees) == (10, 2)
    assert cost_of_unreviewed(empty)[0] == 0
    assert (to_come(empty).rewards, to_come(empty).fees) == (5, 1)  # the one that was only submitted
    unused, reasons = decide_use(empty)
    assert (unused, reasons) == (2, {"rejected": 1, "no answer could be read": 1})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("A1WORKER", ""), "line 2: WorkerId is empty"),
        (("Approved", "Paid"), "line 2: AssignmentStatus is 'Paid', not Submitted, Approved or Rejected"),
        (("Wed Jun 24 11:20:00 PDT 2015", "yesterday"), "line 2: 'yesterday' is no time; write it like"),
        (("$0.05", "a lot"), "line 2: Reward is 'a lot'; write it like"),
        (("$0.05", "$0.055"), "line 2: Reward is '\\$0.055'"),
    ],
)
def test_a_bad_line_is_named_and_the_others_kept(
    empty: Study, old: Path, change: tuple[str, str], sentence: str
) -> None:
    """One sentence with the line; the command ends with 3."""
    old.write_text(OLD.replace(*change, 1), encoding="utf-8", newline="")
    result = run(commands.import_csv, empty, str(old), "--json")
    facts = json.loads(result.stdout)
    assert result.exit_code == 3
    assert facts["assignments"] == 3
    assert re.search(sentence, result.stderr)


def test_a_file_that_is_none_is_refused(empty: Study, tmp_path: Path) -> None:
    """Without MTurk's columns nothing is taken in, and what is missing is named."""
    path = tmp_path / "other.csv"
    path.write_text("HITId,AssignmentId\n3A,3B\n")
    with pytest.raises(
        InputError, match="lacks the columns WorkerId, AssignmentStatus, AcceptTime, SubmitTime"
    ):
        import_results(empty, path)
    path.write_text("HITId,AssignmentId,WorkerId,AssignmentStatus,AcceptTime,SubmitTime\n1,2,3,4,5,6\n")
    with pytest.raises(InputError, match=r"no column that begins with Answer\."):
        import_results(empty, path)
    with pytest.raises(InputError, match=r"unknown task 'starz'\. Did you mean stars"):
        import_results(empty, path, "starz")


@pytest.fixture
def done(study: Study, requester: Requester, site: str) -> Study:
    """A study of stars that six simulated raters have answered."""
    plan(study, "stars")
    publish(study, requester)
    simulate(site, panel(6, seed=1, careless=0), drawn_truth(study), seed=1)
    fetch(study, requester)
    return study


KEPT = ("assignment_id", "rater_id", "hit_key", "status", "simulated", "use")


def test_ratings_survive_the_way_out_and_in(done: Study, tmp_path: Path) -> None:
    """Exported, then imported where the same HITs are planned: the same assignments, ratings and presentations."""
    path, count = write_results(done, None)
    assert (path, count) == (done.folder / "exports" / "stars-1.csv", 18)
    fresh = make_study(tmp_path / "fresh")
    plan(fresh, "stars")
    came = import_results(fresh, path, "stars")
    assert (came.batch, came.hits, came.assignments, came.problems) == (None, 0, 18, [])
    for name in ("ratings", "presentations"):
        assert fresh.read(name).equals(done.read(name)), name
    there, here = fresh.read("assignments"), done.read("assignments")
    assert there[[*KEPT]].equals(here[[*KEPT]])
    assert (there["submitted_at"] == here["submitted_at"] // 1).all()
    assert [answer_fields(xml) for xml in there["answers"]] == [answer_fields(xml) for xml in here["answers"]]
    assert fresh.count("workers") == 0
    assert set(fresh.read("hits")["state"]) == {"closed"}
    assert import_results(fresh, path, "stars").known == 18
    assert import_results(done, path, "stars").known == 18
    fresh.close()


def test_a_file_of_other_hits_is_not_taken_for_ratings(done: Study, empty: Study, old: Path) -> None:
    """HITs that this study has not planned, or planned as another task, are named; nothing of them comes in."""
    came = import_results(done, old, "stars")
    assert came.assignments == 0
    assert len(came.problems) == 2
    assert "HIT 3HIT1 is none that this study has planned" in came.problems[0]
    path, _ = write_results(done, "stars-1")
    with done.writing() as connection:
        connection.execute(sa.delete(tables.ratings))
        connection.execute(sa.delete(tables.presentations))
        connection.execute(sa.delete(tables.assignments))
    came = import_results(done, path)
    assert (came.assignments, len(came.problems)) == (0, 6)
    assert "import it with --task stars" in came.problems[0]
    # A study that knows none of them keeps the raw answers.
    came = import_results(empty, path)
    assert (came.assignments, came.problems) == (18, [])
    assert empty.read("assignments")["simulated"].all()
    assert empty.count("ratings") == 0


def test_the_file_is_mturks(done: Study) -> None:
    """MTurk's columns in MTurk's order, rater ids for worker ids, money and times as MTurk wrote them."""
    path, _ = write_results(done, "stars-1")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header, first = next(reader), next(reader)
    assert header == [*COLUMNS, "Answer.answers", "Answer.page", "Simulated", "Approve", "Reject"]
    row = dict(zip(header, first, strict=True))
    stored = done.read("assignments").set_index("assignment_id").loc[row["AssignmentId"]]
    assert (row["WorkerId"], row["AssignmentStatus"]) == (stored["rater_id"], "Submitted")
    assert (row["Reward"], row["MaxAssignments"], row["Simulated"]) == ("$0.20", "3", "true")
    submitted = datetime.strptime(row["SubmitTime"], "%a %b %d %H:%M:%S %Z %Y").replace(tzinfo=UTC)
    assert submitted.timestamp() == stored["submitted_at"] // 1
    with pytest.raises(InputError, match="no answers to a batch stars-9; there are some to stars-1"):
        write_results(done, "stars-9")


def test_a_page_that_sends_the_workers_id_does_not_export_it(empty: Study, old: Path) -> None:
    """A field workerId holds the rater id in the file."""
    old.write_text(OLD.replace("Answer.comment", "Answer.workerId").replace('"=SUM(A1)"', '"A1WORKER"'))
    import_results(empty, old)
    path, _ = write_results(empty, None)
    assert "A1WORKER" not in path.read_text()
    assert rater_id("A1WORKER", SALT) in {row["Answer.workerId"] for _, row in read_rows(path)[1]}


def run(command: Any, study: Study, *arguments: str) -> Result:
    """A command, as the command line runs it."""
    return CliRunner().invoke(command, [*arguments, "--study", str(study.folder)])


def test_marks_are_read_as_mturk_read_them() -> None:
    """X approves, anything in Reject rejects, both or another word is said to be unclear."""
    cells = [("x", ""), ("X ", ""), ("", "no answers"), ("", "x"), ("x", "x"), ("yes", ""), ("", "")]
    rows = [
        (line, {"AssignmentId": f"3A{line}", "Approve": yes, "Reject": no})
        for line, (yes, no) in enumerate(cells, 2)
    ]
    marks = marked(rows)
    assert (marks.approve, marks.reject) == (["3A2", "3A3"], ["3A4", "3A5"])
    assert marks.problems == [
        "line 6: Approve and Reject are both filled in",
        "line 7: Approve holds 'yes'; mark it with X",
    ]


def test_marked_assignments_are_paid_and_no_others(done: Study, requester: Requester) -> None:
    """Only X lines are approved at the marketplace, after --yes; a rejection is listed and not done."""
    path, _ = write_results(done, "stars-1")
    _, rows = read_rows(path)
    for index, column, mark in ((0, "Approve", "X"), (1, "Approve", "x"), (2, "Reject", "bad")):
        rows[index][1][column] = mark
    extra = {**rows[3][1], "AssignmentId": "3NOWHERE", "Approve": "X"}
    marks = done.folder / "marked.csv"
    marks.write_text(to_csv([*(row for _, row in rows), extra]), encoding="utf-8")
    refused = run(commands.review_csv, done, str(marks))
    assert isinstance(refused.exception, Refused)
    assert "approving 2 assignments will pay $0.48 ($0.40 to raters, $0.08 fees)" in str(refused.exception)
    assert spent(done).total == 0
    result = run(commands.review_csv, done, str(marks), "--yes", "--json")
    assert result.exit_code == 3
    facts = json.loads(result.stdout)
    assert (facts["approved"], facts["reject"]) == (2, [rows[2][1]["AssignmentId"]])
    assert facts["problems"] == [
        "3NOWHERE: the study has no such assignment; first: photojury annotate fetch"
    ]
    assert f"not rejected: {rows[2][1]['AssignmentId']}" in result.stderr
    status = {
        row["AssignmentId"]: requester.client.get_assignment(AssignmentId=row["AssignmentId"])["Assignment"][
            "AssignmentStatus"
        ]
        for _, row in rows
    }
    assert [name for name, word in status.items() if word == "Approved"] == [
        r["AssignmentId"] for _, r in rows[:2]
    ]
    assert (spent(done).rewards, spent(done).fees) == (40, 8)
    again = json.loads(run(commands.review_csv, done, str(marks), "--yes", "--json").stdout)
    assert again["approved"] == 0


def test_lines_of_a_file_are_not_approved(empty: Study, old: Path) -> None:
    """What came from a file can be approved only where it was done."""
    import_results(empty, old)
    old.write_text(OLD.replace(',"",""\n', ',"X",""\n'), encoding="utf-8", newline="")
    result = run(commands.review_csv, empty, str(old), "--yes")
    assert result.exit_code == 3
    assert "3ASG3: came from a file; only the marketplace where it was done can approve it" in result.stderr
    assert "3ASG2: is rejected; undo that with: photojury annotate unreject" in result.stderr
    assert "approved 0 assignments" in result.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed Jun 24 11:29:46 PDT 2015", datetime(2015, 6, 24, 18, 29, 46, tzinfo=UTC)),
        ("Sun Jan 04 23:00:00 PST 2015", datetime(2015, 1, 5, 7, 0, tzinfo=UTC)),
        ("Sun Jan 4 23:00:00 GMT 2015", datetime(2015, 1, 4, 23, 0, tzinfo=UTC)),
        ("2015-06-24T18:29:46Z", datetime(2015, 6, 24, 18, 29, 46, tzinfo=UTC)),
        ("2015-06-24 20:29:46+02:00", datetime(2015, 6, 24, 18, 29, 46, tzinfo=UTC)),
        ("2015-06-24T18:29:46", datetime(2015, 6, 24, 18, 29, 46, tzinfo=UTC)),
    ],
)
def test_times_are_read(text: str, expected: datetime) -> None:
    """Pacific time with and without daylight saving, UTC, and ISO 8601."""
    assert parse_time(text) == expected.timestamp()


@pytest.mark.parametrize(
    "text", ["", "Wed Jun 31 11:29:46 PDT 2015", "Wed Jun 24 11:29:46 CET 2015", "24.6.2015"]
)
def test_other_times_are_refused(text: str) -> None:
    """No guess is made of a time that is none."""
    with pytest.raises(InputError, match="is no time"):
        parse_time(text)


# A float holds microseconds until 2106; later a moment just before a second becomes that second.
@given(some.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)))
def test_times_come_back(at: datetime) -> None:
    """What is written is what datetime's own format writes, and is read back to the second."""
    seconds = at.replace(tzinfo=UTC, microsecond=0).timestamp()
    assert mturk_time(at.replace(tzinfo=UTC).timestamp()) == f"{at:%a %b %d %H:%M:%S} UTC {at:%Y}"
    assert parse_time(mturk_time(seconds)) == seconds


# What XML can hold; line ends of all three kinds among it.
words = some.text(
    some.characters(
        blacklist_categories=["Cs"], blacklist_characters=[*map(chr, range(32)), "\ufffe", "\uffff"]
    )
    | some.sampled_from("\t\n\r,\"'=|"),
    min_size=1,
    max_size=20,
)
names = some.text(some.characters(categories=["L", "Nd"]), min_size=1, max_size=8)


@example({"a": "\r", "b": '"'}, {"x": "=1+1"})
@given(
    answers=some.dictionaries(names, words, min_size=1, max_size=4),
    asked=some.dictionaries(names, words, max_size=3),
)
def test_answers_survive_the_file(
    tmp_path_factory: pytest.TempPathFactory, answers: dict[str, str], asked: dict[str, str]
) -> None:
    """Any answers and inputs, line ends and quotes among them, come back from the file exactly."""
    record = {
        "HITId": "3H",
        "AssignmentId": "3A",
        "WorkerId": "0123456789abcdef",
        "AssignmentStatus": "Approved",
        "AcceptTime": mturk_time(0),
        "SubmitTime": mturk_time(60),
        **{f"Input.{name}": value for name, value in asked.items()},
        **{f"Answer.{name}": value for name, value in answer_fields(answers_xml(answers.items())).items()},
    }
    path = tmp_path_factory.mktemp("results") / "results.csv"
    path.write_bytes(to_csv([record]).encode())
    (line,), problems = read_lines(path)
    assert problems == []
    assert answer_fields(line.handed.answers) == answers
    assert line.inputs == asked
    assert (line.handed.rater_id, line.handed.worker_id) == ("0123456789abcdef", None)


def test_all_kinds_of_answers_are_read() -> None:
    """Texts, selections, repeated fields and uploaded files, as MTurk's documents show them."""
    schema = (
        "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"
    )
    xml = (
        f'<QuestionFormAnswers xmlns="{schema}">'
        "<Answer><QuestionIdentifier>a</QuestionIdentifier><FreeText>C3 &lt; 4</FreeText></Answer>"
        "<Answer><QuestionIdentifier>b</QuestionIdentifier><SelectionIdentifier>x</SelectionIdentifier>"
        "<SelectionIdentifier>y</SelectionIdentifier></Answer>"
        "<Answer><QuestionIdentifier>a</QuestionIdentifier><FreeText>second</FreeText></Answer>"
        "<Answer><QuestionIdentifier>c</QuestionIdentifier><FreeText></FreeText></Answer></QuestionFormAnswers>"
    )
    assert answer_fields(xml) == {"a": "C3 < 4|second", "b": "x|y", "c": ""}
    with pytest.raises(ET.ParseError):
        answer_fields("<broken")
