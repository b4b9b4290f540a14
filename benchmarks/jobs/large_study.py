"""A large study made in a minute: pictures, questions, answers, money, checks and a model's scores, straight into SQLite.

    python benchmarks/jobs/large_study.py /tmp/large --images 100000

An image in ten star HITs of ten images; four of five images begin five pairs' worth of five-level HITs, one of five a
forced choice; so 100,000 images have 1,000,000 ratings and 500,000 comparisons. Raters differ in how much they do, in
bias and in noise; some click at random, always the same, or always left. Files are hard links to a few pictures.
"""

import hashlib
import io
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from PIL import Image

from photojury.datasets.images import image_path
from photojury.datasets.store import create_study

PER_HIT = 10
DAY = 86_400.0
NOW = time.time()
"""When the last answers came."""

TASKS = (("stars", 1.0, 10, 60), ("five_level", 0.8, 5, 80), ("forced_choice", 0.2, 5, 55))
"""Task, its questions for each image, raters of a HIT, median seconds of a HIT."""

Floats = npt.NDArray[np.float64]


class Crowd:
    """People who rate, each in his way."""

    def __init__(self, people: int, rng: np.random.Generator) -> None:
        self.ids = [hashlib.sha256(f"rater {number}".encode()).hexdigest()[:16] for number in range(people)]
        self.bias = rng.normal(0, 0.25, people)
        self.noise = np.exp(rng.normal(-0.5, 0.35, people))
        self.kind = rng.choice(["honest", "random", "straight", "left"], people, p=[0.93, 0.04, 0.015, 0.015])
        busy = rng.pareto(1.6, people) + 0.2
        self.share = busy / busy.sum()


def insert(database: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterator[Any]) -> None:
    """Rows into a table, all columns that are not named at their defaults."""
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{name}"' for name in columns)
    database.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def pictures(database: sqlite3.Connection, folder: Path, images: int, rng: np.random.Generator) -> list[str]:
    """Images with candidates, counters, checks and files; returns their ids."""
    ids = [hashlib.sha256(f"image {number}".encode()).hexdigest() for number in range(images)]
    sources = rng.choice(["flickr", "openverse", "commons"], images, p=[0.7, 0.2, 0.1])
    insert(
        database,
        "images",
        (
            "image_id", "source", "source_id", "title", "author", "license_id", "retrieved_at", "uploaded_at",
            "width", "height", "format", "bytes", "phash", "status",
        ),
        (
            (
                ids[i], str(sources[i]), str(50_000_000 + i), f"Jump number {i}", f"author {i % 7919}", "by",
                NOW - 20 * DAY, NOW - (30 + i % 2000) * DAY, 1024, 768, "jpeg", 180_000, ids[i][:16], "kept",
            )
            for i in range(images)
        ),
    )  # fmt: skip
    lost = {"rejected": "blur", "duplicate": None, "gone": "http_404", "failed": "timeout"}
    columns = ("source", "source_id", "state", "rule", "image_id", "seen_at", "title")
    insert(
        database,
        "candidates",
        columns,
        (
            (str(sources[i]), str(50_000_000 + i), "stored", None, ids[i], NOW - 21 * DAY, None)
            for i in range(images)
        ),
    )
    states = rng.choice(list(lost), images // 3, p=[0.6, 0.25, 0.1, 0.05])
    insert(
        database,
        "candidates",
        columns,
        (
            ("flickr", str(90_000_000 + i), str(state), lost[str(state)], None, NOW - 21 * DAY, None)
            for i, state in enumerate(states)
        ),
    )
    views = np.exp(rng.normal(5.5, 1.4, images)).astype(int) + 1
    favs = np.minimum(views, (views ** rng.beta(3, 3, images)).astype(int))
    insert(
        database,
        "observations",
        ("source", "source_id", "seen_at", "views", "favs"),
        (
            (str(sources[i]), str(50_000_000 + i), NOW - 20 * DAY, int(views[i]), int(favs[i]))
            for i in range(images)
        ),
    )
    insert(
        database,
        "checks",
        ("image_id", "check", "value", "verdict", "version", "reason", "other_id"),
        (
            (ids[i], "near_duplicate", 6.0, "fail", 1, "6 bits from another", ids[i - 1])
            for i in range(1, images, 37)
        ),
    )
    link(folder / "images", ids)
    return ids


def link(folder: Path, ids: list[str]) -> None:
    """A file for each image: hard links to thirty pictures of noise and colour."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(5)
    originals = []
    for number in range(30):
        small = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
        buffer = io.BytesIO()
        small.resize((1024, 768), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
        originals.append(folder / f"original-{number}")
        originals[-1].write_bytes(buffer.getvalue())
    for number, image in enumerate(ids):
        path = image_path(folder, image, "jpeg")
        path.parent.mkdir(exist_ok=True)
        # A file may have so many names only.
        if number % 30_000 < 30 and number >= 30_000:
            copy = folder / f"original-{number}"
            copy.write_bytes(originals[number % 30].read_bytes())
            originals[number % 30] = copy
        os.link(originals[number % 30], path)


def answers(
    database: sqlite3.Connection,
    task: str,
    asked: int,
    raters: int,
    seconds: int,
    ids: list[str],
    crowd: Crowd,
    rng: np.random.Generator,
) -> None:
    """A batch of a task: its questions, HITs, assignments, answers and payments."""
    quality = np.random.default_rng(9).normal(0, 1, len(ids))
    first = rng.permutation(len(ids))[:asked] if task == "stars" else rng.integers(0, len(ids), asked)
    second = (first + rng.integers(1, len(ids), asked)) % len(ids)
    units = [f"{task[:4]}{number:012x}" for number in range(asked)]
    hits = -(-asked // PER_HIT)
    # One question in two hundred is a gold question.
    gold = rng.random(asked) < 0.005
    insert(
        database,
        "units",
        ("unit_id", "batch", "task", "control", "first_id", "second_id", "gold"),
        (
            (
                units[q], f"{task}-1", task, "gold" if gold[q] else None, ids[first[q]],
                None if task == "stars" else ids[second[q]], 2.0 if gold[q] else None,
            )
            for q in range(asked)
        ),
    )  # fmt: skip
    still = max(1, hits // 40)
    insert(
        database,
        "hits",
        (
            "hit_key", "batch", "task", "unit_ids", "marketplace", "hit_id", "request_token", "state", "reward",
            "max_assignments", "published_at",
        ),
        (
            (
                f"{task}-{hit:08d}", f"{task}-1", task, json.dumps(units[hit * PER_HIT : (hit + 1) * PER_HIT]),
                "http://127.0.0.1:8700", f"H{task}{hit}", f"{task}{hit}", "published", 20, raters, NOW - 12 * DAY,
            )
            for hit in range(hits)
        ),
    )  # fmt: skip
    who = [rng.choice(len(crowd.ids), raters, replace=False, p=crowd.share) for _ in range(hits)]
    given = [
        (hit, rater)
        for hit in range(hits)
        for rater in who[hit][: raters - 1 if hit >= hits - still else raters]
    ]  # the last HITs lack an answer
    done_at = np.sort(NOW - 10 * DAY * rng.beta(1.2, 1.6, len(given)))
    spent = np.exp(rng.normal(np.log(seconds), 0.4, len(given)))
    names = [f"{task[:2]}{number:030d}" for number in range(len(given))]
    bad = crowd.kind != "honest"
    insert(
        database,
        "assignments",
        (
            "assignment_id", "rater_id", "hit_key", "accepted_at", "submitted_at", "active_seconds", "status",
            "use", "answers", "simulated",
        ),
        (
            (
                names[a], crowd.ids[rater], f"{task}-{hit:08d}", done_at[a] - spent[a], done_at[a], spent[a],
                "Approved" if a < len(given) * 0.95 else "Submitted",
                not (bad[rater] and rater % 2), "<QuestionFormAnswers/>" * 40, True,
            )
            for a, (hit, rater) in enumerate(given)
        ),
    )  # fmt: skip
    settled = int(len(given) * 0.95)
    insert(
        database,
        "payments",
        ("payment_key", "kind", "assignment_id", "rater_id", "amount", "currency", "state", "simulated"),
        (
            (f"{kind}:{names[a]}", kind, names[a], crowd.ids[given[a][1]], amount, "USD", "paid", True)
            for a in range(settled)
            for kind, amount in (("reward", 20), ("fee", 8 if raters >= 10 else 4))
        ),
    )
    rows = rated(task, given, names, units, first, second, quality, ids, crowd, rng)
    columns = [
        "assignment_id",
        "unit_id",
        "rater_id",
        "value",
        "position_in_hit",
        "milliseconds",
        "simulated",
    ]
    if task == "stars":
        insert(database, "ratings", [*columns, "attribute", "task", "image_id"], rows)
    else:
        insert(database, "comparisons", [*columns, "task", "first_id", "second_id", "first_shown_left"], rows)


def rated(
    task: str,
    given: list[tuple[int, int]],
    names: list[str],
    units: list[str],
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    quality: Floats,
    ids: list[str],
    crowd: Crowd,
    rng: np.random.Generator,
) -> Iterator[tuple[Any, ...]]:
    """The answers of each assignment."""
    for a, (hit, rater) in enumerate(given):
        questions = np.arange(hit * PER_HIT, min((hit + 1) * PER_HIT, len(units)))
        gap = quality[first[questions]] - (0 if task == "stars" else quality[second[questions]])
        felt = gap + rng.normal(0, crowd.noise[rater], questions.size)
        felt += crowd.bias[rater] if task == "stars" else 0
        left = rng.random(questions.size) < 0.5
        kind = crowd.kind[rater]
        if kind == "random":
            felt = rng.normal(0, 1.5, questions.size)
        if kind == "straight":
            felt = np.full(questions.size, 0.1)
        if kind == "left" and task != "stars":
            felt = np.where(left, 1.0, -1.0)
        quick = 700 if kind == "random" else 3200
        times = np.exp(rng.normal(np.log(quick), 0.5, questions.size)).astype(int)
        if task == "stars":
            values = np.digitize(felt, [-1.2, -0.4, 0.4, 1.2]) + 1.0
        elif task == "five_level":
            values = np.digitize(felt, [-1.5, -0.4, 0.4, 1.5]) - 2.0
        else:
            values = np.where(felt >= 0, 1.0, -1.0)
        for place, q in enumerate(questions):
            row = (
                names[a], units[q], crowd.ids[rater], float(values[place]), place, int(times[place]), True,
            )  # fmt: skip
            if task == "stars":
                yield (*row, "overall", "stars", ids[first[q]])
            else:
                yield (*row, task, ids[first[q]], ids[second[q]], bool(left[place]))


def judge(database: sqlite3.Connection, crowd: Crowd) -> None:
    """Verdicts on half of those who do not look, and an exclusion."""
    named = [rater for rater in np.flatnonzero(crowd.kind != "honest") if rater % 2]
    insert(
        database,
        "verdicts",
        ("rater_id", "task", "rule", "reason", "value", "threshold", "decided_at"),
        (
            (crowd.ids[rater], "stars", "consensus", "far from the others: r = 0.02 of 0.40", 0.02, 0.4, NOW)
            for rater in named
        ),
    )


def model(database: sqlite3.Connection, folder: Path, ids: list[str], rng: np.random.Generator) -> None:
    """Predictions and an evaluation as a trained network leaves them, and its scores."""
    import pandas as pd

    quality = np.random.default_rng(9).normal(0, 1, len(ids))
    score = quality + rng.normal(0, 0.7, len(ids))
    parts = rng.choice(["train", "validation", "test"], len(ids), p=[0.6, 0.15, 0.25])
    place = folder / "models" / "hybrid-siamese"
    place.mkdir(parents=True)
    pd.DataFrame({"image_id": ids, "part": parts, "score": score}).to_parquet(place / "predictions.parquet")
    row = {"name": "hybrid-siamese", "Lg": 1.31, "Lr": 1.37, "auc": 0.84, "srcc": 0.74, "n_images": 25_000}
    (place / "evaluation.json").write_text(json.dumps({"rows": [row], "simulated": True}))
    insert(
        database,
        "splits",
        ("image_id", "split", "part"),
        ((image, "default", str(part)) for image, part in zip(ids, parts, strict=True)),
    )
    insert(
        database,
        "scores",
        ("image_id", "method", "score", "simulated"),
        ((image, "hybrid-siamese", float(value), True) for image, value in zip(ids, score, strict=True)),
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--images", type=click.IntRange(100), default=100_000, show_default=True)
@click.option("--people", type=click.IntRange(50), default=2_000, show_default=True)
def main(folder: Path, images: int, people: int) -> None:
    """Make the study in FOLDER, which must not be there yet."""
    began = time.perf_counter()
    create_study(folder, "large", {("stars", "levels"): 5, ("budget", "soft_cents"): 5_000_000}).close()
    rng = np.random.default_rng(1)
    crowd = Crowd(people, rng)
    database = sqlite3.connect(folder / "study.db")
    for setting in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-200000"):
        database.execute(f"PRAGMA {setting}")
    ids = pictures(database, folder, images, rng)
    for task, share, raters, seconds in TASKS:
        answers(database, task, int(images * share), raters, seconds, ids, crowd, rng)
    judge(database, crowd)
    model(database, folder, ids, rng)
    database.commit()
    counts = {
        name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        for name in ("images", "assignments", "ratings", "comparisons")
    }
    database.close()
    size = (folder / "study.db").stat().st_size / 1e6
    click.echo(f"{json.dumps(counts)}, {size:.0f} MB, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
