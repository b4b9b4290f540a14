"""Raters in a release: ids that join with nothing else, and whether somebody could be told apart all the same.

Takes in the tables that are about to leave a study; gives out new ids, raters who are too few of their kind, and texts
that hold an address, a telephone number or somebody's id.

    rename = renamer(release_key("skies", "1.0.0"))
    small_cells(answers, least=3)
    telling_texts(images, "images", ("title", "tags"), ids)

Ids derive from the user's salt and the release's name and version. The salt stays with the user, so ids of two releases
cannot be joined, and the same release made again has the same ids.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence

import pandas as pd

from photojury.datasets.raters import read_salt

RELEASED_ID = r"[0-9a-f]{16}"
"""What ids of raters and assignments look like in a release."""

TEXTS: Mapping[str, tuple[str, ...]] = {
    "images": ("title", "description", "tags", "attribution"),
    "presentations": ("reason",),
}
"""Columns that hold what somebody wrote freely. Authors' names are not among them: licences ask for these."""

# Digits as people write telephone numbers: with + or 00, a first 0 or brackets, or grouped as in North America.
# Nine to fifteen digits (ITU-T E.164: at most 15), and no date.
_PHONE = re.compile(
    r"(?<![\w/.:#=-])(?!\d\d?([./-])\d\d?\1\d{4}\b)(?:"
    r"(?:\+|00)[1-9](?:[ ()./-]{0,3}\d){7,13}"
    r"|(?:\(0\d{1,5}\)|0)(?:[ ()/-]{0,3}\d){7,12}"
    r"|\(?[2-9]\d\d\)?[ .-]{1,2}[2-9]\d\d[ .-]\d{4}"
    r")(?![\w/]|[.:-]\d)"
)
_TELLING: tuple[tuple[str, "re.Pattern[str]"], ...] = (
    ("an e-mail address", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("a telephone number", _PHONE),
    # Mechanical Turk's ids: A and 12 or more capitals and digits. Prolific's: 24 hexadecimal digits.
    ("what looks like a worker id", re.compile(r"\bA(?=[0-9A-Z]*\d)[0-9A-Z]{12,20}\b|\b[0-9a-f]{24}\b")),
)
_TOKEN = re.compile(r"[0-9A-Za-z]{6,}")


def release_key(name: str, version: str) -> bytes:
    """The key from which the ids of a release are made; never written anywhere.

    Raises:
        SettingsError: the user's salt cannot be read.
    """
    message = f"photojury release {json.dumps([name, version])}"
    return hmac.new(read_salt().encode(), message.encode(), hashlib.sha256).digest()


def renamer(key: bytes) -> Callable[["pd.Series[str]"], "pd.Series[str]"]:
    """A function that gives a column of ids their names in the release: 16 hexadecimal digits, nulls stay."""

    def rename(ids: "pd.Series[str]") -> "pd.Series[str]":
        codes, known = pd.factorize(ids)
        made = [hmac.new(key, str(one).encode(), hashlib.sha256).hexdigest()[:16] for one in known]
        return pd.Series(pd.array(made, dtype="str").take(codes, allow_fill=True), index=ids.index)

    return rename


def small_cells(answers: pd.DataFrame, *, least: int) -> "pd.Series[str]":
    """Raters who could be told apart, with the reason, by rater_id.

    A rater is known to others by the batches that he worked on, so those with the same batches are a cell; where fewer
    than `least` share it, each of them can be told apart (the threshold rule for tables: OECD, Glossary of Statistical
    Disclosure Control, 2005; agencies ask for three or five). So can one who gave fewer than `least` answers.

    Args:
        answers: rater_id, batch; one row for each answer of people.
        least: raters in a cell; 1 finds nobody.
    """
    if answers.empty:
        return pd.Series(dtype=object)
    counts = answers.groupby("rater_id", sort=True).size()
    parts = answers[["rater_id", "batch"]].drop_duplicates().sort_values(["rater_id", "batch"])
    cells = parts.groupby("rater_id", sort=True)["batch"].agg(" + ".join)
    alike = cells.map(cells.value_counts())
    reasons = pd.Series(None, index=counts.index, dtype=object)
    rare = alike < least
    reasons[rare] = "one of " + alike[rare].astype(str) + " in " + cells[rare]
    few = counts < least
    reasons[few] = counts[few].astype(str) + " answers in all"
    return reasons.dropna()


def telling_texts(
    table: pd.DataFrame, name: str, columns: Sequence[str], ids: Collection[str] = ()
) -> pd.DataFrame:
    """Texts that could tell who somebody is.

    Args:
        table: its columns `columns` are searched; its first column names the row.
        name: of the table, for the findings.
        ids: of workers and raters, which are found wherever they stand as a word.

    Returns:
        table, row (what stands in the table's first column), column, what; `at`, the row by position.
    """
    known = frozenset(ids)
    found = []
    for column in columns:
        texts = table[column]
        for at, text in enumerate(texts):
            if isinstance(text, str) and (what := _what(text, known)):
                found.append((name, str(table.iat[at, 0]), column, what, at))
    return pd.DataFrame(found, columns=["table", "row", "column", "what", "at"])


def _what(text: str, ids: Collection[str]) -> str:
    for what, pattern in _TELLING:
        if pattern.search(text):
            return what
    return "somebody's id" if ids and not ids_free(text, ids) else ""


def ids_free(text: str, ids: Collection[str]) -> bool:
    """Whether none of the ids stands in the text as a word."""
    return not any(word in ids for word in _TOKEN.findall(text))
