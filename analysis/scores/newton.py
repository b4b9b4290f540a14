"""Newton's method for scores on a graph of comparisons: sparse, damped, with standard errors.

Takes in comparisons as integer codes with counts, and a link; gives out the scores that maximise the penalised
likelihood. One step solves the Hessian's block of scores, a weighted graph Laplacian plus the ridge, by conjugate
gradients with a Jacobi preconditioner, and the few parameters of the link and of the side by their Schur complement;
no matrix of images times images is ever made.

    >>> import numpy as np
    >>> from photojury.analysis.scores.links import Cumulative
    >>> data = Comparisons(np.array([0, 0]), np.array([1, 1]), np.array([1, 0]), np.array([3.0, 1.0]), images=2)
    >>> fit = maximise(data, Cumulative(2), ridge=0.0)
    >>> round(float(fit.scores[0] - fit.scores[1]), 6)      # log(3 / 1)
    1.098612
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from photojury.analysis.scores.information import solve, variances
from photojury.analysis.scores.links import FloatArray, IntArray, Link, in_blocks

# The gradient's largest entry, as a share of an image's comparisons, at which the fit has converged.
TOLERANCE = 1e-8
ITERATIONS = 100


@dataclass(frozen=True)
class Comparisons:
    """Comparisons in long form, equal rows counted once.

    Attributes:
        first, second: (n,) image codes.
        codes: (n,) levels, 0 for the one that is worst for the first image.
        counts: (n,) how often.
        images: how many images there are.
        side: (n,) 1 where the first image stood left, -1 where right; None: no side effect is fitted.
        slopes: (n,) what the difference is multiplied by (a rater's reliability); None: 1.
    """

    first: IntArray
    second: IntArray
    codes: IntArray
    counts: FloatArray
    images: int
    side: FloatArray | None = None
    slopes: FloatArray | None = None


@dataclass(frozen=True)
class Maximum:
    """Where the penalised likelihood is largest.

    Attributes:
        scores: (images,) with mean 0.
        parameters: (q,) the link's.
        side: the advantage of standing left; 0 where none was fitted.
        log_likelihood: without the penalty.
        converged, iterations: of Newton's method; `gradient` is the largest entry at the end.
        laplacian, cross, corner: the information of the scores (images, images), of scores and the rest (images, q),
            and of the rest (q, q), link's parameters first, then the side's; without the ridge.
    """

    scores: FloatArray
    parameters: FloatArray
    side: float
    log_likelihood: float
    converged: bool
    iterations: int
    gradient: float
    laplacian: "sparse.csr_array"
    cross: FloatArray
    corner: FloatArray


def maximise(
    data: Comparisons,
    link: Link,
    *,
    ridge: float,
    start: FloatArray | None = None,
    iterations: int = ITERATIONS,
) -> Maximum:
    """Fit scores, the link's parameters and, where `data.side` is given, the side effect.

    Args:
        ridge: penalty ridge / 2 * sum of squared scores, which is a normal prior with variance 1 / ridge; 0 for
            maximum likelihood, whose scores are infinite where an image won or lost everything.
    """
    theta = np.zeros(data.images) if start is None else start - start.mean()
    extra = np.concatenate([link.start(), np.zeros(0 if data.side is None else 1)])
    scale = np.maximum(
        1.0, np.bincount(np.concatenate([data.first, data.second]), np.tile(data.counts, 2), data.images)
    )
    value, gradient = -np.inf, np.inf
    graph = _Graph.of(data)
    state = _State.at(data, graph, link, theta, extra, ridge)
    for number in range(iterations + 1):
        value = state.objective
        gradient = float(
            max(
                np.abs(state.by_theta / scale).max(),
                np.abs(state.by_extra).max(initial=0.0) / data.counts.sum(),
            )
        )
        if gradient < TOLERANCE or number == iterations:
            break
        # Far from the maximum an exact step is not worth its price (Dembo, Eisenstat and Steihaug 1982).
        step_theta, step_extra = state.step(ridge, max(1e-10, min(1e-2, gradient)))
        better = _line_search(data, graph, link, theta, extra, step_theta, step_extra, ridge, value)
        if better is None:
            break
        theta, extra, state = better
    q = len(link.names)
    return Maximum(
        scores=theta - theta.mean(),
        parameters=extra[:q],
        side=float(extra[q]) if data.side is not None else 0.0,
        log_likelihood=state.log_likelihood,
        converged=bool(gradient < TOLERANCE),
        iterations=number,
        gradient=gradient,
        laplacian=state.matrix,
        cross=state.cross,
        corner=state.corner,
    )


def standard_errors(maximum: Maximum, *, ridge: float, seed: int) -> FloatArray:
    """(images,) standard errors of scores with mean 0, from the inverse of the observed information, in which the link's
    parameters and the side are as unknown as the scores.

    Exact up to 2,000 images, else within 1 % at the median image: see `information.variances`.
    """
    known = variances(maximum.laplacian, ridge=ridge, seed=seed)
    if maximum.cross.shape[1]:
        solved = solve(maximum.laplacian, ridge, maximum.cross, 1e-10)
        schur = maximum.corner - maximum.cross.T @ solved
        solved = solved - solved.mean(axis=0)
        known = known + np.einsum("ni,ij,nj->n", solved, np.linalg.pinv(schur, hermitian=True), solved)
    return np.asarray(np.sqrt(known), dtype=np.float64)


@dataclass(frozen=True)
class _Graph:
    """Who was compared with whom: where each row's weight goes in the Laplacian, worked out once."""

    edge: IntArray
    edges: int
    place: NDArray[np.int32]
    diagonal: NDArray[np.int64]
    indices: NDArray[np.integer]
    indptr: NDArray[np.integer]

    @classmethod
    def of(cls, data: Comparisons) -> "_Graph":
        n = data.images
        keys = np.minimum(data.first, data.second) * n + np.maximum(data.first, data.second)
        keys, edge = np.unique(keys, return_inverse=True)
        # Half as wide as the codes are: there are twice as many entries as pairs.
        one, other, own = (part.astype(np.int32) for part in (keys // n, keys % n, np.arange(n)))
        row, column = np.concatenate([one, other, own]), np.concatenate([other, one, own])
        # The matrix of entry numbers says where each entry goes, at the cost of a counting sort.
        number = np.arange(row.size, dtype=np.int32)
        numbers = sparse.coo_array((number, (row, column)), shape=(n, n)).tocsr()
        place, pairs = numbers.data, keys.size
        diagonal = np.empty(n, dtype=np.int64)
        own_entries = np.flatnonzero(place >= 2 * pairs)
        diagonal[place[own_entries] - 2 * pairs] = own_entries
        return cls(edge, pairs, place, diagonal, numbers.indices, numbers.indptr)

    def laplacian(self, weight: FloatArray) -> "sparse.csr_array":
        """The weighted Laplacian of rows with these weights."""
        n = self.diagonal.size
        of_edge = -np.bincount(self.edge, weight, self.edges)
        entries = np.concatenate([of_edge, of_edge, np.zeros(n)])[self.place]
        matrix = sparse.csr_array((entries, self.indices, self.indptr), shape=(n, n))
        matrix.data[self.diagonal] = -(matrix @ np.ones(n))
        return matrix


@dataclass(frozen=True)
class _State:
    """The objective with its derivatives at one point."""

    objective: float
    log_likelihood: float
    by_theta: FloatArray
    by_extra: FloatArray
    matrix: "sparse.csr_array"
    cross: FloatArray
    corner: FloatArray

    @classmethod
    def at(
        cls,
        data: Comparisons,
        graph: "_Graph",
        link: Link,
        theta: FloatArray,
        extra: FloatArray,
        ridge: float,
    ) -> "_State":
        q = len(link.names)
        counts = data.counts
        d = _differences(data, theta, extra[q:])
        parts = in_blocks(lambda at: link.evaluate(data.codes[at], d[at], extra[:q], counts[at]), d.size)
        slope = 1.0 if data.slopes is None else data.slopes
        likelihood = float(counts @ parts.log_p)
        by_theta = _signed(data, counts * parts.by_d * slope) - ridge * theta
        mixed, corner, by_extra = parts.by_dg, parts.by_gg, parts.by_g
        if data.side is not None:
            by_side = counts * data.side
            corner = _bordered(corner, by_side @ parts.by_dg, float((by_side * data.side) @ parts.by_dd))
            mixed = np.column_stack([mixed, parts.by_dd * data.side])
            by_extra = np.append(by_extra, by_side @ parts.by_d)
        cross = [_signed(data, -counts * slope * column) for column in mixed.T]
        weight = -counts * parts.by_dd * slope**2
        del parts, mixed  # as long as the answers, and the matrix needs room
        return cls(
            likelihood - ridge / 2 * float(theta @ theta),
            likelihood,
            by_theta,
            by_extra,
            graph.laplacian(weight),
            np.stack(cross, axis=1) if cross else np.zeros((data.images, 0)),
            -corner,
        )

    def step(self, ridge: float, tolerance: float) -> tuple[FloatArray, FloatArray]:
        """Newton's step: the block of scores by conjugate gradients, the rest by the Schur complement."""
        right = np.column_stack([self.by_theta, self.cross])
        if ridge == 0:
            right = right - right.mean(axis=0)
        solved = solve(self.matrix, ridge, right, tolerance)
        if self.cross.shape[1] == 0:
            return solved[:, 0], np.zeros(0)
        schur = self.corner - self.cross.T @ solved[:, 1:]
        extra = np.asarray(
            np.linalg.solve(schur, self.by_extra - self.cross.T @ solved[:, 0]), dtype=np.float64
        )
        return solved[:, 0] - solved[:, 1:] @ extra, extra


def _line_search(
    data: Comparisons,
    graph: "_Graph",
    link: Link,
    theta: FloatArray,
    extra: FloatArray,
    step_theta: FloatArray,
    step_extra: FloatArray,
    ridge: float,
    value: float,
) -> "tuple[FloatArray, FloatArray, _State] | None":
    """Halve the step until the objective does not fall; None where no step helps any more."""
    q = len(link.names)
    for halving in range(40):
        share = 0.5**halving
        new_theta, new_extra = theta + share * step_theta, extra + share * step_extra
        if link.allowed(new_extra[:q]):
            state = _State.at(data, graph, link, new_theta, new_extra, ridge)
            if state.objective >= value - 1e-12 * abs(value):
                return new_theta, new_extra, state
    return None


def _differences(data: Comparisons, theta: FloatArray, side: FloatArray) -> FloatArray:
    d = theta[data.first] - theta[data.second]
    if data.slopes is not None:
        d = d * data.slopes
    return d + side[0] * data.side if data.side is not None else d


def _signed(data: Comparisons, values: FloatArray) -> FloatArray:
    """(images,) sums of values, plus where the image is first and minus where it is second."""
    plus = np.bincount(data.first, values, data.images)
    minus = np.bincount(data.second, values, data.images)
    return np.asarray(plus - minus, dtype=np.float64)


def _bordered(corner: FloatArray, mixed: FloatArray, last: float) -> FloatArray:
    """(q + 1, q + 1): the second derivatives with one more parameter."""
    return np.block([[corner, mixed[:, None]], [mixed, np.array([last])]])
