"""What a kind of task is: how it is planned, what its page shows, how an answer becomes a row.

A kind is one file in this folder with a `KIND`; `kind(name)` finds it. Everything else in `annotate` treats
all kinds alike.

    >>> kind("stars").table
    'ratings'
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from photojury.datasets.store import Study
from photojury.errors import unknown_name
from photojury.settings import Settings

KINDS: dict[str, str] = {
    "stars": "photojury.annotate.tasks.stars",
    "attributes": "photojury.annotate.tasks.attributes",
    "five_level": "photojury.annotate.tasks.five_level",
    "forced_choice": "photojury.annotate.tasks.forced_choice",
    "series": "photojury.annotate.tasks.series",
    "custom": "photojury.annotate.tasks.custom",
}


class UnusableError(Exception):
    """An answer that cannot be used; the message is one sentence without its subject."""


@dataclass(frozen=True)
class Choice:
    """One answer that a rater can give: what is stored, what the button says, the keys that press it."""

    value: int
    label: str
    keys: tuple[str, ...]
    hint: str = ""
    side: str = ""  # "first" or "second" where the choice is one of the two pictures
    spoken: str = ""  # for screen readers, where the label is a sign


@dataclass(frozen=True)
class Unit:
    """One question to be planned: an image, or a pair with what the sampler knows of it."""

    first_id: str
    second_id: str | None = None
    part: str | None = None
    draw: int | None = None
    similarity: float | None = None


@dataclass(frozen=True)
class Terms:
    """What a HIT of a kind offers, from study.toml."""

    question: str
    units_per_hit: int
    raters: int
    reward_cents: int
    assignment_minutes: int
    title: str
    description: str
    keywords: str


@dataclass(frozen=True)
class Kind:
    """A kind of task.

    Attributes:
        name: as in the units table.
        table: where its answers go, ratings or comparisons; empty where only the raw answers are kept.
        pictures: pictures in one question, 1 or 2; 0 where HITs are made from rows of a CSV.
        noun: what one question is about, for sentences: "picture" or "pair".
        terms: what a HIT offers.
        choices: the answers, as buttons from left to right.
        plan: the questions to ask; seeded by the batch's name, so that another batch asks others.
        attributes: names that are answered with negative, null or positive beside the choice.
        asks_reason: whether raters may write why.
        inputs: the rows of a CSV, each to become a HIT; None where HITs are made of units.
        page: the HTML of one row's HIT; None where photojury's own page shows the units.
    """

    name: str
    table: str
    pictures: int
    noun: str
    terms: Callable[[Settings], Terms]
    choices: Callable[[Settings], Sequence[Choice]]
    plan: Callable[[Study, str], Sequence[Unit]]
    attributes: Callable[[Settings], Sequence[str]] = lambda settings: ()
    asks_reason: Callable[[Settings], bool] = lambda settings: False
    inputs: Callable[[Study], Sequence[Mapping[str, str]]] | None = None
    page: Callable[[Study, Mapping[str, str]], str] | None = None


def kind(name: str) -> Kind:
    """The kind of that name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    name = name.replace("-", "_")
    if name not in KINDS:
        raise unknown_name("task", name, KINDS)
    found: Kind = importlib.import_module(KINDS[name]).KIND
    return found


def rated_row(kind: Kind, unit: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, object]:
    """The columns of a rating or comparison that the answer itself decides.

    A pair's answer counts from the picture on the left, -2..2 or -1, 1, positive when that one is better; the
    row counts from the unit's first picture, as everywhere in photojury.

    Raises:
        UnusableError: the answer is about other pictures than the unit's.
    """
    shown = item.get("shown")
    ids = [unit["first_id"]] if kind.pictures == 1 else [unit["first_id"], unit["second_id"]]
    if not isinstance(shown, list) or sorted(map(str, shown)) != sorted(ids):
        raise UnusableError(f"names pictures that unit {unit['unit_id']} did not show")
    value = float(item["value"])
    if kind.pictures == 1:
        return {"task": kind.name, "attribute": "overall", "image_id": ids[0], "value": value}
    left = shown[0] == ids[0]
    return {
        "task": kind.name,
        "first_id": ids[0],
        "second_id": ids[1],
        # `+ 0.0` turns the -0.0 of a mirrored tie into 0.0.
        "value": (value if left else -value) + 0.0,
        "first_shown_left": left,
    }
