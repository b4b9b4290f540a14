"""SQUAREM: a leap from three rounds in a row of a slow fixed-point iteration (Varadhan and Roland 2008, scheme S3).

Rounds that come nearer by the same share each time are summed up at once, as a geometric series; what comes of it is a
better place to go on from, and the iteration ends where it would have ended without.

    >>> import numpy as np
    >>> leap(np.array([8.0]), np.array([4.0]), np.array([2.0])).tolist()        # halving, which ends at 0
    [0.0]
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def leap(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Where three rounds seem to lead; at least as far as the third."""
    step = second - first
    bend = third - second - step
    reach = max(1.0, float(np.linalg.norm(step)) / max(float(np.linalg.norm(bend)), 1e-300))
    return np.asarray(first + 2 * reach * step + reach**2 * bend, dtype=np.float64)
