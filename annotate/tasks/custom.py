"""Custom: a requester's own HTML page, as it was written for MTurk, one HIT for each row of a CSV.

`${name}` in the page becomes the row's cell of that column, as it stands: MTurk never escaped it either, so a cell
may hold HTML. A page without a form of its own is put into one, as MTurk's site did: with the assignment's id, a
submit button where the page has none, and the script that MTurk called externalHIT_v1.js, which stands in the page
itself since Amazon's copy may vanish. A page with a <form> or <crowd-form> is sent as it is.

The answers mean what the page says they mean: they are kept as they came, and no rating is made of them.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

from photojury.annotate.mturk.rows import read_rows
from photojury.annotate.tasks import page as pages
from photojury.annotate.tasks.kind import Kind, Terms
from photojury.datasets.store import Study
from photojury.errors import InputError, SettingsError
from photojury.settings import Settings

# MTurk's names of variables; `${a.b}` and `${ a }` in a page's script are none.
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_SCRIPT = Path(__file__).parents[1] / "templates" / "externalHIT_v1.js"
_HEAD = (
    '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n</head>\n<body>\n'
)
_OPEN = (
    '<form name="mturk_form" id="mturk_form" method="post" action="https://www.mturk.com/mturk/externalSubmit">\n'
    '<input type="hidden" name="assignmentId" id="assignmentId" value="">\n'
)
_BUTTON = '<p><input type="submit" id="submitButton" value="Submit"></p>\n'


@dataclass(frozen=True)
class Layout:
    """What a page brings along.

    Attributes:
        document: it is a whole document, with a doctype, <html>, <head> or <body>.
        form: it has a form of its own, or is a <crowd-form>.
        button: something in it submits a form.
        begin, end: where its body's content lies in the text.
    """

    document: bool
    form: bool
    button: bool
    begin: int
    end: int


def terms(settings: Settings) -> Terms:
    """What a HIT of the requester's own page offers."""
    ours = settings.custom
    return Terms(
        question=ours.title,
        units_per_hit=1,
        raters=ours.raters_per_row,
        reward_cents=ours.reward_cents,
        assignment_minutes=ours.assignment_minutes,
        title=ours.title[:128],
        description=ours.description,
        keywords=ours.keywords,
    )


def inputs(study: Study) -> Sequence[Mapping[str, str]]:
    """The rows of custom.rows, after trying the page with every one of them.

    Raises:
        SettingsError: custom.page or custom.rows is empty.
        InputError: a file cannot be read, a placeholder has no column, or a row makes a page that no marketplace takes.
    """
    ours = study.settings.custom
    for key, value in (("page", ours.page), ("rows", ours.rows)):
        if not value:
            raise SettingsError(
                f"{study.folder / 'study.toml'}: custom.{key} is empty; name a file of the study"
            )
    path = study.folder / ours.rows
    columns, rows = read_rows(path)
    parts = _parts(study)
    _check_placeholders(study, columns)
    for line, row in rows:
        _check(f"{path}, line {line}", _filled(study, parts, row))
    return [row for _, row in rows]


def page(study: Study, row: Mapping[str, str]) -> str:
    """The HTML of one row's HIT.

    Raises:
        InputError: the page cannot be read, or a placeholder is not in the row.
    """
    return _filled(study, _parts(study), row)


def read_layout(text: str) -> Layout:
    """What a page brings along, and where its body's content lies.

    >>> read_layout("<p>${title}</p>")
    Layout(document=False, form=False, button=False, begin=0, end=15)
    >>> read_layout("<body><button>Send</button></body>")
    Layout(document=True, form=False, button=True, begin=6, end=27)
    """
    reader = _Reader(text)
    reader.feed(text)
    reader.close()
    end = len(text) if reader.end is None else reader.end
    return Layout(reader.document, reader.form, reader.button, reader.begin, max(end, reader.begin))


class _Reader(HTMLParser):
    """Notes the tags that matter to a form around the page, with their places in the text."""

    _OUTER: ClassVar = ("html", "head", "body")

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.document = self.form = self.button = False
        self.begin = 0
        self.end: int | None = None

    def _place(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column

    def handle_decl(self, decl: str) -> None:
        self.document = True
        self.begin = self._place() + len(f"<!{decl}>")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("type") or "").lower()
        if tag in self._OUTER:
            self.document = True
            self.begin = self._place() + len(self.get_starttag_text() or "")
        self.form |= tag in ("form", "crowd-form")
        self.button |= (tag == "input" and kind in ("submit", "image")) or (
            tag == "button" and kind in ("", "submit")
        )

    def handle_endtag(self, tag: str) -> None:
        if tag == "head":
            self.begin = self._text.index(">", self._place()) + 1
        elif tag in ("body", "html") and self.end is None:
            self.end = self._place()


def _template(study: Study) -> str:
    path = study.folder / study.settings.custom.page
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8") from None
    if not text.strip():
        raise InputError(f"{path} is empty")
    return text.replace("\r\n", "\n")


def _parts(study: Study) -> list[tuple[str, bool]]:
    """The page in its form, in parts: the text, and whether placeholders in it are filled in."""
    template = _template(study)
    layout = read_layout(template)
    if layout.form:
        return [(template, True)]
    before = (template[: layout.begin], True)
    after = (template[layout.end :], True)
    if not layout.document:
        before = (_HEAD.format(title=html.escape(study.settings.custom.title)), False)
        after = ("</body>\n</html>\n", False)
    button = "" if layout.button else _BUTTON
    script = f"<script>\n{_SCRIPT.read_text(encoding='utf-8')}turkSetAssignmentID();\n</script>\n"
    return [
        before,
        (_OPEN, False),
        (template[layout.begin : layout.end], True),
        (f"\n{button}</form>\n{script}", False),
        after,
    ]


def _filled(study: Study, parts: Sequence[tuple[str, bool]], row: Mapping[str, str]) -> str:
    def cell(match: re.Match[str]) -> str:
        if match[1] not in row:
            raise InputError(
                f"{study.folder / study.settings.custom.page}: ${{{match[1]}}} is not among the columns that the HIT "
                f"was planned with: {', '.join(row)}; plan anew with --again"
            )
        return row[match[1]]

    return "".join(_PLACEHOLDER.sub(cell, text) if fill else text for text, fill in parts)


def _check_placeholders(study: Study, columns: Sequence[str]) -> None:
    ours = study.settings.custom
    for line, text in enumerate(_template(study).split("\n"), 1):
        for name in _PLACEHOLDER.findall(text):
            if name not in columns:
                raise InputError(
                    f"{study.folder / ours.page}, line {line}: ${{{name}}} is no column of {study.folder / ours.rows}, "
                    f"which has {', '.join(columns)} (in a script of the page, write ${{ {name} }})"
                )


def _check(where: str, made: str) -> None:
    illegal = _ILLEGAL.search(made)
    if illegal:
        raise InputError(
            f"{where}: makes a page with the character U+{ord(illegal[0]):04X}, which XML cannot hold"
        )
    try:
        pages.question_xml(made, KIND)
    except SettingsError:
        raise InputError(
            f"{where}: makes a page of {len(made.encode()):,} bytes, and a marketplace takes "
            f"{pages.QUESTION_LIMIT:,} with its markup escaped; load pictures, scripts and styles from an address"
        ) from None


KIND = Kind(
    name="custom",
    table="",
    pictures=0,
    noun="row",
    terms=terms,
    choices=lambda settings: (),
    plan=lambda study, batch: (),
    inputs=inputs,
    page=page,
)
