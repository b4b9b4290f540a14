"""The rows beside which every model of AVA stands, on the 5,317 official test images whose histograms are public."""

from pathlib import Path

import pandas as pd
import pytest

from photojury.analysis import distribution_metrics as dm
from photojury.analysis import metric_tables

LEVELS = range(1, 11)


@pytest.fixture(scope="module")
def ava(shared: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Histograms of the official test images, and those of all others."""
    folder = shared / "data/ava"
    table = pd.read_csv(folder / "union_histograms.csv.gz").set_index("image_id")
    ids = (folder / "official/aesthetics_image_lists/generic_test.jpgl").read_text().split()
    test = table.index.isin([int(number) for number in ids])
    return table[test], table[~test]


@pytest.fixture(scope="module")
def rows(ava: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    """The two reference rows, by predictor and metric."""
    test, others = (table.to_numpy() for table in ava)
    table = metric_tables.references(test, others, levels=LEVELS, threshold=5, seed=1, repeats=100)
    return table.set_index(["predictor", "metric"])


def test_the_constant_predictor(rows: pd.DataFrame) -> None:
    """The mean histogram of all other images: KL .169, CDLoss .1195, MSE .583, accuracy .710, EMD .095 and .0675."""
    constant = rows.loc["constant"]["value"]
    assert round(constant["kl"], 3) == 0.169
    assert round(constant["cd_loss"], 4) == 0.1195
    assert round(constant["mse"], 3) == 0.583
    assert round(constant["accuracy"], 3) == 0.710
    assert round(constant["emd_r2"], 3) == 0.095
    assert round(constant["emd_r1"], 4) == 0.0675
    assert constant[["srcc", "plcc", "krcc"]].isna().all()


def test_one_half_of_the_votes_predicts_the_other(rows: pd.DataFrame) -> None:
    """CDLoss .0155, MSE .041, rho .960, accuracy .92, whatever the halves: as far as those differ by chance."""
    halves = rows.loc["split_half"]["value"]
    assert halves["cd_loss"] == pytest.approx(0.0155, abs=2.5e-4)
    assert halves["mse"] == pytest.approx(0.041, abs=1.0e-3)
    assert halves["srcc"] == pytest.approx(0.960, abs=1.5e-3)
    assert halves["accuracy"] == pytest.approx(0.92, abs=5e-3)


def test_images_on_the_threshold(ava: tuple[pd.DataFrame, pd.DataFrame], rows: pd.DataFrame) -> None:
    """13 of 5,317 (.25 %) have a mean of exactly 5; as high images they would make the constant predictor .7126."""
    test = ava[0].to_numpy()
    assert dm.on_threshold(test, LEVELS, threshold=5).sum() == 13
    assert round(float(dm.is_high(test, LEVELS, threshold=5, ties="high").mean()), 4) == 0.7126
    assert "13 images have a mean of exactly 5" in str(rows.loc[("constant", "accuracy"), "note"])


def test_the_other_direction_does_not_fit(ava: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """KL of the prediction from the truth is infinite: some level of some image has no vote."""
    test, others = (dm.shares(table.to_numpy()) for table in ava)
    assert dm.kl_divergence(test, others.mean(axis=0), direction="predicted||truth").mean() == float("inf")
