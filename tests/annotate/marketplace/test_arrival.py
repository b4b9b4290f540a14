"""The doors of the worker site: invitations, Prolific, consent, what workers say of themselves, drafts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests

from photojury.annotate.marketplace.books import Market, Terms
from photojury.annotate.marketplace.workers import invite
from tests.annotate.marketplace.live import Live, Worker, hidden, running

PID, VISIT = (
    "60ffe5c8371090c7041d43f8",
    "&STUDY_ID=5f00000000000000000000aa&SESSION_ID=6a00000000000000000000bb",
)

Site = Callable[..., AbstractContextManager[Live]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A marketplace with terms of its own."""

    def start(**terms: object) -> AbstractContextManager[Live]:
        given = Terms(**terms)  # type: ignore[arg-type]
        return running(f"sqlite:///{tmp_path / 'study.db'}", tmp_path / "images", given)

    return start


@pytest.fixture
def prolific(site: Site) -> Iterator[Live]:
    with site(completion_code="CODE12345678") as live:
        yield live


def worker_id(worker: Worker) -> str:
    """The id that the site shows its worker."""
    page = worker.get("/earnings").text
    return page.partition("Your worker id: <code>")[2].partition("<")[0]


def enter(
    live: Live, hit: object, query: str = f"PROLIFIC_PID={PID}{VISIT}"
) -> tuple[Worker, requests.Response]:
    visitor = live.visitor()
    return visitor, visitor.get(f"/enter/prolific/{hit}?{query}")


def test_an_invitation_is_a_persons_way_back(site: Site) -> None:
    """Each link makes one worker; opened again, on another device, it is the same worker; a wrong one is none."""
    with site(joining="invitation") as live:
        secrets = invite(Market(live.engine, live.images, live.clock), 2)
        found = []
        for secret in (secrets[0], secrets[0], secrets[1]):
            device = live.visitor()
            page = device.get(f"/join/{secret}")
            device.post("/join", csrf=hidden(page.text), next="/", invitation=secret)
            found.append(worker_id(device))
        assert found[0] == found[1] != found[2]
        assert all(name.startswith("A") and len(name) == 14 for name in found)
        stranger = live.visitor()
        page = stranger.get(f"/join/{'x' * 32}")
        refused = stranger.post("/join", csrf=hidden(page.text), next="/", invitation="x" * 32)
        assert (refused.status_code, "no such invitation" in refused.text) == (404, True)


def test_without_an_invitation_nobody_joins(site: Site) -> None:
    """Where joining is by invitation, the open door says so and makes no worker."""
    with site(joining="invitation") as live:
        visitor = live.visitor()
        page = visitor.get("/join").text
        assert "by invitation only" in page and 'id="join"' not in page
        visitor.get(f"/join/{'x' * 32}")
        csrf = hidden(visitor.get(f"/join/{'x' * 32}").text)
        assert visitor.post("/join", csrf=csrf, next="/").status_code == 403
        assert visitor.post("/join", csrf=csrf, next="/", simulated="1").status_code == 403


def test_consent_comes_before_the_first_task(site: Site) -> None:
    """Nothing is accepted before the text was agreed to; agreed once, it is not asked again until it changes."""
    with site(consent=("We keep your answers for ten years.",)) as live:
        group = live.hit(2)["HITGroupId"]
        worker = live.worker()
        page = worker.get(f"/projects/{group}/tasks")
        asked = worker.post(f"/projects/{group}/accept", csrf=hidden(page.text))
        assert "/consent?next=" in asked.url and "ten years" in asked.text
        back = worker.post("/consent", csrf=hidden(asked.text), next=f"/projects/{group}/tasks")
        assert back.url.endswith(f"/projects/{group}/tasks")
        assert worker.accept(group)
    with site(consent=("We keep your answers for ever.",)) as live:
        again = live.visitor()
        again.session.cookies.update(
            {f"photojury_{live.url.rsplit(':', 1)[1]}": next(iter(worker.session.cookies)).value or ""}
        )
        page = again.get(f"/projects/{live.hit(Title='Other')['HITGroupId']}/tasks")
        group = page.url.rsplit("/", 2)[1]
        assert "/consent" in again.post(f"/projects/{group}/accept", csrf=hidden(page.text)).url


def test_prolific_sends_people_to_one_task(prolific: Live) -> None:
    """The HIT of the address is what they get, their id is made of Prolific's, and the code brings them back."""
    hit, other = prolific.hit(3, Title="A"), prolific.hit(3, Title="B")
    worker, page = enter(prolific, hit["HITId"])
    assert page.ok and worker_id(worker) == f"AP{PID.upper()}"
    started = worker.post(f"/projects/{hit['HITGroupId']}/accept", csrf=hidden(page.text), hit=hit["HITId"])
    assignment = started.url.rsplit("/", 1)[1]
    assert 'id="auto"' not in started.text
    done = worker.submit(assignment)
    assert "https://app.prolific.com/submissions/complete?cc=CODE12345678" in done.text
    assert "Next task" not in done.text
    # Prolific pays for that place, and for nothing else: no other task is listed or given.
    assert other["HITGroupId"] not in worker.get("/").text
    refused = worker.post(
        f"/projects/{other['HITGroupId']}/accept", csrf=hidden(worker.get("/earnings").text)
    )
    assert refused.status_code == 403
    other_hit = {"hit": other["HITId"], "csrf": hidden(worker.get("/earnings").text)}
    assert worker.post(f"/projects/{other['HITGroupId']}/accept", **other_hit).status_code == 403
    # Back again: the same worker, who has done this.
    _, page = enter(prolific, hit["HITId"])
    assert "handed in this task already" in page.text and 'id="accept"' not in page.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (VISIT[1:], 400),
        ("PROLIFIC_PID=me" + VISIT, 400),
        (f"PROLIFIC_PID={PID}&STUDY_ID=<script>&SESSION_ID=1", 400),
        (f"PROLIFIC_PID={PID}&PROLIFIC_PID=other{VISIT}", 200),
    ],
)
def test_prolifics_parameters_are_checked(prolific: Live, query: str, status: int) -> None:
    """Missing and made-up parameters get a page that says so; of a doubled one, the first counts."""
    worker, page = enter(prolific, prolific.hit()["HITId"], query)
    assert page.status_code == status
    assert "<script>" not in page.text.replace('<script src="/static/market.js" defer></script>', "")
    if status == 200:
        assert worker_id(worker) == f"AP{PID.upper()}"


def test_prolifics_door_is_shut_unless_it_is_used(live: Live) -> None:
    """Without a study at Prolific, and for a HIT that is not there, the door is shut."""
    assert enter(live, live.hit()["HITId"])[1].status_code == 404


def test_a_taken_place_is_said(prolific: Live) -> None:
    """Who comes when the HIT is full is told to return the submission."""
    hit = prolific.hit(1)
    first, page = enter(prolific, hit["HITId"])
    first.post(f"/projects/{hit['HITGroupId']}/accept", csrf=hidden(page.text), hit=hit["HITId"])
    second, page = enter(prolific, hit["HITId"], f"PROLIFIC_PID={'a' * 24}{VISIT[:-1]}c")
    refused = second.post(f"/projects/{hit['HITGroupId']}/accept", csrf=hidden(page.text), hit=hit["HITId"])
    assert (refused.status_code, "return your submission" in refused.text) == (410, True)


def test_a_draft_is_the_workers_own(live: Live) -> None:
    """A draft comes back with the task, to its worker alone, and is gone once the task is handed in."""
    group = live.hit(2)["HITGroupId"]
    worker, other = live.worker(), live.worker()
    assignment = str(worker.accept(group))
    draft = '{"at": 1, "draft": "<b>half \\"done\\"</b>"}'
    csrf = hidden(worker.get(f"/tasks/{assignment}").text)
    assert worker.post(f"/tasks/{assignment}/draft", csrf=csrf, draft=draft).status_code == 204
    page = worker.get(f"/tasks/{assignment}").text
    assert "half" in page and "<b>half" not in page
    mine = {"csrf": hidden(other.get(f"/projects/{group}/tasks").text), "draft": "x"}
    assert other.post(f"/tasks/{assignment}/draft", **mine).status_code == 404
    assert worker.post(f"/tasks/{assignment}/draft", csrf="forged", draft="x").status_code == 403
    big = {"csrf": csrf, "draft": "x" * 500_001}
    assert worker.post(f"/tasks/{assignment}/draft", **big).status_code == 413
    worker.submit(assignment)
    with live.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT count(*) FROM market_assignments WHERE draft IS NOT NULL")
        assert kept.scalar_one() == 0


def test_what_workers_say_of_themselves(live: Live) -> None:
    """A country and an age for the qualifications that ask; anything but two letters is refused."""
    worker = live.worker()
    csrf = hidden(worker.get("/earnings").text)
    assert worker.post("/you", csrf=csrf, country="de", subdivision="", adult="1").ok
    page = worker.get("/earnings").text
    assert 'value="DE"' in page and "checked" in page
    assert worker.post("/you", csrf=csrf, country="Germany", subdivision="").status_code == 400


def test_signing_out_forgets_the_browser(live: Live) -> None:
    """After signing out, the old cookie opens nothing."""
    worker = live.worker()
    cookies = worker.session.cookies.get_dict()
    worker.post("/leave", csrf=hidden(worker.get("/earnings").text))
    again = live.visitor()
    again.session.cookies.update(cookies)
    assert again.get("/earnings").status_code == 403
