"""Pruning: the pictures that lost their rights are forgotten, by what was last heard of each.

Takes in a study that was refreshed; gives out what was forgotten. Lost are pictures that were deleted or made private,
that were put under a licence which allows less, or that ask not to be used: the rules by which FFHQ removes pictures
(github.com/NVlabs/ffhq-dataset, README, "Privacy").

    prune(study)
"""

import time
from collections.abc import Sequence

from photojury.collect.rights.forgetting import Forgotten, forget
from photojury.collect.rights.reporting import Change, report
from photojury.datasets.store import Study
from photojury.errors import Refused

# So few may be gone without anybody's being asked, however large their share is.
_FEW = 20


def prune(study: Study, *, source: str | None = None, confirmed: bool = False) -> Forgotten:
    """Forget every picture that lost its rights, by what was last heard of it.

    Args:
        source: only this source's pictures.
        confirmed: whether a large share may go.

    Raises:
        Refused: more than rights.max_pruned of a source's pictures would go, and that is not confirmed: a service
            that says of everything that it is gone is more likely to be ill.
    """
    found = report(study, source=source)
    lost = [change for change in found.changes if change.prune]
    if not confirmed:
        _beware(study, lost)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    wanted: dict[str, str] = {}
    for change in lost:
        reason = f"{change.note} (looked up again by {day})"
        wanted |= {f"sha256:{change.image_id}": reason, f"{change.source}:{change.source_id}": reason}
    return forget(study, wanted)


def _beware(study: Study, lost: Sequence[Change]) -> None:
    share = study.settings.rights.max_pruned
    for source in sorted({change.source for change in lost}):
        going = sum(change.source == source for change in lost)
        of = report(study, source=source).pictures
        if going > _FEW and going > share * of:
            raise Refused(
                f"{going} of the {of} pictures from {source} would be forgotten, and their files removed; that is more "
                f"than rights.max_pruned ({share:g}), and a service that is ill may say so of everything; look at a "
                "few of them, then say --yes"
            )
