"""Claims: rows are shared among processes, and what the dead held is free."""

import fcntl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from photojury.collect.claims import claim, held_by_others, working
from photojury.datasets import tables
from photojury.datasets.store import Study, create_study

READY = tables.candidates.c.state == "found"


@pytest.fixture
def study(tmp_path: Path, database: str) -> Iterator[Study]:
    """A study with six candidates, on both databases."""
    study = create_study(tmp_path / "study", "test", {("study", "store"): database})
    rows = [{"source": "x", "source_id": str(n), "state": "found", "seen_at": 0.0} for n in range(6)]
    study.add("candidates", rows)
    yield study
    study.close()


def taken(study: Study, process: str, limit: int) -> list[str]:
    return [row["source_id"] for row in claim(study, process, tables.candidates, READY, limit)]


def test_no_row_is_claimed_twice(study: Study) -> None:
    """Two processes get different rows, and nothing when all are held."""
    with working(study) as one, working(study) as two:
        first, second = taken(study, one, 4), taken(study, two, 4)
        assert sorted(first + second) == [str(n) for n in range(6)]
        assert taken(study, one, 4) == taken(study, two, 4) == []
        assert held_by_others(study, one, tables.candidates, READY) == 2


def test_a_process_that_ends_holds_nothing(study: Study) -> None:
    """What it claimed and did not finish is free at once, also when it ended by an error."""
    with pytest.raises(ZeroDivisionError), working(study) as one:
        assert len(taken(study, one, 6)) == 6
        _ = 1 / 0
    with working(study) as two:
        assert len(taken(study, two, 6)) == 6
    assert study.count("processes") == 0


def test_a_killed_process_of_this_machine_holds_nothing(study: Study) -> None:
    """After kill -9 the next command gets its rows at once, without waiting for the lease to end."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from photojury.collect.claims import claim, working\n"
        "from photojury.datasets import tables\nfrom photojury.datasets.store import open_study\n"
        "study = open_study(Path(sys.argv[1]))\n"
        "with working(study) as me:\n"
        "    print(len(claim(study, me, tables.candidates, tables.candidates.c.state == 'found', 6)), flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(study.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "6"
        with working(study) as me:
            assert taken(study, me, 6) == []
        process.kill()
    with working(study) as me:
        assert len(taken(study, me, 6)) == 6


def test_a_process_of_another_machine_holds_until_its_lease_ends(study: Study) -> None:
    """Without a sign of life for the lease's time its rows are free; before, they are not."""
    study.add("processes", [{"process_id": "far", "alive_until": time.time() + 30}])
    with working(study) as me:
        claim(study, "far", tables.candidates, READY, 6)
        assert taken(study, me, 6) == []
        with study.writing() as connection:
            far = tables.processes.c.process_id == "far"
            connection.execute(sa.update(tables.processes).where(far).values(alive_until=time.time() - 1))
        assert len(taken(study, me, 6)) == 6


def test_a_living_process_is_not_buried(study: Study) -> None:
    """Its file is locked, so that a newcomer leaves its row alone."""
    with working(study) as one:
        file = next((study.folder / ".processes").iterdir())
        with file.open("r+") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with working(study):
            assert one in set(study.read("processes").process_id)
