"""A requester's own HTML with a CSV, as written for MTurk: planned, wrapped, published, worked on, fetched."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.wait import WebDriverWait

from photojury.analysis.progress import status
from photojury.annotate.batches import plan
from photojury.annotate.fetch import fetch
from photojury.annotate.money.review import review
from photojury.annotate.mturk.export import answer_fields
from photojury.annotate.mturk.rows import read_rows
from photojury.annotate.preview import write_preview
from photojury.annotate.publish import publish
from photojury.annotate.requester import Requester
from photojury.annotate.tasks.custom import inputs, page, read_layout
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError, PhotojuryError, SettingsError
from photojury.settings import override
from tests.annotate.browsing import accept
from tests.annotate.marketplace.live import Worker

FRAGMENT = """<h1 id="question">Which season is it?</h1>
<img src="${image_url}" alt="${title}">
<label><input type="radio" name="season" value="summer"> summer</label>
<textarea name="comment"></textarea>
"""

ROWS = (
    "image_url,title\r\n"
    "https://example.org/1.jpg,Dunes & <b>sand</b>\r\n"
    'https://example.org/2.jpg,"A ""quiet"" bay,\r\nat noon"\r\n'
)

Write = Callable[..., Study]


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Write]:
    """Make a study with a page and rows of its own."""
    made: list[Study] = []

    def write(html: str = FRAGMENT, rows: str | bytes = ROWS, raters: int = 2) -> Study:
        values: dict[tuple[str, str], object] = {
            ("custom", "page"): "task.html",
            ("custom", "rows"): "rows.csv",
            ("custom", "title"): "Seasons <i>",
            ("custom", "raters_per_row"): raters,
        }
        folder = tmp_path / f"study-{len(made)}"
        study = create_study(folder, "tests", values)
        (folder / "task.html").write_text(html, encoding="utf-8")
        (folder / "rows.csv").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        made.append(study)
        return study

    yield write
    for study in made:
        study.close()


@pytest.fixture
def study(written: Write) -> Study:
    """In the place of the pictures' study: one with a page of its own, for the marketplace to serve."""
    return written()


def test_a_row_becomes_a_hit(study: Study) -> None:
    """Each row is one HIT that holds its cells; no units are made; what is planned once is not planned again."""
    batch = plan(study, "custom")
    assert (batch.name, batch.units, batch.hits, batch.assignments) == ("custom-1", 2, 2, 4)
    assert (batch.cost.rewards, batch.cost.fees) == (4 * 20, 4 * 4)  # 20 cents, 20 %
    hits = study.read("hits")
    cells = sorted((json.loads(text) for text in hits["inputs"]), key=lambda row: row["image_url"])
    assert cells[0] == {"image_url": "https://example.org/1.jpg", "title": "Dunes & <b>sand</b>"}
    assert cells[1]["title"] == 'A "quiet" bay,\r\nat noon'
    assert set(hits["unit_ids"]) == {"[]"}
    assert study.count("units") == 0
    with pytest.raises(InputError, match="all 2 rows of custom are planned already"):
        plan(study, "custom")
    assert plan(study, "custom", again=True, keep=False).hits == 2
    path = study.folder / "rows.csv"
    path.write_bytes(path.read_bytes() + b"https://example.org/3.jpg,Dusk\n")
    later = plan(study, "custom")
    assert (later.name, later.hits) == ("custom-2", 1)
    assert [(batch.units, batch.hits) for batch in status(study).batches] == [(2, 2), (1, 1)]


def test_a_page_without_a_form_is_put_into_mturks(study: Study) -> None:
    """Cells stand in the page as they are; around it are MTurk's form, hidden field, button and script."""
    made = page(study, inputs(study)[0])
    assert '<img src="https://example.org/1.jpg" alt="Dunes & <b>sand</b>">' in made
    assert made.count("<form ") == made.count("</form>") == 1
    assert re.search(r'<form [^>]*id="mturk_form" method="post"', made)
    assert '<input type="hidden" name="assignmentId" id="assignmentId"' in made
    assert made.count('type="submit"') == 1
    assert "turkSetAssignmentID();" in made
    assert "<title>Seasons &lt;i&gt;</title>" in made
    assert not re.search(r'src="https?://[^"]*(amazonaws|crowd\.aws)', made)
    order = [made.index(part) for part in ("<body>", "<form ", "<h1 ", "</form>", "<script>", "</body>")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    "html",
    [
        "<crowd-form><p>${title}</p></crowd-form>",
        '<!DOCTYPE html><html><body><form method="post" action="x">${title}</form></body></html>',
    ],
)
def test_a_page_with_a_form_is_sent_as_it_is(written: Write, html: str) -> None:
    """A page that brings its form, or a crowd-form, is only filled in."""
    study = written(html)
    assert page(study, inputs(study)[0]) == html.replace("${title}", "Dunes & <b>sand</b>")


def test_a_whole_document_gets_the_form_inside_its_body(written: Write) -> None:
    """Head and body tags stay where they are, a button of the page's own is the only one."""
    html = (
        '<!DOCTYPE html>\n<html lang="en">\n<head><style>p {}</style></head>\n<body class="a">\n<p>${title}</p>'
        "\n<!-- <form> --><button>Send</button>\n</body>\n</html>\n"
    )
    study = written(html)
    made = page(study, {"title": "Dunes", "image_url": ""})
    assert made.startswith(
        '<!DOCTYPE html>\n<html lang="en">\n<head><style>p {}</style></head>\n<body class="a"><form '
    )
    assert "submitButton" not in made.partition("</form>")[0]
    assert made.endswith("</body>\n</html>\n")
    assert made.count("<body") == made.count("<html") == 1


@given(before=some.text("<a> \n/", max_size=20), inside=some.text("pq \n", max_size=20))
def test_the_body_is_found_wherever_it_is(before: str, inside: str) -> None:
    """The place of a body's content is that of its tags in the text, over any number of lines."""
    text = (
        f"<head>\n<title>x</title></head>{before.replace('<', '')}<body\n class='b'>{inside}</body >\n</html>"
    )
    layout = read_layout(text)
    assert text[layout.begin : layout.end] == inside
    assert layout.document


@pytest.mark.parametrize(
    ("html", "button"),
    [
        ('<input type="SUBMIT">', True),
        ('<input type="image">', True),
        ("<button>x</button>", True),
        ('<button type="button">x</button>', False),
        ('<input type="text">', False),
        ("<script>'<button>'</script>", False),
    ],
)
def test_a_button_that_submits_is_recognised(html: str, button: bool) -> None:
    """Only what would submit a form counts as the page's own button."""
    assert read_layout(html).button is button


def test_what_is_wrong_is_named(written: Write) -> None:
    """Missing files and columns, ragged rows, other encodings, too much text: file, line and what would be right."""
    wrong: list[tuple[Study, str]] = [
        (
            written("<p>\n${caption}"),
            r"task.html, line 2: \$\{caption\} is no column of .*rows.csv, which has image_url, title",
        ),
        (written(rows="image_url,title\na,b\n\nc\n"), "rows.csv, line 4: 1 cells for 2 columns"),
        (written(rows="image_url,title\n"), "has no rows below its column names"),
        (written(rows=""), "is empty; its first line must name the columns"),
        (written(rows="title,title\na,b\n"), "two columns are called title"),
        (written(rows="title,\na,b\n"), "column 2 has no name"),
        (written(rows='image_url,title\na,"b'), "rows.csv, line 2: not CSV"),
        (written(rows="image_url,title\na,é".encode("latin-1")), "is not UTF-8; save it as CSV UTF-8"),
        (
            written(rows="image_url,title\na,b\n\na,\x07\n"),
            r"line 4: makes a page with the character U\+0007",
        ),
        (written(rows=f"image_url,title\na,{'<' * 20_000}\n"), "line 2: makes a page of .* takes 65,535"),
        (written(" "), "task.html is empty"),
    ]
    for study, sentence in wrong:
        with pytest.raises(InputError, match=sentence):
            plan(study, "custom")
        assert study.count("hits") == 0
    gone = written()
    (gone.folder / "rows.csv").unlink()
    with pytest.raises(InputError, match=r"rows.csv cannot be read: No such file"):
        plan(gone, "custom")
    unset = dataclasses.replace(gone, settings=override(gone.settings, {"PHOTOJURY_CUSTOM_PAGE": ""}))
    with pytest.raises(SettingsError, match=r"custom\.page is empty"):
        plan(unset, "custom")


def test_scripts_keep_their_own_braces(written: Write) -> None:
    """`${ a }` and `${a.b}` belong to the page's script; only `${name}` is a placeholder."""
    html = "<script>const text = `${ x } ${a.b} ${f(1)}`;</script><p>${title}"
    study = written(html)
    assert "`${ x } ${a.b} ${f(1)}`" in page(study, inputs(study)[0])


def test_a_spreadsheets_byte_order_mark_is_no_part_of_a_name(written: Write) -> None:
    """CSV UTF-8 of a spreadsheet program begins with a mark; the first column is found all the same."""
    study = written(rows=b"\xef\xbb\xbf" + ROWS.encode())
    assert list(inputs(study)[0]) == ["image_url", "title"]


cells = some.text(
    some.characters(blacklist_categories=["Cs"], blacklist_characters="\x00\ufeff"), max_size=12
)


@given(rows=some.lists(some.lists(cells, min_size=2, max_size=2), min_size=1, max_size=6))
def test_any_cells_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    """Cells with commas, quotes and line ends are read as they were written, with the line that each begins on."""
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_bytes("\n".join(["a,b", *quoted]).encode())
    columns, found = read_rows(path)
    assert columns == ["a", "b"]
    assert [list(row.values()) for _, row in found] == rows
    assert found[0][0] == 2


def answered(study: Study, requester: Requester, site: str, *fields: dict[str, str]) -> None:
    """Simulated workers who each do the batch's first HIT."""
    hit = requester.client.get_hit(HITId=study.read("hits")["hit_id"][0])["HIT"]
    for given_answers in fields:
        worker = Worker(site)
        worker.join(simulated=True)
        assignment = worker.accept(hit["HITGroupId"])
        assert assignment
        worker.submit(assignment, **given_answers)
        worker.close()


def test_answers_come_in_as_they_were_given(study: Study, requester: Requester, site: str) -> None:
    """Any answer is used and kept as XML, without ratings; an empty form is not used; both are paid."""
    plan(study, "custom")
    assert publish(study, requester).new == 2
    answered(study, requester, site, {"season": "summer", "comment": "a < b"}, {"comment": " "})
    came = fetch(study, requester)
    assert (came.assignments, came.ratings, came.comparisons, came.open_assignments) == (2, 0, 0, 2)
    assert [sentence for _, sentence in came.problems] == ["it has no answers"]
    assignments = study.read("assignments").sort_values("use", ascending=False)
    assert list(assignments["use"]) == [True, False]
    assert answer_fields(assignments["answers"].iloc[0]) == {"season": "summer", "comment": "a < b"}
    assert assignments["simulated"].all()
    done = review(study, requester)
    assert (done.approved, done.paid.rewards, done.unused) == (2, 40, 1)
    assert sorted(study.read("assignments")["use"]) == [False, True]


def test_a_person_fills_in_a_wrapped_page(
    study: Study, requester: Requester, site: str, browser: webdriver.Chrome
) -> None:
    """In Chromium, the form carries its assignment's id to the marketplace that shows it, preview excepted."""
    plan(study, "custom")
    publish(study, requester)
    preview = write_preview(study, "custom")
    assert page(study, json.loads(study.read("hits")["inputs"][0])) == preview.read_text(encoding="utf-8")
    accept(browser, site, "Seasons")
    browser.find_element(By.CSS_SELECTOR, "input[value=summer]").click()
    browser.find_element(By.NAME, "comment").send_keys("warm")
    browser.find_element(By.ID, "submitButton").click()
    browser.switch_to.default_content()
    WebDriverWait(browser, 20).until(expected.url_contains("submitted"))
    assert fetch(study, requester).assignments == 1
    assert answer_fields(study.read("assignments")["answers"][0]) == {"season": "summer", "comment": "warm"}


def test_a_page_that_changed_under_its_hits_is_named(study: Study) -> None:
    """A placeholder that the planned rows have no cell for stops publishing with what to do."""
    plan(study, "custom")
    (study.folder / "task.html").write_text("<p>${author}")
    with pytest.raises(
        PhotojuryError, match=r"\$\{author\} is not among the columns .* plan anew with --again"
    ):
        write_preview(study, "custom")
