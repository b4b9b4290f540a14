"""Attribution: the sentence that gives credit, and the table of it."""

import pandas as pd
import pytest

from photojury.datasets.attribution import COLUMNS, attributions, credit, unnamed

# 2026-11-24 12:00:00 UTC, by GNU date.
NOON = 1795521600.0


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            {
                "title": "Tree", "author": "Ann", "license_id": "cc-by-2.0",
                "page_url": "https://www.flickr.com/photos/ann/1/",
            },
            (
                '"Tree" (https://www.flickr.com/photos/ann/1/) by Ann is licensed under CC BY 2.0 '
                "(https://creativecommons.org/licenses/by/2.0/)"
            ),
        ),
        (
            {"title": "Baum", "author": "Ann", "license_id": "cc-by-3.0",
             "license_url": "https://creativecommons.org/licenses/by/3.0/de/"},
            '"Baum" by Ann is licensed under CC BY 3.0 (https://creativecommons.org/licenses/by/3.0/de/)',
        ),
        (
            {"author": "Ann", "license_id": "cc0-1.0"},
            "Untitled picture by Ann is marked with CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)",
        ),
        ({"title": "Tree", "license_id": "public-domain"}, '"Tree" is in the public domain'),
        (
            {"title": "Tree", "license_id": "cc-by-sa-4.0"},
            (
                '"Tree" is licensed under CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/); '
                "its author is not named"
            ),
        ),
        ({"title": "Tree", "author": "Ann", "license_id": "gfdl"},
         '"Tree" by Ann has a licence that is not known (its source says: gfdl)'),
        ({"title": "Tree", "author": None, "license_id": float("nan")}, '"Tree" has a licence that is not known'),
        ({"title": "Tree\n two", "license_id": "own"}, '"Tree two" is the own picture of who made this dataset'),
        ({"title": "Tree", "author": "Ann", "license_id": "all-rights-reserved"},
         '"Tree" by Ann is under copyright, all rights reserved'),
        ({"attribution": "Photo by Ann (CC BY 4.0).", "title": "x", "license_id": "cc-by-4.0"},
         "Photo by Ann (CC BY 4.0)."),
    ],
)  # fmt: skip
def test_the_sentence(row: dict[str, object], sentence: str) -> None:
    """Title, source, author and licence, as far as they are known; the source's own sentence comes first."""
    assert credit(row) == sentence


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    """Rows of `images`, with what each of them has."""
    return pd.DataFrame(
        [{"image_id": f"i{number}", "retrieved_at": NOON, **row} for number, row in enumerate(rows)]
    )


def test_the_table_has_what_a_licence_asks_for() -> None:
    """Title, author, source and licence, when it was fetched and what was changed, for every picture."""
    table = attributions(
        frame({"title": "T", "author": "A", "license_id": "cc-by-2.0"}, {"license_id": "odd word"})
    )
    assert tuple(table) == COLUMNS
    first, second = table.to_dict("records")
    assert first["retrieved_at"] == "2026-11-24T12:00:00+00:00"
    assert (first["license"], first["license_url"]) == (
        "CC BY 2.0",
        "https://creativecommons.org/licenses/by/2.0/",
    )
    assert first["changes"].startswith("none")
    assert second["license"] == "odd word"


def test_only_who_must_be_named_is_missed() -> None:
    """BY without an author is listed; CC0, BY with one, and what may not be copied anyway are not."""
    rows = frame(
        {"license_id": "cc-by-2.0", "author": "Ann"},
        {"license_id": "cc-by-sa-4.0", "author": None},
        {"license_id": "cc0-1.0", "author": " "},
        {"license_id": "cc-by-nc-2.0", "author": "  "},
        {"license_id": "all-rights-reserved"},
        {"license_id": None},
    )
    assert unnamed(rows) == ["i1", "i3"]
