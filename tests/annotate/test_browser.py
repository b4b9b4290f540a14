"""The worker site in real headless Chromium, by keyboard: accept, rate ten pictures, submit."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy import stats
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.publish import publish
from photojury.annotate.requester import connect
from photojury.annotate.tasks.kind import kind
from photojury.annotate.tasks.page import render
from photojury.datasets.store import Study
from photojury.settings import Settings
from tests.support import make_study, marketplace

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1280,800",
)  # fmt: skip


@pytest.fixture
def browser(chromium: str, chromedriver: str, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture
def ten(tmp_path: Path) -> Iterator[Study]:
    """Ten pictures in one HIT of stars, and one HIT of ten forced choices, for one rater each."""
    study = make_study(
        tmp_path, 10, {("stars", "images_per_hit"): 10, ("stars", "raters_per_image"): 1,
                       ("forced_choice", "pairs"): 10, ("forced_choice", "raters_per_pair"): 1},
    )  # fmt: skip
    yield study
    study.close()


def press(browser: webdriver.Chrome, *keys: str) -> None:
    """Press keys, wherever the focus is: nothing is clicked."""
    ActionChains(browser).send_keys(*keys).perform()


def until(browser: webdriver.Chrome, css: str) -> WebElement:
    """The element, once it is there and to be seen."""
    return WebDriverWait(browser, 20).until(expected.visibility_of_element_located((By.CSS_SELECTOR, css)))


def progress_is(browser: webdriver.Chrome, text: str) -> None:
    """Wait until the page says where the rater is, and takes an answer."""
    WebDriverWait(browser, 20).until(
        lambda page: (
            page.find_element(By.ID, "progress").text == text
            and page.find_element(By.CSS_SELECTOR, "#answers button").is_enabled()
        )
    )


def accept(browser: webdriver.Chrome, url: str, title: str) -> None:
    """Join where need be, and accept a HIT of the group with that title, by keyboard alone."""
    browser.get(f"{url}/")
    if browser.find_elements(By.CSS_SELECTOR, "a[href='/join']"):
        browser.find_element(By.CSS_SELECTOR, "a[href='/join']").send_keys(Keys.ENTER)
        until(browser, "form button").send_keys(Keys.ENTER)
    WebDriverWait(browser, 20).until(lambda page: page.find_elements(By.PARTIAL_LINK_TEXT, title))
    browser.find_element(By.PARTIAL_LINK_TEXT, title).send_keys(Keys.ENTER)
    until(browser, "form#accept button").send_keys(Keys.ENTER)
    WebDriverWait(browser, 20).until(expected.url_contains("/tasks/"))
    WebDriverWait(browser, 20).until(expected.frame_to_be_available_and_switch_to_it((By.ID, "task")))


def test_ten_pictures_by_keyboard(
    ten: Study, browser: webdriver.Chrome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person joins, accepts, gives stars with the keys 1 to 3, goes back once, submits; all is in the store."""
    plan(ten, "stars")
    with marketplace(ten) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        publish(ten, connect(ten.settings))
        accept(browser, url, "How attractive is this photo?")
        shown: list[str] = []
        for number in range(10):
            progress_is(browser, f"{number + 1} of 10")
            image = browser.find_element(By.CSS_SELECTOR, "#stage img")
            shown.append(str(image.get_attribute("src")).rsplit("/", 1)[-1].split(".")[0])
            press(browser, str(number % 3 + 1))
        press(browser, Keys.BACKSPACE)
        progress_is(browser, "10 of 10")
        press(browser, "3")
        until(browser, "#submit")
        press(browser, Keys.ENTER)
        browser.switch_to.default_content()
        WebDriverWait(browser, 20).until(expected.url_contains("submitted"))
        assert "Thank" in browser.find_element(By.TAG_NAME, "h1").text
        done = fetch(ten, connect(ten.settings))
    assert (done.assignments, done.ratings, done.problems) == (1, 10, [])
    ratings = ten.read("ratings").sort_values("position_in_hit")
    assert ratings["image_id"].tolist() == shown
    assert ratings["value"].tolist() == [1, 2, 3] * 3 + [3]
    assert not ratings["simulated"].any()
    assert ratings["milliseconds"].between(1, 20_000).all()
    assert ten.read("assignments")["active_seconds"].between(0.5, 200).all()


def test_ten_choices_by_arrow_keys(
    ten: Study, browser: webdriver.Chrome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow keys choose the left or the right picture; the row counts from the unit's first image."""
    plan(ten, "forced_choice")
    with marketplace(ten) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        publish(ten, connect(ten.settings))
        accept(browser, url, "Which photo is aesthetically more pleasing?")
        chosen = []
        for number in range(10):
            progress_is(browser, f"{number + 1} of 10")
            images = browser.find_elements(By.CSS_SELECTOR, "#stage img")
            side = number % 2
            chosen.append(str(images[side].get_attribute("src")).rsplit("/", 1)[-1].split(".")[0])
            press(browser, (Keys.ARROW_LEFT, Keys.ARROW_RIGHT)[side])
        until(browser, "#submit")
        press(browser, Keys.ENTER)
        browser.switch_to.default_content()
        WebDriverWait(browser, 20).until(expected.url_contains("submitted"))
        fetch(ten, connect(ten.settings))
    rows = ten.read("comparisons").sort_values("position_in_hit")
    assert len(rows) == 10
    assert rows["first_id"].where(rows["value"] == 1, rows["second_id"]).tolist() == chosen
    left = rows["first_id"].where(rows["first_shown_left"], rows["second_id"])
    assert (left == chosen).tolist() == [True, False] * 5


def test_every_rater_sees_another_order(browser: webdriver.Chrome, tmp_path: Path) -> None:
    """Order and sides are drawn from the worker's id: fair over workers, and the same after a reload."""
    units = [{"unit_id": f"u{i}", "first_id": f"a{i}", "second_id": f"b{i}"} for i in range(10)]
    html = render(kind("forced_choice"), Settings(), "hit", units, lambda image: f"{image}.png", trial=True)
    (tmp_path / "page.html").write_text(html)

    def seen(worker: int) -> list[list[str]]:
        browser.get(f"{(tmp_path / 'page.html').as_uri()}?workerId=A{worker:013d}")
        order: list[list[str]] = browser.execute_script("return items.map((item) => item.pictures)")
        return order

    orders = [seen(worker) for worker in range(80)]
    assert seen(79) == orders[79]
    assert len({str(order) for order in orders}) == 80
    lefts = sum(pictures[0].startswith("a") for order in orders for pictures in order)
    assert stats.binomtest(lefts, 800).pvalue > 0.001
    places = Counter(next(at for at, p in enumerate(order) if "a0.png" in p) for order in orders)
    assert stats.chisquare([places[at] for at in range(10)]).pvalue > 0.001
