"""Active pairs: those that tell most about the scores beyond the answers so far.

In: comparisons, image ids, and how many pairs are wanted. Out: a `DesignSample` of row numbers.

**What is asked for.** Scores are read as ranks, so pairs are chosen to make the ranks right. With what is known,
the difference of two scores is N(m_ij, v_ij) (photojury.annotate.pairs.thurstone), and the expected rank of image i is
the sum over j of the probability that i is the better one. A small error x of the scores moves the expected
ranks by L x, L the Laplacian of the graph whose weights are the densities of these differences at 0. The
expected sum of squared rank errors is therefore tr(L S L), S the covariance of the scores; an answer about i and
j lowers it by f_ij |L S (e_i - e_j)|^2 on average, f_ij of `thurstone.information`. This is a Bayesian A-optimal
design (Chaloner and Verdinelli 1995, Statistical Science 10) for ranks: it leaves alone what is decided, and
images whose neighbours in rank are far away.

**Batches.** Pairs come in rounds of up to a tenth of the images, the best first, no image twice in a round, so
that a batch is spread. After each round the covariance shrinks as if the answers were there (the expected
answer moves no mean), so that a batch does not ask the same thing many times.

**Why not the usual way.** Hybrid-MST (Li et al. 2018) and ASAP (Mikhailiuk et al. 2020) take the minimum
spanning tree of 1 / (expected information gain about all scores). Measured in docs/pairs.md, that needs more
judgements for the same rank correlation: a tree must also hold its last, dull pairs, and gain about scores is
sought among images whose order is known.

A part without an answer gets a connected design (photojury.annotate.pairs.connected).

    >>> import pandas as pd
    >>> answers = pd.DataFrame({"first_id": ["a", "b"], "second_id": ["b", "c"], "value": [1.0, 1.0]})
    >>> active_pairs(answers, ["a", "b", "c"], pairs=1, seed=1).report["chosen_by"].tolist()
    ['active']
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import solve_triangular

from photojury.annotate.pairs import thurstone
from photojury.annotate.pairs.connected import allocate, connected_pairs
from photojury.annotate.pairs.designs import DesignSample, generator, part_labels, sample_of
from photojury.annotate.pairs.similarity import Indices
from photojury.annotate.pairs.thurstone import FloatArray, Posterior
from photojury.errors import InputError, require_columns

MOST_IMAGES = 3000
"""Images of one part: some ten matrices of that size squared are held (70 MB each)."""

# Pairs of a round, as a share of the images: 1 % to 10 % needed as many judgements, and 10 % is fastest.
_ROUND = 0.1


def active_pairs(
    comparisons: pd.DataFrame,
    image_ids: npt.ArrayLike,
    *,
    pairs: int,
    raters: int = 1,
    seed: int,
    parts: npt.ArrayLike | None = None,
    asked: pd.DataFrame | None = None,
) -> DesignSample:
    """Choose the pairs that are expected to make the ranks right soonest.

    A pair that was asked before comes again only where all other pairs of its part have been. Pairs that were
    asked and not answered yet count as if `raters` had answered, so planning twice asks for different things.

    Args:
        comparisons: first_id, second_id and value (-2..2, or -1 and 1); may be empty.
        image_ids: (n,) the images to be compared; pairs hold row numbers of it.
        pairs: how many different pairs.
        raters: answers that each pair will get.
        seed: of what is done by chance: which side is first, ties, designs of parts without an answer.
        parts: (n,) labels; each part is fitted by itself, and gets pairs in proportion to its images.
        asked: first_id and second_id of pairs that were planned before; those with images that are not in
            image_ids are ignored.

    Returns:
        The pairs, part by part, in the order in which they were chosen. Its report has one row per part: part,
        images, answers, pairs, chosen_by (active or connected), prior (deviation of scores, in units of the
        noise of an answer), error_before and error_after (root mean square error of a rank, as the model
        expects it before the batch and after it; NaN where connected), left_out (answers about images that
        are not in image_ids, or in two parts: all of them in the first row).

    Raises:
        InputError: a missing column, a value that is no answer, a part of more than `MOST_IMAGES` images with
            answers, or an argument out of range.
    """
    ids = np.asarray(image_ids, dtype=str)
    labels, rng = part_labels(parts, len(ids)), generator(seed)
    if pairs < 1 or raters < 1:
        raise InputError(f"{pairs} pairs for {raters} raters were asked for; both must be at least 1")
    require_columns(comparisons.columns, ("first_id", "second_id", "value"), "comparisons")
    answered, known = _rows_inside(comparisons, ids, labels)
    values = comparisons["value"].to_numpy(dtype=np.float64)[known]
    planned, _ = _rows_inside(comparisons if asked is None else asked, ids, labels)
    members = [np.flatnonzero(labels == part) for part in np.unique(labels)]
    counts = allocate(pairs, [len(rows) for rows in members], [0] * len(members))
    chosen, report = [], []
    for rows, count in zip(members, counts.tolist(), strict=True):
        place = np.full(len(ids), -1)
        place[rows] = np.arange(len(rows))
        inside = place[answered[0]] >= 0
        task = _Task(
            images=len(rows),
            answered=place[answered[:, inside]],
            values=values[inside],
            planned=place[planned[:, place[planned[0]] >= 0]],
            raters=raters,
        )
        picked, facts = task.choose(count, int(rng.integers(2**62)))
        chosen.append(rows[picked])
        report.append({"part": str(labels[rows[0]]), "images": len(rows), **facts})
    table = pd.DataFrame(report).assign(left_out=[len(comparisons) - len(values)] + [0] * (len(report) - 1))
    return sample_of(np.concatenate(chosen, axis=1), pairs, rng, seed, table, shuffle=False)


def _rows_inside(
    pairs: pd.DataFrame, ids: npt.NDArray[np.str_], labels: npt.NDArray[np.str_]
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """(2, k) row numbers of the pairs whose images are both known and of one part, and which pairs these are."""
    index = pd.Index(ids)
    rows = np.stack([index.get_indexer(pd.Index(pairs[name])) for name in ("first_id", "second_id")])
    known = (rows >= 0).all(axis=0)
    known &= labels[rows[0]] == labels[rows[1]]
    return rows[:, known].astype(np.int64), known


@dataclass(frozen=True)
class _Task:
    """One part, its images numbered from 0.

    Attributes:
        images: how many.
        answered: (2, answers) who was compared, first and second.
        values: (answers,) the answers.
        planned: (2, k) pairs that were asked before, answered or not.
        raters: answers that a pair will get.
    """

    images: int
    answered: Indices
    values: FloatArray
    planned: Indices
    raters: int

    def choose(self, wanted: int, seed: int) -> tuple[Indices, dict[str, object]]:
        """(2, wanted) pairs, and their line of the report."""
        before = np.unique(np.concatenate([self._keys(self.answered), self._keys(self.planned)]))
        facts: dict[str, object] = {"answers": len(self.values), "pairs": wanted}
        if not len(self.values) or not wanted:
            pairs = np.empty((2, 0), np.int64)
            if wanted:
                taken = (before // self.images, before % self.images)
                sample = connected_pairs(self.images, pairs=wanted, seed=seed, taken=taken)
                pairs = np.stack([sample.first, sample.second])
            facts |= {"chosen_by": "connected", "pairs": pairs.shape[1], "prior": np.nan}
            return pairs, {**facts, "error_before": np.nan, "error_after": np.nan}
        if self.images > MOST_IMAGES:
            raise InputError(
                f"active pairs hold the covariance of all scores, for up to {MOST_IMAGES:,} images of a part, not"
                f' {self.images:,}; set pairing = "connected" or "similarity"'
            )
        post = thurstone.posterior(self.answered[0], self.answered[1], self.values, images=self.images)
        knowledge = _Knowledge(post, self.raters)
        waiting = np.setdiff1d(self._keys(self.planned), self._keys(self.answered))
        knowledge.expect(np.stack([waiting // self.images, waiting % self.images]))
        facts |= {"chosen_by": "active", "prior": post.prior, "error_before": knowledge.rank_error()}
        pairs = _best(knowledge, wanted, before, np.random.default_rng(seed))
        return pairs, {**facts, "error_after": knowledge.rank_error()}

    def _keys(self, pairs: Indices) -> Indices:
        """One number for each unordered pair."""
        keys: Indices = pairs.min(axis=0) * self.images + pairs.max(axis=0)
        return keys


def _best(knowledge: "_Knowledge", wanted: int, before: Indices, rng: np.random.Generator) -> Indices:
    """(2, wanted) pairs in rounds; `before` are keys (low * images + high) of pairs that come last."""
    n = knowledge.images
    low, high = np.triu_indices(n, 1)
    old = np.isin(low * n + high, before)
    waiting = [np.flatnonzero(~old), np.flatnonzero(old)]
    chosen = []
    while wanted:
        new = waiting[0] if len(waiting[0]) else waiting[1]
        # The tiny factor decides between equals by chance, not by the order of ids.
        gains = knowledge.gains(low[new], high[new]) * (1 + 1e-9 * rng.random(len(new)))
        picked = new[_round(low[new], high[new], gains, min(wanted, max(1, round(_ROUND * n))))]
        waiting = [np.setdiff1d(pairs, picked, assume_unique=True) for pairs in waiting]
        chosen.append(np.stack([low[picked], high[picked]]))
        knowledge.expect(chosen[-1])
        wanted -= len(picked)
    return np.concatenate(chosen, axis=1)


def _round(low: Indices, high: Indices, gains: FloatArray, most: int) -> Indices:
    """Which of the pairs: up to `most` with the largest gains, at least one, no image twice."""
    near = min(len(gains), 50 * most)
    best = np.argpartition(-gains, near - 1)[:near]
    used: set[int] = set()
    picked: list[int] = []
    for pair in best[np.argsort(-gains[best], kind="stable")].tolist():
        ends = {int(low[pair]), int(high[pair])}
        if not ends & used:
            used |= ends
            picked.append(pair)
            if len(picked) == most:
                break
    return np.array(picked, dtype=np.int64)


class _Knowledge:
    """What is known of the scores of a part, and will be once expected answers are there."""

    def __init__(self, post: Posterior, raters: int) -> None:
        self.images, self.raters = len(post.mean), raters
        self.mean, self.cuts, self.covariance = post.mean, post.cuts, post.covariance
        laplacian = _rank_laplacian(post)
        self._weights = laplacian @ laplacian
        self._gram = self.covariance @ self._weights @ self.covariance

    def rank_error(self) -> float:
        """Root mean square error of a rank, in ranks."""
        return float(np.sqrt(np.vdot(self._weights, self.covariance) / self.images))

    def gains(self, low: Indices, high: Indices) -> FloatArray:
        """Expected decrease of the sum of squared rank errors, for one answer to each pair."""
        size = np.diag(self._gram)
        turned = size[low] + size[high] - 2 * self._gram[low, high]
        return np.maximum(turned, 0) * self._information(low, high)

    def expect(self, pairs: Indices) -> None:
        """Shrink the covariance as the answers to these pairs are expected to."""
        if not pairs.shape[1]:
            return
        low, high = pairs
        one = self._information(low, high)
        variance = self._variance(low, high)
        # As many independent looks at the difference, each of the precision that would take away as much.
        precision = self.raters * one / np.maximum(1 - one * variance, 1e-9)
        moved = self.covariance[:, low] - self.covariance[:, high]
        core = moved[low] - moved[high] + np.diag(1 / precision)
        # Woodbury: S - U core^-1 U', with core = C C' and X = U C'^-1, is S - X X'.
        x = solve_triangular(np.linalg.cholesky(core), moved.T, lower=True).T
        turned = self._weights @ x
        across = (self.covariance @ turned) @ x.T
        self._gram += x @ (x.T @ turned) @ x.T - across - across.T
        self.covariance = self.covariance - x @ x.T

    def _variance(self, low: Indices, high: Indices) -> FloatArray:
        own = np.diag(self.covariance)
        return np.maximum(own[low] + own[high] - 2 * self.covariance[low, high], 1e-12)

    def _information(self, low: Indices, high: Indices) -> FloatArray:
        return thurstone.information(self.mean[low] - self.mean[high], self._variance(low, high), self.cuts)


def _rank_laplacian(post: Posterior) -> FloatArray:
    """(n, n) change of the expected ranks by the scores: the Laplacian of the densities of differences at 0."""
    own = np.diag(post.covariance)
    variance = np.maximum(own[:, None] + own - 2 * post.covariance, 1e-12)
    density = np.exp(-((post.mean[:, None] - post.mean) ** 2) / variance / 2) / np.sqrt(2 * np.pi * variance)
    np.fill_diagonal(density, 0)
    return np.diag(density.sum(axis=0)) - density
