"""Studies opened for reading only: by people without write access, beside a writer, and without a trace."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from photojury.datasets import tables
from photojury.datasets.read_only import stamp
from photojury.datasets.store import Study, create_study, open_study
from photojury.errors import StoreError

ROOT = Path(__file__).parents[2]
ROW = {
    "image_id": "a" * 64, "source": "folder", "source_id": "a.jpg", "retrieved_at": 0.0,
    "width": 10, "height": 10, "format": "jpeg", "bytes": 100,
}  # fmt: skip
# Another user may not even read our modules; so the process becomes that user when it has read them.
LOOK = """
import os, sys
from pathlib import Path
from photojury.datasets.store import open_study
for folder in sys.argv[1:]:
    study = open_study(Path(folder), read_only=True)
    print(len(study.read("images")), study.count("ratings"))
    if os.geteuid() == 0:
        os.setgroups([]), os.setgid(65534), os.setuid(65534)
"""


def traces(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Everything of a folder that a reader could have changed."""
    found = [folder, *folder.rglob("*")]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_mode) for path in found}


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A study with one image that nobody has open."""
    study = create_study(tmp_path / "study", "looked at")
    study.add("images", [ROW])
    study.close()
    return tmp_path / "study"


def test_reading_leaves_no_trace(closed: Path) -> None:
    """A closed study is read without a file made or touched, though its database is in WAL mode."""
    before = traces(closed)
    study = open_study(closed, read_only=True)
    assert study.read("images")["image_id"].tolist() == ["a" * 64]
    study.close()
    assert traces(closed) == before
    assert "study.db-wal" not in {Path(name).name for name in before}


def test_nothing_can_be_written(closed: Path) -> None:
    """Neither the study's own way of writing nor the database itself lets a row in."""
    study = open_study(closed, read_only=True)
    with pytest.raises(StoreError, match="opened for reading only"):
        study.add("images", [{**ROW, "image_id": "b" * 64}])
    with pytest.raises(SQLAlchemyError, match="readonly"), study.engine.begin() as connection:
        connection.execute(sa.delete(tables.images))
    assert study.count("images") == 1


def test_a_writer_is_seen_at_once(closed: Path) -> None:
    """What a writer has committed is there for the next query, before and after the writer leaves; the stamp moves."""
    reader = open_study(closed, read_only=True)
    marks = [stamp(reader.engine)]
    writer = open_study(closed)
    writer.add("images", [{**ROW, "image_id": "b" * 64}])
    assert reader.count("images") == 2
    marks.append(stamp(reader.engine))
    assert stamp(reader.engine) == marks[-1]
    writer.add("images", [{**ROW, "image_id": "c" * 64}])
    marks.append(stamp(reader.engine))
    writer.close()
    assert reader.count("images") == 3
    assert len({*marks}) == 3


@pytest.fixture
def foreign(closed: Path) -> Iterator[Path]:
    """The study, in a folder that this process may read and not write to."""
    if os.geteuid() == 0:
        # pytest's own folders are closed to other users.
        place = Path(tempfile.mkdtemp())
        place.chmod(0o755)
        shutil.copytree(closed, place / "study")
        yield place / "study"
        shutil.rmtree(place)
    else:
        for path in [*closed.rglob("*"), closed]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield closed
        for path in [closed, *closed.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def look(known: Path, folder: Path) -> str:
    """What another process, which may write nothing, reads of a study; `known` is read first, while it still may."""
    command = [sys.executable, "-c", LOOK, str(known), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout.splitlines()[-1] if not done.returncode else done.stderr


def test_people_without_write_access_can_look(closed: Path, foreign: Path) -> None:
    """A closed study and one that a writer has open are both read, and nothing changes."""
    before = traces(foreign)
    assert look(closed, foreign) == "1 0"
    assert traces(foreign) == before
    if os.geteuid() == 0:
        writer = open_study(foreign)
        writer.add("images", [{**ROW, "image_id": "b" * 64}])
        before = traces(foreign)
        assert look(closed, foreign) == "2 0"
        assert traces(foreign) == before
        writer.close()


def test_what_cannot_be_read_is_a_sentence(closed: Path) -> None:
    """No database, one that is none, one of an older and one of a newer version."""
    with open_study(closed).writing() as connection:
        connection.execute(sa.update(tables.meta).values(value="2"))
    with pytest.raises(StoreError, match=r"older photojury \(schema version 2\).*photojury annotate status"):
        open_study(closed, read_only=True)
    with sa.create_engine(f"sqlite:///{closed / 'study.db'}").begin() as connection:
        connection.execute(sa.update(tables.meta).values(value="99"))
    with pytest.raises(StoreError, match="schema version 99"):
        open_study(closed, read_only=True)
    with sa.create_engine(f"sqlite:///{closed / 'study.db'}").begin() as connection:
        connection.execute(sa.update(tables.meta).values(value=str(tables.SCHEMA_VERSION)))
        tables.verdicts.drop(connection)
    with pytest.raises(StoreError, match="older photojury"):
        open_study(closed, read_only=True)
    (closed / "study.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="cannot be used"):
        open_study(closed, read_only=True)
    (closed / "study.db").unlink()
    with pytest.raises(StoreError, match="there is no database"):
        open_study(closed, read_only=True)


def test_both_databases_refuse_writes(database: str, tmp_path: Path) -> None:
    """On PostgreSQL, too, rows are read and no statement changes one."""
    values: dict[tuple[str, str], object] = {("study", "store"): database}
    study = create_study(tmp_path / "study", "looked at", values)
    study.add("images", [ROW])
    reader: Study = open_study(tmp_path / "study", read_only=True)
    assert reader.read("images", columns=["image_id", "bytes"]).to_numpy().tolist() == [["a" * 64, 100]]
    with pytest.raises(SQLAlchemyError, match=r"readonly|read-only"), reader.engine.begin() as connection:
        connection.execute(sa.delete(tables.images))
    assert study.count("images") == 1
    assert stamp(reader.engine) == stamp(reader.engine)
    reader.close()
    study.close()
