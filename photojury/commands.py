"""Commands that belong to no stage: `photojury init`."""

from pathlib import Path

import click


@click.command(epilog="Example: photojury init my-study")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Make a study: FOLDER with a commented study.toml and an empty store."""
    from photojury.datasets.store import create_study

    create_study(folder, folder.resolve().name).close()
    click.echo(f"made {folder / 'study.toml'}: read it, change what you like; then: ")
    click.echo(f"  photojury collect folder YOUR_PHOTOS --study {folder}")
