"""How long the dashboard takes, in a real browser, on a study of 100,000 images.

    python benchmarks/dashboard.py                     # makes the study first: some minutes, 1 GB of disk
    python benchmarks/dashboard.py --study /tmp/large --keep

Each page has a server and a browser of its own, which have shown nothing before. The server has run for --wait seconds: it
reads a million answers when it starts, and a page that is asked for earlier waits for that. A time runs from the navigation
to the moment that the page's end is there; "again" is the same page once more. Needs Debian's chromium and
chromium-driver.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from photojury.analysis.dashboard.frame import PAGES
from photojury.analysis.dashboard.serving import command

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1280,900",
)  # fmt: skip
AIMS = {"now": 2.0}
"""Seconds of the first page; of every other one they are OTHERS."""
OTHERS = 4.0


@contextmanager
def serving(place: Path) -> Iterator[str]:
    """The address of a dashboard that has just begun."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    asked = command(place, host="127.0.0.1", port=port, browser=False)
    process = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def browsing() -> Iterator[webdriver.Chrome]:
    """A browser that has loaded nothing yet."""
    folder = tempfile.mkdtemp()
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or "chromium"
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(folder, ignore_errors=True)


def seconds(driver: webdriver.Chrome, address: str, page: str) -> float:
    """From the navigation to the end of the page."""
    begin = time.perf_counter()
    # The first page has no name in its address.
    driver.get(address if page == PAGES[0][0] else f"{address}/{page}")
    end = f'.photojury-end[data-page="{page}"]'
    WebDriverWait(driver, 120, poll_frequency=0.02).until(lambda d: d.find_elements(By.CSS_SELECTOR, end))
    return time.perf_counter() - begin


@click.command()
@click.option("--study", type=click.Path(path_type=Path), help="Where the large study is, or is to be made.")
@click.option("--images", default=100_000, show_default=True)
@click.option(
    "--wait", default=25.0, show_default=True, help="Seconds after which the first page is asked for."
)
@click.option("--keep", is_flag=True, help="Leave the study for another time.")
def main(study: Path | None, images: int, wait: float, keep: bool) -> None:
    """Time every page, cold and warm."""
    folder = study or Path(tempfile.mkdtemp()) / "large"
    if not (folder / "study.toml").exists():
        job = Path(__file__).parent / "jobs" / "large_study.py"
        subprocess.run([sys.executable, job, folder, "--images", str(images)], check=True)
    click.echo(f"{images:,} images, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f}")
    click.echo("| page | first (s) | again (s) | aim |\n|---|---:|---:|---:|")
    try:
        for page, title, _ in PAGES:
            with serving(folder) as address, browsing() as driver:
                time.sleep(wait)
                cold, warm = seconds(driver, address, page), seconds(driver, address, page)
            click.echo(f"| {title} | {cold:.2f} | {warm:.2f} | {AIMS.get(page, OTHERS):.0f} |")
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
