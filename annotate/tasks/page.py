"""The page of one HIT: self-contained HTML that shows its questions and posts the answers.

Takes in a kind, a HIT's units and where the pictures are; gives out HTML, and the HTMLQuestion that carries
it. The page sends three fields: assignmentId, `answers` (JSON, one object for each question that was met: unit,
shown, value, position, ms, visits, load, visible, natural, size, input, and where there are any values, reason,
failed) and `page` (JSON: active_seconds, viewport and the like).
"""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import jinja2
import sqlalchemy as sa
from markupsafe import Markup

from photojury.annotate.tasks.kind import Kind
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, SettingsError
from photojury.settings import Settings

QUESTION_LIMIT = 65_535
"""Bytes that MTurk takes as a HIT's question, white space included (CreateHIT)."""

_SCHEMA = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("photojury.annotate"), autoescape=True, undefined=jinja2.StrictUndefined
)

_LEVELS = (
    {"value": -1, "sign": "−", "label": "speaks against it", "keys": ["ArrowLeft"]},
    {"value": 0, "sign": "0", "label": "plays no part", "keys": ["ArrowDown"]},
    {"value": 1, "sign": "+", "label": "speaks for it", "keys": ["ArrowRight"]},
)

Unit = Mapping[str, Any]


@dataclass(frozen=True)
class Questions:
    """What one HIT asks: rows of the units table.

    Attributes:
        asked: what every rater is asked, repeats among them.
        golds: of which a rater meets as many as are due (photojury.annotate.quality.gold).
        training: with feedback, before a rater's first HIT.
    """

    asked: Sequence[Unit]
    golds: Sequence[Unit] = ()
    training: Sequence[Unit] = ()


def render(
    kind: Kind,
    settings: Settings,
    hit_key: str,
    questions: Questions,
    address: Callable[[str], str],
    *,
    examples: Sequence[tuple[str, str]] = (),
    trial: bool = False,
) -> str:
    """The HTML page of a HIT.

    Args:
        kind: the kind of task.
        settings: the study's.
        hit_key: with the seed and the worker's id, it decides the order that a rater sees.
        questions: what it asks.
        address: from an image id to the URL under which a browser finds the picture; the URL's file name must
            begin with the image id and a dot.
        examples: image ids and what to see in them, for the instructions.
        trial: a page to click through by oneself: the answers are live, nothing is sent.
    """
    terms = kind.terms(settings)
    attributes = list(kind.attributes(settings))
    choices = kind.choices(settings)
    data = {
        "kind": kind.name,
        "pictures": kind.pictures,
        "seed": settings.study.seed,
        "hit": hit_key,
        "trial": trial,
        # Where each answer is one of the pictures, the pictures can be clicked.
        "clickable": len(choices) == 2 and all(choice.side for choice in choices),
        "choices": [_without_empty(dataclasses.asdict(choice)) for choice in choices],
        "attributes": attributes,
        "levels": _LEVELS if attributes else [],
        "minGolds": settings.quality.min_golds,
        "units": [_asked(unit, address) for unit in questions.asked],
        "golds": [_asked(unit, address) for unit in questions.golds],
        "training": [
            {**_asked(unit, address), "expected": unit["gold"], "why": unit["explanation"] or ""}
            for unit in questions.training
        ],
    }
    page = _TEMPLATES.get_template("task.html").render(
        kind=kind.name,
        pictures=kind.pictures,
        attributes=attributes,
        reason=kind.asks_reason(settings),
        question=terms.question,
        instructions=terms.description,
        examples=[{"address": address(image), "text": text} for image, text in examples],
        contact=settings.study.contact,
        # "<" inside a script element could end it.
        data=Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")),
    )
    return re.sub(r"\n\s+", "\n", page)


def questions_of(hit: Mapping[str, Any], units: Mapping[str, Unit]) -> Questions:
    """What a row of the hits table asks.

    Args:
        hit: with unit_ids, gold_ids and training_ids.
        units: rows of the units table by id.
    """
    asked, golds, training = (
        [units[unit] for unit in json.loads(hit[name] or "[]")]
        for name in ("unit_ids", "gold_ids", "training_ids")
    )
    return Questions(asked, golds, training)


def examples_of(study: Study, kind: Kind) -> list[tuple[str, str]]:
    """The examples that study.toml gives for a kind's instructions: image ids and what to see in them.

    Raises:
        InputError: an example is not written "picture.jpg = text", or names no picture of the study.
    """
    found: list[tuple[str, str]] = []
    for line in getattr(getattr(study.settings, kind.name), "examples", ()):
        name, separator, text = (part.strip() for part in line.partition("="))
        query = sa.select(tables.images.c.image_id).where(
            (tables.images.c.source_id == name) | (tables.images.c.image_id == name)
        )
        rows = study.rows(query)
        if not separator or not rows:
            raise InputError(
                f'{study.folder / "study.toml"}: {kind.name}.examples holds {line!r}; write "picture.jpg = what '
                'to see in it", with the name of a picture that was collected'
            )
        found.append((rows[0]["image_id"], text))
    return found


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


def _asked(unit: Unit, address: Callable[[str], str]) -> dict[str, object]:
    asked: dict[str, object] = {"unit": unit["unit_id"], "pictures": [address(i) for i in ids_of(unit)]}
    # A question that comes again stands beside the one it repeats, with the sides swapped.
    return {**asked, "of": unit["repeat_of"]} if unit["control"] == "repeat" else asked


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != ""}
