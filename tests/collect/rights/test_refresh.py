"""Refreshing: what is looked up, what is kept of it, and what is pruned."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from photojury.collect.commands.rights import credits as credits_command
from photojury.collect.commands.rights import refresh as refresh_command
from photojury.collect.rights import standing
from photojury.collect.rights.pruning import prune
from photojury.collect.rights.refresh import due, refresh
from photojury.collect.rights.reporting import report, withdrawn
from photojury.collect.rights.standing import RightsOf, Row, Standing, open_rights
from photojury.datasets.images import image_id, image_path, write_atomically
from photojury.datasets.store import Study, create_study, open_study
from photojury.errors import InputError, Refused, ServiceError


@dataclass
class Counter:
    """A source's counter: says how each photo stands, keeps a log, and breaks down where told."""

    says: dict[str, Standing] = field(default_factory=dict)
    at_once: int = 4
    breaks_at: int | None = None
    asked: list[str] = field(default_factory=list)

    def look_up(self, images: Sequence[Row]) -> Mapping[str, Standing]:
        if self.breaks_at is not None and len(self.asked) >= self.breaks_at:
            raise ServiceError("the key has expired")
        self.asked += [image["source_id"] for image in images]
        return {
            name: self.says.get(name, Standing("there", "cc-by-2.0")) for name in self.asked[-len(images) :]
        }

    def opened(self, source: str, study: Study) -> RightsOf:
        return self


def fill(study: Study, number: int, source: str = "flickr", license_id: str | None = "cc-by-2.0") -> Study:
    """Add stored pictures 0, 1, 2, ... of a source; the bytes are their names, since nobody decodes them."""
    images, candidates = [], []
    for name in map(str, range(number)):
        data = f"{source} {name}".encode()
        row = {"source": source, "source_id": name, "license_id": license_id, "title": f"Tree {name}"}
        image = image_id(data)
        write_atomically(image_path(study.images_folder, image, "jpeg"), data)
        images.append({**row, "image_id": image, "retrieved_at": 1.0, "width": 9, "height": 9, "format": "jpeg",
                       "bytes": len(data), "status": "kept"})  # fmt: skip
        candidates.append({**row, "state": "stored", "seen_at": 1.0, "image_id": image})
    study.add("images", images)
    study.add("candidates", candidates)
    return study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return fill(create_study(tmp_path / "study", "test"), 10)


def ids(study: Study, status: str) -> list[str]:
    return sorted(study.read("images", {"status": status})["source_id"])


LOST = {
    "1": Standing("gone", note="it was deleted"),
    "2": Standing("there", "all-rights-reserved"),
    "3": Standing("there", "cc-by-nd-2.0"),
    "4": Standing("there", "cc-by-2.0", opt_out="it is tagged no_cv"),
}
STAYS = {
    "5": Standing("there", "cc-by-nc-2.0"),
    "6": Standing("unknown", note="the host does not answer"),
    "7": Standing("there", None),
    "8": Standing("there", "flickr-17"),
}


def test_a_report_changes_nothing(study: Study) -> None:
    """Every finding is counted and told; all pictures stay as they are."""
    found = refresh(study, opened=Counter({**LOST, **STAYS}).opened)
    assert (found.pictures, found.checked) == (10, 10)
    assert found.findings == {"same": 3, "gone": 1, "licence": 4, "opt_out": 1, "unknown": 1}
    told = {change.source_id: (change.finding, change.prune, change.note) for change in found.changes}
    assert told["1"] == ("gone", True, "it was deleted")
    assert told["3"] == ("licence", True, "its licence was cc-by-2.0 and is cc-by-nd-2.0 now")
    assert told["4"] == ("opt_out", True, "it is tagged no_cv")
    assert told["5"] == ("licence", False, "its licence was cc-by-2.0 and is cc-by-nc-2.0 now")
    assert told["6"] == ("unknown", False, "the host does not answer")
    assert ids(study, "kept") == [str(number) for number in range(10)]
    assert study.count("tombstones") == 0


def test_prune_forgets_what_lost_its_rights(study: Study) -> None:
    """Gone, opted out, ARR and ND go with id, sha256, reason and date; what nobody can tell stays."""
    refresh(study, opened=Counter({**LOST, **STAYS}).opened)
    done = prune(study)
    assert (done.images, done.files) == (4, 4)
    assert ids(study, "tombstoned") == sorted(LOST)
    stones = study.read("tombstones").set_index("key")
    assert set(stones.index) == {
        *(f"flickr:{name}" for name in LOST),
        *(f"sha256:{image_id(f'flickr {name}'.encode())}" for name in LOST),
    }
    day = time.strftime("%Y-%m-%d", time.gmtime())
    assert stones.loc["flickr:1", "reason"] == f"it was deleted (looked up again by {day})"
    assert prune(study).images == 0


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("cc-by-2.0", "all-rights-reserved", True),
        ("cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", True),
        ("cc-by-nd-2.0", "all-rights-reserved", True),
        ("cc-by-nd-2.0", "cc-by-2.0", False),
        ("cc-by-2.0", "cc-by-nc-2.0", False),
        ("cc-by-2.0", "cc-by-4.0", False),
        ("all-rights-reserved", "cc-by-nd-2.0", False),
        ("cc-by-2.0", "flickr-17", False),
        (None, "all-rights-reserved", False),
        ("cc-by-2.0", None, False),
    ],
)
def test_what_a_change_of_licence_takes_away(old: str | None, new: str | None, lost: bool) -> None:
    """Copies or derivatives that were allowed and are not any more; a word that nobody knows takes nothing."""
    assert withdrawn(old, new) == lost


def test_an_expired_key_judges_nothing_and_the_same_command_goes_on(study: Study) -> None:
    """What was learnt is kept, the rest is not marked; later only the rest is asked."""
    counter = Counter(LOST, breaks_at=4)
    found = refresh(study, opened=counter.opened)
    assert str(found.problems["flickr"]) == "the key has expired"
    assert found.findings == {"same": 1, "gone": 1, "licence": 2, "never": 6}
    assert study.count("standings") == 4
    counter.breaks_at = None
    found = refresh(study, opened=counter.opened)
    assert found.checked == 6
    assert sorted(counter.asked) == [str(number) for number in range(10)]


def test_one_source_that_is_down_keeps_no_other_from_being_asked(study: Study) -> None:
    """Openverse is asked although Flickr's key has expired; folders are nobody's business."""
    fill(fill(study, 3, "openverse"), 2, "folder", None)
    found = refresh(study, opened=lambda name, study: Counter(breaks_at=0 if name == "flickr" else None))
    assert list(found.problems) == ["flickr"]
    assert (found.pictures, found.own, found.checked) == (13, 2, 3)
    assert found.findings == {"same": 3, "never": 10}


def test_age_decides_who_is_asked(study: Study) -> None:
    """A picture that was looked up within the time is left; 0 days asks all; --source asks one source."""
    counter = Counter()
    fill(study, 2, "openverse")
    refresh(study, source="openverse", opened=counter.opened)
    assert counter.asked == ["0", "1"]
    assert due(study) == 10
    assert due(study, older_than=0) == 12
    refresh(study, opened=counter.opened)
    assert len(counter.asked) == 12
    old = time.time() - 3 * 86_400
    with study.writing() as connection:
        connection.exec_driver_sql(f"UPDATE standings SET checked_at = {old} WHERE source_id = '1'")
    assert (due(study, older_than=2), due(study, older_than=4)) == (2, 0)


def test_the_newest_word_stands(study: Study) -> None:
    """Private today and public tomorrow: tomorrow's word is the one that is pruned by."""
    counter = Counter({"1": Standing("gone", note="private")})
    refresh(study, opened=counter.opened)
    assert [change.source_id for change in report(study).changes] == ["1"]
    counter.says = {}
    refresh(study, older_than=0, opened=counter.opened)
    assert report(study).findings == {"same": 10}
    assert study.count("standings") == 20
    assert prune(study).images == 0


def test_a_service_that_says_all_is_gone_is_not_believed(tmp_path: Path) -> None:
    """Many at once need --yes; a few, or a small share, do not."""
    study = fill(create_study(tmp_path / "study", "test"), 100)
    counter = Counter({str(name): Standing("gone") for name in range(21)})
    refresh(study, opened=counter.opened)
    with pytest.raises(Refused, match=r"21 of the 100 pictures from flickr .* rights.max_pruned \(0.1\)"):
        prune(study)
    assert ids(study, "tombstoned") == []
    assert prune(study, confirmed=True).images == 21


def test_unknown_sources_are_named(study: Study) -> None:
    """A folder cannot be asked, and a misspelt name is helped."""
    for name in ("folder", "flikr"):
        with pytest.raises(InputError, match="unknown source"):
            refresh(study, source=name, opened=Counter().opened)
    with pytest.raises(InputError, match="unknown source"):
        open_rights("flikr", study)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """What the command asks instead of Flickr."""
    found = Counter(LOST)
    monkeypatch.setitem(standing.RIGHTS, "flickr", f"{__name__}:Stand")
    Stand.counter = found
    yield found


class Stand:
    """Made from an import string, as the real ones are."""

    counter: Counter
    at_once = 4

    def __init__(self, study: Study) -> None:
        pass

    def look_up(self, images: Sequence[Row]) -> Mapping[str, Standing]:
        return self.counter.look_up(images)


def test_the_command(study: Study, counter: Counter) -> None:
    """Reports, then prunes without asking again; JSON has every change; a service's failure is exit status 5."""
    words = ["--study", str(study.folder)]
    told = CliRunner().invoke(refresh_command, words)
    assert told.exit_code == 0, told.output
    assert "4 lost their rights; forget them with: photojury collect refresh --prune" in told.stdout
    pruned = CliRunner().invoke(refresh_command, [*words, "--prune", "--json"])
    facts = json.loads(pruned.stdout)
    assert (facts["checked"], facts["forgotten"]["images"]) == (0, 4)
    assert len(counter.asked) == 10
    counter.breaks_at = 0
    failed = CliRunner().invoke(refresh_command, [*words, "--older-than", "0", "--prune"])
    assert isinstance(failed.exception, ServiceError)
    assert failed.exception.exit_code == 5
    assert ids(open_study(study.folder), "kept") == ["0", "5", "6", "7", "8", "9"]


def test_credits_are_those_of_a_release(study: Study) -> None:
    """A sentence for each kept picture; --missing lists those without an author, and stderr counts them."""
    told = CliRunner().invoke(credits_command, ["--study", str(study.folder)])
    assert len(told.stdout.splitlines()) == 10
    assert '"Tree 0" is licensed under CC BY 2.0' in told.stdout
    assert "10 pictures are under a licence that asks to name an author" in told.stderr
    facts = CliRunner().invoke(credits_command, ["--missing", "--json", "--study", str(study.folder)])
    assert len(json.loads(facts.stdout)) == 10


def test_both_databases(database: str, tmp_path: Path) -> None:
    """The same on SQLite and PostgreSQL."""
    study = fill(create_study(tmp_path / "study", "test", {("study", "store"): database}), 10)
    refresh(study, opened=Counter(LOST).opened)
    assert prune(study).images == 4
    assert report(study).findings == {"same": 6}
    study.close()
