"""The worker site in real headless Chromium, by keyboard: accept, rate ten pictures, submit."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy import stats
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.publish import publish
from photojury.annotate.requester import connect
from photojury.annotate.tasks.kind import kind
from photojury.annotate.tasks.page import Questions, render
from photojury.datasets.store import Study
from photojury.settings import Settings
from tests.annotate.browsing import accept, begin, press, progress_is, shown_pictures, until
from tests.support import make_study, marketplace


@pytest.fixture
def ten(tmp_path: Path) -> Iterator[Study]:
    """Ten pictures in one HIT of stars, and one HIT of ten forced choices, for one rater each."""
    study = make_study(
        tmp_path, 10, {("stars", "images_per_hit"): 10, ("stars", "raters_per_image"): 1,
                       ("forced_choice", "pairs"): 10, ("forced_choice", "raters_per_pair"): 1,
                       ("quality", "repeats"): 0.0},
    )  # fmt: skip
    yield study
    study.close()


def test_ten_pictures_by_keyboard(
    ten: Study, browser: webdriver.Chrome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person joins, accepts, gives stars with the keys 1 to 3, goes back once, submits; all is in the store."""
    plan(ten, "stars")
    with marketplace(ten) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        publish(ten, connect(ten.settings))
        accept(browser, url, "How attractive is this photo?")
        begin(browser)
        shown: list[str] = []
        for number in range(10):
            progress_is(browser, f"{number + 1} of 10")
            shown += shown_pictures(browser)
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
        begin(browser)
        chosen = []
        for number in range(10):
            progress_is(browser, f"{number + 1} of 10")
            side = number % 2
            chosen.append(shown_pictures(browser)[side])
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
    units = [
        {"unit_id": f"u{i}", "first_id": f"a{i}", "second_id": f"b{i}", "control": None} for i in range(10)
    ]
    task, asked = kind("forced_choice"), Questions(units)
    html = render(task, Settings(), "hit", asked, lambda image: f"{image}.png", trial=True)
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
