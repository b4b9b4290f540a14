"""Options and answers that several commands share, so that they read and behave the same everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from photojury.errors import Refused

F = TypeVar("F", bound=Callable[..., object])


def study_option(command: F) -> F:
    """`--study DIR`: the study's folder, the current one by default."""
    return click.option(
        "--study",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        help="The study's folder; the current folder if left out.",
    )(command)


def json_option(command: F) -> F:
    """`--json`: the result as JSON on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def yes_option(command: F) -> F:
    """`--yes`: confirm what spends money."""
    return click.option("--yes", is_flag=True, help="Do it; without this, what it would cost is shown.")(
        command
    )


def confirm(yes: bool, sentence: str) -> None:
    """Let pass what was confirmed with --yes.

    Raises:
        Refused: it was not; the sentence says what it would cost.
    """
    if not yes:
        raise Refused(f"{sentence}; say so with --yes")


def tell(as_json: bool, facts: object, text: str) -> None:
    """Print a command's result: its facts as JSON, or a text for people. Dataclasses are facts, too."""
    if as_json:
        import dataclasses
        import json

        if dataclasses.is_dataclass(facts) and not isinstance(facts, type):
            facts = dataclasses.asdict(facts)
        text = json.dumps(facts)
    click.echo(text)
