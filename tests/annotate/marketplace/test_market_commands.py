"""`photojury market`: accounts with their keys, invitations, and what it refuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from photojury.annotate.marketplace.commands import market
from photojury.datasets.raters import rater_id
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError
from tests.annotate.marketplace.live import HIT_TYPE, Worker, html_question
from tests.support import marketplace


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = create_study(tmp_path / "study", "tests")
    yield study
    study.close()


def run(study: Study, *arguments: str) -> Result:
    return CliRunner().invoke(market, [*arguments, "--study", str(study.folder)])


def test_a_new_accounts_key_opens_the_api(study: Study) -> None:
    """What `accounts --add` prints is what boto3 signs with; the list shows names and money, never a secret."""
    made = json.loads(run(study, "accounts", "--add", "lab-two", "--json").stdout)
    with marketplace(study) as url:
        client = boto3.client(
            "mturk",
            region_name="us-east-1",
            endpoint_url=url,
            aws_access_key_id=made["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=made["AWS_SECRET_ACCESS_KEY"],
        )
        assert client.get_account_balance()["AvailableBalance"] == "10000.00"
    listed = run(study, "accounts").stdout
    assert "lab-two" in listed and "available $10000.00" in listed
    assert made["AWS_SECRET_ACCESS_KEY"] not in listed
    again = json.loads(run(study, "accounts", "--new-key", "lab-two", "--json").stdout)
    assert again["AWS_ACCESS_KEY_ID"] != made["AWS_ACCESS_KEY_ID"]


def test_invitations_are_links(study: Study) -> None:
    """As many links as asked for, each another one, at this machine's address while there is no public one."""
    links = run(study, "invite", "--number", "3").stdout.split()
    assert len(set(links)) == 3
    assert all(link.startswith("http://127.0.0.1:8700/join/") for link in links)


def test_other_machines_are_let_in_only_by_a_public_name(study: Study) -> None:
    """Without market.public_url the marketplace listens on this machine alone: there, nobody needs a key."""
    refused = run(study, "serve", "--host", "0.0.0.0", "--port", "0")
    assert isinstance(refused.exception, InputError)
    assert "set market.public_url" in str(refused.exception)


def test_a_worker_can_be_forgotten(study: Study) -> None:
    """After `forget`, no table holds the id; what was handed in is still there, and the money adds up."""
    with marketplace(study) as url:
        client = boto3.client("mturk", region_name="us-east-1", endpoint_url=url)
        given = {**HIT_TYPE, "LifetimeInSeconds": 3600, "Question": html_question(), "MaxAssignments": 2}
        hit = client.create_hit(**given)["HIT"]
        worker = Worker(url)
        worker.join(simulated=True)
        assignment = worker.answer(hit["HITGroupId"])
        client.approve_assignment(AssignmentId=assignment)
        name = client.get_assignment(AssignmentId=assignment)["Assignment"]["WorkerId"]
        rater = rater_id(name, "salt of the tests")
        study.add("workers", [{"rater_id": rater, "marketplace": "local", "worker_id": name}])
        study.add("exclusions", [{"rater_id": rater, "reason": "enough", "made_at": 0.0}])
        assert run(study, "forget", name).exit_code == 0
        again = client.get_assignment(AssignmentId=assignment)["Assignment"]
        assert again["AssignmentStatus"] == "Approved" and again["WorkerId"].startswith("A0")
        # A later fetch finds the rows that are there, under the new rater id.
        now = rater_id(again["WorkerId"], "salt of the tests")
        assert (
            study.read("exclusions")["rater_id"].tolist()
            == study.read("workers")["rater_id"].tolist()
            == [now]
        )
        assert worker.get("/earnings").status_code == 403
        worker.close()
    with study.engine.connect() as connection:
        found = sa.inspect(study.engine).get_table_names()
        rows = [str(connection.exec_driver_sql(f"SELECT * FROM {table}").all()) for table in found]
    assert not any(name in text or rater in text for text in rows)
    missing = run(study, "forget", name)
    assert isinstance(missing.exception, InputError)
