"""Preparing: what pages show of a large study is computed before anybody asks, whenever no page is being drawn.

begin(opened)           # returns at once
with drawing():         # meanwhile nothing is prepared
    page.run()
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Thread

from photojury.analysis.dashboard import prepared
from photojury.analysis.dashboard.opening import Opened, changed, made
from photojury.analysis.dashboard.reading import StudyTables
from photojury.errors import PhotojuryError

_idle = Condition()
_drawn = 0
_begun: set[tuple[str, ...]] = set()


def begin(opened: Opened) -> None:
    """Prepare the pages of a large study in a thread, once for each state of it."""
    tables = opened.answers.tables
    if not isinstance(tables, StudyTables) or not tables.large:
        return
    state = (str(opened.place), *opened.stamp)
    with _idle:
        if state in _begun:
            return
        _begun.add(state)
    Thread(target=prepare, args=(opened,), daemon=True, name="preparing").start()


@contextmanager
def drawing() -> Iterator[None]:
    """While a page is drawn; whoever prepares waits for its end."""
    global _drawn
    with _idle:
        _drawn += 1
    try:
        yield
    finally:
        with _idle:
            _drawn -= 1
            _idle.notify_all()


def prepare(opened: Opened) -> None:
    """Compute what pages will ask for; what cannot be had is said by the page that needs it."""
    steps = prepared.ahead(opened)
    while True:
        with _idle:
            _idle.wait_for(lambda: _drawn == 0)
        try:
            step = next(steps, None)
            if step is None or changed(opened):
                return
            made(opened, step[0], *step[1])
        except PhotojuryError:
            continue
