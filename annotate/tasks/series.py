"""Series: two pictures of one scene, one would be kept, -1 or 1 (paper 3's question, after Chang et al. 2016).

All pairs inside each series of the study's `series` table are asked about, each once; another batch asks about
the pairs that have come since.
"""

import logging
from collections.abc import Sequence

import numpy as np

from photojury.annotate.pairs.designs import series_pairs
from photojury.annotate.tasks.forced_choice import choices
from photojury.annotate.tasks.kind import Kind, Terms, Unit
from photojury.annotate.tasks.pairs import earlier_pairs, known_rows, pair_units, parted_images, without_pairs
from photojury.datasets.store import Study
from photojury.datasets.streams import stream_seed
from photojury.errors import InputError
from photojury.settings import Settings

log = logging.getLogger(__name__)


def terms(settings: Settings) -> Terms:
    """What a HIT of pairs inside series offers."""
    ours = settings.series
    return Terms(
        question=ours.question,
        units_per_hit=ours.pairs_per_hit,
        raters=ours.raters_per_pair,
        reward_cents=ours.reward_cents,
        assignment_minutes=ours.assignment_minutes,
        title=f"Choose the better of two similar photos, {ours.pairs_per_hit} times: {ours.question}"[:128],
        description="Say which of two photos of the same scene you would keep. Use the arrow keys, or click.",
        keywords="photo, image, picture, choice, series",
    )


def asks_reason(settings: Settings) -> bool:
    """Whether raters may write why."""
    return settings.series.reason


def plan(study: Study, batch: str) -> Sequence[Unit]:
    """All pairs inside series that have not been planned yet.

    Raises:
        InputError: no series has two kept pictures, a series lies in several parts of the split, or all pairs
            are planned already.
    """
    ids, parts = parted_images(study)
    sample = series_pairs(
        study.read("series"),
        ids,
        seed=stream_seed(study.settings.study.seed, "pairs", batch),
        parts=np.asarray(parts),
    )
    if not sample.draws:
        raise InputError(
            "the study has no series of two or more kept pictures; series are rows of its series table"
            " (series_id, image_id, position)"
        )
    alone = int((sample.report["images"] < 2).sum())
    if alone:
        log.info("%d series have fewer than two kept pictures, and nothing is asked about them", alone)
    new = without_pairs(sample, known_rows(earlier_pairs(study, "series"), ids), most=sample.draws)
    if not new.draws:
        raise InputError(
            f"all {sample.draws} pairs inside series are planned already; more raters for them come with:"
            " photojury annotate extend"
        )
    return pair_units(new, ids, parts)


KIND = Kind("series", "comparisons", 2, "pair", terms, choices, plan, asks_reason=asks_reason)
