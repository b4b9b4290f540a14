"""A marketplace in this process for tests, with a clock that they move, and a worker who walks its pages."""

import html
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import requests
import sqlalchemy as sa
import uvicorn
from botocore.exceptions import ClientError

from photojury.annotate.marketplace.books import Market, Terms
from photojury.annotate.marketplace.clock import MovableClock
from photojury.annotate.marketplace.requesters.accounts import add_account
from photojury.annotate.marketplace.server import build_app
from photojury.datasets.store import open_engine

HTML_SCHEMA = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"
PAGE = "<!doctype html><title>Q</title><p>Which one?</p>"
HIT_TYPE: dict[str, Any] = {
    "Title": "Rate photos",
    "Description": "One to three stars",
    "Reward": "0.20",
    "AssignmentDurationInSeconds": 600,
    "AutoApprovalDelayInSeconds": 3 * 86_400,
}


def html_question(page: str = PAGE, height: int = 0) -> str:
    """An HTMLQuestion, written by hand as MTurk's documentation shows it."""
    return (
        f'<HTMLQuestion xmlns="{HTML_SCHEMA}"><HTMLContent><![CDATA[{page}]]></HTMLContent>'
        f"<FrameHeight>{height}</FrameHeight></HTMLQuestion>"
    )


@dataclass
class Live:
    """A marketplace that answers: its URL, a boto3 client for it, its clock and its database."""

    url: str
    client: Any
    clock: MovableClock
    engine: sa.Engine
    images: Path
    visitors: "list[Worker]" = field(default_factory=list)
    clients: list[Any] = field(default_factory=list)

    def hit(self, maximum: int = 1, **changes: Any) -> Any:
        """Create one HIT; `changes` go over the defaults."""
        given = {**HIT_TYPE, "LifetimeInSeconds": 86_400, "Question": html_question(), **changes}
        return self.client.create_hit(MaxAssignments=maximum, **given)["HIT"]

    def get(self, hit: Any) -> Any:
        """The HIT as it is now."""
        return self.client.get_hit(HITId=hit["HITId"])["HIT"]

    def counts(self, hit: Any) -> tuple[str, int, int, int]:
        """Status, pending, available, completed."""
        now = self.get(hit)
        names = ("Pending", "Available", "Completed")
        pending, available, completed = (now[f"NumberOfAssignments{name}"] for name in names)
        return now["HITStatus"], pending, available, completed

    def balance(self) -> tuple[str, str]:
        """Available and on hold, as MTurk writes them."""
        answer = self.client.get_account_balance()
        return answer["AvailableBalance"], answer["OnHoldBalance"]

    def worker(self, *, simulated: bool = True) -> "Worker":
        """A worker who has joined."""
        worker = self.visitor()
        worker.join(simulated=simulated)
        return worker

    def visitor(self) -> "Worker":
        """A browser that has not joined."""
        self.visitors.append(Worker(self.url))
        return self.visitors[-1]

    def requester(self, name: str) -> Any:
        """A boto3 client that signs for an account of its own."""
        key, secret = add_account(Market(self.engine, self.images, self.clock), name)
        client = boto3.client(
            "mturk",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )
        self.clients.append(client)
        return client

    def answered(self, hit: Any, workers: int = 1) -> list[str]:
        """Let so many new workers answer a HIT; returns the assignments' ids."""
        return [self.worker().answer(hit["HITGroupId"]) for _ in range(workers)]


class Worker:
    """A rater's browser, as far as the site's documented hooks go."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=30)

    def post(self, path: str, **fields: str) -> requests.Response:
        return self.session.post(self.url + path, data=fields, timeout=30)

    @property
    def worker_id(self) -> str:
        """The id that the site shows this worker."""
        found = re.search(r"<code>(\w+)</code>", self.get("/").text)
        assert found
        return found[1]

    def join(self, *, simulated: bool) -> None:
        page = self.get("/join")
        extra = {"simulated": "1"} if simulated else {}
        self.post("/join", csrf=hidden(page.text), next="/", **extra)

    def accept(self, group: str) -> str | None:
        """Accept by the preview's form; the assignment's id, or None where no form is offered."""
        page = self.get(f"/projects/{group}/tasks")
        if 'id="accept"' not in page.text:
            return None
        done = self.post(f"/projects/{group}/accept", csrf=hidden(page.text))
        return done.url.rsplit("/", 1)[1] if "/tasks/" in done.url and done.ok else None

    def submit(self, assignment_id: str, **fields: str) -> requests.Response:
        """Hand in from the frame, which has no cookie; then follow the way on with the cookie."""
        data = {"assignmentId": assignment_id, **(fields or {"stars": "3"})}
        sent = requests.post(f"{self.url}/mturk/externalSubmit", data, allow_redirects=False, timeout=30)
        return self.get(sent.headers["location"]) if sent.status_code == 303 else sent

    def answer(self, group: str, **fields: str) -> str:
        """Accept and hand in; returns the assignment's id."""
        assignment_id = self.accept(group)
        assert assignment_id is not None
        assert self.submit(assignment_id, **fields).ok
        return assignment_id

    def close(self) -> None:
        self.session.close()


def hidden(page: str) -> str:
    """The csrf value of a page."""
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found, page
    return found[1]


def frame_source(page: str) -> str:
    """The address in the frame of a page."""
    found = re.search(r'<iframe id="task"[^>]* src="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    """The TurkErrorCode (without its prefix) and the message that a call is refused with."""
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "RequestError", error.response
        code: str = error.response["TurkErrorCode"]  # type: ignore[typeddict-item]
        return code.removeprefix("AWS.MechanicalTurk."), error.response["Error"]["Message"]
    raise AssertionError("the call was answered")


@contextmanager
def running(database: str, images: Path, terms: Terms | None = None) -> Iterator[Live]:
    """A marketplace on a database, on a free port of this machine."""
    engine, clock = open_engine(database), MovableClock()
    app = build_app(engine, images, clock, terms or Terms(requester="tests", contact="leader@example.org"))
    # The protocol is named as in server.serve: else asyncio leaves Nagle's delay on, 40 ms for each answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.005)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    client = boto3.client("mturk", region_name="us-east-1", endpoint_url=url)
    live = Live(url, client, clock, engine, images)
    try:
        yield live
    finally:
        for each in (client, *live.clients):
            each.close()
        for visitor in live.visitors:
            visitor.close()
        server.should_exit = True
        thread.join()
        listener.close()
        engine.dispose()
