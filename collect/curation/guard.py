"""The guard before the curation page: other web pages and other machines cannot look in, and cannot decide.

Takes in every request; lets pass what the page itself sends, and answers the rest with 403. A browser on this machine
is asked by any web page it shows; so the Host header must be ours (against DNS rebinding: a foreign name that suddenly
means 127.0.0.1), what Sec-Fetch-Site says is believed (against foreign pages that embed our pictures; W3C Fetch
Metadata), and a decision must come with our Origin and with the secret that only our own page knows.
"""

import hmac
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECRET_HEADER = "x-photojury-secret"

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """ASGI middleware.

    Args:
        app: the page.
        hosts: what the Host header may say, with the port.
        secret: what a decision must bring along.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], secret: str) -> None:
        self._app, self._hosts, self._secret = app, frozenset(hosts), secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._problem(scope["method"], Headers(scope=scope))
        app = PlainTextResponse(f"{refusal}\n", 403) if refusal else self._app

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await app(scope, receive, sending)

    def _problem(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if host not in self._hosts:
            return "This page is not known under that name."
        site = headers.get("sec-fetch-site", "none")
        if method in ("GET", "HEAD"):
            # Following a link to us is no harm; a foreign page that loads our pictures is.
            if site in ("none", "same-origin") or headers.get("sec-fetch-mode") == "navigate":
                return None
            return "Another page may not load this."
        known = hmac.compare_digest(headers.get(SECRET_HEADER, "").encode(), self._secret.encode())
        if headers.get("origin") != f"http://{host}" or site not in ("none", "same-origin") or not known:
            return "Only the curation page itself decides; load it again."
        return None
