"""A published batch, and Prolific's stand-in, for the tests of recruiting."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from photojury.annotate.batches import plan
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.wire import Wire
from photojury.datasets import tables
from photojury.datasets.store import Study
from tests.annotate.recruit.fake_prolific import FakeProlific, fake_prolific
from tests.support import make_study

VALUES: dict[tuple[str, str], object] = {
    ("stars", "images_per_hit"): 2,
    ("stars", "raters_per_image"): 3,
    ("stars", "reward_cents"): 40,
    ("prolific", "site"): "https://rate.example.org/",
    ("prolific", "minutes"): 2,
    ("prolific", "workspace"): "w" * 24,
}


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """A study with one batch of two HITs for three raters each, at 40 cents, which are at the marketplace."""
    study = make_study(tmp_path, 4, VALUES)
    plan(study, "stars")
    with study.writing() as connection:
        for number, key in enumerate(study.read("hits")["hit_key"], 1):
            values = {"state": "published", "hit_id": f"3HIT{number}", "marketplace": "local"}
            connection.execute(sa.update(tables.hits).where(tables.hits.c.hit_key == key).values(**values))
    yield study
    study.close()


@pytest.fixture(scope="session")
def served() -> Iterator[FakeProlific]:
    """Prolific's stand-in, once for all tests."""
    with fake_prolific() as fake:
        yield fake


@pytest.fixture
def fake(served: FakeProlific, monkeypatch: pytest.MonkeyPatch) -> FakeProlific:
    """Prolific's stand-in with empty books, which the environment points at."""
    served.empty()
    monkeypatch.setenv("PHOTOJURY_PROLIFIC_URL", served.url)
    monkeypatch.setenv("PROLIFIC_TOKEN", served.token)
    return served


@pytest.fixture
def waits() -> list[float]:
    """The pauses that the client made."""
    return []


@pytest.fixture
def client(fake: FakeProlific, waits: list[float]) -> Iterator[Client]:
    """A client that notes its pauses instead of making them."""
    with Client(Wire(fake.token, fake.url, pause=waits.append)) as client:
        yield client
