"""Rejecting: for proven fraud only, after looking at it, never more than a set share of a batch; and undoing it.

Takes in assignments and what their raters are told; gives out `Rejected`. A rejection takes a worker's pay and
about a hundred approvals' worth of good name, so everything that is merely bad is approved and not used
(annotate/money/review.py). Nothing is rejected without `confirmed`: first, one looks at `samples`.

An assignment is marked "Rejecting" before the call. After a crash the next run, or the next review, asks the
marketplace what became of it.

    >>> reject(study, requester, ["3ABC…"], reason="script", feedback="…", confirmed=True)     # doctest: +SKIP
    Rejected(rejected=1, batches={'stars-1': 1})
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.annotate.fetch import REJECTING
from photojury.annotate.money.budget import check_budget
from photojury.annotate.money.paying import mark, pay, payment_keys, status_there
from photojury.annotate.requester import Requester, service_errors
from photojury.datasets import tables
from photojury.datasets.money import price, with_terms
from photojury.datasets.store import Study
from photojury.errors import InputError, Refused

Row = Mapping[str, Any]

_ASSIGNMENTS, _HITS, _PAYMENTS = tables.assignments, tables.hits, tables.payments

OPEN, DONE = REJECTING, "Rejected"
"""The states of an assignment before and after the marketplace has rejected it."""

OVERRIDE_DAYS = 30
"""A rejection can be undone for so long after the assignment was handed in (ApproveAssignment)."""

_MARK = "rejected: "


@dataclass(frozen=True)
class Sample:
    """One assignment as a person should see it before rejecting it.

    Attributes:
        seconds: with the page in front.
        values: its answers in the order given.
        milliseconds: the median time of one.
        verdicts: what screening says of the rater.
    """

    assignment_id: str
    rater_id: str
    batch: str
    status: str
    seconds: float | None
    values: list[float]
    milliseconds: float | None
    verdicts: list[str]


@dataclass(frozen=True)
class Rejected:
    """How many assignments were rejected, and how many of each batch are by now."""

    rejected: int
    batches: dict[str, int]


def find(study: Study, assignments: Sequence[str] = (), rater: str | None = None) -> list[str]:
    """Assignment ids as given, and those of a rater that are not paid yet.

    Raises:
        InputError: nothing is named, or the rater is unknown.
    """
    found = list(assignments)
    if rater is not None:
        query = sa.select(_ASSIGNMENTS.c.assignment_id, _ASSIGNMENTS.c.status)
        rows = study.rows(query.where(_ASSIGNMENTS.c.rater_id == rater))
        if not rows:
            raise InputError(f"no rater {rater} has handed in anything; raters stand in: photojury analyze")
        found += [row["assignment_id"] for row in rows if row["status"] in ("Submitted", OPEN)]
    if not found:
        raise InputError("nothing to reject: name assignments, or a rater whose work is not paid yet")
    return list(dict.fromkeys(found))


def samples(study: Study, assignments: Sequence[str]) -> list[Sample]:
    """What these assignments hold, to be looked at before they are rejected.

    Raises:
        InputError: an assignment is not in the study.
    """
    rows = _rows(study, assignments)
    verdicts = study.read("verdicts")
    found = []
    for row in rows:
        answers = _answers(study, row["assignment_id"])
        times = sorted(ms for _, _, ms in answers if ms is not None)
        found.append(
            Sample(
                assignment_id=row["assignment_id"],
                rater_id=row["rater_id"],
                batch=row["batch"],
                status=row["status"],
                seconds=row["active_seconds"],
                values=[value for _, value, _ in answers],
                milliseconds=statistics.median(times) if times else None,
                verdicts=verdicts[verdicts["rater_id"] == row["rater_id"]]["reason"].tolist(),
            )
        )
    return found


def reject(
    study: Study,
    requester: Requester,
    assignments: Sequence[str],
    *,
    reason: str,
    feedback: str,
    confirmed: bool,
) -> Rejected:
    """Reject assignments that are proven fraud.

    Args:
        study: the open study.
        requester: its marketplace.
        assignments: their ids.
        reason: for the study's own books.
        feedback: what the rater is told; 1 to 1024 characters.
        confirmed: somebody has seen the samples and says so.

    Raises:
        InputError: an assignment is unknown or settled already, or the feedback is empty or too long.
        Refused: it was not confirmed, or a batch would have more rejected than budget.max_rejected.
        ServiceError: the marketplace refused or does not answer; run again, it goes on.
    """
    if not 1 <= len(feedback.strip()) <= 1024:
        raise InputError("the feedback tells the rater what was found, in 1 to 1024 characters")
    rows = _rows(study, assignments)
    settled = [row["assignment_id"] for row in rows if row["status"] not in ("Submitted", OPEN)]
    if settled:
        raise InputError(f"{settled[0]} is settled already, and pay that was given is not taken back")
    _check_share(study, rows)
    if not confirmed:
        raise Refused(f"this rejects {len(rows)} assignments, unpaid; look at them, then say so with --yes")
    for row in rows:
        _reject(study, requester, row, reason, feedback)
    counts = _rejected_by_batch(study)
    return Rejected(len(rows), {batch: counts[batch] for batch in sorted({row["batch"] for row in rows})})


def unreject(study: Study, requester: Requester, assignments: Sequence[str]) -> int:
    """Undo rejections: approve and pay after all.

    Raises:
        InputError: an assignment is unknown, not rejected, or was handed in more than 30 days ago.
        Refused: the budget does not allow it.
        ServiceError: the marketplace refused or does not answer; run again, it goes on.
    """
    settle_open(study, requester)
    rows = _rows(study, assignments)
    for row in rows:
        days = (time.time() - row["submitted_at"]) / 86_400
        if row["status"] != DONE:
            raise InputError(f"{row['assignment_id']} is not rejected; it is {row['status']}")
        if days > OVERRIDE_DAYS:
            raise InputError(
                f"{row['assignment_id']} was handed in {days:.0f} days ago; a rejection can be undone for "
                f"{OVERRIDE_DAYS}: pay the rater by a bonus instead"
            )
    for row in rows:
        check_budget(study, price(study, row))
        pay(study, requester, row, override=True)
        with study.writing() as connection:
            mark(connection, row, reason=_without_mark(row["reason"]))
    return len(rows)


def settle_open(study: Study, requester: Requester) -> None:
    """Find out what became of rejections whose call was begun by a run that did not come to its end."""
    for row in study.rows(with_terms().where(_ASSIGNMENTS.c.status == OPEN)):
        with service_errors(requester.endpoint):
            status = status_there(requester, row["assignment_id"])
        _close(study, row, status)


def _answers(study: Study, assignment_id: str) -> list[tuple[int, float, int | None]]:
    """Position, value and milliseconds of an assignment's answers, in the order given."""
    found = []
    for table in (tables.ratings, tables.comparisons):
        query = sa.select(table.c.position_in_hit, table.c.value, table.c.milliseconds)
        for row in study.rows(query.where(table.c.assignment_id == assignment_id)):
            found.append((row["position_in_hit"], row["value"], row["milliseconds"]))
    return sorted(found, key=lambda answer: answer[0])


def _rows(study: Study, assignments: Sequence[str]) -> list[dict[str, Any]]:
    rows = study.rows(with_terms().where(_ASSIGNMENTS.c.assignment_id.in_(assignments)))
    missing = [name for name in assignments if name not in {row["assignment_id"] for row in rows}]
    if missing:
        raise InputError(f"assignment {missing[0]} is not in this study; first: photojury annotate fetch")
    return rows


def _check_share(study: Study, rows: Sequence[Row]) -> None:
    """Refuse where a batch would have too many rejected assignments, those of earlier days counted."""
    before = _rejected_by_batch(study)
    query = sa.select(_HITS.c.batch, sa.func.count().label("n")).join(
        _ASSIGNMENTS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key
    )
    came = {row["batch"]: int(row["n"]) for row in study.rows(query.group_by(_HITS.c.batch))}
    share = study.settings.budget.max_rejected
    for batch in sorted({row["batch"] for row in rows}):
        new = sum(row["batch"] == batch and row["status"] != OPEN for row in rows)
        after = before.get(batch, 0) + new
        if after > share * came[batch]:
            raise Refused(
                f"{after} of {came[batch]} assignments of {batch} would be rejected; budget.max_rejected in "
                f"study.toml allows {share:g} of a batch: approve them and leave their answers unused, or raise it"
            )


def _rejected_by_batch(study: Study) -> dict[str, int]:
    query = (
        sa.select(_HITS.c.batch, sa.func.count().label("n"))
        .join(_ASSIGNMENTS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key)
        .where(_ASSIGNMENTS.c.status.in_((OPEN, DONE)))
        .group_by(_HITS.c.batch)
    )
    return {row["batch"]: int(row["n"]) for row in study.rows(query)}


def _reject(study: Study, requester: Requester, row: Row, reason: str, feedback: str) -> None:
    text = "; ".join(
        part for part in (_without_mark(row["reason"]), _MARK + reason.replace("; ", ", ")) if part
    )
    with study.writing() as connection:
        mark(connection, row, status=OPEN, reason=text)
    with service_errors(requester.endpoint):
        try:
            requester.client.reject_assignment(
                AssignmentId=row["assignment_id"], RequesterFeedback=feedback.strip()
            )
        except ClientError:
            # An earlier run may have rejected it, and its answer was lost.
            status = status_there(requester, row["assignment_id"])
            if status != DONE:
                _close(study, row, status)
                raise
    _close(study, row, DONE)


def _close(study: Study, row: Row, status: str) -> None:
    """Enter what the marketplace says; a payment that was due for a rejected assignment is none any more."""
    with study.writing() as connection:
        if status == DONE:
            mark(connection, row, status=DONE, use=False)
            due = _PAYMENTS.c.payment_key.in_(payment_keys(row["assignment_id"]))
            connection.execute(sa.delete(_PAYMENTS).where(due, _PAYMENTS.c.state == "due"))
        else:
            mark(connection, row, status=status, reason=_without_mark(row["reason"]))


def _without_mark(reason: str | None) -> str | None:
    parts = [part for part in (reason or "").split("; ") if part and not part.startswith(_MARK)]
    return "; ".join(parts) or None
