"""The standing of Flickr's photos: flickr.photos.getInfo, one call each, at the pace of all calls to Flickr.

A photo that is not found, is private, or whose owner has left (codes 1, 2 and 5) is gone; a key that has expired
(code 100) is a ServiceError and says nothing of the photo.
"""

from collections.abc import Mapping, Sequence

from photojury.collect.rights.standing import Row, Standing
from photojury.collect.sources.flickr_client import NotFound, connect
from photojury.datasets.store import Study


class FlickrRights:
    """Tells how photos stand at Flickr."""

    at_once = 1

    def __init__(self, study: Study) -> None:
        self._client = connect(study)

    def look_up(self, images: Sequence[Row]) -> Mapping[str, Standing]:
        """See RightsOf."""
        return {image["source_id"]: self._standing(image["source_id"]) for image in images}

    def _standing(self, photo_id: str) -> Standing:
        try:
            info = self._client.photo_info(photo_id)
        except NotFound as error:
            return Standing("gone", note=f"it was deleted or made private: {error}")
        if info.public is False:
            return Standing("gone", note="it was made private")
        if info.license_id is None:
            return Standing("unknown", opt_out=info.opt_out, note="Flickr's answer has no licence")
        return Standing("there", info.license_id, info.opt_out)
