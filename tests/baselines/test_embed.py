"""Features: what the classical descriptor ignores and what it tells apart, and VGG16's fc7 with a file of weights."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter
from skimage import data

from photojury.baselines.commands import embed as embed_command
from photojury.baselines.embed import classical, embed
from photojury.baselines.fc7 import fc7_model
from photojury.collect.sources.folder import collect_folder
from photojury.datasets.features import read_features
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "camera", "coins")


def photo(name: str) -> Image.Image:
    picture = Image.fromarray(getattr(data, name)()).convert("RGB")
    picture.thumbnail((320, 320))
    return picture


def edits(picture: Image.Image) -> list[Image.Image]:
    width, height = picture.size
    noise = np.random.default_rng(1).normal(0, 20, (height, width, 3))
    return [
        picture,
        picture.filter(ImageFilter.GaussianBlur(3)),
        ImageEnhance.Brightness(picture).enhance(0.6),
        ImageEnhance.Color(picture).enhance(0.3),
        picture.crop((width // 12, height // 12, width - width // 12, height - height // 12)),
        Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)),
    ]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Three photographs."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in PHOTOS[:3]:
        photo(name).save(photos / f"{name}.png")
    study = create_study(tmp_path / "study", "tests")
    collect_folder(study, photos)
    return study


def test_edits_of_a_photograph_are_nearer_than_other_photographs() -> None:
    """The nearest neighbour of every edit of six photographs is an edit of the same photograph."""
    features = np.stack([classical(edit) for name in PHOTOS for edit in edits(photo(name))])
    owner = np.repeat(np.arange(len(PHOTOS)), 6)
    likeness = features @ features.T
    same = likeness[(owner[:, None] == owner) & ~np.eye(len(owner), dtype=bool)].mean()
    other = likeness[owner[:, None] != owner].mean()
    np.fill_diagonal(likeness, -1)
    assert (owner[likeness.argmax(axis=1)] == owner).all()
    assert same > other + 0.4


def test_the_descriptor_has_length_one_and_ignores_size() -> None:
    """520 float32 of length 1; twice as many pixels change next to nothing."""
    picture = photo("chelsea")
    found = classical(picture)
    assert found.shape == (520,)
    assert found.dtype == np.dtype("float32")
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)
    larger = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)
    assert float(found @ classical(larger)) > 0.99


def test_a_plain_picture_has_no_nan() -> None:
    """Without variation a block is zero, not a division by zero."""
    assert np.isfinite(classical(Image.new("RGB", (50, 40), "grey"))).all()


def test_mirroring_mirrors_the_layout() -> None:
    """Turning a picture left to right turns the rows of its 8 x 8 thumbnail round, and leaves its colours."""

    def blocks(picture: Image.Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found = classical(picture)
        return found[:192].reshape(8, 8, 3), found[-72:]

    picture = photo("astronaut").resize((256, 256))
    (layout, colours), (mirrored, same) = (
        blocks(picture),
        blocks(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    )
    assert mirrored == pytest.approx(layout[:, ::-1], abs=1e-5)
    assert same == pytest.approx(colours, abs=1e-6)


def test_embed_writes_every_kept_picture_once(study: Study) -> None:
    """Rows are ordered by image id, whatever the order of collection; a rejected picture has none."""
    assert embed(study, "classical") == (3, 520)
    ids, matrix = read_features(study.folder, "classical")
    assert ids == sorted(study.read("images")["image_id"])
    expected = classical(Image.open(study.image_path(ids[1])).convert("RGB"))
    assert matrix[1] == pytest.approx(expected, abs=1e-6)


def test_fc7_is_the_second_fully_connected_layer(tmp_path: Path) -> None:
    """With a file of weights: equal to torchvision's own network stopped after the ReLU of fc7."""
    torch.manual_seed(0)
    with torch.no_grad():
        state = torchvision.models.vgg16(weights=None, init_weights=False).state_dict()
    path = tmp_path / "vgg16.pth"
    torch.save(state, path)
    picture = photo("coffee")
    found = fc7_model(str(path), "cpu")([picture])
    assert found.shape == (1, 4096)
    network = torchvision.models.vgg16(weights=None, init_weights=False).eval()
    network.load_state_dict(state)
    pixels = np.asarray(picture.resize((224, 224), Image.Resampling.BICUBIC), dtype=np.float32) / 255
    inputs = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with torch.no_grad():
        image = torch.tensor(inputs.transpose(2, 0, 1)[None], dtype=torch.float32)
        pooled = network.avgpool(network.features(image)).flatten(1)
        fc6 = torch.relu(network.classifier[0](pooled))
        fc7 = torch.relu(network.classifier[3](fc6))
    assert found == pytest.approx(fc7.numpy(), abs=1e-4)


def test_missing_and_foreign_weights_are_named(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without weights the sentence names the descriptor that needs none; another network's are refused."""
    monkeypatch.setenv("TORCH_HOME", os.fspath(tmp_path / "empty"))
    with pytest.raises(InputError, match=r"vgg16-397923af\.pth are not at|--model classical"):
        embed(study, "vgg16-fc7")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="of another network"):
        embed(study, "vgg16-fc7", weights=str(tmp_path / "other.pth"))
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(InputError, match="holds no torch weights"):
        embed(study, "vgg16-fc7", weights=str(tmp_path / "text.pth"))


def test_unknown_models_and_empty_studies_are_named(study: Study, tmp_path: Path) -> None:
    """The nearest name is offered; a study without pictures says how to get some."""
    with pytest.raises(InputError, match="Did you mean classical"):
        embed(study, "clasical")
    with pytest.raises(InputError, match="photojury collect folder"):
        embed(create_study(tmp_path / "empty", "empty"), "classical")


def test_the_command_leaves_features_and_a_record(study: Study) -> None:
    """`photojury embed` writes the features and a run record with their hash."""
    done = CliRunner().invoke(embed_command, ["--study", str(study.folder)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "3 pictures, 520 numbers each" in done.output
    (record,) = (study.folder / "runs").glob("*-embed/run.json")
    assert "classical.parquet" in record.read_text()
