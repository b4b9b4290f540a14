"""Reviewing by file: the Approve and Reject columns of a results file, as MTurk's site read them.

Takes in a file that `annotate export-csv` wrote and someone has marked; approves and pays what is marked with X.
Nothing is rejected from a file: that needs a look and a reason of its own (annotate/money/rejecting.py).

    >>> marked([(2, {"AssignmentId": "3A", "Approve": "x", "Reject": ""})])
    Marked(approve=['3A'], reject=[], problems=[])
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from photojury.annotate.money.paying import pay
from photojury.annotate.mturk.rows import read_rows
from photojury.annotate.requester import Requester
from photojury.datasets import tables
from photojury.datasets.money import Cost, price, with_terms
from photojury.datasets.store import Study
from photojury.errors import require_columns

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Marked:
    """What a file asks for: assignment ids to approve and to reject, and why other lines cannot be followed."""

    approve: list[str]
    reject: list[str]
    problems: list[str]


def read_marks(path: Path) -> Marked:
    """What a marked file asks for.

    Raises:
        InputError: it is no CSV, or lacks AssignmentId, Approve or Reject.
    """
    columns, rows = read_rows(path)
    require_columns(columns, ("AssignmentId", "Approve", "Reject"), str(path))
    return marked(rows)


def marked(rows: Sequence[tuple[int, Mapping[str, str]]]) -> Marked:
    """What lines ask for: X in Approve, anything (the feedback, or X) in Reject."""
    result = Marked([], [], [])
    for line, row in rows:
        yes, no = row["Approve"].strip(), row["Reject"].strip()
        if yes and no:
            result.problems.append(f"line {line}: Approve and Reject are both filled in")
        elif yes.lower() not in ("", "x"):
            result.problems.append(f"line {line}: Approve holds {yes[:40]!r}; mark it with X")
        elif yes:
            result.approve.append(row["AssignmentId"])
        elif no:
            result.reject.append(row["AssignmentId"])
    return result


def payable(study: Study, marks: Marked) -> tuple[list[Row], list[str]]:
    """The assignments marked for approval that can be, and a sentence for each that cannot.

    Those that are approved and paid already are passed over.
    """
    rows = {
        row["assignment_id"]: row for row in study.rows(with_terms().add_columns(tables.hits.c.marketplace))
    }
    paid = sa.select(tables.payments.c.assignment_id).where(
        tables.payments.c.kind == "reward", tables.payments.c.state == "paid"
    )
    settled = {row["assignment_id"] for row in study.rows(paid)}
    found: list[Row] = []
    problems: list[str] = []
    for name in dict.fromkeys(marks.approve):
        row = rows.get(name)
        if row is None:
            problems.append(f"{name}: the study has no such assignment; first: photojury annotate fetch")
        elif row["status"] not in ("Submitted", "Approved"):
            problems.append(
                f"{name}: is {row['status'].lower()}; undo that with: photojury annotate unreject --assignment {name}"
            )
        elif name in settled:
            continue
        elif row["marketplace"] == tables.IMPORTED:
            problems.append(
                f"{name}: came from a file; only the marketplace where it was done can approve it"
            )
        else:
            found.append(row)
    return found, problems


def cost_of(study: Study, rows: Sequence[Row]) -> Cost:
    """What approving these assignments pays."""
    return sum((price(study, row) for row in rows), Cost(0, 0))


def approve(
    study: Study,
    requester: Requester,
    rows: Sequence[Row],
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Approve and pay assignments of `payable`; run again after a crash, it goes on.

    Raises:
        ServiceError: the marketplace refused or does not answer.
    """
    for done, row in enumerate(rows, 1):
        pay(study, requester, row)
        progress(done)
