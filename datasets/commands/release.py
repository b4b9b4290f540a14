"""`photojury datasets release | verify | diff`: a study leaves as a dataset, and what left is checked and compared."""

from pathlib import Path

import click

from photojury.options import json_option, study_option, tell

# photojury.datasets.releases.contents.CHECKS and layout.FORMS, which are not imported before a command runs.
_CHECKS = click.Choice(["small-cells", "text"])
_FORMS = click.Choice(["folder", "webdataset", "parquet", "csv"])
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(epilog="Example: photojury datasets release --version 1.0.0 --study demo-study")
@click.option("--version", default="1.0.0", show_default=True, help="Of the release: it is never changed.")
@click.option(
    "--form", type=_FORMS, default="folder", show_default=True, help="How pictures are put into files."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder to make. [default: exports/NAME-VERSION in the study, with -FORM where it is not folder]",
)
@click.option(
    "--published", default="", help="The day, like 2026-11-05. [default: that of the last answer or picture]"
)
@click.option(
    "--smallest-cell",
    type=click.IntRange(1),
    help="Raters who must have worked on the same batches; 1: not checked. [default: release.smallest_cell]",
)
@click.option("--drop", multiple=True, type=_CHECKS, help="Leave out such raters' answers, or such texts.")
@click.option("--allow", multiple=True, type=_CHECKS, help="Release them all the same.")
@study_option
@json_option
def release(
    version: str,
    form: str,
    out: Path | None,
    published: str,
    smallest_cell: int | None,
    drop: tuple[str, ...],
    allow: tuple[str, ...],
    folder: Path,
    as_json: bool,
) -> None:
    """Write the study as a folder that others read without photojury.

    Raters who could be told apart (small-cells) and titles, tags or words of raters that hold an address, a telephone
    number or somebody's id (text) are looked for first; where there are any, nothing is written until you say whether
    to drop or to allow them.
    """
    from photojury.datasets.releases.contents import Options
    from photojury.datasets.releases.layout import file_name
    from photojury.datasets.releases.write import release as write_release
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    name = file_name(study.settings.study.name, version) + ("" if form == "folder" else f"-{form}")
    options = Options(allow=allow, drop=drop, smallest_cell=smallest_cell)
    with recording(study, "datasets-release") as run:
        target = write_release(
            study,
            out or study.folder / "exports" / name,
            version=version,
            form=form,
            options=options,
            published=published,
        )
        run.wrote(target / "SHA256SUMS")
    tell(as_json, {"folder": str(target), "version": version, "form": form}, str(target))


@click.command(epilog="Example: photojury datasets verify demo-study/exports/demo-study-1.0.0")
@click.argument("folder", metavar="DIR", type=_FOLDER)
@json_option
@click.pass_context
def verify(context: click.Context, folder: Path, as_json: bool) -> None:
    """Check a release: every file against its sum, every id, every value; exit status 1 where something is wrong."""
    from photojury.datasets.releases.verify import verify as check

    found = check(folder)
    tell(
        as_json,
        {"folder": str(folder), "findings": found},
        "\n".join(found) or f"{folder} is as it was released",
    )
    if found:
        context.exit(1)


@click.command(epilog="Example: photojury datasets diff exports/skies-1.0.0 exports/skies-1.1.0")
@click.argument("first", metavar="A", type=_FOLDER)
@click.argument("second", metavar="B", type=_FOLDER)
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Say what changed from release A to release B: pictures, answers, scores, parts."""
    from photojury.datasets.releases.diff import diff as compare
    from photojury.datasets.releases.read import open_release

    found = compare(open_release(first), open_release(second))
    tell(as_json, found, "\n".join(found.lines()))
