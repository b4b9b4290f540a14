"""Published datasets by torchvision's conventions: splits, targets, transforms, and what is missing."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.transforms.v2 import functional

from photojury.datasets.vision import PublishedImages
from photojury.errors import InputError

KONIQ = """image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set
a.jpg,0.0,0.25,0.5,0.25,0.0,4,50.0,0.8,training
b.jpg,0.0,0.0,0.0,0.0,1.0,5,99.0,0.0,training
c.jpg,1.0,0.0,0.0,0.0,0.0,3,1.0,0.0,test
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "koniq10k_distributions_sets.csv").write_text(KONIQ)
    for number, name in enumerate(("a", "b")):
        Image.new("RGB", (20 + number, 10), (number, 2, 3)).save(tmp_path / f"{name}.jpg")
    return tmp_path


def test_pictures_with_their_means(root: Path) -> None:
    """The mean of the ratings by hand: (2 + 3 + 3 + 4) / 4 and 5; pictures in the order of their ids."""
    dataset = PublishedImages(root, "koniq", split="train")
    assert dataset.image_ids == ["koniq:a.jpg", "koniq:b.jpg"] and len(dataset) == 2
    picture, mean = dataset[0]
    assert picture.size == (20, 10) and picture.mode == "RGB" and mean == 3.0
    assert dataset[1][1] == 5.0


def test_distributions_and_transforms(root: Path) -> None:
    """Shares of the levels in float32; transforms of picture and target; batches by a DataLoader."""
    dataset = PublishedImages(
        root,
        "koniq",
        target="distribution",
        transform=lambda picture: functional.to_image(picture.resize((4, 4))),
        target_transform=lambda shares: shares.flip(0),
    )
    assert dataset.levels == (1, 2, 3, 4, 5)
    assert dataset[1][1].tolist() == [1, 0, 0, 0, 0] and dataset[0][1].dtype == torch.float32
    pictures, shares = next(iter(DataLoader(dataset, batch_size=2)))
    assert pictures.shape == (2, 3, 4, 4) and torch.allclose(shares.sum(1), torch.ones(2))


def test_scores_and_attributes(root: Path, tmp_path: Path) -> None:
    """A score by its name, or the only one; attributes in the order of their names."""
    assert PublishedImages(root, "koniq", target="score")[0][1] == 50.0
    names = ["BalacingElements", "ColorHarmony", "Content", "DoF", "Light", "MotionBlur", "Object", "Repetition",
             "RuleOfThirds", "Symmetry", "VividColor"]  # fmt: skip
    rows = pd.DataFrame([["a.jpg", *([0.2] * 11), 0.6]], columns=["ImageFile", *names, "score"])
    for part in ("Train", "Validation", "TestNew"):
        rows.assign(ImageFile=f"{part}.jpg").to_csv(root / f"imgList{part}Regression_.csv", index=False)
        Image.new("RGB", (5, 5)).save(root / f"{part}.jpg")
    aadb = PublishedImages(root, "aadb", split="test", target="attributes")
    assert aadb.attributes == tuple(sorted(f"aadb:{name}" for name in names))
    assert aadb[0][1].tolist() == pytest.approx([0.2] * 11)
    assert PublishedImages(root, "aadb", split="validation", target="score")[0][1] == 0.6
    with pytest.raises(InputError, match=r"unknown score 'adb'\. Did you mean aadb"):
        PublishedImages(root, "aadb", target="score", score="adb")
    with pytest.raises(InputError, match="its targets are score and attributes"):
        PublishedImages(root, "aadb")


def test_what_is_missing_is_told(root: Path) -> None:
    """Missing pictures are an error with one of their names, or are left out; unknown words have suggestions."""
    with pytest.raises(InputError, match=r"1 of 1 pictures of koniq are missing, such as c\.jpg"):
        PublishedImages(root, "koniq", split="test")
    with pytest.raises(InputError, match=r"1 of 3 pictures .* missing='skip'"):
        PublishedImages(root, "koniq", split="all")
    assert len(PublishedImages(root, "koniq", split="all", missing="skip")) == 2
    with pytest.raises(InputError, match=r"unknown split 'tset'\. Did you mean test"):
        PublishedImages(root, "koniq", split="tset")
    with pytest.raises(InputError, match="has no part validation; it has test, train"):
        PublishedImages(root, "koniq", split="validation")
    with pytest.raises(InputError, match=r"unknown split of koniq 'official-'"):
        PublishedImages(root, "koniq", splits="official-")
    with pytest.raises(InputError, match="its scores are koniq-mos"):
        PublishedImages(root, "koniq", target="attributes")


def test_it_says_what_it_is(root: Path) -> None:
    """The repr has torchvision's form, with name, split and target."""
    said = repr(PublishedImages(root, "koniq", target="distribution"))
    assert said.splitlines()[0] == "Dataset PublishedImages"
    assert {"    Number of datapoints: 2", "    Split: train", "    Target: distribution"} <= set(
        said.splitlines()
    )
