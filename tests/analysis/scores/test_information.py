"""Variances from an information matrix, against numpy's inverse."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from photojury.analysis.scores import information
from photojury.analysis.scores.information import solve, variances

FloatArray = NDArray[np.float64]


def laplacian(images: int, partners: int) -> "sparse.csr_array":
    """Of a graph in which each image drew so many partners, with weights between 0.5 and 1.25."""
    rng = np.random.default_rng(4)
    first = np.repeat(np.arange(images), partners)
    second = (first + rng.integers(1, images, first.size)) % images
    weight = sparse.coo_array((rng.uniform(0.5, 1.25, first.size), (first, second)), shape=(images, images))
    both = sparse.csr_array(weight + weight.T)
    return sparse.csr_array(sparse.diags_array(both.sum(axis=1)) - both)


def inverse(matrix: "sparse.csr_array", ridge: float, *, centred: bool) -> FloatArray:
    """The diagonal of the inverse by numpy, of the scores less their mean or of the scores."""
    n = matrix.shape[0]
    centre = np.eye(n) - centred / n
    dense = np.linalg.pinv(matrix.toarray() + ridge * np.eye(n), hermitian=True)
    return np.asarray(np.diag(centre @ dense @ centre), dtype=np.float64)


@pytest.mark.parametrize(("ridge", "centred"), [(0.04, True), (0.04, False), (0.0, True)])
def test_small_matrices_are_inverted(ridge: float, centred: bool) -> None:
    """Up to the limit the variances are those of numpy's inverse."""
    matrix = laplacian(60, 3)
    expected = inverse(matrix, ridge, centred=centred)
    assert variances(matrix, ridge=ridge, seed=1, centred=centred) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("ridge", "centred"), [(0.04, True), (0.04, False), (0.0, True)])
@pytest.mark.parametrize("partners", [2, 5])
def test_large_ones_are_estimated(
    monkeypatch: pytest.MonkeyPatch, partners: int, ridge: float, centred: bool
) -> None:
    """Standard errors are right within 2 % (typical) and 8 % (every one), and 0.2 % on average."""
    matrix = laplacian(700, partners)
    monkeypatch.setattr(information, "DENSE", 10)
    found = variances(matrix, ridge=ridge, seed=1, centred=centred)
    ratio = np.sqrt(found / inverse(matrix, ridge, centred=centred))
    assert abs(ratio.mean() - 1) < 0.002
    assert np.sqrt(np.mean((ratio - 1) ** 2)) < 0.02
    assert np.abs(ratio - 1).max() < 0.08


def test_many_columns_are_solved_at_once() -> None:
    """Solutions are numpy's."""
    matrix, right = laplacian(80, 3), np.random.default_rng(1).normal(size=(80, 4))
    expected = np.linalg.solve(matrix.toarray() + 0.1 * np.eye(80), right)
    assert np.allclose(solve(matrix, 0.1, right, 1e-12), expected, atol=1e-9)
