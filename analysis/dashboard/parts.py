"""Parts of pages: the head, boxes for warnings, tiles of figures, rows of pictures, and the end that tests wait for.

What comes from a study (titles, ids, names, errors) is shown by st.text, st.code and tables only, which take it for
nothing but text; what Streamlit reads as Markdown is written here, with numbers put in.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import streamlit as st

from photojury.analysis.dashboard import look
from photojury.analysis.dashboard.opening import Opened
from photojury.analysis.dashboard.thumbs import small
from photojury.errors import PhotojuryError

Box = Literal["danger", "warning", "note"]

SHORT = 10
"""Letters of an id that are shown where there is no room for all."""


@contextmanager
def page(name: str, question: str) -> Iterator[None]:
    """A page: its name, the question that it answers, and its end."""
    st.title(name, anchor=False)
    with st.container(key="quiet-question"):
        st.text(question)
    yield
    # What a browser waits for that wants to know whether the whole page is there.
    st.html(f'<div class="photojury-end" data-page="{name.lower()}"></div>')


def box(kind: Box, text: str, *, key: str, command: str = "") -> None:
    """A box with a sentence, and a command to type below it."""
    with st.container(key=f"{kind}-{key}"):
        st.text(text[:1].upper() + text[1:])
        if command:
            st.code(command, language="bash", wrap_lines=True)


@contextmanager
def section(title: str, *, key: str) -> Iterator[None]:
    """A part of a page under a heading; where its data are missing, the sentence that says so stands in its place."""
    st.header(title, anchor=False)
    try:
        yield
    except PhotojuryError as error:
        problem("note", error, key=f"missing-{key}")


def problem(kind: Box, error: PhotojuryError, *, key: str) -> None:
    """An error's sentence in a box; a command at its end stands below, to be copied."""
    sentence, _, command = str(error).rpartition(": photojury ")
    if sentence:
        box(kind, f"{sentence}:", key=key, command=f"photojury {command}")
    else:
        box(kind, str(error), key=key)


def here(opened: Opened, command: str) -> str:
    """A command as it is typed from anywhere."""
    return f"{command} --study {shlex.quote(str(opened.place))}"


def tiles(facts: Mapping[str, object], *, notes: Mapping[str, str] | None = None) -> None:
    """Figures side by side, each with its name above."""
    with st.container(horizontal=True, gap="small"):
        for label, value in facts.items():
            st.metric(label, str(value), border=True, width=172, help=(notes or {}).get(label))


def pictures(
    opened: Opened,
    rows: Sequence[Mapping[Any, Any]],
    lines: Callable[[Mapping[Any, Any]], Sequence[str]],
    *,
    key: str,
    wide: int = 6,
) -> None:
    """Pictures in rows, each with lines of text below.

    Args:
        opened: where their files are.
        rows: image_id, format, and title or source_id of each.
        lines: what stands below one; the first is shown as a figure.
        key: of this part of the page.
        wide: pictures in a row.
    """
    with st.container(key=f"pictures-{key}"):
        for start in range(0, len(rows), wide):
            for column, (number, row) in zip(
                st.columns(wide), enumerate(rows[start : start + wide], start), strict=False
            ):
                with column:
                    _picture(opened, row, lines(row), f"{key}-{number}")


def _picture(opened: Opened, row: Mapping[str, Any], lines: Sequence[str], key: str) -> None:
    data = small(opened, str(row["image_id"]), str(row.get("format") or ""))
    name = title(row)
    with st.container(key=f"card-{key}", gap="xxsmall"):
        if data is None:
            with st.container(key=f"quiet-{key}"):
                st.text("no file here")
        else:
            st.image(data, width="stretch", alt=name)
        first, *others = lines
        st.text(first)
        with st.container(key=f"name-{key}"):
            st.text("\n".join([*others, name]))


def title(row: Mapping[str, Any]) -> str:
    """What a picture is called: its title, else where it came from, else its id."""
    for name in ("title", "source_id", "image_id"):
        text = row.get(name)
        if isinstance(text, str) and text:
            return text.rsplit("/", 1)[-1][:80]
    return ""


def short(text: str) -> str:
    """The beginning of an id."""
    return text if len(text) <= SHORT + 1 else f"{text[:SHORT]}…"


def style() -> None:
    """What the theme cannot say."""
    st.html(look.CSS)
