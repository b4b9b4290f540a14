"""`photojury datasets import | list`: what others published comes into a study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from photojury.errors import InputError
from photojury.options import json_option, study_option, tell

if TYPE_CHECKING:
    from photojury.datasets.readers.published import Published
    from photojury.datasets.store import Study

_PATH = click.Path(path_type=Path)


@click.command(
    "import",
    epilog="Example: photojury datasets import oasis OASIS-beauty --images OASIS/images --study oasis",
)
@click.argument("name")
@click.argument("root", type=_PATH)
@click.option(
    "--set", "options", multiple=True, metavar="KEY=VALUE", help="An option of the reader: splits=official."
)
@click.option(
    "--images", "pictures", type=_PATH, help="A folder, zip or tar with the pictures; without it labels only."
)
@click.option("--map", "mapping", type=_PATH, help="The mapping file that csv and mturk-csv need.")
@study_option
@json_option
def bring_in(
    name: str,
    root: Path,
    options: tuple[str, ...],
    pictures: Path | None,
    mapping: Path | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Import the dataset NAME, whose label files are at ROOT, into a study; one is made where there is none.

    NAME is one of `photojury datasets list`, csv, mturk-csv, or release for a release of photojury. ROOT is a folder, a
    file, a zip or a tar. Nothing is downloaded. Import again, with pictures or a newer file: what is there stays.
    """
    if name == "release":
        if options or pictures or mapping:
            raise InputError(
                "a release brings its pictures and says what its tables mean; leave --set, --images and --map"
            )
        _restore(root, folder, as_json=as_json)
        return
    from photojury.datasets.importing.bring_in import bring_in as write_into
    from photojury.datasets.readers.published import options_of, read
    from photojury.progress import counter
    from photojury.runs import recording

    given = options_of(name, dict(map(option, options))) | ({} if mapping is None else {"map": mapping})
    published = read(name, root, **given)
    study = _study(folder, published)
    with recording(study, "datasets-import") as run:
        with counter("importing") as progress:
            done = write_into(study, published, pictures=pictures, progress=progress)
        run.note("dataset", published.name)
        run.note("rows", done.rows)
        run.note("left_out", done.left_out)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    for reason, count in done.left_out.items():
        click.echo(f"left out: {count:,} {reason}", err=True)
    rows = ", ".join(f"{count:,} {table}" for table, count in done.rows.items() if count)
    known = sum(done.known.values())
    tell(
        as_json,
        done,
        f"{published.name}: {done.images:,} new images ({done.pictures:,} pictures stored, {done.absent:,} known by their labels "
        f"only); {rows or 'no new rows'}" + (f"; {known:,} rows were there already" if known else ""),
    )


@click.command("list", epilog="Example: photojury datasets list")
@json_option
def readers(as_json: bool) -> None:
    """Name the datasets that can be imported, with the files that each needs and where its labels come from."""
    import textwrap

    from photojury.datasets.readers.published import READERS, about, options_known

    rows = [{"name": name, "options": options_known(name), "about": about(name)} for name in READERS]
    rows.append({"name": "release", "options": [], "about": "A release of photojury, in any of its forms."})
    lines = []
    for row in rows:
        flags = ["--map FILE" if one == "map" else f"--set {one}=..." for one in row["options"]]
        lines += [" ".join([str(row["name"]), *flags]), textwrap.indent(str(row["about"]), "    "), ""]
    tell(as_json, rows, "\n".join(lines).rstrip())


def _restore(root: Path, folder: Path, *, as_json: bool) -> None:
    from photojury.datasets.releases.read import read
    from photojury.datasets.releases.restore import restore
    from photojury.runs import recording

    study = _study(folder, read(root))
    with recording(study, "datasets-import") as run:
        new = restore(study, root, check=False)  # `read` has checked it
        run.note("rows", new)
    rows = ", ".join(f"{count:,} {table}" for table, count in new.items() if count)
    tell(as_json, new, f"{root.name}: {rows or 'no new rows'}")


def _study(folder: Path, published: "Published") -> "Study":
    """The study in a folder, or a new one whose settings fit the dataset."""
    from photojury.datasets.scales import settings_for
    from photojury.datasets.store import create_study, open_study
    from photojury.settings import FILE_NAME

    if (folder / FILE_NAME).is_file():
        return open_study(folder)
    study = create_study(folder, published.name, settings_for(published.scale) if published.scale else {})
    click.echo(f"made a study in {folder}", err=True)
    return study


def option(text: str) -> tuple[str, str]:
    """KEY=VALUE of --set.

    Raises:
        InputError: it is not written so.
    """
    key, _, value = text.partition("=")
    if not key or not value:
        raise InputError(f"--set {text!r} must be written KEY=VALUE, such as splits=official")
    return key, value
