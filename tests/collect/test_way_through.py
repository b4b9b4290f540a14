"""The whole way of a picture by the commands that one types: list, download, check, report, plan, release."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What a command prints with --json; it must end well."""
    assert run([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_list_becomes_a_release(
    server: FaultServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Thirty addresses, five of them bad: the funnel adds up, and the release holds files only where it may."""
    paths = [f"/good/{n}.jpg" for n in range(25)] + ["/404", "/401", "/page.jpg"]
    licences = ["cc-by-4.0", "cc-by-nd-4.0", "all-rights-reserved", "cc0-1.0", ""]
    with (tmp_path / "list.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n, path in enumerate(paths):
            writer.writerow([server.url(path), f"picture {n}", f"author {n}", licences[n % 5], 100 + n, n])
        writer.writerow(["file:///etc/hostname", "", "", "", "", ""])
        writer.writerow(["http://10.0.0.1/a.jpg", "", "", "", "", ""])
    folder = tmp_path / "study"
    # The server's pictures are small and smooth.
    values = {("download", "per_host_per_second"): 0.0, ("checks", "resolution"): 0, ("checks", "blur"): 0.0}
    create_study(folder, "way", values).close()
    at = ("--study", str(folder))

    assert said(capsys, "collect", "urls", str(tmp_path / "list.csv"), *at)["new"] == 30
    said(capsys, "collect", "download", *at)
    checked = said(capsys, "collect", "check", *at)
    total = said(capsys, "collect", "report", *at)["total"]
    study = open_study(folder)
    candidates = study.read("candidates")
    assert (total["unique"], total["stored"]) == (30, 25)
    assert candidates["state"].value_counts().to_dict() == {"stored": 25, "rejected": 4, "gone": 1}
    assert set(candidates["rule"].dropna()) == {"bad_url", "http_404", "http_401", "not_an_image"}
    kept = study.read("images", {"status": "kept"})
    assert len(kept) == checked["kept"] == total["kept"]
    assert len(study.read("observations")) == 28

    assert run(["datasets", "split", *at]) == run(["datasets", "release", *at]) == 0
    released = next((folder / "exports").iterdir())
    allowed = set(kept.loc[kept["license_id"].isin(["cc-by-4.0", "cc0-1.0"]), "image_id"])
    assert {path.stem for path in (released / "data").rglob("*.jpg")} == allowed
    with (released / "links.csv").open() as file:
        assert {row["image_id"] for row in csv.DictReader(file)} == set(kept["image_id"]) - allowed
    study.close()
