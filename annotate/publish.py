"""Publishing: planned HITs go to the marketplace, each exactly once, whatever happens on the way.

Takes in a study and a requester; writes hit ids into the hits table. A HIT is marked "publishing" before the
call that makes it, and carries its key in RequesterAnnotation. Each run first lists the marketplace's HITs and
finds out which ones were made, by a run that was killed or before the store was put back from a backup, however
long ago; for 24 hours the UniqueRequestToken also keeps the marketplace from making a second one, even if two
runs publish at the same time. (What is disposed of, 120 days after the last answer, no list shows.)

    >>> publish(study, connect(study.settings))     # doctest: +SKIP
    Published(new=72, found=1, batches=['stars-1'])
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from botocore.exceptions import ClientError

from photojury.annotate.batches import study_id
from photojury.annotate.images.hosting import addresses
from photojury.annotate.money.budget import check_budget
from photojury.annotate.quality.exclusions import requirements
from photojury.annotate.requester import Requester, service_errors, turk_code
from photojury.annotate.tasks import page
from photojury.annotate.tasks.kind import Kind, kind
from photojury.datasets import tables
from photojury.datasets.money import Cost, cost_of_hits
from photojury.datasets.store import Study
from photojury.errors import InputError

Row = Mapping[str, Any]

_HITS = tables.hits


@dataclass(frozen=True)
class Published:
    """What a run did: HITs made, HITs of an earlier run found again, the batches that these belong to."""

    new: int
    found: int
    batches: list[str]


def waiting(study: Study, batch: str | None = None) -> list[Row]:
    """The HITs that are not at the marketplace yet, in planned order; of one batch, or of all.

    Raises:
        InputError: there is no batch of that name, or nothing was planned at all.
    """
    query = sa.select(_HITS).order_by(_HITS.c.batch, _HITS.c.hit_key)
    rows = study.rows(query if batch is None else query.where(_HITS.c.batch == batch))
    if not rows:
        known = sorted({row["batch"] for row in study.rows(sa.select(_HITS.c.batch))})
        raise InputError(
            f"there is no batch {batch}; there are {', '.join(known)}"
            if known
            else "nothing is planned yet; first: photojury annotate plan stars"
        )
    return [row for row in rows if row["state"] in ("planned", "publishing")]


def cost_of_new(study: Study, hits: Sequence[Row]) -> Cost:
    """What publishing the given HITs commits: those whose publication was begun are committed already."""
    new = [hit for hit in hits if hit["state"] == "planned"]
    return cost_of_hits(new, study.settings.market.fee_percent)


def publish(
    study: Study,
    requester: Requester,
    batch: str | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Published:
    """Make a HIT at the marketplace for each planned one; run again after a crash, it goes on.

    Raises:
        InputError: nothing is planned.
        Refused: the study's budget does not allow it.
        SettingsError: a page is too large for the marketplace.
        ServiceError: the marketplace refused or does not answer.
    """
    hits = waiting(study, batch)
    _check_marketplace(requester, hits)
    found = _reconcile(study, requester, hits)
    to_do = [hit for hit in hits if hit["hit_key"] not in found]
    check_budget(study, cost_of_new(study, to_do))
    address = addresses(study)
    units = {row["unit_id"]: row for row in study.rows(sa.select(tables.units))}
    types: dict[str, str] = {}
    for done, hit in enumerate(to_do, 1):
        task = kind(hit["task"])
        if hit["task"] not in types:
            types[hit["task"]] = _hit_type(study, requester, task, hit["reward"])
        html = _page(study, task, hit, units, address)
        _create(study, requester, hit, types[hit["task"]], page.question_xml(html, task))
        progress(done)
    return Published(len(to_do), len(found), sorted({hit["batch"] for hit in hits}))


def _page(study: Study, task: Kind, hit: Row, units: Mapping[str, Row], address: Callable[[str], str]) -> str:
    if task.page:
        return task.page(study, json.loads(hit["inputs"]))
    questions, examples = page.questions_of(hit, units), page.examples_of(study, task)
    return page.render(task, study.settings, hit["hit_key"], questions, address, examples=examples)


def annotation(study: Study, hit_key: str) -> str:
    """What a HIT's RequesterAnnotation says: which study's HIT it is."""
    return f"photojury study={study_id(study)} hit={hit_key}"


def _create(study: Study, requester: Requester, hit: Row, hit_type: str, question: str) -> None:
    _mark(study, hit["hit_key"], state="publishing", marketplace=requester.name)
    mark = annotation(study, hit["hit_key"])
    # Whatever goes wrong from here on leaves the HIT "publishing": the next run finds out whether it was made.
    with service_errors(requester.endpoint):
        try:
            answer = requester.client.create_hit_with_hit_type(
                HITTypeId=hit_type,
                MaxAssignments=hit["max_assignments"],
                LifetimeInSeconds=study.settings.market.lifetime_hours * 3600,
                Question=question,
                RequesterAnnotation=mark,
                UniqueRequestToken=hit["request_token"],
            )
            hit_id = answer["HIT"]["HITId"]
        except ClientError as error:
            # Another run made it with the same token within the last 24 hours.
            made = _listed(requester, {mark: hit["hit_key"]}) if _exists_already(error) else {}
            if hit["hit_key"] not in made:
                raise
            hit_id = made[hit["hit_key"]]
    _mark(study, hit["hit_key"], state="published", hit_id=hit_id, published_at=time.time())


def _check_marketplace(requester: Requester, hits: Sequence[Row]) -> None:
    elsewhere = {hit["marketplace"] for hit in hits if hit["state"] == "publishing"} - {requester.name}
    if elsewhere:
        other = ", ".join(sorted(elsewhere))
        raise InputError(
            f"publishing to {other} was interrupted, and only that marketplace knows which HITs it made; "
            f"publish there again before publishing to {requester.name}"
        )


def _exists_already(error: ClientError) -> bool:
    return turk_code(error).endswith("hitalreadyexists")


def _reconcile(study: Study, requester: Requester, hits: Sequence[Row]) -> dict[str, str]:
    """Hit ids of those HITs that the marketplace has made, by hit key; they are marked published."""
    if not hits:
        return {}
    with service_errors(requester.endpoint):
        made = _listed(requester, {annotation(study, hit["hit_key"]): hit["hit_key"] for hit in hits})
    for hit_key, hit_id in made.items():
        found = {"hit_id": hit_id, "marketplace": requester.name}
        _mark(study, hit_key, state="published", published_at=time.time(), **found)
    return made


def _listed(requester: Requester, marks: Mapping[str, str]) -> dict[str, str]:
    """Hit ids by hit key of the marketplace's HITs that carry one of the marks; the newest come first."""
    made: dict[str, str] = {}
    for answer in requester.client.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 100}):
        for item in answer["HITs"]:
            hit_key = marks.get(item.get("RequesterAnnotation", ""))
            if hit_key is not None:
                made[hit_key] = item["HITId"]
        if len(made) == len(marks):
            break
    return made


def _hit_type(study: Study, requester: Requester, task: Kind, reward: int) -> str:
    """The HIT type of a task's terms; the same terms give the same type, so this may be done again."""
    terms = task.terms(study.settings)
    with service_errors(requester.endpoint):
        answer = requester.client.create_hit_type(
            AutoApprovalDelayInSeconds=study.settings.market.auto_approval_hours * 3600,
            AssignmentDurationInSeconds=terms.assignment_minutes * 60,
            Reward=f"{reward / 100:.2f}",
            Title=terms.title,
            Keywords=terms.keywords,
            Description=terms.description,
            QualificationRequirements=requirements(study, requester),
        )
    return answer["HITTypeId"]


def _mark(study: Study, hit_key: str, **columns: object) -> None:
    with study.writing() as connection:
        connection.execute(sa.update(_HITS).where(_HITS.c.hit_key == hit_key).values(**columns))
