"""Scores from comparisons: Bradley-Terry and its kin, for two, three and five levels of answers.

Takes in comparisons, gives out a `Paired`: a score with standard error and interval for each image, the model's
own parameters, and every reason why a score should not be believed.

| model | answers | formula |
| --- | --- | --- |
| bradley-terry | first or second better (equal: dropped and counted) | logit P = d (Bradley and Terry 1952) |
| thurstone | the same | probit P = d (Thurstone 1927, case V, up to scale) |
| davidson | with ties | P(tie) / sqrt(P(win) P(loss)) = nu (Davidson 1970) |
| rao-kupper | with ties | logit with thresholds +- log kappa (Rao and Kupper 1967) |
| cumulative | five levels | logit P(level <= k) = c_k - d (Agresti 1992); the default for five levels |
| cumulative-probit | five levels | the same with the normal distribution |
| adjacent | five levels | log P(k + 1) / P(k) = d + constant; paper 1's equations 5 and 6 |

d is the first image's score less the second's. Maximum likelihood is infinite for an image that won or lost
everything (Ford 1957), so a weak normal prior stands by default: `ridge` is its precision.

    >>> import pandas as pd
    >>> rows = [("a", "b", 1.0)] * 3 + [("a", "b", -1.0)]
    >>> table = pd.DataFrame(rows, columns=["first_id", "second_id", "value"])
    >>> found = fit(table, "bradley-terry", task="forced_choice", ridge=0.0)
    >>> found.scores["score"].round(4).tolist()         # half of log(3 / 1) each way
    [0.5493, -0.5493]
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components

from photojury.analysis import votes as votes_module
from photojury.analysis.scores.links import Adjacent, Cumulative, FloatArray, IntArray, Link
from photojury.analysis.scores.newton import Comparisons, Maximum, maximise, standard_errors
from photojury.errors import InputError, require_columns, unknown_name

LEVELS: dict[str, tuple[float, ...]] = {
    "forced_choice": (-1.0, 1.0),
    "series": (-1.0, 1.0),
    "five_level": (-2.0, -1.0, 0.0, 1.0, 2.0),
}
"""The answers of each task, worst for the first image first."""

MODELS: dict[str, tuple[str, int]] = {
    "bradley-terry": ("sign", 2),
    "thurstone": ("sign", 2),
    "davidson": ("sign", 3),
    "rao-kupper": ("sign", 3),
    "cumulative": ("level", 5),
    "cumulative-probit": ("level", 5),
    "adjacent": ("level", 5),
}
"""Each model with what it reads of an answer (its sign or its level) and how many different ones."""

RIDGE = 0.04
"""Precision of the prior: standard deviation 5 on the logit scale, where a pair is all but decided."""

# One just-objectionable-difference: three of four raters prefer the better one.
_JOD = {"logit": np.log(3.0), "probit": float(stats.norm.ppf(0.75))}


@dataclass(frozen=True)
class Paired:
    """Scores of images from comparisons.

    Attributes:
        scores: image_id, score, standard_error, low, high (95 %, normal), n (answers), won, lost, tied,
            component (scores of different components are on different scales), note; sorted by image_id.
        model, ridge, seed: as asked.
        parameters: of the link (cuts, kappa, nu, ...).
        side: advantage of standing left, in units of the score; None: not fitted.
        raters: rater_id, slope (reliability: 1 is the mean), n; empty unless slopes were fitted.
        log_likelihood, converged, iterations: of the fit.
        dropped: ties that the model has no place for.
        warnings: one sentence each.
    """

    scores: pd.DataFrame
    model: str
    ridge: float
    seed: int
    parameters: dict[str, float]
    side: float | None
    raters: pd.DataFrame
    log_likelihood: float
    converged: bool
    iterations: int
    dropped: int
    warnings: tuple[str, ...]


def fit(
    comparisons: pd.DataFrame,
    model: str = "cumulative",
    *,
    task: str = "five_level",
    ridge: float = RIDGE,
    side_effect: bool = False,
    rater_slopes: bool = False,
    jod: bool = False,
    seed: int = 1,
) -> Paired:
    """Fit one model to the comparisons of one task.

    Args:
        comparisons: columns first_id, second_id, value (positive: first is better); task where there are several;
            first_shown_left for a side effect; rater_id for slopes.
        model: a key of MODELS.
        ridge: precision of the prior of each score; 0 is maximum likelihood.
        side_effect: also fit the advantage of the image that stood left.
        rater_slopes: also fit how much each rater's answers follow the scores (Chen et al. 2013 as a slope).
        jod: give scores in just-objectionable-differences: 1 apart means that 75 % prefer the better one.
        seed: of the random vectors of the standard errors above 2,000 images.

    Raises:
        InputError: a column is missing, no row is left, an unknown model or task, a value that is no level.
    """
    if model not in MODELS:
        raise unknown_name("model", model, MODELS)
    if task not in LEVELS:
        raise unknown_name("task", task, LEVELS)
    if ridge < 0:
        raise InputError(f"ridge must be 0 or more, not {ridge}")
    require_columns(
        comparisons.columns,
        (["first_shown_left"] if side_effect else []) + (["rater_id"] if rater_slopes else []),
        "comparisons",
    )
    rows = _Rows.of(comparisons, task, model, side=side_effect, by_rater=rater_slopes)
    link = _link(model, task)
    data = rows.comparisons()
    if rows.rater_codes is not None:
        found, slopes = _with_slopes(data, rows.rater_codes, link, ridge)
        raters = pd.DataFrame({"rater_id": rows.raters, "slope": slopes, "n": np.bincount(rows.rater_codes)})
    else:
        found = maximise(data, link, ridge=ridge)
        raters = pd.DataFrame({"rater_id": [], "slope": [], "n": []})
    unit = _JOD["probit" if _is_probit(link) else "logit"] if jod else 1.0
    scores, warnings = _table(rows, found, ridge, seed, unit)
    if not found.converged:
        warnings.append(
            f"the fit stopped after {found.iterations} steps with a gradient of {found.gradient:.1e}: "
            "give a ridge above 0"
            if ridge == 0
            else f"the fit did not converge in {found.iterations} steps"
        )
    return Paired(
        scores=scores,
        model=model,
        ridge=ridge,
        seed=seed,
        parameters=_named(model, link, found.parameters),
        side=found.side / unit if side_effect else None,
        raters=raters,
        log_likelihood=found.log_likelihood,
        converged=found.converged,
        iterations=found.iterations,
        dropped=rows.dropped,
        warnings=tuple(warnings),
    )


@dataclass(frozen=True)
class _Rows:
    """Answers as integer codes, oriented as they were asked; sides and raters where they are needed."""

    images: "pd.Index[str]"
    first: IntArray
    second: IntArray
    codes: IntArray
    signs: NDArray[np.int8]
    left: FloatArray | None
    raters: "pd.Index[str]"
    rater_codes: IntArray | None
    dropped: int

    @classmethod
    def of(cls, comparisons: pd.DataFrame, task: str, model: str, *, side: bool, by_rater: bool) -> "_Rows":
        levels = LEVELS[task]
        given = votes_module.choices(comparisons, task=task, levels=levels)
        reads, wanted = MODELS[model]
        if reads == "level" and len(levels) != wanted:
            raise InputError(
                f"{model} is for {wanted} levels, and {task} has {len(levels)}; use bradley-terry"
            )
        signs = np.sign(given.values).astype(np.int8)
        if wanted == 2 and not signs.any():
            raise InputError(
                f"all {signs.size} answers are ties; {model} has no place for them, davidson has"
            )
        if reads == "level":
            codes = np.searchsorted(levels, given.values)
        else:
            codes = ((signs + 1) // 2 if wanted == 2 else signs + 1).astype(np.int64)
        if side and given.frame["first_shown_left"].isna().any():
            raise InputError(
                "not every comparison says which image stood left, so no advantage of a side can be told; fit without it"
            )
        left = np.where(given.frame["first_shown_left"].to_numpy(dtype=bool), 1.0, -1.0) if side else None
        # All of them, or without the ties; a slice is no copy.
        keep = np.flatnonzero(signs) if wanted == 2 and not signs.all() else slice(None)
        raters = pd.Categorical(given.frame["rater_id"].iloc[keep]) if by_rater else None
        return cls(
            images=given.images,
            first=given.first[keep],
            second=given.second[keep],
            codes=codes[keep],
            signs=signs[keep],
            left=None if left is None else left[keep],
            raters=pd.Index([], dtype="str") if raters is None else raters.categories,
            rater_codes=None if raters is None else raters.codes.astype(np.int64),
            dropped=int((signs == 0).sum()) if wanted == 2 else 0,
        )

    def comparisons(self) -> Comparisons:
        """The rows, with equal ones counted once where raters need not be told apart."""
        if self.rater_codes is not None:
            ones = np.ones(self.first.size)
            return Comparisons(self.first, self.second, self.codes, ones, len(self.images), self.left)
        span = len(self.images)
        keys = (self.first * span + self.second) * 16 + self.codes * 2
        if self.left is not None:
            keys += self.left > 0
        _, at, counts = np.unique(keys, return_index=True, return_counts=True)
        return Comparisons(
            self.first[at],
            self.second[at],
            self.codes[at],
            counts.astype(np.float64),
            span,
            None if self.left is None else self.left[at],
        )


def _link(model: str, task: str) -> Link:
    if model in ("bradley-terry", "rao-kupper"):
        return Cumulative(MODELS[model][1])
    if model == "thurstone":
        return Cumulative(2, probit=True)
    if model == "davidson":
        # Davidson's exponents are d / 2, so that the log odds of winning against losing are d.
        return Adjacent(3, step=0.5)
    if model == "adjacent":
        return Adjacent(len(LEVELS[task]))
    return Cumulative(len(LEVELS[task]), probit=model == "cumulative-probit")


def _is_probit(link: Link) -> bool:
    return isinstance(link, Cumulative) and link.probit


def _named(model: str, link: Link, parameters: FloatArray) -> dict[str, float]:
    if model == "davidson":
        return {"nu": float(np.exp(parameters[0]))}
    if model == "rao-kupper":
        return {"kappa": float(np.exp(parameters[0]))}
    return {name: float(value) for name, value in zip(link.names, parameters, strict=True)}


def _with_slopes(data: Comparisons, raters: IntArray, link: Link, ridge: float) -> tuple[Maximum, FloatArray]:
    """Scores and raters' slopes by turns, each at its maximum given the other.

    A slope has a normal prior around 1 with standard deviation 1 / 2, which a rater of a few answers keeps; their
    mean is held at 1 (by Lagrange's multiplier, here `share`), since scores and slopes can be traded for one another.
    """
    slopes = np.ones(int(raters.max()) + 1)
    found = maximise(data, link, ridge=ridge)
    n_raters = slopes.size
    for _ in range(50):
        before = slopes.copy()
        raw = found.scores[data.first] - found.scores[data.second]
        for _ in range(5):
            shift = found.side * data.side if data.side is not None else 0.0
            parts = link.evaluate(data.codes, raw * slopes[raters] + shift, found.parameters, data.counts)
            slope_gradient = np.bincount(raters, parts.by_d * raw, n_raters) - 4.0 * (slopes - 1)
            curvature = np.bincount(raters, -parts.by_dd * raw**2, n_raters) + 4.0
            share = (slope_gradient / curvature).sum() / (1 / curvature).sum()
            step = (slope_gradient - share) / curvature
            slopes = slopes + step / max(1.0, float(np.abs(step).max()))
        found = maximise(replace(data, slopes=slopes[raters]), link, ridge=ridge, start=found.scores)
        if np.abs(slopes - before).max() < 1e-4:
            return found, slopes
    return replace(found, converged=False), slopes


def _table(
    rows: _Rows, found: Maximum, ridge: float, seed: int, unit: float
) -> tuple[pd.DataFrame, list[str]]:
    n = len(rows.images)
    error = standard_errors(found, ridge=ridge, seed=seed) / unit
    score = found.scores / unit
    won = np.bincount(rows.first[rows.signs > 0], minlength=n) + np.bincount(
        rows.second[rows.signs < 0], minlength=n
    )
    lost = np.bincount(rows.second[rows.signs > 0], minlength=n) + np.bincount(
        rows.first[rows.signs < 0], minlength=n
    )
    asked = np.bincount(rows.first, minlength=n) + np.bincount(rows.second, minlength=n)
    components, member = connected_components(found.laplacian, directed=False)
    winners = _wins(rows, n)
    note = np.full(n, "", dtype=object)
    note[(won == 0) & (lost == asked)] = "lost every comparison"
    note[(lost == 0) & (won == asked)] = "won every comparison"
    warnings = []
    if components > 1:
        warnings.append(
            f"the comparisons fall into {components} groups that no pair joins: scores of different groups "
            "cannot be compared; plan pairs between them"
        )
    extreme = int((note != "").sum())
    if extreme:
        kept = (
            f"their scores are finite only by the prior (ridge {ridge:g})"
            if ridge
            else "their scores are infinite"
        )
        warnings.append(f"{extreme} of {n} images won or lost every comparison; {kept}")
    elif ridge == 0 and winners > components:
        warnings.append(
            "some images never lost to the others: without a ridge the scores are infinite (Ford 1957)"
        )
    table = pd.DataFrame({"image_id": rows.images, "score": score, "standard_error": error})
    reach = stats.norm.ppf(0.975) * error
    return table.assign(
        low=score - reach, high=score + reach, n=asked, won=won, lost=lost, tied=asked - won - lost,
        component=member, note=note,
    ), warnings  # fmt: skip


def _wins(rows: _Rows, n: int) -> int:
    """How many groups the graph of wins falls into that do not all beat each other; a tie joins both ways."""
    winner: NDArray[np.int64] = np.where(rows.signs >= 0, rows.first, rows.second)
    loser: NDArray[np.int64] = np.where(rows.signs >= 0, rows.second, rows.first)
    tie = rows.signs == 0
    winner, loser = np.concatenate([winner, loser[tie]]), np.concatenate([loser, winner[tie]])
    graph = sparse.coo_array((np.ones(winner.size), (winner, loser)), shape=(n, n)).tocsr()
    return int(connected_components(graph, directed=True, connection="strong")[0])
