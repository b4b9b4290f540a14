"""The report's sections about what came out: pictures, trained networks, recovery of a planted truth.

Takes in a `Source`, gives out what each section shows; a section without its data raises an InputError.

    training(Source(of_study(study), thumbnails=True))
"""

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from photojury.analysis import wording
from photojury.analysis.metrics import srcc_interval
from photojury.analysis.sections.source import Context, Source
from photojury.analysis.thumbnails import thumbnail
from photojury.datasets.papers import number
from photojury.errors import InputError

SHOWN = 6
"""Pictures in a row of best, worst or most divisive ones."""

TRAINING_COLUMNS = {
    "Lg": "Lg (nats)",
    "Lr": "Lr (nats)",
    "auc": "AUC at p_a",
    "pairwise_accuracy": "pair accuracy at p_b",
    "pairwise_accuracy_decided": "without equal pairs",
    "srcc": "SRCC",
    "n_images": "images",
    "n_pairs": "pairs",
}
"""The metrics of paper 1 (section 5.1) with the words of the report; others keep their names."""


def pictures(source: Source) -> Context:
    """The best, the worst and the most divisive images."""
    if not source.thumbnails:
        raise InputError("pictures were left out of this report")
    table = source.mos.merge(source.images[["image_id", "sd"]], on="image_id")
    table = table.merge(
        source.answers.images[["image_id", "status", "format", "title", "source_id"]], on="image_id"
    )
    table = table[(table["status"] == "kept") & (table["n"] >= 2)]
    if table.empty:
        raise InputError("no image has two ratings or more yet")
    if table["format"].isna().all():
        raise InputError("there are no pictures beside the answers")
    count = max(1, min(SHOWN, len(table) // 3))
    rows = (
        ("Rated highest", table.sort_values(["score", "image_id"], ascending=[False, True])),
        ("Rated lowest", table.sort_values(["score", "image_id"])),
        ("Most divisive", table.sort_values(["sd", "image_id"], ascending=[False, True])),
    )
    return {
        "rows": [
            (title, [_picture(source, row) for row in part.head(count).to_dict("records")])
            for title, part in rows
        ]
    }


def _picture(source: Source, row: Mapping[Hashable, Any]) -> Context:
    title, place = row["title"], row["source_id"]
    name = str(title if isinstance(title, str) and title else Path(str(place)).name)
    path = source.answers.picture(str(row["image_id"]), str(row["format"]))
    try:
        uri = thumbnail(path) if path else ""
    except OSError:
        uri = ""
    return {
        "uri": uri,
        "name": name,
        "score": wording.decimal(row["score"], 2),
        "interval": wording.interval(row["low"], row["high"], 2),
        "sd": wording.decimal(row["sd"], 2),
        "n": row["n"],
    }


def training(source: Source) -> Context:
    """What the trained networks reach on the test part, beside a constant predictor."""
    models = []
    for path in sorted((source.study.folder / "models").glob("*/evaluation.json")):
        rows = [_flat(row) for row in _rows(path)]
        names = list(dict.fromkeys(name for row in rows for name in row if name != "name"))
        model: Context = {"name": path.parent.name, "columns": [_column(name) for name in names]}
        model["rows"] = [
            [str(row.get("name", "")), *(_cell(row.get(name)) for name in names)] for row in rows
        ]
        model["paper"] = _paper_row(names) if path.parent.name.startswith("hybrid-siamese") else []
        models.append(model)
    if not models:
        raise InputError(
            "no network has been trained on this study; do so with: photojury train hybrid-siamese"
        )
    return {"models": models}


def _rows(path: Path) -> list[dict[str, object]]:
    rows = _json(path).get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path} holds no list of rows; make it again or delete it")
    return rows


def _paper_row(names: list[str]) -> list[str]:
    known = {"Lg": number("action_shots.hybrid_test_lg"), "Lr": number("action_shots.hybrid_test_lr")}
    values = [wording.decimal(known[name].value) if name in known else wording.MISSING for name in names]
    return [f"{known['Lg'].source} (on its own images)", *values]


def recovery(source: Source) -> Context:
    """How well the scores recover the planted truth of simulated raters."""
    path = source.study.folder / "reports" / "recovery.json"
    if not path.is_file():
        raise InputError("this study has no planted truth")
    found = _json(path)
    try:
        rho, n = float(str(found["spearman"])), int(str(found["n"]))
    except (KeyError, ValueError):
        raise InputError(f"{path} must hold the numbers spearman and n; make it again or delete it") from None
    return {
        "spearman": wording.decimal(rho),
        "interval": wording.interval(*srcc_interval(rho, n)),
        "n": wording.whole(n),
    }


def _json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}; make it again or delete it") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no JSON object; make it again or delete it")
    return found


def _flat(row: dict[str, object]) -> dict[str, object]:
    """A row whose nested values (accuracy by p_b) are columns of their own."""
    flat: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name} {key}": inner for key, inner in value.items()}
        else:
            flat[name] = value
    return flat


def _column(name: str) -> str:
    first, _, rest = name.partition(" ")
    return " ".join(filter(None, [TRAINING_COLUMNS.get(first, first), rest]))


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return wording.MISSING if value is None else str(value)
    return wording.whole(value) if isinstance(value, int) else wording.decimal(value)
