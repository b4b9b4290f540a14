"""The machine's limits: a full disk, and memory over thousands of files."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from photojury.collect.download.download import download
from photojury.errors import StoreError
from tests.collect.download import pictures
from tests.collect.download.fault_server import FaultServer
from tests.collect.download.harness import states, study_of

FULL = """
import json, sys
from pathlib import Path
from photojury.collect.download.download import download
from photojury.datasets.store import open_study
from photojury.errors import StoreError
try:
    download(open_study(Path(sys.argv[1])))
except StoreError as error:
    print(json.dumps([error.exit_code, str(error)]))
"""

# VmHWM begins anew with a program; getrusage's ru_maxrss counts what the process that started it had taken.
MEMORY = """
import json, re, sys
from pathlib import Path
from photojury.collect.download.download import download
from photojury.datasets.store import open_study
outcomes = download(open_study(Path(sys.argv[1]))).outcomes
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps([outcomes, int(peak) / 1024]))
"""
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").is_file(), reason="memory is read from Linux's /proc"
)


def test_a_full_disk_stops_cleanly(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence; what came is recorded, the rest stays found, no half file is left, and then it goes on."""
    study = study_of(tmp_path / "study", [server.url(f"/good/{number}.jpg") for number in range(20)])
    count = 0
    write = os.write

    def writing(descriptor: int, data: bytes) -> int:
        nonlocal count
        count += len(data) > 1000
        if count > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", writing)
    with pytest.raises(StoreError, match="the disk is full"):
        download(study)
    monkeypatch.undo()
    monkeypatch.setenv("PHOTOJURY_ALLOW_LOOPBACK", "1")
    assert {state for state, _ in states(study)} == {"stored", "found"}
    files = [path.stem for path in study.images_folder.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(study.read("images").image_id)
    assert len(files) == 5
    download(study)
    assert states(study) == [("stored", None)] * 20


def test_a_small_disk(server: FaultServer, tmp_path: Path) -> None:
    """A real one of 3 MB, which files and database share: one sentence, and with more room it goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", disk], check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        server.body = pictures.jpeg(1, (800, 600))
        urls = [server.url(f"/marked/{number}.jpg") for number in range(60)]
        study = study_of(disk / "study", urls)
        command = [sys.executable, "-c", FULL, str(study.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        status, sentence = json.loads(done.stdout)
        assert status == 1 and sentence.startswith("the disk is full")
        assert "Traceback" not in done.stderr
        subprocess.run(["mount", "-o", "remount,size=30m", disk], check=True)
        download(study)
        assert states(study) == [("stored", None)] * 60
        assert len(list(study.images_folder.rglob("*.jpg"))) == 60
        assert not list(study.images_folder.rglob("*.part"))
        study.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@needs_proc
def test_memory_stays_small(server: FaultServer, tmp_path: Path) -> None:
    """2,000 pictures in one process: under 300 MB at its peak. benchmarks/download.py does it with large ones."""
    server.body = pictures.jpeg(2, (400, 300))
    study = study_of(tmp_path / "study", [server.url(f"/marked/{number}.jpg") for number in range(2000)])
    command = [sys.executable, "-c", MEMORY, str(study.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    outcomes, megabytes = json.loads(done.stdout)
    assert outcomes == {"stored": {"": 2000}}
    assert megabytes < 300


@needs_proc
def test_memory_stays_small_among_hostile_servers(server: FaultServer, tmp_path: Path) -> None:
    """Eight bombs, eight gzip bombs and eight endless files at once: under 500 MB, of which a decoder has some."""
    pictures.bomb()
    paths = ["/bomb.png", "/gzip-bomb", "/endless"]
    urls = [server.url(f"{path}?{number}") for path in paths for number in range(8)]
    values: dict[tuple[str, str], object] = {
        ("download", "threads"): 16,
        ("download", "per_host_at_once"): 16,
    }
    study = study_of(tmp_path / "study", urls, values)
    command = [sys.executable, "-c", MEMORY, str(study.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    outcomes, megabytes = json.loads(done.stdout)
    assert outcomes == {"rejected": {"damaged": 8, "too_large": 8, "too_many_pixels": 8}}
    assert megabytes < 500
