"""A boto3 script that knows nothing of photojury runs unchanged against `photojury market serve`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from photojury.datasets.store import create_study
from tests.annotate.marketplace.live import Worker
from tests.support import marketplace

SCRIPT = '''
import time
import boto3

QUESTION = """<?xml version="1.0" encoding="UTF-8"?>
<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd">
  <HTMLContent><![CDATA[<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"/>
<script type="text/javascript" src="https://s3.amazonaws.com/mturk-public/externalHIT_v1.js"></script></head>
<body><form name="mturk_form" method="post" id="mturk_form" action="https://www.mturk.com/mturk/externalSubmit">
<input type="hidden" value="" name="assignmentId" id="assignmentId"/>
<p>How many animals? <input name="count"/></p><input type="submit" id="submitButton" value="Submit"/>
</form><script>turkSetAssignmentID();</script></body></html>]]></HTMLContent>
  <FrameHeight>450</FrameHeight>
</HTMLQuestion>"""

mturk = boto3.client("mturk", region_name="us-east-1")
print("balance", mturk.get_account_balance()["AvailableBalance"])
hit_type = mturk.create_hit_type(
    Title="Count the animals", Description="One number", Reward="0.05",
    AssignmentDurationInSeconds=600, AutoApprovalDelayInSeconds=3600,
)["HITTypeId"]
hits = [
    mturk.create_hit_with_hit_type(
        HITTypeId=hit_type, LifetimeInSeconds=3600, MaxAssignments=2, Question=QUESTION,
        UniqueRequestToken=f"animals-{number}",
    )["HIT"] for number in range(3)
]
print("group", hits[0]["HITGroupId"], flush=True)
wanted = {hit["HITId"] for hit in hits}
assert wanted <= {hit["HITId"] for page in mturk.get_paginator("list_hits").paginate() for hit in page["HITs"]}
while {h["HITId"] for h in mturk.list_reviewable_hits(HITTypeId=hit_type)["HITs"]} != wanted:
    time.sleep(0.1)
for hit_id in sorted(wanted):
    for number, work in enumerate(mturk.list_assignments_for_hit(HITId=hit_id)["Assignments"]):
        assert "<FreeText>7</FreeText>" in work["Answer"], work["Answer"]
        mturk.approve_assignment(AssignmentId=work["AssignmentId"])
        if number == 0:
            mturk.send_bonus(
                WorkerId=work["WorkerId"], AssignmentId=work["AssignmentId"], BonusAmount="0.10",
                Reason="Thank you", UniqueRequestToken=work["AssignmentId"],
            )
    print("bonuses", len(mturk.list_bonus_payments(HITId=hit_id)["BonusPayments"]))
    mturk.delete_hit(HITId=hit_id)
print("left", len(mturk.list_hits()["HITs"]))
print("balance", mturk.get_account_balance()["AvailableBalance"])
'''


def test_a_strangers_script_runs_unchanged(tmp_path: Path) -> None:
    """It makes a type and three HITs, waits, approves, gives a bonus and deletes, knowing only the address."""
    study = create_study(tmp_path / "study", "stranger")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with marketplace(study) as url:
        environment = {**os.environ, "AWS_ENDPOINT_URL_MTURK": url}
        command = [sys.executable, str(script)]
        with subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "balance 10000.00\n"
            group = process.stdout.readline().split()[1]
            for _ in range(2):
                worker = Worker(url)
                worker.join(simulated=True)
                for _ in range(3):
                    worker.answer(group, count="7")
                worker.close()
            output, errors = process.communicate(timeout=60)
    study.close()
    assert process.returncode == 0, errors
    # Six rewards of 0.05 with a fee of 0.01 each, three bonuses of 0.10 with 0.02 each.
    assert output == "bonuses 1\n" * 3 + "left 0\nbalance 9999.28\n"


def test_two_servers_on_one_port(tmp_path: Path) -> None:
    """The second says in one sentence that the port is in use; so does a host that is not this machine."""
    study = create_study(tmp_path / "study", "ports")
    serve = [sys.executable, "-m", "photojury", "market", "serve", "--study", str(study.folder)]
    with marketplace(study) as url:
        port = url.rsplit(":", 1)[1]
        for extra, text in (
            (["--port", port], rf"port {port} is in use by another program; name another with --port"),
            (["--host", "0.0.0.0"], "would open the marketplace to other machines"),
        ):
            done = subprocess.run([*serve, *extra], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (2, "")
            assert re.fullmatch(rf"photojury: .*{text}.*\n", done.stderr), done.stderr
    study.close()
