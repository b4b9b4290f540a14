"""A pilot without people: what n raters and m pairs would cost, how long they would take, how well they would do.

Takes in a study and a task; takes its first batch, or plans it as study.toml says, lets a made-up panel answer it in memory
(photojury.annotate.simulation.simulate's raters), scores the answers, and compares the scores with the planted qualities.
Gives out a table with a row for each number of raters and share of the planned questions.

The panel is an assumption, written down in `simulate.panel`; a pilot with people is the better guide once there
is one. What it shows well is the shape: what the next rater or pair still buys.

    >>> table = pilot(study, "stars", raters=(5, 10), runs=3)        # doctest: +SKIP
    >>> table[["raters", "cost_cents", "spearman"]]                  # doctest: +SKIP
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from markupsafe import Markup
from scipy import stats

from photojury.analysis.figures.cost import precision_by_cost
from photojury.annotate.batches import hit_sizes
from photojury.annotate.pairs.thurstone import posterior
from photojury.annotate.simulation.simulate import answer, drawn_truth, panel
from photojury.annotate.tasks.kind import Kind, Unit, kind
from photojury.datasets import tables
from photojury.datasets.money import cost_of
from photojury.datasets.store import Study
from photojury.datasets.streams import stream
from photojury.errors import InputError
from photojury.settings import Settings

FloatArray = npt.NDArray[np.float64]

SHARES = (0.25, 0.5, 1.0)
"""Of the planned pairs, in the order in which they were drawn."""

MOST_IMAGES = 2000
"""Pair scores are estimated with a dense matrix of this size."""


_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("photojury.annotate"), autoescape=True, undefined=jinja2.StrictUndefined
)


@dataclass(frozen=True)
class _Trial:
    """One batch as it would be published."""

    task: Kind
    study: Study
    units: Sequence[Unit]
    raters: int


def pilot(
    study: Study,
    task: str,
    *,
    raters: Sequence[int] = (3, 5, 10, 15, 20),
    careless: float = 0.1,
    runs: int = 5,
    progress: Callable[[int], None] = lambda done: None,
) -> pd.DataFrame:
    """Simulate a task with several numbers of raters, and, for pairs, several numbers of pairs.

    Args:
        study: with pictures, and with what the task's plan needs (a split, features).
        task: stars, attributes, five_level, forced_choice or series.
        raters: different people for each question.
        careless: share of the panel that does not look.
        runs: repetitions with other people, whose spread is given.
        progress: called with the number of finished combinations.

    Returns:
        raters, questions, hits, assignments, cost_cents, work_hours (the sum over people), minutes_per_hit
        (median), wage_cents (an hour, at that median), spearman (mean over runs of the rank correlation of
        scores and planted quality), spearman_sd, n_images; one row a combination.

    Raises:
        InputError: an unknown task, one without scores (custom), too few or too many pictures.
    """
    task_kind = kind(task)
    if task_kind.name == "custom":
        raise InputError("a custom page has no questions that simulated raters could answer")
    units = _planned(study, task_kind) or task_kind.plan(study, f"{task_kind.name}-pilot")
    ids = {unit.first_id for unit in units} | {unit.second_id for unit in units if unit.second_id}
    if not 3 <= len(ids) <= (MOST_IMAGES if task_kind.pictures == 2 else 10**9):
        raise InputError(
            f"{task_kind.name} would ask about {len(ids)} pictures; a pilot needs 3 at least, and of pairs "
            f"{MOST_IMAGES} at most: run it on a study with a sample of them"
        )
    shares = SHARES if task_kind.pictures == 2 else (1.0,)
    rows = []
    for share in shares:
        asked = units[: max(1, round(share * len(units)))]
        for number in raters:
            rows.append(_row(_Trial(task_kind, study, asked, number), sorted(ids), careless, runs))
            progress(len(rows))
    return pd.DataFrame(rows)


def write_page(table: pd.DataFrame, settings: Settings, *, careless: float, runs: int) -> str:
    """The table and its plot as one HTML page."""
    return _TEMPLATES.get_template("pilot.html").render(
        rows=table.to_dict("records"),
        figure=Markup(precision_by_cost(table)),
        name=settings.study.name,
        careless=careless,
        runs=runs,
    )


def _planned(study: Study, task: Kind) -> list[Unit]:
    """The questions of the task's first batch, where one is planned already."""
    table = tables.units
    query = sa.select(table).where(table.c.task == task.name, table.c.control.is_(None))
    rows = study.rows(query.where(table.c.batch == f"{task.name}-1").order_by(table.c.draw, table.c.unit_id))
    return [Unit(row["first_id"], row["second_id"], part=row["part"], draw=row["draw"]) for row in rows]


def _row(trial: _Trial, ids: Sequence[str], careless: float, runs: int) -> dict[str, object]:
    terms, fee = trial.task.terms(trial.study.settings), trial.study.settings.market.fee_percent
    results = [_run(trial, ids, careless, run) for run in range(runs)]
    correlations = [correlation for correlation, _ in results]
    seconds = np.concatenate([times for _, times in results])
    hits = len(hit_sizes(len(trial.units), terms.units_per_hit))
    median = float(np.median(seconds))
    return {
        "task": trial.task.name,
        "raters": trial.raters,
        "questions": len(trial.units),
        "hits": hits,
        "assignments": hits * trial.raters,
        "cost_cents": cost_of(hits, trial.raters, terms.reward_cents, fee).total,
        "work_hours": round(float(seconds.sum()) / runs / 3600, 2),
        "minutes_per_hit": round(median / 60, 2),
        "wage_cents": round(terms.reward_cents * 3600 / median),
        "spearman": round(float(np.mean(correlations)), 4),
        "spearman_sd": round(float(np.std(correlations, ddof=1)), 4) if runs > 1 else float("nan"),
        "n_images": len(ids),
    }


def _run(trial: _Trial, ids: Sequence[str], careless: float, run: int) -> tuple[float, FloatArray]:
    """The rank correlation of one simulated batch, and the seconds of each of its assignments."""
    study, seed = trial.study, trial.study.settings.study.seed
    random = stream(seed, "pilot", trial.task.name, str(run))
    quality = _truth(study, ids, run)
    # Each HIT is done by some people of a panel, not by all: severe and lenient ones meet different pictures.
    people = panel(max(20, 2 * trial.raters), seed=seed + run, careless=careless)
    page = _page(trial)
    sizes = hit_sizes(len(trial.units), trial.task.terms(study.settings).units_per_hit)
    order = random.permutation(len(trial.units))
    answers: list[Mapping[str, Any]] = []
    seconds: list[float] = []
    start = 0
    for size in sizes:
        units = [page["units"][i] for i in order[start : start + size]]
        start += size
        for who in random.choice(len(people), trial.raters, replace=False):
            given = answer({**page, "units": units}, people[int(who)], quality, random)
            answers += given
            seconds.append(sum(item["ms"] for item in given) / 1000)
    scores = _pair_scores(answers, ids) if trial.task.pictures == 2 else _mean_scores(answers, ids)
    truth = np.array([quality[image] for image in ids])
    return float(stats.spearmanr(scores, truth).statistic), np.array(seconds)


def _truth(study: Study, ids: Sequence[str], run: int) -> dict[str, float]:
    """Planted qualities: the study's own for the first run, others for the next ones."""
    if run == 0:
        known = drawn_truth(study)
        return {image: known[image] for image in ids}
    drawn = stream(study.settings.study.seed, "truth", str(run)).normal(size=len(ids))
    return dict(zip(ids, drawn.tolist(), strict=True))


def _page(trial: _Trial) -> dict[str, Any]:
    """What simulated raters read of a page: its kind, its choices and its questions."""
    choices = [{"value": choice.value} for choice in trial.task.choices(trial.study.settings)]
    units = [
        {
            "unit": f"{number}",
            "pictures": [f"{image}.jpg" for image in (unit.first_id, unit.second_id) if image],
        }
        for number, unit in enumerate(trial.units)
    ]
    attributes = list(trial.task.attributes(trial.study.settings))
    return {"kind": trial.task.name, "choices": choices, "units": units, "attributes": attributes}


def _mean_scores(answers: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> FloatArray:
    """Mean rating of each picture."""
    row = {image: number for number, image in enumerate(ids)}
    codes = np.array([row[item["shown"][0]] for item in answers])
    values = np.array([item["value"] for item in answers], dtype=np.float64)
    return np.bincount(codes, values, len(ids)) / np.bincount(codes, minlength=len(ids))


def _pair_scores(answers: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> FloatArray:
    """Thurstone scores of all answers; a picture in no pair stays at 0."""
    row = {image: number for number, image in enumerate(ids)}
    first = [row[item["shown"][0]] for item in answers]
    second = [row[item["shown"][1]] for item in answers]
    return posterior(first, second, [item["value"] for item in answers], images=len(ids)).mean
