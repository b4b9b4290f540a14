"""Review policies: what they take, how they score, what they do with assignments, HITs and money."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from photojury.annotate.answers_xml import answers_xml
from photojury.annotate.marketplace.questions import form_answers
from photojury.annotate.marketplace.requesters.protocol import RequestError
from photojury.annotate.marketplace.review_policies import check, known_answers, plurality_of
from tests.annotate.marketplace.forms import form, question, selection
from tests.annotate.marketplace.live import HIT_TYPE, Live, html_question, refusal

KNOWN, SIMPLE = "ScoreMyKnownAnswers/2011-09-01", "SimplePlurality/2011-09-01"
Values = str | Sequence[str]


def policy(name: str, **parameters: Values) -> dict[str, Any]:
    """A ReviewPolicy as boto3 takes it."""
    listed = [
        {"Key": key, "Values": [value] if isinstance(value, str) else list(value)}
        for key, value in parameters.items()
    ]
    return {"PolicyName": name, "Parameters": listed}


def known(answers: Mapping[str, Sequence[str]], **parameters: Values) -> dict[str, Any]:
    """ScoreMyKnownAnswers with an AnswerKey."""
    made = policy(KNOWN, **parameters)
    entries = [{"Key": name, "Values": list(values)} for name, values in answers.items()]
    made["Parameters"].append({"Key": "AnswerKey", "MapEntries": entries})
    return made


def simple(*questions: str, threshold: Values = "50", **parameters: Values) -> dict[str, Any]:
    """SimplePlurality over questions."""
    return policy(SIMPLE, QuestionIds=questions, QuestionAgreementThreshold=threshold, **parameters)


def answered(live: Live, hit: Any, **fields: str) -> str:
    """A new worker's answers; a second apart, so that their order is known."""
    live.clock.move(1)
    return live.worker().answer(hit["HITGroupId"], **fields)


def statuses(live: Live, hit: Any) -> dict[str, str]:
    listed = live.client.list_assignments_for_hit(HITId=hit["HITId"])["Assignments"]
    return {each["AssignmentId"]: each["AssignmentStatus"] for each in listed}


def report(live: Live, hit: Any, level: str) -> tuple[list[Any], list[Any]]:
    """The results and the actions of one level."""
    found = live.client.list_review_policy_results_for_hit(HITId=hit["HITId"])[f"{level}ReviewReport"]
    return found["ReviewResults"], found["ReviewActions"]


def brief(results: Sequence[Mapping[str, str]]) -> list[tuple[str, str | None, str, str]]:
    return [(each["SubjectId"], each.get("QuestionId"), each["Key"], each["Value"]) for each in results]


def acts(actions: Sequence[Mapping[str, str]]) -> list[tuple[str, str, str, str]]:
    return [(each["ActionName"], each["TargetId"], each["Status"], each["Result"]) for each in actions]


def test_known_answers_approve_and_reject(both: Live) -> None:
    """The two assignments of the reference's sample response, and what it says about them."""
    hit = both.hit(
        2,
        AssignmentReviewPolicy=known(
            {"Question_2": ["B"]},
            ApproveIfKnownAnswerScoreIsAtLeast="80",
            RejectIfKnownAnswerScoreIsLessThan="80",
            ApproveReason="thank you",
            RejectReason="The known answer was wrong.",
        ),
    )
    right = answered(both, hit, Question_1="x", Question_2=" B ")
    wrong = answered(both, hit, Question_1="x", Question_2="b")
    results, actions = report(both, hit, "Assignment")
    assert brief(results) == [
        (right, "Question_2", "KnownAnswerCorrect", "1"),
        (right, None, "KnownAnswerScore", "100"),
        (wrong, "Question_2", "KnownAnswerCorrect", "0"),
        (wrong, None, "KnownAnswerScore", "0"),
    ]
    assert acts(actions) == [
        ("review", right, "Succeeded", "Reviewed one known answer; 1/1 correct"),
        ("approve", right, "Succeeded", "Approved"),
        ("review", wrong, "Succeeded", "Reviewed one known answer; 0/1 correct"),
        ("reject", wrong, "Succeeded", "Rejected"),
    ]
    assert (
        {each["TargetType"] for each in actions}
        == {each["SubjectType"] for each in results}
        == {"Assignment"}
    )
    assert isinstance(actions[0]["CompleteTime"], datetime.datetime)
    assert len({each["ActionId"] for each in [*results, *actions]}) == 8
    assert statuses(both, hit) == {right: "Approved", wrong: "Rejected"}
    feedback = [
        both.client.get_assignment(AssignmentId=each)["Assignment"]["RequesterFeedback"]
        for each in (right, wrong)
    ]
    assert feedback == ["thank you", "The known answer was wrong."]
    # One of 0.20 + 0.04 is paid, the other is free again.
    assert both.balance() == ("9999.76", "0.00")


@pytest.mark.parametrize(
    ("key", "fields", "score"),
    [
        ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y"}, 100),
        ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "z"}, 50),
        ({"a": ["x"], "b": ["y"], "c": ["z"]}, {"a": "x", "b": "y"}, 66),
        ({"a": ["x", "y"]}, {"a": "x"}, 0),
        ({"a": []}, {"a": "x"}, 0),
        ({"a": []}, {"b": "x"}, 100),
        ({"a": ["x"]}, {"a": "X"}, 0),
        ({"a": [" x"]}, {"a": "x \n"}, 100),
    ],
)
def test_known_answers_are_compared_whole(
    key: dict[str, list[str]], fields: dict[str, str], score: int
) -> None:
    """All values and no others, case and all, only the space around them is nothing; per cent rounded down."""
    read = known_answers(check({"AssignmentReviewPolicy": known(key)}))
    assert read is not None
    assert read.score(form_answers.read(answers_xml(fields.items()))) == score


def test_known_answers_look_at_choices(live: Live) -> None:
    """The check boxes of a QuestionForm count with what is present and what is absent."""
    xml = form(question("q", selection("A", "B", "C", most=3)))
    hit = live.hit(2, Question=xml, AssignmentReviewPolicy=known({"q": ["A", "C"]}))
    scores = []
    for chosen in (["C", "A"], ["A", "B", "C"]):
        worker = live.worker()
        data = [
            ("assignmentId", str(worker.accept(hit["HITGroupId"]))),
            *(("answer.q", each) for each in chosen),
        ]
        worker.session.post(f"{live.url}/mturk/externalSubmit", data, timeout=30)
        live.clock.move(1)
    scores = [each[3] for each in brief(report(live, hit, "Assignment")[0]) if each[2] == "KnownAnswerScore"]
    assert scores == ["100", "0"]


def test_a_bad_answer_is_replaced_up_to_the_limit(live: Live) -> None:
    """The photo moderation use case: extended twice, to three assignments, then no more; money is held for each."""
    hit = live.hit(
        AssignmentReviewPolicy=known(
            {"q": ["A"]},
            ExtendIfKnownAnswerScoreIsLessThan="80",
            ExtendMaximumAssignments="3",
            ExtendMinimumTimeInSeconds="604800",
        )
    )
    before = live.get(hit)["Expiration"]
    for held in ("0.48", "0.72", "0.72"):
        answered(live, hit, q="B")
        assert live.balance()[1] == held
    found = live.get(hit)
    assert (found["MaxAssignments"], found["HITStatus"]) == (3, "Reviewable")
    assert (found["Expiration"] - before).days == 6
    extended = [each for each in acts(report(live, hit, "Assignment")[1]) if each[0] == "extend"]
    assert extended == [
        ("extend", hit["HITId"], "Succeeded", "Extended to 2 assignments"),
        ("extend", hit["HITId"], "Succeeded", "Extended to 3 assignments"),
        ("extend", hit["HITId"], "Succeeded", "Already extended to the maximum of 3 assignments"),
    ]


def test_nine_stay_nine(live: Live) -> None:
    """A HIT made with fewer than ten assignments is not extended to ten."""
    hit = live.hit(
        9,
        AssignmentReviewPolicy=known(
            {"q": ["A"]}, ExtendIfKnownAnswerScoreIsLessThan="101", ExtendMaximumAssignments="25"
        ),
    )
    answered(live, hit, q="A")
    assert live.get(hit)["MaxAssignments"] == 9
    assert acts(report(live, hit, "Assignment")[1])[-1][2:] == (
        "Succeeded",
        "Already extended to the maximum of 9 assignments",
    )


def test_an_extension_without_money_fails_and_nothing_else_does(live: Live) -> None:
    """The answer is kept; the action has its error code; the HIT stays as it was."""
    hit = live.hit(
        Reward="5000.00",
        AssignmentReviewPolicy=known({"q": ["A"]}, ExtendIfKnownAnswerScoreIsLessThan="101"),
    )
    answered(live, hit, q="A")
    [action] = [each for each in report(live, hit, "Assignment")[1] if each["ActionName"] == "extend"]
    assert (action["Status"], action["ErrorCode"]) == ("Failed", "AWS.MechanicalTurk.InsufficientFunds")
    assert live.get(hit)["MaxAssignments"] == 1
    assert list(statuses(live, hit).values()) == ["Submitted"]
    assert live.balance() == ("4000.00", "6000.00")


def test_a_rejection_pays_for_its_replacement(live: Live) -> None:
    """What the rejected assignment held is free for the next one, also where nothing else is."""
    hit = live.hit(
        Reward="8000.00",
        AssignmentReviewPolicy=known(
            {"q": ["A"]}, RejectIfKnownAnswerScoreIsLessThan="1", ExtendIfKnownAnswerScoreIsLessThan="1"
        ),
    )
    answered(live, hit, q="B")
    assert live.counts(hit) == ("Assignable", 0, 1, 1)
    assert live.balance() == ("400.00", "9600.00")


def test_what_is_decided_stays_decided(live: Live) -> None:
    """Approved and rejected by the same score: the second action fails, as in the reference's sample."""
    hit = live.hit(
        AssignmentReviewPolicy=known(
            {"q": ["A"]}, ApproveIfKnownAnswerScoreIsAtLeast="0", RejectIfKnownAnswerScoreIsLessThan="101"
        )
    )
    answered(live, hit, q="A")
    last = report(live, hit, "Assignment")[1][-1]
    assert (last["ActionName"], last["Status"]) == ("reject", "Failed")
    assert last["Result"] == "Assignment was in an invalid state for this operation."
    assert last["ErrorCode"] == "AWS.MechanicalTurk.InvalidAssignmentState"
    assert list(statuses(live, hit).values()) == ["Approved"]


def test_the_references_chart_of_agreement(both: Live) -> None:
    """Four questions, three workers: scores 66, 66, 100, none; the HIT 75; the workers 100, 66, 66."""
    chart = {
        "A": ("coat", "sweater", "coat"),
        "B": ("blue", "blue", "green"),
        "C": ("large", "large", "large"),
        "D": ("Furry", "fur", "furr"),
    }
    hit = both.hit(
        3,
        HITReviewPolicy=simple(
            *chart,
            ApproveIfWorkerAgreementScoreIsAtLeast="100",
            RejectIfWorkerAgreementScoreIsLessThan="66",
            DisregardAssignmentIfRejected="T",
        ),
    )
    ids = [
        answered(both, hit, **{name: given[number] for name, given in chart.items()}) for number in range(3)
    ]
    results, actions = report(both, hit, "HIT")
    found = brief(results)
    of_hit = [each[1:] for each in found if each[0] == hit["HITId"]]
    assert of_hit == [
        ("A", "AgreedAnswerFound", "true"), ("A", "AgreedAnswer", "coat"), ("A", "AnswerAgreementScore", "66"),
        ("B", "AgreedAnswerFound", "true"), ("B", "AgreedAnswer", "blue"), ("B", "AnswerAgreementScore", "66"),
        ("C", "AgreedAnswerFound", "true"), ("C", "AgreedAnswer", "large"), ("C", "AnswerAgreementScore", "100"),
        ("D", "AgreedAnswerFound", "false"),
        (None, "HitAgreementScore", "75"),
    ]  # fmt: skip
    of_workers = {(each[0], each[2]): each[3] for each in found if each[0] != hit["HITId"]}
    assert [of_workers[each, "WorkerAgreementScore"] for each in ids] == ["100", "66", "66"]
    assert [of_workers[each, "PluralityAnswersCorrect"] for each in ids] == ["3", "2", "2"]
    assert [of_workers[each, "PluralityAnswersIncorrect"] for each in ids] == ["0", "1", "1"]
    assert acts(actions)[1:] == [("approve", ids[0], "Succeeded", "Approved")]
    assert list(statuses(both, hit).values()) == ["Approved", "Submitted", "Submitted"]
    assert both.counts(hit) == ("Reviewable", 0, 0, 1)


def test_a_hit_without_agreement_asks_one_more_worker(live: Live) -> None:
    """The categorization use case: two disagree, a third decides; the review before stays in the list."""
    hit = live.hit(
        2,
        LifetimeInSeconds=60,
        HITReviewPolicy=simple(
            "category",
            ExtendIfHITAgreementScoreIsLessThan="100",
            ExtendMaximumAssignments="3",
            ExtendMinimumTimeInSeconds="3600",
        ),
    )
    for category in ("shoes", "boots"):
        answered(live, hit, category=category)
    assert live.counts(hit) == ("Assignable", 0, 1, 0)
    assert live.balance()[1] == "0.72"
    live.clock.move(1800)
    answered(live, hit, category="boots")
    results, actions = report(live, hit, "HIT")
    assert [each[3] for each in brief(results) if each[2] == "HitAgreementScore"] == ["0", "100"]
    assert [each[3] for each in brief(results) if each[2] == "AgreedAnswer"] == ["boots"]
    assert [each[0] for each in acts(actions)] == ["review", "extend", "review"]
    assert live.counts(hit)[0] == "Reviewable"


def test_a_hit_that_expires_is_reviewed(live: Live) -> None:
    """By the clock alone, with what was handed in; extended, it is offered again with all that was left."""
    hit = live.hit(
        3,
        LifetimeInSeconds=100,
        HITReviewPolicy=simple(
            "q",
            ApproveIfWorkerAgreementScoreIsAtLeast="100",
            ExtendIfHITAgreementScoreIsLessThan="100",
            ExtendMaximumAssignments="5",
            ExtendMinimumTimeInSeconds="60",
        ),
    )
    live.clock.move(200)
    assert live.counts(hit) == ("Assignable", 0, 4, 0)
    assert live.balance()[1] == "0.96"
    answered(live, hit, q="a")
    live.clock.move(200)
    assert live.counts(hit) == ("Reviewable", 0, 3, 1)
    assert list(statuses(live, hit).values()) == ["Approved"]
    assert live.balance() == ("9999.76", "0.00")


def test_those_who_failed_the_known_answers_do_not_vote(live: Live) -> None:
    """Nor are they judged by the vote; a rejected assignment votes unless it is to be disregarded."""
    votes = [("A", "x"), ("A", "x"), ("B", "y")]
    for more, expected in (
        ({"DisregardAssignmentIfKnownAnswerScoreIsLessThan": "80"}, "100"),
        ({"DisregardAssignmentIfRejected": "true"}, "100"),
        ({"DisregardAssignmentIfRejected": "F"}, "66"),
    ):
        hit = live.hit(
            3,
            Title=f"Disregard {more}",
            AssignmentReviewPolicy=known({"gold": ["A"]}, RejectIfKnownAnswerScoreIsLessThan="50"),
            HITReviewPolicy=simple("q", ApproveIfWorkerAgreementScoreIsAtLeast="0", **more),
        )
        ids = [answered(live, hit, gold=gold, q=vote) for gold, vote in votes]
        results, actions = report(live, hit, "HIT")
        assert [each[3] for each in brief(results) if each[2] == "AnswerAgreementScore"] == [expected]
        assert statuses(live, hit) == {ids[0]: "Approved", ids[1]: "Approved", ids[2]: "Rejected"}
        judged = [each[1] for each in acts(actions) if each[0] == "approve"]
        assert judged == (ids if expected == "66" else ids[:2])


@pytest.mark.parametrize(
    ("given", "threshold", "agreed"),
    [
        (["a", "a", "b"], 50, ("a", 66)),
        (["a", "a", "b"], 66, None),
        (["a", "a"], 100, ("a", 100)),
        (["a", "b"], 10, None),
        (["a", "a", "b", "c"], 49, ("a", 50)),
        ([], 0, None),
    ],
)
def test_the_most_frequent_answer_must_exceed_the_threshold(
    given: list[str], threshold: int, agreed: tuple[str, int] | None
) -> None:
    """Alone at the top; all workers together are enough for any threshold, as the use cases' 100 means."""
    wanted = agreed and (frozenset(agreed[0]), agreed[1])
    assert plurality_of([frozenset(each) for each in given], threshold) == wanted


def test_long_answers_do_not_vote(live: Live) -> None:
    """Over 256 characters they are not used, says the reference."""
    hit = live.hit(2, HITReviewPolicy=simple("q"))
    answered(live, hit, q="x" * 256)
    answered(live, hit, q="y" * 257)
    results = brief(report(live, hit, "HIT")[0])
    assert [each[3] for each in results if each[2] == "AnswerAgreementScore"] == ["100"]


def test_results_come_by_level_kind_and_page(live: Live) -> None:
    """Everything once over all pages; what was not asked for is not there; other HITs and accounts see nothing."""
    hit = live.hit(
        2,
        AssignmentReviewPolicy=known({"a": ["x"], "b": ["x"], "c": ["x"]}),
        HITReviewPolicy=simple("a", "b"),
    )
    for _ in range(2):
        answered(live, hit, a="x", b="x")
    call = live.client.list_review_policy_results_for_hit
    whole = call(HITId=hit["HITId"])
    assert whole["AssignmentReviewPolicy"] == {"PolicyName": KNOWN}
    assert whole["HITReviewPolicy"] == {"PolicyName": SIMPLE}
    assert "NextToken" not in whole
    only = call(HITId=hit["HITId"], PolicyLevels=["HIT"], RetrieveActions=False)
    assert only["HITReviewReport"] == {"ReviewResults": whole["HITReviewReport"]["ReviewResults"]}
    assert "AssignmentReviewReport" not in only
    pages, token = [], ""
    while token is not None:
        page = call(HITId=hit["HITId"], MaxResults=3, **({"NextToken": token} if token else {}))
        pages.append(page)
        token = page.get("NextToken")
    for level in ("AssignmentReviewReport", "HITReviewReport"):
        for kind in ("ReviewResults", "ReviewActions"):
            assert [each for page in pages for each in page[level][kind]] == whole[level][kind]
    assert {sum(len(each) for level in ("Assignment", "HIT") for each in page[f"{level}ReviewReport"].values())
            for page in pages[:-1]} == {3}  # fmt: skip
    plain = call(HITId=live.hit()["HITId"])
    assert set(plain) == {"HITId", "ResponseMetadata"}
    assert refusal(call, HITId="3NONE")[0] == "HITDoesNotExist"


@pytest.mark.parametrize(
    ("member", "made", "words"),
    [
        ("AssignmentReviewPolicy", policy("SimplePlurality/2011-09-01"), "must be ScoreMyKnownAnswers"),
        ("HITReviewPolicy", known({"q": ["A"]}), "must be SimplePlurality"),
        ("AssignmentReviewPolicy", policy(KNOWN), "needs the parameter AnswerKey"),
        ("AssignmentReviewPolicy", known({}), "MapEntries"),
        ("AssignmentReviewPolicy", known({"q" * 256: ["A"]}), "255 bytes"),
        ("AssignmentReviewPolicy", known({"q": ["A"]}, Bonus="1"), "no parameter 'Bonus'"),
        (
            "AssignmentReviewPolicy",
            known({"q": ["A"]}, ApproveIfKnownAnswerScoreIsAtLeast="102"),
            "from 0 to 101",
        ),
        (
            "AssignmentReviewPolicy",
            known({"q": ["A"]}, RejectIfKnownAnswerScoreIsLessThan="-1"),
            "from 0 to 101",
        ),
        ("AssignmentReviewPolicy", known({"q": ["A"]}, ExtendMaximumAssignments="26"), "from 2 to 25"),
        ("AssignmentReviewPolicy", known({"q": ["A"]}, ExtendMaximumAssignments="1"), "from 2 to 25"),
        ("AssignmentReviewPolicy", known({"q": ["A"]}, ExtendMinimumTimeInSeconds="59"), "from 60 to"),
        ("AssignmentReviewPolicy", known({"q": ["A"]}, ExtendMaximumAssignments=["2", "3"]), "one value"),
        ("AssignmentReviewPolicy", known({"q": ["A"]}, RejectReason="x" * 1025), "at most 1024"),
        ("HITReviewPolicy", policy(SIMPLE, QuestionIds="q"), "QuestionAgreementThreshold"),
        ("HITReviewPolicy", simple(), "1 to 15 questions"),
        ("HITReviewPolicy", simple(*(str(number) for number in range(16))), "1 to 15 questions"),
        ("HITReviewPolicy", simple("q", threshold="101"), "from 0 to 100"),
        ("HITReviewPolicy", simple("q", DisregardAssignmentIfRejected="maybe"), "T or F"),
        ("HITReviewPolicy", simple("q", ExtendIfHITAgreementScoreIsLessThan="0"), "from 1 to 100"),
        ("HITReviewPolicy", simple("q", ExtendIfHITAgreementScoreIsLessThan="50"), "needs ExtendMaximum"),
        ("HITReviewPolicy", simple("q", QuestionIDs="r"), "twice"),
        ("HITReviewPolicy", simple("q", ApproveReason="x"), "no parameter 'ApproveReason'"),
    ],
)
def test_a_policy_that_is_not_as_documented_is_refused(member: str, made: dict[str, Any], words: str) -> None:
    """The error names the parameter and its limits."""
    with pytest.raises(RequestError) as error:
        check({member: made})
    assert (error.value.code, words in str(error.value)) == ("InvalidParameterValue", True), error.value


def test_a_refused_policy_makes_no_hit(live: Live) -> None:
    """Nor does it hold money, or leave one of two policies standing."""
    parameters = {**HIT_TYPE, "LifetimeInSeconds": 60, "Question": html_question()}
    policies = {"AssignmentReviewPolicy": known({"q": ["A"]}), "HITReviewPolicy": simple()}
    assert "1 to 15 questions" in refusal(live.client.create_hit, **parameters, **policies)[1]
    assert live.client.list_hits()["NumResults"] == 0
    assert live.balance() == ("10000.00", "0.00")


def test_question_ids_may_be_one_list(live: Live) -> None:
    """Comma-separated, as the reference's table has it, under either spelling of the name."""
    made = policy(SIMPLE, QuestionIDs="a, b", QuestionAgreementThreshold="50")
    hit = live.hit(HITReviewPolicy=made)
    answered(live, hit, a="x", b="y")
    agreed = [each[1] for each in brief(report(live, hit, "HIT")[0]) if each[2] == "AgreedAnswer"]
    assert agreed == ["a", "b"]
