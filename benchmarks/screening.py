"""Screening on simulated crowds: what each rule finds and misses, and what leaving those raters out is worth.

    python benchmarks/screening.py              # 20 crowds of each sort: a minute or two
    python benchmarks/screening.py --seeds 2    # some seconds

A crowd is 40 raters of photojury.annotate.simulation.simulate, a fifth of them careless, two of each kind. They do HITs of
ten questions with one repeat, and gold questions as they fall due: 50 ordinary answers each, so that ten raters
answer each question. Thresholds are study.toml's defaults. Counts are pooled over the crowds. Precision: of the
raters that a rule names, the share who are careless; recall: of the careless, the share whom it names.

The gain is in Spearman's correlation with the planted quality, of mean ratings or of least-squares scores of
pairs: from all answers, and from those that are used. In a "divided" crowd every honest rater has twice the
noise, as where tastes differ; "poor pictures" have a mean quality of -1.2, so that most get one star.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
import numpy as np
import pandas as pd
from scipy import stats

from photojury.annotate.quality.gold import golds_due
from photojury.annotate.quality.screening import LABELS, screen
from photojury.annotate.simulation.simulate import CARELESS, Rater, answer, panel
from photojury.annotate.tasks.kind import kind, rated_row
from photojury.datasets.streams import stream
from photojury.sections import StarsSection
from photojury.settings import Settings

RATERS, SHARE = 40, 0.2
QUESTIONS, PER_HIT, GOLDS = 200, 10, 12
HITS = QUESTIONS // PER_HIT
OBVIOUS = 2.2  # quality of gold pictures, in standard deviations
# Pictures: one for each rating; for pairs fewer, so that each is in six or seven.
RATED, PAIRED = QUESTIONS, 60
# Rater i does the HITs i + offset (modulo HITS): with five of these, ten raters to a HIT, no two groups alike.
OFFSETS = (0, 3, 7, 12, 16, 1, 5, 9, 14, 18)


@dataclasses.dataclass(frozen=True)
class Crowd:
    """A sort of crowd: levels of stars, factor on the noise of honest raters, mean quality, HITs a rater does."""

    name: str
    task: str
    levels: int = 3
    noise: float = 1.0
    mean: float = 0.0
    hits_each: int = 5


CROWDS = (
    Crowd("stars, 3 levels", "stars"),
    Crowd("stars, 3 levels, poor pictures", "stars", mean=-1.2),
    Crowd("points, 5 levels", "stars", levels=5),
    Crowd("points, 5 levels, divided", "stars", levels=5, noise=2),
    Crowd("forced choice", "forced_choice"),
    Crowd("five levels", "five_level"),
    Crowd("five levels, divided", "five_level", noise=2),
)
# How many answers it takes: these two, with other numbers of HITs.
FEWER_AND_MORE = (2, 5, 10)

Question = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one crowd gave: raters named by each rule, who was careless in what way, and the two correlations."""

    named: Mapping[str, set[str]]
    careless: Mapping[str, str]
    before: float
    after: float


def outcome(crowd: Crowd, seed: int) -> Outcome:
    """Let a crowd answer and screen it; all is drawn from the seed."""
    task = crowd.task
    random = stream(seed, "crowd", task)
    settings = Settings(stars=StarsSection(levels=crowd.levels))
    quality = {
        f"i{i}": float(q)
        for i, q in enumerate(random.normal(crowd.mean, size=RATED if task == "stars" else PAIRED))
    }
    raters = [
        rater if rater.careless else dataclasses.replace(rater, noise=rater.noise * crowd.noise)
        for rater in panel(RATERS, seed=seed, careless=SHARE)
    ]
    # Gold questions are about pictures from elsewhere, obvious to everyone.
    quality |= {f"{end}{i}": q for end, q in (("best", OBVIOUS), ("worst", -OBVIOUS)) for i in range(GOLDS)}
    hits, golds = questions(task, quality, crowd.levels, random)
    mine = OFFSETS[: crowd.hits_each]
    answers = pd.DataFrame(
        row
        for number, rater in enumerate(raters)
        for row in work(
            task, settings, [hits[(number + o) % HITS] for o in mine], golds, rater, quality, seed
        )
    )
    units = pd.DataFrame([unit for hit in [*hits, golds] for unit in hit])
    nothing = answers[:0]
    tables = (answers, nothing) if task == "stars" else (nothing, answers)
    verdicts = screen(*tables, units, settings)
    named = {rule: {v.rater_id for v in verdicts if v.rule == rule} for rule in LABELS}
    ordinary = answers[answers["unit_id"].str.startswith("u")]
    used = ordinary[~ordinary["rater_id"].isin({v.rater_id for v in verdicts})]
    return Outcome(
        named,
        {rater.name: rater.careless for rater in raters},
        correlation(task, ordinary, quality),
        correlation(task, used, quality),
    )


def questions(
    task: str, quality: Mapping[str, float], levels: int, random: np.random.Generator
) -> tuple[list[list[Question]], list[Question]]:
    """HITs of ten questions and a repeat, and gold questions."""
    ids, pairs = [image for image in quality if image.startswith("i")], task != "stars"
    hits: list[list[Question]] = []
    for start in range(0, QUESTIONS, PER_HIT):
        hit = []
        for number in range(start, start + PER_HIT):
            other = (number + int(random.integers(1, len(ids)))) % len(ids)
            hit.append(question(task, f"u{number}", ids[number % len(ids)], ids[other] if pairs else None))
        once = hit[int(random.integers(PER_HIT))]
        shown = (once["second_id"], once["first_id"]) if pairs else (once["first_id"], None)
        again = question(task, f"r{start}", *shown)
        hits.append([*hit, {**again, "control": "repeat", "repeat_of": once["unit_id"]}])
    golds = []
    for number in range(GOLDS):
        best, worst = f"best{number}", f"worst{number}"
        first_best = number % 2 == 0
        first_id, second_id = (best, worst) if first_best else (worst, best)
        right = (1 if first_best else -1) if pairs else (levels if first_best else 1)
        unit = question(task, f"g{number}", first_id, second_id if pairs else None)
        golds.append({**unit, "control": "gold", "gold": float(right)})
    return hits, golds


def question(task: str, unit_id: str, first: str, second: str | None) -> Question:
    """A row of the units table."""
    common = {"control": None, "gold": None, "repeat_of": None}
    return {"unit_id": unit_id, "task": task, "first_id": first, "second_id": second, **common}


def work(
    task: str,
    settings: Settings,
    hits: Sequence[Sequence[Question]],
    golds: Sequence[Question],
    rater: Rater,
    quality: Mapping[str, float],
    seed: int,
) -> Iterator[dict[str, object]]:
    """One rater's answers to their HITs, with gold questions as they fall due."""
    random = stream(seed, "work", task, rater.name)
    task_kind = kind(task)
    choices = [{"value": choice.value} for choice in task_kind.choices(settings)]
    to_meet = [golds[int(i)] for i in random.permutation(len(golds))]
    for number, hit in enumerate(hits):
        due = golds_due(number * PER_HIT, settings.quality.min_golds)
        fresh, to_meet = to_meet[: due - (GOLDS - len(to_meet))], to_meet[due - (GOLDS - len(to_meet)) :]
        asked = {unit["unit_id"]: unit for unit in [*hit, *fresh]}
        page = {
            "kind": task,
            "choices": choices,
            "units": [
                {
                    "unit": name,
                    "pictures": [f"/{unit[end]}.jpg" for end in ("first_id", "second_id") if unit[end]],
                }
                for name, unit in asked.items()
            ],
        }
        for item in answer(page, rater, quality, random):
            row = rated_row(task_kind, asked[item["unit"]], item)
            about = {
                "assignment_id": f"{rater.name} {number}",
                "unit_id": item["unit"],
                "rater_id": rater.name,
            }
            yield {
                "attribute": "overall",
                "first_shown_left": True,
                **row,
                **about,
                "milliseconds": item["ms"],
            }


def correlation(task: str, answers: pd.DataFrame, quality: Mapping[str, float]) -> float:
    """Spearman's rho of the scores that these answers give with the planted quality."""
    if task == "stars":
        scores = answers.groupby("image_id")["value"].mean()
    else:
        scores = least_squares(answers)
    return float(stats.spearmanr(scores, [quality[image] for image in scores.index]).statistic)


def least_squares(answers: pd.DataFrame) -> "pd.Series[float]":
    """Scores s that make s_first - s_second nearest to the answers."""
    ids = sorted({*answers["first_id"], *answers["second_id"]})
    place = {image: i for i, image in enumerate(ids)}
    design = np.zeros((len(answers), len(ids)))
    rows = np.arange(len(answers))
    design[rows, answers["first_id"].map(place)] = 1
    design[rows, answers["second_id"].map(place)] = -1
    scores = np.linalg.lstsq(design, answers["value"].to_numpy(dtype=float), rcond=None)[0]
    return pd.Series(scores.tolist(), index=ids, dtype=float)


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Markdown: one line for each rule, and one for all together."""
    rules: dict[str, list[set[str]]] = {rule: [o.named[rule] for o in outcomes] for rule in LABELS}
    rules["all together"] = [set().union(*o.named.values()) for o in outcomes]
    yield (
        "| rule | precision | recall | "
        + " | ".join(f"of {sort}" for sort in CARELESS)
        + " | honest raters named |"
    )
    yield "| --- " * (len(CARELESS) + 4) + "|"
    for rule, named in rules.items():
        right = sum(bool(o.careless[rater]) for o, who in zip(outcomes, named, strict=True) for rater in who)
        wrong = sum(map(len, named)) - right
        precision = f"{right / (right + wrong):.3f}" if right + wrong else "-"
        honest = sum(not sort for o in outcomes for sort in o.careless.values())
        shares = [found(outcomes, named, (sort,)) for sort in CARELESS]
        cells = [rule, precision, found(outcomes, named, CARELESS), *shares, f"{wrong} of {honest}"]
        yield f"| {' | '.join(cells)} |"


def found(outcomes: Sequence[Outcome], named: Sequence[set[str]], sorts: Sequence[str]) -> str:
    """The share of careless raters of these kinds who were named."""
    there = [{r for r, sort in o.careless.items() if sort in sorts} for o in outcomes]
    share = sum(len(a & b) for a, b in zip(there, named, strict=True)) / sum(map(len, there))
    return f"{share:.2f}"


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True, help="Crowds of each sort.")
def main(seeds: int) -> None:
    """Print the tables of docs/screening.md."""
    gains = ["| crowd | all answers | used answers | gain |", "| --- | --- | --- | --- |"]
    for crowd in CROWDS:
        outcomes = [outcome(crowd, seed) for seed in range(1, seeds + 1)]
        click.echo(f"\n### {crowd.name.capitalize()}\n\n" + "\n".join(table(outcomes)))
        before, after = (np.array([getattr(o, when) for o in outcomes]) for when in ("before", "after"))
        gain, error = (after - before).mean(), (after - before).std() / np.sqrt(seeds)
        gains.append(
            f"| {crowd.name} | {before.mean():.3f} | {after.mean():.3f} | {gain:+.3f} ± {error:.3f} |"
        )
    click.echo("\n### Gain\n\n" + "\n".join(gains))
    click.echo("\n### How many answers it takes\n")
    click.echo("| crowd | ordinary answers of a rater | precision | recall |\n| --- | --- | --- | --- |")
    for crowd in (CROWDS[0], CROWDS[4]):
        for hits in FEWER_AND_MORE:
            again = dataclasses.replace(crowd, hits_each=hits)
            last = list(table([outcome(again, seed) for seed in range(1, seeds + 1)]))[-1].split(" | ")
            click.echo(f"| {crowd.name} | {hits * PER_HIT} | {last[1]} | {last[2]} |")


if __name__ == "__main__":
    main()
