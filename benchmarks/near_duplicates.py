"""The search for near hashes against brute force in numpy and against FAISS: seconds, ratio, peak memory.

    python benchmarks/near_duplicates.py            # 100,000 and 380,000 hashes: some 10 minutes
    python benchmarks/near_duplicates.py --quick    # small, some seconds
    python benchmarks/near_duplicates.py --faiss ENV/bin/python     # also FAISS, from its own environment

Every figure comes from a process of its own on one core (sched_setaffinity), so that peak memory
(resource.getrusage) belongs to it alone. Seconds are of processor time, so that other work on the machine counts little.
All find the pairs of 64-bit hashes at most 4 bits apart; ours and numpy give each pair with its distance, and the
numbers of pairs are compared. `clusters` is what `collect check` does with them. Two kinds of hashes:

- photos: 95 % random, 5 % copies of these with 0 to 4 bits flipped;
- alike: the same, but that every second one is within 4 bits of one hash, as those of near-empty pictures are. They
  are the worst for our bands, and many more pairs.

numpy compares each hash with all later ones, row by row: `np.bitwise_count(hashes[row + 1 :] ^ hashes[row])`.
FAISS is IndexBinaryFlat.range_search on one thread, in blocks of 1,000 queries, whose answers are counted and let go.
"""

import importlib
import json
import os
import resource
import subprocess
import sys
import time

import click
import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
DISTANCE = 4


def make_hashes(kind: str, count: int) -> Hashes:
    """(count,) different hashes in random order, the same for every process."""
    rng = np.random.default_rng(count)
    hashes = rng.integers(0, 2**64, count, dtype=np.uint64)
    if kind == "alike":
        hashes[::2] = flip(rng, np.full(len(hashes[::2]), 0x8000_0000_0000_0000, np.uint64), 4)
    planted = count // 20
    hashes[-planted:] = flip(rng, hashes[:planted], DISTANCE)
    rng.shuffle(hashes)
    return hashes


def flip(rng: np.random.Generator, hashes: Hashes, times: int) -> Hashes:
    """Each hash after `times` flips of bits drawn at random; a bit drawn twice is as before."""
    for _ in range(times):
        hashes = hashes ^ (np.uint64(1) << rng.integers(0, 64, len(hashes)).astype(np.uint64))
    return hashes


def ours(hashes: Hashes) -> int:
    """How many pairs `near_pairs` gives."""
    from photojury.datasets.hamming import near_pairs

    return sum(len(batch.left) for batch in near_pairs(hashes, DISTANCE))


def grouped(hashes: Hashes) -> int:
    """How many clusters `collect check` would look at, equal hashes and all."""
    from photojury.collect.alike.duplicates import clusters

    return sum(1 for _ in clusters(hashes, DISTANCE))


def plain(hashes: Hashes) -> int:
    """How many pairs brute force gives; they are let go row by row."""
    found = 0
    for row in range(len(hashes) - 1):
        bits = np.bitwise_count(hashes[row + 1 :] ^ hashes[row])
        near = np.flatnonzero(bits <= DISTANCE)
        found += len(bits[near])
    return found


def faiss(hashes: Hashes) -> int:
    """How many pairs FAISS gives, each once."""
    library = importlib.import_module("faiss")
    library.omp_set_num_threads(1)
    index = library.IndexBinaryFlat(64)
    codes = hashes.view(np.uint8).reshape(-1, 8)
    index.add(codes)
    both = 0
    for start in range(0, len(codes), 1000):
        # Its radius is exclusive.
        both += int(index.range_search(codes[start : start + 1000], DISTANCE + 1)[0][-1])
    return (both - len(codes)) // 2


METHODS = {"ours": ours, "clusters": grouped, "numpy": plain, "faiss": faiss}


def measure(method: str, kind: str, count: int) -> dict[str, float]:
    """One figure, in this process: seconds of the processor, pairs, and peak memory in MB beyond that before the search."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    hashes = make_hashes(kind, count)
    METHODS[method](hashes[:1000])  # what is imported and compiled once
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    found = METHODS[method](hashes)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "found": found, "peak": peak / 1e3, "own": (peak - before) / 1e3}


def in_own_process(python: str, method: str, kind: str, count: int) -> dict[str, float]:
    """`measure` in a fresh interpreter."""
    command = [python, __file__, "--job", method, kind, str(count)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(answer.stdout)
    return result


def table_of(kind: str, count: int, faiss_python: str | None) -> list[str]:
    """The lines of one kind and size: ours first, and the others with their ratio to it."""
    pythons = {"ours": sys.executable, "clusters": sys.executable, "numpy": sys.executable}
    if faiss_python:
        pythons["faiss"] = faiss_python
    results = {method: in_own_process(python, method, kind, count) for method, python in pythons.items()}
    first = results["ours"]
    lines = []
    for method, result in results.items():
        if method != "clusters" and result["found"] != first["found"]:
            raise SystemExit(f"{method} found {result['found']} pairs, ours {first['found']}")
        lines.append(
            f"{kind:>7} {count:>8,} {method:>9} {result['seconds']:>8.2f} s"
            f" {result['seconds'] / first['seconds']:>7.1f} x {result['peak']:>6.0f} ({result['own']:.0f}) MB"
            f" {result['found']:>13,.0f}"
        )
    return lines


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: shows that the script works, not what it is worth.")
@click.option("--faiss", "faiss_python", help="The Python of an environment that has faiss-cpu and click.")
@click.option("--job", nargs=3, hidden=True, help="METHOD KIND COUNT: one figure, as JSON.")
def main(quick: bool, faiss_python: str | None, job: tuple[str, str, str] | None) -> None:
    """Time the search for near hashes."""
    if job:
        click.echo(json.dumps(measure(job[0], job[1], int(job[2]))))
        return
    click.echo(f"64-bit hashes, distance {DISTANCE}, one core of {os.cpu_count()}, numpy {np.__version__}")
    click.echo(f"load average before: {os.getloadavg()[0]:.2f}")
    click.echo("   kind    hashes    method       time     ratio  peak (own) memory        found")
    for count in (2_000, 5_000) if quick else (100_000, 380_000):
        for kind in ("photos", "alike"):
            click.echo("\n".join(table_of(kind, count, faiss_python)))
    click.echo("(own): beyond what the process had before the search; found: pairs, of `clusters` clusters")
    click.echo(f"load average after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
