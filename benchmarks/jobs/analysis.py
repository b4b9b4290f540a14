"""What benchmarks/analysis.py times, ours and the peers': one figure for each process.

    python benchmarks/jobs/analysis.py NAME DATA.npz      # a key of JOBS; prints seconds, memory, what was found

Runs under photojury's Python or under the peers'. Each job takes the data, gets ready, and gives out the work, which
is what is timed; the figures that the work gives show that two methods found the same.
"""

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Data = Mapping[str, npt.NDArray[Any]]
Figures = dict[str, float]
Work = Callable[[], Figures]

BATCH = 10
"""Images of a batch."""


def ids(codes: npt.NDArray[Any], letters: int) -> "pd.Series[str]":
    """As long as a study's, and in no order."""
    names = np.random.default_rng(letters).bytes(letters // 2 * (int(codes.max()) + 1)).hex()
    each = pd.array([names[i : i + letters] for i in range(0, len(names), letters)], dtype="str")
    return pd.Series(each.take(codes))


def ratings_of(data: Data) -> pd.DataFrame:
    table = {"image_id": ids(data["image"], 64), "rater_id": ids(data["rater"], 16)}
    return pd.DataFrame({**table, "hit_key": ids(data["hit"], 20), "value": data["value"]})


def comparisons_of(data: Data, value: str = "level") -> pd.DataFrame:
    table = {"first_id": ids(data["first"], 64), "second_id": ids(data["second"], 64)}
    table["rater_id"] = ids(data["voter"], 16)
    return pd.DataFrame({**table, "value": data[value], "first_shown_left": data["left"]})


def log_likelihood(data: Data, scores: npt.NDArray[np.float64]) -> float:
    """Bradley and Terry's, of the choices."""
    d = data["choice"] * (scores[data["first"]] - scores[data["second"]])
    return float(-np.logaddexp(0, -d).sum())


def consistency(data: Data, *, permutations: int = 9_999) -> Work:
    from photojury.analysis import consistency as ours

    table = ratings_of(data)

    def work() -> Figures:
        batches = ours.consistency(table, seed=1, permutations=permutations).batches
        return {"mean rho": float(batches["mean_rho"].mean()), "mean p": float(batches["p"].mean())}

    return work


def scipy_loop(data: Data) -> Work:
    """spearmanr of each pair of raters and friedmanchisquare, batch by batch, of (batches, raters, images) values."""
    from scipy import stats

    order = np.lexsort((data["image"], data["rater"], data["hit"]))
    values = data["value"][order].reshape(int(data["hit"].max()) + 1, -1, BATCH)

    def work() -> Figures:
        rho = [
            np.mean(
                [np.nan_to_num(stats.spearmanr(one, other).statistic) for one, other in combinations(b, 2)]
            )
            for b in values
        ]
        for batch in values:
            stats.friedmanchisquare(*batch.T)
        return {"mean rho": float(np.mean(rho))}

    return work


def scipy_from_table(data: Data) -> Work:
    """The same, starting from the table that ours starts from."""
    from scipy import stats

    table = ratings_of(data)

    def work() -> Figures:
        rho = []
        for _, rows in table.groupby("hit_key"):
            batch = rows.pivot(index="rater_id", columns="image_id", values="value").to_numpy()
            each = [stats.spearmanr(one, other).statistic for one, other in combinations(batch, 2)]
            rho.append(np.mean(np.nan_to_num(each)))
            stats.friedmanchisquare(*batch.T)
        return {"mean rho": float(np.mean(rho))}

    return work


def scipy_permutations(data: Data) -> Work:
    """scipy's permutation test of each batch's mean correlation."""
    from scipy import stats

    order = np.lexsort((data["image"], data["rater"], data["hit"]))
    values = data["value"][order].reshape(int(data["hit"].max()) + 1, -1, BATCH)
    ranks = stats.rankdata(values, axis=2) - (BATCH + 1) / 2
    length = np.linalg.norm(ranks, axis=2, keepdims=True)
    unit = ranks / np.where(length > 0, length, 1)

    def agreement(*raters: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
        total: npt.NDArray[np.float64] = np.square(sum(raters)).sum(axis=axis)
        return total

    def work() -> Figures:
        p = [
            stats.permutation_test(
                tuple(batch), agreement, permutation_type="pairings", alternative="greater",
                n_resamples=9_999, vectorized=True,
            ).pvalue
            for batch in unit
        ]  # fmt: skip
        return {"mean p": float(np.mean(p))}

    return work


def bradley_terry(data: Data) -> Work:
    """Maximum likelihood, with standard errors, as `analyze` does it."""
    return paired(data, "bradley-terry", task="forced_choice", ridge=0.0)


def bradley_terry_codes(data: Data) -> Work:
    """The fit alone, from integer codes, as choix and evalica do it."""
    from photojury.analysis.scores.links import Cumulative
    from photojury.analysis.scores.newton import Comparisons, maximise

    images = int(max(data["first"].max(), data["second"].max())) + 1
    codes, ones = (data["choice"] > 0).astype(np.int64), np.ones(data["choice"].size)

    def work() -> Figures:
        rows = Comparisons(data["first"], data["second"], codes, ones, images)
        return {"log-likelihood": maximise(rows, Cumulative(2), ridge=0.0).log_likelihood}

    return work


def paired(data: Data, model: str = "cumulative", *, task: str = "five_level", ridge: float = 0.04) -> Work:
    from photojury.analysis.scores import paired as ours

    table = comparisons_of(data, "level" if task == "five_level" else "choice")

    def work() -> Figures:
        found = ours.fit(table, model, task=task, ridge=ridge)
        return {"log-likelihood": found.log_likelihood, "iterations": float(found.iterations)}

    return work


def choix(data: Data) -> Work:
    library = importlib.import_module("choix")
    won = data["choice"] > 0
    winner = np.where(won, data["first"], data["second"]).tolist()
    loser = np.where(won, data["second"], data["first"]).tolist()
    games, images = list(zip(winner, loser, strict=True)), max(max(winner), max(loser)) + 1

    def work() -> Figures:
        return {"log-likelihood": log_likelihood(data, library.mm_pairwise(images, games))}

    return work


def evalica(data: Data) -> Work:
    library = importlib.import_module("evalica")
    images = int(max(data["first"].max(), data["second"].max())) + 1
    one, other = data["first"].tolist(), data["second"].tolist()
    winners = [library.Winner.X if choice > 0 else library.Winner.Y for choice in data["choice"]]
    index = pd.Index(range(images))

    def work() -> Figures:
        found = library.bradley_terry(one, other, winners, index=index)
        scores = np.log(found.scores.reindex(range(images)).to_numpy())
        return {"log-likelihood": log_likelihood(data, scores), "iterations": float(found.iterations)}

    return work


def recover(data: Data, method: str = "p910") -> Work:
    from photojury.analysis.scores import recovery

    table = ratings_of(data)

    def work() -> Figures:
        found = recovery.recover(table, method)
        return {"sd of scores": float(found.scores["score"].std()), "iterations": float(found.iterations)}

    return work


def sureal(data: Data) -> Work:
    """P.910, Annex E, on a dictionary of raters for each picture."""
    library = importlib.import_module("sureal")
    reader = importlib.import_module("sureal.dataset_reader").RawDatasetReader
    said: dict[int, dict[str, float]] = {}
    for image, rater, value in zip(
        *(data[name].tolist() for name in ("image", "rater", "value")), strict=True
    ):
        said.setdefault(image, {})[f"{rater:05d}"] = value
    films = [{"content_id": 0, "asset_id": image, "path": str(image), "os": said[image]} for image in said]
    dataset = SimpleNamespace(ref_videos=[{"content_id": 0, "path": "none"}], dis_videos=films)

    def work() -> Figures:
        with contextlib.redirect_stdout(io.StringIO()):
            found = library.P910AnnexEModel(reader(dataset)).run_modeling()
        scores = np.array(found["quality_scores"])
        return {"sd of scores": float(scores.std(ddof=1)), "iterations": float(found["num_iter"])}

    return work


def entropy(data: Data) -> Work:
    from photojury.analysis.distributions import image_distributions

    table = ratings_of(data)

    def work() -> Figures:
        return {"mean entropy": float(image_distributions(table)["entropy"].mean())}

    return work


def answers_of(data: Data) -> pd.DataFrame:
    """In crowd-kit's form."""
    return pd.DataFrame(
        {"task": data["image"], "worker": data["rater"], "label": data["value"].astype(np.int64)}
    )


def crowdkit_entropy(data: Data) -> Work:
    library = importlib.import_module("crowdkit.metrics.data")
    table = answers_of(data)
    return lambda: {"mean entropy": float(library.uncertainty(table))}


def alpha(data: Data) -> Work:
    from photojury.analysis import agreement

    table = ratings_of(data)
    return lambda: {"alpha": agreement.alpha_of_counts(*agreement.counts(table), "ordinal")}


def krippendorff(data: Data) -> Work:
    library = importlib.import_module("krippendorff")
    dense = np.full((int(data["rater"].max()) + 1, int(data["image"].max()) + 1), np.nan)
    dense[data["rater"], data["image"]] = data["value"]
    return lambda: {"alpha": float(library.alpha(reliability_data=dense, level_of_measurement="ordinal"))}


def dawid_skene(data: Data) -> Work:
    from photojury.analysis.scores import dawid_skene as ours

    table = ratings_of(data)

    def work() -> Figures:
        found = ours.fit(table)
        return {"log-likelihood": found.log_likelihood, "iterations": float(found.iterations)}

    return work


def dawid_skene_20(data: Data) -> Work:
    from photojury.analysis.scores import dawid_skene as ours

    table = ratings_of(data)
    return lambda: {"mean certainty": float(ours.fit(table, iterations=20).classes["probability"].mean())}


def crowdkit_dawid_skene(data: Data) -> Work:
    model = importlib.import_module("crowdkit.aggregation").DawidSkene
    table = answers_of(data)

    def work() -> Figures:
        found = model(n_iter=20, tol=-np.inf).fit(table)  # its own criterion stops it after a few
        return {"mean certainty": float(found.probas_.max(axis=1).mean())}

    return work


def of_study(data: Data, name: str) -> Work:
    """What the dashboard calls, by name."""
    from photojury.analysis import agreement, confusion, distributions, raters, shapes, votes
    from photojury.analysis.rater_agreement import against_mean
    from photojury.analysis.scores.mos import mos

    ratings = ratings_of(data)
    comparisons = comparisons_of(data) if "first" in data else pd.DataFrame()
    table = distributions.image_distributions(ratings)
    calls: dict[str, Callable[[], object]] = {
        "votes.of_ratings": lambda: votes.of_ratings(ratings),
        "votes.of_comparisons": lambda: votes.of_comparisons(comparisons),
        "image_distributions": lambda: distributions.image_distributions(ratings),
        "pair_distributions": lambda: distributions.pair_distributions(comparisons),
        "mos": lambda: mos(ratings, scale=(1, 5)),
        "bimodality": lambda: shapes.bimodality(table),
        "sos": lambda: shapes.sos(table, scale=(1, 5)),
        "alpha, with interval": lambda: agreement.alpha(ratings, seed=1),
        "split_half": lambda: agreement.split_half(ratings, seed=1),
        "icc": lambda: agreement.icc(ratings),
        "raters.panel": lambda: raters.panel(ratings),
        "against_mean": lambda: against_mean(ratings),
        "drift": lambda: raters.drift(ratings),
        "side_bias": lambda: raters.side_bias(comparisons),
        "confusion": lambda: confusion.confusion(ratings, comparisons),
        "confusion.sweep": lambda: confusion.sweep(ratings, comparisons),
    }

    def work() -> Figures:
        calls[name]()
        return {}

    return work


def of_graph(data: Data, name: str) -> Work:
    """Figures of the comparison graph."""
    from photojury.analysis import designs

    table = comparisons_of(data)
    image_ids = np.asarray(ids(np.arange(int(data["first"].max()) + 1), 64))

    def work() -> Figures:
        if name == "designs.cut_off":
            return {"cut off": float(len(designs.cut_off(table, image_ids)))}
        design = designs.describe(*designs.rows_of(table, image_ids), images=len(image_ids))
        return {"components": float(design.components), "gap": design.spectral_gap}

    return work


def joint(data: Data) -> Work:
    from photojury.analysis.scores import joint as ours

    stars, comparisons = ratings_of(data), comparisons_of(data)

    def work() -> Figures:
        found = ours.fit(stars, comparisons)
        return {"log-likelihood": found.log_likelihood, "iterations": float(found.iterations)}

    return work


DASHBOARD = (
    "votes.of_ratings", "votes.of_comparisons", "image_distributions", "pair_distributions", "mos", "bimodality", "sos",
    "alpha, with interval", "split_half", "icc", "raters.panel", "against_mean", "drift", "side_bias", "confusion",
    "confusion.sweep",
)  # fmt: skip
GRAPH = ("designs.describe", "designs.cut_off")

JOBS: dict[str, Callable[[Data], Work]] = {
    "consistency": consistency,
    "consistency, Kendall's F": partial(consistency, permutations=0),
    "consistency, 999 permutations": partial(consistency, permutations=999),
    "scipy, values given": scipy_loop,
    "scipy, from the table": scipy_from_table,
    "scipy.permutation_test": scipy_permutations,
    "bradley-terry": bradley_terry,
    "bradley-terry, with its prior": partial(paired, model="bradley-terry", task="forced_choice"),
    "bradley-terry, codes given": bradley_terry_codes,
    "bradley-terry, five levels": partial(paired, model="bradley-terry"),
    "cumulative": paired,
    "adjacent": partial(paired, model="adjacent"),
    "choix.mm_pairwise": choix,
    "evalica.bradley_terry": evalica,
    "p910": recover,
    "p910-standard": partial(recover, method="p910-standard"),
    "sureal P910AnnexEModel": sureal,
    "image_distributions, entropy": entropy,
    "crowd-kit uncertainty": crowdkit_entropy,
    "alpha, ordinal": alpha,
    "krippendorff.alpha": krippendorff,
    "dawid-skene": dawid_skene,
    "dawid-skene, 20 rounds": dawid_skene_20,
    "crowd-kit DawidSkene, 20 rounds": crowdkit_dawid_skene,
    "joint": joint,
    **{name: partial(of_study, name=name) for name in DASHBOARD},
    **{name: partial(of_graph, name=name) for name in GRAPH},
}


def memory(name: str) -> float:
    """A line of /proc/self/status, in MB: VmRSS now, VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1e3


def tidy() -> None:
    """Give back the memory that was needed to make the data, and no longer is."""
    gc.collect()
    if "pyarrow" in sys.modules:
        importlib.import_module("pyarrow").default_memory_pool().release_unused()
    ctypes.CDLL("libc.so.6").malloc_trim(0)


def measure(name: str, path: str) -> Figures:
    """One figure, in this process: seconds of the processor, peak memory in MB, and what was found."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    warnings.simplefilter("ignore")  # scipy on raters who gave one answer
    with np.load(path) as file:
        work = JOBS[name](dict(file))
    tidy()
    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back to VmRSS
    table, seconds = memory("VmRSS"), list[float]()
    while not seconds or (len(seconds) < 3 and sum(seconds) < 2 * len(seconds)):
        start = time.process_time()
        found = work()
        seconds.append(time.process_time() - start)
    return {"seconds": statistics.median(seconds), "peak": memory("VmHWM"), "table": table, **found}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(*sys.argv[1:])) + "\n")
