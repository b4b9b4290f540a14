"""The whole way of an answer, on SQLite and on PostgreSQL: planned, published, given, fetched, paid, released."""

from pathlib import Path

import pandas as pd
import pytest

from photojury.analysis import report
from photojury.analysis.answers import of_study
from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.money.review import review
from photojury.annotate.publish import publish
from photojury.annotate.requester import connect
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.datasets.releases.write import release
from tests.support import VALUES, make_study, marketplace


def test_an_answers_way(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """24 pictures with three stars each and 12 pairs with two choices each arrive whole, in the report and the release."""
    study = make_study(tmp_path, values={**VALUES, ("study", "store"): database})
    plan(study, "stars")
    plan(study, "forced_choice")
    with marketplace(study) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        requester = connect(study.settings)
        assert publish(study, requester).new == 9
        simulate(url, panel(4, seed=1, careless=0), drawn_truth(study), seed=1)
        came = fetch(study, requester)
        assert (came.assignments, came.ratings, came.comparisons, came.problems) == (24, 72, 24, [])
        assert review(study, requester).approved == 24
    assert study.count("payments") == 48
    ratings = study.read("ratings")
    assert ratings.groupby("image_id").size().tolist() == [3] * 24
    assert ratings.groupby("image_id")["rater_id"].nunique().tolist() == [3] * 24
    text = report.write(of_study(study))[0].read_text()
    assert "simulated" in text
    folder = release(study, tmp_path / "release", version="1.0.0")
    assert len(pd.read_parquet(folder / "tables" / "comparisons.parquet")) == 24
    study.close()
