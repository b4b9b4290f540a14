"""`photojury demo`: the whole chain on real photographs, with the very commands that one would type.

Makes a study in demo-study: photographs in known edits, three kinds of task on the marketplace, raters who
answer over HTTP (simulated ones, or with --rate you), review, report, release and a trained model. Ends with
`summary.json` and the report to open.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from photojury.errors import InputError, PhotojuryError

# Enough raters that ten see each picture although some are careless.
_RATERS = 14
_PHOTOS = 14

_SETTINGS: Mapping[tuple[str, str], object] = {
    ("forced_choice", "pairs"): 150,
    ("splits", "by"): "series",
    ("splits", "validation"): 0.15,
    ("splits", "test"): 0.3,
}
# For one person: fewer photographs, and nobody else rates them.
_RATE_PHOTOS = 6
_RATE_SETTINGS: Mapping[tuple[str, str], object] = {
    **_SETTINGS,
    ("stars", "raters_per_image"): 1,
    ("five_level", "partners"): 1,
    ("five_level", "raters_per_pair"): 1,
    ("forced_choice", "pairs"): 20,
    ("forced_choice", "raters_per_pair"): 1,
}


@click.command(epilog="Example: photojury demo --photos ~/Pictures --study my-demo")
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help=f"Your own photographs (the first {_PHOTOS}), instead of those that scikit-image and scikit-learn bring.",
)
@click.option("--rate", is_flag=True, help="You rate, in the browser, instead of the simulated raters.")
@click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to make. [default: demo-study, or with --rate demo-rated]",
)
def demo(photos: Path | None, rate: bool, folder: Path | None) -> None:
    """Run the whole chain on real photographs: collect, plan, publish, rate, review, release, train, report."""
    folder = folder or Path("demo-rated" if rate else "demo-study")
    if folder.exists():
        raise InputError(f"{folder} exists already; delete it, or name another folder with --study")
    started = time.monotonic()
    _make_study(folder, photos, rate)
    # The planted edits make some pictures as bad as checks reject; here raters are to say so.
    _run("collect", "check", "--dry-run", study=folder)
    _run("collect", "report", study=folder)
    _run("datasets", "split", study=folder)
    _run("embed", "--model", "classical", study=folder)
    for task in ("stars", "five_level", "forced_choice"):
        _run("annotate", "plan", task, study=folder)
    with _marketplace(folder) as site:
        _run("annotate", "publish", "--yes", study=folder)
        if rate:
            _let_rate(site)
        else:
            truth = str(folder / "truth.csv")
            _run("annotate", "simulate", "--raters", str(_RATERS), "--truth", truth, study=folder)
        _run("annotate", "fetch", study=folder)
        _run("annotate", "review", "--yes", study=folder)
    _run("analyze", "scores", "--json", study=folder, quiet=True)
    trained = _run("train", "hybrid-siamese", "--backbone", "small", study=folder, may_fail=rate)
    summary = _summary(folder, rate)
    # Who rates alone can be told apart, and knows it.
    _run("datasets", "release", *(("--allow", "small-cells") if rate else ()), study=folder)
    _run("analyze", study=folder)
    summary["seconds"] = round(time.monotonic() - started, 1)
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    _tell(folder, summary, trained=trained)


def _make_study(folder: Path, photos: Path | None, rate: bool) -> None:
    """A study whose pictures have a planted quality, and whose series are the versions of one photograph."""
    from photojury.datasets.store import create_study
    from photojury.demo_photos import write_versions

    seed = 1
    pictures = folder / "photos"
    try:
        folder.mkdir(parents=True)
        versions = write_versions(pictures, photos, limit=_RATE_PHOTOS if rate else _PHOTOS, seed=seed)
    except InputError:
        import shutil

        shutil.rmtree(folder)
        raise
    study = create_study(folder, folder.name, _RATE_SETTINGS if rate else _SETTINGS)
    _run("collect", "folder", str(pictures), study=folder)
    ids = {
        (pictures / source).resolve(): image
        for source, image in study.read("images")[["source_id", "image_id"]].itertuples(index=False)
    }
    series: list[dict[str, object]] = []
    lines = ["image_id,quality,photo,edit"]
    for version in versions:
        image = ids[version.path.resolve()]
        position = sum(row["series_id"] == version.path.parent.name for row in series)
        series.append({"series_id": version.path.parent.name, "image_id": image, "position": position})
        lines.append(f"{image},{version.quality:.6f},{version.photo},{version.edit}")
    study.add("series", series)
    (folder / "truth.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    study.close()


def _run(*arguments: str, study: Path, quiet: bool = False, may_fail: bool = False) -> bool:
    """Run one photojury command, showing it as one would type it; returns whether it ended well."""
    import contextlib
    import io

    from photojury.cli import group

    line = [*arguments, "--study", str(study)]
    click.secho(f"\n$ photojury {' '.join(line)}", bold=True)
    output = io.StringIO() if quiet else sys.stdout
    try:
        with contextlib.redirect_stdout(output):
            group.main(line, prog_name="photojury", standalone_mode=False)
    except PhotojuryError as error:
        if not may_fail:
            raise
        click.echo(f"left out: {error}")
        return False
    return True


@contextmanager
def _marketplace(folder: Path) -> Iterator[str]:
    """The study's marketplace in a process of its own, on a free port, while the block runs."""
    command = [sys.executable, "-m", "photojury", "market", "serve", "--study", str(folder), "--port", "0"]
    click.secho(f"\n$ photojury market serve --study {folder} &", bold=True)
    with (folder / "market.log").open("w") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    before = os.environ.get("AWS_ENDPOINT_URL_MTURK")
    try:
        line = server.stdout.readline() if server.stdout else ""
        if not line.startswith("Marketplace ready: "):
            raise PhotojuryError(f"the marketplace did not start; see {folder / 'market.log'}")
        click.echo(line.rstrip())
        site = line.split()[2]
        os.environ["AWS_ENDPOINT_URL_MTURK"] = site
        yield site
    finally:
        if before is None:
            os.environ.pop("AWS_ENDPOINT_URL_MTURK", None)
        else:
            os.environ["AWS_ENDPOINT_URL_MTURK"] = before
        server.terminate()
        server.wait(30)


def _let_rate(site: str) -> None:
    """Send the person at the keyboard to the worker site, and wait until they have had enough."""
    import webbrowser

    click.echo(f"\nRate in your browser: {site}/")
    webbrowser.open(site)
    click.prompt("Press Enter here when you have rated enough", default="", show_default=False)


def _summary(folder: Path, rate: bool) -> dict[str, object]:
    """Counts, recovery of the planted truth, and the model's test metrics; writes reports/recovery.json."""
    import pandas as pd

    from photojury.datasets.store import open_study

    study = open_study(folder)
    tables = ("images", "hits", "assignments", "ratings", "comparisons", "payments")
    summary: dict[str, object] = {name: study.count(name) for name in tables}
    summary["rated_by"] = "you" if rate else "simulated raters"
    scores = study.read("scores")
    truth = pd.read_csv(folder / "truth.csv").set_index("image_id")["quality"]
    recovery: dict[str, object] = {}
    for method, rows in scores.groupby("method"):
        known = rows.set_index("image_id")["score"]
        recovery[str(method)] = {
            "spearman": round(float(known.corr(truth[known.index], method="spearman")), 4),
            "n": len(known),
        }
    summary["recovery"] = recovery
    if "mos" in recovery:
        target = folder / "reports" / "recovery.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(recovery["mos"]) + "\n", encoding="utf-8")
    evaluation = folder / "models" / "hybrid-siamese" / "evaluation.json"
    if evaluation.is_file():
        summary["test"] = json.loads(evaluation.read_text(encoding="utf-8"))["rows"]
    study.close()
    return summary


def _tell(folder: Path, summary: Mapping[str, object], *, trained: bool) -> None:
    click.secho(f"\nDone in {summary['seconds']} s", bold=True)
    names = ("images", "hits", "assignments", "ratings", "comparisons", "payments")
    click.echo("  made: " + ", ".join(f"{summary[name]} {name}" for name in names))
    recovery = summary["recovery"]
    if isinstance(recovery, dict) and "mos" in recovery:
        click.echo(
            f"  planted truth: a quality for each version of each photograph ({folder / 'truth.csv'});\n"
            f"  recovered by {summary['rated_by']}: Spearman {recovery['mos']['spearman']:.3f} "
            f"over {recovery['mos']['n']} images"
        )
    rows = summary.get("test")
    if trained and isinstance(rows, list):
        for row in rows:
            numbers = ", ".join(
                f"{name} {value:.3f}" for name, value in row.items() if isinstance(value, float)
            )
            click.echo(f"  test, {row['name']}: {numbers}")
    click.echo(f"  summary: {folder / 'summary.json'}")
    click.secho(f"  report to open: {(folder / 'reports' / 'index.html').resolve()}", bold=True)
