"""Which pairs of images to ask about: partners by similarity of content, or uniformly at random.

In: a feature row per image (`baselines embed` writes them) and, if wanted, the part of the split that each
image is in. Out: a `PairSample` of row numbers. No pair comes twice, none joins an image to itself, none
crosses parts.

Source: paper 1 (action shots), eq. (1): for each image i, five partners j != i with probability
p_j = exp(f_i·f_j) / sum over j' of exp(f_i·f_j'), f the L2-normalised VGG16 fc7 features. Computed densely
that is N^2 dot products. Unit vectors bound f_i·f_j by 1, so a partner proposed uniformly and accepted with
probability exp(f_i·f_j - 1) has exactly that distribution, without the sum: on average at most e^2 = 7.4
proposals a draw (e = 2.7 for features that are never negative), however many images there are.

**What is exact.** Draws are made one after another. Each is from the softmax over the partners still allowed
(same part, another image, pair not yet drawn by either side) given all draws before it, up to the rounding of
a float32 dot product. The order of the draws is that of the result: in every round each unfinished image, in
row order, makes one proposal. An image that has spent its patience (small temperature, or nearly all partners
taken) is finished by a dense row, which is exact too. One seed gives one result on one machine; another
machine may round a dot product otherwise, so store the pairs, not the seed alone.

Note that eq. (1) is close to uniform: its weights span at most e^2. Compare `PairSample.similarity.mean()`
with `uniform_similarity`, and lower the temperature if the pairs should be more alike.

    >>> features = np.random.default_rng(0).random((100, 16), dtype=np.float32)
    >>> sample = sample_pairs(features, seed=1)
    >>> sample.draws, sample.missing
    (500, 0)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from photojury.errors import InputError

Indices = npt.NDArray[np.int64]
Features = npt.NDArray[np.floating[Any]]

_GATHER_BYTES = 1 << 20  # copied rows per side of a batch of dot products: stays in the processor's cache
_DENSE_ENTRIES = 1 << 24  # cosines held at once by dense rows (64 MiB of float32)
_DENSE_BYTES = 1 << 26  # feature rows copied at once for dense rows
_LEAST_TEMPERATURE = 1e-6  # a smaller one would magnify the rounding of float32 cosines (6e-8)


@dataclass(frozen=True)
class PairSample:
    """Pairs of rows, in the order in which they were drawn.

    Attributes:
        first: (pairs,) int64; the image that drew.
        second: (pairs,) int64; the partner that it drew.
        similarity: (pairs,) float32 cosine of the two feature rows; NaN where no features were given.
        missing: how many of the pairs asked for do not exist (parts too small); 0 in a usual study.
        proposals: uniform proposals that were made.
        dense_draws: draws that were made by computing a whole row instead.
        uniform_similarity: mean cosine of one uniform proposal per image, to compare `similarity` with; NaN
            if there was none.
        seed: the seed given.
    """

    first: Indices
    second: Indices
    similarity: npt.NDArray[np.float32]
    missing: int
    proposals: int
    dense_draws: int
    uniform_similarity: float
    seed: int

    @property
    def draws(self) -> int:
        """How many pairs there are."""
        return len(self.first)

    @property
    def acceptance(self) -> float:
        """Share of the uniform proposals that became a pair; NaN without proposals."""
        return (self.draws - self.dense_draws) / self.proposals if self.proposals else float("nan")


def sample_pairs(
    features: Features,
    *,
    partners: int = 5,
    seed: int,
    temperature: float = 1.0,
    parts: npt.ArrayLike | None = None,
) -> PairSample:
    """Draw partners for every image with probability proportional to exp(cosine / temperature).

    The matrix is read, never copied whole, so it may be a memory map. Memory besides it: about 300 bytes an
    image at five partners, and a few MiB (some 200 MiB once dense rows are needed).

    Args:
        features: (n, d) floating point, one row per image, of any length but zero.
        partners: new partners that each image draws (paper 1: 5, so an image is in 10 pairs on average).
            An image with fewer possible partners gets all that are left; `PairSample.missing` counts the rest.
        seed: not negative.
        temperature: 1 is paper 1; smaller prefers similar pairs more. Time grows as exp((1 - cosine) /
            temperature) up to the cost of the dense computation.
        parts: (n,) labels, such as train, validation and test; pairs stay inside a part. None: one part.

    Raises:
        InputError: no image, a row that is zero or not finite (names the row), labels of another length, or
            an argument out of range.
    """
    if partners < 1:
        raise InputError(f"partners is {partners}; ask for at least 1 partner an image")
    if not _LEAST_TEMPERATURE <= temperature < np.inf:
        raise InputError(f"temperature is {temperature}; give a number of at least {_LEAST_TEMPERATURE}")
    norms = _norms(features)
    groups = _Groups.of(len(features), parts)
    draw = _Draw(features, norms, groups, partners, temperature, _generator(seed))
    draw.by_rejection()
    draw.by_dense_rows()
    return draw.result(seed)


def uniform_pairs(images: int, *, pairs: int, seed: int, parts: npt.ArrayLike | None = None) -> PairSample:
    """Draw pairs uniformly from all pairs of the study (inside parts), as the forced choice task does.

    Which image of a pair is `first` is random too. Memory: at most 400 bytes a pair.

    Args:
        images: how many images there are; pairs hold numbers below it.
        pairs: how many different pairs; if fewer exist, all of them come and `PairSample.missing` counts the
            rest.
        seed: not negative.
        parts: (images,) labels; pairs stay inside a part. None: one part.

    Raises:
        InputError: no image, labels of another length, or an argument out of range.
    """
    if images < 1 or pairs < 1:
        raise InputError(f"{pairs} pairs of {images} images were asked for; both must be at least 1")
    rng = _generator(seed)
    groups = _Groups.of(images, parts)
    starts = np.unique(groups.start)
    sizes = np.diff(np.append(starts, images))
    ends = np.cumsum(sizes * (sizes - 1) // 2)
    count = min(pairs, int(ends[-1]))
    chosen = rng.choice(int(ends[-1]), count, replace=False) if count else np.empty(0, np.int64)
    part = np.searchsorted(ends, chosen, side="right")
    low, high = _triangle(chosen - np.append(0, ends[:-1])[part])
    sides = groups.members[starts[part] + np.stack([low, high])]
    swap = rng.random(count) < 0.5
    return PairSample(
        first=np.where(swap, sides[1], sides[0]),
        second=np.where(swap, sides[0], sides[1]),
        similarity=np.full(count, np.nan, np.float32),
        missing=pairs - count,
        proposals=count,
        dense_draws=0,
        uniform_similarity=float("nan"),
        seed=seed,
    )


@dataclass(frozen=True)
class _Groups:
    """The parts: images sorted by part, and for each image where its part begins, its size, its own place."""

    members: Indices
    start: Indices
    size: Indices
    place: Indices

    @classmethod
    def of(cls, images: int, parts: npt.ArrayLike | None) -> "_Groups":
        labels = np.zeros(images, "U1") if parts is None else np.asarray(parts, dtype=str)
        if labels.shape != (images,):
            raise InputError(
                f"parts has shape {labels.shape}, but there are {images} images; give one label each"
            )
        _, code, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        members = np.argsort(code, kind="stable")
        start = (np.cumsum(sizes) - sizes)[code]
        place = np.empty(images, np.int64)
        place[members] = np.arange(images)
        return cls(members, start, sizes[code], place - start)

    def propose(self, rows: Indices, rng: np.random.Generator) -> Indices:
        """One other image of the part of each row, uniformly."""
        other = rng.integers(0, self.size[rows] - 1)
        other += other >= self.place[rows]
        return np.take(self.members, self.start[rows] + other)


class _Draw:
    """A sample being drawn: who has drawn whom, and in which order."""

    def __init__(
        self,
        features: Features,
        norms: npt.NDArray[np.float64],
        groups: _Groups,
        partners: int,
        temperature: float,
        rng: np.random.Generator,
    ) -> None:
        self.features, self.norms, self.groups = features, norms, groups
        self.partners, self.temperature, self.rng = partners, temperature, rng
        # A part of m images holds no more than m - 1 partners, whatever is asked.
        self.drawn = np.full((len(norms), min(partners, int(groups.size.max()))), -1, np.int64)
        self.count = np.zeros(len(norms), np.int64)
        self.log: list[tuple[Indices, Indices, npt.NDArray[np.float32]]] = []
        self.proposals = self.dense_draws = 0
        self.uniform_similarity = float("nan")

    def by_rejection(self) -> None:
        """Rounds of one uniform proposal per unfinished image, until all are done or out of patience."""
        # Measured at d = 4,096, a dense row (blocked product) costs as much as about size / 100 proposals
        # (gathered rows), so switching after that many costs some twice the better of the two.
        patience = np.maximum(64, self.groups.size // 100)
        pick = np.full(len(self.count), -1, np.int64)
        active = np.flatnonzero(self.groups.size > 1)
        spent = 0
        while len(active):
            self._round(active, pick)
            spent += 1
            active = active[(self.count[active] < self.partners) & (patience[active] > spent)]

    def _round(self, active: Indices, pick: Indices) -> None:
        second = self.groups.propose(active, self.rng)
        cosine = _cosines(self.features, self.norms, active, second)
        if not self.proposals:
            self.uniform_similarity = float(cosine.mean())
        self.proposals += len(active)
        accepted = self.rng.random(len(active)) < np.exp((cosine - 1) / self.temperature)
        first, second, cosine = active[accepted], second[accepted], cosine[accepted]
        free = ~self._taken(first, second)
        first, second, cosine = first[free], second[free], cosine[free]
        # Two images that pick each other in one round: the lower row drew first, the other finds it taken.
        pick[first] = second
        new = (pick[second] != first) | (first < second)
        pick[first] = -1
        self._add(first[new], second[new], cosine[new])

    def _taken(self, first: Indices, second: Indices) -> npt.NDArray[np.bool_]:
        forward = (self.drawn[first] == second[:, None]).any(axis=1)
        backward = (self.drawn[second] == first[:, None]).any(axis=1)
        return np.asarray(forward | backward)

    def _add(self, first: Indices, second: Indices, cosine: npt.NDArray[np.float64]) -> None:
        """Book draws; each image at most once as `first`."""
        self.drawn[first, self.count[first]] = second
        self.count[first] += 1
        self.log.append((first, second, cosine.astype(np.float32)))

    def by_dense_rows(self) -> None:
        """Finish every unfinished image from its whole row of cosines, in row order inside each part."""
        groups = self.groups
        rows = groups.members[
            (self.count < self.partners)[groups.members] & (groups.size > 1)[groups.members]
        ]
        while len(rows):
            begin, size = groups.start[rows[0]], groups.size[rows[0]]
            block = rows[: max(1, min(256, _DENSE_ENTRIES // size))]
            block = block[groups.start[block] == begin]
            members = groups.members[begin : begin + size]
            for row, cosine in zip(block, self._rows(block, members), strict=True):
                self._finish(row, members, cosine)
            rows = rows[len(block) :]

    def _rows(self, block: Indices, members: Indices) -> npt.NDArray[np.float32]:
        """(len(block), len(members)) cosines."""
        left = _unit_rows(self.features, self.norms, block)
        out = np.empty((len(block), len(members)), np.float32)
        step = max(1, _DENSE_BYTES // (4 * left.shape[1]))
        for at in range(0, len(members), step):
            right = _unit_rows(self.features, self.norms, members[at : at + step])
            np.matmul(left, right.T, out=out[:, at : at + step])
        return np.clip(out, -1, 1, out=out)

    def _finish(self, row: np.int64, members: Indices, cosine: npt.NDArray[np.float32]) -> None:
        # The largest keys logit + Gumbel noise, largest first, are successive draws without replacement from
        # the softmax of the logits (Yellott 1977).
        barred = (
            (members == row) | np.isin(members, self.drawn[row]) | (self.drawn[members] == row).any(axis=1)
        )
        wanted = min(self.partners - int(self.count[row]), len(members) - int(barred.sum()))
        if not wanted:
            return
        keys = cosine.astype(np.float64) / self.temperature + self.rng.gumbel(size=len(members))
        keys[barred] = -np.inf
        best = np.argpartition(keys, -wanted)[-wanted:]
        for at in best[np.argsort(-keys[best])]:
            self._add(np.array([row]), members[[at]], cosine[[at]].astype(np.float64))
        self.dense_draws += wanted

    def result(self, seed: int) -> PairSample:
        empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        first, second, similarity = (np.concatenate(column) for column in zip(empty, *self.log, strict=True))
        return PairSample(
            first=first,
            second=second,
            similarity=similarity,
            missing=self.partners * len(self.count) - len(first),
            proposals=self.proposals,
            dense_draws=self.dense_draws,
            uniform_similarity=self.uniform_similarity,
            seed=seed,
        )


def _norms(features: Features) -> npt.NDArray[np.float64]:
    """(n,) Euclidean lengths, read in blocks; raises InputError for a row without a direction."""
    if features.ndim != 2 or not features.size or not np.issubdtype(features.dtype, np.floating):
        raise InputError(
            f"features is a {features.dtype} array of shape {features.shape}; "
            "give floating point numbers, one row per image and at least one image"
        )
    squares = np.empty(len(features))
    step = max(1, _GATHER_BYTES // (8 * features.shape[1]))
    for at in range(0, len(features), step):
        rows = np.asarray(features[at : at + step], dtype=np.float64)
        squares[at : at + step] = np.vecdot(rows, rows)
    norms = np.sqrt(squares)
    # The bounds keep squares and products of two rows inside float32.
    bad = np.flatnonzero(~((norms > 1e-15) & (norms < 1e15)))
    if len(bad):
        why = "is all zeros" if norms[bad[0]] == 0 else f"has length {norms[bad[0]]:.3g}"
        raise InputError(
            f"features, row {bad[0]}: it {why}, so it has no direction to compare"
            f" ({len(bad)} such row{'s' if len(bad) > 1 else ''}); embed the image again or leave it out"
        )
    return norms


def _cosines(
    features: Features, norms: npt.NDArray[np.float64], first: Indices, second: Indices
) -> npt.NDArray[np.float64]:
    """(pairs,) cosines of rows first[k] and second[k], from copies of a few rows at a time."""
    out = np.empty(len(first))
    step = max(1, _GATHER_BYTES // (4 * features.shape[1]))
    for at in range(0, len(first), step):
        left = features[first[at : at + step]].astype(np.float32, copy=False)
        right = features[second[at : at + step]].astype(np.float32, copy=False)
        out[at : at + step] = np.vecdot(left, right)
    return np.clip(out / (norms[first] * norms[second]), -1, 1)


def _unit_rows(features: Features, norms: npt.NDArray[np.float64], rows: Indices) -> npt.NDArray[np.float32]:
    """A copy of some rows at unit length."""
    copy = features[rows].astype(np.float32, copy=False)
    copy /= norms[rows, None].astype(np.float32)
    return copy


def _triangle(number: Indices) -> tuple[Indices, Indices]:
    """The pair (low, high), low < high, that has this number in the order (0,1), (0,2), (1,2), (0,3) ..."""
    # Exact in float64 below 40 million images: 1 + 8 number stays under 2^53.
    high = ((1 + np.sqrt(1 + 8 * number)) / 2).astype(np.int64)
    return number - high * (high - 1) // 2, high


def _generator(seed: int) -> np.random.Generator:
    if seed < 0:
        raise InputError(f"seed is {seed}; give a whole number of at least 0")
    return np.random.default_rng(seed)
