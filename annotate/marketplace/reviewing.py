"""Review policies at work: assignments and HITs scored, what follows done, both kept and listed.

Takes in an open write transaction with the HIT locked: `assess` when an assignment was handed in, `review` when
the HIT has become reviewable. Gives out rows of market_review_results, which ListReviewPolicyResultsForHIT
lists in the order in which they came. Keys, statuses and words are those of the pages GetReviewResultsForHIT
(2014-08-15) and ListReviewPolicyResultsForHIT (2017-01-17) of MTurk's API reference.

    >>> list_review_policy_results_for_hit(market, {"HITId": "3V6W..."})        # doctest: +SKIP
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace import decisions, events, ledger, review_policies
from photojury.annotate.marketplace.books import Market, new_id
from photojury.annotate.marketplace.questions import form_answers
from photojury.annotate.marketplace.requesters.protocol import RequestError, page
from photojury.annotate.marketplace.review_policies import Extension, Verdicts
from photojury.annotate.marketplace.tables import assignments, hit_types, hits, review_results
from photojury.datasets.money import MANY_ASSIGNMENTS
from photojury.datasets.store import add_rows

WRONG_STATE = "Assignment was in an invalid state for this operation."
"""MTurk's words (sample response of GetReviewResultsForHIT)."""

_HANDED_IN = ("Submitted", "Approved", "Rejected")
_MOST_RESULTS = 100


@dataclass
class _Report:
    """What one run of a policy has found and done, in order."""

    hit: sa.RowMapping
    level: str
    now: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    run: str = field(default_factory=new_id)

    def found(self, subject: str, kind: str, key: str, value: object, question: str | None = None) -> None:
        """Note a ReviewResult."""
        content = {"SubjectId": subject, "SubjectType": kind, "QuestionId": question, "Key": key}
        self._note({**content, "Value": str(value)}, is_action=False)

    def did(self, name: str, target: str, kind: str, result: str, error: str | None = None) -> None:
        """Note a ReviewAction; with an error code it is one that failed."""
        content = {
            "ActionName": name,
            "TargetId": target,
            "TargetType": kind,
            "Status": "Failed" if error else "Succeeded",
            "CompleteTime": self.now,
            "Result": result,
            "ErrorCode": f"AWS.MechanicalTurk.{error}" if error else None,
        }
        self._note(content, is_action=True)

    def keep(self, connection: sa.Connection) -> None:
        """Write it all down."""
        add_rows(connection, review_results, self.rows)

    def _note(self, content: Mapping[str, object], *, is_action: bool) -> None:
        # One run's ids rise, so that its rows are listed in their order.
        result_id = f"{self.run}{len(self.rows):06d}"
        given = {name: value for name, value in content.items() if value is not None}
        self.rows.append(
            {
                "result_id": result_id,
                "hit_id": self.hit["hit_id"],
                "at": self.now,
                "level": self.level,
                "is_action": is_action,
                "content": json.dumps({"ActionId": result_id, **given}),
            }
        )


def assess(connection: sa.Connection, hit: sa.RowMapping, assignment_id: str, now: float) -> None:
    """Score an assignment that was just handed in against the known answers, and do what follows.

    Call states.refresh afterwards.
    """
    policy = review_policies.known_answers(hit["review_policies"])
    if policy is None:
        return
    report = _Report(hit, "Assignment", now)
    row = _assignment(connection, assignment_id)
    answers = form_answers.read(row["answer"])
    correct = policy.correct(answers)
    right, score = sum(correct.values()), policy.score(answers)
    for question, is_right in correct.items():
        report.found(assignment_id, "Assignment", "KnownAnswerCorrect", int(is_right), question)
    report.found(assignment_id, "Assignment", "KnownAnswerScore", score)
    number = "one known answer" if len(correct) == 1 else f"{len(correct)} known answers"
    report.did("review", assignment_id, "Assignment", f"Reviewed {number}; {right}/{len(correct)} correct")
    _judge(connection, report, row, policy.verdicts, score)
    _extend(connection, report, policy.extension, score)
    report.keep(connection)


def review(connection: sa.Connection, hit: sa.RowMapping, now: float) -> bool:
    """Look for agreed answers in a HIT that has just become reviewable, and do what follows.

    Returns:
        Whether there was a policy: then the HIT needs another states.refresh.
    """
    policy = review_policies.plurality(hit["review_policies"])
    if policy is None:
        return False
    report, hit_id = _Report(hit, "HIT", now), hit["hit_id"]
    rows = _considered(connection, hit, policy)
    answers = {row["assignment_id"]: form_answers.read(row["answer"]) for row in rows}
    agreed = policy.agreed(list(answers.values()))
    for question, found in agreed.items():
        report.found(hit_id, "HIT", "AgreedAnswerFound", "true" if found else "false", question)
        if found:
            report.found(hit_id, "HIT", "AgreedAnswer", ",".join(sorted(found[0])), question)
            report.found(hit_id, "HIT", "AnswerAgreementScore", found[1], question)
    scores = {}
    for assignment_id, given in answers.items():
        same, different = policy.agreement(given, agreed)
        report.found(assignment_id, "Assignment", "PluralityAnswersCorrect", same)
        report.found(assignment_id, "Assignment", "PluralityAnswersIncorrect", different)
        if same + different:
            scores[assignment_id] = 100 * same // (same + different)
            report.found(assignment_id, "Assignment", "WorkerAgreementScore", scores[assignment_id])
    of_hit = 100 * sum(found is not None for found in agreed.values()) // len(agreed)
    report.found(hit_id, "HIT", "HitAgreementScore", of_hit)
    report.did("review", hit_id, "HIT", f"Reviewed {len(agreed)} questions of {len(rows)} assignments")
    for row in rows:
        # Nobody is judged by questions on which nobody agrees.
        if row["assignment_id"] in scores:
            _judge(connection, report, row, policy.verdicts, scores[row["assignment_id"]])
    _extend(connection, report, policy.extension, of_hit)
    report.keep(connection)
    return True


def list_review_policy_results_for_hit(market: Market, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the review policies of a HIT have found and done, oldest first.

    A page has up to 100 results and actions together, where MaxResults does not say fewer.
    """
    query = sa.select(hits.c.review_policies).select_from(hits.join(hit_types))
    own = (hit_types.c.account == market.account) & (hits.c.hit_id == request["HITId"])
    hit = market.row(query.where(own))
    if hit is None:
        raise RequestError("HITDoesNotExist", f"Hit {request['HITId']} does not exist.")
    levels = request.get("PolicyLevels") or list(review_policies.LEVELS)
    wanted = [
        is_action
        for is_action, name in ((True, "RetrieveActions"), (False, "RetrieveResults"))
        if request.get(name, True)
    ]
    results = sa.select(review_results).where(
        review_results.c.hit_id == request["HITId"],
        review_results.c.level.in_(levels),
        review_results.c.is_action.in_(wanted),
    )
    order = (review_results.c.at, review_results.c.result_id)
    rows, answer = page(market.rows, results, order, {"MaxResults": _MOST_RESULTS, **request})
    answer.pop("NumResults")
    policies = json.loads(hit["review_policies"] or "{}")
    for level in levels:
        member, name = review_policies.LEVELS[level]
        if member in policies:
            answer[member] = {"PolicyName": name}
            answer[f"{level}ReviewReport"] = _lists([row for row in rows if row["level"] == level], wanted)
    return {"HITId": request["HITId"], **answer}


def _lists(rows: Sequence[sa.RowMapping], wanted: Sequence[bool]) -> dict[str, list[Any]]:
    names = {False: "ReviewResults", True: "ReviewActions"}
    return {
        names[is_action]: [json.loads(row["content"]) for row in rows if row["is_action"] == is_action]
        for is_action in wanted
    }


def _considered(
    connection: sa.Connection, hit: sa.RowMapping, policy: review_policies.Plurality
) -> list[sa.RowMapping]:
    """The assignments whose answers count, in the order in which they were handed in."""
    query = (
        sa.select(assignments)
        .where(assignments.c.hit_id == hit["hit_id"], assignments.c.status.in_(_HANDED_IN))
        .order_by(assignments.c.submitted_at, assignments.c.assignment_id)
    )
    rows = list(connection.execute(query).mappings())
    known = review_policies.known_answers(hit["review_policies"])
    if known is not None and policy.known_from is not None:
        rows = [row for row in rows if known.score(form_answers.read(row["answer"])) >= policy.known_from]
    return [row for row in rows if not (policy.not_rejected and row["status"] == "Rejected")]


def _judge(
    connection: sa.Connection, report: _Report, row: sa.RowMapping, verdicts: Verdicts, score: int
) -> None:
    """Approve or reject an assignment where its score says so."""
    if verdicts.approve_from is not None and score >= verdicts.approve_from:
        _decide(connection, report, row["assignment_id"], "Approved", verdicts.approve_reason)
    if verdicts.reject_below is not None and score < verdicts.reject_below:
        _decide(connection, report, row["assignment_id"], "Rejected", verdicts.reject_reason)


def _decide(
    connection: sa.Connection, report: _Report, assignment_id: str, verdict: str, reason: str
) -> None:
    row = _assignment(connection, assignment_id)
    name = "approve" if verdict == "Approved" else "reject"
    if row["status"] == verdict:
        report.did(name, assignment_id, "Assignment", f"Already {verdict.lower()}")
    elif row["status"] != "Submitted":
        report.did(name, assignment_id, "Assignment", WRONG_STATE, "InvalidAssignmentState")
    else:
        hit = _hit(connection, row["hit_id"])
        if verdict == "Approved":
            decisions.approve(connection, hit, row, at=report.now, feedback=reason or None)
        else:
            decisions.reject(connection, hit, row, at=report.now, feedback=reason)
        report.did(name, assignment_id, "Assignment", verdict)


def _extend(connection: sa.Connection, report: _Report, extension: Extension, score: int) -> None:
    """Offer a HIT to one more worker where the score says so, and its limits and the money allow."""
    if extension.below is None or score >= extension.below:
        return
    hit_id, now = report.hit["hit_id"], report.now
    hit = _hit(connection, hit_id)
    border = MANY_ASSIGNMENTS - 1 if hit["max_assignments"] < MANY_ASSIGNMENTS else extension.most
    most = min(extension.most, border)
    if hit["max_assignments"] >= most:
        report.did("extend", hit_id, "HIT", f"Already extended to the maximum of {most} assignments")
        return
    expires_at = max(hit["expires_at"], now + extension.seconds) if extension.seconds else hit["expires_at"]
    offered = hit["available"] if hit["expires_at"] > now else 0
    offering = hit["available"] + 1 if expires_at > now else 0
    try:
        # First the money: if it is not there, nothing else may have been changed.
        ledger.cover(connection, now, hit, hit["held_assignments"] + offering - offered)
    except RequestError as error:
        report.did("extend", hit_id, "HIT", str(error), error.code)
        return
    change = sa.update(hits).where(hits.c.hit_id == hit_id)
    more = {"max_assignments": hit["max_assignments"] + 1, "expires_at": expires_at}
    connection.execute(change.values(**more))
    events.emit(connection, hit, "HITExtended", now)
    report.did("extend", hit_id, "HIT", f"Extended to {more['max_assignments']} assignments")


def _assignment(connection: sa.Connection, assignment_id: str) -> sa.RowMapping:
    query = sa.select(assignments).where(assignments.c.assignment_id == assignment_id)
    return connection.execute(query).mappings().one()


def _hit(connection: sa.Connection, hit_id: str) -> sa.RowMapping:
    """The HIT as it stands now: what is held for it changes with every decision."""
    of_type = [hit_types.c[name] for name in ("account", "reward", "notifying", "notification")]
    query = sa.select(hits, *of_type).join(hit_types).where(hits.c.hit_id == hit_id)
    return connection.execute(query).mappings().one()
