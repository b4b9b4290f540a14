"""The whole way of a picture by the commands that one types: list, download, check, report, plan, release."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from photojury.cli import run
from photojury.datasets.store import create_study, open_study
from tests.collect.download.fault_server import FaultServer

COLUMNS = ("url", "title", "author", "license", "views", "favs")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    monkeypatch.setenv("PHOTOJURY_ALLOW_LOOPBACK", "1")
    with FaultServer() as server:
        yield server


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    """Run a command with --json; its exit status and what it printed."""
    status = run(["collect", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_a_list_becomes_a_release(
    server: FaultServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Thirty addresses, five of them bad: the funnel adds up, and the release holds files only where it may."""
    paths = [f"/good/{n}.jpg" for n in range(25)] + ["/404", "/empty", "/page.jpg"]
    licences = ["cc-by-4.0", "cc-by-nd-4.0", "all-rights-reserved", "cc0-1.0", ""]
    with (tmp_path / "list.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n, path in enumerate(paths):
            writer.writerow([server.url(path), f"picture {n}", f"author {n}", licences[n % 5], 100 + n, n])
        writer.writerow(["file:///etc/hostname", "", "", "", "", ""])
        writer.writerow(["http://10.0.0.1/a.jpg", "", "", "", "", ""])
    values: dict[tuple[str, str], object] = {("download", "per_host_per_second"): 0.0}
    folder = tmp_path / "study"
    create_study(folder, "way", values).close()
    at = ("--study", str(folder))

    status, found = said(capsys, "urls", str(tmp_path / "list.csv"), *at)
    assert (status, found["new"]) == (0, 30)
    run(["collect", "download", *at])
    capsys.readouterr()
    status, checked = said(capsys, "check", *at)
    assert status == 0
    status, report = said(capsys, "report", *at)
    total = report["total"]
    assert isinstance(total, dict)
    assert total["unique"] == 30
    assert total["stored"] == 25
    assert total["unique"] == total["stored"] + sum(
        line["count"]
        for line in report["losses"]
        if line["fate"] != "not kept"  # type: ignore[attr-defined]
    )
    study = open_study(folder)
    kept = study.read("images", {"status": "kept"})
    assert len(kept) == checked["kept"] == total["kept"]
    assert set(study.read("candidates").groupby("rule").size().index) >= {
        "bad_url",
        "http_404",
        "not_an_image",
    }
    study.close()
