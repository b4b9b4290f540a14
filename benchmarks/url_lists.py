"""Taking in lists of addresses (`photojury collect urls`): rows a second and peak memory, CSV and Parquet.

    python benchmarks/url_lists.py           # 100,000 and 1,000,000 rows: some 6 minutes
    python benchmarks/url_lists.py --quick   # 10,000 and 50,000 rows

Every figure comes from a process of its own, so that peak memory (resource.getrusage) belongs to it alone. Rows have an
address, two counters and a title; the store is SQLite, in a temporary folder. Writing the list is not timed.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from photojury.collect.sources.crawl import crawl
from photojury.collect.sources.urls import UrlList, query
from photojury.datasets.store import create_study


def write(path: Path, rows: int) -> None:
    """A list of so many rows, in the form that the file's name says."""
    if path.suffix == ".parquet":
        import pandas as pd

        numbers = pd.Series(range(rows))
        names = numbers.astype(str)
        columns = {"url": "https://img.example.org/" + names + ".jpg", "favs": numbers % 7, "views": numbers}
        pd.DataFrame({**columns, "title": "picture " + names}).to_parquet(path)
        return
    with path.open("w", encoding="utf-8") as file:
        file.write("url;faves;views;title\n")
        for number in range(rows):
            file.write(f"https://img.example.org/{number}.jpg;{number % 7};{number};picture {number}\n")


def measure(path: Path) -> dict[str, float]:
    """Take a list in; seconds and megabytes of this process."""
    study = create_study(path.parent / "study", "benchmark")
    start = time.perf_counter()
    crawled = crawl(study, UrlList(study), query(path))
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": crawled.new, "seconds": seconds, "megabytes": memory}


@click.command()
@click.option("--quick", is_flag=True, help="Small lists.")
@click.option("--write", "rows_to_write", type=int, hidden=True)
@click.option("--measure", "path", type=click.Path(path_type=Path), hidden=True)
def main(quick: bool, rows_to_write: int | None, path: Path | None) -> None:
    """Print a table."""
    if path is not None and rows_to_write is not None:
        write(path, rows_to_write)
        return
    if path is not None:
        click.echo(json.dumps(measure(path)))
        return
    click.echo(f"{'list':>8} {'rows':>10} {'seconds':>8} {'rows/s':>8} {'MB':>6}")
    for kind in ("csv", "parquet"):
        for rows in (10_000, 50_000) if quick else (100_000, 1_000_000):
            with tempfile.TemporaryDirectory() as folder:
                made = Path(folder) / f"list.{kind}"
                again = [sys.executable, __file__, "--measure", str(made)]
                # The list is written by a process of its own, too: a child begins with its parent's peak.
                subprocess.run([*again, "--write", str(rows)], check=True)
                done = subprocess.run(again, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout)
            rate = found["rows"] / found["seconds"]
            click.echo(
                f"{kind:>8} {found['rows']:>10,} {found['seconds']:>8.1f} {rate:>8,.0f} {found['megabytes']:>6.0f}"
            )


if __name__ == "__main__":
    main()
