"""The funnel of a study's pictures, and near duplicates."""

from collections.abc import Callable

import sqlalchemy as sa

from photojury.analysis import pictures
from photojury.datasets import tables
from photojury.datasets.store import Study


def test_every_picture_is_somewhere(make: Callable[[int], Study]) -> None:
    """Offered less lost is stored, stored less lost is kept; every loss has its reason."""
    study = make(20)
    ids = sorted(study.read("images")["image_id"])
    rows = [{"source": "urls", "source_id": f"s{k}", "state": "stored", "seen_at": 0.0} for k in range(20)]
    rows += [{**rows[0], "source_id": f"d{k}", "state": "duplicate"} for k in range(3)]
    rows += [{**rows[0], "source_id": f"g{k}", "state": "gone", "rule": "http_404"} for k in range(2)]
    study.add("candidates", rows)
    with study.writing() as connection:
        lost = sa.update(tables.images).where(tables.images.c.image_id.in_(ids[:4]))
        connection.execute(lost.values(status="rejected", rule="blur"))
    assert pictures.funnel(study)["pictures"].tolist() == [25, 20, 16]
    losses = pictures.losses(study)
    assert losses[losses["before"] == "stored"]["pictures"].sum() == 5
    assert losses[losses["before"] == "kept"][["rule", "pictures"]].values.tolist() == [["blur", 4]]
    assert losses["pictures"].is_monotonic_decreasing


def test_an_import_has_no_candidates(make: Callable[[int], Study]) -> None:
    """As many were offered as are stored."""
    assert pictures.funnel(make(20))["pictures"].tolist() == [20, 20, 20]


def test_near_duplicates(make: Callable[[int], Study]) -> None:
    """The nearest first, each with its twin; what passed, or is no duplicate, is not among them."""
    study = make(20)
    ids = sorted(study.read("images")["image_id"])
    base = {"check": "near_duplicate", "verdict": "fail", "version": 1}
    rows = [{**base, "image_id": ids[k], "other_id": ids[10 + k], "value": float(9 - k)} for k in range(5)]
    rows += [{**base, "image_id": ids[7], "value": 1.0, "verdict": "pass"}]
    rows += [{**base, "image_id": ids[8], "other_id": ids[9], "value": 1.0, "check": "blur"}]
    study.add("checks", rows)
    count, found = pictures.duplicates(study, 2)
    assert count == 5
    assert found[["image_id", "other_id", "bits"]].values.tolist() == [
        [ids[4], ids[14], 5.0],
        [ids[3], ids[13], 6.0],
    ]
