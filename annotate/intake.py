"""Intake: one handed-in assignment becomes rows of the store, all of them or none.

Takes in what a marketplace, or a file of its results, says of an assignment; writes assignments, workers, and
ratings or comparisons with their presentations, in one transaction under the marketplace's own key.

    >>> xml = f'<QuestionFormAnswers xmlns="{NAMESPACE}"></QuestionFormAnswers>'
    >>> filled_in("custom", xml)
    False
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from photojury.annotate.answers import Answers, read_answers
from photojury.annotate.answers_xml import NAMESPACE
from photojury.annotate.tasks.kind import Kind, kind
from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows

Row = Mapping[str, Any]


@dataclass(frozen=True)
class HandedIn:
    """An assignment as it came.

    Attributes:
        worker_id: the marketplace's; None where only the rater id is known.
        accepted_at, submitted_at: seconds since 1970, UTC.
        status: Submitted, Approved or Rejected.
        answers: QuestionFormAnswers.
        feedback: what the rater was told of a rejection.
    """

    assignment_id: str
    rater_id: str
    worker_id: str | None
    simulated: bool
    accepted_at: float
    submitted_at: float
    status: str
    answers: str
    feedback: str = ""


def take_in(
    study: Study, hit: Row, units: Mapping[str, Row], handed: HandedIn, marketplace: str
) -> Answers | None:
    """Write one assignment with its answers.

    Args:
        study: the open study.
        hit: row of the hits table.
        units: the HIT's units by id.
        handed: the assignment.
        marketplace: where its worker is known.

    Returns:
        What could be read; None where the assignment is in the store already.
    """
    task = kind(hit["task"])
    answers, used = _read(study, task, units, handed.answers)
    rejected = handed.status == "Rejected"
    reasons = [*answers.problems, *([f"rejected: {handed.feedback}"] if rejected and handed.feedback else [])]
    common = {
        "assignment_id": handed.assignment_id,
        "rater_id": handed.rater_id,
        "simulated": handed.simulated,
    }
    row = {
        **common,
        "hit_key": hit["hit_key"],
        "accepted_at": handed.accepted_at,
        "submitted_at": handed.submitted_at,
        "active_seconds": answers.active_seconds,
        "status": handed.status,
        "use": used and not rejected,
        "reason": "; ".join(reasons) or None,
        "answers": handed.answers,
    }
    worker = {"rater_id": handed.rater_id, "marketplace": marketplace, "worker_id": handed.worker_id}
    with study.writing() as connection:
        if not add_rows(connection, tables.assignments, [row]):
            return None  # another process took it a moment ago, answers and all
        if handed.worker_id is not None:
            add_rows(connection, tables.workers, [worker])
        if task.table:
            rows = [{**common, **answer} for answer in answers.rows]
            add_rows(connection, tables.metadata.tables[task.table], rows)
        shown = [{**common, **presentation} for presentation in answers.presentations]
        add_rows(connection, tables.presentations, shown)
    return answers


def filled_in(task: str, xml: str) -> bool:
    """Whether an assignment of a kind without a table of its own has any answer; False for other kinds."""
    return not kind(task).table and not _form_problems(xml)


def _read(study: Study, task: Kind, units: Mapping[str, Row], xml: str) -> tuple[Answers, bool]:
    """What could be read, and whether it can be used."""
    if not task.table:
        problems = _form_problems(xml)
        return Answers(problems=problems), not problems
    values = [choice.value for choice in task.choices(study.settings)]
    answers = read_answers(task, values, units, xml, task.attributes(study.settings))
    return answers, bool(answers.rows)


def _form_problems(xml: str) -> list[str]:
    """Why the answers to a requester's own page cannot be used; the page alone knows what they mean."""
    try:
        found = ET.fromstring(xml).iter(f"{{{NAMESPACE}}}Answer")
    except ET.ParseError as error:
        return [f"its answer is not XML that can be read ({error})"]
    for answer in found:
        # The first part is the question's name, the others are what was answered.
        if any((part.text or "").strip() for part in list(answer)[1:]):
            return []
    return ["it has no answers"]
