"""A study with everything that pages show, and with names that do harm where they are taken for more than text."""

import json
from collections.abc import Iterator

import pandas as pd
import pytest
import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import Study, create_study
from tests.analysis.conftest import fill, pictures

HOSTILE = "<script>alert(1)</script> ![x](http://elsewhere.example/a.png) $\\frac{1}{2}$ :material/home: =1+1"
EVIL_RATER = "=<img src=x onerror=alert(2)>[a](javascript:alert(3))"


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """A small study with a hostile title and rater, and a trained model."""
    study = create_study(tmp_path_factory.mktemp("running") / "study", HOSTILE)
    fill(study, pictures(40))
    with study.writing() as connection:
        rater = study.read("ratings")["rater_id"].iloc[0]
        for table in (tables.assignments, tables.ratings, tables.comparisons, tables.payments):
            change = sa.update(table).where(table.c.rater_id == rater)
            connection.execute(change.values(rater_id=EVIL_RATER))
        connection.execute(sa.update(tables.images).values(title=HOSTILE))
    _extras(study)
    folder = study.folder / "models" / "hybrid-siamese"
    folder.mkdir(parents=True)
    rows = [
        {"name": "hybrid-siamese", "Lg": 0.9, "Lr": 1.4},
        {"name": "constant predictor", "Lg": 1.1, "Lr": 1.6},
    ]
    (folder / "evaluation.json").write_text(json.dumps({"rows": rows, "other_parts": {}}))
    images = study.read("images")["image_id"]
    said = pd.DataFrame({"image_id": images, "part": "test", "score": [number / 40 for number in range(40)]})
    said.to_parquet(folder / "predictions.parquet")
    yield study
    study.close()


def _extras(study: Study) -> None:
    """Counters, a near duplicate, a verdict and an exclusion."""
    images = study.read("images")
    seen = [
        {"source": "folder", "source_id": name, "seen_at": 1.0, "views": 100 + 90 * number, "favs": number}
        for number, name in enumerate(images["source_id"])
    ]
    study.add("observations", seen)
    one, other = images["image_id"].iloc[:2]
    found = {"image_id": one, "check": "near_duplicate", "value": 3.0, "verdict": "fail", "version": 1}
    study.add("checks", [{**found, "other_id": other}])
    said = {
        "rater_id": EVIL_RATER,
        "task": "stars",
        "rule": "consensus",
        "reason": HOSTILE,
        "decided_at": 1.0,
    }
    study.add("verdicts", [said])
    study.add("exclusions", [{"rater_id": EVIL_RATER, "reason": HOSTILE, "made_at": 1.0}])
