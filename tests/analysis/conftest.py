"""A study whose raters answer by a known rule, written straight into the store."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photojury.datasets.images import inspect, store_image
from photojury.datasets.store import Study, create_study

Row = dict[str, object]


def pictures(count: int) -> list[bytes]:
    """Small JPEGs, each of another colour."""
    found = []
    for number in range(count):
        buffer = io.BytesIO()
        Image.new("RGB", (96, 64), (number * 7 % 256, number * 31 % 256, 90)).save(buffer, "JPEG")
        found.append(buffer.getvalue())
    return found


def fill(study: Study, files: list[bytes], *, simulated: bool = True, seed: int = 0) -> None:
    """Images of rising quality, ten raters a star HIT, five a pair HIT, ten questions a HIT."""
    generator = np.random.default_rng(seed)
    ids = []
    for number, data in enumerate(files):
        facts = inspect(data, max_megapixels=50, min_side=16)
        store_image(study.images_folder, data, facts)
        ids.append(facts.image_id)
        row: Row = {"image_id": facts.image_id, "source": "folder", "source_id": f"photo {number:03d}.jpg"}
        row |= {"retrieved_at": 0.0, "width": facts.width, "height": facts.height}
        study.add("images", [{**row, "format": facts.format, "bytes": facts.bytes}])
    quality = dict(zip(ids, generator.permutation(np.linspace(-1.6, 1.6, len(ids))), strict=True))
    order = [str(image) for image in generator.permutation(ids)]
    pairs = [(order[i], order[(i + step) % len(order)]) for step in (1, 2) for i in range(len(order))]
    _ask(study, "stars", [(image, None) for image in order], 10, quality, generator, simulated)
    _ask(study, "five_level", [*pairs], 5, quality, generator, simulated)
    _ask(study, "forced_choice", [*pairs], 5, quality, generator, simulated)


def _ask(
    study: Study,
    task: str,
    questions: list[tuple[str, str | None]],
    raters: int,
    quality: dict[str, float],
    generator: np.random.Generator,
    simulated: bool,
) -> None:
    units, hits, assignments, answers, payments = [], [], [], [], []
    for start in range(0, len(questions), 10):
        hit = f"{task}-{start // 10:04d}"
        hits.append(
            {
                "hit_key": hit, "batch": f"{task}-1", "task": task, "unit_ids": "[]", "hit_id": f"H{hit}",
                "request_token": hit, "state": "published", "reward": 20, "max_assignments": raters,
            }
        )  # fmt: skip
        asked = questions[start : start + 10]
        for position, (first, second) in enumerate(asked):
            unit = {"unit_id": f"{hit}-{position}", "batch": f"{task}-1", "task": task}
            units.append({**unit, "first_id": first, "second_id": second})
        for rater in generator.choice(40, raters, replace=False):
            key = f"A-{hit}-{rater:02d}"
            worker = {"assignment_id": key, "rater_id": f"rater{rater:02d}"}
            times = {"accepted_at": 1.75e9 + start, "submitted_at": 1.75e9 + start + 60}
            state = {"status": "Approved", "use": True, "answers": "<xml/>", "simulated": simulated}
            assignments.append({**worker, "hit_key": hit, **times, **state})
            paid = {"payment_key": f"reward:{key}", "kind": "reward", "amount": 20, "state": "paid"}
            payments.append({**worker, **paid, "simulated": simulated})
            for position, (first, second) in enumerate(asked):
                felt = quality[first] - (quality[second] if second else 0) + generator.normal(0, 0.6)
                row = {**worker, "unit_id": f"{hit}-{position}", "position_in_hit": position}
                row |= {"milliseconds": int(generator.integers(900, 6000)), "simulated": simulated}
                answers.append({**row, **_answer(task, first, second, felt)})
    study.add("units", units)
    study.add("hits", hits)
    study.add("assignments", assignments)
    study.add("ratings" if task == "stars" else "comparisons", answers)
    study.add("payments", payments)


def _answer(task: str, first: str, second: str | None, felt: float) -> Row:
    if task == "stars":
        value = float(np.digitize(felt, [-0.7, 0.7])) + 1
        return {"attribute": "overall", "image_id": first, "value": value}
    levels = float(np.digitize(felt, [-1.5, -0.4, 0.4, 1.5])) - 2
    value = levels if task == "five_level" else float(np.sign(felt))
    return {"task": task, "first_id": first, "second_id": second, "value": value, "first_shown_left": True}


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """Forty images, all three tasks answered by simulated raters; tests only read it."""
    study = create_study(tmp_path_factory.mktemp("filled") / "study", "skies & <seas>")
    fill(study, pictures(40))
    yield study
    study.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Study]:
    """A study with nothing in it."""
    study = create_study(tmp_path / "empty", "empty")
    yield study
    study.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[int], Study]]:
    """A function that makes a filled study of that many images, for tests that change it."""
    made: list[Study] = []

    def build(count: int) -> Study:
        study = create_study(tmp_path / f"study{len(made)}", "small")
        fill(study, pictures(count))
        made.append(study)
        return study

    yield build
    for study in made:
        study.close()
