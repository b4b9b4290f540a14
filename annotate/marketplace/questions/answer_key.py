"""AnswerKey: how a qualification test is scored without anybody looking at it.

Takes in the XML of a key and the QuestionFormAnswers of a worker; gives out the qualification's value. After
the AnswerKey page of MTurk's API reference, 2017-01-17: a question scores by the one option whose selections
are exactly the chosen ones, else its DefaultScore; the sum becomes the value as the mapping says, rounded to
the nearest whole number, halves up.

    >>> key = f'<AnswerKey xmlns="{NAMESPACE}"><Question><QuestionIdentifier>fruit</QuestionIdentifier>' \\
    ...       '<AnswerOption><SelectionIdentifier>apples</SelectionIdentifier><AnswerScore>10</AnswerScore>' \\
    ...       '</AnswerOption><DefaultScore>2</DefaultScore></Question></AnswerKey>'
    >>> score(key, '<QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/'
    ...            'AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"/>')
    2
"""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from photojury.annotate.marketplace.questions import form_answers
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
from photojury.annotate.marketplace.questions.form_answers import Given

NAMESPACE = f"{SCHEMAS}/2005-10-01/AnswerKey.xsd"

_READER = Reader("AnswerKey")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,10}(\.[0-9]{0,10})?|\.[0-9]{1,10})")
_NOTHING = Given(frozenset(), ())


@dataclass(frozen=True)
class _Scores:
    """One question: its options' selections with their scores, and what anything else scores."""

    options: Mapping[frozenset[str], int]
    default: int

    def of(self, given: Given) -> int:
        # Who also wrote something of their own has chosen other than any option.
        return self.default if given.texts else self.options.get(given.selections, self.default)


@dataclass(frozen=True)
class _Mapping:
    """From the sum of the scores to the value: a factor, or ranges (from, to, value) with the value beside them."""

    factor: Fraction = Fraction(1)
    ranges: tuple[tuple[int, int, int], ...] = ()
    outside: int = 0

    def of(self, total: int) -> int:
        if self.ranges:
            inside = [value for low, high, value in self.ranges if low <= total <= high]
            return inside[0] if inside else self.outside
        return math.floor(total * self.factor + Fraction(1, 2))


def check(xml: str) -> None:
    """Check that a text is an AnswerKey.

    Raises:
        RequestError: InvalidParameterValue (too long) or XMLParseError, saying where.
    """
    _parse(xml)


def score(answer_key_xml: str, answers_xml: str) -> int:
    """The value of a qualification whose test was answered so.

    Args:
        answer_key_xml: the AnswerKey.
        answers_xml: the QuestionFormAnswers; a question that is not in it was left open.

    Raises:
        RequestError: one of them cannot be read.
    """
    questions, mapping = _parse(answer_key_xml)
    answers = form_answers.read(answers_xml)
    return mapping.of(sum(each.of(answers.get(name, _NOTHING)) for name, each in questions.items()))


def _parse(xml: str) -> tuple[Mapping[str, _Scores], _Mapping]:
    root = _READER.root(xml)
    if local(root) != "AnswerKey" or space_of(root) != NAMESPACE:
        raise _READER.bad(f"its root is {root.tag!r}, not AnswerKey of the namespace {NAMESPACE}")
    parts = _READER.parts(root, {"Question": SOME, "QualificationValueMapping": OPTIONAL})
    questions: dict[str, _Scores] = {}
    for element in parts["Question"]:
        name, scores = _question(element)
        if name in questions:
            raise _READER.bad(f"two questions have the QuestionIdentifier {name[:60]!r}")
        questions[name] = scores
    found = parts["QualificationValueMapping"]
    return questions, _mapping(found[0]) if found else _Mapping()


def _question(element: ET.Element) -> tuple[str, _Scores]:
    parts = _READER.parts(element, {"QuestionIdentifier": ONE, "AnswerOption": ANY, "DefaultScore": OPTIONAL})
    options: dict[frozenset[str], int] = {}
    for option in parts["AnswerOption"]:
        inner = _READER.parts(option, {"SelectionIdentifier": SOME, "AnswerScore": ONE})
        chosen = frozenset(_READER.name(each) for each in inner["SelectionIdentifier"])
        if chosen in options:
            raise _READER.bad(
                f"two options of a question have the selections {', '.join(sorted(chosen))[:80]}"
            )
        options[chosen] = _READER.whole(inner["AnswerScore"][0])
    default = _READER.whole(parts["DefaultScore"][0]) if parts["DefaultScore"] else 0
    return _READER.name(parts["QuestionIdentifier"][0]), _Scores(options, default)


def _mapping(element: ET.Element) -> _Mapping:
    parts = _READER.parts(
        element, dict.fromkeys(("PercentageMapping", "ScaleMapping", "RangeMapping"), OPTIONAL)
    )
    if len(element) != 1:
        raise _READER.bad(
            "QualificationValueMapping must have one PercentageMapping, ScaleMapping or RangeMapping"
        )
    if parts["PercentageMapping"]:
        inner = _READER.parts(element[0], {"MaximumSummedScore": ONE})
        return _Mapping(Fraction(100, _READER.whole(inner["MaximumSummedScore"][0], 1)))
    if parts["ScaleMapping"]:
        text = _READER.text(
            _READER.parts(element[0], {"SummedScoreMultiplier": ONE})["SummedScoreMultiplier"][0]
        )
        if not _DECIMAL.fullmatch(text.strip()):
            raise _READER.bad(f"SummedScoreMultiplier must be a decimal number, not {text[:20]!r}")
        return _Mapping(Fraction(text.strip()))
    return _ranges(element[0])


def _ranges(element: ET.Element) -> _Mapping:
    parts = _READER.parts(element, {"SummedScoreRange": SOME, "OutOfRangeQualificationValue": ONE})
    names = ("InclusiveLowerBound", "InclusiveUpperBound", "QualificationValue")
    found: list[tuple[int, int, int]] = []
    for each in parts["SummedScoreRange"]:
        inner = _READER.parts(each, dict.fromkeys(names, ONE))
        low, high, value = (_READER.whole(inner[name][0]) for name in names)
        if low > high:
            raise _READER.bad(f"the SummedScoreRange from {low} to {high} is empty")
        if any(low <= other[1] and other[0] <= high for other in found):
            raise _READER.bad(f"the SummedScoreRange from {low} to {high} overlaps another one")
        found.append((low, high, value))
    return _Mapping(ranges=tuple(found), outside=_READER.whole(parts["OutOfRangeQualificationValue"][0]))
