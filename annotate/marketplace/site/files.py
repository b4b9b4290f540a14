"""What the worker site serves as it is: question pages for the frame, stored pictures, its own scripts.

Takes in HTTP requests; gives out bytes. A question page gets a policy that keeps it in a sandbox of its own,
and the hosts and scripts of MTurk that it may name, which are gone, mean this site here.

    >>> at_this_site("https://workersandbox.mturk.com/mturk/externalSubmit", "http://127.0.0.1:8700")
    'http://127.0.0.1:8700/mturk/externalSubmit'
"""

import re

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from photojury.annotate.marketplace.books import Market
from photojury.annotate.marketplace.questions import questions
from photojury.annotate.marketplace.site.pages import TEMPLATES, SiteError, market_of, site_of
from photojury.annotate.marketplace.tables import hits
from photojury.datasets.images import MEDIA_TYPES

STATIC = {
    "market.css": "text/css",
    "market.js": "text/javascript",
    "externalHIT_v1.js": "text/javascript",
    "crowd-html-elements.js": "text/javascript",
}

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_ID = re.compile("[A-Z0-9]{1,64}")
_IMAGE = re.compile(rf"[0-9a-f]{{64}}\.({'|'.join(MEDIA_TYPES)})")
# The frame has no origin of its own, and its answers can go to this site only.
_QUESTION_POLICY = (
    "sandbox allow-scripts allow-forms; default-src 'none'; "
    "script-src {site} 'unsafe-inline' 'unsafe-eval' https:; style-src {site} 'unsafe-inline' https:; "
    "img-src * data: blob:; media-src * data: blob:; font-src {site} https: data:; connect-src {site} https:; "
    "form-action {site}/mturk/; base-uri 'none'; frame-ancestors 'self'"
)
# Pages written for MTurk name its hosts, which are gone; here they mean this site.
_MTURK_HOSTS = re.compile(r"https?://(?:www|workersandbox|worker)\.mturk\.com(?=/mturk/externalSubmit)")
_MTURK_SCRIPTS = re.compile(
    r"https?://(?:s3\.amazonaws\.com/mturk-public|mturk-public\.s3\.amazonaws\.com)/(?=externalHIT_v1\.js)"
    r"|https?://assets\.crowd\.aws/(?=crowd-html-elements\.js)"
)


def show_question(request: Request) -> Response:
    """The HTML of a HIT's question, for the frame alone."""
    hit_id = request.path_params["hit_id"]
    question = _question(market_of(request), hit_id) if _ID.fullmatch(hit_id) else None
    html = questions.parse(question).html if question else None
    if html is None:
        raise SiteError(404, "There is no such question.")
    return framed(request, html)


def framed(request: Request, html: str) -> Response:
    """A page of a requester's, kept in a sandbox whose answers can go nowhere but to this site."""
    site = site_of(request)
    headers = {
        "Content-Security-Policy": _QUESTION_POLICY.format(site=site),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(at_this_site(html, site), headers=headers)


def at_this_site(html: str, site: str) -> str:
    """A question page whose addresses at MTurk's hosts lead to this site."""
    return _MTURK_SCRIPTS.sub(f"{site}/static/", _MTURK_HOSTS.sub(site, html))


def pictures_of(question: str) -> list[str]:
    """The addresses of the pictures that a question page made by photojury shows, in the page's order."""
    html = questions.parse(question).html or ""
    pattern = rf'"((?:https?://[^"\s]{{1,300}})?/[^"\s]{{0,300}}[0-9a-f]{{64}}\.(?:{"|".join(MEDIA_TYPES)})[^"\s]{{0,2000}})"'
    return list(dict.fromkeys(re.findall(pattern, html)))


async def show_image(request: Request) -> Response:
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
    headers = {
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
    }
    return FileResponse(TEMPLATES / name, headers=headers, media_type=STATIC[name])


def _question(market: Market, hit_id: str) -> str | None:
    row = market.row(sa.select(hits.c.question, hits.c.status).where(hits.c.hit_id == hit_id))
    return row["question"] if row and row["status"] != "Disposed" else None


ROUTES = [
    Route("/questions/{hit_id}", show_question),
    Route("/images/{name}", show_image),
    Route("/static/{name}", show_static),
]
