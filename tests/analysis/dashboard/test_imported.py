"""The dashboard of a study whose labels came from a published dataset, without pictures, times or batches."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from photojury.analysis.dashboard import opening
from photojury.analysis.dashboard.frame import PAGES
from photojury.datasets.importing.bring_in import bring_in
from photojury.datasets.readers.published import Published
from photojury.datasets.scales import settings_for
from photojury.datasets.store import Study, create_study

APP = str(Path(__file__).parents[3] / "analysis" / "dashboard_app.py")


def imported(folder: Path, *, counts_only: bool) -> Study:
    """Twelve absent images: their histograms, or thirty ratings of each and comparisons of neighbours."""
    ids = pd.Series([f"d:{number:02d}" for number in range(12)])
    images = pd.DataFrame(
        {"image_id": ids, "source": "d", "source_id": ids.str[2:], "file": ids.str[2:] + ".jpg"}
    )
    rows = [
        (image, f"r{rater}", 1.0 + (rater * (number + 3)) % 7)
        for number, image in enumerate(ids)
        for rater in range(30)
    ]
    ratings = pd.DataFrame(rows, columns=["image_id", "rater_id", "value"]).assign(
        attribute="overall", task="stars"
    )
    pairs = pd.DataFrame(
        [(ids[n], ids[n + 1], f"r{rater}", 1.0 - 2 * (rater % 2)) for n in range(11) for rater in range(30)],
        columns=["first_id", "second_id", "rater_id", "value"],
    ).assign(task="forced_choice")
    counts = ratings.groupby(["image_id", "attribute", "value"]).size().rename("count").reset_index()
    tables = {"histograms": counts} if counts_only else {"ratings": ratings, "comparisons": pairs}
    study = create_study(folder, "imported", settings_for((1, 7)))
    bring_in(study, Published("d", images, tables, scale=(1, 7)))
    study.close()
    return study


@pytest.mark.parametrize("counts_only", [False, True], ids=["ratings", "histograms"])
@pytest.mark.parametrize("page", [file for file, _, _ in PAGES])
def test_every_page(page: str, counts_only: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page draws to its end."""
    imported(tmp_path / "study", counts_only=counts_only)
    monkeypatch.setattr("sys.argv", ["streamlit", str(tmp_path / "study")])
    opening._opened.clear()
    opening._made.clear()
    test = AppTest.from_file(APP, default_timeout=60)
    test.switch_page(f"dashboard/pages/{page}.py")
    test.run()
    assert not test.exception, [one.value for one in test.exception]
    assert len(test.title) == 1
