"""The papers' numbers."""

import json
from pathlib import Path

import pytest

from photojury.datasets.papers import number, numbers, papers
from photojury.errors import InputError


def test_every_number_says_where_it_stands() -> None:
    """Each has a source and a meaning, and lies in its unit's range."""
    assert {found.paper for found in numbers().values()} <= {paper.number for paper in papers()}
    for found in numbers().values():
        assert found.where
        assert found.meaning
        assert found.source == f"paper {found.paper}, {found.where}"
        if found.unit == "share":
            assert 0 <= found.value <= 1


def test_the_numbers_are_those_of_the_shared_tables(shared: Path) -> None:
    """Table 1 and the deviations of paper 1, Table 2 of paper 2, Table 6 of paper 4 equal an independent copy."""
    tables = json.loads((shared / "data" / "stats" / "expected.json").read_text())["paper_tables"]
    words = ("better", "equal", "worse")
    cells = [[number(f"action_shots.confusion_{row}_{column}").value for column in words] for row in words]
    assert cells == tables["action_confusion_cg0_3_cp0_2"]
    assert number("action_shots.agreement").value == tables["action_overall_agreement"]
    deviations = tables["action_mean_deviation"]
    assert number("action_shots.mean_deviation_stars").value == deviations["global_"]
    assert number("action_shots.mean_deviation_pairs").value == deviations["pairwise"]
    assert number("aadb.significant_batches").value == tables["aadb_bh_significant"]
    assert number("aadb.rater_rho_all").value == tables["aadb_table6"][">0"][1]
    assert number("aadb.rater_rho_200").value == tables["aadb_table6"][">200"][1]
    for distance, row in tables["flickr_var_check"].items():
        name = distance.replace(".", "_")
        assert number(f"like_image.forced_choice_{name}").value == row["mean"]
        assert number(f"like_image.forced_choice_variance_{name}").value == row["var"]


def test_an_unknown_number_says_the_nearest() -> None:
    """A misspelt name is an error with a suggestion."""
    with pytest.raises(InputError, match=r"Did you mean .*action_shots\.agreement"):
        number("action_shots.agrement")
