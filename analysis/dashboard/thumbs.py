"""Small pictures for pages, made from a study's or a release's files when they are first shown.

small(opened, image_id, "jpeg")       # bytes of a JPEG, or None where there is no file
"""

from pathlib import Path

import streamlit as st

from photojury.analysis.dashboard.opening import Opened
from photojury.analysis.thumbnails import jpeg
from photojury.datasets.images import EXTENSIONS

LONGEST = 256


def small(opened: Opened, image_id: str, format: str) -> bytes | None:
    """A small JPEG of a picture; None where there is no file that can be shown."""
    # An id of a stranger's table is no part of a path.
    if format not in EXTENSIONS or not image_id.isalnum():
        return None
    path = opened.answers.picture(image_id, format)
    return None if path is None else _made(str(path))


@st.cache_data(max_entries=400, show_spinner=False)
def _made(path: str) -> bytes | None:
    try:
        return jpeg(Path(path), longest=LONGEST, quality=72)
    except OSError:
        return None
