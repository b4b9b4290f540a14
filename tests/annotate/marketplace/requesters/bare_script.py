"""Count animals: a script as MTurk's own samples are, from the first call to the last, with nothing but boto3.

AWS_ENDPOINT_URL_MTURK=http://127.0.0.1:8700 python bare_script.py
"""

import sys
import time

import boto3

QUESTION = """<?xml version="1.0" encoding="UTF-8"?>
<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd">
  <HTMLContent><![CDATA[<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"/>
<script type="text/javascript" src="https://s3.amazonaws.com/mturk-public/externalHIT_v1.js"></script></head>
<body><form name="mturk_form" method="post" id="mturk_form" action="https://www.mturk.com/mturk/externalSubmit">
<input type="hidden" value="" name="assignmentId" id="assignmentId"/>
<h1>Photo NUMBER</h1>
<p>How many animals? <input name="count" id="count"/></p>
<p><input type="submit" id="submitButton" value="Submit"/></p>
</form><script language="Javascript">turkSetAssignmentID();</script></body></html>]]></HTMLContent>
  <FrameHeight>450</FrameHeight>
</HTMLQuestion>"""


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


mturk = boto3.client("mturk", region_name="us-east-1")
say("balance", mturk.get_account_balance()["AvailableBalance"])
hit_type = mturk.create_hit_type(
    Title="Count the animals",
    Description="One number",
    Keywords="photo, count, animals",
    Reward="0.05",
    AssignmentDurationInSeconds=600,
    AutoApprovalDelayInSeconds=3600,
)["HITTypeId"]
hits = [
    mturk.create_hit_with_hit_type(
        HITTypeId=hit_type,
        LifetimeInSeconds=3600,
        MaxAssignments=1,
        Question=QUESTION.replace("NUMBER", str(number)),
        UniqueRequestToken=f"animals-{number}",
    )["HIT"]
    for number in range(2)
]
say("preview https://workersandbox.mturk.com/mturk/preview?groupId=" + hits[0]["HITGroupId"])

wanted = {hit["HITId"] for hit in hits}
assert wanted <= {
    hit["HITId"] for page in mturk.get_paginator("list_hits").paginate() for hit in page["HITs"]
}
while {hit["HITId"] for hit in mturk.list_reviewable_hits(HITTypeId=hit_type)["HITs"]} != wanted:
    time.sleep(0.1)
for hit in hits:
    [work] = mturk.list_assignments_for_hit(HITId=hit["HITId"], AssignmentStatuses=["Submitted"])[
        "Assignments"
    ]
    start = work["Answer"].index("<QuestionIdentifier>count</QuestionIdentifier>")
    say("count", work["Answer"][start:].split("<FreeText>")[1].split("</FreeText>")[0])
    mturk.approve_assignment(AssignmentId=work["AssignmentId"], RequesterFeedback="Thank you")
    mturk.send_bonus(
        WorkerId=work["WorkerId"],
        AssignmentId=work["AssignmentId"],
        BonusAmount="0.10",
        Reason="Well counted",
        UniqueRequestToken=work["AssignmentId"],
    )
    say("bonuses", len(mturk.list_bonus_payments(HITId=hit["HITId"])["BonusPayments"]))
    mturk.delete_hit(HITId=hit["HITId"])
say("left", len([hit for hit in mturk.list_hits()["HITs"] if hit["HITId"] in wanted]))
say("balance", mturk.get_account_balance()["AvailableBalance"])
