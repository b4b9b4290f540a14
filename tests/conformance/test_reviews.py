"""Review policies: known answers scored, pluralities found, actions taken, and what is told of it.

After the pages Assignment Review Policies and HIT Review Policies of the API reference.
"""

from typing import Any

import pytest

from tests.conformance.place import Place
from tests.conformance.wire import refusal

KNOWN, PLURALITY = "ScoreMyKnownAnswers/2011-09-01", "SimplePlurality/2011-09-01"


def policy(name: str, **values: Any) -> dict[str, Any]:
    """A review policy; the answer key is given as names to values."""
    parameters: list[dict[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            entries = [{"Key": one, "Values": [right]} for one, right in value.items()]
            parameters.append({"Key": key, "MapEntries": entries})
        else:
            parameters.append({"Key": key, "Values": value if isinstance(value, list) else [str(value)]})
    return {"PolicyName": name, "Parameters": parameters}


def plurality(**more: Any) -> dict[str, Any]:
    return policy(PLURALITY, QuestionIds=["A", "B", "C", "D"], QuestionAgreementThreshold=50, **more)


def results(place: Place, hit: Any, level: str) -> dict[tuple[str, str, str], str]:
    """Subject, question (or nothing) and key of each result of one level, with its value; page by page."""
    found: dict[tuple[str, str, str], str] = {}
    token: dict[str, str] = {}
    while True:
        page = place.client.list_review_policy_results_for_hit(
            HITId=hit["HITId"], PolicyLevels=[level], RetrieveResults=True, MaxResults=2, **token
        )
        report = page["AssignmentReviewReport" if level == "Assignment" else "HITReviewReport"]
        assert len(report["ReviewResults"]) <= 2
        for row in report["ReviewResults"]:
            key = (row["SubjectId"], row.get("QuestionId", ""), row["Key"])
            assert key not in found
            found[key] = row["Value"]
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def test_known_answers_are_scored(place: Place) -> None:
    """KnownAnswerCorrect for each question, KnownAnswerScore in percent; space around an answer counts nothing."""
    hit = place.hit(2, AssignmentReviewPolicy=policy(KNOWN, AnswerKey={"A": "yes", "B": "no"}))
    right = place.answer(place.worker(), hit, A=" yes ", B="no")
    half = place.answer(place.worker(), hit, A="Yes", B="no")
    found = results(place, hit, "Assignment")
    assert (found[right, "", "KnownAnswerScore"], found[half, "", "KnownAnswerScore"]) == ("100", "50")
    assert (found[half, "A", "KnownAnswerCorrect"], found[half, "B", "KnownAnswerCorrect"]) == ("0", "1")
    assert place.assignment(right)["AssignmentStatus"] == "Submitted"


def test_scores_approve_and_reject(place: Place) -> None:
    """At least so much approves with its reason, less than so much rejects with its own."""
    scoring = policy(
        KNOWN, AnswerKey={"A": "1", "B": "1"}, ApproveIfKnownAnswerScoreIsAtLeast=100, ApproveReason="All right",
        RejectIfKnownAnswerScoreIsLessThan=50, RejectReason="All wrong",
    )  # fmt: skip
    hit = place.hit(3, AssignmentReviewPolicy=scoring)
    answers = [("1", "1"), ("1", "0"), ("0", "0")]
    made = [place.answer(place.worker(), hit, A=a, B=b) for a, b in answers]
    now = [place.assignment(one) for one in made]
    assert [one["AssignmentStatus"] for one in now] == ["Approved", "Submitted", "Rejected"]
    assert [one.get("RequesterFeedback") for one in now] == ["All right", None, "All wrong"]


def test_a_wrong_answer_is_asked_for_again(place: Place) -> None:
    """ExtendIfKnownAnswerScoreIsLessThan offers one more, up to ExtendMaximumAssignments."""
    scoring = policy(
        KNOWN, AnswerKey={"A": "1"}, ExtendIfKnownAnswerScoreIsLessThan=100, ExtendMaximumAssignments=2
    )
    hit = place.hit(1, AssignmentReviewPolicy=scoring)
    place.answer(place.worker(), hit, A="0")
    assert place.get(hit)["MaxAssignments"] == 2
    place.answer(place.worker(), hit, A="0")
    assert place.get(hit)["MaxAssignments"] == 2


def test_a_plurality_is_found(place: Place) -> None:
    """The reference's own example: HIT score 75, workers' scores 100, 66 and 66, no agreed answer for D."""
    hit = place.hit(3, HITReviewPolicy=plurality())
    answers = [
        ("coat", "blue", "large", "Furry"),
        ("sweater", "blue", "large", "fur"),
        ("coat", "green", "large", "furr"),
    ]
    made = [place.answer(place.worker(), hit, A=a, B=b, C=c, D=d) for a, b, c, d in answers]
    found = results(place, hit, "HIT")
    values = {(subject, question): value for (subject, question, _), value in found.items()}
    assert "75" in {
        value for (subject, question), value in values.items() if (subject, question) == (hit["HITId"], "")
    }
    assert [found[one, "", "WorkerAgreementScore"] for one in made] == ["100", "66", "66"]
    agreed = {question: value for (subject, question, key), value in found.items() if key == "AgreedAnswer"}
    assert agreed == {"A": "coat", "B": "blue", "C": "large"}


def test_a_plurality_approves_and_rejects(place: Place) -> None:
    """By the Worker Agreement Score, once the HIT is reviewable."""
    deciding = policy(
        PLURALITY, QuestionIds=["A"], QuestionAgreementThreshold=50, RejectReason="Alone",
        ApproveIfWorkerAgreementScoreIsAtLeast=100, RejectIfWorkerAgreementScoreIsLessThan=50,
    )  # fmt: skip
    hit = place.hit(3, HITReviewPolicy=deciding)
    made = [place.answer(place.worker(), hit, A="yes") for _ in range(2)]
    assert {place.assignment(one)["AssignmentStatus"] for one in made} == {"Submitted"}
    made.append(place.answer(place.worker(), hit, A="no"))
    assert [place.assignment(one)["AssignmentStatus"] for one in made] == ["Approved", "Approved", "Rejected"]
    assert place.assignment(made[2])["RequesterFeedback"] == "Alone"


def test_disagreement_asks_one_more(place: Place) -> None:
    """ExtendIfHITAgreementScoreIsLessThan makes the HIT assignable again."""
    asking = policy(
        PLURALITY, QuestionIds=["A"], QuestionAgreementThreshold=50, ExtendIfHITAgreementScoreIsLessThan=100,
        ExtendMaximumAssignments=3, ExtendMinimumTimeInSeconds=3600,
    )  # fmt: skip
    hit = place.hit(2, HITReviewPolicy=asking)
    for answer in ("yes", "no"):
        place.answer(place.worker(), hit, A=answer)
    assert place.counts(hit)[0] == "Assignable"
    place.answer(place.worker(), hit, A="yes")
    assert (place.get(hit)["MaxAssignments"], place.counts(hit)[0]) == (3, "Reviewable")


def test_actions_are_told_where_asked_for(place: Place) -> None:
    """RetrieveActions: what was done, to which assignment, and that it succeeded."""
    approving = policy(KNOWN, AnswerKey={"A": "1"}, ApproveIfKnownAnswerScoreIsAtLeast=100)
    hit = place.hit(1, AssignmentReviewPolicy=approving)
    assignment_id = place.answer(place.worker(), hit, A="1")
    given = {"HITId": hit["HITId"], "PolicyLevels": ["Assignment"]}
    answer = place.client.list_review_policy_results_for_hit(
        **given, RetrieveActions=True, RetrieveResults=False
    )
    actions = {
        action["ActionName"].lower(): action for action in answer["AssignmentReviewReport"]["ReviewActions"]
    }
    action = actions["approve"]
    assert (action["TargetId"], action["TargetType"], action["Status"]) == (
        assignment_id,
        "Assignment",
        "Succeeded",
    )
    assert not answer["AssignmentReviewReport"].get("ReviewResults")
    answer = place.client.list_review_policy_results_for_hit(
        **given, RetrieveActions=False, RetrieveResults=True
    )
    assert not answer["AssignmentReviewReport"].get("ReviewActions")


def test_the_policies_come_back(place: Place) -> None:
    """With both levels and without naming any; a level that is not asked for is left out."""
    assignment_policy = policy(KNOWN, AnswerKey={"A": "1"})
    hit = place.hit(1, AssignmentReviewPolicy=assignment_policy, HITReviewPolicy=plurality())
    both = place.client.list_review_policy_results_for_hit(HITId=hit["HITId"])
    assert (both["HITId"], both["AssignmentReviewPolicy"]["PolicyName"]) == (hit["HITId"], KNOWN)
    assert both["HITReviewPolicy"]["PolicyName"] == PLURALITY
    one = place.client.list_review_policy_results_for_hit(HITId=hit["HITId"], PolicyLevels=["HIT"])
    assert "AssignmentReviewPolicy" not in one


def test_a_hit_without_policies_has_no_results(place: Place) -> None:
    """It is no error to ask."""
    hit = place.hit()
    answer = place.client.list_review_policy_results_for_hit(HITId=hit["HITId"])
    assert answer["HITId"] == hit["HITId"]
    assert not answer.get("HITReviewReport", {}).get("ReviewResults")


@pytest.mark.parametrize(
    ("level", "wrong"),
    [
        ("AssignmentReviewPolicy", policy("ScoreMyFeelings/2011-09-01", AnswerKey={"A": "1"})),
        ("HITReviewPolicy", policy(KNOWN, AnswerKey={"A": "1"})),
        ("AssignmentReviewPolicy", plurality()),
        ("AssignmentReviewPolicy", policy(KNOWN)),
        (
            "AssignmentReviewPolicy",
            policy(KNOWN, AnswerKey={"A": "1"}, ApproveIfKnownAnswerScoreIsAtLeast=102),
        ),
        (
            "AssignmentReviewPolicy",
            policy(KNOWN, AnswerKey={"A": "1"}, ApproveIfKnownAnswerScoreIsAtLeast="all"),
        ),
        ("AssignmentReviewPolicy", policy(KNOWN, AnswerKey={"A": "1"}, ExtendMaximumAssignments=26)),
        ("AssignmentReviewPolicy", policy(KNOWN, AnswerKey={"A": "1"}, ApproveIfLucky=1)),
        ("HITReviewPolicy", policy(PLURALITY, QuestionAgreementThreshold=50)),
        ("HITReviewPolicy", policy(PLURALITY, QuestionIds=["A"])),
        ("HITReviewPolicy", plurality(ExtendIfHITAgreementScoreIsLessThan=50)),
    ],
)
def test_a_policy_that_means_nothing_is_refused(place: Place, level: str, wrong: dict[str, Any]) -> None:
    """Names, levels, required parameters and bounds are the reference's; no HIT is made."""
    code, _ = refusal(place.client.create_hit, **place.parameters(**{level: wrong}))
    assert code in ("InvalidParameterValue", "ParameterValidationError")
