"""Claims: how several processes, on one machine or many, share the rows of one study without doing any twice.

A process that works announces itself in `processes` and keeps moving its `alive_until`; a row whose
`claimed_by` names a living process is left alone by all others. A process that ended, or was killed, holds
nothing: at once on its own machine, where a file lock tells that it is gone, and within a minute elsewhere.

    with working(study) as process:
        rows = claim(study, process, tables.slices, where, limit=1)
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import Study

logger = logging.getLogger(__name__)

# Seconds without a sign of life after which another machine takes a process for dead, and between two signs.
LEASE = 60.0
_BEAT = 20.0


@contextmanager
def working(study: Study) -> Iterator[str]:
    """Announce this process while the block runs; yields the id that it claims rows with."""
    folder = study.folder / ".processes"
    folder.mkdir(exist_ok=True)
    _bury_the_dead(study, folder)
    process = f"{os.uname().nodename[:30]}-{os.getpid()}-{os.urandom(6).hex()}"
    path = folder / process
    ended = threading.Event()
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sign(study, process)
        beat = threading.Thread(target=_keep_signing, args=(study, process, ended), daemon=True)
        beat.start()
        try:
            yield process
        finally:
            ended.set()
            beat.join()
            _free(study, process)
            path.unlink(missing_ok=True)


def claim(
    study: Study,
    process: str,
    table: sa.Table,
    where: "sa.ColumnElement[bool]",
    limit: int,
    order: Any = None,
) -> list[dict[str, Any]]:
    """Claim up to `limit` rows that satisfy `where` and that no living process holds; gives them out whole.

    Args:
        table: one with a column claimed_by.
        order: what to order them by; the primary key if None.
    """
    keys = list(table.primary_key.columns)
    free = sa.or_(table.c.claimed_by.is_(None), table.c.claimed_by.not_in(_living()))
    chosen = (
        sa.select(table)
        .where(where, free)
        .order_by(*(keys if order is None else [order]))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with study.writing() as connection:
        rows = [dict(row) for row in connection.execute(chosen).mappings()]
        if rows:
            # Row by row through the primary key: for a list of keys SQLite reads the whole table.
            mine = sa.and_(*(key == sa.bindparam(f"of_{key.name}") for key in keys))
            of = [{f"of_{key.name}": row[key.name] for key in keys} for row in rows]
            connection.execute(sa.update(table).where(mine).values(claimed_by=process), of)
    return [{**row, "claimed_by": process} for row in rows]


def held_by_others(study: Study, process: str, table: sa.Table, where: "sa.ColumnElement[bool]") -> int:
    """How many rows that satisfy `where` another living process holds."""
    query = sa.select(sa.func.count()).where(
        where, table.c.claimed_by != process, table.c.claimed_by.in_(_living())
    )
    with study.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def _living() -> "sa.Select[Any]":
    return sa.select(tables.processes.c.process_id).where(tables.processes.c.alive_until > time.time())


def _sign(study: Study, process: str) -> None:
    table = tables.processes
    until = time.time() + LEASE
    with study.writing() as connection:
        moved = sa.update(table).where(table.c.process_id == process).values(alive_until=until)
        if connection.execute(moved).rowcount == 0:
            connection.execute(sa.insert(table).values(process_id=process, alive_until=until))


def _keep_signing(study: Study, process: str, ended: threading.Event) -> None:
    while not ended.wait(_BEAT):
        try:
            _sign(study, process)
        except sa.exc.SQLAlchemyError as error:
            # The work's own writes will say it louder; the next beat tries again.
            logger.warning("the study's database did not take a sign of life: %s", error)


def _free(study: Study, process: str) -> None:
    with study.writing() as connection:
        connection.execute(sa.delete(tables.processes).where(tables.processes.c.process_id == process))


def _bury_the_dead(study: Study, folder: Path) -> None:
    """Free the claims of processes of this machine that were killed: their file is there, and nobody locks it."""
    for path in folder.iterdir():
        with suppress(OSError), path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _free(study, path.name)
            path.unlink(missing_ok=True)
