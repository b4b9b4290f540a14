"""Fetching: submitted assignments come from the marketplace into the store, each exactly once.

Takes in a study and a requester; writes assignments, ratings, comparisons, workers. An assignment and its
answers are written in one transaction under the marketplace's own key, so a run that was killed anywhere is
simply run again.

    >>> fetch(study, connect(study.settings))       # doctest: +SKIP
    Fetched(assignments=72, ratings=648, comparisons=0, ...)
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.annotate.intake import HandedIn, take_in
from photojury.annotate.requester import Requester, service_errors
from photojury.annotate.tasks.kind import kind
from photojury.datasets import tables
from photojury.datasets.raters import is_simulated, rater_id, read_salt
from photojury.datasets.store import Study
from photojury.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_mturk.type_defs import AssignmentTypeDef
else:
    AssignmentTypeDef = dict

Row = Mapping[str, Any]

REJECTING = "Rejecting"
"""The state of an assignment whose rejection was begun; annotate/money/rejecting.py finds out what became of it."""


@dataclass
class Fetched:
    """What came in: counts of new rows, and (assignment id, sentence) of what could not be used."""

    assignments: int = 0
    ratings: int = 0
    comparisons: int = 0
    open_assignments: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)


def fetch(study: Study, requester: Requester, progress: Callable[[int], None] = lambda done: None) -> Fetched:
    """Bring in what was submitted since the last time, from every HIT that is out.

    A HIT that is closing is closed once nobody has it in hand and every answer is in the store; then it is not
    asked again.

    Raises:
        InputError: nothing was published yet.
        ServiceError: the marketplace refused or does not answer; what came in until then is kept.
    """
    hits = _open_hits(study)
    salt = read_salt()
    units = {row["unit_id"]: row for row in study.rows(sa.select(tables.units))}
    known = _known(study)
    result = Fetched()
    for done, hit in enumerate(hits, 1):
        mine = {unit: units[unit] for unit in _asked(hit)}
        # Asked before the list, so that what is handed in between the two calls is in the list.
        open_ones = in_hand(requester, hit["hit_id"]) if hit["state"] == "closing" else None
        submitted = _submitted(requester, hit, result)
        for assignment in submitted:
            rater = rater_id(assignment["WorkerId"], salt)
            status = known.get((assignment["AssignmentId"], rater))
            if status is None:
                _take(study, requester, hit, mine, assignment, rater, result)
            elif status not in (assignment["AssignmentStatus"], REJECTING):
                # Approved by the marketplace itself after the auto-approval delay, or by another program.
                _update_status(study, assignment["AssignmentId"], rater, assignment["AssignmentStatus"])
        result.open_assignments += hit["max_assignments"] - len(submitted) if open_ones is None else open_ones
        if open_ones == 0:
            _close(study, hit)
        progress(done)
    return result


def in_hand(requester: Requester, hit_id: str) -> int:
    """How many assignments of a HIT people have accepted and not handed in; 0 of a HIT that is no more."""
    with service_errors(requester.endpoint):
        try:
            answer = requester.client.get_hit(HITId=hit_id)
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return 0
    return answer["HIT"]["NumberOfAssignmentsPending"]


def _open_hits(study: Study) -> list[Row]:
    """The HITs whose answers may not all be in the store; none where all are closed."""
    rows: list[Row] = [*study.rows(sa.select(tables.hits).where(tables.hits.c.hit_id.is_not(None)))]
    if not rows:
        raise InputError("nothing is published yet; first: photojury annotate publish")
    return [row for row in rows if row["state"] != "closed"]


def _close(study: Study, hit: Row) -> None:
    # Only from "closing": the requester may have done something else with it meanwhile.
    this = (tables.hits.c.hit_key == hit["hit_key"]) & (tables.hits.c.state == "closing")
    with study.writing() as connection:
        connection.execute(sa.update(tables.hits).where(this).values(state="closed"))


def _asked(hit: Row) -> list[str]:
    """The ids of all questions that a rater of a HIT may have met: its own, and its control questions."""
    columns = (hit["unit_ids"], hit["gold_ids"], hit["training_ids"])
    return [unit for column in columns for unit in json.loads(column or "[]")]


def _submitted(requester: Requester, hit: Row, result: Fetched) -> list[AssignmentTypeDef]:
    """All submitted, approved and rejected assignments of a HIT."""
    pages = requester.client.get_paginator("list_assignments_for_hit")
    found: list[AssignmentTypeDef] = []
    with service_errors(requester.endpoint):
        try:
            for page in pages.paginate(HITId=hit["hit_id"], PaginationConfig={"PageSize": 100}):
                found += page["Assignments"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            result.problems.append((hit["hit_id"], "the marketplace knows this HIT no more; it was skipped"))
    return found


def _take(
    study: Study,
    requester: Requester,
    hit: Row,
    units: Mapping[str, Row],
    assignment: AssignmentTypeDef,
    rater: str,
    result: Fetched,
) -> None:
    handed = HandedIn(
        assignment_id=assignment["AssignmentId"],
        rater_id=rater,
        worker_id=assignment["WorkerId"],
        simulated=is_simulated(assignment["WorkerId"]),
        accepted_at=assignment["AcceptTime"].timestamp(),
        submitted_at=assignment["SubmitTime"].timestamp(),
        status=assignment["AssignmentStatus"],
        answers=assignment["Answer"],
    )
    answers = take_in(study, hit, units, handed, requester.name)
    if answers is None:
        return
    result.assignments += 1
    table = kind(hit["task"]).table
    if table:
        setattr(result, table, getattr(result, table) + len(answers.rows))
    result.problems += [(handed.assignment_id, problem) for problem in answers.problems]


def _known(study: Study) -> dict[tuple[str, str], str]:
    """The status of every assignment in the store, by its key."""
    table = tables.assignments
    query = sa.select(table.c.assignment_id, table.c.rater_id, table.c.status)
    return {(row["assignment_id"], row["rater_id"]): row["status"] for row in study.rows(query)}


def _update_status(study: Study, assignment_id: str, rater: str, status: str) -> None:
    table = tables.assignments
    with study.writing() as connection:
        connection.execute(
            sa.update(table)
            .where(table.c.assignment_id == assignment_id, table.c.rater_id == rater)
            .values(status=status)
        )
