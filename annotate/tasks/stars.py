"""Stars, or points: one picture at a time, 1 to n (paper 1, section 3.1, "global ratings": 1 to 3 stars).

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
    keys = f"1 to {ours.levels}" if ours.levels < 10 else "1 to 9, and 0 for 10"
    return Terms(
        question=ours.question,
        units_per_hit=ours.images_per_hit,
        raters=ours.raters_per_image,
        reward_cents=ours.reward_cents,
        assignment_minutes=ours.assignment_minutes,
        title=f"Rate {ours.images_per_hit} photos: {ours.question}"[:128],
        description=f"Give each photo 1 to {ours.levels} {ours.style}. Use the keys {keys}, or click.",
        keywords="photo, image, picture, rating, quick",
    )


def choices(settings: Settings) -> Sequence[Choice]:
    """One button for each level, its number as its key."""
    ours = settings.stars
    return scale(ours.levels, ours.style, ours.low_label, ours.high_label)


def scale(levels: int, style: str, low_label: str, high_label: str) -> Sequence[Choice]:
    """The buttons 1 to `levels`, as stars or as plain numbers; the key of 10 is 0."""
    hints = {1: low_label, levels: high_label}
    # More than five stars in a row are counted, not seen.
    drawn = style == "stars" and levels <= 5
    return [
        Choice(
            level,
            "★" * level if drawn else f"{level}★" if style == "stars" else str(level),
            (str(level % 10),),
            hints.get(level, ""),
            spoken=f"{level} of {levels} {style}",
        )
        for level in range(1, levels + 1)
    ]


def plan(study: Study, batch: str) -> Sequence[Unit]:
    """Every kept picture, once."""
    parts = part_of_images(study)
    query = sa.select(tables.images.c.image_id).where(tables.images.c.status == "kept")
    ids = [row["image_id"] for row in study.rows(query.order_by(tables.images.c.image_id))]
    return [Unit(image, part=parts.get(image)) for image in ids]


KIND = Kind("stars", "ratings", 1, "picture", terms, choices, plan)
