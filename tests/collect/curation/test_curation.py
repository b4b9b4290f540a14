"""The curation page: decisions by keyboard, effective at once and taken back; closed to every other page."""

import io
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from photojury.collect.checks.judging import settle
from photojury.collect.curation.deciding import Decision, decide
from photojury.collect.curation.gallery import Wanted, cards, choices, facts
from photojury.datasets import tables
from photojury.datasets.images import image_path
from photojury.datasets.store import Study, create_study
from photojury.errors import InputError
from tests.annotate.browsing import FLAGS, press

IMAGES = 12
NAMES = [f"{number:02d}" + "ab" * 31 for number in range(IMAGES)]


def fill(study: Study, count: int = IMAGES) -> None:
    """Images in the order of their ids, of two sources; every third one is blurred, the fourth has no measure."""
    for name in NAMES[:count]:
        number = int(name[:2])
        fail = number % 3 == 0
        row = {
            "image_id": name, "source": "flickr" if number % 2 else "folder", "source_id": f"a/{number}.jpg",
            "retrieved_at": float(number), "width": 640, "height": 480, "format": "jpeg", "bytes": 1,
            "title": "<script>document.title = 'bad'</script>" if number == 1 else None,
            "page_url": "javascript:alert(1)" if number == 1 else None,
        }  # fmt: skip
        check = {"image_id": name, "check": "blur", "value": (number * 7) % 5 / 10, "version": 1}
        check |= {"verdict": "fail" if fail else "pass", "reason": "its sharpness is low" if fail else None}
        study.add("images", [row])
        if number != 4:
            study.add("checks", [check])
    settle(study)


@pytest.fixture
def study(tmp_path: Path, database: str) -> Iterator[Study]:
    """Twelve images, four of them rejected as blurred; in either database."""
    study = create_study(tmp_path / "study", "curation", {("study", "store"): database})
    fill(study)
    yield study
    study.close()


def status(study: Study, name: str) -> tuple[str, str | None, str | None]:
    table = tables.images
    row = study.rows(sa.select(table).where(table.c.image_id == name))[0]
    return row["status"], row["rule"], row["reason"]


# ---- deciding ----


def test_a_decision_holds_at_once_and_above_the_checks(study: Study) -> None:
    """Kept by hand although blurred, rejected by hand although sharp, with the reason that was given."""
    blurred, sharp = NAMES[0], NAMES[1]
    made = decide(study, blurred, Decision("kept"), by="ann")
    assert (made.status, made.by_hand, made.before) == ("kept", True, Decision("auto"))
    assert status(study, blurred) == ("kept", None, None)
    decide(study, sharp, Decision("rejected", "  a \n watermark "), by="ann")
    assert status(study, sharp) == ("rejected", "curation", "a watermark")
    settle(study)
    assert status(study, blurred)[0] == "kept"


def test_decisions_are_only_added_and_can_be_taken_back(study: Study) -> None:
    """Deciding what stood before undoes a decision, back to the checks' own; the log holds every step."""
    name = NAMES[0]
    first = decide(study, name, Decision("kept"), by="ann")
    second = decide(study, name, Decision("rejected", "a frame"), by="bob")
    assert second.before == Decision("kept")
    third = decide(study, name, second.before, by="bob")
    assert (third.status, third.before) == ("kept", Decision("rejected", "a frame"))
    last = decide(study, name, first.before, by="ann")
    assert (last.status, last.rule, last.by_hand) == ("rejected", "blur", False)
    log = study.read("decisions").sort_values("decided_at")
    assert log["status"].tolist() == ["kept", "rejected", "kept", "auto"]
    assert log["decided_by"].tolist() == ["ann", "bob", "bob", "ann"]


def test_a_clock_that_goes_back_changes_no_order(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later decision holds, even if the clock says that it is the earlier one."""
    clock = itertools.count(2e9, -100)
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    for word in ("kept", "rejected", "kept", "rejected"):
        assert decide(study, NAMES[1], Decision(word), by="ann").status == word


@pytest.mark.parametrize(
    ("name", "word", "said"),
    [("nobody", "kept", "there is no image"), (NAMES[2], "perhaps", "'perhaps' is no decision"),
     (NAMES[5], "kept", "taken out for good")],
)  # fmt: skip
def test_impossible_decisions_are_refused(study: Study, name: str, word: str, said: str) -> None:
    """An unknown image or word, or a picture with a tombstone: one sentence, and nothing is written."""
    tombstone = {"key": f"sha256:{NAMES[5]}", "reason": "asked for", "made_at": 0.0}
    study.add("tombstones", [tombstone])
    settle(study)
    with pytest.raises(InputError, match=said):
        decide(study, name, Decision(word), by="ann")
    assert study.count("decisions") == 0


# ---- the gallery ----


def walk(study: Study, wanted: dict[str, Any], per_page: int = 5) -> list[list[str]]:
    """The ids of all pages, forward."""
    pages, after = [], ""
    while True:
        page = cards(study, Wanted(**wanted, after=after), per_page=per_page)
        pages.append([card.image_id for card in page.cards])
        if not page.next:
            return pages
        after = page.next


def test_pages_hold_every_picture_once_in_order(study: Study) -> None:
    """By a measure, ascending and descending, equal values by id, and pictures without the measure last."""
    value = {name: (int(name[:2]) * 7) % 5 / 10 for name in NAMES if name != NAMES[4]}
    for sign, descending in ((1, False), (-1, True)):
        expected = [*sorted(value, key=lambda name: (sign * value[name], name)), NAMES[4]]
        pages = walk(study, {"sort": "blur", "descending": descending})
        assert [len(page) for page in pages] == [5, 5, 2]
        assert list(itertools.chain(*pages)) == expected
    assert list(itertools.chain(*walk(study, {}))) == NAMES
    assert list(itertools.chain(*walk(study, {"sort": "newest"}))) == NAMES[::-1]


def test_the_way_back_is_the_way_there(study: Study) -> None:
    """`previous` of the third page leads to the second one, and so on to the first, which has none."""
    one = cards(study, Wanted(sort="blur"), per_page=5)
    two = cards(study, Wanted(sort="blur", after=one.next), per_page=5)
    three = cards(study, Wanted(sort="blur", after=two.next), per_page=5)
    assert (one.previous, three.next) == ("", "")
    back = cards(study, Wanted(sort="blur", before=three.previous), per_page=5)
    assert (back.cards, back.next) == (two.cards, two.next)
    first = cards(study, Wanted(sort="blur", before=back.previous), per_page=5)
    assert (first.cards, first.previous) == (one.cards, "")


def test_a_decision_leaves_no_gap_between_pages(study: Study) -> None:
    """Pictures rejected on the first page of the kept ones do not move those of the second away."""
    page = cards(study, Wanted(status="kept"), per_page=3)
    for card in page.cards:
        decide(study, card.image_id, Decision("rejected"), by="ann")
    seen = [card.image_id for card in cards(study, Wanted(status="kept", after=page.next), per_page=9).cards]
    kept = [name for name in NAMES if int(name[:2]) % 3]
    assert seen == kept[3:]


def test_filters_choose_by_status_rule_source_search_and_hand(study: Study) -> None:
    """Each filter gives what its columns say; who decided goes by the newest decision."""
    blurred = NAMES[::3]
    decide(study, NAMES[0], Decision("kept"), by="ann")
    decide(study, NAMES[3], Decision("kept"), by="ann")
    decide(study, NAMES[3], Decision("auto"), by="ann")
    study.add(
        "searches", [{"search_id": "s", "source": "flickr", "query": '{"text": "sea"}', "made_at": 0.0}]
    )
    study.add("finds", [{"search_id": "s", "slice": part, "source_id": "1"} for part in ("x", "y")])
    study.add(
        "candidates",
        [{"source": "flickr", "source_id": "1", "state": "stored", "seen_at": 0.0, "image_id": NAMES[1]}],
    )

    def chosen(**wanted: str) -> list[str]:
        page = cards(study, Wanted(**wanted))  # type: ignore[arg-type]
        assert page.count == len(page.cards)
        return [card.image_id for card in page.cards]

    assert chosen(status="rejected") == chosen(rule="blur") == blurred[1:]
    assert chosen(source="flickr") == NAMES[1::2]
    assert chosen(search="s") == [NAMES[1]]
    assert chosen(by="hand") == [NAMES[0]]
    assert chosen(by="checks", status="rejected") == blurred[1:]
    known = choices(study)
    assert (known.statuses, known.rules) == ({"kept": 9, "rejected": 3}, {"blur": 3})
    assert (known.sources, known.searches) == ({"flickr": 6, "folder": 6}, {"s": "flickr: text: sea"})
    assert known.measures == ["blur"]


def test_what_was_taken_out_for_good_is_not_shown(study: Study) -> None:
    """Neither among all pictures nor by itself."""
    study.add("tombstones", [{"key": f"sha256:{NAMES[2]}", "reason": "asked for", "made_at": 0.0}])
    settle(study)
    assert NAMES[2] not in [card.image_id for card in cards(study, Wanted()).cards]
    assert facts(study, NAMES[2]) is None
    with pytest.raises(InputError, match="unknown status"):
        cards(study, Wanted(status="tombstoned"))


def test_the_large_view_knows_everything(study: Study) -> None:
    """Measures with their verdicts, decisions in their order, and no address that would run."""
    decide(study, NAMES[0], Decision("rejected", "a frame"), by="ann")
    known = facts(study, NAMES[0])
    assert known is not None
    assert [(check["check"], check["verdict"]) for check in known["checks"]] == [("blur", "fail")]
    assert [(made["status"], made["decided_by"]) for made in known["decisions"]] == [("rejected", "ann")]
    odd = facts(study, NAMES[1])
    assert odd is not None
    assert odd["page_url"] is None


# ---- the server ----


@contextmanager
def served(study: Study) -> Iterator[str]:
    """The page's address, served by the command in a process of its own."""
    start = "from photojury.collect.commands.curate import curate; curate()"
    options = ["--study", str(study.folder), "--port", "0", "--by", "ann"]
    server = subprocess.Popen(
        [sys.executable, "-c", start, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("Curation page ready: http://127.0.0.1:"), line
        yield line.split()[-1]
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Study, str]]:
    """A study on SQLite with real files, and its page."""
    study = create_study(tmp_path_factory.mktemp("curation") / "study", "curation")
    fill(study)
    for name in NAMES[:-1]:  # the last one's file is missing
        path = image_path(study.images_folder, name, "jpeg")
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[0x010E] = "a secret place"
        Image.effect_noise((1200, 900), 60).convert("RGB").save(path, exif=exif)
    with served(study) as url:
        yield study, url
    study.close()


def secret(url: str) -> str:
    found = re.search(r'data-secret="([^"]+)"', requests.get(url, timeout=30).text)
    assert found
    return found[1]


def post(url: str, image: str = NAMES[7], **headers: str) -> requests.Response:
    """A decision as the page sends it, with headers changed or (empty) left out."""
    sent = {"Origin": url, "X-Photojury-Secret": secret(url), "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"image_id": image, "status": "rejected", "reason": "by post"})
    kept = {name: value for name, value in sent.items() if value}
    return requests.post(f"{url}/decide", data=body, headers=kept, timeout=30)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": ""}, {"Origin": "null"}, {"X_Photojury_Secret": "guess"},
        {"X_Photojury_Secret": ""}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example:80"},
    ],
)  # fmt: skip
def test_no_other_page_can_decide(local: tuple[Study, str], headers: dict[str, str]) -> None:
    """A foreign origin, none, a wrong secret, a rebound name: 403, and nothing is written."""
    study, url = local
    before = study.count("decisions")
    assert post(url, **headers).status_code == 403
    assert study.count("decisions") == before


def test_the_page_itself_decides(local: tuple[Study, str]) -> None:
    """With all that belongs to it, a decision is written with its author, and answered with how the image stands."""
    study, url = local
    done = post(url)
    assert (done.status_code, done.json()["rule"], done.json()["reason"]) == (200, "curation", "by post")
    assert status(study, NAMES[7])[0] == "rejected"
    rows = study.read("decisions", {"image_id": NAMES[7]})
    assert rows["decided_by"].tolist() == ["ann"]
    assert post(url, image="nobody").status_code == 400
    assert "there is no image" in post(url, image="nobody").text


@pytest.mark.parametrize(
    ("headers", "path", "expected"),
    [
        ({"Host": "evil.example"}, "/", 403),
        ({"Host": "127.0.0.1"}, "/", 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, f"/small/{NAMES[0]}", 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "/", 200),
        ({}, "/facts/" + NAMES[0], 200),
        ({}, "/small/" + NAMES[-1], 404),
        ({}, "/small/..%2F..%2Fstudy.toml", 404),
        ({}, "/?after=1~x&sort=blur", 200),
        ({}, "/?after=nonsense", 400),
        ({}, "/?status=everything", 400),
    ],
)
def test_who_may_look(local: tuple[Study, str], headers: dict[str, str], path: str, expected: int) -> None:
    """Another name or another page's pictures are refused; links to the page work; nonsense is a plain error."""
    assert requests.get(local[1] + path, headers=headers, timeout=30).status_code == expected


def test_pictures_are_made_anew(local: tuple[Study, str]) -> None:
    """What is sent is a smaller JPEG without the file's metadata, under a policy that loads nothing from elsewhere."""
    for path, longest in (("small", 400), ("large", 1200)):
        answer = requests.get(f"{local[1]}/{path}/{NAMES[0]}", timeout=30)
        picture = Image.open(io.BytesIO(answer.content))
        assert (picture.format, max(picture.size), len(picture.getexif())) == ("JPEG", longest, 0)
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = requests.get(local[1], timeout=30).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_port_in_use_is_one_sentence(local: tuple[Study, str]) -> None:
    """A second page on the same port says so and names the option."""
    study, url = local
    start = "from photojury.cli import run; from photojury.collect.curation.server import serve; import sys\n"
    start += "from photojury.datasets.store import open_study; from pathlib import Path\n"
    start += "serve(open_study(Path(sys.argv[1])), port=int(sys.argv[2]), by='ann', ready=print)"
    port = url.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-c", start, str(study.folder), port], capture_output=True, text=True, check=False
    )
    assert f"port {port} is not free; name another with --port" in done.stderr


# ---- the browser ----


@pytest.fixture
def browser(chromium: str, chromedriver: str, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()


def says(browser: webdriver.Chrome, text: str) -> None:
    """Wait until the page says so."""
    WebDriverWait(browser, 20).until(
        lambda page: text in str(page.find_element(By.ID, "said").get_property("textContent")),
        f"{text!r} was not said",
    )


def at(browser: webdriver.Chrome) -> str:
    """The id of the picture that has the focus."""
    script = "return document.activeElement.closest('.card')?.dataset.id"
    return str(browser.execute_script(script))


def test_deciding_by_keyboard_alone(local: tuple[Study, str], browser: webdriver.Chrome) -> None:
    """Arrows, K, R, A, U and Enter: decisions are in the store, undo takes them back, large and small alike."""
    study, url = local
    browser.get(f"{url}/?status=rejected&rule=blur")
    blurred = NAMES[::3]
    WebDriverWait(browser, 20).until(lambda page: at(page) == blurred[0])
    press(browser, "k")
    says(browser, "Kept by hand")
    assert status(study, blurred[0])[0] == "kept"
    assert at(browser) == blurred[1]  # on to the next
    press(browser, Keys.ARROW_RIGHT)
    assert at(browser) == blurred[2]
    press(browser, "w", "a frame", Keys.ENTER)
    assert at(browser) == blurred[2]
    press(browser, "r")
    says(browser, "Rejected by hand: a frame")
    assert status(study, blurred[2]) == ("rejected", "curation", "a frame")
    press(browser, "u")
    says(browser, "Taken back")
    assert status(study, blurred[2]) == ("rejected", "blur", "its sharpness is low")
    assert at(browser) == blurred[2]
    press(browser, Keys.HOME, Keys.ENTER)
    WebDriverWait(browser, 20).until(lambda page: "sharpness" in page.find_element(By.ID, "facts").text)
    assert "Kept by hand" in browser.find_element(By.ID, "stands").text
    press(browser, "a")
    says(browser, "Rejected: its sharpness is low")
    assert status(study, blurred[0]) == ("rejected", "blur", "its sharpness is low")
    press(browser, Keys.ESCAPE)
    WebDriverWait(browser, 20).until(lambda page: at(page) == blurred[1])
    # What was decided can be taken back after a reload, too.
    browser.refresh()
    WebDriverWait(browser, 20).until(lambda page: at(page) == blurred[0])
    press(browser, "u")
    says(browser, "Taken back")
    assert status(study, blurred[0])[0] == "kept"
    press(browser, "u")
    says(browser, "is rejected")
    assert status(study, blurred[0])[:2] == ("rejected", "blur")


def test_help_focus_and_nothing_from_elsewhere(local: tuple[Study, str], browser: webdriver.Chrome) -> None:
    """? shows the keys; letters typed as a reason decide nothing; markup stays text; no request leaves the page."""
    study, url = local
    browser.get(url)
    WebDriverWait(browser, 20).until(lambda page: at(page) == NAMES[0])
    before = study.count("decisions")
    press(browser, "?")
    WebDriverWait(browser, 20).until(lambda page: page.find_element(By.CSS_SELECTOR, "#help[open]"))
    press(browser, "r", Keys.ESCAPE)
    press(browser, "w", "krau", Keys.ESCAPE)
    assert at(browser) == NAMES[0]
    assert study.count("decisions") == before
    assert browser.title == "Curate · curation"
    card = browser.find_element(By.CSS_SELECTOR, f"[data-id='{NAMES[1]}']")
    assert "<script>" in card.text
    gone = f"[data-id='{NAMES[-1]}'] img.gone"
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    WebDriverWait(browser, 20).until(lambda page: page.find_elements(By.CSS_SELECTOR, gone))
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert loaded
    assert all(name.startswith(url) for name in loaded)
    log: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert [entry for entry in log if "Content Security Policy" in entry["message"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_and_fits_a_telephone(
    local: tuple[Study, str], browser: webdriver.Chrome, scheme: str
) -> None:
    """Every text has 4.5:1 against what is behind it (WCAG 2.2, 1.4.3), and nothing is wider than 390 pixels."""
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(local[1] + "/?sort=blur")
    WebDriverWait(browser, 20).until(at)
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    colours = browser.execute_script("""
        const seen = [];
        for (const one of document.querySelectorAll("body *")) {
          const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
          if (!own || !one.checkVisibility() || one.closest(".hidden, .skip, script")) continue;
          let behind = one;
          while (behind && getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
          const ground = getComputedStyle(behind || document.documentElement).backgroundColor;
          seen.push([one.outerHTML.slice(0, 80), getComputedStyle(one).color, ground]);
        }
        return seen;
    """)
    assert len(colours) > 20
    for what, ink, ground in colours:
        assert contrast(ink, ground) >= 4.5, (what, ink, ground)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two CSS colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance of rgb(r, g, b)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
