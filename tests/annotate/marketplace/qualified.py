"""What the tests of qualifications share: types, requirements, a test with its key, a worker's way to them."""

from typing import Any
from urllib.parse import urlsplit

import requests

from tests.annotate.marketplace.live import Live, Worker, hidden

ADULT = "00000000000000000060"
MASTERS = "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH"
HOUR = 3600
SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
CHOICES = "".join(
    f"<Selection><SelectionIdentifier>{name}</SelectionIdentifier><Text>{name}</Text></Selection>"
    for name in ("red", "green")
)
TEST = (
    f'<QuestionForm xmlns="{SCHEMAS}/2017-11-06/QuestionForm.xsd"><Question>'
    "<QuestionIdentifier>colour</QuestionIdentifier><DisplayName>Colour</DisplayName>"
    "<IsRequired>true</IsRequired><QuestionContent><Text>Which colour has blood?</Text></QuestionContent>"
    "<AnswerSpecification><SelectionAnswer><StyleSuggestion>radiobutton</StyleSuggestion>"
    f"<Selections>{CHOICES}</Selections></SelectionAnswer></AnswerSpecification></Question></QuestionForm>"
)
KEY = (
    f'<AnswerKey xmlns="{SCHEMAS}/2005-10-01/AnswerKey.xsd"><Question>'
    "<QuestionIdentifier>colour</QuestionIdentifier><AnswerOption>"
    "<SelectionIdentifier>red</SelectionIdentifier><AnswerScore>7</AnswerScore></AnswerOption>"
    "</Question></AnswerKey>"
)
TESTED: dict[str, Any] = {"Test": TEST, "TestDurationInSeconds": 600}


def make(client: Any, name: str = "Colours", **changes: Any) -> str:
    """Make a qualification type; its id."""
    given = {"Name": name, "Description": f"About {name}", "QualificationTypeStatus": "Active", **changes}
    made: str = client.create_qualification_type(**given)["QualificationType"]["QualificationTypeId"]
    return made


def asking(type_id: str, comparator: str = "Exists", **more: Any) -> dict[str, Any]:
    """Parameters of create_hit that ask for a qualification."""
    return {"QualificationRequirements": [{"QualificationTypeId": type_id, "Comparator": comparator, **more}]}


def request(worker: Worker, type_id: str) -> requests.Response:
    """Send the form on the qualification's page."""
    page = worker.get(f"/qualifications/{type_id}?next=/projects/3G/tasks").text
    assert 'id="request"' in page, page
    return worker.post(f"/qualifications/{type_id}", csrf=hidden(page), next="/projects/3G/tasks")


def can_request(worker: Worker, type_id: str) -> bool:
    return 'id="request"' in worker.get(f"/qualifications/{type_id}").text


def score(live: Live, worker: Worker, type_id: str) -> int | None:
    found = live.client.get_qualification_score(QualificationTypeId=type_id, WorkerId=worker.worker_id)
    value: int | None = found["Qualification"].get("IntegerValue")
    return value


def give(live: Live, type_id: str, worker_id: str, value: int = 1) -> None:
    live.client.associate_qualification_with_worker(
        QualificationTypeId=type_id, WorkerId=worker_id, IntegerValue=value, SendNotification=False
    )


def open_test(worker: Worker, type_id: str) -> str:
    """Open a test by the form; the request's id."""
    opened = request(worker, type_id)
    assert 'id="task"' in opened.text
    return urlsplit(opened.url).path.rsplit("/", 1)[1]


def hand_in(live: Live, request_id: str, colour: str) -> requests.Response:
    """From the frame, which has no cookie."""
    fields = {"assignmentId": request_id, "answer.colour": colour}
    return requests.post(f"{live.url}/mturk/externalSubmit", fields, timeout=30)
