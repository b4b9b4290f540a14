"""QuestionForms: what is read, what is shown, what of a browser's answer is believed."""

import re
import time
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from photojury.annotate.marketplace.questions import form_answers, html_page, question_form, questions
from photojury.annotate.marketplace.questions.form_answers import AnswerError
from photojury.annotate.marketplace.requesters.protocol import RequestError
from tests.annotate.marketplace.forms import (
    ANSWERS,
    SCHEMAS,
    binary,
    form,
    formatted,
    free_text,
    pattern,
    question,
    selection,
)
from tests.annotate.marketplace.live import HIT_TYPE, Live, frame_source, html_question, refusal

OVERVIEW = "<Overview><Title>Game</Title><Text>Hello</Text></Overview>"
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
).filter(str.strip)

# The documentation's own examples of constraints, with what a worker may and may not write.
DOCUMENTED: list[tuple[str, list[str], list[str]]] = [
    (
        '<IsNumeric minValue="100" maxValue="999"/><Length minLength="3" maxLength="3"/>',
        ["100", "999", "500"],
        ["99", "1000", "abc", "", "50."],
    ),
    (
        '<IsNumeric/><Length minLength="3" maxLength="3"/>',
        ["1.5", "-10"],
        ["1,5", "12", "NaN", "1e1.", "inf"],
    ),
    (
        '<Length minLength="2" />' + pattern(r"\S", "The content cannot be blank."),
        ["ab", " a"],
        ["a", "  ", ""],
    ),
    (pattern(r"(^$|\S{2,})", "You must enter at least two characters."), ["", "ab"], ["a", " "]),
    (pattern(r"^[12][0-9]{3}-[01]?\d-[0-3]?\d$"), ["2017-11-06", "1999-1-1"], ["3017-11-06", "2017/11/06"]),
    (pattern("regex", "You must enter 'regex'.", "i"), ["RegExes", "REGex"], ["rex", ""]),
]

# (what the SelectionAnswer asks, is it required, what is chosen, is it taken)
CHOSEN: list[tuple[dict[str, Any], bool, list[str], bool]] = [
    ({}, True, ["A"], True),
    ({}, True, [], False),
    ({}, False, [], True),
    ({}, False, ["A", "B"], False),
    ({}, False, ["D"], False),
    ({"least": 2, "most": 3}, False, ["A"], False),
    ({"least": 2, "most": 3}, False, [], True),
    ({"least": 2, "most": 3}, True, ["A", "C"], True),
    ({"least": 2, "most": 3}, True, ["A", "B", "C"], True),
    ({"least": 0, "most": 2}, True, [], True),
    ({"least": 0, "most": 2}, True, ["A", "B", "C"], False),
]

BAD_FORMS = [
    form(),
    form(OVERVIEW),
    form(question("q", "")),
    form(question("q", free_text() + selection("A"))),
    form(question("q", "<FileUploadAnswer><MaxFileSizeInBytes>1</MaxFileSizeInBytes></FileUploadAnswer>")),
    form(question("q", free_text(), content="")),
    form(question("q", free_text(), content="<Application><JavaApplet/></Application>")),
    form(question("q", free_text(), content="<EmbeddedBinary/>")),
    form(question("q", free_text(), content="<Script>alert(1)</Script>")),
    form(question("q", free_text(), content=binary("javascript:alert(1)"))),
    form(question("q", free_text(), content=binary("/local.png"))),
    form(question("q", free_text(), content=binary("https://a.example/x.swf", kind="flash"))),
    form(question("", free_text())),
    form(question("q" * 256, free_text())),
    form(question("q", free_text()), question("q", free_text())),
    form(question("q", free_text('<IsNumeric minValue="2" maxValue="1"/>'))),
    form(question("q", free_text('<IsNumeric minValue="one"/>'))),
    form(question("q", free_text('<Length maxLength="0"/>'))),
    form(question("q", free_text('<Length size="3"/>'))),
    form(question("q", free_text("<AnswerFormatRegex/>"))),
    form(question("q", free_text(pattern("a", flags="g")))),
    form(question("q", free_text(more="<NumberOfLinesSuggestion>0</NumberOfLinesSuggestion>"))),
    form(question("q", selection())),
    form(question("q", selection("A", "A"))),
    form(question("q", selection("A", "B", most=3))),
    form(question("q", selection("A", "B", least=2, most=1))),
    form(question("q", selection("A", style="slider"))),
    form(question("q", free_text())).replace("?</Text>", "?</Text>loose text"),
    form(question("q", free_text())).replace("false<", "maybe<"),
    form(question("q", free_text()), version="2014-08-15"),
    "<!DOCTYPE a [<!ENTITY b 'c'>]>" + form(question("q", free_text())),
    form(question("q", free_text(), content="<Text>" + "<b>" * 5000 + "</b>" * 5000 + "</Text>")),
    form(question("q", free_text(), content=formatted("<b>" * 3000 + "</b>" * 3000))),
    form(question("q", free_text(), content="<Text>\ud800</Text>")),
]

BAD_MARKUP = [
    "<script>alert(1)</script>",
    "<style>b { color: red }</style>",
    "<div>x</div>",
    "<span>x</span>",
    "<form><input/></form>",
    "<iframe src='https://a.example/'/>",
    "<object/>",
    "<svg/>",
    "<B>loud</B>",
    "<b>not nested <i>well</b></i>",
    "<p>not closed",
    "<b onclick='alert(1)'>x</b>",
    "<b style='color: red'>x</b>",
    "<b class='x'>x</b>",
    "<b id='x'>x</b>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' JavaScript:alert(1)'>x</a>",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "<a href='data:text/html,x'>x</a>",
    "<img src='data:image/png;base64,AAAA' alt=''/>",
    "<img src='https://a.example/x.png'/>",
    "<img src='https://a.example/x.png' alt='' onerror='alert(1)'/>",
    "<!-- a comment -->",
    "<?php echo 1 ?>",
    "&undefined;",
    "<br>x</br>",
    "<b xmlns='http://www.w3.org/2000/svg'>x</b>",
]


class Page(HTMLParser):
    """What a browser would find in a page: its elements with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def answers_of(xml: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each Answer's question, and what stands behind it: (element, text)."""
    return [
        (
            answer.findtext(f"{ANSWERS}QuestionIdentifier") or "",
            [(each.tag.removeprefix(ANSWERS), each.text or "") for each in list(answer)[1:]],
        )
        for answer in ET.fromstring(xml).iter(f"{ANSWERS}Answer")
    ]


def taken(xml: str, *fields: tuple[str, str]) -> bool:
    try:
        form_answers.to_xml(xml, fields)
    except AnswerError as error:
        assert str(error).endswith((".", "'")), error
        return False
    return True


@pytest.mark.parametrize("xml", BAD_FORMS)
def test_what_is_not_a_question_form_is_refused(xml: str) -> None:
    """Each with a sentence that names the document, and no HIT could be made of it."""
    with pytest.raises(
        RequestError, match=r"(There was an error parsing the QuestionForm: .+\.)|(at most 65535)"
    ):
        question_form.check(xml)


@pytest.mark.parametrize("markup", BAD_MARKUP)
def test_formatted_content_is_what_the_reference_lists(markup: str) -> None:
    """Anything else in a FormattedContent block, in a question or in a choice, fails the call."""
    with pytest.raises(RequestError) as error:
        question_form.check(form(question("q", free_text(), content=formatted(markup))))
    assert error.value.code == "XHTMLParseError"


def test_formatted_content_is_shown_as_it_was_written() -> None:
    """The reference's own table, with &nbsp;, attributes and nested tags."""
    table = (
        '<table border="1"><tr><td></td><td align="center">1</td></tr><tr><td align="right">A</td>'
        '<td align="center"><b>X</b>&nbsp;&amp; &eacute;</td></tr><tr><td align="center" colspan="4">'
        "It is <b><i>X</i></b>'s turn.<br/></td></tr></table>"
        '<a href="https://a.example/?a=1&amp;b=2" title="more">link</a>'
        '<img src="http://a.example/x.gif" alt="x"/>'
    )
    page = Page(question_form.render(form(question("q", free_text(), content=formatted(table)))))
    assert len(page.all("td")) == 5
    assert {"align": "center", "colspan": "4"} in page.all("td")
    assert page.all("a") == [{"href": "https://a.example/?a=1&b=2", "title": "more"}]
    assert {"src": "http://a.example/x.gif", "alt": "x"} in page.all("img")
    assert "X\xa0& é" in page.text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"<>&;/\"'= \n", "b", "p", "a", "img", "href", "script", "![CDATA[", "--", "&#0;"])
    )
)
def test_no_markup_crashes_the_reader(pieces: list[str]) -> None:
    """Whatever stands in a FormattedContent block: it is shown, or refused with a RequestError."""
    markup = "".join(pieces)
    for content in (formatted(markup), f"<Text>{markup}</Text>", markup):
        try:
            html = question_form.render(form(question("q", free_text(), content=content)))
        except RequestError:
            continue
        tags = [tag for tag, _ in Page(html).tags]
        assert tags.count("script") == 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_no_text_crashes_the_reader(text: str) -> None:
    """Not even as the whole document."""
    for xml in (text, form(text), form(question("q", text))):
        with pytest.raises(RequestError):
            question_form.check(xml)


@settings(max_examples=30, deadline=None)
@given(XML_TEXT, XML_TEXT, XML_TEXT)
def test_text_is_inert_wherever_it_stands(shown: str, name: str, default: str) -> None:
    """Markup in any position of the form is text in the page: no tag, no attribute, no script comes of it."""
    attack = "\"'></textarea></script></title><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
    quiet, loud = (page_of(*(each + more for each in (shown, name, default))) for more in ("", attack))
    assert [tag for tag, _ in loud.tags] == [tag for tag, _ in quiet.tags]
    assert [sorted(each) for _, each in loud.tags] == [sorted(each) for _, each in quiet.tags]
    named = {each.get("name") for each in loud.all("input")}
    assert f"answer.{(name + attack).lstrip()}1" in named
    assert {"7*7", "alert(1)"} & set(re.findall(r"7\*7|alert\(1\)", loud.text)) == {"7*7", "alert(1)"}


def page_of(shown: str, name: str, default: str) -> Page:
    def x(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;")

    content = (
        f"<Title>{x(shown)}</Title><Text>{x(shown)}</Text><List><ListItem>{x(shown)}</ListItem></List>"
        + binary("https://a.example/x.png?" + "".join(c for c in shown if c > " " and c.isprintable()), shown)
    )
    more = f"<DefaultText>{x(default)}</DefaultText>"
    lines = "<NumberOfLinesSuggestion>3</NumberOfLinesSuggestion>"
    return Page(
        question_form.render(
            form(
                f"<Overview>{content}</Overview>",
                question(f"{name}1", free_text(pattern(default, shown), more), title=shown, content=content),
                question(f"{name}2", free_text("", more + lines), title=shown),
                question(f"{name}3", selection(shown, other=more), title=shown),
                question(f"{name}4", selection(shown, "B", style="dropdown")),
            )
        )
    )


def test_the_page_is_a_form_that_people_can_use() -> None:
    """Every control has a name that a screen reader reads, and what is needed is marked; nothing else is loaded."""
    html = question_form.render(
        form(
            OVERVIEW,
            question("a", free_text('<Length minLength="2" maxLength="5"/>'), required=True, title="Name it"),
            question("b", free_text('<IsNumeric minValue="1"/>')),
            question("c", selection("x", "y", style="radiobutton"), required=True),
            question("d", selection("x", "y", style="dropdown"), required=True),
            question("e", selection("x", "y", "z", least=1, most=2, other="")),
        )
    )
    page = Page(html)
    labels = {each["for"] for each in page.all("label") if "for" in each}
    controls = [each for tag in ("input", "select", "textarea") for each in page.all(tag)]
    texts = [each for each in controls if each.get("type") not in ("radio", "checkbox", "hidden")]
    assert {each["id"] for each in texts} <= labels
    assert len(page.all("fieldset")) == len(page.all("legend")) == 5
    assert "Name it (required)" in re.sub(r"\s+", " ", page.text)
    needed = [each for each in controls if each.get("name") in ("answer.a", "answer.c", "answer.d")]
    assert all("required" in each for each in needed)
    assert (needed[0]["minlength"], needed[0]["maxlength"]) == ("2", "5")
    assert [each.get("type") for each in controls].count("radio") == 2
    assert [each.get("type") for each in controls].count("checkbox") == 4
    assert [tag for tag, _ in page.tags if tag in ("h1", "title")] == ["title", "h1"]
    assert not re.search(r'(?:src|href)="', html)
    assert len(html.encode()) < 20_000


@pytest.mark.parametrize("version", ["2017-11-06", "2005-10-01"])
def test_answers_have_the_documented_form(version: str) -> None:
    """FreeText, several SelectionIdentifiers, OtherSelectionText; in the form's order; no Answer for what is open."""
    xml = form(
        question("text", free_text()),
        question("open", free_text()),
        question("one", selection("A", "B", style="dropdown")),
        question("many", selection("A", "B & C", "D", most=3)),
        question("other", selection("A", "B", most=2, other="")),
        question("none", selection("A")),
        version=version,
    )
    fields = [
        ("answer.other", "B"),
        ("answer.other", ""),
        ("other.other", "my own <b>"),
        ("answer.text", "two\r\nlines"),
        ("answer.open", ""),
        ("answer.one", "B"),
        ("answer.many", "D"),
        ("answer.many", "B & C"),
        ("stray", "field"),
    ]
    assert answers_of(form_answers.to_xml(xml, fields)) == [
        ("text", [("FreeText", "two\r\nlines")]),
        ("one", [("SelectionIdentifier", "B")]),
        ("many", [("SelectionIdentifier", "B & C"), ("SelectionIdentifier", "D")]),
        ("other", [("SelectionIdentifier", "B"), ("OtherSelectionText", "my own <b>")]),
    ]


@pytest.mark.parametrize(("constraints", "good", "bad"), DOCUMENTED)
def test_texts_keep_to_their_constraints(constraints: str, good: list[str], bad: list[str]) -> None:
    """The reference's examples, checked again where the browser's word does not count."""
    xml = form(question("q", free_text(constraints), required="minLength" in constraints))
    assert [text for text in good if not taken(xml, ("answer.q", text))] == []
    assert [text for text in bad if taken(xml, ("answer.q", text))] == []


@pytest.mark.parametrize(("asked", "required", "chosen", "good"), CHOSEN)
def test_choices_keep_to_their_number(
    asked: dict[str, Any], required: bool, chosen: list[str], good: bool
) -> None:
    """How many may be chosen, and only of what was offered; nothing is fine where nothing is required."""
    xml = form(question("q", selection("A", "B", "C", **asked), required=required))
    assert taken(xml, *(("answer.q", each) for each in chosen)) is good


def test_text_beside_other_counts_when_other_is_chosen() -> None:
    """Text left beside an Other that was not taken is dropped; alone, it is the answer."""
    xml = form(question("q", selection("A", "B", other=""), required=True))
    assert answers_of(form_answers.to_xml(xml, [("answer.q", "A"), ("other.q", "left")])) == [
        ("q", [("SelectionIdentifier", "A")])
    ]
    assert answers_of(form_answers.to_xml(xml, [("other.q", "mine")])) == [
        ("q", [("OtherSelectionText", "mine")])
    ]
    assert not taken(xml, ("answer.q", ""), ("other.q", "  "))


def test_a_length_that_the_browser_took_is_taken() -> None:
    """Browsers count an emoji as two characters and a line end as one."""
    xml = form(question("q", free_text('<Length minLength="4" maxLength="4"/>')))
    assert taken(xml, ("answer.q", "😀😀"))
    assert taken(xml, ("answer.q", "a\r\nbc"))
    assert not taken(xml, ("answer.q", "😀"))


def test_a_pattern_that_would_take_years_does_not(caplog: pytest.LogCaptureFixture) -> None:
    """The worker's answer is taken after a short while, and the log says that it was not checked."""
    xml = form(question("q", free_text(pattern("^(a+)+$") + pattern("b"))))
    began = time.monotonic()
    assert taken(xml, ("answer.q", "a" * 60 + "!"))
    assert time.monotonic() - began < 10
    assert "were not checked" in caplog.text


@pytest.mark.parametrize("regex", [r"[^]", r"(?<year>\d{4})", "(", r"\p{L}", "a{99999999999999}"])
def test_a_pattern_that_python_cannot_read_is_the_browsers(regex: str) -> None:
    """What only JavaScript understands keeps nobody from handing in."""
    assert taken(form(question("q", free_text(pattern(regex)))), ("answer.q", "2017"))


def test_a_hit_with_a_question_form_is_worked_on(live: Live) -> None:
    """Shown in the frame, handed in with choices, read by the requester as SelectionIdentifiers."""
    hit = live.hit(
        Question=form(
            OVERVIEW,
            question(
                "likely", selection("notlikely", "unsure", "likely", style="radiobutton"), required=True
            ),
            question("why", free_text('<Length maxLength="20"/>')),
        )
    )
    worker = live.worker()
    assignment = worker.accept(hit["HITGroupId"])
    assert assignment
    frame = frame_source(worker.get(f"/tasks/{assignment}").text)
    page = requests.get(live.url + frame, timeout=30)
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts allow-forms;")
    assert {"id": "assignmentId", "name": "assignmentId", "type": "hidden", "value": ""} in Page(
        page.text
    ).all("input")
    refused = worker.submit(assignment, **{"answer.why": "no choice was made"})
    assert refused.status_code == 400
    assert "“" not in refused.text and "Question 1 needs at least 1 of the choices" in refused.text
    assert 'id="back"' in refused.text
    assert live.counts(hit)[:2] == ("Unassignable", 1)
    assert worker.submit(assignment, **{"answer.likely": "unsure", "answer.why": "x" * 21}).status_code == 400
    assert worker.submit(assignment, **{"answer.likely": "unsure", "answer.why": "<b>"}).ok
    [given] = live.client.list_assignments_for_hit(HITId=hit["HITId"])["Assignments"]
    assert answers_of(given["Answer"]) == [
        ("likely", [("SelectionIdentifier", "unsure")]),
        ("why", [("FreeText", "<b>")]),
    ]


def test_a_form_without_any_answer_can_be_handed_in(live: Live) -> None:
    """Where nothing is required, nothing is an answer; a second, different one changes nothing."""
    hit = live.hit(Question=form(question("q", selection("A", "B", most=2))))
    worker = live.worker()
    assignment = str(worker.accept(hit["HITGroupId"]))
    empty = {"assignmentId": assignment}
    sent = requests.post(f"{live.url}/mturk/externalSubmit", empty, allow_redirects=False, timeout=30)
    assert sent.status_code == 303
    assert worker.submit(assignment, **{"answer.q": "nonsense"}).ok
    [given] = live.client.list_assignments_for_hit(HITId=hit["HITId"])["Assignments"]
    assert answers_of(given["Answer"]) == []


def test_a_question_form_that_cannot_be_shown_makes_no_hit(live: Live) -> None:
    """CreateHIT refuses it with the code that MTurk had for it."""
    parameters = {**HIT_TYPE, "LifetimeInSeconds": 60}
    for xml, code in (
        (form(question("q", "")), "XMLParseError"),
        (form(question("q", free_text(), content=formatted("<div>x</div>"))), "XHTMLParseError"),
        (
            form(question("q", free_text(more="<DefaultText>" + "x" * 65_535 + "</DefaultText>"))),
            "InvalidParameterValue",
        ),
    ):
        assert refusal(live.client.create_hit, **parameters, Question=xml)[0] == code
    assert live.client.list_hits()["NumResults"] == 0


@pytest.mark.parametrize(
    "html",
    [
        "<p>a</p><script>start()",
        "<p>a</p><!-- never ends",
        "<p>a</p><input name='b",
        "<html><body><p>a</p><body></html>",
        "<title>only this</title>",
        "<p>a</p><textarea name=b>",
    ],
)
def test_html_that_would_be_swallowed_is_refused(html: str) -> None:
    """The error says where."""
    with pytest.raises(html_page.HTMLError, match=r"There was an error parsing the HTML5 data.+Details: "):
        questions.check(html_question(html))


def test_refused_html_has_mturks_type_of_error(live: Live) -> None:
    """ParameterValidationError, which no model of boto3's knows (tylin/coco-ui pull request 4); and no HIT."""
    with pytest.raises(ClientError) as error:
        live.client.create_hit(
            **HIT_TYPE, LifetimeInSeconds=60, Question=html_question("<html><body><p>a</p><body></html>")
        )
    assert error.value.response["Error"]["Code"] == "ParameterValidationError"
    assert "a second <body>" in error.value.response["Error"]["Message"]
    assert live.client.list_hits()["NumResults"] == 0


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hello",
        "<!doctype html><html><head><title>a</title></head><body><form>1 < 2 & 3<input name=a></form></body></html>",
        "<script>if (a < b) document.write('<body><body>')</script>",
        "<svg><title/><style/></svg>",
        "<textarea><body><html></textarea><p>x",
    ],
)
def test_html_that_browsers_read_as_it_was_meant_is_taken(html: str) -> None:
    """Unclosed paragraphs, bare ampersands, tags in scripts and texts."""
    html_page.check(html)


def test_the_schemas_address_is_the_documented_one() -> None:
    """Both versions that MTurk took, letter by letter."""
    assert question_form.NAMESPACES == (
        "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2017-11-06/QuestionForm.xsd",
        "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionForm.xsd",
    )
    assert SCHEMAS in question_form.NAMESPACES[0]
