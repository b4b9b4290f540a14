"""The answers to a QuestionForm: what a browser sent, checked against the form, as QuestionFormAnswers; and back.

Takes in the fields of a form that question_form.render made; gives out MTurk's XML, where a chosen answer is
a SelectionIdentifier and not text. What the page enforces is enforced here again, since anybody can send
anything. A question without an answer has no Answer (QuestionFormAnswers page, API reference, 2017-01-17).

    >>> read(f'<QuestionFormAnswers xmlns="{NAMESPACE}"><Answer><QuestionIdentifier>q</QuestionIdentifier>'
    ...      '<SelectionIdentifier>A</SelectionIdentifier></Answer></QuestionFormAnswers>')["q"].values
    frozenset({'A'})
"""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from photojury.annotate.answers_xml import document, escaped
from photojury.annotate.marketplace.questions import question_form
from photojury.annotate.marketplace.questions.documents import ANY, ONE, OPTIONAL, Reader
from photojury.annotate.marketplace.questions.question_form import Asked, Form, FreeText, Pattern, Selection

log = logging.getLogger(__name__)


_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,4})?", re.IGNORECASE)
_READER = Reader("QuestionFormAnswers")

_PATIENCE = 2.0  # seconds for all patterns of one submission; some patterns would take years
# A pattern is refused only where neither reading of \w, \d and \b matches: JavaScript's lies between the two.
_MATCHER = """
import json, re, sys
for regex, flags, text in json.load(sys.stdin):
    python = re.sub(r"\\(\\?<(?=[A-Za-z_])", "(?P<", regex)
    flag = re.IGNORECASE if flags else 0
    try:
        print(int(any(re.search(python, text, flag | more) for more in (0, re.ASCII))), flush=True)
    except (re.error, RecursionError, OverflowError):
        print(1, flush=True)
"""


class AnswerError(Exception):
    """An answer that the form does not allow; the message says why, to the worker."""


@dataclass(frozen=True)
class Given:
    """What was given for one question: chosen SelectionIdentifiers, and texts (FreeText, OtherSelectionText)."""

    selections: frozenset[str]
    texts: tuple[str, ...]

    @property
    def values(self) -> frozenset[str]:
        """All of it, without the space around it; empty where nothing was given."""
        return frozenset(text.strip() for text in (*self.selections, *self.texts) if text.strip())


def to_xml(xml: str, fields: Sequence[tuple[str, str]]) -> str:
    """The QuestionFormAnswers of a QuestionForm's fields.

    Args:
        xml: the QuestionForm.
        fields: names and values as the browser sent them, without assignmentId; what the form does not ask
            for is left out.

    Raises:
        AnswerError: an answer is missing, or does not keep to what the form asks; for the worker to read.
    """
    form = question_form.parse(xml)
    answers, patterns = [], []
    for asked in form.questions.values():
        given = [value for name, value in fields if name == f"answer.{asked.identifier}"]
        if isinstance(asked.answer, FreeText):
            text = given[0] if given else ""
            _check_text(_shown(form, asked), asked.answer, text, needed=asked.required)
            patterns += [(_shown(form, asked), pattern, text) for pattern in asked.answer.patterns]
            body = _element("FreeText", text) if text else ""
        else:
            other = [value for name, value in fields if name == f"other.{asked.identifier}"]
            body, more = _chosen(form, asked, asked.answer, given, other[0] if other else "")
            patterns += more
        if body:
            answers.append(f"<Answer>{_element('QuestionIdentifier', asked.identifier)}{body}</Answer>")
    _check_patterns(patterns)
    return document(answers)


def read(answers_xml: str) -> dict[str, Given]:
    """What a QuestionFormAnswers document has for each question; a question named twice has both answers.

    Raises:
        RequestError: it is not such a document.
    """
    # An answer may be far longer than a question, so its length is not looked at here.
    root = _READER.tree_of(answers_xml)
    found: dict[str, Given] = {}
    kinds = ("FreeText", "OtherSelectionText", "UploadedFileSizeInBytes", "UploadedFileKey")
    counts = {"QuestionIdentifier": ONE, "SelectionIdentifier": ANY, **dict.fromkeys(kinds, OPTIONAL)}
    for answer in _READER.parts(root, {"Answer": ANY})["Answer"]:
        parts = _READER.parts(answer, counts)
        name = _READER.text(parts["QuestionIdentifier"][0])
        before = found.get(name, Given(frozenset(), ()))
        chosen = frozenset(_READER.text(each) for each in parts["SelectionIdentifier"])
        texts = tuple(_READER.text(each) for kind in kinds[:2] for each in parts[kind])
        found[name] = Given(before.selections | chosen, before.texts + texts)
    return found


def _shown(form: Form, asked: Asked) -> str:
    """How a worker knows a question: by its name, or by its number on the page."""
    if asked.name:
        return f"“{asked.name[:60]}”"
    return f"Question {list(form.questions).index(asked.identifier) + 1}"


def _check_text(shown: str, wanted: FreeText, text: str, *, needed: bool) -> None:
    # A browser counts a line end as one character and, unlike Python, an emoji as two; whoever kept to the
    # browser's count must not be refused here.
    line = text.replace("\r\n", "\n")
    if not line:
        if needed or wanted.shortest:
            raise AnswerError(f"{shown} needs an answer.")
        return
    if wanted.shortest is not None and len(line.encode("utf-16-le", "replace")) // 2 < wanted.shortest:
        raise AnswerError(f"{shown} needs at least {wanted.shortest} characters.")
    if wanted.longest is not None and len(line) > wanted.longest:
        raise AnswerError(f"{shown} takes at most {wanted.longest} characters.")
    if wanted.numeric:
        _check_number(shown, wanted, line.strip())


def _check_number(shown: str, wanted: FreeText, text: str) -> None:
    if not _NUMBER.fullmatch(text):
        raise AnswerError(f"{shown} must be a number, such as 3 or 2.5.")
    value = Decimal(text)
    if wanted.minimum is not None and value < wanted.minimum:
        raise AnswerError(f"{shown} must be a number of at least {wanted.minimum}.")
    if wanted.maximum is not None and value > wanted.maximum:
        raise AnswerError(f"{shown} must be a number of at most {wanted.maximum}.")


def _chosen(
    form: Form, asked: Asked, wanted: Selection, given: Sequence[str], other: str
) -> tuple[str, list[tuple[str, Pattern, str]]]:
    """The Answer's inner XML of a multiple-choice question, and the patterns that its text must match."""
    shown = _shown(form, asked)
    known = [choice.identifier for choice in wanted.choices]
    strange = sorted(set(given) - {*known, ""})
    if strange:
        raise AnswerError(f"{shown} has no choice {strange[0][:40]!r}.")
    chosen = [identifier for identifier in known if identifier in given]
    # Text beside "Other" counts if Other is chosen, or nothing else is.
    write = wanted.other is not None and other.strip() != "" and ("" in given or not chosen)
    number = len(chosen) + write
    if number > wanted.most:
        raise AnswerError(f"{shown} takes at most {wanted.most} of the choices, not {number}.")
    if number < wanted.least and (asked.required or number):
        raise AnswerError(f"{shown} needs at least {wanted.least} of the choices, not {number}.")
    body = "".join(_element("SelectionIdentifier", identifier) for identifier in chosen)
    if not write or wanted.other is None:
        return body, []
    _check_text(shown, wanted.other, other, needed=False)
    patterns = [(shown, pattern, other) for pattern in wanted.other.patterns]
    return body + _element("OtherSelectionText", other), patterns


def _check_patterns(wanted: Sequence[tuple[str, Pattern, str]]) -> None:
    """Match texts against patterns that a requester wrote, in a process that can be stopped.

    A pattern that Python cannot read, or that takes too long, was JavaScript's to check, as on MTurk.
    """
    if not wanted:
        return
    question = json.dumps([(pattern.regex, pattern.flags, text) for _, pattern, text in wanted])
    command = [sys.executable, "-I", "-S", "-c", _MATCHER]
    try:
        done = subprocess.run(
            command, input=question, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
        said = done.stdout
    except subprocess.TimeoutExpired as late:
        log.warning("the patterns of a QuestionForm took more than %s s and were not checked", _PATIENCE)
        said = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
    for (shown, pattern, _), matched in zip(wanted, said.split(), strict=False):
        if matched == "0":
            raise AnswerError(f"{shown}: {pattern.error}")


def _element(name: str, text: str) -> str:
    return f"<{name}>{escaped(text)}</{name}>"
