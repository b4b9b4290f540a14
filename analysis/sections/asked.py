"""The report's sections about what was asked, answered and paid.

Takes in a `Source`, gives out what the section shows.

    collected(Source(of_study(study), thumbnails=True))["rows"]
"""

import pandas as pd

from photojury.analysis import wording
from photojury.analysis.answers import TASKS, Answers
from photojury.analysis.findings import asked
from photojury.analysis.sections.source import Context, Source


def simulated(answers: Answers) -> str:
    """The sentence of the banner; empty where no answer is simulated."""
    flags = pd.concat([answers.ratings["simulated"], answers.comparisons["simulated"]]).astype(bool)
    count, total = int(flags.sum()), len(flags)
    if not count:
        return ""
    if count == total:
        return (
            f"All {total:,} of these answers were given by simulated raters. They say nothing about people."
        )
    return f"{wording.share(count / total)} of these answers ({count:,} of {total:,}) were given by simulated raters."


def collected(source: Source) -> Context:
    """What was asked, answered and paid."""
    answers = source.answers
    rows = []
    for row in asked.counts(answers).to_dict("records"):
        if not row["units"] and not row["answers"]:
            continue
        numbers = [wording.whole(row[name]) for name in ("units", "hits", "assignments", "used", "answers")]
        seconds = wording.decimal(row["median_seconds"], 1)
        rows.append([TASKS[row["task"]], *numbers, wording.whole(row["raters"]), seconds])
    paid = asked.payments(answers).to_dict("records")
    statuses = answers.images["status"].value_counts()
    kept, absent = int(statuses.get("kept", 0)), int(statuses.get("absent", 0))
    counted = int(answers.histograms["count"].sum())
    return {
        "rows": rows,
        "payments": [
            [
                row["kind"],
                row["state"],
                wording.whole(row["n"]),
                wording.money(row["amount"], row["currency"]),
            ]
            for row in paid
        ],
        "total": [
            wording.money(int(part["amount"].sum()), str(currency))
            for currency, part in answers.payments.groupby("currency")
        ],
        "paid_to_simulated": wording.whole(answers.payments["simulated"].astype(bool).sum()).removeprefix(
            "0"
        ),
        "left_out": [f"{count:,} {reason}" for reason, count in answers.left_out.items()],
        "images": wording.whole(kept + absent),
        "images_absent": wording.whole(absent),
        "images_left_out": wording.whole(len(answers.images) - kept - absent),
        "raters": wording.whole(answers.assignments["rater_id"].nunique()),
        "answers": wording.whole(len(answers.ratings) + len(answers.comparisons) + counted),
    }
