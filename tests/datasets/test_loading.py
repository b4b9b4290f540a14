"""Loading: the votes that a network is trained on, counted by hand, and the tensors it sees."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from photojury.datasets.images import inspect, store_image
from photojury.datasets.loading import (
    PairDataset,
    Pictures,
    RatedImageDataset,
    read_answers,
    shares,
)
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, StoreError

COLOURS = {"a": (255, 0, 0), "b": (0, 255, 0), "c": (0, 0, 255), "d": (128, 128, 128)}


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """Four pictures of one colour each; a, b, c train, d tests."""
    study = create_study(tmp_path / "study", "tests")
    for name, colour in COLOURS.items():
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (80, 64), colour).save(path)
        data = path.read_bytes()
        facts = inspect(data, max_megapixels=1, min_side=8)
        store_image(study.images_folder, data, facts)
        # Short ids, so that the tests can be read: the file lies where the id says.
        study.image_path(name, "png").parent.mkdir(parents=True, exist_ok=True)
        study.image_path(name, "png").write_bytes(data)
        row: dict[str, Any] = {"image_id": name, "source": "folder", "source_id": name, "retrieved_at": 0.0}
        study.add("images", [{**row, "width": 80, "height": 64, "format": "png", "bytes": len(data)}])
    study.add(
        "splits",
        [{"image_id": n, "split": "default", "part": "test" if n == "d" else "train"} for n in COLOURS],
    )
    hit = {"hit_key": "h", "batch": "x", "task": "stars", "unit_ids": "[]", "request_token": "t"}
    study.add("hits", [{**hit, "state": "closed", "reward": 1, "max_assignments": 1}])
    yield study
    study.close()


def answer(study: Study, *rows: tuple[str, str, str | None, float], use: bool = True, **unit: object) -> None:
    """One assignment with (unit, first, second, value) answers; second None is a star rating."""
    number = study.count("assignments")
    who = {"assignment_id": f"A{number}", "rater_id": f"r{number}"}
    study.add(
        "assignments",
        [
            {
                **who,
                "hit_key": "h",
                "accepted_at": 0.0,
                "submitted_at": 1.0,
                "status": "Approved",
                "use": use,
                "answers": "",
            }
        ],
    )
    for unit_id, first, second, value in rows:
        task = "five_level" if second else "stars"
        study.add(
            "units",
            [
                {
                    "unit_id": unit_id,
                    "batch": "x",
                    "task": task,
                    "first_id": first,
                    "second_id": second,
                    **unit,
                }
            ],
        )
        shared = {**who, "unit_id": unit_id, "value": value, "position_in_hit": 0, "simulated": number == 0}
        if second:
            pair = {"task": "five_level", "first_id": first, "second_id": second, "first_shown_left": True}
            study.add("comparisons", [{**shared, **pair}])
        else:
            study.add("ratings", [{**shared, "attribute": "overall", "image_id": first}])


def test_votes_are_counted_by_level_and_part(study: Study) -> None:
    """Each image has its votes per star, in the part of the split where it lies."""
    answer(study, ("u1", "a", None, 1.0), ("u2", "d", None, 3.0))
    answer(study, ("u1", "a", None, 3.0), ("u2", "d", None, 3.0))
    answers = read_answers(study)
    assert answers.parts["train"].images.image_ids == ("a",)
    assert answers.parts["train"].images.votes.tolist() == [[1, 0, 1]]
    assert answers.parts["test"].images.votes.tolist() == [[0, 0, 2]]
    assert answers.parts["validation"].images.votes.shape == (0, 3)
    assert list(answers.paths) == ["a", "b", "c", "d"]
    assert answers.simulated


def test_both_orders_of_a_pair_are_one(study: Study) -> None:
    """(b, a) at +2 is (a, b) at -2: positive always means that the first is better."""
    answer(study, ("p1", "b", "a", 2.0))
    answer(study, ("p2", "a", "b", 1.0))
    pairs = read_answers(study).parts["train"].pairs
    assert {*pairs.first_ids, *pairs.second_ids} == {"a", "b"}
    assert pairs.votes.tolist() == [[1, 0, 0, 1, 0] if pairs.first_ids == ("a",) else [0, 1, 0, 0, 1]]


def test_what_does_not_count(study: Study) -> None:
    """Unused assignments, control questions, repeats and pairs across parts are left out."""
    answer(study, ("u1", "a", None, 2.0), ("cross", "a", "d", 1.0))
    answer(study, ("u1", "a", None, 3.0), use=False)
    answer(study, ("gold", "b", None, 3.0), gold=3.0)
    answer(study, ("again", "a", None, 1.0), repeat_of="u1")
    train = read_answers(study).parts["train"]
    assert train.images.votes.tolist() == [[0, 1, 0]]
    assert train.images.image_ids == ("a",)
    assert train.pairs.first_ids == ()


def test_no_split_and_a_value_off_the_scale_are_named(study: Study) -> None:
    """Both say what to do."""
    with pytest.raises(InputError, match="photojury datasets split"):
        read_answers(study, "other")
    answer(study, ("u1", "a", None, 5.0))
    with pytest.raises(InputError, match=r"value 5 of assignment A0 is off the scale of 1 to 3"):
        read_answers(study)


def test_tensors_hold_the_picture_and_the_shares(study: Study) -> None:
    """A red picture is (1, 0, 0) everywhere; shares are votes over their sum, 0 for an unrated picture."""
    answer(study, ("u1", "a", None, 1.0), ("p1", "a", "b", -2.0))
    answer(study, ("u1", "a", None, 3.0), ("p1", "a", "b", 0.0))
    answers = read_answers(study)
    pictures = Pictures(answers.paths, 16, cache=True)
    image, stars = RatedImageDataset(pictures, answers.parts["train"].images)[0]
    assert image.shape == (3, 16, 16)
    assert image.mean(dim=(1, 2)).tolist() == [1.0, 0.0, 0.0]
    assert stars.tolist() == [0.5, 0.0, 0.5]
    pairs = PairDataset(pictures, answers.parts["train"])
    item, upright = pairs[0], pairs.pairs.first_ids == ("a",)
    red, green = (item.first, item.second) if upright else (item.second, item.first)
    stars_of_green = item.second_stars if upright else item.first_stars
    assert item.levels.tolist() == ([0.5, 0.0, 0.5, 0.0, 0.0] if upright else [0.0, 0.0, 0.5, 0.0, 0.5])
    assert red.mean(dim=(1, 2)).tolist() == [1.0, 0.0, 0.0]
    assert green.mean(dim=(1, 2)).tolist() == [0.0, 1.0, 0.0]
    assert stars_of_green.tolist() == [0.0, 0.0, 0.0]


def test_a_transform_is_applied_once_and_kept(study: Study) -> None:
    """With the cache, a picture is read and transformed one time only."""
    seen: list[int] = []

    def transform(image: torch.Tensor) -> torch.Tensor:
        seen.append(1)
        return image.mean(dim=(1, 2))

    pictures = Pictures(read_answers(study).paths, 8, cache=True, transform=transform)
    assert pictures["a"].tolist() == pictures["a"].tolist() == [1.0, 0.0, 0.0]
    assert len(seen) == 1


def test_datasets_survive_pickling_and_batch(study: Study) -> None:
    """A dataset sent to a worker gives the same items, and torch's own DataLoader makes batches of them."""
    answer(study, ("p1", "a", "b", 1.0), ("p2", "b", "c", 2.0))
    answers = read_answers(study)
    pairs = PairDataset(Pictures(answers.paths, 8, cache=False), answers.parts["train"])
    copy = pickle.loads(pickle.dumps(pairs))
    assert torch.equal(copy[1].first, pairs[1].first)
    batch = next(iter(DataLoader(copy, batch_size=2)))
    assert batch.first.shape == (2, 3, 8, 8)
    assert torch.equal(batch.levels, torch.stack([pairs[0].levels, pairs[1].levels]))


def test_a_lost_file_is_named(study: Study) -> None:
    """The sentence names the file and what to do."""
    answers = read_answers(study)
    answers.paths["a"].unlink()
    with pytest.raises(StoreError, match=r"a\.png cannot be read.*collect it again"):
        Pictures(answers.paths, 8, cache=False)["a"]


def test_shares_of_nothing_are_zero() -> None:
    """A row without votes has no NaN in it."""
    assert shares(np.array([[0, 0], [1, 3]])).tolist() == [[0.0, 0.0], [0.25, 0.75]]
