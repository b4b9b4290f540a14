"""How pages look: the report's colours, in light and dark, for Streamlit's theme, for charts and for what CSS adds.

palette("dark").ours        # '#56b4e9'
"""

import re
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Literal

import streamlit as st
from PIL import Image, ImageDraw

Mode = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """Colours of analysis/templates/palette.css: one colour means one thing everywhere.

    Attributes:
        ours: this study; paper: a paper's number; quiet: a reference.
        page, ink, soft, rule, shade: background, text, lesser text, lines, raised surfaces.
    """

    page: str
    ink: str
    soft: str
    rule: str
    shade: str
    ours: str
    paper: str
    quiet: str


@cache
def palette(mode: Mode) -> Palette:
    """The report's colours; those of dark pages stand in the file's second block."""
    css = (files("photojury.analysis") / "templates" / "palette.css").read_text(encoding="utf-8")
    light, dark = css.split("@media", 1)
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", light))
    if mode == "dark":
        found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", dark))
    return Palette(**{field.name: found[field.name] for field in fields(Palette)})


def mode() -> Mode:
    """Whether this browser shows the page light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"


def colours() -> Palette:
    """The palette of this browser."""
    return palette(mode())


def theme_options() -> list[str]:
    """Streamlit's theme as options of its command line."""
    options = {"theme.baseRadius": "0.3rem", "theme.metricValueFontSize": "1.7rem"}
    for name in ("light", "dark"):
        of = palette(name)
        options |= {
            f"theme.{name}.primaryColor": of.ours,
            f"theme.{name}.backgroundColor": of.page,
            f"theme.{name}.secondaryBackgroundColor": of.shade,
            f"theme.{name}.textColor": of.ink,
            f"theme.{name}.linkColor": of.ours,
            f"theme.{name}.borderColor": of.rule,
            f"theme.{name}.sidebar.backgroundColor": of.shade,
        }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


@cache
def sign() -> Image.Image:
    """The sign in the browser's tab: two pictures, the left one a little higher. A named one would be fetched."""
    drawn = Image.new("RGBA", (64, 64))
    pen = ImageDraw.Draw(drawn)
    pen.rounded_rectangle((4, 8, 30, 46), 5, fill=palette("light").ours)
    pen.rounded_rectangle((34, 18, 60, 56), 5, fill=palette("light").quiet)
    return drawn


CSS = """<style>
[data-testid="stMainBlockContainer"] { max-width: 74rem; padding-top: 3.2rem; padding-bottom: 4rem; }
[data-testid="stMainBlockContainer"] h1 { font-size: 1.9rem; padding: 0 0 .2rem; }
[data-testid="stMainBlockContainer"] h2 { font-size: 1.3rem; padding: 1.6rem 0 .2rem; }
[data-testid="stMainBlockContainer"] h3 { font-size: 1.05rem; padding: .6rem 0 0; }
[data-testid="stText"] { white-space: normal; overflow-wrap: anywhere; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
[class*="st-key-name-"] [data-testid="stText"] { font-size: .8rem; line-height: 1.3; opacity: .75;
  display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
[class*="st-key-place"] [data-testid="stText"] { font-size: .95rem; letter-spacing: .02em; opacity: .8; }
[class*="st-key-quiet"] [data-testid="stText"] { font-size: .85rem; opacity: .75; }
[class*="st-key-banner"], [class*="st-key-warning"], [class*="st-key-danger"], [class*="st-key-note"] {
  border-left: 4px solid #e69f00; padding: .55rem .8rem; border-radius: .2rem; gap: .3rem; }
[class*="st-key-banner"], [class*="st-key-warning"] { background: rgba(230, 159, 0, .14); }
[class*="st-key-danger"] { border-color: #d55e00; background: rgba(213, 94, 0, .16); }
[class*="st-key-note"] { border-color: #8c8c8c; background: rgba(140, 140, 140, .12); }
[class*="st-key-pictures"] img { aspect-ratio: 4 / 3; object-fit: contain; background: rgba(128, 128, 128, .14); width: 100%; }
[data-testid="stElementContainer"]:has([data-testid="stVegaLiteChart"]) { margin-bottom: -.4rem; }
[class*="st-key-data-"] { margin-top: -.3rem; margin-bottom: -.5rem; }
[data-testid="stCode"] pre { padding-top: .45rem; padding-bottom: .45rem; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 4.2rem 1rem 3rem; }
  [class*="st-key-pictures"] [data-testid="stColumn"] { min-width: calc(50% - 1rem); flex: 1 1 calc(50% - 1rem); }
}
</style>"""
"""What the theme cannot say; there is no data in it."""
