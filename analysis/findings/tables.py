"""The tables of `photojury analyze TABLE`: takes in `Answers`, gives out any table by its name.

A table that cannot be made yet raises an InputError that says what is missing and how to get it; `tables` leaves those
out.

    table("confusion", of_study(open_study(Path("demo-study"))))
"""

from collections.abc import Callable, Iterator

import pandas as pd

from photojury.analysis.answers import Answers
from photojury.analysis.findings import agreed, asked, compared, rated, scored
from photojury.errors import InputError, unknown_name

TABLES: dict[str, Callable[[Answers], pd.DataFrame]] = {
    "counts": asked.counts,
    "payments": asked.payments,
    "left-out": asked.left_out,
    "distributions": rated.distributions,
    "deviations": rated.deviations,
    "bins": rated.bins,
    "shapes": rated.shapes,
    "confusion": compared.confusion_table,
    "sweep": compared.sweep,
    "forced-choice": compared.agreement_table,
    "design": compared.design,
    "sides": compared.sides,
    "consistency": agreed.batches,
    "odd-raters": agreed.odd_raters,
    "variants": agreed.variants,
    "power": agreed.power,
    "tiers": agreed.tiers,
    "agreement": agreed.coefficients,
    "raters": agreed.raters,
    "workload": agreed.workload,
    "majorities": agreed.majorities,
    "changes": agreed.changes,
    "learning": agreed.learning,
    "drift": agreed.drift,
    "scores": scored.scores,
}
"""Each table by the name of its command."""

TOO_LONG = ("drift",)
"""Tables with a row for each answer, which a report does not write out."""


def table(name: str, answers: Answers) -> pd.DataFrame:
    """One table.

    Raises:
        InputError: an unknown name, or what the table needs is not there.
    """
    if name not in TABLES:
        raise unknown_name("table", name, TABLES)
    return TABLES[name](answers)


def tables(answers: Answers) -> Iterator[tuple[str, pd.DataFrame]]:
    """All tables that can be made from the answers there are, one after the other, without those of TOO_LONG."""
    for name in TABLES:
        if name in TOO_LONG:
            continue
        try:
            yield name, table(name, answers)
        except InputError:
            continue
