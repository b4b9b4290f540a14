"""How a worker comes to a qualification: what a task asks for, the request, the test in its frame, the answer.

Takes in HTTP requests; gives out pages. A test is shown like a task: in a sandboxed frame, with its time
counted down, and handed in at /mturk/externalSubmit, where the request's id stands for the assignment's.

    GET  /qualifications                       what this worker has and has asked for
    GET  /qualifications/<QualificationTypeId> a page with form#request (csrf, next), or why there is none
    POST /qualifications/<QualificationTypeId> csrf, next; 303 back to that page, or to the test
    GET  /qualifications/requests/<id>         <iframe id="task"> with the test

`next` is where the worker came from, a path of this site; every page leads back to it.

    >>> Lack("Knows colours", "/qualifications/3ABC").words
    'Knows colours'
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from photojury.annotate.marketplace import requirements, workers
from photojury.annotate.marketplace.books import OWN_ACCOUNT, Market
from photojury.annotate.marketplace.questions import question_form
from photojury.annotate.marketplace.requesters import qualification_requests, qualification_types
from photojury.annotate.marketplace.requesters.protocol import RequestError
from photojury.annotate.marketplace.site import files
from photojury.annotate.marketplace.site.pages import (
    Fields,
    SiteError,
    checked,
    local_path,
    market_of,
    page,
    posted,
    site_of,
    worker_of,
)

_ID = re.compile("[A-Z0-9]{1,64}")

_SAID = "/earnings#you"  # where workers say where they live and that they are adults
_SYSTEM = {
    requirements.APPROVED_HITS: "Number of approved tasks",
    requirements.APPROVED_PERCENT: "Percentage of approved tasks",
    requirements.LOCALE: "Country",
    requirements.ADULT: "Aged 18 or older",
    requirements.MASTERS: "Amazon's Masters",
    requirements.MASTERS_SANDBOX: "Amazon's Masters",
}
_COMPARED = {
    "LessThan": "less than",
    "LessThanOrEqualTo": "at most",
    "GreaterThan": "more than",
    "GreaterThanOrEqualTo": "at least",
    "EqualTo": "",
    "NotEqualTo": "not",
    "In": "one of",
    "NotIn": "none of",
}


@dataclass(frozen=True)
class Lack:
    """What a task asks for and a worker has not: in words, and the page that helps; empty where none does."""

    words: str
    link: str


def lacking(market: Market, worker_id: str | None, hit_type: sa.RowMapping) -> list[Lack]:
    """What keeps a worker from accepting the HITs of a type; nothing where they must not know of it."""
    missing = requirements.unmet(market, worker_id, hit_type["requirements"])
    if not requirements.may("discover", missing):
        return []
    return [_lack(market, requirement) for requirement in missing]


def show_mine(request: Request) -> Response:
    """What a worker has, had and has asked for."""
    standings = qualification_requests.of_worker(market_of(request), _worker(request)["worker_id"])
    return page(request, "market_qualifications.html", standings=standings)


def show_type(request: Request) -> Response:
    """A qualification, how it is come by, and where this worker stands with it."""
    market, worker = market_of(request), worker_of(request)
    kind = _kind(request)
    after = _after(request.query_params.get("next", "/"))
    standing = None
    if worker:
        with market.engine.connect() as connection:
            standing = qualification_requests.standing(connection, kind, worker["worker_id"], market.clock())
    return page(
        request,
        "market_qualification.html",
        kind=kind,
        standing=standing,
        by=requester_name(market, kind["account"]),
        next=after,
        here=_here(kind["qualification_type_id"], after),
    )


def do_request(request: Request, fields: Fields) -> Response:
    """Ask for a qualification, or open its test."""
    values = checked(request, fields)
    market, worker, kind = market_of(request), _worker(request), _kind(request)
    after = _after(values.get("next", "/"))
    here = _here(kind["qualification_type_id"], after)
    if workers.must_agree(market, worker):
        return RedirectResponse(f"/consent?next={quote(here)}", 303)
    try:
        made = qualification_requests.apply(market, worker["worker_id"], kind["qualification_type_id"])
    except qualification_requests.ApplyError as error:
        raise SiteError(403, str(error)) from None
    except RequestError:
        raise _gone() from None
    if made["state"] == "Testing":
        return RedirectResponse(f"/qualifications/requests/{made['request_id']}?next={after}", 303)
    return RedirectResponse(here, 303)


def show_test(request: Request) -> Response:
    """The test in its frame with the time that is left; handed in, in the frame, a word to the page around it."""
    market, worker, row = market_of(request), worker_of(request), _request(request)
    here = f"/qualifications/requests/{row['request_id']}"
    if row["state"] != "Testing":
        return page(request, "market_test_sent.html", type_id=row["qualification_type_id"])
    if worker is None or worker["worker_id"] != row["worker_id"]:
        raise SiteError(404, "You have no such test.")
    seconds_left = int(row["deadline"] - market.clock())
    if seconds_left <= 0:
        raise SiteError(410, "The time for this test is over.")
    kind = qualification_types.find(market, row["qualification_type_id"])
    if kind is None:
        raise _gone()
    given = {
        "assignmentId": row["request_id"],
        "workerId": row["worker_id"],
        "turkSubmitTo": site_of(request),
    }
    after = _after(request.query_params.get("next", "/"))
    return page(
        request,
        "market_test.html",
        kind=kind,
        src=f"{here}/test?{urlencode(given)}",
        seconds_left=seconds_left,
        submitted=_here(kind["qualification_type_id"], after),
        request_id=row["request_id"],
    )


def show_questions(request: Request) -> Response:
    """The test's own page, for the frame alone; its id is the key, since the frame has no cookie."""
    row = _request(request)
    if row["state"] != "Testing":
        raise SiteError(404, "There is no such test.")
    return files.framed(request, question_form.render(row["test"]))


def do_hand_in(request: Request, request_id: str, fields: Fields) -> Response:
    """Take in a test's answers, which came to /mturk/externalSubmit."""
    try:
        qualification_requests.hand_in(market_of(request), request_id, fields)
    except qualification_requests.ApplyError as error:
        raise SiteError(400, str(error)) from None
    return RedirectResponse(f"/qualifications/requests/{request_id}", 303)


def requester_name(market: Market, account: str) -> str:
    """How workers are shown a requester account."""
    return market.terms.requester if account == OWN_ACCOUNT else account


ROUTES = [
    Route("/qualifications", show_mine),
    Route("/qualifications/{type_id}", show_type),
    Route("/qualifications/{type_id}", posted(do_request), methods=["POST"]),
    Route("/qualifications/requests/{request_id}", show_test),
    Route("/qualifications/requests/{request_id}/test", show_questions),
]


def _lack(market: Market, requirement: requirements.Requirement) -> Lack:
    type_id, comparator = requirement["QualificationTypeId"], requirement["Comparator"]
    kind = None if type_id in _SYSTEM else qualification_types.find(market, type_id)
    name = _SYSTEM.get(type_id) or (kind["name"] if kind else "A qualification that is no longer given")
    if comparator == "DoesNotExist":
        return Lack(f"Not to have: {name}", "")
    can_be_said = type_id in (requirements.LOCALE, requirements.ADULT)
    link = _SAID if can_be_said else f"/qualifications/{type_id}" if kind else ""
    if comparator == "Exists" or type_id == requirements.ADULT:
        return Lack(name, link)
    places = ("-".join(place.values()) for place in requirement.get("LocaleValues", []))
    values = [*map(str, requirement.get("IntegerValues", [])), *places]
    return Lack(f"{name}: {_COMPARED[comparator]} {', '.join(values)}".replace(":  ", ": "), link)


def _kind(request: Request) -> sa.RowMapping:
    type_id = request.path_params["type_id"]
    row = qualification_types.find(market_of(request), type_id) if _ID.fullmatch(type_id) else None
    if row is None:
        raise _gone()
    return row


def _request(request: Request) -> Any:
    request_id = request.path_params["request_id"]
    found = _ID.fullmatch(request_id) and qualification_requests.find(market_of(request), request_id)
    if not found:
        raise SiteError(404, "You have no such test.")
    return found


def _worker(request: Request) -> sa.RowMapping:
    worker = worker_of(request)
    if worker is None:
        raise SiteError(403, "Join first: this page needs a worker's cookie.")
    return worker


def _after(path: str) -> str:
    # Without a query of its own, it can stand in one as it is.
    return local_path(path.partition("?")[0])


def _here(type_id: str, after: str) -> str:
    return f"/qualifications/{type_id}?next={after}"


def _gone() -> SiteError:
    return SiteError(404, "There is no such qualification.")
