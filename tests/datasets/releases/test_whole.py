"""A release is there whole or not at all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from photojury.analysis.files import is_release
from photojury.datasets.releases.layout import FORMS
from photojury.datasets.releases.verify import verify
from photojury.datasets.releases.whole import whole
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study
from photojury.errors import InputError

SLOW = """
import sys, time
from pathlib import Path
from photojury.datasets.releases import forms
from photojury.datasets.releases.write import release
from photojury.datasets.store import open_study
quick = forms.image_id
forms.image_id = lambda data: (time.sleep(0.2), quick(data))[1]
release(open_study(Path(sys.argv[1])), Path(sys.argv[2]), version="1.0.0")
"""


def test_a_killed_release_leaves_nothing_that_looks_complete(full_study: Study, tmp_path: Path) -> None:
    """kill -9 while pictures are written: no folder of that name; the next release clears away what was left."""
    folder = tmp_path / "out" / "skies-1.0.0"
    writer = subprocess.Popen([sys.executable, "-c", SLOW, str(full_study.folder), str(folder)])
    deadline = time.monotonic() + 60
    while not list(folder.parent.glob(".*/data/*/*.png")):
        assert writer.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait(30)
    assert not folder.exists()
    (left,) = folder.parent.iterdir()
    assert left.name == ".skies-1.0.0.unfinished"
    assert not is_release(left) and verify(left)
    release(full_study, folder, version="1.0.0")
    assert [path.name for path in folder.parent.iterdir()] == ["skies-1.0.0"]
    assert verify(folder) == []


def test_two_writers_never_mix(tmp_path: Path) -> None:
    """While one writes, another is told so; whatever stops a writer, its files are gone."""
    folder = tmp_path / "out" / "skies"
    with whole(folder) as first:
        (first / "a").write_text("1")
        with pytest.raises(InputError, match="another process is writing"), whole(folder):
            pass
        assert (first / "a").read_text() == "1"
    assert (folder / "a").read_text() == "1"
    with pytest.raises(InputError, match="exists already, and a release is never changed"), whole(folder):
        pass
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "out" / "seas") as second:
        (second / "data").mkdir()
        raise KeyboardInterrupt
    assert [path.name for path in folder.parent.iterdir()] == ["skies"]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_study_gives_the_same_bytes(full_study: Study, tmp_path: Path, form: str) -> None:
    """Written twice, every file has the same sum, in every form."""
    one, two = (release(full_study, tmp_path / name, version="1.0.0", form=form) for name in ("one", "two"))
    assert (one / "SHA256SUMS").read_text() == (two / "SHA256SUMS").read_text()
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=one, capture_output=True, check=False).returncode == 0
