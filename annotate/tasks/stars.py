"""Stars: one picture at a time, 1 to n stars (paper 1, section 3.1, "global ratings": 1 to 3 stars).

Every kept picture is one question. The paper has each picture rated by ten people.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from photojury.annotate.tasks.kind import Choice, Kind, Terms, Unit
from photojury.datasets import tables
from photojury.datasets.splits import part_of_images
from photojury.datasets.store import Study
from photojury.settings import Settings


def terms(settings: Settings) -> Terms:
    """What a HIT of stars offers."""
    ours = settings.stars
    return Terms(
        question=ours.question,
        units_per_hit=ours.images_per_hit,
        raters=ours.raters_per_image,
        reward_cents=ours.reward_cents,
        assignment_minutes=ours.assignment_minutes,
        title=f"Rate {ours.images_per_hit} photos: {ours.question}"[:128],
        description=f"Give each photo 1 to {ours.levels} stars. Use the keys 1 to {ours.levels}, or click.",
        keywords="photo, image, picture, rating, quick",
    )


def choices(settings: Settings) -> Sequence[Choice]:
    """One button for each level, its number as its key."""
    ours = settings.stars
    hints = {1: ours.low_label, ours.levels: ours.high_label}
    return [
        Choice(level, "★" * level, (str(level),), hints.get(level, "")) for level in range(1, ours.levels + 1)
    ]


def plan(study: Study, batch: str) -> Sequence[Unit]:
    """Every kept picture, once."""
    parts = part_of_images(study)
    query = sa.select(tables.images.c.image_id).where(tables.images.c.status == "kept")
    ids = [row["image_id"] for row in study.rows(query.order_by(tables.images.c.image_id))]
    return [Unit(image, part=parts.get(image)) for image in ids]


KIND = Kind("stars", "ratings", 1, "picture", terms, choices, plan)
