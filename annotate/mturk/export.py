"""MTurk's batch results as CSV: the columns that every program for MTurk reads, written from a study.

Takes in a batch of the store; gives out a file with a line for each assignment, as requester.mturk.com's
"Download CSV" gave it: what was asked as `Input.<name>`, what was answered as `Answer.<field>`. WorkerId holds the
rater id, since worker ids leave no export; a last column tells simulated raters' lines. Cells hold exactly what was
asked and answered, as MTurk's did: a spreadsheet program may take a cell that begins with = for a formula.
"""

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from photojury.annotate.answers_xml import NAMESPACE
from photojury.annotate.publish import annotation
from photojury.annotate.tasks.kind import kind
from photojury.datasets import tables
from photojury.datasets.images import write_atomically
from photojury.datasets.money import dollars
from photojury.datasets.mturk_times import mturk_time
from photojury.datasets.store import Study
from photojury.errors import InputError

Row = Mapping[str, Any]

_ASSIGNMENTS, _HITS = tables.assignments, tables.hits

COLUMNS = (
    "HITId",
    "HITTypeId",
    "Title",
    "Description",
    "Keywords",
    "Reward",
    "CreationTime",
    "MaxAssignments",
    "RequesterAnnotation",
    "AssignmentDurationInSeconds",
    "AutoApprovalDelayInSeconds",
    "Expiration",
    "NumberOfSimilarHITs",
    "LifetimeInSeconds",
    "AssignmentId",
    "WorkerId",
    "AssignmentStatus",
    "AcceptTime",
    "SubmitTime",
    "AutoApprovalTime",
    "ApprovalTime",
    "RejectionTime",
    "RequesterFeedback",
    "WorkTimeInSeconds",
    "LifetimeApprovalRate",
    "Last30DaysApprovalRate",
    "Last7DaysApprovalRate",
)
"""MTurk's columns before Input.* and Answer.*; those that the store does not know stay empty."""

SIMULATED = "Simulated"
"""Our own column: true where a simulated rater answered, else false."""

INPUT, ANSWER = "Input.", "Answer."

_WORKER_FIELDS = ("workerid", "worker_id")


def answer_fields(xml: str) -> dict[str, str]:
    """The answers of QuestionFormAnswers by name; several of one name are joined with | as MTurk's CSV did.

    Raises:
        xml.etree.ElementTree.ParseError: it is not well-formed XML.
    """
    found: dict[str, list[str]] = {}
    for answer in ET.fromstring(xml).iter(f"{{{NAMESPACE}}}Answer"):
        # The first part is the question's name; the others are a text, selections, or an uploaded file's key.
        name, *given = [part.text or "" for part in answer] or [""]
        found.setdefault(name, []).append("|".join(given))
    return {name: "|".join(values) for name, values in found.items()}


def write_results(study: Study, batch: str | None, target: Path | None = None) -> tuple[Path, int]:
    """Write a batch's assignments as MTurk's batch results.

    Args:
        study: the open study.
        batch: as `annotate status` names it; may be left out where only one batch has answers.
        target: the file; exports/<batch>.csv of the study if left out.

    Returns:
        The file, and how many assignments it holds.

    Raises:
        InputError: there is no such batch, or it has no answers yet, or several have.
    """
    batch = _batch(study, batch)
    query = sa.select(_ASSIGNMENTS, *(c for c in _HITS.c if c.name != "hit_key")).join(
        _HITS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key
    )
    found = study.rows(
        query.where(_HITS.c.batch == batch).order_by(_HITS.c.hit_key, _ASSIGNMENTS.c.submitted_at)
    )
    # Ends in the hit's key, so that the study's id is read once.
    mark = annotation(study, "")
    records = [_record(study, row, f"{mark}{row['hit_key']}") for row in found]
    target = target or study.folder / "exports" / f"{batch}.csv"
    write_atomically(target, to_csv(records).encode())
    return target, len(records)


def to_csv(records: Iterable[Mapping[str, str]]) -> str:
    """Lines with MTurk's columns; Input.* and Answer.* in the order in which they first occur, every cell quoted."""
    lines = list(records)
    more: dict[str, None] = {}
    for prefix in (INPUT, ANSWER):
        more |= {name: None for line in lines for name in line if name.startswith(prefix)}
    columns = [*COLUMNS, *more, SIMULATED, "Approve", "Reject"]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _batch(study: Study, batch: str | None) -> str:
    query = sa.select(_HITS.c.batch).join(_ASSIGNMENTS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key).distinct()
    query = query.where(_ASSIGNMENTS.c.answers != "")  # a published dataset has no raw answers
    known = sorted(row["batch"] for row in study.rows(query))
    if not known:
        raise InputError("no answers are in the study yet; first: photojury annotate fetch")
    if batch is None and len(known) > 1:
        raise InputError(f"name one batch with --batch: {', '.join(known)}")
    if batch is not None and batch not in known:
        raise InputError(f"there are no answers to a batch {batch}; there are some to {', '.join(known)}")
    return batch or known[0]


def _record(study: Study, row: Row, mark: str) -> dict[str, str]:
    """One line; `mark` is what its HIT's RequesterAnnotation says."""
    terms, market = kind(row["task"]).terms(study.settings), study.settings.market
    delay, lifetime = market.auto_approval_hours * 3600, market.lifetime_hours * 3600
    published = row["published_at"]
    return {
        "HITId": row["hit_id"] or "",
        "Title": terms.title,
        "Description": terms.description,
        "Keywords": terms.keywords,
        "Reward": dollars(row["reward"]),
        "CreationTime": "" if published is None else mturk_time(published),
        "MaxAssignments": str(row["max_assignments"]),
        "RequesterAnnotation": mark,
        "AssignmentDurationInSeconds": str(terms.assignment_minutes * 60),
        "AutoApprovalDelayInSeconds": str(delay),
        "Expiration": "" if published is None else mturk_time(published + lifetime),
        "LifetimeInSeconds": str(lifetime),
        "AssignmentId": row["assignment_id"],
        "WorkerId": row["rater_id"],
        "AssignmentStatus": row["status"],
        "AcceptTime": mturk_time(row["accepted_at"]),
        "SubmitTime": mturk_time(row["submitted_at"]),
        "AutoApprovalTime": mturk_time(row["submitted_at"] + delay),
        "WorkTimeInSeconds": str(round(row["submitted_at"] - row["accepted_at"])),
        **_named(INPUT, json.loads(row["inputs"] or "{}")),
        **_named(ANSWER, _readable(row)),
        SIMULATED: str(bool(row["simulated"])).lower(),
    }


def _readable(row: Row) -> dict[str, str]:
    """The answers of an assignment; none of one whose XML is broken, which `annotate fetch` has named."""
    try:
        found = answer_fields(row["answers"])
    except ET.ParseError:
        return {}
    # Some pages send the worker's id along; it leaves no export.
    return {
        name: row["rater_id"] if name.lower() in _WORKER_FIELDS else value for name, value in found.items()
    }


def _named(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}{name}": value for name, value in values.items()}
