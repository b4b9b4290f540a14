"""Gold and training questions: questions whose right answer is known, from a CSV or from what raters agree on.

Takes in a CSV, or the answers of a study; writes units with `control` "gold" or "training", of the batch
"gold". A HIT that is planned afterwards carries some of them (annotate/batches.py); none of their answers
enters an analysis. Gold questions measure raters in silence; training questions explain themselves.

    >>> [golds_due(answered, min_golds=2) for answered in (0, 10, 100, 1000)]
    [2, 3, 6, 14]
"""

import math


def golds_due(answered: int, min_golds: int) -> int:
    """How many gold questions a rater should have met in all, after so many ordinary answers.

    Many at first, then ever fewer: about 5 % at 100 answers, 1 % at 1000. From Mephisto's `worker_needs_gold`
    (mephisto/abstractions/blueprints/mixins/use_gold_unit.py): ceil(log10(n + 1) ** 2.2) - 1 beyond the first
    `min_golds`.
    """
    return min_golds + max(0, math.ceil(math.log10(answered + 1) ** 2.2) - 1)
