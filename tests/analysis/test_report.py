"""The report and the tables behind it, on a study whose raters answer by a known rule."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from photojury.analysis import report, wording
from photojury.analysis.answers import of_study
from photojury.analysis.findings import scored
from photojury.analysis.findings import tables as found_tables
from photojury.analysis.sections import outcomes
from photojury.analysis.sections.all import all_sections
from photojury.analysis.sections.source import Source
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError

VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Checks that tags close in order, and gathers the text and what is loaded."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href") and tag != "use"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def html(filled: Study) -> str:
    return report.render(of_study(filled))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_stands_alone(page: Page) -> None:
    """All tags close, no script, and pictures are inside the file: nothing is loaded from anywhere."""
    assert page.open == []
    assert page.loads
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.loads)


def test_the_page_says_that_all_is_simulated(page: Page) -> None:
    """The banner counts the answers: 40 images by ten, twice 80 pairs by five."""
    assert "All 1,200 of these answers were given by simulated raters." in page.text


def test_names_are_escaped(page: Page) -> None:
    """A study's name with & and < is shown as it is written."""
    assert "skies & <seas>" in page.text


def test_counts_and_money_are_right(page: Page) -> None:
    """4 star HITs of ten raters, 8 and 8 pair HITs of five: 120 assignments at 20 cents are 24.00 USD."""
    assert "images 40" in page.text
    assert "24.00 USD" in page.text
    assert "stars 40 4 40 40 400" in page.text


def test_the_papers_numbers_stand_beside_ours(page: Page) -> None:
    """Deviation, confusion, batch consistency and forced choice of the papers, with their sources."""
    for shown in (
        "0.457",
        "0.776",
        "98.45 %",
        "paper 1, section 3.2",
        "paper 4, section 3",
        "paper 2, Table 2",
    ):
        assert shown in page.text


def test_seed_and_thresholds_are_printed(page: Page, filled: Study) -> None:
    """What decides the numbers stands at the end."""
    assert f"c g = {filled.settings.analysis.c_g}" in page.text
    assert "numpy" in page.text


def test_same_store_same_page(html: str, filled: Study) -> None:
    """The report reads no clock and draws no random number that the seed does not decide."""
    assert report.render(of_study(filled)) == html


def test_tables_agree_with_the_store(filled: Study) -> None:
    """Mean opinion scores are the means of the ratings; every table is made."""
    made = dict(found_tables.tables(of_study(filled)))
    assert set(made) == set(found_tables.TABLES) - set(found_tables.TOO_LONG)
    ratings = filled.read("ratings")
    by_image = made["scores"].set_index("image_id")["score"]
    expected = ratings.groupby("image_id")["value"].mean()
    assert by_image.to_dict() == pytest.approx(expected.to_dict())
    assert made["scores"]["simulated"].all()
    assert made["confusion"]["pairs"].sum() == 80
    assert len(made["consistency"]) == 4
    counts = made["counts"].set_index("task")
    assert list(counts.loc["forced_choice", ["units", "hits", "answers"]]) == [80, 8, 400]
    assert made["payments"][["n", "amount"]].values.tolist() == [[120, 2400]]


def test_an_empty_study_has_a_report(empty: Study) -> None:
    """Nothing asked yet: each section says so in a sentence and no table is made of nothing."""
    path = report.write(of_study(empty))[0]
    assert path == empty.folder / "reports" / "index.html"
    text = Page(path.read_text(encoding="utf-8")).text
    assert "Nothing has been asked yet" in text
    assert "there are no answers to the task stars" in text
    assert "simulated" not in text
    assert set(dict(found_tables.tables(of_study(empty)))) == {"counts", "payments", "left-out"}


def test_a_missing_task_leaves_the_rest(make: Callable[[int], Study]) -> None:
    """Without comparisons the pair sections say what is missing; ratings and consistency stand."""
    study = make(20)
    with study.writing() as connection:
        connection.execute(sa.delete(tables.comparisons))
    text = Page(report.render(of_study(study))).text
    assert "there are no answers to the task five_level" in text
    assert "there are no answers to the task forced_choice" in text
    assert "significant HITs" in text
    assert "All 200 of these answers" in text


def test_only_used_assignments_enter(make: Callable[[int], Study]) -> None:
    """Answers of an assignment with use = false are left out everywhere, and counted."""
    study = make(20)
    victim = study.read("assignments").iloc[0]["assignment_id"]
    with study.writing() as connection:
        change = sa.update(tables.assignments).where(tables.assignments.c.assignment_id == victim)
        connection.execute(change.values(use=False, reason="too fast"))
    found = of_study(study)
    assert victim not in set(found.ratings["assignment_id"]) | set(found.comparisons["assignment_id"])
    assert found.left_out == {"answers of assignments that are not used": 10}
    assert "10 answers of assignments that are not used" in Page(report.render(of_study(study))).text


def test_control_questions_do_not_enter(make: Callable[[int], Study]) -> None:
    """Answers to gold questions and to repeats are left out and counted."""
    study = make(20)
    units = study.read("units")
    stars = units[units["task"] == "stars"]["unit_id"].tolist()
    with study.writing() as connection:
        connection.execute(sa.update(tables.units).where(tables.units.c.unit_id == stars[0]).values(gold=3.0))
        connection.execute(
            sa.update(tables.units).where(tables.units.c.unit_id == stars[1]).values(repeat_of=stars[2])
        )
    found = of_study(study)
    assert found.left_out == {"answers to control questions and repeats": 20}
    assert not set(stars[:2]) & set(found.ratings["unit_id"])


def test_a_mixed_study_says_the_share(make: Callable[[int], Study]) -> None:
    """Simulated and real answers together: the banner gives the share."""
    study = make(20)
    with study.writing() as connection:
        connection.execute(sa.update(tables.ratings).values(simulated=False))
    found = of_study(study)
    total = len(found.ratings) + len(found.comparisons)
    assert found.simulated_share() == pytest.approx(1 - 200 / total)
    assert (
        f"of these answers ({total - 200:,} of {total:,}) were given by simulated raters"
        in Page(report.render(of_study(study))).text
    )


def test_training_and_recovery_are_shown(make: Callable[[int], Study]) -> None:
    """Rows of evaluation.json, nested ones as columns of their own, with the constant predictor; recovery with n."""
    study = make(20)
    folder = study.folder / "models" / "hybrid-siamese"
    folder.mkdir(parents=True)
    rows = [
        {"name": "hybrid-siamese", "Lg": 0.91, "Lr": None, "auc": 0.8, "pairwise_accuracy": {"0.3": 0.7}},
        {"name": "constant", "Lg": 1.07, "Lr": 1.5, "auc": 0.5, "pairwise_accuracy": {"0.3": 0.4}},
    ]
    (folder / "evaluation.json").write_text(json.dumps({"rows": rows}))
    (study.folder / "reports").mkdir()
    (study.folder / "reports" / "recovery.json").write_text(json.dumps({"spearman": 0.9, "n": 20}))
    text = Page(report.render(of_study(study))).text
    assert "constant 1.070 1.500 0.500 0.400" in text
    assert "pair accuracy at p_b 0.3" in text
    assert "0.869 1.409" in text
    reach = 1.96 * np.sqrt((1 + 0.9**2 / 2) / 17)
    low, high = np.tanh(np.arctanh(0.9) - reach), np.tanh(np.arctanh(0.9) + reach)
    assert f"0.900 [{low:.3f}, {high:.3f}]" in text


@pytest.mark.parametrize("content", ["{", "[]", '{"rows": 3}', '{"rows": [1]}'])
def test_a_broken_metrics_file_is_named(empty: Study, content: str) -> None:
    """The training section, and no other, says which file is broken."""
    folder = empty.folder / "models" / "net"
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(content)
    made = all_sections(Source(of_study(empty), thumbnails=True))
    assert "evaluation.json" in str(made["training"]["missing"])
    assert "missing" not in made["collected"]


def test_a_missing_picture_leaves_a_gap(make: Callable[[int], Study]) -> None:
    """An image whose file is gone is shown as missing."""
    study = make(12)
    for path in study.images_folder.rglob("*.jpg"):
        path.unlink()
    shown = outcomes.pictures(Source(of_study(study), thumbnails=True))
    rows = cast(list[tuple[str, list[dict[str, str]]]], shown["rows"])
    assert [len(row) for _, row in rows] == [4, 4, 4]
    assert {picture["uri"] for _, row in rows for picture in row} == {""}


def test_scores_are_stored_once(make: Callable[[int], Study]) -> None:
    """Saving twice leaves one row per image, marked simulated; other methods' rows stay."""
    study = make(12)
    image = study.read("images").iloc[0]["image_id"]
    study.add("scores", [{"image_id": image, "method": "other", "score": 9.0, "simulated": False}])
    for _ in range(2):
        scored.save(study, scored.scores(of_study(study)))
    stored = study.read("scores")
    assert stored["method"].value_counts().to_dict() == {"mos": 12, "other": 1}
    assert stored[stored["method"] == "mos"]["simulated"].astype(bool).all()


def test_an_unknown_table_says_the_nearest(filled: Study) -> None:
    """A misspelt table is an error with a suggestion."""
    with pytest.raises(InputError, match="Did you mean confusion"):
        found_tables.table("confusoin", of_study(filled))


def test_numbers_are_written_one_way() -> None:
    """True minus, no negative zero, dashes for what is missing, small p as a bound."""
    assert wording.decimal(-0.5, 2) == "−0.50"
    assert wording.decimal(-0.0001, 2) == "0.00"
    assert wording.decimal(float("nan")) == "–"
    assert wording.share(0.98451, 2) == "98.45\u00a0%"
    assert wording.interval(float("nan"), 1.0) == ""
    assert wording.probability(0.0004) == "< 0.001"
    assert wording.money(123456, "USD") == "1,234.56 USD"


def test_out_names_another_file(filled: Study, tmp_path: Path) -> None:
    """The report goes where it is told, with its folder made."""
    path, *written = report.write(of_study(filled), out=tmp_path / "new" / "page.html", thumbnails=False)
    assert path == tmp_path / "new" / "page.html"
    assert "data:image" not in path.read_text(encoding="utf-8")
    assert {file.parent for file in written} == {tmp_path / "new" / "tables"}
    for file in written:
        rows = pd.read_csv(file) if file.suffix == ".csv" else pd.read_json(file)
        assert len(rows) or file.stem in ("left-out", "odd-raters")
