"""Calls that a search of Flickr takes, against the fewest possible: 10,000 photos of ten years on a stand-in.

    python benchmarks/flickr_calls.py       # half a minute

The stand-in (tests/collect/sources/fake_flickr.py) answers over HTTP on this machine; it repeats pages beyond the first
4,000 results of a search. In the last two columns, 4 % of its rows come twice and its totals are up to 5 % wrong. The
fewest calls possible are one for every 500 photos; ours have one more, for Flickr's list of licences. Every photo is found,
once, or the run fails.
"""

import os
import sys
import tempfile
from pathlib import Path

import click

# The stand-in belongs to the tests, which are no part of the installed package.
sys.path.insert(0, str(Path(__file__).parents[1]))

from photojury.collect.sources.crawl import crawl
from photojury.collect.sources.flickr_query import query
from photojury.collect.sources.source import open_source
from photojury.datasets.store import create_study
from tests.collect.sources.fake_flickr import FakeFlickr
from tests.collect.sources.flickr_photos import plant

PHOTOS = 10_000
FEWEST = PHOTOS // 500
DECADE = query(tags="tree", uploaded_from="2015-01-01", uploaded_to="2024-12-31")


def calls(spread: str, *, order: bool, faulty: bool) -> int:
    """Calls of a whole search, having checked that it found every photo."""
    wrong = (0.04, 0.05) if faulty else (0.0, 0.0)
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeFlickr(plant(PHOTOS, spread), *wrong, order=order) as flickr,
    ):
        os.environ.update(flickr.environment)
        study = create_study(Path(folder) / "study", "bench")
        crawled = crawl(study, open_source("flickr", study), DECADE)
        study.close()
        if crawled.unique != PHOTOS or not crawled.finished:
            raise SystemExit(f"{spread}: {crawled.unique} of {PHOTOS} photos found")
        return len(flickr.calls)


@click.command()
def main() -> None:
    """Print calls and their ratio to the fewest possible."""
    click.echo(f"{PHOTOS:,} photos; fewest possible: {FEWEST} calls")
    click.echo(f"{'spread':10}{'rows':>10}{'calls':>8}{'ratio':>8}{'calls, faulty':>15}{'ratio':>8}")
    for spread in ("even", "growing", "bursts"):
        for order in (True, False):
            clean, faulty = (calls(spread, order=order, faulty=fault) for fault in (False, True))
            rows = "in order" if order else "mixed"
            click.echo(
                f"{spread:10}{rows:>10}{clean:8}{clean / FEWEST:8.2f}{faulty:15}{faulty / FEWEST:8.2f}"
            )


if __name__ == "__main__":
    main()
