"""People whom Prolific sends: the worker id that our marketplace knows them by, and back.

>>> pid_of(worker_id_of("5f0c1d2e3a4b5c6d7e8f9a0b"))
'5f0c1d2e3a4b5c6d7e8f9a0b'
"""

import re

from photojury.errors import InputError

_PID = re.compile("[0-9a-fA-F]{24}")
_PROLIFIC_WORKER = re.compile("AP[0-9A-F]{24}")


def worker_id_of(pid: str) -> str:
    """The worker id at our marketplace of the person whom Prolific calls `pid`; the same every time.

    Raises:
        InputError: a Prolific id has 24 hexadecimal digits, and this has not.
    """
    if not _PID.fullmatch(pid):
        raise InputError(
            f"{pid[:40]!r} is no Prolific id, which has 24 hexadecimal digits; open the study from Prolific's own page"
        )
    return "AP" + pid.upper()


def pid_of(worker_id: str) -> str | None:
    """The Prolific id behind a worker id, or None for a worker who did not come from there."""
    return worker_id[2:].lower() if _PROLIFIC_WORKER.fullmatch(worker_id) else None
