"""Security over HTTP: each worker's own work, each requester's own account, ids that stay here, files that are meant."""

import hashlib
import http.client
import io
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pandas as pd
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.marketplace.books import Market, Terms
from photojury.annotate.marketplace.requesters.accounts import add_account
from photojury.annotate.publish import publish
from photojury.annotate.requester import connect
from photojury.datasets.releases.write import release
from tests.annotate.marketplace.live import Live, Worker, frame_source, hidden, html_question, running
from tests.support import make_study, marketplace

TARGET = "MTurkRequesterServiceV20170117"
BALANCE = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{TARGET}.GetAccountBalance"}


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Live]:
    """A marketplace that other machines reach, where every request must be signed."""
    terms = Terms(public_url="https://rate.example.org")
    with running(f"sqlite:///{tmp_path / 'study.db'}", tmp_path / "images", terms) as live:
        yield live


def keys(live: Live, name: str = "lab") -> tuple[str, str]:
    return add_account(Market(live.engine, live.images, live.clock), name)


def signed(
    live: Live, key_id: str, secret: str, at: float | None = None, body: bytes = b"{}"
) -> dict[str, str]:
    """The headers of a request for the balance, signed as boto3 does, as if it were that time."""
    request = AWSRequest("POST", f"{live.url}/", dict(BALANCE), body)
    signer = SigV4Auth(Credentials(key_id, secret), "mturk-requester", "us-east-1")
    request.headers["X-Amz-Date"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at or time.time()))
    request.context["timestamp"] = request.headers["X-Amz-Date"]
    request.headers["Host"] = urlsplit(live.url).netloc
    scope = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={scope}"
    )
    return dict(request.headers.items())


def post(live: Live, headers: dict[str, str], body: bytes = b"{}") -> tuple[int, str]:
    """The status of a POST to the requester API, and its error's type (or nothing)."""
    answer = requests.post(f"{live.url}/", data=body, headers=headers, timeout=30)
    return answer.status_code, str(answer.json().get("__type", ""))


def test_a_right_signature_is_taken(public: Live) -> None:
    """So that the refusals below are refused for what they say."""
    assert post(public, signed(public, *keys(public))) == (200, "")


def test_signatures_are_checked(public: Live) -> None:
    """Unsigned, a wrong secret, an unknown key, a changed body, another operation, an old date: none is answered."""
    key_id, secret = keys(public)
    good = signed(public, key_id, secret)
    swapped = {**good, "X-Amz-Target": f"{TARGET}.ListHITs"}
    # A quarter of an hour and a little, since the later one comes nearer while the test runs.
    quarter = 930
    for headers, body, kind in (
        (BALANCE, b"{}", "MissingAuthenticationTokenException"),
        (signed(public, key_id, secret[::-1]), b"{}", "InvalidSignatureException"),
        (signed(public, "PJNOBODY", secret), b"{}", "UnrecognizedClientException"),
        (good, b'{"a": 1}', "InvalidSignatureException"),
        (swapped, b"{}", "InvalidSignatureException"),
        (signed(public, key_id, secret, time.time() - quarter), b"{}", "InvalidSignatureException"),
        (signed(public, key_id, secret, time.time() + quarter), b"{}", "InvalidSignatureException"),
        ({**good, "Authorization": "Bearer of nothing"}, b"{}", "IncompleteSignatureException"),
    ):
        assert post(public, dict(headers), body) == (400, kind)


def test_a_signature_covers_what_is_asked(public: Live) -> None:
    """One that leaves X-Amz-Target out would serve for any operation: it is not taken."""
    key_id, secret = keys(public)
    request = AWSRequest("POST", f"{public.url}/", {"Content-Type": BALANCE["Content-Type"]}, b"{}")
    request.headers["Host"] = urlsplit(public.url).netloc
    SigV4Auth(Credentials(key_id, secret), "mturk-requester", "us-east-1").add_auth(request)
    assert "x-amz-target" not in request.headers["Authorization"]
    headers = {**request.headers, "X-Amz-Target": BALANCE["X-Amz-Target"]}
    assert post(public, headers) == (400, "IncompleteSignatureException")


def test_boto3_without_the_right_key_gets_nothing(public: Live) -> None:
    """A stranger's credentials, which open mode takes, do not do behind a public address."""
    config = Config(retries={"max_attempts": 0})
    stranger = boto3.client("mturk", region_name="us-east-1", endpoint_url=public.url, config=config)
    for call in (stranger.get_account_balance, stranger.list_hits, stranger.list_worker_blocks):
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            call()
    stranger.close()


def test_a_requesters_signature_opens_only_their_account(live: Live) -> None:
    """Two accounts on one marketplace: HITs, answers, bonuses, qualifications and blocks of one are nothing to the other."""
    one, two = live.requester("one"), live.requester("two")
    given = {"Title": "T", "Description": "D", "Reward": "0.10", "AssignmentDurationInSeconds": 60}
    question = live.get(live.hit())["Question"]
    hit = one.create_hit(**given, LifetimeInSeconds=600, Question=question, MaxAssignments=3)["HIT"]
    worker = live.worker()
    assignment = worker.answer(hit["HITGroupId"])
    one.send_bonus(
        AssignmentId=assignment, WorkerId=worker.worker_id, BonusAmount="0.10", Reason="a secret reason"
    )
    kind = one.create_qualification_type(Name="Q", Description="D", QualificationTypeStatus="Active")
    type_id = kind["QualificationType"]["QualificationTypeId"]
    one.create_worker_block(WorkerId=worker.worker_id, Reason="between us")
    hidden_calls: list[tuple[Any, dict[str, Any]]] = [
        (two.get_hit, {"HITId": hit["HITId"]}),
        (two.get_assignment, {"AssignmentId": assignment}),
        (two.list_assignments_for_hit, {"HITId": hit["HITId"]}),
        (two.list_bonus_payments, {"AssignmentId": assignment}),
        (two.get_qualification_type, {"QualificationTypeId": type_id}),
        (two.list_workers_with_qualification_type, {"QualificationTypeId": type_id}),
    ]
    for call, parameters in hidden_calls:
        with pytest.raises(ClientError, match="does not exist"):
            call(**parameters)
    assert two.list_hits()["HITs"] == []
    assert two.list_worker_blocks()["WorkerBlocks"] == []
    assert two.list_qualification_types(MustBeRequestable=False, MustBeOwnedByCaller=True)["NumResults"] == 0
    assert two.get_account_balance()["AvailableBalance"] == "10000.00"
    # The block is one's alone: the other's HITs are open to that worker.
    other = two.create_hit(**given, LifetimeInSeconds=600, Question=question)["HIT"]
    assert worker.accept(other["HITGroupId"]) is not None


def test_another_workers_assignment_is_closed(live: Live) -> None:
    """Its page, draft, pictures and return are not there for others, with a form of their own or without."""
    hit = live.hit(5)
    owner, other, stranger = live.worker(), live.worker(), live.visitor()
    assignment = str(owner.accept(hit["HITGroupId"]))
    own = str(other.accept(hit["HITGroupId"]))
    token = hidden(other.get(f"/tasks/{own}").text)
    for who, status in ((other, 404), (stranger, 403)):
        for path in (f"/tasks/{assignment}", f"/tasks/{assignment}/next"):
            answer = who.get(path)
            assert answer.status_code == status
            assert owner.worker_id not in answer.text
    for path in (f"/tasks/{assignment}/draft", f"/tasks/{assignment}/return"):
        assert other.post(path, csrf=token, draft="x").status_code == 404
        assert stranger.post(path, csrf=token).status_code == 403
        assert owner.post(path, csrf=token).status_code == 403
    assert live.counts(hit) == ("Assignable", 2, 3, 0)


def test_handing_in_needs_the_assignments_own_id(live: Live) -> None:
    """Neither the HIT's id, nor the worker's, nor a part or another case of it; two ids have nothing in common."""
    hit = live.hit(5)
    worker = live.worker()
    assignment = str(worker.accept(hit["HITGroupId"]))
    guesses = (
        hit["HITId"],
        worker.worker_id,
        assignment[:-1],
        assignment.lower(),
        f"{assignment}%00",
        "3" * 30,
        "%",
    )
    for guess in guesses:
        answer = requests.post(
            f"{live.url}/mturk/externalSubmit", {"assignmentId": guess, "stars": "1"}, timeout=30
        )
        assert answer.status_code == 400
    assert live.client.list_assignments_for_hit(HITId=hit["HITId"])["NumResults"] == 0
    others = [str(live.worker().accept(hit["HITGroupId"])) for _ in range(4)]
    # 29 letters and digits of 36, drawn by `secrets`: 150 bits. Equal ones in one place are chance.
    alike = [sum(a == b for a, b in zip(assignment[1:], other[1:], strict=True)) for other in others]
    assert max(alike) < 12


def test_no_page_shows_another_workers_id(live: Live) -> None:
    """After one worker has worked, been paid and written to, no page that another can open holds their id."""
    hit = live.hit(5)
    one, other = live.worker(), live.worker()
    secret = one.worker_id
    assignment = one.answer(hit["HITGroupId"])
    live.client.approve_assignment(AssignmentId=assignment, RequesterFeedback="thanks")
    live.client.send_bonus(AssignmentId=assignment, WorkerId=secret, BonusAmount="1", Reason="thanks")
    live.client.notify_workers(Subject="S", MessageText="T", WorkerIds=[secret])
    own = str(other.accept(hit["HITGroupId"]))
    frame = frame_source(other.get(f"/tasks/{own}").text)
    paths = [
        "/", f"/projects/{hit['HITGroupId']}/tasks", f"/projects/{hit['HITGroupId']}/thanks", f"/tasks/{own}",
        f"/tasks/{own}/next", f"/mturk/submitted?assignmentId={assignment}", "/earnings", "/messages",
        "/qualifications", frame, f"/tasks/{assignment}", "/static/market.js", "/nowhere",
    ]  # fmt: skip
    for path in paths:
        answer = other.get(path)
        assert secret not in answer.text + str(answer.headers), path
    assert "0.20" not in other.get(f"/mturk/submitted?assignmentId={assignment}").text


def test_no_log_line_holds_a_worker_id(tmp_path: Path) -> None:
    """The command's output and log over a whole task, with a failure of the database in the middle."""
    study = make_study(tmp_path, 4)
    plan(study, "stars")
    command = [
        sys.executable,
        "-m",
        "photojury",
        "market",
        "serve",
        "--port",
        "0",
        "--study",
        str(study.folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[2]
        client = boto3.client("mturk", region_name="us-east-1", endpoint_url=url)
        hit = client.create_hit(
            Title="T", Description="D", Reward="0.10", AssignmentDurationInSeconds=600, LifetimeInSeconds=600,
            MaxAssignments=2, Question=html_question(),
        )["HIT"]  # fmt: skip
        worker = Worker(url)
        worker.join(simulated=False)
        secret = worker.worker_id
        worker.answer(hit["HITGroupId"])
        client.create_worker_block(WorkerId=secret, Reason="r")
        client.close()
        server.terminate()
        output, errors = server.communicate(timeout=30)
    worker.close()
    study.close()
    assert secret not in output + errors


def test_a_failure_is_logged_without_what_was_asked(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    """With a table gone, neither the requester's nor the worker's page leaves ids or answers in the log."""
    worker = live.worker()
    secret = worker.worker_id
    hit = live.hit()
    assignment = str(worker.accept(hit["HITGroupId"]))
    with live.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE market_assignments RENAME TO gone")
        connection.exec_driver_sql("ALTER TABLE market_blocks RENAME TO gone_too")
    config = Config(retries={"max_attempts": 0})
    client = boto3.client("mturk", region_name="us-east-1", endpoint_url=live.url, config=config)
    with caplog.at_level(logging.DEBUG, "photojury"), caplog.at_level(logging.DEBUG, "uvicorn"):
        with pytest.raises(ClientError, match="ServiceFault"):
            client.create_worker_block(WorkerId=secret, Reason="an open secret")
        assert worker.get("/").status_code == 500
        data = {"assignmentId": assignment, "why": "my own words"}
        assert requests.post(f"{live.url}/mturk/externalSubmit", data, timeout=30).status_code == 500
    client.close()
    written = "\n".join(caplog.handler.format(record) for record in caplog.records)
    assert "OperationalError" in written
    for text in (secret, assignment, "my own words", "an open secret"):
        assert text not in written


def test_no_export_holds_a_worker_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release with real answers: no file of it, read as a table or as bytes, names the worker."""
    study = make_study(tmp_path, 4)
    plan(study, "stars")
    with marketplace(study) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", url)
        publish(study, connect(study.settings))
        group = connect(study.settings).client.list_hits()["HITs"][0]["HITGroupId"]
        worker = Worker(url)
        worker.join(simulated=False)
        secret = worker.worker_id
        worker.answer(group, anything="else")
        fetch(study, connect(study.settings))
        worker.close()
    assert len(study.read("workers")) == 1
    folder = release(study, tmp_path / "release", version="1.0.0")
    study.close()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files)
    for path in files:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += pd.read_parquet(io.BytesIO(content)).to_csv().encode()
        assert secret.encode() not in content, path


def test_forms_of_other_sites_are_refused(live: Live) -> None:
    """Every form of the site wants the csrf value of the session: without it, or with another's, nothing changes."""
    hit = live.hit(5)
    worker, other = live.worker(), live.worker()
    assignment = worker.accept(hit["HITGroupId"])
    kind = live.client.create_qualification_type(Name="Q", Description="D", QualificationTypeStatus="Active")
    type_id = kind["QualificationType"]["QualificationTypeId"]
    foreign = hidden(other.get("/earnings").text)
    paths = (
        f"/projects/{hit['HITGroupId']}/accept", f"/tasks/{assignment}/return", f"/tasks/{assignment}/draft",
        "/you", "/leave", "/consent", "/join", f"/qualifications/{type_id}",
    )  # fmt: skip
    for path in paths:
        for token in ("", foreign, "0" * 32):
            assert worker.post(path, csrf=token, country="DE", draft="x").status_code == 403, path
    assert live.counts(hit) == ("Assignable", 1, 4, 0)
    assert worker.get("/earnings").status_code == 200
    assert live.client.list_qualification_requests(QualificationTypeId=type_id)["NumResults"] == 0


def test_pages_are_framed_by_nobody_else(live: Live) -> None:
    """Every page and question carries a policy: no foreign frame around it, no foreign script in it."""
    hit = live.hit(2)
    worker = live.worker()
    assignment = worker.accept(hit["HITGroupId"])
    for path in ("/", "/earnings", f"/tasks/{assignment}", f"/questions/{hit['HITId']}", "/nowhere"):
        headers = worker.get(path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert ("sandbox allow-scripts allow-forms" in policy) is path.startswith("/questions/")
        assert ("script-src 'self'" in policy) is not path.startswith("/questions/")


def test_a_study_shows_nothing_of_another(live: Live, tmp_path: Path) -> None:
    """Pictures, questions, tasks and cookies of one marketplace are nothing to another on the same machine."""
    content = b"picture"
    name = f"{hashlib.sha256(content).hexdigest()}.png"
    (live.images / name[:2]).mkdir(parents=True)
    (live.images / name[:2] / name).write_bytes(content)
    hit = live.hit(2)
    worker = live.worker()
    assignment = worker.accept(hit["HITGroupId"])
    paths = (f"/images/{name}", f"/questions/{hit['HITId']}", f"/projects/{hit['HITGroupId']}/tasks")
    with running(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other images") as other:
        for path in paths:
            assert requests.get(live.url + path, timeout=30).status_code == 200
            assert requests.get(other.url + path, timeout=30).status_code == 404
        answer = worker.session.get(f"{other.url}/tasks/{assignment}", timeout=30)
        assert answer.status_code == 403
        data = {"assignmentId": assignment, "stars": "3"}
        assert requests.post(f"{other.url}/mturk/externalSubmit", data, timeout=30).status_code == 400


@pytest.mark.parametrize("folder", ["images", "static", "questions"])
def test_no_path_leads_out(live: Live, folder: str) -> None:
    """Dots, slashes and null bytes, plain, encoded once and twice, sent as they are, find nothing."""
    live.images.mkdir(exist_ok=True)
    outside = live.images.parent / "secret.png"
    outside.write_bytes(b"the study's secret")
    name = "0" * 64 + ".png"
    ways = (
        "../secret.png", "..%2fsecret.png", "..%252fsecret.png", "%2e%2e/secret.png", "%2e%2e%2fsecret.png",
        "..\\secret.png", "..%5csecret.png", f"00/../../{name}", "....//secret.png", str(outside), f"/{outside}",
        "market_base.html", "../marketplace/books.py", "%00", f"{name}%00", f"{name}/", ".", "..", "study.db",
    )  # fmt: skip
    host = urlsplit(live.url)
    for way in ways:
        connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=30)
        connection.putrequest("GET", f"/{folder}/{way}", skip_host=False)
        connection.endheaders()
        answer = connection.getresponse()
        content = answer.read()
        # A slash too many leads to the same address without it, here.
        here = str(answer.headers["location"]).startswith(f"{live.url}/{folder}/")
        assert answer.status in (400, 404) or (answer.status == 307 and here), way
        assert b"secret" not in content.replace(b"secret.png", b"")
        connection.close()


def test_a_picture_is_only_a_picture(live: Live) -> None:
    """A stored file of another kind, or under another name than its content's, is not served."""
    live.images.mkdir(exist_ok=True)
    digest = hashlib.sha256(b"x").hexdigest()
    (live.images / digest[:2]).mkdir()
    for name in (f"{digest}.html", f"{digest}.svg", f"{digest}.png.html", "photo.png"):
        (live.images / digest[:2] / name).write_bytes(b"<script>1</script>")
        assert requests.get(f"{live.url}/images/{name}", timeout=30).status_code == 404
