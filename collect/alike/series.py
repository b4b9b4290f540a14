"""Series: pictures of one moment, of which raters choose the one to keep (paper 3).

Takes in the kept images with their capture times and hashes; gives out the table `series`.

Pictures of one author, in order of capture, belong together as long as each was taken within a pause of the one
before and looks like it (section [bursts]). Paper 3's series have 2 to 8 pictures; longer ones are cut at their
longest pauses.

    >>> collect_series(study)                           # doctest: +SKIP
    Grouped(series=12, images=41, sizes={2: 4, 3: 3, ...}, alone=300, untimed=17, ...)
"""

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from photojury.collect.alike.frames import Frame, read_frames
from photojury.datasets import tables
from photojury.datasets.store import Study, add_rows
from photojury.errors import InputError
from photojury.sections import BurstsSection

Run = Sequence[Frame]


@dataclass(frozen=True)
class Grouped:
    """What `collect_series` made of the study's pictures.

    Attributes:
        series: how many it made, and images how many pictures are in them.
        sizes: how many series have so many pictures.
        alone: pictures with a capture time (from folders: in a folder) that are in no series.
        untimed: pictures in no series that have no capture time.
        held: pictures in series that it left as they are: raters were asked about them, or they were brought in.
        gone: series of an earlier run that are no more.
    """

    series: int
    images: int
    sizes: dict[int, int] = field(default_factory=dict)
    alone: int = 0
    untimed: int = 0
    held: int = 0
    gone: int = 0


def collect_series(study: Study, by: str = "time", *, keep: bool = True) -> Grouped:
    """Group the study's pictures into series, in the place of those that it made before.

    Series whose pairs raters were asked about stay, and so do series that were brought in; their pictures are not
    grouped again. Pictures that `collect check` found to be near duplicates are frames too, if they have the size
    of the picture that they are like; call `mark_duplicates` afterwards, so that they are kept again.

    Args:
        study: whose images; frames without a hash are in no series by time.
        by: time, or folders: each folder with as many pictures as a series may have is one, and larger ones are
            grouped by time.
        keep: whether the series are written.

    Raises:
        InputError: there is no such way to group, or the study has no pictures.
    """
    if by not in _WAYS:
        raise InputError(f"series are grouped by {' or '.join(_WAYS)}, not by {by}")
    with study.writing() as connection:
        held, old = _standing(connection)
        frames = [frame for frame in read_frames(connection) if frame.image_id not in held]
        if not frames and not held:
            raise InputError("the study has no pictures to group; first: photojury collect folder DIR")
        runs = {series_id(run): run for run in _WAYS[by](frames, study.settings.bursts)}
        if keep:
            _write(connection, runs, by, old)
    return _grouped(frames, list(runs.values()), held=len(held), gone=len(old - runs.keys()))


def by_time(frames: Iterable[Frame], section: BurstsSection) -> Iterator[Run]:
    """Runs of pictures of one author, each within a pause of the one before and like it, cut to length."""
    timed = [frame for frame in frames if frame.taken_at is not None and frame.phash is not None]
    timed.sort(key=lambda frame: (frame.author, frame.taken_at, frame.order, frame.image_id))
    run: list[Frame] = []
    for frame in timed:
        if run and not _together(run[-1], frame, section):
            yield from _cut(run, section.longest)
            run = []
        run.append(frame)
    yield from _cut(run, section.longest)


def by_folder(frames: Iterable[Frame], section: BurstsSection) -> Iterator[Run]:
    """The pictures of each folder, in order of capture; of folders too large for a series, runs `by_time`."""
    filed = [frame for frame in frames if frame.folder is not None]
    filed.sort(key=lambda frame: (frame.folder, _moment(frame), frame.order, frame.image_id))
    for _, members in itertools.groupby(filed, key=lambda frame: frame.folder):
        run = list(members)
        if len(run) > section.longest:
            yield from by_time(run, section)
        elif len(run) > 1:
            yield run


_WAYS: dict[str, Callable[[Iterable[Frame], BurstsSection], Iterator[Run]]] = {
    "time": by_time,
    "folders": by_folder,
}


def series_id(run: Run) -> str:
    """A name that the same pictures always get."""
    members = "\n".join(sorted(frame.image_id for frame in run))
    return "series-" + hashlib.sha256(members.encode()).hexdigest()[:20]


def distance(one: Frame, other: Frame) -> int:
    """Bits in which the hashes of two frames differ; 64 where one has none."""
    if one.phash is None or other.phash is None:
        return 64
    return (one.phash ^ other.phash).bit_count()


def _together(one: Frame, other: Frame, section: BurstsSection) -> bool:
    near = one.author == other.author and _pause(one, other) <= section.seconds
    return near and distance(one, other) <= section.distance


def _cut(run: list[Frame], longest: int) -> Iterator[Run]:
    """Parts of at least 2 and at most `longest` pictures; what a cut leaves alone is in no series."""
    waiting = [run]
    while waiting:
        part = waiting.pop()
        if len(part) > longest:
            at = _weakest(part)
            waiting += [part[at:], part[:at]]
        elif len(part) > 1:
            yield part


def _weakest(run: list[Frame]) -> int:
    """Where to cut: at the longest pause; of equal ones (clocks count seconds) where the pictures differ most, then
    nearest to the middle; and so that nobody is left alone, where that is possible."""
    places = range(2, len(run) - 1) or range(1, len(run))
    return max(
        places,
        key=lambda at: (
            _pause(run[at - 1], run[at]),
            distance(run[at - 1], run[at]),
            -abs(2 * at - len(run)),
        ),
    )


def _pause(one: Frame, other: Frame) -> float:
    return abs(_moment(other) - _moment(one))


def _moment(frame: Frame) -> float:
    return math.inf if frame.taken_at is None else frame.taken_at


def _standing(connection: sa.Connection) -> tuple[set[str], set[str]]:
    """The images in series that stay, and the series that may be made anew.

    What was brought in stays, and what has a pair that was planned as a question.
    """
    table = tables.series
    members: dict[str, set[str]] = {}
    series_of: dict[str, set[str]] = {}
    stay = set()
    query = sa.select(table.c.series_id, table.c.image_id, table.c.made_by)
    for name, image, made_by in connection.execute(query):
        members.setdefault(name, set()).add(image)
        series_of.setdefault(image, set()).add(name)
        if made_by is None:
            stay.add(name)
    unit = tables.units
    asked = sa.select(unit.c.first_id, unit.c.second_id).where(unit.c.task == "series")
    for first, second in connection.execute(asked):
        stay |= series_of.get(first, set()) & series_of.get(second, set())
    held = {image for name in stay for image in members[name]}
    return held, members.keys() - stay


def _write(connection: sa.Connection, runs: dict[str, Run], by: str, old: set[str]) -> None:
    table = tables.series
    if old:
        connection.execute(
            sa.delete(table).where(table.c.series_id == sa.bindparam("name")),
            [{"name": name} for name in old],
        )
    rows = [
        {"series_id": name, "image_id": frame.image_id, "position": position, "made_by": by}
        for name, run in runs.items()
        for position, frame in enumerate(run)
    ]
    add_rows(connection, table, rows)


def _grouped(frames: list[Frame], runs: list[Run], *, held: int, gone: int) -> Grouped:
    inside = {frame.image_id for run in runs for frame in run}
    outside = [frame for frame in frames if frame.image_id not in inside]
    untimed = sum(frame.taken_at is None for frame in outside)
    return Grouped(
        series=len(runs),
        images=len(inside),
        sizes=dict(sorted(Counter(map(len, runs)).items())),
        alone=len(outside) - untimed,
        untimed=untimed,
        held=held,
        gone=gone,
    )
