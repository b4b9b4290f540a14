"""Questions as MTurk's XML, and answers as MTurk's XML.

Takes in the Question text of CreateHIT and the fields of a rater's form; gives out what the worker site shows
and the QuestionFormAnswers document that the requester gets.

    >>> page = "<HTMLContent>&lt;p>Hello</HTMLContent><FrameHeight>0</FrameHeight>"
    >>> parse(f'<HTMLQuestion xmlns="{HTML_QUESTION}">{page}</HTMLQuestion>')
    Question(html='<p>Hello', url=None, frame_height=0)
    >>> "<FreeText>1 &lt; 2</FreeText>" in answers_xml([("sum", "1 < 2")])
    True
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from photojury.annotate.marketplace.protocol import RequestError

SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
HTML_QUESTION = f"{SCHEMAS}/2011-11-11/HTMLQuestion.xsd"
EXTERNAL_QUESTION = f"{SCHEMAS}/2006-07-14/ExternalQuestion.xsd"
ANSWERS = f"{SCHEMAS}/2005-10-01/QuestionFormAnswers.xsd"

LARGEST_QUESTION = 65_535
"""Bytes of a Question, its XML and white space included (CreateHIT, API reference)."""

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Question:
    """What a worker is shown: a page of its own (`html`) or one elsewhere (`url`).

    `frame_height` is in pixels; 0 means as high as the window allows.
    """

    html: str | None
    url: str | None
    frame_height: int


class _Builder(ET.TreeBuilder):
    """Refuses a document type, and with it every entity that could grow or reach out."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _bad("a document type is not allowed in it")


def parse(xml: str) -> Question:
    """Read an HTMLQuestion or an ExternalQuestion.

    Raises:
        RequestError: it is too long, not well-formed, of another kind, or lacks a part.
    """
    if len(xml.encode()) > LARGEST_QUESTION:
        raise RequestError(
            "InvalidParameterValue",
            f"The Question has {len(xml.encode())} bytes; at most {LARGEST_QUESTION} are allowed.",
        )
    try:
        # The declaration's encoding says nothing about a text that came as JSON.
        bare = re.sub(r"^\s*<\?xml[^>]*\?>", "", xml, count=1)
        root = ET.fromstring(bare, ET.XMLParser(target=_Builder()))
    except ET.ParseError as error:
        raise _bad(f"it is not well-formed ({error})") from None
    if root.tag == f"{{{HTML_QUESTION}}}HTMLQuestion":
        html = _child(root, HTML_QUESTION, "HTMLContent")
        if not html.strip():
            raise _bad("HTMLContent is empty")
        return Question(html, None, _height(root, HTML_QUESTION))
    if root.tag == f"{{{EXTERNAL_QUESTION}}}ExternalQuestion":
        url = _external(_child(root, EXTERNAL_QUESTION, "ExternalURL").strip())
        return Question(None, url, _height(root, EXTERNAL_QUESTION))
    raise _bad(
        f"its root is {root.tag!r}; this marketplace shows HTMLQuestion ({HTML_QUESTION}) "
        f"and ExternalQuestion ({EXTERNAL_QUESTION})"
    )


def answers_xml(fields: Iterable[tuple[str, str]]) -> str:
    """The QuestionFormAnswers document of a form: one Answer for each field, in order, repeats kept.

    Characters that XML cannot hold become U+FFFD; line ends survive as they were sent.
    """
    answers = "\n".join(
        f"<Answer><QuestionIdentifier>{_text(name)}</QuestionIdentifier>"
        f"<FreeText>{_text(value)}</FreeText></Answer>"
        for name, value in fields
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<QuestionFormAnswers xmlns="{ANSWERS}">\n'
        f"{answers}\n</QuestionFormAnswers>"
    )


def _text(value: str) -> str:
    # A bare carriage return would be read back as a line feed.
    return escape(_ILLEGAL.sub("\ufffd", value), {"\r": "&#13;"})


def _child(root: ET.Element, namespace: str, name: str) -> str:
    found = root.findall(f"{{{namespace}}}{name}")
    if len(found) != 1:
        raise _bad(f"it must have one {name}, not {len(found)}")
    if len(found[0]):
        raise _bad(f"{name} must be text; put HTML into <![CDATA[ ]]>")
    return found[0].text or ""


def _height(root: ET.Element, namespace: str) -> int:
    text = _child(root, namespace, "FrameHeight").strip()
    if not re.fullmatch("[0-9]{1,5}", text):
        raise _bad(f"FrameHeight must be a whole number of pixels, not {text[:20]!r}")
    return int(text)


def _external(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise _bad(f"ExternalURL {url[:100]!r} is not a URL") from None
    # A page on this machine has no certificate, and its traffic leaves it for nobody to read.
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        return url
    raise RequestError("InvalidParameterValue", f"The ExternalURL {url[:100]!r} must use the HTTPS protocol.")


def _bad(why: str) -> RequestError:
    return RequestError("XMLParseError", f"There was an error parsing the Question: {why}.")
