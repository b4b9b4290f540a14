"""Linear algebra with the information matrix of scores: solving with it, and the diagonal of its inverse.

The matrix is what a graph of comparisons leaves: sparse, symmetric, its rows heavy on the diagonal (a weighted Laplacian,
and for stars a diagonal more), plus the ridge times the identity. Nothing of the size images times images is made above
`DENSE` images.

    >>> import numpy as np
    >>> path = sparse.csr_array(np.array([[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]]))
    >>> variances(path, ridge=1.0, seed=1).round(4).tolist()       # less that of the mean
    [0.2917, 0.1667, 0.2917]
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]

DENSE = 2_000
"""Images up to which the matrix is inverted; above, the inverse's diagonal is estimated."""
ACCURACY = 0.02
"""Standard error of a variance that is estimated, as a share of it, at the median image: 1 % of a standard error."""
MOST_PROBES = 256
_BLOCK = 2**21  # numbers in each array while solving for several random vectors


def variances(matrix: "sparse.csr_array", *, ridge: float, seed: int, centred: bool = True) -> FloatArray:
    """(n,) diagonal of the inverse of matrix + ridge I: the variances of scores.

    Up to `DENSE` images exactly. Above, from random vectors of signs (Bekas, Kokiopoulou and Saad 2007), as many as
    it takes for an `ACCURACY` of 2 %, at most 256. The inverse is scaled by the diagonal, S^-1 = (I - N)^-1 =
    I + N + N^2 + ..., and only what is left after the first three terms, whose diagonals are known, is left to
    chance: on designs with ten pairs an image a tenth of the vectors do that plain signs would need. Where images hang
    together in one long chain, 256 vectors leave 6 % of a standard error with a ridge of 0.04.

    Args:
        matrix: (n, n) symmetric, positive semidefinite.
        ridge: added to the diagonal; 0 is allowed where `centred`.
        seed: of the random vectors.
        centred: of the scores less their mean, whose own variance is large where the ridge is small.
    """
    n = matrix.shape[0]
    if n <= DENSE:
        dense = matrix.toarray() + ridge * np.eye(n)
        # Without a ridge a Laplacian is singular along constants.
        inverse = np.linalg.inv(dense) if ridge > 0 else np.linalg.pinv(dense, hermitian=True)
        if centred:
            inverse = inverse - inverse.mean(axis=0) - inverse.mean(axis=1)[:, None] + inverse.mean()
        return np.asarray(np.maximum(np.diag(inverse), 0.0), dtype=np.float64)
    estimated = _estimated(matrix, ridge, np.random.default_rng(seed))
    if not centred:
        ones = solve(matrix, ridge, np.ones((n, 1)), 1e-6)[:, 0]
        estimated = estimated + 2 * ones / n - ones.sum() / n**2
    return np.asarray(np.maximum(estimated, 0.0), dtype=np.float64)


def solve(matrix: "sparse.csr_array", ridge: float, right: FloatArray, tolerance: float) -> FloatArray:
    """(n, k) solutions x of (matrix + ridge I) x = right, for k right-hand sides at once."""

    def product(x: FloatArray) -> FloatArray:
        result: FloatArray = matrix @ x
        result += ridge * x
        return result

    return conjugate_gradients(product, matrix.diagonal() + ridge, right, tolerance)


def conjugate_gradients(
    product: Callable[[FloatArray], FloatArray],
    diagonal: FloatArray,
    right: FloatArray,
    tolerance: float = 1e-10,
    iterations: int = 2_000,
) -> FloatArray:
    """Solve for several right-hand sides at once, preconditioned by the diagonal; `right` is (n, k).

    The Laplacian is singular along constants where there is no ridge: with right-hand sides that sum to 0 the
    iteration stays off them.
    """
    inverse = (1 / np.maximum(diagonal, 1e-12))[:, None].astype(right.dtype)
    x = np.zeros_like(right)
    r = right.copy()
    z = r * inverse
    p = z.copy()
    rz = _dots(r, z)
    target = tolerance**2 * np.maximum(_dots(right, right), 1e-300)
    for _ in range(iterations):
        if (_dots(r, r) <= target).all():
            break
        ap = product(p)
        curvature = _dots(p, ap)
        alpha = np.where(curvature > 0, rz / np.where(curvature > 0, curvature, 1), 0).astype(right.dtype)
        x += alpha * p
        ap *= alpha
        r -= ap
        np.multiply(r, inverse, out=z)
        new = _dots(r, z)
        p *= np.where(rz > 0, new / np.where(rz > 0, rz, 1), 0).astype(right.dtype)
        p += z
        rz = new
    return x


def _dots(one: FloatArray, other: FloatArray) -> FloatArray:
    """(k,) inner products of the columns."""
    return np.asarray(np.einsum("nk,nk->k", one, other), dtype=np.float64)


def _estimated(matrix: "sparse.csr_array", ridge: float, rng: np.random.Generator) -> FloatArray:
    """The diagonal of the centred inverse, by random signs; in single precision, which is far more than chance leaves."""
    n, diagonal = matrix.shape[0], np.maximum(matrix.diagonal() + ridge, 1e-12)
    matrix, root = matrix.astype(np.float32), np.sqrt(diagonal, dtype=np.float32)[:, None]
    scale = sparse.diags_array(1 / root[:, 0])
    step = sparse.csr_array(scale @ (sparse.diags_array(matrix.diagonal()) - matrix) @ scale)  # N
    along = root / np.linalg.norm(root)  # N's largest eigenvector, nearly; centring takes its part away
    known = 1 + np.asarray(step.power(2).sum(axis=1), dtype=np.float64) - 3 * along[:, 0] ** 2
    total, squares, probes = np.zeros(n), np.zeros(n), 0
    while probes < MOST_PROBES:
        signs = rng.choice(np.array([-1, 1], np.float32), (n, min(16, max(1, _BLOCK // n))))
        right = root * signs
        # The part along constants would drown the rest.
        solved = solve(matrix, ridge, right - right.mean(axis=0), 1e-4)
        once = step @ signs
        first = signs + once + step @ once - 3 * along * (along.T @ signs)
        rest = signs * (root * (solved - solved.mean(axis=0)) - first)
        total, squares, probes = (
            total + rest.sum(axis=1),
            squares + (rest**2).sum(axis=1),
            probes + rest.shape[1],
        )
        if probes > 1:
            mean = total / probes
            error = np.sqrt(np.maximum(squares / probes - mean**2, 0) / (probes - 1))
            if probes >= 8 and np.median(error / np.maximum(known + mean, 1e-12)) <= ACCURACY:
                break
    return np.asarray((known + total / probes) / diagonal, dtype=np.float64)
