"""Photos that a fake Flickr has, and the rows that it gives of them, in the shapes of ../shared/fixtures/flickr.

Takes in a number, a spread over the years and a seed; gives out photos, the same for the same seed.

    photos = plant(10_000, "growing")
    row(photos[0], number_of_call=3)

Flickr's types drift inside one answer; rows here do, too, by the photo's id: counts as numbers, text or not at all,
sizes as text, `description` as an object or missing, `pathalias` null, empty or a name.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

BEGIN = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
OWNERS = 37


@dataclass
class Photo:
    """A photo; `gone` is what Flickr says instead of it: 1 not found, 2 permission denied, 5 user deleted."""

    photo_id: str
    owner: str
    uploaded: int
    taken: int
    title: str
    tags: list[str] = field(default_factory=lambda: ["tree"])
    license: int = 4
    views: int = 0
    favs: int = 0
    comments: int = 0
    long_side: int = 4000
    downloads: bool = True
    gone: int | None = None
    favs_in_rows: bool = True


def plant(count: int, spread: str = "even", seed: int = 7) -> list[Photo]:
    """So many photos of 37 owners between BEGIN and END.

    Args:
        spread: `even`; `growing`, by a factor of e^7 (1,100) over the years; or `bursts`, half of it growing and half
            in ten bursts of some minutes, with seconds that have many.
    """
    chance = random.Random(seed)
    draws: dict[str, Callable[[random.Random], float]] = {
        "even": random.Random.random,
        "growing": _growing,
        "bursts": _bursts(chance),
    }
    photos = []
    for number in range(count):
        uploaded = min(END, BEGIN + int(draws[spread](chance) * (END - BEGIN)))
        photo = Photo(
            photo_id=str(40_000_000_000 + number * 7919),
            owner=f"{1000 + number % OWNERS}@N0{number % OWNERS % 9}",
            uploaded=uploaded,
            taken=uploaded - chance.randrange(86400 * 30),
            title=chance.choice(["Warsy (église) • 7433", "風景", "", "x" * 300, "a <b>&amp;</b>"]),
            license=chance.randrange(17),
            views=int(chance.lognormvariate(4, 2)),
            long_side=chance.choice([700, 1000, 2048, 4000]),
            downloads=chance.random() < 0.7,
        )
        photo.favs = photo.views // 40
        photo.comments = photo.views // 200
        photos.append(photo)
    return photos


def row(photo: Photo, extras: str) -> dict[str, object]:
    """A photo as photos.search gives it, with those extras that were asked for."""
    drift = int(photo.photo_id) % 3
    asked = set(extras.split(","))
    found: dict[str, object] = {
        "id": photo.photo_id,
        "owner": photo.owner,
        "secret": "bbdbb5f761",
        "server": "65535",
        "farm": 66,
        "title": photo.title,
        "ispublic": 1,
        "isfriend": 0,
        "isfamily": 0,
    }
    if "license" in asked:
        found["license"] = [str(photo.license), photo.license, str(photo.license)][drift]
    if "description" in asked and drift != 1:
        found["description"] = {"_content": f"about {photo.title}"}
    if "date_upload" in asked:
        found["dateupload"] = str(photo.uploaded)
    if "date_taken" in asked:
        taken = datetime.fromtimestamp(photo.taken, UTC)
        found |= {"datetaken": f"{taken:%Y-%m-%d %H:%M:%S}", "datetakengranularity": ["0", 0, "0"][drift]}
        found["datetakenunknown"] = "0"
    if "owner_name" in asked:
        found["ownername"] = f"owner {photo.owner[:4]}"
    if "tags" in asked:
        found["tags"] = " ".join(photo.tags)
    if "path_alias" in asked:
        found["pathalias"] = [None, "", "somebody"][drift]
    if "last_update" in asked:
        found["lastupdate"] = str(photo.uploaded + 9)
    if "o_dims" in asked and photo.downloads:
        found |= {"o_width": str(photo.long_side), "o_height": str(photo.long_side * 2 // 3)}
    return found | _counters(photo, asked, drift) | _sizes(photo, asked, drift)


def _counters(photo: Photo, asked: set[str], drift: int) -> dict[str, object]:
    found: dict[str, object] = {}
    if "views" in asked:
        found["views"] = [str(photo.views), photo.views, str(photo.views)][drift]
    if "count_faves" in asked and photo.favs_in_rows:
        found["count_faves"] = [str(photo.favs), str(photo.favs), photo.favs][drift]
    if "count_comments" in asked:
        found["count_comments"] = str(photo.comments)
    return found


def _sizes(photo: Photo, asked: set[str], drift: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, side, suffix in (("m", 500, ""), ("z", 640, "_z"), ("c", 800, "_c"), ("l", 1024, "_b")):
        if f"url_{name}" in asked and side < photo.long_side:
            found |= _size(photo, name, side, suffix, drift)
    if "url_o" in asked and photo.downloads:
        found |= _size(photo, "o", photo.long_side, "_o", drift)
    return found


def _size(photo: Photo, name: str, side: int, suffix: str, drift: int) -> dict[str, object]:
    height = side * 2 // 3
    return {
        f"url_{name}": f"https://live.staticflickr.com/65535/{photo.photo_id}_bbdbb5f761{suffix}.jpg",
        f"width_{name}": [side, str(side), side][drift],
        f"height_{name}": [str(height), height, height][drift],
    }


def _growing(chance: random.Random) -> float:
    return math.log(1 + chance.random() * math.expm1(7)) / 7


def _bursts(chance: random.Random) -> Callable[[random.Random], float]:
    centres = [chance.random() for _ in range(10)]

    def draw(chance: random.Random) -> float:
        if chance.random() < 0.5:
            return _growing(chance)
        return chance.choice(centres) + chance.expovariate(1 / 600) / (END - BEGIN)

    return draw
