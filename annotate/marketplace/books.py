"""The marketplace's own tables, kept in the study's database beside (never inside) the study's tables.

Takes in an engine; gives out a `Market`, which every operation and every worker page works on. The names
start with market_, times are seconds since 1970 (UTC), money is whole US cents.

    >>> from photojury.datasets.store import open_engine
    >>> market = open_market(open_engine("sqlite://"), images_folder=Path("images"))
    >>> market.fee_percent
    20.0
"""

import secrets
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

from photojury.annotate.marketplace.clock import Clock, system_clock
from photojury.datasets.store import add_rows, writing

metadata = MetaData()

ACCOUNT = "requester"
"""The one requester account of a marketplace."""

STARTING_BALANCE = 10_000_00
"""Cents on the account at the start, as in MTurk's sandbox (aws-samples/mturk-code-samples)."""

_ALPHABET = string.ascii_uppercase + string.digits

account = Table(
    "market_account",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("available", sa.BigInteger, nullable=False, comment="cents that can be spent"),
    Column("held", sa.BigInteger, nullable=False, comment="cents set aside for HITs that are out"),
)

transactions = Table(
    "market_transactions",
    metadata,
    Column("transaction_id", String(30), primary_key=True),
    Column("at", Float, nullable=False),
    Column(
        "kind", String(16), nullable=False, comment="deposit, hold, release, reward, fee, bonus, bonus_fee"
    ),
    Column("available", sa.BigInteger, nullable=False, comment="what it added to the available balance"),
    Column("held", sa.BigInteger, nullable=False, comment="what it added to the balance on hold"),
    Column("hit_id", String(64)),
    Column("assignment_id", String(64)),
    Column("worker_id", String(64)),
)

hit_types = Table(
    "market_hit_types",
    metadata,
    Column("hit_type_id", String(64), primary_key=True),
    Column("hit_group_id", String(64), nullable=False, unique=True),
    Column("digest", String(64), nullable=False, unique=True, comment="sha256 of all that follows"),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("keywords", Text, nullable=False),
    Column("reward", Integer, nullable=False),
    Column("assignment_duration", Integer, nullable=False, comment="seconds"),
    Column("auto_approval_delay", Integer, nullable=False, comment="seconds"),
    Column("created_at", Float, nullable=False),
)

hits = Table(
    "market_hits",
    metadata,
    Column("hit_id", String(64), primary_key=True),
    Column("hit_type_id", String(64), ForeignKey("market_hit_types.hit_type_id"), nullable=False),
    Column("question", Text, nullable=False, comment="the XML, as it came"),
    Column("annotation", Text),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("max_assignments", Integer, nullable=False),
    Column("fee", Integer, nullable=False, comment="cents for each assignment, beside the reward"),
    Column("held_assignments", Integer, nullable=False, comment="for how many of them money is held"),
    Column("status", String(16), nullable=False, comment="Assignable ... Disposed: see states.refresh"),
    Column("pending", Integer, nullable=False, comment="accepted, not yet handed in"),
    Column("submitted", Integer, nullable=False, comment="handed in, not yet reviewed"),
    Column("completed", Integer, nullable=False, comment="approved or rejected"),
    Column("available", Integer, nullable=False, comment="still to be accepted"),
    Column("reviewable_at", Float, comment="when it became Reviewable, else null"),
    Column("due_at", Float, comment="when the clock next changes something; null: never"),
    Index("market_hits_due", "due_at"),
    Index("market_hits_listed", "created_at", "hit_id"),
    Index("market_hits_of_type", "hit_type_id", "status"),
)

workers = Table(
    "market_workers",
    metadata,
    Column("worker_id", String(64), primary_key=True),
    Column("session", String(64), nullable=False, unique=True, comment="sha256 of the cookie's value"),
    Column("joined_at", Float, nullable=False),
)

assignments = Table(
    "market_assignments",
    metadata,
    Column("assignment_id", String(64), primary_key=True, comment="unguessable: it is the key to hand in"),
    Column("hit_id", String(64), ForeignKey("market_hits.hit_id"), nullable=False),
    Column("worker_id", String(64), ForeignKey("market_workers.worker_id"), nullable=False),
    Column(
        "status",
        String(16),
        nullable=False,
        comment="Accepted, Submitted, Approved, Rejected, Returned, Abandoned",
    ),
    Column("accepted_at", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("submitted_at", Float),
    Column("auto_approval_at", Float),
    Column("approved_at", Float),
    Column("rejected_at", Float),
    Column("answer", Text),
    Column("feedback", Text),
    Index("market_assignments_of_hit", "hit_id", "status"),
    Index("market_assignments_of_worker", "worker_id", "status"),
    # Nobody does one HIT twice: what was returned or abandoned does not count, the rest is unique.
    Index(
        "market_assignments_once",
        "hit_id",
        "worker_id",
        unique=True,
        sqlite_where=sa.text("status NOT IN ('Returned', 'Abandoned')"),
        postgresql_where=sa.text("status NOT IN ('Returned', 'Abandoned')"),
    ),
)

bonuses = Table(
    "market_bonuses",
    metadata,
    Column("bonus_id", String(30), primary_key=True),
    Column("assignment_id", String(64), ForeignKey("market_assignments.assignment_id"), nullable=False),
    Column("worker_id", String(64), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("granted_at", Float, nullable=False),
    Index("market_bonuses_of_assignment", "assignment_id"),
)

tokens = Table(
    "market_tokens",
    metadata,
    Column("kind", String(8), primary_key=True, comment="hit, extend or bonus"),
    Column("token", String(64), primary_key=True, comment="the UniqueRequestToken"),
    Column("used_at", Float, nullable=False),
    Column("made", String(64), nullable=False, comment="the id of what the first request made"),
)


@dataclass(frozen=True)
class Market:
    """A marketplace: its database, where the study's pictures lie, its clock, its fee, and who asks.

    `requester` and `contact` are shown to workers; contact may be empty.
    """

    engine: sa.Engine
    images_folder: Path
    clock: Clock = system_clock
    fee_percent: float = 20.0
    requester: str = "photojury"
    contact: str = ""
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A write transaction; threads of this process take turns where the database is SQLite.

        SQLite lets waiting writers sleep and try again without any order, so that an unlucky rater would wait
        for seconds while others overtake.
        """
        turn = self._turn if self.engine.dialect.name == "sqlite" else nullcontext()
        with turn, writing(self.engine) as connection:
            yield connection

    def row(self, query: "sa.Select[Any]") -> sa.RowMapping | None:
        """The one row of a query, or None."""
        with self.engine.connect() as connection:
            return connection.execute(query).mappings().one_or_none()

    def rows(self, query: "sa.Select[Any]") -> list[sa.RowMapping]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return list(connection.execute(query).mappings())


def open_market(
    engine: sa.Engine,
    images_folder: Path,
    clock: Clock = system_clock,
    fee_percent: float = 20.0,
    requester: str = "photojury",
    contact: str = "",
) -> Market:
    """Make the tables where they are not there yet, with the starting balance as their first transaction.

    Args:
        engine: of photojury.datasets.store.open_engine.
        images_folder: the study's stored pictures.
        clock: tells seconds since 1970.
        fee_percent: of each reward and bonus; another 20 is added from ten assignments on.
        requester: the name that workers are shown.
        contact: the e-mail address that workers are shown; may be empty.
    """
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            # Two processes that start at the same moment must not both create the tables.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7065)"))
        metadata.create_all(connection)
        new = add_rows(connection, account, [{"name": ACCOUNT, "available": STARTING_BALANCE, "held": 0}])
        if new:
            deposit = {"kind": "deposit", "available": STARTING_BALANCE, "held": 0}
            add_rows(connection, transactions, [{"transaction_id": new_id(), "at": clock(), **deposit}])
    return Market(engine, images_folder, clock, fee_percent, requester, contact)


def new_id() -> str:
    """An id as MTurk's: 30 upper-case letters and digits, the first of them 3; nobody can guess it."""
    return "3" + "".join(secrets.choice(_ALPHABET) for _ in range(29))
