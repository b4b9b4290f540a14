"""The training loop: resumed runs equal uninterrupted ones, the best epoch is kept, mistakes are named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from photojury.baselines.loop import Stage, best_epoch, fit
from photojury.errors import InputError, StoreError, UserError

STAGES = (
    Stage(2, 0.1, frozen=("0.",)),
    Stage(4, 0.05, schedule="cosine", optimizer="adamw", weight_decay=0.1),
)


class Killed(Exception):
    """Stands for kill -9: nothing of the epoch is saved."""


class Line:
    """A small regression with dropout, killed in a chosen epoch after a chosen number of batches."""

    def __init__(self, kill_at: int | None = None, stages: tuple[Stage, ...] = STAGES) -> None:
        torch.manual_seed(3)
        self.network = nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        self.stages = stages
        generator = torch.Generator().manual_seed(4)
        self.inputs = torch.randn(24, 2, generator=generator)
        self.targets = self.inputs.sum(dim=1, keepdim=True)
        self.kill_at, self.batch = kill_at, 0
        self.validations: list[float] = []

    def batches(self, generator: torch.Generator) -> Iterator[torch.Tensor]:
        for rows in torch.randperm(24, generator=generator).view(3, 8):
            if self.batch == self.kill_at:
                raise Killed
            self.batch += 1
            yield rows

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        error: torch.Tensor = (self.network(self.inputs[batch]) - self.targets[batch]) ** 2
        return error.mean()

    def validate(self) -> dict[str, float]:
        error: torch.Tensor = (self.network(self.inputs) - self.targets) ** 2
        return {"error": error.mean().item()}


def weights(folder: Path, file: str = "checkpoint.pt") -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(folder / file, weights_only=True)
    return state["network"] if file == "checkpoint.pt" else state  # type: ignore[return-value]


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def without_seconds(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.mark.parametrize("kill_at", [1, 3, 5, 6, 7, 11, 14])
def test_a_killed_run_ends_as_one_that_was_not(tmp_path: Path, kill_at: int) -> None:
    """Killed within either stage or at their border and run again: same weights to the bit, same metrics."""
    fit(Line(), tmp_path / "whole", seed=1, fingerprint="x")
    with pytest.raises(Killed):
        fit(Line(kill_at), tmp_path / "cut", seed=1, fingerprint="x")
    torch.manual_seed(99)  # a new process has another random state
    fit(Line(), tmp_path / "cut", seed=1, fingerprint="x")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))
    assert same(weights(tmp_path / "whole", "best.pt"), weights(tmp_path / "cut", "best.pt"))
    assert without_seconds(tmp_path / "whole") == without_seconds(tmp_path / "cut")


def test_the_seed_decides(tmp_path: Path) -> None:
    """Another seed gives other weights."""
    for seed in (1, 2):
        fit(Line(), tmp_path / str(seed), seed=seed, fingerprint="x")
    assert not same(weights(tmp_path / "1"), weights(tmp_path / "2"))


def test_the_network_ends_with_the_best_epoch(tmp_path: Path) -> None:
    """Its validation error after training is the lowest in the history."""
    job = Line(stages=(Stage(3, 0.05), Stage(3, 0.5, optimizer="adamw")))
    history = fit(job, tmp_path, seed=1, fingerprint="x")
    lowest = min(line["validation_error"] for line in history)
    assert job.validate()["error"] == lowest
    assert history[best_epoch(history)]["validation_error"] == lowest
    assert len(history) == 6


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    """The same command loads the best weights and asks for no batch."""
    fit(Line(), tmp_path, seed=1, fingerprint="x")
    again = Line(kill_at=0)
    fit(again, tmp_path, seed=1, fingerprint="x")
    assert same(again.network.state_dict(), weights(tmp_path, "best.pt"))


def test_frozen_weights_stay(tmp_path: Path) -> None:
    """Parameters whose names start with a frozen prefix keep their first values; others move."""
    job = Line(stages=(Stage(2, 0.1, frozen=("0.",)),))
    before = {key: value.clone() for key, value in job.network.state_dict().items()}
    fit(job, tmp_path, seed=1, fingerprint="x")
    after = job.network.state_dict()
    assert torch.equal(before["0.weight"], after["0.weight"])
    assert not torch.equal(before["2.weight"], after["2.weight"])


def test_rates() -> None:
    """Steps fall tenfold; the cosine starts at the full rate, passes its half at half time, and falls."""
    assert [Stage(4, 1.0, step=2).rate(n) for n in range(4)] == pytest.approx([1, 1, 0.1, 0.1])
    assert [Stage(4, 2.0, schedule="cosine").rate(n) for n in (0, 2)] == pytest.approx([2, 1])


def test_another_recipe_is_not_continued(tmp_path: Path) -> None:
    """The sentence names both ways out."""
    fit(Line(), tmp_path, seed=1, fingerprint="x")
    with pytest.raises(InputError, match=r"--name.*--restart"):
        fit(Line(), tmp_path, seed=1, fingerprint="y")


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    """Half a file is no checkpoint."""
    fit(Line(), tmp_path, seed=1, fingerprint="x")
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreError, match=r"checkpoint\.pt cannot be read"):
        fit(Line(), tmp_path, seed=1, fingerprint="x")


def test_a_loss_that_explodes_stops(tmp_path: Path) -> None:
    """The sentence names the learning rate."""
    with pytest.raises(UserError, match=r"the loss became .* at learning rate 1e\+30"):
        fit(Line(stages=(Stage(3, 1e30),)), tmp_path, seed=1, fingerprint="x")
