"""Pair sampling (paper 1, eq. 1) against the dense softmax: seconds, ratio, peak memory, growth.

    python benchmarks/pair_sampling.py           # 20,000 to 380,000 images: some 4 minutes, 8 GB of memory
    python benchmarks/pair_sampling.py --quick   # small, some seconds

Every figure comes from a process of its own, so that peak memory (resource.getrusage) belongs to it alone.
The features imitate fc7 after ReLU: 48 shared factors and noise, cut at zero, about 22 % non-zero, cosines
about 0.13 ± 0.05. Both sides draw five partners for every image from the same matrix. Generating it
is not timed.

The dense peer is the fastest that we found in numpy: rows at unit length in place, a block of rows times the
matrix (BLAS, all cores), exp in place, then five different partners a row through a two-level cumulative sum
(np.cumsum over whole rows, and argpartition over random keys, were slower). It need not avoid a pair drawn
from both sides, which favours it. Its cost is the same for every row, so beyond the first size it is
extrapolated (marked ~) from two runs, on --dense-rows rows and on three times as many.
"""

import json
import os
import resource
import subprocess
import sys
import time

import click
import numpy as np
import numpy.typing as npt

from photojury.annotate.pairs.similarity import sample_pairs

Matrix = npt.NDArray[np.float32]
PARTNERS = 5
BLOCK = 512  # rows of the dense peer at once
BIN = 128  # columns summed together on the first level of its cumulative sum


def synthetic_features(images: int, width: int, seed: int) -> Matrix:
    """(images, width) float32, never negative, made 500 rows at a time."""
    rng = np.random.default_rng(seed)
    loadings = rng.standard_normal((48, width), dtype=np.float32) / np.float32(np.sqrt(48))
    features = np.empty((images, width), np.float32)
    for at in range(0, images, 500):
        rows = features[at : at + 500]
        rng.standard_normal(out=rows, dtype=np.float32)
        rows *= np.float32(0.6)
        rows += rng.standard_normal((len(rows), 48), dtype=np.float32) @ loadings
        rows -= np.float32(0.9)
        np.maximum(rows, 0, out=rows)
    return features


def dense_pairs(features: Matrix, rows: int, seed: int) -> npt.NDArray[np.int64]:
    """Partners (rows, PARTNERS) of the first rows, without replacement, from whole rows of the softmax."""
    rng = np.random.default_rng(seed)
    for at in range(0, len(features), BLOCK):
        part = features[at : at + BLOCK]
        part /= np.sqrt(np.vecdot(part, part))[:, None]
    padded = -(-len(features) // BIN) * BIN
    weights = np.zeros((BLOCK, padded), np.float32)  # padding stays at weight 0
    partners = np.empty((rows, PARTNERS), np.int64)
    for at in range(0, rows, BLOCK):
        some = min(BLOCK, rows - at)
        block = weights[:some, : len(features)]
        np.matmul(features[at : at + some], features.T, out=block)
        np.exp(block, out=block)
        block[np.arange(some), np.arange(at, at + some)] = 0
        partners[at : at + some] = _draw_from(weights[:some], rng)
    return partners


def _draw_from(weights: Matrix, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """PARTNERS different columns of each row, one after another, by weight; used columns become 0."""
    bins = weights.reshape(len(weights), -1, BIN)
    sums = bins.sum(axis=2)
    row = np.arange(len(weights))
    drawn = np.empty((len(weights), PARTNERS), np.int64)
    for k in range(PARTNERS):
        which = _by_weight(sums, rng)
        column = _by_weight(bins[row, which], rng)
        sums[row, which] -= bins[row, which, column]
        bins[row, which, column] = 0
        drawn[:, k] = which * BIN + column
    return drawn


def _by_weight(weights: Matrix, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    total = np.cumsum(weights, axis=1, dtype=np.float64)
    passed = total <= rng.random(len(weights))[:, None] * total[:, -1:]
    column: npt.NDArray[np.int64] = passed.sum(axis=1)
    return column


def measure(method: str, images: int, width: int, rows: int) -> dict[str, float]:
    """One figure, in this process: seconds, peak memory in GB with and without the features, acceptance."""
    features = synthetic_features(images, width, seed=1)
    size = features.nbytes
    acceptance = float("nan")
    start = time.perf_counter()
    if method == "ours":
        acceptance = sample_pairs(features, partners=PARTNERS, seed=2).acceptance
    else:
        dense_pairs(features, rows, seed=2)
    seconds = time.perf_counter() - start
    if rows < images:
        # A second, longer run separates the cost of a row from what is paid once (unit length, memory).
        start = time.perf_counter()
        dense_pairs(features, 3 * rows, seed=2)
        per_row = (time.perf_counter() - start - seconds) / (2 * rows)
        seconds += per_row * (images - rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "acceptance": acceptance, "peak": peak / 1e9, "own": (peak - size) / 1e9}


def in_own_process(method: str, images: int, width: int, rows: int) -> dict[str, float]:
    """`measure` in a fresh interpreter."""
    job = [method, str(images), str(width), str(rows)]
    answer = subprocess.run(
        [sys.executable, __file__, "--job", *job], check=True, capture_output=True, text=True
    )
    result: dict[str, float] = json.loads(answer.stdout)
    return result


def row_of(images: int, width: int, dense_rows: int) -> str:
    """One line of the table: ours, the dense peer, their ratio."""
    rows = min(images // 3, dense_rows) if dense_rows < images else images
    ours = in_own_process("ours", images, width, images)
    dense = in_own_process("dense", images, width, rows)
    about = "~" if rows < images else " "
    return (
        f"{images:>8,} {ours['seconds']:>9.3g} s {about}{dense['seconds']:>9.3g} s"
        f" {dense['seconds'] / ours['seconds']:>6.0f} x"
        f" {ours['peak']:>7.2f} ({ours['own']:.2f}) {dense['peak']:>8.2f} ({dense['own']:.2f})"
        f" {ours['acceptance']:>8.2f} {ours['seconds'] / images / PARTNERS * 1e6:>8.1f} us"
    )


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: shows that the script works, not what it is worth.")
@click.option("--dense-rows", default=512, show_default=True, help="Rows measured beyond the first size.")
@click.option("--job", nargs=4, hidden=True, help="METHOD IMAGES WIDTH ROWS: one figure, as JSON.")
def main(quick: bool, dense_rows: int, job: tuple[str, str, str, str] | None) -> None:
    """Time pair sampling against the dense softmax."""
    if job:
        method, *numbers = job
        click.echo(json.dumps(measure(method, *map(int, numbers))))
        return
    sizes, features = ((500, 1_000), 64) if quick else ((20_000, 40_000, 80_000, 380_000), 4_096)
    click.echo(
        f"d = {features:,} float32, {PARTNERS} partners an image, {os.cpu_count()} cores, numpy {np.__version__}"
    )
    click.echo(f"load average before: {os.getloadavg()[0]:.2f}")
    click.echo("  images        ours        dense    ratio  GB: ours (own)  dense (own)  accepted   per draw")
    for at, images in enumerate(sizes):
        click.echo(row_of(images, features, images if at == 0 else dense_rows))
    click.echo("~: extrapolated from some rows; GB: peak memory, (own): less the feature matrix")
    click.echo(f"load average after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
