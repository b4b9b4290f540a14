"""Publishing and fetching through boto3: each HIT and each answer once (see test_faults.py for kill -9)."""

import subprocess
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.publish import annotation, publish
from photojury.annotate.requester import Requester, connect
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.annotate.simulation.visitor import Visitor
from photojury.datasets import tables
from photojury.datasets.store import Study
from photojury.errors import InputError, ServiceError

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


def test_an_assignment_comes_with_its_answers(study: Study, site: str, requester: Requester) -> None:
    """A fetch that dies after writing an assignment and before its ratings leaves neither; the next brings both."""
    plan(study, "stars")
    publish(study, requester)
    simulate(site, panel(1, seed=1, careless=0), drawn_truth(study), seed=1)

    def die_at_ratings(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO ratings"):
            raise KeyboardInterrupt

    sa.event.listen(study.engine, "before_cursor_execute", die_at_ratings)
    with pytest.raises(KeyboardInterrupt):
        fetch(study, requester)
    sa.event.remove(study.engine, "before_cursor_execute", die_at_ratings)
    assert study.count("assignments") == 0
    came = fetch(study, requester)
    assert (came.assignments, came.ratings) == (6, 24)


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
