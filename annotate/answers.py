"""Answers: from a marketplace's XML to rows of ratings and comparisons, and one sentence for what is wrong.

Takes in the QuestionFormAnswers of one assignment and the HIT's units; gives out `Answers`. A broken answer
never hides the sound ones beside it.

    >>> read_answers(kind("stars"), [1, 2, 3], units, xml).rows[0]["value"]        # doctest: +SKIP
    2.0
"""

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from photojury.annotate.answers_xml import fields
from photojury.annotate.tasks.attributes import VALUES
from photojury.annotate.tasks.kind import Kind, UnusableError, rated_row

# A day: longer times between seeing and answering are a forgotten tab or a broken clock, and say nothing.
_LONGEST_MS = 86_400_000
_LONGEST_REASON = 1000
_INPUTS = ("keyboard", "mouse", "touch", "pen")


@dataclass
class Answers:
    """What could be read of an assignment.

    Attributes:
        rows: ratings or comparisons, without the columns of the assignment.
        presentations: how each question was shown, without the columns of the assignment.
        active_seconds: time with the page in front, as the page measured it; None where it did not say.
        problems: one sentence for each thing that could not be used.
    """

    rows: list[dict[str, object]] = field(default_factory=list)
    presentations: list[dict[str, object]] = field(default_factory=list)
    active_seconds: float | None = None
    problems: list[str] = field(default_factory=list)


def read_answers(
    kind: Kind,
    values: Collection[int],
    units: Mapping[str, Mapping[str, Any]],
    xml: str,
    attributes: Sequence[str] = (),
) -> Answers:
    """Read one assignment.

    Args:
        kind: the HIT's kind of task.
        values: the answers that the page offered.
        units: the HIT's units by id.
        attributes: names that are answered with -1, 0 or 1 beside the value.
        xml: the marketplace's QuestionFormAnswers.
    """
    result = Answers()
    try:
        given = fields(xml)
    except ET.ParseError as error:
        result.problems.append(f"its answer is not XML that can be read ({error})")
        return result
    about = _object(given.get("page"))
    result.active_seconds = _number(about.get("active_seconds"))
    items = _items(given.get("answers"), result)
    seen: set[str] = set()
    for number, item in enumerate(items, 1):
        try:
            unit_id = _unit(units, seen, item)
            position = _position(item.get("position"), len(units), len(seen) - 1)
            result.presentations.append(_presentation(unit_id, position, item, about))
            row = _row(kind, values, units[unit_id], item)
            rated = [row, *_attribute_rows(row, attributes, item)]
        except UnusableError as error:
            result.problems.append(f"answer {number} {error}")
        else:
            result.rows += [{**one, "unit_id": unit_id, "position_in_hit": position} for one in rated]
    # Of gold and training questions a rater meets as many as are due.
    expected = [name for name, unit in units.items() if unit.get("control") not in ("gold", "training")]
    missing = sum(name not in seen for name in expected)
    if items and missing:
        result.problems.append(f"{missing} of {len(expected)} {kind.noun}s have no answer")
    return result


def _items(text: str | None, result: Answers) -> Sequence[Any]:
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


def _unit(units: Mapping[str, Mapping[str, Any]], seen: set[str], item: Any) -> str:
    """The unit that an answer is about, which from now on has been seen."""
    if not isinstance(item, dict):
        raise UnusableError("is not a JSON object")
    unit_id = item.get("unit")
    if not isinstance(unit_id, str) or unit_id not in units:
        raise UnusableError(f"is about unit {_short(unit_id)}, which is not in this HIT")
    if unit_id in seen:
        raise UnusableError(f"is a second one about unit {unit_id}; the first counts")
    seen.add(unit_id)
    return unit_id


def _row(
    kind: Kind, values: Collection[int], unit: Mapping[str, Any], item: Mapping[str, Any]
) -> dict[str, object]:
    if item.get("failed") is True and item.get("value") is None:
        raise UnusableError(f"says that the {kind.noun} did not load; it counts as no answer")
    if "value" not in item:
        raise UnusableError("lacks its value")
    value = item["value"]
    if type(value) is not int or value not in values:
        allowed = ", ".join(map(str, sorted(values)))
        raise UnusableError(f"has the value {_short(value)}; allowed are {allowed}")
    return {**rated_row(kind, unit, item), "milliseconds": _whole(item.get("ms"))}


def _attribute_rows(
    row: Mapping[str, object], attributes: Sequence[str], item: Mapping[str, Any]
) -> list[dict[str, object]]:
    """A rating for each attribute, of the same picture as the overall one."""
    given = item.get("values")
    given = given if isinstance(given, dict) else {}
    missing = [name for name in attributes if type(given.get(name)) is not int or given[name] not in VALUES]
    if missing:
        raise UnusableError(f"lacks {len(missing)} of {len(attributes)} attributes, first {missing[0]}")
    return [{**row, "attribute": name, "value": float(given[name])} for name in attributes]


def _presentation(
    unit_id: str, position: int, item: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[str, object]:
    natural, size, viewport = (
        _two(values) for values in (item.get("natural"), item.get("size"), about.get("viewport"))
    )
    reason = item.get("reason")
    return {
        "unit_id": unit_id,
        "position_in_hit": position,
        "visits": _whole(item.get("visits")),
        "load_ms": _whole(item.get("load")),
        "visible_ms": _whole(item.get("visible")),
        "natural_width": _whole(natural[0]),
        "natural_height": _whole(natural[1]),
        "shown_width": _number(size[0]),
        "shown_height": _number(size[1]),
        "viewport_width": _whole(viewport[0]),
        "viewport_height": _whole(viewport[1]),
        "pixel_ratio": _number(about.get("pixel_ratio")),
        "input": item["input"] if item.get("input") in _INPUTS else None,
        "failed": item.get("failed") is True,
        "reason": reason[:_LONGEST_REASON] if isinstance(reason, str) and reason else None,
    }


def _two(value: object) -> tuple[object, object]:
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else (None, None)


def _position(value: object, asked: int, otherwise: int) -> int:
    return value if type(value) is int and 0 <= value < asked else otherwise


def _object(text: str | None) -> Mapping[str, Any]:
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def _whole(value: object) -> int | None:
    """A whole number that is possible: a time within a day, or a count or a size in pixels."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_MS:
        return None
    return round(value)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
