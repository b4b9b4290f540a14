"""Precision and recall on real photographs: floors under what benchmarks/checks.py prints."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """benchmarks/checks.py as a module, so that the test measures what the table shows."""
    spec = importlib.util.spec_from_file_location("benchmark_checks", ROOT / "benchmarks" / "checks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_photos_pass_and_copies_are_caught(benchmark: ModuleType, shared: Path) -> None:
    """Of the 72 photos none is rejected; of 30 edited copies and drawings nine in ten get the right verdict."""
    photos = benchmark.photographs(shared / "data" / "photos")
    seen = list(benchmark.collection(photos, quick=True))
    originals = [one for one in seen if one.name == "the photos"]
    copies = [one for one in seen if one.name != "the photos"]
    assert (len(originals), len(copies)) == (72, 30)
    assert [one.photo for one in originals if one.fails] == []
    found = benchmark.scores(seen)
    caught, must = sum(one.caught for one in found.values()), sum(one.must for one in found.values())
    assert caught / (caught + sum(one.wrongly for one in found.values())) >= 0.95
    assert caught / must >= 0.8


@pytest.mark.parametrize(
    ("name", "recall"),
    [("blur 2", 1.0), ("noise 20", 0.8), ("letterbox", 0.8), ("30 % of its light", 1.0), ("bokeh", None)],
)
def test_kinds_of_copies(benchmark: ModuleType, shared: Path, name: str, recall: float | None) -> None:
    """Of every third photo: what must be caught is, in this share; a blurred background passes."""
    photos = benchmark.photographs(shared / "data" / "photos")[::3]
    edit = next(edit for edit in benchmark.EDITS if edit.name == name)
    section = benchmark.ChecksSection()
    fails = []
    for number, (_, data) in enumerate(photos):
        made = edit.make(benchmark.shown(data), benchmark.np.random.default_rng(number))
        file = made if isinstance(made, bytes) else benchmark.jpeg(made)
        fails.append(benchmark.verdicts(file, section))
    if recall is None:
        assert sum(bool(checks) for checks in fails) <= 1
    else:
        assert sum(edit.must in checks for checks in fails) / len(fails) >= recall
