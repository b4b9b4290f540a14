"""Claims about the search for near hashes; the expected pairs come from Python's own integers."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photojury.datasets.hamming import Hashes, band_masks, near_pairs


def found(hashes: Hashes, distance: int) -> dict[tuple[int, int], int]:
    """The pairs, each with its distance; a pair that comes twice fails."""
    pairs: dict[tuple[int, int], int] = {}
    for batch in near_pairs(hashes, distance):
        for left, right, bits in zip(*(part.tolist() for part in batch), strict=True):
            assert left < right
            assert (left, right) not in pairs
            pairs[left, right] = bits
    return pairs


def by_hand(hashes: Hashes, distance: int) -> dict[tuple[int, int], int]:
    """The same, one pair after another."""
    values = [int(value) for value in hashes]
    bits = {
        (left, right): (values[left] ^ values[right]).bit_count()
        for left, right in itertools.combinations(range(len(values)), 2)
    }
    return {pair: bit for pair, bit in bits.items() if bit <= distance}


def flipped(rng: np.random.Generator, base: Hashes, most: int) -> Hashes:
    """Each hash with 0 to `most` different bits flipped."""
    flips = [
        sum(1 << int(bit) for bit in rng.choice(64, rng.integers(0, most + 1), replace=False)) for _ in base
    ]
    return base ^ np.array(flips, np.uint64)


@pytest.mark.parametrize("distance", [0, 1, 4, 6, 10, 20])
def test_planted_pairs_are_found_as_by_hand(distance: int) -> None:
    """Every pair within the distance is found once, with its distance, and no other."""
    rng = np.random.default_rng(distance)
    base = rng.integers(0, 2**64, 150, dtype=np.uint64)
    hashes = np.concatenate([base, flipped(rng, base, distance + 2), base[:20]])
    expected = by_hand(hashes, distance)
    assert len(expected) >= 20
    assert found(hashes, distance) == expected


@pytest.mark.parametrize("flips", range(5))
def test_pairs_at_each_distance_up_to_four_are_found_wherever_their_bits_differ(flips: int) -> None:
    """The bands miss no pattern: differing bits next to each other, spread over the bands, or all in one band."""
    rng = np.random.default_rng(flips)
    patterns = [range(start, start + flips) for start in range(60)]
    patterns += [range(start, start + 5 * flips, 5) for start in range(40)]
    patterns += [rng.choice(64, flips, replace=False).tolist() for _ in range(300)]
    base = rng.integers(0, 2**64, len(patterns), dtype=np.uint64)
    masks = np.array([sum(1 << int(bit) for bit in pattern) for pattern in patterns], np.uint64)
    pairs = found(np.concatenate([base, base ^ masks]), 4)
    assert {(row, row + len(base)): flips for row in range(len(base))}.items() <= pairs.items()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 1023), max_size=80), st.integers(0, 12))
def test_any_hashes_give_the_pairs_that_brute_force_gives(values: list[int], distance: int) -> None:
    """Whatever the hashes: many equal, many alike, none at all."""
    hashes = np.array(values, np.uint64)
    assert found(hashes, distance) == by_hand(hashes, distance)


@pytest.mark.parametrize("alike", [1_500, 9_000])
def test_clusters_of_alike_hashes_are_searched_whole(alike: int) -> None:
    """A cluster among 12,000, small enough for bands or not: as many pairs as numpy counts row by row."""
    rng = np.random.default_rng(alike)
    cluster = flipped(rng, np.full(alike, 0x8000_0000_0000_0000, np.uint64), 6)
    hashes = np.concatenate([cluster, rng.integers(0, 2**64, 12_000 - alike, dtype=np.uint64)])
    rng.shuffle(hashes)
    counted = np.zeros(5, int)
    for row in range(len(hashes) - 1):
        bits = np.bitwise_count(hashes[row] ^ hashes[row + 1 :])
        counted += np.bincount(bits[bits <= 4], minlength=5)
    batches = list(near_pairs(hashes, 4))
    bits = np.concatenate([batch.distance for batch in batches])
    assert np.bincount(bits, minlength=5).tolist() == counted.tolist()
    both = np.sort(np.concatenate([batch.left * len(hashes) + batch.right for batch in batches]))
    assert np.diff(both).min() > 0  # no pair comes twice


def test_a_batch_stays_small_where_everything_is_alike() -> None:
    """Three thousand equal hashes are 4.5 million pairs, and come in parts of some 260,000."""
    sizes = [len(batch.left) for batch in near_pairs(np.zeros(3_000, np.uint64), 4)]
    assert sum(sizes) == 3_000 * 2_999 // 2
    assert max(sizes) < 350_000


@pytest.mark.parametrize("distance", [0, 4, 63, 64])
def test_bands_share_out_all_bits(distance: int) -> None:
    """Each of the 64 bits is in one band, and there is one band more than bits may differ."""
    masks = [int(mask) for mask in band_masks(distance)]
    assert len(masks) == distance + 1
    assert sum(masks) == 2**64 - 1
    assert sum(mask.bit_count() for mask in masks) == 64


@pytest.mark.parametrize(("hashes", "distance"), [(np.zeros(2, np.int64), 4), (np.zeros(2, np.uint64), 65)])
def test_what_is_no_hash_or_no_distance_is_refused(hashes: Hashes, distance: int) -> None:
    """Another type or a distance beyond 64 bits is an error, not a wrong answer."""
    with pytest.raises(ValueError, match="hash"):
        list(near_pairs(hashes, distance))
