"""Recording: what became of candidates is written in batches, so that a file does not cost a transaction.

Takes in outcomes one by one; gives out rows of `candidates`, `images` and `checks`, and counts.

    with Recorder(study) as recorder:
        recorder.settle(row, Outcome("gone", "http_404", "the server says 404"))
"""

import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from photojury.collect import intake
from photojury.collect.download import placeholders
from photojury.collect.download.troubles import NotNow
from photojury.collect.intake import Outcome
from photojury.datasets.store import Study

Row = dict[str, Any]

# Outcomes that wait, and for how many seconds, until they are written: what a crash would have asked for again.
_BATCH = 256
_LATEST = 1.0
# Between two tries of a file, in seconds.
_LONGEST_PAUSE = 86_400.0


class Recorder:
    """Collects outcomes and writes them. `outcomes` counts those for good, by state and rule."""

    def __init__(self, study: Study, progress: Callable[[int], None] = lambda done: None) -> None:
        self._study = study
        self._section = study.settings.download
        self._progress = progress
        self._kept: list[tuple[Row, Outcome]] = []
        self._since = time.monotonic()
        self._done = 0
        self.outcomes: dict[str, dict[str, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write()

    def settle(self, row: Row, outcome: Outcome) -> None:
        """Note what became of a candidate for good."""
        tries = (row["tries"] or 0) + 1
        self._keep({**row, "tries": tries, "retry_at": None}, outcome)

    def fail(self, row: Row, trouble: NotNow, not_before: float) -> None:
        """Note that a candidate failed: to be tried again later, or given up after download.tries.

        A host that is busy is no failed try.
        """
        if trouble.rule == "stopped":
            return
        tries = (row["tries"] or 0) + (not trouble.busy)
        if tries >= self._section.tries:
            outcome = Outcome("failed", trouble.rule, f"{trouble}; given up after {tries} tries")
            self._keep({**row, "tries": tries, "retry_at": None}, outcome)
            return
        pause = min(_LONGEST_PAUSE, self._section.retry_seconds * 2.0 ** max(0, tries - 1))
        moment = time.time() + max(pause * random.uniform(0.5, 1), min(trouble.after or 0.0, _LONGEST_PAUSE))
        outcome = Outcome("failed", trouble.rule, str(trouble))
        self._keep({**row, "tries": tries, "retry_at": max(moment, not_before)}, outcome)

    def put_off(self, row: Row, origin: str, until: float) -> None:
        """Note that a candidate was not asked for, since its host rests."""
        reason = f"{origin} is left alone for a while, since it failed or asked for it"
        self._keep({**row, "retry_at": until}, Outcome("failed", "host_rests", reason))

    def write_if_due(self) -> None:
        """Write, if enough waits or it has waited long enough."""
        if len(self._kept) >= _BATCH or (self._kept and time.monotonic() - self._since > _LATEST):
            self.write()

    def write(self) -> None:
        """Write all that waits, in one transaction."""
        kept, self._kept = self._kept, []
        self._since = time.monotonic()
        if not kept:
            return
        with self._study.writing() as connection:
            states = intake.record(connection, kept)
            again = [
                outcome.look.facts.image_id
                for (_, outcome), state in zip(kept, states, strict=True)
                if state == "duplicate" and outcome.look is not None
            ]
            placeholders.unmask(connection, again, self._section.same_file_at_most)
        for (_, outcome), state in zip(kept, states, strict=True):
            if state != "failed":
                rule = (outcome.rule or "") if state == outcome.state else _RULES.get(state, "")
                counts = self.outcomes.setdefault(state, {})
                counts[rule] = counts.get(rule, 0) + 1
        self._done += len(kept)
        self._progress(self._done)

    def _keep(self, row: Row, outcome: Outcome) -> None:
        self._kept.append((row, outcome))


# What `record` finds out, and an outcome does not know.
_RULES = {"duplicate": "exact_duplicate", "barred": "tombstone"}
