"""A QuestionForm's page in a real browser, in the worker site's frame: by keyboard, after a reload, under attack."""

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from tests.annotate.browsing import until
from tests.annotate.marketplace.forms import ANSWERS, form, formatted, free_text, pattern, question, selection
from tests.annotate.marketplace.live import Live

FORM = form(
    "<Overview><Title>Photo</Title></Overview>",
    question("code", free_text(pattern("^[A-C][0-9]$", "Like B2.")), title="Code"),
    question("age", free_text('<IsNumeric minValue="18" maxValue="99"/>')),
    question("seen", selection("cat", "dog", "bird", least=2, most=3), required=True),
    question("kind", selection("photo", "drawing", other=""), required=True),
    question("where", selection("in", "out", style="dropdown")),
)
ATTACK = "</title></script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


def open_task(window: webdriver.Chrome, live: Live, xml: str, *, accept: bool = True) -> dict[str, str]:
    """Join, open the HIT of a form, and go into its frame."""
    hit: dict[str, str] = live.hit(Question=xml)
    window.get(f"{live.url}/join?next=/projects/{hit['HITGroupId']}/tasks")
    until(window, "#join button").send_keys(Keys.ENTER)
    if accept:
        until(window, "#accept button").send_keys(Keys.ENTER)
        WebDriverWait(window, 20).until(expected.url_contains("/tasks/"))
    enter(window)
    return hit


def enter(window: webdriver.Chrome) -> None:
    WebDriverWait(window, 20).until(expected.frame_to_be_available_and_switch_to_it((By.ID, "task")))
    until(window, "#submit")


def type_into(window: webdriver.Chrome, name: str, text: str) -> None:
    field = window.find_element(By.NAME, name)
    field.clear()
    field.send_keys(text)


def tick(window: webdriver.Chrome, value: str) -> None:
    window.find_element(By.CSS_SELECTOR, f"input[value='{value}']").send_keys(Keys.SPACE)


def complaint(window: webdriver.Chrome) -> tuple[str, str]:
    """After Enter on Submit: the field that the browser stops at, and what it says."""
    window.find_element(By.ID, "submit").send_keys(Keys.ENTER)
    field = window.switch_to.active_element
    return field.get_attribute("name") or "", field.get_attribute("validationMessage") or ""


def state(window: webdriver.Chrome) -> list[list[str]]:
    """What the form would send."""
    found: list[list[str]] = window.execute_script(
        "return [...new FormData(document.getElementById('form'))].filter(([name]) => name !== 'assignmentId')"
    )
    return found


def test_the_page_says_what_is_wrong_and_keeps_what_was_written(live: Live, window: webdriver.Chrome) -> None:
    """By keyboard: each constraint stops Submit with its words; a reload keeps all; then it is handed in."""
    hit = open_task(window, live, FORM)
    type_into(window, "answer.code", "D4")
    assert complaint(window) == ("answer.code", "Like B2.")
    type_into(window, "answer.code", "B2")
    for text, words in (("x", "Please write a number"), ("17", "at least 18"), ("100", "at most 99")):
        type_into(window, "answer.age", text)
        name, said = complaint(window)
        assert (name, words in said) == ("answer.age", True), said
    type_into(window, "answer.age", "18.5")
    tick(window, "dog")
    assert complaint(window) == ("answer.seen", "Please choose 2 to 3.")
    tick(window, "bird")
    assert complaint(window)[0] == "answer.kind"
    type_into(window, "other.kind", "painting")
    window.find_element(By.NAME, "answer.where").send_keys("o")
    before = state(window)
    assert ["answer.kind", ""] in before, "typing beside Other chooses it"
    assert ["answer.where", "out"] in before
    window.switch_to.default_content()
    window.refresh()
    enter(window)
    WebDriverWait(window, 20).until(lambda page: state(page) == before)
    window.find_element(By.ID, "submit").send_keys(Keys.ENTER)
    window.switch_to.default_content()
    WebDriverWait(window, 20).until(expected.url_contains("/mturk/submitted"))
    [given] = live.client.list_assignments_for_hit(HITId=hit["HITId"])["Assignments"]
    bare = given["Answer"].replace("\n", "").replace(ANSWERS[1:-1], "")
    assert "<FreeText>B2</FreeText>" in bare and "<FreeText>18.5</FreeText>" in bare
    assert (
        "<SelectionIdentifier>dog</SelectionIdentifier><SelectionIdentifier>bird</SelectionIdentifier>"
        in bare
    )
    assert "<OtherSelectionText>painting</OtherSelectionText>" in bare


def test_what_the_server_refuses_can_be_put_right(live: Live, window: webdriver.Chrome) -> None:
    """A browser that checks nothing gets a sentence, and a way back to the form as it was."""
    open_task(
        window, live, form(question("q", free_text('<Length minLength="3"/>')), question("r", free_text()))
    )
    type_into(window, "answer.r", "kept")
    window.execute_script("document.getElementById('form').noValidate = true")
    window.find_element(By.ID, "submit").send_keys(Keys.ENTER)
    assert "Question 1 needs an answer." in until(window, ".lead").text
    until(window, "#back").send_keys(Keys.ENTER)
    until(window, "#submit")
    WebDriverWait(window, 20).until(lambda page: ["answer.r", "kept"] in state(page))
    type_into(window, "answer.q", "three")
    window.find_element(By.ID, "submit").send_keys(Keys.ENTER)
    window.switch_to.default_content()
    WebDriverWait(window, 20).until(expected.url_contains("/mturk/submitted"))


def test_a_preview_shows_all_and_hands_in_nothing(live: Live, window: webdriver.Chrome) -> None:
    """The button is locked and says why."""
    open_task(window, live, FORM, accept=False)
    button = window.find_element(By.ID, "submit")
    assert (button.is_enabled(), button.text) == (False, "Accept the task to hand in")
    assert len(window.find_elements(By.TAG_NAME, "fieldset")) == 5


def test_nothing_that_a_form_says_is_run(live: Live, window: webdriver.Chrome) -> None:
    """Script in titles, texts, names, choices, defaults, patterns and errors stays text in a real browser."""
    text = ATTACK.replace("&", "&amp;").replace("<", "&lt;")
    shown = f"<Title>{text}</Title><Text>{text}</Text><List><ListItem>{text}</ListItem></List>"
    default = f"<DefaultText>{text}</DefaultText>"
    lines = f"{default}<NumberOfLinesSuggestion>2</NumberOfLinesSuggestion>"
    xml = form(
        f"<Overview>{shown}{formatted('<b title=`x`>b</b>'.replace('`', chr(34)))}</Overview>",
        question(ATTACK, free_text(pattern(ATTACK, ATTACK), default), title=ATTACK, content=shown),
        question("lines", free_text("", lines), title=ATTACK),
        question("choice", selection(ATTACK, "B", other=default), title=ATTACK),
        question("list", selection(ATTACK, "B", style="dropdown"), title=ATTACK),
    )
    open_task(window, live, xml)
    assert window.execute_script("return window.hacked || 0") == 0
    assert window.find_elements(By.CSS_SELECTOR, "img") == []
    assert len(window.find_elements(By.TAG_NAME, "script")) == 1
    assert window.find_element(By.TAG_NAME, "h1").text == ATTACK
    assert window.find_element(By.TAG_NAME, "textarea").get_attribute("value") == ATTACK
