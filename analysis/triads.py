"""Circular triads: does the crowd say that A beats B, B beats C, and C beats A?

Takes in comparisons; gives out how many triples of images, each of whose three pairs was decided, go round in a circle.
Kendall and Babington Smith (1940, Biometrika 31, 324) counted them for one judge and all pairs. Here the votes of all
raters decide each pair (the sign of their sum; ties decide nothing), and only triples that were asked whole are looked at,
which few designs have many of. Answers by lot go round in a quarter of the triples.

With A the matrix of wins (1 where row beats column): trace(A^3) / 3 triples go round, and trace(U^3) / 6 are decided,
U = A + A'. Both are sums over the nonzero entries of a sparse product.

    >>> import pandas as pd
    >>> votes = pd.DataFrame({"first_id": ["a", "b", "c"], "second_id": ["b", "c", "a"], "value": [1, 1, 1]})
    >>> triads(votes, task="forced_choice")
    Triads(decided=1, circular=1, pairs=3, tied=0)
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from photojury.analysis import votes as votes_module
from photojury.analysis.sound import LEVELS
from photojury.errors import unknown_name

BY_LOT = 0.25
"""Share of triples that go round where every pair is decided by lot."""


@dataclass(frozen=True)
class Triads:
    """Triples of images whose three pairs were decided.

    Attributes:
        decided: how many there are.
        circular: how many of them go round.
        pairs: decided pairs.
        tied: pairs whose votes sum to 0.
    """

    decided: int
    circular: int
    pairs: int
    tied: int

    @property
    def share(self) -> float:
        """Share that goes round; NaN where no triple was asked whole."""
        return self.circular / self.decided if self.decided else float("nan")


def triads(comparisons: pd.DataFrame, *, task: str = "five_level") -> Triads:
    """Count circular triads.

    Args:
        comparisons: columns first_id, second_id, value (task where there are several).
        task: five_level, forced_choice or series.

    Raises:
        InputError: an unknown task, or as `votes.of_comparisons`.
    """
    if task not in LEVELS:
        raise unknown_name("task", task, LEVELS)
    found = votes_module.of_comparisons(comparisons, task=task, levels=LEVELS[task])
    sums = np.bincount(found.codes, found.values, len(found.items))
    items = found.items[sums != 0]
    codes, ids = pd.factorize(pd.concat([items["first_id"], items["second_id"]]))
    first, second = np.split(codes.astype(np.int64), 2)
    won = sums[sums != 0] > 0
    ends = (np.where(won, first, second), np.where(won, second, first))
    wins = sparse.csr_array((np.ones(len(items)), ends), shape=(len(ids), len(ids)))
    return Triads(
        decided=round(_closed(wins + wins.T) / 6),
        circular=round(_closed(wins) / 3),
        pairs=len(items),
        tied=int((sums == 0).sum()),
    )


def _closed(matrix: sparse.csr_array) -> float:
    """The trace of the matrix to the third power."""
    return float((matrix @ matrix).multiply(matrix.T).sum())
