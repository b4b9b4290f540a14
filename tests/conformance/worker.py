"""What a worker does, at photojury's worker site; the one file to replace for another marketplace's.

Takes in the marketplace's URL; gives out assignment ids. Nothing but the hooks that the docstrings of
annotate/marketplace/site/worker_site.py, qualifying.py and question_form.py promise is used: no JavaScript, no browser.

    >>> worker = Worker("http://127.0.0.1:8700")                # doctest: +SKIP
    >>> worker.submit(worker.accept(hit["HITGroupId"]), stars="3")                # doctest: +SKIP
"""

import re
from urllib.parse import urlsplit

import requests


class Worker:
    """One worker, who has joined."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.session = requests.Session()
        page = self._get("/join")
        self._post("/join", csrf=_csrf(page.text), next="/", simulated="1")

    @property
    def worker_id(self) -> str:
        """As the requester sees it."""
        found = re.search(r"<code>(A[A-Z0-9]+)</code>", self._get("/").text)
        assert found
        return found[1]

    def listed(self, group_id: str) -> bool:
        """Whether the list of tasks names a group."""
        return f"/projects/{group_id}/" in self._get("/").text

    def previewed(self, group_id: str) -> bool:
        """Whether the task itself can be seen before it is accepted."""
        return '<iframe id="task"' in self._get(f"/projects/{group_id}/tasks").text

    def accept(self, group_id: str) -> str | None:
        """Take a HIT of a group: the assignment's id, or None where none is to be had."""
        preview = self._get(f"/projects/{group_id}/tasks")
        if 'id="accept"' not in preview.text:
            return None
        answer = self._post(f"/projects/{group_id}/accept", csrf=_csrf(preview.text))
        return answer.url.rsplit("/", 1)[1] if answer.ok and "/tasks/" in answer.url else None

    def submit(self, assignment_id: str, **fields: str) -> bool:
        """Hand in answers; whether they were taken."""
        data = {"assignmentId": assignment_id, **(fields or {"stars": "3"})}
        return requests.post(
            f"{self.site}/mturk/externalSubmit", data, allow_redirects=False, timeout=30
        ).status_code in (200, 303)

    def fill_in(self, assignment_id: str, **answers: str) -> bool:
        """Hand in answers to a QuestionForm, by QuestionIdentifier; whether they were taken."""
        return self.submit(assignment_id, **{f"answer.{name}": answer for name, answer in answers.items()})

    def give_back(self, assignment_id: str) -> None:
        """Return what was accepted."""
        page = self._get(f"/tasks/{assignment_id}")
        assert self._post(f"/tasks/{assignment_id}/return", csrf=_csrf(page.text)).ok

    def ask_for(self, qualification_type_id: str, **answers: str) -> bool:
        """Request a qualification, and answer its test where there is one; whether the request was taken."""
        here = f"/qualifications/{qualification_type_id}"
        page = self._get(here)
        if 'id="request"' not in page.text:
            return False
        answer = self._post(here, csrf=_csrf(page.text), next="/")
        last = urlsplit(answer.url).path.rpartition("/")
        return answer.ok and (not last[0].endswith("/requests") or self.fill_in(last[2], **answers))

    def messages(self) -> str:
        """The page with what requesters have written to this worker."""
        return self._get("/messages").text

    def earnings(self) -> str:
        """The page with the money and the feedback."""
        return self._get("/earnings").text

    def close(self) -> None:
        self.session.close()

    def _get(self, path: str) -> requests.Response:
        return self.session.get(self.site + path, timeout=30)

    def _post(self, path: str, **fields: str) -> requests.Response:
        return self.session.post(self.site + path, fields, timeout=30)


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found, page
    return found[1]
