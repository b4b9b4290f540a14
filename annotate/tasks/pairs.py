"""What the two pair tasks share: the pictures that pairs are drawn from, and drawn pairs as units."""

import math
from collections.abc import Sequence

import sqlalchemy as sa

from photojury.annotate.sampling import PairSample
from photojury.annotate.tasks.kind import Unit
from photojury.datasets import tables
from photojury.datasets.splits import part_of_images
from photojury.datasets.store import Study
from photojury.errors import InputError


def parted_images(study: Study) -> tuple[list[str], list[str]]:
    """The kept pictures in order of their ids, and the part of each.

    Raises:
        InputError: there is no split yet, or it does not know every picture.
    """
    query = sa.select(tables.images.c.image_id).where(tables.images.c.status == "kept")
    ids = [row["image_id"] for row in study.rows(query.order_by(tables.images.c.image_id))]
    part_of = part_of_images(study)
    without = sum(image not in part_of for image in ids)
    if without:
        raise InputError(
            f"{without} of {len(ids)} pictures are in no part of the split, and pairs must not lie across it; "
            "first: photojury datasets split"
        )
    return ids, [part_of[image] for image in ids]


def pair_units(sample: PairSample, ids: Sequence[str], parts: Sequence[str]) -> list[Unit]:
    """Units of drawn pairs, in the order in which they were drawn."""
    drawn = zip(sample.first.tolist(), sample.second.tolist(), strict=True)
    similarity = [None if math.isnan(cosine) else cosine for cosine in sample.similarity.tolist()]
    return [
        Unit(ids[i], ids[j], part=parts[i], draw=draw, similarity=cosine)
        for draw, ((i, j), cosine) in enumerate(zip(drawn, similarity, strict=True))
    ]
