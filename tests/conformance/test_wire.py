"""What holds for every operation: parameters are checked by the server, lists refuse tokens that are not theirs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import pytest
import requests
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ListShape, ServiceModel, Shape, StringShape, StructureShape

from tests.conformance.place import Place
from tests.conformance.wire import UNMODELLED, invalid, watch

MODEL = ServiceModel(botocore.loaders.Loader().load_service_model("mturk", "service-2"), "mturk")
TARGET = "MTurkRequesterServiceV20170117"


def inputs(operation: str) -> StructureShape:
    shape = MODEL.operation_model(operation).input_shape
    assert shape is not None
    return shape


def members() -> list[tuple[str, str, Shape]]:
    return [
        (operation, name, shape)
        for operation in MODEL.operation_names
        for name, shape in inputs(operation).members.items()
    ]


REQUIRED = [(op, name) for op, name, _ in members() if name in inputs(op).required_members]
PATTERNED = [(op, name) for op, name, shape in members() if "pattern" in shape.metadata]
BOUNDED = [(op, name) for op, name, shape in members() if "max" in shape.metadata]
ENUMERATED = [(op, name) for op, name, shape in members() if isinstance(shape, StringShape) and shape.enum]
SCALAR = [(op, name) for op, name, s in members() if s.type_name not in ("list", "structure", "timestamp")]


@pytest.fixture(scope="module")
def blind(place: Place) -> Iterator[Any]:
    """A client that sends whatever it is given."""
    config = Config(parameter_validation=False, retries={"max_attempts": 0})
    client = boto3.client("mturk", region_name="us-east-1", endpoint_url=place.url, config=config)
    yield watch(client)
    client.close()


def plausible(shape: Shape) -> Any:
    """A value of a shape that is well made, and names nothing that there is."""
    if isinstance(shape, StructureShape):
        return {name: plausible(shape.members[name]) for name in shape.required_members}
    if isinstance(shape, ListShape):
        return [plausible(shape.member)]
    if isinstance(shape, StringShape) and shape.enum:
        return shape.enum[0]
    if shape.name == "CurrencyAmount":
        return "0.10"
    if shape.type_name == "string":
        return "A9NONE"
    return {"boolean": False, "timestamp": 0}.get(shape.type_name, 60)


def call(client: Any, operation: str) -> Any:
    return getattr(client, xform_name(operation))


def request(operation: str) -> dict[str, Any]:
    given: dict[str, Any] = plausible(inputs(operation))
    return given


@pytest.mark.parametrize(("operation", "name"), REQUIRED)
def test_a_required_member_that_is_missing_is_named(blind: Any, operation: str, name: str) -> None:
    """As MTurk does: member `reason` must not be null (boto3 issue 1223)."""
    given = request(operation)
    del given[name]
    assert name.lower() in invalid(call(blind, operation), **given).lower()


@pytest.mark.parametrize(("operation", "name"), PATTERNED)
def test_a_pattern_of_the_model_is_kept(blind: Any, operation: str, name: str) -> None:
    """botocore does not check patterns, MTurk did."""
    given = {**request(operation), name: "not -valid"}
    assert name.lower() in invalid(call(blind, operation), **given).lower()


@pytest.mark.parametrize(("operation", "name"), BOUNDED)
def test_a_maximum_of_the_model_is_kept(blind: Any, operation: str, name: str) -> None:
    """Ids and tokens end at their length, MaxResults at 100; zero and nothing are refused too."""
    shape = inputs(operation).members[name]
    number = shape.type_name == "integer"
    for value in (shape.metadata["max"] + 1, 0) if number else ("A" * (shape.metadata["max"] + 1), ""):
        assert name.lower() in invalid(call(blind, operation), **{**request(operation), name: value}).lower()


@pytest.mark.parametrize(("operation", "name"), ENUMERATED)
def test_an_enumeration_of_the_model_is_kept(blind: Any, operation: str, name: str) -> None:
    """A value that is none of the model's is refused."""
    given = {**request(operation), name: "Sometimes"}
    assert name.lower() in invalid(call(blind, operation), **given).lower()


@pytest.mark.parametrize(("operation", "name"), SCALAR)
def test_a_value_of_a_wrong_type_is_refused(blind: Any, operation: str, name: str) -> None:
    """An object where a text, number or truth value is due is the requester's error, not the server's."""
    with pytest.raises(ClientError) as error:
        call(blind, operation)(**{**request(operation), name: {"an": "object"}})
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.value.response["Error"]["Code"] in ("RequestError", "SerializationException", *UNMODELLED)


@pytest.mark.parametrize("operation", [name for name in MODEL.operation_names if name.startswith("List")])
def test_a_forged_token_is_refused(place: Place, operation: str) -> None:
    """No list begins anywhere because of a NextToken that it has not given out."""
    hit = place.hit()
    known = {"HITId": hit["HITId"], "MustBeRequestable": False}
    if "QualificationTypeId" in inputs(operation).members:
        known["QualificationTypeId"] = place.qualification_type()
    given = {name: value for name, value in known.items() if name in inputs(operation).members}
    assert "NextToken" in invalid(call(place.client, operation), **given, NextToken="bWFkZSB1cA==")


def test_an_unknown_operation_is_refused(place: Place) -> None:
    """The answer is an error of the protocol, whatever the operation is called."""
    for target in (f"{TARGET}.RegisterHITType", "", "Other.GetHIT"):
        answer = requests.post(place.url, data="{}", headers={"X-Amz-Target": target}, timeout=30)
        assert answer.status_code == 400
        assert "__type" in answer.json()


def test_times_are_taken_as_numbers_and_as_text(place: Place, blind: Any) -> None:
    """boto3 sends seconds; other clients send ISO 8601."""
    hit = place.hit()
    for at in (4_102_444_800, "2100-01-01T00:00:00Z"):
        blind.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=at)
        assert place.get(hit)["Expiration"].timestamp() == 4_102_444_800


@pytest.mark.parametrize("operation", MODEL.operation_names)
def test_the_suite_meets_every_operation(operation: str) -> None:
    """Each of the 39 is called in a file of its area, beside what is checked of all of them here."""
    here = Path(__file__)
    others = "".join(path.read_text() for path in here.parent.glob("test_*.py") if path != here)
    assert f".{xform_name(operation)}" in others or f'"{xform_name(operation)}"' in others
