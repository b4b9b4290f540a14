"""`photojury annotate prolific`: every command, as it is typed, against Prolific's stand-in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from photojury.annotate.batches import study_id
from photojury.annotate.recruit.commands import prolific
from photojury.annotate.recruit.completion import completion_code
from photojury.datasets import tables
from photojury.datasets.prolific import worker_id_of
from photojury.datasets.raters import rater_id, read_salt
from photojury.datasets.store import Study
from photojury.errors import Refused
from tests.annotate.recruit.fake_prolific import FakeProlific

PID = "60ffe5c8371090c7041d43f8"
Run = Callable[..., Result]


@pytest.fixture
def run(study: Study, fake: FakeProlific) -> Run:
    """Type a command for the study."""

    def typed(*arguments: str, fails: type[Exception] | None = None) -> Result:
        done = CliRunner().invoke(prolific, [*arguments, "--study", str(study.folder)])
        if fails is None:
            assert done.exit_code == 0, (done.output, done.exception)
        else:
            assert isinstance(done.exception, fails), (done.output, done.exception)
        assert fake.token not in done.output + str(done.exception)
        return done

    return typed


def answered(study: Study) -> None:
    """The participant's assignment, as `annotate fetch` brings it in."""
    rater, hit = rater_id(worker_id_of(PID), read_salt()), study.read("hits")["hit_key"][0]
    row = {"assignment_id": "3A", "rater_id": rater, "hit_key": hit, "accepted_at": 1.0, "submitted_at": 60.0}
    study.add("assignments", [{**row, "status": "Submitted", "answers": "<xml/>"}])


def test_from_draft_to_payment(study: Study, fake: FakeProlific, run: Run) -> None:
    """create, publish, status, settle, bonus, close: what costs money waits for --yes, and says what it costs."""
    assert "would make a study of 2 HITs: $3.43 for 6 places" in run("create", "--dry-run").stdout
    assert not fake.studies
    made = json.loads(run("create", "--json").stdout)
    assert (made["state"], made["places"], made["total"], made["currency"]) == ("draft", 6, 343, "USD")
    (group,) = fake.groups.values()
    (there,) = fake.studies.values()
    assert there["filters"] == [
        {"filter_id": "participant_group_blocklist", "selected_values": [group["id"]]}
    ]
    assert "found the study" in run("create").stdout

    refused = str(run("publish", fails=Refused).exception)
    assert "will cost $3.43 for 6 places" in refused
    assert refused.endswith("say so with --yes")
    assert there["status"] == "UNPUBLISHED"
    assert json.loads(run("publish", "--yes", "--json").stdout)["state"] == "published"
    assert there["status"] == "ACTIVE"
    assert "stars-1 is published" in run("publish").stdout

    name = fake.join(there["id"], PID, code=completion_code(study_id(study)))
    late = fake.join(there["id"], "5" * 24, "TIMED-OUT")
    waiting = run("status")
    assert f"submission {name}: is finished at Prolific, but none of its answers are here" in waiting.stderr
    answered(study)
    facts = json.loads(run("status", "--json").stdout)
    assert facts["submissions"] == {"AWAITING REVIEW": 1, "TIMED-OUT": 1}
    assert (facts["to_settle"], facts["reports"]) == (1, [])

    assert "approving 1 submissions will pay $0.40" in str(run("settle", fails=Refused).exception)
    assert not fake.paid_by_approval
    assert "settled 1 submissions: $0.40 to raters, $0.18 fees" in run("settle", "--yes").stdout
    assert json.loads(run("settle", "--json").stdout)["approved"] == 0
    assert fake.paid_by_approval == {name: 1}

    typed = ("bonus", name, "--cents", "50", "--reason", "thanks")
    assert "bonuses of 50 cents will cost about 72 cents" in str(run(*typed, fails=Refused).exception)
    assert "paid 1 bonuses, $0.50 and $0.22 fees" in run(*typed, "--yes").stdout
    assert "1 were paid before" in run(*typed).stdout
    assert fake.submissions[name]["bonus_payments"] == [50]

    assert "is paused" in run("pause").stdout
    assert "goes on" in run("resume").stdout
    assert json.loads(run("close", "--json").stdout) == {"batch": "stars-1", "state": "closed"}
    assert there["status"] == "COMPLETED"
    assert fake.submissions[late]["status"] == "TIMED-OUT"


def test_extend(study: Study, fake: FakeProlific, run: Run) -> None:
    """Places that HITs have gained are added after --yes, once."""
    run("create")
    run("publish", "--yes")
    with study.writing() as connection:
        connection.execute(sa.update(tables.hits).values(max_assignments=4))
    assert "adding places for stars-1 at Prolific will cost $1.15" in str(
        run("extend", fails=Refused).exception
    )
    assert "added 2 places for stars-1, which now has 8" in run("extend", "--yes").stdout
    assert json.loads(run("extend", "--json").stdout) == {"batch": "stars-1", "added": 0, "places": 8}


def test_exclude(study: Study, fake: FakeProlific, run: Run) -> None:
    """Excluded raters go into the study's group."""
    rater = rater_id(worker_id_of(PID), read_salt())
    study.add("workers", [{"rater_id": rater, "marketplace": "local", "worker_id": worker_id_of(PID)}])
    study.add("exclusions", [{"rater_id": rater, "until": None, "reason": "gold", "made_at": 1.0}])
    assert "excluded 1 more raters at Prolific" in run("exclude").stdout
    assert [group["members"] for group in fake.groups.values()] == [[PID]]
    assert json.loads(run("exclude", "--json").stdout)["added"] == 0


def test_trying_out(fake: FakeProlific, run: Run) -> None:
    """A test participant and a test study of the draft."""
    run("create")
    facts = json.loads(run("test", "--email", "leader+test@example.org", "--json").stdout)
    assert facts["study_url"].startswith("https://app.prolific.com/studies/")
    assert len(facts["participant_id"]) == 24


def test_verifying_a_webhook(
    study: Study, fake: FakeProlific, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New the first time, known the second, refused when changed."""
    import time

    monkeypatch.setenv("PROLIFIC_WEBHOOK_SECRET", fake.hook_secret)
    body = tmp_path / "body.json"
    body.write_bytes(b'{"event_type": "study.status.change"}')
    given = fake.event(body.read_bytes(), int(time.time()), "E1")
    typed = ["webhook-verify", str(body), *(f"--header={name}: {value}" for name, value in given.items())]
    assert run(*typed).stdout == "new: study.status.change\n"
    assert json.loads(run(*typed, "--json").stdout) == {"new": False, "event": None}
    body.write_bytes(b'{"event_type": "study.status.changed"}')
    assert "does not fit" in str(run(*typed, fails=Exception).exception)


def test_every_command_says_what_it_does() -> None:
    """Help, one example, --study and --json for each."""
    assert {"create", "publish", "status", "settle", "bonus", "exclude", "close"} <= set(prolific.commands)
    for name, command in prolific.commands.items():
        text = CliRunner().invoke(command, ["--help"]).output
        assert command.help, name
        assert f"photojury annotate prolific {name}" in " ".join(text.split()), name
        assert "--study" in text, name
        assert "--json" in text, name
