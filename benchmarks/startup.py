"""How long `photojury --help` takes, against importing click alone; the aim is under 0.25 s.

Run: python benchmarks/startup.py
"""

import statistics
import subprocess
import sys
import time

RUNS = 15


def seconds(command: list[str]) -> float:
    """Median wall time of a command, in seconds, after one run that warms the disk's cache."""
    times = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def main() -> None:
    """Measure and print."""
    ours = seconds([sys.executable, "-m", "photojury", "--help"])
    click = seconds([sys.executable, "-c", "import click"])
    sys.stdout.write(f"photojury --help {ours:.3f} s, import click {click:.3f} s, ratio {ours / click:.1f}\n")


if __name__ == "__main__":
    main()
