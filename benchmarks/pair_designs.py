"""Pair designs: how soon the scores are right, and how fast pairs are drawn.

    python benchmarks/pair_designs.py            # the tables of docs/pairs.md: some 5 minutes on one core
    python benchmarks/pair_designs.py --quick    # small: shows that the script works, not what it is worth

Accuracy: images with planted quality N(0, 1) are compared by the panel of photojury.annotate.simulation.simulate (nobody
careless): everyone sees both qualities through noise of their own, log-normal around 0.5, and prefers the left
side a little. Pairs come in batches of half as many as there are images; after each batch the scores of all
designs are estimated by the same function, photojury.annotate.pairs.thurstone.posterior, and their Spearman
correlation with the planted quality is averaged over studies that differ in nothing but their seed. The
judgements needed for an accuracy are interpolated on that mean curve. The same planted qualities and raters
serve all designs.

`gain tree` is the usual active sampler, Hybrid-MST (Li et al. 2018, NeurIPS): pairs of the minimum spanning
tree of 1 / (expected information gain), the best first, on the same posterior as ours.

Speed: pairs drawn per second on one core, features and answers at hand.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import click
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.stats import spearmanr

from photojury.annotate.pairs import thurstone
from photojury.annotate.pairs.active import active_pairs
from photojury.annotate.pairs.connected import connected_pairs
from photojury.annotate.pairs.designs import score_distance_pairs
from photojury.annotate.pairs.similarity import PairSample, sample_pairs, uniform_pairs
from photojury.annotate.simulation.simulate import panel
from photojury.datasets.streams import stream, stream_seed

FloatArray = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
AIMS = (0.80, 0.85, 0.90, 0.93, 0.95, 0.96, 0.97, 0.98)
PANEL = 50
WIDTH = 64  # of the features that draw similar pairs


@dataclass
class World:
    """One planted study: qualities, raters, and the answers so far."""

    images: int
    seed: int
    raters: int
    quality: FloatArray = field(init=False)
    first: Indices = field(init=False)
    second: Indices = field(init=False)
    values: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.quality = stream(self.seed, "truth").normal(size=self.images)
        people = panel(PANEL, seed=self.seed, careless=0)
        self._noise = np.array([rater.noise for rater in people])
        self._left = np.array([rater.left for rater in people])
        self._random = stream(self.seed, "answers")
        self.first = self.second = np.empty(0, np.int64)
        self.values = np.empty(0)

    @property
    def ids(self) -> list[str]:
        return [f"image {number:05d}" for number in range(self.images)]

    def comparisons(self) -> pd.DataFrame:
        ids = np.array(self.ids)
        return pd.DataFrame(
            {"first_id": ids[self.first], "second_id": ids[self.second], "value": self.values}
        )

    def ask(self, first: Indices, second: Indices) -> None:
        """Let `raters` different people of the panel choose one of each pair, as in simulate.answer."""
        random = self._random
        for one, other in zip(first, second, strict=True):
            who = random.choice(PANEL, self.raters, replace=False)
            impressions = self.quality[[one, other]] + self._noise[who, None] * random.normal(
                size=(self.raters, 2)
            )
            side = np.where(random.random(self.raters) < 0.5, 1, -1)
            difference = impressions[:, 0] - impressions[:, 1] + side * self._left[who]
            self.first = np.append(self.first, np.full(self.raters, one))
            self.second = np.append(self.second, np.full(self.raters, other))
            self.values = np.append(self.values, np.where(difference > 0, 1.0, -1.0))

    def accuracy(self) -> float:
        post = thurstone.posterior(self.first, self.second, self.values, images=self.images)
        return float(spearmanr(post.mean, self.quality).statistic)


Design = Callable[[World, int, int], tuple[Indices, Indices]]
"""World, pairs of a batch, number of the batch: the pairs of that batch."""


def fixed(draw: Callable[[World, int], tuple[Indices, Indices]]) -> Design:
    """A design that does not look at answers: drawn once, its batches handed out in order."""
    whole: dict[tuple[int, int], tuple[Indices, Indices]] = {}

    def design(world: World, pairs: int, batch: int) -> tuple[Indices, Indices]:
        key = (world.seed, world.images)
        if batch == 0:
            whole[key] = draw(world, stream_seed(world.seed, "design"))
        first, second = whole[key]
        here = slice(batch * pairs, (batch + 1) * pairs)
        return first[here], second[here]

    return design


def similarity(world: World, seed: int) -> tuple[Indices, Indices]:
    """As many partners as there are; content (the features) knows nothing of quality."""
    features = stream(world.seed, "features").normal(size=(world.images, WIDTH)).astype(np.float32)
    sample = sample_pairs(features, partners=max(5, world.images // 4), seed=seed)
    order = np.random.default_rng(seed).permutation(sample.draws)
    return sample.first[order], sample.second[order]


def uniform(world: World, seed: int) -> tuple[Indices, Indices]:
    sample = uniform_pairs(world.images, pairs=world.images**2 // 2, seed=seed)
    return sample.first, sample.second


def connected(world: World, seed: int) -> tuple[Indices, Indices]:
    sample = connected_pairs(world.images, pairs=world.images * (world.images - 1) // 4, seed=seed)
    return sample.first, sample.second


def active(world: World, pairs: int, batch: int) -> tuple[Indices, Indices]:
    seed = stream_seed(world.seed, "active", str(batch))
    sample = active_pairs(world.comparisons(), world.ids, pairs=pairs, raters=world.raters, seed=seed)
    return sample.first, sample.second


def gain_tree(world: World, pairs: int, batch: int) -> tuple[Indices, Indices]:
    """Hybrid-MST; the first batch as ours."""
    if batch == 0:
        return active(world, pairs, batch)
    n = world.images
    post = thurstone.posterior(world.first, world.second, world.values, images=n)
    low, high = np.triu_indices(n, 1)
    own = np.diag(post.covariance)
    gain = information_gain(
        post.mean[low] - post.mean[high], own[low] + own[high] - 2 * post.covariance[low, high]
    )
    asked = np.minimum(world.first, world.second) * n + np.maximum(world.first, world.second)
    gain[np.isin(low * n + high, asked)] *= 1e-6
    cost = np.zeros((n, n))
    cost[low, high] = 1 / np.maximum(gain, 1e-300)
    tree = minimum_spanning_tree(cost).tocoo()
    best = np.argsort(tree.data, kind="stable")[:pairs]
    return tree.row[best].astype(np.int64), tree.col[best].astype(np.int64)


def information_gain(mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Expected entropy, in nats, that one choice takes from a difference N(mean, variance)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(16)
    chance = np.clip(
        thurstone.level_chances(
            mean[:, None] + np.sqrt(variance)[:, None] * nodes,
            np.zeros((len(mean), len(nodes))),
            np.zeros(1),
        )[0][1],
        1e-12,
        1 - 1e-12,
    )
    weights = weights / weights.sum()
    result: FloatArray = _entropy(chance @ weights) - _entropy(chance) @ weights
    return result


def _entropy(p: FloatArray) -> FloatArray:
    entropy: FloatArray = -p * np.log(p) - (1 - p) * np.log1p(-p)
    return entropy


DESIGNS: dict[str, Design] = {
    "uniform": fixed(uniform),
    "similarity": fixed(similarity),
    "connected": fixed(connected),
    "gain tree": gain_tree,
    "active": active,
}


def curve(
    design: Design, images: int, raters: int, judgements: int, seeds: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Judgements, and the mean accuracy of the studies after them."""
    batch_pairs = max(1, images // (2 * raters))
    batches = judgements // (batch_pairs * raters)
    accuracy = np.empty((len(seeds), batches))
    for row, seed in enumerate(seeds):
        world = World(images, seed, raters)
        for batch in range(batches):
            world.ask(*design(world, batch_pairs, batch))
            accuracy[row, batch] = world.accuracy()
    judgements_by_then = batch_pairs * raters * np.arange(1.0, batches + 1)
    return judgements_by_then, accuracy.mean(axis=0)


def needed(judgements: FloatArray, accuracy: FloatArray, aim: float) -> float:
    """Judgements at which the curve first reaches an accuracy; NaN where it does not."""
    above = np.flatnonzero(accuracy >= aim)
    if not len(above):
        return float("nan")
    at = int(above[0])
    if at == 0:
        return float(judgements[0])
    share = (aim - accuracy[at - 1]) / (accuracy[at] - accuracy[at - 1])
    return float(judgements[at - 1] + share * (judgements[at] - judgements[at - 1]))


def accuracy_table(images: int, raters: int, judgements: int, seeds: Sequence[int]) -> list[str]:
    """Judgements needed for each accuracy, and active's share of uniform's, as Markdown."""
    lines = [
        f"{images} images, {raters} {'rater' if raters == 1 else 'raters'} a pair, {len(seeds)} studies:",
        "",
        "| design | " + " | ".join(f"{aim:.2f}" for aim in AIMS) + " |",
        "|---|" + "---:|" * len(AIMS),
    ]
    need: dict[str, list[float]] = {}
    for name, design in DESIGNS.items():
        drawn = curve(design, images, raters, judgements, seeds)
        need[name] = [needed(*drawn, aim) for aim in AIMS]
        cells = ["-" if np.isnan(value) else f"{value:,.0f}" for value in need[name]]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    shares = np.array(need["active"]) / np.array(need["uniform"])
    cells = ["-" if np.isnan(share) else f"{share:.0%}" for share in shares]
    return [*lines, "| active / uniform | " + " | ".join(cells) + " |", ""]


def speed_table(sizes: Sequence[int], active_sizes: Sequence[int]) -> list[str]:
    """Draws per second, as Markdown."""
    lines = ["| design | images | pairs | seconds | pairs per second |", "|---|---:|---:|---:|---:|"]
    for images in sizes:
        random = np.random.default_rng(images)
        features = random.normal(size=(images, WIDTH)).astype(np.float32)
        scores = random.random(images)
        wanted = 5 * images
        lines += [
            timed("uniform", images, partial(uniform_pairs, images, pairs=wanted, seed=1)),
            timed(f"similarity, d = {WIDTH}", images, partial(sample_pairs, features, seed=1)),
            timed("score-distance", images, partial(score_distance_pairs, scores, pairs=wanted, seed=1)),
            timed("connected", images, partial(connected_pairs, images, pairs=wanted, seed=1)),
        ]
    for images in active_sizes:
        world = World(images, 1, 1)
        sample = connected_pairs(images, pairs=5 * images, seed=1)
        world.ask(sample.first, sample.second)
        draw = partial(active_pairs, world.comparisons(), world.ids, pairs=images, seed=1)
        lines.append(timed("active", images, draw))
    return lines


def timed(name: str, images: int, draw: Callable[[], PairSample]) -> str:
    """One line of the table."""
    start = time.perf_counter()
    pairs = draw().draws
    seconds = time.perf_counter() - start
    return f"| {name} | {images:,} | {pairs:,} | {seconds:.2g} | {pairs / seconds:,.0f} |"


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: shows that the script works, not what it is worth.")
def main(quick: bool) -> None:
    """Print the tables of docs/pairs.md."""
    start = time.perf_counter()
    settings = [(30, 1, 200, 2)] if quick else [(100, 1, 2_450, 16), (100, 5, 3_000, 16), (200, 1, 5_000, 6)]
    for images, raters, judgements, studies in settings:
        click.echo("\n".join(accuracy_table(images, raters, judgements, range(studies))))
    sizes, active_sizes = ((1_000,), (100,)) if quick else ((1_000, 10_000, 100_000), (100, 1_000, 2_000))
    click.echo("\n".join(speed_table(sizes, active_sizes)))
    click.echo(f"\n{time.perf_counter() - start:.0f} s; load average {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
