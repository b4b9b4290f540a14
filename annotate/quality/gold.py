"""Gold and training questions: questions whose right answer is known, from a CSV or from what raters agree on.

Takes in a CSV, or the answers of a study; writes units with `control` "gold" or "training", of the batch
"gold". HITs that are planned afterwards carry some of them (annotate/quality/control_questions.py); none of their answers
enters an analysis. Gold questions measure raters in silence; training questions explain themselves.

    >>> [golds_due(answered, min_golds=2) for answered in (0, 10, 100, 1000)]
    [2, 3, 6, 14]
"""

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from photojury.annotate.quality.control_questions import BATCH, control_units, unit_key
from photojury.annotate.tasks.kind import Kind, kind
from photojury.datasets import tables
from photojury.datasets.counting import not_counted
from photojury.datasets.store import Study
from photojury.errors import InputError

Row = Mapping[str, Any]

COLUMNS = ("first", "second", "value", "explanation")

# So many digits of an image id at least, so that a prefix is no accident.
_LEAST_PREFIX = 6


@dataclass(frozen=True)
class Added:
    """What came of a file or a promotion: new questions, and those that were there already."""

    new: int
    known: int


def golds_due(answered: int, min_golds: int) -> int:
    """How many gold questions a rater should have met in all, after so many ordinary answers.

    Many at first, then ever fewer: about 5 % at 100 answers, 1 % at 1000. From Mephisto's `worker_needs_gold`
    (mephisto/abstractions/blueprints/mixins/use_gold_unit.py): ceil(log10(n + 1) ** 2.2) - 1 beyond the first
    `min_golds`.
    """
    return min_golds + max(0, math.ceil(math.pow(math.log10(answered + 1), 2.2)) - 1)


def add_gold(study: Study, path: Path, task: str, *, training: bool = False) -> Added:
    """Take in a CSV with the columns first, second (of pairs), value, explanation; all of it, or nothing.

    Args:
        study: the open study.
        path: the file; a picture is named by its image id, the beginning of that, or its source id.
        task: whose questions these are.
        training: with feedback before a rater's first HIT, instead of unannounced among the others.

    Raises:
        InputError: the file is no such CSV, or rows are wrong; each is named with its line.
    """
    task_kind = controlled(task)
    control = "training" if training else "gold"
    pictures = _Pictures(study)
    values = [choice.value for choice in task_kind.choices(study.settings)]
    rows: list[dict[str, object]] = []
    wrong: list[str] = []
    for line, given in _lines(path):
        try:
            unit = _unit(task_kind, control, given, values, pictures)
        except InputError as error:
            wrong.append(f"line {line}: {error}")
        else:
            rows.append({**unit, "draw": line})
    if wrong:
        shown = "\n".join(f"  {sentence}" for sentence in wrong)
        raise InputError(f"{path}: nothing was taken in, {len(wrong)} rows are wrong\n{shown}")
    return _keep(study, rows)


def promote(study: Study, task: str, *, raters: int = 10) -> Added:
    """Make gold questions of what raters agree on: only the obviously best and worst.

    A rating question is promoted where at least `raters` used answers are all the scale's best, or all its
    worst; a pair where all name the same picture (its value is the lower median of their strength).

    Raises:
        InputError: an unknown task, or one whose questions cannot be gold.
    """
    task_kind = controlled(task)
    values = [choice.value for choice in task_kind.choices(study.settings)]
    units = study.read("units")
    answers = study.read(task_kind.table)
    answers = answers[not_counted(answers, study.read("assignments"), units).isna()]
    if task_kind.table == "ratings":
        answers = answers[answers["attribute"] == "overall"]
    agreed = {
        str(unit): _agreed(list(given["value"]), values, raters, pairs=task_kind.pictures == 2)
        for unit, given in answers.groupby("unit_id")
    }
    ours = units[(units["task"] == task_kind.name) & units["unit_id"].isin(agreed)]
    rows = []
    for unit in ours.to_dict("records"):
        value = agreed[unit["unit_id"]]
        if value is not None:
            second = unit["second_id"] if isinstance(unit["second_id"], str) else None
            rows.append(_row(task_kind, "gold", unit["first_id"], second, value, None))
    return _keep(study, rows)


def listed(study: Study, task: str | None = None) -> pd.DataFrame:
    """The gold and training questions, with how often they were answered and how often rightly (same sign, or equal).

    Returns:
        unit_id, task, control, first_id, second_id, gold, explanation, answers, right.
    """
    units = study.read("units", {"batch": BATCH})
    units = units[units["task"] == controlled(task).name] if task else units
    answers = pd.concat([study.read(name)[["unit_id", "value"]] for name in ("ratings", "comparisons")])
    joined = answers.merge(units[["unit_id", "gold", "second_id"]], on="unit_id")
    same = joined["value"] == joined["gold"]
    side = joined["second_id"].notna() & (joined["value"] * joined["gold"] > 0)
    counts = joined.assign(right=same | side).groupby("unit_id")["right"].agg(["size", "sum"])
    columns = ["unit_id", "task", "control", "first_id", "second_id", "gold", "explanation"]
    found = units[columns].merge(counts, left_on="unit_id", right_index=True, how="left")
    found = found.rename(columns={"size": "answers", "sum": "right"})
    return found.fillna({"answers": 0, "right": 0}).astype({"answers": int, "right": int})


def controlled(task: str) -> Kind:
    """The kind of a task whose questions can be gold: about one picture or two.

    Raises:
        InputError: there is none, or it is a requester's own page.
    """
    task_kind = kind(task)
    if task_kind.pictures not in (1, 2) or task_kind.name == "custom":
        raise InputError(f"{task_kind.name} asks on a page of your own; put control questions into that page")
    return task_kind


def _agreed(given: Sequence[float], values: Sequence[int], raters: int, *, pairs: bool) -> float | None:
    """The answer that all agree on, or None."""
    if len(given) < raters:
        return None
    if not pairs:
        return given[0] if len(set(given)) == 1 and given[0] in (min(values), max(values)) else None
    if min(given) > 0 or max(given) < 0:
        return math.copysign(statistics.median_low(sorted(map(abs, given))), given[0])
    return None


def _lines(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    """The rows of the CSV with their line numbers."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in ("first", "value") if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(
                    f"{path} lacks the column {missing[0]}; its columns are {', '.join(COLUMNS)}, second for "
                    "pairs only"
                )
            return [
                (reader.line_num, {name: (row.get(name) or "").strip() for name in COLUMNS}) for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV in UTF-8: {error}") from None


class _Pictures:
    """The study's kept pictures, found by what a person writes."""

    def __init__(self, study: Study) -> None:
        table = tables.images
        query = sa.select(table.c.image_id, table.c.source_id).where(table.c.status == "kept")
        rows = study.rows(query)
        self._ids = {row["image_id"] for row in rows}
        self._by_source: dict[str, list[str]] = {}
        for row in rows:
            self._by_source.setdefault(row["source_id"], []).append(row["image_id"])

    def find(self, name: str) -> str:
        """The id of the picture.

        Raises:
            InputError: no picture, or several.
        """
        found = [name] if name in self._ids else list(self._by_source.get(name, []))
        if not found and len(name) >= _LEAST_PREFIX:
            found = [image for image in self._ids if image.startswith(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"{name} stands for {len(found)} pictures; write more of the image id")
        raise InputError(
            f"there is no kept picture {name!r}; write an image id, its beginning, or a source id"
        )


def _unit(
    task_kind: Kind, control: str, given: Mapping[str, str], values: Sequence[int], pictures: _Pictures
) -> dict[str, object]:
    first = pictures.find(given["first"])
    second = pictures.find(given["second"]) if task_kind.pictures == 2 else None
    if task_kind.pictures == 1 and given["second"]:
        raise InputError(f"{task_kind.name} is about one picture, and the row names a second")
    if first == second:
        raise InputError("both pictures are the same")
    try:
        value = float(given["value"])
    except ValueError:
        value = math.nan
    if value not in values:
        allowed = ", ".join(map(str, sorted(values)))
        raise InputError(f"the value is {given['value'] or 'missing'}; {task_kind.name} takes {allowed}")
    return _row(task_kind, control, first, second, value, given["explanation"] or None)


def _row(
    task_kind: Kind, control: str, first: str, second: str | None, value: float, explanation: str | None
) -> dict[str, object]:
    return {
        # Of a pair, whichever picture comes first: it is the same question.
        "unit_id": unit_key(control, task_kind.name, *sorted([first, second or ""])),
        "batch": BATCH,
        "task": task_kind.name,
        "control": control,
        "first_id": first,
        "second_id": second,
        "gold": value,
        "explanation": explanation,
    }


def _keep(study: Study, rows: Sequence[Row]) -> Added:
    """Write the questions that are new.

    Raises:
        InputError: two of them, or one and an older one, ask the same and expect different answers.
    """
    there = {row["unit_id"]: row for row in control_units(study)}
    new: dict[str, Row] = {}
    for row in rows:
        known = there.get(row["unit_id"]) or new.get(row["unit_id"])
        if known is None:
            new[row["unit_id"]] = row
        elif _seen_from(known, row["first_id"]) != row["gold"]:
            pictures = row["first_id"][:12] + (f" and {row['second_id'][:12]}" if row["second_id"] else "")
            raise InputError(
                f"the {row['control']} question about {pictures} has two answers, "
                f"{_seen_from(known, row['first_id']):g} and {row['gold']:g}; keep one"
            )
    study.add("units", list(new.values()))
    return Added(len(new), len(rows) - len(new))


def _seen_from(unit: Row, first: str) -> float:
    """The right answer of a question, counted from the picture `first`."""
    value: float = unit["gold"]
    return value if unit["first_id"] == first else -value
