"""Review: every honest assignment is paid; whether its answers are used is decided apart from that.

Takes in a study and a requester; approves what is submitted, writes the payments, writes what screening says as
rows of `verdicts`, and marks with `use` and `reason` what the analysis leaves out. Nothing is ever rejected here: a
wrong rejection costs a worker about a hundred approvals, and an unused answer costs the study a few cents.

    >>> review(study, connect(study.settings))      # doctest: +SKIP
    Reviewed(approved=72, paid=Cost(rewards=1440, fees=576), unused=6, ...)
"""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.intake import filled_in
from photojury.annotate.money import rejecting
from photojury.annotate.money.paying import mark, pay
from photojury.annotate.quality import exclusions
from photojury.annotate.quality.screening import LABELS, Verdict, screen
from photojury.annotate.requester import Requester
from photojury.datasets import tables
from photojury.datasets.money import Cost, cost_of_rows, unsettled
from photojury.datasets.store import Study, add_rows

Row = Mapping[str, Any]

_ASSIGNMENTS, _HITS, _PAYMENTS = tables.assignments, tables.hits, tables.payments


@dataclass(frozen=True)
class Reviewed:
    """What a review did.

    Attributes:
        approved: assignments approved now, with those that were approved without us and are entered now.
        paid: what was paid for them, fees included.
        unused: assignments in the study whose answers the analysis leaves out.
        reasons: how many assignments each reason leaves out; one may have several.
    """

    approved: int
    paid: Cost
    unused: int
    reasons: dict[str, int]


def review(
    study: Study, requester: Requester, progress: Callable[[int], None] = lambda done: None
) -> Reviewed:
    """Approve and pay every submitted assignment, then decide which answers are used.

    Exclusions whose time is over end now, too.

    Raises:
        ServiceError: the marketplace refused or does not answer; run again, it goes on.
    """
    rejecting.settle_open(study, requester)
    rows = unsettled(study)
    for done, row in enumerate(rows, 1):
        pay(study, requester, row)
        progress(done)
    unused, reasons = decide_use(study)
    exclusions.end_bans(study, requester)
    return Reviewed(len(rows), cost_of_rows(study, rows), unused, reasons)


def decide_use(study: Study) -> tuple[int, dict[str, int]]:
    """Screen all answers: write the verdicts, and mark which assignments are used.

    What could not be read at all, and what was rejected, stays unused whatever screening says. What came with a
    published dataset or a release, which has no raw answers, was judged there, and is left as it is.

    Returns:
        How many assignments are not used, and how many by each reason.
    """
    ours = _ASSIGNMENTS.c.answers != ""
    given = {row["assignment_id"] for row in study.rows(sa.select(_ASSIGNMENTS.c.assignment_id).where(ours))}
    ratings, comparisons = (
        table[table["assignment_id"].isin(given)]
        for table in (study.read("ratings"), study.read("comparisons"))
    )
    verdicts = screen(ratings, comparisons, study.read("units"), study.settings)
    _write_verdicts(study, verdicts)
    said: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        said.setdefault((verdict.rater_id, verdict.task), []).append(verdict)
    answered = {*ratings["assignment_id"], *comparisons["assignment_id"]}
    query = sa.select(_ASSIGNMENTS, _HITS.c.task).join(_HITS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key)
    unused, counts = 0, dict[str, int]()
    rows = study.rows(query.where(ours))
    with study.writing() as connection:
        for row in rows:
            found = said.get((row["rater_id"], row["task"]), [])
            labels = [LABELS[verdict.rule] for verdict in found]
            if row["status"] == rejecting.DONE:
                labels.append("rejected")
            if row["assignment_id"] not in answered and not filled_in(row["task"], row["answers"]):
                labels.append("no answer could be read")
            for label in labels:
                counts[label] = counts.get(label, 0) + 1
            unused += bool(labels)
            text = _with_reasons(row["reason"], found)
            if (not labels, text) != (row["use"], row["reason"]):
                mark(connection, row, use=not labels, reason=text)
    return unused, counts


def _write_verdicts(study: Study, verdicts: Sequence[Verdict]) -> None:
    """Put these verdicts in the place of all earlier ones."""
    now = time.time()
    rows = [{**dataclasses.asdict(verdict), "decided_at": now} for verdict in verdicts]
    with study.writing() as connection:
        connection.execute(sa.delete(tables.verdicts))
        add_rows(connection, tables.verdicts, rows)


_MARK = "not used: "


def _with_reasons(problems: str | None, verdicts: Sequence[Verdict]) -> str | None:
    """The reasons that fetching gave, and screening's, which a later review may take back."""
    parts = [part for part in (problems or "").split("; ") if part and not part.startswith(_MARK)]
    parts += [_MARK + verdict.reason for verdict in verdicts]
    return "; ".join(parts) or None
