"""The `photojury` command: groups are the stages, and nothing is imported before its command runs.

The registry below names each command's module as a string, with the help line that the overview shows, so
that `photojury --help` starts without pandas, boto3, torch or streamlit.
"""

import importlib
import logging
import os
import sys

import click

from photojury import __version__
from photojury.errors import PhotojuryError

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("photojury.commands:init", "Make a study: a folder with a commented study.toml."),
    "collect": (
        "photojury.collect.commands.group:collect",
        "Bring pictures in, check them, keep their rights.",
    ),
    "annotate": (
        "photojury.annotate.commands.group:annotate",
        "Plan, publish, fetch, review and pay for ratings.",
    ),
    "market": ("photojury.annotate.marketplace.commands:market", "Run the MTurk-compatible marketplace."),
    "analyze": ("photojury.analysis.commands.group:analyze", "Report what the answers are worth."),
    "dashboard": (
        "photojury.analysis.dashboard.commands:dashboard",
        "Show a study live in a browser.",
    ),
    "datasets": (
        "photojury.datasets.commands.group:datasets",
        "Bring datasets in, split a study, release it.",
    ),
    "embed": ("photojury.baselines.commands:embed", "Compute features of the pictures."),
    "train": ("photojury.baselines.commands:train", "Train a paper's network on a study."),
    "demo": ("photojury.demo:demo", "Run the whole chain on real photographs."),
    "doctor": ("photojury.doctor:doctor", "Say what is installed and what is missing."),
}


class LazyGroup(click.Group):
    """A click group whose commands are import strings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from photojury.errors import unknown_name

            raise unknown_name("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: photojury demo",
)
@click.version_option(__version__, prog_name="photojury")
@click.option("-q", "--quiet", is_flag=True, help="Only results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Tell every step.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def group(quiet: bool, verbose: bool, debug: bool) -> None:
    """Turn a question about pictures into a rated image dataset and a trained model."""
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr, force=True)
    logging.getLogger("photojury").setLevel(level)


def main() -> None:
    """Run the command line and leave with its exit status: see photojury.errors, 130 for Ctrl-C."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit status, having said on stderr what went wrong."""
    debug = "--debug" in arguments
    try:
        result = group.main(arguments, prog_name="photojury", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("photojury: stopped; the same command goes on where it was", err=True)
        return 130
    except PhotojuryError as error:
        return _fail(error, str(error), error.exit_code, debug)
    except BrokenPipeError:
        # The reader of our output (head, less) has left; that is no failure of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 (the last line of defence: one sentence instead of a traceback)
        message = f"{type(error).__name__}: {error} (run again with --debug for the traceback)"
        return _fail(error, message, 1, debug)


def _fail(error: Exception, message: str, exit_code: int, debug: bool) -> int:
    if debug:
        raise error
    click.echo(f"photojury: {message}", err=True)
    return exit_code
