"""Forced choice: two pictures, one must be chosen, -1 or 1 (paper 2's user study, section 6: 600 pairs, five people each).

Pairs are drawn uniformly inside each part of the split, or by another design (photojury.annotate.tasks.pairing);
`forced_choice.pairs` of them over the whole study.
"""

from collections.abc import Sequence

from photojury.annotate.tasks.kind import Choice, Kind, Terms, Unit
from photojury.annotate.tasks.pairing import draw_pairs
from photojury.annotate.tasks.pairs import pair_units, parted_images
from photojury.datasets.store import Study
from photojury.settings import Settings


def terms(settings: Settings) -> Terms:
    """What a HIT of forced choices offers."""
    ours = settings.forced_choice
    return Terms(
        question=ours.question,
        units_per_hit=ours.pairs_per_hit,
        raters=ours.raters_per_pair,
        reward_cents=ours.reward_cents,
        assignment_minutes=ours.assignment_minutes,
        title=f"Choose between {ours.pairs_per_hit} pairs of photos: {ours.question}"[:128],
        description="Choose one of two photos. Use the arrow keys, or click.",
        keywords="photo, image, picture, choice, quick",
    )


def choices(settings: Settings) -> Sequence[Choice]:
    """The picture on the left (1) or the one on the right (-1)."""
    return [
        Choice(1, "photo", ("ArrowLeft", "ArrowUp", "1"), side="first"),
        Choice(-1, "photo", ("ArrowRight", "ArrowDown", "2"), side="second"),
    ]


def plan(study: Study, batch: str) -> Sequence[Unit]:
    """`pairs` pairs over the whole study, by the design that study.toml names.

    Raises:
        InputError: what the design needs is missing (features of every kept picture, or scores), or no pair is
            left.
    """
    ours = study.settings.forced_choice
    ids, parts = parted_images(study)
    sample = draw_pairs(
        study,
        "forced_choice",
        ours,
        batch,
        images=(ids, parts),
        pairs=ours.pairs,
        partners=-(-ours.pairs // max(1, len(ids))),
    )
    return pair_units(sample, ids, parts)


KIND = Kind("forced_choice", "comparisons", 2, "pair", terms, choices, plan)
