"""S(i) of a study: its counters read from the store, scored, summed up, and kept for pairs and triplets.

Takes in an open study; gives out the table of `popularity` with what is to be known about it, and writes rows of
`scores` when asked.

    >>> found = observe(open_study(Path("demo-study")))     # doctest: +SKIP
    >>> found.spread.warning                                # doctest: +SKIP
"""

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import sqlalchemy as sa

from photojury.analysis.popularity import (
    FLAGS,
    METHODS,
    AgeEffect,
    Spread,
    age_effect,
    popularity,
    spread,
)
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, unknown_name

OF = ("kept", "found")
"""Which pictures: those kept, or everything that the sources offered."""

SHOWN = 10
"""Rows at either end of the text."""


@dataclass(frozen=True)
class Observed:
    """S(i) of the pictures of a study.

    Attributes:
        table: of `popularity`.
        form: smoothed, paper or age.
        of: kept or found.
    """

    table: pd.DataFrame
    form: str
    of: str

    @property
    def scored(self) -> pd.DataFrame:
        """The rows that count."""
        return self.table[self.table["flag"].eq("")]

    @cached_property
    def spread(self) -> Spread:
        """How the scores are distributed; raises InputError where there is none."""
        return spread(self.scored["score"])

    @cached_property
    def age(self) -> AgeEffect | None:
        """What age explains of the scores; None in the form `age`, and where too few ages are known."""
        try:
            return None if self.form == "age" else age_effect(self.table)
        except InputError:
            return None

    @property
    def flags(self) -> dict[str, int]:
        """How many rows do not count, by reason; only reasons that occur."""
        counts = self.table["flag"].value_counts()
        return {name: int(counts[name]) for name in FLAGS if name in counts.index}


def observe(study: Study, *, form: str = "smoothed", of: str = "kept") -> Observed:
    """Score a study's pictures by their newest counters.

    Raises:
        InputError: there are no counters, or no picture of that kind; or from `popularity`.
    """
    if of not in OF:
        raise unknown_name("choice of pictures", of, OF)
    pictures = _pictures(study, of)
    observations = study.read("observations")
    if observations.empty or pictures.empty:
        missing = "counters" if observations.empty else f"pictures that are {of}"
        raise InputError(
            f"the study has no {missing}; views and favourites come with photojury collect flickr, and newer "
            "ones with photojury collect counters"
        )
    return Observed(popularity(observations, pictures, form=form), form, of)


def keep(study: Study, found: Observed) -> int:
    """Put the scores into the study's table, in the place of older ones of the same form; returns how many.

    Raises:
        InputError: they are not of the kept pictures.
    """
    if found.of != "kept":
        raise InputError("only scores of kept pictures are put into the study; leave --of found out")
    method = METHODS[found.form]
    columns = ["image_id", "score", "standard_error"]
    rows = found.scored[columns].assign(method=method, simulated=False)
    study.replace("scores", rows, {"method": method})
    return len(rows)


def facts(found: Observed) -> dict[str, object]:
    """What is to be known about the scores, as plain values for JSON; null where it cannot be told."""
    scored = not found.scored.empty
    return {
        "table": "popularity",
        "form": found.form,
        "of": found.of,
        "method": METHODS[found.form],
        "n": len(found.table),
        "flags": found.flags,
        "spread": dataclasses.asdict(found.spread) if scored else None,
        "age": dataclasses.asdict(found.age) if found.age else None,
        "warning": found.spread.warning if scored else "",
    }


def text(found: Observed) -> str:
    """The highest and the lowest scores, and below them what is to be known about all."""
    lines = []
    names = ["source", "source_id", "views", "favs", "age_days", "score", "standard_error"]
    ordered = found.scored.sort_values("score", ascending=False)[names]
    if len(ordered) <= 2 * SHOWN:
        lines.append(_printed(ordered))
    else:
        lines += ["highest:", _printed(ordered.head(SHOWN)), "lowest:", _printed(ordered.tail(SHOWN))]
    lines += [f"{count:,} left out: {FLAGS[flag]}" for flag, count in found.flags.items()]
    spread = found.spread
    lines.append(
        f"{spread.n:,} scores, mean {spread.mean:.3f}, standard deviation {spread.sd:.3f}, 5 to 95 %: "
        f"{spread.low:.3f} to {spread.high:.3f}; distance from uniform on 0 to 1: {spread.distance:.3f}"
    )
    if found.age:
        lines.append(
            f"age (median {found.age.reference_days:,.0f} days) explains {100 * found.age.explained:.1f} % of "
            f"their variance, rank correlation {found.age.rank_correlation:.2f}"
        )
    if spread.warning:
        lines.append(f"{spread.warning}.")
    return "\n".join(lines)


def _printed(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format=lambda value: f"{value:.4g}", na_rep="-")


def _pictures(study: Study, of: str) -> pd.DataFrame:
    table = tables.images if of == "kept" else tables.candidates
    names = ("image_id", "source", "source_id", "uploaded_at")
    query = sa.select(*(table.c[name] for name in names))
    if of == "kept":
        query = query.where(table.c.status == "kept")
    with study.engine.connect() as connection:
        result = connection.execute(query.order_by(table.c.source, table.c.source_id))
        rows = [tuple(row) for row in result]
    return pd.DataFrame.from_records(rows, columns=list(names))
