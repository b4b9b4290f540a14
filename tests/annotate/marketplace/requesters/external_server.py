"""Name the mood: an ExternalQuestion whose page comes from this program's own web server, as psiTurk's did.

AWS_ENDPOINT_URL_MTURK=http://127.0.0.1:8700 python external_server.py
"""

import html
import json
import sys
import threading
import time
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import boto3

PARAMETERS = ("assignmentId", "hitId", "workerId", "turkSubmitTo")
SCHEMA = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd"
ANSWERS = (
    "{http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd}"
)
PAGE = """<!doctype html><title>Mood</title><form method="post" action="{submit_to}/mturk/externalSubmit">
<input type="hidden" name="assignmentId" value="{assignment}"><input type="hidden" name="item" value="{item}">
<p>What is the mood of photo {item}? <textarea name="mood" id="mood"></textarea></p>
<button id="send" {state}>Submit</button></form>"""


class TaskServer(ThreadingHTTPServer):
    """Serves the page, and keeps the parameters of each visit."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), TaskPage)
        self.visits: list[dict[str, str]] = []


class TaskPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        # A doubled parameter means its first value.
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        assert isinstance(self.server, TaskServer)
        self.server.visits.append(query)
        preview = query.get("assignmentId") == "ASSIGNMENT_ID_NOT_AVAILABLE"
        page = PAGE.format(
            submit_to=html.escape(query.get("turkSubmitTo", "")),
            assignment=html.escape(query.get("assignmentId", "")),
            item=html.escape(query.get("item", "")),
            state="disabled" if preview else "",
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


class Study:
    """One HIT, made, waited for, and paid."""

    def __init__(self, server: TaskServer) -> None:
        self.mturk = boto3.client("mturk", region_name="us-east-1")
        self.server = server

    def publish(self) -> None:
        url = f"http://127.0.0.1:{self.server.server_port}/task?item=7&set=a"
        question = (
            f'<ExternalQuestion xmlns="{SCHEMA}"><ExternalURL>{escape(url)}</ExternalURL>'
            "<FrameHeight>0</FrameHeight></ExternalQuestion>"
        )
        self.hit = self.mturk.create_hit(
            Title="Name the mood",
            Description="One or two words",
            Reward="0.10",
            MaxAssignments=1,
            LifetimeInSeconds=3600,
            AssignmentDurationInSeconds=600,
            Question=question,
            RequesterAnnotation="batch=moods;item=7",
        )["HIT"]

    def wait(self) -> dict[str, str]:
        while True:
            found = self.mturk.list_assignments_for_hit(HITId=self.hit["HITId"])["Assignments"]
            if found:
                break
            time.sleep(0.1)
        [work] = found
        answers = {
            str(each.findtext(f"{ANSWERS}QuestionIdentifier")): str(each.findtext(f"{ANSWERS}FreeText"))
            for each in ET.fromstring(work["Answer"]).iter(f"{ANSWERS}Answer")
        }
        given = self.server.visits[-1]
        assert (given["assignmentId"], given["workerId"], given["hitId"]) == (
            work["AssignmentId"], work["WorkerId"], work["HITId"],
        ), "the frame knew what the requester is told"  # fmt: skip
        self.mturk.approve_assignment(AssignmentId=work["AssignmentId"])
        return answers


if __name__ == "__main__":
    server = TaskServer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    study = Study(server)
    study.publish()
    sys.stdout.write(f"group {study.hit['HITGroupId']}\n")
    sys.stdout.flush()
    answers = study.wait()
    seen = [[name for name in PARAMETERS if name in visit] for visit in server.visits]
    previews = [visit["assignmentId"] == "ASSIGNMENT_ID_NOT_AVAILABLE" for visit in server.visits]
    sys.stdout.write(json.dumps({"answers": answers, "seen": seen, "previews": previews}) + "\n")
