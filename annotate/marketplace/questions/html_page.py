"""The HTML of an HTMLQuestion: is what the author wrote what a browser will show?

Takes in a page; gives out nothing, or an error. MTurk ran a validator and refused every page that was not
HTML5 to the letter (tylin/coco-ui pull request 4: two body tags, no space between attributes). Browsers read
nearly all of that as it was meant, so only that is refused here which makes a browser show something else
than what was written: a tag, a comment, or a script, style, title, textarea or the like that never ends and so
swallows the rest of the page, a second html, head or body, and a page with nothing in it.

    >>> check("<p>Hello")
"""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from photojury.annotate.marketplace.requesters.protocol import RequestError

_ONCE = ("html", "head", "body")
_SWALLOWING = ("iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp")
_UNFINISHED = re.compile(r"<(?:!--|!\[CDATA\[|[a-zA-Z/!?])")


class HTMLError(RequestError):
    """MTurk's answer to HTML that it cannot read, which is of a type of its own."""

    kind = "ParameterValidationError"

    def __init__(self, why: str) -> None:
        super().__init__(
            "ParameterValidationError",
            "There was an error parsing the HTML5 data in your request.  Please make sure the data is "
            f"well-formed and validates as HTML5.  Details: {why}",
        )


class _Outline(HTMLParser):
    """Follows a page as far as the check needs it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: tuple[str, int] | None = None
        self.seen: dict[str, int] = {}
        self.filled = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if self.open is not None:
            return  # text, to a browser
        line = self.getpos()[0]
        if tag in _ONCE and tag in self.seen:
            raise HTMLError(f"line {line}: a second <{tag}>; the first one stands in line {self.seen[tag]}.")
        self.seen.setdefault(tag, line)
        if tag in _SWALLOWING:
            self.open = (tag, line)
        if tag not in (*_ONCE, "meta", "link", "base", "title", "style"):
            self.filled = True

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        # <script/> is open in HTML, and closed in a drawing.
        if tag not in _SWALLOWING or not {"svg", "math"} & set(self.seen):
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.open is not None and self.open[0] == tag:
            self.open = None

    def handle_data(self, data: str) -> None:
        if self.open is None and data.strip():
            self.filled = True


def check(html: str) -> None:
    """Check a question page.

    Raises:
        HTMLError: with the line where it goes wrong.
    """
    outline = _Outline()
    outline.feed(html)
    rest = outline.rawdata
    line = outline.getpos()[0]
    if outline.open is not None:
        raise HTMLError(f"line {outline.open[1]}: <{outline.open[0]}> is never closed.")
    if _UNFINISHED.match(rest):
        raise HTMLError(f"line {line}: {rest[:20]!r} begins something that never ends.")
    outline.close()
    if not outline.filled:
        raise HTMLError("the page shows nothing.")
