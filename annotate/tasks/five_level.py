"""Five levels: two pictures, which is better and by how much, -2 to 2 (paper 1, section 3.2).

Partners are drawn by similarity, p_j proportional to exp(f_i . f_j), five for each picture, inside each part
of the split: see photojury.annotate.sampling.
"""

from collections.abc import Sequence

import numpy as np

from photojury.annotate.sampling import sample_pairs
from photojury.annotate.tasks.kind import Choice, Kind, Terms, Unit
from photojury.annotate.tasks.pairs import pair_units, parted_images
from photojury.datasets.features import read_features
from photojury.datasets.store import Study
from photojury.datasets.streams import stream_seed
from photojury.errors import InputError
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
    """Pairs drawn by the softmax of their similarity.

    Raises:
        InputError: a kept picture has no features of the model that study.toml names.
    """
    settings = study.settings.five_level
    ids, parts = parted_images(study)
    known, matrix = read_features(study.folder, settings.features)
    row_of = {image: row for row, image in enumerate(known)}
    missing = [image for image in ids if image not in row_of]
    if missing:
        raise InputError(
            f"{len(missing)} pictures have no {settings.features} features; "
            f"first: photojury embed --model {settings.features}"
        )
    sample = sample_pairs(
        matrix[[row_of[image] for image in ids]],
        partners=settings.partners,
        temperature=settings.temperature,
        parts=np.asarray(parts),
        seed=stream_seed(study.settings.study.seed, "pairs", batch),
    )
    return pair_units(sample, ids, parts)


KIND = Kind("five_level", "comparisons", 2, "pair", terms, choices, plan)
