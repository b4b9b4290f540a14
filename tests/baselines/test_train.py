"""Training on a study, end to end: what is written, that it learns, that it goes on, and what is refused."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from PIL import Image, ImageFilter

from photojury.baselines import backbones, recipe
from photojury.baselines.backbones import Small, measures
from photojury.baselines.commands import train as train_command
from photojury.baselines.hybrid_siamese import PRESETS, HybridSiamese
from photojury.baselines.train import train
from photojury.collect.sources.folder import collect_folder
from photojury.datasets.loading import read_answers
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError

IMAGES = 30


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Thirty textures, the first half sharp and liked, the second half blurred and not; ten raters."""
    home = tmp_path_factory.mktemp("train")
    photos = home / "photos"
    photos.mkdir()
    random = np.random.default_rng(1)
    for number in range(IMAGES):
        pixels = random.normal(128, 40, (96, 96, 3)).clip(0, 255).astype(np.uint8)
        picture = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(1 if number % 2 == 0 else 4))
        picture.save(photos / f"{number:02d}.png")
    study = create_study(home / "study", "tests")
    collect_folder(study, photos)
    answer(study, random)
    return study


def answer(study: Study, random: np.random.Generator) -> None:
    """Split 18 / 6 / 6; sharp pictures get 2 or 3 stars, blurred ones 1 or 2; pairs within parts."""
    images = study.read("images").sort_values("source_id").reset_index(drop=True)
    ids = list(images["image_id"])
    part = ["train"] * 18 + ["validation"] * 6 + ["test"] * 6
    study.add(
        "splits", [{"image_id": i, "split": "default", "part": p} for i, p in zip(ids, part, strict=True)]
    )
    hit = {"hit_key": "h", "batch": "x", "task": "stars", "unit_ids": "[]", "request_token": "t"}
    study.add("hits", [{**hit, "state": "closed", "reward": 1, "max_assignments": 1}])
    times = {"hit_key": "h", "accepted_at": 0.0, "submitted_at": 1.0, "status": "Approved", "answers": ""}
    raters = [{"assignment_id": f"A{r}", "rater_id": f"r{r}"} for r in range(10)]
    study.add("assignments", [{**who, **times, "simulated": True} for who in raters])
    units, ratings, comparisons = [], [], []
    for n, image in enumerate(ids):
        units.append({"unit_id": f"s{n}", "batch": "x", "task": "stars", "first_id": image})
        for who in raters:
            shared = {**who, "position_in_hit": 0, "simulated": True}
            stars = float(random.choice([2, 3] if n % 2 == 0 else [1, 2]))
            ratings.append(
                {**shared, "unit_id": f"s{n}", "attribute": "overall", "image_id": image, "value": stars}
            )
    for n in range(IMAGES):
        for m in (n + 1, n + 2):
            if m < IMAGES and part[n] == part[m]:
                unit = f"p{n}-{m}"
                pair = {"task": "five_level", "first_id": ids[n], "second_id": ids[m]}
                units.append({"unit_id": unit, "batch": "x", **pair})
                for who in raters[:5]:
                    value = float(np.clip(2 * (m % 2 - n % 2) + random.choice([-1, 0, 1]), -2, 2))
                    shared = {**who, "position_in_hit": 0, "simulated": True, "first_shown_left": True}
                    comparisons.append({**shared, **pair, "unit_id": unit, "value": value})
    study.add("units", units)
    study.add("ratings", ratings)
    study.add("comparisons", comparisons)


def test_the_small_recipe_learns_sharpness(study: Study) -> None:
    """On unseen pictures it beats the constant predictor on every measure, in seconds."""
    result = train(
        study,
        "hybrid-siamese",
        backbone="small",
        name="learns",
        device="cpu",
        changes={"learning_rate": 3e-3},
    )
    mine, constant = result["rows"]
    assert (mine["name"], constant["name"]) == ("learns", "constant predictor")
    assert mine["Lg"] < constant["Lg"] - 0.1
    assert mine["Lr"] < constant["Lr"] - 0.1
    assert mine["auc"] == 1
    assert mine["pairwise_accuracy_decided"] == 1
    assert (mine["n_images"], result["simulated"]) == (6, True)
    assert mine["Lg"] >= result["target_entropy"]["Lg"]


def test_what_a_training_leaves(study: Study) -> None:
    """Predictions are distributions, their scores stand in the store, and the evaluation says the recipe."""
    result = train(
        study, "hybrid-siamese", backbone="small", name="leaves", device="cpu", changes={"epochs": 2}
    )
    folder = study.folder / "models" / "leaves"
    images = pd.read_parquet(folder / "predictions.parquet")
    pairs = pd.read_parquet(folder / "pair_predictions.parquet")
    assert len(images) == IMAGES
    assert images[["p_1", "p_2", "p_3"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert pairs[["p_-2", "p_-1", "p_0", "p_1", "p_2"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert images["part"].value_counts().to_dict() == {"train": 18, "validation": 6, "test": 6}
    scores = study.read("scores", {"method": "leaves"}).set_index("image_id")
    assert scores.loc[images["image_id"], "score"].to_numpy() == pytest.approx(images["score"].to_numpy())
    assert scores["simulated"].all()
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 2
    assert json.loads((folder / "evaluation.json").read_text()) == json.loads(json.dumps(result))
    assert result["recipe"]["name"] == "hybrid-siamese"
    assert result["recipe"]["stages"][-1]["epochs"] == 2


def test_a_training_cut_off_ends_with_the_same_scores(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in its third epoch and started again, it scores every picture as an uninterrupted one does."""
    loss, calls = HybridSiamese.loss, 0
    for name in ("whole", "cut"):
        if name == "cut":

            def dies(self: HybridSiamese, batch: object) -> torch.Tensor:
                nonlocal calls
                calls += 1
                if calls == 5:
                    raise KeyboardInterrupt
                return loss(self, batch)  # type: ignore[arg-type]

            monkeypatch.setattr(HybridSiamese, "loss", dies)
            with pytest.raises(KeyboardInterrupt):
                train(
                    study, "hybrid-siamese", backbone="small", name=name, device="cpu", changes={"epochs": 4}
                )
            monkeypatch.undo()
        train(study, "hybrid-siamese", backbone="small", name=name, device="cpu", changes={"epochs": 4})
    whole, cut = (
        pd.read_parquet(study.folder / "models" / n / "predictions.parquet") for n in ("whole", "cut")
    )
    assert whole.equals(cut)


def test_vgg16_trains_with_its_backbone_frozen_first(study: Study) -> None:
    """The paper's network at a small size: one step of stage 1 moves the new layers only, stage 2 all."""
    stages = tuple(
        dataclasses.replace(stage, epochs=1, learning_rate=1e-4) for stage in PRESETS["vgg16"].stages
    )
    chosen = dataclasses.replace(PRESETS["vgg16"], size=32, stages=stages)
    job = HybridSiamese(chosen, read_answers(study), seed=1, device="cpu", weights="none")
    assert job.stages[0].frozen == ("score.backbone.",)
    names = [name for name, _ in job.network.named_parameters() if name.startswith(job.stages[0].frozen)]
    assert len(names) == 26  # VGG16's 13 convolutions, each with weight and bias
    batch = next(iter(job.batches(torch.Generator().manual_seed(1))))
    job.loss(batch).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in job.network.parameters())


def test_measures_mirror_and_see_blur_and_noise() -> None:
    """A mirrored picture has mirrored measures; blur raises and noise lowers the likeness of neighbours."""
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(measures(image.flip(3)), measures(image).flip(3), atol=1e-5)
    blurred = torch.nn.functional.avg_pool2d(image, 5, 1, 2)
    neighbours = 6  # after 5 means and spreads and the log deviation of the first scale
    assert measures(blurred)[0, neighbours].mean() > measures(image)[0, neighbours].mean() + 0.5
    assert measures(image).shape == (1, backbones.MEASURES, 4, 4)


def test_small_standardises_what_it_was_calibrated_on() -> None:
    """After `calibrate` the training pictures' measures have mean 0 and deviation 1."""
    backbone = Small(jitter=0.5)
    prepared = torch.randn(20, backbones.MEASURES, 4, 4) * 3 + 7
    backbone.calibrate(prepared)
    inputs = (prepared - backbone.get_buffer("mean")) / backbone.get_buffer("std")
    assert inputs.mean(dim=(0, 2, 3)).abs().max() < 1e-4
    assert (inputs.std(dim=(0, 2, 3)) - 1).abs().max() < 1e-4
    backbone.eval()
    assert torch.equal(backbone(prepared), backbone(prepared))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"paper": "hybrid-siamees"}, "Did you mean hybrid-siamese"),
        ({"backbone": "smal"}, "Did you mean small"),
        ({"changes": {"epochs": 0}}, "epochs must be above 0"),
        ({"changes": {"weight": "clmap"}}, "Did you mean clamp"),
        ({"changes": {"weigth": "clamp"}}, "Did you mean weight"),
        ({"name": "../up"}, "cannot name a model"),
        ({"device": "gpu"}, "unknown device"),
        ({"backbone": "vgg16", "weights": "nowhere.pth"}, "--backbone small"),
    ],
)
def test_mistakes_are_named(study: Study, arguments: dict[str, object], words: str) -> None:
    """One sentence each, with the nearest right name."""
    with pytest.raises(InputError, match=words):
        train(study, **{"paper": "hybrid-siamese", "backbone": "small", **arguments})  # type: ignore[arg-type]


def test_what_a_study_lacks_is_named(tmp_path: Path) -> None:
    """No split names the command; no ratings say how to get some."""
    study = create_study(tmp_path, "empty")
    with pytest.raises(InputError, match="photojury datasets split"):
        train(study, "hybrid-siamese", backbone="small")
    row = {"source": "folder", "source_id": "a", "retrieved_at": 0.0, "format": "png"}
    study.add("images", [{"image_id": "a", **row, "width": 9, "height": 9, "bytes": 1}])
    study.add("splits", [{"image_id": "a", "split": "default", "part": "train"}])
    with pytest.raises(InputError, match=r"no ratings to train on yet.*annotate plan stars"):
        train(study, "hybrid-siamese", backbone="small")
    study.close()


def test_the_command_prints_both_rows_and_keeps_a_record(study: Study) -> None:
    """`photojury train` ends with the test measures beside the constant predictor's."""
    options = ["hybrid-siamese", "--backbone", "small", "--epochs", "1", "--name", "cli", "--device", "cpu"]
    done = CliRunner().invoke(train_command, [*options, "--study", str(study.folder)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "constant predictor" in done.output
    (record,) = (study.folder / "runs").glob("*-train/run.json")
    assert json.loads(record.read_text())["outcome"] == "ok"


def test_help_needs_no_torch() -> None:
    """`photojury train --help` imports neither torch nor pandas, and ends with an example."""
    code = (
        "import sys; from photojury.cli import run; status = run(['train', '--help']); "
        "assert not {'torch', 'pandas', 'numpy'} & set(sys.modules); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1].startswith("Example: photojury train hybrid-siamese") or (
        "Example: photojury train hybrid-siamese" in " ".join(done.stdout.split())
    )


def test_every_recipe_in_the_registry_is_there() -> None:
    """Each name leads to a module with presets and a job."""
    for name in recipe.RECIPES:
        module = recipe.load(name)
        assert module.PRESETS
        assert callable(module.job)
