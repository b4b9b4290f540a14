"""What an answer looks like on the wire, held against botocore's model of MTurk.

Takes in the raw HTTP answers of a boto3 client, before botocore leaves out what it does not know; raises
AssertionError for a member that the model has not, a value of a wrong type or form, or an error that is not
made as MTurk's are.

    >>> watch(boto3.client("mturk", endpoint_url=url))       # doctest: +SKIP
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import ListShape, OperationModel, Shape, StringShape, StructureShape

CONTENT_TYPE = "application/x-amz-json-1.1"
MODELLED = ("RequestError", "ServiceFault")
UNMODELLED = ("ParameterValidationError", "ThrottlingException", "ValidationException")
"""Seen from MTurk and not in the model (tylin/coco-ui pull request 4, aws-sdk-java issue 2055)."""

OMITTED = {
    "HIT": {"HITLayoutId", "RequesterAnnotation"},
    "Assignment": {"ApprovalTime", "RejectionTime", "RequesterFeedback"},
    "QualificationType": {
        "Keywords", "Test", "TestDurationInSeconds", "AnswerKey", "RetryDelayInSeconds", "AutoGranted",
        "AutoGrantedValue", "CreationTime",
    },
    "Qualification": {"IntegerValue", "LocaleValue"},
    "QualificationRequest": {"Test", "Answer"},
    "ReviewReport": {"ReviewResults", "ReviewActions"},
    "ReviewResultDetail": {"QuestionId"},
    "ReviewActionDetail": {"CompleteTime", "ErrorCode"},
    "ListReviewPolicyResultsForHITResponse": {
        "AssignmentReviewPolicy", "HITReviewPolicy", "AssignmentReviewReport", "HITReviewReport",
    },
    "QualificationRequirement": {"IntegerValues", "LocaleValues", "RequiredToPreview", "ActionsGuarded"},
    "ReviewPolicy": {"Parameters"},
    "PolicyParameter": {"Values", "MapEntries"},
    "Locale": {"Subdivision"},
}  # fmt: skip
"""Members that an answer may lack, by shape; NextToken besides. All others are always there."""


def watch(client: Any) -> Any:
    """Check every answer that a client gets from now on; returns the client."""
    client.meta.events.register("before-parse.mturk.*", _check)
    return client


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The TurkErrorCode (without its prefix) and the message that a call is refused with."""
    try:
        call(**parameters)
    except ClientError as error:
        kind, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if kind in UNMODELLED:
            return kind, message
        assert kind == "RequestError", error.response
        code: str = error.response["TurkErrorCode"]  # type: ignore[typeddict-item]
        return code.removeprefix("AWS.MechanicalTurk."), message
    raise AssertionError("the call was answered")


def invalid(call: Callable[..., Any], **parameters: Any) -> str:
    """The message of a call that is refused because a value is not valid, in either of MTurk's two ways."""
    code, message = refusal(call, **parameters)
    assert code in ("InvalidParameterValue", "ParameterValidationError", "ValidationException"), code
    return message


def _check(
    operation_model: OperationModel, response_dict: Mapping[str, Any], **_: object
) -> None:  # botocore hands events by name, and more of them with each version
    status, headers = response_dict["status_code"], response_dict["headers"]
    assert headers["content-type"] == CONTENT_TYPE, headers
    assert headers["x-amzn-requestid"], headers
    body = json.loads(response_dict["body"])
    if status == 200:
        shape = operation_model.output_shape
        assert shape is not None
        _conforms(shape, body, operation_model.name)
        return
    kind = body["__type"].rpartition("#")[2]
    assert kind in MODELLED + UNMODELLED, body
    assert status == (500 if kind == "ServiceFault" else 400), body
    if kind == "RequestError":
        assert set(body) == {"__type", "Message", "TurkErrorCode"}, body
        assert re.fullmatch(r"AWS\.MechanicalTurk\.\w+", body["TurkErrorCode"]), body
        assert re.search(r"\(\d{13}( s)?\)$", body["Message"]), body


def _conforms(shape: Shape, value: Any, where: str) -> None:
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), where
        assert set(value) <= set(shape.members), f"{where}: {set(value) - set(shape.members)} unknown"
        absent = set(shape.members) - set(value) - OMITTED.get(shape.name, set()) - {"NextToken"}
        assert not absent, f"{where}: {absent} missing"
        for name, inner in value.items():
            _conforms(shape.members[name], inner, f"{where}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), where
        for inner in value:
            _conforms(shape.member, inner, f"{where}[]")
    elif shape.type_name == "timestamp":
        assert isinstance(value, int | float) and not isinstance(value, bool), f"{where}: {value!r}"
    elif shape.type_name == "boolean":
        assert isinstance(value, bool), f"{where}: {value!r}"
    elif shape.type_name in ("integer", "long"):
        assert isinstance(value, int) and not isinstance(value, bool), f"{where}: {value!r}"
    else:
        _text_conforms(shape, value, where)


def _text_conforms(shape: Shape, value: Any, where: str) -> None:
    assert isinstance(value, str), f"{where}: {value!r}"
    bounds = shape.metadata
    assert bounds.get("min", 0) <= len(value) <= bounds.get("max", len(value)), f"{where}: {value!r}"
    if isinstance(shape, StringShape) and shape.enum:
        assert value in shape.enum, f"{where}: {value!r}"
    if "pattern" in bounds:
        assert re.search(bounds["pattern"], value), f"{where}: {value!r}"
