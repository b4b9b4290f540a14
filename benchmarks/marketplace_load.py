"""The worker site under 500 workers at once: submissions a second, waiting times, and whether every answer is kept.

Makes a study with pictures and HITs, serves its marketplace in processes of its own, and lets workers join,
accept, look (page, question, pictures), think, and hand in, all over loopback, until a fixed number of answers is
in. Then it counts: none lost, none assigned over the limit.

Run: python benchmarks/marketplace_load.py [--database sqlite|postgresql] [--workers 500] [--think 30] [--answers 1500]
"""

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa
from PIL import Image

from photojury.annotate.batches import plan
from photojury.annotate.marketplace import tables
from photojury.annotate.publish import publish
from photojury.annotate.requester import connect
from photojury.collect.sources.folder import collect_folder
from photojury.datasets.splits import split
from photojury.datasets.store import Study, create_study

PICTURES, PER_HIT, RATERS = 400, 10, 50
KEPT_ALIVE = 4.0  # seconds; the server closes an idle connection after five
LONGEST = 600.0  # seconds, after which the run is given up


@contextmanager
def postgres(home: Path) -> Iterator[str]:
    """A throw-away PostgreSQL server on a socket in `home`."""
    program = max(Path("/usr/lib/postgresql").glob("*/bin/initdb")).parent
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        home.chmod(0o755)
        shutil.chown(home, "postgres")
    data = home / "data"
    initdb = [str(program / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "-N"]
    subprocess.run([*user, *initdb], check=True, stdout=subprocess.DEVNULL)
    options = f"-k {home} -c listen_addresses='' -c max_connections=200"
    command = [str(program / "pg_ctl"), "-D", str(data), "-w", "-l", str(home / "log"), "-o", options]
    subprocess.run([*user, *command, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield f"postgresql://bench@/postgres?host={home}"
    finally:
        subprocess.run([*user, *command, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL)


def make_study(folder: Path, store: str) -> Study:
    """A study of small noisy pictures, one batch of stars planned."""
    photos = folder / "photos"
    photos.mkdir()
    for number in range(PICTURES):
        noise = random.Random(number).randbytes(160 * 120 * 3)
        Image.frombytes("RGB", (160, 120), noise).save(photos / f"{number:04d}.jpg")
    study = create_study(
        folder / "study",
        "load",
        {
            ("study", "store"): store,
            ("stars", "images_per_hit"): PER_HIT,
            ("stars", "raters_per_image"): RATERS,
            ("quality", "repeats"): 0.0,
        },
    )
    collect_folder(study, photos)
    split(study)
    plan(study, "stars")
    return study


@contextmanager
def served(study: Study) -> Iterator[str]:
    """One marketplace process, on a free port."""
    command = [sys.executable, "-m", "photojury", "market", "serve", "--port", "0"]
    command += ["--study", str(study.folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split()[2]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


class Browser:
    """One worker's connection: HTTP/1.1 with keep-alive, a cookie, and the time of every request."""

    def __init__(self, site: str, times: dict[str, list[float]]) -> None:
        parts = urlsplit(site)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.times, self.cookie = times, ""
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.used_at = 0.0
        self.cached: set[str] = set()

    async def send(self, kind: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """One request; returns status, Location and body, and books how long it took under `kind`."""
        if self.streams is not None and time.perf_counter() - self.used_at > KEPT_ALIVE:
            self.streams[1].close()
            self.streams = None
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        body = urlencode(form).encode() if form is not None else b""
        head = [f"{'GET' if form is None else 'POST'} {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        if self.cookie:
            head.append(f"Cookie: {self.cookie}")
        if form is not None:
            head += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        started = time.perf_counter()
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = answer.split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:] if line)}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        self.used_at = time.perf_counter()
        self.times[kind].append(self.used_at - started)
        if "set-cookie" in headers:
            self.cookie = headers["set-cookie"].split(";")[0]
        return int(lines[0].split()[1]), headers.get("location", ""), content.decode("latin-1")

    async def join(self) -> None:
        """Become a (simulated) worker."""
        _, _, page = await self.send("page", "/join")
        await self.send("page", "/join", {"csrf": csrf_of(page), "next": "/", "simulated": "1"})

    async def work(self, group: str, think: float) -> bool:
        """Do one HIT; False where nothing is left."""
        _, _, page = await self.send("page", f"/projects/{group}/tasks")
        if 'id="accept"' not in page:
            return False
        _, here, _ = await self.send("accept", f"/projects/{group}/accept", {"csrf": csrf_of(page)})
        if not here.startswith("/tasks/"):
            return False
        _, _, page = await self.send("page", here)
        found = re.search(r'<iframe id="task"[^>]* src="([^"]+)"', page)
        assert found, page
        _, _, question = await self.send("page", found[1].replace("&amp;", "&"))
        data = json.loads(question.partition('id="task-data">')[2].partition("</script>")[0])
        for unit in data["units"]:
            for picture in set(unit["pictures"]) - self.cached:
                await self.send("picture", picture)
                self.cached.add(picture)
        await asyncio.sleep(random.uniform(0.5, 1.5) * think)
        answers = [
            {"unit": unit["unit"], "shown": [picture.rsplit("/", 1)[-1].split(".")[0] for picture in unit["pictures"]],
             "value": 2, "position": at, "ms": 900}
            for at, unit in enumerate(data["units"])
        ]  # fmt: skip
        form = {"assignmentId": here.rsplit("/", 1)[-1], "answers": json.dumps(answers), "page": "{}"}
        status, after, _ = await self.send("submit", "/mturk/externalSubmit", form)
        assert status == 303, status
        await self.send("page", after)
        return True


def csrf_of(page: str) -> str:
    """The csrf value of a page."""
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found, page
    return found[1]


async def run(
    sites: list[str], group: str, workers: int, think: float, answers: int
) -> tuple[int, float, dict[str, list[float]]]:
    """Let workers work until so many answers are in; returns answers, seconds and times by kind of request."""
    joining: dict[str, list[float]] = defaultdict(list)
    times: dict[str, list[float]] = defaultdict(list)
    browsers = [Browser(sites[number % len(sites)], joining) for number in range(workers)]
    for at in range(0, workers, 20):
        await asyncio.gather(*(browser.join() for browser in browsers[at : at + 20]))
    for browser in browsers:
        browser.times = times
    done = 0
    started = time.perf_counter()

    async def one(browser: Browser) -> None:
        nonlocal done
        # People do not come in the same second.
        await asyncio.sleep(random.uniform(0, think))
        while done < answers and await browser.work(group, think):
            done += 1

    async with asyncio.timeout(LONGEST):
        await asyncio.gather(*(one(browser) for browser in browsers))
    return done, time.perf_counter() - started, times


def check(study: Study, done: int) -> None:
    """What was handed in is in the books, and no HIT has more assignments than it offers."""
    with study.engine.connect() as connection:
        kept = connection.execute(
            sa.select(sa.func.count()).where(tables.assignments.c.status == "Submitted")
        ).scalar_one()
        counts = sa.select(sa.func.count().label("n")).select_from(tables.assignments)
        taken = counts.group_by(tables.assignments.c.hit_id).subquery()
        most = connection.execute(sa.select(sa.func.max(taken.c.n))).scalar_one()
        double = connection.execute(
            sa.select(sa.func.count())
            .select_from(tables.assignments)
            .group_by(tables.assignments.c.hit_id, tables.assignments.c.worker_id)
            .having(sa.func.count() > 1)
        ).first()
    assert kept == done, f"{done} were handed in, {kept} are kept"
    assert most <= RATERS, f"a HIT of {RATERS} has {most}"
    assert double is None, "somebody did a HIT twice"


def main() -> None:
    """Measure one database and print a row of a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument(
        "--think", type=float, default=30.0, help="mean seconds between seeing and handing in"
    )
    parser.add_argument("--answers", type=int, default=1500)
    parser.add_argument("--processes", type=int, default=0)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        (folder / "pg").mkdir()
        store = stack.enter_context(postgres(folder / "pg")) if given.database == "postgresql" else ""
        study = make_study(folder, store)
        processes = given.processes or (2 if store else 1)
        sites = [stack.enter_context(served(study)) for _ in range(processes)]
        os.environ["AWS_ENDPOINT_URL_MTURK"] = sites[0]
        publish(study, connect(study.settings))
        with study.engine.connect() as connection:
            group = connection.execute(sa.select(tables.hit_types.c.hit_group_id)).scalar_one()
        done, seconds, times = asyncio.run(run(sites, group, given.workers, given.think, given.answers))
        check(study, done)
        study.close()
    cells = [f"{given.database}, {processes} process{'es' if processes > 1 else ''}", f"{given.workers}"]
    cells += [f"{given.think:g} s", f"{done}", f"{done / seconds:.1f}"]
    for kind in ("page", "accept", "submit", "picture"):
        parts = statistics.quantiles(times[kind], n=20)
        cells.append(f"{parts[9] * 1000:.0f} / {parts[18] * 1000:.0f}")
    sys.stdout.write("| " + " | ".join(cells) + " |\n")


if __name__ == "__main__":
    main()
