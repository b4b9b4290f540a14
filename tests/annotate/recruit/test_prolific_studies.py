"""Studies at Prolific: made once, published once, with one address for each HIT."""

import os
import signal
import subprocess
import sys
import time
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa

from photojury.annotate.batches import study_id
from photojury.annotate.recruit.completion import completion_code
from photojury.annotate.recruit.offers import allowed_minutes, body_of_study, offer_of
from photojury.annotate.recruit.price import check_offer, price_of
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.studies import create, extend, missing_places, move, publish, recruitment
from photojury.annotate.recruit.wire import ProlificRefusal
from photojury.datasets import tables
from photojury.datasets.store import Study, open_study
from photojury.errors import InputError, Refused, ServiceError, SettingsError
from tests.annotate.recruit.fake_prolific import FakeProlific


def earlier(study: Study, seconds: float = 3600) -> None:
    """Let the creation have begun so long ago."""
    with study.writing() as connection:
        table = tables.recruitments
        connection.execute(sa.update(table).values(made_at=table.c.made_at - seconds))


def test_one_address_for_each_hit(study: Study, fake: FakeProlific, client: Client) -> None:
    """Allocations are the HITs' assignments and sum to the places; Prolific's placeholders stand in each address."""
    made = create(study, client, offer_of(study))
    (there,) = fake.studies.values()
    assert (made.provider_id, made.state, made.places, made.found) == (there["id"], "draft", 6, False)
    assert [one["total_allocation"] for one in there["access_details"]] == [3, 3]
    assert there["total_available_places"] == 6
    for one, hit_id in zip(there["access_details"], ("3HIT1", "3HIT2"), strict=True):
        parts = urlsplit(one["external_url"])
        assert (parts.netloc, parts.path) == ("rate.example.org", f"/enter/prolific/{hit_id}")
        assert dict(parse_qsl(parts.query)) == {
            "PROLIFIC_PID": "{{%PROLIFIC_PID%}}",
            "STUDY_ID": "{{%STUDY_ID%}}",
            "SESSION_ID": "{{%SESSION_ID%}}",
        }
    (code,) = there["completion_codes"]
    assert code["code"] == completion_code(study_id(study))
    assert code["actions"] == [{"action": "MANUALLY_REVIEW"}]
    assert (there["reward"], there["estimated_completion_time"], there["prolific_id_option"]) == (
        40,
        2,
        "url_parameters",
    )


# 2 + 2 t + 2 sqrt(t), worked out by hand.
@pytest.mark.parametrize(
    ("estimated", "hit", "allowed"), [(1, 1, 6), (4, 10, 14), (10, 5, 29), (10, 30, 30), (600, 9999, 1439)]
)
def test_a_submission_lasts_as_long_as_its_hit(estimated: int, hit: int, allowed: int) -> None:
    """Never under Prolific's least, never a day, else the HIT's own time."""
    assert allowed_minutes(estimated, hit) == allowed


def test_creating_again_makes_nothing(study: Study, fake: FakeProlific, client: Client) -> None:
    """A second run finds what the store knows."""
    first = create(study, client, offer_of(study))
    second = create(study, client, offer_of(study))
    assert (second.provider_id, second.found) == (first.provider_id, True)
    assert fake.count("POST /studies/") == 1


def test_a_lost_answer_makes_no_second_study(study: Study, fake: FakeProlific, client: Client) -> None:
    """The connection was cut after Prolific made the study: the next run finds it by its internal name."""
    for _ in range(4):  # it shall lie on the second page
        name = fake.new_id()
        other = {"id": name, "name": "x", "internal_name": None, "status": "COMPLETED", "reward": 1}
        fake.studies[name] = {**other, "total_available_places": 1}
    fake.fail("POST /studies/", "cut")
    with pytest.raises(ServiceError, match="run this again"):
        create(study, client, offer_of(study))
    assert recruitment(study, "stars-1")["state"] == "creating"
    made = create(study, client, offer_of(study))
    assert (made.found, made.state) == (True, "draft")
    assert fake.count("POST /studies/") == 1
    assert len([one for one in fake.studies.values() if one["internal_name"] == made.recruitment_id]) == 1


def test_kill_minus_nine_between_call_and_answer(study: Study, fake: FakeProlific, client: Client) -> None:
    """A process that is killed while Prolific's answer is on its way leaves one study, which the next run takes."""
    fake.fail("POST /studies/", "held")
    code = "from photojury.annotate.recruit.commands import prolific; prolific()"
    command = [sys.executable, "-c", code, "create", "--study", str(study.folder)]
    process = subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.DEVNULL)
    while not fake.studies and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert recruitment(study, "stars-1")["provider_id"] is None
    made = create(study, client, offer_of(study))
    assert (made.found, fake.count("POST /studies/"), len(fake.studies)) == (True, 1, 1)


def test_a_call_that_was_never_heard_is_made_later(study: Study, fake: FakeProlific, client: Client) -> None:
    """While another run's call may be on its way nothing is made; after that, the next run makes the study."""
    fake.fail("POST /studies/", "broken")
    with pytest.raises(ServiceError):
        create(study, client, offer_of(study))
    assert not fake.studies
    with pytest.raises(ServiceError, match=r"run this again in 1[12]\d s"):
        create(study, client, offer_of(study))
    assert fake.count("POST /studies/") == 1
    earlier(study)
    assert not create(study, client, offer_of(study)).found
    assert len(fake.studies) == 1


def test_a_refusal_leaves_nothing_behind(
    study: Study, fake: FakeProlific, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Prolific refuses can be put right and tried again at once."""
    with monkeypatch.context() as patch:
        patch.setattr("photojury.annotate.recruit.studies.body_of_study", lambda *_: {"name": "x"})
        with pytest.raises(ProlificRefusal, match="This field is required"):
            create(study, client, offer_of(study))
    assert study.count("recruitments") == 0
    assert not create(study, client, offer_of(study)).found


def test_two_studies_of_a_name_are_named(study: Study, fake: FakeProlific, client: Client) -> None:
    """Which of two drafts is meant is for somebody to say."""
    body = body_of_study(study, offer_of(study))
    ids = [client.create_study(body)["id"] for _ in range(2)]
    with pytest.raises(ServiceError, match=f"{ids[0]}, {ids[1]}"):
        create(study, client, offer_of(study))


def test_publishing_again_publishes_nothing(study: Study, fake: FakeProlific, client: Client) -> None:
    """A lost answer of PUBLISH is found out by the study's status."""
    create(study, client, offer_of(study))
    call = f"POST /studies/{next(iter(fake.studies))}/transition/"
    fake.fail(call, "cut")
    with pytest.raises(ServiceError):
        publish(study, client, "stars-1")
    assert recruitment(study, "stars-1")["state"] == "draft"
    assert publish(study, client, "stars-1").state == "published"
    assert fake.count(call) == 1


def test_pause_resume_close(study: Study, fake: FakeProlific, client: Client) -> None:
    """Each move is made once; a closed study is not started again."""
    create(study, client, offer_of(study))
    with pytest.raises(InputError, match="UNPUBLISHED"):
        move(study, client, "stars-1", "STOP")
    publish(study, client, "stars-1")
    (there,) = fake.studies.values()
    for action, status in (
        ("PAUSE", "PAUSED"),
        ("PAUSE", "PAUSED"),
        ("START", "ACTIVE"),
        ("STOP", "COMPLETED"),
    ):
        move(study, client, "stars-1", action)
        assert there["status"] == status
    assert recruitment(study, "stars-1")["state"] == "closed"
    with pytest.raises(InputError, match="is COMPLETED"):
        move(study, client, "stars-1", "START")


def test_extension_adds_once(study: Study, fake: FakeProlific, client: Client) -> None:
    """Two more raters for one HIT: two more places on its address, also when the answer is lost."""
    create(study, client, offer_of(study))
    publish(study, client, "stars-1")
    with study.writing() as connection:
        one = sa.update(tables.hits).where(tables.hits.c.hit_id == "3HIT2")
        connection.execute(one.values(max_assignments=5))
    (there,) = fake.studies.values()
    offer = offer_of(study)
    assert [one["total_allocation"] for one in missing_places(study, client, offer)] == [2]
    fake.fail(f"PATCH /studies/{there['id']}/", "cut")
    with pytest.raises(ServiceError):
        extend(study, client, offer)
    assert extend(study, client, offer).places == 8
    assert [one["total_allocation"] for one in there["access_details"]] == [3, 5]
    assert (there["total_available_places"], recruitment(study, "stars-1")["places"]) == (8, 8)
    assert fake.count(f"PATCH /studies/{there['id']}/") == 1


def test_what_a_batch_must_be(study: Study) -> None:
    """At the marketplace, of one reward, and with an address that Prolific can send people to."""
    with pytest.raises(InputError, match="there is no batch pairs-7"):
        offer_of(study, "pairs-7")
    first = sa.update(tables.hits).where(tables.hits.c.hit_id == "3HIT1")
    with study.writing() as connection:
        connection.execute(first.values(reward=50))
    with pytest.raises(InputError, match="pay 40, 50 cents"):
        offer_of(study)
    with study.writing() as connection:
        connection.execute(first.values(reward=40, state="planned"))
    with pytest.raises(InputError, match=r"1 of 2 HITs of stars-1 are not at the marketplace"):
        offer_of(study)


@pytest.mark.parametrize("site", ["", "rate.example.org", "http://rate.example.org"])
def test_where_people_are_sent(study: Study, monkeypatch: pytest.MonkeyPatch, site: str) -> None:
    """prolific.site must be an https address."""
    offer = offer_of(study)
    monkeypatch.setenv("PHOTOJURY_PROLIFIC_SITE", site)
    again = open_study(study.folder)
    with pytest.raises(SettingsError, match="worker site's public address"):
        body_of_study(again, offer)
    again.close()


def test_price(study: Study, fake: FakeProlific, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """6 places at 40 cents: 240 and 42.8 % of it; under Prolific's least hourly pay it is not even asked for."""
    price = price_of(study, client, 40, 6)
    assert (price.total, price.rewards, price.fees, price.estimate, price.hourly) == (
        343,
        240,
        103,
        343,
        1200,
    )
    assert str(price) == "$3.43 for 6 places ($2.40 to raters at $12.00 an hour, $1.03 fees and taxes)"
    fake.currency = "GBP"
    assert str(price_of(study, client, 40, 6)).startswith("£3.43")
    fake.currency = "USD"
    monkeypatch.setenv("PHOTOJURY_PROLIFIC_MINUTES", "10")
    again = open_study(study.folder)
    with pytest.raises(InputError, match=r"is \$2.40 an hour, .* at least 134 cents"):
        price_of(again, client, 40, 6)
    again.close()


@pytest.mark.parametrize(("cap", "allowed"), [(343, True), (342, False)])
def test_the_hard_cap(
    study: Study, client: Client, monkeypatch: pytest.MonkeyPatch, cap: int, allowed: bool
) -> None:
    """The two HITs are in the budget with 288 cents; Prolific's 343 instead are allowed, or not, to the cent."""
    monkeypatch.setenv("PHOTOJURY_BUDGET_HARD_CENTS", str(cap))
    capped = open_study(study.folder)
    offer = offer_of(capped)
    price = price_of(capped, client, offer.reward, offer.places)
    if allowed:
        check_offer(capped, client, offer, price)
    else:
        with pytest.raises(Refused, match=r"budget\.hard_cents"):
            check_offer(capped, client, offer, price)
    capped.close()


def test_who_came_otherwise_takes_no_place(study: Study, fake: FakeProlific, client: Client) -> None:
    """One answer by a link and one from Prolific: two of three places of that HIT are asked for; a closed HIT, none."""
    keys = dict(zip(study.read("hits")["hit_id"], study.read("hits")["hit_key"], strict=True))
    for rater, worker in (("by-link", "A1LINK"), ("by-prolific", "AP" + "5F" * 12)):
        study.add("workers", [{"rater_id": rater, "marketplace": "local", "worker_id": worker}])
        row = {"assignment_id": f"3{rater}", "rater_id": rater, "hit_key": keys["3HIT1"], "accepted_at": 1.0}
        study.add("assignments", [{**row, "submitted_at": 2.0, "status": "Submitted", "answers": ""}])
    offer = offer_of(study)
    assert dict(zip([hit["hit_id"] for hit in offer.hits], offer.wanted, strict=True)) == {
        "3HIT1": 2,
        "3HIT2": 3,
    }
    second = sa.update(tables.hits).where(tables.hits.c.hit_id == "3HIT2")
    with study.writing() as connection:
        connection.execute(second.values(state="closed"))
    assert create(study, client, offer_of(study)).places == 2
    with study.writing() as connection:
        connection.execute(sa.update(tables.hits).values(state="closed"))
    with pytest.raises(InputError, match="want nobody any more"):
        offer_of(study)
