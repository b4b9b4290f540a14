"""A visitor of the worker site who is a program: joins, accepts, loads the page and its pictures, submits.

Every step is a request that a browser would send; the pages are found through the hooks that worker_site.py
promises (form#accept, iframe#task, hidden inputs).

    with Visitor("http://127.0.0.1:8700") as visitor:
        while task := visitor.next_task():
            visitor.submit(task, {"answers": "[]"})
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from photojury.errors import ServiceError

log = logging.getLogger(__name__)

_TIMEOUT = 60


@dataclass(frozen=True)
class Task:
    """An accepted HIT: its page's data, and where the answers go."""

    assignment_id: str
    submit_to: str
    data: Mapping[str, Any]


class Visitor:
    """One simulated worker with a session of their own."""

    def __init__(self, site: str) -> None:
        self._site = site.rstrip("/") + "/"
        self._session = requests.Session()
        # Pictures that this visitor's browser would have in its cache.
        self._seen: set[str] = set()
        self._after: _Page | None = None
        self._skipped: set[str] = set()

    def __enter__(self) -> Self:
        self._join()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def next_task(self) -> Task | None:
        """Accept the next HIT that this worker may do; None when there is none left."""
        while True:
            page = self._next_offer()
            if page is None:
                return None
            working = self._send(page, "accept")
            if "consent" in working.forms:
                page = self._send(working, "consent")
                if "accept" not in page.forms:
                    continue
                working = self._send(page, "accept")
            if working.frame is not None:
                task = self._open(working)
                if task is not None:
                    return task
                # Not a page of photojury's: give it back, and leave its group to people.
                self._skipped.add(page.url)
                self._send(working, "return")
            # Somebody else took the last assignment between seeing and accepting: look again.

    def submit(self, task: Task, fields: Mapping[str, str]) -> None:
        """Post the answers of a task."""
        answer = self._request("POST", task.submit_to, {"assignmentId": task.assignment_id, **fields})
        self._after = _parse(answer)

    def _join(self) -> None:
        page = _parse(self._request("GET", urljoin(self._site, "join")))
        form = next(iter(page.forms.values()), None)
        fields = form.fields if form else {}
        self._request("POST", urljoin(self._site, "join"), {**fields, "simulated": "1"})

    def _next_offer(self) -> "_Page | None":
        """A page with a form to accept: the one after the last submission, else one from the list."""
        after, self._after = self._after, None
        if after is not None and "accept" in after.forms:
            return after
        listing = _parse(self._request("GET", self._site))
        for link in listing.links:
            if link.startswith(urljoin(self._site, "projects/")) and link not in self._skipped:
                page = _parse(self._request("GET", link))
                if "accept" in page.forms:
                    return page
        return None

    def _send(self, page: "_Page", form_id: str) -> "_Page":
        form = page.forms[form_id]
        return _parse(self._request("POST", form.action or page.url, form.fields))

    def _open(self, working: "_Page") -> Task | None:
        """Load the task's page and its pictures, as a browser does; None for a page that photojury did not make."""
        frame = working.frame or ""
        page = _parse(self._request("GET", frame))
        try:
            data = json.loads(page.data)
            pictures = [urljoin(frame, url) for unit in data["units"] for url in unit["pictures"]]
        except (ValueError, KeyError, TypeError):
            log.info("%s is not a page that photojury made; simulated raters pass it over", frame)
            return None
        for url in pictures:
            if url not in self._seen:
                self._request("GET", url)
                self._seen.add(url)
        query = parse_qs(urlsplit(frame).query)
        submit_to = query["turkSubmitTo"][0].rstrip("/") + "/mturk/externalSubmit"
        return Task(query["assignmentId"][0], urljoin(frame, submit_to), data)

    def _request(self, method: str, url: str, fields: Mapping[str, str] | None = None) -> requests.Response:
        try:
            answer = self._session.request(method, url, data=fields, timeout=_TIMEOUT)
        except requests.RequestException as error:
            raise ServiceError(
                f"the worker site {self._site} does not answer ({type(error).__name__}); "
                "start it in another terminal: photojury market serve"
            ) from error
        if not answer.ok and answer.status_code != 409:
            raise ServiceError(f"the worker site answered {method} {url} with status {answer.status_code}")
        return answer


@dataclass
class _Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class _Page:
    url: str
    forms: dict[str, _Form] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    frame: str | None = None
    data: str = ""


class _Reader(HTMLParser):
    """Finds forms with their hidden fields, links, the task's frame and the task's data."""

    def __init__(self, page: _Page) -> None:
        super().__init__()
        self._page = page
        self._form: _Form | None = None
        self._in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name: value or "" for name, value in attrs}
        url = self._page.url
        if tag == "form":
            self._form = _Form(urljoin(url, names["action"]) if names.get("action") else "")
            self._page.forms[names.get("id", f"form {len(self._page.forms)}")] = self._form
        elif tag == "input" and self._form is not None and names.get("name"):
            self._form.fields[names["name"]] = names.get("value", "")
        elif tag == "a" and names.get("href"):
            self._page.links.append(urljoin(url, names["href"]))
        elif tag == "iframe" and names.get("id") == "task":
            self._page.frame = urljoin(url, names["src"])
        elif tag == "script":
            self._in_data = names.get("id") == "task-data"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "script":
            self._in_data = False

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self._page.data += data


def _parse(answer: requests.Response) -> _Page:
    page = _Page(answer.url)
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        _Reader(page).feed(answer.text)
    return page
