"""A marketplace for each test, on SQLite or, where a test asks for `both`, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from tests.annotate.browsing import FLAGS
from tests.annotate.marketplace.live import Live, running


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with running(f"sqlite:///{tmp_path / 'study.db'}", tmp_path / "images") as live:
        yield live


@pytest.fixture
def both(database: str, tmp_path: Path) -> Iterator[Live]:
    with running(database, tmp_path / "images") as live:
        yield live


@pytest.fixture(scope="module")
def window(
    chromium: str, chromedriver: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[webdriver.Chrome]:
    """One Chromium for a file; each marketplace has a cookie of its own there, as it has a port of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()
