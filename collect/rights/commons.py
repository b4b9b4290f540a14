"""The standing of Commons' files: fifty pages with one call, by their page ids.

A page that is missing was deleted: Commons deletes what turns out not to be free. Its licences cannot be taken back,
yet its users correct them, so a change is told.
"""

from collections.abc import Mapping, Sequence

from photojury.collect.rights.standing import Row, Standing
from photojury.collect.sources.casting import rows, table, text
from photojury.collect.sources.commons import Commons, finding
from photojury.datasets.store import Study
from photojury.errors import ServiceError

_QUERY = {
    "action": "query",
    "format": "json",
    "maxlag": "5",  # seconds of lag at which to wait (mediawiki.org, Manual:Maxlag_parameter)
    "prop": "imageinfo",
    "iiprop": "url|mediatype|user|extmetadata",
    "iiextmetadatafilter": "License|LicenseShortName|LicenseUrl|UsageTerms|NonFree",
    "iiextmetadatalanguage": "en",
}


class CommonsRights:
    """Tells how files stand at Wikimedia Commons."""

    # "Maximum number of values is 50" (mediawiki.org, API:Query, pageids).
    at_once = 50

    def __init__(self, study: Study) -> None:
        self._api = Commons(study).api

    def look_up(self, images: Sequence[Row]) -> Mapping[str, Standing]:
        """See RightsOf."""
        numbers = [image["source_id"] for image in images if image["source_id"].isdecimal()]
        if not numbers:
            return {}
        answer = self._api.get("/w/api.php", {**_QUERY, "pageids": "|".join(numbers)})
        pages = table(answer.body.get("query")).get("pages")
        if answer.status >= 300 or not isinstance(pages, dict | list):
            said = text(table(answer.body.get("error")).get("info")) or "no reason given"
            raise ServiceError(
                f"Wikimedia Commons does not answer (HTTP {answer.status}: {self._api.redact(said)})"
            )
        listed = rows(list(pages.values()) if isinstance(pages, dict) else pages)
        return {name: _standing(page) for page in listed if (name := text(page.get("pageid")))}


def _standing(page: Row) -> Standing:
    if "missing" in page or "invalid" in page:
        return Standing("gone", note="its page was deleted from Commons")
    found = finding(dict(page))
    if found is None or found.license_id is None:
        return Standing("unknown", note="Commons' answer has no licence")
    return Standing("there", found.license_id)
