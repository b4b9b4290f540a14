"""Figures as SVG for a page."""

from xml.etree import ElementTree

import pandas as pd
import pytest

from photojury.analysis.answers import of_study
from photojury.analysis.figures import compared, rated, scored
from photojury.analysis.findings import agreed
from photojury.analysis.findings import compared as pairs_found
from photojury.analysis.findings import rated as found
from photojury.analysis.findings import scored as scores
from photojury.datasets.papers import number
from photojury.datasets.store import Study

XLINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module")
def drawn(filled: Study) -> list[str]:
    return draw(filled)


def draw(study: Study) -> list[str]:
    answers = of_study(study)
    images, pairs = found.images(answers), found.pairs(answers)
    papers = [(0.1, number("like_image.forced_choice_0_1")), (0.2, number("like_image.forced_choice_0_2"))]
    return [
        rated.rating_histogram(images),
        rated.rating_histogram(pairs, unit="levels"),
        rated.deviation_by_mean(images, low=1, high=3, unit="stars", item="image", sos=0.2),
        rated.deviation_by_mean(pairs, low=-2, high=2, unit="levels", item="pair"),
        rated.means_histogram(images, low=1, high=3, mean=2.0, sd=0.5),
        rated.batch_agreement(agreed.consistency(answers)),
        compared.agreement_by_distance(pairs_found.agreement(answers), papers),
        compared.agreement_by_thresholds(pairs_found.sweep(answers)),
        scored.ranking(scores.scores(answers)),
        scored.raters(agreed.raters(answers)),
        scored.power(agreed.power(answers), found=0.9, claimed=0.98),
    ]


def test_every_figure_is_well_formed_and_described(drawn: list[str]) -> None:
    """Each parses as XML, has a text for screen readers, real text in it and no fixed size."""
    for svg in drawn:
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        assert len(root.get("aria-label", "")) > 30
        assert root.get("width") is None
        assert "".join(root.itertext()).strip()


def test_ids_are_unique_on_the_page_and_all_references_hold(drawn: list[str]) -> None:
    """All figures in one page share no id, and every use and clip path points to one of them."""
    page = ElementTree.fromstring(f"<page>{''.join(drawn)}</page>")
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    pointed = {element.get(XLINK, "")[1:] for element in page.iter() if element.get(XLINK)}
    pointed |= {element.get("clip-path", "")[5:-1] for element in page.iter() if element.get("clip-path")}
    assert pointed <= set(ids)


def test_same_data_same_bytes(drawn: list[str], filled: Study) -> None:
    """No date and no random id: drawing again gives the same text."""
    assert draw(filled) == drawn


def test_colours_are_the_pages(drawn: list[str]) -> None:
    """No figure carries black text or a font of its own; the study's colour is a variable with a fallback."""
    for svg in drawn:
        assert "var(--ours, #0072b2)" in svg
        assert "font-family" not in svg
        assert "<style" not in svg
        assert "#000000" not in svg


def test_the_histogram_writes_its_counts() -> None:
    """Shares and counts stand over the bars."""
    table = pd.DataFrame({"image_id": ["a"], "n": [10], "count_1": [9], "count_2": [1], "count_3": [0]})
    text = "".join(ElementTree.fromstring(rated.rating_histogram(table)).itertext())
    assert "90 %" in text
    assert "(9)" in text
