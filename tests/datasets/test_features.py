"""Features: what is written comes back, and what cannot be features is refused in one sentence."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from photojury.datasets.features import features_path, list_features, read_features, write_features
from photojury.errors import InputError


@settings(max_examples=25, deadline=None)
@given(
    matrix=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_what_is_written_comes_back(matrix: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Ids keep their order and every float32 its bits."""
    folder = tmp_path_factory.mktemp("study")
    ids = [f"image{number}" for number in range(len(matrix))][::-1]
    write_features(folder, "any", ids, matrix)
    read_ids, read = read_features(folder, "any")
    assert read_ids == ids
    assert read.dtype == np.float32
    assert np.array_equal(read, matrix)


def test_the_file_is_plain_parquet(tmp_path: Path) -> None:
    """Any Parquet reader sees image_id and a vector of float32 in features/<model>.parquet."""
    path = write_features(tmp_path, "m", ["a"], [[1.5, 2.0]])
    assert path == tmp_path / "features" / "m.parquet"
    table = pq.read_table(path)
    assert table.to_pylist() == [{"image_id": "a", "vector": [1.5, 2.0]}]
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 2)


def test_list_and_replace(tmp_path: Path) -> None:
    """Models are listed by name; writing again replaces the file and leaves nothing else behind."""
    assert list_features(tmp_path) == []
    for value in (1.0, 2.0):
        write_features(tmp_path, "b", ["x"], [[value]])
    write_features(tmp_path, "a", ["x"], [[3.0]])
    assert list_features(tmp_path) == ["a", "b"]
    assert read_features(tmp_path, "b")[1].tolist() == [[2.0]]
    assert sorted(path.name for path in (tmp_path / "features").iterdir()) == ["a.parquet", "b.parquet"]


@pytest.mark.parametrize(
    ("ids", "matrix", "words"),
    [
        (["a", "b"], [[1.0]], "as many rows"),
        (["a"], [1.0], "as many rows"),
        (["a", "a"], [[1.0], [2.0]], "twice"),
        (["a", "b"], [[1.0], [np.nan]], "image b has a value that is not finite"),
    ],
)
def test_what_is_refused(tmp_path: Path, ids: list[str], matrix: list[list[float]], words: str) -> None:
    """Wrong shapes, an id twice and NaN are named, and nothing is written."""
    with pytest.raises(InputError, match=words):
        write_features(tmp_path, "m", ids, matrix)
    assert list_features(tmp_path) == []


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    """A model's name is a file name, never a path."""
    with pytest.raises(InputError, match="cannot name"):
        features_path(tmp_path, "../study")


def test_missing_and_damaged_files_say_what_to_do(tmp_path: Path) -> None:
    """Both name the command that makes the features."""
    write_features(tmp_path, "there", ["a"], [[1.0]])
    with pytest.raises(InputError, match=r"there: there\).*photojury embed --model gone"):
        read_features(tmp_path, "gone")
    features_path(tmp_path, "bad").write_bytes(b"not parquet")
    with pytest.raises(InputError, match="photojury embed --model bad"):
        read_features(tmp_path, "bad")
    pq.write_table(pa.table({"image_id": ["a"], "vector": [1.0]}), features_path(tmp_path, "flat"))
    with pytest.raises(InputError, match="photojury embed --model flat"):
        read_features(tmp_path, "flat")
