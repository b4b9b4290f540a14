"""What browser tests share: flags, keys, and a rater's way to a task by keyboard alone."""

import time

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1280,800",
)  # fmt: skip


def press(browser: webdriver.Chrome, *keys: str) -> None:
    """Press keys, wherever the focus is: nothing is clicked."""
    ActionChains(browser).send_keys(*keys).perform()


def until(browser: webdriver.Chrome, css: str) -> WebElement:
    """The element, once it is there and to be seen."""
    return WebDriverWait(browser, 20).until(expected.visibility_of_element_located((By.CSS_SELECTOR, css)))


def progress_is(browser: webdriver.Chrome, text: str) -> None:
    """Wait until the page says where the rater is, and takes an answer."""

    def there(page: webdriver.Chrome) -> bool:
        shown = page.find_element(By.ID, "progress").text
        return shown == text and page.find_element(By.CSS_SELECTOR, "#answers button").is_enabled()

    try:
        WebDriverWait(browser, 20).until(there)
    except TimeoutException:
        state = browser.execute_script(
            "return [document.body.innerText, document.activeElement.outerHTML.slice(0, 200), document.hasFocus(),"
            " at, visibleSince, how.open, hasParent, items.map((item) => item.value)]"
        )
        raise AssertionError(f"{text!r} is not shown, or takes no answer: {state}") from None


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
    enter_frame(browser)


def enter_frame(browser: webdriver.Chrome) -> None:
    """Go into the task's frame, once the task is there."""
    WebDriverWait(browser, 20).until(expected.frame_to_be_available_and_switch_to_it((By.ID, "task")))
    until(browser, "#question")
    # The frame is another process of the browser's: keys come to it once it knows that it has the focus.
    WebDriverWait(browser, 20).until(lambda page: page.execute_script("return document.hasFocus()"))


def begin(browser: webdriver.Chrome) -> None:
    """Close the instructions, which stand before a rater's first task, with the key that their button has."""
    until(browser, "#how[open] #close")
    for _ in range(3):  # a key that is sent while the browser moves the focus is lost
        press(browser, Keys.ENTER)
        time.sleep(0.3)
        if not browser.find_elements(By.CSS_SELECTOR, "#how[open]"):
            return
    raise AssertionError("the instructions do not close")


def shown_pictures(browser: webdriver.Chrome) -> list[str]:
    """The image ids on the screen, from left to right."""
    images = browser.find_elements(By.CSS_SELECTOR, "#stage img")
    return [str(image.get_attribute("data-picture")) for image in images]
