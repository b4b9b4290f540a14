"""The curation page's server, on this machine's loopback address alone.

Takes in a study; gives out a Starlette application, served by uvicorn until Ctrl-C.

    >>> serve(study, port=8710, by="ann", ready=print)              # doctest: +SKIP
    http://127.0.0.1:8710
"""

import asyncio
import dataclasses
import errno
import json
import secrets
import socket
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from photojury import analysis
from photojury.analysis.thumbnails import jpeg
from photojury.collect.curation import gallery
from photojury.collect.curation.deciding import Decision, decide
from photojury.collect.curation.gallery import SHOWN, Wanted
from photojury.collect.curation.guard import Guard
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError

HOST = "127.0.0.1"

SMALL, LARGE = 400, 1800
"""Pixels of the longer side: on a card of the sheet, and in the large view."""

_LARGEST_BODY = 10_000
_TEMPLATES = Path(__file__).parents[1] / "templates"
_FOLDERS = (_TEMPLATES, Path(str(analysis.__file__)).parent / "templates")


def build_app(study: Study, *, by: str, port: int) -> Starlette:
    """The application.

    Args:
        study: whose pictures.
        by: who decides, as written into every decision.
        port: under which it is reached; requests for another host or port are refused.
    """
    secret = secrets.token_urlsafe(24)
    app = Starlette(
        routes=[
            Route("/", _page),
            Route("/curate.css", _style),
            Route("/curate.js", _script),
            Route("/favicon.ico", _no_icon),
            Route("/small/{image_id}", _small),
            Route("/large/{image_id}", _large),
            Route("/facts/{image_id}", _facts),
            Route("/decide", _decide, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, hosts=(f"{HOST}:{port}", f"localhost:{port}"), secret=secret)],
        exception_handlers={InputError: _refused},
    )
    app.state.study, app.state.by, app.state.secret = study, by, secret
    app.state.templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDERS), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return app


def serve(study: Study, *, port: int, by: str, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C.

    Args:
        study: whose pictures.
        port: 0 takes any that is free.
        by: who decides.
        ready: called with the page's address once it answers.

    Raises:
        InputError: the port is in use.
        KeyboardInterrupt: Ctrl-C.
    """
    with _listen(port) as listener:
        number = listener.getsockname()[1]
        app = build_app(study, by=by, port=number)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        asyncio.run(_serve(server, listener, lambda: ready(f"http://{HOST}:{number}")))


async def _serve(server: uvicorn.Server, listener: socket.socket, ready: Callable[[], None]) -> None:
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not running.done():
        await asyncio.sleep(0.01)
    if server.started:
        ready()
    await running


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY; without it each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise InputError(f"port {port} is not free; name another with --port (0 takes any that is)") from None
    return listener


# Starlette runs plain functions in threads: the store and the decoder wait for nobody else.


def _page(request: Request) -> Response:
    study = _study(request)
    wanted = _wanted(request.query_params)
    choices = gallery.choices(study)
    html = request.app.state.templates.get_template("curate.html").render(
        name=study.settings.study.name,
        by=request.app.state.by,
        secret=request.app.state.secret,
        wanted=wanted,
        choices=choices,
        orders=gallery.ORDERS,
        page=gallery.cards(study, wanted),
        link=lambda **changes: _link(wanted, changes),
    )
    return HTMLResponse(html)


def _style(request: Request) -> Response:
    text = request.app.state.templates.get_template("curate.css").render()
    return Response(text, media_type="text/css")


def _script(request: Request) -> Response:
    return Response((_TEMPLATES / "curate.js").read_bytes(), media_type="text/javascript")


def _no_icon(request: Request) -> Response:
    return Response(status_code=204)


def _small(request: Request) -> Response:
    return _picture(request, _small_jpeg)


def _large(request: Request) -> Response:
    return _picture(request, _large_jpeg)


def _picture(request: Request, make: Callable[[Path], bytes]) -> Response:
    """A picture made anew: smaller, and without what else its file may hold."""
    study, table = _study(request), tables.images
    columns = (table.c.image_id, table.c.format)
    # Asked every time: what was taken out for good is not shown from memory either.
    shown = (table.c.image_id == request.path_params["image_id"]) & table.c.status.in_(SHOWN)
    rows = study.rows(sa.select(*columns).where(shown))
    if not rows:
        return PlainTextResponse("There is no such picture.\n", 404)
    try:
        data = make(study.image_path(**rows[0]))
    except OSError:
        return PlainTextResponse("The picture's file is missing or damaged.\n", 404)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})


@lru_cache(maxsize=2000)
def _small_jpeg(path: Path) -> bytes:
    return jpeg(path, longest=SMALL, quality=74)


@lru_cache(maxsize=16)
def _large_jpeg(path: Path) -> bytes:
    return jpeg(path, longest=LARGE, quality=88)


def _facts(request: Request) -> Response:
    found = gallery.facts(_study(request), request.path_params["image_id"])
    return JSONResponse(found) if found else PlainTextResponse("There is no such picture.\n", 404)


async def _decide(request: Request) -> Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise InputError("a decision is never that long")
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("image_id"), str):
        raise InputError("a decision is a JSON object with image_id, status and reason")
    decision = Decision(str(asked.get("status")), str(asked.get("reason") or ""))
    made = await run_in_threadpool(
        decide, _study(request), asked["image_id"], decision, by=request.app.state.by
    )
    return JSONResponse(dataclasses.asdict(made))


def _refused(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 400)


def _study(request: Request) -> Study:
    study: Study = request.app.state.study
    return study


def _wanted(asked: Mapping[str, str]) -> Wanted:
    """What the address asks for; names that it does not know are left out."""
    known = {field.name: asked[field.name] for field in dataclasses.fields(Wanted) if field.name in asked}
    values: dict[str, Any] = {**known, "descending": known.get("descending") == "yes"}
    return Wanted(**{**values, "sort": values.get("sort") or "image"})


def _link(wanted: Wanted, changes: Mapping[str, str]) -> str:
    """The address of the same gallery with some changes, from its first page unless these say otherwise."""
    values = {**dataclasses.asdict(wanted), "after": "", "before": "", **changes}
    values["descending"] = "yes" if wanted.descending else ""
    return "/?" + urlencode({name: value for name, value in values.items() if value})
