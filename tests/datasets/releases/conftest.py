"""Studies that are released: a small one whose figures can be counted by hand, and one with something of everything."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from photojury.datasets.store import Study
from tests.support import make_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """20 pictures; the first, x, has the stars 1, 3, 3 (one of them not used), the second, y, has 2, simulated."""
    study = make_study(tmp_path, 20)
    x, y = sorted(study.read("images")["image_id"])[:2]
    study.add(
        "units",
        [{"unit_id": u, "batch": "b", "task": "stars", "first_id": i} for u, i in (("ux", x), ("uy", y))],
    )
    study.add("hits", [{"hit_key": "h", "batch": "b", "task": "stars", "unit_ids": '["ux", "uy"]', "request_token": "t",
                        "state": "published", "reward": 20, "max_assignments": 3}])  # fmt: skip
    for name, value, use, simulated in (("1", 1, True, False), ("2", 3, True, True), ("3", 3, False, False)):
        study.add("assignments", [{"assignment_id": name, "rater_id": f"r{name}", "hit_key": "h", "accepted_at": 1234567.25,
                                   "submitted_at": 12399.0, "status": "Approved", "use": use, "simulated": simulated,
                                   "answers": "<secret/>", "reason": "private"}])  # fmt: skip
        rating = {"assignment_id": name, "rater_id": f"r{name}", "attribute": "overall", "position_in_hit": 0,
                  "simulated": simulated}  # fmt: skip
        study.add("ratings", [{**rating, "unit_id": "ux", "image_id": x, "value": value}])
        if simulated:
            study.add("ratings", [{**rating, "unit_id": "uy", "image_id": y, "value": 2}])
    study.add("workers", [{"rater_id": "r1", "marketplace": "local", "worker_id": "A2REALWORKER"}])
    return study


@pytest.fixture(scope="session")
def full_study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """A study with rows in every table that is released; eight people and four simulated raters answered all of it."""
    study = make_study(tmp_path_factory.mktemp("full"), 12)
    images = sorted(study.read("images")["image_id"])
    generator = np.random.default_rng(5)
    _ask(study, images)
    for number in range(12):
        rater = {"rater_id": f"abcdef01234500{number:02x}", "simulated": number >= 8}
        for hit, task in (("h1", "stars"), ("h2", "five_level")):
            key = f"3{number:02d}{hit.upper()}ASSIGNMENT"
            study.add("assignments", [{**rater, "assignment_id": key, "hit_key": hit, "accepted_at": 1.7e9, "answers": "<xml/>",
                                       "submitted_at": 1.7e9 + 60, "active_seconds": 50.5, "status": "Approved",
                                       "use": number != 7}])  # fmt: skip
            units = study.read("units", {"task": task})
            for position, unit in enumerate(units.to_dict("records")):
                row = {**rater, "assignment_id": key, "unit_id": unit["unit_id"], "position_in_hit": position,
                       "milliseconds": None if position == 2 else int(generator.integers(500, 9000))}  # fmt: skip
                if task == "stars":
                    study.add("ratings", [{**row, "image_id": unit["first_id"], "attribute": "overall", "task": None,
                                           "value": float(generator.integers(1, 4))}])  # fmt: skip
                else:
                    study.add("comparisons", [{**row, "first_id": unit["first_id"], "second_id": unit["second_id"],
                                               "task": task, "value": float(generator.integers(-2, 3)),
                                               "first_shown_left": bool(generator.integers(2))}])  # fmt: skip
                seen = {
                    key: row[key]
                    for key in ("assignment_id", "unit_id", "rater_id", "position_in_hit", "simulated")
                }
                study.add("presentations", [{**seen, "visits": 1, "load_ms": 20, "visible_ms": 900, "viewport_width": 1024,
                                             "reason": "Schärfer, \"näher\"\nund heller" if position == 0 else None}])  # fmt: skip
        study.add(
            "workers",
            [{"rater_id": rater["rater_id"], "marketplace": "local", "worker_id": f"A9WORKER{number:05d}"}],
        )
    study.add("scores", [{"image_id": image, "method": "mos", "score": float(score), "standard_error": 0.1 if n else None}
                         for n, (image, score) in enumerate(zip(images, generator.normal(2, 1, 12), strict=True))])  # fmt: skip
    study.add("histograms", [{"image_id": images[11], "attribute": "overall", "value": level, "count": 3 + level}
                             for level in (1, 2, 3)])  # fmt: skip
    study.add(
        "series", [{"series_id": "s", "image_id": image, "position": n} for n, image in enumerate(images[:3])]
    )
    yield study
    study.close()


def _ask(study: Study, images: list[str]) -> None:
    """Two HITs: stars of eleven pictures, one of them gold, one a repeat; five-level pairs of neighbours."""
    stars: list[dict[str, object]] = [{"unit_id": f"s{n:02d}", "batch": "stars-1", "task": "stars", "first_id": image, "control": None,
              "gold": None, "repeat_of": None} for n, image in enumerate(images[:11])]  # fmt: skip
    stars[3] |= {"control": "gold", "gold": 2.0}
    stars.append({**stars[0], "unit_id": "s99", "control": "repeat", "repeat_of": "s00"})
    study.add("units", stars)
    study.add("units", [{"unit_id": f"p{n:02d}", "batch": "pairs-1", "task": "five_level", "first_id": a, "second_id": b,
                         "draw": n, "similarity": 0.1 * n}
                        for n, (a, b) in enumerate(itertools.pairwise(images))])  # fmt: skip
    for key, batch, task in (("h1", "stars-1", "stars"), ("h2", "pairs-1", "five_level")):
        study.add("hits", [{"hit_key": key, "batch": batch, "task": task, "unit_ids": "[]", "request_token": key,
                            "state": "closed", "reward": 20, "max_assignments": 12}])  # fmt: skip
