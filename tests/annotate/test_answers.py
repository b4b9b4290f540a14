"""Answers: what is read of an assignment's XML, and the sentence for each thing that is wrong with it."""

import json
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photojury.annotate.answers import Answers, read_answers
from photojury.annotate.answers_xml import fields
from photojury.annotate.tasks.kind import kind

STARS, PAIRS = kind("stars"), kind("five_level")
UNITS = {f"u{i}": {"unit_id": f"u{i}", "first_id": f"img{i}", "second_id": None} for i in range(3)}
PAIR = {"p": {"unit_id": "p", "first_id": "one", "second_id": "two"}}
SOUND = [
    {"unit": f"u{i}", "shown": [f"img{i}"], "value": i + 1, "position": 2 - i, "ms": 900} for i in range(3)
]


# As in MTurk's API reference, RetrievingResults.
QUESTION_FORM_ANSWERS = (
    '<QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/'
    'QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>{}</QuestionIdentifier><FreeText>{}</FreeText></Answer>'
    "</QuestionFormAnswers>"
)


def xml(name: str, text: str) -> str:
    return QUESTION_FORM_ANSWERS.format(name, escape(text))


def stars(items: object) -> Answers:
    return read_answers(STARS, [1, 2, 3], UNITS, xml("answers", json.dumps(items)))


def test_sound_answers_become_rows() -> None:
    """Every answer is a row with the image, the value, the place in which it was shown and the time it took."""
    result = stars(SOUND)
    assert result.problems == []
    assert result.rows[0] == {
        "unit_id": "u0", "task": "stars", "attribute": "overall", "image_id": "img0", "value": 1.0, "position_in_hit": 2,
        "milliseconds": 900,
    }  # fmt: skip
    assert [row["value"] for row in result.rows] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"unit": "other"}, 'answer 2 is about unit "other", which is not in this HIT'),
        ({"shown": ["img9"]}, "answer 2 names pictures that unit u1 did not show"),
        ({"value": 4}, "answer 2 has the value 4; allowed are 1, 2, 3"),
        ({"value": 2.5}, "answer 2 has the value 2.5; allowed are 1, 2, 3"),
        ({"value": True}, "answer 2 has the value true; allowed are 1, 2, 3"),
        (
            {"value": None, "failed": True},
            "answer 2 says that the picture did not load; it counts as no answer",
        ),
        ({"unit": "u0"}, "answer 2 is a second one about unit u0; the first counts"),
    ],
)
def test_a_bad_answer_is_one_sentence(change: dict[str, object], sentence: str) -> None:
    """The answers beside a bad one are kept."""
    result = stars([SOUND[0], {**SOUND[1], **change}, SOUND[2]])
    assert sentence in result.problems
    assert [row["unit_id"] for row in result.rows] == ["u0", "u2"]


def test_a_missing_value_is_one_sentence() -> None:
    """An answer without its value is named by its number."""
    item = {name: value for name, value in SOUND[1].items() if name != "value"}
    assert stars([SOUND[0], item, SOUND[2]]).problems == ["answer 2 lacks its value"]


def test_unanswered_units_are_counted() -> None:
    """A page that stopped in the middle says how much is missing."""
    assert stars(SOUND[:1]).problems == ["2 of 3 pictures have no answer"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (xml("other", "[]"), "it has no field called answers"),
        (xml("answers", "{}"), "its field answers is not a JSON list"),
        (xml("answers", "[1, "), "its field answers is not a JSON list"),
        ("<broken", "its answer is not XML that can be read"),
        ("", "its answer is not XML that can be read"),
    ],
)
def test_an_unreadable_assignment_is_one_sentence(text: str, sentence: str) -> None:
    """Without a list of answers there are no rows and one sentence."""
    result = read_answers(STARS, [1, 2, 3], UNITS, text)
    assert result.rows == []
    assert len(result.problems) == 1
    assert sentence in result.problems[0]


@pytest.mark.parametrize(("shown", "value"), [(["one", "two"], 2.0), (["two", "one"], -2.0)])
def test_pairs_count_from_the_first_image(shown: list[str], value: float) -> None:
    """Positive means that the unit's first image is better, on whichever side it was shown."""
    items = [{"unit": "p", "shown": shown, "value": 2, "position": 0, "ms": 10}]
    row = read_answers(PAIRS, [-2, -1, 0, 1, 2], PAIR, xml("answers", json.dumps(items))).rows[0]
    assert (row["value"], row["first_shown_left"]) == (value, shown[0] == "one")
    assert (row["first_id"], row["second_id"], row["task"]) == ("one", "two", "five_level")


def test_page_facts_are_optional() -> None:
    """Time with the page in front is taken where the page tells it, and nonsense is no time."""
    both = QUESTION_FORM_ANSWERS.replace(
        "</QuestionFormAnswers>",
        "<Answer><QuestionIdentifier>page</QuestionIdentifier><FreeText>{}</FreeText></Answer></QuestionFormAnswers>",
    )
    for page, seconds in (('{"active_seconds": 12.5}', 12.5), ('{"active_seconds": -1}', None), ("[]", None)):
        text = both.format("answers", json.dumps(SOUND), page)
        assert read_answers(STARS, [1, 2, 3], UNITS, text).active_seconds == seconds


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_ITEM = st.fixed_dictionaries(
    {},
    optional={
        "unit": st.sampled_from(["u0", "u1", "u2"]) | _JSON,
        "shown": st.sampled_from([["img0"], ["img1"]]) | _JSON,
        "value": st.integers(0, 4) | _JSON,
        "position": _JSON,
        "ms": _JSON,
        "failed": _JSON,
    },
)


@given(st.lists(_ITEM | _JSON, max_size=5))
def test_no_answer_is_an_error(items: list[object]) -> None:
    """Whatever a page sends, what is read is sound: known units, once each, with allowed values."""
    result = stars(items)
    assert len({row["unit_id"] for row in result.rows}) == len(result.rows)
    for row in result.rows:
        assert row["value"] in (1.0, 2.0, 3.0)
        assert row["image_id"] == f"img{str(row['unit_id'])[1]}"
        assert row["position_in_hit"] in (0, 1, 2)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=40))
def test_fields_survive_xml(text: str) -> None:
    """What was escaped into the XML comes out as it was."""
    assert fields(xml("answers", text)) == {"answers": text}
