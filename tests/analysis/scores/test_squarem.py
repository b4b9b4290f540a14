"""Leaps between rounds of an iteration."""

import numpy as np
import pytest

from photojury.analysis.scores.squarem import leap


def test_a_geometric_series_is_summed_up() -> None:
    """Rounds that come nearer by one and the same share lead to the end at once."""
    end, far = np.array([1.0, -2.0, 0.5]), np.array([3.0, 1.0, -4.0])
    rounds = [end + 0.9**number * far for number in range(3)]
    assert leap(*rounds) == pytest.approx(end)


def test_a_slow_iteration_ends_where_it_would() -> None:
    """x = A x + b with shares from 0.5 to 0.98: leaps need a fifth of the rounds, and find the same."""
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    matrix, b = basis @ np.diag([0.5, 0.6, 0.7, 0.8, 0.9, 0.98]) @ basis.T, rng.normal(size=6)
    end, at, rounds = np.linalg.solve(np.eye(6) - matrix, b), np.zeros(6), 0
    while np.abs(at - end).max() > 1e-8:
        second = matrix @ at + b
        at, rounds = leap(at, second, matrix @ second + b), rounds + 2
    assert rounds < np.log(1e-8) / np.log(0.98) / 5


def test_rounds_that_stand_still_stay() -> None:
    """Three equal rounds lead nowhere else."""
    assert leap(np.ones(3), np.ones(3), np.ones(3)).tolist() == [1, 1, 1]
