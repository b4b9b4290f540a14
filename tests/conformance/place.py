"""The marketplace under test: its client, its workers, and the HITs, answers and qualifications tests begin with.

Takes in a URL and a boto3 client; gives out what operations answered. Every title and name is new, so that the
suite can run against a marketplace that others use.

    >>> place.hit(2)["HITStatus"]                # doctest: +SKIP
    'Assignable'
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.worker import Worker

SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
DAY = 86_400
NOBODY = "A9NOBODYHASTHISID"
"""A worker id that is well made and nobody's."""


def html_question(page: str = "<!DOCTYPE html><title>Q</title><p>Which one?</p>") -> str:
    """An HTMLQuestion, as MTurk's documentation shows it."""
    return (
        f'<HTMLQuestion xmlns="{SCHEMAS}/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[{page}]]>'
        "</HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>"
    )


def external_question(url: str) -> str:
    """An ExternalQuestion; the URL is escaped already."""
    return (
        f'<ExternalQuestion xmlns="{SCHEMAS}/2006-07-14/ExternalQuestion.xsd"><ExternalURL>{url}</ExternalURL>'
        "<FrameHeight>400</FrameHeight></ExternalQuestion>"
    )


def question_form(identifier: str = "animals") -> str:
    """A QuestionForm with one free text."""
    return (
        f'<QuestionForm xmlns="{SCHEMAS}/2017-11-06/QuestionForm.xsd"><Question>'
        f"<QuestionIdentifier>{identifier}</QuestionIdentifier><IsRequired>true</IsRequired>"
        "<QuestionContent><Text>How many animals?</Text></QuestionContent>"
        "<AnswerSpecification><FreeTextAnswer/></AnswerSpecification></Question></QuestionForm>"
    )


@dataclass
class Place:
    """A marketplace that answers.

    Attributes:
        url: of the requester API and the worker site.
        client: of a requester, every answer of which is checked.
        deliver: sends the notifications that wait, where the marketplace does not do so by itself.
    """

    url: str
    client: Any
    deliver: Callable[[], object]
    workers: list[Worker] = field(default_factory=list)

    def hit_type(self, **changes: Any) -> dict[str, Any]:
        """Parameters of CreateHITType, with a title that no one else has."""
        return {
            "Title": new("Rate photos"),
            "Description": "One to three stars",
            "Keywords": "photo, taste",
            "Reward": "0.20",
            "AssignmentDurationInSeconds": 600,
            "AutoApprovalDelayInSeconds": 3 * DAY,
            **changes,
        }

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of CreateHIT."""
        return self.hit_type(**{"LifetimeInSeconds": DAY, "Question": html_question(), **changes})

    def hit(self, maximum: int = 1, **changes: Any) -> Any:
        """Create a HIT."""
        return self.client.create_hit(MaxAssignments=maximum, **self.parameters(**changes))["HIT"]

    def get(self, hit: Any) -> Any:
        """The HIT as it is now."""
        return self.client.get_hit(HITId=hit["HITId"])["HIT"]

    def counts(self, hit: Any) -> tuple[str, int, int, int]:
        """Status, pending, available, completed."""
        now = self.get(hit)
        pending, available, completed = (
            now[f"NumberOfAssignments{name}"] for name in ("Pending", "Available", "Completed")
        )
        return now["HITStatus"], pending, available, completed

    def worker(self) -> Worker:
        """Somebody new."""
        self.workers.append(Worker(self.url))
        return self.workers[-1]

    def answered(self, hit: Any, number: int = 1) -> list[str]:
        """Let so many new workers answer a HIT; their assignments' ids."""
        return [self.answer(self.worker(), hit) for _ in range(number)]

    def answer(self, worker: Worker, hit: Any, **fields: str) -> str:
        """Let a worker answer a HIT; the assignment's id."""
        assignment_id = worker.accept(hit["HITGroupId"])
        assert assignment_id is not None
        assert worker.submit(assignment_id, **fields)
        return assignment_id

    def assignment(self, assignment_id: str) -> Any:
        """An assignment as it is now."""
        return self.client.get_assignment(AssignmentId=assignment_id)["Assignment"]

    def qualification_type(self, **changes: Any) -> str:
        """Create a qualification type; its id."""
        given = {
            "Name": new("Taste"),
            "Description": "Has taste",
            "QualificationTypeStatus": "Active",
            **changes,
        }
        made: str = self.client.create_qualification_type(**given)["QualificationType"]["QualificationTypeId"]
        return made

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


def new(stem: str) -> str:
    """A text that nobody has used."""
    return f"{stem} {uuid.uuid4().hex[:12]}"


def walked(call: Callable[..., Any], key: str, size: int, **parameters: Any) -> list[Any]:
    """All rows of a list by its NextToken, so many a page; NumResults must count each page's rows."""
    rows: list[Any] = []
    token: dict[str, str] = {}
    while True:
        page = call(MaxResults=size, **parameters, **token)
        assert page["NumResults"] == len(page[key]) <= size
        rows += page[key]
        if "NextToken" not in page:
            return rows
        assert page[key], "a page with a NextToken must not be empty"
        token = {"NextToken": page["NextToken"]}


def paginated(client: Any, operation: str, **parameters: Any) -> Iterator[Any]:
    """The pages of boto3's own paginator, two rows each."""
    yield from client.get_paginator(operation).paginate(**parameters, PaginationConfig={"PageSize": 2})
