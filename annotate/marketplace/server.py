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
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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

from photojury.annotate.marketplace import events
from photojury.annotate.marketplace.books import Market, Terms, open_market
from photojury.annotate.marketplace.clock import Clock, system_clock
from photojury.annotate.marketplace.requesters import accounts, operations, protocol
from photojury.annotate.marketplace.site import pages, worker_site
from photojury.errors import InputError

log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class KnownHosts:
    """Refuses requests for another host than ours, so that no web page can reach in by DNS rebinding."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.hosts = {*LOOPBACK, urlsplit(public_url).hostname}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and Request(scope).url.hostname not in self.hosts:
            refusal = PlainTextResponse("This marketplace is not known under that name.\n", 400)
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


def build_app(
    engine: sa.Engine,
    images_folder: Path,
    clock: Clock = system_clock,
    terms: Terms | None = None,
) -> Starlette:
    """The marketplace on a study's database; its tables are made where they are not there yet.

    Args:
        engine: of photojury.datasets.store.open_engine.
        images_folder: the study's stored pictures, served below /images.
        clock: tells seconds since 1970; tests move it.
        terms: what the marketplace is set to.
    """
    market = open_market(engine, images_folder, clock, terms)
    accounts.give_own_key(market)
    app = Starlette(
        routes=[Route("/", _requester, methods=["POST"]), *worker_site.ROUTES],
        middleware=[Middleware(KnownHosts, public_url=market.terms.public_url)],
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
        host: a loopback address; another one only where market.public_url is set.
        port: 0 takes any that is free.
        ready: called with the server's URL once it listens.

    Raises:
        InputError: the host is not this machine's own, or the port is in use.
        KeyboardInterrupt: Ctrl-C, after the requests that were running have been answered.
    """
    market: Market = app.state.market
    if host not in LOOPBACK and not market.terms.public_url:
        raise InputError(
            f"--host {host} would open the marketplace to other machines, and without keys to everyone on them; "
            "set market.public_url in study.toml first (docs/deployment.md), or leave it at 127.0.0.1"
        )
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    stopped = threading.Event()
    courier = threading.Thread(target=events.deliver_until, args=(market, stopped), daemon=True)
    with listener:
        courier.start()
        try:
            asyncio.run(_serve(server, listener, lambda: ready(url)))
        finally:
            stopped.set()
            courier.join()


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
    status, answer = await run_in_threadpool(_answer, request, bytes(body))
    return Response(
        json.dumps(answer),
        status,
        {"x-amzn-RequestId": secrets.token_hex(16)},
        media_type=protocol.CONTENT_TYPE,
    )


def _answer(request: Request, body: bytes) -> tuple[int, dict[str, Any]]:
    market = pages.market_of(request)
    url = f"{request.url.scheme}://{request.headers.get('host', '')}/"
    try:
        account = accounts.account_of(market, url, request.headers, body)
    except accounts.AuthError as error:
        return 400, error.body()
    except Exception:  # the requester gets an answer that botocore tries again
        log.exception("a requester's signature could not be checked")
        return 500, protocol.service_fault(market.clock())
    return operations.answer(market.seen_by(account), request.headers.get("x-amz-target", ""), body)
