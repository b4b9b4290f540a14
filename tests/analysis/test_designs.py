"""Comparison graphs: eigenvalues against closed forms and networkx, and the images that are cut off."""

import math

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photojury.analysis import designs
from photojury.errors import InputError

Ends = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def cycle(images: int) -> Ends:
    return np.arange(images), np.roll(np.arange(images), -1)


def ends_of(graph: "nx.Graph[int]") -> Ends:
    edges = np.array(list(graph.edges()), dtype=np.int64).reshape(-1, 2)
    return edges[:, 0], edges[:, 1]


@pytest.mark.parametrize("images", [3, 4, 11, 400])
def test_a_cycle_has_its_closed_form(images: int) -> None:
    """Eigenvalues of a cycle are 2 - 2 cos(2 pi k / n); its resistances add up to (n^2 - 1) / 12 for each image."""
    design = designs.describe(*cycle(images), images=images)
    second = 2 - 2 * math.cos(2 * math.pi / images)
    assert design.algebraic_connectivity == pytest.approx(second, rel=1e-9)
    assert design.spectral_gap == pytest.approx(second / 2, rel=1e-9)
    trace = (images**2 - 1) / 12
    assert design.variance_factor == pytest.approx(trace * 2 * images / (images - 1) ** 2, rel=1e-9)
    assert (design.degree_min, design.degree_max, design.components, design.cut_off) == (2, 2, 1, 0)


def test_the_complete_graph_is_best() -> None:
    """All pairs once: every eigenvalue is n, the gap n / (n - 1), and no design has less variance."""
    design = designs.describe(*np.triu_indices(20, 1), images=20)
    assert design.algebraic_connectivity == pytest.approx(20)
    assert design.spectral_gap == pytest.approx(20 / 19)
    assert design.variance_factor == pytest.approx(1)


def test_the_spectrum_can_be_left_out() -> None:
    """Degrees and components are told all the same."""
    whole, plain = (designs.describe(*cycle(30), images=30, spectrum=spectrum) for spectrum in (True, False))
    assert math.isnan(plain.spectral_gap) and math.isnan(plain.algebraic_connectivity)
    assert (plain.pairs, plain.degree_max, plain.components) == (
        whole.pairs,
        whole.degree_max,
        whole.components,
    )


@pytest.mark.parametrize("images", [1_600, 4_000])
def test_large_graphs_have_their_closed_forms_too(images: int) -> None:
    """A path and a star above the dense limit, where a tiny gap is the hard case for a sparse solver."""
    path = designs.describe(np.arange(images - 1), np.arange(1, images), images=images)
    assert path.algebraic_connectivity == pytest.approx(2 - 2 * math.cos(math.pi / images), rel=1e-3)
    assert path.spectral_gap == pytest.approx(1 - math.cos(math.pi / (images - 1)), rel=1e-3)
    assert math.isnan(path.variance_factor)
    star = designs.describe(np.zeros(images - 1, int), np.arange(1, images), images=images)
    assert star.algebraic_connectivity == pytest.approx(1, rel=1e-5)
    assert star.spectral_gap == pytest.approx(1, rel=1e-5)


def test_sparse_and_dense_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sparse solver finds what the dense one does, on a random regular graph with a thin waist."""
    graph = nx.disjoint_union(
        nx.random_regular_graph(5, 300, seed=1), nx.random_regular_graph(5, 300, seed=2)
    )
    graph.add_edge(0, 300)
    dense = designs.describe(*ends_of(graph), images=600)
    monkeypatch.setattr(designs, "DENSE_UP_TO", 10)
    sparse = designs.describe(*ends_of(graph), images=600)
    assert sparse.algebraic_connectivity == pytest.approx(dense.algebraic_connectivity, rel=1e-4)
    assert sparse.spectral_gap == pytest.approx(dense.spectral_gap, rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 14), st.floats(0, 1), st.integers(0, 1000))
def test_networkx_says_the_same(images: int, share: float, seed: int) -> None:
    """Components, degrees, both eigenvalues and the trace of any graph, against networkx and numpy's pinv."""
    graph = nx.gnp_random_graph(images, share, seed=seed)
    design = designs.describe(*ends_of(graph), images=images)
    degrees = [degree for _, degree in graph.degree()]
    assert design.components == nx.number_connected_components(graph)
    assert design.cut_off == images - max(map(len, nx.connected_components(graph)))
    assert (design.degree_min, design.degree_max) == (min(degrees), max(degrees))
    assert design.pairs == graph.number_of_edges()
    if design.components > 1:
        assert (design.algebraic_connectivity, design.spectral_gap) == (0, 0)
        assert design.variance_factor == math.inf
        return
    laplacian = nx.laplacian_matrix(graph).toarray().astype(float)
    assert design.algebraic_connectivity == pytest.approx(sorted(nx.laplacian_spectrum(graph))[1], abs=1e-9)
    assert design.spectral_gap == pytest.approx(sorted(nx.normalized_laplacian_spectrum(graph))[1], abs=1e-9)
    trace = np.trace(np.linalg.pinv(laplacian))
    assert design.variance_factor == pytest.approx(trace * sum(degrees) / (images - 1) ** 2)


def test_a_pair_asked_twice_weighs_twice() -> None:
    """Two images, k comparisons: the Laplacian's eigenvalue is 2k, the random walk's gap stays 2."""
    design = designs.describe([0, 1, 0], [1, 0, 1], images=2)
    assert (design.pairs, design.comparisons, design.degree_max) == (1, 3, 3)
    assert design.algebraic_connectivity == pytest.approx(6)
    assert design.spectral_gap == pytest.approx(2)


def test_each_part_is_a_graph_of_its_own() -> None:
    """A cycle of four in one part and nothing in the other, and a pair across them is refused."""
    parts = ["test"] * 4 + ["train"] * 2
    table = designs.by_part(*cycle(4), parts=parts).set_index("part")
    assert table["images"].to_dict() == {"test": 4, "train": 2}
    assert table["components"].to_dict() == {"test": 1, "train": 2}
    assert table.loc["test", "spectral_gap"] == pytest.approx(1)
    with pytest.raises(InputError, match="1 pairs join images of two parts"):
        designs.by_part([0], [5], parts=parts)


def test_who_is_cut_off_is_named() -> None:
    """Two images that only know each other, and one that was never compared."""
    pairs = pd.DataFrame({"first_id": ["a", "b", "x"], "second_id": ["b", "c", "y"]})
    table = designs.cut_off(pairs, ["a", "b", "c", "x", "y", "z"])
    assert table["image_id"].tolist() == ["x", "y", "z"]
    assert table["size"].tolist() == [2, 2, 1]
    assert table["component"].tolist() == [1, 1, 2]
    assert designs.cut_off(pairs[:2], ["a", "b", "c"]).empty
    apart = designs.cut_off(pairs, ["a", "b", "c", "x", "y", "z"], parts=["p"] * 3 + ["q"] * 3)
    assert apart["image_id"].tolist() == ["z"]


def test_broken_pairs_are_named() -> None:
    """An image against itself, one out of range, an unknown id, a missing column."""
    with pytest.raises(InputError, match="image 2 is compared with itself"):
        designs.describe([0, 2], [1, 2], images=3)
    with pytest.raises(InputError, match="row numbers 0 to 3; there are 3 images"):
        designs.describe([0], [3], images=3)
    with pytest.raises(InputError, match="for one b"):
        designs.cut_off(pd.DataFrame({"first_id": ["a"], "second_id": ["b"]}), ["a"])
    with pytest.raises(InputError, match="lacks the column second_id"):
        designs.cut_off(pd.DataFrame({"first_id": ["a"]}), ["a"])
