"""Progress of long work: a bar with rate and time left on a terminal, a plain line now and then elsewhere.

with counter("reading pictures", total=500) as progress:
    progress(17)        # 17 done so far
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

# Seconds between plain lines where there is no terminal.
_QUIET = 10.0


@contextmanager
def counter(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A function to call with the number done so far; what it shows goes to stderr."""
    if sys.stderr.isatty():
        with _bar(label, total) as show:
            yield show
    else:
        yield _lines(label, total)


@contextmanager
def _bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total, rate="")
        started = time.monotonic()

        def show(done: int) -> None:
            rate = f"{done / max(time.monotonic() - started, 1e-9):.1f}/s"
            progress.update(task, completed=done, rate=rate)

        yield show


def _lines(label: str, total: int | None) -> Callable[[int], None]:
    started = last = time.monotonic()

    def show(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _QUIET:
            return
        last = now
        rate = done / (now - started)
        left = f" of {total}, {(total - done) / rate:.0f} s left" if total and rate else ""
        click.echo(f"{label}: {done}{left} ({rate:.1f}/s)", err=True)

    return show
