"""Subsets by lot: the answers about some images, or of some batches, where all of them would take too long.

>>> import pandas as pd
>>> table = pd.DataFrame({"image_id": list("aabbccdd"), "value": range(8)})
>>> drawn(table, "image_id", most=3, seed=1)["image_id"].nunique()
3
"""

import numpy as np
import pandas as pd


def drawn(table: pd.DataFrame, column: str, *, most: int, seed: int) -> pd.DataFrame:
    """All rows of at most so many different values of a column, drawn by lot; the table itself where there are no more."""
    codes, names = pd.factorize(table[column], sort=True)
    if len(names) <= most:
        return table
    chosen = np.zeros(
        len(names) + 1, dtype=bool
    )  # the last entry is for missing values, which have the code -1
    chosen[np.random.default_rng(seed).choice(len(names), most, replace=False)] = True
    return table[chosen[codes]]
