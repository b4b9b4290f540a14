"""The command and the whole app in a real browser: every page, wide and narrow, with hostile names, and no other host asked."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from photojury.analysis.dashboard.frame import PAGES
from photojury.datasets.store import Study
from tests.analysis.dashboard.conftest import EVIL_RATER, HOSTILE

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1280,900",
)  # fmt: skip
# All there, and nothing half drawn: the end of the page, and every chart.
DRAWN = """
    const charts = [...document.querySelectorAll('[data-testid="stVegaLiteChart"]')];
    return !!document.querySelector(`.photojury-end[data-page="${arguments[0]}"]`)
        && !document.querySelector('[data-testid="stSkeleton"]')
        && charts.every(chart => chart.querySelector('svg, canvas'));
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def dashboard(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "photojury", "dashboard", *arguments, "--no-browser"]
    # Where tests run in the background Ctrl-C is ignored, which a program would inherit.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def served(place: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The dashboard of a place, ready, with its process."""
    port = free_port()
    process = dashboard(str(place), "--port", str(port))
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def address(running: Study) -> Iterator[str]:
    """The dashboard of the study, for all tests that look at it."""
    with served(running.folder) as (found, _):
        yield found


@pytest.fixture(scope="module")
def browser(
    chromium: str, chromedriver: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()


def asked_for(driver: webdriver.Chrome) -> set[str]:
    """The hosts that pages asked for anything."""
    log: list[dict[str, str]] = driver.get_log("performance")  # type: ignore[no-untyped-call]
    events = [json.loads(entry["message"])["message"] for entry in log]
    addresses = [
        urlsplit(event["params"]["request"]["url"])
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return {address.netloc for address in addresses if address.scheme in ("http", "https", "ws", "wss")}


def test_the_app_in_a_browser(address: str, browser: webdriver.Chrome) -> None:
    """Seven pages, at 1280 and 400 pixels: drawn to the end, no wider than the window, names inert, no foreign host."""
    for width in (1280, 400):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for page, title, _ in PAGES:
            browser.get(address if page == "now" else f"{address}/{page}")
            WebDriverWait(browser, 60, 0.1).until(lambda b, page=page: b.execute_script(DRAWN, page))  # type: ignore[misc]
            main = browser.find_element(By.CSS_SELECTOR, '[data-testid="stMain"]')
            assert browser.find_element(By.TAG_NAME, "h1").text == title
            assert HOSTILE in main.text
            assert not browser.find_elements(By.CSS_SELECTOR, '[data-testid="stException"], [role="dialog"]')
            width_of_all, width_seen = (
                int(str(main.get_property(name))) for name in ("scrollWidth", "clientWidth")
            )
            assert width_of_all <= width_seen
            with pytest.raises(NoAlertPresentException):
                _ = browser.switch_to.alert.text
    assert asked_for(browser) == {urlsplit(address).netloc}


def test_charts_can_be_taken_along(address: str, browser: webdriver.Chrome, tmp_path: Path) -> None:
    """Its table as CSV, in which a rater's name is no formula, and itself as Vega-Lite."""
    folder = str(tmp_path)
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": folder})
    browser.get(f"{address}/raters")
    wait = WebDriverWait(browser, 60, 0.1)
    wait.until(lambda b: b.execute_script(DRAWN, "raters"))
    browser.find_element(By.CSS_SELECTOR, ".st-key-data-raters button").click()
    for kind, file in (("csv", "raters.csv"), ("json", "raters.vl.json")):
        button = f".st-key-{kind}-raters button"
        wait.until(lambda b, css=button: b.find_elements(By.CSS_SELECTOR, css))[0].click()  # type: ignore[misc]
        wait.until(lambda _, path=tmp_path / file: path.is_file())  # type: ignore[misc]
    table = (tmp_path / "raters.csv").read_text(encoding="utf-8-sig")
    assert f"'{EVIL_RATER}" in table and f"\n{EVIL_RATER}" not in table
    assert "vega-lite" in json.loads((tmp_path / "raters.vl.json").read_text())["$schema"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_ends_the_command_ends_its_server(running: Study, number: signal.Signals, status: int) -> None:
    """After Ctrl-C, and after a SIGTERM, nothing listens any more."""
    with served(running.folder) as (address, process):
        process.send_signal(number)
        assert process.wait(20) == status
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", urlsplit(address).port)) != 0


def test_what_cannot_be_served_is_a_sentence(running: Study, tmp_path: Path) -> None:
    """A taken port, a folder that is nothing, a study.toml that is wrong: exit status 2, and no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "study.toml").write_text("[stars]\nlevel = 3\n")
        for arguments, sentence in (
            ((str(running.folder), "--port", port), f"nothing can listen at 127.0.0.1:{port}"),
            ((str(tmp_path / "none"),), "is not there; name a study"),
            ((str(tmp_path),), "is neither a study"),
            ((str(tmp_path / "broken"),), "unknown key stars.level"),
        ):
            process = dashboard(*arguments)
            _, said = process.communicate(timeout=30)
            assert process.returncode == 2, said
            assert sentence in said and "Traceback" not in said
