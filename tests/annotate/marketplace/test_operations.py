"""The requester API as boto3 meets it: answers, errors, limits, pages and tokens."""

import datetime
import re
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from photojury.annotate.marketplace.requesters.operations import OPERATIONS
from tests.annotate.marketplace.live import HIT_TYPE, Live, html_question, refusal

MTURK_ID = re.compile("3[A-Z0-9]{29}")

# From the API reference, CreateHIT: each value is just outside its limits, or not in its form.
OUT_OF_BOUNDS: list[tuple[str, Any]] = [
    ("Title", "x" * 129),
    ("Title", ""),
    ("Description", "x" * 2001),
    ("Keywords", "x" * 1001),
    ("Reward", "0.201"),
    ("Reward", "-1"),
    ("Reward", "1e2"),
    ("AssignmentDurationInSeconds", 29),
    ("AssignmentDurationInSeconds", 31_536_001),
    ("LifetimeInSeconds", 29),
    ("LifetimeInSeconds", 31_536_001),
    ("AutoApprovalDelayInSeconds", -1),
    ("AutoApprovalDelayInSeconds", 2_592_001),
    ("MaxAssignments", 0),
    ("MaxAssignments", 1_000_000_001),
    ("RequesterAnnotation", "x" * 256),
    ("UniqueRequestToken", "x" * 65),
    ("Title", "null\x00byte"),
    ("Question", "x" * 65_536),
]

BAD_QUESTIONS = [
    "plain text",
    "<HTMLQuestion><HTMLContent>x</HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>",
    html_question().replace("<FrameHeight>0</FrameHeight>", ""),
    html_question().replace(">0<", ">tall<"),
    html_question("   "),
    "<!DOCTYPE a [<!ENTITY b 'c'>]>" + html_question(),
    html_question().replace("HTMLContent", "Content"),
]


def external_question(url: str) -> str:
    schema = (
        "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd"
    )
    return (
        f'<ExternalQuestion xmlns="{schema}"><ExternalURL>{url}</ExternalURL>'
        "<FrameHeight>500</FrameHeight></ExternalQuestion>"
    )


def test_a_hit_comes_back_as_it_was_made(live: Live) -> None:
    """Every member that was given is read back, the others have MTurk's defaults."""
    before = live.clock()
    hit = live.hit(2, RequesterAnnotation="batch=1;item=2", Keywords="photo, taste")
    assert MTURK_ID.fullmatch(hit["HITId"])
    assert MTURK_ID.fullmatch(hit["HITTypeId"])
    assert hit["CreationTime"].timestamp() == pytest.approx(before, abs=1e-3)
    assert hit["Expiration"] - hit["CreationTime"] == datetime.timedelta(days=1)
    assert hit["HITStatus"] == "Assignable"
    assert hit["HITReviewStatus"] == "NotReviewed"
    assert (hit["Reward"], hit["MaxAssignments"], hit["Keywords"]) == ("0.20", 2, "photo, taste")
    assert hit["Question"] == html_question()
    assert hit["RequesterAnnotation"] == "batch=1;item=2"
    assert live.get(hit) == hit


def test_equal_hit_types_are_one(live: Live) -> None:
    """The same values give the same type, however the amount is written; any other value a new one."""
    first = live.client.create_hit_type(**HIT_TYPE)["HITTypeId"]
    assert live.client.create_hit_type(**{**HIT_TYPE, "Reward": "0.2"})["HITTypeId"] == first
    assert live.hit()["HITTypeId"] == first
    others: list[dict[str, Any]] = [
        {"Title": "T"}, {"Reward": "0.21"}, {"Keywords": "k"}, {"AutoApprovalDelayInSeconds": 0},
    ]  # fmt: skip
    ids = {live.client.create_hit_type(**{**HIT_TYPE, **change})["HITTypeId"] for change in others}
    assert len(ids | {first}) == len(others) + 1


@pytest.mark.parametrize(("name", "value"), OUT_OF_BOUNDS)
def test_what_is_out_of_bounds_is_refused_by_name(live: Live, name: str, value: Any) -> None:
    """Limits that botocore does not check are checked by the server, and the member is named."""
    given = {**HIT_TYPE, "LifetimeInSeconds": 60, "Question": html_question(), name: value}
    code, message = refusal(live.client.create_hit, **given)
    assert code == "InvalidParameterValue"
    assert name in message
    assert live.client.list_hits()["NumResults"] == 0


@pytest.mark.parametrize("question", BAD_QUESTIONS)
def test_a_question_that_cannot_be_shown_is_refused(live: Live, question: str) -> None:
    """No HIT is made of a question of another kind or with a part missing."""
    parameters = {**HIT_TYPE, "LifetimeInSeconds": 60, "Question": question}
    assert refusal(live.client.create_hit, **parameters)[0] == "XMLParseError"


def test_an_external_url_must_be_https(live: Live) -> None:
    """As on MTurk, but for this machine's own addresses."""
    for url in ("https://example.org/q?a=1&amp;b=2", "http://127.0.0.1:9/q"):
        live.hit(Question=external_question(url))
    parameters = {**HIT_TYPE, "LifetimeInSeconds": 60, "Question": external_question("http://example.org/")}
    assert "must use the HTTPS protocol" in refusal(live.client.create_hit, **parameters)[1]


@pytest.mark.parametrize(
    ("operation", "parameters", "code", "text"),
    [
        ("get_hit", {"HITId": "3NONE"}, "HITDoesNotExist", "Hit 3NONE does not exist."),
        ("delete_hit", {"HITId": "3NONE"}, "HITDoesNotExist", "Hit 3NONE does not exist."),
        ("list_assignments_for_hit", {"HITId": "3NONE"}, "HITDoesNotExist", "Hit 3NONE"),
        ("get_assignment", {"AssignmentId": "3A"}, "AssignmentDoesNotExist", "Assignment 3A does not exist."),
        ("approve_assignment", {"AssignmentId": "3A"}, "AssignmentDoesNotExist", "Assignment 3A"),
        ("get_hit", {"HITId": "lower"}, "InvalidParameterValue", "HITId"),
        ("get_hit", {"HITId": "A" * 65}, "InvalidParameterValue", "HITId"),
        ("list_hits", {"MaxResults": 101}, "InvalidParameterValue", "MaxResults"),
        ("list_hits", {"NextToken": "made-up"}, "InvalidParameterValue", "NextToken"),
        ("list_reviewable_hits", {"Status": "Assignable"}, "InvalidParameterValue", "Status"),
        ("list_bonus_payments", {}, "InvalidParameterValue", "either HITId or AssignmentId"),
        (
            "create_hit_with_hit_type",
            {"HITTypeId": "3NONE", "LifetimeInSeconds": 60, "Question": html_question()},
            "HITTypeDoesNotExist",
            "HITType 3NONE does not exist.",
        ),
        (
            "create_hit_type",
            {**HIT_TYPE, "QualificationRequirements": [
                {"QualificationTypeId": "000", "Comparator": "Exists"}]},
            "QualificationTypeDoesNotExist",
            "QualificationType 000 does not exist.",
        ),
    ],
)  # fmt: skip
def test_errors_carry_mturks_codes_and_words(
    live: Live, operation: str, parameters: dict[str, Any], code: str, text: str
) -> None:
    """Each refusal is a RequestError with its TurkErrorCode, its sentence and the time in milliseconds."""
    got, message = refusal(getattr(live.client, operation), **parameters)
    assert (got, text in message) == (code, True), message
    assert re.search(r"\(\d{13}\)$", message)


def test_all_operations_are_answered(live: Live) -> None:
    """The marketplace has an answer to each of the 39 operations of boto3's model, and to no other."""
    assert set(OPERATIONS) == set(live.client.meta.service_model.operation_names)
    assert len(OPERATIONS) == 39


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"HITId": NaN}', b"\xff", b"[" * 100_000, b"x" * 1_100_000])
def test_a_broken_body_is_refused(live: Live, body: bytes) -> None:
    """Whatever is posted, the answer is a RequestError in JSON."""
    headers = {"X-Amz-Target": "MTurkRequesterServiceV20170117.GetHIT"}
    answer = requests.post(live.url, data=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["__type"]) == (400, "RequestError")


def test_lists_are_paged_without_gaps(live: Live) -> None:
    """Every HIT is listed once over all pages, also when new ones come in between."""
    made = [live.hit()["HITId"] for _ in range(23)]
    first = live.client.list_hits()
    assert first["NumResults"] == 10
    live.clock.move(1)
    live.hit()
    ids = [hit["HITId"] for hit in first["HITs"]]
    token = first["NextToken"]
    while token:
        page = live.client.list_hits(NextToken=token, MaxResults=7)
        ids += [hit["HITId"] for hit in page["HITs"]]
        token = page.get("NextToken")
    assert sorted(ids) == sorted(made)
    pages = live.client.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 5})
    assert sum(len(page["HITs"]) for page in pages) == 24


def test_a_page_token_belongs_to_its_list(live: Live) -> None:
    """The token of one list is refused by another."""
    for _ in range(3):
        live.hit()
    token = live.client.list_hits(MaxResults=1)["NextToken"]
    other = {"HITTypeId": "3X", "NextToken": token}
    assert "NextToken" in refusal(live.client.list_reviewable_hits, **other)[1]


def test_a_request_token_makes_one_hit_a_day(live: Live) -> None:
    """Within 24 hours the replay is an error with the HIT's id; after that it makes another HIT."""
    hit = live.hit(UniqueRequestToken="token-1")
    parameters = {
        **HIT_TYPE, "LifetimeInSeconds": 60, "Question": html_question(), "UniqueRequestToken": "token-1",
    }  # fmt: skip
    live.clock.move(24 * 3600 - 1)
    code, message = refusal(live.client.create_hit, **parameters)
    assert code.lower() == "hitalreadyexists"
    assert hit["HITId"] in message
    live.clock.move(2)
    assert live.client.create_hit(**parameters)["HIT"]["HITId"] != hit["HITId"]


def test_a_refused_hit_does_not_use_up_its_token(live: Live) -> None:
    """What was not made can be tried again with the same token."""
    dear = {**HIT_TYPE, "Reward": "9000", "LifetimeInSeconds": 60, "Question": html_question()}
    call = live.client.create_hit
    assert refusal(call, **dear, UniqueRequestToken="t", MaxAssignments=2)[0] == "InsufficientFunds"
    assert live.hit(UniqueRequestToken="t")["HITStatus"] == "Assignable"


def test_extensions_and_the_border_of_ten(live: Live) -> None:
    """Under ten a HIT grows to nine; from ten on it grows freely; a token extends once."""
    small, large = live.hit(7), live.hit(10)
    extend = live.client.create_additional_assignments_for_hit
    extend(HITId=small["HITId"], NumberOfAdditionalAssignments=2, UniqueRequestToken="t")
    assert live.get(small)["MaxAssignments"] == 9
    again = {"HITId": small["HITId"], "NumberOfAdditionalAssignments": 2, "UniqueRequestToken": "t"}
    assert "has already been processed" in refusal(extend, **again)[1]
    code, _ = refusal(extend, HITId=small["HITId"], NumberOfAdditionalAssignments=1)
    assert code == "InvalidMaximumAssignmentsIncrease"
    extend(HITId=large["HITId"], NumberOfAdditionalAssignments=5)
    assert live.get(large)["NumberOfAssignmentsAvailable"] == 15


def test_answers_come_back_in_order_with_their_times(live: Live) -> None:
    """Assignments are listed as they were handed in; a status narrows the list."""
    hit = live.hit(3)
    ids = []
    for _ in range(3):
        live.clock.move(10)
        ids += live.answered(hit)
    answer = live.client.list_assignments_for_hit(HITId=hit["HITId"])
    assert [each["AssignmentId"] for each in answer["Assignments"]] == ids
    one = answer["Assignments"][0]
    assert one["WorkerId"].startswith("ASIMULATED")
    assert one["AutoApprovalTime"] - one["SubmitTime"] == datetime.timedelta(days=3)
    assert one["Deadline"] - one["AcceptTime"] == datetime.timedelta(seconds=600)
    assert "<QuestionIdentifier>stars</QuestionIdentifier><FreeText>3</FreeText>" in one["Answer"]
    live.client.approve_assignment(AssignmentId=ids[1], RequesterFeedback="thanks")
    listed = live.client.list_assignments_for_hit(HITId=hit["HITId"], AssignmentStatuses=["Approved"])
    assert [each["AssignmentId"] for each in listed["Assignments"]] == [ids[1]]
    found = live.client.get_assignment(AssignmentId=ids[1])
    assert found["Assignment"]["RequesterFeedback"] == "thanks"
    assert found["HIT"]["HITId"] == hit["HITId"]


def test_a_failure_is_a_service_fault_that_botocore_tries_again(live: Live) -> None:
    """With its database gone the marketplace answers 500, and says so in its log, not to the requester."""
    with live.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE market_accounts RENAME TO gone")
    config = Config(retries={"max_attempts": 0})
    client = boto3.client("mturk", region_name="us-east-1", endpoint_url=live.url, config=config)
    with pytest.raises(ClientError) as error:
        client.get_account_balance()
    client.close()
    assert error.value.response["Error"]["Code"] == "ServiceFault"
    assert "market_accounts" not in str(error.value)


def test_a_strange_host_name_is_refused(live: Live) -> None:
    """A web page that points its own name at this machine reaches nothing."""
    answer = requests.get(live.url, headers={"Host": "evil.example:80"}, timeout=30)
    assert answer.status_code == 400
