"""Five levels: two pictures, which is better and by how much, -2 to 2 (paper 1, section 3.2).

Partners are drawn by similarity, p_j proportional to exp(f_i . f_j), five for each picture, inside each part
of the split (photojury.annotate.pairs.similarity), or by another design (photojury.annotate.tasks.pairing).
"""

from collections.abc import Sequence

from photojury.annotate.tasks.kind import Choice, Kind, Terms, Unit
from photojury.annotate.tasks.pairing import draw_pairs
from photojury.annotate.tasks.pairs import pair_units, parted_images
from photojury.datasets.store import Study
from photojury.settings import Settings


def terms(settings: Settings) -> Terms:
    """What a HIT of five-level pairs offers."""
    ours = settings.five_level
    return Terms(
        question=ours.question,
        units_per_hit=ours.pairs_per_hit,
        raters=ours.raters_per_pair,
        reward_cents=ours.reward_cents,
        assignment_minutes=ours.assignment_minutes,
        title=f"Compare {ours.pairs_per_hit} pairs of photos: {ours.question}"[:128],
        description="Say which of two photos is better, and by how much. Use the keys 1 to 5, or click.",
        keywords="photo, image, picture, comparison, quick",
    )


def choices(settings: Settings) -> Sequence[Choice]:
    """From the picture on the left being much better (2) to the one on the right (-2)."""
    return [
        Choice(2, "much better", ("1",), side="first"),
        Choice(1, "better", ("2",), side="first"),
        Choice(0, "equal", ("3", "="), side=""),
        Choice(-1, "better", ("4",), side="second"),
        Choice(-2, "much better", ("5",), side="second"),
    ]


def plan(study: Study, batch: str) -> Sequence[Unit]:
    """`partners` pairs for each picture, by the design that study.toml names.

    Raises:
        InputError: what the design needs is missing (features of every kept picture, or scores), or no pair is
            left.
    """
    ours = study.settings.five_level
    ids, parts = parted_images(study)
    sample = draw_pairs(
        study,
        "five_level",
        ours,
        batch,
        images=(ids, parts),
        pairs=max(1, ours.partners * len(ids)),
        partners=ours.partners,
    )
    return pair_units(sample, ids, parts)


KIND = Kind("five_level", "comparisons", 2, "pair", terms, choices, plan)
