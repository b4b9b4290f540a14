"""The worker site: tasks listed, previewed, accepted, worked on in a sandboxed frame, handed in.

Takes in HTTP requests of browsers; gives out HTML. Nothing here trusts a question page: it lives in an
iframe without an origin, and all that it can do is send its answers to /mturk/externalSubmit.

What programs that act as raters (photojury.annotate.simulate, MTurk scripts) may rely on:

    GET  /join                      hidden input `csrf`, cookie set; POST csrf, next="/...", and simulated=1 for a
                                    worker whose id starts with ASIMULATED; 303 to `next`
    GET  /                          a link to /projects/<HITGroupId>/tasks for each group with work for this worker
    GET  /projects/<id>/tasks       preview (HITGroupId or HITTypeId): <iframe id="task"> and <form id="accept">
                                    with hidden `csrf`; without the form there is nothing to accept
    POST /projects/<id>/accept      csrf; 303 to /tasks/<AssignmentId>, or to /projects/<id>/thanks: nothing left
    GET  /tasks/<AssignmentId>      <iframe id="task" src="..."> with assignmentId, hitId, workerId, turkSubmitTo
    POST /tasks/<AssignmentId>/return   csrf; 303 to the group's preview
    POST /mturk/externalSubmit      assignmentId and the answers, urlencoded, no cookie needed; 303 to
    GET  /mturk/submitted?assignmentId=...   with <form id="accept"> for the group's next HIT, or, where none is
                                    left, the thank-you page without that form

    >>> [route.path for route in ROUTES][:3]
    ['/', '/join', '/join']
"""

import re
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from photojury.annotate.marketplace import questions, states, work
from photojury.annotate.marketplace.books import Market, hits
from photojury.annotate.marketplace.pages import (
    TEMPLATES,
    Fields,
    SiteError,
    checked,
    csrf_of,
    local_path,
    market_of,
    page,
    posted,
    session_of,
    set_session,
    site_of,
)
from photojury.datasets.images import MEDIA_TYPES

NOT_AVAILABLE = "ASSIGNMENT_ID_NOT_AVAILABLE"
"""The assignmentId of a preview, as on MTurk."""

STATIC = {
    "market.css": "text/css",
    "market.js": "text/javascript",
    "externalHIT_v1.js": "text/javascript",
}

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_ID = re.compile("[A-Z0-9]{1,64}")
_IMAGE = re.compile(rf"[0-9a-f]{{64}}\.({'|'.join(MEDIA_TYPES)})")
# The frame has no origin of its own, and its answers can go to this site only.
_QUESTION_POLICY = (
    "sandbox allow-scripts allow-forms; default-src 'none'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' https:; style-src 'self' 'unsafe-inline' https:; "
    "img-src * data: blob:; media-src * data: blob:; font-src 'self' https: data:; connect-src 'self' https:; "
    "form-action {site}/mturk/; base-uri 'none'; frame-ancestors 'self'"
)
# Pages written for MTurk name its hosts, which are gone; here they mean this site.
_MTURK_HOSTS = re.compile(r"https?://(?:www|workersandbox|worker)\.mturk\.com(?=/mturk/externalSubmit)")
_MTURK_SCRIPT = re.compile(
    r"https?://(?:s3\.amazonaws\.com/mturk-public|mturk-public\.s3\.amazonaws\.com)/(?=externalHIT_v1\.js)"
)


def show_list(request: Request) -> Response:
    """The groups with work for this worker, and what is in hand."""
    market, worker_id = _settled(request)
    held = work.in_hand(market, worker_id) if worker_id else []
    return page(
        request, "market_list.html", groups=work.groups(market, worker_id), held=held, now=market.clock()
    )


def show_join(request: Request) -> Response:
    """The door: one button, no name, no password."""
    after = local_path(request.query_params.get("next", "/"))
    if work.worker_of(market_of(request), session_of(request)):
        return RedirectResponse(after, 303)
    session = session_of(request) or secrets.token_urlsafe(32)
    response = page(request, "market_join.html", next=after, csrf=csrf_of(session))
    set_session(request, response, session)
    return response


def do_join(request: Request, fields: Fields) -> Response:
    """Make a worker; the cookie gets a new value, so that one that was planted before is worth nothing."""
    values = checked(request, fields)
    session = secrets.token_urlsafe(32)
    work.join(market_of(request), session, simulated=values.get("simulated") == "1")
    response = RedirectResponse(local_path(values.get("next", "/")), 303)
    set_session(request, response, session)
    return response


def show_preview(request: Request) -> Response:
    """The task as it looks, before it is accepted."""
    market, worker_id = _settled(request)
    group = _group(request)
    hit = work.next_hit(market, worker_id, group["hit_type_id"])
    held = work.in_hand(market, worker_id, group["hit_type_id"]) if worker_id else []
    frame = None
    if hit:
        given = {"assignmentId": NOT_AVAILABLE, "hitId": hit["hit_id"], "turkSubmitTo": site_of(request)}
        frame = _frame(hit["hit_id"], hit["question"], given)
    return page(
        request, "market_preview.html", group=group, hit=hit, held=held, frame=frame, now=market.clock()
    )


def redirect_preview(request: Request) -> Response:
    """MTurk's own address of a preview, which requesters' scripts print."""
    group_id = request.query_params.get("groupId", "")
    if not _ID.fullmatch(group_id):
        raise SiteError(404, "There is no such group of tasks.")
    return RedirectResponse(f"/projects/{group_id}/tasks", 303)


def do_accept(request: Request, fields: Fields) -> Response:
    """Take the next task of a group."""
    checked(request, fields)
    group = _group(request)
    worker_id = _worker(request)
    assignment_id = work.accept(market_of(request), worker_id, group["hit_type_id"])
    if assignment_id is None:
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
    )


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
    try:
        work.submit(market_of(request), named[0], [field for field in fields if field[0] != "assignmentId"])
    except work.SubmitError as error:
        raise SiteError(400, str(error)) from None
    return RedirectResponse(_submitted_path(named[0]), 303)


def show_submitted(request: Request) -> Response:
    """After handing in: the next task of the group, or thanks. In the frame it only tells the page around it."""
    market, worker_id = _settled(request)
    assignment_id = request.query_params.get("assignmentId", "")
    row = work.assignment(market, assignment_id) if _ID.fullmatch(assignment_id) else None
    if row is None or row["status"] not in states.HANDED_IN:
        raise SiteError(404, "Nothing was handed in here.")
    own = worker_id == row["worker_id"]
    more = own and work.next_hit(market, worker_id, row["hit_type_id"])
    if own and not more:
        return _thanks(request, market, row["worker_id"], row["title"])
    return page(
        request, "market_submitted.html", task=row, own=own, earned=work.earnings(market, row["worker_id"])
    )


def show_thanks(request: Request) -> Response:
    """Nothing is left in a group: thanks, what was earned, and what else there is."""
    market, _ = _settled(request)
    return _thanks(request, market, _worker(request), _group(request)["title"])


def show_earnings(request: Request) -> Response:
    """A worker's own account."""
    market, _ = _settled(request)
    return page(
        request, "market_earnings.html", earned=work.earnings(market, _worker(request)), now=market.clock()
    )


def show_question(request: Request) -> Response:
    """The HTML of a HIT's question, for the frame alone."""
    hit_id = request.path_params["hit_id"]
    row = _hit_question(market_of(request), hit_id) if _ID.fullmatch(hit_id) else None
    html = questions.parse(row).html if row else None
    if html is None:
        raise SiteError(404, "There is no such question.")
    site = site_of(request)
    html = _MTURK_SCRIPT.sub(f"{site}/static/", _MTURK_HOSTS.sub(site, html))
    headers = {
        "Content-Security-Policy": _QUESTION_POLICY.format(site=site),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)


def show_image(request: Request) -> Response:
    """A stored picture; its name is its content, so it may be kept for ever."""
    name = request.path_params["name"]
    path = market_of(request).images_folder / name[:2] / name
    if not _IMAGE.fullmatch(name) or not path.is_file():
        raise SiteError(404, "There is no such picture.")
    # The frame has no origin, so a picture that it fetches needs leave; the pictures are shown to everybody.
    headers = {**_FOREVER, "Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, headers=headers, media_type=MEDIA_TYPES[path.suffix[1:]])


def show_static(request: Request) -> Response:
    """The site's style sheet and scripts."""
    name = request.path_params["name"]
    if name not in STATIC:
        raise SiteError(404, "There is no such file.")
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return FileResponse(TEMPLATES / name, headers=headers, media_type=STATIC[name])


ROUTES = [
    Route("/", show_list),
    Route("/join", show_join),
    Route("/join", posted(do_join), methods=["POST"]),
    Route("/projects/{group_id}/tasks", show_preview),
    Route("/projects/{group_id}/accept", posted(do_accept), methods=["POST"]),
    Route("/projects/{group_id}/thanks", show_thanks),
    Route("/mturk/preview", redirect_preview),
    Route("/tasks/{assignment_id}", show_work),
    Route("/tasks/{assignment_id}/return", posted(do_return), methods=["POST"]),
    Route("/mturk/externalSubmit", posted(do_submit), methods=["POST"]),
    Route("/mturk/submitted", show_submitted),
    Route("/earnings", show_earnings),
    Route("/questions/{hit_id}", show_question),
    Route("/images/{name}", show_image),
    Route("/static/{name}", show_static),
]


def _settled(request: Request) -> tuple[Market, str | None]:
    market = market_of(request)
    states.settle(market)
    return market, work.worker_of(market, session_of(request))


def _worker(request: Request) -> str:
    worker_id = work.worker_of(market_of(request), session_of(request))
    if worker_id is None:
        raise SiteError(403, "Join first: this page needs a worker's cookie.")
    return worker_id


def _own_assignment(request: Request) -> Any:
    worker_id, assignment_id = _worker(request), request.path_params["assignment_id"]
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


def _hit_question(market: Market, hit_id: str) -> str | None:
    row = market.row(sa.select(hits.c.question, hits.c.status).where(hits.c.hit_id == hit_id))
    return row["question"] if row and row["status"] != "Disposed" else None


def _frame(hit_id: str, question: str, given: dict[str, str]) -> dict[str, object]:
    """Where the frame's page is, with MTurk's four parameters, and its height (0: fill the window)."""
    parsed = questions.parse(question)
    address = parsed.url or f"/questions/{hit_id}"
    joint = "&" if urlsplit(address).query else "?"
    return {"src": f"{address}{joint}{urlencode(given)}", "height": parsed.frame_height}


def _submitted_path(assignment_id: str) -> str:
    return f"/mturk/submitted?assignmentId={assignment_id}"
