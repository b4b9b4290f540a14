"""Train a paper's network on a study: answers in; weights, predictions, scores and an evaluation out.

Everything lies in the study's `models/<name>/`: what photojury.baselines.loop writes, and

    predictions.parquet        image_id, part, score, p_1 .. p_k (stars), of every kept picture
    pair_predictions.parquet   first_id, second_id, part, p_-2 .. p_2, of every rated pair
    evaluation.json            test rows beside a constant predictor's; also the train and validation parts

The scores also go into the study's table `scores`, method = the model's name.

    >>> train(open_study(Path("demo-study")), "hybrid-siamese", backbone="small")["rows"]     # doctest: +SKIP
"""

import dataclasses
import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from photojury.baselines import evaluate, loop, recipe
from photojury.baselines.devices import device_name
from photojury.datasets.images import write_atomically
from photojury.datasets.loading import PAIR_LEVELS, Answers, Part, read_answers
from photojury.datasets.store import Study
from photojury.datasets.streams import stream_seed
from photojury.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def train(
    study: Study,
    paper: str,
    *,
    backbone: str = "vgg16",
    name: str = "",
    device: str = "auto",
    weights: str = "imagenet",
    changes: Mapping[str, object] | None = None,
    restart: bool = False,
) -> dict[str, Any]:
    """Train, predict, evaluate and write it all down; a run that was cut off goes on where it was.

    Args:
        study: with ratings, comparisons and a split.
        paper: a name of photojury.baselines.recipe.RECIPES.
        backbone: chooses the preset.
        name: of the model; the paper's if empty.
        device: auto, cpu or cuda.
        weights: of the backbone: imagenet, none or a file.
        changes: fields of the recipe, see photojury.baselines.recipe.changed.
        restart: throw away what models/<name> holds.

    Returns:
        What evaluation.json holds.

    Raises:
        InputError: unknown names, answers or weights that are not there, or another model of that name.
    """
    name = name or paper
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot name a model; use up to 64 letters, digits, dots, dashes, underscores"
        )
    chosen = recipe.changed(recipe.preset(paper, backbone), changes or {})
    answers = read_answers(study)
    seed = stream_seed(study.settings.study.seed, "train", paper)
    with _threads(chosen.threads):
        job = recipe.load(paper).job(chosen, answers, seed=seed, device=device_name(device), weights=weights)
        folder = study.folder / "models" / name
        if restart:
            shutil.rmtree(folder, ignore_errors=True)
        history = loop.fit(job, folder, seed=seed, fingerprint=_fingerprint(chosen, answers, seed, weights))
        scores = job.predict(list(answers.paths))
    result = _evaluation(job, answers, scores, name)
    result |= {
        "recipe": {"name": paper, **dataclasses.asdict(chosen)},
        "simulated": answers.simulated,
        "best_epoch": loop.best_epoch(history) + 1,
        "epochs": len(history),
        "seconds": round(sum(float(line["seconds"]) for line in history), 1),
    }
    _write_predictions(job, answers, scores, folder)
    _write_scores(study, answers, scores, name)
    write_atomically(folder / "evaluation.json", (json.dumps(result, indent=2) + "\n").encode())
    return result


def _evaluation(job: Any, answers: Answers, scores: Mapping[str, float], name: str) -> dict[str, Any]:
    """Rows of the test part, and the same of the other two."""
    parts = {}
    for part_name, part in answers.parts.items():
        predictors = {
            name: _predictions(job, part, scores),
            evaluate.CONSTANT: evaluate.constant(answers.parts["train"], part),
        }
        parts[part_name] = {
            "rows": [evaluate.measure(key, part, said) for key, said in predictors.items()],
            "target_entropy": evaluate.target_entropy(part),
            "by_p_b": evaluate.accuracies_by_margin(part, predictors),
        }
    test = parts.pop("test")
    return {**test, "p_a": float(evaluate.P_A), "p_b": float(evaluate.P_B[0]), "other_parts": parts}


def _predictions(job: Any, part: Part, scores: Mapping[str, float]) -> evaluate.Predictions:
    rated = [scores[image_id] for image_id in part.images.image_ids]
    return evaluate.Predictions(
        np.array(rated), job.star_probabilities(rated), job.level_probabilities(_gaps(part, scores))
    )


def _gaps(part: Part, scores: Mapping[str, float]) -> list[float]:
    return [scores[a] - scores[b] for a, b in zip(part.pairs.first_ids, part.pairs.second_ids, strict=True)]


def _write_predictions(job: Any, answers: Answers, scores: Mapping[str, float], folder: Path) -> None:
    images = pd.DataFrame({"image_id": list(scores), "score": list(scores.values())})
    images.insert(1, "part", images["image_id"].map(answers.part_of))
    stars = job.star_probabilities(list(scores.values()))
    images[[f"p_{star + 1}" for star in range(stars.shape[1])]] = stars
    pairs = []
    for name, part in answers.parts.items():
        table = pd.DataFrame(
            {"first_id": part.pairs.first_ids, "second_id": part.pairs.second_ids, "part": name}
        )
        table[[f"p_{level}" for level in PAIR_LEVELS]] = job.level_probabilities(_gaps(part, scores))
        pairs.append(table)
    for file, frame in (("predictions", images), ("pair_predictions", pd.concat(pairs, ignore_index=True))):
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        write_atomically(folder / f"{file}.parquet", buffer.getvalue())


def _write_scores(study: Study, answers: Answers, scores: Mapping[str, float], name: str) -> None:
    rows = {
        "image_id": list(scores),
        "method": name,
        "score": list(scores.values()),
        "simulated": answers.simulated,
    }
    study.replace("scores", pd.DataFrame(rows), {"method": name})


def _fingerprint(chosen: Any, answers: Answers, seed: int, weights: str) -> str:
    """Of all that the trained weights depend on."""
    digest = hashlib.sha256(json.dumps([dataclasses.asdict(chosen), seed, weights]).encode())
    for name, part in answers.parts.items():
        ids = [name, part.images.image_ids, part.pairs.first_ids, part.pairs.second_ids]
        digest.update(json.dumps(ids).encode() + part.images.votes.tobytes() + part.pairs.votes.tobytes())
    return digest.hexdigest()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Use so many threads inside; 0 leaves it to torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
