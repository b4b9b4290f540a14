"""Openverse as a source: openly licensed photographs of many collections, found by keyword, without a key.

Takes in a query of `query`; gives out findings with everything that attribution needs.

    crawl(study, Openverse(study), query("tree", licenses=["by", "public-domain"]))

Its terms: "You must not scrape the content in the Openverse Catalog"; so a query needs a keyword, and at most 240
results of each are given. Without a client 20 come with each call, five calls an hour and 100 a day (WordPress/
openverse, api/conf/settings/rest_framework.py); a client, which is free, has 100 calls a minute and 10,000 a day.
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

from photojury.collect.courtesy.identity import user_agent
from photojury.collect.courtesy.pace import Pace
from photojury.collect.courtesy.quota import DAY, HOUR, Quota, after
from photojury.collect.sources.api import Answer, Api, base_url
from photojury.collect.sources.casting import key, rows, table, text, whole
from photojury.collect.sources.source import Finding, Onward, Page, Query, Slice
from photojury.datasets.licenses import licence_name
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError, unknown_name

DEPTH = 240
"""Results that one query gives (Openverse's MAX_RESULT_COUNT for everybody without a written agreement)."""

LICENSES = {
    **{name: name for name in ("by", "by-sa", "by-nc", "by-nc-sa", "by-nd", "by-nc-nd", "cc0", "pdm")},
    "public-domain": "cc0,pdm",
    "cc0-1.0": "cc0",
    "pdm-1.0": "pdm",
}
"""The names of photojury.datasets.licenses that Openverse can filter by, and what it calls them; it knows no versions."""

LICENSE_TYPES = ("all", "all-cc", "commercial", "modification")
SIZES = ("small", "medium", "large")

# A page without and with a client; 500 is the most that a client may ask for.
_ANONYMOUS_PAGE, _CLIENT_PAGE = 20, 80
_CLIENT_PER_SECOND, _CLIENT_PER_DAY = 100 / 60, 10_000
_PERIODS = {"s": 1.0, "m": 60.0, "h": HOUR, "d": DAY}
_IMAGES, _TOKEN = "/v1/images/", "/v1/auth_tokens/token/"


def query(
    keyword: str,
    *,
    licenses: Sequence[str] = (),
    license_type: str | None = None,
    sources: Sequence[str] = (),
    size: str | None = None,
) -> dict[str, object]:
    """A query of photographs.

    Args:
        licenses: names of LICENSES.
        license_type: one of LICENSE_TYPES.
        sources: of Openverse's, like flickr or stocksnap.
        size: one of SIZES.

    Raises:
        InputError: no keyword, or a name that Openverse does not know.
    """
    if not keyword.strip():
        raise InputError(
            "Openverse is asked by keyword: its terms forbid to copy its catalogue; give one with --query"
        )
    for name in licenses:
        if name not in LICENSES:
            raise unknown_name("licence of Openverse", name, LICENSES)
    for kind, value, known in (("licence type", license_type, LICENSE_TYPES), ("size", size, SIZES)):
        if value is not None and value not in known:
            raise unknown_name(kind, value, known)
    slugs = {slug for name in licenses for slug in LICENSES[name].split(",")}
    wanted = {
        "q": " ".join(keyword.split()),
        "license": ",".join(sorted(slugs)),
        "license_type": license_type,
        "source": ",".join(sorted(set(sources))),
        "size": size,
        "category": "photograph",
    }
    return {name: value for name, value in wanted.items() if value}


class Openverse:
    """The source `openverse` of a study."""

    name = "openverse"

    def __init__(self, study: Study, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._study = study
        self._sleep = sleep
        names = ("OPENVERSE_CLIENT_ID", "OPENVERSE_CLIENT_SECRET")
        self._client = tuple(os.environ.get(name, "") for name in names)
        if any(self._client) and not all(self._client):
            raise ServiceError(f"set both {names[0]} and {names[1]} in the environment, or neither")
        self._token: str | None = None
        self._available: dict[str, int] = {}
        engine, limits = study.engine, study.settings.openverse
        if all(self._client):
            self._pace = Pace(engine, "openverse client", _CLIENT_PER_SECOND)
            self._quotas = [Quota(engine, "Openverse today", _CLIENT_PER_DAY, after(DAY))]
        else:
            self._pace = Pace(engine, "openverse", 1.0)
            self._quotas = [
                Quota(engine, "Openverse without a client this hour", limits.calls_per_hour, after(HOUR)),
                Quota(engine, "Openverse without a client today", limits.calls_per_day, after(DAY)),
            ]

    @cached_property
    def api(self) -> Api:
        """The client of its API."""
        return Api(
            "Openverse",
            base_url("openverse", "https://api.openverse.org"),
            user_agent(self._study.settings),
            before=self._before,
            pause=self._hold,
            judge=self._note_limits,
            secrets=tuple(filter(None, self._client)),
            sleep=self._sleep,
        )

    def slices(self, query: Query, now: float) -> list[str]:
        """One: Openverse gives its best 240 of a query, in pages."""
        return ["all"]

    def fetch(self, query: Query, part: Slice) -> Page:
        """A page; the cursor counts the results before it, so that a client may come or go between two runs."""
        calls = self.api.calls
        size = _CLIENT_PAGE if all(self._client) else _ANONYMOUS_PAGE
        page = int(part.cursor or 0) // size + 1
        asked = {str(name): str(value) for name, value in query.items()}
        asked |= {"page": str(page), "page_size": str(size), "mature": "false"}
        answer = self._ask(asked)
        if answer.status == 404 and page > 1:
            return Page([], calls=self.api.calls - calls)  # "Invalid page.": past the last one
        if answer.status >= 300:
            raise self._refusal(answer)
        found = [one for row in rows(answer.body.get("results")) if (one := finding(row)) is not None]
        reported = whole(answer.body.get("result_count"))
        pages = whole(answer.body.get("page_count")) or 0  # at most those that it gives: 12 of 20
        deep = page * size >= DEPTH and (reported or 0) > DEPTH
        cursor = str(page * size) if found and (page < pages or deep) else None
        return Page(found, cursor, reported, self.api.calls - calls)

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        """The next page, up to the depth of 240 results."""
        if page.cursor is None or not new:
            return Onward("done")
        return Onward("open", page.cursor) if int(page.cursor) < DEPTH else Onward("full")

    def one(self, name: str) -> Finding | None:
        """The picture with an id, as Openverse has it now; None where it has it no more.

        Raises:
            ServiceError: it refuses to say.
        """
        answer = self._ask({}, f"{_IMAGES}{quote(name, safe='')}/")
        if answer.status in (404, 410):
            return None
        found = finding(answer.body) if answer.status < 300 else None
        if found is None:
            raise self._refusal(answer)
        return found

    def left(self) -> str:
        """What is left of the calls, by Openverse's word where it has said so, else by our count."""
        if self._available:
            return ", ".join(
                f"{left} calls left ({scope})" for scope, left in sorted(self._available.items())
            )
        quota = min(self._quotas, key=Quota.left)
        return f"{quota.left()} of {quota.calls} calls are left ({quota.name})"

    def _before(self) -> None:
        for quota in self._quotas:
            quota.take()
        self._pace.take()

    def _ask(self, asked: dict[str, str], path: str = _IMAGES) -> Answer:
        if not all(self._client):
            return self.api.get(path, asked)
        fresh = self._token is None
        self._token = self._token or self._new_token()
        answer = self.api.get(path, asked, self._token)
        if answer.status == 401 and not fresh:  # tokens end after some hours
            self._token = self._new_token()
            answer = self.api.get(path, asked, self._token)
        return answer

    def _new_token(self) -> str:
        """A token for the client (OAuth 2, client credentials; RFC 6749, 4.4)."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client[0],
            "client_secret": self._client[1],
        }
        answer = self.api.post(_TOKEN, form)
        token = text(answer.body.get("access_token"))
        if answer.status >= 300 or token is None:
            raise ServiceError(
                f"Openverse does not take OPENVERSE_CLIENT_ID and OPENVERSE_CLIENT_SECRET (HTTP {answer.status}); "
                "correct them, or unset both to ask without a client"
            )
        return token

    def _note_limits(self, answer: Answer) -> None:
        """Keep what X-RateLimit-Available-SCOPE says; where it says 0, nobody calls until the period is over.

        Limits read 5/hour; the period is known by its first letter (Django REST framework, SimpleRateThrottle).
        """
        for name, value in answer.headers.items():
            scope = name.lower().removeprefix("x-ratelimit-available-")
            left = whole(value)
            if scope == name.lower() or left is None:
                continue
            self._available[scope] = left
            limit = answer.headers.get(f"X-RateLimit-Limit-{scope}", "")
            period = re.match(r"\d+/([smhd])", limit)
            if left == 0 and period:
                self._hold(_PERIODS[period[1]])

    def _hold(self, seconds: float) -> None:
        """Let no process of the study call for so long; a long time ends the run, a short one is waited for."""
        if seconds >= HOUR:
            self._quotas[0].use_up(seconds)
        else:
            self._pace.pause(seconds)

    def _refusal(self, answer: Answer) -> Exception:
        detail = answer.body.get("detail", answer.body)
        said = self.api.redact(text(detail) or str(table(detail)))
        if answer.status == 400:
            return InputError(f"Openverse cannot be asked this: {said}")
        return ServiceError(f"Openverse refuses the search (HTTP {answer.status}: {said})")


def finding(row: dict[str, Any]) -> Finding | None:
    """A result as a finding; None for one without an id."""
    name = text(row.get("id"))
    if name is None:
        return None
    license_url = text(row.get("license_url"))
    word, version = text(row.get("license")), text(row.get("license_version"))
    sensitive = row.get("mature") is True or bool(row.get("unstable__sensitivity"))
    extra = {
        "provider": text(row.get("provider")),
        "source": text(row.get("source")),
        "category": text(row.get("category")),
        "bytes": whole(row.get("filesize")),
        "filetype": text(row.get("filetype")),
        "foreign_landing_url": text(row.get("foreign_landing_url")),
    }
    return Finding(
        source_id=key(name),
        file_url=text(row.get("url")),
        page_url=text(row.get("foreign_landing_url")),
        title=text(row.get("title")),
        author=text(row.get("creator")),
        # Openverse has no ids of creators; their page is what tells them apart.
        author_id=text(row.get("creator_url")),
        author_url=text(row.get("creator_url")),
        license_id=licence_name(license_url) or licence_name(word, version) or word,
        license_url=license_url,
        attribution=text(row.get("attribution")),
        tags=tuple(dict.fromkeys(tag for one in rows(row.get("tags")) if (tag := text(one.get("name"))))),
        width=whole(row.get("width")),
        height=whole(row.get("height")),
        problem=("sensitive", "Openverse marks it as sensitive") if sensitive else None,
        extra={name: value for name, value in extra.items() if value is not None},
    )
