"""Every page of the dashboard, as Streamlit runs it: on a study, a release, a file, and where nothing is there yet."""

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from photojury.analysis.dashboard import opening
from photojury.analysis.dashboard.frame import PAGES
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study, create_study
from tests.analysis.dashboard.conftest import EVIL_RATER, HOSTILE

APP = str(Path(__file__).parents[3] / "analysis" / "dashboard_app.py")
NAMES = [file for file, _, _ in PAGES]


def draw(place: Path, page: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """A page, drawn once; errors of a page are errors of the test."""
    monkeypatch.setattr("sys.argv", ["streamlit", str(place)])
    test = AppTest.from_file(APP, default_timeout=60)
    test.switch_page(f"dashboard/pages/{page}.py")
    test.run()
    assert not test.exception, [one.value for one in test.exception]
    return test


def said(test: AppTest) -> str:
    """All text on a page."""
    parts = [*test.text, *test.caption, *test.title, *test.header, *test.subheader, *test.code]
    return "\n".join(str(part.value) for part in parts)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """No test sees what another has opened."""
    opening._opened.clear()
    opening._made.clear()
    yield
    opening._opened.clear()
    opening._made.clear()


@pytest.mark.parametrize("page", NAMES)
def test_every_page_of_a_study(running: Study, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It draws to its end, says that all is simulated, and shows hostile names as the text that they are."""
    test = draw(running.folder, page, monkeypatch)
    text = said(test)
    assert "given by simulated raters" in text
    assert HOSTILE in text
    assert len(test.title) == 1
    markdown = "\n".join(str(one.value) for one in test.markdown)
    assert "alert(1)" not in markdown and "elsewhere" not in markdown


@pytest.mark.parametrize("page", NAMES)
def test_every_page_before_anything_is_there(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new study: no error, and a sentence or a command on every page."""
    study = create_study(tmp_path / "new", "new")
    study.close()
    text = said(draw(tmp_path / "new", page, monkeypatch))
    assert "photojury" in text


@pytest.mark.parametrize("page", NAMES)
def test_every_page_of_a_release(
    filled: Study, page: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a release holds is shown; what is of a study only is said to be."""
    folder = tmp_path_factory.getbasetemp() / "dashboard-release"
    if not folder.exists():
        release(filled, folder, version="1.0.0")
    text = said(draw(folder, page, monkeypatch))
    if page in ("now", "models"):
        assert "study" in text
    if page == "ratings":
        assert "400 ratings" in text


@pytest.mark.parametrize("page", NAMES)
def test_every_page_of_a_bare_file(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's CSV of ratings."""
    rows = [(f"i{n:02d}", f"r{m}", 1 + (n // 4 + m * (n % 3)) % 5) for n in range(30) for m in range(6)]
    pd.DataFrame(rows, columns=["image_id", "rater_id", "value"]).to_csv(tmp_path / "r.csv", index=False)
    text = said(draw(tmp_path / "r.csv", page, monkeypatch))
    if page == "scores":
        assert "30 images" in text
    if page == "pairs":
        assert "no comparisons here" in text


def test_one_rater(running: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chosen rater's story is told, with the scores without him, and a command that a shell takes as it is meant."""
    monkeypatch.setattr("sys.argv", ["streamlit", str(running.folder)])
    test = AppTest.from_file(APP, default_timeout=60)
    test.switch_page("dashboard/pages/raters.py")
    test.session_state["panel"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    test.run()
    assert not test.exception, [one.value for one in test.exception]
    assert [part.value for part in test.header][2:] == ["One rater's story", "What if they were left out"]
    text = said(test)
    assert EVIL_RATER in text and f"Excluded: {HOSTILE} (for good)" in text
    command = next(part.value for part in test.code if "annotate exclude" in part.value)
    assert shlex.split(command)[:5] == ["photojury", "annotate", "exclude", "--rater", EVIL_RATER]


def test_a_place_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, and no traceback."""
    text = said(draw(tmp_path, "now", monkeypatch))
    assert "neither a study" in text and "Traceback" not in text


def test_looking_changes_nothing(running: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After all pages were drawn every file of the study is as it was, and none was added."""
    folder = tmp_path / "copy"
    running.engine.dispose()
    shutil.copytree(running.folder, folder)
    for left in folder.glob("study.db-*"):
        left.unlink()

    def state() -> dict[str, tuple[int, int]]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    before = state()
    for page in NAMES:
        draw(folder, page, monkeypatch)
    assert state() == before


def test_the_app_says_how_it_is_run() -> None:
    """The script that Streamlit is given stands apart from the pages, or Streamlit would run these by themselves."""
    assert Path(APP).is_file() and not (Path(APP).parent / "pages").exists()
