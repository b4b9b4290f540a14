"""Pairing: each design, planned on a small study through its settings, twice."""

import itertools
import json
import logging
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from photojury.annotate.batches import plan
from photojury.annotate.tasks.kind import kind, rated_row
from photojury.datasets.features import write_features
from photojury.datasets.splits import crossing, read_parts, split
from photojury.datasets.store import Study
from photojury.datasets.streams import stream
from photojury.errors import InputError, SettingsError
from tests.support import VALUES, make_study

PAIRINGS = ("similarity", "uniform", "score-distance", "connected", "active")
FORCED = {("forced_choice", "pairs"): 20}


def study_of(folder: Path, values: dict[tuple[str, str], object], images: int = 24) -> Study:
    """A parted study with features and scores 0.00, 0.05, 0.10 ... in order of the ids."""
    study = make_study(folder, images, {**VALUES, **values})
    ids = sorted(study.read("images")["image_id"])
    write_features(study.folder, "classical", ids, stream(1, "t").normal(size=(images, 8)).astype("float32"))
    scores = pd.DataFrame({"image_id": ids, "method": "mos", "score": np.arange(images) / 20})
    study.replace("scores", scores.assign(standard_error=None, simulated=True), {"method": "mos"})
    return study


def pairs_of(units: pd.DataFrame) -> list[frozenset[str]]:
    return [frozenset(pair) for pair in zip(units["first_id"], units["second_id"], strict=True)]


def answer(study: Study, batch: str, *, use: bool = True, value: float | None = None) -> None:
    """One rater answers every question of a batch: the image with the higher score is better."""
    scores = study.read("scores")
    score = dict(zip(scores["image_id"], scores["score"], strict=True))
    units = study.read("units", {"batch": batch}).to_dict("records")
    key = study.read("hits", {"batch": batch}).loc[0, "hit_key"]
    name = f"{batch} {use}"
    study.add(
        "assignments",
        [
            {
                "assignment_id": name,
                "rater_id": "r",
                "hit_key": key,
                "accepted_at": 0.0,
                "submitted_at": 9.0,
                "status": "Submitted",
                "use": use,
                "answers": "",
                "simulated": True,
            }
        ],
    )
    study.add(
        "comparisons",
        [
            {
                "assignment_id": name,
                "unit_id": unit["unit_id"],
                "task": unit["task"],
                "first_id": unit["first_id"],
                "second_id": unit["second_id"],
                "rater_id": "r",
                "value": value or float(np.sign(score[unit["first_id"]] - score[unit["second_id"]])),
                "first_shown_left": True,
                "position_in_hit": 0,
                "simulated": True,
            }
            for unit in units
        ],
    )


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize("task", ["five_level", "forced_choice"])
def test_each_design_plans_two_batches_without_a_repeat(tmp_path: Path, task: str, pairing: str) -> None:
    """As many pairs as asked for, inside parts, none twice, none in both batches; the same seed plans the same."""
    study = study_of(tmp_path, {**FORCED, (task, "pairing"): pairing, ("five_level", "partners"): 1}, 48)
    dry = plan(study, task, keep=False)
    assert plan(study, task) == dry
    if pairing == "active":
        answer(study, f"{task}-1")
    plan(study, task, again=True)
    units = study.read("units")
    units = units[units["control"].isna()]
    if pairing != "score-distance":  # its bins may hold fewer, which the next test looks at
        wanted = 48 if task == "five_level" else 20
        assert units.groupby("batch").size().tolist() == [wanted, wanted]
    drawn = pairs_of(units)
    assert len(set(drawn)) == len(drawn) > 20
    assert crossing(units, read_parts(study)).empty
    assert units["similarity"].notna().all() == (pairing == "similarity")
    study.close()


def test_similarity_gives_every_picture_its_new_partners(tmp_path: Path) -> None:
    """In both batches each picture draws the partner that study.toml asks for."""
    study = study_of(tmp_path, {("five_level", "partners"): 1}, 48)
    plan(study, "five_level")
    plan(study, "five_level", again=True)
    units = study.read("units")
    drawn = units.groupby(["batch", "first_id"]).size()
    assert len(drawn) == 96 and (drawn == 1).all()
    study.close()


def test_score_distance_says_which_bins_are_short(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Bins hold the pairs of their distance, and a bin that no pair reaches is named with its figures."""
    caplog.set_level(logging.INFO, "photojury")
    distances = ("0.1", "0.3", "5")
    values = {
        **FORCED,
        ("forced_choice", "pairing"): "score-distance",
        ("forced_choice", "distances"): distances,
    }
    study = study_of(tmp_path, values)
    plan(study, "forced_choice")
    score = study.read("scores").set_index("image_id")["score"]
    units = study.read("units")
    gap = (units["first_id"].map(score) - units["second_id"].map(score)).abs().round(12)
    assert ((gap > 0.1) & (gap <= 0.3)).sum() == 7 and ((gap > 0.3) & (gap <= 5)).sum() == 7
    assert len(gap) == 14
    assert "distance 5 to inf: 0 of 6 pairs wanted, 0 there" in caplog.text
    assert "score-distance: 6 of 20 pairs do not exist" in caplog.text
    study.close()


def test_score_distance_without_scores_names_the_command(tmp_path: Path) -> None:
    """No scores, scores by another method, and distances that are no numbers."""
    study = make_study(tmp_path, 12, {**VALUES, ("forced_choice", "pairing"): "score-distance"})
    with pytest.raises(InputError, match=r"method 'mos' \(there: none\); photojury analyze scores makes"):
        plan(study, "forced_choice")
    study.close()
    near = {("forced_choice", "pairing"): "score-distance", ("forced_choice", "distances"): ("near", "far")}
    study = study_of(tmp_path / "b", {**near}, 12)
    with pytest.raises(SettingsError, match=r"forced_choice\.distances in study.toml must be rising numbers"):
        plan(study, "forced_choice")
    study.close()


def test_connected_pairs_connect_each_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """networkx finds as many components as parts, and the log gives each part's spectral gap."""
    caplog.set_level(logging.INFO, "photojury")
    values = {("forced_choice", "pairs"): 36, ("forced_choice", "pairing"): "connected"}
    study = study_of(tmp_path, values)
    plan(study, "forced_choice")
    graph = nx.Graph(tuple(pair) for pair in pairs_of(study.read("units")))
    assert {frozenset(group) for group in nx.connected_components(graph)} == {
        frozenset(group) for _, group in read_parts(study).groupby("part")["image_id"]
    }
    assert caplog.text.count("1 connected group(s), spectral gap") == 3
    study.close()


def test_active_goes_by_used_answers_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing used: connected. Answers that are not used change nothing; used ones are what it goes by."""
    caplog.set_level(logging.INFO, "photojury")
    study = study_of(tmp_path, {**FORCED, ("forced_choice", "pairing"): "active"})
    plan(study, "forced_choice")
    answer(study, "forced_choice-1", use=False)
    plan(study, "forced_choice", again=True, keep=False)
    assert "chosen by" not in caplog.text and caplog.text.count("there is no answer yet") == 6
    answer(study, "forced_choice-1")
    plan(study, "forced_choice", again=True)
    counts = study.read("units").query("batch == 'forced_choice-1'")["part"].value_counts()
    for part, count in counts.items():
        assert f"chosen by {count} answers" in caplog.text, part
    study.close()


def test_when_no_pair_is_left_it_is_said(tmp_path: Path) -> None:
    """Batch after batch of uniform pairs ends in a sentence, after every pair has come once."""
    values = {("forced_choice", "pairs"): 30, ("splits", "by"): "image"}
    study = study_of(tmp_path, values, 12)
    sizes = read_parts(study)["part"].value_counts()
    every = int((sizes * (sizes - 1) // 2).sum())
    for _ in range(-(-every // 30)):
        plan(study, "forced_choice", again=True)
    assert len(set(pairs_of(study.read("units")))) == study.count("units") == every
    with pytest.raises(
        InputError, match=r"pairing = 'uniform' can make for forced_choice is planned already"
    ):
        plan(study, "forced_choice", again=True)
    study.close()


def test_series_are_asked_about_once_all_pairs_each(tmp_path: Path) -> None:
    """All pairs of three series of four; a fourth series is what the next batch asks about; then none is left."""
    study = study_of(tmp_path, {("splits", "by"): "series"}, 16)
    with pytest.raises(InputError, match="no series of two or more kept pictures"):
        plan(study, "series")
    ids = sorted(study.read("images")["image_id"])

    def add(number: int) -> set[frozenset[str]]:
        members = ids[4 * number : 4 * number + 4]
        rows = [
            {"series_id": f"s{number}", "image_id": image, "position": at} for at, image in enumerate(members)
        ]
        study.add("series", rows)
        return {frozenset(pair) for pair in itertools.combinations(members, 2)}

    every = add(0) | add(1) | add(2)
    with pytest.raises(InputError, match="photojury datasets split --by series"):
        plan(study, "series")
    split(study)
    batch = plan(study, "series")
    assert (batch.units, batch.hits, batch.assignments) == (18, 2, 10)
    assert set(pairs_of(study.read("units"))) == every
    late = add(3)
    study.replace("splits", read_parts(study).assign(split="default", part="train"), {"split": "default"})
    plan(study, "series", again=True)
    assert set(pairs_of(study.read("units", {"batch": "series-2"}))) == late
    with pytest.raises(InputError, match="all 24 pairs inside series are planned already"):
        plan(study, "series", again=True)
    study.close()


def test_series_answers_count_from_the_first_picture(tmp_path: Path) -> None:
    """A choice of the left picture, which is the unit's second one, is a comparison of -1."""
    series = kind("series")
    assert [choice.value for choice in series.choices(make_study(tmp_path, 12).settings)] == [1, -1]
    unit = {"unit_id": "u", "first_id": "a", "second_id": "b"}
    row = rated_row(series, unit, {"shown": ["b", "a"], "value": 1})
    assert (row["task"], row["value"], row["first_shown_left"]) == ("series", -1.0, False)
    assert json.dumps(row)
