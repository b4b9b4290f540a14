"""Google's image search as a source: the Custom Search JSON API, for those who still have it.

Takes in a query {"q": keyword, "rights": ...}; gives out at most 100 findings for it, ten for each call.

    crawl(study, Google(study), query("Messi shot"))

The API is closed to new customers, and ends on 2027-01-01 for all (developers.google.com/custom-search/v1/overview,
read 2026-11). From then on nothing is asked. Every keyword is a search of its own, so that a keyword added to
study.toml costs only its own calls. Google says nothing about the licence of what it finds: license_id stays null.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from photojury.collect.courtesy.identity import user_agent
from photojury.collect.courtesy.quota import Quota, pacific_midnight
from photojury.collect.courtesy.retrying import Transient
from photojury.collect.download.safety import allow_loopback, url_problem
from photojury.collect.sources.api import Answer, Api, base_url
from photojury.collect.sources.casting import key, rows, table, text, whole
from photojury.collect.sources.keywords import PER_CALL, PER_KEYWORD
from photojury.collect.sources.source import Finding, Onward, Page, Query, Slice
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError, Unfinished, unknown_name

END = datetime(2027, 1, 1, tzinfo=UTC)
"""From when on the API is gone."""

INSTEAD = "use photojury collect openverse, commons, flickr or urls instead (docs/sources.md)"

RIGHTS = ("cc_publicdomain", "cc_attribute", "cc_sharealike", "cc_noncommercial", "cc_nonderived")
"""Google's rights filters; several are joined by | (cse.list, rights)."""

_PATH = "/customsearch/v1"


def query(keyword: str, rights: Sequence[str] = ()) -> dict[str, object]:
    """The query of one keyword.

    Raises:
        InputError: an unknown rights filter, or nothing to ask for.
    """
    if not keyword.strip():
        raise InputError("a keyword for Google is empty; write what the pictures shall show")
    for name in rights:
        if name not in RIGHTS:
            raise unknown_name("rights filter", name, RIGHTS)
    return {"q": " ".join(keyword.split()), "rights": "|".join(sorted(set(rights))) or None}


def days_left(now: float) -> int:
    """Days until the API ends, 0 from its end on."""
    return max(0, -int((now - END.timestamp()) // 86400))


class Google:
    """The source `google` of a study."""

    name = "google"

    def __init__(
        self,
        study: Study,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._study = study
        self._clock = clock
        self._sleep = sleep
        self.quota = Quota(
            study.engine, "google", study.settings.google.calls_per_day, pacific_midnight, clock
        )

    @cached_property
    def api(self) -> Api:
        """The client; the keys are read here, at the first call.

        Raises:
            ServiceError: a key is not set.
        """
        return Api(
            "Google",
            base_url("google", "https://www.googleapis.com"),
            user_agent(self._study.settings),
            before=self.quota.take,
            judge=self._judge,
            secrets=self._keys,
            sleep=self._sleep,
        )

    def slices(self, query: Query, now: float) -> list[str]:
        """One: Google's results have no parts."""
        self.still_there()
        return ["all"]

    def fetch(self, query: Query, part: Slice) -> Page:
        """Ten results; the cursor is the number of the next one, from 1."""
        self.still_there()
        start = int(part.cursor or 1)
        calls = self.api.calls
        secret, engine = self._keys
        asked = {
            "key": secret,
            "cx": engine,
            "q": str(query["q"]),
            "searchType": "image",
            "imgType": "photo",
            "safe": "active",
            "num": str(PER_CALL),
            "start": str(start),
        }
        rights = text(query.get("rights"))
        answer = self.api.get(_PATH, asked | ({"rights": rights} if rights else {}))
        if answer.status == 400 and start > 1 and not _about_key(answer):
            # "Invalid Value" is how Google says that there is no such page.
            return Page([], calls=self.api.calls - calls)
        if answer.status >= 300:
            raise self._refusal(answer)
        items = rows(answer.body.get("items"))
        found = [one for item in items if (one := finding(item, rights)) is not None]
        more = table(answer.body.get("queries")).get("nextPage") and items
        cursor = str(start + PER_CALL) if more else None
        return Page(found, cursor, calls=self.api.calls - calls)

    def onward(self, query: Query, part: Slice, page: Page, new: int) -> Onward:
        """The next ten, up to 100; then there may be more, and Google does not give it."""
        if page.cursor is None or not new:
            return Onward("done")
        if int(page.cursor) > PER_KEYWORD:
            return Onward("full")
        return Onward("open", page.cursor)

    def still_there(self) -> None:
        """Check that the API is not gone.

        Raises:
            ServiceError: it is; says what to use instead.
        """
        if days_left(self._clock()) == 0:
            raise ServiceError(f"Google's Custom Search JSON API ended on {END:%Y-%m-%d}; {INSTEAD}")

    def left(self) -> str:
        """What is left of the day's calls."""
        return f"{self.quota.left()} of today's {self.quota.calls} calls are left"

    @cached_property
    def _keys(self) -> tuple[str, str]:
        names = ("GOOGLE_API_KEY", "GOOGLE_CSE_ID")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            raise ServiceError(
                f"set {' and '.join(missing)} in the environment: Google's search needs a key and a search engine's id. "
                f"Google gives no new ones; without them, {INSTEAD}"
            )
        return os.environ[names[0]], os.environ[names[1]]

    def _judge(self, answer: Answer) -> None:
        """A used up day is no reason to try again today; a used up minute is."""
        if answer.status not in (403, 429):
            return
        message, reasons = _error(answer)
        if "per day" in message.lower() or reasons & {"dailyLimitExceeded", "quotaExceeded"}:
            raise Unfinished(self.quota.sentence(self.quota.use_up()))
        if reasons & {"rateLimitExceeded", "userRateLimitExceeded"}:
            raise Transient("Google asks for fewer calls a minute", 60.0)

    def _refusal(self, answer: Answer) -> ServiceError:
        """One sentence for each way in which Google says no."""
        message, _ = _error(answer)
        said = self.api.redact(message)
        if _about_key(answer):
            return ServiceError(
                f"Google does not take the key in GOOGLE_API_KEY ({said}); correct it, or {INSTEAD}"
            )
        if "does not have the access to custom search" in message.lower():
            return ServiceError(
                f"Google has closed this API to new customers, and the key's project is none of the old; {INSTEAD}"
            )
        return ServiceError(
            f"Google refuses the search (HTTP {answer.status}: {said}); check the key's project and GOOGLE_CSE_ID"
        )


def finding(item: dict[str, Any], rights: str | None) -> Finding | None:
    """An item of an answer; None for one without an address."""
    url = text(item.get("link"))
    if url is None:
        return None
    image = table(item.get("image"))
    problem = url_problem(url, allow_loopback=allow_loopback())
    extra = {
        "mime": text(item.get("mime")),
        "bytes": whole(image.get("byteSize")),
        "site": text(item.get("displayLink")),
        "rights_filter": rights,
    }
    return Finding(
        source_id=key(url),
        file_url=url,
        page_url=text(image.get("contextLink")),
        title=text(item.get("title")),
        description=text(item.get("snippet")),
        width=whole(image.get("width")),
        height=whole(image.get("height")),
        problem=("bad_url", problem) if problem else None,
        extra={name: value for name, value in extra.items() if value is not None},
    )


def _error(answer: Answer) -> tuple[str, set[str]]:
    """The message and the reasons of an error, old form (errors[].reason) and new (status, details[].reason)."""
    error = table(answer.body.get("error"))
    parts = [*rows(error.get("errors")), *rows(error.get("details"))]
    reasons = {str(part["reason"]) for part in parts if "reason" in part}
    return text(error.get("message")) or "no reason given", reasons


def _about_key(answer: Answer) -> bool:
    message, reasons = _error(answer)
    said = {"keyInvalid", "keyExpired", "API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED"}
    return bool(reasons & said) or "api key" in message.lower()
