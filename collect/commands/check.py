"""`photojury collect check`: which pictures are kept, by the thresholds of study.toml."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.options import json_option, study_option, tell

if TYPE_CHECKING:
    from photojury.collect.checks.checking import Checked


@click.command(epilog="Example: photojury collect check --dry-run --study demo-study")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be rejected, by the measures and near duplicates that are known; change nothing.",
)
@study_option
@json_option
def check(dry_run: bool, folder: Path, as_json: bool) -> None:
    """Judge every picture by the thresholds of study.toml, [checks].

    Measures what has no measures yet, rejects what fails, and takes back what passes again after a threshold
    was changed. Nothing is deleted, and what a person decided on the curation page stands.
    """
    from photojury.collect.checks import checking
    from photojury.collect.checks.measuring import measure_missing
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    if dry_run:
        result = checking.rehearse(study)
        tell(as_json, result, _text(result))
        return
    with recording(study, "collect-check") as run:
        with counter("measuring pictures") as progress:
            run.note("measured", measure_missing(study, progress).measured)
        with counter("comparing pictures") as progress:
            result = checking.check(study, progress)
        run.note("failed", result.failed)
        run.note("kept", result.kept)
    tell(as_json, result, _text(result))


def _text(result: "Checked") -> str:
    lines = [f"{count:>7} fail {name}" for name, count in result.failed.items()]
    if result.unmeasured:
        lines.append(f"{result.unmeasured:>7} have no measures")
    lines.append(
        f"{result.kept} kept (before: {result.kept_before}), {result.rejected} rejected, "
        f"{result.tombstoned} tombstoned"
    )
    return "\n".join(lines)
