"""The standing of Openverse's pictures: one call each, by id.

Openverse drops what its sources have deleted; a picture that it has no more is gone.
"""

from collections.abc import Mapping, Sequence

from photojury.collect.rights.standing import Row, Standing
from photojury.collect.sources.openverse import Openverse
from photojury.datasets.store import Study


class OpenverseRights:
    """Tells how pictures stand at Openverse."""

    at_once = 1

    def __init__(self, study: Study) -> None:
        self._source = Openverse(study)

    def look_up(self, images: Sequence[Row]) -> Mapping[str, Standing]:
        """See RightsOf."""
        return {image["source_id"]: self._standing(image["source_id"]) for image in images}

    def _standing(self, name: str) -> Standing:
        found = self._source.one(name)
        if found is None:
            return Standing("gone", note="Openverse has it no more")
        if found.license_id is None:
            return Standing("unknown", note="Openverse's answer has no licence")
        return Standing("there", found.license_id)
