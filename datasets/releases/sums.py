"""SHA256SUMS: the checksum of every file of a release, as `sha256sum --check` reads it.

Takes in a folder; gives out the file, or what stands in it.

    write_sums(Path("skies-1.0.0"), {})
    digests, broken = read_sums(Path("skies-1.0.0"))
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from photojury.datasets.releases.layout import SUMS
from photojury.errors import InputError

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def sha256(path: Path) -> str:
    """The sha256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files(folder: Path) -> dict[str, Path]:
    """Every file below a folder but SHA256SUMS, by its path from there, sorted."""
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    return {name: found[name] for name in sorted(found) if name != SUMS}


def write_sums(folder: Path, known: Mapping[str, str]) -> None:
    """Write SHA256SUMS.

    Args:
        folder: with all files in it.
        known: sums by path that were taken already.
    """
    sums = {name: known.get(name) or sha256(path) for name, path in files(folder).items()}
    text = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    (folder / SUMS).write_text(text, encoding="utf-8")


def read_sums(folder: Path) -> tuple[dict[str, str], list[str]]:
    """The sums of a release by path, and a sentence for each line that is none or leads out of the folder.

    Raises:
        InputError: there is no SHA256SUMS, or it is no text.
    """
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise InputError(
            f"{folder} has no {SUMS}; it is no release of photojury, or not all of one"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{folder / SUMS} cannot be read: {error}") from None
    sums: dict[str, str] = {}
    broken = []
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            if line:
                broken.append(f"{SUMS}, line {number} is no checksum with a path")
        elif not _inside(folder, found[2]):
            broken.append(f"{SUMS}, line {number} names a path outside the folder: {found[2]}")
        elif found[2] in sums:
            broken.append(f"{SUMS}, line {number} names {found[2]} a second time")
        else:
            sums[found[2]] = found[1]
    return sums, broken


def _inside(folder: Path, name: str) -> bool:
    """Whether a path stays below the folder, links followed."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        return False
    return (folder / name).resolve().is_relative_to(folder.resolve())
