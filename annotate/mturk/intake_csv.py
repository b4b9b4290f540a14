"""Importing: MTurk's batch results, as its site gave them, become HITs and assignments of the study.

Takes in a CSV with a line for each assignment; writes hits, assignments and workers, and what was paid. HITs that
the study has planned or published itself are found again by their ids and read as what they are; all others become
closed HITs of a new custom batch, with the row's Input.* as inputs and its Answer.* as answers. Lines whose
assignment is in the store are passed over, so a file may be imported again, and a later one over an earlier one.

    >>> import_results(study, Path("Batch_123_results.csv"))        # doctest: +SKIP
    Imported(batch='custom-1', hits=40, assignments=200, known=0, problems=[])
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from photojury.annotate.answers_xml import answers_xml
from photojury.annotate.batches import next_name
from photojury.annotate.intake import HandedIn, take_in
from photojury.annotate.money.paying import payment_keys
from photojury.annotate.mturk.export import ANSWER, INPUT, SIMULATED
from photojury.annotate.mturk.rows import read_rows
from photojury.annotate.quality.control_questions import unit_key
from photojury.annotate.tasks.kind import kind
from photojury.datasets import tables
from photojury.datasets.money import price
from photojury.datasets.mturk_times import parse_time
from photojury.datasets.raters import is_simulated, rater_id, read_salt
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError, require_columns

Row = Mapping[str, Any]

_HITS = tables.hits

NEEDED = ("HITId", "AssignmentId", "WorkerId", "AssignmentStatus", "AcceptTime", "SubmitTime")
"""Columns that a results file must have, beside at least one Answer.*; Reward is used where it is there."""

_OURS = re.compile(r"photojury study=\S+ hit=([0-9a-f]{20})")
# What photojury's own files hold for WorkerId; MTurk's worker ids are upper case.
_RATER = re.compile("[0-9a-f]{16}")
_LARGEST_REWARD = 100_00


@dataclass
class Imported:
    """What came in.

    Attributes:
        batch: the new batch; None where every HIT was known.
        hits: new HITs.
        assignments: new assignments.
        known: lines whose assignment is in the store already.
        problems: a sentence for each line, or HIT, that could not be taken in.
    """

    batch: str | None = None
    hits: int = 0
    assignments: int = 0
    known: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """One line of a results file; `annotated` is the hit key that photojury wrote into RequesterAnnotation."""

    number: int
    hit_id: str
    annotated: str
    reward: int
    max_assignments: int
    created_at: float | None
    inputs: Mapping[str, str]
    handed: HandedIn


def import_results(
    study: Study, path: Path, task: str = "custom", progress: Callable[[int], None] = lambda done: None
) -> Imported:
    """Take a results file into the study.

    Args:
        study: the open study.
        path: the CSV.
        task: what the HITs are: custom, or a task whose HITs this study has planned.
        progress: called with the number of lines done.

    Raises:
        InputError: no such task; the file is no results file.
    """
    task = kind(task).name
    lines, problems = read_lines(path)
    result = Imported(problems=problems)
    known = {row["assignment_id"] for row in study.rows(sa.select(tables.assignments.c.assignment_id))}
    new = [line for line in lines if line.handed.assignment_id not in known]
    hits = _hits(study, task, new, result)
    # Before the assignments, since a line whose assignment is in the store is passed over next time.
    _enter_payments(study, hits, new)
    units = {row["unit_id"]: row for row in study.rows(sa.select(tables.units))}
    for done, line in enumerate(new, 1):
        hit = hits.get(line.hit_id)
        if hit is not None:
            _take(study, hit, units, line, result)
        progress(done)
    result.known += len(lines) - len(new)
    return result


def read_lines(path: Path) -> tuple[list[Line], list[str]]:
    """The lines of a results file, and a sentence for each one that cannot be used.

    Raises:
        InputError: it is no CSV, or lacks a column.
    """
    columns, rows = read_rows(path)
    require_columns(columns, NEEDED, str(path))
    if not any(name.startswith(ANSWER) for name in columns):
        raise InputError(f"{path} has no column that begins with {ANSWER}; it is no file of batch results")
    salt = read_salt()
    per_hit = Counter(row["HITId"] for _, row in rows)
    lines: list[Line] = []
    problems: list[str] = []
    for number, row in rows:
        try:
            lines.append(_line(number, row, salt, per_hit[row["HITId"]]))
        except InputError as error:
            problems.append(f"line {number}: {error}")
    return lines, problems


def _line(number: int, row: Mapping[str, str], salt: str, per_hit: int) -> Line:
    empty = [name for name in NEEDED if not row[name].strip()]
    if empty:
        raise InputError(f"{empty[0]} is empty")
    if row["AssignmentStatus"] not in ("Submitted", "Approved", "Rejected"):
        raise InputError(
            f"AssignmentStatus is {row['AssignmentStatus']!r}, not Submitted, Approved or Rejected"
        )
    worker = row["WorkerId"]
    ours = _RATER.fullmatch(worker) is not None
    answers = [
        (name.removeprefix(ANSWER), row[name]) for name in row if name.startswith(ANSWER) and row[name]
    ]
    handed = HandedIn(
        assignment_id=row["AssignmentId"],
        rater_id=worker if ours else rater_id(worker, salt),
        worker_id=None if ours else worker,
        simulated=row.get(SIMULATED) == "true" or is_simulated(worker),
        accepted_at=parse_time(row["AcceptTime"]),
        submitted_at=parse_time(row["SubmitTime"]),
        status=row["AssignmentStatus"],
        answers=answers_xml(answers),
        feedback=row.get("RequesterFeedback", ""),
    )
    annotated = _OURS.fullmatch(row.get("RequesterAnnotation", ""))
    wanted = row.get("MaxAssignments", "")
    return Line(
        number=number,
        hit_id=row["HITId"],
        annotated=annotated[1] if annotated else "",
        reward=_cents(row.get("Reward", "")),
        max_assignments=int(wanted) if re.fullmatch("[0-9]{1,9}", wanted) else per_hit,
        created_at=parse_time(row["CreationTime"]) if row.get("CreationTime") else None,
        inputs={name.removeprefix(INPUT): row[name] for name in row if name.startswith(INPUT)},
        handed=handed,
    )


def _cents(text: str) -> int:
    """Cents of "$0.20" or "0.2"; 0 where nothing is said."""
    if not text.strip():
        return 0
    try:
        cents = Decimal(text.strip().removeprefix("$").replace(",", "")) * 100
    except InvalidOperation:
        cents = Decimal(-1)
    if not 0 <= cents <= _LARGEST_REWARD or cents != int(cents):
        raise InputError(f'Reward is {text!r}; write it like "$0.20"')
    return int(cents)


def _hits(study: Study, task: str, lines: Sequence[Line], result: Imported) -> dict[str, Row]:
    """The study's HIT for each HITId; unknown custom ones are made, others named once as a problem."""
    rows = study.rows(sa.select(_HITS))
    by_id = {row["hit_id"]: row for row in rows if row["hit_id"]}
    by_key = {row["hit_key"]: row for row in rows}
    found: dict[str, Row] = {}
    new: dict[str, Line] = {}
    first: dict[str, Line] = {}
    for line in lines:
        first.setdefault(line.hit_id, line)
    for line in first.values():
        hit = by_id.get(line.hit_id) or by_key.get(line.annotated)
        problem = _mismatch(task, line, hit)
        if problem:
            result.problems.append(f"line {line.number}: {problem}")
        elif hit is None:
            new[line.hit_id] = line
        else:
            found[line.hit_id] = _taken_over(study, hit, line)
    if new:
        found |= _make(study, task, new, result)
    return found


def _mismatch(task: str, line: Line, hit: Row | None) -> str | None:
    if hit is None:
        if task == "custom":
            return None
        return (
            f"HIT {line.hit_id} is none that this study has planned (RequesterAnnotation names none); plan the same "
            f"{task} batch first, or import with --task custom"
        )
    if hit["task"] != task:
        return (
            f"HIT {line.hit_id} is one of the study's {hit['task']} HITs; import it with --task {hit['task']}"
        )
    if hit["hit_id"] not in (None, line.hit_id):
        return f"HIT {line.hit_id} was published as {hit['hit_id']} by this study; its answers come by annotate fetch"
    return None


def _taken_over(study: Study, hit: Row, line: Line) -> Row:
    """A HIT of the study; one that was only planned was done elsewhere, and is not to be published any more."""
    if hit["state"] != "planned":
        return hit
    done = {
        "hit_id": line.hit_id,
        "state": "closed",
        "marketplace": tables.IMPORTED,
        "published_at": line.created_at,
    }
    with study.writing() as connection:
        this = (_HITS.c.hit_key == hit["hit_key"]) & (_HITS.c.state == "planned")
        connection.execute(sa.update(_HITS).where(this).values(done))
    return {**hit, **done}


def _make(study: Study, task: str, new: Mapping[str, Line], result: Imported) -> dict[str, Row]:
    """Closed HITs of a new batch."""
    with study.writing() as connection:
        batch = next_name(connection, kind(task))
        made = {
            hit_id: {
                "hit_key": unit_key(tables.IMPORTED, hit_id),
                "batch": batch,
                "task": task,
                "unit_ids": "[]",
                "gold_ids": None,
                "training_ids": None,
                "inputs": json.dumps(line.inputs, ensure_ascii=False),
                "marketplace": tables.IMPORTED,
                "hit_id": hit_id,
                "request_token": unit_key(tables.IMPORTED, hit_id),
                "state": "closed",
                "reward": line.reward,
                "max_assignments": line.max_assignments,
                "published_at": line.created_at,
            }
            for hit_id, line in new.items()
        }
        result.hits = add_rows(connection, _HITS, list(made.values()))
    result.batch = batch
    return dict(made)


def _take(study: Study, hit: Row, units: Mapping[str, Row], line: Line, result: Imported) -> None:
    names = [
        name
        for column in ("unit_ids", "gold_ids", "training_ids")
        for name in json.loads(hit[column] or "[]")
    ]
    answers = take_in(study, hit, {name: units[name] for name in names}, line.handed, tables.IMPORTED)
    if answers is None:
        result.known += 1
        return
    result.assignments += 1
    result.problems += [f"line {line.number}: {problem}" for problem in answers.problems]


def _enter_payments(study: Study, hits: Mapping[str, Row], lines: Sequence[Line]) -> None:
    """What was paid for approved assignments where they were done."""
    rows: list[dict[str, object]] = []
    for line in lines:
        hit, handed = hits.get(line.hit_id), line.handed
        if hit is None or hit["marketplace"] != tables.IMPORTED or handed.status != "Approved":
            continue
        cost = price(study, hit)
        amounts = {"reward": cost.rewards, "fee": cost.fees if cost.rewards else 0}
        rows += [
            {
                "payment_key": key,
                "kind": name,
                "assignment_id": handed.assignment_id,
                "rater_id": handed.rater_id,
                "amount": amount,
                "state": "paid",
                "made_at": handed.submitted_at,
                "simulated": handed.simulated,
            }
            for key, (name, amount) in zip(payment_keys(handed.assignment_id), amounts.items(), strict=True)
        ]
    study.add("payments", rows)
