"""The package as it is built: every folder in it, nothing shadowed, heavy imports late."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import requests
from PIL import Image

ROOT = Path(__file__).parents[2]
FOLDERS = ("photojury", "collect", "annotate", "analysis", "baselines", "datasets")


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


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the built wheel was installed, without its dependencies (those of this environment serve)."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in (*FOLDERS, "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source], check=True)
    wheel = next(folder.glob("*.whl"))
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


def test_the_wheel_holds_photojury_alone(installed: Path) -> None:
    """Nothing named datasets or collect is installed beside Hugging Face's; every module and template is there."""
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names <= {"photojury", "bin"}
    for folder in FOLDERS:
        inside = installed / ("photojury" if folder == "photojury" else f"photojury/{folder}")
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                assert (inside / path.relative_to(ROOT / folder)).is_file(), path


def test_the_wheel_works_elsewhere(installed: Path, tmp_path: Path) -> None:
    """From another folder the installed package makes a study, plans, writes a page, and starts the marketplace."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    study, photos = tmp_path / "study", tmp_path / "photos"
    photos.mkdir()
    Image.effect_noise((96, 64), 50).save(photos / "one.png")

    def photojury(*arguments: str) -> str:
        command = [sys.executable, "-m", "photojury", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.run(
        [sys.executable, "-c", "import photojury.annotate as a; print(a.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert where.startswith(str(installed))
    photojury("init", str(study))
    photojury("collect", "folder", str(photos), "--study", str(study))
    photojury("annotate", "plan", "stars", "--study", str(study))
    page = photojury("annotate", "preview", "stars", "--study", str(study)).strip()
    assert "How attractive is this photo?" in Path(page).read_text()
    command = [sys.executable, "-m", "photojury", "market", "serve", "--study", str(study), "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        site = server.stdout.readline().split()[2]
        assert requests.get(f"{site}/join", timeout=30).status_code == 200
        server.terminate()
