"""Designs: pairs chosen for what they are to show, beside those by similarity (photojury.annotate.pairs.similarity).

- `score_distance_pairs`: evenly over the distances of two scores, as in paper 2's user study;
- `series_pairs`: all pairs inside each series.

In photojury.annotate.pairs.connected are pairs in which all images come equally often, in photojury.annotate.pairs.active
those that tell most beyond the answers so far.

In: scores or series. Out: a `DesignSample`: pairs of row numbers, and a report that says what the design came
to. No pair comes twice, none joins an image to itself, none crosses parts; one seed gives one result.

    >>> sample = score_distance_pairs([0.0, 0.25, 0.5], pairs=4, edges=(0.2, 0.4), seed=1)
    >>> sample.report.values.tolist()
    [[0.2, 0.4, 2.0, 2.0, 2.0], [0.4, inf, 1.0, 2.0, 1.0]]
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from photojury.annotate.pairs.similarity import Indices, PairSample
from photojury.errors import InputError, require_columns

Pairs = tuple[npt.ArrayLike, npt.ArrayLike]
"""First and second row numbers of pairs."""

DISTANCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Paper 2, Table 2: the distances of two scores above which pairs were asked."""

_DECIMALS = 12  # of a score, so that 0.4 - 0.3 is not "more than 0.1"; as in analysis.forced_choice


@dataclass(frozen=True)
class DesignSample(PairSample):
    """Pairs of rows, with what the design came to.

    Attributes:
        report: a table; see the function that made the sample.
    """

    report: pd.DataFrame


def score_distance_pairs(
    scores: npt.ArrayLike,
    *,
    pairs: int = 600,
    edges: Sequence[float] = DISTANCES,
    seed: int,
    parts: npt.ArrayLike | None = None,
    taken: Pairs | None = None,
) -> DesignSample:
    """Draw pairs evenly over bins of |S(i) - S(j)|, uniformly inside a bin (paper 2, section 6 and Table 2).

    Bin k holds the distances above edges[k], up to edges[k + 1]; the last bin is open. The paper's bins
    overlap ("more than x"); these do not, so that each holds as many pairs. Distances are taken of scores
    rounded to 12 decimals. Pairs are counted in sorted scores, never listed: time and memory grow as
    images x bins.

    Args:
        scores: (n,) finite scores, one per image.
        pairs: how many; the remainder of pairs / bins goes to the first bins. A bin with too few pairs gives
            all it has, and what it lacks is not taken from others: `missing` and the report say so.
        edges: rising, not negative.
        seed: not negative.
        parts: (n,) labels; pairs stay inside a part, and bins count over all parts. None: one part.
        taken: first and second rows of pairs that must not come again.

    Returns:
        Pairs in random order, which side is first too. Its report has one row per bin: low, high (of the
        distance, in (low, high]), there (pairs that exist and are not taken), wanted, drawn.

    Raises:
        InputError: no image, a score that is not finite, edges that do not rise, or an argument out of range.
    """
    values, labels = np.asarray(scores, dtype=np.float64), part_labels(parts, np.size(scores))
    limits = _whole(np.asarray(edges, dtype=np.float64))
    if pairs < 1 or not len(limits) or limits[0] < 0 or (np.diff(limits) <= 0).any():
        raise InputError(
            f"{pairs} pairs over the distances {list(edges)} were asked for; give rising distances"
        )
    rng = generator(seed)
    ladder = _Ladder.of(values, labels)
    wanted = shared_out(pairs, np.ones(len(limits)))
    drawn, rows = [], []
    for k, low in enumerate(limits):
        high = limits[k + 1] if k + 1 < len(limits) else None
        barred = ladder.numbers_of(taken, low, high)
        chosen, there = ladder.draw(low, high, int(wanted[k]), barred, rng)
        drawn.append(chosen)
        top = float("inf") if high is None else float(edges[k + 1])
        row = {"low": float(edges[k]), "high": top, "there": there}
        rows.append({**row, "wanted": int(wanted[k]), "drawn": chosen.shape[1]})
    return sample_of(np.concatenate(drawn, axis=1), pairs, rng, seed, pd.DataFrame(rows))


def series_pairs(
    series: pd.DataFrame, image_ids: Sequence[str], *, seed: int, parts: npt.ArrayLike | None = None
) -> DesignSample:
    """All pairs inside each series (paper 3, section 3), each once.

    Args:
        series: columns series_id and image_id; images that are not in image_ids are counted, not asked.
        image_ids: (n,) the images that may be asked about; pairs hold row numbers of it.
        seed: of the order, and of which side is first.
        parts: (n,) labels; None: one part.

    Returns:
        Pairs in random order. Its report has one row per series: series_id, images, unknown (images that are
        not in image_ids), pairs (of two series that share a pair, the first counts it).

    Raises:
        InputError: a missing column, or a series that lies in several parts (names it).
    """
    require_columns(series.columns, ("series_id", "image_id"), "series")
    row_of = {image: row for row, image in enumerate(image_ids)}
    labels = part_labels(parts, len(image_ids))
    rng = generator(seed)
    seen: dict[tuple[int, int], None] = {}
    rows = []
    for name, group in series.drop_duplicates(["series_id", "image_id"]).groupby("series_id", sort=True):
        members = np.sort([row_of[image] for image in group["image_id"] if image in row_of]).astype(np.int64)
        if len(set(labels[members])) > 1:
            raise InputError(
                f"series {name} lies in the parts {', '.join(sorted(set(labels[members])))}, and no pair may"
                " cross parts; split by series: photojury datasets split --by series"
            )
        before = len(seen)
        low, high = np.triu_indices(len(members), 1)
        seen.update(dict.fromkeys(zip(members[low].tolist(), members[high].tolist(), strict=True)))
        unknown = len(group) - len(members)
        rows.append(
            {"series_id": name, "images": len(members), "unknown": unknown, "pairs": len(seen) - before}
        )
    report = pd.DataFrame(rows, columns=["series_id", "images", "unknown", "pairs"])
    return sample_of(np.array(list(seen), np.int64).reshape(-1, 2).T, len(seen), rng, seed, report)


@dataclass(frozen=True)
class _Ladder:
    """Scores in rising order, part by part, in which the pairs of a distance are runs of neighbours.

    Attributes:
        rows: (n,) the image on each rung.
        rung: (n,) the rung of each image.
        heights: (n,) score of each rung, a whole number; parts lie so far apart that none reaches another.
        ends: (n,) where the part of each rung ends.
    """

    rows: Indices
    rung: Indices
    heights: Indices
    ends: Indices

    @classmethod
    def of(cls, scores: npt.NDArray[np.float64], labels: npt.NDArray[np.str_]) -> "_Ladder":
        if not np.isfinite(scores).all():
            raise InputError(
                f"image {np.flatnonzero(~np.isfinite(scores))[0]} has no finite score; leave it out"
            )
        heights = _whole(scores)
        rows = np.lexsort((heights, labels))
        rung = np.empty(len(rows), np.int64)
        rung[rows] = np.arange(len(rows))
        ends = np.searchsorted(labels[rows], labels[rows], side="right")
        return cls(rows, rung, heights[rows], ends.astype(np.int64))

    def runs(self, low: int, high: int | None) -> tuple[Indices, Indices]:
        """For each rung: where its partners of a distance in (low, high] begin, and how many they are."""
        starts = np.empty(len(self.rows), np.int64)
        stops = self.ends.copy()
        begin = 0
        for end in np.unique(self.ends).tolist():
            part = self.heights[begin:end]
            starts[begin:end] = begin + np.searchsorted(part, part + low, side="right")
            if high is not None:
                stops[begin:end] = begin + np.searchsorted(part, part + high, side="right")
            begin = end
        # At low = 0 a score's equals are no partners, and "right" is past all of them.
        return starts, np.maximum(stops - starts, 0)

    def numbers_of(self, taken: Pairs | None, low: int, high: int | None) -> Indices:
        """The numbers, rising, that taken pairs have among those of this distance."""
        if taken is None:
            return np.empty(0, np.int64)
        sides = np.sort(self.rung[np.stack([np.asarray(side, dtype=np.int64) for side in taken])], axis=0)
        starts, counts = self.runs(low, high)
        offset = sides[1] - starts[sides[0]]
        inside = (offset >= 0) & (offset < counts[sides[0]])
        numbers = (np.cumsum(counts) - counts)[sides[0]] + offset
        return np.unique(numbers[inside])

    def draw(
        self, low: int, high: int | None, wanted: int, barred: Indices, rng: np.random.Generator
    ) -> tuple[Indices, int]:
        """(2, pairs) images of pairs of this distance that are not barred, uniformly; how many there are."""
        starts, counts = self.runs(low, high)
        last = np.cumsum(counts)
        there = int(last[-1]) - len(barred)
        number = rng.choice(there, min(wanted, there), replace=False) if there else np.empty(0, np.int64)
        # The k-th number that is not barred: k, and one more for each barred number up to it.
        number = number + np.searchsorted(barred - np.arange(len(barred)), number, side="right")
        lower = np.searchsorted(last, number, side="right")
        upper = starts[lower] + number - (last - counts)[lower]
        images: Indices = self.rows[np.stack([lower, upper])]
        return images, there


def shared_out(total: int, weights: npt.NDArray[np.float64]) -> Indices:
    """Whole numbers that add up to total, in proportion to the weights; what is left over goes to the first."""
    ideal = total * weights / weights.sum()
    counts: Indices = np.floor(ideal + 1e-9).astype(np.int64)
    order = np.argsort(-(ideal - counts), kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return counts


def sample_of(
    pairs: Indices,
    wanted: int,
    rng: np.random.Generator,
    seed: int,
    report: pd.DataFrame,
    *,
    shuffle: bool = True,
) -> DesignSample:
    """Pairs, (2, k) row numbers, as a sample: which side is first by chance, and the order unless shuffle is False."""
    count = pairs.shape[1]
    if shuffle:
        pairs = pairs[:, rng.permutation(count)]
    swap = rng.random(count) < 0.5
    return DesignSample(
        first=np.where(swap, pairs[1], pairs[0]),
        second=np.where(swap, pairs[0], pairs[1]),
        similarity=np.full(count, np.nan, np.float32),
        missing=wanted - count,
        proposals=count,
        dense_draws=0,
        uniform_similarity=float("nan"),
        seed=seed,
        report=report,
    )


def _whole(scores: npt.NDArray[np.float64]) -> Indices:
    """Scores as whole numbers of 1e-12, whose differences are exact."""
    if len(scores) and np.abs(scores).max() > 1e6:
        raise InputError(
            f"scores reach {np.abs(scores).max():g}; distances are exact up to 1e6, so scale them"
        )
    return np.rint(scores * 10.0**_DECIMALS).astype(np.int64)


def part_labels(parts: npt.ArrayLike | None, images: int) -> npt.NDArray[np.str_]:
    """(images,) the part of each image, "" where there is but one.

    Raises:
        InputError: no image, or labels of another length.
    """
    labels = np.zeros(images, "U1") if parts is None else np.asarray(parts, dtype=str)
    if not images:
        raise InputError("there is no image to make pairs of")
    if labels.shape != (images,):
        raise InputError(
            f"parts has shape {labels.shape}, but there are {images} images; give one label each"
        )
    return labels


def generator(seed: int) -> np.random.Generator:
    """The generator of a seed; raises InputError for a negative one."""
    if seed < 0:
        raise InputError(f"seed is {seed}; give a whole number of at least 0")
    return np.random.default_rng(seed)
