"""The worker site: tasks listed, previewed, accepted, worked on in a sandboxed frame, handed in.

Takes in HTTP requests of browsers; gives out HTML. Nothing here trusts a question page: it lives in an
iframe without an origin, and all that it can do is send its answers to /mturk/externalSubmit.

What programs that act as raters (photojury.annotate.simulation.simulate, MTurk scripts) may rely on:

    GET  /join                      hidden input `csrf`, cookie set; POST csrf, next="/...", and simulated=1 for a
                                    worker whose id starts with ASIMULATED; 303 to `next` (see arrival.py)
    GET  /                          a link to /projects/<HITGroupId>/tasks for each group with work for this worker
    GET  /projects/<id>/tasks       preview (HITGroupId or HITTypeId): <iframe id="task"> and <form id="accept">
                                    with hidden `csrf`; without the form there is nothing to accept
    POST /projects/<id>/accept      csrf; 303 to /tasks/<AssignmentId>, to /projects/<id>/thanks: nothing left, or to
                                    /consent?next=..., whose form#consent (csrf, next) leads back
    GET  /tasks/<AssignmentId>      <iframe id="task" src="..."> with assignmentId, hitId, workerId, turkSubmitTo
    POST /tasks/<AssignmentId>/return   csrf; 303 to the group's preview
    POST /mturk/externalSubmit      assignmentId and the answers, urlencoded, no cookie needed; 303 to
    GET  /mturk/submitted?assignmentId=...   with <form id="accept"> for the group's next HIT, or, where none is
                                    left, the thank-you page without that form
    GET  /messages                  what requesters have written to this worker
    GET  /qualifications/<QualificationTypeId>   what a task asks for, requested here (see qualifying.py)

    >>> [route.path for route in ROUTES][:3]
    ['/', '/projects/{group_id}/tasks', '/projects/{group_id}/accept']

A question page may talk to the page around it by postMessage; both sides work without the other:

    to the parent   {photojury: "hello"}                    answered with {photojury: "state", draft, done}: the draft
                                                            kept last, or null, and how many HITs of the type are done
                    {photojury: "draft", draft: text}       kept, for after a reload
                    {photojury: "picture", url}             answered with {photojury: "picture", url, bytes, type} or
                                                            {..., failed: true}; a frame without an origin has no cache
                                                            of its own, the page around it has loaded ahead
"""

import re
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from photojury.annotate.marketplace import states, work, workers
from photojury.annotate.marketplace.books import Market
from photojury.annotate.marketplace.questions import questions
from photojury.annotate.marketplace.requesters import qualification_requests
from photojury.annotate.marketplace.site import arrival, files, messages, qualifying
from photojury.annotate.marketplace.site.pages import (
    Fields,
    SiteError,
    checked,
    market_of,
    page,
    posted,
    site_of,
    worker_of,
)

NOT_AVAILABLE = "ASSIGNMENT_ID_NOT_AVAILABLE"
"""The assignmentId of a preview, as on MTurk."""

_ID = re.compile("[A-Z0-9]{1,64}")
_LARGEST_DRAFT = 500_000


def show_list(request: Request) -> Response:
    """The groups with work for this worker, and what is in hand."""
    market, worker = _settled(request)
    held = work.in_hand(market, worker["worker_id"]) if worker else []
    groups = [] if _only_sent(worker) else work.groups(market, worker["worker_id"] if worker else None)
    return page(request, "market_list.html", groups=groups, held=held, now=market.clock())


def show_preview(request: Request) -> Response:
    """The task as it looks, before it is accepted."""
    market, worker = _settled(request)
    group = _group(request)
    worker_id = worker["worker_id"] if worker else None
    allowed = work.may(market, worker_id, "preview", group) and not _only_sent(worker)
    hit = work.next_hit(market, worker_id, group["hit_type_id"]) if allowed else None
    held = work.in_hand(market, worker_id, group["hit_type_id"]) if worker_id else []
    may_accept = work.may(market, worker_id, "accept", group)
    frame = None
    if hit:
        given = {"assignmentId": NOT_AVAILABLE, "hitId": hit["hit_id"], "turkSubmitTo": site_of(request)}
        frame = _frame(hit["hit_id"], hit["question"], given)
    return page(
        request,
        "market_preview.html",
        group=group,
        hit=hit,
        held=held,
        frame=frame,
        may_accept=may_accept,
        lacks=[] if may_accept else qualifying.lacking(market, worker_id, group),
        now=market.clock(),
    )


def redirect_preview(request: Request) -> Response:
    """MTurk's own address of a preview, which requesters' scripts print."""
    group_id = request.query_params.get("groupId", "")
    if not _ID.fullmatch(group_id):
        raise SiteError(404, "There is no such group of tasks.")
    return RedirectResponse(f"/projects/{group_id}/tasks", 303)


def do_accept(request: Request, fields: Fields) -> Response:
    """Take the next task of a group, or, where a worker was sent to one, that one."""
    values = checked(request, fields)
    market, group, worker = market_of(request), _group(request), _worker(request)
    here = f"/projects/{group['hit_group_id']}/tasks"
    hit_id = values.get("hit")
    visit = workers.sent_by(market, worker["worker_id"], hit_id) if hit_id else None
    if hit_id is not None and visit is None:
        raise SiteError(403, "You were not sent to this task.")
    if _only_sent(worker) and hit_id is None:
        raise SiteError(403, "On Prolific, each task is a place of its own. Please go on from there.")
    if workers.must_agree(market, worker):
        back = _entrance(visit) if visit else here
        return RedirectResponse(f"/consent?next={quote(back)}", 303)
    if not work.may(market, worker["worker_id"], "accept", group):
        raise SiteError(403, "This task asks for a qualification that you do not have.")
    assignment_id = work.accept(market, worker["worker_id"], group["hit_type_id"], hit_id)
    if assignment_id is None:
        if hit_id:
            raise SiteError(410, "This place is taken. Please return your submission on Prolific.")
        return RedirectResponse(f"/projects/{group['hit_group_id']}/thanks", 303)
    return RedirectResponse(f"/tasks/{assignment_id}", 303)


def show_work(request: Request) -> Response:
    """The task in its frame, with the time that is left."""
    market, _ = _settled(request)
    row = _own_assignment(request)
    if row["status"] in states.HANDED_IN:
        return RedirectResponse(_submitted_path(row["assignment_id"]), 303)
    if row["status"] != "Accepted":
        ended = (
            "You returned this task." if row["status"] == "Returned" else "The time for this task is over."
        )
        raise SiteError(410, ended)
    given = {
        "assignmentId": row["assignment_id"],
        "hitId": row["hit_id"],
        "workerId": row["worker_id"],
        "turkSubmitTo": site_of(request),
    }
    return page(
        request,
        "market_work.html",
        task=row,
        frame=_frame(row["hit_id"], row["question"], given),
        seconds_left=max(0, int(row["deadline"] - market.clock())),
        submitted=_submitted_path(row["assignment_id"]),
        draft=row["draft"] or "",
        done=work.done_in_group(market, row["worker_id"], row["hit_type_id"]),
        sent=workers.sent_by(market, row["worker_id"], row["hit_id"]),
    )


def show_next(request: Request) -> Response:
    """The pictures of the task that this worker would get next, so that the browser can have them ready."""
    row = _own_assignment(request)
    market = market_of(request)
    following = work.next_hit(market, row["worker_id"], row["hit_type_id"])
    pictures = files.pictures_of(following["question"]) if following else []
    return JSONResponse({"pictures": pictures}, headers={"Cache-Control": "no-store"})


def do_draft(request: Request, fields: Fields) -> Response:
    """Keep the unfinished answers of a task."""
    values = checked(request, fields)
    row = _own_assignment(request)
    draft = values.get("draft", "")
    if len(draft) > _LARGEST_DRAFT:
        raise SiteError(413, f"A draft has at most {_LARGEST_DRAFT} characters.")
    work.keep_draft(market_of(request), row["assignment_id"], draft)
    return Response(status_code=204)


def do_return(request: Request, fields: Fields) -> Response:
    """Give a task back."""
    checked(request, fields)
    row = _own_assignment(request)
    work.give_back(market_of(request), row["assignment_id"])
    return RedirectResponse(f"/projects/{row['hit_group_id']}/tasks", 303)


def do_submit(request: Request, fields: Fields) -> Response:
    """Take in the answers of a question page; the assignment's id is the key, since its frame has no cookie."""
    # A page that names the field twice means the first (a known trap of doubled query parameters).
    named = [value for name, value in fields if name == "assignmentId"]
    if not named or named[0] == NOT_AVAILABLE:
        raise SiteError(400, "This is a preview. Accept the task first, then answer it.")
    if not _ID.fullmatch(named[0]):
        raise SiteError(400, "This assignment does not exist. Accept a task first, then answer it.")
    given = [field for field in fields if field[0] != "assignmentId"]
    if named[0].startswith(qualification_requests.FIRST):
        return qualifying.do_hand_in(request, named[0], given)
    try:
        work.submit(market_of(request), named[0], given)
    except work.SubmitError as error:
        raise SiteError(400, str(error)) from None
    return RedirectResponse(_submitted_path(named[0]), 303)


def show_submitted(request: Request) -> Response:
    """After handing in: the next task of the group, or thanks. In the frame it only tells the page around it."""
    market, worker = _settled(request)
    assignment_id = request.query_params.get("assignmentId", "")
    row = work.assignment(market, assignment_id) if _ID.fullmatch(assignment_id) else None
    if row is None or row["status"] not in states.HANDED_IN:
        raise SiteError(404, "Nothing was handed in here.")
    own = worker is not None and worker["worker_id"] == row["worker_id"]
    if own and workers.sent_by(market, row["worker_id"], row["hit_id"]):
        return page(request, "market_back.html", task=row, code=market.terms.completion_code)
    more = own and work.may(market, row["worker_id"], "accept", row)
    if own and not (more and work.next_hit(market, row["worker_id"], row["hit_type_id"])):
        return _thanks(request, market, row["worker_id"], row["title"])
    return page(
        request, "market_submitted.html", task=row, own=own, earned=work.earnings(market, row["worker_id"])
    )


def show_thanks(request: Request) -> Response:
    """Nothing is left in a group: thanks, what was earned, and what else there is."""
    market, _ = _settled(request)
    return _thanks(request, market, _worker(request)["worker_id"], _group(request)["title"])


def show_earnings(request: Request) -> Response:
    """A worker's own account."""
    market, _ = _settled(request)
    worker = _worker(request)
    earned = work.earnings(market, worker["worker_id"])
    return page(request, "market_earnings.html", earned=earned, worker=worker, now=market.clock())


def show_messages(request: Request) -> Response:
    """What requesters have written to this worker."""
    market, worker_id = market_of(request), _worker(request)["worker_id"]
    rows = messages.show(market, worker_id)
    names = {row["account"]: qualifying.requester_name(market, row["account"]) for row in rows}
    return page(request, "market_messages.html", messages=rows, names=names, now=market.clock())


ROUTES = [
    Route("/", show_list),
    Route("/projects/{group_id}/tasks", show_preview),
    Route("/projects/{group_id}/accept", posted(do_accept), methods=["POST"]),
    Route("/projects/{group_id}/thanks", show_thanks),
    Route("/mturk/preview", redirect_preview),
    Route("/tasks/{assignment_id}", show_work),
    Route("/tasks/{assignment_id}/next", show_next),
    Route("/tasks/{assignment_id}/draft", posted(do_draft), methods=["POST"]),
    Route("/tasks/{assignment_id}/return", posted(do_return), methods=["POST"]),
    Route("/mturk/externalSubmit", posted(do_submit), methods=["POST"]),
    Route("/mturk/submitted", show_submitted),
    Route("/earnings", show_earnings),
    Route("/messages", show_messages),
    *arrival.ROUTES,
    *qualifying.ROUTES,
    *files.ROUTES,
]


def _settled(request: Request) -> tuple[Market, sa.RowMapping | None]:
    market = market_of(request)
    states.settle(market)
    return market, worker_of(request)


def _worker(request: Request) -> sa.RowMapping:
    worker = worker_of(request)
    if worker is None:
        raise SiteError(403, "Join first: this page needs a worker's cookie.")
    return worker


def _only_sent(worker: sa.RowMapping | None) -> bool:
    """Whether a worker does only what they are sent to: Prolific pays for that, and for nothing else."""
    return worker is not None and worker["came_by"] == "prolific"


def _entrance(visit: sa.RowMapping) -> str:
    given = {
        "PROLIFIC_PID": visit["worker_id"].removeprefix("AP").lower(),
        "STUDY_ID": visit["study_id"],
        "SESSION_ID": visit["session_id"],
    }
    return f"/enter/prolific/{visit['hit_id']}?{urlencode(given)}"


def _own_assignment(request: Request) -> Any:
    worker_id, assignment_id = _worker(request)["worker_id"], request.path_params["assignment_id"]
    row = work.assignment(market_of(request), assignment_id) if _ID.fullmatch(assignment_id) else None
    if row is None or row["worker_id"] != worker_id:
        raise SiteError(404, "You have no such task.")
    return row


def _group(request: Request) -> Any:
    group_id = request.path_params["group_id"]
    row = work.group(market_of(request), group_id) if _ID.fullmatch(group_id) else None
    if row is None:
        raise SiteError(404, "There is no such group of tasks.")
    return row


def _thanks(request: Request, market: Market, worker_id: str, title: str) -> Response:
    earned, others = work.earnings(market, worker_id), work.groups(market, worker_id)
    return page(request, "market_thanks.html", title=title, earned=earned, groups=others)


def _frame(hit_id: str, question: str, given: dict[str, str]) -> dict[str, object]:
    """Where the frame's page is, with MTurk's four parameters, and its height (0: fill the window)."""
    parsed = questions.parse(question)
    address = parsed.url or f"/questions/{hit_id}"
    joint = "&" if urlsplit(address).query else "?"
    return {"src": f"{address}{joint}{urlencode(given)}", "height": parsed.frame_height}


def _submitted_path(assignment_id: str) -> str:
    return f"/mturk/submitted?assignmentId={assignment_id}"
