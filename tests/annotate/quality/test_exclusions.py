"""Exclusions: the marketplace closes a study to some workers, quietly, and opens it again in time."""

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner

from photojury.analysis import progress
from photojury.annotate.batches import plan, study_id
from photojury.annotate.commands.raters import exclude as exclude_command
from photojury.annotate.commands.raters import exclusions as list_command
from photojury.annotate.commands.raters import include as include_command
from photojury.annotate.fetch import fetch
from photojury.annotate.money.review import review
from photojury.annotate.publish import publish
from photojury.annotate.quality import exclusions
from photojury.annotate.requester import Requester
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.annotate.simulation.visitor import Visitor
from photojury.datasets.store import Study
from photojury.errors import InputError


@pytest.fixture
def known(study: Study) -> Study:
    """Three raters whom the marketplace calls AONE, ATWO and ATHREE."""
    rows = [
        {"rater_id": name.lower(), "marketplace": "local", "worker_id": f"A{name}"}
        for name in ("ONE", "TWO", "THREE")
    ]
    study.add("workers", rows)
    return study


@pytest.fixture
def stub() -> Iterator[tuple[Requester, Stubber]]:
    """A client that expects exactly the calls that a test names, and answers them."""
    client = boto3.client("mturk", region_name="us-east-1", endpoint_url="http://127.0.0.1:1")
    with Stubber(client) as stubber:
        yield Requester(client, "http://127.0.0.1:1"), stubber
        stubber.assert_no_pending_responses()


def expect_listing(stubber: Stubber, study: Study, there: dict[str, str]) -> None:
    """The study's qualification is asked for by its name; `there`: QualificationTypeIds by name."""
    types = [{"QualificationTypeId": key, "Name": name} for name, key in there.items()]
    name = f"photojury excluded {study_id(study)}"
    wanted = {"Query": name, "MustBeRequestable": False, "MustBeOwnedByCaller": True, "MaxResults": 100}
    stubber.add_response("list_qualification_types", {"QualificationTypes": types}, wanted)


def expect_holders(stubber: Stubber, *workers: str) -> None:
    found = [{"QualificationTypeId": "3Q", "WorkerId": worker, "Status": "Granted"} for worker in workers]
    wanted = {"QualificationTypeId": "3Q", "Status": "Granted", "MaxResults": 100}
    stubber.add_response("list_workers_with_qualification_type", {"Qualifications": found}, wanted)


def test_without_exclusions_the_marketplace_is_not_asked(
    known: Study, stub: tuple[Requester, Stubber]
) -> None:
    """A study that excludes nobody needs no qualification."""
    requester, _ = stub
    assert exclusions.requirements(known, requester) == []
    assert exclusions.enforce(known, requester) == exclusions.Enforced()
    assert exclusions.end_bans(known, requester) == 0


def test_a_qualification_is_made_once_and_nobody_is_told(
    known: Study, stub: tuple[Requester, Stubber]
) -> None:
    """The first exclusion makes the type; the worker gets it without a message; open HITs move to a guarded type."""
    requester, stubber = stub
    known.add("hits", [{"hit_key": "h", "batch": "b", "task": "stars", "unit_ids": "[]", "request_token": "t", "hit_id": "3HIT",
                        "marketplace": "local", "state": "published", "reward": 5, "max_assignments": 1}])  # fmt: skip
    exclusions.exclude(known, ["one"], reason="careless")
    name = f"photojury excluded {study_id(known)}"
    expect_listing(stubber, known, {f"{name} of another study": "3OTHER"})
    stubber.add_response(
        "create_qualification_type",
        {"QualificationType": {"QualificationTypeId": "3Q", "Name": name}},
        {"Name": name, "Description": ANY, "QualificationTypeStatus": "Active"},
    )
    expect_holders(stubber)
    given = {"QualificationTypeId": "3Q", "WorkerId": "AONE", "SendNotification": False}
    stubber.add_response("associate_qualification_with_worker", {}, given)
    needed = {
        "QualificationTypeId": "3Q",
        "Comparator": "DoesNotExist",
        "ActionsGuarded": "DiscoverPreviewAndAccept",
    }
    other = {"QualificationTypeId": "3ADULT", "Comparator": "EqualTo", "IntegerValues": [1]}
    terms: dict[str, Any] = {
        "Title": "Rate", "Description": "Photos", "Keywords": "photo", "Reward": "0.05",
        "AssignmentDurationInSeconds": 600, "AutoApprovalDelayInSeconds": 3600,
    }  # fmt: skip
    listed = [
        {"HITId": "3HIT", **terms, "NumberOfAssignmentsAvailable": 1, "QualificationRequirements": [other]},
        {"HITId": "3NOTOURS", **terms, "NumberOfAssignmentsAvailable": 1},
    ]
    stubber.add_response("list_hits", {"HITs": listed}, {"MaxResults": 100})
    stubber.add_response(
        "create_hit_type", {"HITTypeId": "3NEW"}, {**terms, "QualificationRequirements": [other, needed]}
    )
    stubber.add_response("update_hit_type_of_hit", {}, {"HITId": "3HIT", "HITTypeId": "3NEW"})
    assert exclusions.enforce(known, requester) == exclusions.Enforced(1, 0, 1, 0)
    expect_listing(stubber, known, {name: "3Q"})
    assert exclusions.requirements(known, requester) == [needed]


def test_the_marketplace_is_made_to_agree(known: Study, stub: tuple[Requester, Stubber]) -> None:
    """After a crash half way: who has it and should not loses it, who lacks it gets it, who has it rightly keeps it."""
    requester, stubber = stub
    exclusions.exclude(known, ["one", "two"], reason="careless")
    expect_listing(stubber, known, {f"photojury excluded {study_id(known)}": "3Q"})
    expect_holders(stubber, "ATWO", "ATHREE")
    stubber.add_response(
        "associate_qualification_with_worker",
        {},
        {"QualificationTypeId": "3Q", "WorkerId": "AONE", "SendNotification": False},
    )
    stubber.add_response(
        "disassociate_qualification_from_worker", {}, {"QualificationTypeId": "3Q", "WorkerId": "ATHREE"}
    )
    # One HIT is full and needs no guard, one the marketplace will not change.
    known.add("hits", [{"hit_key": name, "batch": "b", "task": "stars", "unit_ids": "[]", "request_token": name, "hit_id": name,
                        "marketplace": "local", "state": "published", "reward": 5, "max_assignments": 1}
                       for name in ("3FULL", "3FIXED")])  # fmt: skip
    terms: dict[str, Any] = {"Title": "Rate", "Description": "Photos", "Reward": "0.05"}
    terms |= {"AssignmentDurationInSeconds": 600, "AutoApprovalDelayInSeconds": 3600}
    hits = [
        {"HITId": name, **terms, "NumberOfAssignmentsAvailable": left}
        for name, left in (("3FULL", 0), ("3FIXED", 2))
    ]
    stubber.add_response("list_hits", {"HITs": hits}, {"MaxResults": 100})
    stubber.add_response("create_hit_type", {"HITTypeId": "3NEW"})
    stubber.add_client_error("update_hit_type_of_hit", "RequestError", "no")
    assert exclusions.enforce(known, requester) == exclusions.Enforced(1, 1, 0, 1)


def test_terms(known: Study) -> None:
    """A week, for good, ended: only those that run count; a new term takes the place of the old one."""
    now = time.time()
    exclusions.exclude(known, ["one"], reason="careless", days=7)
    exclusions.exclude(known, ["two"], reason="careless")
    rows = {row["rater_id"]: row for row in exclusions.listed(known)}
    assert abs(rows["one"]["until"] - (now + 604_800)) < 5
    assert rows["two"]["until"] is None
    with known.writing() as connection:
        connection.exec_driver_sql("UPDATE exclusions SET until = ? WHERE rater_id = 'one'", (now - 1,))
    assert progress.excluded(known) == ["two"]
    assert exclusions.include(known, ["two"]) == 1
    assert progress.excluded(known) == []
    exclusions.exclude(known, ["one"], reason="again", days=1)
    assert [(row["reason"], row["active"]) for row in exclusions.listed(known)] == [
        ("careless", False),
        ("again", True),
    ]
    for raters, message in ((["nobody"], "not in this study"), (["two"], "is not excluded")):
        with pytest.raises(InputError, match=message):
            exclusions.include(known, raters) if raters == ["two"] else exclusions.exclude(
                known, raters, reason="x"
            )
    with pytest.raises(InputError, match="none for good"):
        exclusions.exclude(known, ["one"], reason="x", days=-1)


def test_raters_with_verdicts_fail(known: Study) -> None:
    """`--failed` is everyone with a verdict who is not excluded yet."""
    verdict = {"task": "stars", "rule": "gold", "reason": "0 of 4 right", "decided_at": 0.0}
    rows = [
        {**verdict, "rater_id": "one"},
        {**verdict, "rater_id": "two"},
        {**verdict, "rater_id": "two", "task": "series"},
    ]
    known.add("verdicts", rows)
    assert exclusions.failed(known) == ["one", "two"]
    exclusions.exclude(known, ["two"], reason="careless")
    assert exclusions.failed(known) == ["one"]


def test_a_soft_ban_closes_the_list_and_ends(study: Study, site: str, requester: Requester) -> None:
    """An excluded worker finds no HIT any more, others do; when the time is over, the next review opens it again."""
    plan(study, "forced_choice")
    publish(study, requester)
    with Visitor(site) as banned, Visitor(site) as other:
        for visitor in (banned, other):
            while task := visitor.next_task():
                visitor.submit(task, {"answers": "[]"})
        fetch(study, requester)
        rater = study.read("assignments").sort_values("submitted_at")["rater_id"].iloc[0]
        plan(study, "stars")
        publish(study, requester)
        place = ["--study", str(study.folder)]
        done = CliRunner().invoke(exclude_command, ["--rater", rater, "--days", "7", "--json", *place])
        counts = {"excluded": 1, "released": 0, "guarded": 6, "unguarded": 0}
        assert json.loads(done.stdout) == {"raters": [rater], **counts}
        assert (banned.next_task(), other.next_task() is not None) == (None, True)
        with study.writing() as connection:
            connection.exec_driver_sql("UPDATE exclusions SET until = ?", (time.time() - 1,))
        review(study, requester)
        assert banned.next_task() is not None
        shown = CliRunner().invoke(list_command, place)
        assert f"{rater}  ended " in shown.stdout
        refused = CliRunner().invoke(include_command, ["--rater", rater, *place])
        assert isinstance(refused.exception, InputError)


def test_simulated_raters_can_be_excluded(study: Study, site: str, requester: Requester) -> None:
    """Fast raters get a verdict by the review and, with --failed, no more HITs."""
    plan(study, "stars")
    publish(study, requester)
    careless = panel(4, seed=1, careless=1)[1:2]
    simulate(site, careless, drawn_truth(study), seed=1)
    fetch(study, requester)
    review(study, requester)
    done = CliRunner().invoke(exclude_command, ["--failed", "--json", "--study", str(study.folder)])
    assert json.loads(done.stdout)["excluded"] == 1
    assert len(progress.excluded(study)) == 1
