"""The rater panel, side bias, repeats, gold and drift."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photojury.analysis import raters
from photojury.errors import InputError


def crowd(*, people: int, images: int, seed: int) -> pd.DataFrame:
    """Everybody rates every image from 1 to 5 in batches of ten; r00 is careless and quick, r01 strict."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 0.8, images)
    rows = []
    for person in range(people):
        values = np.clip(np.round(truth + rng.normal(0, 0.6, images) - (person == 1)), 1, 5)
        seconds = rng.lognormal(1.3, 0.4, images)
        if person == 0:
            values, seconds = rng.integers(1, 6, images).astype(float), rng.uniform(0.3, 0.9, images)
        for image in range(images):
            rows.append(
                (
                    f"r{person:02d}",
                    f"i{image:03d}",
                    f"h{image // 10}",
                    values[image],
                    round(1000 * seconds[image]),
                )
            )
    return pd.DataFrame(rows, columns=["rater_id", "image_id", "hit_key", "value", "milliseconds"])


def test_the_panel_shows_who_is_careless_and_who_is_strict() -> None:
    """The quick one is fastest, least in agreement and least consistent; the strict one has the lowest bias."""
    table = raters.panel(crowd(people=12, images=120, seed=1)).set_index("rater_id")
    assert table["share_fast"].idxmax() == "r00" and table["share_fast"].to_dict()["r00"] == 1
    assert table["without_own"].idxmin() == "r00"
    assert table["inconsistency"].idxmax() == "r00"
    assert table["bias"].idxmin() == "r01"
    sound = table.drop("r00")
    assert (sound["inconsistency_high"] < table["inconsistency_low"].to_dict()["r00"]).all()


def test_answers_are_counted_as_written() -> None:
    """Entropy, modal share, longest run and flat HITs of a rater worked out by hand."""
    values = [1, 1, 1, 2, 2, 3, 3, 3, 3]
    table = pd.DataFrame(
        {
            "rater_id": "x",
            "image_id": [f"i{k}" for k in range(9)],
            "hit_key": ["a"] * 3 + ["b"] * 3 + ["c"] * 3,
            "value": list(map(float, values)),
        }
    )
    row = raters.panel(table).iloc[0]
    assert row["entropy"] == pytest.approx(stats.entropy([3 / 9, 2 / 9, 4 / 9]))
    assert row["modal_share"] == pytest.approx(4 / 9)
    assert (row["extreme_share"], row["middle_share"]) == pytest.approx((7 / 9, 2 / 9))
    assert row["longest_run"] == 4
    assert row["flat_hits"] == pytest.approx(2 / 3)
    assert row["hits"] == 3
    assert np.isnan(row["without_own"]) and np.isnan(row["median_seconds"])


def test_hits_are_each_rater_s_own() -> None:
    """Two raters in the same HITs: one answers one of two long ones alike; rows without a HIT and short HITs do not count."""
    rows: list[tuple[str, str | None, int]]
    rows = [("x", "a", 1), ("x", "a", 1), ("x", "a", 1), ("y", "a", 1), ("y", "a", 1), ("y", "a", 2)]
    rows += [("x", "b", 1), ("x", "b", 2), ("x", "b", 1), ("y", "c", 3), ("y", "c", 3), ("x", None, 1)]
    table = pd.DataFrame(rows, columns=["rater_id", "hit_key", "value"]).astype({"value": float})
    found = raters.panel(table.assign(image_id=[f"i{k}" for k in range(12)])).set_index("rater_id")
    assert found["hits"].to_dict() == {"x": 2, "y": 2}
    assert found["flat_hits"].to_dict() == {"x": 0.5, "y": 0.0}


def test_repeats_are_compared_within_the_assignment() -> None:
    """Of three questions that came again one got another answer, two levels away; another rater had none."""
    units = pd.DataFrame(
        {"unit_id": ["a", "b", "c", "a2", "b2", "c2"], "repeat_of": [None] * 3 + ["a", "b", "c"]}
    )
    answers = [("a", 1), ("b", 2), ("c", 3), ("a2", 1), ("b2", 2), ("c2", 1)]
    ratings = pd.DataFrame(
        [("s1", unit, "x", float(value)) for unit, value in answers] + [("s2", "a", "y", 5.0)],
        columns=["assignment_id", "unit_id", "rater_id", "value"],
    )
    found = raters.repeats(ratings, units)
    assert found["rater_id"].tolist() == ["x"]
    assert found[["repeats", "same", "mean_change"]].iloc[0].tolist() == pytest.approx([3, 2 / 3, 2 / 3])


def test_gold_has_wilson_s_interval() -> None:
    """Three of four right; a tolerance of one level makes it four."""
    units = pd.DataFrame({"unit_id": list("abcde"), "gold": [1.0, 2.0, 3.0, 3.0, np.nan]})
    ratings = pd.DataFrame({"unit_id": list("abcde"), "rater_id": "x", "value": [1.0, 2.0, 3.0, 2.0, 9.0]})
    row = raters.gold(ratings, units).iloc[0]
    expected = stats.binomtest(3, 4).proportion_ci(method="wilson")
    assert (row["golds"], row["right"]) == (4, 0.75)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert raters.gold(ratings, units, tolerance=1.0)["right"].tolist() == [1.0]


def test_side_bias_knows_where_the_picture_stood() -> None:
    """Who always takes the left one is found, whichever picture is first; a fair rater is not."""
    rng = np.random.default_rng(2)
    left = rng.random(60) < 0.5
    always = pd.DataFrame(
        {"rater_id": "always", "value": np.where(left, 1.0, -1.0), "first_shown_left": left}
    )
    fair = pd.DataFrame({"rater_id": "fair", "value": rng.choice([-1.0, 1.0], 60), "first_shown_left": left})
    table = raters.side_bias(pd.concat([always, fair])).set_index("rater_id")
    assert table["left"].to_dict()["always"] == 1
    assert table["p"].to_dict()["always"] == pytest.approx(2 * 0.5**60)
    assert table["p_adjusted"].to_dict()["fair"] > 0.05
    expected = [stats.binomtest(k, 13).pvalue for k in range(14)]
    rows = [(f"r{k:02d}", 1.0 if side < k else -1.0, True) for k in range(14) for side in range(13)]
    many = raters.side_bias(pd.DataFrame(rows, columns=["rater_id", "value", "first_shown_left"]))
    assert many["p"].tolist() == pytest.approx(expected)
    with pytest.raises(InputError, match="nobody chose a side"):
        raters.side_bias(fair.assign(value=0.0))


def test_drift_is_seen_and_steadiness_is_not() -> None:
    """A rater whose ratings sink by two levels leaves his limits; false alarms are rare for the steady ones."""
    rng = np.random.default_rng(3)
    truth = rng.normal(3, 0.5, 200)
    rows = []
    for person in range(10):
        sinking = np.linspace(1, -1, 200) if person == 0 else 0.0
        for image, value in enumerate(truth + rng.normal(0, 0.5, 200) + sinking):
            rows.append((f"r{person}", f"i{image:03d}", value))
    found = raters.drift(pd.DataFrame(rows, columns=["rater_id", "image_id", "value"]))
    out = found.groupby("rater_id")["out"].mean()
    assert out["r0"] > 0.3
    assert out.drop("r0").max() < 0.05


def test_the_chart_is_the_formula() -> None:
    """The weighted mean and its limit for the first steps, by hand."""
    rows = [("x", f"i{k}", value) for k, value in enumerate([1.0, 2.0, 3.0])]
    rows += [("y", f"i{k}", 2.0) for k in range(3)]
    found = raters.drift(pd.DataFrame(rows, columns=["rater_id", "image_id", "value"]))
    mine = found[found["rater_id"] == "x"]
    assert mine["residual"].tolist() == pytest.approx([-1, 0, 1])
    assert mine["ewma"].tolist() == pytest.approx([-0.2, -0.16, 0.072])
    assert mine["limit"].tolist() == pytest.approx(
        [3 * np.sqrt(0.5 * 0.2 / 1.8 * (1 - 0.8 ** (2 * t))) for t in (1, 2, 3)]
    )


def test_a_column_that_is_missing_is_named() -> None:
    """Each table says what it lacks."""
    with pytest.raises(InputError, match="ratings lacks the column rater_id"):
        raters.panel(pd.DataFrame({"image_id": ["a"], "value": [1.0]}))
    with pytest.raises(InputError, match="comparisons lacks the column first_shown_left"):
        raters.side_bias(pd.DataFrame({"rater_id": ["a"], "value": [1.0]}))
