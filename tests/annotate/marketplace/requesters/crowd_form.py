"""Sort photos: a page of crowd HTML elements, as MTurk's web site made them, read back as taskAnswers JSON.

AWS_ENDPOINT_URL_MTURK=http://127.0.0.1:8700 python crowd_form.py
"""

import collections
import json
import sys
import time
import xml.etree.ElementTree

import boto3

TEMPLATE = """
<HTMLQuestion xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd">
<HTMLContent><![CDATA[
<!DOCTYPE html>
<body>
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-classifier name="category" categories="['Portrait', 'Landscape', 'Neither']" header="What is it?">
    <classification-target><p>${caption}</p></classification-target>
    <full-instructions header="Instructions">Choose what the photo mostly shows.</full-instructions>
    <short-instructions>Choose one.</short-instructions>
  </crowd-classifier>
  <crowd-checkbox name="flags" value="blurred">It is blurred</crowd-checkbox>
  <crowd-checkbox name="flags" value="text">There is text in it</crowd-checkbox>
  <crowd-slider name="beauty" min="1" max="5" value="3"></crowd-slider>
  <crowd-text-area name="why" placeholder="Why?"></crowd-text-area>
  <crowd-button form-action="submit">Submit</crowd-button>
</crowd-form>
</body>
]]></HTMLContent>
<FrameHeight>0</FrameHeight>
</HTMLQuestion>
"""

client = boto3.client("mturk", region_name="us-east-1")
hit = client.create_hit(
    Title="What does the photo show?",
    Description="Choose a category",
    Keywords="photo, category",
    Reward="0.02",
    MaxAssignments=2,
    LifetimeInSeconds=3600,
    AssignmentDurationInSeconds=900,
    AutoApprovalDelayInSeconds=86400,
    Question=TEMPLATE.replace("${caption}", "A house by the sea"),
    QualificationRequirements=[
        {
            "QualificationTypeId": "000000000000000000L0",
            "Comparator": "GreaterThanOrEqualTo",
            "IntegerValues": [95],
        }
    ],
)["HIT"]
sys.stdout.write(f"group {hit['HITGroupId']}\n")
sys.stdout.flush()

while client.get_hit(HITId=hit["HITId"])["HIT"]["HITStatus"] != "Reviewable":
    time.sleep(0.1)

categories: collections.Counter[str] = collections.Counter()
pages = client.get_paginator("list_assignments_for_hit").paginate(
    HITId=hit["HITId"], AssignmentStatuses=["Submitted"], PaginationConfig={"PageSize": 1}
)
for page in pages:
    for assignment in page["Assignments"]:
        tree = xml.etree.ElementTree.fromstring(assignment["Answer"])
        fields = {answer[0].text: answer[1].text for answer in tree}
        [answers] = json.loads(fields["taskAnswers"] or "")
        categories[answers["category"]["label"]] += 1
        sys.stdout.write(json.dumps(answers, sort_keys=True) + "\n")
        if answers["flags"]["blurred"]:
            client.reject_assignment(AssignmentId=assignment["AssignmentId"], RequesterFeedback="It is sharp")
        else:
            client.approve_assignment(AssignmentId=assignment["AssignmentId"])
sys.stdout.write(f"{categories.most_common(1)[0][0]} wins\n")
