"""Releases as others read them: Hugging Face's datasets, webdataset, pandas and mlcroissant, each in its own process."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from photojury.datasets.releases import forms
from photojury.datasets.releases.layout import FORMS
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study

Releases = Mapping[str, Path]


@pytest.fixture(scope="module")
def releases(full_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """The same study in every form, five pictures to a shard."""
    folder = tmp_path_factory.mktemp("releases")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "SHARD_PICTURES", 5)
        return {form: release(full_study, folder / form, version="1.0.0", form=form) for form in FORMS}


def said(script: str, folder: Path, cache: Path) -> object:
    """What a script prints as JSON on its last line, run in a release's folder without network."""
    environment = {
        **os.environ,
        "HF_HOME": str(cache),
        "HF_HUB_OFFLINE": "1",
        "CROISSANT_CACHE": str(cache / "cr"),
    }
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


HUGGING_FACE = """
import json
from datasets import load_dataset
found = {}
for form in ("folder", "csv", "parquet", "webdataset"):
    data = load_dataset(f"./{form}")
    row = data["train"][0]
    picture = row["image"] if "image" in row else row["png"]
    facts = row if "image_id" in row else row["json"]
    found[form] = [{part: len(rows) for part, rows in data.items()}, picture.size, sorted(facts)]
data = load_dataset("imagefolder", data_dir="folder/data")
found["imagefolder"] = [{part: len(rows) for part, rows in data.items()}, data["train"][0]["image"].size, sorted(data["train"][0])]
print(json.dumps(found))
"""


def test_hugging_face_loads_every_form(releases: Releases, full_study: Study, tmp_path: Path) -> None:
    """load_dataset reads each release by its card, and imagefolder its data folder: parts, pictures and columns."""
    parts = full_study.read("splits")["part"].value_counts().to_dict()
    found = said(HUGGING_FACE, releases["folder"].parent, tmp_path)
    assert isinstance(found, dict)
    assert set(found) == {*FORMS, "imagefolder"}
    for form, (counts, size, columns) in found.items():
        assert (form, counts, size) == (form, parts, [96, 64])
        assert {"image_id", "rating_mean", "votes_3", "license_id", "simulated"} <= set(columns)


WEBDATASET = """
import glob, hashlib, io, json
import webdataset
found = {}
for part in ("train", "validation", "test"):
    rows = list(webdataset.WebDataset(sorted(glob.glob(f"data/{part}/*.tar")), shardshuffle=False, empty_check=True))
    decoded = list(webdataset.WebDataset(sorted(glob.glob(f"data/{part}/*.tar")), shardshuffle=False).decode("pil"))
    found[part] = [(row["__key__"], hashlib.sha256(row["png"]).hexdigest(), json.loads(row["json"])["image_id"],
                    picture["png"].size, picture["json"]["rating_mean"]) for row, picture in zip(rows, decoded)]
print(json.dumps(found))
"""


def test_webdataset_reads_the_shards(releases: Releases, full_study: Study, tmp_path: Path) -> None:
    """Each sample has its key, the bytes that were collected, and its row; five samples to a shard."""
    found = said(WEBDATASET, releases["webdataset"], tmp_path)
    assert isinstance(found, dict)
    splits = full_study.read("splits")
    for part, samples in found.items():
        assert [sample[0] for sample in samples] == sorted(splits.loc[splits["part"] == part, "image_id"])
        assert all(key == digest == image and size == [96, 64] for key, digest, image, size, _ in samples)
    means = [sample[4] for samples in found.values() for sample in samples]
    assert means.count(None) == 1  # the gold question's picture
    assert all(1 <= mean <= 3 for mean in means if mean is not None)
    shards = sorted(path.name for path in releases["webdataset"].glob("data/train/*"))
    assert shards == [
        f"tests-1.0.0-train-{number:06d}.{end}" for number in (0, 1) for end in ("parquet", "tar")
    ]


PANDAS = """
import json
import pandas as pd
found = []
for read, end in ((pd.read_parquet, "parquet"), (pd.read_csv, "csv")):
    place = {"parquet": "folder", "csv": "csv"}[end]
    ratings = read(f"{place}/tables/ratings.{end}").query("use")
    rows = pd.concat(read(f"{place}/data/{part}/metadata.{end}") for part in ("train", "validation", "test"))
    means = ratings.groupby("image_id")["value"].mean()
    of_rows = rows.set_index("image_id")["rating_mean"].loc[means.index]
    found.append([len(ratings), float((means - of_rows).abs().max()), ratings["rater_id"].nunique()])
print(json.dumps(found))
"""


def test_pandas_reads_tables_and_metadata(releases: Releases, tmp_path: Path) -> None:
    """Of twelve raters of eleven questions, one is not used, and gold and repeat do not count; means are those of rows."""
    found = said(PANDAS, releases["folder"].parent, tmp_path)
    assert found == [[11 * 10, pytest.approx(0, abs=1e-12), 11]] * 2


CROISSANT = """
import json
import mlcroissant
found = {}
for form in ("folder", "csv", "parquet", "webdataset"):
    data = mlcroissant.Dataset(jsonld=f"{form}/croissant.json")
    meta = data.metadata
    issues = sorted(map(str, [*meta.ctx.issues.errors, *meta.ctx.issues.warnings]))
    records = {one.id: list(data.records(one.id)) for one in meta.record_sets}
    counts = {name: len(rows) for name, rows in records.items()}
    sizes = sorted({row["pictures/image"].size for row in records["pictures"]})
    total = sum(row["ratings/value"] for row in records["ratings"])
    said = [meta.data_collection, meta.annotations_per_item, meta.annotator_demographics, meta.data_annotation_protocol,
            meta.data_annotation_platform, meta.data_annotation_analysis, meta.data_biases,
            meta.personal_sensitive_information, meta.data_release_maintenance_plan, meta.machine_annotation_tools]
    found[form] = [issues, counts, sizes, float(total), [bool(one) for one in said],
                   list(meta.conforms_to)]
print(json.dumps(found))
"""


def test_mlcroissant_validates_and_loads_every_form(
    releases: Releases, full_study: Study, tmp_path: Path
) -> None:
    """No error and no warning; every record set has the rows of its table; pictures open; the RAI fields are said."""
    found = said(CROISSANT, releases["folder"].parent, tmp_path)
    assert isinstance(found, dict)
    total = full_study.read("ratings")["value"].sum()
    rows = {"images": 12, "ratings": 144, "comparisons": 132, "presentations": 276, "assignments": 24, "hits": 2,
            "units": 23, "histograms": 3, "scores": 12, "splits": 12, "series": 3, "pictures": 12}  # fmt: skip
    conforms = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
    assert found == {form: [[], rows, [[96, 64]], total, [True] * 10, conforms] for form in FORMS}
