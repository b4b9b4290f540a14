"""Who may import whom: downward only, by full name, as docs/structure.md draws it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ("collect", "annotate", "baselines")
SHARED = {"sections", "settings", "errors", "runs", "options", "progress"}

# Each room may import itself, the rooms named here, and what everyone shares.
BELOW = {
    "collect": {"analysis", "datasets"},
    "annotate": {"analysis", "datasets"},
    "baselines": {"analysis", "datasets"},
    "analysis": {"datasets"},
    "datasets": set(),
}


def imported(path: Path) -> list[str]:
    """Full names of the modules that a file imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def room_of(name: str) -> str | None:
    """The room that an imported name lies in, or None for another package."""
    parts = name.split(".")
    return parts[1] if parts[0] == "photojury" and len(parts) > 1 else None


@pytest.mark.parametrize("folder", sorted(BELOW))
def test_rooms_import_downward(folder: str) -> None:
    """A stage imports neither another stage nor the command line."""
    allowed = BELOW[folder] | {folder} | SHARED
    for path in (ROOT / folder).rglob("*.py"):
        for name in imported(path):
            room = room_of(name)
            assert room is None or room in allowed or name.startswith("photojury.__version__"), (
                f"{path}: {name}"
            )


def test_what_everyone_shares_imports_no_room() -> None:
    """settings, errors and the like stand below all rooms."""
    for module in SHARED:
        for name in imported(ROOT / "photojury" / f"{module}.py"):
            room = room_of(name)
            assert room is None or room in SHARED, f"{module}: {name}"


def test_folders_are_never_imported_bare() -> None:
    """`import collect` and `import photojury.collect` would be two modules; only the second is used."""
    bare = {*BELOW}
    for folder in [*BELOW, "photojury", "tests", "benchmarks"]:
        for path in (ROOT / folder).rglob("*.py"):
            for name in imported(path):
                assert name.split(".")[0] not in bare, f"{path}: {name}"


def test_annotate_knows_its_marketplace_only_through_boto3() -> None:
    """Nothing of annotate outside the marketplace's own folder imports from it: any other would do as well."""
    market = ROOT / "annotate" / "marketplace"
    for path in (ROOT / "annotate").rglob("*.py"):
        if market not in path.parents:
            assert not any(name.startswith("photojury.annotate.marketplace") for name in imported(path)), path
