"""QuestionFormAnswers, MTurk's XML of an answer: written and read by everyone who has to do with it.

>>> fields(answers_xml([("stars", "3"), ("why", "1 < 2")]))
{'stars': '3', 'why': '1 < 2'}
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from xml.sax.saxutils import escape

NAMESPACE = (
    "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"
)

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def answers_xml(given: Iterable[tuple[str, str]]) -> str:
    """The document of a form: one Answer for each field, in order, repeats kept.

    Characters that XML cannot hold become U+FFFD; line ends survive as they were sent.
    """
    return document(
        f"<Answer><QuestionIdentifier>{escaped(name)}</QuestionIdentifier>"
        f"<FreeText>{escaped(value)}</FreeText></Answer>"
        for name, value in given
    )


def document(answers: Iterable[str]) -> str:
    """A document of Answer elements."""
    inner = "\n".join(answers)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<QuestionFormAnswers xmlns="{NAMESPACE}">\n'
        f"{inner}\n</QuestionFormAnswers>"
    )


def escaped(value: str) -> str:
    """A text as it stands in XML: what XML cannot hold becomes U+FFFD, line ends survive as they were sent."""
    # A bare carriage return would be read back as a line feed.
    return escape(_ILLEGAL.sub("\ufffd", value), {"\r": "&#13;"})


def fields(xml: str) -> dict[str, str]:
    """The fields of a document; of a repeated field, the first.

    Raises:
        xml.etree.ElementTree.ParseError: it is not well-formed XML.
    """
    found: dict[str, str] = {}
    for answer in ET.fromstring(xml).iter(f"{{{NAMESPACE}}}Answer"):
        name = answer.findtext(f"{{{NAMESPACE}}}QuestionIdentifier", "")
        found.setdefault(name, answer.findtext(f"{{{NAMESPACE}}}FreeText", ""))
    return found
