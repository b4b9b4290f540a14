"""The page of one HIT: self-contained HTML that shows its questions and posts the answers.

Takes in a kind, a HIT's units and where the pictures are; gives out HTML, and the HTMLQuestion that carries
it. The page sends three fields: assignmentId, `answers` (JSON, one object for each unit: unit, shown, value,
position, ms) and `page` (JSON: active_seconds, viewport and the like).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import jinja2
from markupsafe import Markup

from photojury.annotate.tasks.kind import Kind
from photojury.errors import SettingsError
from photojury.settings import Settings

QUESTION_LIMIT = 65_535
"""Bytes that MTurk takes as a HIT's question, white space included (CreateHIT)."""

_SCHEMA = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("photojury.annotate"), autoescape=True, undefined=jinja2.StrictUndefined
)

Unit = Mapping[str, Any]


def render(
    kind: Kind,
    settings: Settings,
    hit_key: str,
    units: Sequence[Unit],
    address: Callable[[str], str],
    *,
    trial: bool = False,
) -> str:
    """The HTML page of a HIT.

    Args:
        kind: the kind of task.
        settings: the study's.
        hit_key: with the seed and the worker's id, it decides the order that a rater sees.
        units: rows of the units table, in planned order.
        address: from an image id to the URL under which a browser finds the picture; the URL's file name must
            begin with the image id and a dot.
        trial: a page to click through by oneself: the answers are live, nothing is sent.
    """
    terms = kind.terms(settings)
    data = {
        "kind": kind.name,
        "pictures": kind.pictures,
        "seed": settings.study.seed,
        "hit": hit_key,
        "trial": trial,
        "choices": [
            {"value": c.value, "label": c.label, "keys": c.keys, "hint": c.hint, "side": c.side}
            for c in kind.choices(settings)
        ],
        "units": [
            {"unit": unit["unit_id"], "pictures": [address(i) for i in ids_of(unit)]} for unit in units
        ],
    }
    page = _TEMPLATES.get_template("task.html").render(
        kind=kind.name,
        pictures=kind.pictures,
        question=terms.question,
        instructions=terms.description,
        contact=settings.study.contact,
        # "<" inside a script element could end it.
        data=Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")),
    )
    return re.sub(r"\n\s+", "\n", page)


def question_xml(html: str, kind: Kind) -> str:
    """The HTMLQuestion of a page, its frame as high as the window.

    Raises:
        SettingsError: the question is larger than a marketplace takes.
    """
    xml = (
        f'<HTMLQuestion xmlns="{_SCHEMA}"><HTMLContent>{escape(html)}</HTMLContent>'
        "<FrameHeight>0</FrameHeight></HTMLQuestion>"
    )
    size = len(xml.encode())
    if size > QUESTION_LIMIT:
        raise SettingsError(
            f"the page of a {kind.name} HIT has {size:,} bytes, and a marketplace takes {QUESTION_LIMIT:,}; "
            f"ask about fewer {kind.noun}s in one HIT (study.toml), or use a shorter market.image_url"
        )
    return xml


def ids_of(unit: Unit) -> list[str]:
    """The ids of a unit's one or two pictures."""
    return [unit["first_id"]] + ([unit["second_id"]] if unit["second_id"] else [])
