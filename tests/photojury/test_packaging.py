"""The package as it is built: every folder in it, nothing shadowed, heavy imports late."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_every_folder_is_packaged() -> None:
    """pyproject.toml lists exactly the folders that hold modules."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = setuptools["package-dir"].values()
    found = {
        "photojury." + ".".join(path.parent.relative_to(ROOT).parts)
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
    }
    assert set(setuptools["packages"]) == found | {"photojury"}


def test_hugging_face_datasets_is_not_shadowed() -> None:
    """The datasets folder stays a namespace: a regular package there would hide Hugging Face's from the root."""
    assert not list((ROOT / "datasets").rglob("__init__.py"))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["collect", "--help"], ["train", "--help"]])
def test_the_command_line_starts_light(arguments: list[str]) -> None:
    """Help imports none of the heavy libraries."""
    code = (
        "import sys\nfrom photojury.cli import run\n"
        f"status = run({arguments!r})\n"
        "heavy = {'torch', 'pandas', 'boto3', 'streamlit', 'numpy', 'sqlalchemy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\nsys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_every_pinned_dependency_is_named_by_version_only() -> None:
    """constraints.txt holds name==version lines, no address and no path."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or (line.count("==") == 1 and "/" not in line and "@" not in line), line
