"""What a published batch asks of Prolific: a draft with one address for each HIT.

Takes in a study whose HITs are at the marketplace; gives out an `Offer`, and the JSON that makes it a draft at
Prolific. The study there is a Taskflow: one person does one HIT, and each HIT has as many places as it still
wants raters.

    >>> offer = offer_of(study, "stars-1")                              # doctest: +SKIP
    >>> body_of_study(study, offer)["access_details"][0]                # doctest: +SKIP
    {'external_url': 'https://rate.example.org/enter/prolific/3ABC?PROLIFIC_PID={{%PROLIFIC_PID%}}&...',
     'total_allocation': 10}
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from photojury.annotate.batches import study_id
from photojury.annotate.recruit.completion import completion_code
from photojury.annotate.recruit.wire import Json, is_safe, text_of
from photojury.annotate.tasks.kind import kind
from photojury.datasets import tables
from photojury.datasets.prolific import pid_of
from photojury.datasets.store import Study
from photojury.errors import InputError, SettingsError

Row = Mapping[str, Any]

_HITS, _ASSIGNMENTS, _WORKERS = tables.hits, tables.assignments, tables.workers

_DEVICES: dict[str, list[str]] = {"any": [], "desktop": ["desktop"], "mobile": ["mobile"]}
_LONGEST_MINUTES = 24 * 60 - 1  # a submission lasts less than 24 hours (api-reference, submission object)
_ENTRY = re.compile(r"/enter/prolific/([A-Z0-9]+)(?:\?|$)")


@dataclass(frozen=True)
class Offer:
    """What Prolific is asked for.

    Attributes:
        recruitment_id: ours, and Prolific's internal_name.
        batch: whose HITs.
        hits: rows of the hits table, of those that raters can still accept.
        wanted: how many people each of these HITs wants from Prolific, in the same order.
        reward: for one HIT, in minor units of the account's currency.
    """

    recruitment_id: str
    batch: str
    hits: list[Row]
    wanted: list[int]
    reward: int

    @property
    def places(self) -> int:
        """How many people all HITs want."""
        return sum(self.wanted)


def offer_of(study: Study, batch: str | None = None) -> Offer:
    """What a batch asks of Prolific; without a name, the only batch that is published.

    A HIT wants its assignments from Prolific, less those that raters who came otherwise have handed in.

    Raises:
        InputError: no such batch, its HITs are not all at the marketplace or all closed, or they pay differently.
    """
    name = batch_of(study, batch)
    hits = study.rows(sa.select(_HITS).where(_HITS.c.batch == name).order_by(_HITS.c.hit_key))
    waiting = [hit for hit in hits if hit["hit_id"] is None or hit["state"] in ("planned", "publishing")]
    if waiting:
        raise InputError(
            f"{len(waiting)} of {len(hits)} HITs of {name} are not at the marketplace yet, so nobody could do them; "
            f"first: photojury annotate publish --batch {name} --yes"
        )
    rewards = {hit["reward"] for hit in hits}
    if len(rewards) > 1:
        raise InputError(
            f"the HITs of {name} pay {', '.join(map(str, sorted(rewards)))} cents, but a study at Prolific pays "
            "everyone the same; plan batches of one reward each"
        )
    others = _answers_of_others(study, name)
    wanted = {
        hit["hit_key"]: hit["max_assignments"] - others[hit["hit_key"]]
        for hit in hits
        if hit["state"] in ("published", "paused")
    }
    chosen = [hit for hit in hits if wanted.get(hit["hit_key"], 0) > 0]
    if not chosen:
        raise InputError(
            f"the HITs of {name} want nobody any more: they are closed, or all their answers are in"
        )
    places = [wanted[hit["hit_key"]] for hit in chosen]
    return Offer(f"photojury-{study_id(study)}-{name}", name, [*chosen], places, rewards.pop())


def batch_of(study: Study, batch: str | None = None) -> str:
    """The name of a batch that was published; the only one, where none is named.

    Raises:
        InputError: there is none of that name, or none or several to choose from.
    """
    names: list[str] = sorted(row["batch"] for row in study.rows(sa.select(_HITS.c.batch).distinct()))
    if batch is not None and batch not in names:
        raise InputError(f"there is no batch {batch}; there are {', '.join(names) or 'none'}")
    if batch is not None:
        return batch
    out = sa.select(_HITS.c.batch).where(_HITS.c.hit_id.is_not(None)).distinct()
    names = sorted(row["batch"] for row in study.rows(out))
    if not names:
        raise InputError("no HIT is at the marketplace yet; first: photojury annotate publish --yes")
    if len(names) > 1:
        raise InputError(f"which batch? name one of {', '.join(names)} with --batch")
    return names[0]


def body_of_study(study: Study, offer: Offer, group_id: str | None = None) -> Json:
    """The draft as Prolific's API takes it.

    Args:
        study: the open study.
        offer: what is asked for.
        group_id: the participant group whose members do not see the study.

    Raises:
        SettingsError: prolific.site is not an address that Prolific can send people to.
    """
    ours = study.settings.prolific
    terms = kind(offer.hits[0]["task"]).terms(study.settings)
    blocklist = {"filter_id": "participant_group_blocklist", "selected_values": [group_id]}
    body: Json = {
        "name": terms.title,
        "internal_name": offer.recruitment_id,
        "description": terms.description,
        "prolific_id_option": "url_parameters",
        "access_details": access_details(study, offer),
        "total_available_places": offer.places,
        "reward": offer.reward,
        "estimated_completion_time": ours.minutes,
        "maximum_allowed_time": allowed_minutes(ours.minutes, terms.assignment_minutes),
        "completion_codes": [
            {
                "code": completion_code(study_id(study)),
                "code_type": "COMPLETED",
                "actions": [{"action": "MANUALLY_REVIEW"}],
            }
        ],
        "device_compatibility": _DEVICES[ours.device],
        "filters": [blocklist] if group_id else [],
        "submissions_config": {"max_submissions_per_participant": 1},
        "study_labels": ["annotation"],
    }
    if ours.project:
        body["project"] = ours.project
    return body


def access_details(study: Study, offer: Offer) -> list[Json]:
    """One address for each HIT, with as many places as it wants people; Prolific fills in the {{%...%}}.

    Raises:
        SettingsError: prolific.site is not an address that Prolific can send people to.
    """
    site = study.settings.prolific.site.rstrip("/")
    if not is_safe(site):
        raise SettingsError(
            f"prolific.site is {site!r}; write the worker site's public address, https://..., to which Prolific "
            "sends people"
        )
    query = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    return [
        {
            "external_url": f"{site}/enter/prolific/{hit['hit_id']}?{query}",
            "total_allocation": wanted,
        }
        for hit, wanted in zip(offer.hits, offer.wanted, strict=True)
    ]


def allowed_minutes(estimated: int, hit_minutes: int) -> int:
    """When a submission times out: as late as the HIT itself does, but not before Prolific's least.

    That is 2 + 2 t + 2 sqrt(t) minutes for an estimated t (api-reference, create study, maximum_allowed_time).
    """
    least = math.ceil(2 + 2 * estimated + 2 * math.sqrt(estimated))
    return min(_LONGEST_MINUTES, max(least, hit_minutes))


def hit_of(detail: Json) -> str:
    """The HIT id that an address of access_details leads to, whatever site it was made for."""
    found = _ENTRY.search(text_of(detail, "external_url"))
    return found.group(1) if found else ""


def _answers_of_others(study: Study, batch: str) -> Counter[str]:
    """By hit key: assignments of raters who did not come from Prolific."""
    query = (
        sa.select(_ASSIGNMENTS.c.hit_key, _WORKERS.c.worker_id)
        .join(_HITS, _ASSIGNMENTS.c.hit_key == _HITS.c.hit_key)
        .join(_WORKERS, _ASSIGNMENTS.c.rater_id == _WORKERS.c.rater_id)
        .where(_HITS.c.batch == batch, _ASSIGNMENTS.c.status != "Rejected")
    )
    return Counter(row["hit_key"] for row in study.rows(query) if pid_of(row["worker_id"]) is None)
