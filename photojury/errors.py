"""Every error that photojury raises on purpose, with the exit status of the command that meets it.

PhotojuryError                 1   it failed; the message says what, where and what to do
├── UserError                  2   a mistake in what was typed, configured or handed in
│   ├── SettingsError          2   study.toml or a PHOTOJURY_* variable
│   ├── InputError             2   a file, table, column or answer
│   └── NotAStudyError         2   the folder holds no study
├── Unfinished                 3   some of it is left; the same command, later, goes on
├── StoreError                 1   the study's database or files are not as they should be
├── Refused                    4   would spend or destroy, and was not told to
└── ServiceError               5   credentials, or a service that does not answer as it should

    >>> raise InputError("ratings.csv, row 12: value is 7, off the scale of 1 to 3; correct or drop the row")
    Traceback (most recent call last):
    ...
    photojury.errors.InputError: ratings.csv, row 12: value is 7, off the scale of 1 to 3; correct or drop the row
"""

import difflib
from collections.abc import Iterable


class PhotojuryError(Exception):
    """Base of all errors raised on purpose; `exit_code` is the command's exit status."""

    exit_code = 1


class UserError(PhotojuryError):
    """What was typed, configured or handed in is wrong; nothing was done with it."""

    exit_code = 2


class SettingsError(UserError):
    """study.toml or an environment variable holds an unknown key, a wrong type or an impossible value."""


class InputError(UserError):
    """A file, table, column or answer is not what it should be."""


class NotAStudyError(UserError):
    """The folder holds no study.toml."""


class StoreError(PhotojuryError):
    """The study's database or image files are damaged, of another version, or in use."""


class Unfinished(PhotojuryError):
    """Part of the work is done and kept; the rest waits for a quota, a host or another process."""

    exit_code = 3


class Refused(PhotojuryError):
    """The step spends money or destroys something, and was not confirmed or is over the budget."""

    exit_code = 4


class ServiceError(PhotojuryError):
    """Credentials are missing or wrong, or an outside service failed."""

    exit_code = 5


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not in a list: says the nearest names and the whole list.

    Args:
        kind: what the name stands for, as one would say it ("backbone", "column").
        name: what was given.
        known: every name that would have been accepted.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return InputError(f"unknown {kind} {name!r}. {hint}Known: {', '.join(names)}")


def require_columns(columns: Iterable[str], needed: Iterable[str], table: str) -> None:
    """Check that a table has the columns that a function reads.

    Raises:
        InputError: naming the table, the missing columns and those that are there.
    """
    have = list(columns)
    missing = [name for name in needed if name not in have]
    if missing:
        raise InputError(
            f"{table} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"it has {', '.join(map(str, have)) or 'none'}"
        )
