"""What a release says of itself: card, figures, citation, licence, and the same words in croissant.json."""

import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from photojury.datasets.releases.figures import bars
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study
from photojury.errors import SettingsError

TOLD: dict[str, object] = {
    "description": 'Skies that people like, "by day".',
    "creators": ("Ann Lee", "Institute of Clouds"),
    "license": "cc-by-4.0",
    "url": "https://example.org/skies",
    "limits": ("All skies are European.",),
}


def telling(study: Study, **words: object) -> Study:
    section = dataclasses.replace(study.settings.release, **words)  # type: ignore[arg-type]
    return dataclasses.replace(study, settings=dataclasses.replace(study.settings, release=section))


def test_the_makers_words_stand_everywhere(full_study: Study, tmp_path: Path) -> None:
    """Description, makers, licence, address and limits: in the card, CITATION.cff, LICENSE and croissant.json."""
    folder = release(telling(full_study, **TOLD), tmp_path / "a", version="1.0.0", published="2026-11-05")
    card = (folder / "README.md").read_text()
    for part in ('Skies that people like, "by day".', "- All skies are European.", "Answers, scores and splits are under CC BY 4.0",
                 "author = {{Ann Lee} and {Institute of Clouds}}, year = {2026}, url = {https://example.org/skies}"):  # fmt: skip
        assert part in card
    header = yaml.safe_load(card.split("---")[1])
    assert (header["license"], header["size_categories"]) == ("cc-by-4.0", ["n<1K"])
    cited = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert cited == {
        "cff-version": "1.2.0", "message": "If you use this dataset, please cite it as below.", "type": "dataset",
        "title": "tests", "abstract": 'Skies that people like, "by day".', "version": "1.0.0",
        "date-released": "2026-11-05", "authors": [{"name": "Ann Lee"}, {"name": "Institute of Clouds"}],
        "license": "CC-BY-4.0", "url": "https://example.org/skies",
    }  # fmt: skip
    assert "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/" in (folder / "LICENSE").read_text()
    facts = json.loads((folder / "croissant.json").read_text())
    assert facts["rai:dataCollectionType"] == ["Manual Human Curator"]
    assert facts["license"] == ["https://creativecommons.org/licenses/by/4.0/"]
    assert (
        facts["url"] == "https://example.org/skies" and "All skies are European." in facts["rai:dataBiases"]
    )
    assert [maker["name"] for maker in facts["creator"]] == ["Ann Lee", "Institute of Clouds"]


def test_the_card_tells_how_it_was_made(full_study: Study, tmp_path: Path) -> None:
    """Counts by hand: 12 raters of whom 4 are simulated, 11 used answers to each question, gold and repeats named."""
    card = (release(full_study, tmp_path / "a", version="1.0.0") / "README.md").read_text()
    for line in (
        "> **92 of the 276 answers in this release were given by simulated raters, not by people.**",
        "| raters | 12 |",
        "| `presentations` | 276 |",
        "11 used ratings for each picture that was rated. 11 used comparisons for each pair that was compared.",
        "- 8 people. Nothing about them (age, sex, country, trade) was recorded",
        "- 2 of 24 assignments are marked as not used",
        "- Among the questions were gold questions (1), repeated questions (1); they measure raters, not pictures.",
        "Answers, scores and splits have no licence yet: ask their makers.",
    ):
        assert line in card, line


def test_figures_are_svg_with_words(full_study: Study, tmp_path: Path) -> None:
    """Every figure of the card is there, is XML, and says in words what it shows: the used ratings, level by level."""
    folder = release(full_study, tmp_path / "a", version="1.0.0")
    ratings = full_study.read("ratings")
    used = ratings[~ratings["unit_id"].isin(["s03", "s99"]) & (ratings["rater_id"] != "abcdef0123450007")]
    counts = "; ".join(f"{level:g}: {n}" for level, n in used["value"].value_counts().sort_index().items())
    words = f"Ratings that are used. {counts}"
    assert f"![{words}](figures/ratings.svg)" in (folder / "README.md").read_text()
    figures = {path.name: ElementTree.fromstring(path.read_text()) for path in folder.glob("figures/*.svg")}
    assert set(figures) == {"ratings.svg", "five_level.svg"}
    assert figures["ratings.svg"].get("aria-label") == words


def test_bars_are_as_tall_as_their_counts() -> None:
    """The tallest bar fills the height; others by proportion; a label with < is escaped."""
    root = ElementTree.fromstring(bars("A <b>", ["1", "2", "3"], [10, 40, 0]))
    heights = [float(one.get("height", "0")) for one in root if one.tag.endswith("rect")][1:]
    assert heights[0] / heights[1] == pytest.approx(0.25, abs=0.01)
    assert heights[2] == 0
    assert [one.text for one in root if one.tag.endswith("text")] == ["A <b>", "20 %", "1", "80 %", "2", "3"]


@pytest.mark.parametrize(
    ("license", "sentence"),
    [("cc-by-5.0", "release.license: unknown licence 'cc-by-5.0'. Did you mean"), ("all-rights-reserved", "allows no copies")],
)  # fmt: skip
def test_a_wrong_licence_is_named(full_study: Study, tmp_path: Path, license: str, sentence: str) -> None:
    """An unknown licence of the answers, or one that forbids what a release does, and nothing is written."""
    with pytest.raises(SettingsError, match=sentence):
        release(telling(full_study, license=license), tmp_path / "out" / "a", version="1.0.0")
    assert not (tmp_path / "out").exists()
