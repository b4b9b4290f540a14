"""Publishing and fetching through boto3: each HIT and each answer once, also when a run is killed."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.publish import annotation, publish
from photojury.annotate.requester import Requester, connect
from photojury.annotate.simulate import drawn_truth, panel, simulate
from photojury.annotate.visitor import Visitor
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError
from tests.support import make_study, marketplace

Run = Callable[..., subprocess.CompletedProcess[str]]


def listed(requester: Requester) -> list[str]:
    """RequesterAnnotation of every HIT at the marketplace, by boto3 alone."""
    pages = requester.client.get_paginator("list_hits").paginate()
    return sorted(hit["RequesterAnnotation"] for page in pages for hit in page["HITs"])


def expected(study: Study) -> list[str]:
    """What must be there: one HIT for each planned one."""
    return sorted(annotation(study, key) for key in study.read("hits")["hit_key"])


def test_every_planned_hit_is_published_once(study: Study, requester: Requester) -> None:
    """Publishing makes a HIT for each planned one; publishing again makes none."""
    plan(study, "stars")
    done = publish(study, requester)
    assert (done.new, done.found, done.batches) == (6, 0, ["stars-1"])
    assert publish(study, requester).new == 0
    assert listed(requester) == expected(study)
    hits = study.read("hits")
    assert set(hits["state"]) == {"published"}
    assert set(hits["marketplace"]) == {"local"}
    hit = requester.client.get_hit(HITId=hits["hit_id"][0])["HIT"]
    assert (hit["MaxAssignments"], hit["Reward"], hit["AssignmentDurationInSeconds"]) == (3, "0.20", 1800)


class LosesAnswers:
    """A client whose network breaks after the marketplace has made the HIT."""

    def __init__(self, client: object) -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def create_hit_with_hit_type(self, **request: object) -> None:
        self._client.create_hit_with_hit_type(**request)  # type: ignore[attr-defined]
        raise KeyboardInterrupt


def test_a_lost_answer_makes_no_second_hit(study: Study, requester: Requester) -> None:
    """The HIT that was made although its answer was lost is found again, not made again."""
    plan(study, "stars")
    with pytest.raises(KeyboardInterrupt):
        publish(study, Requester(LosesAnswers(requester.client), requester.endpoint))  # type: ignore[arg-type]
    assert sorted(study.read("hits")["state"]) == ["planned"] * 5 + ["publishing"]
    done = publish(study, requester)
    assert (done.new, done.found) == (5, 1)
    assert listed(requester) == expected(study)


def test_an_interrupted_publication_goes_on_at_the_same_marketplace(
    study: Study, requester: Requester
) -> None:
    """Another marketplace cannot know what the first one made, so publishing there is refused."""
    plan(study, "stars")
    with study.writing() as connection:
        connection.execute(sa.update(tables.hits).values(state="publishing", marketplace="https://elsewhere"))
    with pytest.raises(InputError, match="publish there again before publishing to local"):
        publish(study, requester)
    assert listed(requester) == []


def killed_at(
    command: list[str], study: Study, table: sa.Table, state: "sa.ColumnElement[bool]", rows: int
) -> int:
    """Start a command, kill -9 it once that many rows are in the state; returns how many were in the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    query = sa.select(sa.func.count()).select_from(table).where(state)
    with study.engine.connect() as connection:
        while connection.execute(query).scalar_one() < rows and process.poll() is None:
            connection.rollback()
            time.sleep(random.Random(rows).uniform(0, 0.01))
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    with study.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


@pytest.fixture
def long_study(tmp_path: Path) -> Study:
    """A study of 44 HITs with one picture each, so that there are many points to be killed at."""
    values: dict[tuple[str, str], object] = {("stars", "images_per_hit"): 1, ("stars", "raters_per_image"): 2}
    return make_study(tmp_path, 44, values)


def test_kill_minus_nine(long_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at ten points of publishing and ten of fetching: one HIT a planned one, every answer once."""
    study, random_point = long_study, random.Random(4)
    plan(study, "stars")
    photojury = [sys.executable, "-m", "photojury", "annotate"]
    where = ["--study", str(study.folder)]
    with marketplace(study) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        requester = connect(study.settings)
        touched = tables.hits.c.state != "planned"
        points = sorted(random_point.sample(range(1, 44), 10))
        reached = [
            killed_at([*photojury, "publish", "--yes", *where], study, tables.hits, touched, n)
            for n in points
        ]
        assert len(set(reached)) >= 5, f"the kills must fall on many points, not on {reached}"
        subprocess.run([*photojury, "publish", "--yes", *where], check=True, stdout=subprocess.DEVNULL)
        assert listed(requester) == expected(study)
        assert study.read("hits")["hit_id"].is_unique

        simulate(url, panel(2, seed=1, careless=0), drawn_truth(study), seed=1)
        points = sorted(random_point.sample(range(1, 88), 10))
        always = tables.assignments.c.assignment_id != ""
        reached = [
            killed_at([*photojury, "fetch", *where], study, tables.assignments, always, n) for n in points
        ]
        assert len(set(reached)) >= 5, f"the kills must fall on many points, not on {reached}"
        subprocess.run([*photojury, "fetch", *where], check=True, stdout=subprocess.DEVNULL)
    submitted = submitted_at_the_marketplace(study)
    ratings = study.read("ratings")
    assert len(submitted) == 88
    assert sorted(study.read("assignments")["assignment_id"]) == submitted
    assert sorted(ratings["assignment_id"]) == submitted
    assert not ratings.duplicated(["rater_id", "image_id"]).any()
    assert ratings["simulated"].all()
    study.close()


def submitted_at_the_marketplace(study: Study) -> list[str]:
    """Assignment ids from the marketplace's own book, read without any of the code under test."""
    with study.engine.connect() as connection:
        query = "SELECT assignment_id FROM market_assignments WHERE status = 'Submitted' ORDER BY 1"
        return list(connection.exec_driver_sql(query).scalars())


BAD_ANSWERS = """[
  {"unit": "UNIT0", "shown": ["IMAGE0"], "value": 2, "position": 0, "ms": 800},
  {"unit": "UNIT1", "shown": ["IMAGE1"], "value": 7, "position": 1, "ms": 800},
  {"unit": "UNIT2", "shown": ["unknown"], "value": 2, "position": 2, "ms": 800}
]"""


def test_bad_answers_are_named_and_the_rest_kept(study: Study, site: str, photojury: Run) -> None:
    """A missing field, an unknown image and a value out of range: one sentence each, and the good rows stay."""
    plan(study, "stars")
    publish(study, connect(study.settings))
    with Visitor(site) as visitor:
        task = visitor.next_task()
        assert task is not None
        text = BAD_ANSWERS
        for number, unit in enumerate(task.data["units"][:3]):
            image = unit["pictures"][0].rsplit("/", 1)[-1].split(".")[0]
            text = text.replace(f"UNIT{number}", unit["unit"]).replace(f"IMAGE{number}", image)
        visitor.submit(task, {"answers": text})
        task = visitor.next_task()
        assert task is not None
        visitor.submit(task, {"comment": "no field called answers"})
    simulate(site, panel(1, seed=1, careless=0), drawn_truth(study), seed=1)
    done = photojury("annotate", "fetch")
    assert done.returncode == 0, done.stderr
    for sentence in (
        "answer 2 has the value 7; allowed are 1, 2, 3",
        "names pictures that unit",
        "1 of 4 pictures have no answer",
        "it has no field called answers",
    ):
        assert done.stderr.count(sentence) == 1, done.stderr
    assert "8 new assignments: 25 ratings" in done.stdout
    assignments = study.read("assignments")
    assert assignments["use"].sum() == 7
    assert assignments.loc[~assignments["use"], "reason"].tolist() == ["it has no field called answers"]


def test_what_to_do_is_said(study: Study, photojury: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing planned, nothing published, no confirmation, no marketplace: a sentence and an exit status each."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", "http://127.0.0.1:9")
    assert "first: photojury annotate plan stars" in photojury("annotate", "publish").stderr
    assert photojury("annotate", "fetch").returncode == 2
    photojury("annotate", "plan", "stars")
    refused = photojury("annotate", "publish")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert (
        "publishing 6 HITs will cost up to $4.32 ($3.60 to raters, $0.72 fees); say so with --yes"
        in refused.stderr
    )
    unreachable = photojury("annotate", "publish", "--yes")
    assert unreachable.returncode == 5
    assert "does not answer; start it in another terminal: photojury market serve" in unreachable.stderr
    with study.writing() as connection:
        connection.execute(sa.update(tables.hits).values(state="published", hit_id="3ABC"))
    with pytest.raises(ServiceError, match="does not answer"):
        fetch(study, connect(study.settings))
