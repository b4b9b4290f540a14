"""MTurk's XML documents, read safely: well-formed, of one namespace, with no part missing or unknown.

Takes in the text of a document that somebody sent; gives out its elements and their values. A document type,
and with it every entity that could grow or reach out, is refused, and so is nesting that no form needs.

    >>> reader = Reader("AnswerKey")
    >>> root = reader.root("<Key><Score>3</Score></Key>")
    >>> reader.whole(reader.parts(root, {"Score": ONE})["Score"][0])
    3
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from photojury.annotate.marketplace.requesters.protocol import RequestError

SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"

LARGEST = 65_535
"""Bytes of a Question, a Test or an AnswerKey, white space included (CreateHIT, CreateQualificationType)."""

ONE, OPTIONAL, SOME, ANY = (1, 1), (0, 1), (1, None), (0, None)
"""How often an element may stand in its parent: (least, most)."""

_DEEPEST = 60
_WHOLE = re.compile(r"[+-]?[0-9]{1,10}")

Counts = Mapping[str, tuple[int, int | None]]


class _Refused(Exception):
    """Something that well-formed XML may have, and these documents may not."""


class Builder(ET.TreeBuilder):
    """Builds a tree, but refuses a document type and nesting too deep to be meant."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse it: it could define entities."""
        raise _Refused("a document type is not allowed in it")

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        """Go one level down."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Refused(f"its elements are nested more than {_DEEPEST} deep")
        return super().start(tag, attrs)

    def end(self, tag: str) -> ET.Element:
        """Go one level up."""
        self._depth -= 1
        return super().end(tag)


@dataclass(frozen=True)
class Reader:
    """Reads one kind of document; `what` is its name in error messages."""

    what: str

    def bad(self, why: str, code: str = "XMLParseError") -> RequestError:
        """The error that says what is wrong with the document."""
        return RequestError(code, f"There was an error parsing the {self.what}: {why}.")

    def root(self, xml: str) -> ET.Element:
        """The root element of a document.

        Raises:
            RequestError: it is too long, or not well-formed.
        """
        size = len(xml.encode(errors="replace"))
        if size > LARGEST:
            raise RequestError(
                "InvalidParameterValue", f"The {self.what} has {size} bytes; at most {LARGEST} are allowed."
            )
        return self.tree_of(xml)

    def tree_of(self, xml: str) -> ET.Element:
        """The root element of a document of any length."""
        # The declaration's encoding says nothing about a text that came as JSON.
        return self.tree(re.sub(r"^\s*<\?xml[^>]*\?>", "", xml, count=1), Builder())

    def tree(self, xml: str, builder: Builder, code: str = "XMLParseError") -> ET.Element:
        """The root element of a text that a builder takes."""
        try:
            root: ET.Element = ET.fromstring(xml, ET.XMLParser(target=builder))
            return root
        except ET.ParseError as error:
            raise self.bad(f"it is not well-formed ({error})", code) from None
        except (_Refused, UnicodeEncodeError) as error:
            why = str(error) if isinstance(error, _Refused) else "it holds half a character"
            raise self.bad(why, code) from None

    def parts(self, parent: ET.Element, counts: Counts) -> dict[str, list[ET.Element]]:
        """The children of an element by name, each name as often as it may stand there.

        Raises:
            RequestError: one is unknown, of another namespace, missing or too many, or there is text between.
        """
        space, where = parent.tag.rpartition("}")[0], local(parent)
        found: dict[str, list[ET.Element]] = {name: [] for name in counts}
        for child in parent:
            name = local(child)
            if name not in counts or child.tag.rpartition("}")[0] != space:
                raise self.bad(f"{where} cannot have {child.tag!r}; it has {', '.join(counts)}")
            found[name].append(child)
        if any((text or "").strip() for text in (parent.text, *(child.tail for child in parent))):
            raise self.bad(f"{where} cannot have text between its elements")
        for name, (least, most) in counts.items():
            number = len(found[name])
            if number < least or (most is not None and number > most):
                wanted = (
                    f"{least}" if least == most else f"{least} or more" if most is None else f"at most {most}"
                )
                raise self.bad(f"{where} must have {wanted} {name}, not {number}")
        return found

    def text(self, element: ET.Element) -> str:
        """The text of an element without children."""
        if len(element):
            raise self.bad(f"{local(element)} must be text; put markup into <![CDATA[ ]]>")
        return element.text or ""

    def name(self, element: ET.Element) -> str:
        """The text of an element that names something: without the space around it, never empty."""
        text = self.text(element).strip()
        if not text:
            raise self.bad(f"{local(element)} is empty")
        return text

    def whole(self, element: ET.Element, least: int = -(2**31), most: int = 2**31 - 1) -> int:
        """The whole number in an element."""
        return self.number(self.text(element), local(element), least, most)

    def number(self, text: str, where: str, least: int = -(2**31), most: int = 2**31 - 1) -> int:
        """A whole number between two others."""
        if not _WHOLE.fullmatch(text.strip()) or not least <= int(text) <= most:
            raise self.bad(
                f"{where} must be a whole number from {least} to {most}, not {text.strip()[:20]!r}"
            )
        return int(text)

    def truth(self, element: ET.Element) -> bool:
        """The xs:boolean in an element."""
        text = self.text(element).strip()
        if text not in ("true", "false", "1", "0"):
            raise self.bad(f"{local(element)} must be true or false, not {text[:20]!r}")
        return text in ("true", "1")


def local(element: ET.Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def space_of(element: ET.Element) -> str:
    """The namespace of an element."""
    return element.tag.rpartition("}")[0].removeprefix("{")
