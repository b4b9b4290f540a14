"""Connected designs: pairs in which all images come equally often and every image can be reached from every other.

In: a number of images and, if wanted, the part of the split that each is in. Out: a `DesignSample`, whose
report gives the degrees, components and spectral gap of each part. This is the design for scores from few
answers while nothing is known of them; photojury.annotate.pairs.active goes on from there.

    >>> sample = connected_pairs(10, pairs=15, seed=1)
    >>> sample.report[["degree_min", "degree_max", "components"]].values.tolist()
    [[3, 3, 1]]
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from photojury.analysis import designs as graphs
from photojury.annotate.pairs.designs import (
    DesignSample,
    Pairs,
    generator,
    part_labels,
    sample_of,
    shared_out,
)
from photojury.annotate.pairs.similarity import Indices
from photojury.errors import InputError

# Random orders tried for a cycle of new pairs, before degrees are evened out one pair at a time.
_RESTARTS = 20


def connected_pairs(
    images: int,
    *,
    pairs: int,
    seed: int,
    parts: npt.ArrayLike | None = None,
    taken: Pairs | None = None,
) -> DesignSample:
    """A random connected design in which all images of a part come equally often, to within one pair.

    The pairs are the edges of random Hamiltonian cycles (of their complement, where more than half of all
    pairs are asked for). Such unions are nearly the best expanders that a graph with as many edges can be
    (Friedman 2008; two or more cycles), so nearly the best for the error of scores (Shah et al. 2016). The
    first n - 1 pairs of a cycle are a path through all images, so a part of n images is connected from there
    on. Parts get pairs in proportion to their images.

    Args:
        images: how many there are.
        pairs: how many different pairs; if fewer exist, all of them come, and `missing` counts the rest.
        seed: not negative.
        parts: (images,) labels; None: one part.
        taken: first and second rows of pairs that must not come again. Where they leave too few pairs for a
            cycle, the rest goes to the images with the fewest pairs, and the report shows what it came to.

    Returns:
        The pairs, part by part. Its report is that of `analysis.designs.by_part`: degrees, components,
        spectral gap of these pairs alone.

    Raises:
        InputError: no image, labels of another length, or an argument out of range.
    """
    labels = part_labels(parts, images)
    if images < 1 or pairs < 1:
        raise InputError(f"{pairs} pairs of {images} images were asked for; both must be at least 1")
    rng = generator(seed)
    members = [np.flatnonzero(labels == part) for part in np.unique(labels)]
    barred = [_inside(taken, rows, images) for rows in members]
    counts = allocate(pairs, [len(rows) for rows in members], [len(pairs_there) for pairs_there in barred])
    drawn = [
        rows[_regular(len(rows), int(count), used, rng)]
        for rows, count, used in zip(members, counts, barred, strict=True)
    ]
    both = np.concatenate(drawn, axis=1)
    sample = sample_of(both, pairs, rng, seed, pd.DataFrame(), shuffle=False)
    report = graphs.by_part(sample.first, sample.second, parts=labels)
    return replace(sample, report=report)


def allocate(pairs: int, sizes: Sequence[int], taken: Sequence[int]) -> Indices:
    """How many pairs each part gets: in proportion to its images, no more than it has, connected if it can be.

    Args:
        pairs: to be given.
        sizes: images of each part.
        taken: pairs of each part that must not come again.
    """
    images = np.asarray(sizes, dtype=np.int64)
    room = images * (images - 1) // 2 - np.asarray(taken, dtype=np.int64)
    # n - 1 pairs connect a part; where all parts can have that many, none gets fewer.
    least = np.minimum(images - 1, room)
    given = least if least.sum() <= pairs else np.zeros(len(images), np.int64)
    left = min(pairs, int(room.sum())) - int(given.sum())
    while left:
        open_parts = np.flatnonzero(given < room)
        aim = pairs * images[open_parts] / images[open_parts].sum() - given[open_parts]
        extra = np.minimum(shared_out(left, np.maximum(aim, 1e-9)), (room - given)[open_parts])
        given[open_parts] += extra
        left -= int(extra.sum())
    return given


def _regular(images: int, wanted: int, taken: set[int], rng: np.random.Generator) -> Indices:
    """(2, wanted) different pairs of `images` rows, none taken (low * images + high), degrees nearly equal."""
    every = images * (images - 1) // 2
    if not taken and wanted > every // 2:
        # Few pairs to leave out: nearly regular too, and what is left has more than half of all edges at
        # every image, so it is connected (Dirac 1952).
        out = _regular(images, every - wanted, taken, rng)
        low, high = np.triu_indices(images, 1)
        keep = ~np.isin(low * images + high, _keys(out, images))
        return rng.permutation(np.stack([low[keep], high[keep]]), axis=1)
    used = set(taken)
    chosen = np.empty((2, 0), np.int64)
    while chosen.shape[1] < wanted:
        cycle = _cycle(images, used, rng)
        if cycle is None:
            return np.concatenate([chosen, _evened(images, chosen, wanted, used, rng)], axis=1)
        cycle = cycle[:, : wanted - chosen.shape[1]]
        used.update(_keys(cycle, images).tolist())
        chosen = np.concatenate([chosen, cycle], axis=1)
    return chosen


def _cycle(images: int, used: set[int], rng: np.random.Generator) -> Indices | None:
    """(2, images) edges of a random Hamiltonian cycle of unused pairs; None where none was found."""
    if images < 3:
        return None
    for _ in range(_RESTARTS):
        order = rng.permutation(images)
        if _mended(order, used, rng):
            return _matching_first(order)
    return None


def _mended(order: Indices, used: set[int], rng: np.random.Generator) -> bool:
    """Turn stretches of a cycle round, in place, until it has no used pair; False where that did not help."""
    n = len(order)

    def is_used(one: int, other: int) -> bool:
        return int(min(one, other) * n + max(one, other)) in used

    bad = [
        at for at, key in enumerate(_keys(np.stack([order, np.roll(order, -1)]), n).tolist()) if key in used
    ]
    patience = 100 + 20 * len(bad)
    while bad and patience:
        at = bad[-1]
        if not is_used(order[at], order[(at + 1) % n]):
            bad.pop()  # an earlier turn moved it
            continue
        patience -= 1
        low, high = sorted((at, int(rng.integers(n))))
        # Edges (low, low + 1) and (high, high + 1) become (low, high) and (low + 1, high + 1).
        ends = order[low], order[high], order[(low + 1) % n], order[(high + 1) % n]
        if high - low < 2 or (low == 0 and high == n - 1):
            continue
        if not is_used(ends[0], ends[1]) and not is_used(ends[2], ends[3]):
            order[low + 1 : high + 1] = order[low + 1 : high + 1][::-1].copy()
            # Turning moved the edges between: look at them all again, there are few bad ones.
            keys = _keys(np.stack([order, np.roll(order, -1)]), n).tolist()
            bad = [place for place, key in enumerate(keys) if key in used]
    return not bad


def _matching_first(order: Indices) -> Indices:
    """(2, n) edges of a cycle, ordered so that every first few of them have degrees within one of each other."""
    n = len(order)
    even = np.arange(0, n - 1, 2)
    odd = np.arange(1, n - 1, 2)[::-1]
    edges = np.concatenate([even, odd, [n - 1]])
    return np.stack([order[edges], order[(edges + 1) % n]])


def _evened(images: int, chosen: Indices, wanted: int, used: set[int], rng: np.random.Generator) -> Indices:
    """(2, k) unused pairs, one after another between images of the lowest degree: for nearly full graphs."""
    degree = np.bincount(chosen.ravel(), minlength=images)
    low, high = np.triu_indices(images, 1)
    free = ~np.isin(low * images + high, np.fromiter(used, np.int64, len(used)))
    low, high = low[free], high[free]
    mixed = rng.permutation(len(low))
    low, high = low[mixed], high[mixed]
    open_pair = np.ones(len(low), dtype=bool)
    picked = []
    for _ in range(min(wanted - chosen.shape[1], len(low))):
        load = images * np.maximum(degree[low], degree[high]) + degree[low] + degree[high]
        best = int(np.where(open_pair, load, np.iinfo(np.int64).max).argmin())
        open_pair[best] = False
        degree[[low[best], high[best]]] += 1
        picked.append(best)
    return np.stack([low[picked], high[picked]])


def _inside(taken: Pairs | None, rows: Indices, images: int) -> set[int]:
    """Keys, inside a part, of the taken pairs that lie in it."""
    if taken is None:
        return set()
    place = np.full(images, -1)
    place[rows] = np.arange(len(rows))
    both = place[np.stack([np.asarray(side, dtype=np.int64) for side in taken])]
    return set(_keys(both[:, (both >= 0).all(axis=0)], len(rows)).tolist())


def _keys(pairs: Indices, images: int) -> Indices:
    """One number for each unordered pair."""
    keys: Indices = pairs.min(axis=0) * images + pairs.max(axis=0)
    return keys
