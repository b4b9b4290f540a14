"""The fault list, one test for each fault: the whole way from a candidate to its row, over real HTTP."""

import hashlib
import io
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from photojury.collect.checks.judging import judge, settle
from photojury.collect.download.download import download
from photojury.datasets.store import Study
from tests.collect.download import pictures
from tests.collect.download.fault_server import FaultServer
from tests.collect.download.harness import candidate, states, stub, study_of


class Fault(NamedTuple):
    """A path of the fault server, and what is to become of its candidate."""

    name: str
    path: str
    state: str
    rule: str | None = None
    values: dict[tuple[str, str], object] | None = None


SMALL: dict[tuple[str, str], object] = {("collect", "max_megabytes"): 1.0}
HURRY: dict[tuple[str, str], object] = {("download", "total_seconds"): 1.0}

FAULTS = [
    Fault("01-decompression-bomb", "/bomb.png", "rejected", "too_many_pixels"),
    Fault("02-endless-body", "/endless", "rejected", "too_large", SMALL),
    Fault("03-slow-drip", "/drip", "failed", "too_slow", HURRY),
    Fault("03-slow-headers", "/drip-headers", "failed", "too_slow", HURRY),
    Fault("03-silence", "/silent", "failed", "too_slow", HURRY),
    Fault("04-truncated-jpeg", "/truncated", "rejected", "damaged"),
    Fault("05-corrupted-mid-file", "/corrupted", "rejected", "damaged"),
    Fault("06-short-body", "/short", "failed", "incomplete"),
    Fault("06-short-chunked-body", "/short-chunked", "failed", "incomplete"),
    Fault("07-empty-body", "/empty", "failed", "empty"),
    Fault("08-html", "/page", "rejected", "not_an_image"),
    Fault("09-html-labelled-jpeg", "/page.jpg", "rejected", "not_an_image"),
    Fault("10-png-named-jpg", "/png.jpg", "stored"),
    Fault("10-webp-named-jpg", "/webp.jpg", "stored"),
    Fault("11-too-many-requests", "/429", "failed", "http_429"),
    Fault("12-internal-error", "/500", "failed", "http_500"),
    Fault("12-unavailable", "/503", "failed", "http_503"),
    Fault("13-not-found", "/404", "gone", "http_404"),
    Fault("13-gone", "/410", "gone", "http_410"),
    Fault("14-redirect-loop", "/loop", "rejected", "redirects"),
    Fault("14-five-redirects", "/far", "stored"),
    Fault("15-redirect-to-placeholder", "/deleted", "gone", "placeholder"),
    Fault("17-redirect-to-file", "/to-file", "rejected", "bad_url"),
    Fault("18-redirect-to-metadata-service", "/to-metadata", "rejected", "bad_url"),
    Fault("18-redirect-to-private-name", "/to-private-name", "rejected", "private_address"),
    Fault("19-path-traversal", "/..%2F..%2F..%2Fetc%2Fpasswd.jpg", "stored"),
    Fault("21-exif-rotation", "/rotated", "stored"),
    Fault("22-cmyk", "/cmyk", "stored"),
    Fault("23-wide-gamut", "/wide-gamut", "stored"),
    Fault("24-16-bit-png", "/deep.png", "stored"),
    Fault("25-transparent-png", "/transparent.png", "stored"),
    Fault("26-animated-gif", "/animated.gif", "rejected", "animated"),
    Fault("26-animated-webp", "/animated.webp", "rejected", "animated"),
    Fault("27-tracking-gif", "/pixel.gif", "rejected", "too_small"),
    Fault("28-svg", "/drawing.svg", "rejected", "format"),
    Fault("28-heic", "/photo.heic", "rejected", "format"),
    Fault("28-avif", "/photo.avif", "rejected", "format"),
    Fault("29-gzip", "/gzip", "stored"),
    Fault("29-gzip-bomb", "/gzip-bomb", "rejected", "too_large", SMALL),
    Fault("29-broken-gzip", "/gzip-broken", "failed", "damaged"),
    Fault("30-polyglot", "/polyglot", "stored"),
    Fault("also-noai", "/noai", "barred", "opt_out"),
    Fault("also-noimageindex", "/noimageindex", "barred", "opt_out"),
    Fault("also-to-another-robot", "/otherbot", "stored"),
    Fault("also-to-photojury", "/photojury-noindex", "barred", "opt_out"),
    Fault("also-tdm-reservation", "/tdm", "barred", "opt_out"),
    Fault("also-octet-stream", "/octets", "stored"),
    Fault("also-no-type", "/untyped", "stored"),
    Fault("also-chunked", "/chunked", "stored"),
    Fault("also-forbidden", "/403", "failed", "http_403"),
    Fault("also-unauthorized", "/401", "rejected", "http_401"),
    Fault("also-reset", "/reset", "failed", "connection"),
    Fault("also-moved-nowhere", "/nowhere", "failed", "http_302"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_fault(fault: Fault, server: FaultServer, tmp_path: Path) -> None:
    """Each becomes a row with its state, its rule and a sentence; nothing is stored but pictures; it takes seconds."""
    study = study_of(tmp_path / "study", [server.url(fault.path)], fault.values)
    began = time.monotonic()
    resolve = stub({"127.0.0.1": ["127.0.0.1"], "intranet.example": ["10.0.0.7"]})
    result = download(study, resolve=resolve)
    row = candidate(study)
    assert (row["state"], row["rule"]) == (fault.state, fault.rule), row["reason"]
    assert time.monotonic() - began < 5
    assert row["claimed_by"] is None
    assert study.count("images") == (fault.state == "stored")
    files = [path for path in study.images_folder.rglob("*") if path.is_file()]
    assert len(files) == (fault.state == "stored")
    if fault.state == "stored":
        assert files[0].stem == hashlib.sha256(files[0].read_bytes()).hexdigest() == row["image_id"]
    else:
        assert row["reason"] and "\n" not in row["reason"]
    if fault.state == "failed":
        assert result.waiting == 1 and result.again_at == row["retry_at"] > time.time()
    else:
        assert result.waiting == 0 and row["retry_at"] is None
        assert result.outcomes == {fault.state: {fault.rule or "": 1}}


def stored(study: Study) -> tuple[dict[str, Any], bytes, dict[str, float]]:
    """The one stored image: its row, its bytes and its measures."""
    image = {str(name): value for name, value in study.read("images").iloc[0].items()}
    measured = study.read("checks")
    checks = dict(zip(measured["check"], measured["value"], strict=True))
    return image, study.image_path(image["image_id"]).read_bytes(), checks


def taken(server: FaultServer, folder: Path, path: str) -> tuple[dict[str, Any], bytes, dict[str, float]]:
    study = study_of(folder, [server.url(path)])
    download(study)
    return stored(study)


def test_a_file_is_named_by_what_it_is(server: FaultServer, tmp_path: Path) -> None:
    """Fault 10: a PNG under the name of a JPEG gets the extension of a PNG."""
    study = study_of(tmp_path / "study", [server.url("/png.jpg")])
    download(study)
    image, data, _ = stored(study)
    assert image["format"] == "png" and data.startswith(b"\x89PNG")
    assert study.image_path(image["image_id"]).suffix == ".png"


def test_a_placeholder_is_not_even_asked_for(server: FaultServer, tmp_path: Path) -> None:
    """Fault 15: the redirect's address tells."""
    study = study_of(tmp_path / "study", [server.url("/deleted")])
    download(study)
    assert server.files == ["/deleted"]


def test_a_known_placeholder_is_known_by_its_hash(server: FaultServer, tmp_path: Path) -> None:
    """Fault 15: download.placeholder_hashes."""
    known = hashlib.sha256(pictures.png(99)).hexdigest()
    values: dict[tuple[str, str], object] = {("download", "placeholder_hashes"): (known,)}
    study = study_of(tmp_path / "study", [server.url("/same")], values)
    download(study)
    assert states(study) == [("gone", "placeholder")]
    assert study.count("images") == 0


def test_the_same_bytes_under_many_ids_are_a_placeholder(server: FaultServer, tmp_path: Path) -> None:
    """Fault 15: up to five are duplicates; with six, all of them are gone, and their image is rejected."""
    urls = [server.url(f"/same?{number}") for number in range(6)]
    study = study_of(tmp_path / "study", urls[:5])
    download(study)
    assert sorted(states(study)) == [("duplicate", "exact_duplicate")] * 4 + [("stored", None)]
    row = {"source": "urls", "source_id": "5", "state": "found", "seen_at": 0.0, "file_url": urls[5]}
    study.add("candidates", [row])
    download(study)
    assert states(study) == [("gone", "placeholder")] * 6
    assert study.read("images")[["status", "rule"]].to_numpy().tolist() == [["rejected", "placeholder"]]


def test_nothing_is_written_outside_the_images(server: FaultServer, tmp_path: Path) -> None:
    """Fault 19: names in addresses, headers and ids do not become names of files."""
    study = study_of(tmp_path / "study", [])
    before = {path.parent for path in tmp_path.rglob("*")}
    path = "/..%2F..%2F..%2Fetc%2Fpasswd.jpg"
    row = {"source": "urls", "source_id": "../../../x", "state": "found", "seen_at": 0.0}
    study.add("candidates", [{**row, "file_url": server.url(path)}])
    download(study)
    image, data, _ = stored(study)
    assert data == pictures.jpeg(19)
    new = {path.parent for path in tmp_path.rglob("*") if path.is_file()} - before
    folders = {study.images_folder / image["image_id"][:2], study.folder / ".processes"}
    assert new <= folders
    assert not list(tmp_path.rglob("*passwd*")) + list(tmp_path.rglob("*evil*"))


def test_odd_texts_come_through(server: FaultServer, tmp_path: Path) -> None:
    """Fault 20: right-to-left, entities, line ends and thousands of letters reach the image as they were."""
    texts = {"title": "\u202eذهب &amp; <b>\u0301é", "description": "ab\n" * 2000, "tags": '["\u2764\ufe0f"]'}
    study = study_of(tmp_path / "study", [])
    row = {"source": "urls", "source_id": "🙂", "state": "found", "seen_at": 0.0}
    study.add("candidates", [{**row, **texts, "file_url": server.url("/good/20.jpg")}])
    download(study)
    image, _, _ = stored(study)
    assert {name: image[name] for name in texts} == texts


def test_stored_bytes_are_as_they_came(server: FaultServer, tmp_path: Path) -> None:
    """Fault 21: a turned photograph is stored as it is, and its sides are those that people see."""
    image, data, _ = taken(server, tmp_path / "study", "/rotated")
    assert data == pictures.rotated()
    assert Image.open(io.BytesIO(data)).size == (320, 240)
    assert (image["width"], image["height"]) == (240, 320)


def test_colours_that_screens_lack_are_flagged(server: FaultServer, tmp_path: Path) -> None:
    """Faults 22 and 23: CMYK and wide gamuts are measured; ProPhoto holds some three times as much as sRGB."""
    _, _, checks = taken(server, tmp_path / "cmyk", "/cmyk")
    assert checks["cmyk"] == 1
    _, _, checks = taken(server, tmp_path / "wide", "/wide-gamut")
    assert checks["profile"] > 2 and not checks.get("cmyk")


def test_sixteen_bits_are_scaled(server: FaultServer, tmp_path: Path) -> None:
    """Fault 24: a ramp from black to white is no white picture with a black edge."""
    _, _, checks = taken(server, tmp_path / "study", "/deep.png")
    assert checks["clipped"] < 0.1 and checks["contrast"] > 200


def test_what_can_be_seen_through_is_rejected(server: FaultServer, tmp_path: Path) -> None:
    """Fault 25: by the check, so that it can be undone."""
    study = study_of(tmp_path / "study", [server.url("/transparent.png")])
    download(study)
    judge(study)
    settle(study)
    image, _, checks = stored(study)
    assert checks["alpha"] == 1
    assert study.read("checks", {"check": "alpha"}).verdict.tolist() == ["fail"]
    assert image["status"] == "rejected"


def test_compression_for_the_way_is_undone(server: FaultServer, tmp_path: Path) -> None:
    """Fault 29: what is stored is the picture, not its compressed form."""
    _, data, _ = taken(server, tmp_path / "study", "/gzip")
    assert data == pictures.jpeg(28)


def test_what_follows_a_picture_is_kept_and_flagged(server: FaultServer, tmp_path: Path) -> None:
    """Fault 30: the 22 bytes of a ZIP's end."""
    _, data, checks = taken(server, tmp_path / "study", "/polyglot")
    assert data == pictures.polyglot()
    assert checks["trailing"] == 22
