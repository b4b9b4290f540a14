"""Published datasets as an analysis reads them: takes in what a reader gave out, gives out tables for `Answers`.

PublishedTables(read("oasis", Path("OASIS-beauty"))).read("ratings")
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from photojury.analysis import sound
from photojury.datasets.readers.published import Published


@dataclass(frozen=True)
class PublishedTables:
    """The tables of a published dataset; what its answers do not say is filled in where that says nothing."""

    published: Published

    def read(self, name: str) -> pd.DataFrame:
        """A table, or an empty one."""
        table = self.published.read(name)
        if name == "images":
            unknown = {"status": "absent", "title": None, "format": None}
            return table.assign(**{column: value for column, value in unknown.items() if column not in table})
        if name not in ("ratings", "comparisons") or table.empty:
            return table
        filled: dict[str, Any] = {"simulated": False, "milliseconds": np.nan}
        if name == "ratings":
            filled |= {"attribute": "overall", "task": "stars"}
        table = table.assign(**{column: value for column, value in filled.items() if column not in table})
        return table[table["repeat"].eq(0)] if "repeat" in table else table

    def broken(self, name: str) -> dict[str, int]:
        """What the reader left out, told once: with the ratings, or else with the comparisons or the histograms."""
        given = [
            table for table in ("ratings", "comparisons", "histograms") if table in self.published.tables
        ]
        told = self.published.left_out if name == next(iter(given), "") else {}
        again = self._repeats() if name == "ratings" else {}
        return sound.together(told, again)

    def picture(self, image_id: str, format: str) -> Path | None:
        """None: labels have no pictures beside them."""
        return None

    def _repeats(self) -> dict[str, int]:
        table = self.published.read("ratings")
        count = int(table["repeat"].gt(0).sum()) if "repeat" in table else 0
        return {"answers to control questions and repeats": count} if count else {}
