"""Checking a study: judge, look for duplicates, settle; or only tell what would come of it.

Takes in a study whose pictures have measures; gives out how many fail which check, and how many are kept.

    >>> check(study).failed                         # doctest: +SKIP
    {'graphic': 4, 'blur': 17}
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from photojury.collect.alike.duplicates import mark_duplicates
from photojury.collect.checks import judging
from photojury.collect.checks.hints import note_hints
from photojury.collect.checks.measuring import missing
from photojury.datasets import tables
from photojury.datasets.store import Study


@dataclass(frozen=True)
class Checked:
    """What a check of the study came to.

    Attributes:
        failed: pictures that fail, by check; one may fail several, and its status names the first.
        unmeasured: pictures without measures; they are not judged.
        kept, rejected, tombstoned: pictures of each status, after people's decisions.
        kept_before: as many were kept when the command began.
    """

    failed: dict[str, int]
    unmeasured: int
    kept: int
    rejected: int
    tombstoned: int
    kept_before: int


def check(study: Study, progress: Callable[[int], None] = lambda done: None) -> Checked:
    """Judge every picture that has measures (`measure_missing`), compare those that pass, and settle them all.

    Args:
        progress: called with the number of pictures compared so far.
    """
    with study.writing() as connection:
        before = _kept(connection)
        note_hints(connection)
        judging.judge_within(connection, study.settings.checks)
        judging.settle_within(connection)
    mark_duplicates(study, progress)
    unmeasured = len(missing(study))
    with study.writing() as connection:
        return _checked(connection, before, unmeasured)


def rehearse(study: Study) -> Checked:
    """What `check` would come to by the measures that there are; nothing is written.

    Near duplicates are those that the last check found: comparing would keep the store from others for too long.
    """
    unmeasured = len(missing(study))
    with study.writing() as connection:
        before = _kept(connection)
        undo = connection.begin_nested()
        note_hints(connection)
        judging.judge_within(connection, study.settings.checks)
        result = _checked(connection, before, unmeasured)
        undo.rollback()
    return result


def _checked(connection: sa.Connection, kept_before: int, unmeasured: int) -> Checked:
    settled = judging.settle_within(connection)
    return Checked(
        judging.failures(connection),
        unmeasured,
        settled.kept,
        settled.rejected,
        settled.tombstoned,
        kept_before,
    )


def _kept(connection: sa.Connection) -> int:
    table = tables.images
    query = sa.select(sa.func.count()).select_from(table).where(table.c.status == "kept")
    return connection.execute(query).scalar_one()
