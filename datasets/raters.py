"""Rater ids: a salted hash of the marketplace's worker id, the same in every study that has the same salt.

The salt comes from PHOTOJURY_SALT, else from a file of the user that is made on first need; it never enters a
study. Without the salt nobody can tell which worker a rater was; `workers` is the only table that says it.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import sqlalchemy as sa

from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import SettingsError

SIMULATED = "ASIMULATED"
"""How the worker ids of simulated raters begin; no person's worker id begins so."""


def rater_id(worker_id: str, salt: str) -> str:
    """The id under which a worker's answers are kept: 16 hexadecimal digits.

    >>> rater_id("A2EXAMPLE", "a salt") == rater_id("A2EXAMPLE", "another salt")
    False
    """
    return hmac.new(salt.encode(), worker_id.encode(), hashlib.sha256).hexdigest()[:16]


def is_simulated(worker_id: str) -> bool:
    """Whether a worker is one of photojury's simulated raters."""
    return worker_id.startswith(SIMULATED)


def rename(study: Study, worker_id: str, new: str) -> None:
    """Give a worker's rows of a study the rater id of another worker id, so that the old one is nowhere."""
    salt = read_salt()
    before, after = rater_id(worker_id, salt), rater_id(new, salt)
    with study.writing() as connection:
        mine = sa.update(tables.workers).where(tables.workers.c.rater_id == before)
        connection.execute(mine.values(rater_id=after, worker_id=new))
        for table in tables.metadata.sorted_tables:
            if "rater_id" in table.columns and table.name != "workers":
                rows = sa.update(table).where(table.c.rater_id == before)
                connection.execute(rows.values(rater_id=after))


def read_salt() -> str:
    """The salt of this user, made on first need.

    Raises:
        SettingsError: PHOTOJURY_SALT is not set and the file cannot be read or made.
    """
    given = os.environ.get("PHOTOJURY_SALT")
    if given:
        return given
    path = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "photojury" / "salt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
        salt = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(
            f"the salt that hides worker ids cannot be kept in {path}: {error.strerror}; set PHOTOJURY_SALT"
        ) from None
    if not salt:
        raise SettingsError(f"{path} is empty; delete it if no study has used it, or set PHOTOJURY_SALT")
    return salt
