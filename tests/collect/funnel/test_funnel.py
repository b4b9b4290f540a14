"""The funnel: every candidate is counted once, under one fate, and all lines add up."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from PIL import Image

from photojury.collect.commands.report import report
from photojury.collect.funnel import funnel as funnel_module
from photojury.collect.funnel import report as report_module
from photojury.collect.funnel.asked import in_words
from photojury.collect.funnel.report import look, render, steps, write
from photojury.collect.funnel.sheets import sheets
from photojury.collect.funnel.tally import FATES, NONE, Tally
from photojury.collect.sources.folder import collect_folder
from photojury.datasets import tables
from photojury.datasets.store import Study, create_study

STATES = (
    "found",
    "failed",
    "failed",
    "stored",
    "stored",
    "stored",
    "duplicate",
    "rejected",
    "gone",
    "barred",
)
RULES = {
    "failed": ("http_503", "timeout"), "duplicate": ("exact_duplicate",), "gone": ("http_404", "placeholder"),
    "rejected": ("no_file", "animated", "http_403", None), "barred": ("opt_out", "tombstone"),
}  # fmt: skip
QUERIES = {"flickr": ('{"text": "dance", "license": ["by"]}', '{"text": "gym"}'), "folder": ("/pictures",)}


def image(number: int, status: str, rule: str | None) -> dict[str, object]:
    reason = f"too {rule}" if rule else None
    return {
        "image_id": f"{number:064x}", "source": "flickr", "source_id": str(number), "retrieved_at": 0.0,
        "width": 640, "height": 480, "format": "jpeg", "bytes": 1, "status": status, "rule": rule,
        "reason": reason, "license_id": "cc-by-2.0",
    }  # fmt: skip


def candidate(number: int, generator: random.Random) -> dict[str, object]:
    source = generator.choice(("flickr", "flickr", "folder"))
    state = generator.choice(STATES)
    rule = generator.choice(RULES.get(state, (None,)))
    return {
        "source": source, "source_id": str(number), "query": generator.choice(QUERIES[source]), "state": state,
        "rule": rule, "reason": f"because of {rule}" if rule else None, "seen_at": 1.79e9 + number,
        "retry_at": generator.choice((None, 1.8e9 + number)) if state == "failed" else None,
        "image_id": f"{number:064x}" if state == "stored" else None,
        "license_id": generator.choice(("cc-by-2.0", "cc-by-nd-2.0", "weird", None)),
    }  # fmt: skip


def fill(study: Study, count: int = 600) -> list[dict[str, object]]:
    """Candidates of every state and rule, drawn; what they are is returned."""
    generator = random.Random(count)
    rows = [candidate(number, generator) for number in range(count)]
    status = {"kept": None, "rejected": "blur", "tombstoned": "tombstone"}
    images = []
    for number, row in enumerate(rows):
        if row["state"] == "stored":
            name = generator.choice(list(status))
            row["fate"] = name
            images.append(image(number, name, status[name]))
    study.add("images", images)
    study.add("candidates", [{k: v for k, v in row.items() if k != "fate"} for row in rows])
    return rows


def fate(row: dict[str, object]) -> str:
    """The fate, said a second time, by the meaning of the columns in datasets/tables.py."""
    state = row["state"]
    if state == "stored":
        return str(row["fate"])
    if state == "failed":
        return "failed" if row["retry_at"] else "given_up"
    return {"found": "waiting", "rejected": "unusable"}.get(str(state), str(state))


@pytest.fixture
def study(tmp_path: Path, database: str) -> Iterator[Study]:
    """An empty study in either database."""
    study = create_study(tmp_path / "study", "funnel", {("study", "store"): database})
    yield study
    study.close()


def test_every_candidate_has_one_fate(study: Study) -> None:
    """On 600 drawn candidates: fates add up to the pictures in total, by source, by query, by rule and by licence."""
    rows = fill(study)
    found = funnel_module.count(study)
    assert {name: number for name, number in found.total.fates.items() if number} == Counter(map(fate, rows))
    assert found.total.unique == sum(found.total.fates.values()) == len(rows)
    for tally in (*found.sources.values(), *(line.tally for line in found.queries)):
        assert tally.unique == sum(tally.fates.values())
    for part in (list(found.sources.values()), [line.tally for line in found.queries]):
        for name in FATES:
            assert sum(tally.fates[name] for tally in part) == found.total.fates[name]
    assert {name: tally.unique for name, tally in found.sources.items()} == Counter(r["source"] for r in rows)
    for name in FATES:
        lost = sum(line.count for line in found.losses if line.fate == name)
        assert lost == (0 if name in ("kept", "waiting") else found.total.fates[name])
    rules = Counter(row["rule"] or "" for row in rows if row["state"] == "rejected")
    assert {line.rule: line.count for line in found.losses if line.fate == "unusable"} == rules
    assert sum(line.unique for line in found.licenses) == len(rows)
    assert sum(line.kept for line in found.licenses) == found.total.fates["kept"]


def test_the_steps_lead_down_to_what_is_kept(study: Study) -> None:
    """Each step is the one before less what it names; a file that never came was not downloaded."""
    rows = fill(study)
    total = funnel_module.count(study).total
    down = steps(total)
    assert [step.count for step in down] == sorted((step.count for step in down), reverse=True)
    assert down[-1].count == total.fates["kept"]
    for before, step in itertools.pairwise(down):
        numbers = [int(word.replace(",", "")) for part in step.took.split("; ") for word in part.split()[:1]]
        assert before.count - sum(numbers) == step.count
        assert step.before == before.count
    came = [r for r in rows if r["state"] in ("stored", "duplicate", "rejected")]
    never = ("no_file", "http_403")
    assert total.downloaded == sum(row["rule"] not in never for row in came)
    assert total.without_file == sum(row["rule"] in never for row in came)


def test_examples_and_the_next_try(study: Study) -> None:
    """Each loss comes with a sentence of its own rule; the next try is the earliest of those that will be made."""
    rows = fill(study)
    found = funnel_module.count(study)
    for line in found.losses:
        known = "tombstone" if line.fate == "tombstoned" else line.rule
        assert known in line.example if line.rule else line.example == ""
    assert found.retry_at == min(float(str(r["retry_at"])) for r in rows if r["retry_at"])


def test_searches_are_matched_with_what_they_found(study: Study) -> None:
    """Rows, calls and slices come from the slices; keys of a query may stand in any order; repeats count once."""
    query = {"license": ["by"], "text": "dance"}
    study.add(
        "searches", [{"search_id": "s", "source": "flickr", "query": json.dumps(query), "made_at": 0.0}]
    )
    slices = [
        ("d1", None, "cut", 40, 100, 2),
        ("d2", "d1", "done", 25, 60, 1),
        ("d3", "d1", "open", 10, 30, 1),
    ]
    study.add(
        "slices",
        [
            {"search_id": "s", "slice": key, "part_of": of, "state": state, "rows": rows, "reported": reported,
             "unique": 0, "new": 0, "calls": calls}
            for key, of, state, rows, reported, calls in slices
        ],
    )  # fmt: skip
    finds = [("d2", "1"), ("d2", "2"), ("d3", "2"), ("d3", "3")]
    study.add("finds", [{"search_id": "s", "slice": part, "source_id": name} for part, name in finds])
    written = '{"text": "dance", "license": ["by"]}'
    study.add(
        "candidates",
        [
            {"source": "flickr", "source_id": name, "query": written, "state": "found", "seen_at": 0.0}
            for name in ("1", "2")
        ],
    )
    found = funnel_module.count(study)
    assert len(found.queries) == 1
    line = found.queries[0]
    assert (line.tally.rows, line.tally.unique, line.unique, line.calls) == (75, 2, 3, 4)
    assert line.reported == 100  # what d1 was cut into is in its count already
    assert line.slices == {"cut": 1, "done": 1, "open": 1}
    assert found.total.rows == 75


def test_licences_follow_the_studys_policy(study: Study) -> None:
    """The table says what a release copies, by rights.redistribute, and of your own pictures that they are yours."""
    study.add(
        "candidates",
        [
            {"source": source, "source_id": name, "state": "found", "seen_at": 0.0, "license_id": license_id}
            for source, name, license_id in (
                ("flickr", "1", "cc-by-4.0"), ("flickr", "2", "cc-by-nd-2.0"), ("folder", "3", None),
                ("urls", "4", None),
            )
        ],
    )  # fmt: skip
    found = {line.name: line.left_out for line in funnel_module.count(study).licenses}
    assert found == {
        "CC BY 4.0": None,
        "CC BY-ND 2.0": "its licence allows no derivatives (ND)",
        "your own pictures": None,
        "not stated": "its licence is not known",
    }


def test_kept_images_of_no_candidate_are_told_apart(study: Study) -> None:
    """An image whose candidate is another file now stays kept, and does not spoil the sums."""
    fill(study, 50)
    study.add("images", [image(10_000, "kept", None)])
    found = funnel_module.count(study)
    assert found.other_kept == 1
    assert found.total.unique == sum(found.total.fates.values()) == 50


# ---- the report ----


@pytest.fixture
def crawl(tmp_path: Path) -> Iterator[Study]:
    """Real pictures of a folder, two rejected, one with markup for a title, and one more file that is no picture."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(6):
        Image.effect_noise((400, 300), 40 + number).convert("RGB").save(photos / f"{number}.jpg")
    (photos / "broken.jpg").write_bytes(b"no picture")
    study = create_study(tmp_path / "study", "tests & <b>marks</b>")
    collect_folder(study, photos)
    table = tables.images
    ids = [row["image_id"] for row in study.rows(sa.select(table.c.image_id).order_by(table.c.image_id))]
    rejected = {"status": "rejected", "rule": "blur", "reason": "its sharpness is 0.1 & <low>"}
    odd = {"title": "<script>alert(1)</script>", "page_url": "javascript:alert(1)", "author": "A <i>B</i>"}
    with study.writing() as connection:
        connection.execute(sa.update(table).where(table.c.image_id.in_(ids[:2])).values(**rejected))
        connection.execute(sa.update(table).where(table.c.image_id == ids[2]).values(**odd))
    yield study
    study.close()


def test_the_command_writes_page_and_numbers(crawl: Study) -> None:
    """--json says what collect.json says; the page stands by itself; both are recorded."""
    done = CliRunner().invoke(report, ["--json", "--study", str(crawl.folder)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    page = Path(told.pop("report"))
    assert told == json.loads(page.with_suffix(".json").read_text())
    assert (told["total"]["unique"], told["total"]["kept"], told["total"]["rejected"]) == (7, 4, 2)
    assert told["total"]["unusable"] == 1
    record = json.loads(next(crawl.folder.glob("runs/*-collect-report/run.json")).read_text())
    assert set(record["wrote"]) == {str(page), str(page.with_suffix(".json"))}


def test_the_text_form_names_every_loss(crawl: Study) -> None:
    """Without --json: one line of steps, a line for each rule, and where the page is."""
    said = CliRunner().invoke(report, ["--study", str(crawl.folder)]).stdout.splitlines()
    assert said[0] == "7 offered, 7 different, 7 downloaded, 6 stored, 4 kept"
    assert [line.split() for line in said if "rejected" in line] == [["2", "rejected", "blur"]]
    assert said[-1].endswith("collect.html")


def test_the_page_is_self_contained_and_escaped(crawl: Study) -> None:
    """No script, no address to fetch from, nothing of a title or reason becomes markup or a link that runs."""
    page = write(crawl).html.read_text()
    assert "<script" not in page
    assert "javascript:" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "tests &amp; &lt;b&gt;marks&lt;/b&gt;" in page
    assert "A &lt;i&gt;B&lt;/i&gt;" in page
    assert "0.1 &amp; &lt;low&gt;" in page
    assert page == write(crawl).html.read_text()


def test_contact_sheets_are_bounded(crawl: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept pictures and each rule's have a sheet; a missing file leaves a gap, and many pictures only a sample."""
    monkeypatch.setattr("photojury.collect.funnel.sheets.KEPT", 3)
    first = crawl.rows(sa.select(tables.images).where(tables.images.c.status == "rejected"))[0]
    crawl.image_path(first["image_id"], first["format"]).unlink()
    kept, blurred = sheets(crawl)
    assert (kept.title, kept.count, len(kept.pictures)) == ("Kept", 4, 3)
    assert (blurred.title, blurred.count, len(blurred.pictures)) == ("Rejected: blur", 2, 2)
    assert sorted(bool(picture.uri) for picture in blurred.pictures) == [False, True]
    weight = max(len(picture.uri) for picture in kept.pictures)
    assert 1_000 < weight < 30_000


def test_what_is_left_to_do_is_said(crawl: Study) -> None:
    """Waiting and failed downloads, open slices and pictures without a verdict each come with their command."""
    assert "photojury collect check" in render(crawl, look(crawl), [])
    with crawl.writing() as connection:
        connection.execute(sa.update(tables.checks).values(verdict="pass"))
    assert "Left to do" not in render(crawl, look(crawl), [])
    row = {"source": "flickr", "seen_at": 0.0}
    crawl.add("candidates", [{**row, "source_id": "1", "state": "found"}])
    crawl.add("candidates", [{**row, "source_id": "2", "state": "failed", "retry_at": 1_800_000_000.0}])
    page = render(crawl, look(crawl), [])
    assert "1 picture not downloaded yet" in page
    assert "the first to be tried again at 2027-01-15 08:00 UTC" in page


def test_views_have_their_section(crawl: Study) -> None:
    """With counters of kept pictures the page shows S(i) and its warning, the numbers say how far it is from uniform."""
    table = tables.images
    kept = crawl.rows(sa.select(table).where(table.c.status == "kept"))
    assert report_module.facts(crawl, look(crawl))["popularity"] is None
    crawl.add(
        "observations",
        [
            {"source": row["source"], "source_id": row["source_id"], "seen_at": 0.0, "views": 99, "favs": 9}
            for row in kept
        ],
    )
    seen = look(crawl)
    assert "Views and favourites" in render(crawl, seen, [])
    assert report_module.facts(crawl, seen)["popularity"]["spread"]["mean"] == pytest.approx(0.5)


def test_an_empty_study_says_how_to_begin(tmp_path: Path) -> None:
    """No candidate: the page says so, and nothing divides by zero."""
    study = create_study(tmp_path / "study", "empty")
    assert "Begin with" in render(study, look(study), sheets(study))
    study.close()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('{"license": ["by", "by-sa"], "text": "dance", "group": null}', "text: dance; license: by, by-sa"),
        ("/home/a/pictures", "/home/a/pictures"),
        ("{}", "everything"),
    ],
)
def test_queries_are_read_as_words(query: str, said: str) -> None:
    """What is searched for stands first, without quotation marks and brackets."""
    assert in_words(query) == said


def test_a_tally_adds_up_by_itself() -> None:
    """Adding a line adds each of its numbers; no two lines share their fates."""
    total = Tally()
    for number in (1, 2):
        total.add(Tally(rows=number, unique=number, fates={**NONE, "kept": number}, without_file=number))
    assert (total.rows, total.unique, total.without_file, total.fates["kept"]) == (3, 3, 3, 3)
    assert Tally().fates["kept"] == 0
