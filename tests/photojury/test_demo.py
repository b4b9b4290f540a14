"""The demo: the whole chain in one command, rated by simulated raters, or by somebody at the site."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage.data
from PIL import Image

from photojury.annotate.simulation.simulate import answer, panel
from photojury.annotate.simulation.visitor import Visitor
from photojury.datasets.store import open_study
from photojury.datasets.streams import stream
from photojury.demo_photos import EDITS, write_versions
from photojury.errors import InputError

ENVIRONMENT = {**os.environ, "BROWSER": "true"}  # the program `true` takes the address and shows nothing


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six small photographs, cut from those of scikit-image, and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "chelsea", "coffee", "rocket", "camera", "moon"):
        picture = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
        picture.resize((240, 160)).save(folder / f"{name}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_versions_have_the_quality_that_was_planted(photos: Path, tmp_path: Path) -> None:
    """Six versions of each photograph; quality has mean 0 and deviation 1, and falls from edit to edit."""
    versions = write_versions(tmp_path / "out", photos, limit=14, seed=1)
    table = pd.DataFrame([vars(version) for version in versions])
    assert len(table) == 36
    assert table["quality"].mean() == pytest.approx(0, abs=1e-12)
    assert table["quality"].std(ddof=0) == pytest.approx(1)
    for _, rows in table.groupby("photo"):
        assert rows.set_index("edit")["quality"][[name for name, _, _ in EDITS]].is_monotonic_decreasing


def test_edits_do_what_their_names_say(photos: Path, tmp_path: Path) -> None:
    """Crop is smaller, dark is darker, grey has less colour, noise more and blur less detail."""
    write_versions(tmp_path / "out", photos, limit=14, seed=1)
    for folder in (tmp_path / "out").iterdir():
        picture = {path.stem: np.asarray(Image.open(path).convert("RGB"), float) for path in folder.iterdir()}
        original = picture["original"]
        detail = {name: np.abs(np.diff(pixels, axis=1)).mean() for name, pixels in picture.items()}
        assert picture["crop"].shape[0] == original.shape[0] * 3 // 5
        assert picture["dark"].mean() < 0.65 * original.mean()
        assert np.ptp(picture["grey"], axis=2).mean() <= 0.25 * np.ptp(original, axis=2).mean() + 1
        assert detail["blur"] < detail["original"] < detail["noise"]


def test_too_few_photographs_are_refused(tmp_path: Path) -> None:
    """A folder without six photographs is one sentence."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has 0 photographs that can be read; the demo needs at least 6"):
        write_versions(tmp_path / "out", tmp_path / "empty", limit=14, seed=1)


def test_the_whole_chain(photos: Path, tmp_path: Path) -> None:
    """One command makes everything that its summary counts, and finds the planted truth again."""
    command = [sys.executable, "-m", "photojury", "demo", "--photos", str(photos), "--study", "demo"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "demo"
    assert f"report to open: {folder / 'reports' / 'index.html'}" in done.stdout
    summary = json.loads((folder / "summary.json").read_text())
    study = open_study(folder)
    for table in ("images", "hits", "assignments", "ratings", "comparisons", "payments"):
        assert summary[table] == study.count(table) > 0
    # 36 pictures for ten raters each; every assignment is paid with a fee.
    assert (summary["images"], summary["ratings"]) == (36, 400)
    assert summary["payments"] == 2 * summary["assignments"]
    assert study.read("assignments")["simulated"].all()
    study.close()
    assert summary["recovery"]["mos"]["spearman"] > 0.8
    assert [row["name"] for row in summary["test"]] == ["hybrid-siamese", "constant predictor"]
    report = (folder / "reports" / "index.html").read_text()
    assert "simulated raters" in report
    again = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert again.returncode == 2
    assert "demo exists already; delete it, or name another folder with --study" in again.stderr


def test_somebody_rates(photos: Path, tmp_path: Path) -> None:
    """With --rate the demo waits for a person at the site, and goes on at Enter with what there is."""
    command = [sys.executable, "-m", "photojury", "demo", "--rate", "--photos", str(photos)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdin is not None
        assert demo.stdout is not None
        site = next(line.split()[-1] for line in demo.stdout if line.startswith("Rate in your browser: "))
        rater, quality = panel(1, seed=1, careless=0)[0], QualityOfAnything()
        with Visitor(site) as visitor:
            while task := visitor.next_task():
                items = answer(task.data, rater, quality, stream(1, "somebody"))
                visitor.submit(task, {"answers": json.dumps(items), "page": "{}"})
        demo.stdin.write("\n")
        demo.stdin.flush()
        output = demo.stdout.read()
        assert demo.wait(120) == 0, output
    summary = json.loads((tmp_path / "demo-rated" / "summary.json").read_text())
    assert (summary["rated_by"], summary["ratings"]) == ("you", 40)


class QualityOfAnything(dict[str, float]):
    """A quality for every picture id, whatever the demo's pictures are."""

    def __missing__(self, image: str) -> float:
        return int(image[:4], 16) / 65536
