"""Planning: which questions go into which HITs, and what they cost."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photojury.annotate.batches import hit_sizes, plan
from photojury.datasets.features import write_features
from photojury.datasets.splits import crossing, read_parts
from photojury.datasets.store import Study
from photojury.datasets.streams import stream
from photojury.errors import InputError


@given(st.integers(1, 500), st.integers(1, 60))
def test_hits_are_few_and_equal(units: int, per_hit: int) -> None:
    """As few HITs as the limit allows, and no two that differ by more than one question."""
    sizes = hit_sizes(units, per_hit)
    assert sum(sizes) == units
    assert max(sizes) <= per_hit
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) == -(-units // per_hit)


def test_stars_ask_about_every_picture_once(study: Study) -> None:
    """Each kept picture is in one unit, each unit in one HIT, and a second plan finds nothing to do."""
    batch = plan(study, "stars")
    units, hits = study.read("units"), study.read("hits")
    assert (batch.units, batch.hits, batch.assignments) == (24, 6, 18)
    assert sorted(units["first_id"]) == sorted(study.read("images")["image_id"])
    assert sorted(unit for ids in hits["unit_ids"] for unit in json.loads(ids)) == sorted(units["unit_id"])
    with pytest.raises(InputError, match="planned already; plan a further batch with --again"):
        plan(study, "stars")
    assert plan(study, "stars", again=True).name == "stars-2"


def test_the_same_seed_plans_the_same(study: Study) -> None:
    """What would be planned is what is planned, to the unit and the order."""
    dry = plan(study, "stars", keep=False)
    assert study.count("units") == study.count("hits") == 0
    assert study.read("meta")["key"].tolist() == ["schema_version"]
    assert plan(study, "stars") == dry


def test_pairs_stay_inside_a_part_and_come_once(study: Study) -> None:
    """No planned pair crosses the split, joins an image to itself, or comes twice."""
    ids = sorted(study.read("images")["image_id"])
    write_features(study.folder, "classical", ids, stream(1, "test").normal(size=(24, 8)).astype("float32"))
    for task in ("five_level", "forced_choice"):
        plan(study, task)
        units = study.read("units", {"task": task})
        assert crossing(units, read_parts(study)).empty
        assert (units["first_id"] != units["second_id"]).all()
        unordered = pd.Series([frozenset(p) for p in zip(units["first_id"], units["second_id"], strict=True)])
        assert unordered.is_unique


def test_what_is_missing_is_said(study: Study) -> None:
    """Pairs without features or without a split, and unknown tasks, are one sentence with the command to type."""
    with pytest.raises(InputError, match="photojury embed --model classical"):
        plan(study, "five_level")
    study.replace("splits", study.read("splits")[:0], {"split": "default"})
    with pytest.raises(InputError, match="photojury datasets split"):
        plan(study, "forced_choice")
    with pytest.raises(InputError, match=r"unknown task 'star'\. Did you mean stars"):
        plan(study, "star")
