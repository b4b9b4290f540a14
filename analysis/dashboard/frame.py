"""The frame of all pages: navigation, what is open and as of when, and the banner where answers are simulated.

run(Path("demo-study"))         # inside of Streamlit
"""

import time
from pathlib import Path

import streamlit as st

from photojury.analysis.dashboard import look, parts, preparing, running
from photojury.analysis.dashboard.opening import Opened, changed, current
from photojury.errors import PhotojuryError

PAGES = (
    ("now", "Now", ":material/pace:"),
    ("pictures", "Pictures", ":material/photo_library:"),
    ("ratings", "Ratings", ":material/star:"),
    ("raters", "Raters", ":material/group:"),
    ("pairs", "Pairs", ":material/compare:"),
    ("scores", "Scores", ":material/leaderboard:"),
    ("models", "Models", ":material/neurology:"),
)
"""Each page: its file and address, its name, its sign."""

LOOK_AGAIN = 10
"""Seconds after which the sidebar looks whether the place has changed."""


def run(place: Path) -> None:
    """Draw the page that the browser asks for."""
    st.set_page_config(page_title=f"{place.name} · photojury", page_icon=look.sign(), layout="wide")
    parts.style()
    folder = Path(__file__).parent / "pages"
    pages = [
        st.Page(folder / f"{file}.py", title=title, icon=icon, url_path=file, default=file == "now")
        for file, title, icon in PAGES
    ]
    chosen = st.navigation(pages)
    try:
        opened = current(place)
    except PhotojuryError as error:
        with parts.page("Not open", "What was named cannot be shown."):
            parts.problem("danger", error, key="unopened")
        return
    st.session_state["opened"] = opened
    with preparing.drawing():
        with st.sidebar:
            _as_of(opened)
        with st.container(key="place"):
            st.text(opened.answers.place)
        sentence = running.simulated(opened)
        if sentence:
            with st.container(key="banner"):
                st.text(sentence)
        chosen.run()
    preparing.begin(opened)


def opened_here() -> Opened:
    """What this session's page is about."""
    found: Opened = st.session_state["opened"]
    return found


@st.fragment(run_every=LOOK_AGAIN)
def _as_of(opened: Opened) -> None:
    """When the tables were read, and whether there is something newer."""
    with st.container(key="quiet-as-of"):
        st.text(
            f"{opened.kind}, read {time.strftime('%H:%M:%S', time.localtime(opened.read_at))}; nothing is written"
        )
    try:
        newer = changed(opened)
    except PhotojuryError:
        newer = True
    if newer:
        st.button("It has changed: read again", icon=":material/refresh:", on_click=_again, key="again")


def _again() -> None:
    """The click itself runs the page again, and that reads what has changed."""
