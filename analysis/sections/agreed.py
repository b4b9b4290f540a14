"""The report's sections about agreement: batches, raters against the mean, coefficients, and the rater panel.

Takes in a `Source`, gives out what each section shows.

    consistency(Source(of_study(study), thumbnails=True))["measures"]
"""

import numpy as np
import pandas as pd

from photojury.analysis import wording
from photojury.analysis.consistency import Consistency
from photojury.analysis.figures import rated as figures
from photojury.analysis.figures import scored as figures_scored
from photojury.analysis.findings import agreed
from photojury.analysis.sections.source import Context, Grid, Measure, Source, measure
from photojury.datasets.papers import number
from photojury.errors import InputError

COEFFICIENTS = {
    "alpha_ordinal": "Krippendorff's α, ordinal",
    "alpha_interval": "Krippendorff's α, interval",
    "alpha_nominal": "Krippendorff's α, nominal",
    "fleiss_kappa": "Fleiss' κ",
    "icc_1": "ICC(1): two ratings of one image",
    "icc_1_k": "ICC(1, k): the mean rating of an image",
    "split_half": "split halves, Spearman-Brown: the mean rating",
}
"""The coefficients that a report shows, with its words for them."""

SHOWN = 15
"""Raters of the panel that a report shows: those who agree least with the others."""


def consistency(source: Source) -> Context:
    """Agreement of the raters within each HIT."""
    found = source.consistency
    summary = {row["measure"]: row for row in found.summary().to_dict("records")}
    tested = int(found.batches["p"].notna().sum())
    if not tested:
        raise InputError(f"no HIT could be tested: {found.batches['reason'].iloc[0]}")
    paper = number("aadb.significant_batches")
    table, share = agreed.power(source.answers), found.share_significant()
    rows = {
        "significant_bh": f"significant HITs, permutation test, false discovery rate {found.alpha:g} (BH)",
        "significant_by": "the same with Benjamini-Yekutieli",
        "significant_kendall_f": "the same with Kendall's W and F, BH",
    }
    measures = [
        Measure(
            label,
            wording.share(summary[name]["value"]),
            wording.share_interval(summary[name]["low"], summary[name]["high"]),
            wording.whole(summary[name]["n"]),
            wording.share(paper.value, 2) if name == "significant_bh" else "",
            paper.source if name == "significant_bh" else "",
            paper.note if name == "significant_bh" else "",
        )
        for name, label in rows.items()
    ]
    for name, label in (
        ("mean_rho", "mean Spearman correlation of two raters"),
        ("mean_w", "mean Kendall's W"),
    ):
        row = summary[name]
        measures.append(measure(label, row["value"], (row["low"], row["high"]), row["n"], None))
    return {
        "figure": figures.batch_agreement(found),
        "caption": "Agreement of the raters of a HIT: mean Spearman correlation over pairs of raters, "
        f"{wording.plural(tested, 'HIT')}; 0 is what raters without anything in common would show.",
        "measures": measures,
        "untested": len(found.batches) - tested,
        "straight": int(found.batches["straight_liners"].sum()),
        "raters_in_batches": wording.whole(len(found.raters)),
        "permutations": wording.whole(found.permutations),
        "failed": _failed(found),
        "power": figures_scored.power(table, found=share, claimed=paper.value),
        "power_caption": f"What share of batches of {table['raters'].iloc[0]} raters and {table['images'].iloc[0]} images such a "
        "test finds, for raters who agree more or less (simulated, five levels). Paper 4's own Table 6 implies a "
        "correlation of 0.32 to 0.38.",
        "reading": _reading(found, table),
    }


def _failed(found: Consistency, most: int = 8) -> list[list[str]]:
    """The HITs with the least agreement that are not significant, each with its odd rater."""
    odd = found.odd_raters().set_index("hit_key")
    failed = found.batches[found.batches["p"].notna() & ~found.batches["significant"].astype(bool)]
    rows = []
    for batch in failed.sort_values(["mean_rho", "hit_key"]).head(most).to_dict("records"):
        person = ""
        if batch["hit_key"] in odd.index:
            row = odd.loc[batch["hit_key"]]
            person = f"{str(row['rater_id'])[:10]} ({wording.decimal(row['mean_rho'], 2)})"
            person += ", to blame" if row["to_blame"] else ""
        rho = wording.decimal(batch["mean_rho"], 2)
        rows.append(
            [batch["hit_key"][:12], str(batch["raters"]), rho, wording.probability(batch["p"]), person]
        )
    return rows


def raters(source: Source) -> Context:
    """Coefficients of agreement, raters against the mean by workload, and who agrees least."""
    answers = source.answers
    table = agreed.coefficients(answers)
    measures = [
        measure(
            COEFFICIENTS[row["coefficient"]], row["value"], (row["low"], row["high"]), int(row["n"]), None
        )
        for row in table.to_dict("records")
        if row["coefficient"] in COEFFICIENTS and np.isfinite(row["value"])
    ]
    panel = agreed.raters(answers)
    context: Context = {
        "measures": measures,
        "grids": [_workload(source), *_tiers(source), _panel(panel)],
        "reading": [*_rater_reading(table, panel), *_course(source)],
    }
    if panel["without_own"].notna().any():
        context["figure"] = figures_scored.raters(panel)
        context["caption"] = (
            "Each rater's rank correlation with the mean rating. With the own vote in the mean, as in paper 4, even noise "
            "correlates; without it, noise is at 0."
        )
    return context


def _workload(source: Source) -> Grid:
    found = agreed.workload(source.answers).set_index("measure")["value"]
    rows = [
        [f"ratings of one {item}", *(f"{found[f'{name}_{end}']:,g}" for end in ("least", "median", "most"))]
        for item, name in (("image", "ratings_an_image"), ("rater", "ratings_a_rater"))
    ]
    caption = (
        f"How {found['ratings']:,.0f} ratings are spread. {found['half']:,.0f} of {found['raters']:,.0f} raters gave half of "
        f"them (Gini {found['gini']:.2f}); the answers are worth {found['effective_levels']:.1f} levels used alike."
    )
    return Grid(caption, ["", "least", "median", "most"], rows)


def _course(source: Source) -> list[str]:
    """Who changed in the course of the study, and whether practice shows."""
    said = []
    try:
        sudden = agreed.changes(source.answers)
        found = int((sudden["p_adjusted"] < 0.05).sum())
        if found:
            said.append(
                f"{wording.plural(found, 'rater')} of {len(sudden):,} with 20 ratings or more suddenly became stricter or "
                "milder (photojury analyze changes)."
            )
        for row in agreed.learning(source.answers).to_dict("records"):
            if row["p"] < 0.01:
                way = "falls" if row["slope"] < 0 else "grows"
                said.append(
                    f"With practice the {row['of']} of a rater {way} (p {wording.probability(row['p'])})."
                )
    except InputError:
        return said
    return said


def _tiers(source: Source) -> list[Grid]:
    try:
        table = agreed.tiers(source.answers)
    except InputError:
        return []
    rows = [
        [
            f"more than {int(row['more_than'])}",
            wording.whole(row["raters"]),
            f"{wording.decimal(row['with_own'])} {wording.interval(row['with_own_low'], row['with_own_high'])}",
            wording.decimal(row["paper"], 4),
            f"{wording.decimal(row['without_own'])} {wording.interval(row['without_own_low'], row['without_own_high'])}",
            wording.decimal(row["floor"]),
        ]
        for row in table.to_dict("records")
        if row["raters"]
    ]
    caption = (
        "Raters against the mean rating, by how many batches they did (paper 4, Table 6): mean Spearman correlation over "
        "raters, 95 % interval. Noise: what a rater who answers by chance would reach with his own vote in the mean."
    )
    head = [
        "batches",
        "raters",
        "own vote in the mean",
        "paper 4, Table 6",
        "without it",
        "noise, with own vote",
    ]
    return [Grid(caption, head, rows)] if rows else []


def _panel(panel: pd.DataFrame) -> Grid:
    order = panel.sort_values(["without_own", "rater_id"]).head(SHOWN)
    rows = []
    for row in order.to_dict("records"):
        rows.append(
            [
                str(row["rater_id"])[:12],
                wording.whole(row["n"]),
                wording.decimal(row["median_seconds"], 1),
                wording.share(row["share_fast"], 0),
                wording.share(row["modal_share"], 0),
                wording.decimal(row["without_own"], 2),
                wording.decimal(row["bias"], 2),
                wording.decimal(row["inconsistency"], 2),
                str(row["verdicts"]) if isinstance(row.get("verdicts"), str) else "",
            ]
        )
    caption = (
        f"The {len(rows)} raters who agree least with the others, of {len(panel):,}: share of answers under a second and of their "
        "commonest answer, Spearman correlation with the mean of the others, bias and inconsistency in stars (ITU-T P.910). Few "
        "ratings make any figure loose; what "
        "speaks against a rater is for screening to say, by rules written down beforehand."
    )
    head = [
        "rater", "ratings", "median time (s)", "under 1 s", "one answer", "Spearman", "bias",
        "inconsistency", "verdicts",
    ]  # fmt: skip
    return Grid(caption, head, rows)


def _reading(found: Consistency, power: pd.DataFrame) -> list[str]:
    share = found.share_significant()
    mean = float(found.batches["mean_rho"].mean())
    close = power.iloc[(power["correlation"] - mean).abs().argmin()]
    return [
        (
            f"In {wording.share(share, 0)} of the batches the raters agree more than chance allows; two raters of a batch "
            f"correlate at {wording.decimal(mean, 2)} on average."
        ),
        (
            f"Raters whose tastes correlate at {close['correlation']:g} would pass in {wording.share(close['significant'], 0)} of such "
            "batches. Paper 4's 98.45 % is not to be expected of a batch test of this size; a batch that fails is not proof of bad "
            "work."
        ),
    ]


def _rater_reading(table: pd.DataFrame, panel: pd.DataFrame) -> list[str]:
    said = []
    known = {str(row["coefficient"]): float(row["value"]) for row in table.to_dict("records")}
    single, mean = known.get("icc_1", np.nan), known.get("icc_1_k", np.nan)
    if np.isfinite(single) and np.isfinite(mean):
        said.append(
            f"One rating tells little (reliability {wording.decimal(single, 2)}), the mean of an image more "
            f"({wording.decimal(mean, 2)}): no prediction can correlate with these means above about "
            f"{wording.decimal(float(np.sqrt(max(mean, 0.0))), 2)}."
        )
    low = panel[(panel["n"] >= 20) & (panel["without_own"] < 0.1)]
    if len(low):
        said.append(
            f"{wording.plural(len(low), 'rater')} of 20 ratings or more hardly follow the others (correlation under 0.1)."
        )
    return said
