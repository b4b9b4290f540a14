"""`photojury collect series` and `collect duplicates`: pictures that are alike, on purpose and not."""

from pathlib import Path

import click

from photojury.options import json_option, study_option, tell


@click.command(epilog="Example: photojury collect series --dry-run --study demo-study")
@click.option("--from-folders", is_flag=True, help="Make each folder one series; large folders go by time.")
@click.option("--dry-run", is_flag=True, help="Say what the series would be; write nothing.")
@study_option
@json_option
def series(from_folders: bool, dry_run: bool, folder: Path, as_json: bool) -> None:
    """Group pictures of one moment into series of 2 to 8, for the task `series`.

    Pictures of one author belong together while each was taken soon after the one before and looks like it
    (section [bursts] of study.toml). Run it again after adding pictures: series that raters were asked about stay.
    """
    from photojury.collect.alike.duplicates import mark_duplicates, was_checked
    from photojury.collect.alike.series import collect_series
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    by = "folders" if from_folders else "time"
    if dry_run:
        grouped = collect_series(study, by, keep=False)
    else:
        with recording(study, "collect-series") as run:
            grouped = collect_series(study, by)
            if was_checked(study):
                # Pictures of a series are no near duplicates of each other, and those of a former one may be.
                with counter("comparing near duplicates") as progress:
                    mark_duplicates(study, progress)
            run.note("series", grouped.series)
            run.note("images", grouped.images)
    sizes = ", ".join(f"{count} of {size}" for size, count in grouped.sizes.items())
    text = [
        f"{'would make' if dry_run else 'made'} {grouped.series} series of {grouped.images} pictures"
        + (f": {sizes}" if sizes else ""),
        f"in no series: {grouped.alone} pictures, and {grouped.untimed} that have no capture time",
    ]
    if grouped.held:
        text.append(
            f"{grouped.held} pictures are in series that stay: raters were asked, or they were brought in"
        )
    if grouped.gone:
        text.append(f"{grouped.gone} series of an earlier run {'would go' if dry_run else 'are gone'}")
    tell(as_json, grouped, "\n".join(text))


@click.command(epilog="Example: photojury collect duplicates --study demo-study")
@study_option
@json_option
def duplicates(folder: Path, as_json: bool) -> None:
    """List the near duplicates that `collect check` found, below the picture that is kept of each group."""
    from photojury.collect.alike.duplicates import groups
    from photojury.datasets.store import open_study

    found = groups(open_study(folder))
    lines = []
    for group in found:
        lines.append(_line("kept", group["kept"]))
        for copy in group["copies"]:
            lines.append(f"{_line('copy', copy)}  {copy['distance']:.0f} bits apart")
    copies = sum(len(group["copies"]) for group in found)
    lines.append(f"{copies} near duplicates of {len(found)} pictures")
    tell(as_json, found, "\n".join(lines))


def _line(label: str, image: dict[str, object]) -> str:
    name = f"{image['source']}:{image['source_id']}"
    return f"{label}  {str(image['image_id'])[:12]}  {image['width']} x {image['height']}  {name}"
