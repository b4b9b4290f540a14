"""Standing: whether a picture is still at its source, and under which licence; one small interface for all sources.

A source that can be asked is one class like these, and one line in RIGHTS:

    class Everywhere:
        at_once = 50
        def look_up(self, images): return {image["source_id"]: Standing("there", "cc-by-4.0") for image in images}
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from photojury.datasets.store import Study
from photojury.errors import unknown_name

Row = Mapping[str, Any]

RIGHTS = {
    "flickr": "photojury.collect.rights.flickr:FlickrRights",
    "openverse": "photojury.collect.rights.openverse:OpenverseRights",
    "commons": "photojury.collect.rights.commons:CommonsRights",
    "google": "photojury.collect.rights.addresses:AddressRights",
    "urls": "photojury.collect.rights.addresses:AddressRights",
}
"""Who tells the standing of each source's pictures, as an import string; a folder's are nobody's business."""


@dataclass(frozen=True)
class Standing:
    """How a picture stands at its source.

    Attributes:
        state: there; gone (deleted, private, or its owner left); or unknown: nobody could tell today.
        license_id: its licence now, by the table of photojury.datasets.licenses, else the source's word; None
            where the source says none.
        opt_out: a sentence where it asks not to be used now.
        note: what was found, in one sentence.
    """

    state: str
    license_id: str | None = None
    opt_out: str | None = None
    note: str | None = None


class RightsOf(Protocol):
    """Tells the standing of one source's pictures. Made by `open_rights`, for one study."""

    @property
    def at_once(self) -> int:
        """How many pictures `look_up` is best given."""
        ...

    def look_up(self, images: Sequence[Row]) -> Mapping[str, Standing]:
        """The standing of pictures, by source_id; one that is left out is unknown.

        Args:
            images: rows of `images`, at least source_id, page_url and file_url.

        Raises:
            ServiceError: the service is down, or the key does not work (any more): no picture is to be judged by it.
            Unfinished: a quota is used up.
        """
        ...


def open_rights(source: str, study: Study) -> RightsOf:
    """Who tells the standing of a source's pictures, for one study."""
    if source not in RIGHTS:
        raise unknown_name("source", source, RIGHTS)
    module, kind = RIGHTS[source].split(":")
    rights: RightsOf = getattr(importlib.import_module(module), kind)(study)
    return rights
