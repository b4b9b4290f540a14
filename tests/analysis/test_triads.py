"""Circular triads against networkx, which lists every cycle."""

import itertools

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from photojury.analysis.triads import Triads, triads
from photojury.errors import InputError


def votes(edges: list[tuple[str, str]]) -> pd.DataFrame:
    """One vote for the first image of each pair."""
    return pd.DataFrame(edges, columns=["first_id", "second_id"]).assign(value=1.0)


@pytest.mark.parametrize("density", [0.15, 0.5, 1.0])
def test_counts_are_those_of_a_list_of_cycles(density: float) -> None:
    """On random tournaments, whole and with gaps."""
    rng = np.random.default_rng(int(100 * density))
    pairs = [pair for pair in itertools.combinations(range(25), 2) if rng.random() < density]
    edges = [(f"i{a}", f"i{b}") if rng.random() < 0.5 else (f"i{b}", f"i{a}") for a, b in pairs]
    found = triads(votes(edges), task="forced_choice")
    graph = nx.DiGraph(edges)
    assert found.decided == sum(nx.triangles(graph.to_undirected()).values()) // 3
    assert found.circular == sum(len(cycle) == 3 for cycle in nx.simple_cycles(graph, length_bound=3))
    assert found.pairs == len(edges)


def test_kendall_and_babington_smith() -> None:
    """The most that n objects can have is (n^3 - n) / 24, n odd: a rotational tournament has them all."""
    n = 9
    edges = [(f"i{a}", f"i{(a + step) % n}") for a in range(n) for step in range(1, n // 2 + 1)]
    found = triads(votes(edges), task="forced_choice")
    assert (found.circular, found.decided) == ((n**3 - n) // 24, n * (n - 1) * (n - 2) // 6)
    order = [(f"i{a}", f"i{b}") for a, b in itertools.combinations(range(n), 2)]
    assert triads(votes(order), task="forced_choice").share == 0


def test_the_sum_of_the_votes_decides() -> None:
    """Of several raters, in whatever order the pair was shown; a tie decides nothing."""
    rows = [
        ("a", "b", 2),
        ("b", "a", -1),
        ("a", "b", -1),
        ("b", "c", 1),
        ("c", "a", 1),
        ("a", "d", 1),
        ("d", "a", 1),
    ]
    table = pd.DataFrame(rows, columns=["first_id", "second_id", "value"])
    assert triads(table) == Triads(decided=1, circular=1, pairs=3, tied=1)
    assert np.isnan(triads(table.iloc[:2]).share)
    with pytest.raises(InputError, match="unknown task"):
        triads(table, task="stars")
