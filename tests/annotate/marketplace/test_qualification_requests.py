"""Requests for a qualification and tests: made by a worker, decided by the requester or by a key."""

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from tests.annotate.browsing import until
from tests.annotate.marketplace.live import Live, frame_source, hidden, refusal
from tests.annotate.marketplace.qualified import (
    ADULT,
    HOUR,
    KEY,
    MASTERS,
    TEST,
    TESTED,
    asking,
    can_request,
    give,
    hand_in,
    make,
    open_test,
    request,
    score,
)
from tests.annotate.marketplace.test_race import at_once


def test_a_request_waits_for_the_requester(live: Live) -> None:
    """Seen by both sides until it is accepted; then the task opens, and a second decision is an error."""
    type_id = make(live.client)
    hit = live.hit(**asking(type_id, "GreaterThan", IntegerValues=[4]))
    worker = live.worker()
    preview = worker.get(f"/projects/{hit['HITGroupId']}/tasks").text
    assert "Colours: more than 4" in preview
    assert f'href="/qualifications/{type_id}?next=/projects/{hit["HITGroupId"]}/tasks"' in preview
    page = request(worker, type_id).text
    assert "waits for the requester" in page
    assert not can_request(worker, type_id)
    assert "waits for the requester" in worker.get("/qualifications").text
    [waiting] = live.client.list_qualification_requests(QualificationTypeId=type_id)["QualificationRequests"]
    assert waiting["WorkerId"] == worker.worker_id
    assert waiting["SubmitTime"].timestamp() == pytest.approx(live.clock(), abs=1e-3)
    assert "Test" not in waiting
    decide = {"QualificationRequestId": waiting["QualificationRequestId"]}
    live.client.accept_qualification_request(**decide, IntegerValue=5)
    assert live.client.list_qualification_requests()["NumResults"] == 0
    assert worker.accept(hit["HITGroupId"]) is not None
    assert "with the value 5" in worker.get(f"/qualifications/{type_id}").text
    for call in (live.client.accept_qualification_request, live.client.reject_qualification_request):
        code, message = refusal(call, **decide)
        assert (code, "status of: Submitted" in message) == ("InvalidQualificationRequestState", True)
    for wrong in ("", "Q", "3NONE", "'; --"):
        call = live.client.accept_qualification_request
        assert refusal(call, QualificationRequestId=wrong)[0] == "QualificationRequestDoesNotExist"


def test_a_value_may_be_left_out(live: Live) -> None:
    """Accepted without one, the qualification only exists: no comparison with a number holds."""
    type_id, worker = make(live.client), live.worker()
    request(worker, type_id)
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    decide = {"QualificationRequestId": waiting["QualificationRequestId"]}
    live.client.accept_qualification_request(**decide)
    assert score(live, worker, type_id) is None
    compared = live.hit(**asking(type_id, "GreaterThanOrEqualTo", IntegerValues=[0]))
    existing = live.hit(**asking(type_id))
    assert worker.accept(compared["HITGroupId"]) is None
    assert worker.accept(existing["HITGroupId"]) is not None


def test_a_rejected_request_shows_its_reason(live: Live) -> None:
    """On the page and as a message; without a retry delay there is no second request."""
    type_id, worker = make(live.client), live.worker()
    request(worker, type_id)
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    decide = {"QualificationRequestId": waiting["QualificationRequestId"], "Reason": "too <i>new</i>"}
    live.client.reject_qualification_request(**decide)
    for path in (f"/qualifications/{type_id}", "/messages"):
        assert "too &lt;i&gt;new&lt;/i&gt;" in worker.get(path).text
    live.clock.move(365 * 24 * HOUR)
    assert "can be requested only once" in worker.get(f"/qualifications/{type_id}").text
    assert not can_request(worker, type_id)


def test_a_retry_waits_for_its_delay(live: Live) -> None:
    """Counted from the request, not from the decision."""
    type_id, worker = make(live.client, RetryDelayInSeconds=HOUR), live.worker()
    request(worker, type_id)
    live.clock.move(HOUR - 10)
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    live.client.reject_qualification_request(QualificationRequestId=waiting["QualificationRequestId"])
    page = worker.get(f"/qualifications/{type_id}").text
    assert "You can try again in 10 seconds" in page
    csrf = hidden(worker.get("/earnings").text)
    early = worker.post(f"/qualifications/{type_id}", csrf=csrf)
    assert (early.status_code, "too early" in early.text) == (403, True)
    live.clock.move(10)
    request(worker, type_id)
    assert live.client.list_qualification_requests()["NumResults"] == 1


def test_automatic_granting_opens_the_task_at_once(live: Live) -> None:
    """With its value; whoever was given another value by hand cannot overwrite it."""
    type_id = make(live.client, AutoGranted=True, AutoGrantedValue=3)
    hit = live.hit(2, **asking(type_id, "EqualTo", IntegerValues=[3]))
    worker, chosen = live.worker(), live.worker()
    assert "You have this qualification, with the value 3" in request(worker, type_id).text
    assert worker.accept(hit["HITGroupId"]) is not None
    assert live.client.list_qualification_requests()["NumResults"] == 0
    give(live, type_id, chosen.worker_id, 9)
    assert not can_request(chosen, type_id)
    assert chosen.accept(hit["HITGroupId"]) is None


def test_a_request_that_is_sent_at_once_is_one(both: Live) -> None:
    """Eight clicks at the same moment: one request waits, on either database."""
    type_id, worker = make(both.client, RetryDelayInSeconds=HOUR), both.worker()
    csrf = hidden(worker.get(f"/qualifications/{type_id}").text)
    at_once([lambda: worker.post(f"/qualifications/{type_id}", csrf=csrf)] * 8)
    assert both.client.list_qualification_requests()["NumResults"] == 1


def test_a_request_needs_a_worker_and_their_own_form(live: Live) -> None:
    """A visitor is led to join; a forged form is refused; the system's types cannot be requested."""
    type_id = make(live.client)
    visitor, worker = live.visitor(), live.worker()
    page = visitor.get(f"/qualifications/{type_id}").text
    assert f'href="/join?next=/qualifications/{type_id}' in page
    assert visitor.get("/qualifications").status_code == 403
    for who in (visitor, worker):
        assert who.post(f"/qualifications/{type_id}", csrf="0" * 32).status_code == 403
    for unknown in (ADULT, MASTERS, "3NONE", "lower", "Q" * 70):
        assert worker.get(f"/qualifications/{unknown}").status_code == 404
    assert live.client.list_qualification_requests()["NumResults"] == 0


def test_a_test_with_a_key_is_scored_at_once(live: Live) -> None:
    """Shown in a sealed frame, counted down, handed in like a task; its score is the qualification's value."""
    type_id = make(live.client, AnswerKey=KEY, **TESTED)
    hit = live.hit(2, **asking(type_id, "GreaterThanOrEqualTo", IntegerValues=[7]))
    knows, guesses = live.worker(), live.worker()
    request_id = open_test(knows, type_id)
    page = knows.get(f"/qualifications/requests/{request_id}?next=/projects/{hit['HITGroupId']}/tasks").text
    assert 'sandbox="allow-scripts allow-forms"' in page
    assert 'data-seconds="600"' in page
    assert f'data-submitted="/qualifications/{type_id}?next=/projects/{hit["HITGroupId"]}/tasks"' in page
    frame = requests.get(live.url + frame_source(page), timeout=30)
    assert frame.headers["content-security-policy"].startswith("sandbox allow-scripts allow-forms;")
    assert "Which colour has blood?" in frame.text
    assert KEY not in frame.text
    sent = hand_in(live, request_id, "red")
    assert (sent.ok, 'id="submitted"' in sent.text) == (True, True)
    hand_in(live, open_test(guesses, type_id), "green")
    assert (score(live, knows, type_id), score(live, guesses, type_id)) == (7, 0)
    assert knows.accept(hit["HITGroupId"]) is not None
    assert guesses.accept(hit["HITGroupId"]) is None
    assert live.client.list_qualification_requests()["NumResults"] == 0


def test_a_test_without_a_key_waits_with_its_answers(live: Live) -> None:
    """The requester gets the questions as they were shown and what was answered first."""
    type_id, worker = make(live.client, **TESTED), live.worker()
    request_id = open_test(worker, type_id)
    assert live.client.list_qualification_requests()["NumResults"] == 0
    live.clock.move(30)
    for colour in ("green", "red"):
        assert hand_in(live, request_id, colour).ok
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    assert waiting["QualificationRequestId"] == request_id
    assert waiting["Test"] == TEST
    assert "<QuestionIdentifier>colour</QuestionIdentifier>" in waiting["Answer"]
    assert "green" in waiting["Answer"]
    assert "red" not in waiting["Answer"]
    assert waiting["SubmitTime"].timestamp() == pytest.approx(live.clock(), abs=1e-3)


def test_a_test_ends_at_its_deadline(live: Live) -> None:
    """Opened again it goes on, with less time; too late, it is lost, and counts as the one try."""
    type_id, worker = make(live.client, AnswerKey=KEY, **TESTED), live.worker()
    request_id = open_test(worker, type_id)
    live.clock.move(540)
    page = worker.get(f"/qualifications/{type_id}").text
    assert "Go on with the test" in page
    csrf = hidden(worker.get("/earnings").text)
    again = worker.post(f"/qualifications/{type_id}", csrf=csrf)
    assert request_id in again.url
    assert 'data-seconds="60"' in again.text
    live.clock.move(60)
    late = hand_in(live, request_id, "red")
    assert (late.status_code, "time for this test was over" in late.text) == (400, True)
    assert worker.get(f"/qualifications/requests/{request_id}").status_code == 410
    assert not can_request(worker, type_id)
    this = {"QualificationTypeId": type_id, "WorkerId": worker.worker_id}
    assert refusal(live.client.get_qualification_score, **this)[0] == "QualificationDoesNotExist"


def test_a_test_that_was_changed_meanwhile_is_not_scored(live: Live) -> None:
    """A key for other questions decides nothing: the requester has to."""
    type_id, worker = make(live.client, AnswerKey=KEY, **TESTED), live.worker()
    request_id = open_test(worker, type_id)
    changed = {**TESTED, "Test": TEST.replace("blood", "grass"), "AnswerKey": KEY.replace("red", "green")}
    live.client.update_qualification_type(QualificationTypeId=type_id, **changed)
    hand_in(live, request_id, "red")
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    assert waiting["Test"] == TEST


def test_a_test_is_its_workers_own(live: Live) -> None:
    """Others cannot open it, and ids that are none are refused, never a failure."""
    type_id, owner, other = make(live.client, **TESTED), live.worker(), live.worker()
    request_id = open_test(owner, type_id)
    assert other.get(f"/qualifications/requests/{request_id}").status_code == 404
    assert live.visitor().get(f"/qualifications/requests/{request_id}").status_code == 404
    for unknown in ("QNONE", "3NONE", "lower", "%00"):
        assert other.get(f"/qualifications/requests/{unknown}").status_code == 404
        assert other.get(f"/qualifications/requests/{unknown}/test").status_code == 404
    assert hand_in(live, "QNONE", "red").status_code == 400


def test_a_test_is_taken_in_a_real_browser(live: Live, browser: webdriver.Chrome) -> None:
    """By keyboard: from the task to the test in its frame, and handed in, back to the task that is open now."""
    type_id = make(live.client, AnswerKey=KEY, **TESTED)
    hit = live.hit(**asking(type_id, "EqualTo", IntegerValues=[7]))
    browser.get(f"{live.url}/join?next=/projects/{hit['HITGroupId']}/tasks")
    browser.find_element(By.CSS_SELECTOR, "#join button").send_keys(Keys.ENTER)
    until(browser, "#asks a").send_keys(Keys.ENTER)
    until(browser, "#request button").send_keys(Keys.ENTER)
    wait = WebDriverWait(browser, 20)
    wait.until(expected.frame_to_be_available_and_switch_to_it((By.ID, "task")))
    until(browser, "input[value=red]").send_keys(Keys.SPACE)
    until(browser, "#submit").send_keys(Keys.ENTER)
    browser.switch_to.default_content()
    wait.until(expected.url_contains(f"/qualifications/{type_id}?"))
    assert "with the value 7" in until(browser, ".state.approved").text
    browser.find_element(By.LINK_TEXT, "Back to the task").send_keys(Keys.ENTER)
    assert until(browser, "#accept button").is_enabled()
