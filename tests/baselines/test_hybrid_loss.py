"""Paper 1's loss: its distributions, its gradients against closed forms, and the three corrections."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from photojury.baselines.hybrid_siamese import (
    PRESETS,
    Recipe,
    Thresholds,
    cross_entropy,
    global_log_probabilities,
    hybrid_loss,
    majority,
    pair_log_probabilities,
    pair_weight,
)
from photojury.datasets.loading import PairItem

PAPER = PRESETS["vgg16"]
scores = st.floats(-20, 20)


def pair(first: list[float], second: list[float], levels: list[float]) -> PairItem:
    """A batch of one pair; the pictures do not matter to the loss."""
    nothing = torch.zeros(1)
    return PairItem(
        nothing, nothing, *(torch.tensor([row], dtype=torch.float64) for row in (levels, first, second))
    )


def weight(first: list[float], second: list[float], recipe: Recipe) -> float:
    return float(pair_weight(torch.tensor([first]), torch.tensor([second]), recipe))


@given(score=scores, standard=st.lists(scores, min_size=2, max_size=6))
def test_star_probabilities_are_equation_2(score: float, standard: list[float]) -> None:
    """They sum to one and equal exp(-(s - s_i)^2) / Z, computed here without torch."""
    found = global_log_probabilities(
        torch.tensor([score], dtype=torch.float64), torch.tensor(standard, dtype=torch.float64)
    ).exp()[0]
    energy = np.array([-((score - s) ** 2) for s in standard])
    expected = np.exp(energy - energy.max()) / np.exp(energy - energy.max()).sum()
    assert found.sum().item() == pytest.approx(1, abs=1e-12)
    assert found.numpy() == pytest.approx(expected, abs=1e-12)


@given(gap=scores)
def test_turning_a_pair_round_turns_its_distribution_round(gap: float) -> None:
    """p(level | s1 - s2) = p(-level | s2 - s1), since the relative scores are symmetric."""
    relative = Thresholds(3, "ordered").relative().double().detach()
    there = pair_log_probabilities(torch.tensor([gap], dtype=torch.float64), relative)
    back = pair_log_probabilities(torch.tensor([-gap], dtype=torch.float64), relative)
    assert torch.allclose(there, back.flip(1))
    assert there.exp().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("kind", ["ordered", "free"])
def test_thresholds_start_at_the_papers_form(kind: str) -> None:
    """Three stars at -1, 0, 1 and relative scores -2, -1, 0, 1, 2, in both forms."""
    thresholds = Thresholds(3, kind)
    assert thresholds.standard().tolist() == pytest.approx([-1, 0, 1], abs=1e-6)
    assert thresholds.relative().tolist() == pytest.approx([-2, -1, 0, 1, 2], abs=1e-6)


@given(raw=st.lists(st.floats(-5, 5), min_size=5, max_size=5))
def test_ordered_thresholds_stay_in_order(raw: list[float]) -> None:
    """Whatever SGD does to the parameters, D_1 > 0, D_2 > D_1 and the stars' scores rise."""
    thresholds = Thresholds(3, "ordered").double()
    with torch.no_grad():
        thresholds.standard_parameters.copy_(torch.tensor(raw[:3]))
        thresholds.relative_parameters.copy_(torch.tensor(raw[3:]))
    assert (thresholds.standard().diff() > 0).all()
    assert (thresholds.relative().diff() > 0).all()


def test_the_gradient_is_the_closed_form() -> None:
    """dL/ds = 2 sum_i (t_i - p_i)(s - s_i), derived by hand from equations 2 and 4."""
    target, standard = (
        torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64),
        torch.tensor([-1.2, 0.1, 0.9], dtype=torch.float64),
    )
    score = torch.tensor([0.37], dtype=torch.float64, requires_grad=True)
    cross_entropy(target, global_log_probabilities(score, standard)).sum().backward()  # type: ignore[no-untyped-call]
    p = np.exp(-((0.37 - standard.numpy()) ** 2))
    expected = (2 * (target[0].numpy() - p / p.sum()) * (0.37 - standard.numpy())).sum()
    assert score.grad is not None
    assert score.grad.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("objective", ["hybrid", "global", "pairwise"])
@pytest.mark.parametrize("mode", ["clamp", "half", "literal", "fixed"])
@pytest.mark.parametrize("kind", ["ordered", "free"])
def test_gradients_agree_with_finite_differences(objective: str, mode: str, kind: str) -> None:
    """By scores and by thresholds, for every form of the loss (torch's gradcheck)."""
    recipe = dataclasses.replace(PAPER, objective=objective, weight=mode, thresholds=kind)
    thresholds = Thresholds(3, kind).double()
    batch = pair([0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0, 0.2, 0.2, 0.4, 0.2])

    def loss(both: torch.Tensor, standard: torch.Tensor, relative: torch.Tensor) -> torch.Tensor:
        values = {"standard_parameters": standard, "relative_parameters": relative}
        copy = Thresholds(3, kind)
        for name, value in values.items():
            del copy._parameters[name]
            setattr(copy, name, value)
        return hybrid_loss((both[:1], both[1:]), batch, copy, recipe).sum()

    both = torch.tensor([0.4, -0.3], dtype=torch.float64, requires_grad=True)
    inputs = (both, *(p.detach().clone().requires_grad_() for p in thresholds.parameters()))
    assert torch.autograd.gradcheck(loss, inputs)


def test_lambda_by_hand() -> None:
    """Opposite unanimous images: the paper's 2 is clamped to 1 or halved to 1; a small distance keeps or halves."""
    opposite, near = ([1.0, 0, 0], [0.0, 0, 1]), ([0.5, 0.5, 0], [0.5, 0.0, 0.5])
    expected = {"clamp": (1, 0.5), "half": (1, 0.25), "literal": (2, 0.5), "fixed": (0.3, 0.3)}
    for mode, values in expected.items():
        recipe = dataclasses.replace(PAPER, weight=mode, fixed_weight=0.3)
        assert (weight(*opposite, recipe), weight(*near, recipe)) == pytest.approx(values)


def test_literal_lambda_rewards_being_wrong() -> None:
    """Why `clamp` is the default: at lambda 2 the loss falls as the pair loss grows (weight -1)."""
    batch = pair([1, 0, 0], [0, 0, 1], [0.2, 0.2, 0.2, 0.2, 0.2])
    both = (torch.tensor([-1.0], dtype=torch.float64), torch.tensor([1.0], dtype=torch.float64))
    thresholds = Thresholds(3, "ordered").double()
    values = {}
    for mode in ("clamp", "literal"):
        recipe = dataclasses.replace(PAPER, weight=mode)
        values[mode] = hybrid_loss(both, batch, thresholds, recipe).item()
    stars = -2 * math.log(1 / (1 + math.exp(-1) + math.exp(-4)))
    energy = [-((-2 - d) ** 2) for d in (-2, -1, 0, 1, 2)]
    level = math.log(sum(math.exp(e) for e in energy)) - sum(energy) / 5
    assert values["clamp"] == pytest.approx(stars)
    assert values["literal"] == pytest.approx(2 * stars - level)


def test_an_unrated_picture_leaves_the_pair_loss_alone() -> None:
    """Without star votes lambda is 0 and the pair loss counts in full."""
    batch = pair([0, 0, 0], [0, 0, 1], [0, 0, 0, 0, 1])
    thresholds = Thresholds(3, "ordered").double()
    gap = torch.tensor([0.5], dtype=torch.float64)
    found = hybrid_loss((gap, gap * 0), batch, thresholds, PAPER)
    expected = math.log(sum(math.exp(-((0.5 - d) ** 2)) for d in (-2, -1, 0, 1, 2))) + (0.5 - 2) ** 2
    assert found.item() == pytest.approx(expected)


def test_majority_label() -> None:
    """All mass on the most voted level, shared among equals; nothing stays nothing."""
    rows = torch.tensor([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.0, 0.0, 0.0]])
    assert majority(rows).tolist() == [[0, 1, 0], [0.5, 0.5, 0], [0, 0, 0]]


def test_the_papers_recipe() -> None:
    """Section 5: 2 epochs of the new layers, then 6 of all, 1e-6 falling tenfold every 2 epochs."""
    first, second = PAPER.stages
    assert (first.epochs, first.frozen, first.rate(1)) == (2, ("backbone.",), 1e-6)
    assert [second.rate(epoch) for epoch in range(6)] == pytest.approx([1e-6, 1e-6, 1e-7, 1e-7, 1e-8, 1e-8])
