"""Exclusions: raters who are offered no more HITs of a study, for some days or for good.

Takes in rater ids; writes rows of `exclusions`, and hands a qualification of the study's own to those workers at
the marketplace. HIT types then require that a worker does not have it, for discovering, previewing and
accepting. No worker is told, and no account is blocked: a block can cost a worker the whole account.

The table says what should be; `enforce` makes the marketplace agree with it, so a run that was killed is simply
run again.

    >>> exclude(study, ["5f0c…"], reason="fails gold questions", days=7)     # doctest: +SKIP
    1
    >>> enforce(study, connect(study.settings))                             # doctest: +SKIP
    Enforced(excluded=1, released=0, guarded=24, unguarded=0)
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.analysis.progress import excluded
from photojury.annotate.batches import study_id
from photojury.annotate.requester import Requester, service_errors
from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_mturk.type_defs import HITTypeDef, QualificationRequirementTypeDef
else:
    HITTypeDef = QualificationRequirementTypeDef = dict

log = logging.getLogger(__name__)

_EXCLUSIONS, _HITS, _WORKERS = tables.exclusions, tables.hits, tables.workers


@dataclass(frozen=True)
class Enforced:
    """What the marketplace did.

    Attributes:
        excluded: workers to whom the study was closed now.
        released: workers to whom it was opened again.
        guarded: HITs that now ask for this, and did not before.
        unguarded: open HITs that the marketplace would not change; the excluded may still find them.
    """

    excluded: int = 0
    released: int = 0
    guarded: int = 0
    unguarded: int = 0


def exclude(study: Study, raters: Sequence[str], *, reason: str, days: float | None = None) -> int:
    """Write down exclusions; `enforce` carries them out. A rater who is excluded already gets the new term.

    Args:
        study: the open study.
        raters: rater ids.
        reason: for the study's own books; no rater sees it.
        days: how long; None is for good.

    Returns:
        How many raters.

    Raises:
        InputError: a rater is unknown, or the term is no time.
    """
    if days is not None and days <= 0:
        raise InputError(f"an exclusion of {days:g} days is none; write a positive number, or none for good")
    _check_known(study, raters)
    now = time.time()
    until = None if days is None else now + days * 86_400
    rows = [{"rater_id": rater, "until": until, "reason": reason, "made_at": now} for rater in raters]
    with study.writing() as connection:
        connection.execute(sa.delete(_EXCLUSIONS).where(_EXCLUSIONS.c.rater_id.in_(raters)))
        add_rows(connection, _EXCLUSIONS, rows)
    return len(rows)


def include(study: Study, raters: Sequence[str]) -> int:
    """End exclusions now; `enforce` carries it out.

    Raises:
        InputError: a rater is not excluded.
    """
    now = time.time()
    active = set(excluded(study))
    strangers = [rater for rater in raters if rater not in active]
    if strangers:
        raise InputError(f"rater {strangers[0]} is not excluded; look at: photojury annotate exclusions")
    with study.writing() as connection:
        ended = sa.update(_EXCLUSIONS).where(_EXCLUSIONS.c.rater_id.in_(raters))
        connection.execute(ended.values(until=now))
    return len(raters)


def failed(study: Study) -> list[str]:
    """Raters with at least one verdict of the last review who are not excluded yet."""
    rows = study.rows(sa.select(tables.verdicts.c.rater_id).distinct())
    return sorted({row["rater_id"] for row in rows} - set(excluded(study)))


def listed(study: Study) -> list[dict[str, Any]]:
    """All exclusions, those that have ended too: rater_id, until, reason, made_at, active."""
    active = set(excluded(study))
    rows = study.rows(sa.select(_EXCLUSIONS).order_by(_EXCLUSIONS.c.made_at))
    return [{**row, "active": row["rater_id"] in active} for row in rows]


def enforce(study: Study, requester: Requester) -> Enforced:
    """Make the marketplace's list that of the study: soft bans that have ended are lifted.

    HITs that were published before the study's first exclusion move to HIT types with its requirement.

    Raises:
        ServiceError: the marketplace refused or does not answer; run again, it goes on.
    """
    if not study.count("exclusions"):
        return Enforced()
    needed = requirements(study, requester)
    with service_errors(requester.endpoint):
        closed, opened = _agree(study, requester, needed[0]["QualificationTypeId"])
        guarded, unguarded = _guard(study, requester, needed[0])
    return Enforced(closed, opened, guarded, unguarded)


def _agree(study: Study, requester: Requester, qualification: str) -> tuple[int, int]:
    """Give the qualification to the excluded, take it from everyone else; how many of each."""
    query = sa.select(_WORKERS.c.rater_id, _WORKERS.c.worker_id).where(
        _WORKERS.c.marketplace == requester.name
    )
    worker_of = {row["rater_id"]: row["worker_id"] for row in study.rows(query)}
    wanted = {worker_of[rater] for rater in excluded(study) if rater in worker_of}
    there = _holders(requester, qualification)
    for worker in sorted(wanted - there):
        requester.client.associate_qualification_with_worker(
            QualificationTypeId=qualification, WorkerId=worker, SendNotification=False
        )
    for worker in sorted(there - wanted):
        requester.client.disassociate_qualification_from_worker(
            QualificationTypeId=qualification, WorkerId=worker
        )
    return len(wanted - there), len(there - wanted)


def _guard(study: Study, requester: Requester, needed: QualificationRequirementTypeDef) -> tuple[int, int]:
    """Move open HITs without the requirement to types that have it; how many, and how many could not be moved."""
    query = sa.select(_HITS.c.hit_id).where(_HITS.c.state.in_(("published", "paused")))
    ours = {row["hit_id"] for row in study.rows(query.where(_HITS.c.marketplace == requester.name))}
    pages = requester.client.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 100})
    bare = [
        hit
        for page in pages
        for hit in page["HITs"]
        if hit["HITId"] in ours
        and hit.get("NumberOfAssignmentsAvailable")
        and all(
            one["QualificationTypeId"] != needed["QualificationTypeId"]
            for one in hit.get("QualificationRequirements", [])
        )
    ]
    moved = sum(_move(requester, hit, needed) for hit in bare)
    return moved, len(bare) - moved


def _move(requester: Requester, hit: HITTypeDef, needed: QualificationRequirementTypeDef) -> bool:
    """Give a HIT a type that has the requirement and is otherwise the same; False where that is refused."""
    # The same terms give the same type, so this may be asked for each HIT.
    made = requester.client.create_hit_type(
        AutoApprovalDelayInSeconds=hit["AutoApprovalDelayInSeconds"],
        AssignmentDurationInSeconds=hit["AssignmentDurationInSeconds"],
        Reward=hit["Reward"],
        Title=hit["Title"],
        Keywords=hit.get("Keywords", ""),
        Description=hit["Description"],
        QualificationRequirements=[*hit.get("QualificationRequirements", []), needed],
    )
    try:
        requester.client.update_hit_type_of_hit(HITId=hit["HITId"], HITTypeId=made["HITTypeId"])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "RequestError":
            raise
        log.warning("HIT %s stays open to the excluded: %s", hit["HITId"], error.response.get("Message"))
        return False
    return True


def end_bans(study: Study, requester: Requester) -> int:
    """Lift the exclusions whose time is over; the marketplace is asked only where there are any."""
    query = sa.select(sa.func.count()).where(_EXCLUSIONS.c.until <= time.time())
    with study.engine.connect() as connection:
        ended = connection.execute(query).scalar_one()
    if not ended:
        return 0
    with service_errors(requester.endpoint):
        return _agree(study, requester, _qualification(study, requester))[1]


def requirements(study: Study, requester: Requester) -> list[QualificationRequirementTypeDef]:
    """The QualificationRequirements of the study's HIT types: none before its first exclusion.

    `DoesNotExist` and not `LessThan 1`: of the latter, workers without the qualification see a request for it
    (Dallinger's issue 578).

    Raises:
        ServiceError: the marketplace refused or does not answer.
    """
    if not study.count("exclusions"):
        return []
    with service_errors(requester.endpoint):
        return [
            {
                "QualificationTypeId": _qualification(study, requester),
                "Comparator": "DoesNotExist",
                "ActionsGuarded": "DiscoverPreviewAndAccept",
            }
        ]


def _qualification(study: Study, requester: Requester) -> str:
    """The id of the study's qualification, made on first need: names are unique in an account."""
    name = f"photojury excluded {study_id(study)}"
    pages = requester.client.get_paginator("list_qualification_types").paginate(
        Query=name, MustBeRequestable=False, MustBeOwnedByCaller=True, PaginationConfig={"PageSize": 100}
    )
    for page in pages:
        for found in page["QualificationTypes"]:
            if found["Name"] == name:
                return found["QualificationTypeId"]
    made = requester.client.create_qualification_type(
        Name=name,
        Description="Workers who are offered no more tasks of one study of this requester, often because they "
        "have done enough of them.",
        QualificationTypeStatus="Active",
    )
    return made["QualificationType"]["QualificationTypeId"]


def _holders(requester: Requester, qualification: str) -> set[str]:
    """Worker ids that have the qualification."""
    pages = requester.client.get_paginator("list_workers_with_qualification_type").paginate(
        QualificationTypeId=qualification, Status="Granted", PaginationConfig={"PageSize": 100}
    )
    return {one["WorkerId"] for page in pages for one in page["Qualifications"]}


def _check_known(study: Study, raters: Sequence[str]) -> None:
    known = {row["rater_id"] for row in study.rows(sa.select(_WORKERS.c.rater_id))}
    strangers = [rater for rater in raters if rater not in known]
    if strangers:
        raise InputError(f"rater {strangers[0]} is not in this study; first: photojury annotate fetch")
