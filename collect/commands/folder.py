"""`photojury collect folder`: pictures from this machine."""

from pathlib import Path

import click

from photojury.options import json_option, study_option


@click.command(epilog="Example: photojury collect folder ~/Pictures --study demo-study")
@click.argument("pictures", type=click.Path(path_type=Path))
@study_option
@json_option
def folder(pictures: Path, folder: Path, as_json: bool) -> None:
    """Take in every picture below the folder PICTURES.

    Exact duplicates are stored once; what cannot be used is listed with the reason. Run it again after
    adding files: only the new ones are read.
    """
    from photojury.collect.sources.folder import collect_folder
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "collect-folder") as run:
        with counter("reading pictures") as progress:
            result = collect_folder(study, pictures, progress)
        for key in ("stored", "duplicates", "rejected", "seen_before"):
            run.note(key, getattr(result, key))
    if as_json:
        import dataclasses
        import json

        click.echo(json.dumps({**dataclasses.asdict(result), "kept": study.count("images")}))
        return
    for path, reason in result.reasons:
        click.echo(f"rejected {path!r}: {reason}", err=True)
    click.echo(
        f"{result.stored} stored, {result.duplicates} duplicates, {result.rejected} rejected, "
        f"{result.seen_before} seen before; the study has {study.count('images')} pictures"
    )
