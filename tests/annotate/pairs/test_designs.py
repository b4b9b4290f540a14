"""Designs: pairs by score distance, inside series, and connected; what each holds and what none may hold."""

from itertools import combinations

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from photojury.annotate.pairs.connected import allocate, connected_pairs
from photojury.annotate.pairs.designs import score_distance_pairs, series_pairs
from photojury.annotate.pairs.similarity import PairSample
from photojury.errors import InputError


def unordered(sample: PairSample) -> list[frozenset[int]]:
    return [frozenset(pair) for pair in zip(sample.first.tolist(), sample.second.tolist(), strict=True)]


def in_bin(scores: npt.NDArray[np.float64], parts: list[str], low: float, high: float) -> set[frozenset[int]]:
    """All pairs of a distance, listed one by one."""
    return {
        frozenset((i, j))
        for i, j in combinations(range(len(scores)), 2)
        if parts[i] == parts[j] and low < round(abs(scores[i] - scores[j]), 12) <= high
    }


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=14), st.integers(1, 60), st.data())
def test_bins_hold_what_a_list_of_all_pairs_holds(tenths: list[int], pairs: int, data: st.DataObject) -> None:
    """Every bin's count is the listed one; drawn pairs are different, of the bin, of a part, and not taken."""
    scores = np.array(tenths) / 10
    parts = data.draw(st.lists(st.sampled_from("ab"), min_size=len(tenths), max_size=len(tenths)))
    every = sorted(map(sorted, in_bin(scores, parts, 0, 9)))
    taken = data.draw(st.lists(st.sampled_from(every), max_size=5)) if every else []
    sides = tuple(np.array(taken, dtype=np.int64).reshape(-1, 2)[:, ::-1].T)
    edges = (0.1, 0.2, 0.5)
    sample = score_distance_pairs(
        scores, pairs=pairs, edges=edges, seed=3, parts=parts, taken=(sides[0], sides[1])
    )
    drawn = unordered(sample)
    assert len(set(drawn)) == len(drawn) == pairs - sample.missing
    gone = {frozenset(pair) for pair in taken}
    rows = sample.report.to_dict("records")
    for row, low, high in zip(rows, edges, (*edges[1:], 9), strict=True):
        there = in_bin(scores, parts, low, high) - gone
        assert row["there"] == len(there)
        assert row["drawn"] == len(there & set(drawn)) == min(row["wanted"], len(there))
    assert set(drawn) <= in_bin(scores, parts, 0.1, 9) - gone
    assert sample.report["wanted"].sum() == pairs


def test_inside_a_bin_all_pairs_are_as_likely() -> None:
    """Chi-square over 1,500 samples, with two pairs taken: scipy finds no preference."""
    scores = np.array([0.0, 0.05, 0.2, 0.31, 0.33, 0.5])
    every = sorted(map(sorted, in_bin(scores, ["a"] * 6, 0.1, 0.4) - {frozenset((0, 2)), frozenset((1, 4))}))
    counts = dict.fromkeys(map(frozenset, every), 0)
    for seed in range(1_500):
        sample = score_distance_pairs(scores, pairs=2, edges=(0.1, 0.4), seed=seed, taken=([2, 1], [0, 4]))
        for pair in unordered(sample):
            if pair in counts:
                counts[pair] += 1
    assert sum(counts.values()) == 1_500
    assert stats.chisquare(list(counts.values())).pvalue > 1e-4


def test_paper_2s_600_pairs() -> None:
    """20,000 uniform scores: 100 pairs in each of six bins, without a matrix of 400 million."""
    scores = np.random.default_rng(1).random(20_000)
    sample = score_distance_pairs(scores, seed=1)
    assert sample.draws == 600 and sample.missing == 0
    distance = np.abs(scores[sample.first] - scores[sample.second])
    counts, _ = np.histogram(distance, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1])
    assert counts.tolist() == [100] * 6
    # Of uniform scores, (1 - x)^2 of all pairs are more than x apart.
    share = sample.report["there"] / (20_000 * 19_999 / 2)
    limits = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0])
    assert share.to_numpy() == pytest.approx(-np.diff((1 - limits) ** 2), rel=0.03)


def test_series_hold_all_their_pairs_once() -> None:
    """Combinations of each series' known images; a pair in two series comes once, and the unknown are counted."""
    series = pd.DataFrame({"series_id": list("ppppqqr"), "image_id": ["a", "b", "c", "x", "a", "b", "d"]})
    sample = series_pairs(series, ["a", "b", "c", "d"], seed=1)
    assert sorted(map(sorted, unordered(sample))) == [[0, 1], [0, 2], [1, 2]]
    assert sample.report.set_index("series_id")["pairs"].to_dict() == {"p": 3, "q": 0, "r": 0}
    assert sample.report["unknown"].sum() == 1
    with pytest.raises(InputError, match=r"series p lies in the parts test, train.*--by series"):
        series_pairs(series, ["a", "b", "c", "d"], seed=1, parts=["test", "train", "train", "train"])
    assert series_pairs(series[:0], ["a"], seed=1).draws == 0


@pytest.mark.parametrize("images", range(2, 9))
def test_small_connected_designs_are_connected_and_regular(images: int) -> None:
    """Every number of pairs: networkx finds one component from n - 1 pairs on, and degrees one apart at most."""
    every = images * (images - 1) // 2
    for pairs in range(1, every + 2):
        for seed in range(3):
            sample = connected_pairs(images, pairs=pairs, seed=seed)
            graph = nx.Graph(list(map(tuple, unordered(sample))))
            graph.add_nodes_from(range(images))
            degrees = [degree for _, degree in graph.degree()]
            assert graph.number_of_edges() == sample.draws == min(pairs, every)
            assert sample.missing == pairs - sample.draws
            assert max(degrees) - min(degrees) <= 1
            assert nx.is_connected(graph) == (pairs >= images - 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=40), st.integers(1, 200), st.integers(0, 99))
def test_connected_designs_respect_parts_and_what_is_taken(parts: list[str], pairs: int, seed: int) -> None:
    """No pair crosses parts, comes twice or was taken; each part is connected where n - 1 a part were asked for."""
    labels = np.array(parts)
    first = connected_pairs(len(parts), pairs=pairs, seed=seed, parts=parts)
    assert (labels[first.first] == labels[first.second]).all()
    room = sum(n * (n - 1) // 2 for n in map(parts.count, set(parts)))
    assert first.draws == min(pairs, room)
    if pairs >= len(parts) - len(set(parts)):
        assert (first.report["components"] == 1).all()
    more = connected_pairs(
        len(parts), pairs=pairs, seed=seed + 1, parts=parts, taken=(first.second, first.first)
    )
    both = unordered(first) + unordered(more)
    assert len(set(both)) == len(both) == min(2 * pairs, room)


def test_connected_designs_are_expanders() -> None:
    """At degree 10, the gap is that of a random regular graph, 1 - 2 sqrt(9) / 10 (Friedman 2008)."""
    sample = connected_pairs(2_000, pairs=10_000, seed=1)
    (row,) = sample.report.to_dict("records")
    assert (row["degree_min"], row["degree_max"]) == (10, 10)
    assert row["spectral_gap"] == pytest.approx(0.4, abs=0.01)


def test_dense_designs_with_pairs_taken_stay_even() -> None:
    """Batch after batch until all pairs are gone: none twice, all images equally often in each."""
    seen: list[frozenset[int]] = []
    for batch in range(7):
        taken = np.array([sorted(pair) for pair in seen], dtype=np.int64).reshape(-1, 2).T
        sample = connected_pairs(15, pairs=15, seed=batch, taken=(taken[0], taken[1]))
        assert (sample.report["degree_max"] - sample.report["degree_min"]).max() <= 2
        seen += unordered(sample)
    assert len(set(seen)) == len(seen) == 105


@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(1, 500))
def test_parts_get_their_share(sizes: list[int], pairs: int) -> None:
    """All pairs are given out where they exist, none beyond what a part has, and n - 1 to each if that can be."""
    given_out = allocate(pairs, sizes, [0] * len(sizes))
    room = np.array([n * (n - 1) // 2 for n in sizes])
    assert given_out.sum() == min(pairs, room.sum())
    assert (given_out <= room).all()
    if pairs >= sum(sizes) - len(sizes):
        assert (given_out >= np.array(sizes) - 1).all()


def test_one_seed_gives_one_design() -> None:
    """The same seed gives the same pairs in the same order, another one others."""
    one, same, other = (connected_pairs(30, pairs=60, seed=seed) for seed in (1, 1, 2))
    assert one.first.tolist() == same.first.tolist() and one.second.tolist() == same.second.tolist()
    assert unordered(one) != unordered(other)


def test_impossible_wishes_are_said() -> None:
    """Scores that are not finite, edges that do not rise, no image, labels of another length."""
    with pytest.raises(InputError, match="image 1 has no finite score"):
        score_distance_pairs([0.1, np.nan], pairs=1, seed=1)
    with pytest.raises(InputError, match="give rising distances"):
        score_distance_pairs([0.1, 0.2], pairs=1, edges=(0.2, 0.1), seed=1)
    with pytest.raises(InputError, match="there is no image"):
        connected_pairs(0, pairs=1, seed=1)
    with pytest.raises(InputError, match="give one label each"):
        connected_pairs(3, pairs=1, seed=1, parts=["a"])
