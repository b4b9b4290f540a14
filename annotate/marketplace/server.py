"""The marketplace as one HTTP server: the requester API at POST /, the worker site at GET /.

Takes in a study's engine and its images folder; gives out a Starlette application, served by uvicorn.

    >>> app = build_app(study.engine, study.images_folder)        # doctest: +SKIP
    >>> serve(app, "127.0.0.1", 8700, ready=print)                # doctest: +SKIP
"""

import asyncio
import errno
import json
import logging
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from photojury.annotate.marketplace import operations, pages, protocol, worker_site
from photojury.annotate.marketplace.books import open_market
from photojury.annotate.marketplace.clock import Clock, system_clock
from photojury.errors import InputError

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class LocalOnly:
    """Refuses requests whose Host is not this machine, so that no web page can reach in by DNS rebinding."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and Request(scope).url.hostname not in LOOPBACK:
            refusal = PlainTextResponse("This marketplace serves only this machine.\n", 400)
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


def build_app(
    engine: sa.Engine,
    images_folder: Path,
    clock: Clock = system_clock,
    *,
    fee_percent: float = 20.0,
    requester: str = "photojury",
    contact: str = "",
) -> Starlette:
    """The marketplace on a study's database; its tables are made where they are not there yet.

    Args:
        engine: of photojury.datasets.store.open_engine.
        images_folder: the study's stored pictures, served below /images.
        clock: tells seconds since 1970; tests move it.
        fee_percent: of each reward and bonus.
        requester: the name that workers are shown.
        contact: the e-mail address that workers are shown; may be empty.
    """
    market = open_market(
        engine, images_folder, clock, fee_percent=fee_percent, requester=requester, contact=contact
    )
    app = Starlette(
        routes=[Route("/", _requester, methods=["POST"]), *worker_site.ROUTES],
        middleware=[Middleware(LocalOnly)],
        exception_handlers={
            pages.SiteError: pages.error_page,
            HTTPException: pages.error_page,
        },
    )
    app.state.market = market
    return app


def serve(app: Starlette, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        app: of build_app.
        host: a loopback address.
        port: 0 takes any that is free.
        ready: called with the server's URL once it listens.

    Raises:
        InputError: the host is not this machine's own, or the port is in use.
        KeyboardInterrupt: Ctrl-C, after the requests that were running have been answered.
    """
    if host not in LOOPBACK:
        raise InputError(
            f"--host {host} would open the marketplace to other machines, which this version does not do; "
            "leave it at 127.0.0.1"
        )
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    with listener:
        asyncio.run(_serve(server, listener, lambda: ready(url)))


async def _serve(server: uvicorn.Server, listener: socket.socket, ready: Callable[[], None]) -> None:
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not running.done():
        await asyncio.sleep(0.01)
    if server.started:
        ready()
    await running


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY; without it each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            why = "is in use by another program" if error.errno == errno.EADDRINUSE else "needs more rights"
            raise InputError(
                f"port {port} {why}; name another with --port (0 takes any that is free), "
                "or set market.port in study.toml"
            ) from None
        raise
    return listener


async def _requester(request: Request) -> Response:
    """POST /: one request of the requester API."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > protocol.LARGEST_BODY:
            break
    target = request.headers.get("x-amz-target", "")
    market = pages.market_of(request)
    status, answer = await run_in_threadpool(operations.answer, market, target, bytes(body))
    return Response(
        json.dumps(answer),
        status,
        {"x-amzn-RequestId": secrets.token_hex(16)},
        media_type=protocol.CONTENT_TYPE,
    )
