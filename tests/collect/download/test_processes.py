"""Several processes on one study, killed ones among them: every file is asked for once."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from photojury.datasets.store import Study
from tests.collect.download import pictures
from tests.collect.download.fault_server import FaultServer
from tests.collect.download.harness import states, study_of

CODE = """
import json, sys
from pathlib import Path
from photojury.collect.download.download import download
from photojury.datasets.store import open_study
print(json.dumps(download(open_study(Path(sys.argv[1]))).outcomes))
"""
FILES = 320


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """A server that takes some time over every file; files differ in what follows the picture."""
    monkeypatch.setenv("PHOTOJURY_ALLOW_LOOPBACK", "1")
    with FaultServer(body=pictures.jpeg(size=(128, 96)), delay=0.005) as server:
        yield server


def study(folder: Path, server: FaultServer, database: str) -> Study:
    urls = [server.url(f"/marked/{number}.jpg") for number in range(FILES)]
    return study_of(folder / "study", urls, {("study", "store"): database})


def start(study: Study) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CODE, str(study.folder)], stdout=subprocess.PIPE, text=True
    )


def finish(process: "subprocess.Popen[str]") -> int:
    """Wait for a process; returns how many files it stored."""
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    outcomes: dict[str, dict[str, int]] = json.loads(out)
    assert set(outcomes) <= {"stored"}
    return sum(outcomes.get("stored", {}).values())


def test_four_processes_share_the_work(server: FaultServer, tmp_path: Path, database: str) -> None:
    """On SQLite and PostgreSQL: each file is asked for once, by one of them, and more than one has some."""
    shared = study(tmp_path, server, database)
    parts = [finish(process) for process in [start(shared) for _ in range(4)]]
    assert sum(parts) == FILES and sum(part > 0 for part in parts) > 1
    asked = Counter(server.files)
    assert len(asked) == FILES and set(asked.values()) == {1}
    assert states(shared) == [("stored", None)] * FILES
    assert shared.count("images") == FILES
    shared.close()


def test_a_killed_process_is_resumed(server: FaultServer, tmp_path: Path, database: str) -> None:
    """After kill -9 what was recorded is not asked for again, and what was not is; nothing is lost."""
    killed = study(tmp_path, server, database)
    process = start(killed)
    while killed.count("images") < 60:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate()
    recorded = set(killed.read("images").file_url)
    before = Counter(server.files)
    assert finish(start(killed)) == FILES - len(recorded)
    again = Counter(server.files) - before
    assert not recorded & {server.url(path) for path in again}
    assert set(again.values()) == {1}
    assert states(killed) == [("stored", None)] * FILES
    stored = [
        path.stem for path in killed.images_folder.rglob("*") if path.is_file() and path.suffix == ".jpg"
    ]
    assert sorted(stored) == sorted(killed.read("images").image_id)
    killed.close()
