"""Comparison graphs: is a set of pairs connected, how evenly, and how well can it tell scores apart?

Images are the nodes; a pair that was asked k times is an edge of weight k. Takes in pairs (row numbers, or a
DataFrame of ids), gives out a `Design`, or one row per part of the split; `cut_off` names the images that no
chain of pairs joins to the rest, whose scores are therefore on another scale.

With d_i the degree of image i, D = diag(d), W the weights, n images and m comparisons:

- algebraic connectivity: the second smallest eigenvalue of the Laplacian D - W (Fiedler 1973);
- spectral gap: the second smallest eigenvalue of the normalised Laplacian I - D^-1/2 W D^-1/2 (Chung 1997,
  Spectral Graph Theory, section 1.2), which is 1 less the second largest eigenvalue of the random walk that
  goes from an image to a random partner. 0 says cut in two; n / (n - 1) belongs to the complete graph; a
  random d-regular graph has nearly 1 - 2 sqrt(d - 1) / d (Friedman 2008), and no large one has more;
- variance factor: tr(pinv(D - W)) 2 m / (n - 1)^2, the mean variance of the scores' differences against the
  least that m comparisons could give (all pairs equally often). Shah et al. (2016, JMLR 17(58)) bound the
  error of any Bradley-Terry or Thurstone estimate by this trace and by the algebraic connectivity.

    >>> describe([0, 1, 2, 3], [1, 2, 3, 0], images=4).spectral_gap
    1.0
    >>> describe([0, 2], [1, 3], images=4).components
    2
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from photojury.errors import InputError, require_columns

Indices = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

DENSE_UP_TO = 1500
"""Images up to which all eigenvalues are computed: a second, and exact."""


@dataclass(frozen=True)
class Design:
    """A comparison graph in figures.

    Attributes:
        images: how many images there are, compared or not.
        pairs: different pairs.
        comparisons: pairs, each counted as often as it comes.
        degree_min, degree_mean, degree_max: comparisons that an image is in.
        components: groups of images that are joined by pairs; 1 is a connected design.
        cut_off: images outside the largest of them.
        algebraic_connectivity: 0 where the graph is not connected; NaN for a single image.
        spectral_gap: likewise.
        variance_factor: at least 1; infinite where the graph is not connected; NaN for a single image and
            above `DENSE_UP_TO` images.
    """

    images: int
    pairs: int
    comparisons: int
    degree_min: int
    degree_mean: float
    degree_max: int
    components: int
    cut_off: int
    algebraic_connectivity: float
    spectral_gap: float
    variance_factor: float


def describe(first: npt.ArrayLike, second: npt.ArrayLike, *, images: int, spectrum: bool = True) -> Design:
    """The figures of one comparison graph.

    Args:
        first: (comparisons,) row numbers of images.
        second: (comparisons,) their partners.
        images: how many images there are.
        spectrum: False leaves algebraic_connectivity, spectral_gap and variance_factor at NaN; they take seconds
            for 100,000 images.

    Raises:
        InputError: no image, columns of different length, a row number out of range, or an image against
            itself.
    """
    weights = adjacency(first, second, images=images)
    degree = np.asarray(weights.sum(axis=1)).ravel().astype(np.int64)
    groups = component_of(weights)
    sizes = np.bincount(groups)
    if images == 1 or not spectrum:
        connectivity = gap = factor = float("nan")
    elif len(sizes) > 1:
        connectivity, gap, factor = 0.0, 0.0, float("inf")
    else:
        connectivity, gap, factor = _spectrum(weights, degree.astype(np.float64))
    return Design(
        images=images,
        pairs=weights.nnz // 2,
        comparisons=int(degree.sum()) // 2,
        degree_min=int(degree.min()),
        degree_mean=float(degree.mean()),
        degree_max=int(degree.max()),
        components=len(sizes),
        cut_off=images - int(sizes.max()),
        algebraic_connectivity=connectivity,
        spectral_gap=gap,
        variance_factor=factor,
    )


def by_part(first: npt.ArrayLike, second: npt.ArrayLike, *, parts: npt.ArrayLike) -> pd.DataFrame:
    """The figures of each part of the split, which are graphs of their own: no pair crosses parts.

    Args:
        first: (comparisons,) row numbers of images.
        second: (comparisons,) their partners.
        parts: (images,) labels.

    Returns:
        part and the attributes of `Design`, one row per part, by name.

    Raises:
        InputError: as `describe`, or a pair that crosses parts.
    """
    labels = np.asarray(parts, dtype=str)
    one, other = _checked(first, second, len(labels))
    crossing = int((labels[one] != labels[other]).sum())
    if crossing:
        raise InputError(f"{crossing} pairs join images of two parts; pairs must stay inside a part")
    rows: list[dict[str, object]] = []
    for part in np.unique(labels):
        members = np.flatnonzero(labels == part)
        place = np.full(len(labels), -1)
        place[members] = np.arange(len(members))
        inside = labels[one] == part
        design = describe(place[one[inside]], place[other[inside]], images=len(members))
        rows.append({"part": str(part), **asdict(design)})
    return pd.DataFrame(rows)


def cut_off(
    pairs: pd.DataFrame, image_ids: npt.ArrayLike, *, parts: npt.ArrayLike | None = None
) -> pd.DataFrame:
    """The images that no chain of pairs joins to the largest group of their part.

    Args:
        pairs: columns first_id and second_id, such as units or comparisons.
        image_ids: (images,) all images that should be comparable.
        parts: (images,) labels; None: one part.

    Returns:
        image_id, part, component (numbered from 1 inside a part) and size (images in the component), by part,
        component and image; empty where every part is connected.

    Raises:
        InputError: a missing column, or a pair of images that are not in image_ids.
    """
    ids = np.asarray(image_ids, dtype=str)
    labels = np.zeros(len(ids), "U1") if parts is None else np.asarray(parts, dtype=str)
    weights = adjacency(*rows_of(pairs, ids), images=len(ids))
    table = pd.DataFrame({"image_id": ids, "part": labels, "component": component_of(weights)})
    table["size"] = table.groupby("component")["image_id"].transform("size")
    # The largest group of a part stays; of equals, the one with the first image.
    keep = table.sort_values("size", ascending=False, kind="stable").drop_duplicates("part")["component"]
    table = table[~table["component"].isin(keep)].copy()
    table["component"] = table.groupby("part")["component"].rank(method="dense").astype(np.int64)
    return table.sort_values(["part", "component", "image_id"], ignore_index=True)


def rows_of(pairs: pd.DataFrame, image_ids: npt.ArrayLike) -> tuple[Indices, Indices]:
    """The row numbers in image_ids of the two images of each pair.

    Raises:
        InputError: a missing column, or an image that is not in image_ids.
    """
    require_columns(pairs.columns, ("first_id", "second_id"), "pairs")
    index = pd.Index(np.asarray(image_ids, dtype=str))
    first, second = (index.get_indexer(pd.Index(pairs[name])) for name in ("first_id", "second_id"))
    unknown = np.flatnonzero((first < 0) | (second < 0))
    if len(unknown):
        row = pairs.iloc[unknown[0]]
        name = row["first_id"] if first[unknown[0]] < 0 else row["second_id"]
        raise InputError(
            f"{len(unknown)} pairs hold an image that is not among the {len(index)} given, for one {name}"
        )
    return first.astype(np.int64), second.astype(np.int64)


def adjacency(first: npt.ArrayLike, second: npt.ArrayLike, *, images: int) -> sparse.csr_array:
    """(images, images) symmetric, how often each pair comes.

    Raises:
        InputError: as `describe`.
    """
    one, other = _checked(first, second, images)
    ends = (np.concatenate([one, other]), np.concatenate([other, one]))
    # Entries of the same place are summed.
    return sparse.csr_array(sparse.coo_array((np.ones(2 * len(one)), ends), shape=(images, images)))


def component_of(weights: sparse.csr_array) -> Indices:
    """(images,) the number of each image's component, from 0, in the order of their first images."""
    _, labels = connected_components(weights, directed=False)
    _, where, which = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(where))[which].astype(np.int64)


def _checked(first: npt.ArrayLike, second: npt.ArrayLike, images: int) -> tuple[Indices, Indices]:
    one, other = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    if images < 1 or one.ndim != 1 or one.shape != other.shape:
        raise InputError(
            f"{images} images, pairs of shapes {one.shape} and {other.shape}: give equal columns"
        )
    both = np.concatenate([one, other])
    if len(both) and not 0 <= both.min() <= both.max() < images:
        raise InputError(f"pairs hold row numbers {both.min()} to {both.max()}; there are {images} images")
    if (one == other).any():
        raise InputError(f"image {one[one == other][0]} is compared with itself")
    return one, other


def _spectrum(weights: sparse.csr_array, degree: FloatArray) -> tuple[float, float, float]:
    """Algebraic connectivity, spectral gap and variance factor of a connected graph of two or more images."""
    n = len(degree)
    root = 1 / np.sqrt(degree)
    if n <= DENSE_UP_TO:
        dense = weights.toarray()
        values = np.linalg.eigvalsh(np.diag(degree) - dense)[1:]
        gap = np.linalg.eigvalsh(np.eye(n) - root[:, None] * dense * root)[1]
        factor = (1 / values).sum() * degree.sum() / (n - 1) ** 2
        return _clean(values[0]), _clean(gap), float(factor)
    laplacian = sparse.diags_array(degree) - weights
    scale = sparse.diags_array(root)
    normalised = sparse.diags_array(np.ones(n)) - scale @ weights @ scale
    return (
        _second_smallest(laplacian, np.ones(n), top=2 * float(degree.max())),
        _second_smallest(normalised, 1 / root, top=2.0),
        float("nan"),
    )


def _second_smallest(matrix: sparse.csr_array, null: FloatArray, *, top: float) -> float:
    """The second smallest eigenvalue of a sparse Laplacian whose null space is spanned by `null`.

    Args:
        matrix: symmetric, positive semidefinite, of a connected graph.
        null: the eigenvector of eigenvalue 0.
        top: no eigenvalue is larger.
    """
    null = null / np.linalg.norm(null)
    start = np.random.default_rng(0).standard_normal(len(null))
    start -= (null @ start) * null

    def turned(x: FloatArray) -> FloatArray:
        """top I - matrix, with the null space put at 0: its largest eigenvalue is the one sought."""
        x = np.ravel(x)
        y: FloatArray = top * x - matrix @ x - top * (null @ x) * null
        return y

    try:
        return _clean(top - _largest(turned, start))
    except ArpackNoConvergence:
        # A tiny gap means a thin waist, and graphs with thin waists have cheap sparse factors.
        shifted = sparse.csc_array(matrix)
        pair = eigsh(shifted, k=2, sigma=-1e-6 * top, which="LM", v0=start, return_eigenvectors=False)
        return _clean(float(np.sort(pair)[1]))


def _largest(function: Callable[[FloatArray], FloatArray], start: FloatArray) -> float:
    n = len(start)
    operator = LinearOperator((n, n), matvec=function, dtype=np.float64)
    values = eigsh(
        operator, k=1, which="LA", v0=start, ncv=40, tol=1e-5, maxiter=50, return_eigenvectors=False
    )
    return float(values[0])


def _clean(value: float) -> float:
    """Twelve digits: rounding leaves 1 at 0.9999999999999998, and an eigenvalue near 0 below it."""
    return max(0.0, float(f"{value:.12g}"))
