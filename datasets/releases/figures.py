"""The figures of a card: bars as SVG, written by hand.

Takes in counts by label; gives out SVG text. Written here and not by matplotlib or photojury.analysis: datasets may not
import analysis, bars need no library, the same counts give the same bytes whatever is installed, and an SVG is no
picture that Hugging Face's imagefolder would take for one of the dataset's.

    >>> bars("Ratings", ["1", "2", "3"], [10, 30, 20]).startswith("<svg")
    True
"""

import math
from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT = 560, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 16, 16, 44, 48
# Pixels between the middles of two labels, at least.
_APART = 34
_FONT = "font-family='system-ui, sans-serif'"


def bars(title: str, labels: Sequence[str], counts: Sequence[int], *, axis: str = "") -> str:
    """Bars with their shares above and their labels below.

    Args:
        title: above the bars.
        labels: one for each bar.
        counts: how many; what is 0 has its label and no bar.
        axis: what the labels are, below them.
    """
    whole = sum(counts) or 1
    most = max(counts, default=0) or 1
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(counts), 1)
    every = math.ceil(_APART / step)
    height = _HEIGHT - _TOP - _BOTTOM - 16
    words = escape(spoken(title, labels, counts), quote=True)
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{_HEIGHT}' role='img' aria-label='{words}'>",
        f"<rect width='{_WIDTH}' height='{_HEIGHT}' fill='#ffffff'/>",
        _text(_LEFT, 24, title, size=15, anchor="start"),
    ]
    ground = _TOP + 16 + height
    for number, (label, count) in enumerate(zip(labels, counts, strict=True)):
        middle, tall = _LEFT + step * (number + 0.5), height * count / most
        parts.append(
            f"<rect x='{middle - step * 0.4:.1f}' y='{ground - tall:.1f}' width='{step * 0.8:.1f}' height='{tall:.1f}' "
            "fill='#0072b2'/>"
        )
        if count and step > _APART:
            parts.append(_text(middle, ground - tall - 5, f"{100 * count / whole:.0f} %", size=12))
        if number % every == 0:
            parts.append(_text(middle, ground + 18, label, size=12))
    parts.append(f"<path d='M{_LEFT} {ground}H{_WIDTH - _RIGHT}' stroke='#8c8c8c'/>")
    if axis:
        parts.append(_text(_WIDTH / 2, _HEIGHT - 8, axis, size=12))
    return "\n".join([*parts, "</svg>\n"])


def spoken(title: str, labels: Sequence[str], counts: Sequence[int]) -> str:
    """The figure in one sentence, for who cannot see it."""
    known = [f"{label}: {count:,}" for label, count in zip(labels, counts, strict=True) if count]
    return f"{title}. {'; '.join(known)}"


def _text(x: float, y: float, text: str, *, size: int, anchor: str = "middle") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {_FONT} font-size='{size}' fill='#1c1c1e' text-anchor='{anchor}'>"
        f"{escape(text)}</text>"
    )
