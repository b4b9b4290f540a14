"""One training loop for every paper: seeded, resumed exactly after a kill, knowing no paper.

Takes in a `Job` (a network, its stages, its batches and its loss) and a folder; leaves there

    checkpoint.pt   network, optimizer, random state and history after the last whole epoch
    best.pt         the weights of the epoch with the lowest validation loss (of the last, without validation)
    metrics.jsonl   one line per epoch

each written whole or not at all. An epoch that was cut off is done again from the same random state, so a
resumed run ends with the same weights, to the bit, as one that was never stopped (on the same machine).

    >>> history = fit(job, Path("models/mine"), seed=1, fingerprint="recipe and data")     # doctest: +SKIP
"""

import io
import json
import logging
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from photojury.datasets.images import write_atomically
from photojury.datasets.streams import stream_seed
from photojury.errors import InputError, StoreError, UserError
from photojury.progress import counter

log = logging.getLogger(__name__)

Batch = TypeVar("Batch")
Line = dict[str, float | int | str]


@dataclass(frozen=True)
class Stage:
    """Some epochs with one optimizer.

    Attributes:
        epochs: how many.
        learning_rate: in its first epoch.
        schedule: "step": times 0.1 every `step` epochs; "cosine": falls to 0 along half a cosine.
        step: epochs between two falls.
        optimizer: "sgd" or "adamw".
        momentum: of SGD.
        weight_decay: of the weights; parameters with one dimension (biases, thresholds) have none.
        frozen: names of parameters that start with one of these stay as they are.
    """

    epochs: int
    learning_rate: float
    schedule: str = "step"
    step: int = 1_000_000
    optimizer: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    frozen: tuple[str, ...] = ()

    def rate(self, epoch: int) -> float:
        """The learning rate in an epoch of this stage, counted from 0."""
        if self.schedule == "cosine":
            return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2
        return float(self.learning_rate * 0.1 ** (epoch // self.step))


class Job(Protocol[Batch]):
    """What the loop needs to know of a paper."""

    @property
    def network(self) -> nn.Module: ...

    @property
    def stages(self) -> Sequence[Stage]: ...

    def batches(self, generator: torch.Generator) -> Iterable[Batch]:
        """One epoch's batches, on the network's device; every random choice is the generator's."""

    def loss(self, batch: Batch) -> torch.Tensor:
        """The scalar to descend."""

    def validate(self) -> dict[str, float]:
        """Measures on the validation part: the first is the one to lower; empty without validation."""


def fit(job: Job[Any], folder: Path, *, seed: int, fingerprint: str) -> list[Line]:
    """Train, or go on training, and leave the best weights in the network.

    Args:
        job: what to train.
        folder: where checkpoints lie; made if it is not there.
        seed: of the batches and of dropout; the network's first weights are the job's own matter.
        fingerprint: what the run depends on (recipe, data, seed); a run of another one is not continued.

    Returns:
        One line per epoch, as in metrics.jsonl.

    Raises:
        InputError: the folder holds a run with another fingerprint.
        StoreError: the checkpoint cannot be read.
        UserError: the loss is no longer finite.
    """
    plan = [(stage, epoch) for stage in job.stages for epoch in range(stage.epochs)]
    torch.manual_seed(seed)
    history, optimizer_state = _resume(job.network, folder / "checkpoint.pt", fingerprint)
    optimizer: torch.optim.Optimizer | None = None
    with counter("training, epochs", len(plan)) as progress:
        for number in range(len(history), len(plan)):
            stage, epoch = plan[number]
            if optimizer is None or epoch == 0:
                optimizer = _begin(job.network, stage)
                if epoch > 0:
                    optimizer.load_state_dict(optimizer_state)
            line = _epoch(job, optimizer, stage.rate(epoch), _generator(seed, number))
            history.append({"epoch": number + 1, **line})
            _save(job.network, optimizer, history, folder, fingerprint)
            progress(number + 1)
    job.network.load_state_dict(torch.load(folder / "best.pt", weights_only=True))
    return history


def best_epoch(history: Sequence[Line]) -> int:
    """Index of the line with the lowest validation measure (the first of equals); the last without any."""
    key = _measure(history[-1])
    if key is None:
        return len(history) - 1
    return min(range(len(history)), key=lambda number: float(history[number][key]))


def _epoch(job: Job[Any], optimizer: torch.optim.Optimizer, rate: float, generator: torch.Generator) -> Line:
    started = time.monotonic()
    for group in optimizer.param_groups:
        group["lr"] = rate
    job.network.train()
    total = batches = 0.0
    for batch in job.batches(generator):
        loss = job.loss(batch)
        if not torch.isfinite(loss):
            raise UserError(
                f"the loss became {loss.item()} at learning rate {rate:g}; train with a smaller one"
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total, batches = total + loss.item(), batches + 1
    job.network.eval()
    with torch.no_grad():
        found = {f"validation_{name}": value for name, value in job.validate().items()}
    seconds = round(time.monotonic() - started, 3)
    return {"loss": total / max(batches, 1), **found, "learning_rate": rate, "seconds": seconds}


def _begin(network: nn.Module, stage: Stage) -> torch.optim.Optimizer:
    """The stage's optimizer, over the parameters that are not frozen in it."""
    free: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(stage.frozen) if stage.frozen else True)
        if parameter.requires_grad:
            free.append(parameter)
    groups = [
        {"params": [p for p in free if p.dim() > 1], "weight_decay": stage.weight_decay},
        {"params": [p for p in free if p.dim() <= 1], "weight_decay": 0.0},
    ]
    if stage.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=stage.learning_rate)
    return torch.optim.SGD(groups, lr=stage.learning_rate, momentum=stage.momentum)


def _generator(seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(stream_seed(seed, "training", str(epoch)) % 2**63)


def _resume(network: nn.Module, path: Path, fingerprint: str) -> tuple[list[Line], dict[str, Any]]:
    """History and optimizer state of a run to go on with; both empty where there is none."""
    if not path.is_file():
        return [], {}
    device = next(network.parameters()).device
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        fits = state["fingerprint"] == fingerprint
    # A damaged file makes torch raise almost anything (KeyError, UnpicklingError, ...).
    except Exception as error:  # noqa: BLE001
        raise StoreError(
            f"{path} cannot be read ({type(error).__name__}); train this model anew with --restart"
        ) from None
    if not fits:
        raise InputError(
            f"{path.parent} holds a model of another recipe, or of other answers; "
            "name a new one with --name, or train this one anew with --restart"
        )
    network.load_state_dict(state["network"])
    torch.set_rng_state(state["random"].cpu())
    if state["random_cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([part.cpu() for part in state["random_cuda"]])
    _write_lines(path.with_name("metrics.jsonl"), state["history"])
    log.info("going on after epoch %d of an earlier run", len(state["history"]))
    return state["history"], state["optimizer"]


def _save(
    network: nn.Module, optimizer: torch.optim.Optimizer, history: list[Line], folder: Path, fingerprint: str
) -> None:
    """Write best.pt before the checkpoint: cut off between the two, the epoch is done again and writes the same."""
    if best_epoch(history) == len(history) - 1:
        _write(folder / "best.pt", network.state_dict())
    state = {
        "fingerprint": fingerprint,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "history": history,
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    _write(folder / "checkpoint.pt", state)
    _write_lines(folder / "metrics.jsonl", history)


def _measure(line: Line) -> str | None:
    return next((name for name in line if name.startswith("validation_")), None)


def _write(path: Path, state: object) -> None:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def _write_lines(path: Path, history: Sequence[Line]) -> None:
    write_atomically(path, "".join(json.dumps(line) + "\n" for line in history).encode())
