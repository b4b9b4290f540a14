"""Answer keys: the value of a qualification test, by hand and by the reference's own examples."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photojury.annotate.marketplace.questions import answer_key, form_answers
from photojury.annotate.marketplace.requesters.protocol import RequestError
from tests.annotate.marketplace.forms import SCHEMAS, form, free_text, question, selection

TEST = form(
    question("nextmove", selection("C", "D")),
    question("fruit", selection("apples", "pears", "plums", most=3, other="")),
    question("why", free_text()),
)
PERCENTAGE = "<PercentageMapping><MaximumSummedScore>{}</MaximumSummedScore></PercentageMapping>"
SCALE = "<ScaleMapping><SummedScoreMultiplier>{}</SummedScoreMultiplier></ScaleMapping>"
# The reference's example of a RangeMapping.
RANGES = (
    "<RangeMapping><SummedScoreRange><InclusiveLowerBound>5</InclusiveLowerBound><InclusiveUpperBound>7"
    "</InclusiveUpperBound><QualificationValue>5</QualificationValue></SummedScoreRange><SummedScoreRange>"
    "<InclusiveLowerBound>8</InclusiveLowerBound><InclusiveUpperBound>10</InclusiveUpperBound>"
    "<QualificationValue>10</QualificationValue></SummedScoreRange>"
    "<OutOfRangeQualificationValue>-1</OutOfRangeQualificationValue></RangeMapping>"
)


def option(score: object, *identifiers: str) -> str:
    chosen = "".join(f"<SelectionIdentifier>{each}</SelectionIdentifier>" for each in identifiers)
    return f"<AnswerOption>{chosen}<AnswerScore>{score}</AnswerScore></AnswerOption>"


def asked(name: str, *options: str, default: object = None) -> str:
    more = "" if default is None else f"<DefaultScore>{default}</DefaultScore>"
    return f"<Question><QuestionIdentifier>{name}</QuestionIdentifier>{''.join(options)}{more}</Question>"


def key(*questions: str, mapping: str = "") -> str:
    mapped = f"<QualificationValueMapping>{mapping}</QualificationValueMapping>" if mapping else ""
    return f'<AnswerKey xmlns="{SCHEMAS}/2005-10-01/AnswerKey.xsd">{"".join(questions)}{mapped}</AnswerKey>'


def answers(*fields: tuple[str, str]) -> str:
    return form_answers.to_xml(TEST, [(f"answer.{name}", value) for name, value in fields])


# The reference's complete example: D scores 5, apples 10, of 15.
EXAMPLE = key(
    asked("nextmove", option(5, "D")), asked("fruit", option(10, "apples")), mapping=PERCENTAGE.format(15)
)
FRUIT = asked("fruit", option(15, "apples", "pears"), option(10, "apples"), option(-4, "plums"), default=1)


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ([("nextmove", "D"), ("fruit", "apples")], 100),
        ([("nextmove", "C"), ("fruit", "apples")], 67),
        ([("nextmove", "D")], 33),
        ([], 0),
    ],
)
def test_the_reference_example_is_a_percentage(fields: list[tuple[str, str]], value: int) -> None:
    """10 of 15 is 67, 5 of 15 is 33: rounded to the nearest whole number."""
    assert answer_key.score(EXAMPLE, answers(*fields)) == value


@pytest.mark.parametrize(
    ("chosen", "value"),
    [(["apples", "pears"], 15), (["apples"], 10), (["pears"], 1), (["plums"], -4), (["apples", "plums"], 1), ([], 1)],
)  # fmt: skip
def test_an_option_asks_for_all_its_selections_and_no_others(chosen: list[str], value: int) -> None:
    """Anything else, and nothing at all, has the default score; without a mapping the sum is the value."""
    assert answer_key.score(key(FRUIT), answers(*(("fruit", each) for each in chosen))) == value


def test_a_text_of_ones_own_is_no_option() -> None:
    """Chosen as the key wants, but with another fruit written beside: the default score."""
    given_ = form_answers.to_xml(
        TEST, [("answer.fruit", "apples"), ("answer.fruit", ""), ("other.fruit", "figs")]
    )
    assert answer_key.score(key(FRUIT), given_) == 1


@pytest.mark.parametrize(
    ("mapping", "total", "value"),
    [
        (SCALE.format(3), 5, 15),
        (SCALE.format("0.5"), 5, 3),
        (SCALE.format("-2"), 5, -10),
        (SCALE.format(".25"), 1, 0),
        (PERCENTAGE.format(120), 3, 3),
        (PERCENTAGE.format(8), 1, 13),
        (PERCENTAGE.format(2), 5, 250),
        (RANGES, 4, -1),
        (RANGES, 5, 5),
        (RANGES, 7, 5),
        (RANGES, 8, 10),
        (RANGES, 10, 10),
        (RANGES, 11, -1),
    ],
)
def test_a_mapping_makes_the_value_of_the_sum(mapping: str, total: int, value: int) -> None:
    """Bounds belong to their range; halves are rounded up, exactly (3 of 120 is 2.5)."""
    one = key(asked("nextmove", option(total, "D")), mapping=mapping)
    assert answer_key.score(one, answers(("nextmove", "D"))) == value


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<AnswerKey/>",
        key(),
        key(asked("q", option(1))),
        key(asked("q", option("much", "A"))),
        key(asked("q", option("1.5", "A"))),
        key(asked("q", option(2**31, "A"))),
        key(asked("", option(1, "A"))),
        key(asked("q", option(1, "A")), asked("q", option(1, "B"))),
        key(asked("q", option(1, "A", "B"), option(2, "B", "A"))),
        key(asked("q", option(1, "A")), mapping=PERCENTAGE.format(0)),
        key(asked("q", option(1, "A")), mapping=SCALE.format("three")),
        key(asked("q", option(1, "A")), mapping=SCALE.format("1e9")),
        key(asked("q", option(1, "A")), mapping=SCALE.format(1) + PERCENTAGE.format(1)),
        key(asked("q", option(1, "A")), mapping="<RangeMapping/>"),
        key(asked("q", option(1, "A")), mapping=RANGES.replace(">7<", ">8<")),
        key(asked("q", option(1, "A")), mapping=RANGES.replace(">7<", ">4<")),
        key(asked("q", option(1, "A"))).replace("2005-10-01", "2017-11-06"),
        key(asked("q", option(1, "A"), "<Extra/>")),
        key(asked("q" * 66_000, option(1, "A"))),
    ],
)
def test_what_is_not_an_answer_key_is_refused(xml: str) -> None:
    """With a sentence that names the document."""
    with pytest.raises(RequestError, match="AnswerKey"):
        answer_key.check(xml)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200).filter(str.strip))
def test_no_text_crashes_the_reader(text: str) -> None:
    """As a whole document, inside one, or as the answers: a RequestError or nothing."""
    for xml in (text, key(text), key(asked("q", text))):
        with pytest.raises(RequestError):
            answer_key.check(xml)
    with pytest.raises(RequestError):
        answer_key.score(EXAMPLE, text)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(-1000, 1000), min_size=1),
    st.sets(st.sampled_from("abcdef")),
)
def test_scores_add_up(scores: dict[str, int], right: set[str]) -> None:
    """The sum over the questions that were answered as their option wants."""
    test = form(*(question(name, selection("yes", "no")) for name in "abcdef"))
    fields = [(f"answer.{name}", "yes" if name in right else "no") for name in "abcdef"]
    made = key(*(asked(name, option(value, "yes")) for name, value in scores.items()))
    expected = sum(value for name, value in scores.items() if name in right)
    assert answer_key.score(made, form_answers.to_xml(test, fields)) == expected
