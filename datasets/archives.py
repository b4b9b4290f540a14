"""Archives: the files inside zip and tar, read one at a time, whatever the archive claims of itself.

Takes in an archive from anybody; gives out names and bytes, up to a limit. A name that leads out of the archive (../, an
absolute path) is an error, since no published dataset has one; links and devices are passed over.

    >>> for name, data in contents(Path("pictures.zip"), lambda name: name.endswith(".jpg"), limit=2**26):
    ...     print(name, "too large" if data is None else len(data))        # doctest: +SKIP
"""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from photojury.errors import InputError

MOST_BYTES = 1 << 30
"""Unpacked bytes of all files of labels of an archive; AVA.txt has 13 million, and a bomb has more than this."""

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError,
    RuntimeError,
)  # fmt: skip


def is_archive(path: Path) -> bool:
    """Whether a path names a file that is a zip or tar by its name."""
    return path.name.lower().endswith(ENDINGS) and path.is_file()


def contents(path: Path, wanted: Callable[[str], bool], *, limit: int) -> Iterator[tuple[str, bytes | None]]:
    """The files of an archive whose names are wanted, in its order; None in the place of one of more than `limit` bytes.

    Raises:
        InputError: it is damaged, or a name leads out of it.
    """
    for name, opened in _members(path):
        if wanted(name):
            try:
                with opened() as file:
                    data = file.read(limit + 1)
            except _DAMAGE as error:
                raise _damaged(f"{path}: {name}", error) from None
            yield name, data if len(data) <= limit else None


def unpack(path: Path, folder: Path, endings: Sequence[str]) -> None:
    """Write the files of an archive whose names have one of the endings below a folder that is there.

    Raises:
        InputError: it is damaged, a name leads out of it, or they have more than MOST_BYTES together.
    """
    left = MOST_BYTES
    for name, data in contents(path, lambda member: member.lower().endswith(tuple(endings)), limit=left):
        left -= len(data or b"")
        if data is None or left < 0:
            raise _too_large(f"{path}: {name}")
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        except OSError as error:
            raise InputError(f"{path}: {name[:80]} cannot be unpacked: {error.strerror}") from None


def _members(path: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Each regular file of an archive with a function that opens it."""
    if not path.name.lower().endswith(".zip"):
        yield from _tar_members(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise _damaged(str(path), error) from None
    with archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield _checked(path, info.filename), lambda info=info: archive.open(info)  # type: ignore[misc]


def _tar_members(path: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    try:
        with tarfile.open(path) as archive:
            for info in archive:
                if info.isreg():
                    yield _checked(path, info.name), lambda info=info: archive.extractfile(info)  # type: ignore[misc]
    except _DAMAGE as error:
        raise _damaged(str(path), error) from None


def _checked(path: Path, name: str) -> str:
    """The name of a member, if it stays inside."""
    clean = name.replace("\\", "/").removeprefix("./")
    parts = PurePosixPath(clean).parts
    if ".." in parts or clean.startswith("/") or PureWindowsPath(name).drive or "\0" in name:
        raise InputError(
            f"{path} holds a file named {name[:80]!r}, which leads out of the archive; it was not used, get it again "
            "from where it was published"
        )
    return clean


def _damaged(where: str, error: BaseException) -> InputError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return InputError(f"{where} is damaged or no such archive: {reason}; get it again")


def _too_large(where: str) -> InputError:
    return InputError(
        f"{where} unpacks to more than {MOST_BYTES / 1e6:,.0f} MB with what came before it; no labels are that large"
    )
