"""Worker ids of people whom Prolific sends."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photojury.datasets.prolific import pid_of, worker_id_of
from photojury.errors import InputError

PID = "60ffe5c8371090c7041d43f8"


@given(st.text(alphabet="0123456789abcdef", min_size=24, max_size=24))
def test_worker_ids_of_participants(pid: str) -> None:
    """Every Prolific id gives one worker id of MTurk's pattern, and comes back from it."""
    worker = worker_id_of(pid)
    assert re.fullmatch(r"A[A-Z0-9]+", worker)
    assert worker_id_of(pid.upper()) == worker
    assert pid_of(worker) == pid


@pytest.mark.parametrize("pid", ["", "60ffe5c8", PID + "0", "{{%PROLIFIC_PID%}}", PID[:-1] + "g", PID + "\n"])
def test_other_ids_are_refused(pid: str) -> None:
    """What is not 24 hexadecimal digits is no participant."""
    with pytest.raises(InputError, match="24 hexadecimal digits"):
        worker_id_of(pid)
    assert pid_of("A" + pid) is None
