"""The study store: one folder, one database, read and written by every stage.

Takes in a study folder; gives out a `Study`, whose tables (photojury.datasets.tables) are read as DataFrames
and written in bulk, each write in one transaction.

    >>> study = open_study(Path("demo-study"))          # doctest: +SKIP
    >>> study.read("ratings").groupby("image_id").value.mean()      # doctest: +SKIP
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from photojury import settings as settings_module
from photojury.datasets import tables
from photojury.datasets.images import image_path
from photojury.errors import InputError, StoreError, unknown_name
from photojury.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]

# Seconds to wait for other processes that open a new database at the same moment.
_PATIENCE = 30.0

# Rows that are fetched at once.
_AT_ONCE = 20_000

# Older schemas that lack nothing but columns which may be null, or that forbid null where it is allowed now.
_GROWN_FROM = ("1", "2", "3")


@dataclass(frozen=True)
class Study:
    """An open study: where it lies, what it is set to, and its database."""

    folder: Path
    settings: Settings
    engine: sa.Engine
    read_only: bool = False

    @property
    def images_folder(self) -> Path:
        """The folder of the content-addressed image files."""
        return self.folder / "images"

    def image_path(self, image_id: str, format: str = "") -> Path:
        """The file of a stored image; without its format, one read of the images table finds it."""
        if not format:
            found = self.rows(sa.select(tables.images.c.format).where(tables.images.c.image_id == image_id))
            if not found:
                raise InputError(f"image {image_id} is not in this study")
            format = found[0]["format"]
        if not format:
            raise InputError(
                f"image {image_id} has no file in this study: its labels came without it; import them again with --images DIR"
            )
        return image_path(self.images_folder, image_id, format)

    def read(
        self, table: str, where: Row | None = None, *, columns: Sequence[str] | None = None
    ) -> "pd.DataFrame":
        """A whole table, or the rows whose columns equal `where`, ordered by the primary key.

        Args:
            columns: only these, in this order.
        """
        target = _table(table)
        chosen = [target] if columns is None else [target.c[name] for name in columns]
        return self.frame(_filtered(sa.select(*chosen), target, where).order_by(*target.primary_key))

    def frame(self, query: "sa.Select[Any]") -> "pd.DataFrame":
        """The rows of a query as a DataFrame."""
        import pandas as pd

        columns = list(query.selected_columns)
        parts: list[list[Any]] = [[] for _ in columns]
        with self.engine.connect() as connection:
            result = connection.execute(query)
            names = list(result.keys())
            # The driver's own rows, some at a time: SQLAlchemy's take twice as long, a million at once still longer.
            while result.cursor and (rows := result.cursor.fetchmany(_AT_ONCE)):
                for number, (part, column) in enumerate(zip(parts, columns, strict=True)):
                    part.append(_packed([row[number] for row in rows], column.type))
        return pd.DataFrame({name: _column(part) for name, part in zip(names, parts, strict=True)})

    def rows(self, query: "sa.Select[Any]") -> list[dict[str, Any]]:
        """The rows of a query, for code that has no need of a DataFrame."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A write transaction: everything in it is kept, or nothing is.

        Raises:
            StoreError: the study was opened for reading only.
        """
        if self.read_only:
            raise StoreError(f"the study in {self.folder} was opened for reading only; nothing was written")
        with writing(self.engine) as connection:
            yield connection

    def add(self, table: str, rows: Sequence[Row]) -> int:
        """Insert rows whose key is not there yet; rows that are there stay as they are.

        Returns:
            How many rows were new.
        """
        with self.writing() as connection:
            return add_rows(connection, _table(table), rows)

    def replace(self, table: str, frame: "pd.DataFrame", where: Row) -> None:
        """Put `frame` in the place of the rows whose columns equal `where`, in one transaction."""
        target = _table(table)
        with self.writing() as connection:
            connection.execute(_filtered(sa.delete(target), target, where))
            # pandas' missing values (NaN, NA) are null in the database.
            rows: list[Any] = frame.astype(object).where(frame.notna(), None).to_dict("records")
            add_rows(connection, target, rows)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(_table(table))).scalar_one()

    def close(self) -> None:
        """Let go of the database's connections."""
        self.engine.dispose()


def create_study(folder: Path, name: str, values: Mapping[tuple[str, str], object] | None = None) -> Study:
    """Make a study folder with a commented study.toml and an empty store.

    Args:
        folder: made where it is not there yet.
        name: what raters and readers are shown.
        values: settings other than the defaults, by (section, key).

    Raises:
        InputError: the folder holds a study already.
    """
    path = folder / settings_module.FILE_NAME
    if path.exists():
        raise InputError(f"{path} exists already; name another folder, or edit that file")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(settings_module.template(name, values or {}), encoding="utf-8")
    return open_study(folder)


def open_study(folder: Path, *, read_only: bool = False) -> Study:
    """Open the study in a folder, making its tables where they are not there yet.

    Args:
        folder: the study's folder.
        read_only: make, change and lock nothing; for people who may only look, see photojury.datasets.read_only.

    Raises:
        NotAStudyError: the folder holds no study.toml.
        SettingsError: study.toml is wrong.
        StoreError: the database cannot be opened, or is of another version of photojury; for reading only, also
            where it is not there yet or of an older version, which a writer would bring up to date.
    """
    folder = folder.resolve()
    settings = settings_module.load(folder)
    url = settings.study.store or f"sqlite:///{folder / 'study.db'}"
    if read_only:
        from photojury.datasets.read_only import check_tables, reading_engine

        engine = reading_engine(url)
        check_tables(engine)
    else:
        engine = open_engine(url)
        create_tables(engine)
    return Study(folder, settings, engine, read_only)


def open_engine(url: str) -> sa.Engine:
    """A SQLAlchemy engine for a SQLite or PostgreSQL URL, set up as the store needs it.

    SQLite gets WAL (readers never wait for a writer), foreign keys, a minute of patience with other writers, a write
    to the disk at every commit (a payment that was noted must outlive a power cut),
    and transactions that are begun by us, as `writing` needs them.

    Raises:
        StoreError: the URL is of another kind, or its driver is missing.
    """
    parsed = database_url(url)
    # A server's threads (40 in Starlette) must not wait for each other's connections.
    options = {"pool_pre_ping": True, "pool_size": 20, "max_overflow": 20}
    engine = make_engine(parsed, options if parsed.get_backend_name() == "postgresql" else {})
    if parsed.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def database_url(url: str) -> sa.URL:
    """The URL of a SQLite or PostgreSQL database, with the driver that we use.

    Raises:
        StoreError: it is of another kind, or no URL.
    """
    try:
        parsed = sa.make_url(url)
    except SQLAlchemyError:
        raise StoreError(
            "study.store is not a database URL; write postgresql://user@host/name, or leave it empty"
        ) from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(
            f"study.store names {parsed.get_backend_name()}; photojury keeps studies in SQLite or PostgreSQL"
        )
    return parsed


def make_engine(url: sa.URL, options: Mapping[str, Any]) -> sa.Engine:
    """A SQLAlchemy engine with these options of `sqlalchemy.create_engine`.

    Raises:
        StoreError: the driver is missing.
    """
    try:
        # Parameters stay out of error messages, and so out of logs: worker ids are among them.
        return sa.create_engine(url, hide_parameters=True, **options)
    except ImportError:
        raise StoreError('PostgreSQL needs its driver: pip install "photojury[postgres]"') from None


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One write transaction on any engine of `open_engine`.

    SQLite takes its write lock at once (BEGIN IMMEDIATE), so that two processes which read before they write
    wait for each other instead of failing half way.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()  # an error leaves by the `with`, which rolls back


def create_tables(engine: sa.Engine) -> None:
    """Make the study's tables, or check that those there are of this version.

    Raises:
        StoreError: the database is of another schema version, or cannot be reached.
    """
    query = sa.select(tables.meta.c.value).where(tables.meta.c.key == "schema_version")
    try:
        with _growing(engine) as connection:
            if engine.dialect.name == "postgresql":
                # Two processes that open a new study at the same moment must not both create its tables.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7064)"))
            tables.metadata.create_all(connection)
            add_rows(
                connection, tables.meta, [{"key": "schema_version", "value": str(tables.SCHEMA_VERSION)}]
            )
            version = connection.execute(query).scalar_one()
            if version in _GROWN_FROM:
                add_missing_columns(connection, tables.metadata)
                allow_nulls(connection, tables.metadata)
                connection.execute(
                    sa.update(tables.meta)
                    .where(tables.meta.c.key == "schema_version")
                    .values(value=str(tables.SCHEMA_VERSION))
                )
                version = str(tables.SCHEMA_VERSION)
    except SQLAlchemyError as error:
        raise unusable(engine, error) from error
    if version != str(tables.SCHEMA_VERSION):
        raise StoreError(
            f"the study's database has schema version {version}, this photojury knows {tables.SCHEMA_VERSION}; "
            "install the photojury that made it, or release the study there and start anew here"
        )


def unusable(engine: sa.Engine, error: SQLAlchemyError) -> StoreError:
    """The error of a database that cannot be used, with the driver's reason and without a password."""
    where = engine.url.render_as_string(hide_password=True)
    reason = str(error.__cause__ or error).splitlines()[0]
    return StoreError(f"the study's database {where} cannot be used: {reason}")


def add_missing_columns(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Give tables of an older version the columns that they lack; all of these allow null."""
    for table in metadata.sorted_tables:
        have = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in have:
                kind = column.type.compile(connection.dialect)
                connection.execute(sa.text(f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {kind}'))
        for index in table.indexes:
            index.create(connection, checkfirst=True)


def allow_nulls(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Let columns of an older version be null where this one allows it; on SQLite within `_growing`."""
    for table in metadata.sorted_tables:
        have = sa.inspect(connection).get_columns(table.name)
        strict = [
            column["name"] for column in have if not column["nullable"] and table.c[column["name"]].nullable
        ]
        if strict and connection.dialect.name == "sqlite":
            _rebuild(connection, table, [column["name"] for column in have])
        elif strict:
            changes = ", ".join(f'ALTER COLUMN "{name}" DROP NOT NULL' for name in strict)
            connection.execute(sa.text(f"ALTER TABLE {table.name} {changes}"))


def _rebuild(connection: sa.Connection, table: sa.Table, names: Sequence[str]) -> None:
    """Make a table anew with its rows, as SQLite wants it: it changes no column (sqlite.org/lang_altertable.html)."""
    made = str(sa.schema.CreateTable(table).compile(connection))
    connection.execute(
        sa.text(made.replace(f"CREATE TABLE {table.name} ", f"CREATE TABLE new_{table.name} ", 1))
    )
    columns = ", ".join(f'"{name}"' for name in names)
    connection.execute(
        sa.text(f"INSERT INTO new_{table.name} ({columns}) SELECT {columns} FROM {table.name}")
    )
    connection.execute(sa.text(f"DROP TABLE {table.name}"))
    connection.execute(sa.text(f"ALTER TABLE new_{table.name} RENAME TO {table.name}"))
    for index in table.indexes:
        index.create(connection, checkfirst=True)


@contextmanager
def _growing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A write transaction in which SQLite lets go of tables that others refer to, as `_rebuild` does for a moment."""
    with engine.connect() as connection:
        sqlite_too = engine.dialect.name == "sqlite"
        if sqlite_too:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # it is no use within the transaction
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            if sqlite_too:
                connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def add_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> int:
    """Insert the rows whose primary key is new; returns how many were.

    Raises:
        InputError: a row has a column that the table does not know.
    """
    unknown = sorted({name for row in rows for name in row} - set(table.columns.keys()))
    if unknown:
        raise unknown_name(f"column of {table.name}", unknown[0], table.columns.keys())
    if not rows:
        return 0
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    # Rows of one statement must name the same columns.
    names = sorted({name for row in rows for name in row})
    values = [{name: row.get(name, _default(table.c[name])) for name in names} for row in rows]
    # Counted by what comes back: a driver's rowcount is not dependable for many rows at once. As a list of
    # parameters, rows are put into statements of the size that the database takes, and compiled once.
    statement = insert(table).on_conflict_do_nothing().returning(*table.primary_key)
    return len(connection.execute(statement, values).all())


def _default(column: "sa.Column[Any]") -> object:
    return column.default.arg if isinstance(column.default, sa.ColumnDefault) else None


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction control is switched off: SQLAlchemy's begin event and `writing` do it.
    connection.isolation_level = None
    for setting in ("busy_timeout=60000", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {setting}")
    _write_ahead(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Put a new database into WAL mode; of several processes that try at once, all but one are refused at once."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            # SQLite does not wait here, whatever its busy_timeout says.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _table(name: str) -> sa.Table:
    try:
        return tables.metadata.tables[name]
    except KeyError:
        raise unknown_name("table", name, tables.metadata.tables) from None


def _packed(cells: list[Any], kind: "sa.types.TypeEngine[Any]") -> Any:
    """Some values of a column as an Arrow array; as they are where SQLite has let in something else."""
    import pyarrow

    if isinstance(kind, sa.Boolean):
        # SQLite's truth values are numbers.
        cells = [None if cell is None else bool(cell) for cell in cells]
    kinds = {sa.String: "large_string", sa.Boolean: "bool", sa.Integer: "int64", sa.Float: "float64"}
    try:
        return pyarrow.array(
            cells, next((arrow for own, arrow in kinds.items() if isinstance(kind, own)), None)
        )
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return cells


def _column(parts: Sequence[Any]) -> Any:
    """A column as pandas keeps it; one of nothing but nulls is one of None."""
    import pyarrow

    if not all(isinstance(part, pyarrow.Array) for part in parts):
        return [
            cell for part in parts for cell in (part.to_pylist() if isinstance(part, pyarrow.Array) else part)
        ]
    if all(part.null_count == len(part) for part in parts):
        return [None] * sum(map(len, parts))
    return pyarrow.chunked_array(parts).to_pandas()


def _filtered(query: Any, table: sa.Table, where: Row | None) -> Any:
    for name, value in (where or {}).items():
        if name not in table.columns:
            raise unknown_name(f"column of {table.name}", name, table.columns.keys())
        query = query.where(table.c[name] == value)
    return query
