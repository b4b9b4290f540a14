"""The command line: help everywhere, one sentence for each mistake, exit statuses, nothing left in a traceback."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from photojury.cli import COMMANDS, group, run

ROOT = Path(__file__).parents[2]


def commands(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, groups included."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


ALL = list(commands(group))


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) or "photojury" for words, _ in ALL])
def test_every_command_has_help_and_an_example(words: tuple[str, ...], command: click.Command) -> None:
    """Help says what a command does; a command that does something ends with an example of itself."""
    result = CliRunner().invoke(group, [*words, "--help"])
    assert result.exit_code == 0, result.output
    assert command.help
    if not isinstance(command, click.Group):
        last = result.output.strip().splitlines()
        example = " ".join(" ".join(last[-2:]).split())
        assert f"Example: photojury {' '.join(words)}" in example


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["colect"], 2, "unknown command 'colect'. Did you mean collect?"),
        (
            ["annotate", "status", "--study", "NOWHERE"],
            2,
            "holds no study.toml; make a study with: photojury init",
        ),
        (["collect", "folder", "NOWHERE", "--study", "STUDY"], 2, "NOWHERE is not a folder"),
        (["annotate", "plan", "stars", "--study", "STUDY"], 2, "first: photojury collect folder DIR"),
        (["datasets", "split", "--study", "STUDY"], 2, "first: photojury collect folder DIR"),
        (["datasets", "release", "--study", "STUDY"], 2, "first: photojury collect folder DIR"),
        (["annotate", "publish", "--study", "STUDY"], 2, "first: photojury annotate plan stars"),
        (["init", "STUDY"], 2, "exists already"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str], status: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence says what to do, on stderr, with the exit status of a user's mistake and no traceback."""
    assert run(["init", str(tmp_path / "STUDY")]) == 0
    capsys.readouterr()
    places = [str(tmp_path / word) if word in ("STUDY", "NOWHERE") else word for word in arguments]
    assert run(places) == status
    output = capsys.readouterr()
    assert output.out == ""
    assert sentence in output.err
    assert len(output.err.strip().splitlines()) == 1


def test_an_unknown_key_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """study.toml with a misspelt key, a wrong type, an impossible value: the file, the key, what would be right."""
    run(["init", str(tmp_path / "s")])
    toml = tmp_path / "s" / "study.toml"
    for line, sentence in (
        ("[stars]\nlevls = 5", "unknown key stars.levls; did you mean levels?"),
        ('[stars]\nlevels = "five"', "stars.levels must be a whole number, not 'five'"),
        ("[stars]\nlevels = 1", "stars.levels must be from 2 to 10, not 1"),
    ):
        toml.write_text(line)
        capsys.readouterr()
        assert run(["annotate", "status", "--study", str(tmp_path / "s")]) == 2
        assert f"photojury: {toml}: {sentence}" in capsys.readouterr().err


def test_doctor_never_shows_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """doctor says that a key is set, and nothing of what it is; a missing package is exit status 1."""
    monkeypatch.setenv("FLICKR_API_KEY", "very secret")
    assert run(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "very secret" not in text
    assert "Everything needed is here." in text
    assert run(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["Keys"]["FLICKR_API_KEY"] == "set"
    assert set(facts["Machine"]) == {"GPU", "film decoding", "ImageNet weights", "browser"}
    monkeypatch.setattr("photojury.doctor.NEEDED", ("no-such-package",))
    assert run(["doctor"]) == 1


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    """With --debug an error is raised as it is."""
    with pytest.raises(Exception, match="holds no"):
        run(["--debug", "annotate", "status", "--study", str(tmp_path)])


def test_help_lists_every_command() -> None:
    """The overview names every command with one line, also in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "photojury", "--help"], capture_output=True, text=True, check=True
    )
    for name, (_, line) in COMMANDS.items():
        assert " ".join(f"{name} {line}".split()) in " ".join(done.stdout.split())


def test_run_records_hold_no_password(tmp_path: Path) -> None:
    """Every command leaves a record with argv, seed, versions and outcome."""
    run(["init", str(tmp_path / "s")])
    (tmp_path / "photos").mkdir()
    run(["collect", "folder", str(tmp_path / "photos"), "--study", str(tmp_path / "s")])
    record = json.loads(next((tmp_path / "s" / "runs").glob("*-collect-folder/run.json")).read_text())
    assert (record["command"], record["outcome"], record["seed"]) == ("collect-folder", "ok", 1)
    assert {"photojury", "python", "numpy"} <= set(record["versions"])
