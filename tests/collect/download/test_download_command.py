"""The command `photojury collect download`."""

import json
import time
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from photojury.collect.commands.download import download
from photojury.errors import InputError, Unfinished
from tests.collect.download.fault_server import FaultServer
from tests.collect.download.harness import study_of


def test_counts_by_state_and_rule(server: FaultServer, tmp_path: Path) -> None:
    """On stdout, and exit status 0 where nothing is left."""
    urls = [server.url(path) for path in ("/good/1.jpg", "/good/2.jpg", "/404", "/page", "/noai")]
    study = study_of(tmp_path / "study", urls)
    done = CliRunner().invoke(download, ["--study", str(study.folder)])
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines == [
        ["1", "barred"], ["1", "opt_out"], ["1", "gone"], ["1", "http_404"],
        ["1", "rejected"], ["1", "not_an_image"], ["2", "stored"],
    ]  # fmt: skip
    records = list((study.folder / "runs").glob("*-collect-download/run.json"))
    notes = json.loads(records[0].read_text())["notes"]
    assert notes["outcomes"]["stored"] == {"": 2}


def test_failed_rows_are_exit_status_three(server: FaultServer, tmp_path: Path) -> None:
    """After the counts, with the time at which to run it again."""
    study = study_of(tmp_path / "study", [server.url("/429"), server.url("/good/1.jpg")])
    done = CliRunner().invoke(download, ["--study", str(study.folder), "--json"])
    result = json.loads(done.stdout)
    assert result["waiting"] >= 1
    assert isinstance(done.exception, Unfinished) and done.exception.exit_code == 3
    when = str(done.exception).rsplit("after ", 1)[1]
    assert 290 < datetime.fromisoformat(when).timestamp() - time.time() < 310


def test_limit(server: FaultServer, tmp_path: Path) -> None:
    """What is over the limit is left, and is no failure."""
    study = study_of(tmp_path / "study", [server.url(f"/good/{number}.jpg") for number in range(3)])
    done = CliRunner().invoke(download, ["--study", str(study.folder), "--limit", "2"])
    assert done.exit_code == 0
    assert "2 stored" in done.stdout and "1 not tried yet" in done.stdout


def test_nothing_to_download(tmp_path: Path) -> None:
    """Is said."""
    study = study_of(tmp_path / "study", [])
    done = CliRunner().invoke(download, ["--study", str(study.folder)])
    assert (done.exit_code, done.stdout) == (0, "nothing to download\n")


def test_unknown_source(tmp_path: Path) -> None:
    """Is a mistake of the user's, with the names that there are."""
    study = study_of(tmp_path / "study", [])
    done = CliRunner().invoke(download, ["--study", str(study.folder), "--source", "flikr"])
    assert isinstance(done.exception, InputError)
    with pytest.raises(InputError, match="Did you mean flickr"):
        raise done.exception


def test_addresses_of_the_inside_are_refused(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the switch for tests this machine is not asked, nor are files and private networks; one row each."""
    monkeypatch.delenv("PHOTOJURY_ALLOW_LOOPBACK")
    urls = [server.url("/good/1.jpg"), "http://localhost/", "file:///etc/hostname", "http://10.0.0.7/a.jpg"]
    study = study_of(tmp_path / "study", urls)
    done = CliRunner().invoke(download, ["--study", str(study.folder), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["outcomes"] == {"rejected": {"bad_url": 4}}
    assert server.asked == []
