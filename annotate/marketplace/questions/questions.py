"""Questions as MTurk's XML, and answers as MTurk's XML.

Takes in the Question text of CreateHIT and the fields of a rater's form; gives out what the worker site shows
and the QuestionFormAnswers document that the requester gets.

    >>> page = "<HTMLContent>&lt;p>Hello</HTMLContent><FrameHeight>0</FrameHeight>"
    >>> parse(f'<HTMLQuestion xmlns="{HTML_QUESTION}">{page}</HTMLQuestion>')
    Question(html='<p>Hello', url=None, frame_height=0)
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from photojury.annotate.answers_xml import answers_xml
from photojury.annotate.marketplace.questions import form_answers, html_page, question_form
from photojury.annotate.marketplace.questions.documents import SCHEMAS, Reader
from photojury.annotate.marketplace.requesters.protocol import RequestError

HTML_QUESTION = f"{SCHEMAS}/2011-11-11/HTMLQuestion.xsd"
EXTERNAL_QUESTION = f"{SCHEMAS}/2006-07-14/ExternalQuestion.xsd"

_FORMS = tuple(f"{{{namespace}}}QuestionForm" for namespace in question_form.NAMESPACES)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_READER = Reader("Question")


@dataclass(frozen=True)
class Question:
    """What a worker is shown: a page of its own (`html`) or one elsewhere (`url`).

    `frame_height` is in pixels; 0 means as high as the window allows.
    """

    html: str | None
    url: str | None
    frame_height: int


def check(xml: str) -> None:
    """Check a Question before a HIT is made of it: what `parse` checks, and that a page's HTML is whole.

    Raises:
        RequestError: as `parse`; html_page.HTMLError where a browser would not show what was written.
    """
    root = _READER.root(xml)
    question = _question(root)
    if question.html is not None and root.tag not in _FORMS:
        html_page.check(question.html)


def parse(xml: str) -> Question:
    """Read an HTMLQuestion, an ExternalQuestion or a QuestionForm, whose page is made here.

    Raises:
        RequestError: it is too long, not well-formed, of another kind, or lacks a part.
    """
    return _question(_READER.root(xml))


def answers_to(xml: str, fields: Sequence[tuple[str, str]]) -> str:
    """The QuestionFormAnswers document for a question's fields: those of a QuestionForm are checked against it.

    Raises:
        AnswerError: nothing was answered, or not what a QuestionForm asks for.
    """
    if _READER.root(xml).tag in _FORMS:
        return form_answers.to_xml(xml, fields)
    if not fields:
        raise form_answers.AnswerError("Nothing was answered: the page sent no field beside assignmentId.")
    return answers_xml(fields)


def _question(root: ET.Element) -> Question:
    if root.tag in _FORMS:
        return Question(question_form.page(question_form.form_of(root)), None, 0)
    if root.tag == f"{{{HTML_QUESTION}}}HTMLQuestion":
        html = _child(root, HTML_QUESTION, "HTMLContent")
        if not html.strip():
            raise _READER.bad("HTMLContent is empty")
        return Question(html, None, _height(root, HTML_QUESTION))
    if root.tag == f"{{{EXTERNAL_QUESTION}}}ExternalQuestion":
        url = _external(_child(root, EXTERNAL_QUESTION, "ExternalURL").strip())
        return Question(None, url, _height(root, EXTERNAL_QUESTION))
    raise _READER.bad(
        f"its root is {root.tag!r}; this marketplace shows HTMLQuestion ({HTML_QUESTION}), "
        f"ExternalQuestion ({EXTERNAL_QUESTION}) and QuestionForm ({question_form.NAMESPACES[0]})"
    )


def _child(root: ET.Element, namespace: str, name: str) -> str:
    found = root.findall(f"{{{namespace}}}{name}")
    if len(found) != 1:
        raise _READER.bad(f"it must have one {name}, not {len(found)}")
    if len(found[0]):
        raise _READER.bad(f"{name} must be text; put HTML into <![CDATA[ ]]>")
    return found[0].text or ""


def _height(root: ET.Element, namespace: str) -> int:
    text = _child(root, namespace, "FrameHeight").strip()
    if not re.fullmatch("[0-9]{1,5}", text):
        raise _READER.bad(f"FrameHeight must be a whole number of pixels, not {text[:20]!r}")
    return int(text)


def _external(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise _READER.bad(f"ExternalURL {url[:100]!r} is not a URL") from None
    # A page on this machine has no certificate, and its traffic leaves it for nobody to read.
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        return url
    raise RequestError("InvalidParameterValue", f"The ExternalURL {url[:100]!r} must use the HTTPS protocol.")
