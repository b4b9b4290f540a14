"""AADB's batch: ten pictures, each with an overall rating and eleven attributes (paper 4, section 3).

Each attribute is answered with negative (-1), null (0) or positive (1); the overall rating is 1 to 5. Ten pictures
make a HIT, and the same five raters see all of them, so that raters can be compared with each other. A row of
`ratings` is written for the overall rating and for each attribute.
"""

from collections.abc import Sequence

from photojury.annotate.tasks.kind import Choice, Kind, Terms
from photojury.annotate.tasks.stars import plan, scale
from photojury.settings import Settings

VALUES = (-1, 0, 1)
"""An attribute speaks against the picture, plays no part, or speaks for it."""


def terms(settings: Settings) -> Terms:
    """What a HIT of attributes offers."""
    ours = settings.attributes
    return Terms(
        question=ours.question,
        units_per_hit=ours.images_per_hit,
        raters=ours.raters_per_image,
        reward_cents=ours.reward_cents,
        assignment_minutes=ours.assignment_minutes,
        title=f"Rate {ours.images_per_hit} photos in detail: {ours.question}"[:128],
        description=(
            f"Give each photo 1 to {ours.levels} points, then say for each of {len(ours.names)} attributes "
            "whether it speaks against the photo, plays no part, or speaks for it."
        ),
        keywords="photo, image, picture, rating, attributes",
    )


def choices(settings: Settings) -> Sequence[Choice]:
    """The overall rating's buttons."""
    ours = settings.attributes
    return scale(ours.levels, "points", ours.low_label, ours.high_label)


def names(settings: Settings) -> Sequence[str]:
    """The attributes, in the order of study.toml."""
    return settings.attributes.names


KIND = Kind("attributes", "ratings", 1, "picture", terms, choices, plan, attributes=names)
