"""AWS JSON 1.1 as boto3's `mturk` client speaks it: requests checked, errors and pages put into its form.

Takes in the X-Amz-Target header and the body of a POST; gives out the operation's name and its parameters,
checked against botocore's own model of MTurk and, beyond what botocore checks, against the patterns, lengths
and ranges of MTurk's API reference (CreateHIT operation page, 2014 text, which 2017-01-17 left as it was).

    >>> read("MTurkRequesterServiceV20170117.GetHIT", b'{"HITId": "3ABC"}')
    ('GetHIT', {'HITId': '3ABC'})
"""

import base64
import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import botocore.loaders
import botocore.model
import sqlalchemy as sa
from botocore.utils import parse_to_aware_datetime
from botocore.validate import ParamValidator

TARGET = "MTurkRequesterServiceV20170117."
CONTENT_TYPE = "application/x-amz-json-1.1"

LARGEST_BODY = 1_000_000
"""Bytes of a request; the largest member, Question, has 65,535 at most."""

DEFAULT_PAGE = 10

_MOST = 2**31 - 1  # an Integer of the API has 32 bits

LENGTHS = {
    "Title": (1, 128),
    "Description": (1, 2000),
    "Keywords": (0, 1000),
    "RequesterAnnotation": (0, 255),
    "RequesterFeedback": (0, 1024),
    "Reason": (1, 4096),
    "Name": (1, 200),
    "Subject": (1, 200),
    "MessageText": (1, 4096),
}
"""Characters of texts, by the member's name. That of Name is ours: the reference sets none, an index has to."""

RANGES = {
    "LifetimeInSeconds": (30, 31_536_000),
    "AssignmentDurationInSeconds": (30, 31_536_000),
    "MaxAssignments": (1, 1_000_000_000),
    "NumberOfAdditionalAssignments": (1, 1_000_000_000),
    "AutoApprovalDelayInSeconds": (0, 2_592_000),
    "TestDurationInSeconds": (1, _MOST),
    "RetryDelayInSeconds": (0, _MOST),
    "AutoGrantedValue": (-_MOST, _MOST),
    "IntegerValue": (-_MOST, _MOST),
}
"""Values of whole numbers, by the member's name."""

_LONGEST_AMOUNT = 10  # 9999999.99: far beyond any balance, within a database integer
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class RequestError(Exception):
    """What MTurk answers to a request that it refuses: HTTP 400, `RequestError`, with a TurkErrorCode.

    Args:
        code: without its prefix AWS.MechanicalTurk.
        message: one sentence; the milliseconds of the time are put behind it, as MTurk does.

    Attributes:
        kind: the error's type, which boto3 shows as its Code.
    """

    kind = "RequestError"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def body(self, now: float) -> dict[str, str]:
        """The JSON of the answer."""
        return {
            "__type": self.kind,
            "Message": f"{self} ({int(now * 1000)})",
            "TurkErrorCode": f"AWS.MechanicalTurk.{self.code}",
        }


def service_fault(now: float) -> dict[str, str]:
    """The JSON of HTTP 500, after which botocore tries again by itself."""
    return {
        "__type": "ServiceFault",
        "Message": f"The marketplace failed; its log says why. ({int(now * 1000)})",
        "TurkErrorCode": "AWS.ServiceFault",
    }


def read(target: str, body: bytes) -> tuple[str, dict[str, Any]]:
    """The operation that a request names and its parameters, checked.

    Raises:
        RequestError: naming the member that is missing, of a wrong type or out of its bounds.
    """
    operation = target.removeprefix(TARGET)
    if operation == target or operation not in model().operation_names:
        raise RequestError("UnknownOperation", f"There is no operation {target[:100]!r} in this API.")
    if len(body) > LARGEST_BODY:
        raise RequestError("InvalidParameterValue", f"The request has more than {LARGEST_BODY} bytes.")
    try:
        request = json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RequestError("InvalidParameterValue", "The body of the request is not JSON.") from None
    shape = model().operation_model(operation).input_shape
    assert shape is not None, "every operation of MTurk has parameters"
    try:
        report = ParamValidator().validate(request, shape)
    except (ValueError, OverflowError, TypeError, RecursionError):
        raise RequestError("InvalidParameterValue", "A value of the request cannot be read.") from None
    if report.has_errors():
        raise RequestError(
            "InvalidParameterValue", f"Parameter validation failed: {report.generate_report()}"
        )
    _check(shape, request, "")
    return operation, request


@functools.cache
def model() -> botocore.model.ServiceModel:
    """MTurk's operations and shapes, as boto3 has them."""
    description = botocore.loaders.Loader().load_service_model("mturk", "service-2")
    return botocore.model.ServiceModel(description, "mturk")


def timestamp(value: Any) -> float:
    """Seconds since 1970 of a timestamp as boto3 sends it: a number, or ISO 8601."""
    try:
        when: datetime = parse_to_aware_datetime(value)
        return when.timestamp()
    except (ValueError, OverflowError, OSError, TypeError):
        raise RequestError("InvalidParameterValue", f"{value!r} is not a time.") from None


def page(
    fetch: Callable[["sa.Select[Any]"], Sequence[sa.RowMapping]],
    query: "sa.Select[Any]",
    order: tuple["sa.ColumnElement[Any]", "sa.ColumnElement[Any]"],
    request: Mapping[str, Any],
    *,
    newest_first: bool = False,
) -> tuple[list[sa.RowMapping], dict[str, Any]]:
    """One page of a list, found by the last row of the page before: nothing is shown twice or left out.

    Args:
        fetch: runs a query.
        query: the whole list.
        order: a time and an id, which together order the list without ties.
        request: the parameters, with NextToken and MaxResults where given.
        newest_first: falling order.

    Returns:
        The rows, and NumResults with NextToken where there is more.
    """
    size = request.get("MaxResults", DEFAULT_PAGE)
    asked = _fingerprint(request)
    if "NextToken" in request:
        last = sa.tuple_(*(sa.literal(value) for value in _from_token(request["NextToken"], asked)))
        here = sa.tuple_(*order)
        query = query.where(here < last if newest_first else here > last)
    directed = [column.desc() if newest_first else column.asc() for column in order]
    rows = list(fetch(query.order_by(*directed).limit(size + 1)))
    answer: dict[str, Any] = {"NumResults": min(len(rows), size)}
    if len(rows) > size:
        last_row = rows[size - 1]
        answer["NextToken"] = _to_token([last_row[column.key or ""] for column in order], asked)
    return rows[:size], answer


def _to_token(position: list[Any], asked: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*position, asked]).encode()).decode()


def _from_token(token: str, asked: str) -> tuple[float, str]:
    try:
        when, key, fingerprint = json.loads(base64.urlsafe_b64decode(token), parse_constant=_no_constant)
    except (ValueError, TypeError):
        when, key, fingerprint = None, None, None
    if not isinstance(when, float) or not isinstance(key, str) or fingerprint != asked:
        raise RequestError("InvalidParameterValue", "The NextToken is not one that this list has given out.")
    return when, key


def _fingerprint(request: Mapping[str, Any]) -> str:
    # A token belongs to one list: other parameters, other list.
    rest = {name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:12]


def _check(shape: botocore.model.Shape, value: Any, name: str) -> None:
    """Check what botocore does not: patterns, longest texts, largest numbers, enumerations."""
    if isinstance(shape, botocore.model.StructureShape):
        for member, inner in value.items():
            _check(shape.members[member], inner, member)
    elif isinstance(shape, botocore.model.ListShape):
        for inner in value:
            _check(shape.member, inner, name)
    elif shape.type_name == "string":
        _check_text(shape, value, name)
    elif shape.type_name in ("integer", "long"):
        _check_number(shape, value, name)


def _check_text(shape: botocore.model.Shape, value: str, name: str) -> None:
    low, high = LENGTHS.get(name, (0, shape.metadata.get("max")))
    if len(value) < low or (high is not None and len(value) > high):
        raise _wrong(name, value, f"it must have {low or shape.metadata.get('min', 0)} to {high} characters")
    if isinstance(shape, botocore.model.StringShape) and shape.enum and value not in shape.enum:
        raise _wrong(name, value, f"it must be one of {', '.join(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value, re.ASCII):
        raise _wrong(name, value, f"it must match {pattern}")
    if shape.name == "CurrencyAmount" and len(value) > _LONGEST_AMOUNT:
        raise _wrong(name, value, f"it must have at most {_LONGEST_AMOUNT} characters")
    if _UNSTORABLE.search(value):
        raise _wrong(name, value, "it holds a character that XML does not allow")


def _check_number(shape: botocore.model.Shape, value: int, name: str) -> None:
    low, high = RANGES.get(name, (shape.metadata.get("min"), shape.metadata.get("max")))
    if isinstance(value, bool) or (low is not None and value < low) or (high is not None and value > high):
        raise _wrong(name, value, f"it must be a whole number from {low} to {high}")


def _wrong(name: str, value: object, why: str) -> RequestError:
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:80] + "…"
    return RequestError("InvalidParameterValue", f"The value {shown} of parameter {name} is invalid: {why}.")


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")
