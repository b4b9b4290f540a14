"""The marketplace on a database: opened, written to in turns, seen by one requester account or by the site.

Takes in an engine; gives out a `Market`, which every operation and every worker page works on.

    >>> from photojury.datasets.store import open_engine
    >>> market = open_market(open_engine("sqlite://"), images_folder=Path("images"))
    >>> market.fee_percent
    20.0
"""

import dataclasses
import secrets
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace import tables
from photojury.annotate.marketplace.clock import Clock, system_clock
from photojury.datasets.store import add_rows, writing
from photojury.errors import StoreError

OWN_ACCOUNT = "requester"
"""The account of the study itself, and of everyone in open mode."""

STARTING_BALANCE = 10_000_00
"""Cents on an account at the start, as in MTurk's sandbox (aws-samples/mturk-code-samples)."""

_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Terms:
    """What a marketplace is set to.

    Attributes:
        fee_percent: of each reward and bonus; another 20 is added from ten assignments on.
        requester: the name that workers are shown for the study's own account.
        contact: the e-mail address that workers are shown; may be empty.
        joining: "open" (anyone who has the address) or "invitation".
        consent_title: above the text that workers agree to before their first task.
        consent: its paragraphs; without any, none is asked for.
        agree: what the button under it says.
        public_url: the address behind a reverse proxy, https://host; empty: this machine only.
        webhook_hosts: hosts that notifications may be sent to.
        completion_code: what Prolific is told when someone has handed in; empty: no one comes from there.
    """

    fee_percent: float = 20.0
    requester: str = "photojury"
    contact: str = ""
    joining: str = "open"
    consent_title: str = "Before you start"
    consent: tuple[str, ...] = ()
    agree: str = "I have read this and take part"
    public_url: str = ""
    webhook_hosts: tuple[str, ...] = ()
    completion_code: str = ""


@dataclass(frozen=True)
class Market:
    """A marketplace: its database, where the study's pictures lie, its clock, its terms, and whose eyes see it."""

    engine: sa.Engine
    images_folder: Path
    clock: Clock = system_clock
    terms: Terms = Terms()
    account: str = OWN_ACCOUNT
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def fee_percent(self) -> float:
        """Of each reward and bonus."""
        return self.terms.fee_percent

    def seen_by(self, account: str) -> "Market":
        """The same marketplace as a requester account sees it: its own HITs, workers and money."""
        return dataclasses.replace(self, account=account)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A write transaction; threads of this process take turns where the database is SQLite.

        SQLite lets waiting writers sleep and try again without any order, so that an unlucky rater would wait
        for seconds while others overtake.
        """
        turn = self._turn if self.engine.dialect.name == "sqlite" else nullcontext()
        with turn, writing(self.engine) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for single queries: without a transaction around each, PostgreSQL is asked once, not thrice."""
        level = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        with self.engine.connect().execution_options(**level) as connection:
            yield connection

    def row(self, query: "sa.Select[Any]") -> sa.RowMapping | None:
        """The one row of a query, or None."""
        with self.reading() as connection:
            return connection.execute(query).mappings().one_or_none()

    def rows(self, query: "sa.Select[Any]") -> list[sa.RowMapping]:
        """The rows of a query."""
        with self.reading() as connection:
            return list(connection.execute(query).mappings())


def open_market(
    engine: sa.Engine, images_folder: Path, clock: Clock = system_clock, terms: Terms | None = None
) -> Market:
    """Make the tables where they are not there yet, with the study's own account.

    Args:
        engine: of photojury.datasets.store.open_engine.
        images_folder: the study's stored pictures.
        clock: tells seconds since 1970.
        terms: what the marketplace is set to.

    Raises:
        StoreError: the tables are of another version of photojury.
    """
    market = Market(engine, images_folder, clock, terms or Terms())
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            # Two processes that start at the same moment must not both create the tables.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7065)"))
        tables.metadata.create_all(connection)
        add_rows(connection, tables.meta, [{"key": "schema_version", "value": str(tables.SCHEMA_VERSION)}])
        version = connection.execute(sa.select(tables.meta.c.value)).scalar_one()
        if version != str(tables.SCHEMA_VERSION):
            raise StoreError(
                f"the marketplace's tables have schema version {version}, this photojury knows "
                f"{tables.SCHEMA_VERSION}; install the photojury that made them"
            )
        open_account(connection, OWN_ACCOUNT, None, clock())
    return market


def open_account(connection: sa.Connection, name: str, key_id: str | None, now: float) -> bool:
    """Make a requester account with its starting balance; False where the name is taken."""
    row = {"name": name, "key_id": key_id, "available": STARTING_BALANCE, "held": 0, "made_at": now}
    if not add_rows(connection, tables.accounts, [row]):
        return False
    deposit = {"account": name, "kind": "deposit", "available": STARTING_BALANCE, "held": 0}
    add_rows(connection, tables.transactions, [{"transaction_id": new_id(), "at": now, **deposit}])
    return True


def lock_account(connection: sa.Connection, name: str) -> None:
    """Let requests of one account take turns until the transaction ends, where they must not pass each other."""
    query = sa.select(tables.accounts.c.name).where(tables.accounts.c.name == name)
    connection.execute(query.with_for_update())


def new_id() -> str:
    """An id as MTurk's: 30 upper-case letters and digits, the first of them 3; nobody can guess it."""
    return "3" + "".join(secrets.choice(_ALPHABET) for _ in range(29))
