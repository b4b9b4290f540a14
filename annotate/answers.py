"""Answers: from a marketplace's XML to rows of ratings and comparisons, and one sentence for what is wrong.

Takes in the QuestionFormAnswers of one assignment and the HIT's units; gives out `Answers`. A broken answer
never hides the sound ones beside it.

    >>> answer = "<Answer><QuestionIdentifier>a</QuestionIdentifier><FreeText>[]</FreeText></Answer>"
    >>> fields(f'<QuestionFormAnswers xmlns="{NAMESPACE}">{answer}</QuestionFormAnswers>')
    {'a': '[]'}
"""

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from photojury.annotate.tasks.kind import Kind, UnusableError, rated_row

NAMESPACE = (
    "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"
)

# A day: longer times between seeing and answering are a forgotten tab or a broken clock, and say nothing.
_LONGEST_MS = 86_400_000


@dataclass
class Answers:
    """What could be read of an assignment.

    Attributes:
        rows: ratings or comparisons, without the columns of the assignment.
        active_seconds: time with the page in front, as the page measured it; None where it did not say.
        problems: one sentence for each thing that could not be used.
    """

    rows: list[dict[str, object]] = field(default_factory=list)
    active_seconds: float | None = None
    problems: list[str] = field(default_factory=list)


def read_answers(
    kind: Kind, values: Collection[int], units: Mapping[str, Mapping[str, Any]], xml: str
) -> Answers:
    """Read one assignment.

    Args:
        kind: the HIT's kind of task.
        values: the answers that the page offered.
        units: the HIT's units by id.
        xml: the marketplace's QuestionFormAnswers.
    """
    result = Answers()
    try:
        given = fields(xml)
    except ET.ParseError as error:
        result.problems.append(f"its answer is not XML that can be read ({error})")
        return result
    result.active_seconds = _active_seconds(given.get("page"))
    items = _items(given.get("answers"), result)
    seen: set[str] = set()
    for number, item in enumerate(items, 1):
        try:
            row = _row(kind, values, units, seen, item)
        except UnusableError as error:
            result.problems.append(f"answer {number} {error}")
        else:
            result.rows.append(row)
    missing = len(units) - len(seen)
    if items and missing:
        result.problems.append(f"{missing} of {len(units)} {kind.noun}s have no answer")
    return result


def fields(xml: str) -> dict[str, str]:
    """The fields of a QuestionFormAnswers document; of a repeated field, the first.

    Raises:
        xml.etree.ElementTree.ParseError: it is not well-formed XML.
    """
    found: dict[str, str] = {}
    for answer in ET.fromstring(xml).iter(f"{{{NAMESPACE}}}Answer"):
        name = answer.findtext(f"{{{NAMESPACE}}}QuestionIdentifier", "")
        found.setdefault(name, answer.findtext(f"{{{NAMESPACE}}}FreeText", ""))
    return found


def _items(text: str | None, result: Answers) -> Sequence[object]:
    if text is None:
        result.problems.append("it has no field called answers")
        return []
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list):
        result.problems.append("its field answers is not a JSON list")
        return []
    return items


def _row(
    kind: Kind,
    values: Collection[int],
    units: Mapping[str, Mapping[str, Any]],
    seen: set[str],
    item: object,
) -> dict[str, object]:
    if not isinstance(item, dict):
        raise UnusableError("is not a JSON object")
    unit_id = item.get("unit")
    if not isinstance(unit_id, str) or unit_id not in units:
        raise UnusableError(f"is about unit {_short(unit_id)}, which is not in this HIT")
    if unit_id in seen:
        raise UnusableError(f"is a second one about unit {unit_id}; the first counts")
    seen.add(unit_id)
    if item.get("failed") is True and item.get("value") is None:
        raise UnusableError(f"says that the {kind.noun} did not load; it counts as no answer")
    if "value" not in item:
        raise UnusableError("lacks its value")
    value = item["value"]
    if type(value) is not int or value not in values:
        allowed = ", ".join(map(str, sorted(values)))
        raise UnusableError(f"has the value {_short(value)}; allowed are {allowed}")
    position = item.get("position")
    return {
        **rated_row(kind, units[unit_id], item),
        "unit_id": unit_id,
        "position_in_hit": position
        if type(position) is int and 0 <= position < len(units)
        else len(seen) - 1,
        "milliseconds": _milliseconds(item.get("ms")),
    }


def _milliseconds(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_MS:
        return None
    return round(value)


def _active_seconds(page: str | None) -> float | None:
    try:
        value = json.loads(page or "")["active_seconds"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
