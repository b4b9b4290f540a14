"""The study store for people who may only look: nothing is made, changed or locked.

Takes in a database URL; gives out an engine through which every write fails. SQLite opens the file with mode=ro. That
is not enough where nobody else has it open: to read a database in WAL mode, SQLite makes the files study.db-wal and
study.db-shm, which a reader without write access cannot, and any other reader would leave behind. So a database
without a -wal file, which no writer has open, is read as a file that does not change (immutable=1). Every connection
decides anew, and a reader who finds that `stamp` has changed while he read must read again.

    >>> study = open_study(Path("demo-study"), read_only=True)          # doctest: +SKIP
    >>> stamp(study.engine)                                             # doctest: +SKIP
    ('1764383520000000000', '40960', '', '')
"""

import sqlite3
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from photojury.datasets import tables
from photojury.datasets.store import database_url, make_engine, unusable
from photojury.errors import StoreError

_PATIENCE_MS = 10_000


def reading_engine(url: str) -> sa.Engine:
    """An engine that reads, and cannot write.

    Raises:
        StoreError: the URL is of another kind than SQLite or PostgreSQL, a driver or the SQLite file is missing.
    """
    parsed = database_url(url)
    if parsed.get_backend_name() == "postgresql":
        given = " ".join(
            [str(parsed.query.get("options", "")), "-c default_transaction_read_only=on"]
        ).strip()
        return make_engine(
            parsed.update_query_dict({"options": given}), {"pool_pre_ping": True, "pool_size": 5}
        )
    path = Path(parsed.database or "")
    if not path.is_file():
        raise StoreError(
            f"there is no database {path}; the study has not begun, or it was copied without its study.db"
        )
    # Without a pool every query has a connection of its own, and so decides anew.
    return make_engine(parsed, {"creator": lambda: _connect(path), "poolclass": sa.NullPool})


def check_tables(engine: sa.Engine) -> None:
    """Check that the database holds a study of this version.

    Raises:
        StoreError: it does not, or cannot be read.
    """
    query = sa.select(tables.meta.c.value).where(tables.meta.c.key == "schema_version")
    try:
        with engine.connect() as connection:
            version = connection.execute(query).scalar()
            there = sa.inspect(connection).get_table_names()
    except SQLAlchemyError as error:
        raise unusable(engine, error) from error
    older = version is None or (version.isdecimal() and int(version) < tables.SCHEMA_VERSION)
    if older or (version == str(tables.SCHEMA_VERSION) and not tables.metadata.tables.keys() <= {*there}):
        raise StoreError(
            f"the study's database is of an older photojury (schema version {version or 'none'}), and whoever only "
            "reads cannot bring it up to date; its owner can, with any command that opens the study, such as: "
            "photojury annotate status"
        )
    if version != str(tables.SCHEMA_VERSION):
        raise StoreError(
            f"the study's database has schema version {version}, this photojury knows {tables.SCHEMA_VERSION}; "
            "install a newer photojury"
        )


def stamp(engine: sa.Engine) -> tuple[str, ...]:
    """What changes whenever the database does, cheap enough to be asked every second.

    Of SQLite: time and size of the database and of its write-ahead log. Of PostgreSQL: how many rows the tables have
    had written, as its statistics say, which lag by a second.
    """
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        return tuple(part for file in (path, _log_of(path)) for part in _facts(file))
    query = sa.text(
        "SELECT coalesce(sum(n_tup_ins), 0), coalesce(sum(n_tup_upd), 0), coalesce(sum(n_tup_del), 0) "
        "FROM pg_stat_user_tables WHERE schemaname = current_schema()"
    )
    with engine.connect() as connection:
        return tuple(str(value) for value in connection.execute(query).one())


def _connect(path: Path) -> sqlite3.Connection:
    mode = "mode=ro" if _log_of(path).exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
    return connection


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _facts(file: Path) -> tuple[str, str]:
    try:
        found = file.stat()
    except OSError:
        return "", ""
    return str(found.st_mtime_ns), str(found.st_size)
