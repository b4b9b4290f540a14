"""QuestionForm: questions as MTurk's own XML, parsed, checked and shown as a page with a form.

Takes in the XML (namespaces 2017-11-06 and 2005-10-01); gives out what it asks (`parse`) and a self-contained
HTML page (`render`) that hands in like any question page. The fields of its form are named after the
question: `answer.<QuestionIdentifier>` has the text or, once for each, the chosen SelectionIdentifiers (an
empty value stands for the choice "Other"), and `other.<QuestionIdentifier>` the text beside that choice.
photojury.annotate.marketplace.questions.form_answers makes QuestionFormAnswers of them.

After the QuestionForm page of MTurk's API reference, 2017-01-17, and the schema of 2005-10-01.

    >>> check("<QuestionForm/>")                                     # doctest: +ELLIPSIS
    Traceback (most recent call last):
    photojury.annotate.marketplace.requesters.protocol.RequestError: There was an error parsing the QuestionForm: ...
"""

import functools
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from photojury.annotate.marketplace.questions import form_content
from photojury.annotate.marketplace.questions.documents import (
    ANY,
    ONE,
    OPTIONAL,
    SCHEMAS,
    SOME,
    Reader,
    local,
    space_of,
)

NAMESPACES = (f"{SCHEMAS}/2017-11-06/QuestionForm.xsd", f"{SCHEMAS}/2005-10-01/QuestionForm.xsd")

WRONG_FORMAT = "Invalid input supplied."
"""What a worker is told where an AnswerFormatRegex has no errorText (API reference)."""

_STYLES = ("radiobutton", "dropdown", "checkbox", "list", "combobox", "multichooser")
_MOST_LINES = 60
_LONGEST_NAME = 255  # "can be up to 255 bytes": HIT Review Policy page, of a question's id
_READER = Reader("QuestionForm")

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parents[2] / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Pattern:
    """An AnswerFormatRegex: a JavaScript pattern that a text must match somewhere, and what is said if not."""

    regex: str
    flags: str
    error: str


@dataclass(frozen=True)
class FreeText:
    """A text field: a number's bounds, the number of characters, patterns, the default, the lines shown."""

    numeric: bool = False
    minimum: int | None = None
    maximum: int | None = None
    shortest: int | None = None
    longest: int | None = None
    patterns: tuple[Pattern, ...] = ()
    default: str = ""
    lines: int = 1


@dataclass(frozen=True)
class Choice:
    """One Selection."""

    identifier: str
    content: Markup
    plain: bool


@dataclass(frozen=True)
class Selection:
    """A multiple-choice field: how many may be chosen, of what, and a text for what is not listed."""

    least: int
    most: int
    style: str
    choices: tuple[Choice, ...]
    other: FreeText | None

    @property
    def control(self) -> str:
        """How it is shown: radio, checkbox or select; the style is a suggestion, says the reference."""
        if self.most > 1:
            return "checkbox"
        listed = self.style in ("dropdown", "list", "combobox")
        return "select" if listed and not self.other and all(one.plain for one in self.choices) else "radio"


@dataclass(frozen=True)
class Asked:
    """One question."""

    identifier: str
    name: str
    required: bool
    content: Markup
    answer: FreeText | Selection


@dataclass(frozen=True)
class Form:
    """A form: overviews and questions in their order."""

    parts: tuple[Markup | Asked, ...]

    @property
    def questions(self) -> dict[str, Asked]:
        """The questions by QuestionIdentifier."""
        return {part.identifier: part for part in self.parts if isinstance(part, Asked)}


def check(xml: str) -> None:
    """Check that a text is a QuestionForm that can be shown.

    Raises:
        RequestError: InvalidParameterValue (too long), XMLParseError or XHTMLParseError, saying where.
    """
    parse(xml)


@functools.lru_cache(maxsize=256)
def parse(xml: str) -> Form:
    """What a QuestionForm asks.

    Raises:
        RequestError: as `check`.
    """
    root = _READER.root(xml)
    if local(root) != "QuestionForm" or space_of(root) not in NAMESPACES:
        raise _READER.bad(
            f"its root is {root.tag!r}, not QuestionForm of the namespace {' or '.join(NAMESPACES)}"
        )
    return form_of(root)


def form_of(root: ET.Element) -> Form:
    """The form of a root element that is a QuestionForm."""
    _READER.parts(root, {"Overview": ANY, "Question": SOME})
    parts: list[Markup | Asked] = []
    for child in root:
        overview = local(child) == "Overview"
        parts.append(
            form_content.shown(_READER, child, "h1" if not parts else "h2") if overview else _asked(child)
        )
    names = Counter(part.identifier for part in parts if isinstance(part, Asked))
    twice = [name for name, number in names.items() if number > 1]
    if twice:
        raise _READER.bad(f"two questions have the QuestionIdentifier {twice[0][:60]!r}")
    return Form(tuple(parts))


def render(xml: str) -> str:
    """The page of a QuestionForm: it needs nothing beside itself but the pictures it names.

    Its script sends the form to turkSubmitTo, a query parameter, with the assignmentId beside it; in a preview
    it cannot be handed in.

    Raises:
        RequestError: as `check`.
    """
    return page(parse(xml))


def page(form: Form) -> str:
    """The page of a form that was parsed."""
    return _templates.get_template("question_form.html").render(
        parts=form.parts, said=said, bounds=bounds, is_text=_is_text, shown_patterns=_patterns
    )


def said(question: Asked) -> str:
    """What is asked of an answer, in words; empty where anything goes."""
    answer = question.answer
    if isinstance(answer, FreeText):
        return bounds(answer)
    if answer.most == 1:
        return ""
    if answer.least == answer.most:
        return f"Choose {answer.least}."
    if answer.least > 1:
        return f"Choose {answer.least} to {answer.most}."
    return "Choose all that apply." if answer.most >= len(answer.choices) else f"Choose up to {answer.most}."


def bounds(answer: FreeText) -> str:
    """The bounds of a text in words."""
    words = []
    if answer.numeric:
        between = _between(answer.minimum, answer.maximum)
        words.append(f"A number, {between}." if between else "A number.")
    length = _between(answer.shortest or None, answer.longest)
    if length:
        words.append(f"{length.capitalize()} characters.")
    return " ".join(words)


def _between(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}" if low != high else f"exactly {low}"
    if low is not None:
        return f"at least {low}"
    return f"at most {high}" if high is not None else ""


def _is_text(question: Asked) -> bool:
    return isinstance(question.answer, FreeText)


def _patterns(answer: FreeText) -> list[Mapping[str, str]]:
    return [{"regex": one.regex, "flags": one.flags, "error": one.error} for one in answer.patterns]


def _asked(element: ET.Element) -> Asked:
    parts = _READER.parts(
        element,
        {
            "QuestionIdentifier": ONE,
            "DisplayName": OPTIONAL,
            "IsRequired": OPTIONAL,
            "QuestionContent": ONE,
            "AnswerSpecification": ONE,
        },
    )
    identifier = _READER.name(parts["QuestionIdentifier"][0])
    if len(identifier.encode()) > _LONGEST_NAME:
        raise _READER.bad(f"the QuestionIdentifier {identifier[:40]!r} has more than {_LONGEST_NAME} bytes")
    return Asked(
        identifier=identifier,
        name=_READER.text(parts["DisplayName"][0]).strip() if parts["DisplayName"] else "",
        required=bool(parts["IsRequired"]) and _READER.truth(parts["IsRequired"][0]),
        content=form_content.shown(_READER, parts["QuestionContent"][0], "h3"),
        answer=_specified(parts["AnswerSpecification"][0]),
    )


def _specified(element: ET.Element) -> FreeText | Selection:
    kinds = ("FreeTextAnswer", "SelectionAnswer", "FileUploadAnswer")
    parts = _READER.parts(element, dict.fromkeys(kinds, OPTIONAL))
    if parts["FileUploadAnswer"]:
        raise _READER.bad("FileUploadAnswer is not answered here: MTurk took it out on 2017-12-12")
    if len(element) != 1:
        raise _READER.bad("AnswerSpecification must have one FreeTextAnswer or one SelectionAnswer")
    if parts["FreeTextAnswer"]:
        return _free_text(element[0])
    return _selection(element[0])


def _free_text(element: ET.Element) -> FreeText:
    parts = _READER.parts(
        element, dict.fromkeys(("Constraints", "DefaultText", "NumberOfLinesSuggestion"), OPTIONAL)
    )
    lines = 1
    if parts["NumberOfLinesSuggestion"]:
        lines = min(_MOST_LINES, _READER.whole(parts["NumberOfLinesSuggestion"][0], 1))
    default = _READER.text(parts["DefaultText"][0]) if parts["DefaultText"] else ""
    bare = FreeText(default=default, lines=lines)
    return _constrained(parts["Constraints"][0], bare) if parts["Constraints"] else bare


def _constrained(element: ET.Element, bare: FreeText) -> FreeText:
    parts = _READER.parts(element, {"IsNumeric": OPTIONAL, "Length": OPTIONAL, "AnswerFormatRegex": ANY})
    numeric = parts["IsNumeric"][0] if parts["IsNumeric"] else None
    length = parts["Length"][0] if parts["Length"] else None
    minimum, maximum = _attributes(numeric, ("minValue", "maxValue"), (-(2**31), -(2**31)))
    shortest, longest = _attributes(length, ("minLength", "maxLength"), (0, 1))
    patterns = tuple(_pattern(each) for each in parts["AnswerFormatRegex"])
    return FreeText(
        numeric is not None, minimum, maximum, shortest, longest, patterns, bare.default, bare.lines
    )


def _attributes(
    element: ET.Element | None, names: tuple[str, str], least: tuple[int, int]
) -> tuple[int | None, int | None]:
    """The lower and the upper bound that an element's attributes give."""
    if element is None:
        return None, None
    _only(element, names)
    low, high = (
        _READER.number(element.attrib[name], f"{name} of {local(element)}", bound)
        if name in element.attrib
        else None
        for name, bound in zip(names, least, strict=True)
    )
    if low is not None and high is not None and low > high:
        raise _READER.bad(f"{names[0]} of {local(element)} is greater than {names[1]}")
    return low, high


def _pattern(element: ET.Element) -> Pattern:
    _only(element, ("regex", "errorText", "flags"))
    regex, flags = element.attrib.get("regex", ""), element.attrib.get("flags", "")
    if not regex:
        raise _READER.bad("AnswerFormatRegex must have the attribute regex")
    if flags not in ("", "i"):
        raise _READER.bad(f"flags of AnswerFormatRegex must be 'i', not {flags[:20]!r}")
    error = re.sub(r"\s+", " ", element.attrib.get("errorText", "")).strip()
    return Pattern(regex, flags, error or WRONG_FORMAT)


def _only(element: ET.Element, names: tuple[str, ...]) -> None:
    _READER.parts(element, {})
    unknown = sorted(set(element.attrib) - set(names))
    if unknown:
        raise _READER.bad(f"{local(element)} cannot have the attribute {unknown[0][:40]!r}")


def _selection(element: ET.Element) -> Selection:
    parts = _READER.parts(
        element,
        {
            "MinSelectionCount": OPTIONAL,
            "MaxSelectionCount": OPTIONAL,
            "StyleSuggestion": OPTIONAL,
            "Selections": ONE,
        },
    )
    inner = _READER.parts(parts["Selections"][0], {"Selection": SOME, "OtherSelection": OPTIONAL})
    choices = tuple(_choice(each) for each in inner["Selection"])
    if len({one.identifier for one in choices}) < len(choices):
        raise _READER.bad("two selections of a question have the same SelectionIdentifier")
    other = _free_text(inner["OtherSelection"][0]) if inner["OtherSelection"] else None
    number = len(choices) + (other is not None)
    least = _READER.whole(parts["MinSelectionCount"][0], 0, number) if parts["MinSelectionCount"] else 1
    most = (
        _READER.whole(parts["MaxSelectionCount"][0], 1, number)
        if parts["MaxSelectionCount"]
        else max(1, least)
    )
    if least > most:
        raise _READER.bad("MinSelectionCount is greater than MaxSelectionCount")
    style = _READER.name(parts["StyleSuggestion"][0]) if parts["StyleSuggestion"] else ""
    if style and style not in _STYLES:
        raise _READER.bad(f"StyleSuggestion must be one of {', '.join(_STYLES)}, not {style[:20]!r}")
    return Selection(least, most, style, choices, other)


def _choice(element: ET.Element) -> Choice:
    kinds = ("Text", "FormattedContent", "Binary")
    parts = _READER.parts(element, {"SelectionIdentifier": ONE, **dict.fromkeys(kinds, OPTIONAL)})
    shown = [one for name in kinds for one in parts[name]]
    if len(shown) != 1:
        raise _READER.bad(f"a Selection must have one of {', '.join(kinds)}, not {len(shown)}")
    identifier = _READER.name(parts["SelectionIdentifier"][0])
    return Choice(identifier, form_content.label(_READER, shown[0]), local(shown[0]) == "Text")
