"""Run records: what was done to a study, with what, by which version.

Takes in a study and a command's name; writes `runs/<utc>-<command>/run.json` when the command ends, however
it ends. Secrets never enter: the environment is not recorded, and a database URL loses its password.

    with recording(study, "train") as run:
        run.wrote(path)
"""

import dataclasses
import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Protocol

import photojury
from photojury.settings import Settings

_LIBRARIES = (
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "sqlalchemy",
    "boto3",
    "pillow",
    "torch",
    "torchvision",
)


class Recorded(Protocol):
    """What a run record needs of a study."""

    @property
    def folder(self) -> Path: ...

    @property
    def settings(self) -> Settings: ...


@dataclass
class Run:
    """The record of one command while it runs."""

    folder: Path
    notes: dict[str, object] = field(default_factory=dict)
    _read: dict[str, str] = field(default_factory=dict)
    _wrote: dict[str, str] = field(default_factory=dict)

    def note(self, key: str, value: object) -> None:
        """Add a fact (a count, an option) to the record; value must be JSON."""
        self.notes[key] = value

    def read(self, path: Path) -> None:
        """Record the sha256 of a file that the command read."""
        self._read[str(path)] = _sha256(path)

    def wrote(self, path: Path) -> None:
        """Record the sha256 of a file that the command wrote."""
        self._wrote[str(path)] = _sha256(path)


@contextmanager
def recording(study: Recorded, command: str) -> Iterator[Run]:
    """Record a command: `run.json` is written on success, on failure and on Ctrl-C, and says which it was."""
    started = datetime.now(UTC)
    folder = _new_folder(study.folder / "runs", f"{started:%Y%m%dT%H%M%S}-{command}")
    run = Run(folder)
    outcome = "interrupted"
    try:
        yield run
        outcome = "ok"
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
        raise
    finally:
        record = {
            "command": command,
            "argv": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "started": started.isoformat(),
            "seconds": round((datetime.now(UTC) - started).total_seconds(), 3),
            "outcome": outcome,
            "seed": study.settings.study.seed,
            "settings": _without_password(dataclasses.asdict(study.settings)),
            "versions": versions(),
            "git_commit": _git_commit(),
            "read": run._read,
            "wrote": run._wrote,
            "notes": run.notes,
        }
        (folder / "run.json").write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """The versions of photojury, Python and the libraries that numbers depend on."""
    found = {"photojury": photojury.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _new_folder(parent: Path, name: str) -> Path:
    for number in range(1, 1000):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{parent} holds a thousand runs of the same second")


def _without_password(settings: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    url = str(settings["study"]["store"])
    if "@" in url and "://" in url:
        scheme, rest = url.split("://", 1)
        login, place = rest.rsplit("@", 1)
        settings["study"]["store"] = f"{scheme}://{login.split(':')[0]}@{place}"
    return settings


def _git_commit() -> str | None:
    """The commit of the photojury checkout that runs, or None for an installed package."""
    here = Path(photojury.__file__).parent.parent
    if not (here / ".git").exists():
        return None
    command = ["git", "-C", str(here), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
