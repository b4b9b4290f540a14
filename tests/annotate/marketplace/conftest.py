"""A marketplace for each test, on SQLite or, where a test asks for `both`, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.annotate.marketplace.live import Live, running


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with running(f"sqlite:///{tmp_path / 'study.db'}", tmp_path / "images") as live:
        yield live


@pytest.fixture
def both(database: str, tmp_path: Path) -> Iterator[Live]:
    with running(database, tmp_path / "images") as live:
        yield live
