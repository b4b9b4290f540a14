"""The worker site: what a rater's browser gets, and what it cannot do."""

import hashlib
import re
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photojury.annotate.answers_xml import answers_xml
from photojury.annotate.marketplace.questions.questions import parse
from photojury.annotate.tasks.kind import kind
from photojury.annotate.tasks.page import question_xml
from tests.annotate.marketplace.live import Live, frame_source, hidden
from tests.annotate.marketplace.live import html_question as by_hand

ANSWERS = (
    "{http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd}"
)
LEGAL = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
    lambda c: c in "\t\n\r" or ord(c) >= 32
)


def fields_of(xml: str) -> list[tuple[str | None, str | None]]:
    root = ET.fromstring(xml)
    return [
        (answer.findtext(f"{ANSWERS}QuestionIdentifier"), answer.findtext(f"{ANSWERS}FreeText"))
        for answer in root.iter(f"{ANSWERS}Answer")
    ]


@given(st.lists(st.tuples(st.text(LEGAL), st.text(LEGAL)), min_size=1))
def test_every_legal_text_survives_the_answers_xml(fields: list[tuple[str, str]]) -> None:
    """Order, repeats, line ends, markup and `]]>` come back to the character."""
    assert fields_of(answers_xml(fields)) == fields


@given(st.text())
def test_no_text_breaks_the_answers_xml(text: str) -> None:
    """What XML cannot hold is replaced, one character for one."""
    [(_, value)] = fields_of(answers_xml([("field", text)]))
    assert value is not None
    assert len(value) == len(text)


@given(st.text(LEGAL.filter(lambda c: c != "\r"), min_size=1).filter(str.strip))
def test_every_page_survives_the_question_xml(page: str) -> None:
    """Also one that holds the end of a CDATA section."""
    assert parse(question_xml(page + "]]>", kind("stars"))).html == page + "]]>"


def test_the_ids_of_people_and_of_simulated_raters_differ(live: Live) -> None:
    """Simulated ids start with ASIMULATED; those of people have MTurk's form and never do."""
    for simulated in (True, False):
        shown = re.search(r"<code>(\w+)</code>", live.worker(simulated=simulated).get("/").text)
        assert shown
        assert re.fullmatch("A[A-Z0-9]{13,63}", shown[1])
        assert shown[1].startswith("ASIMULATED") is simulated


def test_the_preview_has_mturks_parameters(live: Live) -> None:
    """assignmentId says that it is a preview, workerId is absent; accepted, all four are there."""
    hit = live.hit()
    worker = live.worker()
    page = worker.get(f"/projects/{hit['HITTypeId']}/tasks")
    source = urlsplit(frame_source(page.text))
    assert parse_qs(source.query) == {
        "assignmentId": ["ASSIGNMENT_ID_NOT_AVAILABLE"], "hitId": [hit["HITId"]], "turkSubmitTo": [live.url],
    }  # fmt: skip
    assignment = worker.accept(hit["HITGroupId"])
    source = urlsplit(frame_source(worker.get(f"/tasks/{assignment}").text))
    given_ = parse_qs(source.query)
    assert given_.pop("workerId")[0].startswith("ASIMULATED")
    assert given_ == {"assignmentId": [assignment], "hitId": [hit["HITId"]], "turkSubmitTo": [live.url]}


def test_an_external_page_gets_the_parameters_behind_its_own(live: Live) -> None:
    """Its query string is kept, and its frame has the height that was asked for."""
    schema = (
        "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd"
    )
    question = (
        f'<ExternalQuestion xmlns="{schema}"><ExternalURL>https://example.org/q?a=1&amp;b=2</ExternalURL>'
        "<FrameHeight>640</FrameHeight></ExternalQuestion>"
    )
    hit = live.hit(Question=question)
    page = live.worker().get(f"/projects/{hit['HITGroupId']}/tasks").text
    assert frame_source(page).startswith("https://example.org/q?a=1&b=2&assignmentId=ASSIGNMENT_ID")
    assert 'height="640"' in page


def test_the_frame_is_sealed_off(live: Live) -> None:
    """No origin for the question: by the iframe's attribute and again by its own policy."""
    hit = live.hit()
    page = live.worker().get(f"/projects/{hit['HITGroupId']}/tasks")
    assert re.search(r'<iframe id="task"[^>]* sandbox="allow-scripts allow-forms"', page.text)
    assert "allow-same-origin" not in page.text
    assert "script-src 'self';" in page.headers["content-security-policy"]
    question = requests.get(live.url + frame_source(page.text), timeout=30)
    policy = question.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts allow-forms; default-src 'none';")
    assert f"form-action {live.url}/mturk/" in policy
    assert "set-cookie" not in question.headers
    assert question.text == "<!doctype html><title>Q</title><p>Which one?</p>"


def test_pages_written_for_mturk_hand_in_here(live: Live) -> None:
    """MTurk's submit address and its script are answered by this site."""
    page = (
        '<script src="https://s3.amazonaws.com/mturk-public/externalHIT_v1.js"></script>'
        '<form action="https://www.mturk.com/mturk/externalSubmit">'
    )
    hit = live.hit(Question=by_hand(page))
    shown = requests.get(f"{live.url}/questions/{hit['HITId']}", timeout=30).text
    assert shown == (
        f'<script src="{live.url}/static/externalHIT_v1.js"></script>'
        f'<form action="{live.url}/mturk/externalSubmit">'
    )
    assert (
        "function turkSetAssignmentID"
        in requests.get(f"{live.url}/static/externalHIT_v1.js", timeout=30).text
    )


def test_one_hit_after_another_up_to_the_thanks(live: Live) -> None:
    """Each submission leads to the group's next HIT; after the last there is no form, but thanks; none twice."""
    hits = [live.hit(2) for _ in range(3)]
    group = hits[0]["HITGroupId"]
    worker = live.worker()
    seen = set()
    for left in (2, 1, 0):
        assignment = str(worker.accept(group))
        seen.add(parse_qs(urlsplit(frame_source(worker.get(f"/tasks/{assignment}").text)).query)["hitId"][0])
        page = worker.submit(assignment)
        assert ('id="accept"' in page.text) is (left > 0)
        assert ('id="thanks"' in page.text) is (left == 0)
    assert seen == {hit["HITId"] for hit in hits}
    assert worker.accept(group) is None
    assert f"/projects/{group}/" not in worker.get("/").text


def test_the_least_filled_hit_comes_first(live: Live) -> None:
    """Of HITs with five places each, four workers in a row get four different ones."""
    hits = [live.hit(5) for _ in range(4)]
    live.answered(hits[0], 4)
    assert [live.counts(hit)[2] for hit in hits] == [4] * 4
    live.answered(hits[0], 4)
    assert [live.counts(hit)[2] for hit in hits] == [3] * 4


def test_what_is_in_hand_comes_back_after_a_reload(live: Live) -> None:
    """Accepting again gives the same assignment, and the list offers to go on with it."""
    hit = live.hit(3)
    live.hit(3)
    worker = live.worker()
    assignment = worker.accept(hit["HITGroupId"])
    token = hidden(worker.get(f"/tasks/{assignment}").text)
    again = worker.post(f"/projects/{hit['HITGroupId']}/accept", csrf=token)
    assert again.url.endswith(f"/tasks/{assignment}")
    assert f'href="/tasks/{assignment}"' in worker.get("/").text


def test_an_answer_handed_in_twice_stays_the_first(live: Live) -> None:
    """The second gets the same page, and changes nothing; repeated fields are all kept."""
    hit = live.hit()
    worker = live.worker()
    assignment = str(worker.accept(hit["HITGroupId"]))
    data = [("assignmentId", assignment), ("a", "1"), ("a", "<2 & \u00e9>"), ("empty", "")]
    for fields in (data, [("assignmentId", assignment), ("a", "other")]):
        sent = requests.post(f"{live.url}/mturk/externalSubmit", fields, allow_redirects=False, timeout=30)
        assert sent.status_code == 303
    [answer] = live.client.list_assignments_for_hit(HITId=hit["HITId"])["Assignments"]
    assert fields_of(answer["Answer"]) == [("a", "1"), ("a", "<2 & \u00e9>"), ("empty", "")]


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "a": "1"}, 400, "This is a preview"),
        ({"assignmentId": "3NONE", "a": "1"}, 400, "does not exist"),
        ({"assignmentId": "\x00'--", "a": "1"}, 400, "does not exist"),
        ({"a": "1"}, 400, "This is a preview"),
        ({"assignmentId": "3NONE", "a": "x" * 2_000_001}, 413, "more than"),
    ],
)
def test_an_answer_without_its_key_is_refused(
    live: Live, fields: dict[str, str], status: int, text: str
) -> None:
    """Only who knows the assignment's id can hand in; the page says what to do instead."""
    answer = requests.post(f"{live.url}/mturk/externalSubmit", fields, timeout=30)
    assert (answer.status_code, text in answer.text) == (status, True)


def test_an_answer_without_a_field_is_refused(live: Live) -> None:
    """As on MTurk, at least one field must come beside assignmentId."""
    worker = live.worker()
    assignment = str(worker.accept(live.hit()["HITGroupId"]))
    answer = requests.post(f"{live.url}/mturk/externalSubmit", {"assignmentId": assignment}, timeout=30)
    assert answer.status_code == 400
    assert "Nothing was answered" in answer.text


def test_nobody_acts_for_another(live: Live) -> None:
    """A foreign worker, a foreign form and a stranger are refused."""
    hit = live.hit(5)
    owner, other = live.worker(), live.worker()
    assignment = owner.accept(hit["HITGroupId"])
    assert other.get(f"/tasks/{assignment}").status_code == 404
    assert live.visitor().get(f"/tasks/{assignment}").status_code == 403
    token = hidden(owner.get(f"/tasks/{assignment}").text)
    for forged in ("", "0" * 32, token):
        assert other.post(f"/tasks/{assignment}/return", csrf=forged).status_code in (403, 404)
        assert other.post(f"/projects/{hit['HITGroupId']}/accept", csrf=forged).status_code == 403
    assert live.counts(hit) == ("Assignable", 1, 4, 0)


def test_the_cookie_is_kept_from_scripts_and_other_sites(live: Live) -> None:
    """HttpOnly and SameSite=Lax; joining gives it a new value, and leads to no other site."""
    worker = live.visitor()
    first = worker.get("/join")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    before = dict(worker.session.cookies)
    joined = worker.session.post(
        f"{live.url}/join",
        {"csrf": hidden(first.text), "next": "//evil.example/"},
        allow_redirects=False,
        timeout=30,
    )
    assert joined.headers["location"] == "/"
    assert dict(worker.session.cookies) != before


def test_texts_of_requesters_are_escaped(live: Live) -> None:
    """A title is text on every page that shows it."""
    title = "<script>alert(1)</script>"
    hit = live.hit(Title=title, Description=title)
    worker = live.worker()
    assignment = str(worker.accept(hit["HITGroupId"]))
    pages = [
        worker.get(path).text
        for path in ("/", f"/projects/{hit['HITGroupId']}/tasks", f"/tasks/{assignment}")
    ]
    pages += [worker.submit(assignment).text, worker.get("/earnings").text]
    for page in pages:
        assert title not in page
        assert "&lt;script&gt;alert(1)" in page


def test_pictures_are_served_for_ever(live: Live) -> None:
    """A stored picture comes with its type and may be kept; nothing else of the machine is served."""
    name = f"{hashlib.sha256(b'x').hexdigest()}.png"
    (live.images / name[:2]).mkdir(parents=True)
    (live.images / name[:2] / name).write_bytes(b"x")
    answer = requests.get(f"{live.url}/images/{name}", timeout=30)
    assert (answer.content, answer.headers["content-type"]) == (b"x", "image/png")
    assert "immutable" in answer.headers["cache-control"]
    for path in (
        f"images/{'0' * 64}.png",
        "images/..%2f..%2fstudy.db",
        "images/study.db",
        "static/market_base.html",
    ):
        assert requests.get(f"{live.url}/{path}", timeout=30).status_code == 404


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/projects/{}/tasks", "/tasks/{}", "/questions/{}", "/images/{}", "/mturk/submitted?assignmentId={}",
                          "/mturk/preview?groupId={}", "/join?next={}", "/static/{}"]),
    text=st.text(max_size=80),
)  # fmt: skip
def test_no_address_makes_the_site_fail(live: Live, path: str, text: str) -> None:
    """Whatever stands in an address, the answer is a page, never a failure of the server."""
    quoted = quote(text.encode("utf-8", "replace"), safe="")
    answer = requests.get(live.url + path.format(quoted), allow_redirects=False, timeout=30)
    assert answer.status_code < 500


def test_a_form_in_parts_has_a_limit_as_a_whole(live: Live) -> None:
    """Many parts under the limit are too much together, and one without a length is not begun."""
    assignment = str(live.worker().accept(live.hit()["HITGroupId"]))
    url = f"{live.url}/mturk/externalSubmit"
    parts: dict[str, tuple[None, str]] = {f"part{number}": (None, "x" * 500_000) for number in range(5)}
    answer = requests.post(url, files={"assignmentId": (None, assignment), **parts}, timeout=30)
    assert answer.status_code == 413
    chunked = requests.post(
        url, iter([b"--x"]), headers={"Content-Type": "multipart/form-data; boundary=x"}, timeout=30
    )
    assert chunked.status_code == 411
    small = requests.post(
        url,
        files={"assignmentId": (None, assignment), "stars": (None, "3")},
        allow_redirects=False,
        timeout=30,
    )
    assert small.status_code == 303
