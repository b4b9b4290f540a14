"""A folder that appears whole or not at all, whatever ends the process that writes it.

Takes in the name that it is to have; gives out a hidden folder to fill, which gets that name at the end.

    with whole(Path("exports/skies-1.0.0")) as folder:
        (folder / "README.md").write_text("...")

Two processes never write the same folder: the hidden one is locked by the system for as long as its writer lives, and
what a killed writer left behind is removed by the next one.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from photojury.errors import InputError


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` that takes its name when the block is left without an error.

    Raises:
        InputError: the folder exists already, or another process is writing it.
    """
    check_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.parent / f".{folder.name}.unfinished"
    lock = _locked(unfinished, folder)
    try:
        yield unfinished
        os.sync()  # a power cut after the renaming must find the files' contents on the disk
        check_new(folder)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    finally:
        os.close(lock)


def check_new(folder: Path) -> None:
    """Check that nothing has this name.

    Raises:
        InputError: something has.
    """
    if folder.exists():
        raise InputError(
            f"{folder} exists already, and a release is never changed; give another --version or --out"
        )


def _locked(unfinished: Path, folder: Path) -> int:
    """An empty folder that is ours, and the descriptor that holds its lock."""
    while True:
        unfinished.mkdir(exist_ok=True)
        descriptor = os.open(unfinished, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise InputError(f"another process is writing {folder} now") from None
        # Between the two calls its owner may have finished, and taken the folder away.
        if unfinished.exists() and os.path.samestat(os.fstat(descriptor), unfinished.stat()):
            break
        os.close(descriptor)
    for path in unfinished.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    unfinished.chmod(0o755)
    return descriptor
