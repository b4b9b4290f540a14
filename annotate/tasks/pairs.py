"""What the pair tasks share: the pictures that pairs are drawn from, pairs of earlier batches, pairs as units.

>>> pair_units(uniform_pairs(3, pairs=1, seed=1), ["a", "b", "c"], ["train"] * 3)
[Unit(first_id='a', second_id='c', part='train', draw=0, similarity=None)]
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import sqlalchemy as sa

from photojury.annotate.pairs.similarity import Indices, PairSample
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


def earlier_pairs(study: Study, task: str) -> pd.DataFrame:
    """first_id and second_id of the pairs that were planned for a task, without control questions."""
    table = tables.units
    query = sa.select(table.c.first_id, table.c.second_id).where(
        table.c.task == task, table.c.control.is_(None)
    )
    return pd.DataFrame(study.rows(query), columns=["first_id", "second_id"])


def known_rows(pairs: pd.DataFrame, ids: Sequence[str]) -> tuple[Indices, Indices]:
    """Row numbers in `ids` of the pairs whose pictures are both there."""
    index = pd.Index(ids)
    first, second = (index.get_indexer(pd.Index(pairs[name])) for name in ("first_id", "second_id"))
    known = (first >= 0) & (second >= 0)
    return first[known].astype(np.int64), second[known].astype(np.int64)


def without_pairs(sample: PairSample, taken: tuple[Indices, Indices], *, most: int) -> PairSample:
    """A sample without taken pairs: the first `most` of the others, in their order.

    Args:
        sample: drawn pairs.
        taken: first and second rows of pairs that are not to come, either way round.
        most: how many are wanted; `missing` counts from here.
    """
    images = 1 + max(int(side.max(initial=0)) for side in (sample.first, sample.second, *taken))
    new = ~np.isin(_keys(sample.first, sample.second, images), _keys(*taken, images))
    return kept_pairs(sample, np.flatnonzero(new)[:most], wanted=most)


def kept_pairs(sample: PairSample, kept: Indices, *, wanted: int) -> PairSample:
    """Some pairs of a sample; what it lacks of `wanted` is missing."""
    return replace(
        sample,
        first=sample.first[kept],
        second=sample.second[kept],
        similarity=sample.similarity[kept],
        missing=wanted - len(kept),
    )


def _keys(first: Indices, second: Indices, images: int) -> Indices:
    """One number for each unordered pair."""
    keys: Indices = np.minimum(first, second) * images + np.maximum(first, second)
    return keys


def pair_units(sample: PairSample, ids: Sequence[str], parts: Sequence[str]) -> list[Unit]:
    """Units of drawn pairs, in the order in which they were drawn."""
    drawn = zip(sample.first.tolist(), sample.second.tolist(), strict=True)
    similarity = [None if math.isnan(cosine) else cosine for cosine in sample.similarity.tolist()]
    return [
        Unit(ids[i], ids[j], part=parts[i], draw=draw, similarity=cosine)
        for draw, ((i, j), cosine) in enumerate(zip(drawn, similarity, strict=True))
    ]
