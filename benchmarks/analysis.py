"""Analysis against its peers, as the votes grow, and on a large study: seconds, ratio, peak memory.

    python benchmarks/analysis.py                  # some 15 minutes, 8 GB of memory; makes the peers' environment once
    python benchmarks/analysis.py --quick          # small: shows that it works, not what it is worth
    python benchmarks/analysis.py --part growth    # one of peers, growth, study

Every figure comes from a process of its own on one core (sched_setaffinity). Seconds are of processor time, so that
other work on the machine counts little; the median of three runs where one takes under 2 s, else one run. Memory is
the kernel's VmHWM, set back once the table is loaded: interpreter, libraries and the table itself included.

Ours takes what a user has, a DataFrame with the ids of a study (64 letters for an image, 16 for a rater), checks it and
gives out tables. Peers take what suits them best, integers in their own form, which is made before the clock starts. They
have a virtual environment of their own, which this script makes in --cache; the loops over scipy run in ours.

Ratings: quality N(0, 1), raters' bias N(0, 0.5) and noise, five levels; batches of ten images with the same raters.
Comparisons: five levels or two, with logistic noise. All from one seed.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import pandas as pd

PEERS = [
    "choix==0.4.1", "evalica==0.4.2", "sureal==0.9.0", "crowd-kit==1.4.2", "krippendorff==0.9.0", "click",
]  # fmt: skip
Data = dict[str, npt.NDArray[Any]]
Figures = dict[str, float]

JOBS = Path(__file__).parent / "jobs" / "analysis.py"
THEIRS = (
    "choix.mm_pairwise", "evalica.bradley_terry", "sureal P910AnnexEModel", "krippendorff.alpha",
    "crowd-kit uncertainty", "crowd-kit DawidSkene, 20 rounds",
)  # fmt: skip

BATCH = 10


def quality(images: int) -> npt.NDArray[np.float64]:
    """(images,) N(0, 1), the same for stars and pairs."""
    return np.random.default_rng([0, images]).normal(size=images)


def stars(images: int, raters: int, people: int) -> Data:
    """Ratings of `images` by `raters` each, out of `people`: image, rater, hit, value."""
    rng = np.random.default_rng([1, images, raters])
    batches = images // BATCH
    # One of each of so many groups of people, so that nobody is in a batch twice.
    group = people // raters
    who = np.arange(raters) * group + rng.integers(0, group, (batches, raters))
    hit = np.repeat(np.arange(batches), BATCH * raters)
    image = np.repeat(np.arange(batches * BATCH), raters)
    rater = np.repeat(who, BATCH, axis=0).ravel()
    noise = np.exp(rng.normal(-0.4, 0.4, people))
    felt = quality(images)[image] + rng.normal(0, 0.5, people)[rater]
    value = np.clip(np.rint(3 + felt + noise[rater] * rng.normal(size=image.size)), 1, 5)
    order = rng.permutation(image.size)
    return {"image": image[order], "rater": rater[order], "hit": hit[order], "value": value[order]}


def pairs(images: int, pairs_an_image: int, votes: int) -> Data:
    """Comparisons of each image with partners drawn at random, `votes` times each: first, second, level, choice."""
    rng = np.random.default_rng([2, images, votes])
    one = np.repeat(np.arange(images), pairs_an_image)
    other = (one + rng.integers(1, images, one.size)) % images
    first, second = np.repeat(one, votes), np.repeat(other, votes)
    felt = quality(images)[first] - quality(images)[second] + rng.logistic(size=first.size)
    return {
        "first": first,
        "second": second,
        "level": np.digitize(felt, [-1.8, -0.5, 0.5, 1.8]) - 2.0,
        "choice": np.where(felt > 0, 1.0, -1.0),
        "left": rng.random(first.size) < 0.5,
        "voter": rng.integers(0, max(20, first.size // 2500), first.size),
    }


def in_own_process(name: str, path: Path, python: Path) -> Figures | None:
    """`measure` in a fresh interpreter; None, and a line that says why, where it fails."""
    command = [str(python), str(JOBS), name, str(path)]
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    answer = subprocess.run(command, check=False, capture_output=True, text=True, env=one_thread)
    if answer.returncode:
        click.echo(f"{name} is left out: {answer.stderr.strip().splitlines()[-1]}")
        return None
    result: Figures = json.loads(answer.stdout.splitlines()[-1])
    return result


def environment(cache: Path) -> Path:
    """The Python of the peers' virtual environment, made where it is not there yet."""
    folder = cache / "analysis-peers"
    python, made = folder / "bin" / "python", folder / "made"
    if not made.exists() or made.read_text() != "\n".join(PEERS):
        click.echo(f"installing {', '.join(PEERS)} into {folder}", err=True)
        venv.create(folder, with_pip=True, clear=True)
        for peer in PEERS:
            # One by one: a peer that cannot be had here is left out, and said to be when its turn comes.
            subprocess.run([python, "-m", "pip", "install", "--quiet", peer], check=False)
        made.write_text("\n".join(PEERS))
    return python


class Runner:
    """Runs jobs on data sets, each made once, in files of a temporary folder."""

    def __init__(self, folder: Path, peers: Path | None) -> None:
        self.folder, self.peers = folder, peers

    def data(self, name: str, made: Callable[[], Data]) -> Path:
        path = self.folder / f"{name}.npz"
        if not path.exists():
            np.savez(path, allow_pickle=False, **made())
        return path

    def run(self, name: str, path: Path) -> Figures | None:
        if name not in THEIRS:
            return in_own_process(name, path, Path(sys.executable))
        return in_own_process(name, path, self.peers) if self.peers else None


def found(figures: Figures) -> str:
    """What a method found, so that it can be compared."""
    names = [name for name in figures if name not in ("seconds", "peak", "table")]
    return ", ".join(f"{name} {figures[name]:.10g}" for name in names)


def duration(seconds: float) -> str:
    return f"{seconds:,.3g} s" if seconds < 1000 else f"{seconds:,.0f} s"


def peers(runner: Runner, *, quick: bool) -> None:
    """Ours beside each peer, on the same data."""
    batches, items, votes, images = (100, 500, 20_000, 500) if quick else (10_000, 10_000, 1_000_000, 10_000)
    few = 5 if quick else 100
    in_batches = runner.data("batches", lambda: stars(batches * BATCH, 5, 190))
    in_few = runner.data("few", lambda: stars(few * BATCH, 5, 190))
    in_pairs = runner.data("pairs", lambda: pairs(items, votes // items, 1))
    in_stars = runner.data("stars", lambda: stars(images, 5, 190))
    in_many = runner.data("many", lambda: stars(votes // 10, 10, max(20, votes // 2_500)))
    plan: list[tuple[str, Path, str, Path]] = [
        ("consistency, Kendall's F", in_batches, "scipy, values given", in_batches),
        ("consistency, Kendall's F", in_batches, "scipy, from the table", in_batches),
        ("consistency", in_batches, "scipy.permutation_test", in_few),
        ("bradley-terry", in_pairs, "choix.mm_pairwise", in_pairs),
        ("bradley-terry, codes given", in_pairs, "choix.mm_pairwise", in_pairs),
        ("bradley-terry, codes given", in_pairs, "evalica.bradley_terry", in_pairs),
        ("p910-standard", in_stars, "sureal P910AnnexEModel", in_stars),
        ("p910", in_stars, "sureal P910AnnexEModel", in_stars),
        ("image_distributions, entropy", in_stars, "crowd-kit uncertainty", in_stars),
        ("alpha, ordinal", in_stars, "krippendorff.alpha", in_stars),
        ("dawid-skene, 20 rounds", in_many, "crowd-kit DawidSkene, 20 rounds", in_many),
    ]
    known: dict[tuple[str, Path], Figures | None] = {}
    click.echo("| ours | peer | ours | peer | ratio | memory: ours, peer | ours found | peer found |")
    click.echo("|---|---|---:|---:|---:|---:|---|---|")
    for ours, path, peer, other in plan:
        for key in ((ours, path), (peer, other)):
            if key not in known:
                known[key] = runner.run(*key)
        one, two = known[ours, path], known[peer, other]
        if one is None or two is None:
            continue
        mark, theirs = ("~", two["seconds"] * batches / few) if other == in_few else ("", two["seconds"])
        click.echo(
            f"| {ours} | {peer} | {duration(one['seconds'])} | {mark}{duration(theirs)} "
            f"| {mark}{theirs / one['seconds']:,.1f} | {one['peak']:,.0f}, {two['peak']:,.0f} MB "
            f"| {found(one)} | {found(two)} |"
        )
    click.echo(f"~: extrapolated from {few} of {batches:,} batches")


OF_RATINGS = (
    "votes.of_ratings", "image_distributions", "alpha, ordinal", "consistency, Kendall's F", "consistency", "p910",
    "dawid-skene",
)  # fmt: skip
OF_PAIRS = ("bradley-terry, with its prior", "cumulative")


def growth(runner: Runner, *, quick: bool) -> None:
    """Ours from 10^4 to 10^7 votes: ten ratings an image; five pairs an image, five votes a pair."""
    sizes = [1_000, 10_000] if quick else [10**4, 10**5, 10**6, 10**7]
    cells: dict[str, list[str]] = {name: [] for name in (*OF_RATINGS, *OF_PAIRS)}
    for size in sizes:
        rated = runner.data(f"ratings{size}", partial(stars, size // 10, 10, max(20, size // 2_500)))
        compared = runner.data(f"pairs{size}", partial(pairs, size // 25, 5, 5))
        for name, row in cells.items():
            one = runner.run(name, compared if name in OF_PAIRS else rated)
            row.append(f"{duration(one['seconds'])}, {one['peak']:,.0f} MB" if one else "")
    click.echo("| | " + " | ".join(f"{size:,} votes" for size in sizes) + " |")
    click.echo("|---|" + "---:|" * len(sizes))
    for name, row in cells.items():
        click.echo(f"| {name} | " + " | ".join(row) + " |")


STUDY = (
    "votes.of_ratings", "votes.of_comparisons", "image_distributions", "pair_distributions", "mos", "bimodality", "sos",
    "alpha, with interval", "split_half", "icc", "raters.panel", "against_mean", "drift", "side_bias", "confusion",
    "confusion.sweep", "designs.describe", "designs.cut_off", "consistency, Kendall's F",
    "consistency, 999 permutations", "consistency", "p910", "dawid-skene", "bradley-terry, five levels", "cumulative",
    "adjacent", "joint",
)  # fmt: skip


def study(runner: Runner, *, quick: bool) -> None:
    """What the dashboard needs, on 100,000 images, 1,000,000 ratings and 500,000 comparisons."""
    images = 1_000 if quick else 100_000
    path = runner.data("study", lambda: {**pairs(images, 5, 1), **stars(images, 10, max(20, images // 250))})
    click.echo("| | seconds | memory | of it before | found |\n|---|---:|---:|---:|---|")
    for name in STUDY:
        one = runner.run(name, path)
        if one:
            click.echo(
                f"| {name} | {duration(one['seconds'])} | {one['peak']:,.0f} MB | {one['table']:,.0f} MB | {found(one)} |"
            )


PARTS = {"peers": peers, "growth": growth, "study": study}


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: shows that the script works, not what it is worth.")
@click.option("--part", type=click.Choice(list(PARTS)), help="Only this part.")
@click.option("--cache", type=click.Path(path_type=Path), default=Path.home() / ".cache/photojury-benchmarks")
def main(quick: bool, part: str | None, cache: Path) -> None:
    """Time analysis, its peers, and its growth."""
    click.echo(
        f"one core of {os.cpu_count()}, Python {sys.version.split()[0]}, numpy {np.__version__}, pandas {pd.__version__}"
    )
    for name in [part] if part else PARTS:
        click.echo(f"\n{name}, load average {os.getloadavg()[0]:.2f}\n")
        with tempfile.TemporaryDirectory(prefix="photojury-benchmark-") as folder:
            PARTS[name](Runner(Path(folder), environment(cache) if name == "peers" else None), quick=quick)
    click.echo(f"\nload average after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
