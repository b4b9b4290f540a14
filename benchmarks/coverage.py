"""Coverage of the intervals: how often each 95 % interval holds the truth, by simulation.

    python benchmarks/coverage.py            # the other tables of docs/calibration.md: some 10 minutes on one core
    python benchmarks/coverage.py --quick    # some seconds: shows that the script works, not what the intervals are worth

Every interval that photojury.analysis prints is drawn many times on simulated studies whose truth is known: planted,
or what ten thousands of images come to under the same model. Ratings are whole stars, raters have biases, images recur in
pairs, as the functions say that they may. The script beside it, calibration.py, does the same for the tests.

All is from one seed. +- is 1.96 standard errors over the simulated studies.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

import click
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from photojury.analysis import (
    agreement,
    distributions,
    metrics,
    pair_intervals,
    popularity,
    rater_agreement,
    raters,
    shapes,
)
from photojury.analysis.bootstrap import Estimate, interval
from photojury.analysis.concordance import icc_two_way
from photojury.analysis.confusion import confusion
from photojury.analysis.consistency import consistency
from photojury.analysis.forced_choice import IntervalKind, agreement_by_distance
from photojury.analysis.scores import joint, mos, paired, recovery

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Random = np.random.Generator
Ends = tuple[float, float]

CUTS = {5: (-1.3, -0.5, 0.5, 1.3), 3: (-0.6, 0.6)}
"""Where a normal feeling is cut into stars: 10, 21, 38, 21 and 10 %; or 27, 46 and 27 %."""
MANY = 20_000
"""Images from which the truth is taken where it is not planted."""


@dataclass(frozen=True)
class Covered:
    """How often an interval held the truth.

    Attributes:
        interval, setting: what it is of, and what was simulated.
        inside: (studies,) the share of the study's intervals that hold the truth; 0 or 1 where it has one.
    """

    interval: str
    setting: str
    inside: FloatArray


def holds(ends: Ends, truth: float) -> float:
    """1 where the truth lies between the ends."""
    return float(ends[0] - 1e-12 <= truth <= ends[1] + 1e-12)


def covering(table: pd.DataFrame, truth: FloatArray, *, level: bool = True) -> float:
    """The share of rows whose low and high hold the truth; without `level`, but for a constant that no model knows."""
    shift = 0.0 if level else float((table["score"] - truth).mean())
    return float(((table["low"] - shift <= truth) & (truth <= table["high"] - shift)).mean())


def stars(rng: Random, images: int, *, each: int, people: int | None, r: float = 0.4) -> pd.DataFrame:
    """Ratings on five levels by `each` of `people` raters, or by new ones for every rating.

    Feelings correlate at r, but for raters' biases.
    """
    image = np.repeat(np.arange(images), each)
    rater = np.arange(image.size)
    if people is not None:
        rater = np.argsort(rng.random((images, people)), axis=1)[:, :each].ravel()
    felt = np.sqrt(r) * rng.normal(size=images)[image] + np.sqrt(1 - r) * rng.normal(size=image.size)
    felt += 0.4 * rng.normal(size=rater.max() + 1)[rater]
    value = np.digitize(felt, CUTS[5]).astype(np.float64) + 1
    return pd.DataFrame({"image_id": image, "rater_id": rater, "value": value})


def pairs_of(rng: Random, images: int, partners: int) -> tuple[IntArray, IntArray]:
    """Every image with `partners` others drawn by lot; 0: each image in one pair only."""
    if not partners:
        return np.arange(0, images, 2), np.arange(1, images, 2)
    first = np.repeat(np.arange(images), partners)
    return first, (first + rng.integers(1, images, first.size)) % images


POPULATIONS: dict[str, tuple[int, Callable[[Random, tuple[int, int]], FloatArray]]] = {
    "5 levels, mean 3, deviation 0.8": (5, lambda rng, shape: _heap(rng, 3, 0.7, shape)),
    "5 levels, mean 3, deviation 1.2": (5, lambda rng, shape: _heap(rng, 3, 1.2, shape)),
    "5 levels, mean 1.5, skew": (5, lambda rng, shape: _heap(rng, 1.3, 0.9, shape)),
    "5 levels, divided: 1 or 5": (5, lambda rng, shape: rng.choice([1.0, 5.0], shape)),
    "3 levels, mean 2": (3, lambda rng, shape: rng.choice([1.0, 2, 3], shape, p=[0.25, 0.5, 0.25])),
    "3 levels, mean 1.35, skew": (3, lambda rng, shape: rng.choice([1.0, 2, 3], shape, p=[0.7, 0.25, 0.05])),
}


def _heap(rng: Random, mean: float, deviation: float, shape: tuple[int, int]) -> FloatArray:
    return np.clip(np.rint(rng.normal(mean, deviation, shape)), 1, 5)


def opinion_scores(rng: Random, scale: float) -> Iterator[Covered]:
    """Each image's mean, by each kind of interval."""
    images = whole(4_000, scale)
    for name, (levels, draw) in POPULATIONS.items():
        truth = float(draw(rng, (MANY, 20)).mean())
        for each in (3, 5, 10, 24):
            value = draw(rng, (images, each)).ravel()
            table = pd.DataFrame({"image_id": np.repeat(np.arange(images), each), "value": value})
            for kind in get_args(mos.IntervalKind):
                found = mos.mos(table, scale=(1, levels), interval=kind)
                inside = (found["low"] - 1e-9 <= truth) & (truth <= found["high"] + 1e-9)
                yield Covered(f"MOS, {kind}", f"{name}; {each} ratings", np.asarray(inside, dtype=np.float64))


def recovered_scores(rng: Random, scale: float) -> Iterator[Covered]:
    """Scores less their mean, and raters' inconsistencies, under P.910's model; and rounded to stars."""
    for each in (3, 5, 10, 24):
        for method in recovery.METHODS:
            for rounded in (False, True) if method == "p910" else (False,):
                inside, spread = [], []
                for _ in range(whole(40, scale)):
                    table, truth, noise = _panel(rng, each, rounded=rounded)
                    found = recovery.recover(table, method)
                    inside.append(covering(found.scores, truth, level=False))
                    known = found.raters.set_index("rater_id").reindex(range(noise.size))
                    low, high = known["inconsistency_low"], known["inconsistency_high"]
                    spread.append(float(((low <= noise) & (noise <= high)).mean()))
                setting = f"200 images, 60 raters, {each} ratings" + (
                    ", rounded to 1 .. 5" if rounded else ""
                )
                yield Covered(f"score, {method}", setting, np.array(inside))
                if method.startswith("p910"):
                    yield Covered(f"inconsistency, {method}", setting, np.array(spread))


def _panel(rng: Random, each: int, *, rounded: bool) -> tuple[pd.DataFrame, FloatArray, FloatArray]:
    images, people = 200, 60
    truth = rng.normal(3, 0.5, images)
    noise = np.exp(rng.normal(np.log(0.7), 0.3, people))
    image = np.repeat(np.arange(images), each)
    rater = np.argsort(rng.random((images, people)), axis=1)[:, :each].ravel()
    value = truth[image] + rng.normal(0, 0.3, people)[rater] + noise[rater] * rng.normal(size=image.size)
    value = np.clip(np.rint(value), 1, 5) if rounded else value
    return pd.DataFrame({"image_id": image, "rater_id": rater, "value": value}), truth, noise


def _answers(rng: Random, model: str, d: FloatArray) -> FloatArray:
    """Answers on pairs by a model of `paired`, at differences d."""
    if model in ("davidson", "adjacent"):
        y = np.arange(-2.0, 3) if model == "adjacent" else np.array([-0.5, 0, 0.5])
        weights = np.exp(
            y * d[:, None] + np.array([-1.2, -0.3, 0.0, -0.3, -1.2] if y.size == 5 else [0, -0.2, 0])
        )
        below = np.cumsum(weights, axis=1)[:, :-1] / weights.sum(axis=1, keepdims=True)
    else:
        cuts = {"bradley-terry": [0.0], "thurstone": [0.0], "rao-kupper": [-0.5, 0.5]}
        f = special.ndtr if model in ("thurstone", "cumulative-probit") else special.expit
        below = f(np.array(cuts.get(model, [-1.8, -0.5, 0.5, 1.8])) - d[:, None])
    level = (rng.random((d.size, 1)) > below).sum(axis=1)
    middle = below.shape[1] / 2
    found = np.sign(level - middle) if below.shape[1] == 1 else level - middle
    return np.asarray(found, dtype=np.float64)


def paired_scores(rng: Random, scale: float) -> Iterator[Covered]:
    """Scores less their mean, and differences of two scores with their errors taken as independent."""
    settings: list[tuple[str, int, int, float, dict[str, bool]]] = [
        (model, 5, 5, 1.0, {}) for model in paired.MODELS
    ]
    settings += [(model, 5, 1, 1.0, {}) for model in ("bradley-terry", "cumulative")]
    settings += [("cumulative", 5, 5, 2.5, {}), ("cumulative", 5, 5, 1.0, {"rater_slopes": True})]
    for model, partners, votes, deviation, options in settings:
        inside, differences = [], []
        for _ in range(whole(100, scale)):
            truth = rng.normal(0, deviation, 60)
            truth -= truth.mean()
            first, second = (np.repeat(ids, votes) for ids in pairs_of(rng, 60, partners))
            people = rng.integers(0, 25, first.size)
            slope = np.exp(rng.normal(0, 0.4, 25))[people] if options else 1.0
            table = pd.DataFrame({"first_id": first, "second_id": second, "rater_id": people})
            table["value"] = _answers(rng, model, slope * (truth[first] - truth[second]))
            task = "forced_choice" if paired.MODELS[model][1] == 2 else "five_level"
            found = paired.fit(table, model, task=task, rater_slopes=bool(options)).scores
            inside.append(covering(found, truth))
            error = found["score"].to_numpy() - truth
            i, j = np.triu_indices(60, 1)
            known = 1.96 * np.hypot(*(found["standard_error"].to_numpy()[k] for k in (i, j)))
            differences.append(float((np.abs(error[i] - error[j]) <= known).mean()))
        setting = f"60 images, 10 pairs each, {votes} votes, deviation {deviation:g}"
        setting += "; raters who differ" if options else ""
        yield Covered(f"score, {model}", setting, np.array(inside))
        yield Covered(f"difference, {model}", setting, np.array(differences))


def joint_scores(rng: Random, scale: float) -> Iterator[Covered]:
    """Stars and pairs on one scale."""
    for each in (3, 10):
        inside = []
        for _ in range(whole(40, scale)):
            truth = rng.normal(size=60)
            truth -= truth.mean()
            first, second = pairs_of(rng, 60, 5)
            image = np.repeat(np.arange(60), each)
            ratings = pd.DataFrame({"image_id": image})
            ratings["value"] = np.digitize(
                1.5 * truth[image] + rng.logistic(size=image.size), [-2.5, -1, 1, 2.5]
            )
            pairs = pd.DataFrame({"first_id": first, "second_id": second})
            pairs["value"] = _answers(rng, "cumulative", truth[first] - truth[second])
            inside.append(covering(joint.fit(ratings, pairs).scores, truth))
        yield Covered("score, joint", f"60 images, {each} ratings and 10 comparisons each", np.array(inside))


def shares_of_pairs(rng: Random, scale: float) -> Iterator[Covered]:
    """Agreement of two ways of asking, kappa, and forced choices, over pairs that share images or not."""
    for images, partners in ((200, 0), (60, 5), (400, 5)):
        truth = np.mean([_two_ways(rng, 400, 5)[:3] for _ in range(whole(200, scale))], axis=0)
        truth = np.append(truth, truth[0])
        inside = []
        for _ in range(whole(400, scale)):
            *_, ends = _two_ways(rng, images, partners)
            inside.append([holds(pair, value) for pair, value in zip(ends, truth, strict=True)])
        setting = f"{images} images, " + (f"{2 * partners} pairs each" if partners else "one pair each")
        names = ("agreement", "opposite", "kappa", "agreement, Wilson of independent pairs")
        for name, column in zip(names, np.array(inside).T, strict=True):
            yield Covered(f"confusion, {name}", setting, column)
    many = [_choices(rng, 2 * MANY, 0) for _ in range(2)]
    truth = np.mean([_bins(*study, "wilson")["mean"] for study in many], axis=0)
    for images, partners in ((60, 0), (1_200, 0), (120, 5)):
        for kind in get_args(IntervalKind):
            held: list[FloatArray] = []
            for _ in range(whole(200, scale)):
                found = _bins(*_choices(rng, images, partners), kind)
                low, high = found["low_95"].to_numpy(), found["high_95"].to_numpy()
                # A bin without a pair says nothing, and is not held against the interval.
                held.append(np.where(found["n_pairs"] > 0, (low <= truth) & (truth <= high), np.nan))
            setting = f"{images} images, " + (f"{2 * partners} pairs each" if partners else "one pair each")
            shares = np.nanmean(np.array(held, dtype=np.float64), axis=1)
            yield Covered(f"forced choice, {kind}", f"{setting}, 5 votes", shares)


def _two_ways(rng: Random, images: int, partners: int) -> tuple[float, float, float, list[Ends]]:
    """Agreement, opposite rate and kappa of ten stars an image and five answers a pair, with their intervals; and
    the interval of the agreement were the pairs independent."""
    quality = rng.normal(size=images)
    first, second = pairs_of(rng, images, partners)
    felt = quality[:, None] + rng.normal(size=(images, 10))
    ratings = pd.DataFrame({"image_id": np.repeat(np.arange(images), 10)})
    ratings["value"] = np.digitize(felt, CUTS[3]).ravel() + 1.0
    pairs = pd.DataFrame({"first_id": np.repeat(first, 5), "second_id": np.repeat(second, 5)})
    difference = np.repeat(quality[first] - quality[second], 5) + rng.normal(size=5 * first.size)
    pairs["value"] = np.digitize(difference, [-1.5, -0.5, 0.5, 1.5]) - 2.0
    found = confusion(ratings, pairs)
    wilson = stats.binomtest(round(found.agreement * found.n), found.n).proportion_ci(method="wilson")
    ends = [
        (found.agreement_low, found.agreement_high),
        (found.opposite_low, found.opposite_high),
        (found.kappa_low, found.kappa_high),
        (float(wilson.low), float(wilson.high)),
    ]
    return found.agreement, found.opposite, found.kappa, ends


def _choices(rng: Random, images: int, partners: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Five forced choices a pair, and scores that are not quite what people see."""
    first, second = pairs_of(rng, images, partners)
    score = rng.random(images)
    seen = score + rng.normal(0, 0.25, images)
    p = special.ndtr((seen[first] - seen[second]) / 0.4)
    table = pd.DataFrame({"first_id": np.repeat(first, 5), "second_id": np.repeat(second, 5)})
    table["value"] = np.where(rng.random((p.size, 5)) < p[:, None], 1.0, -1.0).ravel()
    return table, pd.DataFrame({"image_id": np.arange(images), "score": score})


def _bins(table: pd.DataFrame, scores: pd.DataFrame, kind: IntervalKind) -> pd.DataFrame:
    return agreement_by_distance(table, scores, seed=1, interval=kind, repeats=400).table


def coefficients(rng: Random, scale: float) -> Iterator[Covered]:
    """Agreement of raters, by bootstrap over images and by F; the truth is that of many images."""
    makers: dict[str, Callable[[pd.DataFrame, int], tuple[float, float, float]]] = {
        "alpha, ordinal": lambda table, seed: _ends(agreement.alpha(table, "ordinal", seed=seed)),
        "Fleiss' kappa": lambda table, seed: _ends(agreement.fleiss_kappa(table, seed=seed)),
        "split halves": lambda table, seed: _ends(agreement.split_half(table, seed=seed)),
        "ICC(1), F": lambda table, seed: _icc(table),
        "SOS a": lambda table, seed: _sos(table, seed),
        "mean deviation, 1.96 SE": lambda table, seed: _deviation(table),
    }
    for people, words in ((None, "every rater new"), (30, "30 raters")):
        for name, make in makers.items():
            large = [make(stars(rng, 2_000, each=5, people=people), 1)[0] for _ in range(whole(40, scale))]
            for images in (30, 200):
                ends = [
                    make(stars(rng, images, each=5, people=people), seed)[1:]
                    for seed in range(whole(200, scale))
                ]
                inside = np.array([holds(pair, float(np.mean(large))) for pair in ends])
                yield Covered(name, f"{images} images, 5 ratings each, {words}", inside)


def _icc(table: pd.DataFrame) -> tuple[float, float, float]:
    found = agreement.icc(table)
    return found.single, found.low, found.high


def _sos(table: pd.DataFrame, seed: int) -> tuple[float, float, float]:
    found = shapes.sos(distributions.image_distributions(table, levels=range(1, 6)), scale=(1, 5), seed=seed)
    return found.a, found.low, found.high


def _ends(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def _deviation(table: pd.DataFrame) -> tuple[float, float, float]:
    found = distributions.mean_deviation(distributions.image_distributions(table))
    reach = 1.96 * found.standard_error
    return found.mean, found.mean - reach, found.mean + reach


def laboratory(rng: Random, scale: float) -> Iterator[Covered]:
    """ICC under its own model: normal, of unequal numbers of ratings, and of complete tables."""
    for images in (30, 200):
        inside = []
        for _ in range(whole(1_000, scale)):
            image = np.repeat(np.arange(images), rng.integers(1, 9, images))
            value = np.sqrt(0.4) * rng.normal(size=images)[image] + np.sqrt(0.6) * rng.normal(size=image.size)
            found = agreement.icc(pd.DataFrame({"image_id": image, "value": value}))
            inside.append(holds((found.low, found.high), 0.4))
        yield Covered("ICC(1), F", f"{images} images, 1 to 8 ratings each, normal", np.array(inside))
    two: list[list[float]] = [[], []]
    for _ in range(whole(2_000, scale)):
        parts = np.sqrt(0.5) * rng.normal(size=(30, 1)) + np.sqrt(0.1) * rng.normal(size=(1, 6))
        both = icc_two_way(parts + np.sqrt(0.4) * rng.normal(size=(30, 6)))
        two[0].append(holds(both.agreement_interval, 0.5))
        two[1].append(holds(both.consistency_interval, 0.5 / 0.9))
    yield Covered("ICC(2, 1)", "30 items, 6 raters, normal", np.array(two[0]))
    yield Covered("ICC(3, 1)", "30 items, 6 raters, normal", np.array(two[1]))


def batches(rng: Random, scale: float) -> Iterator[Covered]:
    """Shares and means over HITs of five raters and ten images who agree at .4."""
    count = whole(10_000, scale)
    felt = np.sqrt(0.4) * rng.normal(size=(count, 1, 10)) + np.sqrt(0.6) * rng.normal(size=(count, 5, 10))
    hit, rater, image = (place.ravel() for place in np.indices(felt.shape))
    table = pd.DataFrame({"hit_key": hit, "rater_id": rater, "image_id": 10 * hit + image})
    table["value"] = np.digitize(felt, CUTS[5]).ravel() + 1.0
    found = consistency(table, seed=1)
    for size in (20, 100):
        summaries = []
        for start in range(0, count - size + 1, size):
            part = found.batches[found.batches["hit_key"].between(start, start + size - 1)]
            pairs = found.pairs[found.pairs["hit_key"].between(start, start + size - 1)]
            summaries.append(
                replace(found, batches=part, pairs=pairs, seed=start).summary().set_index("measure")
            )
        for name, words in (
            ("significant_bh", "share of significant HITs, Wilson"),
            ("mean_rho", "mean correlation of HITs, bootstrap"),
            ("median_rho", "median correlation of HITs, bootstrap"),
            ("mean_w", "mean Kendall's W of HITs, bootstrap"),
        ):
            truth = float(np.mean([summary.loc[name, "value"] for summary in summaries]))
            if name != "significant_bh":
                column = found.batches[name.replace("median_", "mean_").replace("mean_w", "w")]
                truth = float(column.median() if name.startswith("median") else column.mean())
            inside = [
                holds((float(str(summary.loc[name, "low"])), float(str(summary.loc[name, "high"]))), truth)
                for summary in summaries
            ]
            yield Covered(words, f"{size} HITs", np.array(inside))


def single_raters(rng: Random, scale: float) -> Iterator[Covered]:
    """Shares of gold questions, and tiers of raters against the mean."""
    for golds, share in ((5, 0.8), (20, 0.8), (20, 0.95)):
        people = whole(4_000, scale)
        right = rng.random((people, golds)) < share
        answers = pd.DataFrame({"rater_id": np.repeat(np.arange(people), golds), "unit_id": "u"})
        units = pd.DataFrame({"unit_id": ["u"], "gold": [1.0]})
        found = raters.gold(answers.assign(value=right.ravel() * 1.0), units)
        inside = (found["low"] <= share) & (share <= found["high"])
        yield Covered(
            "gold, Wilson", f"{golds} questions, true share {share:g}", np.asarray(inside, dtype=np.float64)
        )
    for people in (20, 100):
        tiers = []
        for _ in range(whole(400, scale)):
            table = stars(rng, 8 * people, each=5, people=people)
            tiers.append(rater_agreement.against_mean(table, tiers=(0,)).tiers.iloc[0])
        for name in ("with_own", "without_own"):
            truth = float(np.mean([row[name] for row in tiers]))
            inside_ = [holds((row[f"{name}_low"], row[f"{name}_high"]), truth) for row in tiers]
            yield Covered(f"tier of raters, {name}", f"{people} raters, 40 images each", np.array(inside_))


def popular(rng: Random, scale: float) -> Iterator[Covered]:
    """S(i) of photos that every viewer likes with one chance; and the slope of age."""
    for form in ("smoothed", "paper"):
        for views, chance in ((100, 0.01), (1_000, 0.01), (10_000, 0.01), (10_000, 0.0005), (1_000, 0.2)):
            favs = rng.binomial(views, chance, whole(20_000, scale))
            ids = np.arange(favs.size).astype(str)
            seen = pd.DataFrame(
                {"source": "x", "source_id": ids, "seen_at": 0.0, "views": views, "favs": favs}
            )
            found = popularity.popularity(seen, form=form)
            found = found[found["flag"].eq("")]
            shift = 1.0 if form == "smoothed" else 0.0
            truth = np.log(views * chance + shift) / np.log(views + shift)
            inside = ((found["low"] <= truth) & (truth <= found["high"])).to_numpy(dtype=np.float64)
            normal = (np.abs(found["score"] - truth) <= 1.96 * found["standard_error"]).to_numpy(
                dtype=np.float64
            )
            setting = f"{views:,} views, chance {chance:g}"
            yield Covered(f"S(i), {form}, Jeffreys", setting, inside)
            yield Covered(f"S(i), {form}, 1.96 SE", setting, normal)


def predictions(rng: Random, scale: float) -> Iterator[Covered]:
    """Metrics of a model, by bootstrap over images or pairs; and by formulas."""
    truth = {"SRCC": 6 / np.pi * np.arcsin(0.4), "PLCC": 0.8, "pair accuracy": 0.5 + np.arcsin(0.8) / np.pi}
    truth["AUC"] = float(np.mean([_model(rng, MANY)[0]["AUC"].value for _ in range(whole(50, scale))]))
    for n in (30, 100, 400):
        inside: dict[str, list[float]] = {}
        for _ in range(whole(200, scale)):
            found, formulas = _model(rng, n)
            for name, one in found.items():
                inside.setdefault(f"{name}, bootstrap", []).append(holds((one.low, one.high), truth[name]))
            for name, ends in formulas.items():
                inside.setdefault(name, []).append(holds(ends, truth[name.partition(",")[0]]))
        for name, shares in inside.items():
            yield Covered(
                name, f"{n} images" + (", 5 pairs each" if "pair" in name else ""), np.array(shares)
            )


def _model(rng: Random, n: int) -> tuple[dict[str, Estimate], dict[str, Ends]]:
    """A model whose predictions correlate with the quality at .8; for many images its metrics alone."""
    quality = rng.normal(size=n)
    predicted = 0.8 * quality + 0.6 * rng.normal(size=n)
    repeats = 2 if n == MANY else 1_000
    first, second = pairs_of(rng, n, 5)
    right = [np.sign(x[first] - x[second]).astype(np.int64) for x in (quality, predicted)]
    found = {
        "SRCC": interval(metrics.srcc, quality, predicted, seed=n, repeats=repeats),
        "PLCC": interval(metrics.plcc, quality, predicted, seed=n, repeats=repeats),
        "AUC": interval(metrics.roc_auc, predicted, quality > 0.5, seed=n, repeats=repeats),
        "pair accuracy": interval(metrics.pairwise_accuracy, *right, seed=n, repeats=repeats),
    }
    shared = pair_intervals.share((right[0] == right[1]) * 1, np.ones(first.size), first, second)
    formulas = {
        "SRCC, Bonett and Wright": metrics.srcc_interval(found["SRCC"].value, n),
        "pair accuracy, pairs that share images": (shared.low, shared.high),
    }
    return found, formulas


INTERVALS: tuple[Callable[[Random, float], Iterator[Covered]], ...] = (
    opinion_scores,
    recovered_scores,
    paired_scores,
    joint_scores,
    shares_of_pairs,
    coefficients,
    laboratory,
    batches,
    single_raters,
    popular,
    predictions,
)


def whole(count: float, scale: float) -> int:
    """So many repetitions, at least 2."""
    return max(2, round(count * scale))


@click.command()
@click.option("--quick", is_flag=True, help="A fiftieth of the repetitions.")
@click.option("--seed", default=1, show_default=True)
def main(quick: bool, seed: int) -> None:
    """Print the coverage of every interval."""
    scale = 0.02 if quick else 1.0
    rng = np.random.default_rng(seed)
    click.echo("| 95 % interval | simulated | studies | holds the truth |\n|---|---|---:|---:|")
    for make in INTERVALS:
        for covered in make(rng, scale):
            n = covered.inside.size
            error = 1.96 * float(covered.inside.std(ddof=1)) / np.sqrt(n)
            share = f"{covered.inside.mean():.3f} ± {error:.3f}"
            click.echo(f"| {covered.interval} | {covered.setting} | {n:,} | {share} |")


if __name__ == "__main__":
    main()
