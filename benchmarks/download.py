"""Downloading: photojury against img2dataset, images a second on one core, from the same server on another.

    python benchmarks/download.py                 # some 5 minutes, 1 GB of disk; installs img2dataset once
    python benchmarks/download.py --images 500 --runs 1     # shows that it works

Both get the same list of URLs on loopback. Behind each is the same real photograph at 800 pixels, about 126 KB, with
another comment in the file, so that no two have the same bytes. The server is a process on the last core, plain
asyncio that sends bytes from memory; the downloader, with all of its processes and threads, is kept on the first.

photojury downloads, takes the sha256, decodes strictly, takes every check and the perceptual hash, stores the
original bytes (fsync, rename) and writes candidates, images and checks to SQLite. Politeness is switched off where
it would be what is measured (no rate, as many connections as threads); robots.txt and the guard on addresses are on.

img2dataset 1.47.0 has a virtual environment of its own, which this script makes in --cache (782 MB with its 53
packages); one process, 64 threads, output to files, sha256 and EXIF on, as its README has it: with its resizing to
256 x 256 (its default), with resizing off (it still decodes and encodes), and with all re-encoding off (it stores
the bytes, and decodes nothing).

Rates are of whole processes, start included (photojury 1 s, img2dataset 3 to 5 s). CPU time an image is without it:
a run of one image is taken off. It hardly depends on what else the machine does; rates do.
"""

import asyncio
import io
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
from PIL import Image

PACKAGES = ["img2dataset==1.47.0", "opencv-python-headless<5", "setuptools<81"]
SIDES = (800, 533)
BYTES = 126_000
PEERS = {
    "img2dataset, resizing to 256": ["--image_size=256"],
    "img2dataset, resizing off": ["--resize_mode=no"],
    "img2dataset, no re-encoding": ["--resize_mode=no", "--disable_all_reencoding=True"],
}
OURS = "photojury, all checks"


class Run(NamedTuple):
    """One run: wall seconds, CPU seconds of all its processes, peak memory of the largest."""

    seconds: float
    cpu: float
    megabytes: float


Round = dict[str, Run]


def photograph(source: Path) -> bytes:
    """A picture at 800 x 533 as a JPEG of the quality that comes nearest to 126 KB."""
    picture = Image.open(source).convert("RGB").resize(SIDES, Image.Resampling.LANCZOS)
    made = []
    for quality in range(75, 96):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        made.append(file.getvalue())
    return min(made, key=lambda data: abs(len(data) - BYTES))


class _Answers(asyncio.Protocol):
    """Every path is a picture, whose bytes are its own by a comment of 60 letters (ITU T.81, B.2.4.5)."""

    photo = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            if path == b"/robots.txt":
                self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            body = b"\xff\xd8\xff\xfe\x00\x3e" + path[-60:].ljust(60) + self.photo[2:]
            start = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body)
            self._transport.write(start + body)
            if b"connection: close" in head.lower():
                self._transport.close()


def serve_forever(photo: Path, port: int) -> None:
    """Serve until killed, on the last core."""
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})
    _Answers.photo = photo.read_bytes()

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Answers, "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    asyncio.run(forever())


@contextmanager
def serving(photo: Path) -> Iterator[int]:
    """The server in a process of its own; yields its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen([sys.executable, __file__, "--serve", str(photo), str(port)])
    try:
        while True:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def addresses(port: int, count: int, mark: str) -> list[str]:
    return [f"http://127.0.0.1:{port}/{mark}/{number:07d}.jpg" for number in range(count)]


def photojury_job(folder: Path, port: int, count: int, threads: int) -> list[str]:
    """Make a study whose candidates are the addresses; returns the command that downloads them."""
    from photojury.datasets.store import create_study

    values: dict[tuple[str, str], object] = {
        ("download", "threads"): threads,
        ("download", "per_host_at_once"): threads,
        ("download", "per_host_per_second"): 0.0,
    }
    study = create_study(folder, "benchmark", values)
    rows = [
        {"source": "urls", "source_id": url, "state": "found", "seen_at": 0.0, "file_url": url}
        for url in addresses(port, count, folder.name)
    ]
    study.add("candidates", rows)
    study.close()
    code = (
        "import sys; from pathlib import Path; from photojury.datasets.store import open_study;"
        "from photojury.collect.download.download import download;"
        "print(download(open_study(Path(sys.argv[1]))).outcomes['stored'][''])"
    )
    return [sys.executable, "-c", code, str(folder)]


def img2dataset_job(python: Path, folder: Path, port: int, count: int, options: list[str]) -> list[str]:
    """Write a list of the addresses; returns the command that downloads them."""
    folder.mkdir()
    (folder / "urls.txt").write_text("\n".join(addresses(port, count, folder.name)))
    return [
        str(python.parent / "img2dataset"),
        f"--url_list={folder / 'urls.txt'}",
        f"--output_folder={folder / 'out'}",
        "--processes_count=1",
        "--thread_count=64",
        "--enable_wandb=False",
        *options,
    ]


def measure(command: list[str], folder: Path, count: int) -> Run:
    """Run a command on the first core, which must bring all images."""
    environment = {**os.environ, "PHOTOJURY_ALLOW_LOOPBACK": "1", "NO_ALBUMENTATIONS_UPDATE": "1"}
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            ["taskset", "-c", "0", *command], env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    brought = sum(1 for path in folder.rglob("*.jpg"))
    if process.returncode or brought != count:
        raise SystemExit(f"{command[0]} brought {brought} of {count}\n{text}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def environment(cache: Path) -> Path:
    """The Python of img2dataset's virtual environment, made where it is not there yet."""
    folder = cache / "img2dataset-1.47.0"
    python = folder / "bin" / "python"
    if not (folder / "bin" / "img2dataset").exists():
        click.echo(f"installing img2dataset into {folder}", err=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def one_round(python: Path, port: int, count: int, threads: int) -> Round:
    """Runs of everybody for so many images, one after another."""
    found: Round = {}
    with tempfile.TemporaryDirectory(prefix="photojury-benchmark-") as root:
        folder = Path(root) / "ours"
        found[OURS] = measure(photojury_job(folder, port, count, threads), folder / "images", count)
        shutil.rmtree(folder)
        for number, (name, options) in enumerate(PEERS.items()):
            folder = Path(root) / f"peer{number}"
            command = img2dataset_job(python, folder, port, count, options)
            found[name] = measure(command, folder / "out", count)
            shutil.rmtree(folder)
    return found


@click.command()
@click.option("--images", default=4000, show_default=True)
@click.option("--runs", default=3, show_default=True)
@click.option("--threads", default=8, show_default=True, help="Of photojury.")
@click.option(
    "--photo", type=click.Path(path_type=Path, exists=True), help="A photograph with sides of 3 to 2."
)
@click.option("--cache", type=click.Path(path_type=Path), default=Path.home() / ".cache/photojury-benchmarks")
@click.option("--json", "as_json", is_flag=True)
@click.option("--serve", nargs=2, hidden=True, help="PHOTO PORT")
def main(
    images: int,
    runs: int,
    threads: int,
    photo: Path | None,
    cache: Path,
    as_json: bool,
    serve: tuple[str, str] | None,
) -> None:
    """Time photojury and img2dataset over the same photographs."""
    if serve:
        serve_forever(Path(serve[0]), int(serve[1]))
        return
    python = environment(cache)
    shared = Path(__file__).parents[2] / "shared" / "data" / "photos" / "immich_craft_beer.jpg"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo.jpg"
        file.write_bytes(photograph(photo or shared))
        click.echo(
            f"{images:,} images of {file.stat().st_size:,} bytes, {SIDES[0]} x {SIDES[1]}, Python "
            f"{sys.version.split()[0]}, load average {os.getloadavg()[0]:.2f}"
        )
        with serving(file) as port:
            starts = one_round(python, port, 1, threads)
            rounds = [one_round(python, port, images, threads) for _ in range(runs)]
    show(rounds, starts, images, as_json)


def show(rounds: list[Round], starts: Round, images: int, as_json: bool) -> None:
    """Print a row for each: images a second, and how many times as many photojury does."""
    table = {name: _row([one[name] for one in rounds], starts[name], images) for name in rounds[0]}
    if as_json:
        click.echo(json.dumps(table))
        return
    ours = table[OURS]
    click.echo(f"{'images a second':<30}    best  median   ratio   start   CPU/image   ratio   peak MB")
    for name, row in table.items():
        click.echo(
            f"{name:<30} {row['best']:>7.0f} {row['median']:>7.0f} {ours['median'] / row['median']:>6.2f}x "
            f"{row['start']:>5.1f} s {row['cpu']:>8.2f} ms {row['cpu'] / ours['cpu']:>6.2f}x {row['peak']:>8.0f}"
        )


def _row(runs: list[Run], start: Run, images: int) -> dict[str, float]:
    return {
        "best": images / min(run.seconds for run in runs),
        "median": images / statistics.median(run.seconds for run in runs),
        "start": start.seconds,
        "cpu": (statistics.median(run.cpu for run in runs) - start.cpu) / (images - 1) * 1000,
        "peak": max(run.megabytes for run in runs),
    }


if __name__ == "__main__":
    main()
