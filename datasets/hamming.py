"""All pairs of 64-bit hashes within a Hamming distance: exact, in bounded memory, in bounded time.

Takes in (n,) uint64 hashes; gives out the pairs in batches.

If two hashes differ in at most d bits, and the bits are dealt to d + 1 bands, the hashes agree in some whole band
(pigeonhole: d differing bits cannot touch d + 1 bands; Manku, Jain and Sarma 2007, "Detecting near-duplicates for
web crawling", section 3). So only hashes that share a band's bits are compared. Where the hashes are so alike that
the bands would save nothing, as those of many empty pictures are, every pair is compared instead: 0.65 ns each, so
that no input takes longer than the n (n - 1) / 2 comparisons do.

    >>> hashes = np.array([0b0000, 0b0011, 0b1111_1111_1111], np.uint64)
    >>> [(batch.left.tolist(), batch.right.tolist(), batch.distance.tolist()) for batch in near_pairs(hashes, 2)]
    [([0], [1], [2])]
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

# A tile, of so many comparisons at once, stays in the processor's cache: 0.5 MB of differences.
_TILE = 1 << 16
_TILE_COLUMNS = 1 << 13

# Runs of a band that are longer are compared in tiles of their own, shorter ones many at a time.
_LONG_RUN = 48

# What a comparison within a run takes, of one in the comparison of all with all (measured: 3 to 5, at any length).
_OVERHEAD = 5

# Pairs in a batch, about; one tile may add 65,536 to it.
_BATCH = 1 << 18


class Near(NamedTuple):
    """Pairs of row numbers, left < right, with the number of bits in which their hashes differ."""

    left: Rows
    right: Rows
    distance: npt.NDArray[np.uint8]


def near_pairs(hashes: Hashes, distance: int) -> Iterator[Near]:
    """Every pair of hashes that differ in at most `distance` bits, once, in batches of some 260,000.

    Args:
        hashes: (n,) uint64. Equal ones are pairs too: of many equal hashes give one.
        distance: 0 to 64 bits.

    Raises:
        ValueError: another distance, or hashes of another type.
    """
    if not 0 <= distance <= 64:
        raise ValueError(f"a distance between 64-bit hashes is 0 to 64, not {distance}")
    if hashes.dtype != np.uint64 or hashes.ndim != 1:
        raise ValueError("hashes are one row of uint64")
    masks = band_masks(distance)
    bands = [_Band(hashes, mask) for mask in masks]
    if sum(band.cost for band in bands) >= len(hashes) * (len(hashes) - 1) // 2:
        everyone = np.arange(len(hashes), dtype=np.int64)
        yield from _batched(_tiles(hashes, everyone, distance))
        return
    yield from _batched(_from_bands(hashes, bands, masks, distance))


def band_masks(distance: int) -> list[np.uint64]:
    """The 64 bits dealt to distance + 1 bands, in turn; a band is empty where there are more bands than bits."""
    count = distance + 1
    return [np.uint64(sum(1 << bit for bit in range(band, 64, count))) for band in range(count)]


class _Band:
    """Hashes in order of one band's bits, in which those that agree in it are runs.

    Attributes:
        order: (n,) row numbers.
        starts, ends: (r,) where each run begins and ends in it.
        cost: of comparing within the runs, counted in comparisons of all with all.
    """

    def __init__(self, hashes: Hashes, mask: np.uint64) -> None:
        key = hashes & mask
        self.order: Rows = np.argsort(key, kind="stable")
        cuts = np.flatnonzero(np.diff(key[self.order])) + 1
        self.starts = np.concatenate([[0], cuts]).astype(np.int64)
        self.ends = np.concatenate([cuts, [len(hashes)]]).astype(np.int64)
        self.sizes = self.ends - self.starts
        self.cost = _OVERHEAD * int((self.sizes * (self.sizes - 1) // 2).sum())


def _from_bands(hashes: Hashes, bands: list[_Band], masks: list[np.uint64], distance: int) -> Iterator[Near]:
    for number, band in enumerate(bands):
        for found in _in_band(hashes, band, distance):
            # A pair that agrees in an earlier band, too, was found there.
            difference = hashes[found.left] ^ hashes[found.right]
            new = np.ones(len(difference), bool)
            for mask in masks[:number]:
                new &= (difference & mask) != 0
            yield Near(found.left[new], found.right[new], found.distance[new])


def _in_band(hashes: Hashes, band: _Band, distance: int) -> Iterator[Near]:
    for run in np.flatnonzero(band.sizes > _LONG_RUN):
        yield from _tiles(hashes, band.order[band.starts[run] : band.ends[run]], distance)
    yield from _short_runs(hashes, band, distance)


def _short_runs(hashes: Hashes, band: _Band, distance: int) -> Iterator[Near]:
    """Each hash with the next one of its run, then with the next but one, and so on: all runs at a time."""
    ordered = hashes[band.order]
    end_of = np.repeat(band.ends, band.sizes)
    left = np.flatnonzero(np.repeat(band.sizes <= _LONG_RUN, band.sizes))
    for step in range(1, _LONG_RUN):
        left = left[left + step < end_of[left]]
        if not len(left):
            return
        bits = np.bitwise_count(ordered[left] ^ ordered[left + step])
        near = bits <= distance
        at = left[near]
        yield _sorted(band.order[at], band.order[at + step], bits[near])


def _tiles(hashes: Hashes, rows: Rows, distance: int) -> Iterator[Near]:
    """Each of `rows` with each later one."""
    ours = hashes[rows]
    height = _TILE // max(1, min(len(rows), _TILE_COLUMNS))
    for top in range(0, len(rows), height):
        block = ours[top : top + height, None]
        for first in range(top, len(rows), _TILE_COLUMNS):
            bits = np.bitwise_count(block ^ ours[None, first : first + _TILE_COLUMNS])
            near = np.flatnonzero(bits <= distance)  # of one dimension: 14 times as fast as of two
            if not len(near):
                continue
            row, column = np.divmod(near, bits.shape[1])
            later = first + column > top + row
            row, column = top + row[later], first + column[later]
            yield _sorted(rows[row], rows[column], bits.ravel()[near[later]])


def _sorted(one: Rows, other: Rows, distance: npt.NDArray[np.uint8]) -> Near:
    return Near(np.minimum(one, other), np.maximum(one, other), distance)


def _batched(parts: Iterable[Near]) -> Iterator[Near]:
    waiting: list[Near] = []
    held = 0
    for part in parts:
        if not len(part.left):
            continue
        waiting.append(part)
        held += len(part.left)
        if held >= _BATCH:
            yield _joined(waiting)
            waiting, held = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[Near]) -> Near:
    return Near(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
