"""A stand-in for Prolific's API on loopback, written from its reference (docs.prolific.com/api-reference, 2026-10).

It keeps studies, submissions, bonuses, groups and hooks in memory, checks what the reference says is checked,
and fails on demand: busy (429 with Retry-After), broken (500), cut (the connection ends after the call was
carried out), held (the answer never comes).

    with fake_prolific() as fake:
        fake.fail("POST /studies/", "cut")
        requests.get(f"{fake.url}/users/me/", headers={"Authorization": f"Token {fake.token}"}).json()
"""

import base64
import csv
import hashlib
import hmac
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

Json = dict[str, Any]

FEE_PERCENT = 42.8
MOVES = {
    ("UNPUBLISHED", "PUBLISH"): "ACTIVE",
    ("ACTIVE", "PAUSE"): "PAUSED",
    ("PAUSED", "START"): "ACTIVE",
    ("ACTIVE", "STOP"): "COMPLETED",
    ("PAUSED", "STOP"): "COMPLETED",
}
NEEDED = (
    "name",
    "description",
    "prolific_id_option",
    "total_available_places",
    "estimated_completion_time",
    "reward",
)


class FakeProlific:
    """Prolific's books, and the calls that were made."""

    def __init__(self) -> None:
        self.token = "tok_" + "s3cret" * 5
        self.hook_secret = "hook-secret"
        self.url = ""
        self.server: uvicorn.Server | None = None
        self.empty()

    def empty(self) -> None:
        """Forget everything that happened, for the next test."""
        self.currency = "USD"
        self.page_size = 3  # small, so that few submissions make many pages
        self.links = True
        self.later = False  # approve in bulk only when `catch_up` is called
        self.studies: dict[str, Json] = {}
        self.submissions: dict[str, Json] = {}
        self.bulk: dict[str, Json] = {}
        self.groups: dict[str, Json] = {}
        self.hooks: dict[str, Json] = {}
        self.calls: list[str] = []
        self.bodies: list[tuple[str, Any]] = []
        self.approving: list[str] = []
        self.paid_by_approval: dict[str, int] = {}
        self._faults: dict[str, list[str]] = {}
        self._numbers = itertools.count(1)

    def fail(self, call: str, *faults: str) -> None:
        """Let the next calls of "METHOD /path" (or any, for "*") fail: busy, broken, cut or held."""
        self._faults.setdefault(call, []).extend(faults)

    def count(self, call: str) -> int:
        """How often a call was made."""
        return sum(one == call or one.startswith(call + " ") for one in self.calls)

    def new_id(self) -> str:
        """24 hexadecimal digits, as MongoDB makes them."""
        return f"{next(self._numbers):024x}"

    def join(self, study_id: str, pid: str, status: str = "AWAITING REVIEW", code: str | None = None) -> str:
        """A participant's visit; returns the submission's id."""
        name = self.new_id()
        self.submissions[name] = {
            "id": name,
            "study_id": study_id,
            "participant_id": pid,
            "status": status,
            "started_at": "2026-10-01T10:00:00Z",
            "completed_at": "2026-10-01T10:05:00Z",
            "has_siblings": False,
            "study_code": code,
            "bonus_payments": [],
        }
        return name

    def catch_up(self) -> None:
        """Do the bulk approvals that were put off."""
        for name in self.approving:
            self.approve(name)
        self.approving.clear()

    def approve(self, name: str) -> None:
        """Approve and pay, once."""
        one = self.submissions[name]
        if one["status"] != "APPROVED":
            one["status"] = "APPROVED"
            self.paid_by_approval[name] = self.paid_by_approval.get(name, 0) + 1

    def event(self, body: bytes, timestamp: int, event_id: str) -> dict[str, str]:
        """The headers with which Prolific would send a webhook."""
        mac = hmac.new(self.hook_secret.encode(), str(timestamp).encode() + body, hashlib.sha256)
        return {
            "X-Prolific-Request-Signature": base64.b64encode(mac.digest()).decode(),
            "X-Prolific-Request-Timestamp": str(timestamp),
            "X-Event-ID": event_id,
        }

    def take_fault(self, call: str) -> str:
        """The fault that is set for a call, once."""
        for key in (call, "*"):
            if self._faults.get(key):
                return self._faults[key].pop(0)
        return ""


def refusal(status: int, detail: object, title: str = "Bad request") -> JSONResponse:
    """The reference's Error."""
    error = {"status": status, "error_code": status * 100, "title": title, "detail": detail}
    return JSONResponse({"error": error}, status)


def build(fake: FakeProlific) -> Starlette:
    """The API as a Starlette app."""
    routes = [
        Route("/users/me/", call(fake, me)),
        Route("/studies/", call(fake, list_studies), methods=["GET"]),
        Route("/studies/", call(fake, create_study), methods=["POST"]),
        Route("/studies/{id}/", call(fake, get_study), methods=["GET"]),
        Route("/studies/{id}/", call(fake, update_study), methods=["PATCH"]),
        Route("/studies/{id}/transition/", call(fake, move_study), methods=["POST"]),
        Route("/studies/{id}/test-study", call(fake, test_study), methods=["POST"]),
        Route("/study-cost-calculator/", call(fake, calculate), methods=["POST"]),
        Route("/researchers/participants/", call(fake, test_participant), methods=["POST"]),
        Route("/submissions/", call(fake, list_submissions)),
        Route("/submissions/bulk-approve/", call(fake, bulk_approve), methods=["POST"]),
        Route("/submissions/bonus-payments/", call(fake, set_up_bonuses), methods=["POST"]),
        Route("/submissions/{id}/", call(fake, get_submission)),
        Route("/submissions/{id}/transition/", call(fake, move_submission), methods=["POST"]),
        Route("/bulk-bonus-payments/{id}/pay/", call(fake, pay_bonuses), methods=["POST"]),
        Route("/participant-groups/", call(fake, list_groups), methods=["GET"]),
        Route("/participant-groups/", call(fake, create_group), methods=["POST"]),
        Route(
            "/participant-groups/{id}/participants/",
            call(fake, members),
            methods=["GET", "POST", "DELETE"],
        ),
        Route("/hooks/secrets/", call(fake, create_secret), methods=["POST"]),
        Route("/hooks/subscriptions/", call(fake, list_hooks), methods=["GET"]),
        Route("/hooks/subscriptions/", call(fake, subscribe), methods=["POST"]),
        Route("/hooks/subscriptions/{id}/", call(fake, confirm), methods=["POST"]),
    ]
    return Starlette(routes=[Mount("/api/v1", routes=routes)])


Handler = Callable[[FakeProlific, Request, Any], Response]


def call(fake: FakeProlific, handler: Handler) -> Callable[[Request], Any]:
    """Authentication, faults and the record of calls around a handler."""

    async def endpoint(request: Request) -> Response:
        path = request.url.path.removeprefix("/api/v1")
        name = f"{request.method} {path}"
        body = await request.json() if await request.body() else None
        fake.calls.append(f"{name} ?{request.url.query}")
        fake.bodies.append((name, body))
        fault = fake.take_fault(name)
        if fault == "busy":
            return JSONResponse({"error": {"title": "Too many requests"}}, 429, {"Retry-After": "7"})
        if fault == "broken":
            return Response("<html>Bad gateway</html>", 502)
        if request.headers.get("Authorization") != f"Token {fake.token}":
            # As some services do, it says which token it was given.
            return refusal(401, f"Invalid token {request.headers.get('Authorization')}", "Unauthorized")
        answer = handler(fake, request, body)
        if fault == "cut":
            cut(fake, request)
        if fault == "held":
            await anyio.sleep(60)
        return answer

    return endpoint


def cut(fake: FakeProlific, request: Request) -> None:
    """End the connection of a request without an answer."""
    assert fake.server is not None
    for connection in list(fake.server.server_state.connections):
        client = getattr(connection, "client", None)
        if client is not None and request.client is not None and tuple(client) == tuple(request.client):
            connection.transport.abort()


def paged(fake: FakeProlific, request: Request, rows: list[Json]) -> Response:
    """One page, with `_links`; 404 past the last one."""
    size = min(int(request.query_params.get("page_size", 20)), fake.page_size)
    page = int(request.query_params.get("page", 1))
    some = rows[(page - 1) * size : page * size]
    if not some and page > 1:
        return refusal(404, "Invalid page.", "Not found")
    body: Json = {"results": some, "meta": {"count": len(rows)}}
    if fake.links:
        following = None
        if len(rows) >= page * size:  # as the real one does: there may be nothing on the next page
            # Another host than was asked, as in the reference's own examples.
            query = request.url.include_query_params(page=page + 1).query
            following = f"https://elsewhere.example{request.url.path}?{query}"
        body["_links"] = {"next": {"href": following, "title": "Next"}}
    return JSONResponse(body)


def me(fake: FakeProlific, request: Request, body: Any) -> Response:
    return JSONResponse({"id": "a" * 24, "currency_code": fake.currency, "email": "leader@example.org"})


def list_studies(fake: FakeProlific, request: Request, body: Any) -> Response:
    short = ("id", "name", "internal_name", "status", "total_available_places", "reward")
    return paged(fake, request, [{key: one[key] for key in short} for one in fake.studies.values()])


def create_study(fake: FakeProlific, request: Request, body: Any) -> Response:
    missing = {key: ["This field is required."] for key in NEEDED if key not in body}
    if missing:
        return refusal(400, missing)
    if ("access_details" in body) == ("external_study_url" in body):
        return refusal(400, "Provide one of access_details or external_study_url")
    places = sum(one["total_allocation"] for one in body.get("access_details", []))
    if places != body["total_available_places"]:
        return refusal(400, {"access_details": ["The allocations must sum to total_available_places."]})
    hourly = body["reward"] * 60 / body["estimated_completion_time"]
    if hourly < 800:
        return refusal(400, {"reward": ["Reward per hour is below the minimum."]})
    name = fake.new_id()
    fake.studies[name] = {**body, "id": name, "status": "UNPUBLISHED"}
    return JSONResponse(fake.studies[name], 201)


def get_study(fake: FakeProlific, request: Request, body: Any) -> Response:
    return JSONResponse(fake.studies[request.path_params["id"]])


def update_study(fake: FakeProlific, request: Request, body: Any) -> Response:
    study = fake.studies[request.path_params["id"]]
    if body["total_available_places"] < study["total_available_places"]:
        return refusal(400, {"total_available_places": ["Only increasing is allowed."]})
    by_url = {one["external_url"]: one for one in study["access_details"]}
    for one in body["access_details"]:
        if one["external_url"] in by_url:
            by_url[one["external_url"]]["total_allocation"] += one["total_allocation"]
        else:
            study["access_details"].append(dict(one))
    study["total_available_places"] = sum(one["total_allocation"] for one in study["access_details"])
    return JSONResponse(study)


def move_study(fake: FakeProlific, request: Request, body: Any) -> Response:
    study = fake.studies[request.path_params["id"]]
    after = MOVES.get((study["status"], body["action"]))
    if after is None:
        return refusal(400, f"A study that is {study['status']} cannot {body['action']}")
    study["status"] = after
    return JSONResponse(study)


def test_study(fake: FakeProlific, request: Request, body: Any) -> Response:
    if fake.studies[request.path_params["id"]]["status"] != "UNPUBLISHED":
        return refusal(400, "The study must be a draft.")
    name = fake.new_id()
    return JSONResponse({"study_id": name, "study_url": f"https://app.prolific.com/studies/{name}"})


def test_participant(fake: FakeProlific, request: Request, body: Any) -> Response:
    return JSONResponse({"participant_id": fake.new_id(), "email": body["email"]}, 201)


def calculate(fake: FakeProlific, request: Request, body: Any) -> Response:
    rewards = body["reward"] * body["total_available_places"]
    return JSONResponse({"total_cost": rewards * (100 + FEE_PERCENT) / 100})


def list_submissions(fake: FakeProlific, request: Request, body: Any) -> Response:
    wanted = request.query_params["study"]
    rows = [one for one in fake.submissions.values() if one["study_id"] == wanted]
    hidden = ("study_id", "bonus_payments")
    return paged(fake, request, [{k: v for k, v in one.items() if k not in hidden} for one in rows])


def get_submission(fake: FakeProlific, request: Request, body: Any) -> Response:
    one = fake.submissions[request.path_params["id"]]
    detail = {key: one[key] for key in ("id", "study_id", "status", "started_at", "bonus_payments")}
    return JSONResponse({**detail, "participant": one["participant_id"], "entered_code": one["study_code"]})


def move_submission(fake: FakeProlific, request: Request, body: Any) -> Response:
    name = request.path_params["id"]
    if body["action"] != "APPROVE":
        return refusal(400, "this fake approves only")
    if fake.submissions[name]["status"] not in ("AWAITING REVIEW", "APPROVED"):
        return refusal(400, f"Submission is {fake.submissions[name]['status']}")
    fake.approve(name)
    return JSONResponse(fake.submissions[name])


def bulk_approve(fake: FakeProlific, request: Request, body: Any) -> Response:
    fake.approving += body["submission_ids"]
    if not fake.later:
        fake.catch_up()
    return JSONResponse("The request to bulk approve has been made successfully.")


def set_up_bonuses(fake: FakeProlific, request: Request, body: Any) -> Response:
    amounts = {}
    for name, amount in csv.reader(body["csv_bonuses"].splitlines()):
        if name not in fake.submissions or fake.submissions[name]["study_id"] != body["study_id"]:
            return refusal(400, [f"{name} has not taken part in the study"])
        amounts[name] = round(float(amount) * 100)
    bulk = fake.new_id()
    total = sum(amounts.values())
    fake.bulk[bulk] = {"amounts": amounts, "paid": 0}
    whole = total * (100 + FEE_PERCENT) / 100
    return JSONResponse({"id": bulk, "study": body["study_id"], "amount": total, "total_amount": whole}, 201)


def pay_bonuses(fake: FakeProlific, request: Request, body: Any) -> Response:
    bulk = fake.bulk[request.path_params["id"]]
    bulk["paid"] += 1  # "not idempotent": each request pays
    for name, amount in bulk["amounts"].items():
        fake.submissions[name]["bonus_payments"].append(amount)
    return JSONResponse("The bonuses are being paid", 202)


def list_groups(fake: FakeProlific, request: Request, body: Any) -> Response:
    wanted = request.query_params["workspace_id"]
    rows = [{k: v for k, v in g.items() if k != "members"} for g in fake.groups.values()]
    return JSONResponse({"results": [one for one in rows if one["workspace_id"] == wanted]})


def create_group(fake: FakeProlific, request: Request, body: Any) -> Response:
    name = fake.new_id()
    fake.groups[name] = {**body, "id": name, "is_deleted": False, "members": []}
    return JSONResponse({k: v for k, v in fake.groups[name].items() if k != "members"}, 201)


def members(fake: FakeProlific, request: Request, body: Any) -> Response:
    group = fake.groups[request.path_params["id"]]
    given = (body or {}).get("participant_ids", [])
    if request.method == "POST":
        group["members"] += [pid for pid in given if pid not in group["members"]]
    if request.method == "DELETE":
        group["members"] = [pid for pid in group["members"] if pid not in given]
    return JSONResponse({"results": [{"participant_id": pid} for pid in group["members"]]})


def create_secret(fake: FakeProlific, request: Request, body: Any) -> Response:
    return JSONResponse({"id": fake.new_id(), "value": fake.hook_secret, **body}, 201)


def list_hooks(fake: FakeProlific, request: Request, body: Any) -> Response:
    return JSONResponse({"results": [one for one in fake.hooks.values() if one["is_enabled"]]})


def subscribe(fake: FakeProlific, request: Request, body: Any) -> Response:
    if not body["target_url"].startswith("https://"):
        return refusal(400, {"target_url": ["must use https"]})
    name = fake.new_id()
    fake.hooks[name] = {**body, "id": name, "is_enabled": False}
    return JSONResponse(fake.hooks[name], 201, {"X-Hook-Secret": f"proof-{name}"})


def confirm(fake: FakeProlific, request: Request, body: Any) -> Response:
    hook = fake.hooks[request.path_params["id"]]
    if body != {"secret": f"proof-{hook['id']}"}:
        return refusal(400, "wrong secret")
    hook["is_enabled"] = True
    return JSONResponse(hook)


@contextmanager
def fake_prolific() -> Iterator[FakeProlific]:
    """Serve a new fake until the end of the block."""
    fake = FakeProlific()
    # Named as TCP, so that asyncio sets TCP_NODELAY: else every answer waits 40 ms for an acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        config = uvicorn.Config(
            build(fake), log_level="critical", timeout_graceful_shutdown=0, lifespan="off"
        )
        fake.server = uvicorn.Server(config)
        thread = threading.Thread(target=fake.server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not fake.server.started:
                time.sleep(0.005)
            yield fake
        finally:
            fake.server.should_exit = True
            thread.join(10)
