"""Exclusions at Prolific: a participant group of those who are to see no more of a study's HITs.

Takes in the table exclusions and a client; makes the group's members equal to it. Every Prolific study of ours
carries the group as its participant_group_blocklist, and Prolific applies changes at once.

    >>> exclude(study, client)                                          # doctest: +SKIP
    Excluded(group='64b…', added=3, removed=1, elsewhere=2)
"""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from photojury.annotate.batches import study_id
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.wire import text_of
from photojury.datasets import tables
from photojury.datasets.prolific import pid_of
from photojury.datasets.store import Study
from photojury.errors import SettingsError

_EXCLUSIONS, _WORKERS = tables.exclusions, tables.workers

_MOST = 500  # participants sent at once


@dataclass(frozen=True)
class Excluded:
    """The group, who came in, who went out since a soft ban ended, and who is excluded but not of Prolific."""

    group: str
    added: int
    removed: int
    elsewhere: int


def group_of(study: Study, client: Client) -> str:
    """The id of the study's participant group; it is made at first need, and known by its name.

    Raises:
        SettingsError: prolific.workspace is empty.
    """
    workspace = study.settings.prolific.workspace
    if not workspace:
        raise SettingsError(
            "prolific.workspace is empty; write the workspace's id, which stands in its address at Prolific's site"
        )
    name = f"photojury {study_id(study)} excluded"
    for group in client.groups(workspace):
        if group.get("name") == name and not group.get("is_deleted"):
            return text_of(group, "id")
    made = client.create_group(workspace, name, f"sees no more HITs of {study.settings.study.name}")
    return text_of(made, "id")


def exclude(study: Study, client: Client) -> Excluded:
    """Bring the group up to date with the table exclusions; a soft ban that has ended lets its rater in again."""
    group = group_of(study, client)
    pids = [pid_of(worker) for worker in _excluded_workers(study)]
    wanted = {pid for pid in pids if pid is not None}
    members = client.members(group)
    for method, some in (("POST", sorted(wanted - members)), ("DELETE", sorted(members - wanted))):
        for start in range(0, len(some), _MOST):
            client.change_members(method, group, some[start : start + _MOST])
    return Excluded(group, len(wanted - members), len(members - wanted), len(pids) - len(wanted))


def _excluded_workers(study: Study) -> list[str]:
    """Worker ids of the raters who are excluded now."""
    now = time.time()
    query = (
        sa.select(_WORKERS.c.worker_id)
        .join(_EXCLUSIONS, _EXCLUSIONS.c.rater_id == _WORKERS.c.rater_id)
        .where(_EXCLUSIONS.c.until.is_(None) | (_EXCLUSIONS.c.until > now))
    )
    return [row["worker_id"] for row in study.rows(query)]
