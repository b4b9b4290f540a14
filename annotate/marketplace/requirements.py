"""Qualification requirements: checked when a HIT type is made, weighed when a worker reaches for a HIT.

Takes in a requirement list as boto3 sends it; gives out what a worker may do: discover, preview, accept.
After the QualificationRequirement data structure of MTurk's API reference, 2017-01-17.

    >>> check_form({"QualificationTypeId": MASTERS, "Comparator": "Exists"})
    >>> guards({"ActionsGuarded": "PreviewAndAccept"})
    ('preview', 'accept')
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from photojury.annotate.marketplace.books import Market
from photojury.annotate.marketplace.requesters.protocol import RequestError
from photojury.annotate.marketplace.tables import assignments, qualification_types, qualifications, workers

Requirement = Mapping[str, Any]

APPROVED_HITS = "00000000000000000040"
LOCALE = "00000000000000000071"
ADULT = "00000000000000000060"
APPROVED_PERCENT = "000000000000000000L0"
MASTERS = "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH"
MASTERS_SANDBOX = "2ARFPLSP75KLA8M8DH1HTEQVJT3SY6"

SYSTEM = {
    APPROVED_HITS: "Worker_NumberHITsApproved",
    LOCALE: "Worker_Locale",
    ADULT: "Worker_Adult",
    APPROVED_PERCENT: "Worker_PercentAssignmentsApproved",
    MASTERS: "Masters",
    MASTERS_SANDBOX: "Masters",
}
"""MTurk's own qualification types; nobody here is a Master."""

MOST = 10
"""Requirements of one HIT type."""

_MOST_INTEGERS, _MOST_LOCALES = 15, 30
_PERCENT_FROM = 100  # submitted assignments; until then the percentage reads 100
_GUARDS = {
    "Accept": ("accept",),
    "PreviewAndAccept": ("preview", "accept"),
    "DiscoverPreviewAndAccept": ("discover", "preview", "accept"),
}
_ORDERS = {
    "LessThan": lambda value, wanted: value < wanted,
    "LessThanOrEqualTo": lambda value, wanted: value <= wanted,
    "GreaterThan": lambda value, wanted: value > wanted,
    "GreaterThanOrEqualTo": lambda value, wanted: value >= wanted,
}


def check(market: Market, requirements: Sequence[Requirement]) -> str:
    """Check a requirement list and give it as the JSON that is stored.

    Raises:
        RequestError: too many, of a form that MTurk does not take, or of a type that is not there or not active.
    """
    if len(requirements) > MOST:
        raise _invalid(f"A HIT type has at most {MOST} QualificationRequirements, not {len(requirements)}")
    for requirement in requirements:
        check_form(requirement)
        if requirement["QualificationTypeId"] not in SYSTEM:
            _check_type(market, requirement["QualificationTypeId"])
    return json.dumps([_complete(requirement) for requirement in requirements], sort_keys=True)


def _check_type(market: Market, type_id: str) -> None:
    """Check that HITs can be made with a type: an Active one of the account's own."""
    query = sa.select(qualification_types.c.status).where(
        qualification_types.c.qualification_type_id == type_id,
        qualification_types.c.account == market.account,
        qualification_types.c.deleted_at.is_(None),
    )
    row = market.row(query)
    if row is None:
        raise RequestError("QualificationTypeDoesNotExist", f"QualificationType {type_id} does not exist.")
    if row["status"] != "Active":
        raise RequestError(
            "InvalidQualificationTypeState", "This operation can be called with a status of: Active"
        )


def outlived(market: Market, stored: str) -> bool:
    """Whether a HIT type asks for a qualification type that was deleted: it is deleted with it."""
    named = [requirement["QualificationTypeId"] for requirement in json.loads(stored)]
    query = sa.select(qualification_types.c.qualification_type_id).where(
        qualification_types.c.qualification_type_id.in_(named),
        qualification_types.c.deleted_at.is_not(None),
    )
    return bool(named) and bool(market.rows(query))


def check_form(requirement: Requirement) -> None:
    """Check comparator, values and guard of one requirement.

    Raises:
        RequestError: InvalidParameterValue, saying which rule it breaks.
    """
    comparator = requirement["Comparator"]
    integers, locales = requirement.get("IntegerValues", []), requirement.get("LocaleValues", [])
    if requirement.get("RequiredToPreview") is not None and "ActionsGuarded" in requirement:
        raise _invalid("Give either ActionsGuarded or RequiredToPreview, which it replaces")
    if comparator in ("Exists", "DoesNotExist"):
        if integers or locales:
            raise _invalid(f"The comparator {comparator} takes no values")
        return
    if integers and locales:
        raise _invalid("Give IntegerValues or LocaleValues, not both")
    if (requirement["QualificationTypeId"] == LOCALE) != bool(locales):
        raise _invalid("Worker_Locale is compared with LocaleValues, every other type with IntegerValues")
    several = comparator in ("In", "NotIn")
    most = (_MOST_LOCALES if locales else _MOST_INTEGERS) if several else 1
    if not 1 <= len(integers or locales) <= most:
        raise _invalid(f"The comparator {comparator} takes 1 to {most} values" if several else
                       f"The comparator {comparator} takes one value")  # fmt: skip
    if locales and comparator in _ORDERS:
        raise _invalid(f"Locales have no order: {comparator} cannot compare them")


def guards(requirement: Requirement) -> tuple[str, ...]:
    """What a worker who does not meet a requirement must not do."""
    default = "PreviewAndAccept" if requirement.get("RequiredToPreview") else "Accept"
    return _GUARDS[requirement.get("ActionsGuarded", default)]


def unmet(market: Market, worker_id: str | None, stored: str) -> list[Requirement]:
    """The requirements of a HIT type that a worker does not meet; of someone unknown, all but DoesNotExist."""
    found: list[Requirement] = []
    for requirement in json.loads(stored):
        type_id = requirement["QualificationTypeId"]
        held, value = (False, None) if worker_id is None else standing(market, worker_id, type_id)
        if not _meets(requirement, held=held, value=value):
            found.append(requirement)
    return found


def may(action: str, missing: Sequence[Requirement]) -> bool:
    """Whether a worker with these unmet requirements may discover, preview or accept."""
    return not any(action in guards(requirement) for requirement in missing)


def standing(market: Market, worker_id: str, type_id: str) -> tuple[bool, Any]:
    """Whether a worker has a qualification, and its value: a number, a (country, subdivision), or None."""
    if type_id in (MASTERS, MASTERS_SANDBOX):
        return False, None
    if type_id in (APPROVED_HITS, APPROVED_PERCENT):
        return True, _approved(market, worker_id, percent=type_id == APPROVED_PERCENT)
    if type_id in (LOCALE, ADULT):
        row = market.row(sa.select(workers).where(workers.c.worker_id == worker_id))
        if row is None or (type_id == LOCALE and row["country"] is None):
            return False, None
        return True, int(row["adult"]) if type_id == ADULT else (row["country"], row["subdivision"])
    query = sa.select(qualifications.c.value).where(
        qualifications.c.qualification_type_id == type_id,
        qualifications.c.worker_id == worker_id,
        qualifications.c.status == "Granted",
    )
    row = market.row(query)
    return (False, None) if row is None else (True, row["value"])


def _approved(market: Market, worker_id: str, *, percent: bool) -> int:
    status = assignments.c.status
    query = sa.select(status, sa.func.count().label("number")).where(assignments.c.worker_id == worker_id)
    number: dict[str, int] = {row["status"]: row["number"] for row in market.rows(query.group_by(status))}
    approved, rejected = number.get("Approved", 0), number.get("Rejected", 0)
    if not percent:
        return approved
    submitted = approved + rejected + number.get("Submitted", 0)
    return 100 if submitted < _PERCENT_FROM else round(100 * approved / max(1, approved + rejected))


def _meets(requirement: Requirement, *, held: bool, value: Any) -> bool:
    comparator: str = requirement["Comparator"]
    if comparator in ("Exists", "DoesNotExist"):
        return held == (comparator == "Exists")
    if not held or value is None:
        return False
    if "LocaleValues" in requirement:
        # A country alone stands for all its subdivisions.
        same = any(
            value[0] == place["Country"] and place.get("Subdivision") in (None, value[1])
            for place in requirement["LocaleValues"]
        )
        return same == (comparator in ("EqualTo", "In"))
    wanted = requirement["IntegerValues"]
    if comparator in _ORDERS:
        return bool(_ORDERS[comparator](value, wanted[0]))
    return (value in wanted) == (comparator in ("EqualTo", "In"))


def _complete(requirement: Requirement) -> dict[str, Any]:
    guarded = guards(requirement)
    name = next(name for name, actions in _GUARDS.items() if actions == guarded)
    return {**requirement, "RequiredToPreview": "preview" in guarded, "ActionsGuarded": name}


def _invalid(sentence: str) -> RequestError:
    return RequestError("InvalidParameterValue", f"{sentence}.")
