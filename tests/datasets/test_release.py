"""Releases: what Hugging Face's imagefolder and pandas read, and what never leaves the study."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from photojury.datasets.releases.write import release
from photojury.datasets.splits import split
from photojury.datasets.store import Study
from photojury.errors import InputError
from tests.support import make_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """20 pictures; the first, x, has the stars 1, 3, 3 (one of them not used), the second, y, has 2, simulated."""
    study = make_study(tmp_path, 20)
    x, y = sorted(study.read("images")["image_id"])[:2]
    study.add(
        "units",
        [{"unit_id": u, "batch": "b", "task": "stars", "first_id": i} for u, i in (("ux", x), ("uy", y))],
    )
    study.add("hits", [{"hit_key": "h", "batch": "b", "task": "stars", "unit_ids": '["ux", "uy"]', "request_token": "t",
                        "state": "published", "reward": 20, "max_assignments": 3}])  # fmt: skip
    for name, value, use, simulated in (("1", 1, True, False), ("2", 3, True, True), ("3", 3, False, False)):
        study.add("assignments", [{"assignment_id": name, "rater_id": f"r{name}", "hit_key": "h", "accepted_at": 1234567.25,
                                   "submitted_at": 12399.0, "status": "Approved", "use": use, "simulated": simulated,
                                   "answers": "<secret/>", "reason": "private"}])  # fmt: skip
        rating = {"assignment_id": name, "rater_id": f"r{name}", "attribute": "overall", "position_in_hit": 0,
                  "simulated": simulated}  # fmt: skip
        study.add("ratings", [{**rating, "unit_id": "ux", "image_id": x, "value": value}])
        if simulated:
            study.add("ratings", [{**rating, "unit_id": "uy", "image_id": y, "value": 2}])
    study.add("workers", [{"rater_id": "r1", "marketplace": "local", "worker_id": "A2REALWORKER"}])
    return study


def metadata(folder: Path) -> pd.DataFrame:
    return pd.concat(pd.read_csv(path) for path in sorted(folder.glob("data/*/metadata.csv")))


def test_metadata_counts_the_used_ratings(study: Study, tmp_path: Path) -> None:
    """Mean, deviation and votes by hand: 1 and 3 count, the unused 3 does not; an unrated picture has no mean."""
    folder = release(study, tmp_path / "out", version="1.0.0")
    rows = metadata(folder).sort_values("image_id", ignore_index=True)
    assert len(rows) == 20
    assert (
        rows.loc[0, "rating_mean"],
        rows.loc[0, "ratings"],
        rows.loc[0, "votes_1"],
        rows.loc[0, "votes_3"],
    ) == (2, 2, 1, 1)
    assert rows.loc[0, "rating_sd"] == pytest.approx(2**0.5)
    assert rows.loc[0, "simulated"] and rows.loc[1, "simulated"] and not rows.loc[2, "simulated"]
    assert rows["rating_mean"].notna().tolist() == [True, True] + [False] * 18
    assert rows["ratings"].tolist() == [2, 1] + [0] * 18


def test_the_parts_are_folders(study: Study, tmp_path: Path) -> None:
    """Every picture lies in the folder of its part, with the bytes that were collected."""
    parts = split(study)
    folder = release(study, tmp_path / "out", version="1.0.0")
    for image, part in parts.itertuples(index=False):
        copy = folder / "data" / part / f"{image}.png"
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == image


LOAD = """
import json, sys
from datasets import load_dataset
found = {}
for name, arguments in (("folder", ("imagefolder",)), ("card", ())):
    data = load_dataset(*arguments, data_dir="data") if arguments else load_dataset(sys.argv[1])
    found[name] = {part: len(rows) for part, rows in data.items()}
row = data["train"][0]
found["size"] = row["image"].size
found["columns"] = sorted(row)
print(json.dumps(found))
"""


def test_hugging_face_loads_it(study: Study, tmp_path: Path) -> None:
    """imagefolder reads the data folder, and load_dataset the release, with parts, pictures and columns."""
    folder = release(study, tmp_path / "out", version="1.0.0")
    environment = {**os.environ, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["folder"] == found["card"] == split(study)["part"].value_counts().to_dict()
    assert found["size"] == [96, 64]
    assert {"image", "image_id", "rating_mean", "license_id", "simulated"} <= set(found["columns"])


def test_pandas_reads_every_answer(study: Study, tmp_path: Path) -> None:
    """The tables hold used and unused answers and say which are which."""
    folder = release(study, tmp_path / "out", version="1.0.0")
    ratings = pd.read_parquet(folder / "tables" / "ratings.parquet")
    assert ratings.groupby("use")["value"].apply(sorted).to_dict() == {False: [3], True: [1, 2, 3]}


def test_nothing_private_leaves(study: Study, tmp_path: Path) -> None:
    """No worker id, raw answer, reviewer's reason, time of day or path of this machine is in any file."""
    folder = release(study, tmp_path / "out", version="1.0.0")
    secrets = [b"A2REALWORKER", b"<secret/>", b"private", b"1234567.25", str(tmp_path).encode()]
    tables = {path.stem: pd.read_parquet(path).to_csv().encode() for path in folder.glob("tables/*.parquet")}
    texts = [
        *tables.values(),
        *(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".png"),
    ]
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_release_is_the_same_again_and_never_changed(study: Study, tmp_path: Path) -> None:
    """The same study gives the same bytes; an existing folder is refused; simulated answers are named first."""
    one, two = (release(study, tmp_path / name, version="1.0.0") for name in ("one", "two"))
    assert (one / "SHA256SUMS").read_text() == (two / "SHA256SUMS").read_text()
    assert (
        len((one / "SHA256SUMS").read_text().splitlines())
        == sum(path.is_file() for path in one.rglob("*")) - 1
    )
    assert (
        "**2 of the 4 answers in this release were given by simulated raters"
        in (one / "README.md").read_text()
    )
    with pytest.raises(InputError, match="a release is never changed"):
        release(study, one, version="1.0.0")


def test_a_missing_file_leaves_no_half_release(study: Study, tmp_path: Path) -> None:
    """A picture whose file is gone is named, and nothing is left behind."""
    image = study.read("images")["image_id"][3]
    study.image_path(image).unlink()
    with pytest.raises(InputError, match=f"the file of image {image} is missing"):
        release(study, tmp_path / "out" / "one", version="1.0.0")
    assert list((tmp_path / "out").iterdir()) == []


def test_pictures_release_as_they_are(study: Study, tmp_path: Path) -> None:
    """A study without a split has one part, train."""
    study.replace("splits", study.read("splits")[:0], {"split": "default"})
    folder = release(study, tmp_path / "out", version="1.0.0")
    assert [path.name for path in (folder / "data").iterdir()] == ["train"]
    with Image.open(next((folder / "data" / "train").glob("*.png"))) as picture:
        assert picture.size == (96, 64)
