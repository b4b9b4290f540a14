"""Security in real Chromium: what people write is inert, other sites and the frame reach nothing of a worker's."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from photojury.annotate.marketplace.books import Terms
from tests.annotate.marketplace.live import Live, html_question, running

# Each would leave its mark if it were read as anything but text: as an element, an attribute, a script, a template.
EVIL = (
    '<img src=x onerror="pwned=1;alert(1)"><script>pwned=1;alert(2)</script>"\' onmouseover="pwned=1" '
    "autofocus onfocus=pwned=1 x='</title></script></textarea><svg onload=pwned=1>{{ 7*'7' }}${7*7}"
)
JS_URL = "javascript:window.top.pwned=1"


def come_in(window: webdriver.Chrome, url: str) -> None:
    """Join as somebody new, and agree where that is asked for."""
    window.get(f"{url}/join")
    window.find_element(By.CSS_SELECTOR, "#join button").click()
    WebDriverWait(window, 20).until(expected.url_to_be(f"{url}/"))


def accept(window: webdriver.Chrome, url: str, group: str) -> str:
    """Accept a HIT of a group; the assignment's id."""
    window.get(f"{url}/projects/{group}/tasks")
    window.find_element(By.CSS_SELECTOR, "#accept button").click()
    WebDriverWait(window, 20).until(
        lambda page: "/tasks/" in page.current_url or "/consent" in page.current_url
    )
    if "/consent" in window.current_url:
        inert(window)
        window.find_element(By.CSS_SELECTOR, "#consent button").click()
        WebDriverWait(window, 20).until(expected.url_contains("/projects/"))
        return accept(window, url, group)
    return window.current_url.rsplit("/", 1)[1]


def inert(window: webdriver.Chrome, *, says: bool = True) -> None:
    """No dialog, no mark, no element that the text asked for; and the text is there to be read."""
    with pytest.raises(NoAlertPresentException):
        _ = window.switch_to.alert.text
    assert window.execute_script("return typeof window.pwned") == "undefined"
    assert (
        window.find_elements(By.CSS_SELECTOR, "main img, main svg, main [onmouseover], main [onfocus]") == []
    )
    assert "4949" not in window.page_source
    if says:
        assert "<img src=x onerror=" in window.execute_script("return document.body.textContent")


def worker_id(window: webdriver.Chrome, url: str) -> str:
    window.get(f"{url}/earnings")
    return window.find_element(By.CSS_SELECTOR, "footer code").text


class Foreign(ThreadingHTTPServer):
    """Another site on this machine: whatever page it is given, at any address."""

    page = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ForeignPage)


class ForeignPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Foreign)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def foreign() -> Iterator[Foreign]:
    server = Foreign()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_texts_of_a_task_are_inert(live: Live, window: webdriver.Chrome) -> None:
    """Title, description, feedback, bonus reason and a draft, on each page that shows them."""
    hit = live.hit(2, Title=EVIL[:128], Description=EVIL, Keywords=EVIL)
    come_in(window, live.url)
    inert(window)
    window.get(f"{live.url}/projects/{hit['HITGroupId']}/tasks")
    inert(window)
    assignment = accept(window, live.url, hit["HITGroupId"])
    inert(window)
    window.execute_async_script(
        "const done = arguments[1], csrf = document.querySelector('#return [name=csrf]').value;"
        "fetch(location.pathname + '/draft', {method: 'POST', body: new URLSearchParams({csrf, draft: arguments[0]})})"
        ".then((answer) => done(answer.status))",
        EVIL,
    )
    window.get(window.current_url)
    inert(window)
    window.get(f"{live.url}/")
    inert(window)
    who = worker_id(window, live.url)
    live.visitor().submit(assignment, stars=EVIL)
    window.get(f"{live.url}/mturk/submitted?assignmentId={assignment}")
    inert(window)
    live.client.reject_assignment(AssignmentId=assignment, RequesterFeedback=EVIL)
    live.client.send_bonus(AssignmentId=assignment, WorkerId=who, BonusAmount="0.10", Reason=EVIL)
    for path in ("/earnings", "/messages", f"/projects/{hit['HITGroupId']}/thanks"):
        window.get(live.url + path)
        inert(window, says=path != "/messages")


def test_what_requesters_write_is_inert(live: Live, window: webdriver.Chrome) -> None:
    """Messages, names of qualifications, their descriptions and the reasons why they were refused or taken away."""
    come_in(window, live.url)
    who = worker_id(window, live.url)
    made = live.client.create_qualification_type(
        Name=EVIL[:200], Description=EVIL, Keywords=EVIL, QualificationTypeStatus="Active"
    )
    type_id = made["QualificationType"]["QualificationTypeId"]
    window.get(f"{live.url}/qualifications/{type_id}?next=javascript:alert(1)")
    inert(window)
    window.find_element(By.CSS_SELECTOR, "#request button").click()
    WebDriverWait(window, 20).until(lambda page: not page.find_elements(By.CSS_SELECTOR, "#request"))
    inert(window)
    [request] = live.client.list_qualification_requests()["QualificationRequests"]
    live.client.reject_qualification_request(
        QualificationRequestId=request["QualificationRequestId"], Reason=EVIL
    )
    live.client.associate_qualification_with_worker(QualificationTypeId=type_id, WorkerId=who)
    live.client.disassociate_qualification_from_worker(QualificationTypeId=type_id, WorkerId=who, Reason=EVIL)
    hit = live.hit(QualificationRequirements=[{"QualificationTypeId": type_id, "Comparator": "Exists"}])
    for path in (
        "/messages",
        "/qualifications",
        f"/qualifications/{type_id}",
        f"/projects/{hit['HITGroupId']}/tasks",
    ):
        window.get(live.url + path)
        inert(window)
    assert JS_URL not in window.page_source


def test_consent_and_names_are_inert(window: webdriver.Chrome, tmp_path: Any) -> None:
    """What study.toml says of the study, and addresses with a script in them."""
    terms = Terms(requester=EVIL, contact=EVIL, consent_title=EVIL, consent=(EVIL, JS_URL), agree=EVIL)
    with running(f"sqlite:///{tmp_path / 'study.db'}", tmp_path / "images", terms) as live:
        hit = live.hit(2)
        come_in(window, live.url)
        inert(window)
        accept(window, live.url, hit["HITGroupId"])
        for path in ("/consent?next=", "/join?next=", "/projects/", "/mturk/preview?groupId="):
            window.get(f"{live.url}{path}{JS_URL}")
            inert(window)
            assert JS_URL not in str(
                window.execute_script("return document.querySelector('main a, main form')?.outerHTML")
            )


def test_answers_are_inert_in_a_question_form(live: Live, window: webdriver.Chrome) -> None:
    """The texts of a QuestionForm, which photojury makes a page of, are text in it."""
    schema = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2017-11-06/QuestionForm.xsd"
    evil = EVIL.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    form = (
        f'<QuestionForm xmlns="{schema}"><Overview><Title>{evil}</Title><Text>{evil}</Text></Overview><Question>'
        f"<QuestionIdentifier>q</QuestionIdentifier><DisplayName>{evil}</DisplayName>"
        f"<QuestionContent><Text>{evil}</Text></QuestionContent><AnswerSpecification><SelectionAnswer><Selections>"
        f"<Selection><SelectionIdentifier>{evil[:100]}</SelectionIdentifier><Text>{evil}</Text></Selection>"
        "</Selections></SelectionAnswer></AnswerSpecification></Question></QuestionForm>"
    )
    hit = live.hit(Question=form)
    come_in(window, live.url)
    accept(window, live.url, hit["HITGroupId"])
    window.switch_to.frame("task")
    WebDriverWait(window, 20).until(lambda page: page.find_elements(By.CSS_SELECTOR, "form input"))
    assert window.execute_script("return typeof window.pwned") == "undefined"
    assert window.find_elements(By.CSS_SELECTOR, "img, svg, [onmouseover], [onfocus]") == []
    assert "<img src=x onerror=" in window.find_element(By.TAG_NAME, "body").text
    window.switch_to.default_content()
    inert(window, says=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_sites_forms_do_nothing(
    live: Live, window: webdriver.Chrome, foreign: Foreign, host: str
) -> None:
    """A page elsewhere posts to each form of the site, as the same site (another port) and as a foreign one."""
    hit = live.hit(3)
    come_in(window, live.url)
    assignment = accept(window, live.url, hit["HITGroupId"])
    before = worker_id(window, live.url)
    for path in (
        f"/projects/{hit['HITGroupId']}/accept", f"/tasks/{assignment}/return", "/leave", "/you", "/join",
    ):  # fmt: skip
        foreign.page = (
            f'<form method="post" action="{live.url}{path}"><input name="country" value="DE">'
            '<input name="csrf" value="guess"></form><script>document.forms[0].submit()</script>'
        )
        window.get(f"http://{host}:{foreign.server_port}/evil")
        WebDriverWait(window, 20).until(expected.url_to_be(f"{live.url}{path}"))
        assert "That did not work" in window.find_element(By.TAG_NAME, "h1").text
    assert live.counts(hit) == ("Assignable", 1, 2, 0)
    assert worker_id(window, live.url) == before
    assert window.find_element(By.NAME, "country").get_attribute("value") == ""


def test_another_sites_script_reaches_no_requester(
    live: Live, window: webdriver.Chrome, foreign: Foreign
) -> None:
    """In open mode, where nothing need be signed, a web page cannot call the requester API, nor read a worker's pages."""
    live.hit()
    come_in(window, live.url)
    foreign.page = "<p>elsewhere</p>"
    window.get(f"http://127.0.0.1:{foreign.server_port}/")
    results = window.execute_async_script(
        """const [site, done] = arguments, headers = {"X-Amz-Target": "MTurkRequesterServiceV20170117.ListHITs"};
        const call = (path, options) => fetch(site + path, options).then(async (a) => a.type + (await a.text()), () => "refused");
        Promise.all([
          call("/", { method: "POST", body: "{}", headers }),
          call("/", { method: "POST", body: "{}" }),
          call("/earnings", { credentials: "include" }),
          call("/earnings", { credentials: "include", mode: "no-cors" }),
        ]).then(done);""",
        live.url,
    )
    assert results == ["refused", "refused", "refused", "opaque"]


PROBE = """<!DOCTYPE html><body><p id="told">probing</p><form id="up" target="_top" method="post"></form><script>
const site = new URLSearchParams(location.search).get("turkSubmitTo");
const results = {};
const probe = async (name, action) => {
  try { results[name] = String(await action()); } catch (error) { results[name] = "refused"; }
};
const asked = (url) => new Promise((resolve) => {
  const listen = ({ data }) => {
    if (data.photojury !== "picture" || data.url !== url) return;
    removeEventListener("message", listen);
    resolve(data.failed ? "refused" : "got " + new TextDecoder().decode(data.bytes));
  };
  addEventListener("message", listen);
  parent.postMessage({ photojury: "picture", url }, "*");
});
(async () => {
  await probe("origin", () => self.origin);
  await probe("document", () => parent.document.title);
  await probe("frames", () => parent.frames[0].document && parent.localStorage);
  await probe("href", () => parent.location.href);
  await probe("cookies", () => document.cookie);
  await probe("local", () => localStorage.length);
  await probe("session", () => sessionStorage.length);
  await probe("database", () => indexedDB.open("x"));
  await probe("top", () => { top.location = "/leave"; return "went"; });
  await probe("popup", () => open("/earnings") === null ? "refused" : "opened");
  await probe("element", () => frameElement === null ? "refused" : "seen");
  await probe("alert", () => { alert("pwned"); return "silent"; });
  for (const path of ["/earnings", "/messages", "/"]) {
    await probe("fetch " + path, () => fetch(site + path, { credentials: "include" }).then((a) => a.text()));
  }
  await probe("api", () => fetch(site + "/", { method: "POST", body: "{}",
    headers: { "X-Amz-Target": "MTurkRequesterServiceV20170117.ListHITs" } }).then((a) => a.text()));
  for (const url of ["PICTURE", "/earnings", site + "/earnings", "/images/../earnings", "/images/%2e%2e/earnings", "//localhost/x.png",
    "/images/" + "0".repeat(64) + ".png/../../earnings", "/static/market.js", "javascript:1", "data:text/plain,hi", "file:///etc/passwd",
    "http://127.0.0.1:1/x", "blob:" + site + "/1"]) await probe("ask " + url.replace(site, "site"), () => asked(url));
  parent.postMessage({ photojury: "submitted" }, "*");
  parent.postMessage("photojury:nothing", "*");
  parent.postMessage({ photojury: "draft", draft: { toString() { return "x"; } }.toString() }, "*");
  const up = document.getElementById("up");
  up.action = site + "/leave";
  await probe("form", () => { up.submit(); return "sent"; });
  document.getElementById("told").textContent = JSON.stringify(results);
})();
</script></body>"""
PICTURE = f"{hashlib.sha256(b'bytes of a picture').hexdigest()}.png"
PROBE = PROBE.replace("PICTURE", f"/images/{PICTURE}")

MAY = {
    "origin": ("null",), "alert": ("silent",), "top": ("refused", "went"), "form": ("refused", "sent"),
    f"ask /images/{PICTURE}": ("got bytes of a picture",),
}  # fmt: skip
"""What a frame may learn: that it has no origin, and a stored picture; what it may try without anything coming of it."""


@pytest.fixture
def picture(live: Live) -> None:
    """A stored picture, which the frame may ask for."""
    (live.images / PICTURE[:2]).mkdir(parents=True)
    (live.images / PICTURE[:2] / PICTURE).write_bytes(b"bytes of a picture")


@pytest.mark.usefixtures("picture")
def test_the_frame_cannot_touch_its_parent(live: Live, window: webdriver.Chrome) -> None:
    """No document, address, cookie, storage, window, dialog or page of the worker's, by hook or by asking."""
    hit = live.hit(Question=html_question(PROBE))
    come_in(window, live.url)
    assignment = accept(window, live.url, hit["HITGroupId"])
    window.switch_to.frame("task")
    WebDriverWait(window, 30).until(lambda page: page.find_element(By.ID, "told").text != "probing")
    results: dict[str, str] = json.loads(window.find_element(By.ID, "told").text)
    assert {name: got for name, got in results.items() if got not in MAY.get(name, ("refused",))} == {}
    assert len(results) == 30
    window.switch_to.default_content()
    assert window.current_url == f"{live.url}/tasks/{assignment}"
    assert window.window_handles == [window.current_window_handle]
    window.get(f"{live.url}/earnings")
    assert "Earnings" in window.find_element(By.TAG_NAME, "h1").text


@pytest.mark.usefixtures("picture")
def test_a_foreign_page_in_the_frame_cannot_either(
    live: Live, window: webdriver.Chrome, foreign: Foreign
) -> None:
    """The same for an ExternalQuestion of another origin, whose own policy does not bind it."""
    foreign.page = PROBE
    schema = (
        "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd"
    )
    question = (
        f'<ExternalQuestion xmlns="{schema}"><ExternalURL>http://127.0.0.1:{foreign.server_port}/</ExternalURL>'
        "<FrameHeight>0</FrameHeight></ExternalQuestion>"
    )
    hit = live.hit(Question=question)
    come_in(window, live.url)
    assignment = accept(window, live.url, hit["HITGroupId"])
    window.switch_to.frame("task")
    WebDriverWait(window, 30).until(lambda page: page.find_element(By.ID, "told").text != "probing")
    results: dict[str, str] = json.loads(window.find_element(By.ID, "told").text)
    assert {name: got for name, got in results.items() if got not in MAY.get(name, ("refused",))} == {}
    window.switch_to.default_content()
    assert window.current_url == f"{live.url}/tasks/{assignment}"
    assert live.counts(hit) == ("Unassignable", 1, 0, 0)
    assert worker_id(window, live.url)
