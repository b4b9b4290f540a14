"""QuestionForms for tests, written by hand after MTurk's documentation."""

from xml.sax.saxutils import escape, quoteattr

SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
ANSWERS = f"{{{SCHEMAS}/2005-10-01/QuestionFormAnswers.xsd}}"


def form(*parts: str, version: str = "2017-11-06") -> str:
    """A QuestionForm of overviews and questions."""
    return f'<QuestionForm xmlns="{SCHEMAS}/{version}/QuestionForm.xsd">{"".join(parts)}</QuestionForm>'


def question(
    name: str, answer: str, *, required: bool = False, title: str = "", content: str = "<Text>?</Text>"
) -> str:
    """One Question; `answer` is what its AnswerSpecification holds."""
    shown = f"<DisplayName>{escape(title)}</DisplayName>" if title else ""
    return (
        f"<Question><QuestionIdentifier>{escape(name)}</QuestionIdentifier>{shown}"
        f"<IsRequired>{'true' if required else 'false'}</IsRequired>"
        f"<QuestionContent>{content}</QuestionContent>"
        f"<AnswerSpecification>{answer}</AnswerSpecification></Question>"
    )


def free_text(constraints: str = "", more: str = "") -> str:
    """A FreeTextAnswer; `more` is DefaultText and NumberOfLinesSuggestion."""
    inner = f"<Constraints>{constraints}</Constraints>" if constraints else ""
    return f"<FreeTextAnswer>{inner}{more}</FreeTextAnswer>"


def pattern(regex: str, error: str = "", flags: str = "") -> str:
    """An AnswerFormatRegex."""
    said = f" errorText={quoteattr(error)}" if error else ""
    flag = f" flags={quoteattr(flags)}" if flags else ""
    return f"<AnswerFormatRegex regex={quoteattr(regex)}{said}{flag}/>"


def selection(
    *identifiers: str,
    least: int | None = None,
    most: int | None = None,
    style: str = "",
    other: str | None = None,
) -> str:
    """A SelectionAnswer of plain texts; `other` is what an OtherSelection holds."""
    counts = f"<MinSelectionCount>{least}</MinSelectionCount>" if least is not None else ""
    counts += f"<MaxSelectionCount>{most}</MaxSelectionCount>" if most is not None else ""
    counts += f"<StyleSuggestion>{style}</StyleSuggestion>" if style else ""
    items = "".join(
        f"<Selection><SelectionIdentifier>{escape(each)}</SelectionIdentifier><Text>{escape(each)}</Text></Selection>"
        for each in identifiers
    )
    more = f"<OtherSelection>{other}</OtherSelection>" if other is not None else ""
    return f"<SelectionAnswer>{counts}<Selections>{items}{more}</Selections></SelectionAnswer>"


def formatted(markup: str) -> str:
    """A FormattedContent block."""
    return f"<FormattedContent><![CDATA[{markup}]]></FormattedContent>"


def binary(url: str, words: str = "a photo", kind: str = "image") -> str:
    """A Binary."""
    return (
        f"<Binary><MimeType><Type>{kind}</Type><SubType>png</SubType></MimeType>"
        f"<DataURL>{escape(url)}</DataURL><AltText>{escape(words)}</AltText></Binary>"
    )
