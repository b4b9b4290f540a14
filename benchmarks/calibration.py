"""Calibration of the tests: how often each says "significant" where there is nothing, by simulation.

    python benchmarks/calibration.py            # the first tables of docs/calibration.md: some 4 minutes on one core
    python benchmarks/calibration.py --quick    # some seconds: shows that the script works, not what the tests are worth

Every p value that photojury.analysis prints is drawn many times under its own null hypothesis, on ratings as people
give them: five levels (or three), ties, biases, raters who agree where the null allows it. A test is right where p <= .05
comes 5 times in 100, conservative where less often, liberal where more often. The second table holds rules that are
not tests, and false discovery rates. The script beside it, coverage.py, does the same for the intervals.

All is from one seed. +- is 1.96 binomial standard errors of the simulation.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from photojury.analysis import distributions, rater_agreement, rater_checks, rater_course, raters, shapes
from photojury.analysis.concordance import concordance
from photojury.analysis.confusion import confusion
from photojury.analysis.consistency import Consistency, adjusted, consistency
from photojury.analysis.popularity import spread
from photojury.annotate.quality import screening

FloatArray = npt.NDArray[np.float64]
Random = np.random.Generator

ALPHAS = (0.05, 0.01, 0.001)
CUTS = {5: (-1.3, -0.5, 0.5, 1.3), 3: (-0.6, 0.6)}
"""Where a normal feeling is cut into stars: 10, 21, 38, 21 and 10 %; or 27, 46 and 27 %."""
LEVEL_SHARES = (0.1, 0.21, 0.38, 0.21, 0.1)


@dataclass(frozen=True)
class Drawn:
    """The p values of a test under its null hypothesis.

    Attributes:
        test, setting: its name, and what was simulated.
        p: one a test.
    """

    test: str
    setting: str
    p: FloatArray


@dataclass(frozen=True)
class Alarm:
    """How often a rule speaks.

    Attributes:
        rule, setting: its name, and what was simulated.
        wanted: what it should come to.
        shares: one of each simulated study.
    """

    rule: str
    setting: str
    wanted: str
    shares: FloatArray


def batch(rng: Random, count: int, *, raters: int, images: int, r: float, levels: int = 5) -> pd.DataFrame:
    """`count` HITs whose raters' feelings correlate at r, each with a bias of his own."""
    shape = (count, raters, images)
    common = rng.normal(size=(count, 1, images))
    felt = np.sqrt(r) * common + np.sqrt(1 - r) * rng.normal(size=shape) + rng.normal(0, 0.4, (*shape[:2], 1))
    hit, rater, image = (place.ravel() for place in np.indices(shape))
    values = np.digitize(felt, CUTS[levels]).ravel() + 1.0
    return pd.DataFrame(
        {
            "hit_key": np.char.add("h", hit.astype(str)),
            "rater_id": np.char.add("r", rater.astype(str)),
            "image_id": np.char.add("i", (hit * images + image).astype(str)),
            "value": values,
        }
    )


def crowd(rng: Random, images: int, *, each: int, people: int, r: float) -> pd.DataFrame:
    """Ratings on five levels of `images` by `each` of `people` raters, drawn for every image, r as in `batch`."""
    image = np.repeat(np.arange(images), each)
    rater = np.argsort(rng.random((images, people)), axis=1)[:, :each].ravel()
    felt = np.sqrt(r) * rng.normal(size=images)[image] + np.sqrt(1 - r) * rng.normal(size=image.size)
    felt += rng.normal(0, 0.4, people)[rater]
    return pd.DataFrame(
        {"image_id": image, "rater_id": rater, "value": np.digitize(felt, CUTS[5]).astype(float) + 1}
    )


def null_batches(rng: Random, scale: float) -> Iterator[Drawn]:
    """Raters of a HIT who have nothing in common."""
    for raters_, images, levels, count in ((5, 10, 5, 40_000), (3, 10, 3, 20_000), (10, 20, 5, 10_000)):
        setting = f"{raters_} raters, {images} images, {levels} levels"
        found = [
            consistency(
                batch(rng, 1_000, raters=raters_, images=images, r=0.0, levels=levels),
                seed=int(rng.integers(2**31)),
            )
            for _ in range(whole(count / 1_000, scale))
        ]
        tables = pd.concat([one.variants() for one in found])
        names = ["permutation", "kendall_f", "friedman"]
        if levels == 5 and raters_ == 5:
            names = [str(name) for name in tables if name != "hit_key"]
        for name in names:
            yield Drawn(f"batch: {name}", setting, values(tables[name]))
        if levels == 5 and raters_ == 5:
            yield from _within(found, setting, rng)


def _within(found: list[Consistency], setting: str, rng: Random) -> Iterator[Drawn]:
    own = pd.concat([one.raters["own_p"] for one in found])
    yield Drawn("batch: a rater against the others", setting, values(own))
    pairs = pd.concat([one.pairs for one in found])
    degrees = pairs["images"] - 2
    t = pairs["rho"] * np.sqrt(degrees / (1 - pairs["rho"] ** 2))
    yield Drawn("batch: one pair of raters, t", setting, np.asarray(stats.t.sf(t, degrees), dtype=np.float64))
    pooled = []
    for one in found:
        # Twenty studies of fifty HITs from each thousand.
        for keys in np.split(rng.permutation(one.batches["hit_key"]), 20):
            part = one.batches[one.batches["hit_key"].isin(keys)]
            smaller = Consistency(part, one.raters, one.pairs, one.alpha, 1, one.seed)
            summary = smaller.summary().set_index("measure")["value"]
            pooled.append(float(summary["pooled_z"]))
    yield Drawn("all batches: pooled z", "50 HITs", np.asarray(stats.norm.sf(pooled), dtype=np.float64))


def gappy_batches(rng: Random, scale: float) -> Iterator[Drawn]:
    """The same where every rater rated 8 of 10 images."""
    count = whole(2_000, scale)
    table = batch(rng, count, raters=5, images=10, r=0.0)
    rank = table.assign(lot=rng.random(len(table))).groupby(["hit_key", "rater_id"])["lot"].rank()
    found = consistency(table[rank <= 8], seed=1, permutations=499)
    yield Drawn(
        "batch: permutation", "the same, 8 of 10 images each, 499 permutations", values(found.batches["p"])
    )


def laboratory(rng: Random, scale: float) -> Iterator[Drawn]:
    """A complete table of people without anything in common."""
    f, chi2 = [], []
    for _ in range(whole(10_000, scale)):
        found = concordance(rng.choice(5, size=(20, 15), p=LEVEL_SHARES))
        f.append(found.f_p)
        chi2.append(found.chi2_p)
    yield Drawn("concordance: Kendall's F", "15 raters, 20 items, 5 levels", np.array(f))
    yield Drawn("concordance: Friedman's chi-square", "15 raters, 20 items, 5 levels", np.array(chi2))


def tables_of_pairs(rng: Random, scale: float) -> Iterator[Drawn]:
    """Two ways of asking that are alike in all (Bowker), in random order of the two images (mirror)."""
    for images, partners in ((120, 0), (1_000, 0), (100, 5)):
        bowker, mirror = [], []
        for _ in range(whole(4_000, scale)):
            if partners:
                first = np.repeat(np.arange(images), partners)
                second = (first + rng.integers(1, images, first.size)) % images
            else:
                first, second = np.arange(0, images, 2), np.arange(1, images, 2)
            turned = rng.random(first.size) < 0.5
            first, second = np.where(turned, second, first), np.where(turned, first, second)
            quality = rng.normal(size=images)
            stars, answers = (np.digitize(quality + rng.normal(0, 0.7, images), CUTS[3]) for _ in range(2))
            pairs = pd.DataFrame({"first_id": first, "second_id": second})
            found = confusion(
                pd.DataFrame({"image_id": np.arange(images), "value": stars + 1.0}),
                pairs.assign(value=(answers[first] - answers[second]).astype(float)),
                c_g=0,
                c_p=0,
            )
            bowker.append(found.bowker_p)
            mirror.append(found.mirror_p)
        setting = f"{first.size} pairs, " + (
            f"{2 * partners} of each image" if partners else "no image twice"
        )
        yield Drawn("confusion: Bowker", setting, np.array(bowker))
        yield Drawn("confusion: mirror image", setting, np.array(mirror))


def single_raters(rng: Random, scale: float) -> Iterator[Drawn]:
    """Raters who answer by chance among others who do not; sides chosen by a coin."""
    for each in (10, 50):
        found = []
        for _ in range(whole(400, scale)):
            table = crowd(rng, 20 * each, each=5, people=100, r=0.5)
            noise = table["rater_id"] < 20
            table.loc[noise, "value"] = rng.choice(5, int(noise.sum()), p=LEVEL_SHARES) + 1.0
            p = rater_agreement.against_mean(table).raters.set_index("rater_id")["p"]
            found.append(values(p.loc[p.index < 20]))
        yield Drawn("rater against the others' mean, t", f"about {each} images", np.concatenate(found))
    for each in (20, 100):
        people = whole(20_000, scale)
        answers = pd.DataFrame({"rater_id": np.repeat(np.arange(people), each), "first_shown_left": True})
        answers["value"] = rng.choice([-1.0, 1.0], len(answers))
        yield Drawn("side bias, binomial", f"{each} choices", values(raters.side_bias(answers)["p"]))


def courses(rng: Random, scale: float) -> Iterator[Drawn]:
    """Raters who do not change, do not learn, and answer in no order."""
    for each in (20, 100):
        p: dict[str, list[FloatArray]] = {}
        for _ in range(whole(40_000 / each, scale)):
            table = crowd(rng, 20 * each, each=5, people=100, r=0.5)
            table = table.assign(milliseconds=np.exp(rng.normal(8, 0.5, len(table))))
            learned = rater_course.learning(table)
            seconds = [learned.time.p] if learned.time else []
            for name, found in (
                ("rater: sudden change, CUSUM", values(rater_course.changes(table)["p"])),
                ("all raters: learning, errors", np.array([learned.error.p])),
                ("all raters: learning, seconds", np.array(seconds)),
            ):
                p.setdefault(name, []).append(found)
        for name, parts in p.items():
            yield Drawn(name, f"100 raters, about {each} ratings each", np.concatenate(parts))
        people = whole(4_000, scale)
        answers = pd.DataFrame({"rater_id": np.repeat(np.arange(people), each), "image_id": "i"})
        answers["value"] = rng.choice(5, len(answers), p=LEVEL_SHARES) + 1.0
        yield Drawn("rater: longest run", f"{each} ratings", values(rater_checks.runs(answers, seed=1)["p"]))


def screening_rules(rng: Random, scale: float) -> Iterator[Drawn]:
    """A rater exactly at the threshold of screening: the probability that the rule goes by."""
    for each in (10, 30, 100):
        found = []
        for _ in range(whole(40, scale)):
            shape = (500, each)
            quality = rng.normal(size=shape)
            own, *others = (
                np.digitize(np.sqrt(0.3) * quality + np.sqrt(0.7) * rng.normal(size=shape), CUTS[5])
                for _ in range(5)
            )
            found.append(_pearson(own, np.mean(others, axis=0)))
        r = np.concatenate(found)
        # What so many answers come to on average, which is what the threshold means.
        limit = float(np.tanh(np.arctanh(r).mean()))
        p = np.array([screening._p_of_so_little(float(one), each, limit) for one in r])
        yield Drawn("screening: consensus, Fisher's z", f"{each} questions", p)
    right = rng.binomial(10, 0.7, whole(20_000, scale))
    yield Drawn(
        "screening: gold, binomial", "10 gold questions, true share .7", stats.binom.cdf(right, 10, 0.7)
    )


def _pearson(one: npt.NDArray[np.int64], other: FloatArray) -> FloatArray:
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (one, other))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray(r[np.isfinite(r)], dtype=np.float64)


def fits(rng: Random, scale: float) -> Iterator[Drawn]:
    """Scores that are normal, or uniform, as the test says."""
    for n in (50, 500):
        p = [
            shapes.normal_fit(pd.DataFrame({"mean": rng.normal(size=n)})).p
            for _ in range(whole(10_000, scale))
        ]
        yield Drawn("normal scores, Lilliefors", f"{n} exact scores", np.array(p))
    for n, each in ((100, 5), (400, 10)):
        rounded, literal = [], []
        for seed in range(whole(1_000, scale)):
            scores = pd.DataFrame({"mean": np.rint(rng.normal(3, 0.6, n) * each) / each, "n": each})
            rounded.append(shapes.normal_fit(scores, seed=seed).p)
            literal.append(shapes.normal_fit(scores[["mean"]]).p)
        setting = f"{n} means of {each} ratings"
        yield Drawn("normal scores, rounded (default)", setting, np.array(rounded))
        yield Drawn("normal scores, Lilliefors", setting, np.array(literal))
    for n in (50, 1_000):
        p = [spread(rng.random(n)).p for _ in range(whole(5_000, scale))]
        yield Drawn("S(i) uniform, Kolmogorov-Smirnov", f"{n} scores", np.array(p))


TESTS: tuple[Callable[[Random, float], Iterator[Drawn]], ...] = (
    null_batches,
    gappy_batches,
    laboratory,
    tables_of_pairs,
    single_raters,
    courses,
    screening_rules,
    fits,
)


def false_discoveries(rng: Random, scale: float) -> Iterator[Alarm]:
    """Of the HITs (and raters) called significant, how many are not."""
    for r in (0.0, 0.4):
        shares: dict[str, list[float]] = {"bh": [], "by": []}
        for _ in range(whole(200, scale)):
            null = batch(rng, 100, raters=5, images=10, r=0.0)
            real = batch(rng, 100, raters=5, images=10, r=r)
            real["hit_key"] = "x" + real["hit_key"]
            real["image_id"] = "x" + real["image_id"]
            found = consistency(
                pd.concat([null, real]), seed=int(rng.integers(2**31)), permutations=999
            ).batches
            nothing = found["hit_key"].str.startswith("h").to_numpy() | (r == 0)
            for method in ("bh", "by"):
                said = adjusted(values(found["p"]), method) <= 0.05
                shares[method].append(float((said & nothing).sum() / max(1, said.sum())))
        setting = "200 HITs, none of which agrees" if r == 0 else f"200 HITs, half of which agree at {r:g}"
        for method, name in (("bh", "Benjamini-Hochberg"), ("by", "Benjamini-Yekutieli")):
            yield Alarm(f"false discovery rate .05, {name}", setting, "<= .05", np.array(shares[method]))


def control_charts(rng: Random, scale: float) -> Iterator[Alarm]:
    """Raters who do not drift."""
    for each in (20, 50, 200):
        points, people = [], []
        for _ in range(whole(4_000 / each, scale)):
            found = raters.drift(crowd(rng, 20 * each, each=5, people=100, r=0.5))
            points.append(float(found["out"].mean()))
            people.append(float(found.groupby("rater_id")["out"].any().mean()))
        yield Alarm(
            "drift: points beyond 3 sigma", f"about {each} ratings a rater", ".0027", np.array(points)
        )
        yield Alarm(
            "drift: raters with such a point", f"about {each} ratings a rater", "known", np.array(people)
        )


def majorities(rng: Random, scale: float) -> Iterator[Alarm]:
    """Raters who side with the majority as often as everybody does."""
    for each in (20, 100):
        shares = []
        for _ in range(whole(4_000 / each, scale)):
            pairs = 20 * each
            rater = np.argsort(rng.random((pairs, 100)), axis=1)[:, :5].ravel()
            ids = np.repeat(np.arange(pairs), 5)
            table = pd.DataFrame({"rater_id": rater, "first_id": 2 * ids, "second_id": 2 * ids + 1})
            chance = np.repeat(rng.beta(2, 2, pairs), 5)
            table["value"] = np.where(rng.random(ids.size) < chance, 1.0, -1.0)
            shares.append(float(rater_checks.majority(table)["out"].mean()))
        yield Alarm(
            "majority: raters beyond 3 sigma", f"about {each} choices a rater", ".0027", np.array(shares)
        )


def divided_images(rng: Random, scale: float) -> Iterator[Alarm]:
    """One heap of ratings, in the middle or at an end of the scale; and two."""
    heaps: dict[str, Callable[[tuple[int, int]], FloatArray]] = {
        "one heap at 3": lambda shape: np.clip(np.rint(rng.normal(3, 0.9, shape)), 1, 5),
        "one heap at 1.6": lambda shape: np.clip(np.rint(rng.normal(1.5, 0.8, shape)), 1, 5),
        "one heap at 4.5": lambda shape: np.clip(np.rint(rng.normal(4.8, 1.0, shape)), 1, 5),
        "half say 1 or 2, half 4 or 5": lambda shape: rng.choice(
            [1.0, 2, 4, 5], shape, p=[0.4, 0.1, 0.1, 0.4]
        ),
    }
    for name, draw in heaps.items():
        for n in (10, 24):
            images = whole(5_000, scale)
            table = pd.DataFrame(
                {"image_id": np.repeat(np.arange(images), n), "value": draw((images, n)).ravel()}
            )
            found = shapes.bimodality(distributions.image_distributions(table, levels=range(1, 6)))
            wanted = "1" if "half" in name else "0"
            sarle = values(found["bimodality"].fillna(0)) > shapes.BIMODAL
            yield Alarm("divided image", f"{name}, {n} ratings", wanted, values(found["divided"]))
            yield Alarm(
                "the same by Sarle's coefficient alone",
                f"{name}, {n} ratings",
                wanted,
                sarle.astype(np.float64),
            )


ALARMS: tuple[Callable[[Random, float], Iterator[Alarm]], ...] = (
    false_discoveries,
    control_charts,
    majorities,
    divided_images,
)


def whole(count: float, scale: float) -> int:
    """So many repetitions, at least 2."""
    return max(2, round(count * scale))


def values(column: "pd.Series[float]") -> FloatArray:
    """The numbers of a column, without the missing ones."""
    return np.asarray(column.dropna(), dtype=np.float64)


def rate(p: FloatArray, alpha: float) -> tuple[float, float]:
    """The share of p values at or below alpha, and 1.96 standard errors of it."""
    share = float((p <= alpha * (1 + 1e-12)).mean())
    return share, float(1.96 * np.sqrt(max(share, 1 / p.size) * (1 - min(share, 1 - 1 / p.size)) / p.size))


@click.command()
@click.option("--quick", is_flag=True, help="A fiftieth of the repetitions.")
@click.option("--seed", default=1, show_default=True)
def main(quick: bool, seed: int) -> None:
    """Print the size of every test, and how often every rule speaks."""
    scale = 0.02 if quick else 1.0
    rng = np.random.default_rng(seed)
    click.echo("| test | simulated | tests | .05 | .01 | .001 |\n|---|---|---:|---:|---:|---:|")
    for make in TESTS:
        for drawn in make(rng, scale):
            cells = (rate(drawn.p, alpha) for alpha in ALPHAS)
            text = " | ".join(f"{share:.4f} ± {error:.4f}" for share, error in cells)
            click.echo(f"| {drawn.test} | {drawn.setting} | {drawn.p.size:,} | {text} |")
    click.echo("\n| rule | simulated | wanted | rate |\n|---|---|---:|---:|")
    for look in ALARMS:
        for alarm in look(rng, scale):
            error = 1.96 * alarm.shares.std() / np.sqrt(alarm.shares.size)
            click.echo(
                f"| {alarm.rule} | {alarm.setting} | {alarm.wanted} | {alarm.shares.mean():.4f} ± {error:.4f} |"
            )


if __name__ == "__main__":
    main()
