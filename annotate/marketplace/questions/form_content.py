"""What a QuestionForm shows: titles, paragraphs, lists, pictures and a safe part of XHTML, as HTML.

Takes in an Overview, a QuestionContent or what a Selection holds; gives out Markup in which every text that
came from the requester is escaped, and every tag and attribute is one that MTurk's "Formatted Content: XHTML"
page names (API reference, 2017-01-17): no script, no style, no id, no class.

    >>> formatted(Reader("QuestionForm"), "Very <b>bold</b>&nbsp;&amp; <br/>")
    Markup('Very <b>bold</b>\\xa0&amp; <br>')
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.entities import html5

from markupsafe import Markup, escape

from photojury.annotate.marketplace.questions.documents import (
    ANY,
    ONE,
    OPTIONAL,
    SOME,
    Builder,
    Reader,
    local,
)

XHTML = "http://www.w3.org/1999/xhtml"

_CELL = "align char charoff valign"
_TD = f"{_CELL} abbr axis bgcolor colspan headers height nowrap rowspan scope width"
_HEADING = dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "align")
_PLAIN = "b big blockquote br center cite code dd dl dt em i small strong sub sup u"
ALLOWED = {
    **dict.fromkeys(_PLAIN.split(), ""),
    **_HEADING,
    "a": "accesskey charset coords href hreflang name rel rev shape tabindex target type",
    "area": "alt coords href nohref shape target",
    "blockquote": "cite",
    "col": f"{_CELL} span width",
    "colgroup": f"{_CELL} span width",
    "del": "cite datetime",
    "font": "color face size",
    "hr": "align noshade size width",
    "img": "align alt border height hspace ismap longdesc src usemap vspace width",
    "ins": "cite datetime",
    "li": "type value",
    "map": "name",
    "ol": "compact start type",
    "p": "align",
    "pre": "width",
    "q": "cite",
    "table": "align bgcolor border cellpadding cellspacing frame rules summary width",
    "tbody": _CELL,
    "td": _TD,
    "tfoot": _CELL,
    "th": _TD,
    "thead": _CELL,
    "tr": f"{_CELL} bgcolor",
    "ul": "compact type",
}
"""Tags and their attributes, as the page lists them, and dt, which the page has forgotten beside dl and dd."""

_EVERYWHERE = ("title", "dir", "lang")
_NEEDED = {"img": ("src", "alt"), "area": ("alt",), "map": ("name",)}
_VOID = ("area", "br", "col", "hr", "img")
_LINKS = ("href", "src", "cite", "longdesc")
_LINK = re.compile(
    "(?:https?|ftp|news|nntp|mailto|gopher|telnet):[^\x00-\x20]*|#[^\x00-\x20]*", re.IGNORECASE
)
_URL = re.compile("https?://[^\x00-\x20]+", re.IGNORECASE)
_OURS = {"image", "audio", "video"}
_GONE = {
    "Application": "Java applets and Flash are gone from browsers, and MTurk took it out on 2017-12-12",
    "EmbeddedBinary": "it asks for a plug-in, which browsers no longer have; use Binary",
    "JavaApplet": "browsers no longer run applets",
}


def shown(reader: Reader, element: ET.Element, heading: str) -> Markup:
    """The HTML of an Overview or a QuestionContent, its parts in their order.

    Args:
        reader: names the document in errors.
        element: the Overview or QuestionContent.
        heading: the tag of its Titles, such as h2.

    Raises:
        RequestError: XMLParseError or XHTMLParseError, naming the part.
    """
    for child in element:
        if local(child) in _GONE:
            raise reader.bad(f"{local(child)} is not shown here: {_GONE[local(child)]}")
    reader.parts(element, dict.fromkeys(("Title", "Text", "List", "Binary", "FormattedContent"), ANY))
    if not len(element):
        raise reader.bad(f"{local(element)} is empty")
    return Markup("\n").join(_part(reader, child, heading) for child in element)


def label(reader: Reader, element: ET.Element) -> Markup:
    """The HTML of what one Selection holds: a Text, a FormattedContent or a Binary."""
    if local(element) == "Text":
        return escape(reader.text(element).strip())
    return _part(reader, element, "h3")


def formatted(reader: Reader, text: str) -> Markup:
    """The HTML of a FormattedContent block.

    Raises:
        RequestError: XHTMLParseError; it is not well-formed, or has a tag, an attribute or an address that
            formatted content cannot have.
    """
    body = re.sub("&([A-Za-z][A-Za-z0-9]*);", _character, text)
    # As MTurk did it: the markup becomes a document of its own, whose namespace is assumed.
    root = reader.tree(
        f'<FormattedContent xmlns="{XHTML}">{body}</FormattedContent>', _Strict(reader), "XHTMLParseError"
    )
    return escape(root.text or "") + Markup("").join(_tag(reader, child) for child in root)


class _Strict(Builder):
    """Refuses comments and processing instructions as well."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self._reader = reader

    def comment(self, text: str | None) -> ET.Element:
        """Refuse it, as MTurk did."""
        raise self._reader.bad("FormattedContent cannot have comments", "XHTMLParseError")

    def pi(self, target: str, text: str | None = None) -> ET.Element:
        """Refuse it."""
        raise self._reader.bad("FormattedContent cannot have <? ?>", "XHTMLParseError")


def _part(reader: Reader, element: ET.Element, heading: str) -> Markup:
    return _PARTS[local(element)](reader, element, heading)


def _title(reader: Reader, element: ET.Element, heading: str) -> Markup:
    return Markup(f"<{heading}>{{}}</{heading}>").format(reader.text(element).strip())


def _text(reader: Reader, element: ET.Element, heading: str) -> Markup:
    return Markup("<p>{}</p>").format(reader.text(element).strip())


def _list(reader: Reader, element: ET.Element, heading: str) -> Markup:
    items = reader.parts(element, {"ListItem": SOME})["ListItem"]
    return Markup("<ul>{}</ul>").format(
        Markup("").join(Markup("<li>{}</li>").format(reader.text(item).strip()) for item in items)
    )


def _formatted(reader: Reader, element: ET.Element, heading: str) -> Markup:
    return Markup('<div class="formatted">{}</div>').format(formatted(reader, reader.text(element)))


def _binary(reader: Reader, element: ET.Element, heading: str) -> Markup:
    parts = reader.parts(element, {"MimeType": ONE, "DataURL": ONE, "AltText": ONE})
    mime = reader.parts(parts["MimeType"][0], {"Type": ONE, "SubType": OPTIONAL})
    kind = reader.name(mime["Type"][0])
    if kind not in _OURS:
        raise reader.bad(f"Type must be image, audio or video, not {kind[:20]!r}")
    url, words = reader.name(parts["DataURL"][0]), reader.text(parts["AltText"][0]).strip()
    if not _URL.fullmatch(url):
        raise reader.bad(f"DataURL must be an http or https address, not {url[:100]!r}")
    if kind == "image":
        return Markup('<img class="media" src="{}" alt="{}">').format(url, words)
    return Markup('<{0} class="media" controls src="{1}" aria-label="{2}">{2}</{0}>').format(kind, url, words)


_PARTS: dict[str, Callable[[Reader, ET.Element, str], Markup]] = {
    "Title": _title,
    "Text": _text,
    "List": _list,
    "Binary": _binary,
    "FormattedContent": _formatted,
}


def _tag(reader: Reader, element: ET.Element) -> Markup:
    name = element.tag.removeprefix(f"{{{XHTML}}}")
    if name not in ALLOWED:
        raise reader.bad(f"FormattedContent cannot have <{name[:40]}>", "XHTMLParseError")
    missing = [needed for needed in _NEEDED.get(name, ()) if needed not in element.attrib]
    if missing:
        raise reader.bad(f"<{name}> must have {missing[0]}", "XHTMLParseError")
    attributes = Markup("").join(_attribute(reader, name, *pair) for pair in element.attrib.items())
    tail = escape(element.tail or "")
    if name in _VOID:
        if len(element) or (element.text or "").strip():
            raise reader.bad(f"<{name}> must be empty", "XHTMLParseError")
        return Markup("<{}{}>{}").format(name, attributes, tail)
    inner = escape(element.text or "") + Markup("").join(_tag(reader, child) for child in element)
    return Markup("<{0}{1}>{2}</{0}>{3}").format(name, attributes, inner, tail)


def _attribute(reader: Reader, tag: str, name: str, value: str) -> Markup:
    if name not in ALLOWED[tag].split() and name not in _EVERYWHERE:
        raise reader.bad(f"<{tag}> cannot have the attribute {name[:40]!r}", "XHTMLParseError")
    wanted = _URL if (tag, name) == ("img", "src") else _LINK
    if name in _LINKS and not wanted.fullmatch(value.strip()):
        raise reader.bad(f"{value[:60]!r} is not an address that <{tag}> can have", "XHTMLParseError")
    return Markup(' {}="{}"').format(name, value)


def _character(entity: re.Match[str]) -> str:
    """The character that XHTML knows by a name and XML does not; the five of XML stay as they are."""
    if entity[1] in ("amp", "lt", "gt", "quot", "apos"):
        return entity[0]
    return html5.get(f"{entity[1]};", entity[0])
