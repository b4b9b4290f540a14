"""The permutation test of a batch's agreement: how often would raters who have nothing in common agree as much?

Takes in the ratings of batches of one size, gives out a p for each. Each rater's ranks are permuted over the images that
he rated, which keeps his ties, so the test is exact whatever the ratings' distribution (Fisher 1935).

    >>> import numpy as np
    >>> alike = np.tile(np.arange(6.0), (3, 1))
    >>> permutation_p(alike[None], seed=1, permutations=9_999).tolist()     # refined with 99,999
    [1e-05]
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from photojury.analysis.batch_variants import TOLERANCE, unit_ranks

FloatArray = NDArray[np.float64]

REFINED = 10
"""Times as many permutations for batches whose p is too near the smallest possible one to be told from it."""
REFINE_UP_TO = 1_000
"""Where more batches than that agree so much, a false discovery rate does not hang on how much: with 1,000 of 50,000
batches Benjamini and Hochberg's bound is 0.001, ten times the smallest p of 9,999 permutations."""
_WIDTH, _NUMBERS = (
    64,
    2**15,
)  # batches, and numbers of an array, that are worked on at once: they fit into the cache


def permutation_p(values: FloatArray, seed: int, permutations: int) -> FloatArray:
    """(batches,) one-sided p of the mean Spearman correlation of two raters.

    Args:
        values: (batches, m, n) ratings of n images by m raters, none missing.
        seed: of the permutations, which all batches share.
        permutations: how many; REFINED times as many (99,999 for 9,999) for batches with p below 10 / permutations, if
            there are REFINE_UP_TO at most.
    """
    z = unit_ranks(values)
    p = _permute(z, seed, permutations)
    near = np.flatnonzero(p < 10 / permutations)
    if 0 < near.size <= REFINE_UP_TO:
        p[near] = _permute(z[near], seed, REFINED * (permutations + 1) - 1)
    return p


def permutation_p_with_gaps(values: FloatArray, least: int, seed: int, permutations: int) -> float:
    """p of one batch in which not everybody rated every image.

    Args:
        values: (m, n) ratings, NaN where unrated.
        least: images that two raters must have in common to be compared.
        seed, permutations: as above.
    """
    m, n = values.shape
    rated = np.isfinite(values)
    common = [(i, j, rated[i] & rated[j]) for i, j in combinations(range(m), 2)]
    pairs = [pair for pair in common if pair[2].sum() >= least]
    generator = np.random.default_rng([seed, m, n, permutations, 1])
    step = max(1, 2**21 // (m * n))
    as_large = 0
    observed = _agreement(values[:, None], pairs)[0]
    for start in range(0, permutations, step):
        size = min(step, permutations - start)
        shuffled = np.full((m, size, n), np.nan)
        for rater in range(m):
            own = np.broadcast_to(values[rater, rated[rater]], (size, int(rated[rater].sum())))
            shuffled[rater][:, rated[rater]] = generator.permuted(own, axis=1)
        as_large += int((_agreement(shuffled, pairs) >= observed - TOLERANCE * len(pairs)).sum())
    return (1 + as_large) / (permutations + 1)


def _agreement(values: FloatArray, pairs: list[tuple[int, int, NDArray[np.bool_]]]) -> FloatArray:
    """(size,) sums of the pairs' correlations over the images in common, of (m, size, n) ratings."""
    total = np.zeros(values.shape[1])
    for i, j, both in pairs:
        total += (unit_ranks(values[i][:, both]) * unit_ranks(values[j][:, both])).sum(axis=1)
    return total


def _permute(z: FloatArray, seed: int, permutations: int) -> FloatArray:
    """Permutation p of (batches, m, n) unit ranks; the first rater stays put."""
    batches, m, n = z.shape
    ranks = np.ascontiguousarray(z.transpose(1, 2, 0))
    # The mean correlation rises with the length of the sum of all raters' ranks.
    least = np.square(ranks.sum(axis=0)).sum(axis=0) - TOLERANCE * m * (m - 1)
    generator = np.random.default_rng([seed, m, n, permutations])
    step = max(1, _NUMBERS // (n * min(batches, _WIDTH)))
    as_large = np.zeros(batches, dtype=np.int64)
    for start in range(0, permutations, step):
        size = min(step, permutations - start)
        order = generator.permuted(np.broadcast_to(np.arange(n), (size, m - 1, n)), axis=2)
        for left in range(0, batches, _WIDTH):
            here = slice(left, left + _WIDTH)
            total = ranks[0, :, here] + ranks[1, :, here][order[:, 0]]
            for rater in range(2, m):
                total += ranks[rater, :, here][order[:, rater - 1]]
            as_large[here] += (np.einsum("pnb,pnb->pb", total, total) >= least[here]).sum(axis=0)
    return (1 + as_large) / (permutations + 1)
