"""A study with pictures, and its marketplace as a process, as a user would run it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from photojury.annotate.requester import Requester, connect
from photojury.datasets.store import Study
from tests.annotate.browsing import FLAGS
from tests.support import make_study, marketplace


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path)
    yield study
    study.close()


@pytest.fixture
def site(study: Study, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the study's marketplace, which boto3 is pointed at."""
    with marketplace(study) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        yield url


@pytest.fixture
def requester(study: Study, site: str) -> Requester:
    return connect(study.settings)


@pytest.fixture
def photojury(study: Study) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process of its own, on the study."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "photojury", *arguments, "--study", str(study.folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def browser(chromium: str, chromedriver: str, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()
