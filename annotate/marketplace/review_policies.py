"""MTurk's two review policies: what a requester may ask for, and how answers are scored.

ScoreMyKnownAnswers/2011-09-01 looks at an assignment as soon as it is handed in: how many of the questions
whose answers the requester knows were answered so. SimplePlurality/2011-09-01 looks at a HIT when it becomes
reviewable: on which questions its workers agree. What follows from the scores (approve, reject, extend) is
photojury.annotate.marketplace.reviewing's.

Takes in the parameters of CreateHIT and answers; gives out policies and scores in whole per cent, rounded
down as in the reference's example (two of three workers: 66). After the pages Assignment Review Policies and
HIT Review Policies of MTurk's API reference, 2017-01-17. Where they are at odds with themselves:

- RejectIfKnownAnswerScoreIsLessThan: less than, as its name and its limits say (0: never, 101: always), and
  not "equal to or less than", as its description says.
- QuestionAgreementThreshold: the score must be greater, but all use cases set it to 100 and mean unanimity;
  here a unanimous answer is an agreed one, whatever the threshold.
- DisregardAssignmentIfRejected is marked as required, and no use case gives it; here it may be left out (F).
- QuestionIds is written QuestionIDs as well, and is one comma-separated value or several values; all is taken.

    >>> plurality_of([frozenset({"coat"}), frozenset({"sweater"}), frozenset({"coat"})], threshold=50)
    (frozenset({'coat'}), 66)
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from photojury.annotate.marketplace.questions.form_answers import Given
from photojury.annotate.marketplace.requesters.protocol import RequestError

KNOWN_ANSWERS = "ScoreMyKnownAnswers/2011-09-01"
PLURALITY = "SimplePlurality/2011-09-01"
LEVELS = {"Assignment": ("AssignmentReviewPolicy", KNOWN_ANSWERS), "HIT": ("HITReviewPolicy", PLURALITY)}
"""CreateHIT's parameter and its policy, for each of ListReviewPolicyResultsForHIT's PolicyLevels."""

_PERCENT = (0, 101)  # 101: a score that nobody reaches
_SECONDS = (60, 31_536_000)
_MOST_QUESTIONS = 15  # "Add upto 15 questions" (HIT Review Policy page)
_LONGEST_QUESTION_ID = 255  # bytes (same page)
_LONGEST_REASON = 1024  # RequesterFeedback
_LONGEST_ANSWER = 256  # "longer than 256 characters are not used in the computation"

Answers = Mapping[str, Given]
Values = frozenset[str]


@dataclass(frozen=True)
class Extension:
    """When a HIT is offered to one more worker: under which score, up to how many in all, for how long."""

    below: int | None
    most: int
    seconds: int


@dataclass(frozen=True)
class Verdicts:
    """When an assignment is approved or rejected, and what its worker is told; None: never."""

    approve_from: int | None
    reject_below: int | None
    approve_reason: str
    reject_reason: str


@dataclass(frozen=True)
class KnownAnswers:
    """A ScoreMyKnownAnswers policy: `key` has the right values for each question."""

    key: Mapping[str, Values]
    verdicts: Verdicts
    extension: Extension

    def correct(self, answers: Answers) -> dict[str, bool]:
        """For each question of the key, whether it was answered so: the same values, no more and no fewer."""
        return {
            question: (answers[question].values if question in answers else frozenset()) == values
            for question, values in self.key.items()
        }

    def score(self, answers: Answers) -> int:
        """The KnownAnswerScore: per cent of the key's questions that were answered right."""
        correct = self.correct(answers)
        return 100 * sum(correct.values()) // len(correct)


@dataclass(frozen=True)
class Plurality:
    """A SimplePlurality policy."""

    questions: tuple[str, ...]
    threshold: int
    not_rejected: bool
    known_from: int | None
    verdicts: Verdicts
    extension: Extension

    def agreed(self, everyone: Sequence[Answers]) -> dict[str, tuple[Values, int] | None]:
        """For each question the agreed answer with its score, or None."""
        found = {}
        for question in self.questions:
            given = [_usable(answers, question) for answers in everyone]
            found[question] = plurality_of([one for one in given if one is not None], self.threshold)
        return found

    def agreement(self, answers: Answers, agreed: Mapping[str, tuple[Values, int] | None]) -> tuple[int, int]:
        """How many agreed questions a worker has answered like the others, and how many otherwise."""
        same = [
            _usable(answers, question) == found[0] for question, found in agreed.items() if found is not None
        ]
        return sum(same), len(same) - sum(same)


def plurality_of(given: Sequence[Values], threshold: int) -> tuple[Values, int] | None:
    """The answer that most workers gave, with the per cent of them; None where none is agreed upon.

    Args:
        given: each worker's values for one question.
        threshold: per cent that must be exceeded.
    """
    ranked = Counter(given).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    answer, number = ranked[0]
    score = 100 * number // len(given)
    return (answer, score) if score > threshold or score == 100 else None


def check(request: Mapping[str, Any]) -> str | None:
    """Check CreateHIT's two policies; gives the JSON that is kept with the HIT, or None where there is none.

    Raises:
        RequestError: InvalidParameterValue, naming the policy and the parameter.
    """
    policies = {name: request[name] for name, _ in LEVELS.values() if request.get(name)}
    if not policies:
        return None
    for name, wanted in LEVELS.values():
        if name in policies and policies[name]["PolicyName"] != wanted:
            raise _bad(f"The {name} must be {wanted}, not {policies[name]['PolicyName'][:60]!r}.")
    kept = json.dumps(policies, sort_keys=True)
    known_answers(kept)
    plurality(kept)
    return kept


def known_answers(kept: str | None) -> KnownAnswers | None:
    """The assignment-level policy in the JSON of `check`."""
    given = _parameters(kept, "Assignment", _KNOWN)
    if given is None:
        return None
    return KnownAnswers(
        key=given["answerkey"],
        verdicts=Verdicts(
            given.get("approveifknownanswerscoreisatleast"),
            given.get("rejectifknownanswerscoreislessthan"),
            given.get("approvereason", ""),
            given.get("rejectreason", ""),
        ),
        extension=Extension(
            given.get("extendifknownanswerscoreislessthan"),
            given.get("extendmaximumassignments", 5),
            given.get("extendminimumtimeinseconds", 0),
        ),
    )


def plurality(kept: str | None) -> Plurality | None:
    """The HIT-level policy in the JSON of `check`."""
    given = _parameters(kept, "HIT", _SIMPLE)
    if given is None:
        return None
    below = given.get("extendifhitagreementscoreislessthan")
    for name in ("ExtendMaximumAssignments", "ExtendMinimumTimeInSeconds"):
        if below is not None and name.lower() not in given:
            raise _bad(f"{PLURALITY} needs {name} where ExtendIfHITAgreementScoreIsLessThan is given.")
    return Plurality(
        questions=given["questionids"],
        threshold=given["questionagreementthreshold"],
        not_rejected=given.get("disregardassignmentifrejected", False),
        known_from=given.get("disregardassignmentifknownanswerscoreislessthan"),
        verdicts=Verdicts(
            given.get("approveifworkeragreementscoreisatleast"),
            given.get("rejectifworkeragreementscoreislessthan"),
            "",
            given.get("rejectreason", ""),
        ),
        extension=Extension(
            below, given.get("extendmaximumassignments", 0), given.get("extendminimumtimeinseconds", 0)
        ),
    )


def _usable(answers: Answers, question: str) -> Values | None:
    values = answers[question].values if question in answers else frozenset()
    return None if any(len(value) > _LONGEST_ANSWER for value in values) else values


def _whole(least: int, most: int) -> Callable[[str, Mapping[str, Any]], int]:
    def read(name: str, parameter: Mapping[str, Any]) -> int:
        text = _one(name, parameter).strip()
        if not (text.isascii() and text.isdigit()) or not least <= int(text[:12]) <= most:
            raise _bad(f"{name} must be a whole number from {least} to {most}, not {text[:20]!r}.")
        return int(text)

    return read


def _reason(name: str, parameter: Mapping[str, Any]) -> str:
    text = _one(name, parameter)
    if len(text) > _LONGEST_REASON:
        raise _bad(f"{name} has {len(text)} characters; at most {_LONGEST_REASON} are allowed.")
    return text


def _truth(name: str, parameter: Mapping[str, Any]) -> bool:
    text = _one(name, parameter).strip().lower()
    if text not in ("t", "f", "true", "false"):
        raise _bad(f"{name} must be T or F, not {text[:20]!r}.")
    return text[0] == "t"


def _questions(name: str, parameter: Mapping[str, Any]) -> tuple[str, ...]:
    ids = [each.strip() for value in parameter.get("Values", []) for each in value.split(",")]
    names = tuple(dict.fromkeys(each for each in ids if each))
    if not 1 <= len(names) <= _MOST_QUESTIONS:
        raise _bad(f"{name} must name 1 to {_MOST_QUESTIONS} questions, not {len(names)}.")
    return names


def _key(name: str, parameter: Mapping[str, Any]) -> Mapping[str, Values]:
    key: dict[str, Values] = {}
    for entry in parameter.get("MapEntries", []):
        question = entry.get("Key", "")
        if not question or len(question.encode()) > _LONGEST_QUESTION_ID or question in key:
            raise _bad(
                f"{name} must name each question once, in 1 to {_LONGEST_QUESTION_ID} bytes; {question[:40]!r} is wrong."
            )
        key[question] = frozenset(value.strip() for value in entry.get("Values", []) if value.strip())
    if not key:
        raise _bad(f"{name} must have MapEntries, one for each known answer.")
    return key


_EXTENSION = {"ExtendMinimumTimeInSeconds": _whole(*_SECONDS)}
_KNOWN = {
    "AnswerKey": _key,
    "ApproveIfKnownAnswerScoreIsAtLeast": _whole(*_PERCENT),
    "ApproveReason": _reason,
    "RejectIfKnownAnswerScoreIsLessThan": _whole(*_PERCENT),
    "RejectReason": _reason,
    "ExtendIfKnownAnswerScoreIsLessThan": _whole(*_PERCENT),
    "ExtendMaximumAssignments": _whole(2, 25),
    **_EXTENSION,
}
_SIMPLE = {
    "QuestionIds": _questions,
    "QuestionAgreementThreshold": _whole(0, 100),
    "DisregardAssignmentIfRejected": _truth,
    "DisregardAssignmentIfKnownAnswerScoreIsLessThan": _whole(*_PERCENT),
    "ExtendIfHITAgreementScoreIsLessThan": _whole(1, 100),
    "ExtendMaximumAssignments": _whole(1, 1_000_000_000),
    **_EXTENSION,
    "ApproveIfWorkerAgreementScoreIsAtLeast": _whole(*_PERCENT),
    "RejectIfWorkerAgreementScoreIsLessThan": _whole(*_PERCENT),
    "RejectReason": _reason,
}
_REQUIRED = {KNOWN_ANSWERS: ("AnswerKey",), PLURALITY: ("QuestionIds", "QuestionAgreementThreshold")}


def _parameters(
    kept: str | None, level: str, known: Mapping[str, Callable[[str, Mapping[str, Any]], Any]]
) -> dict[str, Any] | None:
    """A policy's parameters by their names in small letters, each read; None where the HIT has no such policy."""
    member, policy = LEVELS[level]
    stored = json.loads(kept).get(member) if kept else None
    if stored is None:
        return None
    names = {name.lower(): name for name in known}
    found: dict[str, Any] = {}
    for parameter in stored.get("Parameters", []):
        name = names.get(parameter.get("Key", "").strip().lower())
        if name is None:
            raise _bad(
                f"{policy} has no parameter {parameter.get('Key', '')[:60]!r}; it has {', '.join(known)}."
            )
        if name.lower() in found:
            raise _bad(f"{policy} has the parameter {name} twice.")
        found[name.lower()] = known[name](name, parameter)
    missing = [name for name in _REQUIRED[policy] if name.lower() not in found]
    if missing:
        raise _bad(f"{policy} needs the parameter {missing[0]}.")
    return found


def _one(name: str, parameter: Mapping[str, Any]) -> str:
    values: Sequence[str] = parameter.get("Values", [])
    if len(values) != 1:
        raise _bad(f"{name} must have one value, not {len(values)}.")
    return values[0]


def _bad(message: str) -> RequestError:
    return RequestError("InvalidParameterValue", message)
