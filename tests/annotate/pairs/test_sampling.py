"""Pair sampling: its distribution against the dense softmax, and what no sample may hold."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from photojury.annotate.pairs.similarity import PairSample, sample_pairs, uniform_pairs
from photojury.errors import InputError

ROOT = Path(__file__).parents[3]
LEVEL = 1e-4  # declared before any run: a chi-square test fails below it, and its power checks must
IMAGES = 50
Draws = Iterable[tuple[int, int]]


def directions(images: int, width: int, seed: int = 7) -> npt.NDArray[np.float32]:
    """Vectors of any length that point everywhere, so that cosines span -1 to 1."""
    return np.random.default_rng(seed).standard_normal((images, width)).astype(np.float32)


def cosines(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    unit = features / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(unit @ unit.T)


def softmax_p_value(samples: Iterable[Draws], logits: npt.NDArray[np.float64]) -> float:
    """Chi-square of all draws against the dense softmax over what was still allowed at each of them.

    Cells are (image that drew, its partner). The count of a cell has the mean sum(p) and the variance
    sum(p - p^2) over that image's draws, p the partner's probability given the draws before, which also gives
    the degrees of freedom (for a constant p: partners - 1 an image, as in Pearson's test).
    """
    n = len(logits)
    weight = np.exp(logits)
    np.fill_diagonal(weight, 0)
    seen, expected, variance = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    for sample in samples:
        allowed = weight.copy()
        for first, second in sample:
            assert allowed[first, second] > 0
            p = allowed[first] / allowed[first].sum()
            expected[first] += p
            variance[first] += p - p**2
            seen[first, second] += 1
            allowed[first, second] = allowed[second, first] = 0
    cells = ~np.eye(n, dtype=bool)
    statistic = ((seen - expected)[cells] ** 2 / expected[cells]).sum()
    return float(stats.chi2.sf(statistic, (variance[cells] / expected[cells]).sum()))


def pairs_of(sample: PairSample) -> list[tuple[int, int]]:
    return list(zip(sample.first.tolist(), sample.second.tolist(), strict=True))


def test_fifty_images_follow_the_dense_softmax() -> None:
    """Chi-square on 75,000 draws: paper 1's temperature fits; uniform and a 15 % warmer softmax do not."""
    features = directions(IMAGES, 3)
    samples = [pairs_of(sample_pairs(features, seed=seed)) for seed in range(300)]
    logits = cosines(features)
    assert softmax_p_value(samples, logits) > LEVEL
    assert softmax_p_value(samples, np.zeros_like(logits)) < LEVEL
    assert softmax_p_value(samples, logits / 1.15) < LEVEL


def test_the_chi_square_notices_uniform_partners() -> None:
    """The same test refuses partners that numpy drew uniformly, over as many draws."""
    rng = np.random.default_rng(3)
    samples = []
    for _ in range(100):
        taken: set[frozenset[int]] = set()
        draws = []
        for first in [*range(IMAGES)] * 5:
            free = [j for j in range(IMAGES) if j != first and frozenset((first, j)) not in taken]
            draws.append((first, int(rng.choice(free))))
            taken.add(frozenset(draws[-1]))
        samples.append(draws)
    assert softmax_p_value(samples, cosines(directions(IMAGES, 3))) < LEVEL
    assert softmax_p_value(samples, np.zeros((IMAGES, IMAGES))) > LEVEL


def test_dense_rows_follow_the_softmax_too() -> None:
    """At a small temperature many draws are dense rows, and the mixture still fits the softmax."""
    features = directions(IMAGES, 3)
    samples = [sample_pairs(features, seed=seed, temperature=0.3, partners=12) for seed in range(100)]
    dense = sum(sample.dense_draws for sample in samples)
    assert 0.05 < dense / sum(sample.draws for sample in samples) < 0.95
    logits = cosines(features) / 0.3
    assert softmax_p_value(map(pairs_of, samples), logits) > LEVEL
    assert softmax_p_value(map(pairs_of, samples), logits / 1.15) < LEVEL


def test_small_parts_follow_the_softmax() -> None:
    """8,000 parts of the same five images, where most draws meet taken pairs, fit the softmax as well."""
    five = directions(5, 3, seed=1)
    sample = sample_pairs(np.tile(five, (8_000, 1)), seed=2, partners=1, parts=np.repeat(np.arange(8_000), 5))
    draws: list[list[tuple[int, int]]] = [[] for _ in range(8_000)]
    for first, second in pairs_of(sample):
        draws[first // 5].append((first % 5, second % 5))
    assert softmax_p_value(draws, cosines(five)) > LEVEL
    assert softmax_p_value(draws, cosines(five) / 1.15) < LEVEL


def test_a_tiny_temperature_draws_the_nearest_images() -> None:
    """As the temperature falls to its least, an image's partners are its nearest ones not yet taken."""
    features = directions(40, 8)
    sample = sample_pairs(features, seed=0, partners=3, temperature=1e-6)
    near = cosines(features)
    np.fill_diagonal(near, -2)
    for first, second in pairs_of(sample):
        assert second == near[first].argmax()
        near[first, second] = near[second, first] = -2
    assert sample.draws == 120


def test_similarity_is_the_cosine_and_acceptance_its_mean_exponential() -> None:
    """Reported cosines are numpy's; the acceptance is the mean of exp(cosine - 1), as rejection predicts."""
    features = np.abs(directions(2000, 64))
    sample = sample_pairs(features, seed=5)
    dense = cosines(features)
    np.testing.assert_allclose(sample.similarity, dense[sample.first, sample.second], atol=1e-6)
    rows = ((np.exp(dense - 1).sum(axis=1) - 1) / 1999) ** -1  # proposals per draw; the diagonal adds exp(0)
    assert sample.acceptance == pytest.approx(1 / rows.mean(), rel=0.03)
    assert sample.uniform_similarity == pytest.approx((dense.sum() - 2000) / (2000 * 1999), abs=0.01)
    assert sample.similarity.mean() > sample.uniform_similarity


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    partners=st.integers(1, 7),
    temperature=st.sampled_from([1e-6, 0.05, 1.0, 50.0]),
    seed=st.integers(0, 2**32),
)
def test_samples_hold_only_new_pairs_inside_parts(
    sizes: list[int], partners: int, temperature: float, seed: int
) -> None:
    """No pair twice, no self, none across parts; every image draws its partners unless none is left."""
    rng = np.random.default_rng(seed)
    parts = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    features = rng.standard_normal((len(parts), 4)) * 10.0 ** rng.integers(-9, 9, (len(parts), 1))
    sample = sample_pairs(features, partners=partners, seed=seed, temperature=temperature, parts=parts)
    pairs = {frozenset(pair) for pair in pairs_of(sample)}
    assert len(pairs) == sample.draws and all(len(pair) == 2 for pair in pairs)
    assert (parts[sample.first] == parts[sample.second]).all()
    drawn = np.bincount(sample.first, minlength=len(parts))
    assert drawn.max() <= partners and sample.missing == partners * len(parts) - sample.draws
    for image in np.flatnonzero(drawn < partners):
        in_part = set(np.flatnonzero(parts == parts[image]).tolist()) - {int(image)}
        assert all(frozenset((int(image), other)) in pairs for other in in_part)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    share=st.floats(0.01, 1.5),
    seed=st.integers(0, 2**32),
)
def test_uniform_samples_hold_only_new_pairs_inside_parts(sizes: list[int], share: float, seed: int) -> None:
    """Uniform pairs too: as many as asked for or all that exist, none twice, none across parts."""
    parts = np.random.default_rng(seed).permutation(
        np.repeat([f"part {k}" for k in range(len(sizes))], sizes)
    )
    exist = sum(size * (size - 1) // 2 for size in sizes)
    wanted = max(1, int(share * exist))
    sample = uniform_pairs(len(parts), pairs=wanted, seed=seed, parts=parts)
    assert sample.draws == min(wanted, exist) == wanted - sample.missing
    pairs = {frozenset(pair) for pair in pairs_of(sample)}
    assert len(pairs) == sample.draws and all(len(pair) == 2 for pair in pairs)
    assert (parts[sample.first] == parts[sample.second]).all()


def test_uniform_pairs_are_uniform_in_both_orders() -> None:
    """Chi-square over the 132 ordered pairs of parts of 12 and 1 images, and power against a skewed count."""
    counts = np.zeros((13, 13))
    for seed in range(2000):
        sample = uniform_pairs(13, pairs=10, seed=seed, parts=["a"] * 12 + ["b"])
        counts[sample.first, sample.second] += 1
    inside = counts[:12, :12][~np.eye(12, dtype=bool)]
    assert counts.sum() == inside.sum() == 20_000
    assert stats.chisquare(inside).pvalue > LEVEL
    skewed = inside * np.where(np.arange(132) % 2, 1.1, 0.9)
    assert stats.chisquare(skewed, np.full(132, skewed.mean())).pvalue < LEVEL


def test_pair_numbers_of_a_large_study_are_valid() -> None:
    """Beyond the 2^32 pairs of 380,000 images, numbers still decode to two different images in range."""
    sample = uniform_pairs(380_000, pairs=100_000, seed=1)
    low, high = np.minimum(sample.first, sample.second), np.maximum(sample.first, sample.second)
    assert low.min() >= 0 and high.max() < 380_000 and (low < high).all()
    # The larger of a uniform pair has the density 2x, the smaller 2 (1 - x).
    assert stats.kstest(high / 380_000, lambda x: x**2).pvalue > LEVEL
    assert stats.kstest(low / 380_000, lambda x: 1 - (1 - x) ** 2).pvalue > LEVEL


def test_a_seed_gives_one_sample() -> None:
    """The same seed draws the same pairs, in the same order; another seed others."""
    features = directions(200, 8)
    one, same, other = (pairs_of(sample_pairs(features, seed=seed)) for seed in (4, 4, 5))
    assert one == same != other
    one, same, other = (pairs_of(uniform_pairs(200, pairs=50, seed=seed)) for seed in (4, 4, 5))
    assert one == same != other


def test_a_memory_map_and_half_precision_are_read_in_place(tmp_path: Path) -> None:
    """A memory-mapped matrix gives the sample of the array in memory; float16 gives that of its values."""
    features = directions(300, 16)
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    assert pairs_of(sample_pairs(mapped, seed=1)) == pairs_of(sample_pairs(features, seed=1))
    half = features.astype(np.float16)
    sample = sample_pairs(half, seed=1)
    assert pairs_of(sample) == pairs_of(sample_pairs(half.astype(np.float32), seed=1))


def test_one_image_has_no_partner() -> None:
    """A study, or a part, of one image yields no pair and says how many are missing."""
    assert (alone := sample_pairs(np.ones((1, 4)), seed=0)).draws == 0
    assert alone.missing == 5 and np.isnan(alone.uniform_similarity) and np.isnan(alone.acceptance)
    assert uniform_pairs(1, pairs=3, seed=0).missing == 3
    lonely = sample_pairs(directions(21, 4), seed=0, parts=[0] * 20 + [1])
    assert 20 not in lonely.first and 20 not in lonely.second and lonely.missing == 5


def test_few_images_give_all_their_pairs() -> None:
    """Six images asked for five partners each give their fifteen pairs, and fifteen are missing."""
    sample = sample_pairs(directions(6, 4), seed=0)
    assert sample.draws == sample.missing == 15


def test_identical_features_are_accepted_at_once() -> None:
    """Copies of one vector have cosine 1: every new pair is accepted, and partners are uniform."""
    sample = sample_pairs(np.tile(directions(1, 9), (400, 1)), seed=0)
    assert sample.draws == 2000 and sample.acceptance > 0.97  # what is refused was already drawn
    np.testing.assert_allclose(sample.similarity, 1, atol=1e-6)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ([0, 0, 0, 0], "features, row 3: it is all zeros"),
        ([1, np.nan, 1, 1], "features, row 3: it has length nan"),
        ([1, np.inf, 1, 1], "features, row 3: it has length inf"),
        ([1e-30, 0, 0, 0], "features, row 3: it has length 1e-30"),
    ],
)
def test_a_row_without_a_direction_is_named(row: list[float], says: str) -> None:
    """Zero, NaN, infinite and vanishing rows raise InputError with the row's number."""
    features = directions(30, 4)
    features[3] = row
    with pytest.raises(InputError, match=says):
        sample_pairs(features, seed=0)


def test_wrong_arguments_say_what_to_give() -> None:
    """Each argument out of range raises InputError naming it."""
    good = directions(20, 4)
    calls: dict[str, Callable[[], PairSample]] = {
        "partners is 0": lambda: sample_pairs(good, seed=0, partners=0),
        "temperature is 0": lambda: sample_pairs(good, seed=0, temperature=0),
        "temperature is nan": lambda: sample_pairs(good, seed=0, temperature=float("nan")),
        "temperature is inf": lambda: sample_pairs(good, seed=0, temperature=float("inf")),
        "seed is -1": lambda: sample_pairs(good, seed=-1),
        r"parts has shape \(3,\), but there are 20 images": lambda: sample_pairs(
            good, seed=0, parts=[1, 2, 3]
        ),
        r"shape \(0, 4\)": lambda: sample_pairs(good[:0], seed=0),
        r"shape \(4,\)": lambda: sample_pairs(good[0], seed=0),
        "int64 array": lambda: sample_pairs(good.astype(np.int64), seed=0),
        "0 pairs of 20 images": lambda: uniform_pairs(20, pairs=0, seed=0),
        "5 pairs of 0 images": lambda: uniform_pairs(0, pairs=5, seed=0),
    }
    for says, call in calls.items():
        with pytest.raises(InputError, match=says):
            call()


def test_the_benchmark_runs() -> None:
    """benchmarks/pair_sampling.py --quick prints a line for each size, with a ratio."""
    script = [sys.executable, "benchmarks/pair_sampling.py", "--quick"]
    answer = subprocess.run(script, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert [line[0] for line in lines if " x " in " ".join(line)] == ["500", "1,000"]
