"""What training leaves, read back: measures, predictions beside ratings, and damage in one sentence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photojury.analysis import predictions
from photojury.errors import InputError


def model(folder: Path, name: str, body: object) -> Path:
    """A model's folder with its evaluation."""
    place = folder / "models" / name
    place.mkdir(parents=True)
    (place / "evaluation.json").write_text(json.dumps(body))
    return place


def test_measures_of_every_part(tmp_path: Path) -> None:
    """The test part first, accuracies by threshold as columns of their own."""
    row = {"name": "net", "Lg": 0.9, "accuracy": {"0.2": 0.7, "0.4": 0.8}}
    model(tmp_path, "net", {"rows": [row], "other_parts": {"train": {"rows": [{"name": "net", "Lg": 0.5}]}}})
    table = predictions.evaluation(tmp_path, "net")
    assert table["part"].tolist() == ["test", "train"]
    assert table[["Lg", "accuracy 0.2", "accuracy 0.4"]].to_numpy()[0].tolist() == [0.9, 0.7, 0.8]
    assert predictions.names(tmp_path) == ["net"] and predictions.names(tmp_path / "none") == []


@pytest.mark.parametrize("body", [[], {"rows": 3}, {"rows": [3]}, {"rows": [], "other_parts": {"train": 1}}])
def test_damaged_evaluations_are_a_sentence(body: object, tmp_path: Path) -> None:
    """Whatever else stands there."""
    place = model(tmp_path, "net", body)
    with pytest.raises(InputError, match="make it again or delete it"):
        predictions.evaluation(tmp_path, "net")
    (place / "evaluation.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        predictions.evaluation(tmp_path, "net")


def test_predictions_that_are_missing_or_broken(tmp_path: Path) -> None:
    """With the command that makes them again."""
    place = model(tmp_path, "net", {"rows": []})
    with pytest.raises(InputError, match="photojury train hybrid-siamese --restart"):
        predictions.predicted(tmp_path, "net")
    (place / "predictions.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="cannot be read"):
        predictions.predicted(tmp_path, "net")


def test_errors_are_ranks_within_a_part() -> None:
    """As pandas ranks them; correlations as scipy has them; images without ratings are left out."""
    rng = np.random.default_rng(2)
    ids = [f"i{k:03d}" for k in range(120)]
    said = pd.DataFrame({"image_id": ids, "part": ["train", "test"] * 60, "score": rng.normal(size=120)})
    rated = pd.DataFrame({"image_id": ids[:100], "score": said["score"][:100] + rng.normal(size=100), "n": 5})
    table = predictions.beside(said, rated)
    assert len(table) == 100
    test = table[table["part"] == "test"]
    expected = test["predicted"].rank(pct=True) - test["rated"].rank(pct=True)
    assert np.allclose(test["error"], expected)
    found = predictions.follow(test)
    assert found.srcc == pytest.approx(stats.spearmanr(test["predicted"], test["rated"]).statistic)
    assert found.krcc == pytest.approx(stats.kendalltau(test["predicted"], test["rated"]).statistic)
    assert found.low < found.srcc < found.high and found.n == 50
    with pytest.raises(InputError, match="four are needed"):
        predictions.follow(test.head(3))
