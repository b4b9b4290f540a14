"""Wikimedia Commons as a source: freely licensed files, found by words or by category, without a key.

Takes in a query of `query`; gives out findings with the licence, the author and the restrictions that their pages state.

    crawl(study, Commons(study), query(search="surfer"))
    crawl(study, Commons(study), query(category="Surfing in France"))

Wikimedia asks for a User-Agent with a contact (its User-Agent policy), so study.contact must be set; for no more than
"hundreds" of calls an hour without an account (wikitech-l, 2026-03); and to stay away while its copies lag behind
(maxlag). The file is Commons' own smaller copy of 1280 pixels' width: since 2026 copies come in standard widths only
(20 ... 500, 960, 1280, 1920; mediawiki.org, Common thumbnail sizes), others are refused.
"""

import json
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from photojury.collect.courtesy.identity import user_agent
from photojury.collect.courtesy.pace import Pace
from photojury.collect.courtesy.retrying import Transient, retry_after
from photojury.collect.sources.api import Answer, Api, base_url
from photojury.collect.sources.casting import key, moment, plain, rows, table, text, whole
from photojury.collect.sources.source import Finding, Onward, Page, Query, Slice
from photojury.datasets.licenses import from_url, licence_name
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError

WIDTH = 1280
"""Pixels; the smallest standard width over 1,000."""

# "No more than 50 scaled images will be returned" (imageinfo, iiurlwidth).
_PER_CALL = 50
# Seconds of lag at which to wait (mediawiki.org, Manual:Maxlag_parameter).
_MAX_LAG = 5
_PATH = "/w/api.php"
_BUSY = ("maxlag", "ratelimited", "readonly", "internal_api_error", "search-backend")
_FIELDS = "Artist|Attribution|AttributionRequired|Credit|License|LicenseShortName|LicenseUrl|UsageTerms|Restrictions"
_ALSO = "DateTimeOriginal|ImageDescription|ObjectName|Categories|NonFree"


def query(*, search: str | None = None, category: str | None = None) -> dict[str, object]:
    """A query, by words or by category.

    Raises:
        InputError: none of the two, or both.
    """
    search, category = text(search), text(category)
    if (search is None) == (category is None):
        raise InputError("give Commons words to search for (--query) or a category (--category)")
    if search:
        return {"search": " ".join(search.split())}
    return {"category": str(category).removeprefix("Category:").replace("_", " ").strip()}


class Commons:
    """The source `commons` of a study."""

    name = "commons"

    def __init__(self, study: Study, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._study = study
        self._sleep = sleep
        per_hour = study.settings.commons.calls_per_hour
        # A short search should not wait: a twentieth of an hour's calls may be made at once.
        self._pace = Pace(study.engine, "commons", per_hour / 3600, burst=max(1, per_hour // 20))

    @cached_property
    def api(self) -> Api:
        """The client of its API.

        Raises:
            InputError: study.contact is empty.
        """
        if not self._study.settings.study.contact.strip():
            raise InputError(
                "Wikimedia wants to know whom to write to, and refuses who does not say: set study.contact in study.toml "
                "to your e-mail address or a page about your study"
            )
        return Api(
            "Wikimedia Commons",
            base_url("commons", "https://commons.wikimedia.org"),
            user_agent(self._study.settings),
            before=self._pace.take,
            pause=self._pace.pause,
            judge=_judge,
            sleep=self._sleep,
        )

    def slices(self, query: Query, now: float) -> list[str]:
        """One: a search of Commons goes on from page to page."""
        _ = self.api  # a missing contact is said before anything is written
        return ["all"]

    def fetch(self, query: Query, part: Slice) -> Page:
        """At most 50 files; the cursor is the API's own `continue` object."""
        calls = self.api.calls
        onward = {str(name): str(value) for name, value in json.loads(part.cursor or "{}").items()}
        answer = self.api.get(_PATH, _parameters(query) | onward)
        if answer.status >= 300 or "error" in answer.body:
            raise self._refusal(answer)
        pages = table(answer.body.get("query")).get("pages")
        listed = rows(list(pages.values()) if isinstance(pages, dict) else pages)
        found = [one for page in listed if (one := finding(page)) is not None]
        more = table(answer.body.get("continue"))
        cursor = json.dumps(more, sort_keys=True) if more else None
        return Page(found, cursor, calls=self.api.calls - calls)

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        """The next page while there is one: one without new files may stand before others."""
        if page.cursor is None or page.cursor == part.cursor:
            return Onward("done")
        return Onward("open", page.cursor)

    def left(self) -> str:
        """How much may be asked."""
        return f"at most {self._study.settings.commons.calls_per_hour} calls an hour (commons.calls_per_hour)"

    def _refusal(self, answer: Answer) -> Exception:
        error = table(answer.body.get("error"))
        code, info = (
            text(error.get("code")) or "",
            self.api.redact(text(error.get("info")) or "no reason given"),
        )
        if answer.status == 403:
            return ServiceError(
                "Wikimedia Commons refuses this program (HTTP 403); is study.contact a real address of yours?"
            )
        if code.startswith(("gcm", "invalid", "bad", "cirrussearch")) or code.endswith(("title", "category")):
            return InputError(f"Wikimedia Commons cannot be asked this: {info} ({code})")
        return ServiceError(
            f"Wikimedia Commons refuses the search (HTTP {answer.status}, {code or 'no code'}: {info})"
        )


def _parameters(query: Query) -> dict[str, str]:
    common = {
        "action": "query",
        "format": "json",
        "maxlag": str(_MAX_LAG),
        "prop": "imageinfo",
        "iiprop": "url|size|mime|mediatype|sha1|user|timestamp|extmetadata",
        "iiextmetadatafilter": f"{_FIELDS}|{_ALSO}",
        "iiextmetadatalanguage": "en",
        "iiurlwidth": str(WIDTH),
    }
    if "search" in query:
        return common | {
            "generator": "search",
            "gsrsearch": f"filetype:bitmap {query['search']}",
            "gsrnamespace": "6",
            "gsrlimit": str(_PER_CALL),
        }
    return common | {
        "generator": "categorymembers",
        "gcmtitle": f"Category:{query['category']}",
        "gcmtype": "file",
        "gcmlimit": str(_PER_CALL),
    }


def _judge(answer: Answer) -> None:
    """Errors come with HTTP 200; those of a busy service are tried again."""
    error = table(answer.body.get("error"))
    code = text(error.get("code")) or ""
    if code.startswith(_BUSY):
        after = retry_after(answer.headers.get("Retry-After"), time.time())
        raise Transient(f"Wikimedia Commons is busy ({code})", float(_MAX_LAG) if after is None else after)


def finding(page: dict[str, Any]) -> Finding | None:
    """A page with its file as a finding; None where the file's part comes with a later answer, or is missing."""
    name = text(page.get("pageid"))
    info = next(iter(rows(page.get("imageinfo"))), None)
    if name is None or info is None:
        return None
    said = {field: table(value).get("value") for field, value in table(info.get("extmetadata")).items()}
    author, author_url = plain(said.get("Artist"))
    copy = text(info.get("thumburl"))
    license_url = text(said.get("LicenseUrl"))
    media = text(info.get("mediatype"))
    return Finding(
        source_id=key(name),
        file_url=copy or text(info.get("url")),
        page_url=text(info.get("descriptionurl")),
        title=(text(page.get("title")) or "").removeprefix("File:") or None,
        description=plain(said.get("ImageDescription"))[0],
        # Who uploaded it is often somebody else, or a robot: no author then, rather than a wrong one.
        author=author,
        author_id=_author_id(author_url),
        author_url=author_url,
        license_id=_license(said, license_url),
        license_url=license_url,
        attribution=plain(said.get("Attribution"))[0],
        tags=tuple(filter(None, (text(said.get("Categories")) or "").split("|"))),
        taken_at=moment(plain(said.get("DateTimeOriginal"))[0]),
        uploaded_at=moment(info.get("timestamp")),
        width=whole(info.get("thumbwidth" if copy else "width")),
        height=whole(info.get("thumbheight" if copy else "height")),
        problem=None
        if media in ("BITMAP", None)
        else ("not_a_photo", f"Commons calls it {media}, not BITMAP"),
        extra=_extra(info, said),
    )


def _author_id(url: str | None) -> str | None:
    """The user name in the address of a user page; of another page, the address."""
    return url.split("/wiki/User:")[-1] if url else None


def _license(said: dict[str, Any], url: str | None) -> str | None:
    """A name of ours, from the licence's address or from one of the words for it; else Commons' word."""
    words = [text(said.get(field)) for field in ("License", "LicenseShortName", "UsageTerms")]
    names = [from_url(url), *(licence_name(word) for word in words)]
    return next(filter(None, [*names, *words]), None)


def _extra(info: dict[str, Any], said: dict[str, Any]) -> dict[str, object]:
    """What is kept beside the columns: the original file, and what else its page demands."""
    restrictions = (text(said.get("Restrictions")) or "").split("|")
    values: dict[str, object] = {
        "original_url": text(info.get("url")),
        "original_width": whole(info.get("width")),
        "original_height": whole(info.get("height")),
        "original_sha1": text(info.get("sha1")),
        "mime": text(info.get("mime")),
        "uploader": text(info.get("user")),
        "credit": plain(said.get("Credit"))[0],
        # Not of copyright, but they bind all the same: personality, trademarked, insignia, ...
        "restrictions": [name for name in restrictions if name],
        "non_free": text(said.get("NonFree")),
        "date_taken": plain(said.get("DateTimeOriginal"))[0],
    }
    return {name: value for name, value in values.items() if value not in (None, [])}
