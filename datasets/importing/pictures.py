"""Pictures of a published dataset: found by their names below a folder or in an archive, one after the other.

Takes in a place and the names that its labels know pictures by; gives out their bytes as they come. Nothing is unpacked
to the disk, and a picture of more bytes than a limit is told, not read.

    >>> for name, data in found(Path("AVA/images"), ["66.jpg"], limit=2**26):
    ...     print(name, "too large" if data is None else len(data))        # doctest: +SKIP
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from photojury.datasets import archives
from photojury.errors import InputError


def found(place: Path, names: Sequence[str], *, limit: int) -> Iterator[tuple[str, bytes | None]]:
    """The bytes of each picture that is there; None in the place of one of more than `limit` bytes.

    Args:
        place: a folder, or a zip or tar. A picture is looked for under its whole name, then without its folders.
        names: paths with /, as the labels have them.

    Raises:
        InputError: the place is neither, or the archive is damaged.
    """
    if archives.is_archive(place):
        yield from _of_archive(place, names, limit)
    elif place.is_dir():
        yield from _of_folder(place, names, limit)
    else:
        raise InputError(f"{place} is neither a folder nor a zip or tar of pictures")


def path_of(folder: Path, name: str) -> Path | None:
    """The file of a picture below a folder, under its whole name or without its folders; None where it is not there.

    A name that leads out of the folder is never followed.
    """
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        return None
    paths = (folder / inside, folder / inside.name)
    return next((path for path in paths if path.is_file()), None)


def _of_folder(folder: Path, names: Sequence[str], limit: int) -> Iterator[tuple[str, bytes | None]]:
    for name in names:
        path = path_of(folder, name)
        if path is not None:
            with path.open("rb") as file:
                data = file.read(limit + 1)
            yield name, data if len(data) <= limit else None


def _of_archive(archive: Path, names: Sequence[str], limit: int) -> Iterator[tuple[str, bytes | None]]:
    """In the order of the archive, which may be read once only."""
    wanted = {PurePosixPath(name).name: name for name in names} | {name: name for name in names}
    given: set[str] = set()

    def known(member: str) -> str | None:
        # The archive may have folders above those that the labels know.
        parts = PurePosixPath(member).parts
        return next(
            (wanted[tail] for at in range(len(parts)) if (tail := "/".join(parts[at:])) in wanted), None
        )

    for member, data in archives.contents(archive, lambda one: known(one) not in {None, *given}, limit=limit):
        name = known(member)
        if name is not None:
            given.add(name)
            yield name, data
