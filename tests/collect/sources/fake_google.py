"""A Custom Search JSON API that answers over HTTP, in the shapes of ../shared/fixtures/image_search/google_cse_*.json.

It does what is known of Google: ten items at most; an error for what begins after the 91st ("Invalid Value", exactly
at start=92 with num=10); totals that mean nothing; a next page promised where there is none; no `items` where
nothing is found.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.collect.sources.fake_service import Answer, Call, FakeService, in_json

KEY, ENGINE = "AIza-key+of/tests", "engine:of tests"

CLOSED = {
    "error": {
        "code": 403,
        "message": "This project does not have the access to Custom Search JSON API.",
        "errors": [
            {
                "message": "This project does not have the access to Custom Search JSON API.",
                "domain": "global",
                "reason": "forbidden",
            }
        ],
        "status": "PERMISSION_DENIED",
    }
}
QUOTA_DAY = {
    "error": {
        "code": 429,
        "message": "Quota exceeded for quota metric 'Queries' and limit 'Queries per day' of service "
        "'customsearch.googleapis.com'",
        "status": "RESOURCE_EXHAUSTED",
    }
}
BAD_KEY = {
    "error": {
        "code": 400,
        "message": "API key not valid. Please pass a valid API key.",
        "errors": [{"message": "API key not valid.", "domain": "global", "reason": "badRequest"}],
        "status": "INVALID_ARGUMENT",
        "details": [{"reason": "API_KEY_INVALID", "domain": "googleapis.com"}],
    }
}
INVALID = {"error": {"code": 400, "message": "Invalid Value", "errors": [{"reason": "invalid"}]}}


@dataclass
class FakeGoogle(FakeService):
    """The server.

    Attributes:
        has: how many pictures there are of a keyword; 1,000 of one that is not named.
        per_day: calls that it answers before the day is used up.
        drift: whether numbers come as text, and some items lack parts.
    """

    has: dict[str, int] = field(default_factory=dict)
    per_day: int = 10_000
    drift: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point photojury here, with a key that is right."""
        return {"PHOTOJURY_GOOGLE_URL": self.url, "GOOGLE_API_KEY": KEY, "GOOGLE_CSE_ID": ENGINE}

    def answer(self, call: Call) -> Answer:
        asked = call.params
        if call.path != "/customsearch/v1":
            return 404, {}, b""
        if asked.get("key") != KEY:
            return in_json(400, BAD_KEY)
        if asked.get("cx") != ENGINE:
            return in_json(400, {"error": {"code": 400, "message": "Request contains an invalid argument."}})
        if len(self.calls) > self.per_day:
            return in_json(429, QUOTA_DAY)
        start, num = int(asked.get("start", 1)), int(asked.get("num", 10))
        if start + num > 101 or num > 10 or start < 1:
            return in_json(400, INVALID)
        return in_json(200, self._found(asked["q"], start, num))

    def _found(self, keyword: str, start: int, num: int) -> dict[str, Any]:
        has = self.has.get(keyword, 1000)
        items = [self.item(keyword, number) for number in range(start, min(start + num, has + 1))]
        body: dict[str, Any] = {
            "kind": "customsearch#search",
            "context": {"title": "discoursive-engine"},
            "queries": {"request": [{"totalResults": "7410000000", "searchTerms": keyword, "cx": ENGINE}]},
        }
        if start + num <= has:
            body["queries"]["nextPage"] = [
                {"count": 10, "startIndex": start + num, "totalResults": "7410000000"}
            ]
        return body | ({"items": items} if items else {})

    def item(self, keyword: str, number: int) -> dict[str, Any]:
        """The item of a number; every third is also found by any other keyword."""
        name = f"shared-{number}" if number % 3 == 0 else f"{keyword.replace(' ', '-')}-{number}"
        item: dict[str, Any] = {
            "kind": "customsearch#result",
            "title": f"{keyword} {number}",
            "htmlTitle": f"<b>{keyword}</b> {number}",
            "link": f"https://img.example.org/4:3/{name},c_limit.jpg",
            "displayLink": "img.example.org",
            "snippet": f"About {keyword}",
            "htmlSnippet": f"About {keyword}",
            "mime": "image/jpeg",
            "fileFormat": "image/jpeg",
            "image": {
                "contextLink": f"https://www.example.org/{name}",
                "height": 1532,
                "width": 2043,
                "byteSize": 1063166,
                "thumbnailLink": "https://encrypted-tbn0.gstatic.com/images?q=tbn:x",
                "thumbnailHeight": 112,
                "thumbnailWidth": 150,
            },
        }
        if self.drift:
            item["image"] |= {"height": "1532", "width": None, "byteSize": "many"}
            if number % 4 == 1:
                del item["image"], item["title"]
            if number % 10 == 2:
                item["link"] = "x-raw-image:///0123abc"
        return item
