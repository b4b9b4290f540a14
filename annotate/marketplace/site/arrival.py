"""The doors of the worker site: joining, invitations, Prolific, consent, and what workers say of themselves.

Takes in HTTP requests; gives out pages and cookies. Nobody gives a name, an e-mail address or a password.

    GET  /join                      a page with form#join: csrf, next; POST makes a worker (simulated=1: a simulated one)
    GET  /join/<invitation>         the same for the bearer of an invitation; opened again, it is their way back
    GET  /enter/prolific/<HITId>?PROLIFIC_PID=...&STUDY_ID=...&SESSION_ID=...
                                    whom Prolific has sent; form#accept for that HIT
    GET  /consent?next=...          form#consent: csrf, next
    POST /you                       csrf, country, subdivision, adult

    >>> [route.path for route in ROUTES][:2]
    ['/join', '/join']
"""

import re
import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from photojury.annotate.marketplace import states, work, workers
from photojury.annotate.marketplace.site.pages import (
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
    worker_of,
)
from photojury.errors import InputError

_ID = re.compile("[A-Z0-9]{1,64}")
_SECRET = re.compile("[A-Za-z0-9_-]{20,64}")
_GIVEN = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
_PLACE = re.compile("[A-Z]{2}")


def show_join(request: Request) -> Response:
    """The door: one button, no name, no password."""
    after = local_path(request.query_params.get("next", "/"))
    if worker_of(request):
        return RedirectResponse(after, 303)
    return _door(request, after, invitation="")


def show_invitation(request: Request) -> Response:
    """The door for someone with an invitation."""
    invitation = request.path_params["invitation"]
    if not _SECRET.fullmatch(invitation):
        raise SiteError(404, "This invitation is not complete. Copy the whole link, or ask for a new one.")
    return _door(request, "/", invitation=invitation)


def do_join(request: Request, fields: Fields) -> Response:
    """Make a worker; the cookie gets a new value, so that one that was planted before is worth nothing."""
    values = checked(request, fields)
    market, session = market_of(request), secrets.token_urlsafe(32)
    if values.get("invitation"):
        if workers.redeem(market, values["invitation"], session) is None:
            raise SiteError(404, "There is no such invitation. Copy the whole link, or ask for a new one.")
    elif market.terms.joining != "open":
        raise SiteError(403, "This study takes part by invitation only. Open the link that you were sent.")
    else:
        simulated = values.get("simulated") == "1"
        workers.join(market, session, came_by="simulated" if simulated else "open")
    response = RedirectResponse(local_path(values.get("next", "/")), 303)
    set_session(request, response, session)
    return response


def enter_from_prolific(request: Request) -> Response:
    """Let in someone whom Prolific has sent to one HIT, and offer them that HIT."""
    market, hit_id = market_of(request), request.path_params["hit_id"]
    states.settle(market)
    # A doubled parameter means the first one: query_params would give the last.
    given = {name: (request.query_params.getlist(name) or [""])[0] for name in _GIVEN}
    hit = work.hit(market, hit_id) if _ID.fullmatch(hit_id) else None
    if not market.terms.completion_code or hit is None:
        raise SiteError(404, "This place is not open. Please return your submission on Prolific.")
    if not all(re.fullmatch("[0-9A-Za-z]{1,64}", value) for value in given.values()):
        raise SiteError(400, "Prolific's parameters are missing. Please open the study from Prolific again.")
    session = secrets.token_urlsafe(32)
    try:
        worker_id = workers.arrive(market, given, hit_id, session)
    except InputError:
        raise SiteError(
            400, "The Prolific id is not complete. Please open the study from Prolific again."
        ) from None
    mine = [row for row in work.in_hand(market, worker_id) if row["hit_id"] == hit_id]
    response = page(
        request,
        "market_enter.html",
        hit=hit,
        held=mine,
        csrf=csrf_of(session),
        done=work.did(market, worker_id, hit_id),
    )
    set_session(request, response, session)
    return response


def show_consent(request: Request) -> Response:
    """What a worker agrees to before the first task."""
    after = local_path(request.query_params.get("next", "/"))
    worker = worker_of(request)
    if worker is None:
        return RedirectResponse("/join", 303)
    return page(request, "market_consent.html", terms=market_of(request).terms, next=after)


def do_consent(request: Request, fields: Fields) -> Response:
    """Note that the worker agrees."""
    values = checked(request, fields)
    worker = worker_of(request)
    if worker is None:
        raise SiteError(403, "Join first: this page needs a worker's cookie.")
    workers.agree(market_of(request), worker["worker_id"])
    return RedirectResponse(local_path(values.get("next", "/")), 303)


def do_describe(request: Request, fields: Fields) -> Response:
    """Note the country and the age that a worker gives."""
    values = checked(request, fields)
    worker = worker_of(request)
    if worker is None:
        raise SiteError(403, "Join first: this page needs a worker's cookie.")
    places = [values.get(name, "").strip().upper() for name in ("country", "subdivision")]
    if any(place and not _PLACE.fullmatch(place) for place in places):
        raise SiteError(400, "A country and a state are written with two letters, like DE, or US and CA.")
    country, subdivision = (place or None for place in places)
    adult = values.get("adult") == "1"
    workers.describe(
        market_of(request), worker["worker_id"], country=country, subdivision=subdivision, adult=adult
    )
    return RedirectResponse("/earnings", 303)


def do_leave(request: Request, fields: Fields) -> Response:
    """Sign this browser out."""
    checked(request, fields)
    workers.leave(market_of(request), session_of(request))
    response = RedirectResponse("/", 303)
    set_session(request, response, "")
    return response


def _door(request: Request, after: str, *, invitation: str) -> Response:
    session = session_of(request) or secrets.token_urlsafe(32)
    by_invitation = market_of(request).terms.joining != "open" and not invitation
    response = page(
        request,
        "market_join.html",
        next=after,
        csrf=csrf_of(session),
        invitation=invitation,
        by_invitation=by_invitation,
    )
    set_session(request, response, session)
    return response


ROUTES = [
    Route("/join", show_join),
    Route("/join", posted(do_join), methods=["POST"]),
    Route("/join/{invitation}", show_invitation),
    Route("/enter/prolific/{hit_id}", enter_from_prolific),
    Route("/consent", show_consent),
    Route("/consent", posted(do_consent), methods=["POST"]),
    Route("/you", posted(do_describe), methods=["POST"]),
    Route("/leave", posted(do_leave), methods=["POST"]),
]
