"""Simulated raters: made-up people with known taste who do HITs on the worker site, over HTTP, as a browser would.

Takes in a worker site's address, a panel and the planted quality of each picture; what comes out is in the
marketplace, like anyone's work. Their worker ids begin with ASIMULATED, and fetching marks every row that
they had a hand in. They serve the demo, the tests, and planning: what would five raters give?

A rater sees the planted quality q (standard deviations over the pictures) through a bias and noise of their
own, as in Thurstone's law of comparative judgment (1927): for stars, q + bias + noise falls between cut points
that part a normal distribution evenly; for pairs, the difference of two such impressions, plus a preference
for the left side, falls between cut points. Careless raters do not look; there are four kinds of them:

- random: any answer, at an honest pace;
- fast: any answer, faster than one can see;
- straight: nearly always the same answer, one of their own;
- side: nearly always the button on the left.

    >>> [rater.careless for rater in panel(5, seed=1, careless=0.8)]
    ['', 'random', 'fast', 'straight', 'side']
"""

import csv
import json
import math
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import sqlalchemy as sa

from photojury.annotate.quality.gold import golds_due
from photojury.annotate.simulation.visitor import Visitor
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.datasets.streams import stream
from photojury.errors import InputError

# Differences of impressions, in standard deviations of quality, at which "equal" becomes "better" and
# "better" becomes "much better". Ours: with noise 0.5 they spread answers over all five levels.
_PAIR_CUTS = (0.3, 1.2)

CARELESS = ("random", "fast", "straight", "side")
"""The kinds of careless raters, in the order in which a panel has them."""

# How often straight and one-sided raters press their button, and the median seconds of fast ones. Ours.
_STUBBORN = 0.9
_FAST_SECONDS = 0.25


@dataclass(frozen=True)
class Rater:
    """A made-up person.

    Attributes:
        name: of their random stream.
        bias: added to every impression of a single picture, in standard deviations of quality.
        noise: standard deviation of an impression around the quality.
        seconds: median time for one answer.
        left: preference for the left picture, in standard deviations of quality.
        careless: how they answer without looking, one of CARELESS; "" for an honest person.
    """

    name: str
    bias: float
    noise: float
    seconds: float
    left: float
    careless: str = ""


@dataclass(frozen=True)
class Simulated:
    """What a simulation did."""

    raters: int
    assignments: int
    answers: int


def panel(raters: int, *, seed: int, careless: float = 0.1) -> list[Rater]:
    """People of different severity, attention and speed; the last ones are careless, of each kind in turn.

    Bias is N(0, 0.3), noise log-normal around 0.5, time log-normal around 2.5 s, side preference N(0, 0.05).
    """
    random = stream(seed, "panel")
    honest = raters - round(careless * raters)
    return [
        Rater(
            name=f"rater {i}",
            bias=float(random.normal(0, 0.3)),
            noise=float(random.lognormal(math.log(0.5), 0.25)),
            seconds=float(random.lognormal(math.log(2.5), 0.3)),
            left=float(random.normal(0, 0.05)),
            careless=CARELESS[(i - honest) % len(CARELESS)] if i >= honest else "",
        )
        for i in range(raters)
    ]


def drawn_truth(study: Study) -> dict[str, float]:
    """A quality for every kept picture, drawn from N(0, 1) by the study's seed: for planning, not for science."""
    query = sa.select(tables.images.c.image_id).where(tables.images.c.status == "kept")
    ids = sorted(row["image_id"] for row in study.rows(query))
    return dict(
        zip(ids, stream(study.settings.study.seed, "truth").normal(size=len(ids)).tolist(), strict=True)
    )


def read_truth(study: Study, path: Path) -> dict[str, float]:
    """Qualities from a CSV with the columns image_id and quality.

    Raises:
        InputError: the file is no such CSV, or a picture of the study is not in it.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            truth = {row["image_id"]: float(row["quality"]) for row in csv.DictReader(file)}
    except (KeyError, ValueError, TypeError):
        raise InputError(f"{path} must be a CSV with the columns image_id and quality (a number)") from None
    missing = [image for image in drawn_truth(study) if image not in truth]
    if missing:
        raise InputError(f"{path} lacks {len(missing)} of the study's pictures, for one {missing[0]}")
    return truth


def simulate(
    site: str,
    raters: Sequence[Rater],
    quality: Mapping[str, float],
    *,
    seed: int,
    progress: Callable[[int], None] = lambda done: None,
) -> Simulated:
    """Let a panel do every open HIT that each of them may do.

    Args:
        site: the worker site's address, http://127.0.0.1:8700.
        raters: who rates.
        quality: planted quality by image id.
        seed: the study's.
        progress: called with the number of assignments done.

    Raises:
        ServiceError: the site does not answer, or not as a worker site does.
    """
    done: list[int] = []
    hits: Counter[tuple[str, str]] = Counter()
    with ExitStack() as visits:
        # One HIT, then the next rater's turn: everyone does a like share, in the same order every time.
        waiting = deque(
            (rater, visits.enter_context(Visitor(site)), stream(seed, "simulate", rater.name))
            for rater in raters
        )
        while waiting:
            rater, visitor, random = waiting.popleft()
            task = visitor.next_task()
            if task is None:
                continue
            data, mine = task.data, (rater.name, str(task.data["kind"]))
            items = answer(
                {**data, "units": [*data["units"], *_golds(data, hits[mine], random)]}, rater, quality, random
            )
            hits[mine] += 1
            visitor.submit(task, {"answers": json.dumps(items), "page": json.dumps(_page_facts(items))})
            done.append(len(items))
            progress(len(done))
            waiting.append((rater, visitor, random))
    return Simulated(len(raters), len(done), sum(done))


def _golds(data: Mapping[str, Any], hits: int, random: np.random.Generator) -> list[dict[str, Any]]:
    """The gold questions that a page shows to a rater who has done so many HITs, as templates/task_order.js does."""
    each, there = len(data["units"]), data.get("golds", [])
    before = golds_due(hits * each, data["minGolds"]) if hits else 0
    due = golds_due((hits + 1) * each, data["minGolds"]) - before if there else 0
    return [there[int(i)] for i in random.permutation(len(there))[:due]] if due else []


def _page_facts(items: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    seconds = sum(item["ms"] for item in items) / 1000
    return {"active_seconds": round(seconds, 1), "viewport": [1280, 800], "pixel_ratio": 1}


def answer(
    data: Mapping[str, Any], rater: Rater, quality: Mapping[str, float], random: np.random.Generator
) -> list[dict[str, Any]]:
    """The answers of one rater to one page, as the page itself would send them.

    Args:
        data: the page's task-data: kind, choices, units with the addresses of their pictures.
        rater: who answers.
        quality: planted quality by image id.
        random: the rater's stream.
    """
    items = []
    for position, index in enumerate(random.permutation(len(data["units"]))):
        unit = data["units"][index]
        shown = [address.rsplit("/", 1)[-1].split(".")[0] for address in unit["pictures"]]
        random.shuffle(shown)
        value = (
            _careless_value(data, rater, random)
            if rater.careless
            else _value(data, rater, quality, shown, random)
        )
        median = _FAST_SECONDS if rater.careless == "fast" else rater.seconds
        milliseconds = round(1000 * float(random.lognormal(math.log(median), 0.35)))
        item = {
            "unit": unit["unit"],
            "shown": shown,
            "value": value,
            "position": position,
            "ms": milliseconds,
        }
        if data.get("attributes"):
            item["values"] = _attributes(data["attributes"], rater, quality[shown[0]], random)
        items.append(item)
    return items


def _attributes(
    names: Sequence[str], rater: Rater, quality: float, random: np.random.Generator
) -> dict[str, int]:
    """Attributes follow the quality loosely: one of N(quality / 2, 1) under -0.5, between, or over 0.5."""
    seen = random.normal(0 if rater.careless else quality / 2, 1, len(names))
    return {name: int(value > 0.5) - int(value < -0.5) for name, value in zip(names, seen, strict=True)}


def _value(
    data: Mapping[str, Any],
    rater: Rater,
    quality: Mapping[str, float],
    shown: Sequence[str],
    random: np.random.Generator,
) -> int:
    impressions = [quality[image] + float(random.normal(0, rater.noise)) for image in shown]
    if len(shown) == 1:
        levels = len(data["choices"])
        spread = NormalDist(0, math.hypot(1, rater.noise))
        return min(levels, 1 + int(levels * spread.cdf(impressions[0] + rater.bias)))
    difference = impressions[0] - impressions[1] + rater.left
    if len(data["choices"]) == 2:
        return 1 if difference > 0 else -1
    level = sum(abs(difference) > cut for cut in _PAIR_CUTS)
    return level if difference > 0 else -level


def _careless_value(data: Mapping[str, Any], rater: Rater, random: np.random.Generator) -> int:
    values = [int(choice["value"]) for choice in data["choices"]]
    if rater.careless in ("straight", "side") and random.random() < _STUBBORN:
        own = stream(0, "button", rater.name).integers(len(values)) if rater.careless == "straight" else 0
        return values[int(own)]
    return values[int(random.integers(len(values)))]
