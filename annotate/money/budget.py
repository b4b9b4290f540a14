"""The caps of study.toml: what a study may spend, before a step commits it.

check_budget(study, cost_of(hits=8, raters=10, reward_cents=20, fee_percent=20.0))
"""

import logging

from photojury.datasets.money import Cost, committed, dollars, spent, to_come
from photojury.datasets.store import Study
from photojury.errors import Refused

log = logging.getLogger(__name__)


def check_budget(study: Study, more: Cost) -> None:
    """Stop before a step that commits `more`: beyond budget.soft_cents with a warning, beyond hard_cents at all.

    Raises:
        Refused: the study's budget.hard_cents does not allow it.
    """
    limits, before = study.settings.budget, committed(study)
    after = before.total + more.total
    if not more.total:
        return
    sentence = (
        f"{dollars(more.total)} more, with {dollars(spent(study).total)} spent and {dollars(to_come(study).total)} "
        f"to come, makes {dollars(after)}; "
    )
    if limits.hard_cents and after > limits.hard_cents:
        raise Refused(
            f"{sentence}budget.hard_cents in study.toml allows {dollars(limits.hard_cents)}: "
            "raise it, or ask for less"
        )
    if limits.soft_cents and after > limits.soft_cents:
        log.warning("%sthat is beyond budget.soft_cents, %s", sentence, dollars(limits.soft_cents))
