"""`photojury analyze plan`: what a study takes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from photojury.analysis.answers import of_study
from photojury.analysis.commands.group import analyze
from photojury.analysis.planning import Fees, cost
from photojury.analysis.plans import plan, text
from photojury.datasets import money
from photojury.datasets.store import Study
from photojury.errors import InputError


def test_a_plan_without_answers_says_what_it_assumes(empty: Study) -> None:
    """Usual spread and paper 4's correlation: 8 raters for .8 at .36 (Spearman and Brown: 4 x .64 / .36 = 7.1)."""
    found = plan(of_study(empty), images=100, reward_cents=20)
    assert (found.single, found.sos) == (0.36, 0.15)
    assert "paper 4" in found.single_from and "Hossfeld" in found.sos_from
    assert found.raters_for_reliability == 8
    assert found.votes_for_preference == 54
    row = found.table.set_index("raters").loc[10]
    assert row["reward_cents"] == 10 * 10 * 20  # ten HITs of ten pictures, ten raters, 20 cents
    assert row["fee_cents"] == 10 * 10 * 8  # 40 % from ten assignments a HIT on
    assert row["reliability"] == pytest.approx(10 * 0.36 / (1 + 9 * 0.36))


def test_a_plan_learns_from_a_pilot(filled: Study) -> None:
    """With answers at hand their own correlation and spread are used, and a given one wins."""
    learnt = plan(of_study(filled), reward_cents=20)
    assert learnt.images == 40
    assert learnt.single_from == learnt.sos_from == "as the ratings so far show"
    assert 0.4 < learnt.single < 0.8
    assert plan(of_study(filled), reward_cents=20, single=0.3).single == 0.3


def test_a_width_is_reached(empty: Study) -> None:
    """+-0.3 stars on 1 to 3 at a = 0.15: (1.96 sqrt(0.15) / 0.3)^2 = 6.4 ratings, so 7, which the table has."""
    found = plan(of_study(empty), images=10, half_width=0.3, reward_cents=20)
    assert found.raters_for_width == 7
    assert 7 in set(found.table["raters"])
    assert "+-0.3 stars need 7 ratings an image" in text(found)


@pytest.mark.parametrize("raters", [1, 5, 9, 10, 25])
@pytest.mark.parametrize("cents", [1, 3, 12, 20, 105])
def test_the_default_fee_is_the_marketplaces(raters: int, cents: int) -> None:
    """Two ways to the same money: the planner's fee and the one that the marketplace charges."""
    charged = money.cost_of(hits=4, raters=raters, reward_cents=cents, fee_percent=20.0)
    planned = cost(4 * raters, reward_cents=cents, assignments_a_hit=raters, fees=Fees())
    assert planned == (charged.rewards, charged.fees)


def test_the_command_says_it_for_people_and_programs(filled: Study) -> None:
    """Text ends in advice; --json has every number."""
    shown = CliRunner().invoke(analyze, ["plan", "--study", str(filled.folder)])
    assert shown.exit_code == 0 and "Five votes on a pair never decide it alone" in shown.output
    made = CliRunner().invoke(analyze, ["plan", "--json", "--study", str(filled.folder), "--images", "500"])
    facts = json.loads(made.stdout)
    assert facts["images"] == 500
    assert {row["raters"] for row in facts["table"]} >= {3, 5, 10}


def test_nothing_to_plan_for(empty: Study) -> None:
    """No pictures and no number: a sentence."""
    with pytest.raises(InputError, match="say how many with --images"):
        plan(of_study(empty), reward_cents=20)


def test_a_plan_needs_no_study(tmp_path: Path) -> None:
    """From anybody's ratings: the plan learns from a CSV."""
    (tmp_path / "r.csv").write_text(
        "image_id,rater_id,value\n"
        + "".join(f"i{n},r{m},{1 + (n + m // 2) % 3}\n" for n in range(12) for m in range(4))
    )
    made = CliRunner().invoke(analyze, ["plan", "--json", "--data", str(tmp_path / "r.csv")])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["single_from"] == "as the ratings so far show"
