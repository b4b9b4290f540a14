"""Three requesters' programs in the manner of the sandbox's time run unchanged, with people in real Chromium."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from photojury.datasets.store import create_study
from tests.support import marketplace

PROGRAMS = Path(__file__).parent / "requesters"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The marketplace's command, running."""
    study = create_study(tmp_path_factory.mktemp("requesters") / "study", "requesters")
    with marketplace(study) as url:
        yield url
    study.close()


@contextmanager
def running(program: str, site: str, folder: Path) -> Iterator[tuple[Callable[[], str], Callable[[], str]]]:
    """A requester's program, with nothing changed but the endpoint; its next line, and all the rest to its end."""
    environment = {**os.environ, "AWS_ENDPOINT_URL_MTURK": site}
    command = [sys.executable, str(PROGRAMS / program)]
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline

        def rest() -> str:
            output, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
            return output

        try:
            yield line, rest
        finally:
            process.kill()


def come_in(window: webdriver.Chrome, site: str) -> None:
    """Join as somebody new."""
    window.delete_all_cookies()
    window.get(f"{site}/join")
    window.find_element(By.CSS_SELECTOR, "#join button").click()
    WebDriverWait(window, 20).until(expected.url_to_be(f"{site}/"))


def preview(window: webdriver.Chrome, site: str, group: str) -> None:
    """Look at a group's task as MTurk's own address of it leads there, and into its frame."""
    window.get(f"{site}/mturk/preview?groupId={group}")
    into_frame(window)


def accept(window: webdriver.Chrome) -> None:
    """From the preview, or the page after a task, to the next task's frame."""
    window.switch_to.default_content()
    window.find_element(By.CSS_SELECTOR, "#accept button").click()
    WebDriverWait(window, 20).until(expected.url_contains("/tasks/"))
    into_frame(window)


def into_frame(window: webdriver.Chrome) -> None:
    WebDriverWait(window, 20).until(expected.frame_to_be_available_and_switch_to_it((By.ID, "task")))


def one(window: webdriver.Chrome, css: str) -> WebElement:
    return WebDriverWait(window, 20).until(expected.presence_of_element_located((By.CSS_SELECTOR, css)))


def send(window: webdriver.Chrome, css: str) -> None:
    """Press the task's own button; the page around it goes on."""
    one(window, css).click()
    window.switch_to.default_content()
    WebDriverWait(window, 20).until(expected.url_contains("submitted"))


def test_a_bare_script(site: str, window: webdriver.Chrome, tmp_path: Path) -> None:
    """HTMLQuestion with externalHIT_v1.js: two HITs, approved, given a bonus, deleted; the sum is right."""
    come_in(window, site)
    with running("bare_script.py", site, tmp_path) as (line, rest):
        assert line() == "balance 10000.00\n"
        group = line().strip().rsplit("=", 1)[1]
        preview(window, site, group)
        button = one(window, "#submitButton")
        assert not button.is_enabled()
        assert button.get_attribute("value") == "You must ACCEPT the HIT before you can submit the results."
        for count in ("3", "12"):
            accept(window)
            one(window, "#count").send_keys(count)
            send(window, "#submitButton")
        # Two rewards of 0.05 with 0.01 each, two bonuses of 0.10 with 0.02 each.
        assert rest() == "count 3\nbonuses 1\ncount 12\nbonuses 1\nleft 0\nbalance 9999.64\n"


def test_an_external_question_with_a_server_of_its_own(
    site: str, window: webdriver.Chrome, tmp_path: Path
) -> None:
    """The page gets MTurk's four parameters, a preview but three; its answers come back with the same ids."""
    come_in(window, site)
    with running("external_server.py", site, tmp_path) as (line, rest):
        preview(window, site, line().split()[1])
        assert not one(window, "#send").is_enabled()
        accept(window)
        one(window, "#mood").send_keys("calm & <bright>")
        send(window, "#send")
        told = json.loads(rest())
    everything = ["assignmentId", "hitId", "workerId", "turkSubmitTo"]
    assert told["answers"] == {"item": "7", "mood": "calm & <bright>"}
    assert told["previews"] == [True, False]
    assert told["seen"] == [["assignmentId", "hitId", "turkSubmitTo"], everything]


def test_a_crowd_form(site: str, window: webdriver.Chrome, tmp_path: Path) -> None:
    """taskAnswers is the JSON that the elements' pages promise; one of two is rejected, and sees why."""
    given = []
    with running("crowd_form.py", site, tmp_path) as (line, rest):
        group = line().split()[1]
        for blurred in (False, True):
            come_in(window, site)
            preview(window, site, group)
            assert not one(window, "crowd-button button").is_enabled()
            accept(window)
            one(window, "crowd-classifier input[value=Landscape]").click()
            if blurred:
                one(window, "crowd-checkbox[value=blurred] label").click()
            one(window, "crowd-slider input").send_keys(Keys.ARROW_RIGHT)
            one(window, "crowd-text-area textarea").send_keys("the sea")
            send(window, "crowd-button button")
            given.append({
                "beauty": 4, "category": {"label": "Landscape"},
                "flags": {"blurred": blurred, "text": False}, "why": "the sea",
            })  # fmt: skip
        *answers, verdict = rest().splitlines()
        assert [json.loads(answer) for answer in answers] == given
        assert verdict == "Landscape wins"
    window.get(f"{site}/earnings")
    assert "It is sharp" in window.find_element(By.TAG_NAME, "table").text
