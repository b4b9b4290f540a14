"""A pilot without people: what more raters and more pairs buy, and what they cost."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from photojury.annotate.batches import plan
from photojury.annotate.commands.pilot import pilot as command
from photojury.annotate.simulation.pilot import pilot
from photojury.datasets.store import Study
from photojury.errors import InputError
from tests.support import make_study

VALUES: dict[tuple[str, str], object] = {
    ("stars", "images_per_hit"): 10,
    ("stars", "levels"): 5,
    ("forced_choice", "pairs"): 120,
    ("quality", "repeats"): 0.0,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    study = make_study(tmp_path_factory.mktemp("pilot"), 30, VALUES)
    yield study
    study.close()


def test_more_raters_know_better(study: Study) -> None:
    """Correlation grows with raters; costs are those of study.toml: 3 HITs, 20 cents, fees of 20 and 40 %."""
    table = pilot(study, "stars", raters=(2, 9, 20), careless=0.0, runs=4)
    assert table["cost_cents"].tolist() == [3 * 2 * 24, 3 * 9 * 24, 3 * 20 * 28]
    assert table["assignments"].tolist() == [6, 27, 60]
    assert table["spearman"].is_monotonic_increasing
    # Noise of 0.5 on qualities of deviation 1, twenty raters of different severity: close to the truth.
    assert table["spearman"].iloc[-1] > 0.95
    # 10 pictures at a median of some 2.5 s each.
    assert table["minutes_per_hit"].between(0.2, 0.8).all()
    assert (table["wage_cents"] - 20 * 60 / table["minutes_per_hit"]).abs().max() < 60


def test_more_pairs_know_better(study: Study) -> None:
    """A quarter, a half and all of the pairs, in rising order of what they tell; nothing is written to the store."""
    table = pilot(study, "forced_choice", raters=(5,), runs=4)
    assert table["questions"].tolist() == [30, 60, 120]
    assert table["spearman"].is_monotonic_increasing
    assert study.count("hits") == study.count("units") == 0


def test_careless_raters_cost_precision(study: Study) -> None:
    """With half of the panel not looking, the scores are worse."""
    good, bad = (pilot(study, "stars", raters=(5,), careless=share, runs=4) for share in (0.0, 0.5))
    assert bad["spearman"].iloc[0] < good["spearman"].iloc[0] - 0.05


def test_the_same_seed_gives_the_same_table(study: Study) -> None:
    """A pilot can be repeated to the digit, also of a batch that is planned."""
    first, second = (pilot(study, "stars", raters=(3,), runs=2) for _ in range(2))
    assert first.equals(second)


def test_the_command_writes_table_and_plot(study: Study) -> None:
    """`annotate pilot` prints the table, and writes it as CSV and as a page with the plot."""
    plan(study, "stars")
    done = CliRunner().invoke(
        command, ["stars", "--raters", "3,5", "--runs", "2", "--json", "--study", str(study.folder)]
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout.splitlines()[-1])
    assert [row["raters"] for row in rows] == [3, 5]
    reports = Path(study.folder) / "reports"
    assert (reports / "pilot-stars.csv").read_text().count("\n") == 3
    page = (reports / "pilot-stars.html").read_text()
    assert "<svg" in page and "a pilot without people" in page


@pytest.mark.parametrize(("task", "sentence"), [("custom", "no questions"), ("starz", "Did you mean stars")])
def test_what_cannot_be_simulated_says_so(study: Study, task: str, sentence: str) -> None:
    """A custom page and an unknown task are refused with a sentence."""
    with pytest.raises(InputError, match=sentence):
        pilot(study, task)
