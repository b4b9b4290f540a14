"""HITs: made, read, listed, expired, extended, reviewed, deleted."""

import datetime
import uuid
from typing import Any

import pytest

from tests.conformance.conftest import Clock
from tests.conformance.place import (
    DAY,
    Place,
    external_question,
    html_question,
    paginated,
    question_form,
    walked,
)
from tests.conformance.wire import invalid, refusal

STATE = "This HIT is currently in the state '{}'.  This operation can be called with a status of"
BAD_QUESTIONS = [
    "plain text",
    "<HTMLQuestion><HTMLContent>x</HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>",
    html_question().replace("<FrameHeight>0</FrameHeight>", ""),
    html_question().replace("2011-11-11", "2010-11-11"),
    "<!DOCTYPE a [<!ENTITY b 'c'>]>" + html_question(),
    question_form().replace("<FreeTextAnswer/>", "<TelepathicAnswer/>"),
]


def both_ways(place: Place) -> list[tuple[Any, dict[str, Any]]]:
    """CreateHIT and CreateHITWithHITType, each with parameters that make a HIT."""
    type_id = place.client.create_hit_type(**place.hit_type())["HITTypeId"]
    short = {"HITTypeId": type_id, "LifetimeInSeconds": DAY, "Question": html_question()}
    return [(place.client.create_hit, place.parameters()), (place.client.create_hit_with_hit_type, short)]


def test_a_hit_comes_back_as_it_was_made(place: Place) -> None:
    """GetHIT gives what was given; the rest has MTurk's defaults."""
    for create, given in both_ways(place):
        hit = create(**given, RequesterAnnotation="batch=1;item=2")["HIT"]
        assert (
            given.items() - {("LifetimeInSeconds", DAY)}
            <= {k: v for k, v in hit.items() if k in given}.items()
        )
        assert (hit["MaxAssignments"], hit["HITStatus"], hit["HITReviewStatus"]) == (
            1,
            "Assignable",
            "NotReviewed",
        )
        assert hit["Expiration"] - hit["CreationTime"] == datetime.timedelta(days=1)
        assert hit["RequesterAnnotation"] == "batch=1;item=2"
        assert place.counts(hit) == ("Assignable", 0, 1, 0)
        assert place.get(hit) == hit


@pytest.mark.parametrize(
    "question", [html_question(), external_question("https://example.org/q?a=1&amp;b=2"), question_form()]
)
def test_each_kind_of_question_is_taken(place: Place, question: str) -> None:
    """HTMLQuestion, ExternalQuestion and QuestionForm come back to the letter."""
    for create, given in both_ways(place):
        hit = create(**{**given, "Question": question})["HIT"]
        assert place.get(hit)["Question"] == question


@pytest.mark.parametrize("question", BAD_QUESTIONS)
def test_a_question_that_cannot_be_shown_is_refused(place: Place, question: str) -> None:
    """What is not well-formed, of no schema, or without a part of it is an XMLParseError."""
    for create, given in both_ways(place):
        assert refusal(create, **{**given, "Question": question})[0] == "XMLParseError"


@pytest.mark.parametrize("page", ["<p>Which <b", "<script>never ends", "<!-- neither does this"])
def test_a_page_that_a_browser_would_not_show_is_refused(place: Place, page: str) -> None:
    """HTML that does not end as it begins (tylin/coco-ui pull request 4)."""
    for create, given in both_ways(place):
        code, message = refusal(create, **{**given, "Question": html_question(page)})
        assert code in ("ParameterValidationError", "InvalidParameterValue", "XHTMLParseError")
        assert "HTML" in message


def test_a_question_has_at_most_65535_bytes(place: Place) -> None:
    """White space counts, and so does each byte of a letter."""
    room = 65_535 - len(html_question("").encode())
    for create, given in both_ways(place):
        create(**{**given, "Question": html_question("<p>" + "é" * ((room - 3) // 2))})
        assert "65535" in invalid(create, **{**given, "Question": html_question("é" * (room // 2 + 1))})


def test_an_external_page_must_be_https(place: Place) -> None:
    """In MTurk's words (CSAILVision/LabelMeMechanicalTurk issue 2)."""
    for create, given in both_ways(place):
        message = invalid(create, **{**given, "Question": external_question("http://example.org/")})
        assert "must use the HTTPS protocol" in message


def test_either_a_question_or_a_layout(place: Place) -> None:
    """Without both the HIT is refused, and so is a layout that is not there."""
    for create, given in both_ways(place):
        del given["Question"]
        assert "Question" in invalid(create, **given)
        assert refusal(create, **given, HITLayoutId="3NONE")[0] == "HITLayoutDoesNotExist"


@pytest.mark.parametrize(
    ("name", "value"),
    [("LifetimeInSeconds", 29), ("LifetimeInSeconds", 31_536_001), ("MaxAssignments", 0),
     ("MaxAssignments", 1_000_000_001), ("RequesterAnnotation", "x" * 256)],
)  # fmt: skip
def test_a_value_out_of_bounds_is_refused(place: Place, name: str, value: Any) -> None:
    """The limits of the API reference hold in both ways of making a HIT."""
    for create, given in both_ways(place):
        assert name in invalid(create, **{**given, name: value})


def test_a_hit_of_no_type_is_refused(place: Place) -> None:
    """CreateHITWithHITType names the type that is not there."""
    given = {"HITTypeId": "3NONE", "LifetimeInSeconds": DAY, "Question": html_question()}
    code, message = refusal(place.client.create_hit_with_hit_type, **given)
    assert (code, "3NONE" in message) == ("HITTypeDoesNotExist", True)


def test_a_hit_that_costs_too_much_is_refused(place: Place) -> None:
    """InsufficientFunds, in MTurk's words."""
    code, message = refusal(place.client.create_hit, **place.parameters(Reward="900000.00", MaxAssignments=9))
    assert code == "InsufficientFunds"
    assert "insufficient funds in their account to complete this transaction" in message


def test_a_token_makes_one_hit(place: Place) -> None:
    """The same UniqueRequestToken again is an error with the HIT's id in its message."""
    for create, given in both_ways(place):
        token = uuid.uuid4().hex
        hit = create(**given, UniqueRequestToken=token)["HIT"]
        code, message = refusal(create, **given, UniqueRequestToken=token)
        assert code.lower() == "hitalreadyexists"
        assert hit["HITId"] in message


def test_a_token_is_forgotten_after_a_day(place: Place, clock: Clock) -> None:
    """Just before 24 hours it is known, just after them it makes another HIT."""
    for create, given in both_ways(place):
        token = uuid.uuid4().hex
        hit = create(**given, UniqueRequestToken=token)["HIT"]
        clock(DAY - 1)
        refusal(create, **given, UniqueRequestToken=token)
        clock(2)
        assert create(**given, UniqueRequestToken=token)["HIT"]["HITId"] != hit["HITId"]


def test_a_hit_that_is_not_there_is_named_everywhere(place: Place) -> None:
    """HITDoesNotExist and MTurk's sentence from each operation that takes a HITId."""
    calls: list[tuple[Any, dict[str, Any]]] = [
        (place.client.get_hit, {}),
        (place.client.delete_hit, {}),
        (place.client.update_expiration_for_hit, {"ExpireAt": 0}),
        (place.client.update_hit_review_status, {}),
        (place.client.create_additional_assignments_for_hit, {"NumberOfAdditionalAssignments": 1}),
        (place.client.list_assignments_for_hit, {}),
        (place.client.list_bonus_payments, {}),
        (place.client.list_review_policy_results_for_hit, {}),
    ]
    for call, given in calls:
        code, message = refusal(call, HITId="3NONE", **given)
        assert (code, "Hit 3NONE does not exist." in message) == ("HITDoesNotExist", True), call


def test_all_hits_are_listed_once(place: Place) -> None:
    """ListHITs by one and by two rows and by boto3's paginator; disposed ones are left out."""
    made = {place.hit()["HITId"] for _ in range(4)}
    gone = place.hit()
    place.client.update_expiration_for_hit(HITId=gone["HITId"], ExpireAt=0)
    place.client.delete_hit(HITId=gone["HITId"])
    for size in (1, 2):
        ids = [hit["HITId"] for hit in walked(place.client.list_hits, "HITs", size)]
        assert made <= set(ids)
        assert len(ids) == len(set(ids))
        assert gone["HITId"] not in ids
    pages = [hit["HITId"] for page in paginated(place.client, "list_hits") for hit in page["HITs"]]
    assert pages == ids


def test_reviewable_hits_are_listed_by_type_and_status(place: Place) -> None:
    """ListReviewableHITs gives Reviewable ones, or Reviewing ones where Status says so, page by page."""
    kind = place.hit_type()
    hits = [place.hit(**kind) for _ in range(4)]
    other = place.hit()
    for hit in [*hits[:3], other]:
        place.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    place.client.update_hit_review_status(HITId=hits[0]["HITId"])
    of_type = {"HITTypeId": hits[0]["HITTypeId"]}
    for size in (1, 2):
        rows = walked(place.client.list_reviewable_hits, "HITs", size, **of_type)
        assert sorted(hit["HITId"] for hit in rows) == sorted(hit["HITId"] for hit in hits[1:3])
    pages = paginated(place.client, "list_reviewable_hits", **of_type, Status="Reviewing")
    assert [hit["HITId"] for page in pages for hit in page["HITs"]] == [hits[0]["HITId"]]
    everything = walked(place.client.list_reviewable_hits, "HITs", 100)
    assert other["HITId"] in {hit["HITId"] for hit in everything}
    assert place.client.list_reviewable_hits(HITTypeId="3NONE")["NumResults"] == 0


def test_a_time_in_the_past_expires_a_hit_at_once(place: Place) -> None:
    """UpdateExpirationForHIT; a time in the future offers it again."""
    hit = place.hit()
    place.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    assert place.counts(hit)[0] == "Reviewable"
    assert place.worker().accept(hit["HITGroupId"]) is None
    later = hit["Expiration"] + datetime.timedelta(days=30)
    place.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=later)
    assert place.counts(hit)[0] == "Assignable"
    assert place.get(hit)["Expiration"] == later


def test_a_lifetime_ends_by_itself(place: Place, clock: Clock) -> None:
    """After LifetimeInSeconds nobody can accept the HIT; who has accepted it may finish."""
    hit = place.hit(2, LifetimeInSeconds=300)
    worker = place.worker()
    assignment_id = worker.accept(hit["HITGroupId"])
    clock(300)
    assert place.counts(hit)[0] == "Unassignable"
    assert place.worker().accept(hit["HITGroupId"]) is None
    assert worker.submit(str(assignment_id))
    assert place.counts(hit) == ("Reviewable", 0, 1, 0)


def test_from_assignable_to_disposed(place: Place) -> None:
    """Status and counts at every step: accepted, returned, submitted, reviewed, deleted."""
    hit = place.hit(2)
    first, second = place.worker(), place.worker()
    one = str(first.accept(hit["HITGroupId"]))
    assert place.counts(hit) == ("Assignable", 1, 1, 0)
    two = str(second.accept(hit["HITGroupId"]))
    assert place.counts(hit) == ("Unassignable", 2, 0, 0)
    second.give_back(two)
    assert place.counts(hit) == ("Assignable", 1, 1, 0)
    assert not second.submit(two)
    first.submit(one)
    other = place.answer(second, hit)
    # Submitted and unreviewed = maximum - available - pending - completed, as psiTurk counts it.
    assert place.counts(hit) == ("Reviewable", 0, 0, 0)
    place.client.approve_assignment(AssignmentId=one)
    place.client.reject_assignment(AssignmentId=other, RequesterFeedback="empty")
    assert place.counts(hit) == ("Reviewable", 0, 0, 2)
    place.client.delete_hit(HITId=hit["HITId"])
    assert place.counts(hit)[0] == "Disposed"


def test_only_a_reviewed_hit_is_deleted(place: Place) -> None:
    """Neither while it is offered, nor with an answer unreviewed, nor twice."""
    hit = place.hit(2)
    [answer] = place.answered(hit)
    delete = place.client.delete_hit
    code, message = refusal(delete, HITId=hit["HITId"])
    assert (code, STATE.format("Assignable") in message) == ("InvalidHITState", True)
    place.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    assert refusal(delete, HITId=hit["HITId"])[0] == "InvalidHITState"
    place.client.approve_assignment(AssignmentId=answer)
    delete(HITId=hit["HITId"])
    assert STATE.format("Disposed") in refusal(delete, HITId=hit["HITId"])[1]


def test_a_reviewable_hit_is_disposed_of_after_120_days(place: Place, clock: Clock) -> None:
    """As DeleteHIT's page says."""
    hit = place.hit(LifetimeInSeconds=30)
    clock(30)
    assert place.counts(hit)[0] == "Reviewable"
    clock(119 * DAY)
    assert place.counts(hit)[0] == "Reviewable"
    clock(DAY + 1)
    assert place.counts(hit)[0] == "Disposed"


def test_reviewing_and_back(place: Place) -> None:
    """UpdateHITReviewStatus goes to Reviewing and, with Revert, back; from nowhere else."""
    hit = place.hit()
    update = place.client.update_hit_review_status
    assert refusal(update, HITId=hit["HITId"])[0] == "InvalidHITState"
    assert refusal(update, HITId=hit["HITId"], Revert=True)[0] == "InvalidHITState"
    place.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    update(HITId=hit["HITId"])
    assert place.counts(hit)[0] == "Reviewing"
    update(HITId=hit["HITId"], Revert=True)
    assert place.counts(hit)[0] == "Reviewable"


def test_a_hit_is_extended(place: Place) -> None:
    """CreateAdditionalAssignmentsForHIT offers it to more; a full one is assignable again."""
    hit = place.hit()
    place.answered(hit)
    assert place.counts(hit)[0] == "Reviewable"
    place.client.create_additional_assignments_for_hit(HITId=hit["HITId"], NumberOfAdditionalAssignments=2)
    assert place.counts(hit) == ("Assignable", 0, 2, 0)
    assert place.get(hit)["MaxAssignments"] == 3


def test_under_ten_a_hit_does_not_grow_to_ten(place: Place) -> None:
    """InvalidMaximumAssignmentsIncrease, also in steps; from ten on a HIT grows freely."""
    small, large = place.hit(8), place.hit(10)
    extend = place.client.create_additional_assignments_for_hit
    for _ in range(2):
        code, _ = refusal(extend, HITId=small["HITId"], NumberOfAdditionalAssignments=2)
        assert code == "InvalidMaximumAssignmentsIncrease"
        if place.get(small)["MaxAssignments"] == 8:
            extend(HITId=small["HITId"], NumberOfAdditionalAssignments=1)
    extend(HITId=large["HITId"], NumberOfAdditionalAssignments=5)
    assert place.get(large)["NumberOfAssignmentsAvailable"] == 15
    assert invalid(extend, HITId=large["HITId"], NumberOfAdditionalAssignments=0)


def test_a_token_extends_once(place: Place, clock: Clock) -> None:
    """Again within 24 hours: an error with the token in its message; afterwards it extends again."""
    hit = place.hit()
    extend, token = place.client.create_additional_assignments_for_hit, uuid.uuid4().hex
    given = {"HITId": hit["HITId"], "NumberOfAdditionalAssignments": 1, "UniqueRequestToken": token}
    extend(**given)
    assert token in refusal(extend, **given)[1]
    assert place.get(hit)["MaxAssignments"] == 2
    clock(DAY + 1)
    extend(**given)
    assert place.get(hit)["MaxAssignments"] == 3


def test_a_hit_that_cannot_be_paid_is_not_extended(place: Place) -> None:
    """InsufficientFunds, and the HIT stays as it was."""
    hit = place.hit(10, Reward="1.00")
    extend = place.client.create_additional_assignments_for_hit
    code, _ = refusal(extend, HITId=hit["HITId"], NumberOfAdditionalAssignments=900_000_000)
    assert code == "InsufficientFunds"
    assert place.get(hit)["MaxAssignments"] == 10


def test_a_worker_does_a_hit_once(place: Place) -> None:
    """Not twice the same HIT, but each other one of its group."""
    kind = place.hit_type()
    hits = [place.hit(3, **kind) for _ in range(2)]
    worker = place.worker()
    done = {place.assignment(place.answer(worker, hits[0]))["HITId"] for _ in hits}
    assert done == {hit["HITId"] for hit in hits}
    assert worker.accept(hits[0]["HITGroupId"]) is None
