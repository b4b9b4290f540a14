"""The documentation: its commands run, its links lead somewhere, what README promises is there."""

import os
import random
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from PIL import Image

from photojury.cli import group

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    """The lines of a page that start with `$ ` in console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page is a file of the repository."""
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """A file of the repository that a page names in backticks is there."""
    folders = "collect|annotate|analysis|baselines|datasets|photojury|benchmarks|tests"
    for name in re.findall(rf"`((?:{folders})/[\w/.]+\.\w+)`", page.read_text(encoding="utf-8")):
        assert (ROOT / name).is_file(), f"{page.name}: {name}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_first_study_runs(tmp_path: Path) -> None:
    """Every command of docs/first-study.md, in its order, in one shell, on a folder of 24 pictures."""
    (tmp_path / "photos").mkdir()
    for number in range(24):
        pixels = random.Random(number).randbytes(96 * 64 * 3)
        Image.frombytes("RGB", (96, 64), pixels).save(tmp_path / "photos" / f"{number}.png")
    lines = commands(ROOT / "docs" / "first-study.md")
    assert len(lines) > 15
    # The marketplace of the page's `&` must be up before the next line, and gone at the end.
    ready = "for i in $(seq 300); do grep -q ready market.log && break; sleep 0.1; done"
    script = "\n".join(lines).replace("serve &", f"serve > market.log &\n{ready}")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PHOTOJURY_MARKET_PORT": str(free_port()),
        # As on the page, but with fewer answers to wait for.
        "PHOTOJURY_FORCED_CHOICE_PAIRS": "20",
        "PHOTOJURY_STARS_RATERS_PER_IMAGE": "3",
        "PHOTOJURY_FIVE_LEVEL_RATERS_PER_PAIR": "2",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", f"trap 'kill $(jobs -p)' EXIT\n{script}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    study = tmp_path / "my-study"
    assert (study / "reports" / "index.html").is_file()
    assert (study / "exports" / "my-study-1.0.0" / "SHA256SUMS").is_file()
    assert (study / "models" / "hybrid-siamese" / "evaluation.json").is_file()


def test_make_has_what_readme_names() -> None:
    """README's `make` targets exist."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text()))
    assert {"demo", "test"} <= named <= targets


def documented() -> list[tuple[str, str]]:
    """Every command line of the pages that begins with photojury, with its page."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```\w*\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                text = (
                    line.removeprefix("$ ").partition("#")[0].partition(" > ")[0].strip().removesuffix(" &")
                )
                if text.startswith("photojury "):
                    found.append((page.name, text))
    return found


@pytest.mark.parametrize(("page", "line"), documented())
def test_documented_commands_exist(page: str, line: str) -> None:
    """Every command that a page shows is one of ours, with options that it has."""
    command: click.Command = group
    words = shlex.split(line)[1:]
    context = click.Context(group)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, f"{page}: {line}"
        command = found
    command.make_parser(click.Context(command)).parse_args(words)
