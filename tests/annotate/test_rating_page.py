"""The rating page in real headless Chromium: reloads, control questions, attributes, a slow line, a small screen."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.preview import write_preview
from photojury.annotate.publish import publish
from photojury.annotate.requester import connect
from photojury.datasets import tables
from photojury.datasets.store import Study
from tests.annotate.browsing import accept, begin, enter_frame, press, progress_is, shown_pictures, until
from tests.support import make_study, marketplace

QUESTION = "How attractive is this photo?"
VALUES: dict[tuple[str, str], object] = {
    ("stars", "images_per_hit"): 6,
    ("stars", "raters_per_image"): 1,
    ("forced_choice", "pairs"): 6,
    ("forced_choice", "pairs_per_hit"): 6,
    ("forced_choice", "raters_per_pair"): 1,
    ("attributes", "images_per_hit"): 2,
    ("attributes", "raters_per_image"): 1,
    ("quality", "repeats"): 0.0,
}


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """Twelve pictures to ask about, and one for control questions alone."""
    study = make_study(tmp_path, 13, VALUES)
    with study.writing() as connection:
        first = sa.select(sa.func.min(tables.images.c.image_id)).scalar_subquery()
        change = sa.update(tables.images).where(tables.images.c.image_id == first)
        connection.execute(change.values(status="rejected"))
    yield study
    study.close()


@pytest.fixture
def rate(study: Study, browser: webdriver.Chrome, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The study's marketplace; what is planned is published by `published`."""
    with marketplace(study) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        yield url


def published(study: Study, task: str) -> None:
    plan(study, task)
    publish(study, connect(study.settings))


def submit(browser: webdriver.Chrome) -> None:
    until(browser, "#submit")
    press(browser, Keys.ENTER)
    browser.switch_to.default_content()
    WebDriverWait(browser, 20).until(expected.url_contains("submitted"))


def control(study: Study, name: str, kind: str, gold: float) -> str:
    """A control unit about the study's first picture; returns the picture."""
    image = str(study.read("images")["image_id"].min())
    row = {
        "unit_id": name,
        "batch": "gold",
        "task": "stars",
        "first_id": image,
        "control": kind,
        "gold": gold,
    }
    study.add("units", [{**row, "explanation": "It is noise."}])
    return image


def test_a_reload_keeps_the_answers(study: Study, rate: str, browser: webdriver.Chrome) -> None:
    """After a reload, and after one in a browser that has forgotten, the rater goes on where they were."""
    published(study, "stars")
    accept(browser, rate, QUESTION)
    begin(browser)
    for number in range(3):
        progress_is(browser, f"{number + 1} of 6")
        press(browser, str(number + 1))
    progress_is(browser, "4 of 6")
    fourth = shown_pictures(browser)
    time.sleep(1.5)  # the draft goes to the server 0.8 s after the last answer
    for forget in (False, True):
        browser.switch_to.default_content()
        if forget:
            browser.execute_script("localStorage.clear()")
        browser.refresh()
        enter_frame(browser)
        progress_is(browser, "4 of 6")
        assert shown_pictures(browser) == fourth
        assert not browser.find_elements(By.CSS_SELECTOR, "#how[open]")
    for key in "123":
        press(browser, key)
        time.sleep(0.5)
    submit(browser)
    fetch(study, connect(study.settings))
    values = study.read("ratings").sort_values("position_in_hit")["value"].tolist()
    assert values == [1, 2, 3, 1, 2, 3]


def test_training_gold_and_repeats(study: Study, rate: str, browser: webdriver.Chrome) -> None:
    """First practice with feedback, then the questions, golds among them unmarked; next time golds only if due."""
    control(study, "practice", "training", 3)
    for name in ("gold1", "gold2", "gold3", "gold4"):
        control(study, name, "gold", 1)
    published(study, "stars")
    accept(browser, rate, QUESTION)
    begin(browser)
    progress_is(browser, "Practice 1 of 1")
    press(browser, "1")
    assert "Most people would say: ★★★. It is noise." in until(browser, "#note").text
    press(browser, Keys.ENTER)
    # ceil(log10(7)^2.2) - 1 is 0 beyond the first two golds.
    for number in range(8):
        progress_is(browser, f"{number + 1} of 8")
        press(browser, "2")
    submit(browser)
    until(browser, "form#accept button").send_keys(Keys.ENTER)
    enter_frame(browser)
    # ceil(log10(13)^2.2) - 1 is 1: the third gold is due; there is no practice, and no instructions come.
    for number in range(7):
        progress_is(browser, f"{number + 1} of 7")
        press(browser, "2")
    submit(browser)
    done = fetch(study, connect(study.settings))
    assert (done.assignments, done.ratings, done.problems) == (2, 1 + 8 + 7, [])
    met = study.read("ratings").groupby("assignment_id")["unit_id"].apply(set)
    assert sorted(sum(name.startswith("gold") for name in units) for units in met) == [1, 2]
    assert sum("practice" in units for units in met) == 1


def test_a_pair_comes_again_with_its_sides_swapped(
    study: Study, rate: str, browser: webdriver.Chrome
) -> None:
    """The repeat of a pair shows its sides swapped and comes later; its row counts from its own first image."""
    plan(study, "forced_choice")
    hit = study.read("hits").iloc[0]
    first = json.loads(hit["unit_ids"])[0]
    unit = study.rows(sa.select(tables.units).where(tables.units.c.unit_id == first))[0]
    again = {**unit, "unit_id": "again", "control": "repeat", "repeat_of": first}
    again |= {"first_id": unit["second_id"], "second_id": unit["first_id"]}
    study.add("units", [again])
    with study.writing() as connection:
        asked = json.dumps([*json.loads(hit["unit_ids"]), "again"])
        this = tables.hits.c.hit_key == hit["hit_key"]
        connection.execute(sa.update(tables.hits).where(this).values(unit_ids=asked))
    publish(study, connect(study.settings))
    accept(browser, rate, "Which photo is aesthetically more pleasing?")
    begin(browser)
    seen: list[list[str]] = []
    for number in range(7):
        progress_is(browser, f"{number + 1} of 7")
        seen.append(shown_pictures(browser))
        press(browser, Keys.ARROW_LEFT)
    submit(browser)
    fetch(study, connect(study.settings))
    rows = {row["unit_id"]: row for row in study.rows(sa.select(tables.comparisons))}
    early, late = rows[first], rows["again"]
    before, after = int(early["position_in_hit"]), int(late["position_in_hit"])
    assert seen[after] == seen[before][::-1]
    assert after > before + 3 or after == 6
    # The left key both times: two different pictures, so the two rows contradict each other.
    assert (early["first_id"], early["value"]) == (late["second_id"], late["value"])


def test_attributes_by_keyboard(study: Study, rate: str, browser: webdriver.Chrome) -> None:
    """An overall rating and eleven attributes a picture by arrow keys; how each was shown is kept."""
    published(study, "attributes")
    accept(browser, rate, "How beautiful is this photo, and why?")
    begin(browser)
    names = study.settings.attributes.names
    for number in range(2):
        progress_is(browser, f"{number + 1} of 2")
        press(browser, "4")
        press(browser, Keys.ENTER)  # not before all are answered
        for key in (Keys.ARROW_LEFT, Keys.ARROW_DOWN, *[Keys.ARROW_RIGHT] * 9):
            press(browser, key)
        press(browser, Keys.ENTER)
    submit(browser)
    done = fetch(study, connect(study.settings))
    assert (done.ratings, done.problems) == (24, [])
    for _, rows in study.read("ratings").groupby("unit_id"):
        values = rows.set_index("attribute")["value"]
        assert values["overall"] == 4
        assert [values[name] for name in names] == [-1, 0] + [1] * 9
    shown = study.read("presentations")
    assert shown["position_in_hit"].tolist() in ([0, 1], [1, 0])
    assert (shown["natural_width"] == 96).all()
    assert (shown["shown_width"] == 96).all()
    assert (shown["viewport_width"] == 1280).all()
    assert (shown["input"] == "keyboard").all()
    assert (shown["visits"] == 1).all()
    assert shown["load_ms"].between(0, 20_000).all()
    assert shown["visible_ms"].between(1, 60_000).all()
    assert not shown["failed"].any()


def test_the_next_tasks_pictures_are_ready(study: Study, rate: str, browser: webdriver.Chrome) -> None:
    """While one task is worked on, the pictures of the next come into the browser's cache."""
    published(study, "stars")
    accept(browser, rate, QUESTION)
    begin(browser)
    for number in range(6):
        progress_is(browser, f"{number + 1} of 6")
        press(browser, "2")
    time.sleep(1.5)
    submit(browser)
    until(browser, "form#accept button").send_keys(Keys.ENTER)
    enter_frame(browser)
    progress_is(browser, "1 of 6")
    time.sleep(0.5)
    browser.switch_to.default_content()
    fetched = browser.execute_script(
        "return performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/images/'))"
        ".map((entry) => [entry.transferSize, entry.decodedBodySize])"
    )
    assert len(fetched) >= 4
    assert all(sent == 0 and size > 0 for sent, size in fetched)


@pytest.mark.parametrize("task", ["stars", "attributes", "forced_choice"])
@pytest.mark.parametrize("size", [(320, 568), (568, 320), (1280, 800)])
def test_it_fits_every_screen(
    study: Study, browser: webdriver.Chrome, task: str, size: tuple[int, int]
) -> None:
    """Nothing sticks out sideways, and every answer can be reached, from 320 pixels on."""
    plan(study, task)
    page = write_preview(study, task)
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())
    begin(browser)
    until(browser, "#stage img")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
    for made in browser.find_elements(By.CSS_SELECTOR, "#answers button, #attributes button"):
        browser.execute_script("arguments[0].scrollIntoView()", made)
        box = made.rect
        assert box["width"] >= 24 and box["height"] >= 24
        assert 0 <= box["x"] and box["x"] + box["width"] <= size[0]
