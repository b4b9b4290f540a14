"""What every page of the worker site is made with: templates, forms, the cookie, and errors that are pages.

Takes in a request; gives out a page, a checked form, or a worker's session.

    >>> local_path("/projects/3ABC/tasks"), local_path("//elsewhere.example/")
    ('/projects/3ABC/tasks', '/')
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jinja2
import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from photojury.annotate.marketplace import ledger, workers
from photojury.annotate.marketplace.books import Market
from photojury.annotate.marketplace.site import messages

LARGEST_ANSWER = 2_000_000
"""Bytes of a form."""

TEMPLATES = Path(__file__).parents[2] / "templates"

_SITE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self' https:; "
    "frame-src 'self' https: http://127.0.0.1:* http://localhost:*; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'"
)

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
)
_templates.filters["dollars"] = ledger.dollars

Fields = Sequence[tuple[str, str]]
"""A form as it came: names and values in order, repeats kept."""


class SiteError(Exception):
    """A page that says what is wrong, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def market_of(request: Request) -> Market:
    """The marketplace that the application was built for."""
    market: Market = request.app.state.market
    return market


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """One HTML page of the site; `values` are the template's."""
    market = market_of(request)
    session = session_of(request)
    worker = worker_of(request)
    shown = {
        "requester": market.terms.requester,
        "contact": market.terms.contact,
        "worker_id": worker["worker_id"] if worker else None,
        "unread": messages.unread(market, worker["worker_id"]) if worker else 0,
        "csrf": csrf_of(session),
        "path": request.url.path,
        **values,
    }
    html = _templates.get_template(template).render(shown)
    headers = {
        "Content-Security-Policy": _SITE_POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status, headers)


def error_page(request: Request, error: Exception) -> Response:
    """The page of a SiteError, or of an address that is not there."""
    status: int = error.status if isinstance(error, SiteError) else getattr(error, "status_code", 500)
    message = str(error) if isinstance(error, SiteError) else "There is no such page."
    return page(request, "market_error.html", status=status, message=message, again=status == 400)


def posted(handle: Callable[[Request, Fields], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that reads a form and handles it in a thread, as the database is not asynchronous."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handle, request, await _fields(request))

    return endpoint


async def _fields(request: Request) -> Fields:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        # Its parts are spooled to the disk as they come, so the whole is measured before: browsers say how long it is.
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            raise SiteError(411, "The answer must say how long it is (Content-Length).")
        if int(length) > LARGEST_ANSWER:
            raise SiteError(413, f"The answer has more than {LARGEST_ANSWER} bytes.")
        async with request.form(max_part_size=LARGEST_ANSWER) as form:
            return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if kind != "application/x-www-form-urlencoded":
        raise SiteError(415, "The answer must be sent as a form (application/x-www-form-urlencoded).")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise SiteError(413, f"The answer has more than {LARGEST_ANSWER} bytes.")
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def checked(request: Request, fields: Fields) -> dict[str, str]:
    """The fields of a form that came from a page of ours: with the csrf value of the worker's own session.

    Raises:
        SiteError: 403, it did not.
    """
    values = dict(fields)
    session = session_of(request)
    if not session or not hmac.compare_digest(values.get("csrf", "").encode(), csrf_of(session).encode()):
        raise SiteError(403, "This form is out of date. Go back, reload the page and try again.")
    return values


def local_path(path: str) -> str:
    """A path to go on to, or / where it would lead off this site."""
    # Only a path on this site: neither //host nor /\host, which browsers take for another one.
    return path if re.fullmatch(r"/(?![/\\])[\w/?=&.-]*", path, re.ASCII) else "/"


def site_of(request: Request) -> str:
    """The address that the browser knows this site by, without a path."""
    public = market_of(request).terms.public_url.rstrip("/")
    return public or f"{request.url.scheme}://{request.url.netloc}"


def worker_of(request: Request) -> sa.RowMapping | None:
    """The worker whose cookie came with a request, or None; looked up once for each request."""
    if not hasattr(request.state, "worker"):
        request.state.worker = workers.worker_of(market_of(request), session_of(request))
    found: sa.RowMapping | None = request.state.worker
    return found


def session_of(request: Request) -> str:
    """The secret in the worker's cookie, or an empty text."""
    return request.cookies.get(_cookie(request), "")


def set_session(request: Request, response: Response, session: str) -> None:
    """Put the secret into the cookie: for a year, out of reach of scripts and of other sites."""
    response.set_cookie(
        _cookie(request),
        session,
        max_age=365 * 86400 if session else 0,
        httponly=True,
        samesite="lax",
        path="/",
        secure=site_of(request).startswith("https:"),
    )


def csrf_of(session: str) -> str:
    """What a session's forms carry: nobody who does not know the cookie can make it up."""
    return hashlib.sha256(f"csrf:{session}".encode()).hexdigest()[:32]


def _cookie(request: Request) -> str:
    # Cookies know no ports; two marketplaces on one machine must not log each other's workers out.
    return f"photojury_{urlsplit(site_of(request)).port or 80}"
