"""A client of Prolific's API: studies, submissions, bonuses, participant groups, webhooks.

Takes in PROLIFIC_TOKEN, and PHOTOJURY_PROLIFIC_URL for a stand-in; gives out a `Client` whose methods are the
API's calls, with the API's own JSON. Shapes: docs.prolific.com/api-reference, as of 2026-10.

    >>> worker_id_of("60ffe5c8371090c7041d43f8")
    'AP60FFE5C8371090C7041D43F8'
    >>> with connect() as client:                                       # doctest: +SKIP
    ...     client.cost(reward=200, places=30)
    8160
"""

import math
import os
from collections.abc import Iterator, Sequence
from typing import Self

from photojury.annotate.recruit.wire import Json, Wire, body_of, is_safe, number_of, object_of, text_of
from photojury.errors import ServiceError, SettingsError

BASE_URL = "https://api.prolific.com/api/v1"

PAGE = 100
"""Submissions asked for at once; Prolific's own default is 20."""


def connect() -> "Client":
    """A client for PROLIFIC_TOKEN.

    Raises:
        ServiceError: there is no token.
        SettingsError: PHOTOJURY_PROLIFIC_URL would send the token unencrypted over a network.
    """
    token = os.environ.get("PROLIFIC_TOKEN", "").strip()
    if not token:
        raise ServiceError(
            "PROLIFIC_TOKEN is not set; make a token at Prolific under Settings, API tokens, and set it in the environment"
        )
    base = os.environ.get("PHOTOJURY_PROLIFIC_URL") or BASE_URL
    if not is_safe(base):
        raise SettingsError(
            f"PHOTOJURY_PROLIFIC_URL must begin with https:// (or name this machine), not {base}"
        )
    return Client(Wire(token, base))


class Client:
    """Prolific's API, one method for each call; close it, or use it in a `with`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._wire.close()

    def me(self) -> Json:
        """The account: `id`, `currency_code`, ..."""
        return object_of(self._wire.ask("GET", "/users/me/"))

    # Studies

    def create_study(self, body: Json) -> Json:
        """Make a draft. Never repeated: look with `find_studies` whether it was made."""
        return object_of(self._wire.ask("POST", "/studies/", json=body, repeat=False))

    def study(self, study_id: str) -> Json:
        """One study, with its `status` and `access_details`."""
        return object_of(self._wire.ask("GET", f"/studies/{study_id}/"))

    def studies(self) -> Iterator[Json]:
        """All studies of the account, drafts too, in short."""
        return self._wire.pages("/studies/", {})

    def find_studies(self, internal_name: str) -> list[Json]:
        """The studies that carry our internal name."""
        return [study for study in self.studies() if study.get("internal_name") == internal_name]

    def move_study(self, study_id: str, action: str) -> Json:
        """PUBLISH, PAUSE, START or STOP a study. Never repeated: look at its status."""
        path = f"/studies/{study_id}/transition/"
        return object_of(self._wire.ask("POST", path, json={"action": action}, repeat=False))

    def add_places(self, study_id: str, more: Sequence[Json], total: int) -> Json:
        """Add to the allocations of a Taskflow study. Never repeated: what is sent is added each time.

        Args:
            study_id: Prolific's.
            more: access_details with the number to be added to each external_url.
            total: total_available_places after it.
        """
        body = {"access_details": list(more), "total_available_places": total}
        return object_of(self._wire.ask("PATCH", f"/studies/{study_id}/", json=body, repeat=False))

    def cost(self, reward: int, places: int) -> int:
        """What a study costs with Prolific's fees and taxes, in minor units of the account's currency."""
        body = {"reward": reward, "total_available_places": places}
        answer = object_of(self._wire.ask("POST", "/study-cost-calculator/", json=body))
        return math.ceil(number_of(answer, "total_cost"))

    def create_test_participant(self, email: str) -> str:
        """A participant for trying studies out; returns the id."""
        answer = self._wire.ask("POST", "/researchers/participants/", json={"email": email}, repeat=False)
        return text_of(object_of(answer), "participant_id")

    def create_test_study(self, study_id: str) -> Json:
        """A copy of a draft for the test participants: `study_id` and `study_url`. It costs nothing."""
        return object_of(self._wire.ask("POST", f"/studies/{study_id}/test-study", repeat=False))

    # Submissions

    def submissions(self, study_id: str) -> Iterator[Json]:
        """All submissions of a study: `id`, `participant_id`, `status`, `study_code`, ..."""
        return self._wire.pages("/submissions/", {"study": study_id}, PAGE)

    def submission(self, submission_id: str) -> Json:
        """One submission, with the `bonus_payments` made on it, in minor units."""
        return object_of(self._wire.ask("GET", f"/submissions/{submission_id}/"))

    def approve(self, submission_id: str) -> Json:
        """Approve and so pay a submission; doing it twice pays once."""
        path = f"/submissions/{submission_id}/transition/"
        return object_of(self._wire.ask("POST", path, json={"action": "APPROVE"}))

    def approve_many(self, submission_ids: Sequence[str]) -> None:
        """Approve up to 1000 submissions; Prolific does it in the background."""
        self._wire.ask("POST", "/submissions/bulk-approve/", json={"submission_ids": list(submission_ids)})

    def set_up_bonuses(self, study_id: str, amounts: Sequence[tuple[str, int]]) -> Json:
        """Tell Prolific of up to 200 bonuses, (submission id, minor units) each; nothing is paid yet."""
        lines = [f"{submission},{cents // 100}.{cents % 100:02d}" for submission, cents in amounts]
        body = {"study_id": study_id, "csv_bonuses": "\n".join(lines)}
        return object_of(self._wire.ask("POST", "/submissions/bonus-payments/", json=body, repeat=False))

    def pay_bonuses(self, bulk_id: str) -> None:
        """Pay what was set up. Never repeated: Prolific pays again each time it is asked."""
        self._wire.ask("POST", f"/bulk-bonus-payments/{bulk_id}/pay/", repeat=False)

    # Participant groups

    def groups(self, workspace_id: str) -> Iterator[Json]:
        """The participant groups of a workspace."""
        return self._wire.pages("/participant-groups/", {"workspace_id": workspace_id, "active": "true"})

    def create_group(self, workspace_id: str, name: str, description: str) -> Json:
        """Make an empty participant group. Never repeated."""
        body = {"workspace_id": workspace_id, "name": name, "description": description}
        return object_of(self._wire.ask("POST", "/participant-groups/", json=body, repeat=False))

    def members(self, group_id: str) -> set[str]:
        """The participants in a group."""
        pages = self._wire.pages(f"/participant-groups/{group_id}/participants/", {})
        return {text_of(member, "participant_id") for member in pages}

    def change_members(self, method: str, group_id: str, pids: Sequence[str]) -> None:
        """POST participants into a group, or DELETE them from it; those there, or not there, are passed over."""
        path = f"/participant-groups/{group_id}/participants/"
        self._wire.ask(method, path, json={"participant_ids": list(pids)})

    # Webhooks

    def create_hook_secret(self, workspace_id: str) -> str:
        """A new secret that signs a workspace's webhooks; an older one ends."""
        body = {"workspace_id": workspace_id}
        return text_of(object_of(self._wire.ask("POST", "/hooks/secrets/", json=body, repeat=False)), "value")

    def hooks(self, workspace_id: str) -> Iterator[Json]:
        """The subscriptions of a workspace that are enabled."""
        return self._wire.pages("/hooks/subscriptions/", {"workspace_id": workspace_id})

    def subscribe(self, workspace_id: str, event_type: str, target_url: str) -> str:
        """Have events sent to a URL, and confirm that we mean it; returns the subscription's id."""
        body = {"workspace_id": workspace_id, "event_type": event_type, "target_url": target_url}
        answer = self._wire.send("POST", "/hooks/subscriptions/", json=body, repeat=False)
        subscription = text_of(object_of(body_of(answer)), "id")
        proof = {"secret": answer.headers.get("X-Hook-Secret", "")}
        self._wire.ask("POST", f"/hooks/subscriptions/{subscription}/", json=proof)
        return subscription
