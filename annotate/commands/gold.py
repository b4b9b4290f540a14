"""`photojury annotate gold`: questions whose right answer is known."""

import json
from pathlib import Path

import click

from photojury.options import json_option, study_option, tell

_TASK = click.option("--task", required=True, help="stars, five_level, forced_choice, ...")


@click.group()
def gold() -> None:
    """Gold and training questions, which measure raters and never enter an analysis.

    Take them in before `annotate plan`: a HIT carries those that are there when it is planned. A rater meets
    quality.min_golds gold questions first, then ever fewer, unannounced; training questions come before a
    rater's first HIT and explain themselves.
    """


@gold.command(epilog="Example: photojury annotate gold add gold.csv --task stars --study demo-study")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_TASK
@click.option("--training", is_flag=True, help="Questions with feedback, before a rater's first HIT.")
@study_option
@json_option
def add(file: Path, task: str, training: bool, folder: Path, as_json: bool) -> None:
    """Take in FILE, a CSV with the columns first, second (of pairs), value and explanation.

    A picture is named by its image id, the beginning of that, or its source id (of a folder: its path). Choose
    what nobody doubts, such as a spoilt photo and a prize winner; value is the right answer, of pairs positive
    where `first` is better.
    """
    from photojury.annotate.quality.gold import add_gold
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "annotate-gold-add") as run:
        done = add_gold(study, file, task, training=training)
        run.note("new", done.new)
    noun = "training" if training else "gold"
    known = f", {done.known} were there already" if done.known else ""
    tell(as_json, {"new": done.new, "known": done.known}, f"took in {done.new} {noun} questions{known}")


@gold.command(epilog="Example: photojury annotate gold promote --task stars --raters 10 --study demo-study")
@_TASK
@click.option(
    "--raters", type=click.IntRange(2), default=10, show_default=True, help="So many, at least, must agree."
)
@study_option
@json_option
def promote(task: str, raters: int, folder: Path, as_json: bool) -> None:
    """Make gold questions of those that all raters answered alike: obviously best, or obviously worst."""
    from photojury.annotate.quality.gold import promote as promote_gold
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "annotate-gold-promote") as run:
        done = promote_gold(study, task, raters=raters)
        run.note("new", done.new)
    known = f", {done.known} are that already" if done.known else ""
    tell(as_json, {"new": done.new, "known": done.known}, f"made {done.new} questions gold{known}")


@gold.command("list", epilog="Example: photojury annotate gold list --study demo-study")
@click.option("--task", help="Only of this task.")
@study_option
@json_option
def list_(task: str | None, folder: Path, as_json: bool) -> None:
    """Show the gold and training questions, and how often they were answered rightly."""
    from photojury.annotate.quality.gold import listed
    from photojury.datasets.store import open_study

    found = listed(open_study(folder), task)
    lines = [f"{'task':14} {'kind':8} {'first':12} {'second':12} {'value':>5} {'right':>9}  explanation"]
    for row in found.to_dict("records"):
        second = row["second_id"][:12] if isinstance(row["second_id"], str) else ""
        right = f"{row['right']} of {row['answers']}" if row["answers"] else "-"
        lines.append(
            f"{row['task']:14} {row['control']:8} {row['first_id'][:12]} {second:12} {row['gold']:5g} {right:>9}  "
            f"{row['explanation'] or ''}"
        )
    text = "\n".join(lines) if len(found) else "there are no gold questions yet"
    tell(as_json, json.loads(found.to_json(orient="records")), text)
