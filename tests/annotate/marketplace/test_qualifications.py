"""Qualifications: who has what, and what a worker may do with it or without."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from photojury.annotate.marketplace.tables import assignments, hits
from tests.annotate.marketplace.live import HIT_TYPE, Live, Worker, hidden, refusal
from tests.annotate.marketplace.qualified import ADULT, MASTERS, asking, give, make, request

APPROVED, PERCENT = "00000000000000000040", "000000000000000000L0"
LOCALE = "00000000000000000071"


def sees(worker: Worker, group: str) -> tuple[bool, bool, bool]:
    """Whether a worker is listed a group, is shown its task, and is offered to accept it."""
    page = worker.get(f"/projects/{group}/tasks").text
    return group in worker.get("/").text, 'id="task"' in page, 'id="accept"' in page


def test_a_qualification_is_given_valued_and_revoked(live: Live) -> None:
    """Without a value it is 1; a new value keeps the time, a new grant does not; errors have MTurk's words."""
    type_id = make(live.client)
    this = {"QualificationTypeId": type_id, "WorkerId": "A1NOTHERE"}
    code, message = refusal(live.client.get_qualification_score, **this)
    assert (code, "does not exist" in message) == ("QualificationDoesNotExist", True)
    assert (
        refusal(live.client.disassociate_qualification_from_worker, **this)[0] == "QualificationDoesNotExist"
    )
    live.client.associate_qualification_with_worker(**this)
    first = live.client.get_qualification_score(**this)["Qualification"]
    assert (first["IntegerValue"], first["Status"]) == (1, "Granted")
    live.clock.move(60)
    live.client.associate_qualification_with_worker(**this, IntegerValue=-4)
    second = live.client.get_qualification_score(**this)["Qualification"]
    assert (second["IntegerValue"], second["GrantTime"]) == (-4, first["GrantTime"])
    live.client.disassociate_qualification_from_worker(**this, Reason="expired")
    for call in (live.client.get_qualification_score, live.client.disassociate_qualification_from_worker):
        code, message = refusal(call, **this)
        assert code == "InvalidQualificationState"
        assert "This operation can be called with a status of: Granted" in message
    live.client.associate_qualification_with_worker(**this)
    third = live.client.get_qualification_score(**this)["Qualification"]
    assert (third["GrantTime"] - first["GrantTime"]).total_seconds() == pytest.approx(60)


def test_the_holders_are_listed_by_status(live: Live) -> None:
    """In the order of their grants, paged; Revoked ones apart."""
    type_id = make(live.client)
    ids = [f"A{number}" for number in range(6)]
    for worker_id in ids:
        live.clock.move(1)
        give(live, type_id, worker_id, 3)
    live.client.disassociate_qualification_from_worker(QualificationTypeId=type_id, WorkerId="A2")

    def listed(**more: str) -> list[str]:
        pages = live.client.get_paginator("list_workers_with_qualification_type").paginate(
            QualificationTypeId=type_id, PaginationConfig={"PageSize": 4}, **more
        )
        return [each["WorkerId"] for page in pages for each in page["Qualifications"]]

    assert listed() == ids
    assert listed(Status="Granted") == ["A0", "A1", "A3", "A4", "A5"]
    assert listed(Status="Revoked") == ["A2"]


def test_a_worker_is_told_unless_it_is_not_wanted(live: Live) -> None:
    """SendNotification is true by default; a reason for taking it back is shown; neither reaches others."""
    type_id, worker, other = make(live.client, "<b>Eyes</b>"), live.worker(), live.worker()
    give(live, type_id, worker.worker_id)
    assert "Eyes" not in worker.get("/messages").text
    this = {"QualificationTypeId": type_id, "WorkerId": worker.worker_id}
    live.client.associate_qualification_with_worker(**this)
    live.client.disassociate_qualification_from_worker(**this, Reason="a year is over")
    page = worker.get("/messages").text
    assert "You have the qualification “&lt;b&gt;Eyes&lt;/b&gt;”" in page
    assert "a year is over" in page
    assert "Eyes" not in other.get("/messages").text


def test_types_and_requests_are_one_requesters_own(live: Live) -> None:
    """For another account a foreign type is as unknown as one that never was, in every operation."""
    type_id, other, worker = make(live.client), live.requester("other"), live.worker()
    give(live, type_id, "A1")
    request(worker, type_id)
    [waiting] = live.client.list_qualification_requests()["QualificationRequests"]
    of_type = {"QualificationTypeId": type_id}
    with_worker = {**of_type, "WorkerId": "A1"}
    calls: list[tuple[Any, dict[str, Any]]] = [
        (other.get_qualification_type, of_type),
        (other.update_qualification_type, {**of_type, "Description": "mine"}),
        (other.delete_qualification_type, of_type),
        (other.list_hits_for_qualification_type, of_type),
        (other.list_workers_with_qualification_type, of_type),
        (other.list_qualification_requests, of_type),
        (other.associate_qualification_with_worker, with_worker),
        (other.disassociate_qualification_from_worker, with_worker),
        (other.get_qualification_score, with_worker),
        (other.create_hit_type, {**HIT_TYPE, **asking(type_id)}),
    ]
    for call, parameters in calls:
        assert refusal(call, **parameters)[0] == "QualificationTypeDoesNotExist", call
    assert other.list_qualification_requests()["NumResults"] == 0
    assert other.list_qualification_types(MustBeRequestable=True)["NumResults"] == 0
    decide = {"QualificationRequestId": waiting["QualificationRequestId"]}
    for call in (other.accept_qualification_request, other.reject_qualification_request):
        assert refusal(call, **decide)[0] == "QualificationRequestDoesNotExist"
    system = {**with_worker, "QualificationTypeId": ADULT}
    for call in (
        live.client.associate_qualification_with_worker,
        live.client.disassociate_qualification_from_worker,
    ):
        assert refusal(call, **system)[0] == "QualificationTypeDoesNotExist"
    assert refusal(live.client.get_qualification_score, **system)[0] == "QualificationDoesNotExist"


GUARDED = [
    ("Accept", (True, True, False)),
    ("PreviewAndAccept", (True, False, False)),
    ("DiscoverPreviewAndAccept", (False, False, False)),
]


def test_guards_are_kept_from_list_preview_and_accept(live: Live) -> None:
    """Without the qualification each guard closes its doors, also to a form of one's own; with it all are open."""
    type_id, worker = make(live.client, "Secret handshake"), live.worker()
    groups = []
    for number, (guard, doors) in enumerate(GUARDED):
        hit = live.hit(Title=f"Guard {number}", **asking(type_id, ActionsGuarded=guard))
        groups.append(hit["HITGroupId"])
        assert sees(worker, groups[-1]) == doors
        page = worker.get(f"/projects/{groups[-1]}/tasks").text
        assert ("Secret handshake" in page) is (guard != "DiscoverPreviewAndAccept")
        forced = worker.post(f"/projects/{groups[-1]}/accept", csrf=hidden(worker.get("/earnings").text))
        assert forced.status_code == 403
    give(live, type_id, worker.worker_id)
    assert [sees(worker, group) for group in groups] == [(True, True, True)] * 3


# (comparator, values, met by 5, met by no qualification), from the QualificationRequirement page.
COMPARED: list[tuple[str, list[int], bool, bool]] = [
    ("LessThan", [6], True, False), ("LessThan", [5], False, False),
    ("LessThanOrEqualTo", [5], True, False), ("LessThanOrEqualTo", [4], False, False),
    ("GreaterThan", [4], True, False), ("GreaterThan", [5], False, False),
    ("GreaterThanOrEqualTo", [5], True, False), ("GreaterThanOrEqualTo", [6], False, False),
    ("EqualTo", [5], True, False), ("EqualTo", [6], False, False),
    ("NotEqualTo", [6], True, False), ("NotEqualTo", [5], False, False),
    ("In", [1, 5], True, False), ("In", [1, 2], False, False),
    ("NotIn", [1, 2], True, False), ("NotIn", [1, 5], False, False),
    ("Exists", [], True, False), ("DoesNotExist", [], False, True),
]  # fmt: skip


def test_comparators_decide_who_may_accept(live: Live) -> None:
    """A worker with the value 5, one without and one whose qualification was revoked, against each comparator."""
    type_id = make(live.client)
    five, none, revoked = (live.worker() for _ in range(3))
    give(live, type_id, five.worker_id, 5)
    give(live, type_id, revoked.worker_id, 5)
    live.client.disassociate_qualification_from_worker(
        QualificationTypeId=type_id, WorkerId=revoked.worker_id
    )
    for number, (comparator, values, by_five, by_none) in enumerate(COMPARED):
        more = {"IntegerValues": values} if values else {}
        hit = live.hit(Title=f"T{number}", **asking(type_id, comparator, **more))
        path = f"/projects/{hit['HITGroupId']}/tasks"
        open_to = ['id="accept"' in worker.get(path).text for worker in (five, none, revoked)]
        assert open_to == [by_five, by_none, by_none], (comparator, values)


def test_places_and_age_are_what_a_worker_says(live: Live) -> None:
    """A country stands for its subdivisions; who has said nothing meets neither, nor their opposites."""
    places: list[tuple[str, list[dict[str, str]], bool]] = [
        ("EqualTo", [{"Country": "US"}], True),
        ("EqualTo", [{"Country": "US", "Subdivision": "CA"}], True),
        ("EqualTo", [{"Country": "US", "Subdivision": "NY"}], False),
        ("NotEqualTo", [{"Country": "US"}], False),
        ("In", [{"Country": "DE"}, {"Country": "US", "Subdivision": "CA"}], True),
        ("NotIn", [{"Country": "DE"}, {"Country": "FR"}], True),
    ]
    said, silent = live.worker(), live.worker()
    csrf = hidden(said.get("/earnings").text)
    said.post("/you", csrf=csrf, country="us", subdivision="ca", adult="1")
    for number, (comparator, values, met) in enumerate(places):
        hit = live.hit(Title=f"T{number}", **asking(LOCALE, comparator, LocaleValues=values))
        path = f"/projects/{hit['HITGroupId']}/tasks"
        assert ['id="accept"' in worker.get(path).text for worker in (said, silent)] == [met, False]
    assert 'href="/earnings#you"' in silent.get(path).text
    adults = live.hit(**asking(ADULT, "EqualTo", IntegerValues=[1]))
    path = f"/projects/{adults['HITGroupId']}/tasks"
    assert ['id="accept"' in worker.get(path).text for worker in (said, silent)] == [True, False]


def test_the_record_counts_from_what_was_reviewed(live: Live) -> None:
    """Approved tasks are counted; the percentage reads 100 until 100 have been submitted, then what it is."""
    worker = live.worker()
    worker_id = worker.worker_id
    pattern = live.hit(1)
    with live.engine.begin() as connection:
        row = dict(connection.execute(sa.select(hits)).mappings().one())
        for number in range(99):
            hit_id, status = f"3H{number}", "Approved" if number < 60 else "Rejected"
            connection.execute(sa.insert(hits).values({**row, "hit_id": hit_id, "status": "Disposed"}))
            done = {
                "assignment_id": f"3A{number}",
                "hit_id": hit_id,
                "worker_id": worker_id,
                "status": status,
            }
            connection.execute(sa.insert(assignments).values(**done, accepted_at=0.0, deadline=1.0))

    def met(type_id: str, comparator: str, value: int) -> bool:
        hit = live.hit(Title=f"{comparator} {value}", **asking(type_id, comparator, IntegerValues=[value]))
        return 'id="accept"' in worker.get(f"/projects/{hit['HITGroupId']}/tasks").text

    assert met(APPROVED, "GreaterThan", 59)
    assert not met(APPROVED, "GreaterThan", 60)
    assert met(PERCENT, "EqualTo", 100)
    live.client.approve_assignment(AssignmentId=worker.answer(pattern["HITGroupId"]))
    assert met(APPROVED, "GreaterThan", 60)
    # 61 approved of 100 reviewed.
    assert met(PERCENT, "EqualTo", 61)
    assert not met(PERCENT, "GreaterThanOrEqualTo", 62)
    assert not met(MASTERS, "NotEqualTo", 0)


def test_exclusion_keeps_out_who_has_taken_part(live: Live) -> None:
    """DoesNotExist with all doors closed: the excluded see nothing of it, all others everything, visitors too."""
    type_id = make(live.client, "took part")
    out, new = live.worker(), live.worker()
    give(live, type_id, out.worker_id)
    hit = live.hit(2, **asking(type_id, "DoesNotExist", ActionsGuarded="DiscoverPreviewAndAccept"))
    group = hit["HITGroupId"]
    assert sees(out, group) == (False, False, False)
    assert "took part" not in out.get(f"/projects/{group}/tasks").text
    assert sees(new, group) == (True, True, True)
    assert sees(live.visitor(), group) == (True, True, False)
    soft = live.hit(2, Title="soft", **asking(type_id, "DoesNotExist"))
    page = out.get(f"/projects/{soft['HITGroupId']}/tasks").text
    assert "Not to have: took part" in page
    assert not re.search(r'href="/qualifications/3\w+', page)
    live.client.disassociate_qualification_from_worker(QualificationTypeId=type_id, WorkerId=out.worker_id)
    assert sees(out, group) == (True, True, True)
