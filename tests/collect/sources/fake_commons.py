"""A Wikimedia Commons that answers over HTTP, in the shape of .../image_search/wikimedia_commons_query.json.

It does what is known of MediaWiki's API: errors come with HTTP 200; a User-Agent without a contact is 403; a query
goes on where its `continue` object is sent along; with `split`, an answer holds the files' parts of half of its pages
only, and the next one (iicontinue) those of the others; empty objects are lists, as PHP writes them.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.collect.sources.fake_service import Answer, Call, FakeService, in_html, in_json


@dataclass
class FakeCommons(FakeService):
    """The server.

    Attributes:
        has: how many files each search and category has.
        split: whether files' parts come in two answers.
        changes: by number of a file, what its `imageinfo` has instead; a value None takes a part away.
        said: by number of a file, what its `extmetadata` has instead; likewise.
        lagging: how many of the next calls are answered with maxlag.
    """

    has: int = 120
    split: bool = False
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    said: dict[int, dict[str, str | None]] = field(default_factory=dict)
    lagging: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point photojury here, with no waiting between calls."""
        return {"PHOTOJURY_COMMONS_URL": self.url, "PHOTOJURY_COMMONS_CALLS_PER_HOUR": "1000000"}

    def answer(self, call: Call) -> Answer:
        asked = call.params
        if call.path != "/w/api.php":
            return in_html(404, "No such page")
        if "@" not in call.headers.get("User-Agent", "") or asked.get("maxlag") != "5":
            return in_html(403, "Please set a user-agent and respect our robot policy")
        if self.lagging:
            self.lagging -= 1
            error = {"code": "maxlag", "info": "Waiting for db1: 7.5 seconds lagged.", "lag": 7.5}
            return in_json(200, {"error": error}, **{"Retry-After": "5"})
        short = {"search": "gsr", "categorymembers": "gcm"}.get(asked.get("generator", ""))
        if short is None or not (asked.get("gsrsearch") or asked.get("gcmtitle")):
            return in_json(200, {"error": {"code": "badvalue", "info": "Unrecognized value for generator"}})
        if asked.get("gcmtitle") == "Category:<":
            return in_json(
                200, {"error": {"code": "gcminvalidcategory", "info": "The category is not valid."}}
            )
        return in_json(200, self._found(asked, short))

    def _found(self, asked: dict[str, str], short: str) -> dict[str, Any]:
        token = "gsroffset" if short == "gsr" else "gcmcontinue"
        begin, size = int(asked.get(token, "0")), int(asked[f"{short}limit"])
        numbers = range(begin, min(begin + size, self.has))
        half = len(numbers) // 2
        with_file = set(numbers)
        body: dict[str, Any] = {"batchcomplete": ""}
        if self.split and "iicontinue" not in asked:
            with_file = set(numbers[:half])
            body["continue"] = {
                token: str(begin),
                "iicontinue": f"{numbers[half]}|2019",
                "continue": "||info",
            }
            del body["batchcomplete"]
        else:
            if self.split:
                with_file = set(numbers[half:])
            if begin + size < self.has:
                body["continue"] = {token: str(begin + size), "continue": f"{token}||"}
        if numbers:
            body["query"] = {"pages": {str(9000 + n): self.page(n, asked, n in with_file) for n in numbers}}
        return body

    def page(self, number: int, asked: dict[str, str], with_file: bool) -> dict[str, Any]:
        """One file's page."""
        name = f"Lone tree {number}.jpg"
        page = {"pageid": 9000 + number, "ns": 6, "title": f"File:{name}", "imagerepository": "local"}
        if not with_file:
            return page
        stored = f"https://upload.wikimedia.org/wikipedia/commons/2/25/{name.replace(' ', '_')}"
        width = int(asked["iiurlwidth"])
        info: dict[str, Any] = {
            "size": 11863148,
            "width": 5514,
            "height": 3102,
            "thumburl": f"https://thumb.wikimedia.org/wikipedia/commons/2/25/x/{width}px-{number}.jpg",
            "thumbwidth": width,
            "thumbheight": 720,
            "mediatype": "BITMAP",
            "mime": "image/jpeg",
            "sha1": f"{number:040x}",
            "timestamp": "2019-09-07T12:00:00Z",
            "user": "PtrQs",
            "url": stored,
            "descriptionurl": f"https://commons.wikimedia.org/wiki/File:{name.replace(' ', '_')}",
            "descriptionshorturl": f"https://commons.wikimedia.org/w/index.php?curid={9000 + number}",
            "extmetadata": _without_none({**_SAID, **self.said.get(number, {})}),
        }
        return page | {"imageinfo": [_without_none({**info, **self.changes.get(number, {})})]}


_USER = '<a href="//commons.wikimedia.org/wiki/User:PtrQs" title="User:PtrQs">PtrQs</a>'
_SAID: dict[str, str | None] = {
    "Artist": _USER,
    "Attribution": f"Photo by {_USER}",
    "AttributionRequired": "true",
    "License": "cc-by-sa-4.0",
    "LicenseShortName": "CC BY-SA 4.0",
    "LicenseUrl": "https://creativecommons.org/licenses/by-sa/4.0",
    "DateTimeOriginal": "2012-09-25 16:23:02",
    "ImageDescription": "SONY DSC",
    "Categories": "Coasts of Plozévet|Self-published work|Trees in Finistère",
    "Restrictions": "",
    "UsageTerms": "Creative Commons Attribution-Share Alike 4.0",
}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"value": value, "source": "commons-desc-page"} if name[0].isupper() else value
        for name, value in values.items()
        if value is not None
    }
