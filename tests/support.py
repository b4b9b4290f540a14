"""What tests of several folders make: a study with pictures, and its marketplace as a process."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from photojury.collect.sources.folder import collect_folder
from photojury.datasets.splits import split
from photojury.datasets.store import Study, create_study

IMAGES = 24

# Small HITs, so that few pictures make many.
VALUES: dict[tuple[str, str], object] = {
    ("study", "contact"): "leader@example.org",
    ("stars", "images_per_hit"): 4,
    ("stars", "raters_per_image"): 3,
    ("forced_choice", "pairs"): 12,
    ("forced_choice", "pairs_per_hit"): 4,
    ("forced_choice", "raters_per_pair"): 2,
    # Where tests count answers, a question that comes again would be one more; test_gold has repeats.
    ("quality", "repeats"): 0.0,
    # Tests have one rater or two; tests/datasets/releases looks for raters who could be told apart.
    ("release", "smallest_cell"): 1,
}


def make_study(
    folder: Path, images: int = IMAGES, values: dict[tuple[str, str], object] | None = None
) -> Study:
    """A study with pictures of noise, parted."""
    photos = folder / "photos"
    photos.mkdir(parents=True)
    for number in range(images):
        pixels = random.Random(number).randbytes(96 * 64 * 3)
        Image.frombytes("RGB", (96, 64), pixels).save(photos / f"{number:03d}.png")
    study = create_study(folder / "study", "tests", VALUES if values is None else values)
    collect_folder(study, photos)
    split(study)
    return study


@contextmanager
def marketplace(study: Study) -> Iterator[str]:
    """The study's marketplace, served by the command; yields its URL."""
    command = [
        sys.executable,
        "-m",
        "photojury",
        "market",
        "serve",
        "--study",
        str(study.folder),
        "--port",
        "0",
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("Marketplace ready: http://127.0.0.1:"), line
        yield line.split()[2]
    finally:
        server.terminate()
        server.wait(30)
        assert server.stdout is not None
        server.stdout.close()
