"""Predictions of trained networks beside the ratings: how well they follow, and where they are furthest off.

Takes in a study's models/ folder (what photojury.baselines.train writes there) and rating scores; gives out one table per
model and its figures. Scores of a network have a scale of their own, so errors are told as ranks: the share of images that
are predicted lower, less the share that are rated lower.

    >>> import pandas as pd
    >>> said = pd.DataFrame({"image_id": list("abc"), "part": "test", "score": [0.1, 0.3, 0.2]})
    >>> rated = pd.DataFrame({"image_id": list("abc"), "score": [1.0, 2.0, 3.0], "n": 5})
    >>> beside(said, rated)[["image_id", "error"]].round(2).values.tolist()
    [['a', 0.0], ['b', 0.33], ['c', -0.33]]
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from photojury.analysis import metrics
from photojury.errors import InputError

PARTS = ("test", "validation", "train")
"""Parts of the split, the one that tells the truth first."""


@dataclass(frozen=True)
class Follow:
    """How predictions follow ratings.

    Attributes:
        srcc, low, high: Spearman's correlation, 95 % (Bonett and Wright 2000).
        plcc, krcc: Pearson's and Kendall's.
        n: images.
    """

    srcc: float
    low: float
    high: float
    plcc: float
    krcc: float
    n: int


def names(folder: Path) -> list[str]:
    """The models of a study, the newest evaluation first."""
    found = sorted(
        (folder / "models").glob("*/evaluation.json"),
        key=lambda path: (-path.stat().st_mtime, path.parent.name),
    )
    return [path.parent.name for path in found]


def evaluation(folder: Path, name: str) -> pd.DataFrame:
    """A model's rows of evaluation.json beside those of the constant predictor, for every part.

    Returns:
        part, name, and the measures (see photojury.baselines.evaluate.measure); values by threshold are columns of
        their own.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / "models" / name / "evaluation.json"
    found = _json(path)
    parts = {"test": found, **_mapping(found.get("other_parts", {}), path)}
    rows = [
        {"part": part, **_flat(row)}
        for part, body in parts.items()
        for row in _rows(_mapping(body, path), path)
    ]
    return pd.DataFrame(rows)


def predicted(folder: Path, name: str) -> pd.DataFrame:
    """A model's predictions: image_id, part, score.

    Raises:
        InputError: there are none, or the file is damaged.
    """
    path = folder / "models" / name / "predictions.parquet"
    if not path.is_file():
        raise InputError(f"{path} is not there; make it again with: photojury train hybrid-siamese --restart")
    try:
        return pd.read_parquet(path, columns=["image_id", "part", "score"])
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read: {str(error).splitlines()[0]}; make it again or delete it"
        ) from None


def beside(predictions: pd.DataFrame, rated: pd.DataFrame) -> pd.DataFrame:
    """Predictions beside ratings.

    Args:
        predictions: image_id, part, score.
        rated: image_id, score (mean rating), n.

    Returns:
        image_id, part, predicted, rated, n, error (rank predicted less rank rated, as shares within the part; above 0:
        the network likes it more than people do); only images that have both.
    """
    both = predictions.rename(columns={"score": "predicted"}).merge(
        rated[["image_id", "score", "n"]].rename(columns={"score": "rated"}), on="image_id"
    )
    ranks = both.groupby("part")[["predicted", "rated"]].rank(pct=True)
    return both.assign(error=ranks["predicted"] - ranks["rated"])


def follow(table: pd.DataFrame) -> Follow:
    """How the predictions of one part, rows of `beside`, follow the ratings.

    Raises:
        InputError: fewer than four images.
    """
    if len(table) < 4:
        raise InputError(
            f"{len(table)} images have a prediction and a rating; four are needed for a correlation"
        )
    x, y = table["predicted"], table["rated"]
    rho = metrics.srcc(x, y)
    low, high = metrics.srcc_interval(rho, len(table))
    return Follow(rho, low, high, metrics.plcc(x, y), metrics.krcc(x, y), len(table))


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}; make it again or delete it") from None
    return _mapping(found, path)


def _mapping(found: object, path: Path) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise InputError(f"{path} is not as `photojury train` writes it; make it again or delete it")
    return found


def _rows(body: Mapping[str, Any], path: Path) -> list[Mapping[str, Any]]:
    rows = body.get("rows")
    if not isinstance(rows, list):
        raise InputError(f"{path} holds no list of rows; make it again or delete it")
    return [_mapping(row, path) for row in rows]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose nested values (accuracy by p_b) are columns of their own."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat |= (
            {f"{name} {key}": inner for key, inner in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    return flat
