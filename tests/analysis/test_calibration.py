"""Calibration in small: floors and ceilings under what benchmarks/calibration.py and benchmarks/coverage.py print."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from photojury.analysis import shapes
from photojury.analysis.consistency import adjusted, consistency

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def benchmark(name: str) -> ModuleType:
    """A benchmark as a module, so that the tests measure what the tables show."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


SIZES, COVERAGE = benchmark("calibration"), benchmark("coverage")


def test_batches_without_agreement_are_significant_as_often_as_it_says() -> None:
    """Of 1,500 HITs of raters with nothing in common 3 % to 7 % have p <= .05; the doubtful recipes are as documented."""
    table = SIZES.batch(np.random.default_rng(1), 1_500, raters=5, images=10, r=0.0)
    p = consistency(table, seed=1).variants().set_index("hit_key")
    size = (p <= 0.05).mean()
    assert 0.03 < size["permutation"] < 0.07
    assert 0.03 < size["kendall_f"] < 0.07
    assert size["friedman"] < 0.045
    assert size["min_p"] > 0.3
    assert size["mean_p"] == 0


def test_false_discoveries_stay_rare() -> None:
    """Of the HITs that Benjamini and Hochberg's rule finds among 500 with and 500 without agreement, under 6 % are false."""
    rng = np.random.default_rng(2)
    found = []
    for r in (0.0, 0.4):
        table = SIZES.batch(rng, 500, raters=5, images=10, r=r)
        found.append(consistency(table, seed=1, permutations=0).batches["p"].to_numpy())
    said = adjusted(np.concatenate(found)) <= 0.05
    assert said[500:].mean() > 0.5
    assert said[:500].sum() / said.sum() < 0.06


@pytest.mark.parametrize(
    ("name", "scale"),
    [("tables_of_pairs", 0.03), ("single_raters", 0.1), ("courses", 0.01), ("screening_rules", 0.05)],
)
def test_no_test_is_liberal(name: str, scale: float) -> None:
    """No more than 6.5 % of p values lie at or under .05, and 1.5 % under .01, give or take the simulation."""
    for drawn in getattr(SIZES, name)(np.random.default_rng(3), scale):
        for alpha, most in ((0.05, 0.065), (0.01, 0.015)):
            share, _ = SIZES.rate(drawn.p, alpha)
            assert share < most + 3 * np.sqrt(most / drawn.p.size), (drawn.test, drawn.setting, share)


def test_rounded_normal_scores_are_normal() -> None:
    """Means of ten ratings are refused by Lilliefors' test nearly always, and by ours about one time in twenty."""
    rng = np.random.default_rng(4)
    tables = [pd.DataFrame({"mean": np.rint(rng.normal(3, 0.6, 400) * 10) / 10, "n": 10}) for _ in range(25)]
    ours = np.array([shapes.normal_fit(table, seed=seed).p for seed, table in enumerate(tables)])
    literal = np.array([shapes.normal_fit(table[["mean"]]).p for table in tables])
    assert (ours <= 0.05).mean() <= 0.2
    assert (literal <= 0.05).mean() > 0.7


def test_stable_raters_hardly_leave_their_control_limits() -> None:
    """Under half a percent of the points of raters who do not drift lie beyond three sigma."""
    for alarm in SIZES.control_charts(np.random.default_rng(5), 0.02):
        if "points" in alarm.rule:
            assert alarm.shares.mean() < 0.005


POOR: tuple[str, ...] = (
    "MOS, t",
    "MOS, bootstrap",
    "MOS, sos-binomial",
    "score, p910-standard",
    "inconsistency, p910-standard",
)
POOR += ("forced choice, bootstrap", "confusion, agreement, Wilson of independent pairs")
"""Literal forms, whose intervals are known to be too narrow."""


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("opinion_scores", 0.05),
        ("recovered_scores", 0.1),
        ("paired_scores", 0.06),
        ("shares_of_pairs", 0.05),
        ("laboratory", 0.1),
        ("single_raters", 0.1),
        ("popular", 0.05),
    ],
)
def test_intervals_hold_the_truth(name: str, scale: float) -> None:
    """Every interval that is a default holds the truth at least 88 times in 100, give or take the simulation."""
    for covered in getattr(COVERAGE, name)(np.random.default_rng(6), scale):
        if covered.interval in POOR or "rounded" in covered.setting or "divided" in covered.setting:
            continue
        error = covered.inside.std(ddof=1) / np.sqrt(covered.inside.size)
        place = (covered.interval, covered.setting, covered.inside.mean())
        assert covered.inside.mean() + 3 * error > 0.88, place


def test_divided_ratings_are_covered_by_the_default_only() -> None:
    """Half say 1, half say 5: from five ratings on the default covers, Hossfeld's interval does not."""
    found = {
        (covered.interval, covered.setting): covered.inside.mean()
        for covered in COVERAGE.opinion_scores(np.random.default_rng(7), 0.05)
        if "divided" in covered.setting
    }
    for ratings in (5, 10, 24):
        setting = f"5 levels, divided: 1 or 5; {ratings} ratings"
        assert found["MOS, binomial", setting] > 0.9
        assert found["MOS, sos-binomial", setting] < 0.8
