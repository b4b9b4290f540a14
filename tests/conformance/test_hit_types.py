"""HIT types: CreateHITType, UpdateHITTypeOfHIT, and the requirements that a type may have."""

from typing import Any

import pytest

from tests.conformance.place import Place
from tests.conformance.wire import invalid, refusal

OUT_OF_BOUNDS: list[tuple[str, Any]] = [
    ("Title", "x" * 129),
    ("Title", ""),
    ("Description", "x" * 2001),
    ("Description", ""),
    ("Keywords", "x" * 1001),
    ("Reward", "0.201"),
    ("Reward", "-1"),
    ("AssignmentDurationInSeconds", 29),
    ("AssignmentDurationInSeconds", 31_536_001),
    ("AutoApprovalDelayInSeconds", -1),
    ("AutoApprovalDelayInSeconds", 2_592_001),
]
"""CreateHIT operation page of 2014, the limits that 2017-01-17 left as they were."""

LOCALE, ADULT = "00000000000000000071", "00000000000000000060"
PLACE = [{"Country": "DE"}]
BAD_REQUIREMENTS: list[dict[str, Any]] = [
    {"QualificationTypeId": ADULT, "Comparator": "Exists", "IntegerValues": [1]},
    {"QualificationTypeId": ADULT, "Comparator": "DoesNotExist", "IntegerValues": [1]},
    {"QualificationTypeId": ADULT, "Comparator": "EqualTo"},
    {"QualificationTypeId": ADULT, "Comparator": "EqualTo", "IntegerValues": [1, 2]},
    {"QualificationTypeId": ADULT, "Comparator": "EqualTo", "LocaleValues": PLACE},
    {"QualificationTypeId": ADULT, "Comparator": "In", "IntegerValues": list(range(16))},
    {"QualificationTypeId": LOCALE, "Comparator": "In", "LocaleValues": PLACE * 31},
    {"QualificationTypeId": LOCALE, "Comparator": "EqualTo", "LocaleValues": PLACE * 2},
    {"QualificationTypeId": LOCALE, "Comparator": "LessThan", "LocaleValues": PLACE},
    {"QualificationTypeId": LOCALE, "Comparator": "EqualTo", "IntegerValues": [1]},
    {"QualificationTypeId": LOCALE, "Comparator": "EqualTo", "LocaleValues": [{"Country": "Germany"}]},
    {
        "QualificationTypeId": ADULT, "Comparator": "EqualTo", "IntegerValues": [1],
        "RequiredToPreview": True, "ActionsGuarded": "Accept",
    },
]  # fmt: skip
GOOD_REQUIREMENTS: list[dict[str, Any]] = [
    {"QualificationTypeId": ADULT, "Comparator": "EqualTo", "IntegerValues": [1]},
    {"QualificationTypeId": LOCALE, "Comparator": "NotIn", "LocaleValues": [{"Country": "US", "Subdivision": "CA"}]},
    {"QualificationTypeId": "00000000000000000040", "Comparator": "GreaterThan", "IntegerValues": [100]},
    {
        "QualificationTypeId": "000000000000000000L0", "Comparator": "GreaterThanOrEqualTo",
        "IntegerValues": [95], "ActionsGuarded": "DiscoverPreviewAndAccept",
    },
    {"QualificationTypeId": ADULT, "Comparator": "In", "IntegerValues": list(range(15))},
]  # fmt: skip


def test_equal_values_give_the_type_that_is_there(place: Place) -> None:
    """CreateHITType again, and CreateHIT with the same values, give the same id; any other value a new one."""
    given = place.hit_type()
    first = place.client.create_hit_type(**given)["HITTypeId"]
    assert place.client.create_hit_type(**given)["HITTypeId"] == first
    assert place.hit(**given)["HITTypeId"] == first
    others: list[dict[str, Any]] = [
        {"Description": "D"}, {"Reward": "0.21"}, {"Keywords": "k"}, {"AutoApprovalDelayInSeconds": 0},
        {"AssignmentDurationInSeconds": 60}, {"QualificationRequirements": GOOD_REQUIREMENTS[:1]},
    ]  # fmt: skip
    ids = {place.client.create_hit_type(**{**given, **change})["HITTypeId"] for change in others}
    assert len(ids | {first}) == len(others) + 1


@pytest.mark.parametrize(("name", "value"), OUT_OF_BOUNDS)
def test_a_value_out_of_bounds_is_refused(place: Place, name: str, value: Any) -> None:
    """The limits of the API reference hold, and the message names the member."""
    assert name in invalid(place.client.create_hit_type, **place.hit_type(**{name: value}))


@pytest.mark.parametrize("requirement", BAD_REQUIREMENTS)
def test_a_requirement_that_means_nothing_is_refused(place: Place, requirement: dict[str, Any]) -> None:
    """Comparators take the values that the data structure's page gives them, and no others."""
    invalid(place.client.create_hit_type, **place.hit_type(QualificationRequirements=[requirement]))


def test_requirements_come_back_with_the_hit(place: Place) -> None:
    """Each is in GetHIT as it was given; eleven are too many."""
    hit = place.get(place.hit(QualificationRequirements=GOOD_REQUIREMENTS))
    for given, got in zip(GOOD_REQUIREMENTS, hit["QualificationRequirements"], strict=True):
        assert given.items() <= got.items()
    eleven = GOOD_REQUIREMENTS[:1] * 11
    invalid(place.client.create_hit_type, **place.hit_type(QualificationRequirements=eleven))


def test_a_requirement_of_no_type_is_refused(place: Place) -> None:
    """The qualification type must be there."""
    nothing = [{"QualificationTypeId": "3NONE", "Comparator": "Exists"}]
    code, message = refusal(place.client.create_hit_type, **place.hit_type(QualificationRequirements=nothing))
    assert code == "QualificationTypeDoesNotExist"
    assert "3NONE" in message


@pytest.mark.parametrize(
    ("guarded", "listed", "previewed"),
    [("Accept", True, True), ("PreviewAndAccept", True, False), ("DiscoverPreviewAndAccept", False, False)],
)
def test_what_is_guarded_is_kept_from_who_lacks_it(
    place: Place, guarded: str, listed: bool, previewed: bool
) -> None:
    """ActionsGuarded says whether the HIT is found and seen; it is never accepted without, always with."""
    kind = place.qualification_type()
    needed = [{"QualificationTypeId": kind, "Comparator": "Exists", "ActionsGuarded": guarded}]
    group = place.hit(2, QualificationRequirements=needed)["HITGroupId"]
    worker = place.worker()
    assert (worker.listed(group), worker.previewed(group)) == (listed, previewed)
    assert worker.accept(group) is None
    place.client.associate_qualification_with_worker(
        QualificationTypeId=kind, WorkerId=worker.worker_id, SendNotification=False
    )
    assert (worker.listed(group), worker.previewed(group)) == (True, True)
    assert worker.accept(group) is not None


@pytest.mark.parametrize(
    ("comparator", "values", "meets"),
    [
        ("LessThan", [5], [4]), ("LessThanOrEqualTo", [5], [4, 5]), ("GreaterThan", [5], [6]),
        ("GreaterThanOrEqualTo", [5], [5, 6]), ("EqualTo", [5], [5]), ("NotEqualTo", [5], [4, 6]),
        ("In", [4, 6], [4, 6]), ("NotIn", [4, 6], [5]), ("Exists", [], [4, 5, 6]), ("DoesNotExist", [], []),
    ],
)  # fmt: skip
def test_comparators_compare(place: Place, comparator: str, values: list[int], meets: list[int]) -> None:
    """Of the scores 4, 5 and 6 those that the comparator's name says may accept."""
    kind = place.qualification_type()
    needed: dict[str, Any] = {"QualificationTypeId": kind, "Comparator": comparator}
    needed |= {"IntegerValues": values} if values else {}
    group = place.hit(4, QualificationRequirements=[needed])["HITGroupId"]
    accepted = []
    for score in (4, 5, 6):
        worker = place.worker()
        place.client.associate_qualification_with_worker(
            QualificationTypeId=kind, WorkerId=worker.worker_id, IntegerValue=score, SendNotification=False
        )
        if worker.accept(group):
            accepted.append(score)
    assert accepted == meets
    assert (place.worker().accept(group) is not None) is (comparator == "DoesNotExist")


def test_a_hit_takes_on_another_types_properties(place: Place) -> None:
    """UpdateHITTypeOfHIT: title, reward and the rest are the new type's, the group too."""
    hit = place.hit()
    other = place.hit_type(Reward="0.35", Description="Other", Keywords="other")
    type_id = place.client.create_hit_type(**other)["HITTypeId"]
    place.client.update_hit_type_of_hit(HITId=hit["HITId"], HITTypeId=type_id)
    now = place.get(hit)
    assert (now["HITTypeId"], now["HITGroupId"] == hit["HITGroupId"]) == (type_id, False)
    assert {name: now[name] for name in other} == other
    assert now["Question"] == hit["Question"]


def test_a_hit_or_type_that_is_not_there_is_named(place: Place) -> None:
    """UpdateHITTypeOfHIT refuses both kinds of unknown id."""
    hit = place.hit()
    update = place.client.update_hit_type_of_hit
    assert refusal(update, HITId="3NONE", HITTypeId=hit["HITTypeId"])[0] == "HITDoesNotExist"
    assert refusal(update, HITId=hit["HITId"], HITTypeId="3NONE")[0] == "HITTypeDoesNotExist"


def test_locale_is_what_nobody_has_who_gave_none(place: Place) -> None:
    """Without a place on record a worker meets no requirement of Worker_Locale."""
    needed = [{"QualificationTypeId": LOCALE, "Comparator": "EqualTo", "LocaleValues": PLACE}]
    group = place.hit(QualificationRequirements=needed)["HITGroupId"]
    assert place.worker().accept(group) is None
