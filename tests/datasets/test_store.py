"""The study store, on SQLite and on PostgreSQL: the same claims on both."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from photojury.datasets import tables
from photojury.datasets.store import (
    Study,
    add_rows,
    create_study,
    create_tables,
    open_engine,
    open_study,
    writing,
)
from photojury.errors import InputError, NotAStudyError, StoreError
from photojury.settings import Settings


@pytest.fixture
def study(database: str, tmp_path: Path) -> Iterator[Study]:
    engine = open_engine(database)
    create_tables(engine)
    yield Study(tmp_path, Settings(), engine)
    engine.dispose()


def image(image_id: str) -> dict[str, object]:
    return {
        "image_id": image_id, "source": "folder", "source_id": image_id, "retrieved_at": 1.5, "width": 3,
        "height": 4, "format": "jpeg", "bytes": 5,
    }  # fmt: skip


def test_rows_are_added_once(study: Study) -> None:
    """A key that is there stays as it is; the count says how many rows were new."""
    assert study.add("images", [image("a"), image("b")]) == 2
    assert study.add("images", [{**image("b"), "title": "changed"}, image("c")]) == 1
    frame = study.read("images")
    assert list(frame.image_id) == ["a", "b", "c"]
    assert frame.title.isna().all()
    assert list(frame.status) == ["kept"] * 3
    assert study.read("images", {"image_id": "b"}).shape[0] == 1


def test_many_rows_in_one_call(study: Study) -> None:
    """More rows than one statement can carry are added whole."""
    assert study.add("images", [image(f"{i:05d}") for i in range(5000)]) == 5000
    assert study.count("images") == 5000


def test_foreign_keys_hold(study: Study) -> None:
    """A rating of an image that is not there is refused."""
    with pytest.raises(IntegrityError):
        study.add("splits", [{"image_id": "none", "split": "default", "part": "train"}])


def test_a_failed_write_leaves_nothing(study: Study) -> None:
    """What was written before an error in the same transaction is gone."""
    with pytest.raises(RuntimeError), study.writing() as connection:
        add_rows(connection, tables.images, [image("a")])
        raise RuntimeError
    assert study.count("images") == 0


def test_replace_puts_rows_in_place(study: Study) -> None:
    """Scores of one method are exchanged whole, missing values become null, other methods stay."""
    study.add("images", [image("a"), image("b")])
    first = pd.DataFrame({"image_id": ["a", "b"], "method": "mos", "score": [1.0, 2.0], "simulated": False})
    study.replace("scores", first.assign(standard_error=[0.1, float("nan")]), {"method": "mos"})
    study.replace("scores", first.assign(method="other"), {"method": "other"})
    study.replace("scores", first.iloc[:1].assign(score=3.0), {"method": "mos"})
    frame = study.read("scores")
    assert list(zip(frame.method, frame.image_id, frame.score, strict=True)) == [
        ("mos", "a", 3.0), ("other", "a", 1.0), ("other", "b", 2.0),
    ]  # fmt: skip
    assert frame.standard_error.isna().all()


def test_unknown_names_are_told(study: Study) -> None:
    """A misspelt table or column is an error with the nearest name."""
    with pytest.raises(InputError, match=r"unknown table 'image'\. Did you mean images"):
        study.read("image")
    with pytest.raises(InputError, match=r"unknown column of images 'widht'\. Did you mean width"):
        study.add("images", [{**image("a"), "widht": 3}])


def test_writers_wait_for_each_other(study: Study) -> None:
    """Threads that read and then write the same row lose no update."""
    study.add("images", [image("a")])
    column = tables.images.c.bytes

    def count_up() -> None:
        for _ in range(20):
            with writing(study.engine) as connection:
                # FOR UPDATE is what PostgreSQL needs; SQLite, whose writers take turns, leaves it out.
                value = connection.execute(sa.select(column).with_for_update()).scalar_one()
                connection.execute(sa.update(tables.images).values(bytes=value + 1))

    threads = [Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert study.read("images").bytes[0] == 5 + 80


def test_a_store_of_version_1_grows(study: Study) -> None:
    """A store made before there were gold questions gets their columns, and keeps what it holds."""
    study.add("meta", [{"key": "kept", "value": "yes"}])
    with study.writing() as connection:
        for column in ("gold_ids", "training_ids"):
            connection.execute(sa.text(f"ALTER TABLE hits DROP COLUMN {column}"))
        connection.execute(sa.text("DROP INDEX candidates_by_state"))
        version = tables.meta.c.key == "schema_version"
        connection.execute(sa.update(tables.meta).where(version).values(value="1"))
    create_tables(study.engine)
    assert {"gold_ids", "training_ids"} <= set(study.read("hits").columns)
    assert {str(index["name"]) for index in sa.inspect(study.engine).get_indexes("candidates")} >= {
        "candidates_by_state"
    }
    assert study.read("meta", {"key": "kept"})["value"].tolist() == ["yes"]
    assert study.read("meta", {"key": "schema_version"})["value"].tolist() == [str(tables.SCHEMA_VERSION)]


def test_a_store_of_version_3_lets_unknown_values_be_null(study: Study) -> None:
    """A store made when every image had a file keeps its rows and its foreign keys, and takes an image that has none."""
    study.add("images", [image("a"), image("b")])
    study.add("splits", [{"image_id": "a", "split": "default", "part": "train"}])
    old = {"images": ("width", "format"), "assignments": ("hit_key",), "comparisons": ("first_shown_left",)}
    with study.writing() as connection:
        for name, columns in old.items():
            table = tables.metadata.tables[name]
            if connection.dialect.name == "postgresql":
                for column in columns:
                    connection.execute(sa.text(f"ALTER TABLE {name} ALTER COLUMN {column} SET NOT NULL"))
                continue
            # What SQLite keeps of a table is how it was made.
            made = str(sa.schema.CreateTable(table).compile(connection))
            for column in columns:
                made = re.sub(rf"(\t{column} \w+(\(\d+\))?)", r"\1 NOT NULL", made)
            connection.execute(sa.text("PRAGMA writable_schema=ON"))
            connection.execute(
                sa.text("UPDATE sqlite_master SET sql = :made WHERE name = :name"),
                {"made": made.strip(), "name": name},
            )
            connection.execute(sa.text("PRAGMA writable_schema=RESET"))
        version = tables.meta.c.key == "schema_version"
        connection.execute(sa.update(tables.meta).where(version).values(value="3"))
    study.close()
    with pytest.raises(IntegrityError):
        study.add("images", [{**image("c"), "width": None}])
    create_tables(study.engine)
    unknown = dict.fromkeys(("width", "height", "format", "bytes"))
    study.add("images", [{**image("c"), **unknown, "status": "absent"}])
    frame = study.read("images")
    assert list(frame.image_id) == ["a", "b", "c"] and frame.width.isna().tolist() == [False, False, True]
    assert study.read("splits")["image_id"].tolist() == ["a"]
    with pytest.raises(IntegrityError):
        study.add("splits", [{"image_id": "none", "split": "default", "part": "train"}])
    assert study.read("meta", {"key": "schema_version"})["value"].tolist() == [str(tables.SCHEMA_VERSION)]


def test_another_schema_version_is_refused(study: Study) -> None:
    """A store of another version is not touched, and the sentence says both versions."""
    with study.writing() as connection:
        connection.execute(sa.update(tables.meta).values(value="99"))
    with pytest.raises(StoreError, match=f"schema version 99, this photojury knows {tables.SCHEMA_VERSION}"):
        create_tables(study.engine)


def test_two_processes_may_open_a_new_study_at_once(database: str) -> None:
    """Making the tables is safe to do twice at the same time."""
    errors: list[Exception] = []

    def make() -> None:
        engine = open_engine(database)
        try:
            create_tables(engine)
        except StoreError as error:
            errors.append(error)
        engine.dispose()

    threads = [Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_a_study_is_a_folder(tmp_path: Path) -> None:
    """init makes study.toml and study.db with WAL and foreign keys; a second init is refused."""
    study = create_study(tmp_path / "one", "one")
    assert (tmp_path / "one" / "study.db").is_file()
    with study.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    study.close()
    with pytest.raises(InputError, match="exists already"):
        create_study(tmp_path / "one", "one")
    with pytest.raises(NotAStudyError, match="photojury init"):
        open_study(tmp_path)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://me@host/name", "SQLite or PostgreSQL"),
        ("no url", "is not a database URL"),
    ],
)
def test_other_databases_are_refused(url: str, sentence: str) -> None:
    """A store that is neither SQLite nor PostgreSQL is refused in a sentence without the password."""
    with pytest.raises(StoreError, match=sentence):
        open_engine(url)


def test_a_database_out_of_reach_is_a_sentence(tmp_path: Path) -> None:
    """A server that does not answer is named, without its password."""
    engine = open_engine(f"postgresql://me:secret@/name?host={tmp_path}")
    with pytest.raises(StoreError, match="cannot be used") as caught:
        create_tables(engine)
    assert "secret" not in str(caught.value)
