"""The stand-in for Amazon's crowd-html-elements.js in real Chromium: what is chosen there is in taskAnswers."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.annotate.marketplace.live import Live, html_question

# The address that pages written for MTurk name; it means the marketplace's own stand-in.
SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
ANSWER = (
    "{http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd}"
)


class Task:
    """A HIT of one page, accepted in the browser, which looks into its frame."""

    def __init__(self, live: Live, window: webdriver.Chrome, form: str) -> None:
        self.live, self.browser = live, window
        self.hit = live.hit(Question=html_question(f"<!DOCTYPE html><body>{SCRIPT}{form}</body>"))
        window.get(f"{live.url}/join")
        window.find_element(By.CSS_SELECTOR, "#join button").click()
        WebDriverWait(window, 20).until(expected.url_to_be(f"{live.url}/"))
        window.get(f"{live.url}/projects/{self.hit['HITGroupId']}/tasks")

    def accept(self) -> "Task":
        self.browser.find_element(By.CSS_SELECTOR, "#accept button").click()
        WebDriverWait(self.browser, 20).until(expected.url_contains("/tasks/"))
        return self.look()

    def look(self) -> "Task":
        wait = WebDriverWait(self.browser, 20)
        wait.until(expected.frame_to_be_available_and_switch_to_it((By.ID, "task")))
        wait.until(expected.presence_of_element_located((By.CSS_SELECTOR, "crowd-form form")))
        return self

    def one(self, css: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def submit(self) -> Any:
        """Press the form's button; the object in taskAnswers, the only field that came."""
        self.one("[type=submit]").click()
        self.browser.switch_to.default_content()
        WebDriverWait(self.browser, 20).until(expected.url_contains("submitted"))
        [found] = self.live.client.list_assignments_for_hit(HITId=self.hit["HITId"])["Assignments"]
        [answer] = ET.fromstring(found["Answer"]).findall(f"{ANSWER}Answer")
        assert answer.findtext(f"{ANSWER}QuestionIdentifier") == "taskAnswers"
        [answers] = json.loads(str(answer.findtext(f"{ANSWER}FreeText")))
        return answers

    def handed_in(self) -> int:
        count: int = self.live.client.list_assignments_for_hit(HITId=self.hit["HITId"])["NumResults"]
        return count


def test_texts(live: Live, window: webdriver.Chrome) -> None:
    """crowd-input and crowd-text-area, and the page's own fields, give what was typed."""
    task = Task(live, window, """<crowd-form>
        <crowd-input name="title" label="Title" max-length="5" required></crowd-input>
        <crowd-input name="given" value="was there"></crowd-input>
        <crowd-text-area name="why" rows="3"></crowd-text-area>
        <input name="plain"><input type="hidden" name="version" value="2">
        <select name="light"><option>dim</option><option>bright</option></select>
        <input type="checkbox" name="seen" value="yes"></crowd-form>""").accept()  # fmt: skip
    task.one("crowd-input[name=title] input").send_keys("Sunset")
    task.one("crowd-text-area textarea").send_keys('two\nlines, "quoted" <b>')
    task.one("input[name=plain]").send_keys("\u00e9")
    task.one("input[name=seen]").click()
    Select(task.one("select")).select_by_visible_text("bright")
    assert task.submit() == {
        "title": "Sunse", "given": "was there", "why": 'two\nlines, "quoted" <b>', "plain": "\u00e9",
        "version": "2", "light": "bright", "seen": {"yes": True},
    }  # fmt: skip


def test_choices(live: Live, window: webdriver.Chrome) -> None:
    """Checkboxes and radio buttons give true and false by value, as on their pages in the SageMaker guide."""
    task = Task(live, window, """<crowd-form>
        <crowd-checkbox name="myformbit" value="Red"> Red</crowd-checkbox>
        <crowd-checkbox name="myformbit" value="Yellow" checked> Yellow</crowd-checkbox>
        <crowd-checkbox name="alone"> Alone</crowd-checkbox>
        <crowd-radio-group><crowd-radio-button name="btn1" value="yes"> Yes</crowd-radio-button>
        <crowd-radio-button name="btn2" value="no"> No</crowd-radio-button></crowd-radio-group>
        <crowd-radio-group><crowd-radio-button name="fruit" value="apple"> Apple</crowd-radio-button>
        <crowd-radio-button name="fruit" value="pear"> Pear</crowd-radio-button></crowd-radio-group>
        <crowd-slider name="howMuch" min="1" max="10" step="0.5" value="4"></crowd-slider></crowd-form>""").accept()  # fmt: skip
    for css in ("crowd-checkbox[value=Red]", "[value=yes]", "[value=no]", "[value=pear]"):
        task.one(f"{css} label").click()
    task.one("crowd-slider input").send_keys(Keys.ARROW_RIGHT)
    assert task.one("crowd-slider output").text == "4.5"
    assert task.submit() == {
        "myformbit": {"Red": True, "Yellow": True}, "alone": {"on": False}, "btn1": {"yes": False},
        "btn2": {"no": True}, "fruit": {"apple": False, "pear": True}, "howMuch": 4.5,
    }  # fmt: skip


CLASSIFIER = """<crowd-form{format}><crowd-image-classifier name="bird" header="Which?"
    categories="['Tit', 'Wren']" src="/images/none.png"><full-instructions header="How">Look.</full-instructions>
    <short-instructions>Look</short-instructions></crowd-image-classifier>
    <crowd-classifier name="mood" categories='["Don&apos;t know", "Glad"]' header="Mood">
    <classification-target><p>a text</p></classification-target></crowd-classifier>
    <crowd-checkbox name="sure" value="very"></crowd-checkbox><crowd-input name="a.b"></crowd-input></crowd-form>"""


@pytest.mark.parametrize(
    ("form", "answers"),
    [
        (
            "",
            {
                "bird": {"label": "Wren"},
                "mood": {"label": "Don't know"},
                "sure": {"very": False},
                "a": {"b": "c"},
            },
        ),
        (
            ' answer-format="flatten-objects"',
            {"bird.label": "Wren", "mood.label": "Don't know", "sure.very": False, "a.b": "c"},
        ),
    ],
)
def test_classifiers_and_flat_answers(
    live: Live, window: webdriver.Chrome, form: str, answers: dict[str, Any]
) -> None:
    """A classifier gives its label; flatten-objects puts all names on one level. One must be chosen."""
    task = Task(live, window, CLASSIFIER.format(format=form)).accept()
    task.one("[type=submit]").click()
    assert task.handed_in() == 0
    task.one("input[value=Wren]").click()
    task.one("crowd-classifier input").click()
    task.one("crowd-input input").send_keys("c")
    assert task.one("classification-target, crowd-classifier p").text == "a text"
    assert task.submit() == answers


def test_a_preview_cannot_be_sent(live: Live, window: webdriver.Chrome) -> None:
    """The whole task is shown, its button is locked, and the enter key sends nothing."""
    form = '<crowd-form><crowd-input name="a"></crowd-input><crowd-button form-action="submit">Send</crowd-button></crowd-form>'
    task = Task(live, window, form).look()
    assert not task.one("crowd-button button").is_enabled()
    task.one("crowd-input input").send_keys("x", Keys.ENTER)
    assert task.one("crowd-input input").get_attribute("value") == "x"
    window.switch_to.default_content()
    task.accept()
    task.one("crowd-input input").send_keys("x")
    assert task.submit() == {"a": "x"}


def test_a_pages_own_check_is_asked(live: Live, window: webdriver.Chrome) -> None:
    """crowd-form's onsubmit can prevent sending, sees values, may change them; later elements count too."""
    task = Task(live, window, """<crowd-form><crowd-input name="age"></crowd-input>
        <crowd-checkbox name="sure" value="very"></crowd-checkbox><div id="more"></div></crowd-form><p id="told"></p>
        <script>
        document.querySelector("crowd-form").onsubmit = (event) => {
          const age = document.querySelector("crowd-input");
          if (!Number(age.value) || !document.querySelector("crowd-checkbox").checked) {
            event.preventDefault();
            document.getElementById("told").innerHTML = '<crowd-alert type="error">A number, please</crowd-alert>';
          } else age.value = `${age.value} years`;
        };
        addEventListener("load", () => {
          document.getElementById("more").innerHTML = '<p><crowd-input name="late"></crowd-input></p>';
        });
        </script>""").accept()  # fmt: skip
    task.one("crowd-input[name=age] input").send_keys("old")
    task.one("[type=submit]").click()
    assert task.one("#told").text == "A number, please"
    assert task.handed_in() == 0
    task.one("crowd-input[name=age] input").clear()
    task.one("crowd-input[name=age] input").send_keys("41")
    task.one("crowd-checkbox label").click()
    task.one("crowd-input[name=late] input").send_keys("here")
    assert task.submit() == {"age": "41 years", "sure": {"very": True}, "late": "here"}


def test_what_is_not_there_is_said(live: Live, window: webdriver.Chrome) -> None:
    """An element for which there is no stand-in says so to the worker, who cannot answer it unnoticed."""
    form = '<crowd-form><crowd-bounding-box name="boxes" src="x.png"></crowd-bounding-box></crowd-form>'
    task = Task(live, window, form).accept()
    assert "no <crowd-bounding-box>" in task.one("crowd-bounding-box").text
